"""What of orders' components may be sent, from where and how much, and which quantities and lots a shipment takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as stated
from datetime import date
from decimal import Decimal

from django.db.models import F, Q, Sum

from accounts.models import User
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, WrongState
from inventory.services.picking import Part, Shelf
from masterdata import services as masterdata
from masterdata.models import Item, Location
from production.models import ProductionOrder, Supply
from production.services.reporting import PreviousOperationShort
from shipments import rules
from shipments.models import SET_ASIDE, Shipment, ShipmentLine, ShipmentStatus
from shipments.services.staying import staying
from subcontract_orders.models import LineStatus, OrderComponent, OrderStatus, SubcontractOrder

ZERO = Decimal(0)
SHIPPED = (Supply.OWN, Supply.RETURNABLE)


class OrderNotSent(WrongState):
    """Nothing is shipped for an order that is not with the vendor."""


class OrderClosed(OrderNotSent):
    """Nothing is shipped for an order that is closed, until it is reopened."""

    code = "closed"


class OverSend(Refusal):
    """More than is required and the tolerance allows."""

    code = "over_send"


class NothingToShip(Refusal):
    """Nothing of this is open to be shipped."""

    code = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class ToPick:
    """So much of an item to send. `lot` names one, else lots are picked; `order_line_id` one line, else rows in order; `stage`
    material (blank) or the pieces of one operation, else either.
    """

    item_id: int
    quantity: Decimal
    lot: str = ""
    order_line_id: int | None = None
    stage: str | None = None


@dataclass(slots=True)
class Row:
    """A component that is shipped: `needed` is still open of it as the act begins, `room` what may be sent as it goes on."""

    component: OrderComponent
    from_location_id: int
    room: rules.Room
    needed: Decimal

    @property
    def part(self) -> Part:
        return self.component.item_id, self.component.stage


@dataclass(slots=True)
class Take:
    """So much of a row for a shipment, of a lot where one is named; `may_be_less` where the previous operation limits it."""

    row: Row
    quantity: Decimal
    lot: str = ""
    may_be_less: bool = False
    field: str | None = None
    picked: list[tuple[int | None, Decimal]] = stated(default_factory=list)


def lock_orders(order_ids: Collection[int], *, by: User | None) -> list[SubcontractOrder]:
    """Production orders, then subcontract orders, each by key, locked until the transaction ends. Raises NotFound."""
    visible = SubcontractOrder.objects.visible_to(by) if by else SubcontractOrder.objects.all()
    known = list(visible.filter(pk__in=order_ids).values_list("pk", flat=True))
    if not known or len(known) != len(set(order_ids)):
        raise NotFound("There is no such order.", field="order")
    plans = ProductionOrder.objects.filter(
        pk__in=OrderComponent.objects.filter(line__order__in=known).values("line__production_order")
    )
    list(plans.select_for_update().order_by("pk").values_list("pk"))
    rows = SubcontractOrder.objects.filter(pk__in=known).select_for_update(of=("self",)).order_by("pk")
    return list(rows.select_related("vendor", "ship_to", "site"))


def must_be_with_vendor(orders: Iterable[SubcontractOrder]) -> None:
    """Raises OrderNotSent, of which OrderClosed is one."""
    for order in orders:
        if order.status == OrderStatus.CLOSED:
            raise OrderClosed(f"{order} is closed; reopen it to ship more.", field="order")
        if not order.is_with_vendor:
            hint = "send it first" if order.sent_at is None else "nothing is shipped for it"
            raise OrderNotSent(f"{order} is {order.get_status_display().lower()}: {hint}.", field="order")


def rows_of(orders: Collection[SubcontractOrder], *, apart_from: Shipment | None = None) -> list[Row]:
    """Every component of the orders that is shipped, by order and line, with what may still be sent of it.

    What is picked or held on other shipments than `apart_from` counts as sent.
    """
    components = (
        OrderComponent.objects.filter(line__order__in=orders, supply__in=SHIPPED, ship_from__isnull=False)
        .exclude(ship_from=F("line__ship_to"))
        .exclude(line__status=LineStatus.CANCELLED)
        .select_related("item__unit", "line__order")
        .order_by("line__order_id", "line__line_no", "position")
    )
    found = list(components)
    aside = ShipmentLine.objects.filter(component__in=found, shipment__status__in=SET_ASIDE)
    if apart_from is not None:
        aside = aside.exclude(shipment=apart_from)
    set_aside = dict(aside.values_list("component_id").annotate(total=Sum("quantity")))
    rows = []
    for one in found:
        room = rules.room(
            required=one.required_in_force,
            net_sent=one.net_sent,
            carried_in=one.carried_in - one.carried_out,
            set_aside=set_aside.get(one.pk, ZERO),
            over_pct=one.line.over_send_pct,
            decimals=one.item.decimals,
            needs_no_more=one.line.status == LineStatus.COMPLETE,
        )
        rows.append(Row(component=one, from_location_id=one.ship_from_id or 0, room=room, needed=room.open))
    return rows


def named(lines: Sequence[ToPick], rows: Sequence[Row], *, where: str) -> list[Take]:
    """What the given lines take of the rows. Raises InvalidQuantity, TooPrecise, NotFound, OverSend."""
    if not lines:
        raise InvalidInput("Name at least one part to ship.", field="lines")
    takes: list[Take] = []
    for index, wanted in enumerate(lines):
        at = f"lines.{index}"
        mine = [
            row
            for row in rows
            if row.component.item_id == wanted.item_id
            and wanted.order_line_id in (None, row.component.line_id)
            and wanted.stage in (None, row.component.stage)
        ]
        if not mine:
            item = Item.objects.filter(pk=wanted.item_id).first()
            raise NotFound(f"Nothing of {item} is shipped for {where}.", field=f"{at}.item")
        item = mine[0].component.item
        if wanted.quantity <= 0:
            raise InvalidQuantity(f"{wanted.quantity} is not above zero.", field=f"{at}.quantity")
        masterdata.check_exact(item, wanted.quantity, field=f"{at}.quantity")
        possible = sum((row.room.most for row in mine), ZERO)
        if wanted.quantity > possible:
            required = sum((row.component.required_in_force for row in mine), ZERO)
            raise OverSend(
                f"{possible.normalize():f} more of {item} may be sent for {where} ({required.normalize():f} required, "
                f"{mine[0].component.line.over_send_pct.normalize():f} % over allowed); {wanted.quantity.normalize():f} were "
                "to be.",
                field=f"{at}.quantity",
            )
        given = rules.spread(wanted.quantity, [row.room for row in mine])
        takes += [
            Take(row, quantity, lot=wanted.lot, field=f"{at}.quantity")
            for row, quantity in zip(mine, given, strict=True)
            if quantity > 0
        ]
    return takes


def all_open(rows: Sequence[Row]) -> list[Take]:
    """All that is open of the rows; pieces between operations as far as the previous one has finished them."""
    takes = [Take(row, row.room.open, may_be_less=bool(row.component.stage)) for row in rows if row.room.open > 0]
    for take in takes:
        take.row.room.give(take.quantity)
    return takes


def nothing_open(orders: Collection[SubcontractOrder]) -> NothingToShip:
    """That nothing of the orders is open, with the shipments that keep what is not gone yet."""
    set_aside = "".join(f" {one}" for one in staying(orders) if one.is_set_aside)
    return NothingToShip(f"Nothing is open to be shipped for {', '.join(map(str, orders))}.{set_aside}", field="order")


def as_planned(shipment: Shipment, rows: Sequence[Row]) -> list[Take]:
    """All that a shipment holds, as far as it is still open or the tolerance allows. Raises OverSend."""
    by_component = {row.component.pk: row for row in rows}
    takes = []
    for line in shipment.lines.select_related("lot", "item").order_by("position"):
        row = by_component.get(line.component_id)
        if row is None or line.quantity > row.room.most:
            most = row.room.most if row else ZERO
            raise OverSend(
                f"{most.normalize():f} more of {line.item} may be sent; {shipment} holds {line.quantity.normalize():f}. "
                "Plan or pick it anew.",
                field=f"lines.{line.position - 1}.quantity",
            )
        row.room.give(line.quantity)
        takes.append(Take(row, line.quantity, lot=line.lot.code if line.lot else "", may_be_less=bool(line.stage)))
    return takes


def pick(takes: list[Take], *, location: Location, apart_from: Shipment | None, on: date) -> list[Take]:
    """Give every take its lots, and lock the stock they lie in. Takes that may be less are cut to what there is.

    Lots that have expired `on` the day go only where they are named. Pieces between operations are looked at first. Raises
    PreviousOperationShort, NotEnoughStock, NotFound (a lot).
    """
    parts = {take.row.part for take in takes}
    claimed = _claimed(location, parts, apart_from=apart_from)
    shelf = Shelf.locked(location=location, parts=parts, claimed=claimed, on=on)
    left = {part: shelf.free(part) for part in parts}
    for take in list(takes):
        stage = take.row.component.stage
        if not stage:
            continue
        finished = left[take.row.part]
        if take.may_be_less and not finished and shelf.free(take.row.part):
            takes.remove(take)  # another row took what there is
            continue
        if take.may_be_less and finished > 0:
            take.quantity = min(take.quantity, finished)
        if take.quantity > finished:
            number, _, operation_no = stage.rpartition("/")
            raise PreviousOperationShort(
                f"{finished.normalize():f} pieces finished at operation {operation_no} of {number} lie at {location}; "
                f"{take.quantity.normalize():f} are to be shipped.",
                field=take.field,
            )
        left[take.row.part] -= take.quantity
    for take in takes:
        component = take.row.component
        take.picked = shelf.take(take.row.part, take.quantity, item=component.item, lot=take.lot, field=take.field)
    return takes


def _claimed(
    location: Location, parts: Collection[Part], *, apart_from: Shipment | None
) -> dict[tuple[int, int, str], Decimal]:
    """What is picked for other shipments at a place and has not left it."""
    lines = ShipmentLine.objects.filter(
        Q(shipment__status=ShipmentStatus.PICKED)
        | Q(shipment__status=ShipmentStatus.HELD, shipment__held_from=ShipmentStatus.PICKED),
        shipment__from_location=location,
        item__in={item for item, _ in parts},
    )
    if apart_from is not None:
        lines = lines.exclude(shipment=apart_from)
    claimed: dict[tuple[int, int, str], Decimal] = defaultdict(Decimal)
    for item_id, lot_id, stage, quantity in lines.values_list("item", "lot", "stage", "quantity"):
        claimed[item_id, lot_id or 0, stage] += quantity
    return claimed
