"""Held pieces are looked at, sent back, scrapped or let pass."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from activity.models import Alert
from core.refusals import InvalidInput, InvalidQuantity, NotFound
from inventory.services import NotEnoughStock
from production.models import OperationStatus
from receipts.models import ExpectedReceipt, Receipt, ReceiptLine
from receipts.services import (
    CertificateMissing,
    LotRequired,
    NothingToInspect,
    OrderClosed,
    VendorShort,
    hand_in_certificates,
    inspect_receipt,
    waive_hold,
)
from subcontract_orders.models import LineStatus, OrderLine, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back
from tests.receipts.goods import LATER, at_vendor, counted, lying, operation, receive, reverse, ship, worth

WAITING = "INSPECTION-MAIN"


def inspect(receipt: Receipt, accepted: Any = 0, rejected: Any = 0, disposition: str = "", **more: Any) -> ReceiptLine:
    said = {"accepted": Decimal(str(accepted)), "rejected": Decimal(str(rejected)), "disposition": disposition, **more}
    inspect_receipt(receipt_id=receipt.pk, line_no=1, by=plans.boss(), at=moment(LATER), **said)
    return receipt.lines.get()


def expected() -> Decimal:
    return ExpectedReceipt.objects.get().quantity


def rework_at_vendor() -> Decimal:
    return lying("AT-V1", "FG", stage="rework SC-00001/1")


def test_pieces_due_for_inspection_are_ours_and_not_available():
    line = at_vendor(inspection="all")

    [row] = receive(counted(line, 10)).lines.all()

    assert (row.held, row.held_for, row.to_inspect, row.is_sample) == (10, ["inspection"], 10, False)
    assert (lying("MAIN", "FG"), lying(WAITING, "FG"), worth("FG")) == (0, 10, 2000)
    assert operation().good == 10


def test_who_counts_in_may_ask_for_an_inspection_the_order_does_not():
    receipt = receive(counted(at_vendor(), 10, inspect_quantity=2))
    [row] = receipt.lines.all()
    waiting = (row.held, row.held_for, row.to_inspect, row.is_sample, lying("MAIN", "FG"), lying(WAITING, "FG"))

    inspect(receipt, 2)

    assert waiting == (10, ["inspection"], 2, True, 0, 10)
    assert (lying("MAIN", "FG"), lying(WAITING, "FG")) == (10, 0)


def test_what_passes_is_free_at_once_and_the_rest_waits():
    receipt = receive(counted(at_vendor(inspection="all"), 10))

    row = inspect(receipt, 7)

    assert (row.held, row.to_inspect, lying("MAIN", "FG"), lying(WAITING, "FG")) == (3, 3, 7, 3)
    with pytest.raises(InvalidQuantity, match="3 pieces wait"):
        inspect(receipt, 4)
    assert inspect(receipt, 3).held_for == []
    with pytest.raises(NothingToInspect):
        inspect(receipt, 1)
    assert lying("MAIN", "FG") == 10


def test_pieces_to_be_mended_go_out_and_come_again_without_a_second_charge():
    line = at_vendor(inspection="all")
    receipt = receive(counted(line, 10))

    row = inspect(receipt, 7, 3, "rework")

    assert (row.accepted, row.sent_back, row.held, rework_at_vendor(), expected()) == (7, 3, 0, 3, 3)
    line.refresh_from_db()
    assert (line.accepted, line.in_rework, line.status) == (7, 3, LineStatus.OPEN)
    assert (operation().good, operation().status) == (7, OperationStatus.IN_PROGRESS)
    assert worth("FG") == 2000

    again = receive(counted(line, 3), note="DN-2")
    [row] = again.lines.all()
    assert (row.reworked, row.work_value, row.components_value, row.consumptions.count()) == (3, 0, 0, 0)
    inspect(again, 3)

    line.refresh_from_db()
    assert (line.accepted, line.in_rework, line.status, expected()) == (10, 0, LineStatus.COMPLETE, 0)
    assert (lying("MAIN", "FG"), rework_at_vendor(), worth("FG")) == (10, 0, 2000)
    assert plans.line(1).amount == 1000


def test_pieces_come_back_mended_only_as_many_as_went():
    line = at_vendor(inspection="all", over_receipt_pct=100)
    receipt = receive(counted(line, 10))
    inspect(receipt, 7, 3, "rework")

    with pytest.raises(VendorShort):
        receive(counted(line, 4), note="DN-2")


def test_scrapped_pieces_are_an_expense_and_count_as_received():
    line = at_vendor(inspection="all")

    row = inspect(receive(counted(line, 10)), 9, 1, "scrap", fault="vendor")

    line.refresh_from_db()
    assert (row.accepted, row.rejected, row.expensed_value, row.fault) == (9, 1, 200, "vendor")
    assert (line.accepted, line.rejected, line.status, expected()) == (9, 1, LineStatus.COMPLETE, 0)
    assert (operation().good, operation().scrap) == (9, 1)
    assert (lying("MAIN", "FG"), worth("FG")) == (9, 1800)


def test_absorbed_scrap_leaves_its_value_on_the_good_pieces():
    line = at_vendor(inspection="all", rejects="absorb")

    row = inspect(receive(counted(line, 10)), 8, 2, "scrap")

    assert (row.expensed_value, lying("MAIN", "FG"), worth("FG")) == (0, 8, 2000)


def test_pieces_used_as_they_are_go_into_stock():
    row = inspect(receive(counted(at_vendor(inspection="all"), 10)), 8, 2, "use_as_is", reason="small scratches")

    assert (row.accepted, row.rejected, lying("MAIN", "FG")) == (10, 0, 10)
    finding = row.findings.get()
    assert (finding.rejected, finding.disposition, finding.reason, finding.by) == (
        2, "use_as_is", "small scratches", plans.boss(),
    )  # fmt: skip


@played
def sampled(quantity: int = 30) -> Receipt:
    return receive(counted(at_vendor(quantity=quantity, inspection={"sample_pct": 10}), quantity))


def test_a_good_sample_frees_the_whole_delivery():
    receipt = sampled()
    row = receipt.lines.get()
    assert (row.to_inspect, row.is_sample, row.held) == (3, True, 30)

    assert inspect(receipt, 2).held == 30
    row = inspect(receipt, 1)

    assert (row.held, row.to_inspect, lying("MAIN", "FG")) == (0, 0, 30)


def test_a_bad_sample_leaves_the_rest_to_be_looked_at():
    receipt = sampled()

    row = inspect(receipt, 2, 1, "scrap")
    assert (row.held, row.to_inspect, row.is_sample, lying("MAIN", "FG")) == (27, 27, False, 2)
    inspect(receipt, 27)

    assert lying("MAIN", "FG") == 29


def test_pieces_wait_for_certificates_and_the_alert_closes_by_itself():
    receipt = receive(counted(at_vendor(certificates=["coc", "3.1"]), 10, certificates=("coc",)))
    assert receipt.lines.get().held_for == ["3.1"]
    assert Alert.objects.open().get().kind == "certificate_missing"
    with pytest.raises(CertificateMissing, match="waits for certificates, not for inspection"):
        inspect(receipt, 10)

    hand_in_certificates(receipt_id=receipt.pk, line_no=1, certificates=["3.1"], by=plans.boss(), at=moment(LATER))

    assert (lying("MAIN", "FG"), receipt.lines.get().certificates) == (10, ["coc", "3.1"])
    assert not Alert.objects.open().exists()


def test_inspected_pieces_still_wait_for_their_certificate():
    receipt = receive(counted(at_vendor(certificates=["coc"], inspection="all"), 10))

    assert inspect(receipt, 10).held == 10
    hand_in_certificates(receipt_id=receipt.pk, line_no=1, certificates=["coc"], by=plans.boss(), at=moment(LATER))

    assert lying("MAIN", "FG") == 10


def test_a_waiver_says_who_and_why():
    receipt = receive(counted(at_vendor(certificates=["coc"], inspection="all"), 10))
    said = {"receipt_id": receipt.pk, "line_no": 1, "by": plans.boss(), "at": moment(LATER)}

    with pytest.raises(InvalidInput):
        waive_hold(reason=" ", **said)
    waive_hold(kinds=["coc"], reason="known melt", **said)
    assert receipt.lines.get().held_for == ["inspection"]
    waive_hold(reason="urgent", **said)

    assert lying("MAIN", "FG") == 10
    assert list(receipt.lines.get().findings.order_by("pk").values_list("waived", "reason", "by__username")) == [
        (["coc"], "known melt", "boss"),
        (["inspection"], "urgent", "boss"),
    ]
    with pytest.raises(NothingToInspect):
        waive_hold(reason="again", **said)


def test_of_pieces_rejected_on_arrival_it_is_said_later_what_becomes_of_them():
    line = at_vendor()
    receipt = receive(counted(line, 6, rejected=4))

    with pytest.raises(InvalidQuantity, match="4 rejected pieces are undecided"):
        inspect(receipt, 0, 5, "scrap")
    inspect(receipt, 0, 1, "scrap")
    inspect(receipt, 0, 1, "use_as_is")
    row = inspect(receipt, 0, 2, "rework")

    line.refresh_from_db()
    assert (row.accepted, row.rejected, row.disposed, row.sent_back, row.expensed_value) == (7, 1, 1, 2, 200)
    assert (line.accepted, line.rejected, line.in_rework, expected()) == (7, 1, 2, 2)
    assert (lying("MAIN", "FG"), rework_at_vendor(), worth("FG")) == (7, 2, 1800)
    assert (operation().good, operation().scrap) == (7, 1)


def test_pieces_are_not_sent_back_on_a_closed_order():
    receipt = receive(counted(at_vendor(inspection="all"), 10))
    SubcontractOrder.objects.update(status="closed")

    with pytest.raises(OrderClosed):
        inspect(receipt, 7, 3, "rework")
    inspect(receipt, 7, 3, "scrap")

    assert (lying("MAIN", "FG"), expected()) == (7, 0)


def test_reversal_undoes_the_inspection_too():
    line = at_vendor(inspection="all")
    receipt = receive(counted(line, 10))
    inspect(receipt, 6, 3, "rework")
    inspect(receipt, 0, 1, "scrap")

    reverse(receipt)

    line.refresh_from_db()
    assert (line.received, line.in_rework, expected()) == (0, 0, 10)
    assert (lying("MAIN", "FG"), rework_at_vendor(), lying("AT-V1", "RM")) == (0, 0, 10)
    assert (worth("FG"), worth("RM"), operation().good, operation().scrap) == (0, 100000, 0, 0)


def test_mended_pieces_that_came_again_keep_the_first_receipt():
    line = at_vendor(inspection="all")
    receipt = receive(counted(line, 10))
    inspect(receipt, 7, 3, "rework")
    receive(counted(line, 3), note="DN-2")

    with pytest.raises(NotEnoughStock):
        reverse(receipt)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ((-1, 0, ""), InvalidQuantity),
        ((0, 0, ""), InvalidQuantity),
        ((11, 0, ""), InvalidQuantity),
        ((0, 1, ""), InvalidInput),
    ],
)
def test_what_cannot_be_found_is_refused_and_nothing_moves(said: tuple, refusal: type):
    receipt = receive(counted(at_vendor(inspection="all"), 10))

    with pytest.raises(refusal):
        inspect(receipt, *said)
    with pytest.raises(NotFound):
        inspect_receipt(receipt_id=receipt.pk, line_no=2, accepted=Decimal(1), by=None, at=moment(LATER))

    assert (lying(WAITING, "FG"), receipt.lines.get().findings.count()) == (10, 0)


def lots() -> Receipt:
    plans.base(
        items=[{"code": "FG", "kind": "finished", "lot_tracked": "yes"}],
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "inspection": "all"}
        ],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    line = OrderLine.objects.get()
    return receive(counted(line, 6, lot="A"), counted(line, 4, lot="B"))


def test_rejected_pieces_keep_their_lot_to_the_vendor_and_back():
    receipt = lots()
    said = {"accepted": Decimal(4), "rejected": Decimal(2), "disposition": "rework", "by": None, "at": moment(LATER)}
    inspect_receipt(receipt_id=receipt.pk, line_no=1, **said)

    assert lying("AT-V1", "FG", lot="A", stage="rework SC-00001/1") == 2
    assert (lying("MAIN", "FG", lot="A"), lying(WAITING, "FG", lot="B")) == (4, 4)
    with pytest.raises(LotRequired):
        receive(counted(OrderLine.objects.get(), 2), note="DN-2")
    receive(counted(OrderLine.objects.get(), 2, lot="A"), note="DN-2")

    assert lying(WAITING, "FG", lot="A") == 2


def test_a_new_piece_is_not_taken_for_the_one_that_is_to_be_mended():
    plans.base(items=[{"code": "FG", "kind": "finished", "serial_tracked": "yes"}])
    plans.plan("P1", "FG", 3, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    receipt = receive(counted(OrderLine.objects.get(), 2, serials=("S1", "S2")))
    back.return_product(receipt, 1)  # S2, the last
    assert lying("AT-V1", "FG", lot="S2", stage="rework SC-00001/1") == 1

    receive(counted(OrderLine.objects.get(), 1, serials=("S3",)), note="DN-2")

    assert lying("AT-V1", "FG", lot="S2", stage="rework SC-00001/1") == 1
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM"), worth("FG")) == (2, 0, 600)
    mended = receive(counted(OrderLine.objects.get(), 1, serials=("S2",)), note="DN-3")
    assert mended.lines.get().reworked == 1
    line = OrderLine.objects.get()
    assert (line.accepted, line.in_rework, line.status) == (3, 0, "complete")
    assert (lying("MAIN", "FG", lot="S2"), worth("FG")) == (1, 600)
    assert back.problems() == []


def test_where_no_new_piece_is_ordered_one_of_another_number_takes_the_place_of_the_mended_one():
    plans.base(items=[{"code": "FG", "kind": "finished", "serial_tracked": "yes"}])
    plans.plan("P1", "FG", 2, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    back.return_product(receive(counted(OrderLine.objects.get(), 2, serials=("S1", "S2"))), 1)

    receive(counted(OrderLine.objects.get(), 1, serials=("S9",)), note="DN-2")

    assert (lying("MAIN", "FG", lot="S9"), lying("AT-V1", "FG", stage="rework SC-00001/1")) == (1, 0)
    assert back.problems() == []


def test_new_pieces_of_another_lot_use_material_while_the_mended_lot_is_awaited():
    plans.base(items=[{"code": "FG", "kind": "finished", "lot_tracked": "yes"}])
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    back.return_product(receive(counted(OrderLine.objects.get(), 5, lot="A")), 2)

    receive(counted(OrderLine.objects.get(), 4, lot="B"), note="DN-2")

    assert (lying("AT-V1", "FG", lot="A", stage="rework SC-00001/1"), lying("AT-V1", "RM")) == (2, 1)
    receive(counted(OrderLine.objects.get(), 3, lot="A"), note="DN-3")  # the two, and the last new one
    assert (lying("MAIN", "FG", lot="A"), lying("MAIN", "FG", lot="B"), lying("AT-V1", "RM")) == (6, 4, 0)
    assert OrderLine.objects.get().status == "complete"
    assert back.problems() == []
