"""A line's price that changes after goods came: what is owed for them changes, and their value with it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.retries import retried
from receipts import rules
from receipts.models import ReceiptLine, ReceiptStatus
from receipts.services.correcting import spread_value
from receipts.services.inspecting import Case
from receipts.services.notes import KIND
from receipts.services.progress import work_owed
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)


@retried
@transaction.atomic
def settle_prices(*, order_line_ids: Collection[int], by: User | None, at: datetime, through: str = "page") -> int:
    """Make what receipts of these lines owe equal to what the lines' price in force says; the same again is nothing.

    The difference follows the pieces of each receipt: those still here, the bad ones, the rest as a difference of price. Returns
    how many lines differed.
    """
    changed = 0
    for line in OrderLine.objects.filter(pk__in=order_line_ids).order_by("pk"):
        made = line.received + line.in_rework
        rows = list(
            ReceiptLine.objects.filter(order_line=line, receipt__status=ReceiptStatus.POSTED)
            .select_related("receipt")
            .order_by("pk")
        )
        value = work_owed(line, made=made) if rows else ZERO
        if not value:
            continue
        changed += 1
        pieces = {row.pk: row.counted + row.sent_back - row.reworked for row in rows}
        left, whole = value, sum(pieces.values(), ZERO)
        for row in rows:
            share = left
            if whole and row is not rows[-1]:
                share = (value * pieces[row.pk] / whole).quantize(rules.FIVE, ROUND_HALF_UP)
            left -= share
            case = Case(row.receipt_id, row.line_no, expected_version=None, by=None, at=at)
            case.by = by
            spread_value(case, share)
            case.row.work_value += share
            case.row.save()
            case.receipt.version += 1
            case.receipt.save(update_fields=["version"])
            activity.record(
                "receipt.repriced", kind=KIND, number=case.receipt.number, at=at, by=by, through=through,
                site_id=case.receipt.site_id, vendor_id=case.receipt.vendor_id,
                data={"line": row.line_no, "value": f"{share}"},
            )  # fmt: skip
    return changed
