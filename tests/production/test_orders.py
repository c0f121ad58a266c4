"""The plan that comes again every night."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.refusals import WrongState
from masterdata import services as masterdata
from masterdata.models import Item, PlanChange
from production import services as production
from production.models import Operation, ProductionOrder, RoutingStep
from production.services import OrdersRefused, PlannedOperation, PlannedOrder
from tests.factories import AT, ItemFactory, MachineFactory, SiteFactory, UnitFactory

DUE = date(2026, 3, 18)


@pytest.fixture
def shaft() -> Item:
    """Turned, ground and packed on a machine of ours, an hour a piece each."""
    SiteFactory(code="MAIN")
    item = ItemFactory(code="SHAFT", unit=UnitFactory(code="pcs", decimals=0))
    machine = MachineFactory(code="LATHE")
    for number in ("10", "20", "30"):
        step(item, number, work_center_id=machine.pk, run_minutes=Decimal(60))
    return item


def step(item: Item, number: str, variant: str = "", **values: Any) -> None:
    production.upsert_routings(steps={(item.pk, variant, number): {"name": f"Step {number}", **values}})


def plan(item: Item, quantity: int | Decimal = 8, number: str = "P1", **values: Any) -> production.UpsertedOrders:
    order = PlannedOrder(
        **{"number": number, "item_id": item.pk, "quantity": Decimal(quantity), "due_date": DUE, **values}
    )
    return production.upsert_production_orders(orders=[order], at=AT, by=None)


def refused(*args: Any, **values: Any) -> tuple[str, str | None]:
    with pytest.raises(OrdersRefused) as refusal:
        plan(*args, **values)
    (bad,) = refusal.value.orders
    return bad.code, bad.field


def operations() -> dict[str, Operation]:
    return {operation.operation_no: operation for operation in Operation.objects.order_by("sequence")}


def report(number: str, good: int, scrap: int = 0, **values: Any) -> None:
    given = PlannedOperation(number=number, good=Decimal(good), scrap=Decimal(scrap), **values)
    production.upsert_operations(operations={"P1": [given]}, at=AT, by=None)


def test_a_new_order_copies_the_routing_and_is_scheduled_backward(shaft):
    done = plan(shaft)

    assert (done.created, done.operations.created) == (1, 3)
    dates = {number: (operation.planned_start, operation.planned_end) for number, operation in operations().items()}
    assert dates == {
        "10": (date(2026, 3, 16), date(2026, 3, 16)),
        "20": (date(2026, 3, 17), date(2026, 3, 17)),
        "30": (date(2026, 3, 18), date(2026, 3, 18)),
    }
    assert ProductionOrder.objects.get().site.code == "MAIN"
    assert PlanChange.objects.count() == 1


def test_the_same_order_again_changes_nothing(shaft):
    plan(shaft)

    done = plan(shaft)

    assert (done.created, done.changed, done.unchanged) == (0, 0, 1)
    assert PlanChange.objects.count() == 1


def test_quantity_and_date_follow_the_plan(shaft):
    plan(shaft)

    done = plan(shaft, 16, due_date=date(2026, 3, 25))

    order = ProductionOrder.objects.get()
    assert (done.changed, order.version, order.quantity, order.due_date) == (1, 2, 16, date(2026, 3, 25))
    assert {operation.quantity for operation in operations().values()} == {16}
    assert operations()["30"].planned_start == date(2026, 3, 24)


def test_an_item_without_routing_has_no_operations(shaft):
    plan(ItemFactory(code="CAP"))

    assert not Operation.objects.exists()


def test_a_variant_is_copied_where_the_order_names_it(shaft):
    step(shaft, "10", variant="FAST")

    plan(shaft, routing_variant="FAST")

    assert list(operations()) == ["10"]


def test_planned_and_firm_orders_follow_a_changed_routing(shaft):
    plan(shaft)
    step(shaft, "15", name="Hardening")
    RoutingStep.objects.filter(operation_no="20").delete()

    plan(shaft)

    found = {number: operation.status for number, operation in operations().items()}
    assert found == {"10": "open", "15": "open", "20": "cancelled", "30": "open"}


def renumber(number: str, new: str) -> None:
    """The routing gives a step another number, and the steps before it lead there."""
    RoutingStep.objects.filter(operation_no=number).update(operation_no=new)


def begin(number: str) -> None:
    """Work on it was reported here or came back from a vendor: the plan itself has not stated it."""
    Operation.objects.filter(operation_no=number).update(status="in_progress", good=5)


def statuses() -> dict[str, str]:
    return {number: operation.status for number, operation in operations().items()}


def test_work_that_has_begun_is_not_wanted_again_where_the_routing_numbers_its_steps_anew(shaft):
    plan(shaft)
    begin("10")
    for number, new in (("10", "100"), ("20", "200"), ("30", "300")):
        renumber(number, new)

    plan(shaft)
    plan(shaft)

    assert statuses() == {
        "10": "in_progress", "20": "cancelled", "200": "open", "30": "cancelled", "300": "open",
    }  # fmt: skip


def test_work_a_vendor_has_is_not_wanted_again_where_the_routing_numbers_its_step_anew(shaft):
    plan(shaft)
    Operation.objects.filter(operation_no="20").update(is_committed=True)
    renumber("20", "25")

    plan(shaft)

    assert statuses() == {"10": "open", "20": "open", "30": "open"}


def test_other_work_at_another_number_is_a_step_of_its_own(shaft):
    plan(shaft)
    begin("10")
    RoutingStep.objects.filter(operation_no="10").update(operation_no="15", name="Hardening")

    plan(shaft)

    assert statuses() == {"10": "in_progress", "15": "open", "20": "open", "30": "open"}


def test_of_two_steps_with_the_same_work_the_one_that_has_begun_keeps_its_number_and_the_other_takes_the_new_one(shaft):
    RoutingStep.objects.filter(operation_no__in=["10", "30"]).update(name="Washing", work_center=None, process=None)
    plan(shaft)
    begin("10")
    renumber("10", "11")
    renumber("30", "31")

    plan(shaft)

    assert statuses() == {"10": "in_progress", "20": "open", "30": "cancelled", "31": "open"}


def test_a_released_order_keeps_the_operations_it_has(shaft):
    plan(shaft, status="released")
    step(shaft, "15", name="Hardening")

    plan(shaft, status="released")

    assert list(operations()) == ["10", "20", "30"]


def test_an_operation_with_reports_is_never_copied_again(shaft):
    plan(shaft)
    report("10", 5)
    step(shaft, "10", name="Another")
    step(shaft, "20", name="Another")

    plan(shaft)

    assert {number: operation.name for number, operation in operations().items()} == {
        "10": "Step 10",
        "20": "Another",
        "30": "Step 30",
    }


def test_reports_and_status_never_move_backwards(shaft):
    plan(shaft, status="released")
    report("10", 5, 1, status="in_progress")

    report("10", 3, 0, status="open")
    done = plan(shaft, status="planned")

    turned = operations()["10"]
    assert (turned.good, turned.scrap, turned.status) == (5, 1, "in_progress")
    assert (done.kept, ProductionOrder.objects.get().status) == (1, "released")


def test_what_is_done_needs_no_time_and_what_is_half_done_only_the_rest(shaft):
    plan(shaft, 16)
    report("10", 16, status="finished")
    report("20", 8)

    found = operations()
    assert found["20"].planned_start == found["20"].planned_end == date(2026, 3, 16)
    assert found["10"].planned_end == date(2026, 3, 16)


def test_an_operation_that_has_made_all_is_finished_where_the_plan_says_no_status(shaft):
    plan(shaft, 16)

    report("10", 15)
    assert operations()["10"].status == "in_progress"
    report("10", 16)
    report("20", 16, status="in_progress")

    assert [operations()[number].status for number in ("10", "20")] == ["finished", "in_progress"]


def test_more_pieces_open_a_finished_operation_again(shaft):
    plan(shaft, 5)
    report("10", 5, status="finished")

    plan(shaft, 9)

    turned = operations()["10"]
    assert (turned.status, turned.quantity, turned.good) == ("in_progress", 9, 5)


@pytest.mark.parametrize(("status", "left"), [("done", "finished"), ("cancelled", "cancelled")])
def test_an_order_that_ends_ends_its_operations(shaft, status, left):
    plan(shaft)

    plan(shaft, status=status)

    assert {operation.status for operation in operations().values()} == {left}


def test_a_cancelled_order_stays_cancelled(shaft):
    plan(shaft, status="cancelled")

    assert plan(shaft, status="planned").kept == 1
    assert ProductionOrder.objects.get().status == "cancelled"


def test_item_and_routing_stay_once_work_is_reported(shaft):
    plan(shaft)
    report("10", 1)
    other = ItemFactory(code="OTHER", unit=shaft.unit)

    assert refused(other) == ("wrong_state", "item")


def test_an_operation_the_plan_itself_states_is_left_alone_by_the_routing(shaft):
    plan(shaft, operations=(PlannedOperation(number="15", name="Rework", start=DUE, end=DUE),))

    plan(shaft)

    rework = operations()["15"]
    assert (rework.name, rework.status, rework.is_given, rework.planned_start) == ("Rework", "open", True, DUE)
    assert operations()["10"].planned_end <= rework.planned_start


def test_a_number_is_one_sources(shaft):
    plan(shaft, source="erp")

    assert refused(shaft, source="shop") == ("duplicate_number", "number")
    assert plan(shaft).unchanged == 1


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"quantity": Decimal(0)}, ("invalid_quantity", "quantity")),
        ({"quantity": Decimal(-10)}, ("invalid_quantity", "quantity")),
        ({"quantity": Decimal("10.5")}, ("too_precise", "quantity")),
        ({"start_date": date(2026, 3, 19)}, ("invalid_date", "start")),
        ({"due_date": date(1900, 1, 1)}, ("invalid_date", "due")),
        ({"due_date": date(2099, 1, 1)}, ("invalid_date", "due")),
        ({"start_date": date(1900, 1, 1)}, ("invalid_date", "start")),
        ({"operations": (PlannedOperation(number="10", start=date(1900, 1, 1)),)}, ("invalid_date", "start")),
        ({"status": "lost"}, ("invalid", "status")),
        ({"routing_variant": "NONE"}, ("not_found", "routing_variant")),
        ({"item_id": 0}, ("not_found", "item")),
        ({"operations": (PlannedOperation(number="10", good=Decimal(-1)),)}, ("invalid_quantity", "good")),
        ({"operations": (PlannedOperation(number="10", start=DUE, end=date(2026, 3, 1)),)}, ("invalid_date", "end")),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_all_others(shaft, values, refusal):
    good = PlannedOrder(number="P0", item_id=shaft.pk, quantity=Decimal(1), due_date=DUE)
    bad = PlannedOrder(**{"number": "P1", "item_id": shaft.pk, "quantity": Decimal(1), "due_date": DUE, **values})

    with pytest.raises(OrdersRefused) as refused:
        production.upsert_production_orders(orders=[good, bad], at=AT, by=None)

    assert [(order.index, order.code, order.field) for order in refused.value.orders] == [(1, *refusal)]
    assert not ProductionOrder.objects.exists()


def test_history_may_lie_long_ago(shaft):
    plan(shaft, due_date=date(1999, 1, 4), status="done")

    assert plan(shaft, due_date=date(1999, 1, 4)).unchanged == 1


def test_one_number_twice_in_a_plan_is_refused_unless_it_is_the_same(shaft):
    order = PlannedOrder(number="P1", item_id=shaft.pk, quantity=Decimal(1), due_date=DUE)
    other = PlannedOrder(number="P1", item_id=shaft.pk, quantity=Decimal(2), due_date=DUE)

    assert production.upsert_production_orders(orders=[order, order], at=AT, by=None).created == 1
    with pytest.raises(OrdersRefused):
        production.upsert_production_orders(orders=[order, other], at=AT, by=None)


def test_many_orders_cost_as_many_statements_as_one(shaft, django_assert_max_num_queries):
    plan(shaft)
    orders = [
        PlannedOrder(number=f"P{number}", item_id=shaft.pk, quantity=Decimal(8), due_date=DUE) for number in range(200)
    ]

    with django_assert_max_num_queries(30):
        production.upsert_production_orders(orders=orders, at=AT, by=None)


def test_an_order_is_withdrawn_with_its_open_operations(shaft):
    plan(shaft)
    report("10", 8, status="finished")
    order = ProductionOrder.objects.get()

    for _ in range(2):
        production.cancel_production_order(production_order_id=order.pk, by=None, at=AT)

    assert {number: operation.status for number, operation in operations().items()} == {
        "10": "finished",
        "20": "cancelled",
        "30": "cancelled",
    }
    order.refresh_from_db()
    assert (order.status, order.version) == ("cancelled", 3)


def test_what_is_done_cannot_be_withdrawn(shaft):
    plan(shaft, status="done")

    with pytest.raises(WrongState):
        production.cancel_production_order(production_order_id=ProductionOrder.objects.get().pk, by=None, at=AT)


def test_changes_of_the_plan_are_taken_once(shaft):
    plan(shaft)

    assert [reason for _, reason in masterdata.take_plan_changes()] == ["1 orders new, 0 changed"]
    assert masterdata.take_plan_changes() == []


def test_no_part_of_a_plan_looks_through_all_orders_that_came_before_it(shaft):
    """Orders that were renumbered are few, and have indexes of their own."""
    plan(shaft)
    with CaptureQueriesContext(connection) as asked:
        plan(shaft, number="M1", replaces="P1")
        plan(shaft, number="P2")
    looked = [one["sql"].removesuffix(" FOR UPDATE") for one in asked if one["sql"].startswith("SELECT")]
    of_orders = [one for one in looked if '"first_number" IN' in one or '"replaces" IN' in one]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for one in of_orders:
            cursor.execute(f"EXPLAIN {one}")
            plans.append("\n".join(row for (row,) in cursor.fetchall()))
        cursor.execute("SET LOCAL enable_seqscan = on")

    assert len(plans) == 3
    assert [one for one in plans if "Seq Scan on production_productionorder" in one] == []
