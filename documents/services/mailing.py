"""What vendors are told by mail: an order as soon as it is sent, each version once, and that it is cancelled.

The outbox row is written with the act itself (`subcontract_orders`, below); here its mail is written when it leaves.
"""

from __future__ import annotations

from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from activity import services as activity
from activity.models import Message
from activity.services import Attachment, Mail, Overtaken
from documents.services.reminding import REMINDER, write_reminder_mail
from masterdata.models import Company
from subcontract_orders import services as orders
from subcontract_orders.models import OrderLine, OrderRevision, OrderStatus, SubcontractOrder
from subcontract_orders.printing import order_paper
from subcontract_orders.services.links import vendor_link

NOT_ANY_MORE = (OrderStatus.CANCELLED, OrderStatus.CLOSED, OrderStatus.HELD)

MOST_ATTACHED = 8 * 1024 * 1024
"""Bytes of files that go along with a mail; many mail servers take no more than 10 MB."""


def send_due_messages(*, at: datetime) -> int:
    """Deliver the mail that is due. Returns how many were delivered."""
    return activity.send_due_messages(at=at, composers=COMPOSERS)


def order_document(*, order_id: int, at: datetime) -> bytes:
    """The order on paper; with the code to answer under where it is with the vendor. Raises PdfUnavailable."""
    order = SubcontractOrder.objects.get(pk=order_id)
    return order_paper(order_id=order_id, link=vendor_link(order=order, at=at) if order.is_with_vendor else "")


def write_order_mail(message: Message) -> Mail:
    """The mail an order goes out with: what, how much, by when, the paper, and the link to answer under.

    Raises Overtaken where a later version was sent since, or the order is not with the vendor any more.
    """
    order = SubcontractOrder.objects.select_related("vendor", "currency", "site").get(number=message.document_number)
    sent = OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("-revision").first()
    if sent is None or sent.revision != message.revision:
        raise Overtaken(f"Version {sent.revision if sent else 0} was sent since.")
    if order.status in NOT_ANY_MORE:
        raise Overtaken(f"{order} is {order.get_status_display().lower()}.")
    link = vendor_link(order=order, at=timezone.now())
    with translation.override(order.vendor.language or "en"):
        about = {
            "order": order,
            "company": Company.objects.first(),
            "revision": sent.revision,
            "lines": OrderLine.objects.active()
            .filter(order=order)
            .select_related("item__unit", "process")
            .order_by("line_no"),
            "link": link,
        }
        number = {"number": order.number, "revision": sent.revision}
        return Mail(
            subject=(
                gettext("Subcontract order {number}, version {revision}")
                if sent.revision > 1
                else gettext("Subcontract order {number}")
            ).format(**number),
            body=render_to_string("documents/order_mail.txt", about),
            html=render_to_string("documents/order_mail.html", about),
            attachments=(
                Attachment(f"{order.number}.pdf", order_paper(order_id=order.pk, link=link), "application/pdf"),
                *_files(sent),
            ),
        )


def _files(sent: OrderRevision) -> list[Attachment]:
    """The files that go with what was sent, as many as a mail carries; the rest is fetched under the link."""
    found, size = [], 0
    for told in orders.told_files(sent.content["lines"]):
        size += told.size
        if size > MOST_ATTACHED:
            break
        with told.open() as content:
            found.append(Attachment(told.name, content.read(), orders.content_type(told.name)))
    return found


def write_cancellation_mail(message: Message) -> Mail:
    """The word that an order is not to be done. Raises Overtaken where the vendor was never mailed the order."""
    order = SubcontractOrder.objects.select_related("vendor").get(number=message.document_number)
    told = Message.objects.filter(kind="order", document_number=order.number, delivered_at__isnull=False)
    if not told.exists():
        raise Overtaken(f"{order.vendor} was never mailed {order}.")
    with translation.override(order.vendor.language or "en"):
        company = Company.objects.first()
        said = {"number": order.number, "company": (company and company.name) or "Outwork"}
        return Mail(
            subject=gettext("Subcontract order {number} is cancelled").format(**said),
            body="\n\n".join(
                [
                    gettext("{company} cancels order {number}: please do not begin, or stop the work.").format(**said),
                    gettext(
                        "Material of ours that is with you for it comes back to us; we tell you when it is fetched."
                    ),
                ]
            ),
        )


COMPOSERS: dict[str, activity.Composer] = {
    "order": write_order_mail,
    "order_cancelled": write_cancellation_mail,
    REMINDER: write_reminder_mail,
}
