"""Amounts of a line and progress of an order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcontract_orders.rules import amounts, progress, same_pieces

pytestmark = pytest.mark.no_database


def cost(quantity: str, unit_price: str, **fields: str) -> tuple[Decimal, ...]:
    values = {"price_factor": "1", "minimum_charge": "0", "lot_charge": "0", "freight": "0", **fields}
    found = amounts(
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        decimals=2,
        **{name: Decimal(value) for name, value in values.items()},
    )
    return found.work, found.minimum_top_up, found.amount


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (cost("100", "1", minimum_charge="1000"), (100, 900, 1000)),
        (cost("5", "15", minimum_charge="100"), (75, 25, 100)),
        (cost("5", "15", minimum_charge="75"), (75, 0, 75)),
        (cost("10", "100", lot_charge="50", freight="7.50"), (1000, 0, Decimal("1057.50"))),
        (cost("250", "8", price_factor="100"), (20, 0, 20)),
        (cost("1", "0.125"), (Decimal("0.13"), 0, Decimal("0.13"))),
    ],
)
def test_a_line_costs_its_work_what_is_missing_to_the_minimum_and_its_charges_once(line, expected):
    assert line == expected


@given(*[st.decimals(0, 10**6, places=2) for _ in range(5)])
def test_amounts_add_up_to_the_cent(quantity, unit_price, minimum_charge, lot_charge, freight):
    found = amounts(
        quantity=quantity,
        unit_price=unit_price,
        price_factor=Decimal(1),
        minimum_charge=minimum_charge,
        lot_charge=lot_charge,
        freight=freight,
        decimals=2,
    )

    assert found.amount == found.work + found.minimum_top_up + found.lot_charge + found.freight
    assert found.work + found.minimum_top_up >= minimum_charge


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "none"),
        ([(10, 0), (10, 0)], "none"),
        ([(10, 20), (10, 0)], "partial"),
        ([(10, 9)], "partial"),
        ([(10, 20), (10, 10)], "complete"),
    ],
)
def test_too_much_of_one_part_does_not_make_up_for_none_of_another(rows, expected):
    assert progress([(Decimal(wanted), Decimal(done)) for wanted, done in rows]) == expected


@pytest.mark.parametrize(
    ("rows", "same"),
    [
        ([], []),
        ([("P/10", 10)], [[0]]),
        ([("P/10", 6), ("P/10", 4)], [[0, 1]]),  # of two places
        ([("P/10", 6), ("P/15", 4)], [[0, 1]]),  # a step came in between when some had left
        ([("P/10", 10), ("P/15", 10)], [[0], [1]]),  # two branches join
        ([("P/10", 6), ("P/15", 10), ("P/10", 4)], [[0, 2], [1]]),
    ],
)
def test_rows_that_give_the_quantity_together_are_of_the_same_pieces(
    rows: list[tuple[str, int]], same: list[list[int]]
):
    given = [(stage, Decimal(required)) for stage, required in rows]

    assert same_pieces(given, quantity=Decimal(10)) == same
