"""What third parties deliver to vendors: requests taken over by purchasing, arrivals booked where they lie, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, Stale, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.rules import MOST_MONEY
from receipts import rules
from receipts.models import DirectDelivery, DirectPurchase, PurchaseRequest, ReceiptStatus
from receipts.services.arriving import KIND, OfLot, lots_of, must_lie_there, put_there
from receipts.services.notes import (
    CountedLine,
    DuplicateNote,
    OrderClosed,
    OrderNotSent,
    lock_lines,
)
from receipts.services.sending_back import check_quantity, say
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus
from subcontract_orders.services import flows as material

ZERO = Decimal(0)


class NothingWanted(Refusal):
    """Nothing more of this is to arrive, or nothing was ordered."""

    code = "nothing_to_do"


class OverDelivery(Refusal):
    """More would lie there than the line needs, its tolerance allows or was ordered."""

    code = "over_delivery"


@retried
@transaction.atomic
def mark_ordered(
    *,
    order_line_id: int,
    item_id: int,
    reference: str,
    expected_on: date,
    quantity: Decimal | None = None,
    supplier: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> DirectPurchase:
    """Say that a request was ordered: so much in all (else all that is wanted), under what reference, expected when.

    Said again it takes the place of what was said before; the same again is nothing. Raises NotFound, InvalidInput,
    InvalidQuantity, TooPrecise; OrderClosed, NothingWanted where the line expects no more.
    """
    line, request = _lock(order_line_id, item_id, by)
    reference = reference.strip()
    if not reference:
        raise InvalidInput("Name the purchase order it was ordered with.", field="reference")
    _must_expect(line)
    known = DirectPurchase.objects.filter(order_line=line, item=item_id).first()
    if not request.wanted and known is None:
        raise NothingWanted(f"Nothing more of {request.item} is wanted for {request.order} line {line.line_no}.")
    asked = request.arrived + request.wanted
    if quantity is None:
        quantity = asked
    check_quantity(request.item, quantity, "quantity")
    if quantity < request.arrived:
        raise InvalidQuantity(
            f"{say(request.arrived)} have arrived already; at least so much was ordered.", field="quantity"
        )
    said = {"quantity": quantity, "reference": reference, "supplier": supplier.strip(), "expected_on": expected_on}
    if known and known.asked == asked and all(getattr(known, name) == value for name, value in said.items()):
        return known
    purchase, _ = DirectPurchase.objects.update_or_create(
        order_line=line, item_id=item_id, defaults={**said, "asked": asked, "ordered_at": at, "ordered_by": by}
    )
    told = {
        "quantity": say(quantity),
        "reference": reference,
        "supplier": supplier.strip(),
        "expected_on": str(expected_on),
    }
    _tell("purchase_request.ordered", request, by=by, at=at, through=through, data=told)
    return purchase


@retried
@transaction.atomic
def call_off(
    *, order_line_id: int, item_id: int, reason: str = "", by: User | None, at: datetime, through: str = "page"
) -> None:
    """Say that what was ordered and has not arrived does not come. Raises NotFound, NothingWanted where nothing is on order."""
    line, request = _lock(order_line_id, item_id, by)
    if not request.on_order:
        raise NothingWanted(f"Nothing of {request.item} is on order for {request.order} line {line.line_no}.")
    purchase = DirectPurchase.objects.get(order_line=line, item=item_id)
    if request.arrived:
        purchase.quantity = purchase.asked = request.arrived
        purchase.save(update_fields=["quantity", "asked"])
    else:
        purchase.delete()
    told = {"quantity": say(request.on_order), "reference": purchase.reference, "reason": reason}
    _tell("purchase_request.called_off", request, by=by, at=at, through=through, data=told)


@retried
@transaction.atomic
def post_arrival(
    *,
    order_line_id: int,
    item_id: int,
    quantity: Decimal,
    note: str,
    lots: Sequence[OfLot] = (),
    unit_cost: Decimal | None = None,
    arrived_on: date | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> DirectDelivery:
    """Book what a third party brought to the vendor: it lies there for the line, worth `unit_cost` each (company currency), else
    the item's standard cost.

    The same note with the same content returns the delivery it already made. Up to what is wanted, by the line's over-send
    tolerance, or what was ordered. Raises NotFound, OrderNotSent, OrderClosed, OverDelivery, DuplicateNote, InvalidInput,
    InvalidQuantity, TooPrecise, LotRequired, SerialRequired, NotTracked.
    """
    line, request = _lock(order_line_id, item_id, by)
    item, note = request.item, note.strip()
    if not note:
        raise InvalidInput("Name the delivery note it came with.", field="note")
    check_quantity(item, quantity, "quantity")
    cost = item.standard_cost or ZERO if unit_cost is None else unit_cost
    if cost < 0 or cost * quantity > MOST_MONEY:
        raise InvalidInput(f"A unit costs from 0 on, all of it at most {MOST_MONEY:f}.", field="unit_cost")
    content = _content(quantity, lots, unit_cost, arrived_on)
    posted = DirectDelivery.objects.posted().filter(order_line=line, item=item)
    if known := posted.filter(note__iexact=note).first():
        if known.content == content:
            return known
        raise DuplicateNote(
            f"Note {note} was booked already as {known}, with other content. Reverse that one, or name another note.",
            field="note",
        )
    _must_take(line)
    arrived_at = _arrived_at(line, arrived_on, at)
    possible = _possible(line, request)
    if quantity > possible:
        raise OverDelivery(
            f"{say(possible)} more of {item} may arrive for {request.order} line {line.line_no} "
            f"({say(request.required)} required, {say(request.arrived)} arrived, {say(request.there)} free there, "
            f"{say(line.over_send_pct)} % over allowed); "
            f"{say(quantity)} were to be booked. Order more, or load the rest as stock at {request.ship_to}.",
            field="quantity",
        )
    by_lot = lots_of(item, quantity, lots)
    delivery = DirectDelivery(
        number=masterdata.draw_numbers(kind=KIND)[0], order_line=line, item=item, vendor_id=request.vendor_id,
        site_id=request.site_id, location_id=line.ship_to_id, note=note, quantity=quantity, content=content,
        arrived_at=arrived_at, posted_at=at, posted_by=by,
    )  # fmt: skip
    delivery.value = put_there(delivery, line, by_lot, cost)
    delivery.save()
    told = {"delivery": delivery.number, "note": note, "quantity": say(quantity)}
    _tell("purchase_request.arrived", request, by=by, at=at, through=through, data=told)
    _record("direct_delivery.posted", delivery, by=by, at=at, through=through, data={"note": note})
    return delivery


@retried
@transaction.atomic
def reverse_arrival(
    *,
    delivery_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> DirectDelivery:
    """Take a booked arrival back, at its original value; its note is free again, whatever has become of the order.

    Raises NotFound, WrongState, Stale; NotEnoughStock where what came was used, returned or moved on.
    """
    visible = DirectDelivery.objects.visible_to(by) if by else DirectDelivery.objects.all()
    found = visible.filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery.", field="delivery")
    lock_lines(found.vendor_id, [CountedLine(found.order_line_id)], None)
    delivery = (
        DirectDelivery.objects.select_for_update(of=("self",)).select_related("item", "location").get(pk=found.pk)
    )
    if expected_version not in (None, delivery.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    if delivery.status != ReceiptStatus.POSTED:
        raise WrongState(f"{delivery} is {delivery.get_status_display().lower()}.")
    must_lie_there(delivery)
    posted = Movement.objects.unreversed().filter(document_kind=KIND, document_number=delivery.number)
    ledger.reverse_movements(posted, kind=KIND, number=delivery.number, occurred_at=at, recorded_at=at, by=by)
    material.reverse_flows(kind=KIND, number=delivery.number, at=at)
    delivery.status, delivery.reversed_at, delivery.reversed_by = ReceiptStatus.REVERSED, at, by
    delivery.version += 1
    delivery.save(update_fields=["status", "reversed_at", "reversed_by", "version"])
    _record("direct_delivery.reversed", delivery, by=by, at=at, through=through, data={"reason": reason})
    return delivery


def _lock(order_line_id: int, item_id: int, by: User | None) -> tuple[OrderLine, PurchaseRequest]:
    """The line after its orders, and the vendor's place, locked; then what is requested of the item. Raises NotFound."""
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    vendor_id = visible.filter(pk=order_line_id).values_list("vendor_id", flat=True).first()
    if vendor_id is None:
        raise NotFound("There is no such order line.", field="request")
    _, lines = lock_lines(vendor_id, [CountedLine(order_line_id)], by)
    requests = PurchaseRequest.objects.filter(order_line=order_line_id, item=item_id)
    request = requests.select_related("item__unit", "order", "ship_to").first()
    if request is None:
        raise NotFound("No third party delivers this for the line.", field="request")
    return lines[order_line_id], request


def _must_expect(line: OrderLine) -> None:
    """Raises OrderClosed where the line expects no more."""
    if line.order.status in (OrderStatus.CLOSED, OrderStatus.CANCELLED):
        raise OrderClosed(f"{line.order} is {line.order.get_status_display().lower()}: nothing more is wanted for it.")
    if line.status != LineStatus.OPEN:
        raise OrderClosed(
            f"Line {line.line_no} of {line.order} is {line.get_status_display().lower()}: nothing more is wanted."
        )


def _must_take(line: OrderLine) -> None:
    """Raises OrderClosed, OrderNotSent where nothing may arrive for the line."""
    _must_expect(line)
    if not line.order.is_with_vendor:
        raise OrderNotSent(
            f"{line.order} is {line.order.get_status_display().lower()}: nothing arrives for an order that is not "
            "with its vendor. Load what lies there as stock."
        )


def _arrived_at(line: OrderLine, day: date | None, at: datetime) -> datetime:
    """When it came: midday of a day that is over, else now. Raises InvalidInput."""
    today = masterdata.site_date(site=line.order.site, at=at)
    if day is None or day == today:
        return at
    if day > today:
        raise InvalidInput(f"Nothing has arrived after today, {today}.", field="arrived_on")
    if day < line.order.created_at.date():
        raise InvalidInput(
            f"{line.order} was made on {line.order.created_at:%Y-%m-%d}, after {day}.", field="arrived_on"
        )
    return max(datetime.combine(day, time(12), UTC), line.order.created_at)


def _possible(line: OrderLine, request: PurchaseRequest) -> Decimal:
    """How much more may arrive: what is wanted and the tolerance on all that is required, or what is on order."""
    unit = Decimal(1).scaleb(-request.item.decimals)
    most = rules.at_most(ordered=request.required, over_pct=line.over_send_pct).quantize(unit, ROUND_FLOOR)
    over = max(most - request.required, ZERO)
    beyond = max(request.arrived + request.there - request.required, ZERO)
    return max(request.wanted + max(over - beyond, ZERO), request.on_order)


def _content(
    quantity: Decimal, lots: Sequence[OfLot], unit_cost: Decimal | None, arrived_on: date | None
) -> dict[str, Any]:
    return {
        "quantity": say(quantity),
        "lots": sorted([one.lot.strip(), say(one.quantity)] for one in lots),
        "unit_cost": None if unit_cost is None else say(unit_cost),
        "arrived_on": arrived_on.isoformat() if arrived_on else None,
    }


def _tell(
    event: str, request: PurchaseRequest, *, by: User | None, at: datetime, through: str, data: dict[str, str]
) -> None:
    """Into the history of the order, which the request belongs to."""
    by_what = data.get("reference") or data.get("note", "")
    said = {
        "detail": f"{data['quantity']} {request.item.code}, {by_what}",
        "request": request.reference,
        "item": request.item.code,
        **{key: text for key, text in data.items() if text},
    }
    activity.record(
        event, kind="subcontract_order", number=request.order.number, at=at, by=by, through=through, site_id=request.site_id,
        vendor_id=request.vendor_id, data=said,
    )  # fmt: skip


def _record(
    event: str, delivery: DirectDelivery, *, by: User | None, at: datetime, through: str, data: dict[str, str]
) -> None:
    line = delivery.order_line
    said = {
        "order": line.order.number,
        "line": line.line_no,
        "item": delivery.item.code,
        "quantity": say(delivery.quantity),
        **data,
    }
    activity.record(
        event, kind=KIND, number=delivery.number, at=at, by=by, through=through, site_id=delivery.site_id,
        vendor_id=delivery.vendor_id, data={**said, **data},
    )  # fmt: skip
