"""Who works when in a week, as planners see it: hours, weekends, closed days, public holidays, downtimes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from masterdata.models import Downtime, Vendor, WorkCenter
from masterdata.services import Closed, why_closed
from production.rules.schedule import DEFAULT_HOURS_A_DAY

DAYS = 7
OURS = (0, 0)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one row. `kind` is open, weekend, closed, holiday or down; `hours` where it is open and they are known."""

    day: date
    kind: str
    reason: str = ""
    hours: Decimal | None = None
    downtime_id: int | None = None


def week_of_ours(*, monday: date) -> list[Day]:
    """What holds for everything of ours."""
    return _week(monday, [why_closed(first=monday, last=_sunday(monday)).get(OURS, {})])


def week_of_centers(*, centers: Sequence[WorkCenter], monday: date) -> dict[int, list[Day]]:
    """The week of work centers of ours, by key. An unknown capacity counts as eight hours, as in scheduling. Three queries."""
    closed = why_closed(first=monday, last=_sunday(monday))
    downtimes: dict[int, dict[date, Downtime]] = {center.pk: {} for center in centers}
    rows = Downtime.objects.filter(work_center__in=centers, start_date__lte=_sunday(monday), end_date__gte=monday)
    for downtime in rows.order_by("start_date", "pk"):
        for day in _days(monday):
            if downtime.start_date <= day <= downtime.end_date:
                downtimes[downtime.work_center_id][day] = downtime
    return {
        center.pk: _week(
            monday,
            [closed.get(OURS, {}), closed.get((0, center.pk), {})],
            downtimes[center.pk],
            center.capacity_hours_per_day or DEFAULT_HOURS_A_DAY,
        )
        for center in centers
    }


def week_of_vendors(*, vendors: Sequence[Vendor], monday: date) -> dict[int, list[Day]]:
    """The week of vendors, by key; their hours are theirs. Two queries."""
    closed = why_closed(first=monday, last=_sunday(monday))
    return {vendor.pk: _week(monday, [closed.get((vendor.pk, 0), {})]) for vendor in vendors}


def _week(
    monday: date,
    closed: Iterable[Mapping[date, Closed]],
    downtimes: Mapping[date, Downtime] | None = None,
    hours: Decimal | None = None,
) -> list[Day]:
    reasons = {day: why for days in closed for day, why in days.items()}
    downtimes = downtimes or {}
    week = []
    for day in _days(monday):
        if day.weekday() >= 5:
            week.append(Day(day, "weekend"))
        elif why := reasons.get(day):
            week.append(Day(day, "holiday" if why.is_holiday else "closed", why.reason))
        elif down := downtimes.get(day):
            week.append(Day(day, "down", down.reason, downtime_id=down.pk))
        else:
            week.append(Day(day, "open", hours=hours))
    return week


def _days(monday: date) -> list[date]:
    return [monday + timedelta(days=more) for more in range(DAYS)]


def _sunday(monday: date) -> date:
    return monday + timedelta(days=DAYS - 1)
