from django.db import migrations, models

# What the entries written so far have left.
LEFT = """
    INSERT INTO accounting_carry (role, amount) SELECT role, sum(amount - booked) FROM accounting_entryline GROUP BY role
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounting', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Carry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('raw', 'Stock of raw material'), ('semi', 'Stock of semi-finished goods'), ('finished', 'Stock of finished goods'), ('work_in_progress', 'Work in progress'), ('at_vendors', 'Material at vendors'), ('production', 'Production clearing'), ('scrap', 'Scrap and rejects'), ('stock_difference', 'Stock differences'), ('price_variance', 'Price variance'), ('exchange_difference', 'Exchange differences'), ('opening', 'Opening and other stock from outside'), ('not_invoiced', 'Received, not invoiced'), ('payables', 'Payables to vendors'), ('input_tax', 'Input tax'), ('reverse_charge', 'Tax owed under reverse charge'), ('claims', 'Claims on vendors'), ('charged_back', 'Charged back to vendors')], max_length=20, unique=True)),
                ('amount', models.DecimalField(decimal_places=5, max_digits=18)),
            ],
            options={
                'verbose_name_plural': 'carries',
            },
        ),
        migrations.RunSQL(LEFT, migrations.RunSQL.noop),
    ]
