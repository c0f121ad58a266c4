"""Operations done in house: components used, pieces moved on, the plan told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.refusals import InvalidQuantity, TooPrecise, WrongState
from inventory.models import Balance, CostPool, Movement
from inventory.services import NotEnoughStock
from production.models import Operation, ProductionOrder
from production.services import PreviousOperationShort, report_operation
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played

STEPS = [
    {"item": "AXLE", "operation_no": no, "name": f"Step {no}", "work_center": "WC-IN", "run_minutes_per_unit": 1}
    for no in (10, 20)
]


@pytest.fixture(autouse=True)
@played
def _plan() -> None:
    plans.load(
        {
            "items": [
                {"code": "AXLE", "kind": "finished"},
                {"code": "RM-BAR", "kind": "raw", "standard_cost": 8},
                {"code": "C-BOLT", "kind": "raw", "standard_cost": 1},
                {"code": "C-JIG", "kind": "raw", "standard_cost": 40},
            ],
            "routings": STEPS,
            "boms": [
                {"parent": "AXLE", "component": "RM-BAR", "quantity": "0.5"},
                {"parent": "AXLE", "component": "C-BOLT", "quantity": 4, "operation_no": 20},
                {
                    "parent": "AXLE",
                    "component": "C-JIG",
                    "quantity": 2,
                    "operation_no": 20,
                    "quantity_basis": "per_order",
                },
            ],
            "stock": [
                {"item": "RM-BAR", "location": "MAIN", "quantity": 6},
                {"item": "C-BOLT", "location": "MAIN", "quantity": 100},
                {"item": "C-JIG", "location": "MAIN", "quantity": 5},
            ],
        },
        ground=True,
    )
    plans.plan("P1", "AXLE", 10, "2026-04-15")


def report(operation_no: str, good: Any, scrap: Any = 0, **more: Any) -> Operation:
    return report_operation(
        operation_id=Operation.objects.get(production_order__number="P1", operation_no=operation_no).pk,
        good=Decimal(str(good)),
        scrap=Decimal(str(scrap)),
        by=plans.boss(),
        at=moment(),
        **more,
    )


def lying(item: str, stage: str = "") -> Decimal:
    found = Balance.objects.filter(item__code=item, stage=stage, location__code="MAIN").first()
    return found.quantity if found else Decimal(0)


def worth(item: str, stage: str = "") -> Decimal:
    found = CostPool.objects.filter(item__code=item, stage=stage).first()
    return found.value if found else Decimal(0)


def test_pieces_of_a_first_step_wait_for_the_next_at_the_cost_of_their_material():
    done = report("10", 4)

    assert (done.good, done.scrap, done.status) == (4, 0, "in_progress")
    assert (lying("RM-BAR"), lying("AXLE", "P1/10"), worth("AXLE", "P1/10")) == (4, 4, 16)
    assert lying("AXLE") == 0


def test_material_is_rounded_over_all_reports():
    for _ in range(3):
        report("10", 1)

    assert lying("RM-BAR") == 4


def test_the_last_step_puts_pieces_into_stock_with_all_they_cost():
    report("10", 10)
    report("20", 6)
    done = report("20", 4)

    assert (done.good, done.status) == (10, "finished")
    assert (lying("AXLE", "P1/10"), lying("AXLE"), lying("C-BOLT"), lying("C-JIG")) == (0, 10, 60, 3)
    assert worth("AXLE") == 40 + 40 + 80


def test_scrap_is_expensed_with_what_it_used():
    report("10", 8, 2)

    assert (lying("AXLE", "P1/10"), worth("AXLE", "P1/10")) == (8, 32)
    assert Movement.objects.get(to_location__kind="scrap").value == 8
    assert Operation.objects.get(operation_no="10").status == "finished"


def test_a_step_makes_no_more_than_the_one_before_has_finished():
    report("10", 4, 1)

    with pytest.raises(PreviousOperationShort, match="has finished 4 pieces") as refused:
        report("20", 5)
    assert refused.value.code == "previous_operation_short"
    report("20", 3)
    with pytest.raises(PreviousOperationShort, match="has finished 1 pieces"):
        report("20", 1, 1)

    assert lying("AXLE", "P1/10") == 1


def test_too_little_material_is_refused_with_what_lies_there():
    with pytest.raises(NotEnoughStock, match="7 of RM-BAR are used, 6 lie at MAIN"):
        report("10", 13)

    assert (lying("RM-BAR"), Operation.objects.get(operation_no="10").good) == (6, 0)


@pytest.mark.parametrize(
    ("good", "scrap", "refusal"),
    [(0, 0, InvalidQuantity), (-1, 0, InvalidQuantity), (1, -1, InvalidQuantity), ("1.5", 0, TooPrecise)],
)
def test_a_report_that_cannot_be_is_refused(good: Any, scrap: Any, refusal: type):
    with pytest.raises(refusal):
        report("10", good, scrap)

    assert not Movement.objects.filter(document_kind="production_report").exists()


def test_nothing_is_reported_on_what_is_finished_or_cancelled():
    report("10", 10)
    with pytest.raises(WrongState):
        report("10", 1)
    ProductionOrder.objects.update(status="cancelled")
    with pytest.raises(WrongState):
        report("20", 1)


def test_a_tracked_item_gets_the_lot_that_is_named_or_one_named_like_the_order():
    plans.Item.objects.filter(code="AXLE").update(lot_tracked=True)
    report("10", 10)
    report("20", 4, lot="L7")
    report("20", 6)

    lots = Balance.objects.filter(item__code="AXLE", stage="", quantity__gt=0).order_by("lot__code")
    assert list(lots.values_list("lot__code", "quantity")) == [("L7", 4), ("P1", 6)]


# Parallel steps: a piece exists once, and goes through both


def forked(*, joins: bool = True) -> None:
    """P2: ten pieces, each of half a bar; after 10 come 20 and 25 in parallel, then 30 (or nothing)."""
    after = {"10": ["20", "25"], "20": ["30"], "25": ["30"], "30": []}
    if not joins:
        after = {"10": ["20", "25"], "20": [], "25": []}
    plans.load({"items": [{"code": "FORK", "kind": "finished"}]})
    plans.load(
        {
            "routings": [
                {"item": "FORK", "operation_no": no, "name": f"Step {no}", "work_center": "WC-IN",
                 "next_operation_no": "|".join(later)}
                for no, later in after.items()
            ],
            "boms": [{"parent": "FORK", "component": "RM-BAR", "quantity": "0.5"}],
        }
    )  # fmt: skip
    plans.plan("P2", "FORK", 10, "2026-04-15")


def lies(stage: str) -> Decimal:
    found = Balance.objects.filter(item__code="FORK", stage=stage, location__code="MAIN").first()
    return found.quantity if found else Decimal(0)


def forks(*reports: tuple[str, int]) -> None:
    for no, good in reports:
        operation = Operation.objects.get(production_order__number="P2", operation_no=no)
        report_operation(operation_id=operation.pk, good=Decimal(good), by=plans.boss(), at=moment())


@pytest.mark.parametrize("order", [("20", "25"), ("25", "20")])
def test_parallel_steps_work_on_the_same_pieces_in_any_order(order: tuple[str, str]):
    forked()
    first, second = order

    forks(("10", 10), (first, 6), (second, 4), (first, 4), (second, 6), ("30", 10))

    assert [lies(stage) for stage in ("P2/10", "P2/20", "P2/25", "")] == [0, 0, 0, 10]
    assert CostPool.objects.get(item__code="FORK", quantity__gt=0).value == 10 * 4


def test_the_step_that_joins_gets_what_all_before_it_have_finished():
    forked()
    forks(("10", 10), ("20", 6), ("25", 4))
    assert sum(lies(stage) for stage in ("P2/10", "P2/20", "P2/25")) == 10

    with pytest.raises(PreviousOperationShort, match="Operation 25 has finished 4 pieces"):
        forks(("30", 5))

    forks(("30", 4))
    assert lies("") == 4


def test_after_parallel_steps_that_nothing_joins_the_last_of_the_plan_makes_stock_of_what_both_have_finished():
    forked(joins=False)
    forks(("10", 10))

    with pytest.raises(PreviousOperationShort, match="Operation 20 has finished 0 pieces"):
        forks(("25", 5))
    forks(("20", 10), ("25", 10))

    assert [lies(stage) for stage in ("P2/10", "P2/20", "P2/25", "")] == [0, 0, 0, 10]


def test_a_plan_that_is_half_way_through_parallel_steps_has_every_piece_once():
    forked()

    plans.load({"operations": [{"order": "P2", "number": no, "good": good} for no, good in (("10", 10), ("25", 4))]})

    assert [lies(stage) for stage in ("P2/10", "P2/20", "P2/25")] == [6, 0, 4]
    forks(("20", 10), ("25", 6), ("30", 10))
    assert lies("") == 10
