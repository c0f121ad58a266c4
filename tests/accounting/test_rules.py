"""Roles, posting dates and rounding, without any row."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.rules import postings

pytestmark = pytest.mark.no_database


def test_what_production_does_not_use_of_what_it_makes_is_work_not_invoiced_yet():
    moves = [
        ("at_vendors", "production", Decimal(1000)),
        ("production", "finished", Decimal(1800)),
        ("production", "scrap", Decimal(200)),
    ]

    assert postings.entry_of_moves(moves) == {
        "at_vendors": -1000,
        "finished": 1800,
        "scrap": 200,
        "not_invoiced": -1000,
    }


@pytest.mark.parametrize(
    ("event", "closed", "expected"),
    [
        ("2026-03-20", None, "2026-03-20"),
        ("2026-03-20", "2026-02-28", "2026-03-20"),
        ("2026-03-20", "2026-03-31", "2026-04-01"),
        ("2026-03-31", "2026-03-31", "2026-04-01"),
        ("2025-07-01", "2026-03-31", "2026-04-01"),
    ],
)
def test_what_happened_in_a_closed_period_counts_on_the_first_open_day(event: str, closed: str | None, expected: str):
    found = postings.posting_date(
        date.fromisoformat(event), closed_through=date.fromisoformat(closed) if closed else None
    )

    assert found == date.fromisoformat(expected)


@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8).map(lambda numbers: [*numbers, -sum(numbers)]),
    st.sampled_from([0, 2, 3]),
)
def test_rounding_an_entry_loses_no_cent_and_moves_none_by_more_than_one(numbers: list[int], decimals: int):
    by_role = {str(index): Decimal(number) / 100_000 for index, number in enumerate(numbers)}

    found = postings.rounded(by_role, decimals=decimals)

    assert sum(found.values()) == 0
    assert all(
        abs(found[role] - amount) < Decimal(1).scaleb(-decimals) * Decimal("1.5") for role, amount in by_role.items()
    )


def test_months_end_on_their_last_day():
    assert postings.last_of_month(date(2028, 2, 3)) == date(2028, 2, 29)
    assert postings.last_of_month(date(2026, 12, 31)) == date(2026, 12, 31)
