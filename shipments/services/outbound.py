"""What a person does to shipments: pick, dispatch, deliver, hold, split, cancel, take back. Stock and progress move along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, NotFound, Stale, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Lot, Movement
from inventory.services import Move, NotEnoughStock
from masterdata import services as masterdata
from masterdata.models import VIRTUAL_KINDS, Location, LocationKind
from shipments.models import BEFORE_DISPATCH, GONE, Shipment, ShipmentLine, ShipmentStatus
from shipments.services import loading, planning
from shipments.services.loading import NothingToShip, Row, Take, ToPick
from shipments.services.planning import ToShip
from subcontract_orders.models import WITH_VENDOR, ComponentFlow, FlowKind, OrderComponent, SubcontractOrder
from subcontract_orders.services import flows as material

KIND = "shipment"
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
        raise NothingToShip(f"Nothing is open to be shipped for {where}.", field="order")
    by_place: dict[int, list[Take]] = defaultdict(list)
    for take in takes:
        by_place[take.row.from_location_id].append(take)
    made = []
    for place_id, mine in by_place.items():
        shipment = _planned_or_new(orders[0], mine, from_location_id=place_id, at=at)
        if hold:
            for take in mine:
                take.picked = [(_lot(take), take.quantity)]
        else:
            mine = loading.pick(mine, location=shipment.from_location, apart_from=None)
        _load(shipment, mine, rows, at=at)
        if hold:
            shipment.held_from = ShipmentStatus.PLANNED
            _moved(shipment, ShipmentStatus.HELD, "shipment.held", by=by, at=at, through=through)
        else:
            _dispatch(shipment, by=by, at=at, through=through)
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
    return _moved(shipment, ShipmentStatus.PICKED, "shipment.picked", by=by, at=at, through=through)


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
    return _dispatch(shipment, by=by, at=at, through=through)


@retried
@transaction.atomic
def deliver(
    *, shipment_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Shipment:
    """Say that a dispatched shipment has arrived. Raises NotFound, ShipmentNotOfThisState, Stale."""
    shipment, _ = _lock(shipment_id, expected_version=expected_version, by=by, to_ship=False)
    _must_be(shipment, ShipmentStatus.DISPATCHED, to="deliver")
    return _deliver(shipment, by=by, at=at, through=through)


def deliver_due(*, at: datetime, limit: int = 500) -> int:
    """Deliver what is to have arrived by today, each in its own transaction. Safe to run twice. Returns how many."""
    delivered = 0
    for site_id, today in masterdata.site_dates(at=at).items():
        due = Shipment.objects.due(on=today).filter(site=site_id).order_by("arrives_on", "pk")
        for shipment_id in list(due.values_list("pk", flat=True)[:limit]):
            with transaction.atomic():
                shipment, _ = _lock(shipment_id, expected_version=None, by=None, to_ship=False)
                if shipment.status == ShipmentStatus.DISPATCHED:
                    _deliver(shipment, by=None, at=at, through="system")
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
    return _moved(
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
    return _moved(shipment, back, "shipment.released", by=by, at=at, through=through)


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

    Raises NotFound, OrderNotSent, InvalidQuantity, TooPrecise, OverSend (more than it holds), NothingToShip (nothing would
    be left), ShipmentNotOfThisState, Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, ShipmentStatus.PLANNED, to="split")
    held = {line.component_id: line for line in shipment.lines.order_by("position")}
    rows = [row for row in loading.rows_of(orders) if row.component.pk in held]
    for row in rows:
        row.room.open = row.room.most = held[row.component.pk].quantity
    takes = loading.named(lines, rows, where=shipment.number)
    if not any(row.room.most for row in rows):
        raise NothingToShip(f"Nothing would be left on {shipment}.", field="lines")
    apart = Shipment.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0],
        vendor=shipment.vendor,
        site=shipment.site,
        from_location=shipment.from_location,
        to_location=shipment.to_location,
        dispatch_by=shipment.dispatch_by,
        created_at=at,
    )
    for take in takes:
        take.picked = [(None, take.quantity)]
        line = held[take.row.component.pk]
        line.quantity -= take.quantity
        if line.quantity:
            line.save(update_fields=["quantity"])
        else:
            line.delete()
    _write_lines(apart, takes)
    planning.refresh([shipment.pk, apart.pk])
    shipment.refresh_from_db()
    apart.refresh_from_db()
    _record(shipment, "shipment.split", by=by, at=at, through=through, data={"onto": apart.number})
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
    """Give up a shipment that has not left. What it held is open again, on another planned shipment where there is one.

    Raises NotFound, OrderNotSent, ShipmentNotOfThisState (one that left is reversed), Stale.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by)
    _must_be(shipment, *BEFORE_DISPATCH, to="cancel")
    _moved(
        shipment, ShipmentStatus.CANCELLED, "shipment.cancelled", by=by, at=at, through=through, data={"reason": reason}
    )
    _plan_again(shipment, orders, at=at)
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

    What it held is open again, on another planned shipment where there is one; a reversal makes none.
    Raises NotFound, ShipmentNotOfThisState, Stale; NotEnoughStock where the material was used, returned or moved on.
    """
    shipment, orders = _lock(shipment_id, expected_version=expected_version, by=by, to_ship=False)
    _must_be(shipment, *GONE, to="reverse")
    _must_lie_there(shipment)
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
    _moved(
        shipment, ShipmentStatus.REVERSED, "shipment.reversed", by=by, at=at, through=through, data={"reason": reason}
    )
    _plan_again(shipment, [order for order in orders if order.status in WITH_VENDOR], at=at)
    return shipment


def on_the_way(component_ids: Collection[int]) -> dict[int, dict[int, Decimal]]:
    """What of components is dispatched and has not arrived, by lot (0: none): sent, and not at the vendor yet."""
    lots: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lines = ShipmentLine.objects.filter(component__in=component_ids, shipment__status=ShipmentStatus.DISPATCHED)
    for component_id, lot_id, quantity in lines.values_list("component", "lot", "quantity"):
        lots[component_id][lot_id or 0] += quantity
    return lots


# The shipment, its lines and what stays planned


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


def _place(location_id: int, *, by: User | None) -> Location:
    places = (
        Location.objects.filter(by.scope.rows(site="site_id", vendor="vendor_id")) if by else Location.objects.all()
    )
    place = places.filter(pk=location_id).first()
    if place is None:
        raise NotFound("There is no such place.", field="from")
    if place.kind in NOT_SHIPPED_FROM:
        raise InvalidInput(f"Nothing is shipped from {place} ({place.get_kind_display().lower()}).", field="from")
    return place


def _lot(take: Take) -> int | None:
    if not take.lot:
        return None
    lot = Lot.objects.filter(item=take.row.component.item_id, code=take.lot).first()
    if lot is None:
        raise NotFound(f"There is no lot {take.lot} of {take.row.component.item}.", field="lines")
    return lot.pk


def _planned_or_new(order: SubcontractOrder, takes: Sequence[Take], *, from_location_id: int, at: datetime) -> Shipment:
    """The first planned shipment that holds any of this and leaves that place, locked; else a new one."""
    if from_location_id == order.ship_to_id:
        raise InvalidInput(f"It lies at {order.ship_to} already.", field="from")
    holding = ShipmentLine.objects.filter(component__in=[take.row.component for take in takes])
    found = (
        Shipment.objects.planned()
        .filter(pk__in=holding.values("shipment"), from_location=from_location_id, to_location=order.ship_to_id)
        .select_for_update(of=("self",))
        .select_related("vendor", "site", "from_location", "to_location")
        .order_by("pk")
        .first()
    )
    if found:
        return found
    made = Shipment.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0],
        vendor_id=order.vendor_id,
        site_id=order.site_id,
        from_location_id=from_location_id,
        to_location_id=order.ship_to_id,
        dispatch_by=min(take.row.component.line.dispatch_by for take in takes),
        created_at=at,
    )
    return made


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
    _load(shipment, loading.pick(takes, location=shipment.from_location, apart_from=shipment), rows, at=at)


def _load(shipment: Shipment, takes: Sequence[Take], rows: Iterable[Row], *, at: datetime) -> None:
    """Make `takes` the shipment's lines. What else was planned of its rows stays planned: on another shipment of theirs, or a
    new one with the next number.
    """
    by_component = {row.component.pk: row for row in rows}
    taken: dict[int, Decimal] = defaultdict(Decimal)
    for take in takes:
        taken[take.row.component.pk] += take.quantity
    on_it = list(shipment.lines.select_related("order_line__order"))
    touched = taken.keys() | {line.component_id for line in on_it}
    elsewhere = ShipmentLine.objects.filter(component__in=touched, shipment__status=ShipmentStatus.PLANNED)
    elsewhere = elsewhere.exclude(shipment=shipment)
    others = list(Shipment.objects.filter(pk__in=elsewhere.values("shipment")).select_for_update().order_by("pk"))
    planned_elsewhere: dict[int, Decimal] = defaultdict(Decimal)
    for component_id, quantity in elsewhere.values_list("component", "quantity"):
        planned_elsewhere[component_id] += quantity
    home: dict[tuple[int, int], int] = {}
    for order_id, from_id, other_id in elsewhere.order_by("-shipment_id").values_list(
        "order_line__order", "shipment__from_location", "shipment"
    ):
        home[order_id, from_id] = other_id
    elsewhere.delete()
    ShipmentLine.objects.filter(shipment=shipment).delete()
    _write_lines(shipment, takes)

    wanted: list[ToShip] = []
    held = {line.component_id: line for line in on_it}
    for component_id in sorted(touched):
        row = by_component.get(component_id)
        if row is None:  # of another order, which this act is not about: planned as it was
            line = held[component_id]
            component = line.component
            left = sum((x.quantity for x in on_it if x.component_id == component_id), ZERO)
            left += planned_elsewhere[component_id]
        else:
            component = row.component
            left = row.needed - taken[component_id]
        if left > 0:
            wanted.append(_to_ship(component, left))
    planning.plan(wanted=wanted, planned=home, numbers=_numbers(), at=at)
    planning.refresh([other.pk for other in others])


def _write_lines(shipment: Shipment, takes: Iterable[Take]) -> None:
    position = shipment.lines.aggregate(last=Max("position"))["last"] or 0
    rows = []
    for take in takes:
        component = take.row.component
        for lot_id, quantity in take.picked:
            position += 1
            rows.append(
                ShipmentLine(
                    shipment=shipment, position=position, component=component, order_line_id=component.line_id,
                    item_id=component.item_id, lot_id=lot_id, stage=component.stage, quantity=quantity,
                )
            )  # fmt: skip
    ShipmentLine.objects.bulk_create(rows)


def _plan_again(shipment: Shipment, orders: Collection[SubcontractOrder], *, at: datetime) -> None:
    """What a shipment held is open again: planned on another shipment of its order and place where there is one."""
    homes = planning.planned_shipments(order_ids=[order.pk for order in orders])
    held = set(shipment.lines.values_list("component_id", flat=True))
    rows = [row for row in loading.rows_of(orders) if row.component.pk in held]
    planned: dict[int, Decimal] = defaultdict(Decimal)
    for component_id, quantity in ShipmentLine.objects.filter(
        component__in=held, shipment__status=ShipmentStatus.PLANNED
    ).values_list("component", "quantity"):
        planned[component_id] += quantity
    wanted = []
    for row in rows:
        component = row.component
        missing = row.room.open - planned[component.pk]
        if missing > 0 and (component.line.order_id, component.ship_from_id) in homes:
            wanted.append(_to_ship(component, missing))
    mine = {(one.order_id, one.from_location_id) for one in wanted}
    used = {key: home for key, home in homes.items() if key in mine}
    planning.plan(wanted=wanted, planned=used, numbers=_numbers(), at=at)


def _to_ship(component: OrderComponent, quantity: Decimal) -> ToShip:
    line = component.line
    return ToShip(
        order_id=line.order_id,
        order_line_id=line.pk,
        component_id=component.pk,
        item_id=component.item_id,
        stage=component.stage,
        quantity=quantity,
        vendor_id=line.vendor_id,
        site_id=line.order.site_id,
        from_location_id=component.ship_from_id or 0,
        to_location_id=line.ship_to_id,
        dispatch_by=line.dispatch_by,
    )


def _numbers() -> Iterator[str]:
    """Shipment numbers, drawn one by one as they are needed."""
    return (masterdata.draw_numbers(kind=KIND)[0] for _ in count())


# Stock


def _dispatch(shipment: Shipment, *, by: User | None, at: datetime, through: str) -> Shipment:
    """Post what the shipment's lines hold, count it as sent, and say when it arrives."""
    lines = list(shipment.lines.select_related("order_line").order_by("position"))
    days = max((line.order_line.at_vendor_date - line.order_line.dispatch_by).days for line in lines)
    goes_to = masterdata.transit_location(site=shipment.site) if days > 0 else shipment.to_location
    moved = ledger.post_movements(
        [
            Move(
                line.item_id, shipment.from_location_id, goes_to.pk, line.quantity, line.lot_id, line.stage,
                line=line.position,
            )
            for line in lines
        ],
        kind=KIND, number=shipment.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    movements = [movement for movement in moved if movement.quantity]
    material.record_flows(
        [
            ComponentFlow(
                component_id=line.component_id, lot_id=line.lot_id, kind=FlowKind.SENT, quantity=line.quantity,
                movement=movement, document_kind=KIND, document_number=shipment.number, document_line=line.position,
            )
            for line, movement in zip(lines, movements, strict=True)
        ],
        at=at,
    )  # fmt: skip
    material.recount_material({line.order_line.order_id for line in lines})
    shipment.dispatched_at, shipment.dispatched_by, shipment.held_from = at, by, ""
    today = masterdata.site_dates(at=at)[shipment.site_id]
    if days > 0:
        shipment.arrives_on = today + timedelta(days=days)
        return _moved(shipment, ShipmentStatus.DISPATCHED, "shipment.dispatched", by=by, at=at, through=through)
    shipment.arrives_on, shipment.delivered_at = today, at
    return _moved(shipment, ShipmentStatus.DELIVERED, "shipment.dispatched", by=by, at=at, through=through)


def _deliver(shipment: Shipment, *, by: User | None, at: datetime, through: str) -> Shipment:
    out = Movement.objects.unreversed().filter(
        document_kind=KIND, document_number=shipment.number, quantity__gt=0, to_location__kind=LocationKind.TRANSIT
    )
    ledger.post_movements(
        [
            Move(
                m.item_id, m.to_location_id, shipment.to_location_id, m.quantity, m.lot_id, m.stage,
                line=m.document_line,
            )
            for m in out.order_by("pk")
        ],
        kind=KIND, number=shipment.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    shipment.delivered_at = at
    return _moved(shipment, ShipmentStatus.DELIVERED, "shipment.delivered", by=by, at=at, through=through)


def _must_lie_there(shipment: Shipment) -> None:
    """Raises NotEnoughStock where a line's own material is not all there any more."""
    lines = list(shipment.lines.select_related("item", "lot", "order_line__order").order_by("position"))
    own = material.own_lots({line.component_id for line in lines})
    for line in lines:
        there = own.get(line.component_id, {}).get(line.lot_id or 0, ZERO)
        if there < line.quantity:
            of_lot = f" of lot {line.lot}" if line.lot else ""
            raise NotEnoughStock(
                f"Only {max(there, ZERO).normalize():f} of {line.item}{of_lot} still lie at {shipment.to_location} for "
                f"{line.order_line.order} line {line.order_line.line_no}, {line.quantity.normalize():f} were sent with "
                f"{shipment}. Reverse first what used them.",
                field="shipment",
            )
        own[line.component_id][line.lot_id or 0] -= line.quantity


def _moved(
    shipment: Shipment,
    status: ShipmentStatus,
    event: str,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: dict[str, Any] | None = None,
) -> Shipment:
    shipment.status = status
    shipment.version += 1
    shipment.save()
    _record(shipment, event, by=by, at=at, through=through, data=data)
    return shipment


def _record(
    shipment: Shipment, event: str, *, by: User | None, at: datetime, through: str, data: dict[str, Any] | None = None
) -> None:
    orders = SubcontractOrder.objects.filter(lines__in=shipment.lines.values("order_line")).distinct()
    numbers = sorted(orders.values_list("number", flat=True))
    activity.record(
        event,
        kind=KIND,
        number=shipment.number,
        at=at,
        by=by,
        through=through,
        site_id=shipment.site_id,
        vendor_id=shipment.vendor_id,
        data={"orders": numbers, **{key: value for key, value in (data or {}).items() if value}},
    )
