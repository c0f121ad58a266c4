"""When an operation with several lines is finished, and what a run orders meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from activity.models import Alert
from documents import services as documents
from production.models import OperationStatus
from receipts.models import ReceiptLine
from subcontract_orders.models import LineStatus
from tests.documents import plans
from tests.played import played
from tests.receipts.goods import LATER, counted, operation, receive, reverse, ship

HALVES = [{"vendor": "V1", "share_pct": 50}, {"vendor": "V2", "share_pct": 50}]


@played
def two_vendors(**rules: object) -> None:
    """100 pieces of one operation, 50 at each of two vendors, both asked for."""
    policy = {
        "code": "PLATE",
        "process": "Plating",
        "verdict": "outsource",
        "split": "share",
        "vendors": HALVES,
        **rules,
    }
    price = {"item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 100, "lead_days": 5}
    plans.base(
        vendors=[{"code": "V2", "name": "Vendor Two", "currency": "EUR"}],
        prices=[{"vendor": "V2", "valid_from": "2026-01-01", **price}],
        boms=[{"parent": "FG", "component": "RM", "quantity": 1, "operation_no": 10, "supply": "vendor"}],
        policies=[policy],
    )
    plans.plan("P1", "FG", 100, "2026-04-30")
    plans.generate()
    plans.send(1)
    plans.send(2)


def asked() -> list[tuple[str, str, Decimal]]:
    return [(number, vendor, quantity) for number, vendor, _, _, quantity, _ in plans.lines()]


BOTH = [("SC-00001", "V1", Decimal(50)), ("SC-00002", "V2", Decimal(50))]


def test_the_first_of_two_vendors_does_not_finish_the_operation():
    two_vendors()

    receive(counted(plans.line(1), 50))
    plans.generate(LATER)

    assert (plans.line(1).status, operation().status) == (LineStatus.COMPLETE, OperationStatus.IN_PROGRESS)
    assert (asked(), Alert.objects.open().count()) == (BOTH, 0)

    receive(counted(plans.line(2), 50), note="DN-2")

    assert (operation().good, operation().status) == (100, OperationStatus.FINISHED)


def test_a_line_within_its_tolerance_finishes_the_operation_only_with_the_other_one():
    two_vendors(under_receipt_pct=10)

    receive(counted(plans.line(1), 50))
    second = receive(counted(plans.line(2), 46), note="DN-2")

    assert (operation().good, operation().status) == (96, OperationStatus.FINISHED)

    reverse(second)

    assert (operation().good, operation().status) == (50, OperationStatus.IN_PROGRESS)


def test_what_a_tolerance_let_go_is_not_ordered_anew_while_the_other_line_is_open():
    two_vendors(under_receipt_pct=10)

    receive(counted(plans.line(1), 46))
    plans.generate(LATER)

    assert (plans.line(1).status, operation().status) == (LineStatus.COMPLETE, OperationStatus.IN_PROGRESS)
    assert (asked(), Alert.objects.open().count()) == (BOTH, 0)


@pytest.mark.parametrize("raised", [9, 12])
def test_a_complete_line_does_not_finish_an_operation_that_wants_more_by_now(raised: int):
    plans.base()
    plans.plan("P1", "FG", 5, "2026-04-30")
    plans.generate()
    plans.send(1)
    plans.plan("P1", "FG", raised, "2026-04-30")

    ship(1)
    receive(counted(plans.line(1), 5))
    plans.generate(LATER)

    assert operation().status == OperationStatus.IN_PROGRESS
    assert [quantity for _, _, quantity in asked()] == [5, raised - 5]


def with_a_lot_charge() -> None:
    price = {
        "vendor": "V1",
        "item": "FG",
        "operation_name": "Plating",
        "currency": "EUR",
        "unit_price": 100,
        "lead_days": 5,
    }
    plans.base(prices=[{**price, "valid_from": "2026-01-01", "lot_charge": 25}])
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)
    receive(counted(plans.line(1), 4))
    assert ReceiptLine.objects.get().work_value == 410  # 4 of 10 pieces, and of the lot charge


def apply() -> None:
    documents.apply_alert(alert_id=Alert.objects.open().get().pk, by=plans.boss(), at=plans.moment())


def test_an_operation_whose_plan_is_lowered_to_what_came_is_finished_when_its_line_is():
    with_a_lot_charge()
    plans.plan("P1", "FG", 4, "2026-04-30")
    plans.generate()
    assert operation().status == OperationStatus.IN_PROGRESS

    apply()

    assert (plans.line(1).status, operation().status, operation().good) == (
        LineStatus.COMPLETE,
        OperationStatus.FINISHED,
        4,
    )
    assert ReceiptLine.objects.get().work_value == 425


def test_what_came_of_a_line_that_is_taken_off_owes_its_charges_too():
    with_a_lot_charge()
    plans.cancel("P1")
    plans.generate()

    apply()

    assert (plans.line(1).amount, ReceiptLine.objects.get().work_value) == (425, 425)
    assert operation().status == OperationStatus.CANCELLED


def test_another_vendor_for_the_rest_leaves_the_operation_to_be_finished():
    with_a_lot_charge()
    plans.load({"vendors": [{"code": "V2", "name": "Vendor Two", "currency": "EUR"}]})
    plans.word("P1", "10", "outsource", vendor="V2")
    plans.generate()

    apply()

    assert (plans.line(1).status, operation().status) == (LineStatus.COMPLETE, OperationStatus.IN_PROGRESS)
