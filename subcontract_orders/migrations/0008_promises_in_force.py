from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subcontract_orders', '0007_direct_components'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='linepromise',
            name='line_promise_once',
        ),
        migrations.AddField(
            model_name='linepromise',
            name='is_told',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name='linepromise',
            constraint=models.UniqueConstraint(fields=('line', 'is_told', 'position'), name='line_promise_once'),
        ),
    ]
