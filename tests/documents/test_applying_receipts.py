"""What alerts about goods propose is done in one act, or somebody says that it stays as it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from activity.models import Alert, Event
from core.refusals import InvalidInput
from documents import services as documents
from documents.models import GenerationRequest
from documents.services import NothingToApply
from production import services as production
from production.models import OperationStatus
from receipts import services as receipts
from receipts.models import Receipt, ReceiptStatus, Return
from receipts.services import OverReceipt, PiecesGone, VendorShort, receive_or_quarantine
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER, at_vendor, counted, lying, operation, receive, reverse


def alert(kind: str) -> Alert:
    return Alert.objects.open().get(kind=kind)


def apply(kind: str) -> Alert:
    return documents.apply_alert(alert_id=alert(kind).pk, by=plans.boss(), at=moment(LATER))


def accept(kind: str, reason: str = "enough for this job") -> Alert:
    return documents.accept_alert(alert_id=alert(kind).pk, reason=reason, by=plans.boss(), at=moment(LATER))


def is_open(kind: str) -> bool:
    return Alert.objects.open().filter(kind=kind).exists()


def lines() -> list[tuple[str, Decimal]]:
    return list(OrderLine.objects.order_by("pk").values_list("order__number", "quantity"))


# Bad pieces


def test_what_bad_pieces_leave_uncovered_is_ordered_anew_by_the_next_run():
    line = at_vendor()
    receive(counted(line, 6, rejected=3, scrapped=1))

    apply("short_receipt")

    assert not is_open("short_receipt")
    assert operation().status == OperationStatus.IN_PROGRESS
    assert GenerationRequest.objects.filter(run=None).exists()
    plans.generate(LATER)
    assert lines() == [("SC-00001", 10), ("SC-00002", 4)]
    plans.generate(LATER)
    assert lines() == [("SC-00001", 10), ("SC-00002", 4)]


def test_the_further_line_finishes_the_operation():
    line = at_vendor()
    receive(counted(line, 6, rejected=4))
    apply("short_receipt")
    plans.generate(LATER)
    plans.send(2)
    goods.ship(2)

    receive(counted(plans.line(2), 4), note="DN-2")

    assert (operation().status, operation().good, operation().scrap) == (OperationStatus.FINISHED, 10, 4)
    plans.generate(LATER)
    assert len(lines()) == 2
    assert back.problems() == []


def test_pieces_bad_again_are_asked_about_again():
    line = at_vendor()
    receive(counted(line, 6, rejected=4))
    apply("short_receipt")
    plans.generate(LATER)
    plans.send(2)
    goods.ship(2)

    receive(counted(plans.line(2), 3, scrapped=1), note="DN-2")

    assert (alert("short_receipt").subject, alert("short_receipt").after) == ("SC-00002/1", {"quantity": "1"})


def test_the_yield_is_reckoned_in():
    line = at_vendor(quantity=8, yield_pct=80)
    receive(counted(line, 5, scrapped=5))

    apply("short_receipt")
    plans.generate(LATER)

    assert lines() == [("SC-00001", 10), ("SC-00002", 4)]  # 3 good ones over 80 %


def test_a_reversal_takes_the_further_line_back():
    line = at_vendor()
    receipt = receive(counted(line, 6, rejected=4))
    apply("short_receipt")
    plans.generate(LATER)

    reverse(receipt)
    plans.generate(LATER)

    assert [row.quantity for row in OrderLine.objects.active()] == [10]
    assert back.problems() == []


def test_one_may_do_without_and_is_not_asked_again():
    line = at_vendor()
    receive(counted(line, 4, scrapped=1))

    accept("short_receipt")

    assert not is_open("short_receipt")
    assert operation().status != OperationStatus.OPEN
    receive(counted(line, 5), note="DN-2")
    assert not is_open("short_receipt")
    plans.generate(LATER)
    assert lines() == [("SC-00001", 10)]
    said = Event.objects.get(name="order.done_without")
    assert (said.data["quantity"], said.data["reason"]) == ("1", "enough for this job")


def test_accepting_wants_a_reason_and_writes_nothing_without_one():
    receive(counted(at_vendor(), 6, rejected=4))

    with pytest.raises(InvalidInput, match="Say why"):
        accept("short_receipt", reason=" ")

    assert is_open("short_receipt")
    assert plans.line(1).forgone == 0


def test_pieces_of_a_step_before_that_are_gone_cannot_be_made_anew():
    plans.base(
        items=[{"code": "FM", "kind": "finished"}],
        routings=[
            {"item": "FM", "operation_no": 10, "name": "Milling", "work_center": "WC-IN", "run_minutes_per_unit": 1},
            {"item": "FM", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
        ],
        prices=[{"vendor": "V1", "item": "FM", "operation_name": "Plating", "currency": "EUR", "unit_price": 5,
                 "lead_days": 5, "valid_from": "2026-01-01"}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}],
    )  # fmt: skip
    plans.plan("P1", "FM", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    production.report_operation(operation_id=operation().pk, good=Decimal(10), by=plans.boss(), at=moment())
    back.ship(1)
    receive(counted(plans.line(1), 8, scrapped=2))

    with pytest.raises(PiecesGone, match="2 pieces are to be made anew, but 0 are left of the step before"):
        apply("short_receipt")

    assert plans.line(1).reordered == 0
    accept("short_receipt")
    assert not is_open("short_receipt")


# Material that was missing, goods put apart, material left over


def test_what_was_missing_is_booked_as_used_once_it_is_there():
    line = at_vendor(shipped="7", shortage="warn")
    receive(counted(line, 10))
    with pytest.raises(VendorShort):
        apply("discrepancy")
    goods.ship(1, RM=3)

    apply("discrepancy")

    assert not is_open("discrepancy")
    assert (lying("AT-V1", "RM"), back.counters(1)["consumed"]) == (0, 10)
    assert back.problems() == []


def test_a_late_adjustment_settles_it_bit_by_bit():
    line = at_vendor(shipped="7", shortage="warn")
    receipt = receive(counted(line, 10))
    goods.ship(1, RM=3)

    def adjust(quantity: int) -> None:
        receipts.adjust_consumption(receipt_id=receipt.pk, line_no=1, item_id=back.component(1).item_id,
                                    quantity=Decimal(quantity), by=plans.boss(), at=moment(LATER))  # fmt: skip

    adjust(2)
    assert alert("discrepancy").after == {"RM": "1"}
    adjust(1)
    assert not is_open("discrepancy")


def test_a_discrepancy_is_accepted_with_a_reason_and_goes_with_its_receipt():
    receipt = receive(counted(at_vendor(shipped="7", shortage="warn"), 10))

    accept("discrepancy", reason="thin sheets used")

    assert not is_open("discrepancy")
    assert Event.objects.get(name="receipt.discrepancy_accepted").data["missing"] == {"RM": "3"}
    reverse(receipt)
    receive(counted(plans.line(1), 10), note="DN-2")
    reverse(Receipt.objects.posted().get())
    assert not is_open("discrepancy")


def test_goods_in_quarantine_are_counted_in_when_the_books_take_them():
    line = at_vendor(quantity=10)
    receive_or_quarantine(vendor_id=line.vendor_id, note="DN-1", lines=[counted(line, 12)], by=plans.boss(),
                          at=moment(LATER))  # fmt: skip
    with pytest.raises(OverReceipt):
        apply("over_receipt")
    assert Receipt.objects.get().status == ReceiptStatus.QUARANTINED
    OrderLine.objects.update(over_receipt_pct=20)
    goods.ship(1, RM=2)

    apply("over_receipt")

    assert not is_open("over_receipt")
    assert lying("MAIN", "FG") == 12


def test_a_cancelled_orders_material_is_returned():
    at_vendor()
    documents.cancel_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment(LATER))

    apply("material_left_at_vendor")

    assert not is_open("material_left_at_vendor")
    assert (lying("AT-V1", "RM"), lying("MAIN", "RM")) == (0, 1000)
    assert Return.objects.get().reason == "SC-00001"  # which is the same in every language
    assert back.problems() == []


def test_what_no_act_ends_says_where_it_is_done():
    line = at_vendor(certificates=["EN10204"])
    receive(counted(line, 10))

    with pytest.raises(NothingToApply, match="Hand the certificates in, or waive them"):
        apply("certificate_missing")
    with pytest.raises(NothingToApply, match="cannot stay as it is"):
        accept("certificate_missing")

    assert is_open("certificate_missing")


# Bad pieces of an order bought complete


@played
def bought_complete() -> OrderLine:
    """P1, of two steps, bought complete as one line at V1; no material goes out."""
    plans.base(
        boms=[{"parent": "FG", "component": "RM", "quantity": 1, "operation_no": 10, "supply": "vendor"}],
        routings=[
            {"item": "FG", "operation_no": 5, "name": "Turning", "work_center": "WC-IN"},
            {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "OUT", "outsourced": "yes"},
        ],
        policies=[{"code": "BUY", "item": "FG", "verdict": "buy_complete", "vendors": ["V1"], "priority": 1}],
        prices=[{"vendor": "V1", "item": "FG", "currency": "EUR", "unit_price": 20}],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    return plans.line(1)


def test_bad_pieces_of_an_order_bought_complete_are_bought_anew_complete():
    line = bought_complete()
    assert (line.is_whole, line.quantity) == (True, 10)
    receive(counted(line, 6, rejected=3, scrapped=1))
    assert alert("short_receipt").after == {"quantity": "4"}

    apply("short_receipt")
    plans.generate(LATER)
    plans.generate(LATER)

    assert lines() == [("SC-00001", 10), ("SC-00002", 4)]
    assert plans.line(2).is_whole
    plans.send(2)
    receive(counted(plans.line(2), 4), note="DN-2")
    assert [(operation("P1", no).status, operation("P1", no).good) for no in ("5", "10")] == [
        (OperationStatus.FINISHED, 10),
        (OperationStatus.FINISHED, 10),
    ]
    assert back.problems() == []


def test_one_may_do_without_bad_pieces_of_an_order_bought_complete():
    line = bought_complete()
    receive(counted(line, 6, rejected=4))

    accept("short_receipt")
    plans.generate(LATER)

    assert not is_open("short_receipt")
    assert lines() == [("SC-00001", 10)]


def test_a_reversal_takes_the_further_whole_line_back():
    receipt = receive(counted(bought_complete(), 6, rejected=4))
    apply("short_receipt")
    plans.generate(LATER)

    reverse(receipt)
    plans.generate(LATER)

    assert [row.quantity for row in OrderLine.objects.active()] == [10]
    assert back.problems() == []
