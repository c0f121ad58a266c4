"""How a period is put together of months and days, and how values are read from sums and distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from reports.rules.figures import Reading

ONE = timedelta(days=1)
FACTOR = {Reading.SHARE: Decimal(100), Reading.PPM: Decimal(1_000_000)}
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Parts:
    """A period as whole months (by their first days, both included) and the days left over at its ends."""

    months: tuple[date, date] | None
    days: tuple[tuple[date, date], ...]


def parts(first: date, last: date) -> Parts:
    """Split the days from `first` to `last`, both included. A period without a whole month in it is days alone."""
    if last < first:
        return Parts(None, ())
    start = first if first.day == 1 else _next_month(first)
    end = (
        _next_month(last) if (last + ONE).day == 1 else last.replace(day=1)
    )  # the first day behind the last whole month
    if start >= end:
        return Parts(None, ((first, last),))
    days = []
    if first < start:
        days.append((first, start - ONE))
    if end <= last:
        days.append((end, last))
    return Parts((start, (end - ONE).replace(day=1)), tuple(days))


def last_month_end(day: date) -> date:
    """The end of a month that is not after a day."""
    return day if (day + ONE).day == 1 else day.replace(day=1) - ONE


def month_ends(after: date, before: date) -> list[tuple[date, date]]:
    """The ends of months in a row, each with the one before it, from the first after a day to the last before another."""
    found, last = [], last_month_end(after)
    while (end := _next_month(last + ONE) - ONE) < before:
        found.append((last, end))
        last = end
    return found


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(slots=True)
class Sums:
    """What the measurements of one figure in one group add up to; `bins` counts them by value where a distribution is read."""

    count: int = 0
    amount: Decimal = Decimal(0)
    base: Decimal = Decimal(0)
    bins: dict[int, int] | None = None

    def add(self, count: int, amount: Decimal, base: Decimal, value: int) -> None:
        self.count += count
        self.amount += amount
        self.base += base
        self.bins = self.bins if self.bins is not None else {}
        self.bins[value] = self.bins.get(value, 0) + count


def read(reading: Reading, sums: Sums) -> Decimal | None:
    """The figure's value; None where there is nothing to read it from, which is not the same as 0."""
    if reading in FACTOR:
        return (sums.amount * FACTOR[reading] / sums.base).quantize(CENT, ROUND_HALF_UP) if sums.base else None
    if reading == Reading.MEDIAN:
        return percentile(sums.bins or {}, 50)
    return sums.amount.quantize(CENT, ROUND_HALF_UP) if sums.count or reading == Reading.STANDING else None


def percentile(bins: Mapping[int, int], pct: int) -> Decimal | None:
    """The smallest value that at least so many per cent of all values do not exceed (nearest rank)."""
    total = sum(bins.values())
    if total <= 0:
        return None
    seen = 0
    for value in sorted(bins):
        seen += bins[value]
        if seen * 100 >= total * pct:
            return Decimal(value)
    return None


def running(days: Iterable[date], amounts: Mapping[date, Decimal], *, opening: Decimal) -> dict[date, Decimal]:
    """What stands at the end of each step: the opening and all amounts up to and with it."""
    found, total = {}, opening
    for day in days:
        total += amounts.get(day, Decimal(0))
        found[day] = total
    return found


def steps(first: date, last: date, unit: str) -> list[date]:
    """The first days of all weeks (Mondays) or months that touch the period, or all its days."""
    if unit == "week":
        day, found = first - timedelta(days=first.weekday()), []
        while day <= last:
            found.append(day)
            day += timedelta(days=7)
        return found
    if unit == "month":
        day, found = first.replace(day=1), []
        while day <= last:
            found.append(day)
            day = _next_month(day)
        return found
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
