"""What a person does to one order: approve, send, acknowledge, hold, cancel, close, set a field by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts.models import Access, User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NoRight, NotFound, Stale, TooPrecise, WrongState
from masterdata import services as masterdata
from policies.models import ChargeBasis
from policies.rules import dates
from policies.rules.dates import Chain
from production.models import QuantityBasis
from production.rules.components import rounded_up
from subcontract_orders import rules
from subcontract_orders.models import (
    UNSENT,
    WITH_VENDOR,
    CounterOffer,
    LinePromise,
    LineStatus,
    OfferState,
    OrderComponent,
    OrderLine,
    OrderRevision,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import lines as writing
from subcontract_orders.services.flows import recount_material

KIND = writing.KIND
COUNTERED = "vendor_countered"
"""The alert that a vendor answered something else than yes."""


class NotDraft(WrongState):
    """Only a draft is approved."""


class NotOfThisState(WrongState):
    """The order's status does not allow this."""


class OverLimit(NoRight):
    """The order is worth more than this user may commit to."""


class SameEyes(NoRight):
    """Who made or changed the order does not approve it."""


class Received(WrongState):
    """Something was received already: the order is closed, not cancelled."""


def lock_order(*, order_id: int, expected_version: int | None, by: User | None) -> SubcontractOrder:
    """The order, locked until the transaction ends. Raises NotFound, Stale."""
    orders = SubcontractOrder.objects.visible_to(by) if by else SubcontractOrder.objects.all()
    order = orders.select_for_update(of=("self",)).filter(pk=order_id).first()
    if order is None:
        raise NotFound("There is no such order.", field="order")
    if expected_version is not None and order.version != expected_version:
        raise Stale(f"{order} was changed since you read it; look at it again.")
    return order


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
    above: dict[int, Decimal] = {}
    own = set()
    for order in orders:
        limit = by.approval_limit(site_id=order.site_id)
        if limit is not None and order.total_company > limit:
            above[order.pk] = limit
        elif by.pk in (order.created_by_id, order.changed_by_id):
            own.add(order.pk)
    if not above and not own:
        return {}
    company = masterdata.company()
    if not company.four_eyes:
        own = set()
    rows = list(Access.objects.approving().select_related("user"))
    found: dict[int, OverLimit | SameEyes] = {}
    for order in orders:
        if order.pk not in above and order.pk not in own:
            continue
        others = _who(order, rows, but={order.created_by_id, order.changed_by_id} if company.four_eyes else {by.pk})
        if order.pk in own:
            found[order.pk] = SameEyes(f"You made or changed {order}; {others} must approve it.")
            continue
        worth, limit_text = (
            rules.written_money(amount, decimals=company.currency.decimals, code=company.currency.code)
            for amount in (order.total_company, above[order.pk])
        )
        found[order.pk] = OverLimit(f"{order} is worth {worth}; your limit is {limit_text}. {others} must approve it.")
    return found


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
        masterdata.check_day(day, today=_today(order, at=at), field="promised_date")
        line.promised_date = day
        line.save(update_fields=["promised_date"])
        LinePromise.objects.filter(line=line).delete()
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


@transaction.atomic
def change_line(
    *,
    order_id: int,
    line_no: int,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
    need_date: date | None = None,
    reason: str,
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> OrderLine:
    """Set fields of a line of an order never sent; each is pinned, so that runs leave it and say when they disagree.

    Components follow the quantity; documents.services.change_line brings the shipment and the expected receipt along.
    An approved order that becomes dearer than approved goes back to draft.
    Raises NotOfThisState (also once it was sent: then it is revised), NotFound, Stale, InvalidInput, InvalidQuantity, TooPrecise.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *UNSENT, to="change")
    if order.revision_waits:
        raise NotOfThisState(f"{order} was sent already, and a revision of it waits; revise it instead of changing it.")
    line = line_of(order, line_no)
    before = _shown(line)
    changed = _set(line, order=order, quantity=quantity, unit_price=unit_price, need_date=need_date, at=at)
    pin = {"by": by.get_username(), "at": at.isoformat(), "reason": reason}
    line.pinned = {**line.pinned, **dict.fromkeys(changed, pin)}
    set_amounts(line, order=order)
    line.save()
    SubcontractOrder.objects.filter(pk=order.pk).update(changed_by=by)
    writing.recount_orders([order.pk])
    recount_material([order.pk])
    writing.approve_by_policy([order.pk], at=at, through=through)
    _record(
        "order.changed",
        order,
        by=by,
        at=at,
        through=through,
        data={"line": line_no, "reason": reason, "before": before},
    )
    return line


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of a line of a sent order; blank fields stay. `pin` names fields that runs are to leave, and why."""

    line_no: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    need_date: date | None = None
    promised_date: date | None = None
    receive_at_id: int | None = None
    """Where the pieces still to come are brought."""
    retell: bool = False
    """Tell the vendor the item's revision and the specification as they are now."""
    pin: Mapping[str, str] = field(default_factory=dict)


def revise_line(
    *,
    order_id: int,
    line_no: int,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
    need_date: date | None = None,
    receive_at_id: int | None = None,
    retell: bool = False,
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> OrderLine:
    """Change one line of an order the vendor has: see revise_lines."""
    change = LineChange(
        line_no,
        quantity=quantity,
        unit_price=unit_price,
        need_date=need_date,
        receive_at_id=receive_at_id,
        retell=retell,
    )
    (line,) = revise_lines(
        order_id=order_id,
        changes=[change],
        reason=reason,
        expected_version=expected_version,
        by=by,
        at=at,
        through=through,
    )
    return line


@transaction.atomic
def revise_lines(
    *,
    order_id: int,
    changes: Sequence[LineChange],
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> list[OrderLine]:
    """Change lines of an order the vendor has: one new revision of the order.

    Worth no more than was approved, it stays sent, and the new revision is in force at once. Worth more, it waits as a draft
    revision to be approved and sent; until then what was sent last stays in force (`quantity_in_force` and its like).
    documents.services.revise_line brings the shipment and the expected receipt along.
    Raises NotOfThisState, NotFound, Stale, InvalidInput, InvalidQuantity (also below what is received), TooPrecise.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not order.is_with_vendor:
        raise NotOfThisState(f"{order} is {order.get_status_display().lower()}; one cannot revise it.")
    if order.status in WITH_VENDOR:
        writing.keep_in_force([order.pk])
    lines, said = [], []
    for change in changes:
        line = line_of(order, change.line_no)
        said.append({"line": line.line_no, "before": _as_revised(line, change)})
        _set(
            line,
            order=order,
            quantity=change.quantity,
            unit_price=change.unit_price,
            need_date=change.need_date,
            at=at,
        )
        if change.promised_date is not None:
            line.promised_date = change.promised_date
        if change.receive_at_id is not None:
            line.receive_at_id = change.receive_at_id
        pin = {"by": by.get_username(), "at": at.isoformat()}
        line.pinned = {**line.pinned, **{name: {**pin, "reason": why} for name, why in change.pin.items()}}
        set_amounts(line, order=order)
        line.save()
        if change.retell:
            writing.freeze_specifications(line_ids=[line.pk])
            line.refresh_from_db(fields=["item_revision", "specification", "specification_files"])
        said[-1]["after"] = _as_revised(line, change)
        lines.append(line)
    data = {**said[0], "reason": reason} if len(said) == 1 else {"lines": said, "reason": reason}
    _revised(order, by=by, at=at, through=through, data=data)
    for line in lines:
        line.refresh_from_db()
    order.changed_by = by
    order.save(update_fields=["changed_by"])
    return lines


@transaction.atomic
def withdraw_revision(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Drop a revision that waits: the order is again what the vendor was last sent. Raises NotOfThisState, Stale, NotFound."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if not order.revision_waits:
        raise NotOfThisState(f"No revision of {order} waits to be sent.")
    for line in OrderLine.objects.active().select_related("item__unit").filter(order=order).order_by("pk"):
        if line.sent_quantity is None:
            continue
        line.quantity, line.unit_price = line.quantity_in_force, line.unit_price_in_force
        if line.sent_need_date and line.sent_need_date != line.need_date:
            set_need_date(line, line.sent_need_date, on=_ordered_on(order, at=at))
        line.promised_date, line.receive_at_id = line.promised_in_force, line.receive_at_in_force_id
        set_amounts(line, order=order)
        line.save()
    OrderComponent.objects.filter(line__order=order, sent_required__isnull=False).update(required=F("sent_required"))
    writing.forget_in_force([order.pk])
    writing.recount_orders([order.pk])
    order.refresh_from_db()
    order.revision -= 1
    order.approved_total = order.total_company
    back = OrderStatus.ACKNOWLEDGED if order.acknowledged_at else OrderStatus.SENT
    return moved(order, back, "order.revision_withdrawn", by=by, at=at, through=through, auto_send_at=None)


@transaction.atomic
def cancel_line(
    *,
    order_id: int,
    line_no: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> OrderLine:
    """Take one line off an order the vendor has, as a new revision; what was received of it stays and completes it.

    Raises NotOfThisState, NotFound, Stale.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *WITH_VENDOR, to="take lines off")
    line = line_of(order, line_no)
    order.changed_by = by
    order.save(update_fields=["changed_by"])
    if line.received > 0:
        line.quantity, line.status = line.received, LineStatus.COMPLETE
        set_amounts(line, order=order)
    else:
        line.status = LineStatus.CANCELLED
    line.save()
    _revised(order, by=by, at=at, through=through, data={"line": line_no, "reason": reason, "cancelled": True})
    return line


def _revised(order: SubcontractOrder, *, by: User, at: datetime, through: str, data: dict[str, Any]) -> None:
    """Count a revision: in force at once where it is worth no more than was approved, else waiting as a draft.

    In force it is sent, and to be acknowledged anew.
    """
    approved = order.approved_total
    writing.recount_orders([order.pk])
    order.refresh_from_db()
    if order.status in WITH_VENDOR:
        order.revision += 1
    if approved is not None and order.total_company > approved:
        order.approved_at = order.approved_by = order.approved_total = None
        order.auto_send_at = None
        moved(order, OrderStatus.DRAFT, "order.revision_waits", by=by, at=at, through=through, data=data)
        return
    if order.status == OrderStatus.ACKNOWLEDGED:
        # He said yes to another revision: of this one he has not said anything yet.
        order.status, order.acknowledged_at = OrderStatus.SENT, None
        order.sent_at, order.sent_by = at, by
    moved(order, order.status, "order.revised", by=by, at=at, through=through, data=data)
    if order.status not in WITH_VENDOR:
        return
    writing.put_in_force([order.pk])
    OrderRevision.objects.create(
        order=order,
        revision=order.revision,
        content=writing.contents_of([order.pk])[order.pk],
        made_at=at,
        made_by=by,
        sent_at=at,
        reason=str(data.get("reason", ""))[:300],
    )
    writing.queue_mail([order], at=at)


@transaction.atomic
def unpin_line(
    *, order_id: int, line_no: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> OrderLine:
    """Let runs set every field of a line again. Raises NotOfThisState, NotFound, Stale."""
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    must_be(order, *UNSENT, to="change")
    line = line_of(order, line_no)
    line.pinned, line.content_hash = {}, ""
    line.save(update_fields=["pinned", "content_hash"])
    moved(order, order.status, "order.unpinned", by=by, at=at, through=through, data={"line": line_no})
    return line


def line_of(order: SubcontractOrder, line_no: int) -> OrderLine:
    line = OrderLine.objects.active().select_related("item__unit").filter(order=order, line_no=line_no).first()
    if line is None:
        raise NotFound(f"{order} has no line {line_no}.", field="line")
    return line


def _shown(line: OrderLine) -> dict[str, str]:
    return {"quantity": str(line.quantity), "unit_price": str(line.unit_price), "need_date": str(line.need_date)}


def _as_revised(line: OrderLine, change: LineChange) -> dict[str, str]:
    """What an event tells of a line before and after a change: more than its terms where more of it changes."""
    said = _shown(line) | (_told(line) if change.retell else {})
    return said if change.receive_at_id is None else said | {"receive_at": line.receive_at.code}


def _told(line: OrderLine) -> dict[str, str]:
    files = ", ".join(file["name"] for file in line.specification_files)
    return {"item_revision": line.item_revision, "specification": line.specification, "specification_files": files}


def _set(
    line: OrderLine,
    *,
    order: SubcontractOrder,
    quantity: Decimal | None,
    unit_price: Decimal | None,
    need_date: date | None,
    at: datetime,
) -> list[str]:
    """Set fields of a line, its components with the quantity, its other dates with the need date. Says which."""
    changed = []
    if quantity is not None:
        decimals = line.item.unit.decimals if line.item.unit else 5
        if quantity <= 0:
            raise InvalidQuantity(f"{quantity} is not a quantity above zero.", field="quantity")
        if quantity != rounded_up(quantity, decimals=decimals):
            raise TooPrecise(f"{line.item} has {decimals} decimals; {quantity} has more.", field="quantity")
        if quantity < line.received:
            raise InvalidQuantity(
                f"{line.received.normalize():f} of line {line.line_no} are received already; it cannot be less than that.",
                field="quantity",
            )
        line.quantity = quantity
        _scale_components(line)
        changed.append("quantity")
    if unit_price is not None:
        if unit_price < 0:
            raise InvalidInput(f"{unit_price} is below zero.", field="unit_price")
        line.unit_price, line.is_price_open = unit_price, False
        changed.append("unit_price")
    if need_date is not None:
        masterdata.check_day(need_date, today=_today(order, at=at), field="need_date")
        set_need_date(line, need_date, on=_ordered_on(order, at=at))
        changed.append("need_date")
    if {"quantity", "need_date"} & set(changed):
        LinePromise.objects.filter(line=line).delete()
    return changed


def set_need_date(line: OrderLine, need_date: date, *, on: date) -> None:
    """Move a line's need and with it all its dates, as if it had been needed then from the start and is ordered `on` a day."""
    frozen = Chain(
        line.need_date,
        line.vendor_ready_date,
        line.at_vendor_date,
        line.dispatch_by,
        line.order_by,
        line.order_by,
        line.late_by,
        line.promised_date,
        line.dispatch_by,
        line.at_vendor_date,
    )
    chain = dates.moved(frozen, need_date, on, masterdata.closed_days(vendor_id=line.vendor_id, on=on))
    line.need_date, line.vendor_ready_date, line.at_vendor_date = chain.need_date, chain.vendor_ready, chain.at_vendor
    line.dispatch_by, line.order_by = chain.dispatch_by, chain.order_by
    line.promised_date, line.late_by = chain.promise, chain.late_by


def _today(order: SubcontractOrder, *, at: datetime) -> date:
    return masterdata.site_dates(at=at)[order.site_id]


def _ordered_on(order: SubcontractOrder, *, at: datetime) -> date:
    """The site's day on which the vendor first got the order; today where he has not."""
    first = OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("revision").first()
    return _today(order, at=(first.sent_at if first else order.sent_at) or at)


def set_amounts(line: OrderLine, *, order: SubcontractOrder) -> None:
    """Work out a line's amounts from its own price, quantity and charges; company money at the rate its amounts had."""
    rate = line.amount_company / line.amount if line.amount else None
    found = rules.amounts(
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_factor=line.price_factor,
        # A minimum per order is shared out over the order's lines when it is counted.
        minimum_charge=line.minimum_charge if line.minimum_charge_basis == ChargeBasis.LINE else Decimal(0),
        lot_charge=line.lot_charge,
        freight=line.freight,
        decimals=order.currency.decimals,
    )
    line.work_amount, line.minimum_top_up, line.amount = found.work, found.minimum_top_up, found.amount
    company = masterdata.company()
    if order.currency_id == company.currency_id:
        line.amount_company = line.amount
    elif rate is not None:
        line.amount_company = rules.money(line.amount * rate, decimals=company.currency.decimals)


def _scale_components(line: OrderLine) -> None:
    components = list(OrderComponent.objects.select_related("item__unit").filter(line=line))
    for component in components:
        if component.basis == QuantityBasis.PER_UNIT:
            factor = component.quantity_per * (1 + component.scrap_pct / 100)
            decimals = component.item.unit.decimals if component.item.unit else 5
            component.required = rounded_up(factor * line.quantity, decimals=decimals)
            component.carried_in = min(component.carried_in, component.required)
    OrderComponent.objects.bulk_update(components, ["required", "carried_in"])


def overtake_offers(orders: Sequence[SubcontractOrder], *, at: datetime) -> None:
    """The orders changed: what a vendor answered to what they were is not to be accepted any more."""
    CounterOffer.objects.filter(order__in=orders, state=OfferState.OPEN).update(
        state=OfferState.OVERTAKEN, settled_at=at
    )
    activity.close_alerts(kind=COUNTERED, subjects=[order.number for order in orders], at=at)


def must_be(order: SubcontractOrder, *allowed: str, to: str) -> None:
    if order.status not in allowed:
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
    if status not in (*WITH_VENDOR, OrderStatus.HELD):
        overtake_offers([order], at=at)
    order.status = status
    order.version += 1
    for name, value in fields.items():
        setattr(order, name, value)
    order.save()
    _record(event, order, by=by, at=at, through=through, data=data)
    return order


def _record(
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
