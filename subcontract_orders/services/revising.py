"""Lines changed by a person: of an order never sent field by field, of one the vendor has as a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from subcontract_orders.models import (
    UNSENT,
    WITH_VENDOR,
    WORK,
    LinePromise,
    LineStatus,
    OrderComponent,
    OrderLine,
    OrderRevision,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import lines as writing
from subcontract_orders.services.flows import recount_material
from subcontract_orders.services.moving import NotOfThisState, lock_order, moved, must_be, record
from subcontract_orders.services.specifications import freeze_specifications
from subcontract_orders.services.terms import line_of, ordered_on, set_amounts, set_need_date, set_terms

TERMS = ("line_no", "quantity", "unit_price", "need_date", "receive_at")
"""What a revision may change of a line, beside the work (`WORK`)."""


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
    changed = set_terms(line, order=order, quantity=quantity, unit_price=unit_price, need_date=need_date, at=at)
    pin = {"by": by.get_username(), "at": at.isoformat(), "reason": reason}
    line.pinned = {**line.pinned, **dict.fromkeys(changed, pin)}
    set_amounts(line, order=order, at=at)
    line.save()
    SubcontractOrder.objects.filter(pk=order.pk).update(changed_by=by)
    writing.recount_orders([order.pk])
    recount_material([order.pk])
    writing.approve_by_policy([order.pk], at=at, through=through)
    record(
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
    """What becomes of a line of a sent order; blank fields stay. `pin` names fields that are as the vendor offered, and why."""

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

    What says nothing but what the lines say already is no revision, and nobody is told. Worth no more than was approved, it stays
    sent, and the new revision is in force at once. Worth more, it waits as a draft
    revision to be approved and sent; until then what was sent last stays in force (`quantity_in_force` and its like).
    documents.services.revise_line brings the shipment and the expected receipt along.
    Raises NotOfThisState, NotFound, Stale, InvalidInput, InvalidQuantity (also below what is received), TooPrecise.
    """
    order = lock_order(order_id=order_id, expected_version=expected_version, by=by)
    if order.status == OrderStatus.HELD:
        raise NotOfThisState(f"{order} is held; release it first, then change it.")
    if not order.is_with_vendor:
        raise NotOfThisState(f"{order} is {order.get_status_display().lower()}; one cannot revise it.")
    standing = [line_of(order, change.line_no) for change in changes]
    if not any(_differs(line, change) for line, change in zip(standing, changes, strict=True)):
        return standing
    if order.status in WITH_VENDOR:
        writing.keep_in_force([order.pk])
    lines, said = [], []
    for change in changes:
        line = line_of(order, change.line_no)  # again, with what is kept in force
        said.append({"line": line.line_no, "before": _as_revised(line, change)})
        set_terms(
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
        pin = {"by": by.get_username(), "at": at.isoformat(), "offered": True}
        line.pinned = {**line.pinned, **{name: {**pin, "reason": why} for name, why in change.pin.items()}}
        set_amounts(line, order=order, at=at)
        line.save()
        if change.retell:
            freeze_specifications(line_ids=[line.pk])
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
    told = _sent_last(order).work_told()
    for line in OrderLine.objects.active().select_related("item__unit").filter(order=order).order_by("pk"):
        if line.sent_quantity is None:
            continue
        line.quantity, line.unit_price = line.quantity_in_force, line.unit_price_in_force
        if line.sent_need_date and line.sent_need_date != line.need_date:
            set_need_date(line, line.sent_need_date, on=ordered_on(order, at=at))
        line.promised_date, line.receive_at_id = line.promised_in_force, line.receive_at_in_force_id
        set_amounts(line, order=order, at=at)
        line.amount_company = line.amount_company_in_force
        for name, value in told.get(line.line_no, {}).items():
            setattr(line, name, value)
        line.save()
    OrderComponent.objects.filter(line__order=order, sent_required__isnull=False).update(required=F("sent_required"))
    promises = LinePromise.objects.filter(line__order=order, line__sent_quantity__isnull=False)
    promises.filter(is_told=False).delete()
    promises.update(is_told=False)
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
        set_amounts(line, order=order, at=at)
    else:
        line.status = LineStatus.CANCELLED
    line.save()
    _revised(order, by=by, at=at, through=through, data={"line": line_no, "reason": reason, "cancelled": True})
    return line


def _differs(line: OrderLine, change: LineChange) -> bool:
    """Whether a change says anything that the line does not say already; what a vendor offered is always answered."""
    return (
        change.retell
        or bool(change.pin)
        or change.promised_date is not None
        or change.quantity not in (None, line.quantity)
        or (change.unit_price is not None and (line.is_price_open or change.unit_price != line.unit_price))
        or change.need_date not in (None, line.need_date)
        or change.receive_at_id not in (None, line.receive_at_id)
    )


def _revised(order: SubcontractOrder, *, by: User, at: datetime, through: str, data: dict[str, Any]) -> None:
    """Count a revision: in force at once where it is worth no more than was approved, else waiting as a draft.

    In force it is sent, and to be acknowledged anew. One that waited and is worth no more than what is in force waits no longer;
    where it says again what was sent last it is withdrawn.
    """
    approved, waited = order.approved_total, order.revision_waits
    writing.recount_orders([order.pk])
    order.refresh_from_db()
    if order.status in WITH_VENDOR:
        order.revision += 1
    elif waited and order.total_company <= _worth_in_force(order):
        if _says_what_was_sent(order):
            withdraw_revision(order_id=order.pk, by=by, at=at, through=through)
            order.refresh_from_db()
            return
        approved = order.approved_total = order.total_company
        order.status, order.auto_send_at = OrderStatus.SENT, None
    if approved is not None and order.total_company > approved:
        order.approved_at = order.approved_by = order.approved_total = None
        order.auto_send_at = None
        moved(order, OrderStatus.DRAFT, "order.revision_waits", by=by, at=at, through=through, data=data)
        return
    if order.acknowledged_at is not None and order.status in WITH_VENDOR:
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


def _sent_last(order: SubcontractOrder) -> OrderRevision:
    return OrderRevision.objects.filter(order=order, sent_at__isnull=False).latest("revision")


def _worth_in_force(order: SubcontractOrder) -> Decimal:
    lines = OrderLine.objects.active().filter(order=order)
    worth: Decimal = lines.aggregate(worth=Sum(Coalesce("sent_amount_company", "amount_company")))["worth"]
    return worth


def _says_what_was_sent(order: SubcontractOrder) -> bool:
    said, sent = (
        [{name: row.get(name) for name in (*TERMS, *WORK)} for row in content["lines"]]
        for content in (writing.contents_of([order.pk])[order.pk], _sent_last(order).content)
    )
    return said == sent


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


def _shown(line: OrderLine) -> dict[str, str]:
    return {"quantity": str(line.quantity), "unit_price": str(line.unit_price), "need_date": str(line.need_date)}


def _as_revised(line: OrderLine, change: LineChange) -> dict[str, str]:
    """What an event tells of a line before and after a change: more than its terms where more of it changes."""
    said = _shown(line) | (_told(line) if change.retell else {})
    return said if change.receive_at_id is None else said | {"receive_at": line.receive_at.code}


def _told(line: OrderLine) -> dict[str, str]:
    files = ", ".join(file["name"] for file in line.specification_files)
    return {"item_revision": line.item_revision, "specification": line.specification, "specification_files": files}
