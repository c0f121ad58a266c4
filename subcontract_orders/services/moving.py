"""What every act of a person on an order goes through: the lock, the states that allow it, the new state, the event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.models import User
from activity import services as activity
from core.refusals import NotFound, Stale, WrongState
from subcontract_orders.models import WITH_VENDOR, CounterOffer, OfferState, OrderStatus, SubcontractOrder
from subcontract_orders.services import lines as writing

KIND = writing.KIND
COUNTERED = "vendor_countered"
"""The alert that a vendor answered something else than yes."""


class NotOfThisState(WrongState):
    """The order's status does not allow this."""


def lock_order(*, order_id: int, expected_version: int | None, by: User | None) -> SubcontractOrder:
    """The order, locked until the transaction ends. Raises NotFound, Stale."""
    orders = SubcontractOrder.objects.visible_to(by) if by else SubcontractOrder.objects.all()
    order = orders.select_for_update(of=("self",)).filter(pk=order_id).first()
    if order is None:
        raise NotFound("There is no such order.", field="order")
    if expected_version is not None and order.version != expected_version:
        raise Stale(f"{order} was changed since you read it; look at it again.")
    return order


def must_be(order: SubcontractOrder, *allowed: str, to: str) -> None:
    if order.status in allowed:
        return
    if order.revision_waits and set(allowed) & set(WITH_VENDOR):
        raise NotOfThisState(f"A later version of {order} waits: send it or drop it first.")
    raise NotOfThisState(f"{order} is {order.get_status_display().lower()}; one cannot {to} it.")


def moved(
    order: SubcontractOrder,
    status: str,
    event: str,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: dict[str, Any] | None = None,
    **fields: Any,
) -> SubcontractOrder:
    """Bring a locked order into a state, with its next version and its event; an answer that waits goes where it is not out."""
    if status == OrderStatus.CANCELLED:  # which agrees with a vendor who does not take it
        refusals = CounterOffer.objects.filter(order=order, state=OfferState.OPEN, is_refusal=True)
        refusals.update(state=OfferState.ACCEPTED, settled_at=at, settled_by=by)
    if status not in (*WITH_VENDOR, OrderStatus.HELD):
        overtake_offers([order], at=at)
    order.status = status
    order.version += 1
    for name, value in fields.items():
        setattr(order, name, value)
    order.save()
    record(event, order, by=by, at=at, through=through, data=data)
    return order


def overtake_offers(orders: Sequence[SubcontractOrder], *, at: datetime) -> None:
    """The orders changed: what a vendor answered to what they were is not to be accepted any more."""
    CounterOffer.objects.filter(order__in=orders, state=OfferState.OPEN).update(
        state=OfferState.OVERTAKEN, settled_at=at
    )
    activity.close_alerts(kind=COUNTERED, subjects=[order.number for order in orders], at=at)


def record(
    event: str, order: SubcontractOrder, *, by: User | None, at: datetime, through: str, data: dict[str, Any] | None
) -> None:
    activity.record(
        event,
        kind=KIND,
        number=order.number,
        at=at,
        by=by,
        through=through,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        data=data,
    )
