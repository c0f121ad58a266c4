"""Consecutive operations bought together: one award for all of them, where somebody sells them so."""

from __future__ import annotations

from datetime import date

import pytest

from policies.rules import reasons
from policies.rules.values import Frozen, OperationFacts, OrderFacts, WordValues
from tests.policies.plans import (
    HARDENING,
    MILL,
    PLATING,
    TODAY,
    V1,
    V2,
    V3,
    approved,
    book,
    d,
    decide,
    operation,
    order,
    places,
    policy,
    price,
)

pytestmark = pytest.mark.no_database

MILLED = {"work_center_id": MILL, "process_id": None, "outsourced": "no"}


def together(vendor_id: int, unit_price: object = 30, **values: object):
    """Hardening and plating, for one price."""
    return price(vendor_id, unit_price, **{"process_id": HARDENING, "further": (PLATING,), "lead_days": 10, **values})


def hardening(**values: object) -> OperationFacts:
    return operation(process_id=HARDENING, planned_start=date(2026, 3, 24), planned_end=date(2026, 3, 26), **values)


def plating(**values: object) -> OperationFacts:
    return operation(planned_start=date(2026, 3, 26), **values)


def milled_hardened_plated_milled(**values: object) -> OrderFacts:
    return order(operation(**MILLED), hardening(**values), plating(**values), operation(**MILLED))


def rules(*vendors: int):
    return [policy("HARD", *(vendors or (V1, V2)), process_id=HARDENING), policy("PLATE", *(vendors or (V1, V2)))]


def codes(decided):
    return [reason.code for reason in decided.reasons]


def test_one_award_holds_both_and_the_other_comes_with_it():
    world = book(policies=rules(), prices=[together(V1), price(V1, 80), price(V1, 20, process_id=HARDENING)])

    first, hard, plate, last = decide(world, milled_hardened_plated_milled())

    assert [x.verdict for x in (first, hard, plate, last)] == ["in_house", "outsource", "outsource", "in_house"]
    (award,) = hard.awards
    assert (award.vendor_id, award.quantity, award.unit_price, award.amount, award.last_no) == (V1, 10, 30, 300, "30")
    assert (award.lead_days, award.need_date) == (10, date(2026, 3, 31))
    assert plate.awards == ()
    assert "sold_together" in codes(hard)
    assert codes(plate) == ["comes_with"]
    assert reasons.as_dict(plate.reasons[0])["detail"] == (
        "It is bought together with operation 20, by one line up to operation 30."
    )


def test_of_the_vendors_of_both_policies_the_first_who_sells_them_together_gets_them():
    world = book(policies=rules(V1, V2), prices=[price(V1, 80), price(V1, 20, process_id=HARDENING), together(V2)])

    _, hard, plate, _ = decide(world, milled_hardened_plated_milled())

    assert places([hard, plate]) == ["V2 10", "outsource"]
    assert "no_price" in codes(hard)


def test_a_vendor_whom_one_of_the_policies_does_not_name_does_not_get_both():
    world = book(
        policies=[policy("HARD", V2, V1, process_id=HARDENING), policy("PLATE", V1)],
        prices=[together(V2), price(V1, 80), price(V2, 20, process_id=HARDENING)],
    )

    _, hard, plate, _ = decide(world, milled_hardened_plated_milled())

    assert places([hard, plate]) == ["V2 10", "V1 10"]
    assert (hard.awards[0].last_no, plate.awards[0].last_no) == ("", "")
    assert "not_together" in codes(hard)
    assert [reason.vendor for reason in hard.reasons if reason.code == "not_named"] == ["V2"]


def test_who_is_not_approved_for_one_of_the_processes_does_not_get_both():
    world = book(
        policies=rules(V1),
        prices=[together(V1), price(V1, 80), price(V1, 20, process_id=HARDENING)],
        approvals={(V1, PLATING): approved("suspended")},
    )

    _, hard, plate, _ = decide(world, milled_hardened_plated_milled())

    assert places([hard, plate]) == ["V1 10", "blocked"]
    assert "not_together" in codes(hard)


def test_where_nothing_but_the_list_has_a_price_the_list_unblocks_both():
    world = book(policies=rules(V1), prices=[together(V1)])

    assert places(decide(world, milled_hardened_plated_milled())) == ["in_house", "V1 10", "outsource", "in_house"]


@pytest.mark.parametrize(
    "between",
    [
        order(hardening(), operation(**MILLED), plating()),
        order(plating(), hardening()),
        order(hardening(good=2), plating()),
        order(hardening(), plating(word=WordValues("in_house"))),
        order(hardening(outsourced="no"), plating()),
        order(hardening(), plating(frozen=(Frozen(V1, d(10), d(0)),))),
    ],
    ids=["something between", "other way round", "begun", "kept inside", "not to go out", "ordered alone"],
)
def test_what_does_not_follow_or_does_not_go_out_is_not_bought_together(between):
    world = book(policies=rules(V1), prices=[together(V1), price(V1, 80), price(V1, 20, process_id=HARDENING)])

    assert all(award.last_no == "" for one in decide(world, between) for award in one.awards)


def test_steps_that_branch_are_not_bought_together():
    hard, plate, other = hardening(), plating(), operation(**MILLED)
    branching = order(hard, plate, other)
    hard.next_nos = ("20", "30")

    world = book(policies=rules(V1), prices=[together(V1), price(V1, 80), price(V1, 20, process_id=HARDENING)])

    assert places(decide(world, branching))[:2] == ["V1 10", "V1 10"]


def test_the_longest_list_goes_first():
    longer = together(V1, 50, further=(PLATING, HARDENING))
    thrice = order(hardening(), plating(), hardening())

    decided = decide(book(policies=rules(V1), prices=[together(V1), longer]), thrice)

    assert [[award.last_no for award in one.awards] for one in decided] == [["30"], [], []]


def test_lists_of_tiers_and_of_the_item_are_chosen_as_any_price():
    world = book(
        policies=rules(V1),
        prices=[together(V1, 40, item_id=None), together(V1, 30), together(V1, 25, minimum_quantity=10)],
    )

    _, hard, _, _ = decide(world, milled_hardened_plated_milled())

    assert hard.awards[0].unit_price == 25


def test_what_stands_with_a_vendor_for_both_stays_so_and_more_is_asked_of_both():
    stands = (Frozen(V1, d(10), d(0), number="SC-1/1", last_no="30", at_vendor_date=TODAY),)
    steps = order(operation(**MILLED, quantity=12), hardening(frozen=stands, quantity=12), plating(quantity=12))

    _, hard, plate = decide(book(policies=rules(V3), prices=[together(V1), price(V3, 80)]), steps)

    assert (hard.verdict, hard.quantity) == ("outsource", 12)
    assert [(award.vendor_id, award.quantity, award.last_no) for award in hard.awards] == [(V1, 2, "30")]
    assert codes(plate) == ["comes_with"]


def test_kept_inside_by_the_planner_both_are_inside():
    stands = (Frozen(V1, d(10), d(0), number="SC-1/1", last_no="20", at_vendor_date=TODAY),)
    steps = order(hardening(frozen=stands), plating(word=WordValues("in_house")))

    assert [one.verdict for one in decide(book(policies=rules(V1), prices=[together(V1)]), steps)] == ["in_house"] * 2


def test_a_policy_counts_what_it_gave_once():
    world = book(
        policies=[policy("HARD", V1, process_id=HARDENING), policy("PLATE", V1)],
        prices=[together(V1)],
    )
    world.policies[0].vendors[0].weekly_capacity = d(15)

    decided = decide(world, order(hardening(), plating()), order(hardening(), plating()))

    assert places(decided) == ["V1 10", "outsource", "blocked", "blocked"]
