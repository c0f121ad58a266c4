"""Reminding a vendor of what he has not answered or not delivered: by mail out of the outbox, with the link to the order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from activity import services as activity
from activity.models import Message
from masterdata import services as masterdata
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus, SubcontractOrder
from subcontract_orders.services.lines import KIND

REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many mails were queued, and why others were not."""

    queued: int
    refused: tuple[str, ...]


def remind_vendors(*, order_ids: Iterable[int], by: User | None, at: datetime, through: str = "page") -> Reminded:
    """Queue a mail to the vendor of each of these orders, once a day and revision. What cannot be reminded of is said."""
    found = SubcontractOrder.objects.visible_to(by) if by else SubcontractOrder.objects.all()
    rows = list(found.filter(pk__in=list(order_ids)).select_related("vendor", "site").order_by("pk"))
    open_lines: dict[int, list[OrderLine]] = {}
    for line in (
        OrderLine.objects.filter(order__in=rows, status=LineStatus.OPEN).select_related("item").order_by("line_no")
    ):
        open_lines.setdefault(line.order_id, []).append(line)
    today = masterdata.site_dates(at=at)
    company = masterdata.company().name or "Outwork"
    mails, refused = [], []
    for order in rows:
        if not order.is_with_vendor:
            refused.append(f"{order} is {order.get_status_display().lower()}: there is nothing to remind of.")
            continue
        if not order.vendor.email:
            refused.append(f"{order.vendor} has no mail address: {order} must be asked for by telephone.")
            continue
        mails.append(_mail(order, open_lines.get(order.pk, []), company=company, day=str(today[order.site_id]), at=at))
    known = set(Message.objects.filter(key__in=[mail.key for mail in mails]).values_list("key", flat=True))
    refused += [f"{mail.document_number} was reminded of today already." for mail in mails if mail.key in known]
    fresh = [mail for mail in mails if mail.key not in known]
    queued = activity.queue_messages(fresh, at=at)
    by_number = {order.number: order for order in rows}
    for mail in fresh:
        order = by_number[mail.document_number]
        activity.record(
            "order.reminded", kind=KIND, number=order.number, at=at, by=by, through=through, site_id=order.site_id,
            vendor_id=order.vendor_id, data={"to": mail.to, "detail": mail.to},
        )  # fmt: skip
    return Reminded(queued, tuple(refused))


def remind_unconfirmed(*, numbers: Iterable[str], at: datetime) -> int:
    """Remind, once a revision, of orders that stay unanswered beyond the days a vendor has for that."""
    rows = SubcontractOrder.objects.filter(number__in=list(numbers), status=OrderStatus.SENT)
    told = set(
        Message.objects.filter(kind=REMINDER, document_number__in=rows.values("number")).values_list(
            "document_number", "revision"
        )
    )
    waiting = [
        pk for pk, number, revision in rows.values_list("pk", "number", "revision") if (number, revision) not in told
    ]
    return remind_vendors(order_ids=waiting, by=None, at=at, through="system").queued if waiting else 0


def _mail(order: SubcontractOrder, lines: list[OrderLine], *, company: str, day: str, at: datetime) -> Message:
    asked = "has not been answered" if order.status == OrderStatus.SENT else "is still open"
    rows = [
        f"  line {line.line_no}: {line.open_in_force.normalize():f} of {line.item.code}, promised for {line.promised_in_force}"
        for line in lines
    ]
    body = [
        f"Our order {order.number} {asked}.",
        "",
        *rows,
        "",
        "Please answer on the page of the order:",
        orders.vendor_link(order=order, at=at),
        "",
        company,
    ]
    return Message(
        kind=REMINDER,
        key=f"{REMINDER}/{order.number}/{order.revision}/{day}",
        to=order.vendor.email,
        subject=f"{company}: order {order.number} {asked}"[:200],
        body="\n".join(body),
        document_kind=KIND,
        document_number=order.number,
        revision=order.revision,
    )
