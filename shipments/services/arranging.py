"""Which lines stand on which shipment: what one takes, and what therefore stays planned on another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count

from django.db.models import Max

from core.refusals import InvalidInput, NotFound
from inventory.models import Lot
from masterdata import services as masterdata
from shipments.models import Shipment, ShipmentLine, ShipmentStatus
from shipments.services import loading, planning
from shipments.services.loading import Row, Take
from shipments.services.moving import KIND
from shipments.services.planning import ToShip
from subcontract_orders.models import OrderComponent, SubcontractOrder

ZERO = Decimal(0)


def planned_or_new(order: SubcontractOrder, takes: Sequence[Take], *, from_location_id: int, at: datetime) -> Shipment:
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
        dispatch_by=min(take.row.component.line.dispatch_in_force for take in takes),
        created_at=at,
    )
    return made


def load(shipment: Shipment, takes: Sequence[Take], rows: Iterable[Row], *, at: datetime) -> None:
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
    write_lines(shipment, takes)

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


def write_lines(shipment: Shipment, takes: Iterable[Take]) -> None:
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


def plan_again(shipment: Shipment, orders: Collection[SubcontractOrder], *, at: datetime) -> None:
    """What a shipment held is open again: planned on another shipment of its order and place where there is one."""
    homes = planning.planned_shipments(order_ids=[order.pk for order in orders])
    held = set(shipment.lines.values_list("component_id", flat=True))
    rows = [row for row in loading.rows_of(orders) if row.component.pk in held]
    planned = ShipmentLine.objects.filter(component__in=held, shipment__status=ShipmentStatus.PLANNED)
    there: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for component_id, shipment_id, quantity in planned.values_list("component", "shipment", "quantity"):
        there[component_id, shipment_id] += quantity
    wanted = []
    for row in rows:
        component = row.component
        home = homes.get((component.line.order_id, component.ship_from_id or 0))
        missing = row.room.open - sum((q for (pk, _), q in there.items() if pk == component.pk), ZERO)
        if missing > 0 and home is not None:
            planned.filter(component=component, shipment=home).delete()
            wanted.append(_to_ship(component, missing + there[component.pk, home]))
    mine = {(one.order_id, one.from_location_id) for one in wanted}
    used = {key: home for key, home in homes.items() if key in mine}
    planning.plan(wanted=wanted, planned=used, numbers=_numbers(), at=at)


def plan_open(component_ids: Collection[int], *, at: datetime) -> None:
    """Plan exactly what is open of components now, as some of it went lost at the vendor or was found there again.

    The caller holds the orders. Where nothing is planned for their order and place, a new shipment is.
    """
    orders = [
        order
        for order in SubcontractOrder.objects.filter(lines__components__in=component_ids).distinct().order_by("pk")
        if order.is_with_vendor
    ]
    homes = planning.planned_shipments(order_ids=[order.pk for order in orders])
    mine = ShipmentLine.objects.filter(
        component__in=component_ids, order_line__order__in=orders, shipment__status=ShipmentStatus.PLANNED
    )
    touched = set(mine.values_list("shipment_id", flat=True))
    mine.delete()
    rows = [row for row in loading.rows_of(orders) if row.component.pk in component_ids and row.room.open > 0]
    wanted = [_to_ship(row.component, row.room.open) for row in rows]
    planning.plan(wanted=wanted, planned=homes, numbers=_numbers(), at=at)
    planning.refresh(touched - set(homes.values()))


def lot_of(take: Take) -> int | None:
    if not take.lot:
        return None
    lot = Lot.objects.filter(item=take.row.component.item_id, code=take.lot).first()
    if lot is None:
        raise NotFound(f"There is no lot {take.lot} of {take.row.component.item}.", field="lines")
    return lot.pk


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
        dispatch_by=line.dispatch_in_force,
    )


def _numbers() -> Iterator[str]:
    """Shipment numbers, drawn one by one as they are needed."""
    return (masterdata.draw_numbers(kind=KIND)[0] for _ in count())
