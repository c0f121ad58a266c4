"""What lay at vendors when each month had ended, kept so that no report adds up all movements there ever were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from inventory.services.checking import Difference
from reports.models import Feed
from reports.rules.periods import last_month_end, month_ends
from reports.services.sources import LOCAL

FEED = "month_end"
KEYS = "location_id, item_id, lot_id, stage"
DAY = timedelta(days=1)
"""Sites live by their own clocks: a day that is over here may go on elsewhere."""

# One month's movements in and out of vendors' places, and what lay there before.
LAY = f"""
    SELECT {KEYS}, sum(quantity) AS quantity, sum(value) AS value FROM (
        SELECT {KEYS}, quantity, value FROM reports_monthend WHERE day = %(before)s
        UNION ALL
        SELECT place.id, m.item_id, m.lot_id, m.stage, side.sign * m.quantity, side.sign * m.value
        FROM inventory_movement m CROSS JOIN (VALUES (1), (-1)) side(sign)
        JOIN masterdata_location place ON place.kind = 'vendor'
            AND place.id = CASE side.sign WHEN 1 THEN m.to_location_id ELSE m.from_location_id END
        LEFT JOIN masterdata_site site ON site.id = place.site_id
        WHERE m.occurred_at >= %(from)s AND m.occurred_at < %(until)s
            AND (m.occurred_at {LOCAL})::date > %(before)s AND (m.occurred_at {LOCAL})::date <= %(day)s
    ) x GROUP BY {KEYS} HAVING sum(quantity) <> 0 OR sum(value) <> 0
"""


def kept_until() -> date | None:
    """The last month end that is kept."""
    return Feed.objects.filter(name=FEED).values_list("kept_until", flat=True).first()


def forget_since(cursor: Any, movement_ids: Collection[int]) -> None:
    """Month ends before which one of these movements happened are no longer true."""
    cursor.execute("SELECT min(occurred_at) FROM inventory_movement WHERE id = ANY(%s)", [list(movement_ids)])
    (first,) = cursor.fetchone()
    kept = kept_until()
    if first is None or kept is None or (day := first.date() - DAY) > kept:
        return
    cursor.execute("DELETE FROM reports_monthend WHERE day >= %s", [day])
    _keep(last_month_end(day - DAY))


def forget_all(cursor: Any) -> None:
    cursor.execute("TRUNCATE reports_monthend")
    Feed.objects.filter(name=FEED).delete()


def keep_month_ends(cursor: Any, *, zone: str, today: date) -> None:
    """Write what lay at vendors at the end of every month that is over everywhere and not kept yet."""
    ends = month_ends(kept_until() or _before_all(cursor, today), today - DAY)
    for before, day in ends:
        cursor.execute(
            f"INSERT INTO reports_monthend (day, {KEYS}, quantity, value) SELECT %(day)s, x.* FROM ({LAY}) x",
            _given(before, day, zone),
        )
    if ends:
        _keep(ends[-1][1])


def check_month_ends(cursor: Any, *, zone: str) -> tuple[int, list[Difference]]:
    """Every month end is the one before and its month's movements. How many rows were compared, and every difference."""
    kept = kept_until()
    found: list[Difference] = []
    for before, day in month_ends(_before_all(cursor, kept), kept + DAY) if kept else ():
        cursor.execute(
            f"""
            WITH should AS ({LAY}),
            stored AS (SELECT {KEYS}, quantity, value FROM reports_monthend WHERE day = %(day)s)
            SELECT 'missing', x.* FROM (SELECT * FROM should EXCEPT ALL SELECT * FROM stored) x
            UNION ALL SELECT 'too much', x.* FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM should) x LIMIT 1000
            """,
            _given(before, day, zone),
        )
        for what, location, item, _lot, _stage, quantity, value in cursor.fetchall():
            about = f"{day} location {location} item {item}"
            found.append(Difference("month end equals its movements", about, what, f"{quantity} worth {value}"))
    cursor.execute("SELECT count(*) FROM reports_monthend")
    return cursor.fetchone()[0], found


def _before_all(cursor: Any, otherwise: date) -> date:
    """A month end before anything moved."""
    cursor.execute("SELECT min(occurred_at) FROM inventory_movement")
    (first,) = cursor.fetchone()
    return (first.date() - DAY if first else otherwise).replace(day=1) - DAY


def _keep(day: date) -> None:
    Feed.objects.update_or_create(name=FEED, defaults={"kept_until": day})


def _given(before: date, day: date, zone: str) -> dict[str, Any]:
    # Wide enough for every clock; which day it was where it happened is looked at besides.
    return {"before": before, "day": day, "from": before - DAY, "until": day + 3 * DAY, "zone": zone}
