"""Several at once: the end is as if one had done it alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from core.refusals import Refusal
from documents import services as documents
from documents.models import GenerationRun, RunShard, RunState
from shipments.models import Shipment
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import MONDAY, moment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("several_shards"), pytest.mark.slow]


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Run each act in a thread of its own, all starting together; what they raised."""
    gate = threading.Barrier(len(acts))
    raised: list[Exception] = []

    def act_it(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
        except Exception as problem:  # noqa: BLE001  (whatever it is, the test says so)
            raised.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=act_it, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_runs_at_once_end_in_the_rows_of_one(quiet):
    assert at_once(plans.generate, plans.generate, plans.generate) == []

    assert plans.rows_written() == quiet
    assert set(GenerationRun.objects.values_list("state", flat=True)) == {RunState.DONE}
    assert sorted(GenerationRun.objects.values_list("created", flat=True)) == [0, 0, 80]


def test_many_workers_on_one_run_end_in_the_rows_of_one(quiet):
    run = documents.start_run(at=moment(), on=MONDAY)
    assert documents.decide_run(run_id=run.pk, at=moment(), wait=True)
    assert RunShard.objects.filter(run=run).count() > 5

    assert at_once(*[lambda: documents.write_shards(run_id=run.pk, at=moment())] * 4) == []

    run = documents.run_to_end(run_id=run.pk, at=moment())
    assert (run.state, run.created, run.items_done) == (RunState.DONE, 80, 80)
    assert plans.rows_written() == quiet


def test_a_run_decided_but_not_written_is_written_before_the_next_decides(quiet):
    first = documents.start_run(at=moment(), on=MONDAY)
    documents.decide_run(run_id=first.pk, at=moment(), wait=True)

    second = plans.generate()

    first.refresh_from_db()
    assert (first.state, first.created, second.created) == (RunState.DONE, 80, 0)
    assert plans.rows_written() == quiet


def test_an_order_sent_while_a_run_wants_to_change_it_is_left_and_looked_at_again(wide_plan):
    plans.generate()
    for number in range(40):
        plans.plan(f"P{number:02d}", "SHIM", 100 + number, f"2026-04-{10 + number % 17:02d}")
    run = documents.start_run(at=moment(), on=MONDAY)
    documents.decide_run(run_id=run.pk, at=moment(), wait=True)
    sent = SubcontractOrder.objects.order_by("number").first()
    plans.send(1)
    before = list(OrderLine.objects.filter(order=sent).order_by("pk").values())

    run = documents.run_to_end(run_id=run.pk, at=moment())

    assert list(OrderLine.objects.filter(order=sent).order_by("pk").values()) == before
    assert run.changed == 80 - len(before)
    (follow_up,) = documents.start_due_runs(at=plans.moment(), on=MONDAY) or documents.start_due_runs(
        at=moment().replace(hour=9), on=MONDAY
    )
    documents.run_to_end(run_id=follow_up.pk, at=moment())
    assert SubcontractOrder.objects.get(pk=sent.pk).status == OrderStatus.SENT


def test_people_and_a_run_at_once_lose_nothing(wide_plan):
    plans.generate()
    boss = plans.boss()
    orders = list(SubcontractOrder.objects.order_by("number").values_list("pk", flat=True))
    for number in range(40):
        plans.plan(f"P{number:02d}", "SHIM", 20 + number, f"2026-04-{10 + number % 17:02d}")

    def approve_all() -> None:
        for order_id in orders:
            try:
                documents.approve_set(order_id=order_id, by=boss, at=moment())
                documents.send_set(order_id=order_id, by=boss, at=moment())
            except Refusal:  # the run was first and it is worth more than was approved
                pass

    assert at_once(plans.generate, approve_all) == []
    plans.generate()

    for order in SubcontractOrder.objects.exclude(status=OrderStatus.CANCELLED):
        assert order.total == sum(line.amount for line in order.lines.exclude(status="cancelled"))
    wanted = {f"P{number:02d}": 20 + number for number in range(40)}
    for line in OrderLine.objects.active().filter(order__status=OrderStatus.DRAFT).select_related("production_order"):
        assert line.quantity == wanted[line.production_order.number]
    assert OrderLine.objects.active().count() == 80
    assert Shipment.objects.active().count() == len(orders)


def test_one_order_is_approved_once(wide_plan):
    plans.generate()
    boss, order = plans.boss(), plans.order(1)

    def approve() -> None:
        documents.approve_set(order_id=order.pk, expected_version=order.version, by=boss, at=moment())

    raised = at_once(approve, approve, approve)

    assert [type(problem).__name__ for problem in raised] == ["Stale", "Stale"]
