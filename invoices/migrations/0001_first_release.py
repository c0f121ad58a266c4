import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('invoices', '0001_initial'), ('invoices', '0002_three_decimals'), ('invoices', '0003_unpaid_work')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('core', '0001_extensions'),
        ('masterdata', '0001_first_release'),
        ('receipts', '0001_first_release'),
        ('subcontract_orders', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('kind', models.CharField(choices=[('invoice', 'Invoice'), ('credit', 'Credit note'), ('self_billed', 'Self-billed')], default='invoice', max_length=12)),
                ('status', models.CharField(choices=[('entered', 'Entered'), ('matched', 'Matched'), ('held', 'Held'), ('disputed', 'Disputed'), ('approved', 'Approved'), ('exported', 'Exported'), ('withdrawn', 'Withdrawn')], default='entered', max_length=10)),
                ('vendor_number', models.CharField(max_length=60)),
                ('number_key', models.CharField(editable=False, max_length=60)),
                ('invoice_date', models.DateField()),
                ('is_dated', models.BooleanField(default=True, help_text="The day is the vendor's; where none was said it is that of entry.")),
                ('due_date', models.DateField(blank=True, null=True)),
                ('rate', models.DecimalField(decimal_places=8, default=1, max_digits=18)),
                ('net', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('tax', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('net_company', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('entered_at', models.DateTimeField()),
                ('matched_at', models.DateTimeField(editable=False, null=True)),
                ('matched_alone', models.BooleanField(default=False, help_text='It matched without a person letting anything pass.')),
                ('released_at', models.DateTimeField(editable=False, null=True)),
                ('release_reason', models.CharField(blank=True, max_length=300)),
                ('disputed_at', models.DateTimeField(editable=False, null=True)),
                ('dispute_reason', models.CharField(blank=True, max_length=300)),
                ('approved_at', models.DateTimeField(editable=False, null=True)),
                ('exported_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('approved_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('credits', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='invoices.invoice')),
                ('currency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.currency')),
                ('disputed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('released_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'permissions': [('release_invoice', 'Can release held invoices of others'), ('approve_invoice', 'Can approve invoices for payment'), ('export_invoice', 'Can export invoices')],
                'indexes': [models.Index(fields=['vendor', 'id'], name='invoice_of_vendor'), models.Index(condition=models.Q(('status__in', ['entered', 'matched', 'held', 'disputed', 'approved'])), fields=['status', 'id'], name='invoice_to_do'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('vendor_number'), name='gin_trgm_ops'), name='invoice_number_within')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['invoice', 'credit', 'self_billed'])), name='invoice_kind'), models.CheckConstraint(condition=models.Q(('status__in', ['entered', 'matched', 'held', 'disputed', 'approved', 'exported', 'withdrawn'])), name='invoice_status'), models.UniqueConstraint(condition=models.Q(('status', 'withdrawn'), _negated=True), fields=('vendor', 'number_key'), name='invoice_vendor_number_once'), models.CheckConstraint(condition=models.Q(('net__gte', 0), ('net_company__gte', 0), ('tax__gte', 0)), name='invoice_not_negative'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='invoice_rate_above_zero'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ('approved', 'exported')), _negated=True), ('approved_at__isnull', False), _connector='OR'), name='invoice_approved_says_when'), models.CheckConstraint(condition=models.Q(('released_by__isnull', True), ('entered_by__isnull', True), models.Q(('released_by', models.F('entered_by')), _negated=True), _connector='OR'), name='invoice_released_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('credits__isnull', False), ('kind', 'credit')), models.Q(models.Q(('kind', 'credit'), _negated=True), ('credits__isnull', True)), _connector='OR'), name='invoice_credit_names_its_invoice')],
            },
        ),
        migrations.CreateModel(
            name='ChargeBack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('kind', models.CharField(choices=[('rejects', 'Rejected pieces'), ('lost_material', 'Lost material'), ('lateness', 'Lateness'), ('unpaid_work', 'Work that is not paid')], max_length=14)),
                ('status', models.CharField(choices=[('proposed', 'Proposed'), ('claimed', 'Claimed'), ('settled', 'Settled'), ('waived', 'Waived')], default='proposed', max_length=10)),
                ('quantity', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('set_off', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('receipt_line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='receipts.receiptline')),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
                ('settled_by', models.ForeignKey(help_text='His credit note.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='invoices.invoice')),
            ],
            options={
                'indexes': [models.Index(fields=['order_line'], name='charge_back_of_order_line')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['rejects', 'lost_material', 'lateness', 'unpaid_work'])), name='charge_back_kind'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'claimed', 'settled', 'waived'])), name='charge_back_status'), models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('quantity__gte', 0), ('set_off__gte', 0), ('set_off__lte', models.F('amount'))), name='charge_back_not_negative'), models.UniqueConstraint(condition=models.Q(('receipt_line__isnull', False)), fields=('receipt_line', 'kind'), name='charge_back_once')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line_no', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('work', 'Work'), ('minimum', 'Minimum charge'), ('lot', 'Lot charge'), ('freight', 'Freight'), ('surcharge', 'Surcharge')], default='work', max_length=10)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('quantity', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('unit', models.CharField(blank=True, max_length=20)),
                ('unit_factor', models.DecimalField(decimal_places=8, default=1, max_digits=18)),
                ('unit_price', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('basis', models.CharField(choices=[('quantity', 'By quantity'), ('weight', 'By weight'), ('value', 'By value')], default='value', max_length=8)),
                ('tax_category', models.CharField(choices=[('S', 'Standard rate'), ('Z', 'Zero rated'), ('E', 'Exempt'), ('AE', 'Reverse charge')], default='S', max_length=2)),
                ('tax_rate', models.DecimalField(decimal_places=3, default=0, max_digits=6)),
                ('taken_back', models.BooleanField(default=False)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='invoices.invoice')),
                ('order_line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('receipt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='receipts.receipt')),
            ],
            options={
                'indexes': [models.Index(fields=['order_line'], name='invoice_line_of_order_line')],
                'constraints': [models.UniqueConstraint(fields=('invoice', 'line_no'), name='invoice_line_no'), models.CheckConstraint(condition=models.Q(('kind__in', ['work', 'minimum', 'lot', 'freight', 'surcharge'])), name='invoice_line_kind'), models.CheckConstraint(condition=models.Q(('basis__in', ['quantity', 'weight', 'value'])), name='invoice_line_basis'), models.CheckConstraint(condition=models.Q(('tax_category__in', ['S', 'Z', 'E', 'AE'])), name='invoice_line_tax_category'), models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('quantity__gte', 0), ('unit_factor__gt', 0), ('unit_price__gte', 0)), name='invoice_line_not_negative'), models.CheckConstraint(condition=models.Q(('tax_rate__gte', 0), ('tax_rate__lte', 100)), name='invoice_line_tax_rate'), models.CheckConstraint(condition=models.Q(('tax_category', 'S'), ('tax_rate', 0), ('tax_category', 'AE'), _connector='OR'), name='invoice_line_untaxed_has_no_rate'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'work'), _negated=True), models.Q(('order_line__isnull', False), ('quantity__gt', 0)), _connector='OR'), name='invoice_line_work_is_of_an_order')],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('over_invoice', 'More than was accepted and not invoiced yet'), ('price_out_of_tolerance', 'Dearer than agreed'), ('price_open', 'The price is still to be set'), ('possible_duplicate', 'Another invoice has the same date and amount')], max_length=30)),
                ('detail', models.CharField(max_length=300)),
                ('allowed', models.DecimalField(decimal_places=5, max_digits=18, null=True)),
                ('found', models.DecimalField(decimal_places=5, max_digits=18, null=True)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holds', to='invoices.invoice')),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='holds', to='invoices.invoiceline')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('invoice', 'line', 'code'), name='hold_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('code__in', ['over_invoice', 'price_out_of_tolerance', 'price_open', 'possible_duplicate'])), name='hold_code')],
            },
        ),
        migrations.CreateModel(
            name='Match',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('amount', models.DecimalField(decimal_places=5, max_digits=18)),
                ('amount_company', models.DecimalField(decimal_places=5, max_digits=18)),
                ('agreed', models.DecimalField(decimal_places=5, max_digits=18)),
                ('price_difference', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('exchange_difference', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('to_stock', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('to_variance', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('posted_at', models.DateTimeField(null=True)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='matches', to='invoices.invoiceline')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('receipt_line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='receipts.receiptline')),
            ],
            options={
                'indexes': [models.Index(fields=['order_line'], name='match_of_order_line'), models.Index(fields=['receipt_line'], name='match_of_receipt_line'), models.Index(condition=models.Q(('posted_at__isnull', False)), fields=['posted_at', 'id'], name='match_posted')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_company', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('agreed'), '+', models.F('price_difference')), '+', models.F('exchange_difference')))), name='match_adds_up'), models.CheckConstraint(condition=models.Q(('posted_at__isnull', True), ('to_stock', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('price_difference'), '+', models.F('exchange_difference')), '-', models.F('to_variance'))), _connector='OR'), name='match_posted_is_somewhere')],
            },
        ),
    ]
