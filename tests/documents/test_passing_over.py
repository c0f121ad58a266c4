"""A run looks at what has changed since it was decided, whatever changed it, and passes the rest over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from documents import services as documents
from documents.models import GenerationRun, OrderReading
from masterdata.models import Closure, Vendor
from policies.models import Decision, Policy, PriceAgreement
from production.models import BomLine, Operation, ProductionOrder
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import MONDAY, moment

DIFFERENCE = ("created", "changed", "cancelled")


def three_orders(**policy: object) -> None:
    """Two orders plated outside, one made inside."""
    plans.base(
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], **policy}],
        items=[{"code": "BOX", "kind": "finished"}],
        work_centers=[{"code": "SAW", "kind": "internal"}],
        routings=[{"item": "BOX", "operation_no": "10", "name": "Sawing", "work_center": "SAW"}],
    )
    for number, item in (("P1", "FG"), ("P2", "FG"), ("P3", "BOX")):
        plans.plan(number, item, 5, "2026-04-15")
    plans.generate()


def done(run: GenerationRun) -> tuple[int, ...]:
    return run.looked_at, *(getattr(run, name) for name in DIFFERENCE)


def test_where_nothing_changed_nothing_is_looked_at_and_the_figures_are_of_the_whole_plan():
    three_orders()

    run = plans.generate()

    assert done(run) == (0, 0, 0, 0)
    assert (run.operations, run.outsource, run.in_house, run.lines) == (3, 2, 1, 2)


def test_a_whole_run_looks_at_everything():
    three_orders()

    assert done(plans.generate(is_whole=True)) == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("change", "looked_at"),
    [
        (lambda: plans.plan("P1", "FG", 6, "2026-04-15"), 1),
        (lambda: Operation.objects.filter(production_order__number="P1").update(good=1), 1),
        (lambda: ProductionOrder.objects.filter(number="P3").update(due_date=MONDAY + timedelta(days=30)), 1),
        (lambda: plans.word("P3", "10", "outsource", vendor="V1"), 1),
        (lambda: plans.send(1), 1),
        (lambda: OrderLine.objects.filter(order__number="SC-00001").update(pinned={"quantity": {}}), 1),
        (lambda: OrderLine.objects.filter(order__number="SC-00001").update(status="cancelled", is_draft=False), 1),
        (lambda: OrderLine.objects.filter(order__number="SC-00002").update(content_hash="0" * 32), 1),
        (lambda: PriceAgreement.objects.update(unit_price=101), 3),
        (lambda: Policy.objects.update(transit_out_days=1), 3),
        (lambda: Vendor.objects.filter(code="V1").update(is_active=False), 3),
        (lambda: BomLine.objects.filter(parent__code="FG").delete(), 3),
        (lambda: Closure.objects.create(day=MONDAY + timedelta(days=40), reason="Fair"), 3),
        (lambda: plans.plan("P4", "BOX", 1, "2026-04-15"), 1),
        (lambda: plans.cancel("P2"), 0),
    ],
)
def test_what_changed_is_looked_at_whoever_changed_it(change, looked_at):
    three_orders()
    change()

    assert plans.generate().looked_at == looked_at
    assert done(plans.generate(is_whole=True))[1:] == (0, 0, 0)


def test_of_a_cancelled_order_decision_draft_and_reading_go_though_it_is_not_looked_at():
    three_orders()
    plans.cancel("P1")

    run = plans.generate()

    assert done(run) == (0, 0, 0, 1)
    assert Decision.objects.current().filter(operation__production_order__number="P1").count() == 0
    assert set(OrderReading.objects.values_list("production_order__number", flat=True)) == {"P2", "P3"}


def test_on_another_day_only_verdicts_that_read_the_day_are_made_anew():
    three_orders()

    assert plans.generate(MONDAY + timedelta(days=1)).looked_at == 2


def test_orders_that_share_a_quota_are_looked_at_together_and_the_others_are_not():
    three_orders(strategy="quota", vendors=[{"vendor": "V1", "share_pct": 100}])
    plans.plan("P1", "FG", 6, "2026-04-15")

    assert plans.generate().looked_at == 2

    plans.plan("P3", "BOX", 6, "2026-04-15")
    assert plans.generate().looked_at == 1

    plans.cancel("P1")
    assert plans.generate().looked_at == 1


def test_work_sent_by_hand_counts_for_the_orders_that_share_a_vendors_week():
    three_orders(vendors=[{"vendor": "V1", "weekly_capacity": 20}])
    OrderLine.objects.filter(production_order__number="P1").update(production_order=None, operation=None)
    plans.generate()
    assert plans.generate().looked_at == 0
    plans.send(1)

    assert plans.generate().looked_at == 2


def test_a_run_over_a_part_leaves_what_is_shared_to_the_next_whole_one():
    three_orders(strategy="quota", vendors=[{"vendor": "V1", "share_pct": 100}])
    plans.generate(scope={"production_order": ["P1"]})

    run = plans.generate()

    assert (run.looked_at, run.items_total) == (2, 0)


def test_a_draft_that_could_not_be_written_is_made_by_the_next_run(monkeypatch):
    three_orders()
    plans.plan("P1", "FG", 6, "2026-04-15")
    run = documents.start_run(at=moment(), on=MONDAY)
    documents.decide_run(run_id=run.pk, at=moment(), wait=True)
    GenerationRun.objects.filter(pk=run.pk).update(state="dropped")

    assert done(plans.generate()) == (1, 0, 1, 0)
    assert plans.line(1).quantity == Decimal(6)
