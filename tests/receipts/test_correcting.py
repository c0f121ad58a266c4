"""Material used and pieces counted turn out to be otherwise: only the difference is posted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.refusals import InvalidInput, InvalidQuantity, NotFound, TooPrecise, WrongState
from inventory.models import Movement
from inventory.services import NotEnoughStock
from masterdata.models import Item
from receipts.models import ExpectedReceipt, Receipt, ReceiptLine
from receipts.services import OverReceipt, VendorShort, adjust_consumption, correct_receipt, return_product
from subcontract_orders.models import SubcontractOrder
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts.goods import (
    LATER,
    at_vendor,
    component,
    counted,
    lying,
    move_on,
    operation,
    receive,
    reverse,
    ship,
    used,
    worth,
)


def adjust(receipt: Receipt, quantity: Any, *, item: str = "RM", lot: str = "") -> ReceiptLine:
    adjust_consumption(
        receipt_id=receipt.pk,
        line_no=1,
        item_id=Item.objects.get(code=item).pk,
        quantity=Decimal(str(quantity)),
        lot=lot,
        by=plans.boss(),
        at=moment(LATER),
    )
    return receipt.lines.get()


def correct(receipt: Receipt, accepted: Any, rejected: Any = 0, scrapped: Any = 0, **more: Any) -> ReceiptLine:
    counts = {"accepted": Decimal(accepted), "rejected": Decimal(rejected), "scrapped": Decimal(scrapped)}
    said = {"reason": "counted again", "line_no": 1, "by": plans.boss(), "at": moment(LATER), **counts, **more}
    correct_receipt(receipt_id=receipt.pk, **said)
    return receipt.lines.get()


def all_value() -> Decimal:
    return worth("FG") + worth("RM")


def test_pieces_that_went_back_to_the_vendor_were_accepted():
    line = at_vendor()
    receipt = receive(counted(line, 4))
    receive(counted(line, 4), note="DN-2")
    return_product(receipt_line_id=receipt.lines.get().pk, quantity=Decimal(3), by=plans.boss(), at=moment(LATER))

    with pytest.raises(InvalidQuantity, match="3 of these pieces went back to the vendor"):
        correct(receipt, 2)

    assert correct(receipt, 3).accepted == 3
    line.refresh_from_db()
    assert line.accepted == 4


def test_more_was_used_and_the_pieces_here_are_worth_more():
    line = at_vendor()
    receipt = receive(counted(line, 4))

    row = adjust(receipt, 2)

    assert (used(receipt), component(line).consumed, lying("AT-V1", "RM")) == ({"RM": 6}, 6, 4)
    assert (row.components_value, worth("FG"), worth("RM")) == (600, 1000, 99400)


def test_less_was_used_and_lies_there_again_at_its_value():
    line = at_vendor()
    receipt = receive(counted(line, 4))

    adjust(receipt, -1)

    assert (used(receipt), component(line).consumed, lying("AT-V1", "RM")) == ({"RM": 3}, 3, 7)
    assert (worth("FG"), worth("RM")) == (700, 99700)


def test_pieces_that_have_moved_on_leave_their_share_as_a_difference_of_price():
    receipt = receive(counted(at_vendor(), 4))
    move_on("FG", 3)

    adjust(receipt, 2)

    assert worth("FG") == 250
    assert Movement.objects.filter(to_location__kind="difference", quantity=0, value=150).count() == 1


def test_bad_pieces_bear_their_share_of_more_material():
    receipt = receive(counted(at_vendor(), 4, rejected=1))

    row = adjust(receipt, 5)

    assert (row.expensed_value, row.good_value, worth("FG")) == (300, 1200, 1200)


def test_an_adjustment_is_of_the_lot_that_was_named():
    plans.base(
        items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}],
        stock=[{"item": "RM", "location": "MAIN", "quantity": 50, "lot": name} for name in ("A", "B")],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1, lot="A", RM=6)
    ship(1, lot="B", RM=4)
    receipt = receive(counted(plans.line(1), 6))
    assert (lying("AT-V1", "RM", lot="A"), lying("AT-V1", "RM", lot="B")) == (0, 4)

    with pytest.raises(VendorShort):
        adjust(receipt, 1, lot="A")
    with pytest.raises(InvalidQuantity):
        adjust(receipt, -1, lot="B")
    adjust(receipt, 1, lot="B")
    adjust(receipt, -2, lot="A")

    assert (lying("AT-V1", "RM", lot="A"), lying("AT-V1", "RM", lot="B"), used(receipt)) == (2, 3, {"RM": 5})


@pytest.mark.parametrize(
    ("quantity", "refusal"), [(0, InvalidQuantity), ("0.5", TooPrecise), (-5, InvalidQuantity), (7, VendorShort)]
)
def test_an_adjustment_that_cannot_be_is_refused(quantity: Any, refusal: type):
    receipt = receive(counted(at_vendor(), 4))

    with pytest.raises(refusal):
        adjust(receipt, quantity)
    with pytest.raises(NotFound):
        adjust(receipt, 1, item="FG")

    assert (used(receipt), worth("FG")) == ({"RM": 4}, 800)


def test_fewer_pieces_give_material_work_and_place_back():
    line = at_vendor()
    receipt = receive(counted(line, 10))

    row = correct(receipt, 9)

    line.refresh_from_db()
    assert (row.accepted, row.work_value, row.components_value, used(receipt)) == (9, 900, 900, {"RM": 9})
    assert (line.accepted, line.status, ExpectedReceipt.objects.get().quantity, operation().good) == (9, "open", 1, 9)
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM"), worth("FG"), worth("RM")) == (9, 1, 1800, 99100)
    assert plans.order(1).receipt == "partial"


def test_more_pieces_use_more_and_are_owed():
    line = at_vendor()
    receipt = receive(counted(line, 4))

    row = correct(receipt, 6, 1)

    line.refresh_from_db()
    assert (row.accepted, row.rejected, row.work_value, row.expensed_value, used(receipt)) == (
        6,
        1,
        700,
        200,
        {"RM": 7},
    )
    assert (line.accepted, line.rejected, operation().good, operation().scrap) == (6, 1, 6, 1)
    assert (lying("MAIN", "FG"), worth("FG"), lying("AT-V1", "RM")) == (6, 1200, 3)


def test_good_pieces_that_were_bad_move_their_value():
    receipt = receive(counted(at_vendor(), 10))

    row = correct(receipt, 8, 2)
    assert (row.expensed_value, worth("FG"), lying("MAIN", "FG"), operation().scrap) == (400, 1600, 8, 2)
    row = correct(receipt, 9, 1)

    assert (row.expensed_value, worth("FG"), lying("MAIN", "FG"), operation().scrap) == (200, 1800, 9, 1)
    assert used(receipt) == {"RM": 10}


def test_a_correction_is_posted_on_a_closed_order_and_expects_nothing_again():
    line = at_vendor()
    receipt = receive(counted(line, 10))
    SubcontractOrder.objects.update(status="closed")

    correct(receipt, 9)

    assert (plans.line(1).accepted, ExpectedReceipt.objects.get().quantity) == (9, 0)


def test_only_pieces_that_have_not_moved_on_are_corrected():
    receipt = receive(counted(at_vendor(), 10))
    move_on("FG", 8)

    with pytest.raises(NotEnoughStock):
        correct(receipt, 7)
    assert correct(receipt, 8).accepted == 8

    assert (lying("MAIN", "FG"), worth("FG")) == (0, 0)


def test_a_correction_and_an_adjustment_are_undone_with_their_receipt():
    line = at_vendor()
    receipt = receive(counted(line, 4))
    correct(receipt, 6, 1)
    correct(receipt, 5)
    adjust(receipt, 2)

    reverse(receipt)

    line.refresh_from_db()
    assert (line.received, operation().good, operation().scrap, component(line).consumed) == (0, 0, 0, 0)
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM"), worth("FG"), worth("RM")) == (0, 10, 0, 100000)
    with pytest.raises(WrongState):
        correct(receipt, 3)


@pytest.mark.parametrize(
    ("counts", "refusal"),
    [((-1,), InvalidQuantity), (("2.5",), TooPrecise), ((11,), OverReceipt), ((4,), InvalidQuantity)],
)
def test_a_correction_that_cannot_be_is_refused(counts: tuple, refusal: type):
    receipt = receive(counted(at_vendor(), 4))

    with pytest.raises(refusal):
        correct(receipt, *counts)
    with pytest.raises(InvalidInput):
        correct(receipt, 5, reason=" ")

    assert (lying("MAIN", "FG"), used(receipt)) == (4, {"RM": 4})


def test_a_correction_of_held_pieces_stays_in_inspection():
    receipt = receive(counted(at_vendor(inspection="all"), 6))

    row = correct(receipt, 5)
    assert (row.held, row.to_inspect, lying("INSPECTION-MAIN", "FG")) == (5, 5, 5)
    row = correct(receipt, 8)

    assert (row.held, row.to_inspect, lying("INSPECTION-MAIN", "FG"), worth("FG")) == (8, 8, 8, 1600)
    assert all_value() == Decimal(100000) + row.work_value
