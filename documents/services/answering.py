"""What a vendor answers, and what we say to that, on whole document sets; and one act for an order that must go now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.refusals import NoRight
from documents.services.acting import approve_set, cancel_set, follow_order, send_set
from shipments import services as shipments
from shipments.services import NothingToShip
from subcontract_orders import services as orders
from subcontract_orders.models import CounterOffer, OfferState, OrderStatus, SubcontractOrder
from subcontract_orders.services import CounteredLine


def counter_set(
    *,
    order_id: int,
    lines: Sequence[CounteredLine],
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> CounterOffer:
    """The vendor offers other quantities or dates. Raises as subcontract_orders.services.counter_order."""
    return orders.counter_order(
        order_id=order_id, lines=lines, reason=reason, expected_version=expected_version, by=by, at=at, through=through
    )


def refuse_set(
    *,
    order_id: int,
    reason: str,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> CounterOffer:
    """The vendor does not take the order. Raises as subcontract_orders.services.refuse_order."""
    return orders.refuse_order(
        order_id=order_id, reason=reason, expected_version=expected_version, by=by, at=at, through=through
    )


@transaction.atomic
def accept_counter(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Agree to what the vendor offers, with the planned shipment and the expected receipt; a refusal cancels the set.

    Raises as subcontract_orders.services.accept_counter.
    """
    refused = CounterOffer.objects.filter(order=order_id, state=OfferState.OPEN, is_refusal=True).first()
    if refused:
        return cancel_set(
            order_id=order_id,
            reason=refused.reason,
            expected_version=expected_version,
            by=by,
            at=at,
            through=through,
        )
    order = orders.accept_counter(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    follow_order(order, at=at)
    return order


def reject_counter(
    *,
    order_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Insist on the order as it was sent. Raises as subcontract_orders.services.reject_counter."""
    return orders.reject_counter(
        order_id=order_id, reason=reason, expected_version=expected_version, by=by, at=at, through=through
    )


@transaction.atomic
def withdraw_revision(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Drop a revision that waits to be sent. Raises as subcontract_orders.services.withdraw_revision."""
    order = orders.withdraw_revision(
        order_id=order_id, expected_version=expected_version, by=by, at=at, through=through
    )
    follow_order(order, at=at)
    return order


@transaction.atomic
def rush_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Let an order go now: approve it, send it, pick and dispatch all that is open, in one act or not at all.

    What is done already is left out. Raises as approving, sending and shipping do; NoRight where the user may not ship.
    """
    order = orders.lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not by.has_perm("shipments.change_shipment"):
        raise NoRight(f"You may not ship; {order} stays as it is.")
    if order.status == OrderStatus.DRAFT:
        approve_set(order_id=order_id, by=by, at=at, through=through)
        order.refresh_from_db()
    if order.status == OrderStatus.APPROVED:
        send_set(order_id=order_id, by=by, at=at, through=through)
    try:
        shipments.ship(order_ids=[order_id], by=by, at=at, through=through)
    except NothingToShip:
        if any(one.is_set_aside for one in shipments.staying([order_id])):
            raise
        # The vendor has, or provides, all that it needs.
    order.refresh_from_db()
    return order
