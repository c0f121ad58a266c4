"""How a period is put together and figures are read, without any row."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.rules import figures, periods
from reports.rules.costs import Facts, causes
from reports.rules.figures import Reading
from reports.rules.periods import Parts, Sums

pytestmark = pytest.mark.no_database

amounts = st.integers(0, 10**9).map(lambda number: Decimal(number) / 100_000)
pieces = st.integers(10, 10**6).map(lambda number: Decimal(number) / 100)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-03-05", "2026-03-20", Parts(None, ((date(2026, 3, 5), date(2026, 3, 20)),))),
        ("2026-03-01", "2026-03-31", Parts((date(2026, 3, 1), date(2026, 3, 1)), ())),
        (
            "2026-01-15",
            "2026-04-02",
            Parts(
                (date(2026, 2, 1), date(2026, 3, 1)),
                ((date(2026, 1, 15), date(2026, 1, 31)), (date(2026, 4, 1), date(2026, 4, 2))),
            ),
        ),
        ("2025-12-01", "2026-02-28", Parts((date(2025, 12, 1), date(2026, 2, 1)), ())),
        ("2026-01-31", "2026-02-01", Parts(None, ((date(2026, 1, 31), date(2026, 2, 1)),))),
        ("2026-02-02", "2026-02-01", Parts(None, ())),
    ],
)
def test_a_period_is_whole_months_and_the_days_left_over(first: str, last: str, expected: Parts):
    assert periods.parts(date.fromisoformat(first), date.fromisoformat(last)) == expected


@pytest.mark.parametrize(
    ("bins", "pct", "expected"),
    [({}, 50, None), ({7: 1}, 50, 7), ({1: 5, 9: 5}, 50, 1), ({1: 4, 9: 5}, 50, 9),
     ({1: 9, 30: 1}, 90, 1), ({1: 8, 30: 2}, 90, 30)],
)  # fmt: skip
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(bins: dict[int, int], pct: int, expected: int):
    assert periods.percentile(bins, pct) == expected


def test_nothing_to_divide_by_is_no_value_and_not_zero():
    assert periods.read(Reading.PPM, Sums()) is None
    assert periods.read(Reading.PPM, Sums(1, Decimal(0), Decimal(8))) == 0
    assert periods.read(Reading.PPM, Sums(1, Decimal(2), Decimal(10))) == 200_000
    assert periods.read(Reading.SHARE, Sums(3, Decimal(1), Decimal(3))) == Decimal("33.33")


def test_what_stands_is_carried_over_weeks_in_which_nothing_moved():
    weeks = periods.steps(date(2026, 3, 4), date(2026, 3, 20), "week")

    assert weeks == [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)]
    assert list(periods.running(weeks, {date(2026, 3, 9): Decimal(-5)}, opening=Decimal(20)).values()) == [20, 15, 15]


def test_every_figure_of_a_report_is_defined_and_says_what_it_counts():
    for report in figures.REPORTS.values():
        for name in report.figures:
            assert len(str(figures.FIGURES[name].definition)) > 60


@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    planned=st.tuples(pieces, pieces), good=amounts, made=amounts, money=st.tuples(amounts, amounts, amounts), exchange=amounts
)  # fmt: skip
def test_the_causes_add_up_to_what_was_spent_beyond_the_expected(planned, good, made, money, exchange):
    expected, actual, at_standard = money
    facts = Facts(planned[0], planned[1], good, made, expected, expected / 2, actual, exchange, at_standard)

    found = causes(facts)

    if made or actual:
        for_good = (good * expected / planned[0]).quantize(Decimal("0.00001"))
        assert abs(found.total - (actual - for_good)) <= Decimal("0.00002")
    else:
        assert found.total == 0
