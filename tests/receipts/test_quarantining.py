"""Goods the books refuse lie apart until somebody decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from activity.models import Alert
from core.refusals import WrongState
from inventory.models import Balance
from receipts import services as receipts
from receipts.models import Receipt, ReceiptStatus
from receipts.services import DuplicateNote, OverReceipt
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts.goods import LATER, at_vendor, counted, lying, operation, ship, worth


def bring(line: OrderLine, accepted: int, *, note: str = "DN-1", **more: Any) -> Receipt:
    said = {"vendor_id": line.vendor_id, "note": note, "by": plans.boss(), "at": moment(LATER), **more}
    return receipts.receive_or_quarantine(lines=[counted(line, accepted)], **said)


def apart() -> Decimal:
    there = Balance.objects.filter(location__code="QUARANTINE-MAIN", item__code="FG")
    return there.aggregate(total=Sum("quantity"))["total"] or Decimal(0)


def decide(service: Any, receipt: Receipt) -> Receipt:
    return service(receipt_id=receipt.pk, by=plans.boss(), at=moment(LATER))


def test_what_the_books_take_is_simply_received():
    assert bring(at_vendor(), 10).status == ReceiptStatus.POSTED


def test_what_they_refuse_lies_apart_unavailable_and_worth_nothing():
    line = at_vendor()

    receipt = bring(line, 12)

    line.refresh_from_db()
    assert (receipt.status, apart(), lying("MAIN", "FG"), worth("FG")) == ("quarantined", 12, 0, 0)
    assert (line.received, operation().good, lying("AT-V1", "RM")) == (0, 0, 10)
    alert = Alert.objects.open().get()
    assert (alert.kind, alert.order_number, alert.after) == ("over_receipt", "SC-00001", {"refused": "over_receipt"})
    assert "takes 10 more" in receipt.refusal


def test_the_same_note_lies_there_once_and_is_not_counted_beside():
    line = at_vendor()
    receipt = bring(line, 12)

    assert bring(line, 12) == receipt
    with pytest.raises(DuplicateNote):
        bring(line, 13)
    with pytest.raises(DuplicateNote):
        receipts.post_receipt(
            vendor_id=line.vendor_id, note="DN-1", lines=[counted(line, 5)], by=plans.boss(), at=moment(LATER)
        )


def test_goods_are_released_once_the_books_take_them():
    line = at_vendor()
    receipt = bring(line, 12)
    with pytest.raises(OverReceipt):
        decide(receipts.release_quarantine, receipt)
    assert apart() == 12
    OrderLine.objects.update(over_receipt_pct=20)
    ship(1, RM=2)

    done = decide(receipts.release_quarantine, receipt)

    receipt.refresh_from_db()
    assert (done.status, done.note, receipt.status) == ("posted", "DN-1", "reversed")
    assert (apart(), lying("MAIN", "FG"), plans.line(1).accepted) == (0, 12, 12)
    assert not Alert.objects.open().filter(kind="over_receipt").exists()


def test_goods_that_went_back_leave_nothing_and_free_the_note():
    line = at_vendor()
    receipt = bring(line, 12)

    decide(receipts.refuse_quarantine, receipt)

    assert (apart(), Alert.objects.open().count()) == (0, 0)
    assert bring(line, 10).status == ReceiptStatus.POSTED
    with pytest.raises(WrongState):
        decide(receipts.refuse_quarantine, receipt)
    with pytest.raises(WrongState):
        receipts.reverse_receipt(receipt_id=receipt.pk, by=None, at=moment(LATER))
