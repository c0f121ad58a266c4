"""Whatever plan and policies there are: the same inputs give the same decisions, and they are those of an obvious reading."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import reasons, sourcing
from policies.rules.values import ApprovalValues, ProcessValues, WordValues, WorkCenterValues
from tests.policies.plans import (
    FG,
    HARDENING,
    OTHER_ITEM,
    OUT,
    PLATING,
    SITE,
    TODAY,
    V1,
    V2,
    V3,
    at,
    book,
    d,
    decide,
    operation,
    policy,
    price,
    vendor,
)

pytestmark = pytest.mark.no_database

vendors = st.sampled_from([V1, V2, V3])
some_days = st.integers(5, 60).map(lambda number: TODAY + timedelta(days=number))
maybe_day = st.none() | some_days


@st.composite
def policies(draw):
    found = []
    for number in range(draw(st.integers(0, 5))):
        rule = policy(
            f"P{number}",
            *draw(st.lists(vendors, unique=True, min_size=1, max_size=3)),
            priority=draw(st.integers(1, 3)),
            verdict=draw(st.sampled_from(["outsource", "outsource", "in_house", "review"])),
            item_id=draw(st.sampled_from([None, FG, OTHER_ITEM])),
            process_id=draw(st.sampled_from([None, PLATING, HARDENING])),
            work_center_id=draw(st.sampled_from([None, OUT])),
            site_id=draw(st.sampled_from([None, SITE])),
            valid_from=draw(maybe_day),
            valid_to=draw(maybe_day),
        )
        rule.policy_id = number + 1
        found.append(rule)
    return found


@st.composite
def operations(draw):
    found = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        word = draw(st.sampled_from([None, None, None, "in_house", V1, V2]))
        day = draw(some_days)
        found.append(
            operation(
                operation_id=number,
                production_order_id=number,
                number=f"P{number}",
                item_id=draw(st.sampled_from([FG, OTHER_ITEM])),
                process_id=draw(st.sampled_from([PLATING, HARDENING])),
                outsourced=draw(st.sampled_from(["yes", "maybe", "no"])),
                quantity=draw(st.integers(1, 20)),
                due_date=day,
                word=word and (WordValues(word) if word == "in_house" else WordValues("outsource", word)),
            )
        )
    return found


@st.composite
def books(draw):
    rows = [
        price(
            number, draw(st.integers(1, 9)), item_id=item, process_id=process, minimum_quantity=draw(st.integers(0, 12))
        )
        for number in (V1, V2, V3)
        for item in (FG, None)
        for process in (PLATING, HARDENING)
        if draw(st.booleans())
    ]
    approvals = {
        (number, PLATING): ApprovalValues(draw(st.sampled_from(["approved", "pending"])), draw(maybe_day))
        for number in (V1, V2)
        if draw(st.booleans())
    }
    return book(
        policies=draw(policies()),
        prices=rows,
        approvals=approvals,
        vendors={
            number: vendor(number, is_active=draw(st.sampled_from([True, True, False]))) for number in (V1, V2, V3)
        },
        processes={
            PLATING: ProcessValues(PLATING, "Plating", requires_approval=draw(st.booleans())),
            HARDENING: ProcessValues(HARDENING, "Hardening"),
        },
        work_centers={OUT: WorkCenterValues(OUT, "OUT", is_external=True, vendor_id=draw(st.none() | vendors))},
    )


def slow(what, op):
    """The rules in the order in which they are written down; one vendor at a time, nothing kept."""

    def working_days_before(day, days):
        while day.weekday() > 4:
            day -= timedelta(days=1)
        while days:
            day -= timedelta(days=1)
            days -= day.weekday() < 5
        return day

    def qualifies(vendor_id):
        if not what.vendors[vendor_id].is_active:
            return False
        approval = what.approvals.get((vendor_id, op.process_id))
        if approval is None and what.processes[op.process_id].requires_approval:
            return False
        ships_on = max(TODAY, working_days_before(op.planned_end, 5))
        if approval and (approval.status != "approved" or (approval.valid_to and approval.valid_to < ships_on)):
            return False
        rows = what.prices.get((vendor_id, op.process_id, op.item_id)) or what.prices.get(
            (vendor_id, op.process_id, 0), []
        )
        return any(row.minimum_quantity <= op.quantity for row in rows)

    def first_of(vendor_ids):
        found = next((number for number in vendor_ids if qualifies(number)), None)
        return ("outsource", found) if found else ("blocked", None)

    if op.word and op.word.word == "in_house":
        return "in_house", None
    if op.word:
        return first_of([op.word.vendor_id])
    if op.outsourced == "no":
        return "in_house", None

    def filled(rule):
        return [getattr(rule, name) for name in ("item_id", "item_group_id", "process_id", "work_center_id", "site_id")]

    mine = (op.item_id, op.item_group_id, op.process_id, op.work_center_id, op.site_id)
    fitting = [
        rule for rule in what.policies
        if all(want in (None, have) for want, have in zip(filled(rule), mine, strict=True))
        and (rule.valid_from is None or rule.valid_from <= op.planned_start)
        and (rule.valid_to is None or op.planned_start <= rule.valid_to)
    ]  # fmt: skip
    if fitting:
        rule = min(
            fitting,
            key=lambda rule: (rule.priority, filled(rule).count(None), [x is None for x in filled(rule)], rule.code),
        )
        if rule.verdict != "outsource":
            return rule.verdict, None
        return first_of([row.vendor_id for row in rule.vendors])
    if what.work_centers[OUT].vendor_id:
        return first_of([what.work_centers[OUT].vendor_id])
    return ("review" if op.outsourced == "yes" else "in_house"), None


@given(books(), operations())
def test_verdicts_are_those_of_a_slow_and_obvious_reading(what, plan):
    found = decide(what, *plan)

    assert [(one.verdict, one.awards[0].vendor_id if one.awards else None) for one in found] == [
        slow(what, op) for op in plan
    ]


@given(books(), operations())
def test_every_open_operation_has_one_decision_with_readable_reasons(what, plan):
    found = decide(what, *plan)

    assert [one.operation_id for one in found] == [op.operation_id for op in plan]
    for one in found:
        assert one.reasons
        for reason in one.reasons:
            assert reasons.as_dict(reason)["detail"].endswith(".")
        assert bool(one.awards) == (one.verdict == "outsource")


@given(books(), operations(), st.randoms(use_true_random=False))
def test_a_decision_depends_on_its_inputs_and_not_on_the_order_they_are_listed_in(what, plan, random):
    again, same_plan = deepcopy(what), deepcopy(plan)
    random.shuffle(again.policies)
    again.vendors = dict(random.sample(list(again.vendors.items()), len(again.vendors)))
    again.prices = {key: random.sample(rows, len(rows)) for key, rows in again.prices.items()}

    assert decide(again, *same_plan) == decide(what, *plan)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20), st.integers(1, 99))
def test_a_quota_never_leaves_a_larger_deviation_than_the_other_choice(quantities, share):
    rule = policy("Q", at(V1, share_pct=share), at(V2, share_pct=100 - share), strategy="quota")
    found = decide(
        book(policies=[rule], prices=[price(V1), price(V2)]), *(operation(quantity=quantity) for quantity in quantities)
    )

    given_to = {V1: Decimal(0), V2: Decimal(0)}
    for one in found:
        (award,) = one.awards

        def off(vendor_id, quantity=award.quantity):
            total = sum(given_to.values()) + quantity
            return sum(
                abs((given_to[number] + (quantity if number == vendor_id else 0)) * 100 - target * total)
                for number, target in ((V1, share), (V2, 100 - share))
            )

        assert off(award.vendor_id) == min(off(V1), off(V2))
        given_to[award.vendor_id] += award.quantity


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.integers(1, 100), st.booleans())
def test_weekly_capacity_is_never_exceeded(quantities, capacity, is_split):
    rule = policy("C", at(V1, weekly_capacity=capacity), V2, split="capacity" if is_split else "none")
    found = decide(
        book(policies=[rule], prices=[price(V1), price(V2)]), *(operation(quantity=quantity) for quantity in quantities)
    )

    assert sum(award.quantity for one in found for award in one.awards if award.vendor_id == V1) <= capacity
    assert [sum(award.quantity for award in one.awards) for one in found] == quantities


@given(st.integers(0, 100_000), st.lists(st.integers(0, 100), min_size=1, max_size=6), st.integers(0, 3))
def test_a_split_by_share_keeps_the_sum_and_is_off_by_less_than_a_unit(units, weights, decimals):
    total = Decimal(units).scaleb(-decimals)

    parts = sourcing.split_by_share(total, [d(weight) for weight in weights], decimals)

    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        unit = Decimal(1).scaleb(-decimals)
        assert all(abs(part - total * weight / whole) < unit for part, weight in zip(parts, weights, strict=True))


def test_largest_remainders_take_what_is_left():
    assert sourcing.split_by_share(d(10), [d(1), d(1), d(1)], 0) == [4, 3, 3]
    assert sourcing.split_by_share(d(7), [d(50), d(30), d(20)], 0) == [4, 2, 1]
