"""The planner's word on single operations."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.refusals import InvalidInput, NotFound, WrongState
from masterdata.models import Vendor
from masterdata.services import note_plan_change
from production.models import OPEN_STATUSES, Operation, OperationStatus, OperationWord, ProductionOrder, Word


class OperationClosed(WrongState):
    """The operation or its order is finished or cancelled."""


@transaction.atomic
def speak_word(
    *, operation_id: int, word: str, vendor_id: int | None = None, reason: str, by: User | None, at: datetime
) -> OperationWord:
    """Say that an operation goes outside (at a vendor, where one is named) or stays inside; the latest word counts.

    Saying the same again changes nothing. Raises NotFound, OperationClosed, InvalidInput.
    """
    operation = _locked(operation_id, by)
    if word not in Word.values:
        raise InvalidInput(f"{word} is neither outsource nor in_house.", field="word")
    if not reason.strip():
        raise InvalidInput("Say why: the reason stands beside the verdict.", field="reason")
    if word == Word.INSIDE and vendor_id is not None:
        raise InvalidInput("What stays inside has no vendor.", field="vendor")
    if vendor_id is not None and not Vendor.objects.filter(pk=vendor_id).exists():
        raise NotFound("There is no such vendor.", field="vendor")
    said = OperationWord.objects.filter(operation=operation, is_current=True).first()
    if said and (said.word, said.vendor_id, said.reason) == (word, vendor_id, reason):
        return said
    OperationWord.objects.filter(operation=operation, is_current=True).update(is_current=False)
    spoken = OperationWord.objects.create(
        operation=operation, word=word, vendor_id=vendor_id, reason=reason, by=by, at=at
    )
    _note(operation, at, f"{operation.production_order} {operation.operation_no}: {spoken.get_word_display().lower()}")
    return spoken


@transaction.atomic
def retract_word(*, operation_id: int, by: User | None, at: datetime) -> bool:
    """Take the planner's word back, so that flags and policies decide again. False where none was spoken."""
    operation = _locked(operation_id, by)
    if not OperationWord.objects.filter(operation=operation, is_current=True).update(is_current=False):
        return False
    _note(operation, at, f"{operation.production_order} {operation.operation_no}: word taken back")
    return True


def _locked(operation_id: int, by: User | None) -> Operation:
    """The open operation, its order locked."""
    visible = Operation.objects.visible_to(by) if by else Operation.objects.all()
    operation = visible.filter(pk=operation_id).first()
    if operation is None:
        raise NotFound("There is no such operation.", field="operation")
    order = ProductionOrder.objects.select_for_update().get(pk=operation.production_order_id)
    operation.refresh_from_db()
    if order.status not in OPEN_STATUSES or operation.status in (OperationStatus.FINISHED, OperationStatus.CANCELLED):
        raise OperationClosed(
            f"Operation {operation.operation_no} of {order} is {operation.get_status_display().lower()}."
        )
    return operation


def _note(operation: Operation, at: datetime, reason: str) -> None:
    ProductionOrder.objects.filter(pk=operation.production_order_id).update(changed_at=at)
    note_plan_change(at=at, reason=reason)
