"""What a vendor answers to an order: yes with dates, other quantities or dates, or no; and what we say to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, TooPrecise, WrongState
from masterdata import services as masterdata
from production.rules.components import rounded_up
from subcontract_orders.models import (
    WITH_VENDOR,
    CounterLine,
    CounterOffer,
    LinePromise,
    OfferState,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services.moving import COUNTERED, lock_order, moved, must_be
from subcontract_orders.services.order import cancel_order
from subcontract_orders.services.revising import LineChange, revise_lines
from subcontract_orders.services.terms import line_of

ZERO = Decimal(0)
WHY = "what the vendor can make"


class NoCounterOffer(WrongState):
    """The vendor has countered nothing that waits for an answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """So much by a date; what is blank stays as it was ordered or promised."""

    quantity: Decimal | None = None
    promised_date: date | None = None


@dataclass(frozen=True, slots=True)
class CounteredLine:
    """What the vendor offers for one line: one part, or several for a delivery in parts."""

    line_no: int
    parts: tuple[Part, ...]


@transaction.atomic
def counter_order(
    *,
    order_id: int,
    lines: Sequence[CounteredLine],
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> CounterOffer:
    """The vendor offers other quantities or dates. The order stays as it is until somebody accepts; an alert says so.

    Countering again replaces what was offered for the same lines. Raises NotOfThisState, NotFound, Stale, InvalidInput,
    InvalidQuantity (also below what is received), TooPrecise.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *WITH_VENDOR, to="counter")
    if not lines or len({one.line_no for one in lines}) != len(lines):
        raise InvalidInput("Name each line once, with what is offered for it.", field="lines")
    offer = _open_offer(order, by=by, at=at)
    offer.is_refusal, offer.reason = False, reason[:300]
    offer.save(update_fields=["is_refusal", "reason"])
    today = masterdata.site_dates(at=at)[order.site_id]
    for countered in lines:
        line = line_of(order, countered.line_no)
        CounterLine.objects.filter(offer=offer, order_line=line).delete()
        CounterLine.objects.bulk_create(_parts(offer, line, countered.parts, today=today))
    _alert(order, offer, at=at)
    moved(
        order, order.status, "order.countered", by=by, at=at, through=through, data={**_said(offer), "reason": reason}
    )
    return offer


@transaction.atomic
def refuse_order(
    *,
    order_id: int,
    reason: str,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> CounterOffer:
    """The vendor does not take the order. It stays until somebody accepts that; an alert says so.

    Raises NotOfThisState, NotFound, Stale.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *WITH_VENDOR, to="reject")
    offer = _open_offer(order, by=by, at=at)
    offer.is_refusal, offer.reason = True, reason[:300]
    offer.save(update_fields=["is_refusal", "reason"])
    CounterLine.objects.filter(offer=offer).delete()
    _alert(order, offer, at=at)
    moved(order, order.status, "order.refused", by=by, at=at, through=through, data={"reason": reason})
    return offer


@transaction.atomic
def accept_counter(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Agree to what the vendor offers: a new revision with his quantities and dates, acknowledged by him already.

    Worth more than was approved, it waits for approval as any revision does. A lower quantity is what he can make: runs do not
    ask him for the rest on this line but order it anew. A refusal cancels the order.
    Raises NoCounterOffer, NotOfThisState, Received, NotFound, Stale.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    offer = _settle(order, OfferState.ACCEPTED, by=by, at=at)
    if offer.is_refusal:
        return cancel_order(
            order_id=order.pk, reason=offer.reason or "The vendor does not take it.", by=by, at=at, through=through
        )
    parts: dict[OrderLine, list[CounterLine]] = {}
    for part in offer.lines.select_related("order_line").order_by("order_line__line_no", "position"):
        parts.setdefault(part.order_line, []).append(part)
    changes = []
    for line, mine in parts.items():
        quantity = sum((part.quantity for part in mine), ZERO)
        changes.append(
            LineChange(
                line.line_no,
                quantity=None if quantity == line.quantity else quantity,
                promised_date=max(part.promised_date for part in mine),
                pin={"quantity": WHY} if quantity < line.quantity else {},
            )
        )
    revise_lines(order_id=order.pk, changes=changes, reason="The vendor's counter-offer", by=by, at=at, through=through)
    LinePromise.objects.filter(line__in=parts, is_told=False).delete()
    LinePromise.objects.bulk_create(
        LinePromise(line=line, position=position, quantity=part.quantity, promised_date=part.promised_date)
        for line, mine in parts.items()
        for position, part in enumerate(sorted(mine, key=lambda one: one.promised_date), 1)
        if len(mine) > 1
    )
    order.refresh_from_db()
    if order.status not in WITH_VENDOR:
        return order
    return moved(
        order, OrderStatus.ACKNOWLEDGED, "order.acknowledged", by=by, at=at, through=through, acknowledged_at=at
    )


@transaction.atomic
def reject_counter(
    *,
    order_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Insist on the order as it was sent. Raises NoCounterOffer, NotFound, Stale."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    _settle(order, OfferState.REJECTED, by=by, at=at)
    return moved(order, order.status, "order.counter_rejected", by=by, at=at, through=through, data={"reason": reason})


def _open_offer(order: SubcontractOrder, *, by: User | None, at: datetime) -> CounterOffer:
    known = CounterOffer.objects.filter(order=order, state=OfferState.OPEN).first()
    return known or CounterOffer.objects.create(order=order, revision=order.revision, made_at=at, made_by=by)


def _parts(offer: CounterOffer, line: OrderLine, parts: Sequence[Part], *, today: date) -> list[CounterLine]:
    if not parts:
        raise InvalidInput("Say which quantity or date is offered.", field="quantity")
    decimals = line.item.decimals
    rows = []
    for position, part in enumerate(parts, 1):
        if part.quantity is None and len(parts) > 1:
            raise InvalidInput("Each part of a delivery has its quantity.", field="parts")
        if part.quantity is None and part.promised_date is None:
            raise InvalidInput("Say which quantity or date is offered.", field="quantity")
        if part.promised_date is not None:
            masterdata.check_day(part.promised_date, today=today, field="promised_date")
            if part.promised_date < today:
                raise InvalidDate(f"{part.promised_date} is past; today is {today}.", field="promised_date")
        quantity = line.quantity if part.quantity is None else part.quantity
        if quantity <= 0:
            raise InvalidQuantity(
                f"{quantity} is not above zero; to refuse the whole order, reject it.", field="quantity"
            )
        if quantity != rounded_up(quantity, decimals=decimals):
            raise TooPrecise(f"{line.item} has {decimals} decimals; {quantity} has more.", field="quantity")
        rows.append(
            CounterLine(
                offer=offer,
                order_line=line,
                position=position,
                quantity=quantity,
                promised_date=part.promised_date or line.promised_date,
            )
        )
    total = sum((row.quantity for row in rows), ZERO)
    if total < line.received:
        raise InvalidQuantity(
            f"{line.received.normalize():f} of line {line.line_no} are received already; {total.normalize():f} is less.",
            field="quantity",
        )
    return rows


def _settle(order: SubcontractOrder, state: OfferState, *, by: User, at: datetime) -> CounterOffer:
    offer = CounterOffer.objects.filter(order=order, state=OfferState.OPEN).first()
    if offer is None:
        raise NoCounterOffer(f"No counter-offer to {order} waits for an answer.")
    offer.state, offer.settled_at, offer.settled_by = state, at, by
    offer.save(update_fields=["state", "settled_at", "settled_by"])
    activity.close_alerts(kind=COUNTERED, subjects=[order.number], at=at)
    return offer


def _said(offer: CounterOffer) -> dict[str, Any]:
    """An offer as plain values: of one part on one line flat, else line by line."""
    rows = [
        {
            "line": part.order_line.line_no,
            "quantity": f"{part.quantity.normalize():f}",
            "promised_date": part.promised_date.isoformat(),
        }
        for part in offer.lines.select_related("order_line").order_by("order_line__line_no", "position")
    ]
    return dict(rows[0]) if len(rows) == 1 else {"lines": rows}


def _alert(order: SubcontractOrder, offer: CounterOffer, *, at: datetime) -> None:
    after: dict[str, Any] = {"refused": offer.reason} if offer.is_refusal else _said(offer)
    ordered = {part.order_line for part in offer.lines.select_related("order_line")}
    before = [
        {
            "line": line.line_no,
            "quantity": f"{line.quantity.normalize():f}",
            "promised_date": line.promised_date.isoformat(),
        }
        for line in sorted(ordered, key=lambda one: one.line_no)
    ]
    first = min(ordered, key=lambda one: one.line_no) if ordered else None
    if offer.is_refusal:
        title = f"{order.vendor} does not take {order}: {offer.reason}"
    else:
        offered = "; ".join(
            f"line {row['line']}: {row['quantity']} by {row['promised_date']}" for row in after.get("lines", [after])
        )
        title = f"{order.vendor} counters {order}: {offered}"
    activity.open_alerts(
        [
            Alert(
                kind=COUNTERED,
                subject=order.number,
                severity=Severity.CRITICAL if offer.is_refusal else Severity.WARNING,
                title=title[:300],
                order_number=order.number,
                line_no=first.line_no if first and len(ordered) == 1 else None,
                production_order=first.production_order.number if first and first.production_order else "",
                operation_no=first.operation_no if first else "",
                site_id=order.site_id,
                vendor_id=order.vendor_id,
                before=before[0] if len(before) == 1 else {"lines": before},
                after=after,
                proposes="cancel" if offer.is_refusal else "accept",
                due_date=order.due_date,
            )
        ],
        at=at,
    )
