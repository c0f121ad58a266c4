"""Vendors' notes counted in and taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from activity.models import Alert, Event
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Stale, TooPrecise, WrongState
from inventory.models import Movement
from inventory.services import NotEnoughStock
from production.models import OperationStatus
from receipts.models import ExpectedReceipt, Receipt, ReceiptStatus
from receipts.services import (
    DuplicateNote,
    LotRequired,
    NotTracked,
    OrderClosed,
    OrderNotSent,
    OverReceipt,
    SerialRequired,
    VendorShort,
    reverse_receipt,
)
from subcontract_orders.models import LineStatus, OrderLine
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


def expected(line: OrderLine) -> Decimal:
    return ExpectedReceipt.objects.get(order_line=line).quantity


def nothing_came(line: OrderLine) -> bool:
    line.refresh_from_db()
    return line.received == 0 and not Receipt.objects.exists() and not Movement.objects.filter(document_kind="receipt")


def test_rejected_and_scrapped_pieces_use_material_as_good_ones_do():
    line = at_vendor()

    receipt = receive(counted(line, 6, rejected=3, scrapped=1))

    line.refresh_from_db()
    assert used(receipt) == {"RM": 10}
    assert (line.accepted, line.rejected, line.scrapped, line.status) == (6, 3, 1, LineStatus.COMPLETE)
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM"), lying("MAIN", "RM")) == (6, 0, 990)
    assert expected(line) == 0
    assert component(line).consumed == 10
    assert plans.order(1).receipt == "complete"
    assert (operation().good, operation().scrap, operation().status) == (6, 4, OperationStatus.FINISHED)


def test_good_pieces_carry_components_and_work_and_bad_ones_are_expensed():
    line = at_vendor()

    [row] = receive(counted(line, 8, rejected=2)).lines.all()

    assert (row.components_value, row.work_value, row.expensed_value) == (1000, 1000, 400)
    assert (worth("FG"), worth("RM")) == (1600, 99000)


def test_absorbed_rejects_make_the_good_pieces_dearer():
    line = at_vendor(rejects="absorb")

    [row] = receive(counted(line, 8, rejected=2)).lines.all()

    assert (row.expensed_value, worth("FG")) == (0, 2000)


def test_a_note_counted_twice_is_one_receipt():
    line = at_vendor()

    first = receive(counted(line, 4))
    again = receive(counted(line, 4), at=moment(LATER) + timedelta(hours=1))

    assert first == again
    assert plans.line(1).accepted == 4
    assert Event.objects.filter(name="receipt.posted").count() == 1


def test_the_same_note_with_other_content_is_refused_and_a_supplement_is_taken():
    line = at_vendor()
    receive(counted(line, 4))

    with pytest.raises(DuplicateNote) as refused:
        receive(counted(line, 5))
    assert refused.value.code == "duplicate_number"
    assert plans.line(1).accepted == 4

    receive(counted(line, 5), is_supplement=True)
    receive(counted(line, 5), is_supplement=True)

    assert plans.line(1).accepted == 9


def test_a_note_is_the_same_however_it_is_typed():
    line = at_vendor()

    first = receive(counted(line, 4), note="DN-ä1")
    again = receive(counted(line, 4), note="dn-Ä1 ")
    with pytest.raises(DuplicateNote, match="counted already as GR-00001"):
        receive(counted(line, 5), note="Dn-ä1")

    assert (first, first.note) == (again, "DN-ä1")
    assert plans.line(1).accepted == 4


@pytest.mark.parametrize("first", [50, 99, 100])
def test_over_receipt_says_how_much_is_possible(first: int):
    line = at_vendor(quantity=100, shipped="110", over_receipt_pct=10, over_send_pct=10)
    receive(counted(line, first), note="DN-1")

    with pytest.raises(OverReceipt, match=f"takes {110 - first} more"):
        receive(counted(line, 111 - first), note="DN-2")
    receive(counted(line, 110 - first), note="DN-2")

    assert (plans.line(1).accepted, expected(line)) == (110, 0)


def test_an_under_delivery_within_the_tolerance_completes_the_line():
    line = at_vendor(quantity=100, under_receipt_pct=10)
    receive(counted(line, 89))
    assert expected(line) == 11

    receive(counted(line, 1), note="DN-2")

    assert (plans.line(1).status, expected(line)) == (LineStatus.COMPLETE, 0)
    assert operation().status == OperationStatus.FINISHED
    with pytest.raises(OrderClosed) as refused:
        receive(counted(line, 1), note="DN-3")
    assert refused.value.code == "closed"


def test_a_draft_or_a_closed_order_receives_nothing():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()

    with pytest.raises(OrderNotSent) as refused:
        receive(counted(plans.line(1), 1))

    assert refused.value.code == "wrong_state"
    assert nothing_came(plans.line(1))


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"accepted": "2.5"}, TooPrecise),
        ({"accepted": "-1"}, InvalidQuantity),
        ({"accepted": 0}, InvalidQuantity),
        ({"accepted": 11}, OverReceipt),
    ],
)
def test_quantities_that_cannot_be_are_refused(values: dict, refusal: type):
    line = at_vendor()

    with pytest.raises(refusal):
        receive(counted(line, **values))

    assert nothing_came(line)


@pytest.mark.parametrize(
    "fields",
    [
        {"note_date": LATER + timedelta(days=1)},
        {"received_at": moment(LATER) + timedelta(minutes=1)},
        {"note": "  "},
    ],
)
def test_a_note_of_the_future_or_without_a_number_is_refused(fields: dict):
    line = at_vendor()

    with pytest.raises(InvalidInput):
        receive(counted(line, 1), **fields)

    assert nothing_came(line)


def test_another_vendors_line_is_not_found():
    line = at_vendor()
    other = plans.Vendor.objects.create(code="V2")

    with pytest.raises(NotFound):
        receive(counted(line, 1), vendor_id=other.pk)

    assert nothing_came(line)


def test_too_little_material_at_the_vendor_blocks_and_says_what_is_there():
    line = at_vendor(shipped="7")

    with pytest.raises(VendorShort, match=r"10 of RM would be used, 7 lie .*, enough for 7 of the 10 pieces"):
        receive(counted(line, 10))

    assert nothing_came(line)


def test_where_the_policy_only_warns_what_is_there_is_used_and_the_rest_is_to_be_settled():
    line = at_vendor(shipped="7", shortage="warn")

    receipt = receive(counted(line, 10))

    assert used(receipt) == {"RM": 7}
    assert lying("AT-V1", "RM") == 0
    alert = Alert.objects.open().get(kind="discrepancy")
    assert (alert.after, alert.proposes) == ({"RM": "3"}, "settle")


def test_reversal_restores_stock_value_progress_and_the_plan():
    line = at_vendor()
    receipt = receive(counted(line, 5, rejected=2, scrapped=1))

    done = reverse(receipt)

    line.refresh_from_db()
    assert done.status == ReceiptStatus.REVERSED
    assert (line.received, line.status, expected(line)) == (0, LineStatus.OPEN, 10)
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM"), worth("FG"), worth("RM")) == (0, 10, 0, 100000)
    assert (component(line).consumed, plans.order(1).receipt) == (0, "none")
    assert (operation().good, operation().scrap, operation().status) == (0, 0, OperationStatus.OPEN)


def test_a_reversed_note_is_free_again_and_a_reversal_happens_once():
    line = at_vendor()
    receipt = receive(counted(line, 5))
    reverse(receipt)

    with pytest.raises(WrongState):
        reverse(receipt)
    again = receive(counted(line, 5))

    assert again != receipt
    assert plans.line(1).accepted == 5


def test_goods_that_have_moved_on_cannot_be_taken_back():
    line = at_vendor()
    receipt = receive(counted(line, 5))
    move_on("FG", 2)

    with pytest.raises(NotEnoughStock, match="Only 3 of FG lie at MAIN"):
        reverse(receipt)

    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.POSTED
    assert plans.line(1).accepted == 5


def test_a_change_of_a_stale_receipt_is_refused():
    receipt = receive(counted(at_vendor(), 5))

    with pytest.raises(Stale):
        reverse_receipt(receipt_id=receipt.pk, expected_version=receipt.version + 1, by=None, at=moment(LATER))


def test_consumption_as_sent_takes_the_share_of_what_was_sent_rounded_up():
    line = at_vendor(shipped="5", consumption="as_sent")
    assert used(receive(counted(line, 5))) == {"RM": 3}

    ship(1, RM=5)

    assert used(receive(counted(line, 3, rejected=2), note="DN-2")) == {"RM": 7}


def test_consumption_as_reported_is_what_the_vendor_declares():
    line = at_vendor(consumption="as_reported")

    assert used(receive(counted(line, 6, consumed={"RM": 7}))) == {"RM": 7}
    with pytest.raises(VendorShort):
        receive(counted(line, 4, consumed={"RM": 4}), note="DN-2")
    with pytest.raises(TooPrecise, match=r"RM is counted in 0 decimals; 1\.5 has more: say 1 or 2\."):
        receive(counted(line, 4, consumed={"RM": "1.5"}), note="DN-2")
    with pytest.raises(InvalidQuantity):
        receive(counted(line, 4, consumed={"RM": -1}), note="DN-2")
    with pytest.raises(NotFound, match=r"FG is no component of the line; it uses RM\."):
        receive(counted(line, 4, consumed={"FG": 1}), note="DN-2")

    assert lying("AT-V1", "RM") == 3


def test_a_declaration_that_the_line_does_not_follow_is_refused_where_it_differs():
    line = at_vendor()

    with pytest.raises(InvalidInput, match="5, not 6"):
        receive(counted(line, 5, consumed={"RM": 6}))

    assert used(receive(counted(line, 5, consumed={"RM": 5}))) == {"RM": 5}


def test_a_line_uses_free_stock_there_after_its_own_and_never_anothers():
    line = at_vendor(shipped="7")
    plans.load({"stock": [{"item": "RM", "location": "AT-V1", "quantity": 9}]})

    with pytest.raises(VendorShort, match="9 lie"):
        receive(counted(line, 10))
    plans.load({"stock": [{"item": "RM", "location": "AT-V1", "quantity": 12}]})
    receive(counted(line, 10))

    mine = component(line)
    assert (mine.sent, mine.carried_in, mine.consumed, lying("AT-V1", "RM")) == (7, 3, 10, 2)


TRACKED = [{"code": "FG", "kind": "finished", "lot_tracked": "yes"}]
SERIAL = [{"code": "FG", "kind": "finished", "serial_tracked": "yes"}]


def tracked(items: list) -> OrderLine:
    plans.base(items=items)
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    return plans.line(1)


def test_a_lot_tracked_item_needs_its_lot():
    line = tracked(TRACKED)

    with pytest.raises(LotRequired):
        receive(counted(line, 10))
    assert nothing_came(line)
    receive(counted(line, 6, lot="A"), counted(line, 4, lot="B"))

    assert (lying("MAIN", "FG", lot="A"), lying("MAIN", "FG", lot="B")) == (6, 4)


def test_a_refusal_of_a_line_says_which_line_of_the_note_it_is():
    line = tracked(TRACKED)

    with pytest.raises(LotRequired) as refused:
        receive(counted(line, 6, lot="A"), counted(line, 4))

    assert refused.value.field == "lines.1.lot"
    assert nothing_came(line)


def test_each_piece_needs_a_serial_number_that_is_not_in_use():
    line = tracked(SERIAL)

    for serials in ((), ("1",), ("1", "1"), ("1", "2", "3")):
        with pytest.raises(SerialRequired):
            receive(counted(line, 2, serials=serials))
    assert nothing_came(line)
    first = receive(counted(line, 2, serials=("1", "2")))
    with pytest.raises(DuplicateNote, match="2"):
        receive(counted(line, 2, serials=("2", "3")), note="DN-2")
    reverse(first)
    receive(counted(line, 2, serials=("2", "3")), note="DN-2")

    assert (lying("MAIN", "FG", lot="1"), lying("MAIN", "FG", lot="2"), lying("MAIN", "FG", lot="3")) == (0, 1, 1)


@pytest.mark.parametrize(
    ("items", "named", "field", "said"),
    [
        ([], {"lot": "A"}, "lines.0.lot", "Leave lot A out: FG is not tracked by it."),
        ([], {"serials": ("1", "2")}, "lines.0.serials", "Leave the serial numbers out: FG is not tracked by it."),
        (TRACKED, {"lot": "A", "serials": ("1", "2")}, "lines.0.serials",
         "Leave the serial numbers out: FG is not tracked by it."),
        (SERIAL, {"lot": "A", "serials": ("1", "2")}, "lines.0.lot", "Leave lot A out: FG is not tracked by it."),
    ],
)  # fmt: skip
def test_a_lot_or_serial_number_of_an_item_that_has_none_is_refused(items, named, field, said):
    line = tracked(items)

    with pytest.raises(NotTracked) as refused:
        receive(counted(line, 2, **named))

    assert (refused.value.code, refused.value.field, refused.value.detail) == ("not_tracked", field, said)
    assert nothing_came(line)


def test_a_lot_of_pieces_between_two_operations_is_refused_as_they_have_none():
    plans.base(
        items=TRACKED,
        routings=[
            {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "OUT"},
            {"item": "FG", "operation_no": 20, "name": "Packing", "work_center": "WC-IN"},
        ],
    )
    line = at_vendor()

    with pytest.raises(NotTracked) as refused:
        receive(counted(line, 10, lot="A"))
    nothing = nothing_came(line)
    receive(counted(line, 10))

    assert refused.value.detail == "Leave lot A out: pieces between two operations have none."
    assert (nothing, lying("MAIN", "FG", stage="P1/10")) == (True, 10)


def test_single_pieces_owe_the_whole_line_to_the_cent():
    plans.base(
        prices=[{"vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": "33.33",
                 "lot_charge": "50", "lead_days": 5, "valid_from": "2026-01-01"}]
    )  # fmt: skip
    plans.plan("P1", "FG", 3, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)

    owed = [receive(counted(plans.line(1), 1), note=f"DN-{no}").lines.get().work_value for no in range(3)]

    assert owed == [Decimal("49.99667"), Decimal("49.99666"), Decimal("49.99667")]
    assert sum(owed) == plans.line(1).amount == Decimal("149.99")


@pytest.mark.parametrize("others", [0, 40], ids=["one component", "many"])
def test_a_receipt_costs_the_same_for_any_number_of_components(django_assert_num_queries, others):
    extra = [f"C-{number}" for number in range(others)]
    plans.base(
        items=[{"code": code, "kind": "raw", "standard_cost": 1} for code in extra],
        boms=[{"parent": "FG", "component": code, "quantity": 1, "operation_no": "10"} for code in extra],
        stock=[{"item": code, "location": "MAIN", "quantity": 100} for code in extra],
    )
    line = at_vendor()
    boss = plans.boss()
    receive(counted(line, 1))

    with django_assert_num_queries(37):  # of them two of the test itself
        receive(counted(line, 4), note="DN-2", by=boss)

    assert lying("MAIN", "FG") == 5
