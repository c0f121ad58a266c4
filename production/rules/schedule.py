"""When the steps of a production order are done: backward from its due date, or forward from a day. Pure: no clock, no rows.

A moment is (day, part): that much of the working day is over, 0 in the morning and 1 in the evening. Parts are exact
fractions, so that three thirds of a day are one day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

DEFAULT_HOURS_A_DAY = Decimal(8)
LONGEST = Fraction(2600)  # working days, ten years: what takes longer is a mistake in the times and shown as this
FIRST, LAST = date(1900, 1, 1), date(2200, 1, 1)  # no schedule leaves these

Moment = tuple[date, Fraction]
MORNING, EVENING = Fraction(0), Fraction(1)
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


@dataclass(frozen=True, slots=True)
class Step:
    """One operation to place: its working days, who follows it, and its dates where the plan has fixed them."""

    number: str
    sequence: int
    days: Fraction
    calendar: Calendar
    next_nos: tuple[str, ...] = ()
    fixed: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Placed:
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
    minutes = Fraction(setup_minutes or 0) + Fraction(run_minutes or 0) * Fraction(quantity)
    return min(minutes / 60 / Fraction(hours_a_day or DEFAULT_HOURS_A_DAY), LONGEST)


def back_from(end: Moment, days: Fraction, calendar: Calendar) -> tuple[Moment, Moment]:
    """(start, end) of work that is over at `end` or, where that is a closed day, at the last moment before it."""
    if not days:
        return end, end
    day, part = end
    if not calendar.is_open(day) or not part:
        day, part = calendar.before(day), EVENING
    over = (day, part)
    while days > part and day > FIRST:
        days -= part
        day, part = calendar.before(day), EVENING
    return (day, max(part - days, MORNING)), over


def forward_from(start: Moment, days: Fraction, calendar: Calendar) -> tuple[Moment, Moment]:
    """(start, end) of work that begins at `start` or, where that is a closed day, at the first moment after it."""
    if not days:
        return start, start
    day, part = start
    if not calendar.is_open(day) or part == EVENING:
        day, part = calendar.after(day), MORNING
    begun = (day, part)
    while part + days > EVENING and day < LAST:
        days -= EVENING - part
        day, part = calendar.after(day), MORNING
    return begun, (day, min(part + days, EVENING))


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
    if today is not None and due < today:
        return _forward(by_number, following, ordered, min(today, LAST))
    return _backward(by_number, following, ordered, due)


def _backward(
    steps: Mapping[str, Step], following: Mapping[str, Sequence[str]], ordered: Sequence[str], due: date
) -> dict[str, Placed]:
    starts: dict[str, Moment] = {}
    placed = {}
    for number in reversed(ordered):
        step = steps[number]
        end = min((starts[later] for later in following[number]), default=(due, EVENING))
        if step.fixed:
            placed[number] = Placed(*step.fixed)
            starts[number] = (step.fixed[0], MORNING)
            continue
        start, end = back_from(end, step.days, step.calendar)
        starts[number] = start
        placed[number] = Placed(start[0], end[0])
    return {number: placed[number] for number in steps}


def _forward(
    steps: Mapping[str, Step], following: Mapping[str, Sequence[str]], ordered: Sequence[str], today: date
) -> dict[str, Placed]:
    earliest: dict[str, Moment] = dict.fromkeys(steps, (today, MORNING))
    placed = {}
    for number in ordered:
        step = steps[number]
        if step.fixed:
            placed[number] = Placed(*step.fixed)
            end: Moment = (step.fixed[1], EVENING)
        else:
            start, end = forward_from(earliest[number], step.days, step.calendar)
            placed[number] = Placed(start[0], end[0])
        for later in following[number]:
            earliest[later] = max(earliest[later], end)
    return {number: placed[number] for number in steps}
