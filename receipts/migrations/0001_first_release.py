import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('receipts', '0001_initial'), ('receipts', '0002_receipts'), ('receipts', '0003_returns'), ('receipts', '0004_inspection_and_quarantine'), ('receipts', '0005_search_within'), ('receipts', '0006_returns_on_the_way'), ('receipts', '0007_opening_receipts'), ('receipts', '0008_by_products'), ('receipts', '0009_lost_on_the_way')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('core', '0001_extensions'),
        ('inventory', '0001_first_release'),
        ('masterdata', '0001_first_release'),
        ('subcontract_orders', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('status', models.CharField(choices=[('posted', 'Posted'), ('reversed', 'Reversed'), ('quarantined', 'In quarantine')], default='posted', max_length=12)),
                ('note', models.CharField(max_length=60)),
                ('note_date', models.DateField()),
                ('is_supplement', models.BooleanField(default=False)),
                ('is_opening', models.BooleanField(default=False, editable=False, help_text='Counted elsewhere, before its order was loaded: it moved no stock here.')),
                ('content_hash', models.CharField(max_length=64)),
                ('content', models.JSONField(default=list)),
                ('refusal', models.CharField(blank=True, max_length=500)),
                ('received_at', models.DateTimeField()),
                ('posted_at', models.DateTimeField()),
                ('reversed_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('posted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reversed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'permissions': [('inspect_receipt', 'Can inspect receipts')],
                'indexes': [models.Index(fields=['vendor', 'id'], name='receipt_of_vendor'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('note'), name='gin_trgm_ops'), name='receipt_note_within')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['posted', 'reversed', 'quarantined'])), name='receipt_status'), models.UniqueConstraint(condition=models.Q(('is_supplement', False), ('status__in', ['posted', 'quarantined'])), fields=('vendor', 'note'), name='receipt_note_once')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line_no', models.PositiveIntegerField()),
                ('accepted', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('rejected', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('scrapped', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('reworked', models.DecimalField(decimal_places=5, default=0, help_text='Of these, pieces back from rework: made and owed before.', max_digits=18)),
                ('sent_back', models.DecimalField(decimal_places=5, default=0, help_text='Pieces that went back to the vendor on inspection.', max_digits=18)),
                ('disposed', models.DecimalField(decimal_places=5, default=0, help_text='Of the rejected ones, pieces somebody has decided about.', max_digits=18)),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('components_value', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('work_value', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('by_products_value', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('expensed_value', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('good_value', models.DecimalField(decimal_places=5, default=0, help_text='What the good pieces went into stock with.', max_digits=18)),
                ('held', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('held_for', models.JSONField(default=list)),
                ('to_inspect', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('is_sample', models.BooleanField(default=False)),
                ('certificates', models.JSONField(default=list)),
                ('fault', models.CharField(choices=[('open', 'Open'), ('ours', 'Ours'), ('vendor', "The vendor's")], default='open', max_length=6)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='receipts.receipt')),
            ],
            options={
                'indexes': [models.Index(fields=['order_line'], name='receipt_line_of_order_line'), models.Index(condition=models.Q(('held__gt', 0)), fields=['id'], name='receipt_line_held')],
                'constraints': [models.UniqueConstraint(fields=('receipt', 'line_no'), name='receipt_line_no'), models.CheckConstraint(condition=models.Q(('accepted__gte', 0), ('rejected__gte', 0), ('reworked__gte', 0), ('scrapped__gte', 0), ('sent_back__gte', 0), ('held__gte', 0), ('held__lte', models.F('accepted')), ('to_inspect__gte', 0), ('to_inspect__lte', models.F('held')), ('disposed__gte', 0), ('disposed__lte', models.F('rejected'))), name='receipt_line_not_negative'), models.CheckConstraint(condition=models.Q(('fault__in', ['open', 'ours', 'vendor'])), name='receipt_line_fault')],
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('accepted', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('rejected', models.DecimalField(decimal_places=5, default=0, max_digits=18)),
                ('disposition', models.CharField(blank=True, choices=[('rework', 'Back to the vendor, to be mended'), ('return', 'Back to the vendor'), ('scrap', 'Scrapped'), ('use_as_is', 'Used as they are')], max_length=10)),
                ('fault', models.CharField(choices=[('open', 'Open'), ('ours', 'Ours'), ('vendor', "The vendor's")], default='open', max_length=6)),
                ('waived', models.JSONField(default=list)),
                ('certificates', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='receipts.receiptline')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('accepted__gte', 0), ('rejected__gte', 0)), name='finding_not_negative'), models.CheckConstraint(condition=models.Q(('disposition__in', ['', 'rework', 'return', 'scrap', 'use_as_is'])), name='finding_disposition'), models.CheckConstraint(condition=models.Q(('fault__in', ['open', 'ours', 'vendor'])), name='finding_fault')],
            },
        ),
        migrations.CreateModel(
            name='Consumption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('value', models.DecimalField(decimal_places=5, max_digits=18)),
                ('is_adjustment', models.BooleanField(default=False)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.ordercomponent')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consumptions', to='receipts.receiptline')),
            ],
            options={
                'indexes': [models.Index(fields=['component'], name='consumption_of_component')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='consumption_uses_something')],
            },
        ),
        migrations.CreateModel(
            name='ByProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('value', models.DecimalField(decimal_places=5, max_digits=18)),
                ('is_adjustment', models.BooleanField(default=False)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.ordercomponent')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='by_products', to='receipts.receiptline')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='by_product_comes')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptLot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lots', to='receipts.receiptline')),
                ('lot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('line', 'lot'), name='receipt_lot_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='receipt_lot_above_zero')],
            },
        ),
        migrations.CreateModel(
            name='Return',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('kind', models.CharField(choices=[('material', 'Material'), ('product', 'Product')], max_length=10)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('dispatched', 'On its way'), ('posted', 'Posted'), ('reversed', 'Reversed'), ('cancelled', 'Cancelled')], default='draft', max_length=10)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('dispatched_at', models.DateTimeField(editable=False, null=True)),
                ('arrives_on', models.DateField(editable=False, null=True)),
                ('posted_at', models.DateTimeField(editable=False, null=True)),
                ('reversed_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'permissions': [('count_vendorstock', "Can enter a vendor's count of our material"), ('write_off_material', 'Can write off material at a vendor')],
                'indexes': [models.Index(fields=['vendor', 'id'], name='return_of_vendor'), models.Index(condition=models.Q(('status', 'dispatched')), fields=['arrives_on'], name='return_on_its_way')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['material', 'product'])), name='return_kind'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'dispatched', 'posted', 'reversed', 'cancelled'])), name='return_status'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'posted'), _negated=True), ('posted_at__isnull', False), _connector='OR'), name='return_posted_says_when'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'dispatched'), _negated=True), models.Q(('arrives_on__isnull', False), ('dispatched_at__isnull', False)), _connector='OR'), name='return_on_its_way_says_when')],
            },
        ),
        migrations.CreateModel(
            name='ReturnLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line_no', models.PositiveIntegerField()),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('lost', models.DecimalField(decimal_places=5, default=0, editable=False, max_digits=18)),
                ('component', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.ordercomponent')),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='receipts.return')),
                ('from_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('receipt_line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='receipts.receiptline')),
                ('to_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
            ],
            options={
                'indexes': [models.Index(fields=['component'], name='return_line_of_component'), models.Index(fields=['receipt_line'], name='return_line_of_receipt_line')],
                'constraints': [models.UniqueConstraint(fields=('document', 'line_no'), name='return_line_no'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='return_line_quantity_above_zero'), models.CheckConstraint(condition=models.Q(('lost__gte', 0), ('lost__lte', models.F('quantity'))), name='return_line_lost_of_it')],
            },
        ),
        migrations.CreateModel(
            name='ExpectedReceipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('expected_on', models.DateField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('order_line', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='subcontract_orders.orderline')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('quantity__gt', 0)), fields=['expected_on', 'id'], name='expected_receipt_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gte', 0)), name='expected_receipt_not_negative')],
            },
        ),
    ]
