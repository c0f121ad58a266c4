"""A vendor's count of our material against the book, and material there that is lost for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal
from core.retries import retried
from inventory import services as ledger
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.rules import FIVE, REWORK
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from production.models import NOT_THERE
from receipts.services.lying import NotFree, lock_orders_at, still_needed
from receipts.services.notes import LotRequired, NotTracked, check_count
from receipts.services.returning import cancel_covered, vendor_places
from receipts.services.watching import watch_material_left
from shipments import services as shipments
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent
from subcontract_orders.services import flows

COUNT, WRITE_OFF = "vendor_count", "vendor_write_off"
ZERO = Decimal(0)


class NothingThere(Refusal):
    """Nothing of it lies there."""

    code = "not_enough_stock"


@dataclass(frozen=True, slots=True)
class Counted:
    """What the book said as of the count's time, and the difference that was posted (counted − book)."""

    number: str
    location: Location
    book: Decimal
    counted: Decimal

    @property
    def variance(self) -> Decimal:
        return self.counted - self.book


@dataclass(frozen=True, slots=True)
class _Place:
    """What is counted or written off, and where; `stage` as on the movement, blank for material."""

    location: Location
    item: Item
    lot: Lot | None
    stage: str


@retried
@transaction.atomic
def count_vendor_stock(
    *,
    vendor_id: int,
    item_id: int,
    counted: Decimal,
    reason: str,
    lot: str = "",
    stage: str | None = None,
    location_id: int | None = None,
    as_of: datetime | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Counted:
    """Set a vendor's count of our material against the book as it was at `as_of` (else now); the variance is posted.

    What is missing is lost on the lines whose material lies there, the earliest first, then on free stock, and leaves at cost.
    What is more is found for a line that lacks it, else it is free stock, at the item's cost. Pieces between two operations are
    counted by their `stage`; None: what of the item lies there. Raises NotFound, LotRequired, NotTracked, InvalidInput,
    InvalidQuantity, TooPrecise; NothingThere where more was used or left since than the count would leave.
    """
    when = as_of or at
    if when > at:
        raise InvalidInput("A count cannot lie in the future.", field="as_of")
    _must_say_why(reason)
    place = _place(vendor_id, item_id, lot, stage, location_id, by)
    check_count(place.item, counted, field="counted")
    lock_orders_at([place.location.pk], item_ids=[item_id])
    there = _balance(place)
    book = there - _moved_since(place, when)
    variance = counted - book
    number = masterdata.draw_numbers(kind=COUNT)[0]
    least = book - _lowest_since(place, when, book=book)
    if counted < least:
        raise NothingThere(
            f"With {_say(counted)} then, less than nothing would have lain there since, as so much was used or left: at least "
            f"{_say(least)} were there.",
            field="counted",
        )
    difference = masterdata.virtual_location(kind=LocationKind.DIFFERENCE).pk
    lot_id = place.lot.pk if place.lot else None
    if variance < 0:
        move = Move(item_id, place.location.pk, difference, -variance, lot_id, place.stage, reason=reason)
        shares = _from_lines(place, -variance)
        kind = FlowKind.LOST
    else:
        value = _cost(place, variance)
        move = Move(item_id, difference, place.location.pk, variance, lot_id, place.stage, value=value, reason=reason)
        shares = _to_lines(place, variance)
        kind = FlowKind.FOUND
    if variance:
        ledger.post_movements([move], kind=COUNT, number=number, occurred_at=when, recorded_at=at, by=by)
        _flow(shares, kind, place, document=(COUNT, number), at=at)
    _record("vendor_stock.counted", COUNT, number, place, by=by, at=at, through=through, data={
        "item": place.item.code, "lot": lot, "stage": place.stage, "counted": _say(counted), "book": _say(book),
        "variance": _say(variance), "reason": reason, "as_of": when.isoformat(),
    })  # fmt: skip
    cancel_covered(vendor_id)
    watch_material_left(at=at)
    return Counted(number, place.location, book, counted)


@retried
@transaction.atomic
def write_off_material(
    *,
    vendor_id: int,
    item_id: int,
    quantity: Decimal,
    reason: str,
    lot: str = "",
    stage: str | None = None,
    location_id: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> str:
    """Write material at a vendor off at its value: what lines have there and need least first, then free stock.

    `stage` as for a count. Returns the number it was posted under. Raises NotFound, LotRequired, NotTracked, InvalidInput,
    InvalidQuantity, TooPrecise, NotFree.
    """
    _must_say_why(reason)
    place = _place(vendor_id, item_id, lot, stage, location_id, by)
    check_count(place.item, quantity, field="quantity")
    if quantity == 0:
        raise InvalidQuantity("A write-off needs a quantity above zero.", field="quantity")
    lock_orders_at([place.location.pk], item_ids=[item_id])
    there = _balance(place)
    if quantity > there:
        raise NotFree(f"{_say(there)} of {place.item} lie at {place.location}; {_say(quantity)} are to be written off.",
                      field="quantity")  # fmt: skip
    number = masterdata.draw_numbers(kind=WRITE_OFF)[0]
    scrap = masterdata.virtual_location(kind=LocationKind.SCRAP).pk
    shares = _from_lines(place, quantity, spare_first=True)
    lot_id = place.lot.pk if place.lot else None
    move = Move(item_id, place.location.pk, scrap, quantity, lot_id, place.stage, reason=reason)
    ledger.post_movements([move], kind=WRITE_OFF, number=number, occurred_at=at, recorded_at=at, by=by)
    _flow(shares, FlowKind.WRITTEN_OFF, place, document=(WRITE_OFF, number), at=at)
    _record("vendor_stock.written_off", WRITE_OFF, number, place, by=by, at=at, through=through, data={
        "item": place.item.code, "lot": lot, "stage": place.stage, "quantity": _say(quantity), "reason": reason,
    })  # fmt: skip
    cancel_covered(vendor_id)
    watch_material_left(at=at)
    return number


def _place(
    vendor_id: int, item_id: int, lot: str, stage: str | None, location_id: int | None, by: User | None
) -> _Place:
    places = vendor_places(vendor_id, by)
    item = Item.objects.select_related("unit").get(pk=item_id)
    if location_id is None and len(places) > 1:
        with_it = set(Balance.objects.filter(location__in=places, item=item_id).values_list("location", flat=True))
        if len(with_it) > 1:
            raise InvalidInput("It lies at several of his places: name the one that was counted.", field="location")
        location_id = next(iter(with_it), places[0])
    if location_id is not None and location_id not in places:
        raise NotFound("This vendor has no such place.", field="location")
    location = Location.objects.get(pk=location_id or places[0])
    stage = _stage(location, item, stage)
    found = Lot.objects.filter(item=item_id, code=lot).first() if lot else None
    if lot and found is None:
        raise NotFound(f"There is no lot {lot} of {item}.", field="lot")
    if lot and stage:
        raise NotTracked(f"Leave lot {lot} out: pieces between two operations have none.", field="lot")
    if not lot and not stage and (item.lot_tracked or item.serial_tracked):
        raise LotRequired(f"{item} is tracked: name the lot that was counted.", field="lot")
    return _Place(location, item, found, stage)


def _stage(location: Location, item: Item, named: str | None) -> str:
    """The stage that is meant: the one named, else material, unless only pieces of one stage lie there.

    Raises NotFound, InvalidInput where pieces of several stages do.
    """
    known = dict(
        Balance.objects.filter(location=location, item=item)
        .exclude(stage__startswith=REWORK)
        .values_list("stage")
        .annotate(total=Sum("quantity"))
    )
    if named:
        if named not in known:
            raise NotFound(f"No pieces of {item} after {named} ever lay at {location}.", field="stage")
        return named
    lying: list[str] = sorted(stage for stage, quantity in known.items() if quantity)
    if named == "" or "" in lying or not lying:
        return ""
    if len(lying) > 1:
        raise InvalidInput(
            f"Pieces of {item} after {', '.join(lying)} lie at {location}: name the stage that is meant.", field="stage"
        )
    return lying[0]


def _must_say_why(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput("Say why.", field="reason")


def _balance(place: _Place) -> Decimal:
    rows = Balance.objects.filter(location=place.location, item=place.item, lot=place.lot, stage=place.stage)
    return rows.values_list("quantity", flat=True).first() or ZERO


def _moved_since(place: _Place, moment: datetime) -> Decimal:
    return sum((quantity for _, quantity in _movements_since(place, moment)), ZERO)


def _lowest_since(place: _Place, moment: datetime, *, book: Decimal) -> Decimal:
    """The least that lay there at `moment` or later, by the book; where late entries take it below zero, nothing."""
    there = lowest = book
    for _, moved in groupby(_movements_since(place, moment), key=itemgetter(0)):  # of one moment: all of it or nothing
        there += sum((quantity for _, quantity in moved), ZERO)
        lowest = min(lowest, max(there, ZERO))
    return max(lowest, ZERO)


def _movements_since(place: _Place, moment: datetime) -> list[tuple[datetime, Decimal]]:
    """What came after `moment` and (below zero) went, in the order it happened."""
    rows = Movement.objects.filter(
        Q(to_location=place.location) | Q(from_location=place.location),
        item=place.item, lot=place.lot, stage=place.stage, occurred_at__gt=moment,
    )  # fmt: skip
    return [
        (at, quantity if came_to == place.location.pk else -quantity)
        for at, quantity, came_to in rows.order_by("occurred_at", "pk").values_list(
            "occurred_at", "quantity", "to_location"
        )
    ]


def _lines_there(place: _Place) -> list[tuple[OrderComponent, Decimal]]:
    """Components with material of this lot there, and how much; the earliest first."""
    rows = list(
        OrderComponent.objects.lying_at_vendor()
        .filter(line__ship_to=place.location, item=place.item, stage=place.stage, line__order__sent_at__isnull=False)
        .select_related("line__order")
        .order_by("line__dispatch_by", "pk")
    )
    own = flows.own_lots([row.pk for row in rows])
    lot_id = place.lot.pk if place.lot else 0
    return [(row, lots) for row in rows if (lots := own.get(row.pk, {}).get(lot_id, ZERO)) > 0]


def _from_lines(place: _Place, quantity: Decimal, *, spare_first: bool = False) -> list[tuple[OrderComponent, Decimal]]:
    """Whose material it was; the rest was free. Written off is what a line does not need, before what it needs."""
    there = _lines_there(place)
    limits = [there]
    if spare_first:
        spare = [(row, min(held, max(row.at_vendor - still_needed(row), ZERO))) for row, held in there]
        limits = [spare, [(row, held - own) for (row, held), (_, own) in zip(there, spare, strict=True)]]
        free = _balance(place) - sum((held for _, held in there), ZERO)
        needed = max(quantity - sum((own for _, own in spare), ZERO) - free, ZERO)
        return _spread(limits[0], quantity) + _spread(limits[1], needed)
    return _spread(there, quantity)


def _to_lines(place: _Place, quantity: Decimal) -> list[tuple[OrderComponent, Decimal]]:
    """Lines that lack what was found: they lost it, or were sent too little; the rest is free."""
    rows = OrderComponent.objects.filter(
        line__ship_to=place.location, item=place.item, stage=place.stage, line__order__sent_at__isnull=False
    ).exclude(supply__in=NOT_THERE)
    wanting = []
    for row in rows.filter(lost__gt=0).select_related("line__order").order_by("line__dispatch_by", "pk"):
        lacking = min(row.lost, still_needed(row) - row.at_vendor)
        if lacking > 0:
            wanting.append((row, lacking))
    return _spread(wanting, quantity)


def _spread(
    limits: Sequence[tuple[OrderComponent, Decimal]], quantity: Decimal
) -> list[tuple[OrderComponent, Decimal]]:
    shares = []
    for row, limit in limits:
        taken = min(limit, quantity)
        if taken > 0:
            shares.append((row, taken))
            quantity -= taken
    return shares


def _flow(
    shares: Sequence[tuple[OrderComponent, Decimal]],
    kind: FlowKind,
    place: _Place,
    *,
    document: tuple[str, str],
    at: datetime,
) -> None:
    if not shares:
        return
    flows.record_flows(
        [
            ComponentFlow(component=row, lot=place.lot, kind=kind, quantity=quantity, document_kind=document[0],
                          document_number=document[1], document_line=row.line.line_no)
            for row, quantity in shares
        ],
        at=at,
    )  # fmt: skip
    flows.recount_material({row.line.order_id for row, _ in shares})
    shipments.plan_open({row.pk for row, _ in shares}, at=at)


def _cost(place: _Place, quantity: Decimal) -> Decimal:
    """What found material is worth: at the cost of what lies there, else of the item elsewhere, else its standard cost."""
    pools = CostPool.objects.filter(item=place.item, lot=place.lot, stage=place.stage, quantity__gt=0)
    pool = pools.filter(site=place.location.site_id).first() or pools.order_by("pk").first()
    if pool:
        return (pool.value * quantity / pool.quantity).quantize(FIVE, ROUND_HALF_UP)
    # A standard cost is that of the whole part: pieces on their way through its operations are not worth it yet.
    return ((ZERO if place.stage else place.item.standard_cost or ZERO) * quantity).quantize(FIVE, ROUND_HALF_UP)


def _record(
    event: str,
    kind: str,
    number: str,
    place: _Place,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: dict[str, str],
) -> None:
    activity.record(
        event, kind=kind, number=number, at=at, by=by, through=through, site_id=place.location.site_id,
        vendor_id=place.location.vendor_id, data=data,
    )  # fmt: skip


def _say(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
