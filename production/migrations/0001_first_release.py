import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('production', '0001_initial'), ('production', '0002_plan_changes'), ('production', '0003_plan_changes_moved'), ('production', '0004_report_right'), ('production', '0005_renumbering_and_commitment'), ('production', '0006_search_within'), ('production', '0007_by_products')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('core', '0001_extensions'),
        ('masterdata', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductionOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('number', models.CharField(max_length=60, unique=True)),
                ('replaces', models.CharField(blank=True, max_length=60)),
                ('first_number', models.CharField(blank=True, editable=False, max_length=70)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('start_date', models.DateField(blank=True, null=True)),
                ('due_date', models.DateField()),
                ('status', models.CharField(choices=[('planned', 'Planned'), ('firm', 'Firm'), ('released', 'Released'), ('in_progress', 'In progress'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='planned', max_length=12)),
                ('routing_variant', models.CharField(blank=True, max_length=60)),
                ('parent_number', models.CharField(blank=True, max_length=60)),
                ('version', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status__in', ('planned', 'firm', 'released', 'in_progress'))), fields=['due_date', 'id'], name='production_order_due'), models.Index(condition=models.Q(('replaces', ''), _negated=True), fields=['replaces'], name='production_order_replaces'), models.Index(condition=models.Q(('first_number', ''), _negated=True), fields=['first_number'], name='production_order_first_number'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('number'), name='gin_trgm_ops'), name='production_order_within')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='production_order_quantity_above_zero'), models.CheckConstraint(condition=models.Q(('status__in', ['planned', 'firm', 'released', 'in_progress', 'done', 'cancelled'])), name='production_order_status')],
            },
        ),
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('operation_no', models.CharField(max_length=20)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('setup_minutes', models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ('run_minutes', models.DecimalField(blank=True, decimal_places=6, max_digits=12, null=True)),
                ('outsourced', models.CharField(choices=[('no', 'Stays inside'), ('yes', 'Always outside'), ('maybe', 'A policy decides')], default='no', max_length=5)),
                ('next_nos', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('good', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('scrap', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('status', models.CharField(choices=[('open', 'Open'), ('in_progress', 'In progress'), ('finished', 'Finished'), ('cancelled', 'Cancelled')], default='open', max_length=12)),
                ('planned_start', models.DateField(blank=True, null=True)),
                ('planned_end', models.DateField(blank=True, null=True)),
                ('dates_given', models.BooleanField(default=False)),
                ('is_given', models.BooleanField(default=False)),
                ('is_committed', models.BooleanField(default=False, editable=False)),
                ('process', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.process')),
                ('work_center', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.workcenter')),
                ('production_order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='operations', to='production.productionorder')),
            ],
            options={
                'permissions': [('speak_operationword', 'Can send an operation outside or keep it inside'), ('report_operation', 'Can report what was made of an operation')],
                'constraints': [models.UniqueConstraint(fields=('production_order', 'operation_no'), name='operation_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='operation_quantity_above_zero'), models.CheckConstraint(condition=models.Q(('good__gte', 0), ('scrap__gte', 0)), name='operation_reports_not_negative'), models.CheckConstraint(condition=models.Q(('status__in', ['open', 'in_progress', 'finished', 'cancelled'])), name='operation_status'), models.CheckConstraint(condition=models.Q(('outsourced__in', ['no', 'yes', 'maybe'])), name='operation_outsourced')],
            },
        ),
        migrations.CreateModel(
            name='RoutingStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('variant', models.CharField(blank=True, max_length=60)),
                ('sequence', models.PositiveIntegerField()),
                ('operation_no', models.CharField(max_length=20)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('setup_minutes', models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True)),
                ('run_minutes', models.DecimalField(blank=True, decimal_places=6, max_digits=12, null=True, verbose_name='run minutes a piece')),
                ('outsourced', models.CharField(choices=[('no', 'Stays inside'), ('yes', 'Always outside'), ('maybe', 'A policy decides')], default='no', max_length=5)),
                ('next_nos', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.item')),
                ('process', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.process')),
                ('work_center', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.workcenter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'variant', 'operation_no'), name='routing_step_once'), models.CheckConstraint(condition=models.Q(('outsourced__in', ['no', 'yes', 'maybe'])), name='routing_step_outsourced')],
            },
        ),
        migrations.CreateModel(
            name='BomLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('position', models.PositiveIntegerField()),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('basis', models.CharField(choices=[('per_unit', 'For each piece'), ('per_order', 'For the whole order')], default='per_unit', max_length=10)),
                ('scrap_pct', models.DecimalField(decimal_places=4, default=0, max_digits=8)),
                ('operation_no', models.CharField(blank=True, max_length=20)),
                ('supply', models.CharField(choices=[('own', 'We ship it'), ('vendor', 'The vendor provides it'), ('consigned', 'Our stock already at the vendor'), ('direct', 'A third party delivers it to the vendor'), ('returnable', 'Shipped, not used up, expected back'), ('by_product', 'Comes out of the work beside the piece')], default='own', max_length=10)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('parent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.item')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('parent', 'position'), name='bom_line_position'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='bom_quantity_above_zero'), models.CheckConstraint(condition=models.Q(('scrap_pct__gte', 0)), name='bom_scrap_not_negative'), models.CheckConstraint(condition=models.Q(('parent', models.F('component')), _negated=True), name='bom_not_of_itself'), models.CheckConstraint(condition=models.Q(('supply__in', ['own', 'vendor', 'consigned', 'direct', 'returnable', 'by_product'])), name='bom_supply'), models.CheckConstraint(condition=models.Q(('basis__in', ['per_unit', 'per_order'])), name='bom_basis')],
            },
        ),
        migrations.CreateModel(
            name='OperationWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.CharField(choices=[('outsource', 'Outside'), ('in_house', 'Inside')], max_length=10)),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('is_current', models.BooleanField(default=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('operation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='words', to='production.operation')),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('operation',), name='operation_word_one_current'), models.CheckConstraint(condition=models.Q(('word__in', ['outsource', 'in_house'])), name='operation_word')],
            },
        ),
    ]
