import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Each line says where its pieces come back to; 0005 writes it, 0006 asks for it."""

    dependencies = [
        ('masterdata', '0001_first_release'),
        ('subcontract_orders', '0003_keys_of_other_systems'),
    ]

    operations = [
        migrations.AddField(
            model_name='orderline',
            name='receive_at',
            field=models.ForeignKey(help_text='Where the pieces come back to: a place of ours, or `ship_to` where they go on from the vendor.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='sent_receive_at',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location'),
        ),
        migrations.AlterField(
            model_name='subcontractorder',
            name='receive_at',
            field=models.ForeignKey(help_text="Where its first line's pieces come back to; each line says its own.", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location'),
        ),
    ]
