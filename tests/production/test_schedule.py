"""When steps are done: exact cases, and what holds for any plan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.rules.schedule import Calendar, Placed, Step, schedule, successors, working_days

pytestmark = pytest.mark.no_database

MON, TUE, WED, THU, FRI, SAT, SUN = (date(2026, 3, 16) + timedelta(days=n) for n in range(7))
OPEN = Calendar()


def step(number: str, days: Fraction | int = 0, **values) -> Step:
    return Step(**{"number": number, "sequence": int(number), "days": Fraction(days), "calendar": OPEN, **values})


def hours(hours: int, a_day: int | None = None) -> Fraction:
    return working_days(
        quantity=Decimal(hours), setup_minutes=None, run_minutes=Decimal(60), hours_a_day=a_day and Decimal(a_day)
    )


def test_a_day_of_work_is_done_on_the_day_it_is_due():
    assert schedule(steps=[step("10", hours(8))], due=WED) == {"10": Placed(WED, WED)}


def test_two_days_of_work_start_the_day_before():
    assert schedule(steps=[step("10", hours(16))], due=WED) == {"10": Placed(TUE, WED)}


def test_unknown_capacity_is_eight_hours_a_day():
    assert hours(8) == hours(8, 8) == 1
    assert hours(48, 24) == 2


def test_set_up_counts_once_and_run_time_for_each_piece():
    days = working_days(
        quantity=Decimal(100), setup_minutes=Decimal(30), run_minutes=Decimal("4.5"), hours_a_day=Decimal(8)
    )
    assert days == 1


def test_three_thirds_of_a_day_are_one_day():
    third = Fraction(1, 3)
    placed = schedule(steps=[step("10", third), step("20", third), step("30", third)], due=WED)
    assert set(placed.values()) == {Placed(WED, WED)}


def test_work_passes_over_weekends_and_closed_days():
    calendar = Calendar(frozenset({FRI}))
    placed = schedule(steps=[step("10", 2, calendar=calendar)], due=MON + timedelta(days=7))
    assert placed["10"] == Placed(THU, MON + timedelta(days=7))


def test_work_due_on_a_closed_day_ends_before_it_but_what_takes_no_time_stays():
    placed = schedule(steps=[step("10", 1), step("20")], due=SUN)
    assert placed == {"10": Placed(FRI, FRI), "20": Placed(SUN, SUN)}


def test_a_step_ends_the_day_before_a_full_day_that_follows():
    assert schedule(steps=[step("10", 1), step("20", 1)], due=WED) == {"10": Placed(TUE, TUE), "20": Placed(WED, WED)}


def test_what_takes_no_time_stands_between_its_neighbours():
    placed = schedule(steps=[step("10", 1), step("20"), step("30", 1)], due=WED)
    assert placed == {"10": Placed(TUE, TUE), "20": Placed(WED, WED), "30": Placed(WED, WED)}


def test_parallel_steps_are_done_at_once_and_the_one_before_waits_for_the_longer():
    placed = schedule(
        steps=[
            step("5", 1, next_nos=("10", "20")),
            step("10", 2, next_nos=("30",)),
            step("20", 1, next_nos=("30",)),
            step("30", 1),
        ],
        due=FRI,
    )
    assert placed == {"5": Placed(TUE, TUE), "10": Placed(WED, THU), "20": Placed(THU, THU),
                      "30": Placed(FRI, FRI)}  # fmt: skip


def test_what_is_past_due_is_done_from_today():
    placed = schedule(steps=[step("10", 1), step("20"), step("30", 2)], due=MON, today=THU)
    assert placed == {"10": Placed(THU, THU), "20": Placed(THU, THU), "30": Placed(FRI, MON + timedelta(days=7))}


def test_what_is_due_today_is_not_past():
    assert schedule(steps=[step("10", 1)], due=THU, today=THU) == {"10": Placed(THU, THU)}


def test_fixed_dates_stay_and_bind_what_comes_before():
    placed = schedule(steps=[step("10", 1), step("20", 1, fixed=(TUE, WED)), step("30", 1)], due=FRI)
    assert placed == {"10": Placed(MON, MON), "20": Placed(TUE, WED), "30": Placed(FRI, FRI)}


def test_where_no_step_names_the_next_they_follow_by_sequence():
    assert successors([step("20"), step("10"), step("30")]) == {"10": ("20",), "20": ("30",), "30": ()}


def test_a_mistake_in_the_times_does_not_run_out_of_the_calendar():
    placed = schedule(steps=[step("10", hours(10**12)), step("20", hours(10**12))], due=WED)
    assert placed["10"].start > date(2005, 1, 1)


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
calendars = st.builds(Calendar, st.frozensets(days, max_size=20))
durations = st.fractions(min_value=0, max_value=20, max_denominator=480)


@st.composite
def routings(draw) -> list[Step]:
    """Steps that follow one another, some in parallel."""
    count = draw(st.integers(1, 6))
    numbers = [str(10 * (n + 1)) for n in range(count)]
    named = draw(st.booleans())
    return [
        Step(
            number=number,
            sequence=10 * (n + 1),
            days=draw(durations),
            calendar=draw(calendars),
            next_nos=tuple(draw(st.lists(st.sampled_from(numbers[n + 1 :]), unique=True, max_size=3)))
            if named and n + 1 < count
            else (),
        )
        for n, number in enumerate(numbers)
    ]


@given(routings(), days, st.one_of(st.none(), days))
def test_no_work_on_closed_days_and_everything_in_order(steps, due, today):
    placed = schedule(steps=steps, due=due, today=today)

    late = today is not None and due < today
    for one in steps:
        where = placed[one.number]
        assert where.start <= where.end
        assert where.end >= today if late else where.end <= due
        if one.days:
            assert one.calendar.is_open(where.start)
            assert one.calendar.is_open(where.end)
            worked = sum(
                one.calendar.is_open(where.start + timedelta(days=n)) for n in range((where.end - where.start).days + 1)
            )
            assert one.days <= worked <= one.days + 2  # never more than two days are only begun
    for number, later in successors(steps).items():
        for follower in later:
            assert placed[number].end <= placed[follower].start


@given(routings(), days, st.one_of(st.none(), days))
def test_the_same_plan_gets_the_same_dates_in_whatever_order_it_is_given(steps, due, today):
    assert schedule(steps=steps, due=due, today=today) == schedule(steps=steps[::-1], due=due, today=today)
