"""Working days and the date chain of an outside operation: from the need back to the day of ordering, and forward from today."""

from __future__ import annotations

from collections.abc import Set
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

ONE_DAY = timedelta(days=1)


def is_working(day: date, closed: Set[date]) -> bool:
    return day.weekday() < 5 and day not in closed


def working_day_on_or_before(day: date, closed: Set[date]) -> date:
    while not is_working(day, closed):
        day -= ONE_DAY
    return day


def working_day_on_or_after(day: date, closed: Set[date]) -> date:
    while not is_working(day, closed):
        day += ONE_DAY
    return day


def working_days_before(day: date, days: int, closed: Set[date]) -> date:
    """The last working day from which `days` working days, the day after it counting first, end by `day`."""
    day = working_day_on_or_before(day, closed)
    if not closed:
        return day - timedelta(days=_with_weekends(days, 4 - day.weekday()))
    for _ in range(days):
        day = working_day_on_or_before(day - ONE_DAY, closed)
    return day


def working_days_after(day: date, days: int, closed: Set[date]) -> date:
    """The day on which `days` working days end, counted from the day after the first working day on or after `day`."""
    day = working_day_on_or_after(day, closed)
    if not closed:
        return day + timedelta(days=_with_weekends(days, day.weekday()))
    for _ in range(days):
        day = working_day_on_or_after(day + ONE_DAY, closed)
    return day


def _with_weekends(days: int, gone: int) -> int:
    """So many working days as calendar days, where `gone` days of the working week lie behind the one to count from."""
    return days + 2 * ((days + gone) // 5)


def working_days_between(first: date, last: date, closed: Set[date]) -> int:
    """How many working days there are from `first` to `last`, both included."""
    count = 0
    while first <= last:
        count += is_working(first, closed)
        first += ONE_DAY
    return count


@lru_cache(maxsize=10_000)
def monday(day: date) -> date:
    """The Monday of the day's calendar week."""
    return day - timedelta(days=day.weekday())


class Chain(NamedTuple):
    """The dates of one order line.

    The first six run backward from the need; `late_by` is how many days order-by lies in the past. `promise` is the need
    date, or where that can no longer be met what running forward from today gives. `ships_on` and `arrives_on` are when
    the material leaves and arrives in fact: as planned, or as soon as it still can.
    """

    need_date: date
    vendor_ready: date
    at_vendor: date
    dispatch_by: date
    order_by: date
    order_day: date
    late_by: int
    promise: date
    ships_on: date
    arrives_on: date


class Transit(NamedTuple):
    """Calendar days: to prepare the goods, there, back, and to inspect."""

    preparation: int = 0
    out: int = 0
    back: int = 0
    inspection: int = 0

    def by_vendor(self, out: int | None, back: int | None) -> Transit:
        """The same, but on the way as a vendor says, where he does."""
        return self._replace(out=self.out if out is None else out, back=self.back if back is None else back)


NO_TRANSIT = Transit()


def order_forward(order_day: date, lead_days: int, transit: Transit, closed: Set[date]) -> tuple[date, date, date]:
    """Ordered on a day: when the material ships, when it is at the vendor on a day he works, when the pieces are of use."""
    ships = order_day + timedelta(days=transit.preparation)
    arrives = working_day_on_or_after(ships + timedelta(days=transit.out), closed)
    ready = working_days_after(arrives, lead_days, closed)
    return ships, arrives, ready + timedelta(days=transit.back + transit.inspection)


def ship_forward(ships_on: date, lead_days: int, transit: Transit, closed: Set[date]) -> date:
    """When the pieces are of use whose material leaves on a day."""
    return order_forward(ships_on, lead_days, transit._replace(preparation=0), closed)[2]


def chain(need: date, today: date, lead_days: int, transit: Transit, closed: Set[date]) -> Chain:
    """Backward from the need: − inspection − transit back, − lead days on the vendor's calendar, − transit out, − preparation."""
    ready = need - timedelta(days=transit.inspection + transit.back)
    at_vendor = working_days_before(ready, lead_days, closed)
    dispatch_by = at_vendor - timedelta(days=transit.out)
    order_by = dispatch_by - timedelta(days=transit.preparation)
    if order_by >= today:
        return Chain(need, ready, at_vendor, dispatch_by, order_by, order_by, 0, need, dispatch_by, at_vendor)
    ships, arrives, done = order_forward(today, lead_days, transit, closed)
    return Chain(
        need, ready, at_vendor, dispatch_by, order_by, today, (today - order_by).days, max(need, done), ships, arrives
    )  # fmt: skip


def moved(frozen: Chain, need: date, today: date, closed: Set[date]) -> Chain:
    """The chain of a line whose need moves. Its lead days and transit are those that lie between its frozen dates."""
    ready_to_need = (frozen.need_date - frozen.vendor_ready).days
    transit = Transit(
        preparation=(frozen.dispatch_by - frozen.order_by).days,
        out=(frozen.at_vendor - frozen.dispatch_by).days,
        back=ready_to_need,
    )
    lead_days = working_days_between(frozen.at_vendor + ONE_DAY, frozen.vendor_ready, closed)
    return chain(need, today, lead_days, transit, closed)
