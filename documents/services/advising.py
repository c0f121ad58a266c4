"""Batch advice on drafts: lots of one vendor and process that reach a minimum charge together, joined in one act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import WrongState
from documents.services.acting import follow_line
from masterdata.models import Process, Vendor
from policies.models import ChargeBasis
from policies.rules.advice import Advice, Lot, advise
from shipments import services as shipments
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus, SubcontractOrder

BATCH, BELOW_MINIMUM = "batch_opportunity", "below_minimum"
WINDOW_DAYS = 7
"""How long a lot may wait for others."""
AHEAD_DAYS = 30
"""Drafts to be ordered later than this may still change too much."""
TOGETHER = "order"
"""The pin of a line that a person put on another order than its own period's."""


class NoLongerSo(WrongState):
    """The orders changed since the advice was given."""


def opportunities(*, on: date) -> Iterator[tuple[SubcontractOrder, Process, Advice]]:
    """What could be ordered together as the drafts stand now, with the order the others would join."""
    lines = (
        OrderLine.objects.filter(
            status=LineStatus.OPEN,
            order__status=OrderStatus.DRAFT,
            order__revision=1,
            order__order_by__lte=on + timedelta(days=AHEAD_DAYS),
            minimum_charge__gt=0,
            minimum_charge_basis=ChargeBasis.ORDER,
            process__isnull=False,
        )
        .order_by("order_id", "line_no")
        .values_list(
            "order_id",
            "order__number",
            "order__order_by",
            "vendor_id",
            "order__site_id",
            "ship_to_id",
            "order__currency_id",
            "process_id",
            "work_amount",
            "minimum_charge",
        )
    )
    work: dict[tuple[int, ...], dict[int, Lot]] = defaultdict(dict)
    for order_id, number, order_by, vendor, site, place, currency, process, amount, minimum in lines.iterator():
        if order_by is None or process is None:
            continue
        lots = work[vendor, site, place, currency, process]
        known = lots.get(order_id, Lot(order_id, number, order_by, Decimal(0), Decimal(0)))
        lots[order_id] = Lot(order_id, number, order_by, known.work + amount, max(known.minimum, minimum))
    found = [
        (key[-1], advice)
        for key, lots in sorted(work.items())
        for advice in advise(lots.values(), window_days=WINDOW_DAYS)
    ]
    firsts = SubcontractOrder.objects.select_related("vendor", "currency").in_bulk(
        [advice.lots[0].order_id for _, advice in found]
    )
    processes = Process.objects.in_bulk([process for process, _ in found])
    for process_id, advice in found:
        yield firsts[advice.lots[0].order_id], processes[process_id], advice


def advice_alerts(*, on: date) -> list[Alert]:
    """The advice of today, as alerts that propose joining."""
    return [_alert(order, process, advice) for order, process, advice in opportunities(on=on)]


@transaction.atomic
def take_advice(*, alert: Alert, by: User, at: datetime, through: str = "page") -> SubcontractOrder:
    """Put the lines of the orders an alert names on the first of them, pinned there; the others are cancelled.

    Planned shipments and expected receipts come along. Raises NoLongerSo, NotFound.
    """
    numbers = [str(number) for number in alert.after.get("orders", ())]
    found = {
        order.number: order
        for order in SubcontractOrder.objects.visible_to(by)
        .select_for_update(of=("self",))
        .filter(number__in=numbers)
        .order_by("pk")
    }
    if len(found) != len(numbers) or len(found) < 2:
        raise NoLongerSo("The orders this is about are not all there any more.")
    host, *others = (found[number] for number in numbers)
    alike = {(o.vendor_id, o.site_id, o.ship_to_id, o.currency_id) for o in found.values()}
    if len(alike) > 1 or any(o.status != OrderStatus.DRAFT or o.revision > 1 for o in found.values()):
        raise NoLongerSo("Some of these orders are approved, sent or cancelled meanwhile.")
    lines = list(
        OrderLine.objects.active().filter(order__in=others).select_for_update().order_by("order__order_by", "pk")
    )
    planned = shipments.planned_shipments(order_ids=[order.pk for order in others])
    shipments.unplan(line_ids=[line.pk for line in lines])
    shipments.plan(wanted=[], planned=planned, numbers=iter(()), at=at)
    last = host.lines.aggregate(last=Max("line_no"))["last"] or 0
    pin = {"by": by.get_username(), "at": at.isoformat(), "reason": alert.title}
    for line_no, line in enumerate(lines, last + 1):
        line.order, line.line_no, line.pinned = host, line_no, {**line.pinned, TOGETHER: pin}
        line.save(update_fields=["order", "line_no", "pinned"])
    orders.joined(host, others, by=by, at=at, through=through)
    for line in lines:
        follow_line(line, at=at)
    host.refresh_from_db()
    is_filled = not Decimal(str(alert.after.get("top_up", 0)))
    activity.close_alerts(kind=BELOW_MINIMUM, subjects=numbers if is_filled else numbers[1:], at=at)
    return host


def _alert(order: SubcontractOrder, process: Process, advice: Advice) -> Alert:
    others = [lot.number for lot in advice.lots[1:]]
    saves = f"{advice.saves:.{order.currency.decimals}f}"
    wait = f"Wait {advice.wait_days} days" if advice.wait_days != 1 else "Wait 1 day"
    lead = "Order together" if not advice.wait_days else wait
    more = "one more lot fills" if len(others) == 1 else f"{len(others)} more lots fill"
    if advice.top_up or not advice.lots[0].top_up:
        more = "one more lot shares" if len(others) == 1 else f"{len(others)} more lots share"
    vendor: Vendor = order.vendor
    return Alert(
        kind=BATCH,
        subject=f"{order.number}/{process.code}"[:160],
        severity=Severity.INFO,
        title=(
            f"{lead}: {more} the minimum of {vendor.code} for {process.code} ({', '.join([order.number, *others])}), "
            f"saves {saves} {order.currency}"
        )[:300],
        order_number=order.number,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        before={"top_up": f"{sum((lot.top_up for lot in advice.lots), Decimal(0)):.{order.currency.decimals}f}"},
        after={
            "orders": [lot.number for lot in advice.lots],
            "wait_days": advice.wait_days,
            "saves": saves,
            "top_up": f"{advice.top_up:.{order.currency.decimals}f}",
        },
        proposes="join",
        due_date=order.order_by,
    )
