"""When the steps of a production order are done: backward from its due date, or forward from a day. Pure: no clock, no rows.

A moment is (day, part): so many parts of the working day are over, none in the morning and all of them in the evening. The
day of an order has as many parts as make the time of each of its steps a whole number of them: three thirds of a day are one
day, and whole numbers are counted much faster than fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

DEFAULT_HOURS_A_DAY = Decimal(8)
NONE = Decimal(0)
LONGEST = Fraction(2600)  # working days, ten years: what takes longer is a mistake in the times and shown as this
FIRST, LAST = date(1900, 1, 1), date(2200, 1, 1)  # no schedule leaves these

Moment = tuple[date, int]
MORNING = 0
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days: Monday to Friday without the closed days."""

    closed: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.closed

    def before(self, day: date) -> date:
        """The last working day before `day` (or `FIRST`, where there is none)."""
        day -= ONE_DAY
        while not self.is_open(day) and day > FIRST:
            day -= ONE_DAY
        return day

    def after(self, day: date) -> date:
        """The first working day after `day`."""
        day += ONE_DAY
        while not self.is_open(day) and day < LAST:
            day += ONE_DAY
        return day


class Step(NamedTuple):
    """One operation to place: its working days, who follows it, and its dates where the plan has fixed them."""

    number: str
    sequence: int
    days: Fraction
    calendar: Calendar
    next_nos: tuple[str, ...] = ()
    fixed: tuple[date, date] | None = None


class Placed(NamedTuple):
    """First and last day of an operation, both included."""

    start: date
    end: date


def working_days(
    *,
    quantity: Decimal,
    setup_minutes: Decimal | None,
    run_minutes: Decimal | None,
    hours_a_day: Decimal | None,
) -> Fraction:
    """Set-up and run time of a quantity in days of a work center; unknown times are none, unknown hours are 8."""
    set_up, a = (setup_minutes or NONE).as_integer_ratio()
    run, b = (run_minutes or NONE).as_integer_ratio()
    pieces, c = quantity.as_integer_ratio()
    hours, d = (hours_a_day or DEFAULT_HOURS_A_DAY).as_integer_ratio()
    # (set-up + run × pieces) / 60 / hours, made a fraction once and not five times.
    return min(Fraction((set_up * b * c + run * pieces * a) * d, a * b * c * 60 * hours), LONGEST)


def back_from(end: Moment, time: int, calendar: Calendar, evening: int) -> tuple[Moment, Moment]:
    """(start, end) of work that is over at `end` or, where that is a closed day, at the last moment before it.

    `time` counts parts of days, of which each has `evening`.
    """
    if not time:
        return end, end
    day, part = end
    if not part or not calendar.is_open(day):
        day, part = calendar.before(day), evening
    over = (day, part)
    while time > part and day > FIRST:
        time -= part
        day, part = calendar.before(day), evening
    return (day, max(part - time, MORNING)), over


def forward_from(start: Moment, time: int, calendar: Calendar, evening: int) -> tuple[Moment, Moment]:
    """(start, end) of work that begins at `start` or, where that is a closed day, at the first moment after it."""
    if not time:
        return start, start
    day, part = start
    if part == evening or not calendar.is_open(day):
        day, part = calendar.after(day), MORNING
    begun = (day, part)
    while part + time > evening and day < LAST:
        time -= evening - part
        day, part = calendar.after(day), MORNING
    return begun, (day, min(part + time, evening))


def successors(steps: Sequence[Step]) -> Mapping[str, tuple[str, ...]]:
    """Who follows whom: as named, or where no step names any, one after another by sequence."""
    if any(step.next_nos for step in steps):
        known = {step.number for step in steps}
        return {step.number: tuple(number for number in step.next_nos if number in known) for step in steps}
    ordered = sorted(steps, key=lambda step: (step.sequence, step.number))
    following = {step.number: (later.number,) for step, later in pairwise(ordered)}
    return {step.number: following.get(step.number, ()) for step in ordered}


def in_order(following: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The numbers so that everyone comes before who follows him, else as given; None where they go round in a circle."""
    waiting = dict.fromkeys(following, 0)
    for later in following.values():
        for number in later:
            waiting[number] += 1
    place = {number: index for index, number in enumerate(following)}
    free = [number for number, count in waiting.items() if not count]
    ordered = []
    while free:
        number = min(free, key=place.__getitem__)
        free.remove(number)
        ordered.append(number)
        for later_number in following[number]:
            waiting[later_number] -= 1
            if not waiting[later_number]:
                free.append(later_number)
    return ordered if len(ordered) == len(following) else None


def schedule(*, steps: Sequence[Step], due: date, today: date | None = None) -> dict[str, Placed]:
    """Place all steps: backward so that the last ones end on `due`, or forward from `today` where that is past.

    No work on closed days; a step ends before those that follow it start. A step without working time stands at one
    moment. Fixed dates stay, and bind the others. Steps that go round in a circle are placed as if none followed another.
    """
    if not steps:
        return {}
    due = min(max(due, FIRST), LAST)
    by_number = {step.number: step for step in steps}
    following = successors(steps)
    ordered = in_order(following)
    if ordered is None:
        following = dict.fromkeys(by_number, ())
        ordered = list(by_number)
    evening = lcm(*(step.days.denominator for step in steps))
    times = {step.number: step.days.numerator * (evening // step.days.denominator) for step in steps}
    way = _Way(by_number, following, ordered, times, evening)
    if today is not None and due < today:
        return _forward(way, min(today, LAST))
    return _backward(way, due)


class _Way(NamedTuple):
    """Steps with what follows each, in order, and their times in parts of a day, of which each has `evening`."""

    steps: Mapping[str, Step]
    following: Mapping[str, Sequence[str]]
    ordered: Sequence[str]
    times: Mapping[str, int]
    evening: int


def _backward(way: _Way, due: date) -> dict[str, Placed]:
    starts: dict[str, Moment] = {}
    placed = {}
    for number in reversed(way.ordered):
        step = way.steps[number]
        end = min((starts[later] for later in way.following[number]), default=(due, way.evening))
        if step.fixed:
            placed[number] = Placed(*step.fixed)
            starts[number] = (step.fixed[0], MORNING)
            continue
        start, end = back_from(end, way.times[number], step.calendar, way.evening)
        starts[number] = start
        placed[number] = Placed(start[0], end[0])
    return {number: placed[number] for number in way.steps}


def _forward(way: _Way, today: date) -> dict[str, Placed]:
    earliest: dict[str, Moment] = dict.fromkeys(way.steps, (today, MORNING))
    placed = {}
    for number in way.ordered:
        step = way.steps[number]
        if step.fixed:
            placed[number] = Placed(*step.fixed)
            end: Moment = (step.fixed[1], way.evening)
        else:
            start, end = forward_from(earliest[number], way.times[number], step.calendar, way.evening)
            placed[number] = Placed(start[0], end[0])
        for later in way.following[number]:
            earliest[later] = max(earliest[later], end)
    return {number: placed[number] for number in way.steps}
