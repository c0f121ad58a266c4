
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

REQUESTS = """
CREATE VIEW receipts_purchaserequest AS
WITH asked AS (
    SELECT min(c.id) AS id, l.id AS order_line_id, l.line_no, l.order_id, o.number, c.item_id, o.vendor_id, o.site_id,
        l.ship_to_id, o.sent_at, p.id AS purchase_id,
        coalesce(l.sent_dispatch_by, l.dispatch_by) + (l.at_vendor_date - l.dispatch_by) AS needed_on,
        p.expected_on, p.asked,
        l.status = 'open' AND o.status NOT IN ('closed', 'cancelled') AS is_open,
        sum(coalesce(c.sent_required, c.required)) AS required,
        sum(c.direct) AS arrived,
        greatest(coalesce(p.quantity, 0) - sum(c.direct), 0) AS on_order,
        CASE WHEN l.status = 'open' AND o.status NOT IN ('closed', 'cancelled') THEN greatest(
            sum(coalesce(c.sent_required, c.required) - c.sent - c.direct + c.returned + c.written_off + c.lost - c.found
                - c.carried_in + c.carried_out), 0)
        ELSE 0 END AS lacking
    FROM subcontract_orders_ordercomponent c
    JOIN subcontract_orders_orderline l ON l.id = c.line_id
    JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
    LEFT JOIN receipts_directpurchase p ON p.order_line_id = l.id AND p.item_id = c.item_id
    WHERE c.supply = 'direct'
    GROUP BY l.id, o.id, p.id, c.item_id
    HAVING (l.status = 'open' AND o.status NOT IN ('closed', 'cancelled')) OR p.id IS NOT NULL OR sum(c.direct) > 0
), places AS (
    SELECT DISTINCT ship_to_id, item_id FROM asked WHERE lacking > 0
), free AS (
    SELECT x.ship_to_id, x.item_id, greatest(b.quantity - coalesce(h.held, 0), 0) AS quantity
    FROM places x
    CROSS JOIN LATERAL (
        SELECT sum(b.quantity) AS quantity FROM inventory_balance b
        WHERE b.location_id = x.ship_to_id AND b.item_id = x.item_id AND b.stage = ''
    ) b
    CROSS JOIN LATERAL (
        SELECT sum(
            greatest(c.sent + c.direct + c.carried_in + c.found - c.consumed - c.returned - c.written_off - c.lost
                - c.carried_out - coalesce(m.quantity, 0), 0)
            + CASE WHEN c.supply = 'consigned' AND l.status = 'open' AND o.status NOT IN ('closed', 'cancelled')
                THEN greatest(coalesce(c.sent_required, c.required) - c.consumed, 0) ELSE 0 END) AS held
        FROM subcontract_orders_ordercomponent c
        JOIN subcontract_orders_orderline l ON l.id = c.line_id
        JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
        LEFT JOIN LATERAL (
            SELECT sum(sl.quantity) AS quantity FROM shipments_shipmentline sl
            JOIN shipments_shipment s ON s.id = sl.shipment_id
            WHERE sl.component_id = c.id AND s.status = 'dispatched'
        ) m ON true
        WHERE l.ship_to_id = x.ship_to_id AND c.item_id = x.item_id AND c.stage = ''
    ) h
    WHERE b.quantity > 0
), given AS (
    SELECT a.*, least(a.lacking, greatest(coalesce(f.quantity, 0) - (sum(a.lacking) OVER (
            PARTITION BY a.ship_to_id, a.item_id ORDER BY a.needed_on, a.id ROWS UNBOUNDED PRECEDING
        ) - a.lacking), 0)) AS there
    FROM asked a LEFT JOIN free f ON f.ship_to_id = a.ship_to_id AND f.item_id = a.item_id
)
SELECT g.id, g.number || '/' || g.line_no || '/' || i.code AS reference, g.order_line_id, g.order_id, g.item_id, g.vendor_id,
    g.site_id, g.ship_to_id, g.purchase_id,
    CASE
        WHEN g.on_order > 0 AND g.asked - g.arrived > g.lacking - g.there THEN 'surplus'
        WHEN NOT g.is_open THEN 'closed'
        WHEN g.lacking = g.there THEN 'arrived'
        WHEN g.on_order >= g.lacking - g.there THEN 'ordered'
        WHEN g.sent_at IS NOT NULL THEN 'to_order'
        ELSE 'planned'
    END AS state,
    g.required, g.arrived, g.there, g.lacking - g.there AS wanted, g.on_order,
    greatest(g.lacking - g.there - g.on_order, 0) AS to_order,
    g.needed_on, CASE WHEN g.on_order > 0 THEN g.expected_on ELSE g.needed_on END AS expected_on
FROM given g JOIN masterdata_item i ON i.id = g.item_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0001_first_release'),
        ('shipments', '0001_first_release'),
        ('masterdata', '0002_keys_of_other_systems'),
        ('receipts', '0003_places_of_lines'),
        ('subcontract_orders', '0007_direct_components'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PurchaseRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(help_text='<order>/<line>/<item>', max_length=120)),
                ('state', models.CharField(choices=[('planned', 'Planned'), ('to_order', 'To order'), ('ordered', 'Ordered'), ('surplus', 'Too much ordered'), ('arrived', 'Arrived'), ('closed', 'Closed')], max_length=10)),
                ('required', models.DecimalField(decimal_places=5, max_digits=18)),
                ('arrived', models.DecimalField(decimal_places=5, max_digits=18)),
                ('there', models.DecimalField(decimal_places=5, max_digits=18)),
                ('wanted', models.DecimalField(decimal_places=5, max_digits=18)),
                ('on_order', models.DecimalField(decimal_places=5, max_digits=18)),
                ('to_order', models.DecimalField(decimal_places=5, max_digits=18)),
                ('needed_on', models.DateField()),
                ('expected_on', models.DateField()),
            ],
            options={
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='DirectDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('status', models.CharField(choices=[('posted', 'Posted'), ('reversed', 'Reversed')], default='posted', max_length=12)),
                ('note', models.CharField(max_length=60)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('value', models.DecimalField(decimal_places=5, max_digits=18)),
                ('content', models.JSONField(default=dict)),
                ('arrived_at', models.DateTimeField()),
                ('posted_at', models.DateTimeField()),
                ('reversed_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('posted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reversed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'verbose_name_plural': 'direct deliveries',
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['posted', 'reversed'])), name='direct_delivery_status'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0), ('value__gte', 0)), name='direct_delivery_above_zero'), models.UniqueConstraint(django.db.models.functions.text.Upper('note'), models.F('order_line'), models.F('item'), condition=models.Q(('status', 'posted')), name='direct_delivery_note_once')],
            },
        ),
        migrations.CreateModel(
            name='DirectPurchase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('asked', models.DecimalField(decimal_places=5, max_digits=18)),
                ('reference', models.CharField(max_length=60)),
                ('supplier', models.CharField(blank=True, max_length=120)),
                ('expected_on', models.DateField()),
                ('ordered_at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('ordered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('order_line', 'item'), name='direct_purchase_once'), models.CheckConstraint(condition=models.Q(('asked__gte', 0), ('quantity__gt', 0)), name='direct_purchase_above_zero')],
            },
        ),
        migrations.RunSQL(REQUESTS, "DROP VIEW receipts_purchaserequest"),
    ]
