"""The plan makes another item of an order that is out: vendors go on with the former one until a person has said otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from activity.models import Alert
from core.refusals import WrongState
from documents import services as documents
from production.models import Operation, ProductionOrder
from receipts.models import Return, ReturnStatus
from shipments.models import Shipment
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus
from tests.documents import plans
from tests.documents.plans import line, load, order
from tests.played import played
from tests.receipts import goods

PRICE = {
    "vendor": "V1",
    "operation_name": "Plating",
    "currency": "EUR",
    "unit_price": 100,
    "lead_days": 5,
    "valid_from": "2026-01-01",
}
ANOTHER = {
    "items": [{"code": "FG2", "kind": "finished"}],
    "boms": [{"parent": "FG2", "component": "RM", "quantity": 2, "operation_no": 10, "supply": "own"}],
    "routings": [
        {"item": "FG2", "operation_no": 10, "name": "Plating", "work_center": "OUT"},
        {"item": "FG2", "operation_no": 30, "name": "Packing", "work_center": "WC-IN"},
    ],
    "prices": [PRICE | {"item": "FG2"}],
}


def replan(item: str, quantity: int = 10, due: str = "2026-04-30", **fields: Any) -> None:
    plans.plan("P1", item, quantity, due, day=goods.LATER, **fields)


def alert() -> Alert:
    return Alert.objects.open().get(kind="requirement_changed")


def apply(**fields: Any) -> Alert:
    return documents.apply_alert(alert_id=alert().pk, by=plans.boss(), at=plans.moment(goods.LATER), **fields)


def made() -> tuple[str, str | None]:
    """Of what the order is, and of what its plan wants it to be, where that is something else."""
    plan = ProductionOrder.objects.select_related("item", "wanted_item").get(number="P1")
    return plan.item.code, plan.wanted_item.code if plan.wanted_item else None


@pytest.fixture
@played
def out() -> None:
    """Material for ten FG is at the vendor; then the plan makes FG2 of the order, of which two parts RM go into each."""
    goods.at_vendor()
    load(ANOTHER)
    replan("FG2")
    plans.generate(goods.LATER)


@pytest.mark.usefixtures("out")
def test_the_order_stays_what_its_vendor_was_asked_for_and_an_alert_says_what_the_plan_wants():
    assert made() == ("FG", "FG2")
    assert (line(1).item.code, line(1).quantity, order(1).status) == ("FG", 10, OrderStatus.SENT)
    found = alert()
    assert (found.order_number, found.proposes, found.before["item"], found.after) == (
        "SC-00001", "change", "FG", {"item": "FG2"},
    )  # fmt: skip
    assert found.title == "SC-00001 line 1 (P1 operation 10) should change: item FG → FG2"
    assert OrderLine.objects.count() == 1


@pytest.mark.usefixtures("out")
def test_applying_it_takes_the_line_off_and_the_next_run_orders_the_new_item():
    apply()

    assert (order(1).status, line(1).status) == (OrderStatus.CANCELLED, LineStatus.CANCELLED)
    assert Alert.objects.open().filter(kind="material_left_at_vendor").exists()
    plans.generate(goods.LATER)
    assert made() == ("FG2", None)
    assert (line(2).item.code, line(2).quantity, order(2).status) == ("FG2", 10, OrderStatus.DRAFT)
    assert line(2).components.get().required == 20
    steps = Operation.objects.filter(production_order__number="P1").order_by("sequence")
    assert list(steps.values_list("operation_no", "process__code", "is_committed")) == [
        ("10", "Plating", False), ("30", "Packing", False),
    ]  # fmt: skip
    assert not Alert.objects.open().filter(kind="requirement_changed").exists()


@pytest.mark.usefixtures("out")
def test_taken_back_its_material_is_to_come_home_as_well():
    apply(way="return")

    assert (order(1).status, Return.objects.get().status) == (OrderStatus.CANCELLED, ReturnStatus.DRAFT)
    plans.generate(goods.LATER)
    assert made() == ("FG2", None)


@pytest.mark.usefixtures("out")
def test_a_held_order_waits_and_the_question_stays():
    apply(way="hold")
    plans.generate(goods.LATER)

    assert (order(1).status, made(), alert().after) == (OrderStatus.HELD, ("FG", "FG2"), {"item": "FG2"})


@pytest.mark.usefixtures("out")
def test_a_plan_that_wants_the_former_item_again_ends_the_question():
    replan("FG")
    plans.generate(goods.LATER)

    assert made() == ("FG", None)
    assert not Alert.objects.open().filter(kind="requirement_changed").exists()


@pytest.mark.usefixtures("out")
def test_an_order_cancelled_by_hand_is_free_for_the_new_item_too():
    documents.cancel_set(order_id=order(1).pk, by=plans.boss(), at=plans.moment(goods.LATER))
    plans.generate(goods.LATER)

    assert (made(), line(2).item.code) == (("FG2", None), "FG2")


@pytest.mark.usefixtures("out")
def test_what_came_in_meanwhile_stays_the_former_item_and_the_rest_is_to_be_planned_apart():
    goods.receive(goods.counted(line(1), 4))

    with pytest.raises(WrongState, match=r"P1 is reported already: it stays FG.*plan FG2 under another number"):
        apply()
    assert (made(), line(1).quantity) == (("FG", "FG2"), 10)


@pytest.mark.usefixtures("out")
def test_a_released_order_takes_the_new_item_with_its_steps():
    replan("FG2", status="released")
    apply()
    plans.generate(goods.LATER)

    assert made() == ("FG2", None)
    assert set(Operation.objects.filter(production_order__number="P1", status="open").values_list("operation_no", flat=True)) == {
        "10", "30",
    }  # fmt: skip


def test_a_draft_of_the_former_item_follows_and_none_is_made_while_a_line_is_out():
    plans.base()
    load(
        {
            "routings": [
                {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "OUT"},
                {"item": "FG", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
            ]
        }
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    assert {one.operation_no for one in OrderLine.objects.active()} == {"10", "20"}
    plans.send(1)
    load(ANOTHER)

    replan("FG2")
    plans.generate(goods.LATER)

    left = OrderLine.objects.active().get()
    assert (left.operation_no, left.order.status, made()) == ("10", OrderStatus.SENT, ("FG", "FG2"))
    assert not Shipment.objects.filter(lines__order_line__operation_no="20").exclude(status="cancelled").exists()


def test_an_order_never_sent_takes_the_new_item_at_once():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    load(ANOTHER)

    replan("FG2")
    plans.generate(goods.LATER)

    assert made() == ("FG2", None)
    assert [(one.item.code, one.quantity) for one in OrderLine.objects.active()] == [("FG2", 10)]
