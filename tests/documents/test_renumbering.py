"""A planned order becomes a firm one: its documents go along, and nothing is ordered twice."""

from __future__ import annotations

from activity.models import Alert
from production.models import Operation
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import MONDAY


def renumber() -> None:
    fields = {"item": "FG", "quantity": 10, "due": "2026-04-30", "status": "firm"}
    plans.load({"production_orders": [{"number": "M1", "replaces": "P1", **fields}]}, day=MONDAY)


def documents() -> list[tuple[int, str, str]]:
    rows = OrderLine.objects.active().order_by("pk")
    return list(rows.values_list("pk", "production_order__number", "order__status"))


def test_a_draft_goes_along_with_the_planned_order_it_was_made_for():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    ((line, _, _),) = documents()

    renumber()
    run = plans.generate()

    assert documents() == [(line, "M1", "draft")]
    assert (run.created, run.cancelled) == (0, 0)


def test_what_a_vendor_was_asked_for_goes_along_and_is_not_ordered_again():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ((line, _, _),) = documents()

    renumber()
    run = plans.generate()

    assert documents() == [(line, "M1", "sent")]
    assert (run.created, run.changed, run.cancelled) == (0, 0, 0)
    assert not Alert.objects.filter(kind__startswith="requirement").exists()
    assert Operation.objects.get(pk=OrderLine.objects.get().operation_id).is_committed
