"""What may be received, what is used up, what it is worth."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receipts import rules

pytestmark = pytest.mark.no_database
D = Decimal
pieces = st.integers(1, 500).map(Decimal)


def test_the_tolerance_is_on_what_was_ordered():
    assert rules.at_most(ordered=D(100), over_pct=D(10)) == 110
    assert rules.at_most(ordered=D(3), over_pct=D(0)) == 3


@pytest.mark.parametrize(("received", "enough"), [(89, False), (90, True), (100, True), (101, True)])
def test_a_line_is_complete_within_the_under_delivery_tolerance(received: int, enough: bool):
    assert rules.is_enough(ordered=D(100), received=D(received), under_pct=D(10)) is enough


def use(made_before: int, made_now: int, *, per_piece: str = "0.5", scrap_pct: str = "0", decimals: int = 0) -> Decimal:
    return rules.standard_use(
        per_piece=D(per_piece), scrap_pct=D(scrap_pct), decimals=decimals, made_before=D(made_before), made_now=D(made_now)
    )  # fmt: skip


def test_standard_use_is_rounded_up_over_all_pieces_and_not_each_time():
    assert [use(made, 1) for made in range(4)] == [1, 0, 1, 0]
    assert use(0, 40, per_piece="4", scrap_pct="5") == 168
    assert use(0, 7, per_piece="1.04", decimals=3) == D("7.28")


@given(st.lists(pieces, min_size=1, max_size=8), st.decimals("0.001", "9", places=3), st.integers(0, 3))
def test_parts_use_together_what_the_whole_uses(parts: list[Decimal], per_piece: Decimal, decimals: int):
    made = D(0)
    total = D(0)
    for part in parts:
        total += rules.standard_use(
            per_piece=per_piece, scrap_pct=D(0), decimals=decimals, made_before=made, made_now=part
        )
        made += part

    assert total == rules.rounded_up(per_piece * made, decimals=decimals)


@pytest.mark.parametrize(
    ("made_now", "made_before", "unused", "used"), [(5, 0, 5, 3), (5, 5, 7, 7), (1, 0, 0, 0), (12, 0, 9, 9)]
)
def test_use_as_sent_is_the_share_of_what_is_unused(made_now: int, made_before: int, unused: int, used: int):
    found = rules.as_sent_use(
        made_now=D(made_now), ordered=D(10), made_before=D(made_before), unused=D(unused), decimals=0
    )

    assert found == used


@given(st.lists(pieces, min_size=1, max_size=8), st.decimals("0.01", "9999", places=2))
def test_the_parts_of_a_line_owe_its_amount_to_the_cent(parts: list[Decimal], amount: Decimal):
    ordered = sum(parts)
    made, owed = D(0), D(0)
    for part in parts:
        before = rules.accrued(amount=amount, unit_amount=D(1), ordered=ordered, received=made)
        owed += rules.accrued(amount=amount, unit_amount=D(1), ordered=ordered, received=made + part) - before
        made += part

    assert owed == amount


def test_pieces_beyond_the_ordered_ones_cost_their_price_without_charges():
    assert rules.accrued(amount=D(1050), unit_amount=D(100), ordered=D(10), received=D(11)) == 1150


@pytest.mark.parametrize(
    ("accepted", "bad", "absorbs", "good_worth", "bad_worth"),
    [
        (8, 2, False, 1800, 450),
        (8, 2, True, 2250, 0),
        (10, 0, False, 2250, 0),
        (0, 10, False, 0, 2250),
        (0, 10, True, 0, 2250),
    ],
)
def test_bad_pieces_are_an_expense_or_make_the_good_ones_dearer(
    accepted: int, bad: int, absorbs: bool, good_worth: int, bad_worth: int
):
    worth = rules.output_value(accepted=D(accepted), bad=D(bad), components=D(2000), work=D(250), absorbs=absorbs)

    assert (worth.good, worth.bad) == (good_worth, bad_worth)


@pytest.mark.parametrize(("quantity", "pct", "looked_at"), [(30, 10, 3), (31, 10, 4), (5, 10, 1), (4, 100, 4)])
def test_a_sample_is_its_share_and_at_least_one(quantity: int, pct: int, looked_at: int):
    assert rules.sample(quantity=D(quantity), pct=D(pct)) == looked_at
