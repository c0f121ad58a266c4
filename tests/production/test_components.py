"""What an operation needs of its bill of material."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.rules.components import BomRow, Component, EndlessPhantoms, ratios, required, rounded_up

pytestmark = pytest.mark.no_database

FG, KIT, BOLT, MASK = 1, 2, 3, 4


def row(component: int, quantity: str, no: str = "", **fields: object) -> BomRow:
    values = {"is_per_order": False, "scrap_pct": Decimal(0), "supply": "own", "decimals": 0, "is_phantom": False}
    return BomRow(component_id=component, quantity=Decimal(quantity), operation_no=no, **{**values, **fields})


def needs(boms: dict[int, list[BomRow]], quantity: str, no: str = "10", *, is_first: bool = True) -> list[Component]:
    found = ratios(boms, item_id=FG, operation_no=no, is_first=is_first, operation_nos=("10", "20"))
    return [required(ratio, quantity=Decimal(quantity)) for ratio in found]


def test_each_operation_takes_its_own_and_the_first_what_is_tied_to_none():
    boms = {FG: [row(BOLT, "2"), row(MASK, "1", "20"), row(KIT, "1", "99")]}

    assert [one.item_id for one in needs(boms, "5", "10")] == [BOLT, KIT]
    assert [one.item_id for one in needs(boms, "5", "20", is_first=False)] == [MASK]


def test_scrap_is_added_and_the_sum_rounded_up_to_the_unit():
    boms = {FG: [row(BOLT, "2", scrap_pct=Decimal(5)), row(KIT, "1.04", decimals=3)]}

    assert [one.required for one in needs(boms, "106")] == [Decimal(223), Decimal("110.240")]
    assert [one.required for one in needs(boms, "10.003")] == [Decimal(22), Decimal("10.404")]


def test_a_quantity_for_the_whole_order_is_not_scaled():
    boms = {FG: [row(MASK, "4", is_per_order=True)]}

    assert [one.required for one in needs(boms, "1000")] == [Decimal(4)]


def test_a_phantom_is_opened_into_what_it_holds():
    boms = {
        FG: [row(KIT, "2", is_phantom=True, scrap_pct=Decimal(10))],
        KIT: [row(BOLT, "3", "70"), row(MASK, "1", is_per_order=True, supply="returnable")],
    }

    found = needs(boms, "10")

    assert [(one.item_id, one.required, one.supply) for one in found] == [(BOLT, 66, "own"), (MASK, 3, "returnable")]


def test_phantoms_that_hold_one_another_are_refused():
    boms = {FG: [row(KIT, "1", is_phantom=True)], KIT: [row(KIT, "1", is_phantom=True)]}

    with pytest.raises(EndlessPhantoms):
        needs(boms, "1")


@given(st.decimals(0, 10**9, places=5), st.integers(0, 5))
def test_rounding_up_never_gives_less_and_never_a_whole_step_more(quantity, decimals):
    found = rounded_up(quantity, decimals=decimals)

    assert quantity <= found < quantity + Decimal(1).scaleb(-decimals)
    assert -found.as_tuple().exponent <= decimals
