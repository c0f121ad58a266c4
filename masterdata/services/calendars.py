"""Who does not work when, weekends apart: closures a person has entered, and public holidays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import holidays
from django.db.models import Q
from django.utils.translation import get_language

from core.refusals import InvalidInput
from masterdata.models import Closure, HolidayCalendar

YEARS_BACK, YEARS_AHEAD = 1, 5
LONGEST = 366  # days of one closure


@dataclass(slots=True)
class ClosedDays:
    """Closed days of everything of ours, and beside those of single work centers and vendors."""

    ours: frozenset[date] = frozenset()
    work_centers: dict[int, frozenset[date]] = field(default_factory=dict)
    vendors: dict[int, frozenset[date]] = field(default_factory=dict)


def all_closed_days(*, on: date) -> ClosedDays:
    """Every closed day there is; public holidays from the year before `on` to five years after it. Two queries."""
    found: dict[tuple[int, int], set[date]] = defaultdict(set)
    for vendor_id, center_id, first, last in Closure.objects.values_list(
        "vendor_id", "work_center_id", "day", "last_day"
    ):
        found[vendor_id or 0, center_id or 0].update(_days(first, last))
    calendars = HolidayCalendar.objects.values_list("vendor_id", "work_center_id", "country", "subdivision")
    for vendor_id, center_id, country, subdivision in calendars:
        found[vendor_id or 0, center_id or 0].update(_around(country, subdivision, on))
    return ClosedDays(
        frozenset(found.get((0, 0), ())),
        {center: frozenset(days) for (_, center), days in found.items() if center},
        {vendor: frozenset(days) for (vendor, _), days in found.items() if vendor},
    )


def closed_days(*, vendor_id: int, on: date) -> frozenset[date]:
    """The days on which a vendor does not work, weekends apart; holidays around `on`."""
    days: set[date] = set()
    for first, last in Closure.objects.filter(vendor=vendor_id).values_list("day", "last_day"):
        days.update(_days(first, last))
    for country, subdivision in HolidayCalendar.objects.filter(vendor=vendor_id).values_list("country", "subdivision"):
        days.update(_around(country, subdivision, on))
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why a day is none: a closure a person has entered, or a public holiday."""

    reason: str
    is_holiday: bool = False


def why_closed(*, first: date, last: date) -> dict[tuple[int, int], dict[date, Closed]]:
    """Closed days from `first` to `last` and why, weekends apart, by (vendor, work center); 0 and 0 is all of ours. Two queries.

    Holidays have their names in the language of who asks, where they are known in it.
    """
    found: dict[tuple[int, int], dict[date, Closed]] = defaultdict(dict)
    calendars = HolidayCalendar.objects.values_list("vendor_id", "work_center_id", "country", "subdivision")
    for vendor_id, center_id, country, subdivision in calendars:
        for day, name in _named_holidays(country, subdivision, first.year, last.year, _language()).items():
            if first <= day <= last:
                found[vendor_id or 0, center_id or 0][day] = Closed(name, is_holiday=True)
    closures = Closure.objects.filter(Q(day__gte=first) | Q(last_day__gte=first), day__lte=last).order_by("day", "pk")
    for closure in closures:
        for day in _days(closure.day, closure.last_day):
            if first <= day <= last:
                found[closure.vendor_id or 0, closure.work_center_id or 0][day] = Closed(closure.reason)
    return found


def check_holidays(*, country: str, subdivision: str = "") -> None:
    """Raises InvalidInput for a country, or a part of it, whose public holidays nobody knows."""
    known = holidays.list_supported_countries()
    if country not in known:
        raise InvalidInput(f"The public holidays of {country} are not known.", field="country", code="not_found")
    if subdivision and subdivision not in known[country]:
        parts = ", ".join(known[country]) or "none"
        raise InvalidInput(
            f"The public holidays of {subdivision} in {country} are not known. Known: {parts}."[:300],
            field="subdivision",
            code="not_found",
        )


def _days(first: date, last: date | None) -> list[date]:
    return [first + timedelta(days=more) for more in range(((last or first) - first).days + 1)]


def _around(country: str, subdivision: str, on: date) -> frozenset[date]:
    return _holidays(country, subdivision, on.year - YEARS_BACK, on.year + YEARS_AHEAD)


@lru_cache(maxsize=256)
def _holidays(country: str, subdivision: str, first: int, last: int) -> frozenset[date]:
    return frozenset(_named_holidays(country, subdivision, first, last, "en_US"))


@lru_cache(maxsize=256)
def _named_holidays(country: str, subdivision: str, first: int, last: int, language: str) -> Mapping[date, str]:
    years = range(first, last + 1)
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=years, language=language))


def _language() -> str:
    asked = (get_language() or "en")[:2]
    return "en_US" if asked == "en" else asked
