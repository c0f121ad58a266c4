"""How far an order line is: what it owes, whether it is complete, what is still expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import connection
from django.db.models import Sum

from inventory.models import Balance
from production.models import Operation, OperationStatus
from receipts import rules
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import (
    LineStatus,
    OrderLine,
    SubcontractOrder,
)
from subcontract_orders.services import save_received

ZERO = Decimal(0)


def work_owed(line: OrderLine, *, made: Decimal) -> Decimal:
    """What `made` pieces of a line owe in company currency, beyond what its receipts owe already; below zero where those owe
    too much.

    Counted over all of them: whatever is received or taken back in whatever order, the whole line owes its amount.
    """
    rate = line.amount_company_in_force / line.amount_in_force if line.amount_in_force else Decimal(1)
    due = rules.accrued(
        amount=line.amount_company_in_force,
        unit_amount=line.unit_price_in_force / line.price_factor * rate,
        ordered=line.quantity_in_force,
        received=made,
    )
    posted = ReceiptLine.objects.filter(order_line=line, receipt__status=ReceiptStatus.POSTED)
    owed = posted.aggregate(total=Sum("work_value"))["total"] or ZERO
    return due - owed


def settle_status(line: OrderLine) -> None:
    """A line is complete when enough came. A revision that waits may ask for more: neither may expect any."""
    if line.status != LineStatus.CANCELLED:
        wanted = max(line.quantity, line.quantity_in_force)
        done = rules.is_enough(ordered=wanted, received=line.received, under_pct=line.under_receipt_pct)
        line.status = LineStatus.COMPLETE if done else LineStatus.OPEN


def gives_no_more(line: OrderLine, following: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the steps before (`following`: who follows whom) are done, and none of their pieces lies anywhere any more."""
    if line.production_order is None:
        return False
    before = [number for number, later in following.items() if line.operation_no in later]
    done = Operation.objects.filter(
        production_order=line.production_order, operation_no__in=before, status=OperationStatus.FINISHED
    )
    if not before or done.count() < len(before):
        return False
    stages = [f"{line.production_order.stage_number}/{number}" for number in before]
    return not Balance.objects.filter(item=line.item_id, stage__in=stages, quantity__gt=0).exists()


def save_progress(lines: Iterable[OrderLine], orders: Mapping[int, SubcontractOrder]) -> None:
    """Save the lines' counters, what is still expected, and the orders' progress."""
    rows = list(lines)
    save_received(rows)
    still = [max(row.open_in_force, row.in_rework) if orders[row.order_id].is_with_vendor else ZERO for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE receipts_expectedreceipt e SET quantity = x.quantity
            FROM unnest(%s::bigint[], %s::numeric[]) AS x(line_id, quantity) WHERE e.order_line_id = x.line_id
            """,
            [[row.pk for row in rows], still],
        )
