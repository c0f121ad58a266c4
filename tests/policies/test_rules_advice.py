"""Lots that reach a minimum together."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from policies.rules.advice import Lot, advise

DAY = date(2026, 3, 2)


def lot(number: int, *, after: int, work: str, minimum: str = "100") -> Lot:
    return Lot(number, f"SC-{number}", DAY + timedelta(days=after), Decimal(work), Decimal(minimum))


def said(*lots: Lot, window: int = 7) -> list[tuple[list[str], int, Decimal, Decimal]]:
    return [
        ([one.number for one in advice.lots], advice.wait_days, advice.saves, advice.top_up)
        for advice in advise(lots, window_days=window)
    ]


def test_two_more_lots_fill_the_minimum():
    lots = [lot(1, after=0, work="75"), lot(2, after=1, work="10"), lot(3, after=3, work="15")]

    # 25 + 90 + 85 would be paid for nothing, and nothing is together.
    assert said(*lots) == [(["SC-1", "SC-2", "SC-3"], 3, Decimal(200), Decimal(0))]


def test_the_order_of_input_does_not_matter():
    lots = [lot(1, after=0, work="75"), lot(2, after=1, work="60"), lot(3, after=3, work="15")]

    assert said(*lots) == said(*reversed(lots)) == [(["SC-1", "SC-2"], 1, Decimal(65), Decimal(0))]


def test_a_lot_that_reaches_it_alone_and_one_too_far_away_are_left():
    assert said(lot(1, after=0, work="100"), lot(2, after=1, work="500")) == []
    assert said(lot(1, after=0, work="75"), lot(2, after=8, work="75")) == []


def test_a_full_lot_takes_a_small_one_along():
    assert said(lot(1, after=0, work="75"), lot(2, after=2, work="500")) == [
        (["SC-1", "SC-2"], 2, Decimal(25), Decimal(0))
    ]


def test_a_full_lot_takes_along_all_small_ones_that_come_after_it_in_the_window():
    lots = [
        lot(1, after=0, work="500"), lot(2, after=1, work="300"), lot(3, after=2, work="75"), lot(4, after=7, work="90"),
        lot(5, after=8, work="10"),
    ]  # fmt: skip

    assert said(*lots) == [
        (["SC-1", "SC-3", "SC-4"], 7, Decimal(35), Decimal(0)),
        (["SC-2", "SC-5"], 7, Decimal(90), Decimal(0)),
    ]


def test_lots_that_share_one_top_up_save_too():
    assert said(lot(1, after=0, work="10"), lot(2, after=2, work="20")) == [
        (["SC-1", "SC-2"], 2, Decimal(100), Decimal(70))
    ]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 150)), max_size=12))
def test_advice_never_names_a_lot_twice_nor_waits_too_long_and_always_saves(rows):
    lots = [lot(number, after=after, work=str(work)) for number, (after, work) in enumerate(rows)]

    found = list(advise(lots, window_days=5))

    named = [one.order_id for advice in found for one in advice.lots]
    assert len(named) == len(set(named))
    for advice in found:
        alone = sum(one.top_up for one in advice.lots)
        together = max(Decimal(100) - sum(one.work for one in advice.lots), Decimal(0))
        assert (advice.saves, advice.top_up) == (alone - together, together)
        assert advice.saves > 0
        assert 0 <= advice.wait_days <= 5
