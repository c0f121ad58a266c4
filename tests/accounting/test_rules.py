"""Roles, posting dates and rounding, without any row."""

from collections import defaultdict
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


@settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["raw", "at_vendors", "finished", "not_invoiced"]), st.integers(-(10**6), 10**6)
        ),
        max_size=40,
    ),
    st.sampled_from([0, 2, 3]),
)
def test_what_rounding_leaves_goes_with_the_next_entry_and_never_adds_up(entries: list[dict[str, int]], decimals: int):
    carried: dict[str, Decimal] = defaultdict(Decimal)
    for numbers in entries:
        by_role = {role: Decimal(number) / 100_000 for role, number in numbers.items()}
        by_role["scrap"] = -sum(by_role.values(), Decimal(0))

        found = postings.rounded(by_role, decimals=decimals, carried=carried)

        assert sum(found.values()) == 0
        for role, amount in by_role.items():
            carried[role] += amount - found[role]
    assert all(abs(left) < 2 * Decimal(1).scaleb(-decimals) for left in carried.values())


def test_what_a_document_says_is_booked_as_it_says():
    by_role = {"not_invoiced": Decimal("30.86"), "payables": Decimal("-30.86")}
    carried = {"not_invoiced": Decimal("0.012"), "payables": Decimal("0.009")}

    assert postings.rounded(by_role, decimals=2, carried=carried) == by_role


def test_months_end_on_their_last_day():
    assert postings.last_of_month(date(2028, 2, 3)) == date(2028, 2, 29)
    assert postings.last_of_month(date(2026, 12, 31)) == date(2026, 12, 31)
