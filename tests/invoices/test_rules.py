"""Invoice arithmetic: shares without a lost cent, tolerances, taxes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import rules
from invoices.rules import Taxed, TaxTotal

pytestmark = pytest.mark.no_database

AMOUNTS = st.decimals(-10_000, 10_000, places=2)
WEIGHTS = st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=12)


def test_the_largest_remainders_take_the_cents_that_are_left():
    assert rules.spread(Decimal(10), [Decimal(1)] * 3, decimals=2) == [
        Decimal("3.34"),
        Decimal("3.33"),
        Decimal("3.33"),
    ]
    assert rules.spread(Decimal("0.05"), [Decimal(5), Decimal(3), Decimal(2)], decimals=2) == [
        Decimal("0.03"), Decimal("0.01"), Decimal("0.01"),
    ]  # fmt: skip
    assert rules.spread(Decimal(-10), [Decimal(1)] * 3, decimals=2) == [
        Decimal("-3.34"), Decimal("-3.33"), Decimal("-3.33"),
    ]  # fmt: skip


def test_without_weights_all_bear_the_same():
    assert rules.spread(Decimal(4), [Decimal(0), Decimal(0)], decimals=2) == [Decimal(2), Decimal(2)]


@given(total=AMOUNTS, weights=WEIGHTS, decimals=st.sampled_from([0, 2, 5]))
def test_spreading_never_loses_a_cent(total: Decimal, weights: list[Decimal], decimals: int):
    parts = rules.spread(total, weights, decimals=decimals)

    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert part == 0 or part * total > 0
        if whole and decimals:
            assert abs(part - total * weight / whole) <= Decimal(1).scaleb(-decimals)


@given(whole=st.decimals(0, 100_000, places=2), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_what_is_due_piece_by_piece_adds_up_to_the_whole(whole: Decimal, cuts: list[int]):
    ordered = Decimal(sum(cuts))

    through, parts = Decimal(0), []
    for cut in cuts:
        before = rules.due(whole=whole, ordered=ordered, quantity=through, unit_amount=Decimal(0))
        through += cut
        parts.append(rules.due(whole=whole, ordered=ordered, quantity=through, unit_amount=Decimal(0)) - before)

    assert sum(parts) == whole


@pytest.mark.parametrize(
    ("asked", "fits"), [("100", True), ("90", True), ("105", True), ("105.00001", False), ("112", False)]
)
def test_a_price_may_lie_above_the_agreed_one_by_the_per_cent(asked, fits):
    found = rules.price_fits(
        asked=Decimal(asked),
        agreed=Decimal(100),
        quantity=Decimal(10),
        tolerance_pct=Decimal(5),
        tolerance_amount=Decimal(0),
    )

    assert found is fits


@pytest.mark.parametrize(("asked", "fits"), [("100.20", True), ("100.21", False)])
def test_or_by_the_amount_on_the_line(asked, fits):
    found = rules.price_fits(
        asked=Decimal(asked),
        agreed=Decimal(100),
        quantity=Decimal(10),
        tolerance_pct=Decimal(0),
        tolerance_amount=Decimal(2),
    )

    assert found is fits


def test_tax_is_rounded_once_a_rate_and_reverse_charge_is_not_paid():
    lines = [
        Taxed(Decimal("10.03"), "S", Decimal(19)), Taxed(Decimal("10.03"), "S", Decimal(19)),
        Taxed(Decimal("100"), "S", Decimal(7)), Taxed(Decimal("50"), "AE", Decimal(19)),
    ]  # fmt: skip

    assert rules.taxes(lines) == [
        TaxTotal("AE", Decimal(19), Decimal(50), Decimal(0)),
        TaxTotal("S", Decimal(7), Decimal(100), Decimal("7.00")),
        TaxTotal("S", Decimal(19), Decimal("20.06"), Decimal("3.81")),  # 1.9057 each would be 1.91 twice: 3.82
    ]


def test_blanks_and_capitals_make_no_other_number():
    assert rules.number_key(" Inv 2026-7 ") == rules.number_key("INV2026-7")
    assert rules.number_key("1-23") != rules.number_key("12-3")


@pytest.mark.parametrize(
    "text", ["", "1_0", "1E+3", "\u0661\u0660", "10,0", "NaN", "1.2.3", ".", "1234567890123456", " 1"]
)
def test_what_only_a_program_takes_for_a_number_is_none(text):
    assert rules.number(text) is None


def test_a_number_is_read_as_documents_write_it():
    assert [rules.number(text) for text in ("10", "-0.5", "+3.", ".25")] == [10, Decimal("-0.5"), 3, Decimal("0.25")]
