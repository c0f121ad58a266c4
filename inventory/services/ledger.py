"""Posting to the ledger: the one way stock moves. Sets of movements, one lock order, no balance below zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import InvalidQuantity, Refusal, WrongState
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.rules import Pool
from masterdata.models import VIRTUAL_KINDS, Item, Location, LocationKind

Key = tuple[int, int, int, str]  # item, location or site (0: none), lot (0: none), stage
ZERO = Decimal(0)


class NotEnoughStock(Refusal):
    """Less lies there than is to be taken."""

    code = "not_enough_stock"
    status = 409


@dataclass(frozen=True, slots=True)
class Move:
    """A quantity to take from one location to another, in the item's unit.

    `value` None: at cost (from a place of stock), or nothing (from a virtual one). Stage as on the movement.
    """

    item_id: int
    from_location_id: int
    to_location_id: int
    quantity: Decimal
    lot_id: int | None = None
    stage: str = ""
    value: Decimal | None = None
    line: int | None = None
    reason: str = ""
    reverses_id: int | None = None


@dataclass(slots=True)
class _Book:
    """The balances and pools a set of moves touches, locked."""

    balances: dict[Key, Balance] = field(default_factory=dict)
    pools: dict[Key, CostPool] = field(default_factory=dict)
    costs: dict[Key, Pool] = field(default_factory=dict)


@transaction.atomic
def post_movements(
    moves: Sequence[Move],
    *,
    kind: str,
    number: str,
    occurred_at: datetime,
    recorded_at: datetime,
    by: User | None,
) -> list[Movement]:
    """Post moves in their order, as one set: all or none.

    Stock leaves at cost: a lot's own, a stage's own, else the moving average of its item and site; the last piece takes the
    remainder. Raises NotEnoughStock with what lies there. Pools and balances are locked in key order, so that two sets
    over the same stock queue up instead of meeting.
    """
    if not moves:
        return []
    places = Location.objects.in_bulk({m.from_location_id for m in moves} | {m.to_location_id for m in moves})
    holds = {pk: place.kind not in VIRTUAL_KINDS for pk, place in places.items()}
    book = _lock(moves, places, holds, since=occurred_at)
    rows: list[Movement] = []
    for move in moves:
        if move.quantity < 0 or (move.quantity == 0 and not move.value):
            raise InvalidQuantity("A movement needs a quantity above zero.", field="quantity")
        rows.extend(_post(move, book, places, holds, kind, number, occurred_at, recorded_at, by))
    Movement.objects.bulk_create(rows, batch_size=2000)
    for key, pool in book.pools.items():
        pool.quantity, pool.value = book.costs[key].quantity, book.costs[key].value
    _save(book)
    return rows


@transaction.atomic
def reverse_movements(
    movements: Iterable[Movement],
    *,
    kind: str,
    number: str,
    occurred_at: datetime,
    recorded_at: datetime,
    by: User | None,
) -> list[Movement]:
    """Take movements back, the last first, each at its original value. Raises NotEnoughStock where the goods have moved on."""
    originals = sorted(movements, key=lambda movement: -movement.pk)
    if Movement.objects.filter(reverses__in=[movement.pk for movement in originals]).exists():
        raise WrongState("This was reversed already.")
    return post_movements(
        [
            Move(
                item_id=m.item_id, from_location_id=m.to_location_id, to_location_id=m.from_location_id, quantity=m.quantity,
                lot_id=m.lot_id, stage=m.stage, value=m.value, line=m.document_line, reverses_id=m.pk,
            )
            for m in originals
        ],
        kind=kind, number=number, occurred_at=occurred_at, recorded_at=recorded_at, by=by,
    )  # fmt: skip


def _post(
    move: Move,
    book: _Book,
    places: dict[int, Location],
    holds: dict[int, bool],
    kind: str,
    number: str,
    occurred_at: datetime,
    recorded_at: datetime,
    by: User | None,
) -> list[Movement]:
    source, target = places[move.from_location_id], places[move.to_location_id]
    left_behind = ZERO
    value = move.value
    same_pool = holds[source.pk] and holds[target.pk] and source.site_id == target.site_id
    if holds[source.pk]:
        balance = book.balances[_key(move, source.pk)]
        if balance.quantity < move.quantity:
            raise NotEnoughStock(_too_little(move, source, balance.quantity), field="quantity")
        balance.quantity -= move.quantity
        pool = book.costs[_key(move, source.site_id)]
        value = pool.worth(move.quantity) if value is None else value
        if not same_pool:
            left_behind = pool.take(move.quantity, value)
    value = value if value is not None else ZERO
    if holds[target.pk]:
        balance = book.balances[_key(move, target.pk)]
        if balance.quantity == 0:
            balance.since = occurred_at
        balance.quantity += move.quantity
        if not same_pool:
            book.costs[_key(move, target.site_id)].put(move.quantity, value)

    def row(
        from_id: int, to_id: int, quantity: Decimal, worth: Decimal, reverses_id: int | None, reason: str
    ) -> Movement:
        return Movement(
            item_id=move.item_id, lot_id=move.lot_id, stage=move.stage, from_location_id=from_id, to_location_id=to_id,
            quantity=quantity, value=worth, document_kind=kind, document_number=number, document_line=move.line,
            occurred_at=occurred_at, recorded_at=recorded_at, by=by, reverses_id=reverses_id, reason=reason,
        )  # fmt: skip

    rows = [row(source.pk, target.pk, move.quantity, value, move.reverses_id, move.reason)]
    if left_behind > 0:  # a pool emptied below its value: the rest is a difference of price, quantity 0
        rows.append(row(source.pk, _difference().pk, ZERO, left_behind, None, "value left in an empty pool"))
    elif left_behind < 0:
        rows.append(row(_difference().pk, source.pk, ZERO, -left_behind, None, "value missing in a pool"))
    return rows


def _lock(moves: Sequence[Move], places: dict[int, Location], holds: dict[int, bool], *, since: datetime) -> _Book:
    """Lock every pool, then every balance, in key order; rows that are not there yet are made first."""
    pool_keys: set[Key] = set()
    balance_keys: set[Key] = set()
    for move in moves:
        for pk in (move.from_location_id, move.to_location_id):
            if holds[pk]:
                balance_keys.add(_key(move, pk))
                pool_keys.add(_key(move, places[pk].site_id))
    book = _Book()
    items, stages = {key[0] for key in balance_keys}, {key[3] for key in balance_keys}
    lots = Q(lot__in=[key[2] for key in balance_keys if key[2]]) | Q(lot__isnull=True)

    def pools() -> dict[Key, CostPool]:
        rows = CostPool.objects.filter(lots, item__in=items, stage__in=stages).select_for_update().order_by("pk")
        found = {(row.item_id, row.site_id or 0, row.lot_id or 0, row.stage): row for row in rows}
        return {key: found[key] for key in pool_keys & found.keys()}

    def balances() -> dict[Key, Balance]:
        here = {key[1] for key in balance_keys}
        rows = Balance.objects.filter(lots, item__in=items, stage__in=stages, location__in=here)
        found = {
            (row.item_id, row.location_id, row.lot_id or 0, row.stage): row
            for row in rows.select_for_update().order_by("pk")
        }
        return {key: found[key] for key in balance_keys & found.keys()}

    book.pools = pools()
    if missing := sorted(pool_keys - book.pools.keys()):
        CostPool.objects.bulk_create(
            [
                CostPool(item_id=item, site_id=site or None, lot_id=lot or None, stage=stage, quantity=0, value=0)
                for item, site, lot, stage in missing
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
        book.pools = pools()
    book.balances = balances()
    if missing := sorted(balance_keys - book.balances.keys()):
        Balance.objects.bulk_create(
            [
                Balance(item_id=item, location_id=place, lot_id=lot or None, stage=stage, quantity=0, since=since)
                for item, place, lot, stage in missing
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
        book.balances = balances()
    book.costs = {key: Pool(row.quantity, row.value) for key, row in book.pools.items()}
    return book


def _save(book: _Book) -> None:
    """One statement a table, however many rows."""
    balances, pools = list(book.balances.values()), list(book.pools.values())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_balance b SET quantity = x.quantity, since = x.since
            FROM unnest(%s::bigint[], %s::numeric[], %s::timestamptz[]) AS x(id, quantity, since) WHERE b.id = x.id
            """,
            [[row.pk for row in balances], [row.quantity for row in balances], [row.since for row in balances]],
        )
        cursor.execute(
            """
            UPDATE inventory_costpool c SET quantity = x.quantity, value = x.value
            FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS x(id, quantity, value) WHERE c.id = x.id
            """,
            [[row.pk for row in pools], [row.quantity for row in pools], [row.value for row in pools]],
        )


def _key(move: Move, place: int | None) -> Key:
    return (move.item_id, place or 0, move.lot_id or 0, move.stage)


def _difference() -> Location:
    location, _ = Location.objects.get_or_create(
        code="DIFFERENCE", defaults={"name": "Differences", "kind": LocationKind.DIFFERENCE}
    )
    return location


def _too_little(move: Move, source: Location, there: Decimal) -> str:
    item = Item.objects.only("code").get(pk=move.item_id)
    lot = f" of lot {Lot.objects.only('code').get(pk=move.lot_id)}" if move.lot_id else ""
    made = f" finished at {move.stage}" if move.stage else ""
    return f"Only {there.normalize():f} of {item}{lot}{made} lie at {source}, {move.quantity.normalize():f} are to be taken."
