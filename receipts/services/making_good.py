"""What a person decides about bad pieces that leave a need uncovered: others are made, or one does without them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, NotFound, Refusal
from core.retries import retried
from production.models import Operation, OperationStatus
from production.rules.components import rounded_up
from production.services.reporting import Report, followers
from receipts.services.falling_short import missing_of, watch_short_receipts
from receipts.services.finishing import report_lines
from receipts.services.sending_back import lock_line
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)


class NothingMissing(Refusal):
    """No need of the line's operation is left uncovered by its bad pieces."""

    code = "nothing_to_do"


class PiecesGone(Refusal):
    """Pieces for it would have to come from the step before, which gives no more."""

    code = "previous_operation_short"


@retried
@transaction.atomic
def order_anew(*, order_line_id: int, by: User | None, at: datetime, through: str = "page") -> Decimal:
    """Let what a line's bad pieces leave uncovered be ordered anew: the operation is open again, and the next run makes the line.

    Returns how many of the bad pieces no longer stand for what is needed (the good ones missing, over the yield). Raises
    NotFound, NothingMissing, PiecesGone.
    """
    line, missing = _missing(order_line_id, by)
    decimals = line.item.decimals
    undecided = line.rejected + line.scrapped - line.replaced - line.forgone
    pieces = min(rounded_up(missing * 100 / line.yield_pct, decimals=decimals), undecided)
    left = _left_before(line)
    if left is not None and left < pieces:
        raise PiecesGone(
            f"{_say(pieces)} pieces are to be made anew, but {_say(max(left, ZERO))} are left of the step before. Plan more "
            f"of {line.production_order}, or do without them."
        )
    line.reordered = line.replaced + pieces
    line.save(update_fields=["reordered"])
    if line.operation_id is not None:
        report_lines({line.operation_id: [Report(ZERO, ZERO)]}, at=at, reason=f"{line.order} ordered anew")
    _settled(line, "order.ordered_anew", pieces, by=by, at=at, through=through)
    return pieces


@retried
@transaction.atomic
def do_without(*, order_line_id: int, reason: str, by: User | None, at: datetime, through: str = "page") -> Decimal:
    """Say that nobody replaces what a line's bad pieces leave uncovered, and why. Returns how many pieces that are.

    Raises NotFound, InvalidInput, NothingMissing.
    """
    if not reason.strip():
        raise InvalidInput("Say why nothing replaces them.", field="reason")
    line, missing = _missing(order_line_id, by)
    line.forgone += missing
    line.save(update_fields=["forgone"])
    _settled(line, "order.done_without", missing, by=by, at=at, through=through, reason=reason)
    return missing


def _missing(order_line_id: int, by: User | None) -> tuple[OrderLine, Decimal]:
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    known = visible.filter(pk=order_line_id).first()
    if known is None:
        raise NotFound("There is no such order line.", field="line")
    order, line = lock_line(known)
    missing = missing_of(line)
    if missing <= 0:
        raise NothingMissing(f"Line {line.line_no} of {order} leaves nothing uncovered any more.")
    return line, missing


def _left_before(line: OrderLine) -> Decimal | None:
    """Pieces of the steps before that this operation has neither used nor is to get by a line; None: it needs none.

    The first step needs none, and so does an order bought complete: its vendor makes every step of what he makes anew.
    """
    if line.is_whole:
        return None
    operation = Operation.objects.get(pk=line.operation_id or 0)
    following = followers(production_order_id=operation.production_order_id)
    before = [number for number, later in following.items() if operation.operation_no in later]
    if not before:
        return None
    rows = Operation.objects.filter(production_order=operation.production_order_id, operation_no__in=before)
    gives = min(row.good if row.status == OperationStatus.FINISHED else row.quantity - row.scrap for row in rows)
    expected = sum((other.open_quantity for other in OrderLine.objects.active().filter(operation=operation)), ZERO)
    return gives - operation.good - operation.scrap - expected


def _settled(
    line: OrderLine, event: str, pieces: Decimal, *, by: User | None, at: datetime, through: str, reason: str = ""
) -> None:
    watch_short_receipts([line], at=at)
    activity.record(
        event, kind="subcontract_order", number=line.order.number, at=at, by=by, through=through,
        site_id=line.order.site_id, vendor_id=line.vendor_id,
        data={"line": line.line_no, "quantity": _say(pieces), "reason": reason},
    )  # fmt: skip


def _say(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
