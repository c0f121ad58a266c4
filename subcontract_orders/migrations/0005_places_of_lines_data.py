from django.db import migrations


class Migration(migrations.Migration):
    """Where lines' pieces come back to was said by their orders so far; what is expected elsewhere, receipts 0003 says."""

    dependencies = [
        ('subcontract_orders', '0004_places_of_lines'),
    ]

    operations = [
        migrations.RunSQL(
            """
            UPDATE subcontract_orders_orderline l SET receive_at_id = o.receive_at_id
            FROM subcontract_orders_subcontractorder o WHERE o.id = l.order_id
            """,
            migrations.RunSQL.noop,
        ),
    ]
