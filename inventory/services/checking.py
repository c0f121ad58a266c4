"""Balances and cost pools against the movements they are the sums of: found out, and put right."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from masterdata.models import VIRTUAL_KINDS

ZERO = Decimal(0)

BY_BALANCE = """
    SELECT item_id, place AS location_id, lot_id, stage, sum(quantity) AS quantity, sum(value) AS value, min(arrived) AS since
    FROM (
        SELECT m.item_id, m.to_location_id AS place, m.lot_id, m.stage, m.quantity, m.value, m.occurred_at AS arrived
        FROM inventory_movement m
        UNION ALL
        SELECT m.item_id, m.from_location_id, m.lot_id, m.stage, -m.quantity, -m.value, NULL FROM inventory_movement m
    ) x JOIN masterdata_location p ON p.id = x.place
    WHERE NOT p.kind = ANY(%(virtual)s)
    GROUP BY item_id, place, lot_id, stage
"""
BY_POOL = """
    SELECT item_id, p.site_id, lot_id, stage, sum(quantity) AS quantity, sum(value) AS value FROM (
        SELECT m.item_id, m.to_location_id AS place, m.lot_id, m.stage, m.quantity, m.value FROM inventory_movement m
        UNION ALL
        SELECT m.item_id, m.from_location_id, m.lot_id, m.stage, -m.quantity, -m.value FROM inventory_movement m
    ) x JOIN masterdata_location p ON p.id = x.place
    WHERE NOT p.kind = ANY(%(virtual)s)
    GROUP BY item_id, p.site_id, lot_id, stage
"""
VIRTUAL = {"virtual": [kind.value for kind in VIRTUAL_KINDS]}


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored, and what it should be by the rows it is the sum of. `check` names the rule, `about` the row."""

    check: str
    about: str
    stored: str
    should_be: str

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def check_stock() -> tuple[int, list[Difference]]:
    """Compare every balance and pool with its movements. Returns how many rows were compared, and every difference."""
    checked, found = 0, []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT i.code, p.code, coalesce(l.code, ''), x.stage, x.stored, x.counted, x.worth, x.value FROM (
                SELECT coalesce(b.item_id, m.item_id) AS item_id, coalesce(b.location_id, m.location_id) AS location_id,
                    coalesce(b.lot_id, m.lot_id) AS lot_id, coalesce(b.stage, m.stage) AS stage,
                    coalesce(b.quantity, 0) AS stored, coalesce(m.quantity, 0) AS counted,
                    coalesce(b.value, 0) AS worth, coalesce(m.value, 0) AS value
                FROM inventory_balance b FULL JOIN ({BY_BALANCE}) m ON b.item_id = m.item_id
                    AND b.location_id = m.location_id AND coalesce(b.lot_id, 0) = coalesce(m.lot_id, 0) AND b.stage = m.stage
            ) x JOIN masterdata_item i ON i.id = x.item_id JOIN masterdata_location p ON p.id = x.location_id
            LEFT JOIN inventory_lot l ON l.id = x.lot_id
            WHERE x.stored <> x.counted OR x.counted < 0 OR x.worth <> x.value ORDER BY 1, 2, 3, 4
            """,
            VIRTUAL,
        )
        for item, place, lot, stage, stored, counted, worth, value in cursor.fetchall():
            about = _about(item, place, lot, stage)
            if stored != counted or counted < 0:
                found.append(Difference("balance equals its movements", about, text(stored), text(counted)))
            if worth != value:
                found.append(Difference("balance is worth its movements", about, text(worth), text(value)))
        cursor.execute(
            f"""
            SELECT i.code, coalesce(s.code, ''), coalesce(l.code, ''), x.stage, x.stored, x.counted, x.worth, x.value FROM (
                SELECT coalesce(c.item_id, m.item_id) AS item_id, coalesce(c.site_id, m.site_id) AS site_id,
                    coalesce(c.lot_id, m.lot_id) AS lot_id, coalesce(c.stage, m.stage) AS stage,
                    coalesce(c.quantity, 0) AS stored, coalesce(m.quantity, 0) AS counted,
                    coalesce(c.value, 0) AS worth, coalesce(m.value, 0) AS value
                FROM inventory_costpool c FULL JOIN ({BY_POOL}) m ON c.item_id = m.item_id
                    AND coalesce(c.site_id, 0) = coalesce(m.site_id, 0) AND coalesce(c.lot_id, 0) = coalesce(m.lot_id, 0)
                    AND c.stage = m.stage
            ) x JOIN masterdata_item i ON i.id = x.item_id LEFT JOIN masterdata_site s ON s.id = x.site_id
            LEFT JOIN inventory_lot l ON l.id = x.lot_id
            WHERE x.stored <> x.counted OR x.worth <> x.value OR x.value < 0 ORDER BY 1, 2, 3, 4
            """,
            VIRTUAL,
        )
        for item, site, lot, stage, stored, counted, worth, value in cursor.fetchall():
            about = _about(item, site, lot, stage)
            if stored != counted:
                found.append(Difference("cost pool holds its movements", about, text(stored), text(counted)))
            if worth != value or value < 0:
                found.append(Difference("cost pool is worth its movements", about, text(worth), text(value)))
        cursor.execute(
            """
            SELECT m.id, m.quantity, m.value, r.quantity, r.value FROM inventory_movement r
            JOIN inventory_movement m ON m.id = r.reverses_id
            WHERE m.quantity <> r.quantity OR m.value <> r.value OR m.from_location_id <> r.to_location_id
                OR m.to_location_id <> r.from_location_id OR m.item_id <> r.item_id
            ORDER BY m.id
            """
        )
        for pk, quantity, value, back, back_value in cursor.fetchall():
            found.append(
                Difference(
                    "a reversal undoes its movement", f"movement {pk}", f"{text(back)} worth {text(back_value)}",
                    f"{text(quantity)} worth {text(value)}",
                )
            )  # fmt: skip
        for table in ("inventory_balance", "inventory_costpool", "inventory_movement"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            checked += cursor.fetchone()[0]
    return checked, found


@transaction.atomic
def recount_stock(*, dry_run: bool = False) -> list[Difference]:
    """Set every balance and pool to the sum of its movements. Returns what differed; with `dry_run` nothing is written.

    Postings wait meanwhile.
    """
    with connection.cursor() as cursor:
        if not dry_run:
            cursor.execute("LOCK TABLE inventory_costpool, inventory_balance IN SHARE ROW EXCLUSIVE MODE")
        _, found = check_stock()
        if dry_run or not found:
            return found
        cursor.execute(
            f"""
            INSERT INTO inventory_balance (item_id, location_id, lot_id, stage, quantity, value, since, source, external_refs)
            SELECT item_id, location_id, lot_id, stage, quantity, value, since, '', '[]' FROM ({BY_BALANCE}) m
            WHERE quantity <> 0 OR value <> 0
            ON CONFLICT (item_id, location_id, lot_id, stage) DO UPDATE SET quantity = excluded.quantity, value = excluded.value
            WHERE inventory_balance.quantity <> excluded.quantity OR inventory_balance.value <> excluded.value
            """,
            VIRTUAL,
        )
        cursor.execute(
            f"""
            UPDATE inventory_balance b SET quantity = 0, value = 0 WHERE (quantity <> 0 OR value <> 0) AND NOT EXISTS (
                SELECT 1 FROM ({BY_BALANCE}) m WHERE m.item_id = b.item_id AND m.location_id = b.location_id
                    AND coalesce(m.lot_id, 0) = coalesce(b.lot_id, 0) AND m.stage = b.stage
                    AND (m.quantity <> 0 OR m.value <> 0))
            """,
            VIRTUAL,
        )
        cursor.execute(
            f"""
            INSERT INTO inventory_costpool (item_id, site_id, lot_id, stage, quantity, value)
            SELECT item_id, site_id, lot_id, stage, quantity, value FROM ({BY_POOL}) m WHERE quantity <> 0 OR value <> 0
            ON CONFLICT (item_id, site_id, lot_id, stage) DO UPDATE
            SET quantity = excluded.quantity, value = excluded.value
            """,
            VIRTUAL,
        )
        cursor.execute(
            f"""
            UPDATE inventory_costpool c SET quantity = 0, value = 0 WHERE (quantity <> 0 OR value <> 0) AND NOT EXISTS (
                SELECT 1 FROM ({BY_POOL}) m WHERE m.item_id = c.item_id AND coalesce(m.site_id, 0) = coalesce(c.site_id, 0)
                    AND coalesce(m.lot_id, 0) = coalesce(c.lot_id, 0) AND m.stage = c.stage
                    AND (m.quantity <> 0 OR m.value <> 0))
            """,
            VIRTUAL,
        )
    return found


def _about(item: str, place: str, lot: str, stage: str) -> str:
    said = f"{item} at {place or 'no site'}"
    return f"{said}{f' lot {lot}' if lot else ''}{f' finished at {stage}' if stage else ''}"


def text(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
