"""Working days and the date chain."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import dates as rules
from policies.rules.dates import NO_TRANSIT, Transit

pytestmark = pytest.mark.no_database

NOTHING: frozenset[date] = frozenset()
ALL_ONE = Transit(1, 1, 1, 1)


def march(day):
    return date(2026, 3, day)


def test_the_chain_runs_backward_from_the_need():
    chain = rules.chain(date(2026, 4, 24), march(4), 5, ALL_ONE, NOTHING)

    assert (chain.vendor_ready, chain.at_vendor, chain.dispatch_by, chain.order_by) == (
        date(2026, 4, 22), date(2026, 4, 15), date(2026, 4, 14), date(2026, 4, 13),
    )  # fmt: skip
    assert (chain.late_by, chain.promise, chain.order_day) == (0, date(2026, 4, 24), date(2026, 4, 13))


def test_an_order_by_in_the_past_is_said_and_the_promise_runs_forward():
    chain = rules.chain(march(13), march(4), 5, ALL_ONE, NOTHING)

    assert (chain.order_by, chain.dispatch_by, chain.need_date, chain.late_by) == (march(2), march(3), march(13), 2)
    # ordered Wed 4, out Thu 5, there Fri 6, five days to Fri 13, back Sat 14, inspected Sun 15
    assert (chain.order_day, chain.ships_on, chain.arrives_on, chain.promise) == (
        march(4),
        march(5),
        march(6),
        march(15),
    )


def test_ordering_today_is_in_time():
    assert rules.chain(march(11), march(4), 5, NO_TRANSIT, NOTHING).late_by == 0


@pytest.mark.parametrize(
    ("ready", "lead_days", "at_vendor"),
    [
        (march(11), 5, march(4)),  # Wednesday to Wednesday
        (march(13), 5, march(6)),  # Friday to Friday
        (march(9), 1, march(6)),  # Monday: he had it on Friday
        (march(15), 1, march(12)),  # Sunday: ready on Friday, his on Thursday
        (march(15), 0, march(13)),
        (march(11), 0, march(11)),
    ],
)
def test_lead_days_are_working_days_and_the_day_after_arrival_counts_first(ready, lead_days, at_vendor):
    assert rules.working_days_before(ready, lead_days, NOTHING) == at_vendor


def test_closed_days_of_the_vendor_are_no_working_days():
    holiday = frozenset({march(9), march(10)})

    assert rules.working_days_before(march(11), 2, holiday) == march(5)
    assert rules.working_days_after(march(5), 2, holiday) == march(11)


def test_transit_preparation_and_inspection_are_calendar_days():
    chain = rules.chain(march(30), march(2), 0, Transit(3, 2, 4, 6), NOTHING)

    assert (chain.vendor_ready, chain.at_vendor, chain.dispatch_by, chain.order_by) == (
        march(20), march(20), march(18), march(15),
    )  # fmt: skip


def test_working_days_between_two_days_are_counted_with_both():
    assert rules.working_days_between(march(6), march(10), frozenset({march(9)})) == 2


# --- properties ---

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
leads = st.integers(0, 30)
transits = st.builds(Transit, *[st.integers(0, 10)] * 4)
closures = st.frozensets(st.dates(date(2025, 12, 1), date(2028, 1, 31)), max_size=40)


@given(days, leads, transits, closures)
def test_order_by_is_the_last_day_on_which_ordering_meets_the_need(need, lead_days, transit, closed):
    order_by = rules.chain(need, date(2020, 1, 1), lead_days, transit, closed).order_by

    on_time = rules.order_forward(order_by, lead_days, transit, closed)[2]
    a_day_later = rules.order_forward(order_by + timedelta(days=1), lead_days, transit, closed)[2]
    assert on_time <= need < a_day_later


@given(days, st.integers(0, 30), leads, transits, closures)
def test_a_later_need_never_means_an_earlier_order(need, later, lead_days, transit, closed):
    first = rules.chain(need, date(2020, 1, 1), lead_days, transit, closed)
    second = rules.chain(need + timedelta(days=later), date(2020, 1, 1), lead_days, transit, closed)

    assert all(one <= other for one, other in zip(first[:5], second[:5], strict=True))


@given(days, days, leads, transits, closures)
def test_a_chain_is_in_order_and_a_late_one_promises_later(need, today, lead_days, transit, closed):
    chain = rules.chain(need, today, lead_days, transit, closed)

    assert chain.order_by <= chain.dispatch_by <= chain.at_vendor <= chain.vendor_ready <= chain.need_date
    assert chain.late_by == max(0, (today - chain.order_by).days)
    assert (chain.promise > need) == (chain.late_by > 0)
    assert today <= chain.order_day <= chain.ships_on <= chain.arrives_on
    assert rules.is_working(chain.at_vendor, closed)


@given(days, leads, closures)
def test_working_days_invert_one_another(day, lead_days, closed):
    day = rules.working_day_on_or_before(day, closed)

    assert rules.working_days_after(rules.working_days_before(day, lead_days, closed), lead_days, closed) == day


@given(days, leads)
def test_where_no_day_is_closed_weeks_are_counted_and_not_days(day, lead_days):
    long_ago = frozenset({date(1999, 1, 1)})

    assert rules.working_days_before(day, lead_days, NOTHING) == rules.working_days_before(day, lead_days, long_ago)
    assert rules.working_days_after(day, lead_days, NOTHING) == rules.working_days_after(day, lead_days, long_ago)


@given(
    need=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    shift=st.integers(-60, 60),
    today=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    lead_days=st.integers(0, 30),
    transit=st.builds(Transit, *[st.integers(0, 9)] * 4),
    closed=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=20),
)
def test_a_line_whose_need_moves_has_the_dates_it_would_have_had_from_the_start(
    need, shift, today, lead_days, transit, closed
):
    frozen = rules.chain(need, today, lead_days, transit, closed)
    to = need + timedelta(days=shift)

    assert rules.moved(frozen, to, today, closed) == rules.chain(to, today, lead_days, transit, closed)
