import django.contrib.postgres.fields
import django.db.models.deletion
import masterdata.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('documents', '0001_initial'), ('documents', '0002_run_work_list'), ('documents', '0003_held_runs'), ('documents', '0004_three_decimals'), ('documents', '0005_simulations'), ('documents', '0006_order_readings')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('masterdata', '0001_first_release'),
        ('policies', '0001_first_release'),
        ('production', '0001_first_release'),
        ('subcontract_orders', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='GenerationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('deciding', 'Deciding'), ('writing', 'Writing'), ('done', 'Done'), ('failed', 'Failed'), ('held', 'Waits for a person'), ('dropped', 'Dropped')], default='waiting', max_length=10)),
                ('is_dry', models.BooleanField(default=False)),
                ('scope', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('requested_at', models.DateTimeField()),
                ('on', models.DateField(help_text='The day the run reads prices and dates on.')),
                ('started_at', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('operations', models.PositiveIntegerField(default=0)),
                ('in_house', models.PositiveIntegerField(default=0)),
                ('outsource', models.PositiveIntegerField(default=0)),
                ('review', models.PositiveIntegerField(default=0)),
                ('blocked', models.PositiveIntegerField(default=0)),
                ('items_total', models.PositiveIntegerField(default=0)),
                ('items_done', models.PositiveIntegerField(default=0)),
                ('created', models.PositiveIntegerField(default=0)),
                ('changed', models.PositiveIntegerField(default=0)),
                ('cancelled', models.PositiveIntegerField(default=0)),
                ('alerts', models.PositiveIntegerField(default=0)),
                ('orders', models.PositiveIntegerField(default=0, help_text='Active orders when the run was done.')),
                ('lines', models.PositiveIntegerField(default=0, help_text='Active order lines when the run was done.')),
                ('shipments', models.PositiveIntegerField(default=0, help_text='Active shipments when the run was done.')),
                ('blocked_by', models.JSONField(default=dict, help_text='How many operations each block reason holds back.')),
                ('error', models.TextField(blank=True)),
                ('change_pct', models.DecimalField(decimal_places=3, help_text='Lines changed and withdrawn, of those open before.', max_digits=12, null=True)),
                ('change_value', masterdata.models.MoneyField(decimal_places=3, help_text='What is added, changed and withdrawn, in company currency.', max_digits=19, null=True)),
                ('held_because', models.CharField(blank=True, max_length=300)),
                ('settled_at', models.DateTimeField(null=True)),
                ('is_whole', models.BooleanField(default=False, help_text='Looks at everything, whatever changed.')),
                ('looked_at', models.PositiveIntegerField(default=0, help_text='Operations decided anew; the others had not changed.')),
                ('shared_mark', models.BigIntegerField(editable=False, null=True)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('start_generationrun', 'Can start runs'), ('confirm_generationrun', 'Can let a run go on that changes much')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'deciding', 'writing', 'done', 'failed', 'held', 'dropped'])), name='run_state')],
            },
        ),
        migrations.CreateModel(
            name='GenerationRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('not_before', models.DateTimeField()),
                ('reason', models.CharField(max_length=200)),
                ('requested_at', models.DateTimeField()),
                ('scope', models.JSONField(default=dict)),
                ('is_whole', models.BooleanField(default=False)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='requests', to='documents.generationrun')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('run__isnull', True)), fields=['not_before'], name='request_open')],
            },
        ),
        migrations.CreateModel(
            name='OrderReading',
            fields=[
                ('production_order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='production.productionorder')),
                ('plan_mark', models.BigIntegerField()),
                ('lines_mark', models.BigIntegerField()),
                ('drafts_mark', models.BigIntegerField()),
                ('ground', models.BigIntegerField()),
                ('day', models.DateField(null=True)),
                ('is_shared', models.BooleanField(default=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_shared', True)), fields=['production_order'], name='order_reading_shared')],
            },
        ),
        migrations.CreateModel(
            name='RunItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shard_no', models.PositiveIntegerField(default=0)),
                ('action', models.CharField(choices=[('create', 'Make a line'), ('change', 'Change a draft line'), ('cancel', 'Withdraw a draft line'), ('alert', 'Say that a sent line should change')], max_length=8)),
                ('group_key', models.CharField(blank=True, max_length=200)),
                ('order_number', models.CharField(blank=True, max_length=20)),
                ('due_date', models.DateField(null=True)),
                ('rank', models.PositiveSmallIntegerField(default=0)),
                ('quantity', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='Locations it is shipped from.', size=None)),
                ('components', models.JSONField(default=list, help_text='What the line needs, as documents.rules.Need.as_row.')),
                ('content_hash', models.CharField(blank=True, max_length=32)),
                ('outcome', models.CharField(blank=True, max_length=40)),
                ('award', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='policies.award')),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='subcontract_orders.orderline')),
                ('operation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='production.operation')),
                ('receive_at', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.location')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='documents.generationrun')),
                ('ship_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.location')),
            ],
            options={
                'indexes': [models.Index(fields=['run', 'shard_no'], name='run_item_of_shard')],
            },
        ),
        migrations.CreateModel(
            name='RunShard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shard_no', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done')], default='waiting', max_length=10)),
                ('comes_first', models.BooleanField(default=False)),
                ('shipment_numbers', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shards', to='documents.generationrun')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'shard_no'), name='run_shard_once')],
            },
        ),
        migrations.CreateModel(
            name='SimulationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('refused', 'Refused')], default='waiting', max_length=10)),
                ('asked', models.JSONField(default=dict)),
                ('said', models.CharField(help_text='What is supposed, in one sentence.', max_length=300)),
                ('answer', models.JSONField(null=True)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('requested_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'simulation',
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['id'], name='simulation_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'running', 'done', 'refused'])), name='simulation_state'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('answer__isnull', False), _connector='OR'), name='simulation_done_has_answer')],
            },
        ),
    ]
