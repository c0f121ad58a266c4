"""Value that comes later than the goods: to the pieces still here, else a difference of price. Quantity 0, in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from accounts.models import User
from inventory.models import Balance, CostPool
from inventory.services.ledger import Move, post_movements
from masterdata import services as masterdata
from masterdata.models import Location, LocationKind

FIVE = Decimal("0.00001")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LateValue:
    """So much more (less, below zero) that `pieces` of an item cost than they came in with, in company currency.

    `location_id` is where they came in; the pieces of a site share one cost, so they may lie anywhere in it.
    """

    item_id: int
    location_id: int
    pieces: Decimal
    value: Decimal
    lot_id: int | None = None
    stage: str = ""
    line: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where late value went: to stock, or to price variance because the pieces have gone."""

    to_stock: Decimal
    to_variance: Decimal


@transaction.atomic
def post_late_value(
    values: Sequence[LateValue],
    *,
    kind: str,
    number: str,
    occurred_at: datetime,
    recorded_at: datetime,
    by: User | None,
) -> list[Placed]:
    """Give each value to its pieces that are still here, one share each; what pieces that have gone should bear, and what a pool
    cannot give back without being worth less than nothing, is a difference of price.
    """
    supplier = masterdata.virtual_location(kind=LocationKind.SUPPLIER).pk
    difference = masterdata.virtual_location(kind=LocationKind.DIFFERENCE).pk
    placed = []
    for late in values:
        place, here, worth = _still_here(late)
        share = late.value if here == late.pieces and here else ZERO
        if here and here != late.pieces:
            share = (late.value * here / late.pieces).quantize(FIVE, ROUND_HALF_UP)
        share = max(share, -worth)
        rest = late.value - share
        moves = [
            Move(
                late.item_id,
                supplier if value > 0 else target,
                target if value > 0 else supplier,
                ZERO,
                late.lot_id,
                late.stage,
                value=abs(value),
                line=late.line,
                reason=late.reason,
            )
            for target, value in ((place, share), (difference, rest))
            if value
        ]
        post_movements(moves, kind=kind, number=number, occurred_at=occurred_at, recorded_at=recorded_at, by=by)
        placed.append(Placed(share, rest))
    return placed


def _still_here(late: LateValue) -> tuple[int, Decimal, Decimal]:
    """A place where such pieces lie, how many of them can still be here, and what all of the pool is worth. Locks the pool."""
    site_id = Location.objects.values_list("site", flat=True).get(pk=late.location_id)
    pool = (
        CostPool.objects.select_for_update()
        .filter(item=late.item_id, site=site_id, lot=late.lot_id, stage=late.stage)
        .first()
    )
    if pool is None or not pool.quantity:
        return late.location_id, ZERO, ZERO
    lying = Balance.objects.filter(
        item=late.item_id, lot=late.lot_id, stage=late.stage, quantity__gt=0, location__site=site_id
    )
    places = list(lying.order_by("pk").values_list("location", flat=True))
    place = late.location_id if late.location_id in places else places[0]
    return place, min(pool.quantity, late.pieces), pool.value
