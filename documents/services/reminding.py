"""Reminding a vendor of what he has not answered or not delivered: by mail out of the outbox, with the link to the order.

The outbox row says which order and version; the mail is written in the vendor's language when it leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.models import User
from activity import services as activity
from activity.models import Event, Message
from activity.services import Mail, Overtaken
from masterdata import services as masterdata
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderLine, OrderRevision, OrderStatus, SubcontractOrder
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
    today = masterdata.site_dates(at=at)
    mails, refused = [], []
    for order in rows:
        if not order.is_with_vendor:
            refused.append(f"{order} is {order.get_status_display().lower()}: there is nothing to remind of.")
            continue
        if not order.vendor.email:
            refused.append(f"{order.vendor} has no mail address: {order} must be asked for by telephone.")
            continue
        mails.append(_message(order, day=today[order.site_id]))
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


def _message(order: SubcontractOrder, *, day: date) -> Message:
    return Message(
        kind=REMINDER,
        key=f"{REMINDER}/{order.number}/{order.revision}/{day}",
        to=order.vendor.email,
        subject=f"Reminder of {order.number}",
        document_kind=KIND,
        document_number=order.number,
        revision=order.revision,
    )


def write_reminder_mail(message: Message) -> Mail:
    """What of an order is still owed or unanswered, and the link to it, in the vendor's language.

    Raises Overtaken where a later version was sent since, the order is not with the vendor any more, or nothing of it is owed.
    """
    order = SubcontractOrder.objects.select_related("vendor").get(number=message.document_number)
    if OrderRevision.objects.filter(order=order, sent_at__gt=message.created_at).exists():
        raise Overtaken(f"A later version of {order} was sent since.")
    lines = (
        OrderLine.objects.filter(order=order, status=LineStatus.OPEN).select_related("item__unit").order_by("line_no")
    )
    if not order.is_with_vendor or not lines:
        raise Overtaken(f"{order} is {order.get_status_display().lower()}; nothing of it is owed.")
    with translation.override(order.vendor.language or "en"):
        about = {
            "order": order,
            "company": masterdata.company().name or "Outwork",
            "is_unanswered": order.status == OrderStatus.SENT,
            "lines": lines[:SHOWN_LINES],
            "more": max(len(lines) - SHOWN_LINES, 0),
            "link": orders.vendor_link(order=order, at=timezone.now()),
        }
        return Mail(
            subject=gettext("Reminder: subcontract order {number}").format(number=order.number),
            body=render_to_string("documents/reminder_mail.txt", about),
            html=render_to_string("documents/reminder_mail.html", about),
        )
