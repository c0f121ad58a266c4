"""The planner's word where documents stand already: outside now, or back inside while nothing has left."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from core.refusals import Refusal
from production import services as production
from production.models import Operation, OperationWord, Word
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderComponent, OrderLine, OrderLineQuerySet, SubcontractOrder


class AlreadyOut(Refusal):
    """Material has left for the vendor, or pieces are back: it does not stay inside any more."""

    code = "already_ordered"


@transaction.atomic
def speak_word(
    *, operation_id: int, word: str, vendor_id: int | None = None, reason: str, by: User | None, at: datetime
) -> OperationWord:
    """Say that an operation goes outside (what it has finished stays) or back inside, which is refused once something has left.

    A draft is withdrawn by the next run, a sent order by the alert it opens. Raises AlreadyOut, and as
    production.services.speak_word.
    """
    spoken = production.speak_word(
        operation_id=operation_id, word=word, vendor_id=vendor_id, reason=reason, by=by, at=at
    )
    if word == Word.INSIDE:
        _nothing_left(operation_id)
    return spoken


def _nothing_left(operation_id: int) -> None:
    lines = _lines_for(Operation.objects.get(pk=operation_id))
    # Locked, so that nothing leaves or arrives while this is said. The production order is locked already.
    order_ids = SubcontractOrder.objects.filter(pk__in=lines.values("order")).select_for_update().order_by("pk")
    list(order_ids.values_list("pk", flat=True))
    partly = lines.filter(Q(accepted__gt=0) | Q(rejected__gt=0) | Q(scrapped__gt=0), status=LineStatus.OPEN)
    back = partly.select_related("order").order_by("pk").first()
    if back:
        raise AlreadyOut(f"{back.received.normalize():f} pieces of {back.order} are back already; close it first.")
    gone = (
        OrderComponent.objects.filter(line__in=lines.filter(status=LineStatus.OPEN), sent__gt=F("returned"))
        .select_related("line__order__vendor", "item")
        .order_by("line__order", "position")
        .first()
    )
    if gone:
        raise AlreadyOut(
            f"{gone.net_sent.normalize():f} of {gone.item} have left for {gone.line.order.vendor} with {gone.line.order}; "
            "take the shipment back or have it returned first."
        )


def _lines_for(operation: Operation) -> OrderLineQuerySet:
    """The active lines an operation is done with: its own, or one for several operations or for the whole order."""
    lines = OrderLine.objects.active().filter(production_order=operation.production_order_id)
    several = list(lines.exclude(is_whole=False, last_operation_no=""))
    steps = orders.operations_of(several) if several else {}
    return lines.filter(Q(operation=operation) | Q(pk__in=[pk for pk, mine in steps.items() if operation in mine]))
