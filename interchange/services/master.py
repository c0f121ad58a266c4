"""Master data in: companies, units, vendors, places, items, work centers, calendars."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet

from core.refusals import Refusal
from interchange.services.reading import Reading, Values, renamed
from inventory.models import Balance, Movement
from masterdata import services as masterdata
from masterdata.models import (
    VIRTUAL_KINDS,
    Closure,
    Currency,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemGroup,
    ItemUnit,
    Location,
    LocationKind,
    Process,
    Site,
    Unit,
    Vendor,
    WorkCenter,
    WorkCenterKind,
)


def company(work: Reading) -> None:
    for chunk in work.chunks():
        for row, _ in chunk[1:]:
            work.bad(row, "", "", "invalid", "There is only one company.")
        values = dict(chunk[0][1])
        code = values.pop("currency", None)
        work.make_currencies([code])
        if code:
            values["currency_id"] = work.ids[Currency][code]
            before = masterdata.company().currency
            if before.code != code and Movement.objects.is_valued():
                text = f"Stock is valued in {before} already: the company's currency stays."
                work.bad(chunk[0][0], "currency", code, "wrong_state", text)
                continue
        work.count(masterdata.set_company(values=values))


def exchange_rates(work: Reading) -> None:
    for chunk in work.chunks():
        work.make_currencies(values["currency"] for _, values in chunk)
        work.upsert(ExchangeRate, [values for _, values in work.resolve_all(chunk, {"currency": Currency})])


def vendors(work: Reading) -> None:
    """Vendors first, then which of them are sites of others, as these may stand in any order."""
    sites: list[tuple[int, Values]] = []
    for chunk in work.chunks(Vendor):
        work.make_currencies(values.get("currency") for _, values in chunk)
        for row, values in chunk:
            if "belongs_to" in values:
                sites.append((row, {"code": values["code"], "belongs_to": values.pop("belongs_to")}))
        rows = [values for _, values in work.resolve_all(chunk, {"currency": Currency})]
        work.upsert(Vendor, [renamed(values, active="is_active") for values in rows])
    found = list(work.resolve_all(sites, {"belongs_to": Vendor}))
    problems = masterdata.set_vendor_sites(belongs_to={values["code"]: values["belongs_to_id"] for _, values in found})
    for row, values in found:
        if values["code"] in problems:
            work.bad(row, "belongs_to", values["code"], "invalid_value", problems[values["code"]])


def items(work: Reading) -> None:
    for chunk in work.chunks(Item):
        units = {values["unit"] for _, values in chunk if values.get("unit")} - work.ids[Unit].keys()
        work.made_units.update(masterdata.make_units(codes=units))
        groups = {values["item_group"] for _, values in chunk if values.get("item_group")}
        work.know(ItemGroup, groups)
        masterdata.upsert_master(
            model=ItemGroup, rows=[{"code": code} for code in sorted(groups - work.ids[ItemGroup].keys())]
        )
        rows = work.resolve_all(chunk, {"unit": Unit, "item_group": ItemGroup})
        work.upsert(Item, [renamed(values, blocked="is_blocked", phantom="is_phantom") for _, values in rows])


def locations(work: Reading) -> None:
    """Plants first, as each is a site, and everything without a site belongs to the default one."""
    rows = [row for chunk in work.chunks(Location) for row in chunk]
    virtual = set(Location.objects.filter(kind__in=VIRTUAL_KINDS).values_list("code", flat=True))
    for row, values in rows:
        if values["code"] in virtual:
            work.bad(row, "code", values["code"], "invalid", "This code is one of Outwork's own virtual locations.")
    known = Location.objects.filter(code__in=[values["code"] for _, values in rows])
    place = partial(_place, work, dict(known.values_list("code", "site")), _used(known))
    plants = [(row, values) for row, values in rows if values.get("kind") == LocationKind.PLANT]
    others = [(row, values) for row, values in rows if values.get("kind") != LocationKind.PLANT]
    work.know(Site, (values["code"] for _, values in plants))
    missing = [values for _, values in plants if values["code"] not in work.ids[Site]]
    if missing:
        sites = [{"code": values["code"], "name": values.get("name", "")} for values in missing]
        done = masterdata.upsert_master(model=Site, rows=sites)
        work.ids[Site].update({key[0]: pk for key, pk in done.ids.items()})
        work.count(done, "sites")
    if plants:
        ready = [{**values, "site": values.get("site") or values["code"]} for _, values in plants]
        refs = {"site": Site, "vendor": Vendor}
        numbered = list(zip([row for row, _ in plants], ready, strict=True))
        work.upsert(Location, [values for _, values in work.resolve_all(numbered, refs, place)])
        masterdata.mark_main_locations(codes=[values["code"] for _, values in plants])
    if others:
        work.upsert(
            Location,
            [values for _, values in work.resolve_all(others, {"site": Site, "vendor": Vendor}, place)],
        )


def _used(places: QuerySet[Location]) -> set[str]:
    """Codes of places where something lies or once lay: its cost is their site's."""
    lying = Balance.objects.filter(location=OuterRef("pk"))
    return set(places.filter(Exists(lying)).values_list("code", flat=True))


def _place(
    work: Reading, sites: Mapping[str, int | None], used: Collection[str], row: int, values: Values
) -> Values | None:
    """`sites` of the places that are there already: one that names no site keeps the one it has."""
    code, at_vendor = values["code"], values.get("kind") == LocationKind.VENDOR
    if at_vendor and not values.get("vendor_id"):
        work.bad(row, "vendor", "", "missing_value", "A location at a vendor names him.")
        return None
    if not values.get("site_id"):
        if code in used or sites.get(code):
            values["site_id"] = sites[code]
        else:
            site = masterdata.only_site() if at_vendor else masterdata.default_site()
            values["site_id"] = site and site.pk
    if code in used and values["site_id"] != sites[code]:
        text = f"Stock lies or lay at {code}, at the cost of its site; a place of another site needs a code of its own."
        work.bad(row, "site", code, "in_use", text)
        return None
    return values


def work_centers(work: Reading) -> None:
    refs = {"vendor": Vendor, "location": Location, "site": Site}

    def ready(row: int, values: Values) -> Values:
        if not values.get("kind") and ("kind" in values or values.get("vendor_id")):
            values["kind"] = WorkCenterKind.EXTERNAL if values.get("vendor_id") else WorkCenterKind.INTERNAL
        if values.get("location_id") and not values.get("site_id"):
            values["site_id"] = work.site_of(values["location_id"])
        if values.get("vendor_id"):
            work.vendors.add(values["vendor_id"])
        return values

    for chunk in work.chunks(WorkCenter):
        work.upsert(WorkCenter, [values for _, values in work.resolve_all(chunk, refs, ready)])


def item_units(work: Reading) -> None:
    """How much of an item's own unit another one holds: `factor`, or the other way round, `per_item`."""

    def ready(row: int, values: Values) -> Values | None:
        factor, per_item = values.pop("factor", None), values.pop("per_item", None)
        if (factor is None) == (per_item is None):
            text = "Say either how much of the item one unit holds (factor) or how much of the unit one item is (per_item)."
            work.bad(row, "factor", "", "missing_value" if factor is None else "invalid", text)
            return None
        if factor is None and not (factor := masterdata.inverse(per_item)):
            text = f"{per_item.normalize():f} of the unit cannot be one item; at most 100000000 can."
            work.bad(row, "per_item", per_item, "invalid_quantity", text)
            return None
        if factor != 1 and own.get(values["item_id"]) == values["unit_id"]:
            text = "The item is counted in this unit itself, so one of it is one. Leave it out, or name another unit."
            work.bad(row, "unit", said[row], "invalid", text)
            return None
        return values | {"factor": factor}

    for chunk in work.chunks():
        said = {row: values["unit"] for row, values in chunk}
        own = dict(Item.objects.filter(code__in=[values["item"] for _, values in chunk]).values_list("pk", "unit_id"))
        masterdata.make_units(codes={values["unit"] for _, values in chunk} - work.ids[Unit].keys())
        work.upsert(ItemUnit, [values for _, values in work.resolve_all(chunk, {"item": Item, "unit": Unit}, ready)])


def specifications(work: Reading) -> None:
    def ready(row: int, values: Values) -> Values | None:
        if not values.get("item_id") and not values.get("process_id"):
            work.bad(row, "item", "", "missing_value", "A specification is for an item, a process, or both.")
            return None
        return {"item_id": None, "process_id": None} | values

    for chunk in work.chunks():
        work.make_processes(values.get("process") for _, values in chunk)
        rows = [values for _, values in work.resolve_all(chunk, {"item": Item, "process": Process}, ready)]
        work.count(masterdata.upsert_specifications(rows=rows))


def calendars(work: Reading) -> None:
    """Closed days, one or several in a row, and whose public holidays are kept."""

    def ready(row: int, values: Values) -> Values | None:
        country, day = values.pop("country", ""), values.get("date")
        if values.get("vendor_id") and values.get("work_center_id"):
            work.bad(row, "work_center", "", "invalid", "A closed day is a vendor's or a work center's, not both.")
            return None
        if bool(country) == bool(day):
            text = "A row is a closed day (date) or says whose public holidays are kept (country), one of them."
            work.bad(row, "date", "", "missing_value" if not day else "invalid", text)
            return None
        mine: Values = {name: values.get(name) for name in ("vendor_id", "work_center_id")}
        mine |= {name: values[name] for name in ("source", "external_refs") if name in values}
        if country:
            return mine | {"country": country, "subdivision": values.get("subdivision", "")}
        if work.ends_before(row, values, "date", "end"):
            return None
        if day and values.get("end") and (values["end"] - day).days >= masterdata.LONGEST:
            text = f"A closure lasts at most {masterdata.LONGEST} days."
            work.bad(row, "end", values["end"], "above_maximum", text)
            return None
        given = {"last_day": values["end"]} if "end" in values else {}
        return mine | given | {"day": day, **({"reason": values["reason"]} if "reason" in values else {})}

    for chunk in work.chunks():
        rows = list(work.resolve_all(chunk, {"vendor": Vendor, "work_center": WorkCenter}, ready))
        holidays = []
        for row, values in rows:
            if "country" not in values:
                continue
            try:
                masterdata.check_holidays(country=values["country"], subdivision=values["subdivision"])
            except Refusal as refusal:
                column = refusal.field or ""
                work.bad(row, column, values.get(column, ""), refusal.code, refusal.detail)
            else:
                holidays.append(values)
        work.upsert(Closure, [values for _, values in rows if "day" in values])
        work.upsert(HolidayCalendar, holidays)


def downtimes(work: Reading) -> None:
    def ready(row: int, values: Values) -> Values | None:
        if work.ends_before(row, values, "start", "end"):
            return None
        return renamed(values, start="start_date", end="end_date")

    for chunk in work.chunks():
        rows = work.resolve_all(chunk, {"work_center": WorkCenter}, ready)
        work.upsert(Downtime, [values for _, values in rows])
