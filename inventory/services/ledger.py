"""Posting to the ledger: the one way stock moves. Sets of movements, one lock order, no balance below zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import InvalidQuantity, Refusal, WrongState
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.rules import Pool
from masterdata.models import VIRTUAL_KINDS, Item, Location, LocationKind
from masterdata.services import among, copy_objects, maker_of

Key = tuple[int, int, int, str]  # item, location or site (0: none), lot (0: none), stage
ZERO = Decimal(0)
MANY = 100  # rows of one posting: few are best inserted by one statement, many by COPY


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


class Posting:
    """Moves of one document on their way into the ledger: what they touch is locked, then they are valued, then all are written.

    `hold` locks what later moves will touch as well, so that all of it is locked in key order; `add` values moves one after
    the other and may be called again with what depends on those values; `save` writes all of them. Inside a transaction.
    """

    def __init__(
        self,
        *,
        kind: str,
        number: str,
        occurred_at: datetime,
        recorded_at: datetime,
        by: User | None,
        places: Iterable[Location] = (),
    ) -> None:
        """`places`: locations the caller has read already."""
        self.kind, self.number, self.by = kind, number, by
        self.occurred_at, self.recorded_at = occurred_at, recorded_at
        self.rows: list[Movement] = []
        self._places = {place.pk: place for place in places}
        self._balances: dict[Key, Balance] = {}
        self._pools: dict[Key, CostPool] = {}
        self._costs: dict[Key, Pool] = {}

    def hold(self, moves: Sequence[Move]) -> None:
        """Lock every pool, then every balance these moves touch, in key order; rows that are not there yet are made first."""
        wanted = {m.from_location_id for m in moves} | {m.to_location_id for m in moves}
        if missing := wanted - self._places.keys():
            self._places |= Location.objects.in_bulk(missing)
        keys = {
            _key(move, pk) for move in moves for pk in (move.from_location_id, move.to_location_id) if self._holds(pk)
        }
        balance_keys = keys - self._balances.keys()
        pool_keys = {(item, self._places[pk].site_id or 0, lot, stage) for item, pk, lot, stage in balance_keys}
        pools = _locked_pools(pool_keys - self._pools.keys())
        self._pools |= pools
        self._costs |= {key: Pool(row.quantity, row.value) for key, row in pools.items()}
        self._balances |= _locked_balances(balance_keys, since=self.occurred_at)

    def add(self, moves: Sequence[Move]) -> list[Movement]:
        """Take these moves in their order. Returns their movements, valued and not written yet.

        Raises NotEnoughStock with what lies there, InvalidQuantity.
        """
        self.hold(moves)
        rows: list[Movement] = []
        for move in moves:
            if move.quantity < 0 or (move.quantity == 0 and not move.value):
                raise InvalidQuantity("A movement needs a quantity above zero.", field="quantity")
            rows.extend(self._take(move))
        self.rows += rows
        return rows

    def off_average(self, move: Move) -> Decimal:
        """How much less than its share of the pool the place a held move goes to is worth by its movements; more: below zero."""
        place = self._places[move.to_location_id]
        pool, balance = self._costs[_key(move, place.site_id)], self._balances[_key(move, place.pk)]
        return pool.worth(balance.quantity) - balance.value

    def save(self) -> None:
        """Write the movements, and the balances and pools they add up to: two statements, however many rows."""
        if not self.rows:
            return
        if len(self.rows) < MANY:
            Movement.objects.bulk_create(self.rows)
        else:
            copy_objects(self.rows)
        for key, pool in self._pools.items():
            pool.quantity, pool.value = self._costs[key].quantity, self._costs[key].value
        _save(list(self._balances.values()), list(self._pools.values()))

    def _holds(self, location_id: int) -> bool:
        return self._places[location_id].kind not in VIRTUAL_KINDS

    def _take(self, move: Move) -> list[Movement]:
        source, target = self._places[move.from_location_id], self._places[move.to_location_id]
        leaves, comes = self._holds(source.pk), self._holds(target.pk)
        left_behind = ZERO
        value = move.value
        same_pool = leaves and comes and source.site_id == target.site_id
        if leaves:
            balance = self._balances[_key(move, source.pk)]
            if balance.quantity < move.quantity:
                raise NotEnoughStock(_too_little(move, source, balance.quantity), field="quantity")
            pool = self._costs[_key(move, source.site_id)]
            value = pool.worth(move.quantity) if value is None else value
            if not same_pool:
                left_behind = pool.take(move.quantity, value)
            balance.quantity -= move.quantity
            balance.value -= value + left_behind
        value = value if value is not None else ZERO
        if comes:
            balance = self._balances[_key(move, target.pk)]
            if balance.quantity == 0:
                balance.since = self.occurred_at
            balance.quantity += move.quantity
            balance.value += value
            if not same_pool:
                self._costs[_key(move, target.site_id)].put(move.quantity, value)
        rows = [self._row(move, source.pk, target.pk, move.quantity, value, move.reverses_id, move.reason)]
        if left_behind > 0:  # a pool emptied below its value: the rest is a difference of price, quantity 0
            why = "value left in an empty pool"
            rows.append(self._row(move, source.pk, _difference().pk, ZERO, left_behind, None, why))
        elif left_behind < 0:
            rows.append(
                self._row(move, _difference().pk, source.pk, ZERO, -left_behind, None, "value missing in a pool")
            )
        return rows

    def _row(
        self,
        move: Move,
        from_id: int,
        to_id: int,
        quantity: Decimal,
        worth: Decimal,
        reverses_id: int | None,
        reason: str,
    ) -> Movement:
        row = _new_movement()()
        row.item_id, row.lot_id, row.stage = move.item_id, move.lot_id, move.stage
        row.from_location_id, row.to_location_id = from_id, to_id
        row.quantity, row.value = quantity, worth
        row.document_kind, row.document_number, row.document_line = self.kind, self.number, move.line
        row.occurred_at, row.recorded_at, row.by = self.occurred_at, self.recorded_at, self.by
        row.reverses_id, row.reason = reverses_id, reason
        return row


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
    posting = Posting(kind=kind, number=number, occurred_at=occurred_at, recorded_at=recorded_at, by=by)
    rows = posting.add(moves)
    posting.save()
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


def _locked_pools(keys: set[Key]) -> dict[Key, CostPool]:
    if not keys:
        return {}

    def found() -> dict[Key, CostPool]:
        rows = CostPool.objects.filter(
            _lots(keys), item__in=_few_or_array({key[0] for key in keys}), stage__in={key[3] for key in keys}
        )
        locked = rows.select_for_update().order_by("pk")
        return {
            key: row for row in locked if (key := (row.item_id, row.site_id or 0, row.lot_id or 0, row.stage)) in keys
        }

    pools = found()
    if missing := sorted(keys - pools.keys()):
        _make_missing(
            """
            INSERT INTO inventory_costpool (item_id, site_id, lot_id, stage, quantity, value)
            SELECT x.item, nullif(x.place, 0), nullif(x.lot, 0), x.stage, 0, 0 FROM ({keys}) x ON CONFLICT DO NOTHING
            """,
            missing,
        )
        pools = found()
    return pools


def _locked_balances(keys: set[Key], *, since: datetime) -> dict[Key, Balance]:
    if not keys:
        return {}

    def found() -> dict[Key, Balance]:
        rows = Balance.objects.filter(
            _lots(keys), item__in=_few_or_array({key[0] for key in keys}), stage__in={key[3] for key in keys},
            location__in={key[1] for key in keys},
        )  # fmt: skip
        locked = rows.select_for_update().order_by("pk")
        return {
            key: row for row in locked if (key := (row.item_id, row.location_id, row.lot_id or 0, row.stage)) in keys
        }

    balances = found()
    if missing := sorted(keys - balances.keys()):
        _make_missing(
            """
            INSERT INTO inventory_balance (item_id, location_id, lot_id, stage, quantity, value, since, source, external_refs)
            SELECT x.item, x.place, nullif(x.lot, 0), x.stage, 0, 0, %s, '', '[]' FROM ({keys}) x ON CONFLICT DO NOTHING
            """,
            missing,
            since,
        )
        balances = found()
    return balances


def _make_missing(statement: str, keys: Sequence[Key], *values: Any) -> None:
    """Rows for keys that have none, in the order of the keys; those somebody else makes meanwhile are left to him."""
    arrays = "SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) AS k(item, place, lot, stage)"
    with connection.cursor() as cursor:
        cursor.execute(statement.format(keys=arrays), [*values, *map(list, zip(*keys, strict=True))])


def _few_or_array(keys: set[int]) -> Any:
    """Few keys as they are, which PostgreSQL plans best; many as one array."""
    return among(keys) if len(keys) >= MANY else keys


@cache
def _new_movement() -> Callable[[], Movement]:
    return maker_of(Movement)


def _lots(keys: set[Key]) -> Q:
    named = [key[2] for key in keys if key[2]]
    return Q(lot__in=named) | Q(lot__isnull=True) if named else Q(lot__isnull=True)


def _save(balances: Sequence[Balance], pools: Sequence[CostPool]) -> None:
    """One statement, however many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH costs AS (
                UPDATE inventory_costpool c SET quantity = x.quantity, value = x.value
                FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS x(id, quantity, value) WHERE c.id = x.id
            )
            UPDATE inventory_balance b SET quantity = x.quantity, value = x.value, since = x.since
            FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::timestamptz[]) AS x(id, quantity, value, since)
            WHERE b.id = x.id
            """,
            [
                [row.pk for row in pools], [row.quantity for row in pools], [row.value for row in pools],
                [row.pk for row in balances], [row.quantity for row in balances], [row.value for row in balances],
                [row.since for row in balances],
            ],
        )  # fmt: skip


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
