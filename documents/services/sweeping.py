"""What is watched all the time, by state: alerts open, change and close by themselves, and find their people.

Each kind is one query over what is the case now; a sweep missed or done twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from activity import services as activity
from activity.models import Alert, Severity
from activity.services import Concern
from documents.rules import text
from documents.services.acting import expected_on
from documents.services.advising import BATCH, BELOW_MINIMUM, advice_alerts
from documents.services.reminding import remind_unconfirmed
from documents.services.watching import watch_approvals
from masterdata import services as masterdata
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine
from subcontract_orders.models import (
    UNSENT,
    CounterOffer,
    LinePromise,
    OfferState,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.rules import due_of
from subcontract_orders.services.moving import COUNTERED

UNCONFIRMED, NOT_SENT, LATE, DUE = "unconfirmed", "not_sent", "late", "due_tomorrow"
DIRECT = "direct_supply"
OVERDUE_STEPS = ((7, Severity.CRITICAL), (3, Severity.WARNING), (1, Severity.WARNING))
NOT_LEFT = ("planned", "picked", "held")


def watch(*, at: datetime, on: date) -> int:
    """Look at everything once: keep the alerts that follow from state, assign them, tell of critical ones, send up untaken ones.

    `on` is today. Returns how many alerts are new.
    """
    expect_next_parts()
    shipments.plan_what_is_open(at=at, but_lines=_lines_to_settle())
    new = (
        watch_unconfirmed(at=at, on=on)
        + watch_not_sent(at=at, on=on)
        + watch_late(at=at, on=on)
        + watch_minimum(at=at)
        + activity.keep_alerts(kind=DIRECT, alerts=receipts.wrongly_ordered(kind=DIRECT, on=on), at=at)
        + activity.keep_alerts(kind=BATCH, alerts=advice_alerts(on=on), at=at)
        + watch_approvals(on=on, at=at)
        + receipts.watch_vendor_stock(at=at, on=on)
    )
    receipts.watch_missing(at=at)
    _close_settled_offers(at=at)
    concerns = _concerns()
    activity.assign_alerts(concerns=concerns, on=on)
    activity.mail_critical_alerts(at=at)
    activity.escalate_alerts(concerns=concerns, at=at, on=on)
    return new


def unanswered_orders(*, on: date) -> QuerySet[SubcontractOrder]:
    """Sent, and no answer after the days a vendor has for it."""
    until = on - timedelta(days=masterdata.company().unconfirmed_days)
    offers = CounterOffer.objects.filter(order=OuterRef("pk"), state=OfferState.OPEN)
    return SubcontractOrder.objects.filter(status=OrderStatus.SENT, sent_at__date__lte=until).exclude(Exists(offers))


def watch_unconfirmed(*, at: datetime, on: date) -> int:
    """Say which orders nobody has answered, and remind of those that are new."""
    found = unanswered_orders(on=on).select_related("vendor").order_by("pk")
    alerts = [
        _of_order(
            UNCONFIRMED,
            order,
            title=f"{order.vendor.code} has not answered {order} since {order.sent_at:%Y-%m-%d}",
            before={"sent": f"{order.sent_at:%Y-%m-%d}"},
            proposes="remind",
            due=order.due_date,
        )
        for order in found.iterator()
    ]
    known = set(Alert.objects.open().filter(kind=UNCONFIRMED).values_list("subject", flat=True))
    remind_unconfirmed(numbers={alert.subject for alert in alerts} - known, at=at)
    return activity.keep_alerts(kind=UNCONFIRMED, alerts=alerts, at=at)


def watch_not_sent(*, at: datetime, on: date) -> int:
    """To be ordered before today, and still here; so is a later version of what the vendor has."""
    found = SubcontractOrder.objects.filter(status__in=UNSENT, order_by__lt=on).select_related("vendor").order_by("pk")
    return activity.keep_alerts(
        kind=NOT_SENT,
        alerts=[
            _of_order(
                NOT_SENT,
                order,
                title=_not_sent_title(order),
                before={"order_by": str(order.order_by)},
                proposes="send" if order.status == OrderStatus.APPROVED else "approve",
                due=order.order_by,
            )
            for order in found.iterator()
        ],
        at=at,
    )


def _not_sent_title(order: SubcontractOrder) -> str:
    if order.revision_waits:
        version = f"Version {order.revision} of {order} for {order.vendor.code}"
        return f"{version} was to be ordered by {order.order_by} and is {order.status}"
    return f"{order} for {order.vendor.code} was to be ordered by {order.order_by} and is {order.status}"


def watch_late(*, at: datetime, on: date) -> int:
    """Material that should have left or third parties should have brought, pieces that should be back (a day, three, seven
    overdue), and those due tomorrow.
    """
    late = [
        Alert(
            kind=LATE,
            subject=number,
            title=f"{number} to {vendor} was to leave on {day}"[:300],
            order_number=order or "",
            site_id=site_id,
            vendor_id=vendor_id,
            before={"dispatch_by": day.isoformat()},
            after={"shipment": number},
            proposes="ship",
            due_date=day,
        )
        for number, vendor, vendor_id, site_id, day, order in _not_dispatched(on)
    ]
    due: list[Alert] = []
    rows = (
        ExpectedReceipt.objects.open()
        .filter(expected_on__lte=on + timedelta(days=1))
        .filter(order_line__order__in=SubcontractOrder.objects.with_vendor())
        .order_by("pk")
        .values_list(
            "order_line",
            F("order_line__accepted") + F("order_line__rejected") + F("order_line__scrapped"),
            "order_line__order__number",
            "order_line__line_no",
            "order_line__order__vendor__code",
            "order_line__vendor_id",
            "order_line__order__site_id",
            "order_line__production_order__number",
            "order_line__operation_no",
            "item__code",
            "quantity",
            "expected_on",
        )
    )
    parts = _promised_parts(until=on + timedelta(days=1))
    for line_id, received, number, line_no, vendor, vendor_id, site_id, plan, operation, item, *said in rows.iterator():
        quantity, day = said
        if line_id in parts:
            quantity = due_of(parts[line_id], by=max(day, on - timedelta(days=1)), received=received) or quantity
        overdue = (on - day).days
        step = next(((days, severity) for days, severity in OVERDUE_STEPS if overdue >= days), None)
        said = f"{text(quantity)} of {item} from {vendor} ({number} line {line_no})"
        alert = Alert(
            kind=LATE if step else DUE,
            subject=f"{number}/{line_no}",
            severity=step[1] if step else Severity.INFO,
            title=f"{said} {'were due' if step else 'are due'} on {day}"[:300],
            order_number=number,
            line_no=line_no,
            production_order=plan or "",
            operation_no=operation,
            site_id=site_id,
            vendor_id=vendor_id,
            before={"promised": day.isoformat()},
            after={"overdue_days": step[0], "open": text(quantity)} if step else {"open": text(quantity)},
            proposes="expedite",
            due_date=day,
        )
        (late if step else due).append(alert)
    late += receipts.late_arrivals(kind=LATE, on=on, steps=OVERDUE_STEPS)
    return activity.keep_alerts(kind=LATE, alerts=late, at=at) + activity.keep_alerts(kind=DUE, alerts=due, at=at)


def _promised_parts(*, until: date) -> dict[int, list[tuple[Decimal, date]]]:
    """Of deliveries in parts of which something is due until a day: how much by when, by line."""
    due = ExpectedReceipt.objects.open().filter(expected_on__lte=until).values("order_line")
    rows = LinePromise.objects.filter(line__in=due).in_force().order_by("line", "position")
    found: dict[int, list[tuple[Decimal, date]]] = defaultdict(list)
    for line_id, quantity, day in rows.values_list("line", "quantity", "promised_date"):
        found[line_id].append((quantity, day))
    return found


def _not_dispatched(on: date) -> list[tuple[str, str, int, int, date, str | None]]:
    first = ShipmentLine.objects.filter(shipment=OuterRef("pk")).order_by("position")
    sent = ShipmentLine.objects.filter(
        shipment=OuterRef("pk"), order_line__order__in=SubcontractOrder.objects.with_vendor()
    )
    rows = (
        Shipment.objects.filter(Exists(sent), status__in=NOT_LEFT, dispatch_by__lt=on)
        .annotate(order_number=Subquery(first.values("order_line__order__number")[:1]))
        .order_by("pk")
    )
    return list(rows.values_list("number", "vendor__code", "vendor_id", "site_id", "dispatch_by", "order_number"))


def watch_minimum(*, at: datetime) -> int:
    """Orders not sent yet that pay for more work than they ask for."""
    found = (
        SubcontractOrder.objects.unsent()
        .annotate(top_up=Sum("lines__minimum_top_up", filter=~Q(lines__status="cancelled")))
        .filter(top_up__gt=0)
        .select_related("vendor", "currency")
        .order_by("pk")
    )
    lacking: list[tuple[SubcontractOrder, Decimal]] = [(order, getattr(order, "top_up")) for order in found.iterator()]  # noqa: B009
    return activity.keep_alerts(
        kind=BELOW_MINIMUM,
        alerts=[
            _of_order(
                BELOW_MINIMUM,
                order,
                severity=Severity.INFO,
                title=f"{order} does not reach the minimum of {order.vendor.code}: {top_up} {order.currency} for nothing",
                before={"top_up": str(top_up), "total": str(order.total)},
                due=order.order_by,
            )
            for order, top_up in lacking
        ],
        at=at,
    )


def expect_next_parts() -> int:
    """Of deliveries in parts, expect the next part that has not come."""
    promised = LinePromise.objects.filter(line=OuterRef("pk"))
    lines = OrderLine.objects.filter(
        Exists(promised),
        Exists(ExpectedReceipt.objects.open().filter(order_line=OuterRef("pk"))),
        order__in=SubcontractOrder.objects.with_vendor(),
    )
    changed = 0
    for line in lines.prefetch_related("promises").order_by("pk"):
        day = expected_on(line)
        changed += ExpectedReceipt.objects.filter(order_line=line).exclude(expected_on=day).update(expected_on=day)
    return changed


def _lines_to_settle() -> list[int]:
    """Lines whose vendor used more than lies there: what is still planned for them may be what he had."""
    known = Alert.objects.open().filter(kind="discrepancy").values_list("order_number", "line_no")
    of_them = [Q(order__number=number, line_no=line_no) for number, line_no in known]
    return list(OrderLine.objects.filter(reduce(or_, of_them)).values_list("pk", flat=True)) if of_them else []


def _close_settled_offers(*, at: datetime) -> None:
    waiting = CounterOffer.objects.filter(state=OfferState.OPEN).values_list("order__number", flat=True)
    activity.close_others(kinds=[COUNTERED], subjects=list(waiting), at=at)


def _concerns() -> dict[int, Concern]:
    """Of each untaken alert about an order: who bought it, and the process of its line."""
    order = SubcontractOrder.objects.filter(number=OuterRef("order_number"))
    line = OrderLine.objects.filter(order__number=OuterRef("order_number"), line_no=OuterRef("line_no"))
    rows = (
        Alert.objects.waiting()
        .filter(taken_by=None)
        .exclude(order_number="")
        .annotate(
            approver=Subquery(order.values("approved_by")[:1]),
            sender=Subquery(order.values("sent_by")[:1]),
            process=Subquery(line.values("process")[:1]),
        )
        .values_list("pk", "approver", "sender", "process")
    )
    return {
        pk: Concern(buyer_id=approver or sender, process_id=process)
        for pk, approver, sender, process in rows.iterator()
    }


def _of_order(
    kind: str,
    order: SubcontractOrder,
    *,
    title: str,
    before: dict[str, str],
    severity: str = Severity.WARNING,
    proposes: str = "",
    due: date | None,
) -> Alert:
    return Alert(
        kind=kind,
        subject=order.number,
        severity=severity,
        title=title[:300],
        order_number=order.number,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        before=before,
        proposes=proposes,
        due_date=due,
    )
