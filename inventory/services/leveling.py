"""Bringing what each place holds to the moving average of its site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from inventory.services.ledger import Move, Posting
from masterdata import services as masterdata

KIND = "value_leveling"
ZERO = Decimal(0)
CHUNK = 500
"""Pools leveled in one transaction: as many are locked at once."""

# Pools of which some place is worth another amount than its share, and every place that has a balance of theirs.
APART = """
    SELECT c.id, c.item_id, c.lot_id, c.stage, b.location_id
    FROM inventory_costpool c JOIN inventory_balance b ON b.item_id = c.item_id AND b.lot_id IS NOT DISTINCT FROM c.lot_id
        AND b.stage = c.stage JOIN masterdata_location p ON p.id = b.location_id AND p.site_id IS NOT DISTINCT FROM c.site_id
    WHERE (b.quantity > 0 OR b.value <> 0) AND EXISTS (
        SELECT FROM inventory_balance x JOIN masterdata_location q ON q.id = x.location_id
        WHERE x.item_id = c.item_id AND x.lot_id IS NOT DISTINCT FROM c.lot_id AND x.stage = c.stage
            AND q.site_id IS NOT DISTINCT FROM c.site_id AND CASE WHEN x.quantity = 0 THEN x.value <> 0
                ELSE abs(x.value - c.value * x.quantity / c.quantity) >= %s END)
    ORDER BY c.id, b.quantity DESC, b.location_id
"""
Level = tuple[int, int | None, str]  # item, lot, stage


def level_values(*, at: datetime) -> int:
    """Move value, and no piece, between the places of a site until each is worth its share at the moving average.

    Stock of one cost lies in several places: what comes in dearer at one makes the pieces at the others dearer as well,
    though nothing moved there. Safe to run twice. Returns how many movements that took.
    """
    step = Decimal(1).scaleb(-masterdata.company().currency.decimals)
    with connection.cursor() as cursor:
        cursor.execute(APART, [step])
        found = cursor.fetchall()
    pools: dict[int, tuple[Level, list[int]]] = {}
    for pool_id, item_id, lot_id, stage, place in found:
        pools.setdefault(pool_id, ((item_id, lot_id, stage), []))[1].append(place)
    apart = [(level, places) for level, places in pools.values() if len(places) > 1]
    return sum(_level(apart[start : start + CHUNK], at=at) for start in range(0, len(apart), CHUNK))


@transaction.atomic
def _level(pools: Sequence[tuple[Level, Sequence[int]]], *, at: datetime) -> int:
    """The place with the most pieces gives to the others, or takes from them, and is right itself when they are."""
    number = f"{masterdata.company_date(at=at):%Y-%m-%d}"
    posting = Posting(kind=KIND, number=number, occurred_at=at, recorded_at=at, by=None)
    moves = [
        Move(item_id, giving, place, ZERO, lot_id, stage, reason="to the moving average of the site")
        for (item_id, lot_id, stage), (giving, *others) in pools
        for place in others
    ]
    posting.hold(moves)
    posting.add([_of_value(move, value) for move in moves if (value := posting.off_average(move))])
    posting.save()
    return len(posting.rows)


def _of_value(move: Move, value: Decimal) -> Move:
    source, target = move.from_location_id, move.to_location_id
    if value < 0:
        source, target = target, source
    return replace(move, from_location_id=source, to_location_id=target, value=abs(value))
