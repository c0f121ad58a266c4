"""What if: the same plan decided twice, as things stand and as they would be, side by side. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from accounts.models import User
from core.refusals import NotFound
from documents import rules
from documents.rules import DocumentRules
from documents.services import reading
from masterdata import services as masterdata
from masterdata.models import Company, Item
from policies.models import Policy
from policies.rules import reasons
from policies.rules.comparing import Comparison, Figures, Flip, Group, PeriodOf, Pinned, Said, Tally, Week
from policies.rules.values import AwardValues, Book, Decided, OperationFacts, OrderFacts
from policies.services import deciding, supposing
from policies.services.books import load_book
from policies.services.supposing import Change
from production.models import ProductionOrder
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder

MOST_FLIPS = 1000

Progress = Callable[[int], None]
"""Told how many operations were decided so far."""


class NoCompany(NotFound):
    """Nothing can be decided before the company's currency is known: load a plan first."""


@dataclass(frozen=True, slots=True)
class Load:
    """A work center's calendar week: hours it can work and hours of work that stays inside, before and after."""

    work_center: str
    week: str
    monday: date
    capacity_before: Decimal
    capacity_after: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Side:
    """How an operation is decided on one side, by codes, with the reasons as sentences."""

    verdict: str
    vendors: tuple[str, ...]
    policy: str
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """An operation whose verdict or vendor flips."""

    operation_id: int
    production_order: str
    operation: str
    item: str
    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class Simulation:
    """The plan as it stands and as it would be. `changed` lists the first flips by due date, `changed_total` counts all."""

    on: date
    currency: str
    before: Figures
    after: Figures
    load: tuple[Load, ...]
    value_by_vendor: tuple[tuple[str, Decimal, Decimal], ...]
    changed: tuple[Changed, ...]
    changed_total: int
    seconds: float


def simulate(
    *,
    change: Change,
    on: date,
    at: datetime | None = None,
    by: User | None = None,
    horizon_days: int = deciding.HORIZON_DAYS,
    most: int = MOST_FLIPS,
    progress: Progress | None = None,
) -> Simulation:
    """Decide the whole plan as it stands and as it would be after the change. What is sent counts on both sides, as no run
    changes it; where its vendor may not keep it, that is among the flips.

    Both sides read one and the same state of the database and are decided from scratch, as a run does, with `at` each site by
    its own day. All orders are decided, as they share capacity; figures and flips are those of the sites `by` may see. Raises
    NotFound, InvalidInput, NoCompany.
    """
    began = time.monotonic()
    with _reading_only():
        if not Company.objects.exists():
            raise NoCompany("There is no company yet: load a plan first.")
        days = masterdata.site_days(on=on, at=at) if at else None
        book = load_book(on=on, last_paid=reading.last_paid(), days=days)
        supposed = supposing.suppose(book, change)
        comparison = _compare(book, supposed, change, by=by, horizon_days=horizon_days, most=most, progress=progress)
        return _told(comparison, book, supposed, began=began)


@contextmanager
def _reading_only() -> Iterator[None]:
    """One state of the database, and a refusal by it of anything that would write."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Within somebody's transaction the level is his; the savepoint taken back gives him the right to write again.
            mode = "READ ONLY" if nested else "ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            cursor.execute(f"SET TRANSACTION {mode}")
        yield
        transaction.set_rollback(True)


def _compare(
    book: Book,
    supposed: Book,
    change: Change,
    *,
    by: User | None,
    horizon_days: int,
    most: int,
    progress: Progress | None,
) -> Comparison:
    document_rules = reading.document_rules()
    sides = []
    policy_ids = dict(Policy.objects.values_list("code", "pk"))
    stages: dict[int, str] = {}
    deciders, hosts = [], _hosts()
    for one, after in ((book, False), (supposed, True)):
        decider = deciding.Decider(one)
        decider.commit(reading.committed_lines(on=book.on, policy_ids=policy_ids))
        deciders.append(decider)
        found = _rules_after(document_rules, supposed, change) if after else document_rules
        sides.append(Tally(one, period_of=_periods(found, stages), hosts=hosts))
    comparison = Comparison(*sides, most=most)
    _count_standing(comparison, by=by)
    sites = None if by is None or by.scope.everywhere else by.scope.site_ids
    decide, decide_after = (decider.decide_order for decider in deciders)
    done = 0
    for orders in deciding.order_chunks(on=book.on, horizon_days=horizon_days):
        standing = reading.standing_lines(Q(production_order__in=[order.production_order_id for order in orders]))
        pins = {key: set_by_hand for key, lines in standing.items() if (set_by_hand := _pinned(lines))}
        stages.clear()
        if pins:
            stages.update(_first_numbers(orders))
        reading.attach(orders, standing, policy_ids=policy_ids)
        for order in orders:
            before, after_it = decide(order), decide_after(order)
            done += len(before)
            if sites is None or order.operations[0].site_id in sites:
                comparison.add(order, before, after_it, pins)
        if progress is not None:
            progress(done)
    return comparison


def _rules_after(
    found: Mapping[int | None, DocumentRules], supposed: Book, change: Change
) -> dict[int | None, DocumentRules]:
    """What policies say about documents, with the values supposed for them."""
    ids = {policy.code: policy.policy_id for policy in supposed.policies}
    after = dict(found)
    for one in change.policies:
        if one.code in ids:
            given = {name: value for name, value in (one.columns or {}).items() if name in DocumentRules._fields}
            after[ids[one.code]] = found.get(ids[one.code], DocumentRules(code=one.code))._replace(**given)
    return after


def _periods(found: Mapping[int | None, DocumentRules], stages: Mapping[int, str]) -> PeriodOf:
    """What lines share by each policy's rules; `stages` holds the first numbers of orders that were renumbered since."""

    def period_of(operation: OperationFacts, decided: Decided, award: AwardValues) -> tuple[str, bool]:
        consolidate = found[decided.policy_id].consolidate
        period = rules.period_key(
            consolidate=consolidate,
            need_date=award.need_date,
            production_order=stages.get(operation.production_order_id) or operation.number,
            operation_no=operation.operation_no,
        )
        return period, consolidate in ("none", "production_order")

    return period_of


def _pinned(lines: Sequence[rules.Standing]) -> list[Pinned]:
    """Lines never sent: a run leaves them on their orders, with what a person has set, so both sides do."""
    return [
        Pinned(
            line.vendor_id,
            line.currency_id,
            line.period,
            line.order_id,
            line.quantity if "quantity" in line.pinned else None,
            line.unit_price if "unit_price" in line.pinned else None,
            line.need_date if "need_date" in line.pinned else None,
            "order" in line.pinned,
        )
        for line in lines
        if line.is_active and not line.is_sent
    ]


def _hosts() -> dict[Group, int]:
    """The drafts that a run's new lines join, by what the lines on them share."""
    drafts = SubcontractOrder.objects.filter(status=OrderStatus.DRAFT, revision=1).order_by("pk")
    rows = drafts.values_list("vendor_id", "site_id", "currency_id", "consolidation_key", "pk")
    return {(vendor_id, site_id, currency_id, key): pk for vendor_id, site_id, currency_id, key, pk in rows}


def _first_numbers(orders: Sequence[OrderFacts]) -> dict[int, str]:
    renumbered = ProductionOrder.objects.filter(pk__in=[order.production_order_id for order in orders])
    return dict(renumbered.exclude(first_number="").values_list("pk", "first_number"))


def _count_standing(comparison: Comparison, *, by: User | None) -> None:
    """Orders that stand whatever is decided: those sent, and those made by hand without an operation."""
    lines = OrderLine.objects.active().filter(Q(order__sent_at__isnull=False) | Q(operation=None))
    if by is not None:
        lines = lines.visible_to(by)
    orders = lines.aggregate(orders=Count("order", distinct=True))["orders"]
    values = list(lines.values_list("vendor_id").annotate(Count("pk"), Sum("amount_company")).order_by("vendor_id"))
    for side in (comparison.before, comparison.after):
        side.figures.stand(orders=orders, values=values)


def _told(comparison: Comparison, book: Book, supposed: Book, *, began: float) -> Simulation:
    before, after = comparison.before.total(), comparison.after.total()
    policies = {policy.policy_id: policy.code for side in (supposed, book) for policy in side.policies}
    vendors = {pk: vendor.code for pk, vendor in book.vendors.items()}
    items = dict(Item.objects.filter(pk__in={flip.item_id for flip in comparison.flips}).values_list("pk", "code"))
    value = [
        (vendors[pk], before.vendor_value[pk], after.vendor_value[pk])
        for pk in {**before.vendor_value, **after.vendor_value}
    ]
    return Simulation(
        on=book.on,
        currency=book.currencies[book.company_currency_id].code,
        before=before,
        after=after,
        load=tuple(
            sorted(
                (_load(week, comparison, book) for week in {**before.hours, **after.hours}),
                key=lambda one: (one.work_center, one.monday),
            )
        ),
        value_by_vendor=tuple(sorted(value)),
        changed=tuple(_changed(flip, items, vendors, policies) for flip in comparison.flips),
        changed_total=comparison.flipped,
        seconds=round(time.monotonic() - began, 3),
    )


def _load(week: Week, comparison: Comparison, book: Book) -> Load:
    work_center_id, monday = week
    year, number, _ = monday.isocalendar()
    before, after = comparison.before, comparison.after
    return Load(
        book.work_centers[work_center_id].code,
        f"{year}-W{number:02d}",
        monday,
        before.capacity(week),
        after.capacity(week),
        before.figures.hours.get(week, rules.ZERO),
        after.figures.hours.get(week, rules.ZERO),
    )


def _changed(flip: Flip, items: Mapping[int, str], vendors: Mapping[int, str], policies: Mapping[int, str]) -> Changed:
    def side(said: Said) -> Side:
        return Side(
            said.verdict,
            tuple(vendors[pk] for pk in said.vendor_ids),
            policies.get(said.policy_id, "") if said.policy_id is not None else "",
            tuple(reasons.as_dict(reason) for reason in said.reasons),
        )

    return Changed(
        flip.operation_id, flip.number, flip.operation_no, items[flip.item_id], side(flip.before), side(flip.after)
    )


def simulation_dict(simulation: Simulation) -> dict[str, Any]:
    """A simulation for machines: numbers of money and hours as texts with two decimals, dates as ISO."""
    after = simulation.after
    return {
        "on": simulation.on.isoformat(),
        "currency": simulation.currency,
        "orders": after.orders,
        "lines": after.lines,
        "value": _two(after.value),
        "before": _figures(simulation.before),
        "after": _figures(after),
        "load": [
            {
                "work_center": one.work_center,
                "week": one.week,
                "capacity_before": _two(one.capacity_before),
                "capacity_after": _two(one.capacity_after),
                "before": _two(one.before),
                "after": _two(one.after),
            }
            for one in simulation.load
        ],
        "value_by_vendor": [
            {"vendor": code, "before": _two(before), "after": _two(then)}
            for code, before, then in simulation.value_by_vendor
        ],
        "changed_total": simulation.changed_total,
        "changed": [_changed_dict(one) for one in simulation.changed],
        "seconds": simulation.seconds,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "operations": figures.operations,
        **{verdict: figures.verdicts.get(verdict, 0) for verdict in ("in_house", "outsource", "review", "blocked")},
        "orders": figures.orders,
        "lines": figures.lines,
        "value": _two(figures.value),
        "late_lines": figures.late_lines,
        "late_line_days": figures.late_line_days,
        "late_inside": figures.late_inside,
        "late_inside_days": figures.late_inside_days,
        "hours": _two(sum(figures.hours.values(), rules.ZERO)),
    }


def _changed_dict(one: Changed) -> dict[str, Any]:
    return {
        "production_order": one.production_order,
        "operation": one.operation,
        "item": one.item,
        "from": one.before.verdict,
        "to": one.after.verdict,
        "vendor": next(iter(one.after.vendors), None),
        "before": _side(one.before),
        "after": _side(one.after),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "verdict": side.verdict,
        "vendors": list(side.vendors),
        "policy": side.policy or None,
        "reasons": list(side.reasons),
    }


def _two(value: Decimal) -> str:
    return f"{value:.2f}"
