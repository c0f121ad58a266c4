"""The signed address under which a vendor finds the one order it was made for, without an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db.models import Max
from django.urls import reverse

from core.refusals import NotFound, WrongState
from subcontract_orders.models import OrderRevision, SubcontractOrder

SALT = "subcontract_orders.vendor_link"


class LinkExpired(WrongState):
    """The days for which a link holds are over."""


class LinkOvertaken(WrongState):
    """A later revision was sent, with a link of its own."""


@dataclass(frozen=True, slots=True)
class LinkedOrder:
    """What a link opens: the order, and the revision of it that the vendor holds."""

    order: SubcontractOrder
    revision: OrderRevision
    until: date


def vendor_link(*, order: SubcontractOrder, at: datetime) -> str:
    """The whole address for the vendor of a sent order. It opens the revision sent last, until a later one is sent or its days
    (VENDOR_LINK_DAYS) are over.
    """
    links = vendor_links(orders=[order], at=at)
    if not links:
        raise WrongState(f"{order} was never sent: there is nothing its vendor could answer.")
    return links[order.pk]


def vendor_links(*, orders: Sequence[SubcontractOrder], at: datetime) -> dict[int, str]:
    """The addresses for many orders at once, by key; those never sent have none."""
    sent = dict(
        OrderRevision.objects.filter(order__in=orders, sent_at__isnull=False)
        .values_list("order_id")
        .annotate(last=Max("revision"))
        .order_by()
    )
    until = (at.date() + timedelta(days=settings.VENDOR_LINK_DAYS)).isoformat()
    address = settings.SITE_ADDRESS.rstrip("/")
    return {
        order.pk: address
        + reverse("portal:order", args=[signing.dumps({"o": order.number, "r": sent[order.pk], "u": until}, salt=SALT)])
        for order in orders
        if order.pk in sent
    }


def open_link(*, token: str, at: datetime) -> LinkedOrder:
    """The order a link was made for. Raises NotFound (not ours, or changed), LinkExpired, LinkOvertaken."""
    try:
        said = signing.loads(token, salt=SALT)
        number, revision, until = said["o"], said["r"], date.fromisoformat(said["u"])
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise NotFound("This link is not one of ours, or a part of it is missing.", field="link") from None
    if at.date() > until:
        raise LinkExpired(f"This link held until {until}. Ask the buyer for a new one.")
    order = (
        SubcontractOrder.objects.select_related("vendor", "site", "ship_to", "currency").filter(number=number).first()
    )
    sent = order and OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("-revision").first()
    if order is None or not sent:
        raise NotFound("The order this link was made for is not there.", field="link")
    if sent.revision != revision:
        raise LinkOvertaken(
            f"{order} was sent anew as version {sent.revision}; this link is for version {revision}. "
            "Use the link in the newer message."
        )
    return LinkedOrder(order, sent, until)
