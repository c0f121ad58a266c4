"""Business actions on master data that other apps rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models, transaction
from django.db.models import F

from core.refusals import InvalidDate, Refusal
from masterdata.models import (
    VIRTUAL_KINDS,
    Closure,
    Company,
    Currency,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemGroup,
    ItemUnit,
    Location,
    LocationKind,
    NumberLane,
    NumberRange,
    Process,
    Site,
    Specification,
    Unit,
    Vendor,
    WorkCenter,
)
from masterdata.rules import decimals_of_currency
from masterdata.services.bulk import Upserted, upsert_by_key

PREFIXES = {
    "subcontract_order": "SC-",
    "shipment": "SH-",
    "receipt": "GR-",
    "run": "RUN-",
    "simulation": "SIM-",
    "return": "RT-",
    "vendor_count": "CN-",
    "vendor_write_off": "WO-",
    "direct_delivery": "DD-",
    "invoice": "IV-",
    "credit_note": "CR-",
    "self_billed": "SB-",
    "charge_back": "CB-",
    "balance_confirmation": "BC-",
    "journal_export": "JX-",
    "payment_export": "PX-",
}


@transaction.atomic
def draw_numbers(*, kind: str, count: int = 1) -> list[str]:
    """The next `count` document numbers of a kind, in order. Gaps are allowed, duplicates are not.

    The counter row stays locked until the caller's transaction ends, so draw late and in blocks.
    """
    NumberRange.objects.get_or_create(kind=kind, defaults={"prefix": PREFIXES[kind]})
    row = NumberRange.objects.select_for_update().get(kind=kind)
    if kind in LANED and NumberLane.objects.filter(kind=kind).exists():
        return _draw_from_lane(kind, count)
    first = row.last + 1
    NumberRange.objects.filter(pk=row.pk).update(last=F("last") + count)
    return [f"{row.prefix}{number:05d}" for number in range(first, first + count)]


@transaction.atomic
def reserve_numbers(*, kind: str, numbers: Iterable[str]) -> None:
    """Numbers of documents that come from elsewhere: none drawn later is one of these."""
    prefix = PREFIXES[kind]
    tails = (number.removeprefix(prefix) for number in numbers if number.startswith(prefix))
    highest = max((int(tail) for tail in tails if tail.isascii() and tail.isdigit() and len(tail) < 18), default=0)
    if highest:
        NumberRange.objects.get_or_create(kind=kind, defaults={"prefix": prefix})
        NumberRange.objects.filter(kind=kind, last__lt=highest).update(last=highest)


LANES = 16
LANED = frozenset({"receipt"})  # kinds of which many people draw a number at once


def draw_number(*, kind: str) -> str:
    """The next document number of a kind that many people draw at once. Gaps are allowed, duplicates are not.

    One after the other they are in order, one by one; at once nobody waits while a lane is free. A number drawn in a
    transaction that is rolled back is drawn again.
    """
    return _draw_from_lane(kind, 1)[0]


def _draw_from_lane(kind: str, count: int) -> list[str]:
    """So many numbers of the lane that is furthest behind; each is so many lanes after the one before."""
    prefix = PREFIXES[kind]
    for blocks in ("SKIP LOCKED", ""):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH free AS MATERIALIZED (
                    SELECT id FROM masterdata_numberlane WHERE kind = %s ORDER BY next LIMIT 1 FOR UPDATE {blocks}
                )
                UPDATE masterdata_numberlane l SET next = l.next + %s FROM free WHERE l.id = free.id
                RETURNING l.next - %s
                """,
                [kind, LANES * count, LANES * count],
            )
            row = cursor.fetchone()
        if row is None and not NumberLane.objects.filter(kind=kind).exists():
            _make_lanes(kind)
            return _draw_from_lane(kind, count)
        if row is not None:
            return [f"{prefix}{row[0] + LANES * place:05d}" for place in range(count)]
    raise RuntimeError(f"No lane of {kind} gives a number")


@transaction.atomic
def _make_lanes(kind: str) -> None:
    """Go on where the one counter of the kind stands; who draws of that has finished by then."""
    NumberRange.objects.get_or_create(kind=kind, defaults={"prefix": PREFIXES[kind]})
    last = NumberRange.objects.select_for_update().get(kind=kind).last
    lanes = [NumberLane(kind=kind, lane=lane, next=last + 1 + lane) for lane in range(LANES)]
    NumberLane.objects.bulk_create(lanes, ignore_conflicts=True)


def company() -> Company:
    """The one company row, made with EUR and UTC where none was loaded yet."""
    found = Company.objects.select_related("currency").first()
    if found:
        return found
    currency, _ = Currency.objects.get_or_create(code="EUR", defaults={"name": "Euro"})
    made, _ = Company.objects.get_or_create(pk=1, defaults={"name": "", "currency": currency})
    return made


def main_location(*, site: Site) -> Location:
    """Where a site ships from and receives into; made with the site's own code where none is marked."""
    found = Location.objects.filter(site=site, is_main=True).first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=site.code, defaults={"name": site.name, "kind": LocationKind.PLANT, "site": site}
    )
    Location.objects.filter(pk=location.pk).update(site=site, is_main=True)
    location.refresh_from_db()
    return location


@transaction.atomic
def mark_main_locations(*, codes: Iterable[str]) -> None:
    """Make these the main locations of their sites, where a site has none yet."""
    for location in (
        Location.objects.filter(code__in=list(codes), site__isnull=False).select_related("site").order_by("pk")
    ):
        if not Location.objects.filter(site=location.site, is_main=True).exists():
            Location.objects.filter(pk=location.pk).update(is_main=True)


def vendor_location(*, vendor: Vendor, site: Site | None = None) -> Location:
    """Where our material lies at a vendor: the place for this site of ours, else the one he keeps for all sites.

    Made where he has none: AT-<vendor code>, or AT-<vendor code>-<site code> beside places of other sites.
    """
    places = Location.objects.at_vendors().filter(vendor=vendor).order_by("pk")
    of_site = places.filter(site=site).first() if site else None
    if found := of_site or places.filter(site__isnull=True).first():
        return found
    if (first := places.first()) is None:
        make_vendor_locations(vendor_ids=[vendor.pk])
        return places.get()
    if site is None:
        return first
    location, _ = Location.objects.get_or_create(
        vendor=vendor, site=site, kind=LocationKind.VENDOR,
        defaults={"code": f"AT-{vendor.code}-{site.code}"[:60], "name": first.name},
    )  # fmt: skip
    return location


@transaction.atomic
def make_vendor_locations(*, vendor_ids: Iterable[int]) -> int:
    """Give every one of these vendors a location AT-<vendor code>, unless he has one. Returns how many were made.

    It belongs to the site of a company that has just one; with several it is for all of them.
    """
    without = Vendor.objects.filter(pk__in=list(vendor_ids)).exclude(
        pk__in=Location.objects.at_vendors().values("vendor_id")
    )
    site = only_site()
    made = [
        Location(
            code=f"AT-{vendor.code}",
            name=f"At {vendor.name or vendor.code}"[:200],
            kind=LocationKind.VENDOR,
            vendor=vendor,
            site=site,
        )
        for vendor in without.order_by("pk")
    ]
    Location.objects.bulk_create(made, batch_size=2000, ignore_conflicts=True)
    return len(made)


def virtual_location(*, kind: LocationKind) -> Location:
    """The one location without balance of a kind: where stock comes from and goes to that is not in any place of ours."""
    if kind not in VIRTUAL_KINDS:
        raise ValueError(f"{kind} holds stock")
    found = Location.objects.filter(kind=kind).order_by("pk").first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(code=kind.value.upper(), defaults={"name": kind.label, "kind": kind})
    return location


def working_places(
    *, location_ids: Iterable[int], kinds: Iterable[LocationKind]
) -> tuple[dict[int, Location], dict[LocationKind, Location]]:
    """Locations by key, and the virtual ones of these kinds, in one query."""
    wanted, kinds = set(location_ids), set(kinds)
    rows = list(Location.objects.filter(models.Q(pk__in=wanted) | models.Q(kind__in=kinds)).order_by("-pk"))
    virtual = {LocationKind(row.kind): row for row in rows if row.kind in kinds}
    for kind in kinds - virtual.keys():
        virtual[kind] = virtual_location(kind=kind)
    return {row.pk: row for row in (*rows, *virtual.values())}, virtual


def transit_location(*, site: Site) -> Location:
    """Where a site's material is while it is on its way to or from a vendor; made where the site has no such place."""
    found = Location.objects.filter(kind=LocationKind.TRANSIT, site=site).order_by("pk").first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=f"TRANSIT-{site.code}"[:60], defaults={"name": "On the way", "kind": LocationKind.TRANSIT, "site": site}
    )
    return location


def exchange_rate(*, currency_id: int, on: date) -> Decimal | None:
    """Company currency for one unit of a currency on a day: the latest rate valid by then. None where there is none."""
    if currency_id == company().currency_id:
        return Decimal(1)
    rates = ExchangeRate.objects.filter(currency=currency_id, valid_from__lte=on).order_by("-valid_from")
    return rates.values_list("rate", flat=True).first()


def default_site() -> Site:
    """The site of everything that names none: the first in use; where there is none, MAIN is made with its main location."""
    site = Site.objects.order_by("-is_active", "pk").first()
    if site is None:
        site, _ = Site.objects.get_or_create(code="MAIN", defaults={"name": "Main site"})
        main_location(site=site)
    return site


def only_site() -> Site | None:
    """The site of a company that has just one; where it has none yet, the default one is made."""
    sites = list(Site.objects.order_by("pk")[:2])
    return None if len(sites) > 1 else sites[0] if sites else default_site()


def site_dates(*, at: datetime) -> Mapping[int, date]:
    """What day it is at each of our sites, by site id."""
    zone = company().time_zone
    return {pk: at.astimezone(ZoneInfo(own or zone)).date() for pk, own in Site.objects.values_list("pk", "time_zone")}


def dates_by_site(*, at: datetime) -> Mapping[str, date]:
    """What day it is at each of our sites, by site code; for the company under no code."""
    zone = company().time_zone
    zones = {"": zone, **{code: own or zone for code, own in Site.objects.values_list("code", "time_zone")}}
    return {code: at.astimezone(ZoneInfo(one)).date() for code, one in zones.items()}


def site_date(*, site: Site, at: datetime) -> date:
    """What day it is at a site."""
    zone = site.time_zone or Company.objects.values_list("time_zone", flat=True).first() or "UTC"
    return at.astimezone(ZoneInfo(zone)).date()


def company_date(*, at: datetime) -> date:
    """What day it is for the company: the day of what looks at all sites at once, such as a run. A site's own: `site_dates`."""
    zone = Company.objects.values_list("time_zone", flat=True).first() or "UTC"
    return at.astimezone(ZoneInfo(zone)).date()


def site_days(*, on: date, at: datetime) -> dict[int, date]:
    """What day it is at each site while it is `on` for the company, by the time zones as they lie at this moment."""
    today = company_date(at=at)
    return {site_id: on + (day - today) for site_id, day in site_dates(at=at).items()}


class InUse(Refusal):
    """Something still open names it; taking it out of use would leave that without."""

    code = "in_use"


YEARS_BACK, YEARS_AHEAD = 10, 20


def check_day(day: date, *, today: date, field: str) -> None:
    """A day something is to be done on lies near today: one in another century is a slip. Raises InvalidDate."""
    first, last = _near(today)
    if not first <= day <= last:
        raise InvalidDate(f"{day} is not between {first} and {last}.", field=field)


@lru_cache(maxsize=16)  # a plan asks it of every day it holds
def _near(today: date) -> tuple[date, date]:
    return today - timedelta(days=365 * YEARS_BACK), today + timedelta(days=365 * YEARS_AHEAD)


# Units that are counted, not measured, by how they are commonly written.
PIECES = frozenset("pc pcs pce piece pieces ea each st stk nos unit units".split())

KEYS: dict[type[models.Model], tuple[str, ...]] = {
    Currency: ("code",),
    ExchangeRate: ("currency_id", "valid_from"),
    Unit: ("code",),
    ItemGroup: ("code",),
    Item: ("code",),
    Site: ("code",),
    Vendor: ("code",),
    Location: ("code",),
    WorkCenter: ("code",),
    Process: ("code",),
    Closure: ("day", "vendor_id", "work_center_id"),
    HolidayCalendar: ("country", "vendor_id", "work_center_id"),
    ItemUnit: ("item_id", "unit_id"),
    Downtime: ("work_center_id", "start_date"),
}


def upsert_master(*, model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> Upserted:
    """Make or change master data by its business key; columns a row leaves out stay as they are (or start at their default).

    A row maps column names (`code`, `unit_id`) to values; the key columns must be there.
    """
    return upsert_by_key(model=model, key=KEYS[model], rows=rows)


@transaction.atomic
def set_vendor_sites(*, belongs_to: Mapping[str, int | None]) -> dict[str, str]:
    """Say of vendors, by code, whose sites they are, or that they are none. Returns why not of those that cannot be."""
    known = {
        vendor.code: vendor for vendor in Vendor.objects.select_for_update().filter(code__in=belongs_to).order_by("pk")
    }
    differing = [vendor for code, vendor in known.items() if vendor.belongs_to_id != belongs_to[code]]
    # Those that become none first: a vendor that was a site until now may have sites in the same breath.
    problems = {}
    for vendor in sorted(differing, key=lambda one: belongs_to[one.code] is not None):
        vendor.belongs_to_id = belongs_to[vendor.code]
        problem = vendor.no_site_of(Vendor.objects.get(pk=vendor.belongs_to_id)) if vendor.belongs_to_id else ""
        if problem:
            problems[vendor.code] = problem
        else:
            vendor.save(update_fields=["belongs_to"])
    return problems


def upsert_specifications(*, rows: Sequence[Mapping[str, Any]]) -> Upserted:
    """Make or change specifications by process and item, one of which is filled."""
    done = Upserted()
    # Found by their first key column, which must be filled.
    for key, mine in (
        (("process_id", "item_id"), [row for row in rows if row["process_id"]]),
        (("item_id", "process_id"), [row for row in rows if not row["process_id"]]),
    ):
        part = upsert_by_key(model=Specification, key=key, rows=mine)
        done.created, done.changed, done.unchanged = (
            done.created + part.created,
            done.changed + part.changed,
            done.unchanged + part.unchanged,
        )
    return done


def make_currencies(*, codes: Iterable[str]) -> int:
    """Make the currencies that are not there yet, with their decimals. Returns how many are new."""
    wanted = set(codes)
    missing = wanted - set(Currency.objects.filter(code__in=wanted).values_list("code", flat=True))
    rows = [Currency(code=code, decimals=decimals_of_currency(code)) for code in sorted(missing)]
    Currency.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def make_units(*, codes: Iterable[str]) -> list[str]:
    """Make the units that are used and not defined: pieces without decimals, others with 5. Returns the codes of new ones."""
    wanted = set(codes)
    missing = sorted(wanted - set(Unit.objects.filter(code__in=wanted).values_list("code", flat=True)))
    rows = [Unit(code=code, decimals=0 if code.lower() in PIECES else 5) for code in missing]
    Unit.objects.bulk_create(rows, ignore_conflicts=True)
    return missing


def set_company(*, values: Mapping[str, Any]) -> Upserted:
    """Say who the company is; only the given columns (name, currency_id, time_zone, address) change."""
    company()
    return upsert_by_key(model=Company, key=("id",), rows=[{"id": 1, **values}])
