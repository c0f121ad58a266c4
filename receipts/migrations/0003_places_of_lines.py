from django.db import migrations


class Migration(migrations.Migration):
    """What is expected of a line says where its pieces come back to, where that is not what its order said."""

    dependencies = [
        ('receipts', '0002_a_note_however_typed'),
        ('subcontract_orders', '0006_places_of_lines_kept'),
    ]

    operations = [
        migrations.RunSQL(
            """
            UPDATE subcontract_orders_orderline l SET receive_at_id = e.location_id
            FROM receipts_expectedreceipt e WHERE e.order_line_id = l.id AND l.receive_at_id <> e.location_id
            """,
            migrations.RunSQL.noop,
        ),
    ]
