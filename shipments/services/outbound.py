"""What a person does to shipments: pick, dispatch, deliver, hold, split, cancel, take back. Stock and progress move along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import InvalidInput, NotFound, Stale, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.models import VIRTUAL_KINDS, Location, LocationKind
from shipments.models import BEFORE_DISPATCH, GONE, Shipment, ShipmentLine, ShipmentStatus
from shipments.services import arranging, loading, moving, planning
from shipments.services.loading import NothingToShip, Take, ToPick
from shipments.services.moving import KIND
from subcontract_orders.models import SubcontractOrder
from subcontract_orders.services import flows as material

ZERO = Decimal(0)
NOT_SHIPPED_FROM = (*VIRTUAL_KINDS, LocationKind.TRANSIT, LocationKind.INSPECTION, LocationKind.QUARANTINE)


class ShipmentNotOfThisState(WrongState):
    """The shipment's status does not allow this."""


@retried
@transaction.atomic
def ship(
    *,
    order_ids: Collection[int],
    lines: Sequence[ToPick] | None = None,
    from_location_id: int | None = None,
    to_location_id: int | None = None,
    hold: bool = False,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> list[Shipment]:
    """Pick and dispatch what orders of one vendor need, in one act: `lines`, or all that is open and can go.

    The planned shipment of the place it leaves is used; what is left of it is a new planned one. One shipment for each
    place something leaves. With `hold` it is only put together and held: nothing is picked.
    Raises NotFound, InvalidInput, OrderNotSent, InvalidQuantity, TooPrecise, OverSend, PreviousOperationShort,
    NotEnoughStock, NothingToShip.
    """
    orders = loading.lock_orders(order_ids, by=by)
    loading.must_be_with_vendor(orders)
    if len({(order.vendor_id, order.ship_to_id) for order in orders}) > 1:
        raise InvalidInput("Orders shipped together go to one place of one vendor.", field="orders")
    if to_location_id not in (None, orders[0].ship_to_id):
        raise InvalidInput(f"{orders[0]} is shipped to {orders[0].ship_to}.", field="to")
    rows = loading.rows_of(orders)
    place = _place(from_location_id, by=by) if from_location_id is not None else None
    if place is not None:
        planned_here = [row for row in rows if row.from_location_id == place.pk]
        if planned_here or lines is None:
            rows = planned_here
        for row in rows:
            row.from_location_id = place.pk
    where = ", ".join(order.number for order in orders)
    takes = loading.all_open(rows) if lines is None else loading.named(lines, rows, where=where)
    if not takes:
        raise loading.nothing_open(orders)
    by_place: dict[int, list[Take]] = defaultdict(list)
    for take in takes:
        by_place[take.row.from_location_id].append(take)
    made = []
    for place_id, mine in by_place.items():
        shipment = arranging.planned_or_new(orders[0], mine, from_location_id=place_id, at=at)
        if hold:
            for take in mine:
                take.picked = [(arranging.lot_of(take), take.quantity)]
        else:
            today = masterdata.site_date(site=shipment.site, at=at)
            mine = loading.pick(mine, location=shipment.from_location, apart_from=None, on=today)
        arranging.load(shipment, mine, rows, at=at)
        if hold:
            shipment.held_from = ShipmentStatus.PLANNED
            moving.moved(shipment, ShipmentStatus.HELD, "shipment.held", by=by, at=at, through=through)
        else:
            moving.leave(shipment, by=by, at=at, through=through)
        made.append(shipment)
    return made


@retried
@transaction.atomic
def pick(
    *,
    shipment_id: int,
    lines: Sequence[ToPick] | None = None,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Take what a planned shipment holds, or `lines` of it, from the shelf: lots are chosen and kept for it.

    A picked one may be picked anew. Raises as `ship`, and ShipmentNotOfThisState, Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.PLANNED, ShipmentStatus.PICKED, to="pick")
    _pick(shipment, orders, lines, at=at)
    return moving.moved(shipment, ShipmentStatus.PICKED, "shipment.picked", by=by, at=at, through=through)


@retried
@transaction.atomic
def dispatch(
    *,
    shipment_id: int,
    lines: Sequence[ToPick] | None = None,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Let a shipment leave, picked by itself where nobody did: all it holds, or `lines` of it.

    What does not go is a new planned shipment. Raises as `ship`, and ShipmentNotOfThisState, Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.PLANNED, ShipmentStatus.PICKED, to="dispatch")
    _pick(shipment, orders, lines, at=at)
    return moving.leave(shipment, by=by, at=at, through=through)


@retried
@transaction.atomic
def deliver(
    *, shipment_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Shipment:
    """Say that a dispatched shipment has arrived. Raises NotFound, ShipmentNotOfThisState, Stale."""
    shipment, _ = _lock(shipment_id, expected_version=expected_version, by=by, to_ship=False)
    _must_be(shipment, ShipmentStatus.DISPATCHED, to="deliver")
    return moving.arrive(shipment, by=by, at=at, through=through)


def deliver_due(*, at: datetime, limit: int = 500) -> int:
    """Deliver what is to have arrived by today, each in its own transaction. Safe to run twice. Returns how many."""
    delivered = 0
    for site_id, today in masterdata.site_dates(at=at).items():
        due = Shipment.objects.due(on=today).filter(site=site_id).order_by("arrives_on", "pk")
        for shipment_id in list(due.values_list("pk", flat=True)[:limit]):
            with transaction.atomic():
                shipment, _ = _lock(shipment_id, expected_version=None, by=None, to_ship=False)
                if shipment.status == ShipmentStatus.DISPATCHED:
                    moving.arrive(shipment, by=None, at=at, through="system")
                    delivered += 1
    return delivered


@retried
@transaction.atomic
def hold(
    *,
    shipment_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Keep a shipment back. Raises NotFound, OrderNotSent, ShipmentNotOfThisState, Stale."""
    shipment, _ = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.PLANNED, ShipmentStatus.PICKED, to="hold")
    shipment.held_from = shipment.status
    return moving.moved(
        shipment, ShipmentStatus.HELD, "shipment.held", by=by, at=at, through=through, data={"reason": reason}
    )


@retried
@transaction.atomic
def release(
    *, shipment_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Shipment:
    """Let a held shipment go on from where it was. Raises NotFound, OrderNotSent, ShipmentNotOfThisState, Stale."""
    shipment, _ = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.HELD, to="release")
    back, shipment.held_from = ShipmentStatus(shipment.held_from), ""
    return moving.moved(shipment, back, "shipment.released", by=by, at=at, through=through)


@retried
@transaction.atomic
def split(
    *,
    shipment_id: int,
    lines: Sequence[ToPick],
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Take quantities off a planned shipment onto a new one, which is returned.

    Lots that were chosen go along. Raises NotFound, OrderNotSent, InvalidQuantity, TooPrecise, OverSend (more than it holds),
    NothingToShip (nothing would be left), ShipmentNotOfThisState, Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.PLANNED, to="split")
    held: dict[int, list[ShipmentLine]] = defaultdict(list)
    for line in shipment.lines.select_related("lot", "item").order_by("position"):
        held[line.component_id].append(line)
    rows = [row for row in loading.rows_of(orders) if row.component.pk in held]
    for row in rows:
        row.room.open = row.room.most = sum((line.quantity for line in held[row.component.pk]), ZERO)
    takes = loading.named(lines, rows, where=shipment.number)
    if not any(row.room.most for row in rows):
        raise NothingToShip(f"Nothing would be left on {shipment}.", field="lines")
    for take in takes:
        take.picked = _taken_off(held[take.row.component.pk], take)
    apart = Shipment.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0],
        vendor=shipment.vendor,
        site=shipment.site,
        from_location=shipment.from_location,
        to_location=shipment.to_location,
        dispatch_by=shipment.dispatch_by,
        created_at=at,
    )
    for line in (line for mine in held.values() for line in mine):
        if line.quantity:
            line.save(update_fields=["quantity"])
        else:
            line.delete()
    arranging.write_lines(apart, takes)
    planning.refresh([shipment.pk, apart.pk])
    shipment.refresh_from_db()
    apart.refresh_from_db()
    moving.record(shipment, "shipment.split", by=by, at=at, through=through, data={"onto": apart.number})
    return apart


@retried
@transaction.atomic
def cancel(
    *,
    shipment_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Give up a shipment that has not left. What it held is open again, on another planned shipment where there is one, else
    with the next `plan_what_is_open`.

    Raises NotFound, OrderNotSent, ShipmentNotOfThisState (one that left is reversed), Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, *BEFORE_DISPATCH, to="cancel")
    moving.moved(
        shipment, ShipmentStatus.CANCELLED, "shipment.cancelled", by=by, at=at, through=through, data={"reason": reason}
    )
    arranging.plan_again(shipment, orders, at=at)
    return shipment


@retried
@transaction.atomic
def reverse(
    *,
    shipment_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Shipment:
    """Take back a shipment that left, at its original values, whatever has become of its orders.

    What it held is open again, on another planned shipment where there is one; a reversal makes none, `plan_what_is_open` does.
    Raises NotFound, ShipmentNotOfThisState, Stale; NotEnoughStock where the material was used, returned or moved on.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by, to_ship=False)
    _must_be(shipment, *GONE, to="reverse")
    moving.must_lie_there(shipment)
    ledger.reverse_movements(
        Movement.objects.unreversed().filter(document_kind=KIND, document_number=shipment.number),
        kind=KIND,
        number=shipment.number,
        occurred_at=at,
        recorded_at=at,
        by=by,
    )
    material.reverse_flows(kind=KIND, number=shipment.number, at=at)
    material.recount_material([order.pk for order in orders])
    shipment.reversed_at = at
    moving.moved(
        shipment, ShipmentStatus.REVERSED, "shipment.reversed", by=by, at=at, through=through, data={"reason": reason}
    )
    arranging.plan_again(shipment, [order for order in orders if order.is_with_vendor], at=at)
    return shipment


def on_the_way(component_ids: Collection[int]) -> dict[int, dict[int, Decimal]]:
    """What of components is dispatched and has not arrived, by lot (0: none): sent, and not at the vendor yet."""
    lots: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lines = ShipmentLine.objects.filter(component__in=component_ids, shipment__status=ShipmentStatus.DISPATCHED)
    for component_id, lot_id, quantity in lines.values_list("component", "lot", "quantity"):
        lots[component_id][lot_id or 0] += quantity
    return lots


# The shipment, locked, and what it may take


def _lock(
    shipment_id: int, *, expected_version: int | None, by: User | None, to_ship: bool = True
) -> tuple[Shipment, list[SubcontractOrder]]:
    """The shipment after its orders, locked; `to_ship`: they must be with the vendor. Raises NotFound, OrderNotSent, Stale."""
    visible = Shipment.objects.visible_to(by) if by else Shipment.objects.all()
    if not visible.filter(pk=shipment_id).exists():
        raise NotFound("There is no such shipment.", field="shipment")
    order_ids = set(ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True))
    orders = loading.lock_orders(order_ids, by=None) if order_ids else []
    shipment = (
        Shipment.objects.select_for_update(of=("self",))
        .select_related("vendor", "site", "from_location", "to_location")
        .get(pk=shipment_id)
    )
    if expected_version is not None and shipment.version != expected_version:
        raise Stale(f"{shipment} was changed since you read it; look at it again.")
    if to_ship:
        loading.must_be_with_vendor(orders)
    return shipment, orders


def _must_be(shipment: Shipment, *allowed: ShipmentStatus, to: str) -> None:
    if shipment.status not in allowed:
        hint = " Reverse it instead." if to == "cancel" and shipment.status in GONE else ""
        raise ShipmentNotOfThisState(
            f"{shipment} is {shipment.get_status_display().lower()}; you cannot {to} it.{hint}", field="shipment"
        )


def _taken_off(lines: Sequence[ShipmentLine], take: Take) -> list[tuple[int | None, Decimal]]:
    """Take a quantity off the lines of its part, of the lot it names where a lot was chosen. Raises OverSend."""
    named = arranging.lot_of(take)
    taken: list[tuple[int | None, Decimal]] = []
    rest = take.quantity
    for line in sorted(lines, key=lambda line: line.lot_id is not None and line.lot_id != named):
        part = min(line.quantity, rest) if named is None or line.lot_id in (None, named) else ZERO
        if part > 0:
            line.quantity -= part
            rest -= part
            taken.append((line.lot_id or named, part))
    if rest:
        raise loading.OverSend(
            f"{(take.quantity - rest).normalize():f} of lot {take.lot} of {lines[0].item} can be taken off "
            f"{lines[0].shipment}; {take.quantity.normalize():f} were to be.",
            field=take.field,
        )
    return taken


def _place(location_id: int, *, by: User | None) -> Location:
    places = Location.objects.all()
    if by is not None:
        mine = by.scope.rows(site="site_id", vendor="vendor_id")
        # A vendor's place that no site has for itself holds every site's material.
        places = places.filter(mine | Q(kind=LocationKind.VENDOR, site=None) if by.scope.site_ids else mine)
    place = places.filter(pk=location_id).first()
    if place is None:
        raise NotFound("There is no such place.", field="from")
    if place.kind in NOT_SHIPPED_FROM:
        raise InvalidInput(f"Nothing is shipped from {place} ({place.get_kind_display().lower()}).", field="from")
    return place


def _pick(shipment: Shipment, orders: list[SubcontractOrder], lines: Sequence[ToPick] | None, *, at: datetime) -> None:
    """Put lots on a planned or picked shipment; what it held beyond `lines` stays planned."""
    rows = loading.rows_of(orders, apart_from=shipment)
    held = set(shipment.lines.values_list("component_id", flat=True))
    for row in rows:
        row.from_location_id = shipment.from_location_id
    if lines is None:
        takes = loading.as_planned(shipment, rows)
    else:
        takes = loading.named(lines, [row for row in rows if row.component.pk in held], where=shipment.number)
    if not takes:
        raise NothingToShip(f"{shipment} holds nothing.", field="shipment")
    today = masterdata.site_date(site=shipment.site, at=at)
    picked = loading.pick(takes, location=shipment.from_location, apart_from=shipment, on=today)
    arranging.load(shipment, picked, rows, at=at)
