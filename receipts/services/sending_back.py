"""Pieces of a vendor that go back to him: they were not good after all, and are expected again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from core.refusals import InvalidQuantity, NotFound, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from production.models import ProductionOrder
from production.services.reporting import Report
from receipts.models import ExpectedReceipt, ReceiptLine, ReceiptStatus, Return, ReturnKind, ReturnLine
from receipts.services import moving
from receipts.services.finishing import report_lines
from receipts.services.lying import NotFree
from receipts.services.moving import KIND
from receipts.services.pieces import rework_stage
from subcontract_orders.models import LineStatus, OrderLine, SubcontractOrder
from subcontract_orders.services import recount_orders

ZERO = Decimal(0)


class NotSentBack(NotFree):
    """More pieces than that receipt line brought, and are still here."""


class OrderIsOver(WrongState):
    """The order expects nothing: pieces sent back could not come again."""

    code = "closed"


@retried
@transaction.atomic
def return_product(
    *,
    receipt_line_id: int,
    quantity: Decimal,
    reason: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Return:
    """Send accepted pieces back to the vendor who made them: received goes down, they stand there and are expected again.

    On their way for the transit days of the order line, where it has any. Components used stay used, and the work is not owed a
    second time. Raises NotFound, InvalidQuantity, TooPrecise,
    NotSentBack (with what could go), OrderIsOver, WrongState.
    """
    known = ReceiptLine.objects.select_related("order_line").filter(pk=receipt_line_id).first()
    if known is None or (by and not OrderLine.objects.visible_to(by).filter(pk=known.order_line_id).exists()):
        raise NotFound("There is no such receipt line.", field="receipt")
    order, line = lock_line(known.order_line)
    row = ReceiptLine.objects.select_for_update(of=("self",)).select_related("receipt", "item__unit").get(pk=known.pk)
    if row.receipt.status != ReceiptStatus.POSTED:
        raise WrongState(f"{row.receipt} was reversed; there is nothing to send back.", field="receipt")
    if not order.is_with_vendor:
        raise OrderIsOver(
            f"{order} is {order.get_status_display().lower()}; reopen it, then the pieces can be expected again.",
            field="receipt",
        )
    check_quantity(row.item, quantity, "quantity")
    gone = ReturnLine.objects.gone().filter(receipt_line=row).aggregate(total=Sum("quantity"))
    possible = min(row.accepted - row.held - (gone["total"] or ZERO), line.accepted)
    if quantity > possible:
        raise NotSentBack(
            f"{say(quantity)} of {row.item} are to go back; {row.receipt} brought {say(possible)} that still can.",
            field="quantity",
        )
    document = Return.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0], kind=ReturnKind.PRODUCT, vendor_id=order.vendor_id,
        site_id=order.site_id, reason=reason, created_at=at, created_by=by,
    )  # fmt: skip
    rows = [
        ReturnLine(
            document=document, line_no=line_no, item_id=row.item_id, lot_id=lot_id, stage=row.stage, quantity=part,
            from_location_id=row.location_id, to_location_id=line.ship_to_id, receipt_line=row,
        )
        for line_no, (lot_id, part) in enumerate(_lots_of(row, quantity), start=1)
    ]  # fmt: skip
    ReturnLine.objects.bulk_create(rows)
    days = (line.at_vendor_date - line.dispatch_by).days
    _leave(document, rows, line, way=moving.way_of(document, days=days), by=by, at=at)
    recount_line(line, order, accepted=-quantity, in_rework=quantity, at=at, reason=f"return {document.number}")
    moving.left(document, days=days, by=by, at=at, occurred_at=at, through=through)
    return document


def lock_line(line: OrderLine) -> tuple[SubcontractOrder, OrderLine]:
    """Lock the production order, the order and its line, in that order."""
    if line.production_order_id is not None:
        list(ProductionOrder.objects.filter(pk=line.production_order_id).select_for_update().values_list("pk"))
    order = SubcontractOrder.objects.select_for_update().get(pk=line.order_id)
    rows = OrderLine.objects.select_for_update(of=("self",)).select_related("order", "item__unit")
    return order, rows.get(pk=line.pk)


def _lots_of(row: ReceiptLine, quantity: Decimal) -> Iterable[tuple[int | None, Decimal]]:
    """Lots of a receipt line's pieces, the last first, as far as they still lie where they came in."""
    gone: dict[int | None, Decimal] = defaultdict(Decimal)
    for lot_id, back in ReturnLine.objects.gone().filter(receipt_line=row).values_list("lot", "quantity"):
        gone[lot_id] += back
    lots = list(row.lots.order_by("-pk").values_list("lot", "quantity"))
    if not lots:
        return [(None, quantity)]
    found = []
    for lot_id, came in lots:
        taken = min(came - gone[lot_id], quantity)
        if taken > 0:
            found.append((lot_id, taken))
            quantity -= taken
    return found


def _leave(
    document: Return,
    rows: Sequence[ReturnLine],
    line: OrderLine,
    *,
    way: Location | None,
    by: User | None,
    at: datetime,
) -> None:
    """Pieces leave stock at cost and stand at the vendor (or are on the way) at the same value, marked as back to be mended."""
    between = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    out = ledger.post_movements(
        [
            Move(row.item_id, row.from_location_id, between, row.quantity, row.lot_id, row.stage, line=row.line_no)
            for row in rows
        ],
        kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    ledger.post_movements(
        [
            Move(row.item_id, between, way.pk if way else line.ship_to_id, movement.quantity, row.lot_id, rework_stage(line),
                 value=movement.value, line=row.line_no)
            for row, movement in zip(rows, [movement for movement in out if movement.quantity], strict=True)
        ],
        kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip


def recount_line(
    line: OrderLine, order: SubcontractOrder, *, accepted: Decimal, in_rework: Decimal, at: datetime, reason: str
) -> None:
    line.accepted += accepted
    line.in_rework += in_rework
    if line.status != LineStatus.CANCELLED:
        line.status = (
            LineStatus.COMPLETE if line.received >= max(line.quantity, line.quantity_in_force) else LineStatus.OPEN
        )
    line.save(update_fields=["accepted", "in_rework", "status"])
    ExpectedReceipt.objects.filter(order_line=line).update(quantity=max(line.open_in_force, line.in_rework))
    recount_orders([order.pk])
    if line.operation_id is not None:
        report_lines({line.operation_id: [Report(accepted, ZERO)]}, at=at, reason=reason)


def check_quantity(item: Item, quantity: Decimal, field: str) -> None:
    """Raises InvalidQuantity (not above zero), TooPrecise (more decimals than the item is counted in)."""
    if quantity <= 0:
        raise InvalidQuantity(f"{quantity} is not a quantity above zero.", field=field)
    masterdata.check_exact(item, quantity, field=field)


def say(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
