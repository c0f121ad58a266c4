"""What a person does to one order as a whole: approve, send, acknowledge, hold, cancel, close."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from accounts.models import Access, User
from activity.models import Event
from core.refusals import InvalidQuantity, NoRight, WrongState
from masterdata import services as masterdata
from subcontract_orders import rules
from subcontract_orders.models import (
    UNSENT,
    WITH_VENDOR,
    LinePromise,
    LineStatus,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import lines as writing
from subcontract_orders.services.moving import NotOfThisState, lock_order, moved, must_be, overtake_offers
from subcontract_orders.services.revising import withdraw_revision
from subcontract_orders.services.terms import line_of, site_today

CHANGES = ("order.changed", "order.joined", "order.revised", "order.revision_waits")
"""What people do to what an order says."""


class NotDraft(WrongState):
    """Only a draft is approved."""


class OverLimit(NoRight):
    """The order is worth more than this user may commit to."""


class SameEyes(NoRight):
    """Who made or changed the order does not approve it."""


class Received(WrongState):
    """Something was received already: the order is closed, not cancelled."""


@transaction.atomic
def approve_order(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Commit to a draft. Raises NotDraft, Stale, NotFound; NoRight and OverLimit by the user's role and limit at its site;
    SameEyes where the company asks for four.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not by.has_perm("subcontract_orders.approve_subcontractorder"):
        raise NoRight(f"You may not approve orders; {order} stays a draft.")
    if order.status != OrderStatus.DRAFT:
        raise NotDraft(f"{order} is already {order.get_status_display().lower()}.")
    refusal = why_not_approve([order], by=by).get(order.pk)
    if refusal:
        raise refusal
    order.approved_total = order.total_company
    return moved(
        order, OrderStatus.APPROVED, "order.approved", by=by, at=at, through=through, approved_at=at, approved_by=by
    )


@transaction.atomic
def withdraw_approval(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Take back an approval on which nothing was sent: the order is a draft again, apart from newer drafts.

    Raises NotOfThisState, NoRight, Stale, NotFound.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not by.has_perm("subcontract_orders.approve_subcontractorder"):
        raise NoRight(f"You may not approve orders; {order} stays approved.")
    must_be(order, OrderStatus.APPROVED, to="withdraw the approval of")
    if order.sent_at is not None:
        raise NotOfThisState(f"{order} was sent before; drop the version that waits instead.")
    _keep_apart(order)
    order.approved_total = order.auto_send_at = order.approved_at = order.approved_by = None
    return moved(order, OrderStatus.DRAFT, "order.approval_withdrawn", by=by, at=at, through=through)


def why_not_approve(orders: Sequence[SubcontractOrder], *, by: User) -> dict[int, OverLimit | SameEyes]:
    """Which of these orders somebody with the right to approve may not, by key, and why: above his limit, or his own.

    Each says who may.
    """
    by_people = [order for order in orders if order.created_by_id or order.changed_by_id]
    hands = _hands(by_people) if by_people and masterdata.company().four_eyes else {}
    above: dict[int, Decimal] = {}
    own = set()
    for order in orders:
        limit = by.approval_limit(site_id=order.site_id)
        if limit is not None and order.total_company > limit:
            above[order.pk] = limit
        elif by.pk in hands.get(order.pk, ()):
            own.add(order.pk)
    if not above and not own:
        return {}
    company = masterdata.company()
    rows = list(Access.objects.approving().select_related("user"))
    found: dict[int, OverLimit | SameEyes] = {}
    for order in orders:
        if order.pk not in above and order.pk not in own:
            continue
        others = _who(order, rows, but=hands.get(order.pk, {by.pk}))
        if order.pk in own:
            found[order.pk] = SameEyes(f"You made or changed {order}; {others} must approve it.")
            continue
        worth, limit_text = (
            rules.written_money(amount, decimals=company.currency.decimals, code=company.currency.code)
            for amount in (order.total_company, above[order.pk])
        )
        found[order.pk] = OverLimit(f"{order} is worth {worth}; your limit is {limit_text}. {others} must approve it.")
    return found


def _hands(orders: Sequence[SubcontractOrder]) -> dict[int, set[int | None]]:
    """Who made each order, and everybody who has changed it since it was sent last, by key."""
    hands: dict[int, set[int | None]] = {order.pk: {order.created_by_id, order.changed_by_id} for order in orders}
    by_number = {order.number: hands[order.pk] for order in orders}
    events = Event.objects.filter(document_kind=writing.KIND, document_number__in=by_number)
    is_sent: set[str] = set()
    for number, name, person in (
        events.filter(name__in=["order.sent", *CHANGES]).order_by("-pk").values_list("document_number", "name", "by")
    ):
        if name == "order.sent":
            is_sent.add(number)
        elif number not in is_sent:
            by_number[number].add(person)
    return hands


def _who(order: SubcontractOrder, rows: Sequence[Access], *, but: Collection[int | None]) -> str:
    """Who may approve an order, in words; the lowest limit that reaches comes first."""
    names = list(
        dict.fromkeys(
            row.user.get_full_name() or row.user.get_username()
            for row in rows
            if row.user_id not in but
            and row.site_id in (None, order.site_id)
            and (row.approval_limit is None or row.approval_limit >= order.total_company)
        )
    )
    if not names:
        return "Somebody with a higher limit"
    if len(names) > 3:
        return f"{names[0]}, {names[1]} or one of {len(names) - 2} others"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@transaction.atomic
def send_order(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Mark an approved order as sent and keep what was sent as a revision.

    Raises NotOfThisState, NoRight, Stale, NotFound; InvalidQuantity where a revision asks for less than came meanwhile.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not by.has_perm("subcontract_orders.send_subcontractorder"):
        raise NoRight(f"You may not send orders; {order} was not sent.")
    if order.status != OrderStatus.APPROVED:
        hint = "approve it first" if order.status == OrderStatus.DRAFT else "only an approved order is sent"
        raise NotOfThisState(f"{order} is {order.get_status_display().lower()}: {hint}.")
    for line in OrderLine.objects.active().filter(order=order, sent_quantity__isnull=False).order_by("line_no"):
        if line.received > line.quantity * (100 + line.over_receipt_pct) / 100:
            raise InvalidQuantity(
                f"{line.received.normalize():f} of line {line.line_no} were received meanwhile, and this revision asks for "
                f"{line.quantity.normalize():f}; revise it to at least {line.received.normalize():f}, or withdraw it.",
                field="quantity",
            )
    writing.send([order], at=at, by=by, through=through)
    if order.revision > 1:
        writing.put_in_force([order.pk])
    order.refresh_from_db()
    return order


def send_due_orders(*, at: datetime, limit: int = 500) -> int:
    """Send approved orders whose waiting time is over, once the order-by date is near enough. Safe to run twice."""
    due = SubcontractOrder.objects.sending_themselves(at=at, today=masterdata.site_dates(at=at)).order_by(
        "auto_send_at", "pk"
    )
    with transaction.atomic():
        return len(writing.send_by_policy(list(due.values_list("pk", flat=True)[:limit]), at=at, through="system"))


@transaction.atomic
def acknowledge_order(
    *,
    order_id: int,
    promised: Mapping[int, date] | None = None,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """The vendor accepts a sent order, perhaps with dates by line number. Raises NotOfThisState, Stale, NotFound."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, OrderStatus.SENT, to="acknowledge")
    overtake_offers([order], at=at)
    for line_no, day in (promised or {}).items():
        line = line_of(order, line_no)
        masterdata.check_day(day, today=site_today(order, at=at), field="promised_date")
        line.promised_date = day
        line.save(update_fields=["promised_date"])
        LinePromise.objects.filter(line=line, is_told=False).delete()
    return moved(
        order,
        OrderStatus.ACKNOWLEDGED,
        "order.acknowledged",
        by=by,
        at=at,
        through=through,
        acknowledged_at=at,
        data={"promised": {str(no): day.isoformat() for no, day in promised.items()}} if promised else None,
    )


@transaction.atomic
def hold_order(
    *, order_id: int, reason: str, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Stop an order where it is; nothing is sent, shipped or received meanwhile. Raises NotOfThisState, Stale, NotFound."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *UNSENT, *WITH_VENDOR, to="hold")
    order.held_from = order.status
    order.auto_send_at = None
    return moved(order, OrderStatus.HELD, "order.held", by=by, at=at, through=through, data={"reason": reason})


@transaction.atomic
def release_order(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Let a held order go on from where it was; a draft stays apart from newer drafts. Raises NotOfThisState, Stale, NotFound."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, OrderStatus.HELD, to="release")
    back, order.held_from = order.held_from, ""
    if back == OrderStatus.DRAFT:
        _keep_apart(order)
    return moved(order, back, "order.released", by=by, at=at, through=through)


def _keep_apart(order: SubcontractOrder) -> None:
    """Another draft may have begun to collect the same period meanwhile, and only one may."""
    if writing.APART not in order.consolidation_key:
        order.consolidation_key = f"{order.consolidation_key}{writing.APART}{order.number}"


@transaction.atomic
def cancel_order(
    *,
    order_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Cancel an order and its lines; documents.services.cancel_set cancels the rest of the set with it.

    Raises NotOfThisState, Received, Stale, NotFound.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if order.status in (OrderStatus.CANCELLED, OrderStatus.CLOSED):
        raise NotOfThisState(f"{order} is already {order.get_status_display().lower()}.")
    if OrderLine.objects.filter(Q(accepted__gt=0) | Q(rejected__gt=0) | Q(scrapped__gt=0), order=order).exists():
        raise Received(f"Part of {order} is received already; close it instead of cancelling it.")
    OrderLine.objects.filter(order=order).update(status=LineStatus.CANCELLED, is_draft=False)
    order.auto_send_at = None
    if order.sent_at:
        writing.queue_mail([order], at=at, kind="order_cancelled")
    return moved(
        order,
        OrderStatus.CANCELLED,
        "order.cancelled",
        by=by,
        at=at,
        through=through,
        cancelled_at=at,
        data={"reason": reason} if reason else None,
    )


@transaction.atomic
def close_order(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Expect no more of a sent order: what is still needed is generated anew. A revision that waits is dropped.

    Raises NotOfThisState, Stale, NotFound.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if order.revision_waits:
        order = withdraw_revision(order_id=order_id, by=by, at=at, through=through)
    must_be(order, *WITH_VENDOR, to="close")
    return moved(order, OrderStatus.CLOSED, "order.closed", by=by, at=at, through=through, closed_at=at)


@transaction.atomic
def reopen_order(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Take up a closed order again. Raises NotOfThisState, Stale, NotFound."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, OrderStatus.CLOSED, to="reopen")
    back = OrderStatus.ACKNOWLEDGED if order.acknowledged_at else OrderStatus.SENT
    return moved(order, back, "order.reopened", by=by, at=at, through=through, closed_at=None)
