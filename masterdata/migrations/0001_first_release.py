import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import masterdata.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('masterdata', '0001_initial'), ('masterdata', '0002_references'), ('masterdata', '0003_downtime_reference'), ('masterdata', '0004_plan_changes'), ('masterdata', '0005_item_weight'), ('masterdata', '0006_company_rules'), ('masterdata', '0007_search_within'), ('masterdata', '0008_currency_decimals'), ('masterdata', '0009_units_ranges_and_holidays'), ('masterdata', '0010_papers'), ('masterdata', '0011_three_decimals'), ('masterdata', '0012_specifications'), ('masterdata', '0013_number_lanes'), ('masterdata', '0014_vendor_sites'), ('masterdata', '0015_specification_files'), ('masterdata', '0016_active'), ('masterdata', '0017_days_at_vendors')]

    initial = True

    dependencies = [
        ('core', '0001_extensions'),
    ]

    operations = [
        migrations.CreateModel(
            name='ItemGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='NumberRange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=30, unique=True)),
                ('prefix', models.CharField(max_length=10)),
                ('last', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='PlanChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('reason', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Process',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=100, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('requires_approval', models.BooleanField(default=False, help_text='Only vendors with an approval may do it.')),
                ('certificates', models.JSONField(blank=True, default=list, help_text='Kinds of certificate always asked for.')),
            ],
            options={
                'verbose_name_plural': 'processes',
            },
        ),
        migrations.CreateModel(
            name='Site',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('time_zone', models.CharField(blank=True, max_length=60)),
                ('address', models.TextField(blank=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Currency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=3, unique=True)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('decimals', models.PositiveSmallIntegerField(default=2)),
            ],
            options={
                'verbose_name_plural': 'currencies',
                'constraints': [models.CheckConstraint(condition=models.Q(('decimals__lte', 3)), name='currency_decimals', violation_error_message='Amounts are kept with 3 decimals; a currency cannot have more.')],
            },
        ),
        migrations.CreateModel(
            name='NumberLane',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=30)),
                ('lane', models.PositiveSmallIntegerField()),
                ('next', models.PositiveBigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'lane'), name='number_lane_once')],
            },
        ),
        migrations.CreateModel(
            name='Unit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('decimals', models.PositiveSmallIntegerField(default=5)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('decimals__lte', 5)), name='unit_decimals')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('raw', 'Raw'), ('semi', 'Semi-finished'), ('finished', 'Finished'), ('service', 'Service')], default='raw', max_length=10)),
                ('lot_tracked', models.BooleanField(default=False)),
                ('serial_tracked', models.BooleanField(default=False)),
                ('is_blocked', models.BooleanField(default=False)),
                ('is_phantom', models.BooleanField(default=False)),
                ('standard_cost', models.DecimalField(blank=True, decimal_places=5, max_digits=18, null=True)),
                ('revision', models.CharField(blank=True, max_length=20)),
                ('weight_kg', models.DecimalField(blank=True, decimal_places=5, help_text='Kilograms a unit, for delivery notes.', max_digits=18, null=True)),
                ('item_group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='masterdata.itemgroup')),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.unit')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('code'), name='gin_trgm_ops'), name='item_code_within'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), name='gin_trgm_ops'), name='item_name_within')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['raw', 'semi', 'finished', 'service'])), name='item_kind'), models.CheckConstraint(condition=models.Q(('weight_kg__gte', 0)), name='item_weight_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Specification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('SPEC-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('item', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.item')),
                ('process', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.process')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('process', 'item'), name='specification_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('item__isnull', False), ('process__isnull', False), _connector='OR'), name='specification_of_something')],
            },
        ),
        migrations.CreateModel(
            name='SpecificationFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('path', models.CharField(max_length=200)),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.PositiveIntegerField(help_text='In bytes.')),
                ('added_at', models.DateTimeField()),
                ('specification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='masterdata.specification')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('specification', 'name'), name='specification_file_once'), models.CheckConstraint(condition=models.Q(('size__gt', 0)), name='specification_file_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='ItemUnit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('factor', models.DecimalField(decimal_places=8, max_digits=18)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('IU-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='other_units', to='masterdata.item')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.unit')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'unit'), name='item_unit_once'), models.CheckConstraint(condition=models.Q(('factor__gt', 0)), name='item_unit_factor_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='Vendor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('city', models.CharField(blank=True, max_length=100)),
                ('address', models.TextField(blank=True)),
                ('email', models.EmailField(blank=True, help_text='Orders are mailed here as soon as they are sent.', max_length=254)),
                ('language', models.CharField(blank=True, help_text='What papers and mail are written in; blank is English.', max_length=10)),
                ('transit_out_days', models.PositiveIntegerField(blank=True, help_text='Calendar days from us to him; blank is what the policy says.', null=True)),
                ('transit_back_days', models.PositiveIntegerField(blank=True, help_text='Calendar days from him to us; blank is what the policy says.', null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('belongs_to', models.ForeignKey(blank=True, help_text='The vendor whose site it is, and who sends its invoices.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sites', to='masterdata.vendor')),
                ('currency', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.currency')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), name='gin_trgm_ops'), name='vendor_name_within')],
                'constraints': [models.CheckConstraint(condition=models.Q(('belongs_to', models.F('pk')), _negated=True), name='vendor_is_not_its_own_site')],
            },
        ),
        migrations.CreateModel(
            name='Location',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('plant', 'Plant'), ('warehouse', 'Warehouse'), ('production', 'Production'), ('vendor', 'At a vendor'), ('transit', 'In transit'), ('inspection', 'Inspection'), ('quarantine', 'Quarantine'), ('supplier', 'From a supplier (virtual)'), ('consumed', 'Used or made in production (virtual)'), ('scrap', 'Scrap (virtual)'), ('difference', 'Difference (virtual)')], default='warehouse', max_length=12)),
                ('is_main', models.BooleanField(default=False, help_text="Where the site's goods are shipped from and received into.")),
                ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='locations', to='masterdata.site')),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='locations', to='masterdata.vendor')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['plant', 'warehouse', 'production', 'vendor', 'transit', 'inspection', 'quarantine', 'supplier', 'consumed', 'scrap', 'difference'])), name='location_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'vendor'), _negated=True), ('vendor__isnull', False), _connector='OR'), name='location_of_vendor_names_him'), models.UniqueConstraint(condition=models.Q(('is_main', True)), fields=('site',), name='location_one_main_a_site')],
            },
        ),
        migrations.CreateModel(
            name='WorkCenter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(blank=True, max_length=60)),
                ('external_refs', models.JSONField(blank=True, default=list)),
                ('is_active', models.BooleanField(default=True)),
                ('code', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('internal', 'Internal'), ('external', 'External')], default='internal', max_length=10)),
                ('capacity_hours_per_day', models.DecimalField(blank=True, decimal_places=3, max_digits=10, null=True)),
                ('hourly_cost', models.DecimalField(blank=True, decimal_places=5, max_digits=18, null=True)),
                ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['internal', 'external'])), name='work_center_kind')],
            },
        ),
        migrations.CreateModel(
            name='HolidayCalendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('subdivision', models.CharField(blank=True, max_length=10)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('HC-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.vendor')),
                ('work_center', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.workcenter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('country', 'vendor', 'work_center'), name='holiday_calendar_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('vendor__isnull', True), ('work_center__isnull', True), _connector='OR'), name='holiday_calendar_of_one_thing')],
            },
        ),
        migrations.CreateModel(
            name='Downtime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start_date', models.DateField()),
                ('end_date', models.DateField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('DT-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('work_center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='downtimes', to='masterdata.workcenter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('work_center', 'start_date'), name='downtime_once'), models.CheckConstraint(condition=models.Q(('end_date__gte', models.F('start_date'))), name='downtime_ends_after_start')],
            },
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('last_day', models.DateField(blank=True, help_text='Included; blank: one day.', null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('CL-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='closures', to='masterdata.vendor')),
                ('work_center', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='closures', to='masterdata.workcenter')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('vendor', 'work_center', 'day'), name='closure_once_a_day', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('vendor__isnull', True), ('work_center__isnull', True), _connector='OR'), name='closure_of_one_thing'), models.CheckConstraint(condition=models.Q(('last_day__isnull', True), ('last_day__gte', models.F('day')), _connector='OR'), name='closure_ends_after_start')],
            },
        ),
        migrations.CreateModel(
            name='Company',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, max_length=200)),
                ('time_zone', models.CharField(default='UTC', max_length=60)),
                ('address', models.TextField(blank=True)),
                ('logo', models.FileField(blank=True, help_text='Stands on every paper: PNG, SVG or JPEG.', upload_to='company/', validators=[django.core.validators.FileExtensionValidator(['png', 'svg', 'jpg', 'jpeg'])])),
                ('ship_back', models.TextField(blank=True, help_text='How goods are packed and sent back to us; stands on every order.')),
                ('four_eyes', models.BooleanField(default=False, help_text='An order is approved by another person than who made or last changed it.')),
                ('unconfirmed_days', models.PositiveIntegerField(default=2, help_text='How many days a vendor may leave a sent order unanswered.')),
                ('vendor_stock_days', models.PositiveIntegerField(default=180, help_text='After how many days material of ours at a vendor is old: an alert asks to bring home what is not needed.')),
                ('return_within_days', models.PositiveIntegerField(blank=True, help_text='Within how many days material sent to a vendor must be back by law (India: 365). Blank: no such rule.', null=True)),
                ('max_change_pct', models.DecimalField(blank=True, decimal_places=3, help_text='A run that would change more than this share of the open lines waits for a person.', max_digits=8, null=True)),
                ('max_change_value', masterdata.models.MoneyField(blank=True, decimal_places=3, help_text='A run that would change more than this value of the open lines waits for a person.', max_digits=19, null=True)),
                ('currency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.currency')),
            ],
            options={
                'verbose_name_plural': 'companies',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='company_is_one'), models.CheckConstraint(condition=models.Q(('max_change_pct__isnull', True), ('max_change_pct__gte', 0), _connector='OR'), name='company_change_pct'), models.CheckConstraint(condition=models.Q(('max_change_value__isnull', True), ('max_change_value__gte', 0), _connector='OR'), name='company_change_value')],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate', models.DecimalField(decimal_places=8, max_digits=18)),
                ('valid_from', models.DateField()),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('FX-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('currency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='masterdata.currency')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('currency', 'valid_from'), name='exchange_rate_one_a_day'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='exchange_rate_above_zero')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='vendor',
            trigger=pgtrigger.compiler.Trigger(name='vendor_sites_have_no_sites', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."belongs_to_id" IS NOT NULL)', func="\n                    IF EXISTS (SELECT FROM masterdata_vendor WHERE id = NEW.belongs_to_id AND belongs_to_id IS NOT NULL)\n                        OR EXISTS (SELECT FROM masterdata_vendor WHERE belongs_to_id = NEW.id)\n                    THEN\n                        RAISE EXCEPTION 'a site has no sites' USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='6dd5b3465ce0249e6157f27d64f44c629e7a7751', operation='INSERT OR UPDATE', pgid='pgtrigger_vendor_sites_have_no_sites_2aaf0', table='masterdata_vendor', when='BEFORE')),
        ),
    ]
