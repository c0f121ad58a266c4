
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('masterdata', '0002_keys_of_other_systems'),
        ('subcontract_orders', '0006_places_of_lines_kept'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='ordercomponent',
            index=models.Index(condition=models.Q(('supply', 'direct')), fields=['line'], name='order_component_direct'),
        ),
    ]
