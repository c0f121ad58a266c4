"""What of ours lay at vendors at the end of a day, by item and lot: the rows of the figure, as things instead of movements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.models import LocationKind, Site
from reports.models import MonthEnd
from reports.rules.periods import ONE, last_month_end
from reports.services.month_ends import kept_until
from reports.services.reading import keys_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lying:
    """So much of an item (of a lot, at a stage) at a vendor, in the item's unit, and what it is worth in company currency.

    By the stock ledger, as the figure *material at vendors* is: the values of all rows together are the figure.
    """

    vendor: str
    vendor_name: str
    site: str
    item: str
    item_name: str
    lot: str
    stage: str
    quantity: Decimal
    value: Decimal


def lying_at_vendors(*, on: date, narrowed: Mapping[str, str], viewer: User) -> list[Lying]:
    """Everything of ours at vendors at the end of a day of its site, as far as its reader may see; narrowed by codes.

    Raises InvalidInput for unknown ones.
    """
    wanted = keys_of(narrowed)
    kept = kept_until()
    since = last_month_end(min(on, kept)) if kept else None
    sums: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])

    def add(rows: QuerySet[Any], place: str, sign: int) -> None:
        rows = rows.filter(viewer.scope.rows(site=f"{place}__site_id", vendor=f"{place}__vendor_id"))
        rows = rows.filter(**{f"{place}__{name}": key for name, key in wanted.items()})
        keys = (f"{place}__vendor__code", f"{place}__vendor__name", f"{place}__site__code", "item__code", "item__name")
        summed = rows.order_by().values_list(*keys, "lot__code", "stage").annotate(Sum("quantity"), Sum("value"))
        for *key, quantity, value in summed:
            one = sums[tuple(text or "" for text in key)]
            one[0] += sign * quantity
            one[1] += sign * value

    if since is not None:
        add(MonthEnd.objects.filter(day=since), "location", 1)
    for side, sign in (("to", 1), ("from", -1)):
        place = f"{side}_location"
        add(Movement.objects.filter(_within(since, on, place), **{f"{place}__kind": LocationKind.VENDOR}), place, sign)
    found = []
    for (vendor, vendor_name, site, item, item_name, lot, stage), (quantity, value) in sums.items():
        if quantity or value:
            found.append(Lying(vendor, vendor_name, site, item, item_name, lot, stage, quantity, value))
    return sorted(found, key=lambda one: (one.vendor, one.site, one.item, one.lot, one.stage))


def _within(since: date | None, day: date, place: str) -> Q:
    """Movements that had happened by the end of a day, and not by that of an earlier one, by the clock of each place's site."""
    company = masterdata.company().time_zone
    zones: dict[str, list[int]] = defaultdict(list)
    for pk, zone in Site.objects.exclude(time_zone__in=["", company]).values_list("pk", "time_zone"):
        zones[zone].append(pk)
    elsewhere = [pk for sites in zones.values() for pk in sites]

    def span(zone: str) -> Q:
        until = Q(occurred_at__lt=datetime.combine(day + ONE, time.min, ZoneInfo(zone)))
        if since is None:
            return until
        return until & Q(occurred_at__gte=datetime.combine(since + ONE, time.min, ZoneInfo(zone)))

    found = span(company) & (Q(**{f"{place}__site__isnull": True}) | ~Q(**{f"{place}__site__in": elsewhere}))
    for zone, sites in zones.items():
        found |= span(zone) & Q(**{f"{place}__site__in": sites})
    if since is not None:  # said once for all clocks, so that the database looks at that month alone
        found &= Q(occurred_at__gte=datetime.combine(since - ONE, time.min, UTC))
        found &= Q(occurred_at__lt=datetime.combine(day + 3 * ONE, time.min, UTC))
    return found
