"""Any plan, night after night: what runs in between leave is what one run over the last plan makes, and nothing is overlooked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.refusals import Refusal
from documents import services as documents
from masterdata.models import Item, Location, Site
from policies.models import Decision
from production import services as production
from production.models import ProductionOrder
from production.services import PlannedOperation, PlannedOrder
from subcontract_orders.models import OrderComponent, OrderLine, OrderStatus, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import MONDAY, moment

GROUND: dict[str, list[dict[str, Any]]] = {
    "vendors": [{"code": code, "currency": "EUR"} for code in ("V1", "V2", "V3")],
    "work_centers": [{"code": "SAW", "kind": "internal", "capacity_hours_per_day": 8, "hourly_cost": 60}],
    "routings": [
        {"item": "FG", "operation_no": "10", "name": "Sawing", "work_center": "SAW", "run_minutes_per_unit": 2},
        {"item": "FG", "operation_no": "20", "name": "Plating", "work_center": "OUT", "outsourced": "maybe"},
        {"item": "GEAR", "operation_no": "10", "name": "Coating", "work_center": "OUT", "outsourced": "maybe"},
        {"item": "GEAR", "operation_no": "20", "name": "Plating", "work_center": "OUT", "outsourced": "maybe"},
    ],
    "routing_alternatives": [
        {"item": item, "variant": "B", "operation_no": "10", "name": "Coating", "work_center": "OUT", "outsourced": "maybe"}
        for item in ("FG", "GEAR")
    ],
    "items": [{"code": "FG", "kind": "finished"}, {"code": "GEAR", "kind": "finished"}, {"code": "RM", "kind": "raw"}],
    "boms": [
        {"parent": "FG", "component": "RM", "quantity": 2, "operation_no": "20"},
        {"parent": "GEAR", "component": "RM", "quantity": 1},
    ],
    "prices": [
        {"vendor": vendor, "operation_name": process, "currency": "EUR", "unit_price": price, "lead_days": days,
         "minimum_qty": least, "valid_from": "2026-01-01"}
        for vendor, process, price, days, least in (
            ("V1", "Plating", 10, 5, 0), ("V2", "Plating", 11, 3, 0), ("V2", "Coating", 7, 4, 0), ("V2", "Coating", 6, 9, 20),
            ("V3", "Coating", 5, 8, 5),
        )
    ],
    "policies": [
        {"code": "PLATE", "process": "Plating", "verdict": "outsource", "strategy": "quota", "consolidate": "week",
         "vendors": [{"vendor": "V1", "share_pct": 50}, {"vendor": "V2", "share_pct": 50}]},
        {"code": "COAT", "process": "Coating", "item": "GEAR", "verdict": "outsource", "strategy": "lowest_cost",
         "vendors": [{"vendor": "V3", "weekly_capacity": 30}, {"vendor": "V2"}]},
        {"code": "COAT-FG", "process": "Coating", "item": "FG", "verdict": "outsource", "vendors": ["V2"], "quantity_from": 4,
         "transit_out_days": 2},
    ],
    "stock": [{"item": "RM", "location": "MAIN", "quantity": 100000}],
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    item: str
    quantity: int
    due: date
    variant: str = ""
    replaces: str = ""
    good: dict[str, int] = field(default_factory=dict)
    is_cancelled: bool = False


Plan = dict[str, Order]

PLACE = st.integers(min_value=0, max_value=30)
QUANTITY = st.integers(min_value=1, max_value=40)
DAYS = st.integers(min_value=40, max_value=75)
ACTS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["FG", "GEAR"]), QUANTITY, DAYS),
    st.tuples(st.just("change"), PLACE, QUANTITY, DAYS),
    st.tuples(st.just("renumber"), PLACE),
    st.tuples(st.just("cancel"), PLACE),
    st.tuples(st.just("split"), PLACE),
    st.tuples(st.just("re-route"), PLACE),
    st.tuples(st.just("progress"), PLACE, st.sampled_from(["10", "20"]), QUANTITY),
)
NIGHTS = st.lists(st.lists(ACTS, min_size=1, max_size=5), min_size=2, max_size=4)
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


def after(plan: Plan, act: tuple[Any, ...]) -> tuple[Plan, list[str]]:
    """The plan with one thing changed, and the numbers concerned, in the order in which they are told."""
    word, *rest = act
    new = f"N{len(plan) + 1:03d}"
    if word == "add":
        item, quantity, days = rest
        return {**plan, new: Order(item, quantity, MONDAY + timedelta(days=days))}, [new]
    live = [number for number, order in plan.items() if not order.is_cancelled]
    if not live:
        return plan, []
    number = live[rest[0] % len(live)]
    order = plan[number]
    if word == "change":
        return {**plan, number: replace(order, quantity=rest[1], due=MONDAY + timedelta(days=rest[2]))}, [number]
    if word == "cancel":
        return {**plan, number: replace(order, is_cancelled=True)}, [number]
    if word == "re-route":
        return {**plan, number: replace(order, variant="" if order.variant else "B")}, [number]
    if word == "progress":
        operation, good = rest[1], min(rest[2], order.quantity)
        return {**plan, number: replace(order, good={**order.good, operation: good})}, [number]
    if word == "split" and order.quantity > 1 and not order.good:
        half = order.quantity // 2
        return {
            **plan, number: replace(order, quantity=order.quantity - half), new: replace(order, quantity=half, replaces="")
        }, [number, new]  # fmt: skip
    if word == "renumber":
        firm = f"{number}-F"
        return {firm if name == number else name: replace(one, replaces=number) if name == number else one
                for name, one in plan.items()}, [firm]  # fmt: skip
    return plan, []


def tell(plan: Plan, numbers: list[str], *, day: date) -> None:
    """Import these orders as they are in the plan; a renumbered one names what it was. Raises Refusal."""
    with transaction.atomic():
        for number in numbers:
            order = plan[number]
            if order.is_cancelled:
                pk = ProductionOrder.objects.get(number=number).pk
                production.cancel_production_order(production_order_id=pk, by=None, at=moment(day))
                continue
            known = ProductionOrder.objects.filter(number=order.replaces).exists()
            stated = PlannedOrder(
                number=number,
                item_id=Item.objects.get(code=order.item).pk,
                quantity=Decimal(order.quantity),
                due_date=order.due,
                routing_variant=order.variant,
                site_id=Site.objects.get(code="MAIN").pk,
                location_id=Location.objects.get(code="MAIN").pk,
                replaces=order.replaces if known else None,
                operations=[PlannedOperation(number=no, good=Decimal(good)) for no, good in sorted(order.good.items())],
            )
            production.upsert_production_orders(orders=[stated], at=moment(day), by=None)


def play(nights: list[list[tuple[Any, ...]]], *, sends: bool) -> tuple[Plan, date]:
    """Night after night: the plan changes and a run follows. Returns the last plan and its day."""
    plans.load(GROUND, ground=True)
    plan: Plan = {}
    day = MONDAY
    for acts in nights:
        for act in acts:
            wished, numbers = after(plan, act)
            with suppress(Refusal):
                tell(wished, numbers, day=day)
                plan = wished
        plans.generate(day)
        overlooked_nothing(day)
        if sends:
            for order in SubcontractOrder.objects.filter(status=OrderStatus.DRAFT).order_by("-pk")[:2]:
                documents.approve_set(order_id=order.pk, by=plans.boss(), at=moment(day))
                documents.send_set(order_id=order.pk, by=plans.boss(), at=moment(day))
        day += timedelta(days=1)
    return plan, day


def overlooked_nothing(day: date) -> None:
    """A run that looks at everything finds nothing to do after one that looked at what had changed."""
    decisions = Decision.objects.count()

    run = plans.generate(day, is_whole=True)

    assert (run.created, run.changed, run.cancelled, run.items_total) == (0, 0, 0, 0)
    assert Decision.objects.count() == decisions


def state() -> dict[str, Any]:
    """Verdicts, lines and who shares an order with whom, by business keys: nothing of numbers drawn and history."""
    verdicts = {
        (number, no): (verdict, policy, quantity, need, reasons)
        for number, no, verdict, policy, quantity, need, reasons in Decision.objects.current().values_list(
            "operation__production_order__number", "operation__operation_no", "verdict", "policy__code", "quantity",
            "need_date", "reasons",
        )
    }  # fmt: skip
    lines: dict[tuple[str, str, str], Any] = {}
    together: dict[int, set[tuple[str, str]]] = {}
    for line in OrderLine.objects.active().select_related("vendor", "production_order", "order"):
        key = (line.production_order.number, line.operation_no)
        together.setdefault(line.order_id, set()).add(key)
        lines[*key, line.vendor.code] = (
            line.quantity, line.amount, line.need_date, line.order_by, line.dispatch_by, line.promised_date, line.policy_code,
            sorted(
                OrderComponent.objects.filter(line=line).values_list("item__code", "supply", "required", "ship_from__code"),
                key=str,
            ),
        )  # fmt: skip
    return {"verdicts": verdicts, "lines": lines, "together": sorted(map(sorted, together.values()))}


@pytest.mark.slow
@FEW
@given(nights=NIGHTS)
def test_runs_night_after_night_leave_what_one_run_over_the_last_plan_makes(nights):
    with transaction.atomic():
        plan, day = play(nights, sends=False)
        plans.generate(day)
        nightly = state()
        transaction.set_rollback(True)
    with transaction.atomic():
        plans.load(GROUND, ground=True)
        tell({number: replace(order, replaces="") for number, order in plan.items() if not order.is_cancelled},
             [number for number, order in plan.items() if not order.is_cancelled], day=day)  # fmt: skip
        plans.generate(day)
        at_once = state()
        transaction.set_rollback(True)

    assert nightly == at_once


@pytest.mark.slow
@FEW
@given(nights=NIGHTS)
def test_runs_overlook_nothing_where_orders_were_sent_in_between(nights):
    with transaction.atomic():
        play(nights, sends=True)
        transaction.set_rollback(True)
