"""Reminding a vendor of what he has not answered or not delivered: by mail out of the outbox, with the link to the order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Coalesce

from accounts.models import User
from activity import services as activity
from activity.models import Event, Message
from masterdata import services as masterdata
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus, SubcontractOrder
from subcontract_orders.services.lines import KIND

REMINDER = "reminder"
NOT_LONG_AGO = timedelta(days=30)
SHOWN_LINES = 20
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many mails were queued, and why others were not."""

    queued: int
    refused: tuple[str, ...]


def remind_vendors(*, order_ids: Iterable[int], by: User | None, at: datetime, through: str = "page") -> Reminded:
    """Queue a mail to the vendor of each of these orders, once a day and revision. What cannot be reminded of is said."""
    found = SubcontractOrder.objects.visible_to(by) if by else SubcontractOrder.objects.all()
    rows = list(found.filter(pk__in=list(order_ids)).select_related("vendor", "site").order_by("pk"))
    open_lines = _open_lines(rows)
    today, links = masterdata.site_dates(at=at), orders.vendor_links(orders=rows, at=at)
    company = masterdata.company().name or "Outwork"
    mails, refused = [], []
    for order in rows:
        if not order.is_with_vendor:
            refused.append(f"{order} is {order.get_status_display().lower()}: there is nothing to remind of.")
            continue
        if not order.vendor.email:
            refused.append(f"{order.vendor} has no mail address: {order} must be asked for by telephone.")
            continue
        day = str(today[order.site_id])
        mails.append(_mail(order, open_lines.get(order.pk, []), company=company, day=day, link=links.get(order.pk, "")))
    known = set(Message.objects.filter(key__in=[mail.key for mail in mails]).values_list("key", flat=True))
    refused += [f"{mail.document_number} was reminded of today already." for mail in mails if mail.key in known]
    fresh = [mail for mail in mails if mail.key not in known]
    queued = activity.queue_messages(fresh, at=at)
    by_number = {order.number: order for order in rows}
    activity.record_many(
        [
            Event(
                name="order.reminded",
                document_kind=KIND,
                document_number=mail.document_number,
                at=at,
                by=by,
                through=through,
                site_id=by_number[mail.document_number].site_id,
                vendor_id=by_number[mail.document_number].vendor_id,
                data={"detail": mail.to},
            )
            for mail in fresh
        ]
    )
    return Reminded(queued, tuple(refused))


def _open_lines(rows: list[SubcontractOrder]) -> dict[int, list[str]]:
    """Of each order what is still owed, a sentence a line, no more than a mail shows."""
    found: dict[int, list[str]] = {}
    lines = OrderLine.objects.filter(order__in=rows, status=LineStatus.OPEN).order_by("order", "line_no")
    columns = lines.values_list(
        "order_id",
        "line_no",
        "item__code",
        Coalesce("sent_quantity", "quantity") - F("accepted") - F("rejected") - F("scrapped"),
        Coalesce("sent_promised_date", "promised_date"),
    )
    for order_id, line_no, item, owed, promised in columns.iterator():
        mine = found.setdefault(order_id, [])
        if len(mine) < SHOWN_LINES:
            mine.append(f"  line {line_no}: {owed.normalize():f} of {item}, promised for {promised}")
        elif len(mine) == SHOWN_LINES:
            mine.append("  …")
    return found


def remind_unconfirmed(*, numbers: Iterable[str], at: datetime) -> int:
    """Remind, once a revision, of orders that stay unanswered beyond the days a vendor has for that.

    What was sent long ago (as orders loaded at go-live) is for a person to ask about.
    """
    rows = SubcontractOrder.objects.filter(
        number__in=list(numbers), status=OrderStatus.SENT, sent_at__gte=at - NOT_LONG_AGO
    ).exclude(vendor__email="")
    told = set(
        Message.objects.filter(kind=REMINDER, document_number__in=rows.values("number")).values_list(
            "document_number", "revision"
        )
    )
    waiting = [
        pk for pk, number, revision in rows.values_list("pk", "number", "revision") if (number, revision) not in told
    ]
    parts = (waiting[start : start + AT_ONCE] for start in range(0, len(waiting), AT_ONCE))
    return sum(remind_vendors(order_ids=part, by=None, at=at, through="system").queued for part in parts)


def _mail(order: SubcontractOrder, lines: list[str], *, company: str, day: str, link: str) -> Message:
    asked = "has not been answered" if order.status == OrderStatus.SENT else "is still open"
    body = [
        f"Our order {order.number} {asked}.",
        "",
        *lines,
        "",
        *(["Please answer on the page of the order:", link, ""] if link else []),
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
