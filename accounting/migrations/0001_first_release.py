import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('accounting', '0001_journal'), ('accounting', '0002_journal_exports')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('inventory', '0001_first_release'),
        ('masterdata', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20, unique=True)),
                ('done_id', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('raw', 'Stock of raw material'), ('semi', 'Stock of semi-finished goods'), ('finished', 'Stock of finished goods'), ('work_in_progress', 'Work in progress'), ('at_vendors', 'Material at vendors'), ('production', 'Production clearing'), ('scrap', 'Scrap and rejects'), ('stock_difference', 'Stock differences'), ('price_variance', 'Price variance'), ('exchange_difference', 'Exchange differences'), ('opening', 'Opening and other stock from outside'), ('not_invoiced', 'Received, not invoiced'), ('payables', 'Payables to vendors'), ('input_tax', 'Input tax'), ('reverse_charge', 'Tax owed under reverse charge'), ('claims', 'Claims on vendors'), ('charged_back', 'Charged back to vendors')], max_length=20, unique=True)),
                ('code', models.CharField(max_length=30)),
                ('name', models.CharField(blank=True, max_length=100)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['raw', 'semi', 'finished', 'work_in_progress', 'at_vendors', 'production', 'scrap', 'stock_difference', 'price_variance', 'exchange_difference', 'opening', 'not_invoiced', 'payables', 'input_tax', 'reverse_charge', 'claims', 'charged_back'])), name='account_role')],
            },
        ),
        migrations.CreateModel(
            name='Confirmation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('as_of', models.DateField()),
                ('status', models.CharField(choices=[('prepared', 'Prepared'), ('sent', 'Sent'), ('agreed', 'Agreed'), ('differs', 'Differs')], default='prepared', max_length=10)),
                ('invoiced', models.DecimalField(decimal_places=3, max_digits=18)),
                ('not_invoiced', models.DecimalField(decimal_places=3, max_digits=18)),
                ('prepared_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.CharField(blank=True, help_text='Who answered for the vendor.', max_length=100)),
                ('answered_not_invoiced', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prepared_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('vendor', 'as_of'), name='confirmation_once_a_day'), models.CheckConstraint(condition=models.Q(('status__in', ['prepared', 'sent', 'agreed', 'differs'])), name='confirmation_status')],
            },
        ),
        migrations.CreateModel(
            name='ConfirmationLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('answered', models.DecimalField(decimal_places=5, max_digits=18, null=True)),
                ('confirmation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='accounting.confirmation')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('confirmation', 'item', 'lot', 'stage'), name='confirmation_line_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('answered__isnull', True), ('answered__gte', 0), _connector='OR'), name='confirmation_answer')],
            },
        ),
        migrations.CreateModel(
            name='JournalExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('until', models.DateField()),
                ('entries', models.PositiveIntegerField()),
                ('exported_at', models.DateTimeField()),
                ('exported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('entries__gt', 0)), name='journal_export_holds_something')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120, unique=True)),
                ('document_kind', models.CharField(max_length=30)),
                ('document_number', models.CharField(blank=True, max_length=60)),
                ('event_date', models.DateField()),
                ('posting_date', models.DateField()),
                ('text', models.CharField(blank=True, max_length=200)),
                ('journalled_at', models.DateTimeField()),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
                ('export', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounting.journalexport')),
            ],
            options={
                'verbose_name_plural': 'entries',
                'indexes': [models.Index(fields=['posting_date', 'id'], name='entry_by_posting_date'), models.Index(fields=['document_kind', 'document_number'], name='entry_of_document'), models.Index(condition=models.Q(('export__isnull', True)), fields=['posting_date', 'id'], name='entry_unexported')],
                'constraints': [models.CheckConstraint(condition=models.Q(('posting_date__gte', models.F('event_date'))), name='entry_never_posted_before')],
            },
        ),
        migrations.CreateModel(
            name='EntryLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('raw', 'Stock of raw material'), ('semi', 'Stock of semi-finished goods'), ('finished', 'Stock of finished goods'), ('work_in_progress', 'Work in progress'), ('at_vendors', 'Material at vendors'), ('production', 'Production clearing'), ('scrap', 'Scrap and rejects'), ('stock_difference', 'Stock differences'), ('price_variance', 'Price variance'), ('exchange_difference', 'Exchange differences'), ('opening', 'Opening and other stock from outside'), ('not_invoiced', 'Received, not invoiced'), ('payables', 'Payables to vendors'), ('input_tax', 'Input tax'), ('reverse_charge', 'Tax owed under reverse charge'), ('claims', 'Claims on vendors'), ('charged_back', 'Charged back to vendors')], max_length=20)),
                ('amount', models.DecimalField(decimal_places=5, max_digits=18)),
                ('booked', models.DecimalField(decimal_places=3, max_digits=18)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='accounting.entry')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('entry', 'role'), name='entry_line_role_once'), models.CheckConstraint(condition=models.Q(('role__in', ['raw', 'semi', 'finished', 'work_in_progress', 'at_vendors', 'production', 'scrap', 'stock_difference', 'price_variance', 'exchange_difference', 'opening', 'not_invoiced', 'payables', 'input_tax', 'reverse_charge', 'claims', 'charged_back'])), name='entry_line_role')],
            },
        ),
        migrations.CreateModel(
            name='Closing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('through', models.DateField()),
                ('closed_at', models.DateTimeField()),
                ('reopened_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reopened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('close_period', 'Can close and reopen periods')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reopened_at__isnull', True)), fields=('through',), name='closing_once')],
            },
        ),
    ]
