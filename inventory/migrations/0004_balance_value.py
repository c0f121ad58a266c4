from django.db import migrations, models

# What each place is worth by the movements that are there already.
FILL = """
    UPDATE inventory_balance b SET value = m.value FROM (
        SELECT item_id, place, lot_id, stage, sum(value) AS value FROM (
            SELECT item_id, to_location_id AS place, lot_id, stage, value FROM inventory_movement
            UNION ALL
            SELECT item_id, from_location_id, lot_id, stage, -value FROM inventory_movement
        ) x GROUP BY item_id, place, lot_id, stage
    ) m WHERE m.item_id = b.item_id AND m.place = b.location_id AND m.lot_id IS NOT DISTINCT FROM b.lot_id AND m.stage = b.stage
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0003_movement_by_time'),
    ]

    operations = [
        migrations.AddField(
            model_name='balance',
            name='value',
            field=models.DecimalField(decimal_places=5, default=0, max_digits=18),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
