"""What a third party should have brought to a vendor, or says to bring too late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import F, Q

from activity.models import Alert, Severity
from receipts.models import PurchaseRequest
from receipts.services.sending_back import say
from subcontract_orders.models import WITH_VENDOR


def late_arrivals(*, kind: str, on: date, steps: Sequence[tuple[int, str]]) -> list[Alert]:
    """Alerts of a kind about requests of orders with vendors that were to have arrived before `on`, and about purchases that are
    expected after the vendor needs them. `steps`: from so many days overdue on, how severe, the longest first.
    """
    overdue = Q(expected_on__lt=on, order__status__in=WITH_VENDOR)
    too_late = Q(expected_on__gt=F("needed_on"), on_order__gt=0)
    found = (
        PurchaseRequest.objects.waiting()
        .filter(overdue | too_late)
        .select_related("order", "order_line__production_order", "item", "vendor")
    )
    return [_alert(kind, one, on=on, steps=steps) for one in found.order_by("pk")]


def _alert(kind: str, asked: PurchaseRequest, *, on: date, steps: Sequence[tuple[int, str]]) -> Alert:
    line, days = asked.order_line, (on - asked.expected_on).days
    what = f"{say(asked.wanted)} of {asked.item} for {asked.vendor.code} ({asked.order} line {line.line_no})"
    if days > 0:
        said = f"{what} were to be delivered by a third party on {asked.expected_on}"
        severity = next((severity for least, severity in steps if days >= least), Severity.WARNING)
    else:
        said = (
            f"{what} are to be delivered by a third party on {asked.expected_on}, and are needed on {asked.needed_on}"
        )
        severity = Severity.WARNING
    return Alert(
        kind=kind,
        subject=asked.reference[:160],
        severity=severity,
        title=said[:300],
        order_number=asked.order.number,
        line_no=line.line_no,
        production_order=line.production_order.number if line.production_order else "",
        operation_no=line.operation_no,
        site_id=asked.site_id,
        vendor_id=asked.vendor_id,
        before={"needed": asked.needed_on.isoformat()},
        after={"expected": asked.expected_on.isoformat(), "open": say(asked.wanted)},
        due_date=asked.needed_on,
    )
