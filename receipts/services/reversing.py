"""Taking a counted note back, whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.retries import retried
from inventory import services as ledger
from inventory.models import Movement
from production.services.reporting import Report
from receipts.models import Receipt, ReceiptStatus, ReturnLine
from receipts.services.falling_short import watch_short_receipts
from receipts.services.finishing import report_lines
from receipts.services.notes import KIND, lock_receipt
from receipts.services.progress import save_progress, settle_status
from subcontract_orders.services import flows as material

ZERO = Decimal(0)


@retried
@transaction.atomic
def reverse_receipt(
    *, receipt_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Receipt:
    """Undo all that a receipt did, at its original values; its note is free again.

    Raises NotFound, WrongState, Stale, NotEnoughStock (goods moved on).
    """
    receipt, lines, orders, order_lines = lock_receipt(receipt_id, expected_version=expected_version, by=by)
    if sent_back := ReturnLine.objects.gone().filter(receipt_line__in=lines).select_related("document").first():
        raise ledger.NotEnoughStock(
            f"Pieces of {receipt} went back to the vendor with {sent_back.document}; reverse it first."
        )
    moved = Movement.objects.filter(document_kind=KIND, document_number=receipt.number, reverses__isnull=True)
    ledger.reverse_movements(
        moved.filter(reversed_by__isnull=True), kind=KIND, number=receipt.number, occurred_at=at, recorded_at=at, by=by
    )
    material.reverse_flows(kind=KIND, number=receipt.number, at=at)
    reports: dict[int, list[Report]] = defaultdict(list)
    for row in lines:
        line = order_lines[row.order_line_id]
        line.accepted -= row.accepted
        line.rejected -= row.rejected
        line.scrapped -= row.scrapped
        line.in_rework += row.reworked - row.sent_back
        settle_status(line)
        if line.operation_id is not None:
            reports[line.operation_id].append(Report(-row.accepted, -(row.rejected + row.scrapped)))
    save_progress(order_lines.values(), orders)
    report_lines(reports, at=at, reason=f"receipt {receipt.number} reversed")
    watch_short_receipts(order_lines.values(), at=at)
    for kind in ("certificate_missing", "discrepancy"):
        activity.close_alerts(kind=kind, subjects=[f"{receipt.number}/{row.line_no}" for row in lines], at=at)
    receipt.status, receipt.reversed_at, receipt.reversed_by = ReceiptStatus.REVERSED, at, by
    receipt.version += 1
    receipt.save()
    activity.record(
        "receipt.reversed",
        kind=KIND,
        number=receipt.number,
        at=at,
        by=by,
        through=through,
        site_id=receipt.site_id,
        vendor_id=receipt.vendor_id,
    )
    return receipt
