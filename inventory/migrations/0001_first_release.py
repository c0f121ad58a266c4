import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('inventory', '0001_initial'), ('inventory', '0002_pools_keep_value')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('masterdata', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Lot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=60)),
                ('expires_on', models.DateField(blank=True, null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'code'), name='lot_of_item')],
            },
        ),
        migrations.CreateModel(
            name='CostPool',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('value', models.DecimalField(decimal_places=5, max_digits=18)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'site', 'lot', 'stage'), name='cost_pool_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('quantity__gte', 0), ('value__gte', 0)), name='cost_pool_not_below_zero'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('value', 0), _connector='OR'), name='cost_pool_empty_is_worth_nothing')],
            },
        ),
        migrations.CreateModel(
            name='Balance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('since', models.DateTimeField(help_text='When the stock that lies here began to lie here: first in, first out.')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'location', 'lot', 'stage'), name='balance_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('quantity__gte', 0)), name='balance_not_below_zero')],
            },
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('value', models.DecimalField(decimal_places=5, max_digits=18)),
                ('document_kind', models.CharField(max_length=30)),
                ('document_number', models.CharField(blank=True, max_length=60)),
                ('document_line', models.PositiveIntegerField(null=True)),
                ('occurred_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='inventory.lot')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='inventory.movement')),
                ('to_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
            ],
            options={
                'indexes': [models.Index(fields=['item', 'occurred_at'], name='movement_item'), models.Index(fields=['document_kind', 'document_number'], name='movement_document')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gte', 0)), name='movement_quantity_not_negative'), models.CheckConstraint(condition=models.Q(('from_location', models.F('to_location')), _negated=True), name='movement_goes_somewhere')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='movement',
            trigger=pgtrigger.compiler.Trigger(name='movement_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e57f60e83adb298279ff4a8664c508cd244880e8', operation='UPDATE OR DELETE', pgid='pgtrigger_movement_is_final_f52db', table='inventory_movement', when='BEFORE')),
        ),
    ]
