"""Rejected and scrapped pieces count as received and are never ordered again by themselves: a person is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from activity import services as activity
from activity.models import Alert, Severity
from production.models import Operation, OperationStatus
from production.rules.components import rounded_up
from subcontract_orders.models import OrderLine

ALERT = "short_receipt"
ZERO = Decimal(0)


def watch_short_receipts(lines: Iterable[OrderLine], *, at: datetime) -> None:
    """Ask for a further line where bad pieces of a line leave its operation without what it needs; close it where they do not.

    What is still expected of the operation's other lines, over their yield, counts.
    """
    for line in lines:
        subject = f"{line.order.number}/{line.line_no}"
        short = missing_of(line)
        if short <= 0:
            activity.close_alerts(kind=ALERT, subjects=[subject], at=at)
            continue
        missing = "1 piece is" if short == 1 else f"{short.normalize():f} pieces are"
        title = f"{line.order} line {line.line_no}: {missing} missing after rejects and scrap"
        number = line.production_order.number if line.production_order else ""
        alert = Alert(
            kind=ALERT, subject=subject, severity=Severity.WARNING, title=title[:300], order_number=line.order.number,
            line_no=line.line_no, production_order=number, operation_no=line.operation_no, site_id=line.order.site_id,
            vendor_id=line.vendor_id, proposes="order", after={"quantity": f"{short.normalize():f}"},
        )  # fmt: skip
        activity.open_alerts([alert], at=at)


def watch_missing(*, at: datetime) -> None:
    """Look at every open question about bad pieces again: the plan may want fewer by now, or another line covers them."""
    asked = set(Alert.objects.open().filter(kind=ALERT).values_list("order_number", "line_no"))
    lines = OrderLine.objects.filter(order__number__in={number for number, _ in asked}).select_related(
        "order", "item__unit", "production_order"
    )
    watch_short_receipts([line for line in lines if (line.order.number, line.line_no) in asked], at=at)


def missing_of(line: OrderLine) -> Decimal:
    """Good pieces an operation misses because some of this line were bad, and nobody has decided about them yet."""
    bad = line.rejected + line.scrapped - line.replaced - line.forgone
    if bad <= 0 or line.operation_id is None:
        return ZERO
    operation = Operation.objects.get(pk=line.operation_id)  # as reported just now
    if operation.status == OperationStatus.CANCELLED:
        return ZERO
    expected = ZERO
    for other in OrderLine.objects.active().filter(operation=operation):
        new_ones = max(other.open_quantity - other.in_rework, ZERO)  # what is mended is open as well
        expected += new_ones * other.yield_pct / 100 + other.in_rework
    decimals = line.item.decimals
    return min(rounded_up(max(operation.quantity - operation.good - expected, ZERO), decimals=decimals), bad)
