"""What a third party should have brought to a vendor, or says to bring too late; what nobody ordered of him, or too much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import F, Q

from activity.models import Alert, Severity
from receipts.models import PurchaseRequest, PurchaseState
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


def wrongly_ordered(*, kind: str, on: date) -> list[Alert]:
    """Alerts of a kind about direct supply that nobody has ordered though the order went out before `on`, and about what is on
    order and not wanted any more. What is overdue is late, and said by `late_arrivals`.
    """
    waits = Q(to_order__gt=0, order__status__in=WITH_VENDOR, order__sent_at__date__lt=on, expected_on__gte=on)
    found = PurchaseRequest.objects.filter(waits | Q(state=PurchaseState.SURPLUS))
    rows = found.select_related("order", "order_line__production_order", "item", "vendor", "purchase")
    return [_order_alert(kind, one) for one in rows.order_by("pk")]


def _order_alert(kind: str, asked: PurchaseRequest) -> Alert:
    whose = f"for {asked.vendor.code} ({asked.order} line {asked.order_line.line_no})"
    if asked.state == PurchaseState.SURPLUS:
        title = (
            f"{say(asked.on_order)} of {asked.item} {whose} are on order with {asked.purchase}, {say(asked.wanted)} are wanted: "
            "call the rest off"
        )
        proposes, after = "call_off", {"on_order": say(asked.on_order), "wanted": say(asked.wanted)}
    else:
        title = (
            f"{say(asked.to_order)} of {asked.item} {whose} are to be delivered by a third party until {asked.needed_on}, and "
            "nobody has ordered them"
        )
        proposes, after = "order", {"to_order": say(asked.to_order)}
    return _about(asked, kind=kind, severity=Severity.WARNING, title=title, before={}, after=after, proposes=proposes)


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
    before = {"needed": asked.needed_on.isoformat()}
    after = {"expected": asked.expected_on.isoformat(), "open": say(asked.wanted)}
    return _about(asked, kind=kind, severity=severity, title=said, before=before, after=after)


def _about(
    asked: PurchaseRequest,
    *,
    kind: str,
    severity: str,
    title: str,
    before: dict[str, str],
    after: dict[str, str],
    proposes: str = "",
) -> Alert:
    line = asked.order_line
    return Alert(
        kind=kind,
        subject=asked.reference[:160],
        severity=severity,
        title=title[:300],
        order_number=asked.order.number,
        line_no=line.line_no,
        production_order=line.production_order.number if line.production_order else "",
        operation_no=line.operation_no,
        site_id=asked.site_id,
        vendor_id=asked.vendor_id,
        before=before,
        after=after,
        proposes=proposes,
        due_date=asked.needed_on,
    )
