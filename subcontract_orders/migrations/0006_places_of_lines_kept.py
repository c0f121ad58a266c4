import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('masterdata', '0001_first_release'),
        ('subcontract_orders', '0005_places_of_lines_data'),
    ]

    operations = [
        migrations.AlterField(
            model_name='orderline',
            name='receive_at',
            field=models.ForeignKey(help_text='Where the pieces come back to: a place of ours, or `ship_to` where they go on from the vendor.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location'),
        ),
    ]
