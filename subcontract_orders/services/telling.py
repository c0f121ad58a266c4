"""What a vendor tells of work he has taken: ready, or on its way back. It is noted; pieces count when they are received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Event
from core.refusals import InvalidInput, InvalidQuantity, TooPrecise
from masterdata import services as masterdata
from production.rules.components import rounded_up
from subcontract_orders.models import SubcontractOrder
from subcontract_orders.services.lines import KIND
from subcontract_orders.services.moving import NotOfThisState, lock_order
from subcontract_orders.services.terms import line_of

What = Literal["ready", "shipped"]


@dataclass(frozen=True, slots=True)
class ToldLine:
    """So many pieces of a line; the whole rest of it where no quantity is said."""

    line_no: int
    quantity: Decimal | None = None


@transaction.atomic
def tell(
    *,
    order_id: int,
    what: What,
    lines: Sequence[ToldLine],
    on: date,
    note: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "vendor",
) -> SubcontractOrder:
    """Note that pieces are ready at the vendor since, or were shipped by him on, a day.

    The same again is the same note. Raises NotOfThisState where he does not have the order, NotFound, Stale, InvalidInput,
    InvalidQuantity (also more than is still expected of the line), TooPrecise.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not order.is_with_vendor:
        raise NotOfThisState(f"{order} is {order.get_status_display().lower()}: there is nothing to tell of it.")
    if not lines or len({one.line_no for one in lines}) != len(lines):
        raise InvalidInput("Name each line once.", field="lines")
    if on > masterdata.site_dates(at=at)[order.site_id]:
        raise InvalidInput(f"{on} is still to come; tell it when it is so.", field="date")
    told = []
    for one in lines:
        line = line_of(order, one.line_no)
        quantity = line.open_in_force if one.quantity is None else one.quantity
        decimals = line.item.decimals
        if quantity <= 0 or quantity > line.open_in_force:
            raise InvalidQuantity(
                f"Line {line.line_no} still expects {line.open_in_force.normalize():f}; {quantity.normalize():f} cannot be.",
                field="quantity",
            )
        if quantity != rounded_up(quantity, decimals=decimals):
            raise TooPrecise(f"{line.item} has {decimals} decimals; {quantity} has more.", field="quantity")
        told.append({"line": line.line_no, "quantity": f"{quantity.normalize():f}"})
    said = ", ".join(f"{one['quantity']} of line {one['line']}" for one in told)
    detail = f"{said} {'since' if what == 'ready' else 'on'} {on}{f': {note}' if note else ''}"
    data: dict[str, Any] = {"lines": told, "date": on.isoformat(), "note": note[:300], "detail": detail[:600]}
    name = f"order.{what}"
    known = Event.objects.of(kind=KIND, number=order.number).filter(name=name).order_by("-pk").first()
    if known is None or known.data != data:
        activity.record(
            name,
            kind=KIND,
            number=order.number,
            at=at,
            by=by,
            through=through,
            site_id=order.site_id,
            vendor_id=order.vendor_id,
            data=data,
        )
    return order
