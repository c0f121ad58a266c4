"""The importer: every table of the import format, upserted by business key, all or nothing, every bad row named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import DataError, IntegrityError, connection, models, transaction

from accounts.models import User
from core.refusals import Refusal, Refusals
from interchange.models import PlanImport
from interchange.rules.tables import COUNTED_ONLY, NOT_BUILT, TABLES, ignored_columns, read_row
from interchange.rules.values import decimals_of
from interchange.services.files import FileRefused
from inventory import services as inventory
from masterdata import services as masterdata
from masterdata.models import (
    VIRTUAL_KINDS,
    Closure,
    Currency,
    Downtime,
    ExchangeRate,
    Item,
    ItemGroup,
    Location,
    LocationKind,
    Process,
    Site,
    Unit,
    Vendor,
    WorkCenter,
    WorkCenterKind,
)
from policies.services import master as policies
from production import services as production
from production.models import ProductionOrder

CHUNK = 2000  # rows in memory at a time
MOST_ERRORS = 1000
LOCK = 7_301_001  # one import at a time: they touch everything

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong where: rows of files count as a spreadsheet does (the header is row 1), rows of JSON from 1."""

    table: str
    file: str
    row: int | None
    column: str
    value: str
    code: str
    detail: str


class ImportRefused(Refusals):
    """Bad rows: nothing was written. `rows` names each, up to a thousand."""

    status = 422

    def __init__(self, rows: Sequence[BadRow]) -> None:
        self.rows = list(rows)
        first = self.rows[0]
        place = f"{first.file}, row {first.row}" if first.row else first.file
        more = f" ({len(self.rows)} bad rows in all)" if len(self.rows) > 1 else ""
        super().__init__(
            [_BadRowRefusal(row.detail, code=row.code, field=row.column or None) for row in self.rows],
            f"{place}: {first.detail}{more}",
        )
        self.status = 422

    def as_errors(self) -> list[dict[str, Any]]:
        return [
            {
                "code": row.code,
                "field": row.column or None,
                "detail": row.detail,
                "table": row.table,
                "file": row.file,
                "row": row.row,
                "column": row.column or None,
                "value": row.value,
            }
            for row in self.rows
        ]


class _BadRowRefusal(Refusal):
    status = 422


@dataclass(slots=True)
class ImportReport:
    """What an import did (or, as a dry run, would do): per table how many rows are new, changed and as they were."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False

    @property
    def written(self) -> int:
        return sum(count["created"] + count["changed"] for count in self.counts.values())

    def as_data(self) -> dict[str, Any]:
        return {"counts": self.counts, "notes": self.notes, "dry_run": self.dry_run, "errors": []}


@transaction.atomic
def import_tables(
    *,
    tables: Mapping[str, Iterable[Mapping[str, Any]]],
    at: datetime,
    by: User | None,
    dry_run: bool = False,
    origin: str = "",
) -> ImportReport:
    """Make or change everything the tables hold, by business key; all or nothing. The same again changes nothing.

    A column that is missing leaves what is there; an empty cell empties it. Tables may be Rows of a file (read once, a
    part at a time) or lists of mappings. Raises ImportRefused with every bad row.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    work = _Import(tables, at, by, dry_run)
    try:
        work.run()
    except (IntegrityError, DataError) as problem:
        # What the database refuses and no check above has said better. The transaction is lost, the sentence is not.
        reason = str(problem).splitlines()[0]
        work.errors.append(
            BadRow(work.table, work.file, None, "", "", "invalid", f"The rows contradict one another: {reason}")
        )
    if work.errors:
        raise ImportRefused(work.errors)
    if dry_run:
        transaction.set_rollback(True)
    elif work.report.written:
        PlanImport.objects.create(at=at, by=by, origin=origin[:200], counts=work.report.counts, notes=work.report.notes)
        production.note_plan_change(at=at, reason=f"Import {origin}".strip())
    return work.report


class _TooManyErrors(Exception):
    """Enough is known to refuse; the rest is not read."""


class _Import:
    """One import on its way: codes seen, errors found, counts so far."""

    def __init__(
        self, tables: Mapping[str, Iterable[Mapping[str, Any]]], at: datetime, by: User | None, dry_run: bool
    ) -> None:
        self.tables, self.at, self.by = tables, at, by
        self.report = ImportReport(dry_run=dry_run)
        self.errors: list[BadRow] = []
        self.table = self.file = ""
        self.ids: dict[type[models.Model], dict[str, int]] = defaultdict(dict)
        self.unread: dict[type[models.Model], set[str]] = defaultdict(set)  # codes whose own row is bad
        self.half_read: set[type[models.Model]] = set()  # tables cut off: what is missing from them is not news
        self.made_units: set[str] = set()
        self.vendors: set[int] = set()  # those with prices, policies or work centers: they need a place
        self.sites_of: dict[int, int | None] = {}
        self.bom_rows: dict[tuple[int, str], int] = {}  # parent, operation number
        self.step_rows: dict[tuple[int, str, str], tuple[str, str, int]] = {}  # item, variant, operation number

    def run(self) -> None:
        try:
            self.unknown_tables()
            for name, read in self.readers().items():
                if name in self.tables:
                    self.table, self.file = name, getattr(self.tables[name], "file", name)
                    read()
            self.check_structure()
            masterdata.make_vendor_locations(vendor_ids=self.vendors)
        except _TooManyErrors:
            pass

    def readers(self) -> dict[str, Callable[[], None]]:
        """In this order, so that what a row names is there before it."""
        return {
            "company": self.company,
            "exchange_rates": self.exchange_rates,
            "units": lambda: self.simple(Unit, {"code": "code", "name": "name", "decimals": "decimals"}),
            "item_groups": lambda: self.simple(ItemGroup, {"code": "code", "name": "name"}),
            "vendors": self.read_vendors,
            "sites": lambda: self.simple(Site, dict.fromkeys(("code", "name", "time_zone", "address"), None)),
            "locations": self.locations,
            "items": self.items,
            "work_centers": self.work_centers,
            "processes": lambda: self.simple(
                Process, dict.fromkeys(("code", "name", "certificates", "requires_approval"), None)
            ),
            "calendars": self.calendars,
            "downtimes": self.downtimes,
            "boms": self.boms,
            "routings": lambda: self.routings(""),
            "routing_alternatives": lambda: self.routings(None),
            "vendor_approvals": self.vendor_approvals,
            "prices": self.prices,
            "policies": self.policies,
            "stock": self.stock,
            "production_orders": self.production_orders,
            "operations": self.operations,
            "purchase_history": self.count_only,
        }

    # Reading rows

    def unknown_tables(self) -> None:
        for name, rows in self.tables.items():
            self.table, self.file = name[:60], getattr(rows, "file", name)[:100]
            if name in NOT_BUILT:
                self.bad(None, "", "", "not_built", f"The table {name} is not built yet.")
            elif name not in TABLES and name not in COUNTED_ONLY:
                self.bad(None, "", name[:60], "not_found", f"There is no table {name[:60]}.")

    def bad(self, row: int | None, column: str, value: Any, code: str, detail: str) -> None:
        self.errors.append(BadRow(self.table, self.file, row, column, str(value)[:100], code, detail))
        if len(self.errors) >= MOST_ERRORS:
            raise _TooManyErrors

    def chunks(self, model: type[models.Model] | None = None, size: int = CHUNK) -> Iterator[list[tuple[int, Values]]]:
        """The good rows of the table, some at a time, as (row, values); bad ones are noted.

        `model` is what the table's codes name, so that nobody is told a code is missing whose row is bad.
        """
        table, rows = TABLES[self.table], self.tables[self.table]
        seen: dict[tuple[Any, ...], tuple[int, int]] = {}
        ignored: dict[str, None] = {}
        chunk: list[tuple[int, Values]] = []
        rounded = 0
        number = getattr(rows, "first", 1) - 1
        try:
            for raw in rows:
                number += 1
                if not isinstance(raw, Mapping):
                    self.bad(number, "", raw, "invalid", "A row must be an object of columns.")
                    continue
                ignored |= dict.fromkeys(ignored_columns(table, raw))
                values, problems = read_row(table, raw)
                for problem in problems:
                    self.bad(number, problem.column, problem.value, problem.code, problem.detail)
                if problems:
                    if model:
                        self.unread[model].add(str(raw.get(table.key[0], "")).strip())
                    continue
                if table.key and self.twice(seen, table.key, number, values):
                    continue
                if "unit_price" in values and "." in (price := str(raw["unit_price"])):
                    rounded += len(price.strip().partition(".")[2].rstrip("0")) > 5
                chunk.append((number, values))
                if len(chunk) >= size:
                    yield chunk
                    chunk = []
        except FileRefused as refusal:
            if model:
                self.half_read.add(model)
            self.bad(refusal.row, "", refusal.value, refusal.code, refusal.detail)
        if chunk:
            yield chunk
        self.report.counts.setdefault(self.table, {"created": 0, "changed": 0, "unchanged": 0})
        if ignored:
            self.report.notes.append(
                f"{self.file}: ignored columns: {', '.join(str(name)[:60] for name in list(ignored)[:50])}"
            )
        if rounded:
            self.report.notes.append(f"{self.file}: {rounded} prices have more than 5 decimals and were rounded.")
        self.report.notes.extend(getattr(rows, "notes", ()))

    def twice(
        self, seen: dict[tuple[Any, ...], tuple[int, int]], key: Sequence[str], number: int, values: Values
    ) -> bool:
        """Whether the key stood in an earlier row: harmless with the same content, else noted as bad."""
        found = tuple(values.get(name) for name in key)
        content = hash(repr(sorted(values.items())))
        row, earlier = seen.setdefault(found, (number, content))
        if row == number:
            return False
        if earlier != content:
            if self.table == "prices" and not values.get("operation_name"):
                # Purchase prices of parts: no order of ours is made from them, so the later one may stand.
                self.report.notes.append(f"{self.file}: row {number} replaces the price of row {row}.")
                return False
            said = ", ".join(f"{name} {value}" for name, value in zip(key, found, strict=True) if value)
            text = f"Row {row} already says something else of {said}."
            self.bad(number, key[0], found[0] or "", "duplicate", text)
        return True

    def count(self, done: Any, table: str | None = None) -> None:
        counts = self.report.counts.setdefault(table or self.table, {"created": 0, "changed": 0, "unchanged": 0})
        for name in counts:
            counts[name] += getattr(done, name)

    # Codes

    def know(self, model: type[models.Model], codes: Iterable[Any]) -> None:
        """Look up the ids of codes not looked up yet, in one statement."""
        known = self.ids[model]
        wanted = {code for code in codes if code and code not in known}
        if wanted:
            name = "number" if model is ProductionOrder else "code"
            found = model._default_manager.filter(**{f"{name}__in": wanted}).values_list(name, "pk")
            known.update(found)

    def id_of(self, model: type[models.Model], code: str | None, row: int, column: str) -> int | None:
        """The id a code names, None for none; an unknown one is noted as bad."""
        if not code:
            return None
        found = self.ids[model].get(code)
        if found is None:
            what = model._meta.verbose_name
            if code in self.unread[model] or model in self.half_read:
                raise _SkipRow
            self.bad(row, column, code, "not_found", f"There is no {what} {code}.")
            raise _SkipRow
        return found

    def resolved(self, refs: Mapping[str, type[models.Model]], row: int, values: Values) -> Values:
        """The row with `column_id` in the place of `column` for every column that names something."""
        plain = {name: value for name, value in values.items() if name not in refs}
        ids = {
            f"{name}_id": self.id_of(model, values[name], row, name) for name, model in refs.items() if name in values
        }
        return plain | ids

    def resolve_all(
        self,
        chunk: list[tuple[int, Values]],
        refs: Mapping[str, type[models.Model]],
        change: Callable[[int, Values], Values | None] | None = None,
    ) -> Iterator[tuple[int, Values]]:
        """Rows with ids for codes, passed through `change`; those that name what is not there are left out."""
        for name, model in refs.items():
            self.know(model, (values.get(name) for _, values in chunk))
        for row, values in chunk:
            try:
                ready = self.resolved(refs, row, values)
                if change:
                    changed = change(row, ready)
                    if changed is None:
                        continue
                    ready = changed
            except _SkipRow:
                continue
            yield row, ready

    def simple(self, model: type[models.Model], columns: Mapping[str, str | None]) -> None:
        """A table whose columns are those of its model."""
        for chunk in self.chunks(model):
            rows = [
                {columns[name] or name: value for name, value in values.items() if name in columns}
                for _, values in chunk
            ]
            self.upsert(model, rows)

    def upsert(self, model: type[models.Model], rows: Sequence[Values]) -> None:
        done = masterdata.upsert_master(model=model, rows=rows)
        if len(masterdata.KEYS[model]) == 1:
            self.ids[model].update({key[0]: pk for key, pk in done.ids.items()})
        self.count(done)

    def make_currencies(self, codes: Iterable[str | None]) -> None:
        wanted = {code for code in codes if code}
        masterdata.make_currencies(codes=wanted - self.ids[Currency].keys())
        self.know(Currency, wanted)

    def make_processes(self, names: Iterable[str | None]) -> None:
        """Processes that are only known as the name of an operation."""
        wanted = {name for name in names if name}
        self.know(Process, wanted)
        missing = sorted(wanted - self.ids[Process].keys())
        if missing:
            done = masterdata.upsert_master(model=Process, rows=[{"code": name, "name": name} for name in missing])
            self.ids[Process].update({key[0]: pk for key, pk in done.ids.items()})
            self.count(done, "processes")

    # Master data

    def company(self) -> None:
        for chunk in self.chunks():
            for row, _ in chunk[1:]:
                self.bad(row, "", "", "invalid", "There is only one company.")
            values = dict(chunk[0][1])
            code = values.pop("currency", None)
            self.make_currencies([code])
            if code:
                values["currency_id"] = self.ids[Currency][code]
            self.count(masterdata.set_company(values=values))

    def exchange_rates(self) -> None:
        for chunk in self.chunks():
            self.make_currencies(values["currency"] for _, values in chunk)
            self.upsert(ExchangeRate, [values for _, values in self.resolve_all(chunk, {"currency": Currency})])

    def read_vendors(self) -> None:
        for chunk in self.chunks(Vendor):
            self.make_currencies(values.get("currency") for _, values in chunk)
            rows = [values for _, values in self.resolve_all(chunk, {"currency": Currency})]
            self.upsert(Vendor, [_renamed(values, active="is_active") for values in rows])

    def items(self) -> None:
        for chunk in self.chunks(Item):
            units = {values["unit"] for _, values in chunk if values.get("unit")} - self.ids[Unit].keys()
            self.made_units.update(masterdata.make_units(codes=units))
            groups = {values["item_group"] for _, values in chunk if values.get("item_group")}
            self.know(ItemGroup, groups)
            masterdata.upsert_master(
                model=ItemGroup, rows=[{"code": code} for code in sorted(groups - self.ids[ItemGroup].keys())]
            )
            rows = self.resolve_all(chunk, {"unit": Unit, "item_group": ItemGroup})
            self.upsert(Item, [_renamed(values, blocked="is_blocked", phantom="is_phantom") for _, values in rows])

    def locations(self) -> None:
        """Plants first, as each is a site, and everything without a site belongs to the default one."""
        rows = [row for chunk in self.chunks(Location) for row in chunk]
        virtual = set(Location.objects.filter(kind__in=VIRTUAL_KINDS).values_list("code", flat=True))
        for row, values in rows:
            if values["code"] in virtual:
                self.bad(row, "code", values["code"], "invalid", "This code is one of Outwork's own virtual locations.")
        plants = [(row, values) for row, values in rows if values.get("kind") == LocationKind.PLANT]
        others = [(row, values) for row, values in rows if values.get("kind") != LocationKind.PLANT]
        self.know(Site, (values["code"] for _, values in plants))
        missing = [values for _, values in plants if values["code"] not in self.ids[Site]]
        if missing:
            sites = [{"code": values["code"], "name": values.get("name", "")} for values in missing]
            done = masterdata.upsert_master(model=Site, rows=sites)
            self.ids[Site].update({key[0]: pk for key, pk in done.ids.items()})
            self.count(done, "sites")
        if plants:
            ready = [{**values, "site": values.get("site") or values["code"]} for _, values in plants]
            refs = {"site": Site, "vendor": Vendor}
            numbered = list(zip([row for row, _ in plants], ready, strict=True))
            self.upsert(Location, [values for _, values in self.resolve_all(numbered, refs)])
            masterdata.mark_main_locations(codes=[values["code"] for _, values in plants])
        if others:
            self.upsert(
                Location,
                [values for _, values in self.resolve_all(others, {"site": Site, "vendor": Vendor}, self.place)],
            )

    def place(self, row: int, values: Values) -> Values | None:
        if values.get("kind") == LocationKind.VENDOR:
            if not values.get("vendor_id"):
                self.bad(row, "vendor", "", "missing_value", "A location at a vendor names him.")
                return None
        elif not values.get("site_id"):
            values["site_id"] = masterdata.default_site().pk
        return values

    def work_centers(self) -> None:
        refs = {"vendor": Vendor, "location": Location, "site": Site}

        def ready(row: int, values: Values) -> Values:
            if "kind" in values and not values["kind"]:
                values["kind"] = WorkCenterKind.EXTERNAL if values.get("vendor_id") else WorkCenterKind.INTERNAL
            if values.get("location_id") and not values.get("site_id"):
                values["site_id"] = self.site_of(values["location_id"])
            if values.get("vendor_id"):
                self.vendors.add(values["vendor_id"])
            return values

        for chunk in self.chunks(WorkCenter):
            self.upsert(WorkCenter, [values for _, values in self.resolve_all(chunk, refs, ready)])

    def site_of(self, location_id: int) -> int | None:
        if location_id not in self.sites_of:
            self.sites_of.update(Location.objects.values_list("pk", "site_id"))
        return self.sites_of[location_id]

    def calendars(self) -> None:
        def ready(row: int, values: Values) -> Values | None:
            if values.get("vendor_id") and values.get("work_center_id"):
                self.bad(row, "work_center", "", "invalid", "A closed day is a vendor's or a work center's, not both.")
                return None
            none = {"vendor_id": None, "work_center_id": None}
            return none | _renamed(values, date="day")

        for chunk in self.chunks():
            rows = self.resolve_all(chunk, {"vendor": Vendor, "work_center": WorkCenter}, ready)
            self.upsert(Closure, [values for _, values in rows])

    def downtimes(self) -> None:
        def ready(row: int, values: Values) -> Values | None:
            if self.ends_before(row, values, "start", "end"):
                return None
            return _renamed(values, start="start_date", end="end_date")

        for chunk in self.chunks():
            rows = self.resolve_all(chunk, {"work_center": WorkCenter}, ready)
            self.upsert(Downtime, [values for _, values in rows])

    def ends_before(self, row: int, values: Values, start: str, end: str) -> bool:
        first, last = values.get(start), values.get(end)
        if first and last and last < first:
            self.bad(row, end, last, "invalid_date", f"{end} {last} is before {start} {first}.")
            return True
        return False

    # Structure

    def boms(self) -> None:
        nth: Counter[tuple[int, int, str]] = Counter()
        for chunk in self.chunks():
            lines = {}
            for row, values in self.resolve_all(chunk, {"parent": Item, "component": Item}):
                parent, component = values.pop("parent_id"), values.pop("component_id")
                number = values.pop("operation_no", "")
                self.bom_rows.setdefault((parent, number), row)
                self.bom_rows.setdefault((parent, ""), row)
                if parent == component:
                    self.bad(row, "component", "", "bom_cycle", "An item cannot be a component of itself.")
                    continue
                lines[(parent, component, number, nth[(parent, component, number)])] = _renamed(
                    values, quantity_basis="basis"
                )
                nth[(parent, component, number)] += 1
            self.count(production.upsert_boms(lines=lines))

    def routings(self, variant: str | None) -> None:
        refs = {"item": Item, "work_center": WorkCenter, "process": Process}
        for chunk in self.chunks():
            self.make_processes(values.get("process") or values.get("name") for _, values in chunk)
            external = self.external_centers({values.get("work_center") for _, values in chunk})
            steps = {}
            for row, values in self.resolve_all(
                [(row, {**values, "process": values.get("process") or values.get("name")}) for row, values in chunk],
                refs,
            ):
                key = (values.pop("item_id"), values.pop("variant", "") or variant or "", values.pop("operation_no"))
                if "outsourced" in values and values["outsourced"] is None:
                    values["outsourced"] = "yes" if values.get("work_center_id") in external else "no"
                self.step_rows[key] = (self.table, self.file, row)
                steps[key] = _renamed(values, next_operation_no="next_nos", run_minutes_per_unit="run_minutes")
            self.count(production.upsert_routings(steps=steps))

    def external_centers(self, codes: Iterable[str | None]) -> set[int]:
        found = WorkCenter.objects.filter(code__in={code for code in codes if code}, kind=WorkCenterKind.EXTERNAL)
        return set(found.values_list("pk", flat=True))

    def check_structure(self) -> None:
        """What only shows when bills of material and routings are all there."""
        for step in production.routing_problems(item_ids={item for item, _, _ in self.step_rows}):
            self.table, self.file, row = self.step_rows.get(step.key, ("routings", "routings", None))
            self.bad(row, step.field or "", step.key[2], step.code, step.detail)
        parents = {parent for parent, _ in self.bom_rows} | {item for item, _, _ in self.step_rows}
        for problem in production.bom_problems(parent_ids=parents):
            self.table, self.file = "boms", getattr(self.tables.get("boms"), "file", "boms")
            if isinstance(problem, production.BomCycle):
                row = self.bom_rows.get((problem.parent_id, ""))
                self.bad(row, "component", "", problem.code, problem.detail)
            else:
                item, _, number = problem.key
                row = self.bom_rows.get((item, number))
                self.bad(row, "operation_no", number, problem.code, problem.detail)

    # Who works outside

    def vendor_approvals(self) -> None:
        for chunk in self.chunks():
            rows = self.resolve_all(chunk, {"vendor": Vendor, "process": Process})
            self.count(policies.upsert_approvals(rows=[values for _, values in rows]))

    def prices(self) -> None:
        refs = {"vendor": Vendor, "item": Item, "operation_name": Process, "site": Site, "currency": Currency}

        def ready(row: int, values: Values) -> Values | None:
            if not values.get("item_id") and not values.get("operation_name_id"):
                self.bad(row, "item", "", "missing_value", "A price is for an item, an operation, or both.")
                return None
            if self.ends_before(row, values, "valid_from", "valid_to"):
                return None
            self.vendors.add(values["vendor_id"])
            if "price_unit" in values:
                values["price_unit"], factor = values["price_unit"]
                values["price_factor"] = values.get("price_factor") or factor
            elif "price_factor" in values:
                values["price_factor"] = values["price_factor"] or Decimal(1)
            return _renamed(values, operation_name_id="process_id", minimum_qty="minimum_quantity")

        for chunk in self.chunks():
            self.make_currencies(values.get("currency") for _, values in chunk)
            self.make_processes(values.get("operation_name") for _, values in chunk)
            rows = self.resolve_all(chunk, refs, ready)
            self.count(policies.upsert_price_agreements(rows=[values for _, values in rows]))

    def policies(self) -> None:
        refs = {"item": Item, "item_group": ItemGroup, "process": Process, "work_center": WorkCenter, "site": Site}

        def ready(row: int, values: Values) -> Values | None:
            if self.ends_before(row, values, "valid_from", "valid_to"):
                return None
            if self.ends_before(row, values, "season_from", "season_to"):
                return None
            ranked = []
            for vendor in values.get("vendors", ()):
                vendor_id = self.id_of(Vendor, vendor["vendor"], row, "vendors")
                ranked.append(
                    {**{name: value for name, value in vendor.items() if name != "vendor"}, "vendor_id": vendor_id}
                )
                self.vendors.add(vendor_id)  # type: ignore[arg-type]
            if "vendors" in values:
                values["vendors"] = ranked
            if "inspection" in values:
                values["inspection"], values["sample_pct"] = values["inspection"]
            values.setdefault("status", "active")
            return values

        for chunk in self.chunks():
            self.know(Vendor, (vendor["vendor"] for _, values in chunk for vendor in values.get("vendors", ())))
            rows = self.resolve_all(chunk, refs, ready)
            self.count(policies.upsert_policies(rows=[values for _, values in rows]))

    # Stock and plan

    def stock(self) -> None:
        """Several rows of one item, lot and place add up, as in lists that count bin by bin."""
        places: dict[tuple[Any, ...], tuple[int, Values]] = {}
        for chunk in self.chunks():
            self.widen_units(chunk)
            for row, values in self.resolve_all(chunk, {"item": Item, "location": Location}):
                place = (values["item_id"], values.get("location_id"), values.get("lot", ""), values.get("as_of"))
                first, known = places.setdefault(place, (row, values))
                if first != row:
                    known["quantity"] += values["quantity"]
        rows = list(places.values())
        for start in range(0, len(rows), CHUNK):
            self.load_stock(rows[start : start + CHUNK])

    def load_stock(self, rows: Sequence[tuple[int, Values]]) -> None:
        main = 0
        if any(not values.get("location_id") for _, values in rows):
            main = masterdata.main_location(site=masterdata.default_site()).pk
        counts = [
            inventory.CountedStock(
                item_id=values["item_id"],
                location_id=values.get("location_id") or main,
                quantity=values["quantity"],
                lot=values.get("lot", ""),
                unit_cost=values.get("cost"),
                as_of=values.get("as_of"),
            )
            for _, values in rows
        ]
        try:
            self.count(inventory.load_stock(counts=counts, at=self.at, by=self.by))
        except inventory.CountsRefused as refused:
            for bad in refused.counts:
                self.bad(rows[bad.index][0], bad.field or "", counts[bad.index].quantity, bad.code, bad.detail)

    def widen_units(self, chunk: list[tuple[int, Values]]) -> None:
        """A unit this import made because it is only used, not defined, gets the decimals its stock has."""
        needed = {
            values["item"]: places
            for _, values in chunk
            if (places := decimals_of(values["quantity"])) and self.made_units
        }
        if not needed:
            return
        units = Unit.objects.filter(code__in=self.made_units)
        wanted: Counter[str] = Counter()
        for item, unit in Item.objects.filter(code__in=needed, unit__in=units).values_list("code", "unit__code"):
            wanted[unit] = max(wanted[unit], needed[item])
        for unit in units.filter(code__in=wanted):
            if unit.decimals < wanted[unit.code]:
                masterdata.upsert_master(model=Unit, rows=[{"code": unit.code, "decimals": wanted[unit.code]}])
                self.report.notes.append(
                    f"Unit {unit.code} is not defined and its stock has {wanted[unit.code]} decimals: so has the unit."
                )

    def production_orders(self) -> None:
        kept = 0
        for chunk in self.chunks(ProductionOrder):
            rows = list(self.resolve_all(chunk, {"item": Item, "location": Location}))
            orders = [
                production.PlannedOrder(
                    number=values["number"],
                    item_id=values["item_id"],
                    quantity=values["quantity"],
                    due_date=values["due"],
                    start_date=values.get("start"),
                    status=values.get("status"),
                    site_id=self.site_of(values["location_id"]) if values.get("location_id") else None,
                    location_id=values.get("location_id"),
                    routing_variant=values.get("routing_variant"),
                    parent_number=values.get("parent_order"),
                    source=values.get("source"),
                    external_refs=values.get("external_refs"),
                )
                for _, values in rows
            ]
            try:
                done = production.upsert_production_orders(orders=orders, at=self.at, by=self.by)
            except production.OrdersRefused as refused:
                self.refused_orders(refused, [row for row, _ in rows], [values for _, values in rows])
            else:
                self.count(done)
                self.ids[ProductionOrder].update(done.ids)
                kept += done.kept
        if kept:
            self.report.notes.append(
                f"{self.file}: {kept} orders are further on than the plan says, their status stays."
            )

    def operations(self) -> None:
        refs = {"order": ProductionOrder, "process": Process, "work_center": WorkCenter}
        for chunk in self.chunks():
            self.make_processes(values.get("process") or values.get("name") for _, values in chunk)
            named = [
                (
                    row,
                    {**values, "process": values.get("process") or values.get("name"), "order_number": values["order"]},
                )
                for row, values in chunk
            ]
            by_order: dict[str, list[production.PlannedOperation]] = defaultdict(list)
            first: dict[str, tuple[int, Values]] = {}
            for row, values in self.resolve_all(named, refs):
                first.setdefault(values["order_number"], (row, values))
                by_order[values["order_number"]].append(_operation(values))
            try:
                done = production.upsert_operations(operations=by_order, at=self.at, by=self.by)
            except production.OrdersRefused as refused:
                numbers = sorted(by_order, key=lambda number: self.ids[ProductionOrder][number])
                found = [first[number] for number in numbers]
                self.refused_orders(refused, [row for row, _ in found], [values for _, values in found])
            else:
                self.count(done)

    def refused_orders(self, refused: production.OrdersRefused, rows: Sequence[int], values: Sequence[Values]) -> None:
        for bad in refused.orders:
            column = bad.field or ""
            self.unread[ProductionOrder].add(str(values[bad.index].get("number", "")))
            self.bad(rows[bad.index], column, values[bad.index].get(column, ""), bad.code, bad.detail)

    def count_only(self) -> None:
        rows = self.tables[self.table]
        number = 0
        try:
            for _ in rows:
                number += 1
        except FileRefused as refusal:
            self.bad(refusal.row, "", refusal.value, refusal.code, refusal.detail)
        self.report.notes.append(f"{self.file}: {number} rows read and not used.")
        self.report.counts[self.table] = {"created": 0, "changed": 0, "unchanged": number}


class _SkipRow(Exception):
    """The row names what is not there; that is noted already."""


def _renamed(values: Values, **names: str) -> Values:
    return {names.get(name, name): value for name, value in values.items()}


def _operation(values: Values) -> production.PlannedOperation:
    next_nos = values.get("next_operation_no")
    return production.PlannedOperation(
        number=values["number"],
        sequence=values.get("sequence"),
        name=values.get("name"),
        process_id=values.get("process_id"),
        work_center_id=values.get("work_center_id"),
        setup_minutes=values.get("setup_minutes"),
        run_minutes=values.get("run_minutes_per_unit"),
        outsourced=values.get("outsourced"),
        next_nos=tuple(next_nos) if next_nos is not None else None,
        good=values.get("good"),
        scrap=values.get("scrap"),
        status=values.get("status"),
        start=values.get("start"),
        end=values.get("end"),
    )
