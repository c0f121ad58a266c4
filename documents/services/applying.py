"""One call that does what an alert proposes, whatever it proposes; and one that says that it stays as it is."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert
from core.refusals import InvalidInput, NotFound
from documents.services import acting, advising, answering
from documents.services.acting import NothingToApply, Way
from documents.services.requesting import request_run
from documents.services.watching import REQUIREMENT_KINDS
from masterdata.models import Item
from policies.models import Verdict
from receipts import services as receipts
from receipts.models import Receipt
from subcontract_orders.models import OrderLine, SubcontractOrder
from subcontract_orders.services.lines import KIND
from subcontract_orders.services.moving import COUNTERED

SHORT, DISCREPANCY, QUARANTINED, LEFT = "short_receipt", "discrepancy", "over_receipt", "material_left_at_vendor"
AGED = (receipts.OLD, receipts.RETURN_DUE)
ACCEPTABLE = (SHORT, DISCREPANCY)
# What no act of ours ends: what has to happen, where it is done.
ELSEWHERE = {
    "certificate_missing": "Hand the certificates in, or waive them, on the receipt.",
    "shortage": "It closes when enough lies there, or less is to be shipped.",
    "approval_expiring": "It closes when the approval is renewed.",
    "unconfirmed": "It closes when the vendor has answered.",
    "not_sent": "It closes when the order is sent.",
    "direct_supply": "It closes when what is wanted is ordered, or what is not is called off, on its purchase request.",
}


def is_applicable(alert: Alert) -> bool:
    """Whether one act does what an alert proposes; of some it is said why not when it is tried."""
    if alert.kind in REQUIREMENT_KINDS:
        return bool(alert.after.get("verdict") != Verdict.REVIEW)
    return alert.kind in (COUNTERED, advising.BATCH, SHORT, DISCREPANCY, QUARANTINED, LEFT, *AGED)


@transaction.atomic
def refuse_alert(*, alert_id: int, reason: str = "", by: User, at: datetime, through: str = "page") -> Alert:
    """Say no to what an alert proposes: things stay as they are, a vendor's counter-offer is rejected.

    The same proposal is not made again; another one is. Raises NotFound, WrongState, NothingToRefuse, and as rejecting does.
    """
    alert = activity.refuse_alert(alert_id=alert_id, reason=reason, by=by, at=at)
    if alert.kind == COUNTERED:
        order = SubcontractOrder.objects.get(number=alert.order_number)
        answering.reject_counter(order_id=order.pk, reason=reason, by=by, at=at, through=through)
        alert.refresh_from_db()
    elif alert.order_number:
        activity.record(
            "order.proposal_refused", kind=KIND, number=alert.order_number, at=at, by=by, through=through,
            site_id=alert.site_id, vendor_id=alert.vendor_id,
            data={"alert": alert.reference, "detail": f"{alert.title}{f' ({reason})' if reason else ''}"},
        )  # fmt: skip
    return alert


@transaction.atomic
def apply_alert(*, alert_id: int, way: str = Way.CHANGE, by: User, at: datetime, through: str = "page") -> Alert:
    """Do what an alert proposes, in one act, and close it.

    `requirement_changed`, `requirement_cancelled`: a sent line is revised or taken off, a draft's pinned fields are given back.
    `vendor_countered`: what the vendor offers is accepted. `batch_opportunity`: the lots are put on one order.
    `short_receipt`: what bad pieces leave uncovered is ordered anew by the next run. `discrepancy`: what was missing is booked
    as used. `over_receipt`: the goods are counted in out of quarantine. `material_left_at_vendor`: it is returned.
    `vendor_stock_old`, `return_due`: what of it no open line needs is returned.
    `way`: what becomes of pieces that are out when the item, its revision or specification changes (`acting.Way`).
    Raises NotFound, NothingToApply, InvalidInput, and as the acts it stands for.
    """
    alert = _open(alert_id, by)
    if way not in acting.ways_of(alert):
        raise InvalidInput("Only a change of item, revision or specification can be answered that way.", field="way")
    if alert.kind == COUNTERED:
        order = SubcontractOrder.objects.get(number=alert.order_number)
        answering.accept_counter(order_id=order.pk, by=by, at=at, through=through)
    elif alert.kind == advising.BATCH:
        advising.take_advice(alert=alert, by=by, at=at, through=through)
        activity.close_alerts(kind=alert.kind, subjects=[alert.subject], at=at)
    elif alert.kind == SHORT:
        receipts.order_anew(order_line_id=_line(alert).pk, by=by, at=at, through=through)
        request_run(reason=f"{alert.subject}: bad pieces are ordered anew", at=at, by=by)
    elif alert.kind == DISCREPANCY:
        _settle(alert, by=by, at=at, through=through)
    elif alert.kind == QUARANTINED:
        receipts.release_quarantine(receipt_id=_receipt(alert, by).pk, by=by, at=at, through=through)
    elif alert.kind == LEFT and "stage" in alert.after:
        _bring_home(alert, by=by, at=at, through=through)
    elif alert.kind == LEFT:
        order = SubcontractOrder.objects.get(number=alert.order_number)
        receipts.return_left(order_id=order.pk, reason=order.number, by=by, at=at, through=through)
    elif alert.kind in AGED:
        receipts.return_aged(alert=alert, by=by, at=at, through=through)
    elif alert.kind in ELSEWHERE:
        raise NothingToApply(f"There is nothing to apply here. {ELSEWHERE[alert.kind]}")
    else:
        acting.apply_alert(alert_id=alert_id, way=way, by=by, at=at, through=through)
    alert.refresh_from_db()
    return alert


@transaction.atomic
def accept_alert(*, alert_id: int, reason: str, by: User, at: datetime, through: str = "page") -> Alert:
    """Say of what an alert is about that it stays as it is, and why: it is closed and not asked about again.

    `short_receipt`: one does without the pieces. `discrepancy`: less was used than the book would have it, nothing is booked.
    Raises NotFound, NothingToApply (of any other kind), InvalidInput.
    """
    alert = _open(alert_id, by)
    if alert.kind not in ACCEPTABLE:
        raise NothingToApply("This cannot stay as it is: apply it, or take its cause away.")
    if not reason.strip():
        raise InvalidInput("Say why it stays as it is.", field="reason")
    if alert.kind == SHORT:
        receipts.do_without(order_line_id=_line(alert).pk, reason=reason, by=by, at=at, through=through)
    else:
        number, _, line_no = alert.subject.rpartition("/")
        activity.close_alerts(kind=alert.kind, subjects=[alert.subject], at=at)
        activity.record(
            "receipt.discrepancy_accepted", kind="receipt", number=number, at=at, by=by, through=through,
            site_id=alert.site_id, vendor_id=alert.vendor_id,
            data={"line": int(line_no), "missing": alert.after, "reason": reason},
        )  # fmt: skip
    alert.refresh_from_db()
    return alert


def _open(alert_id: int, by: User) -> Alert:
    alert = Alert.objects.visible_to(by).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.", field="alert")
    if alert.closed_at is not None:
        raise NothingToApply("The cause of this alert is gone; there is nothing to apply.")
    return alert


def _line(alert: Alert) -> OrderLine:
    return OrderLine.objects.get(order__number=alert.order_number, line_no=alert.line_no or 0)


def _receipt(alert: Alert, by: User) -> Receipt:
    found = Receipt.objects.visible_to(by).filter(number=alert.subject.partition("/")[0]).first()
    if found is None:
        raise NotFound("There is no such receipt.", field="receipt")
    return found


def _bring_home(alert: Alert, *, by: User, at: datetime, through: str) -> None:
    items = dict(Item.objects.filter(code__in=alert.before).values_list("code", "pk"))
    receipts.return_material(
        vendor_id=alert.vendor_id or 0,
        lines=[
            receipts.MaterialLine(items[code], Decimal(quantity), stage=alert.after["stage"])
            for code, quantity in alert.before.items()
        ],
        reason="no vendor takes them on",
        by=by,
        at=at,
        through=through,
    )


def _settle(alert: Alert, *, by: User, at: datetime, through: str) -> None:
    receipt = _receipt(alert, by)
    line_no = int(alert.subject.rpartition("/")[2])
    items = dict(Item.objects.filter(code__in=alert.after).values_list("code", "pk"))
    for code, quantity in receipts.missing_of(alert).items():
        receipts.adjust_consumption(
            receipt_id=receipt.pk, line_no=line_no, item_id=items[code], quantity=quantity, reason="discrepancy settled",
            by=by, at=at, through=through,
        )  # fmt: skip
