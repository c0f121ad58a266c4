"""Reading tables: rows some at a time, codes looked up in sets, every bad row noted."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models

from accounts.models import User
from core.refusals import Refusal
from interchange.rules.mapping import Unread
from interchange.rules.rows import RowReader
from interchange.rules.seen import Seen
from interchange.rules.tables import TABLES
from interchange.services.files import FileRefused
from interchange.services.report import BadRow, ImportReport
from masterdata import services as masterdata
from masterdata.models import Currency, Item, ItemGroup, Location, Process, Retirable, Site, Unit, Vendor, WorkCenter
from production import services as production
from production.models import ProductionOrder

CHUNK = 2000  # rows in memory at a time
LARGE = 5000  # rows
ANALYZED = (
    "production_productionorder",
    "production_operation",
    "production_bomline",
    "production_routingstep",
    "masterdata_item",
    "policies_priceagreement",
    "inventory_balance",
)
MOST_ERRORS = 1000
MOST_KNOWN = 50_000  # production orders whose keys are kept
MOST_SKIPPED = 20_000  # errors, where orders with errors are left out
MOST_REJECTS = 20_000  # rows kept
REASON = "reject_reason"
ORDER_COLUMN = {
    "production_orders": "number", "operations": "order", "open_orders": "production_order", "stock": "production_order",
}  # fmt: skip
NAMES: dict[str, type[models.Model]] = {
    "vendor_id": Vendor,
    "item_id": Item,
    "parent_id": Item,
    "component_id": Item,
    "process_id": Process,
    "work_center_id": WorkCenter,
    "currency_id": Currency,
    "unit_id": Unit,
    "wanted_item_id": Item,
    "item_group_id": ItemGroup,
    "site_id": Site,
    "location_id": Location,
    "belongs_to_id": Vendor,
    "per_unit_id": Unit,
}

Values = dict[str, Any]


Progress = Callable[[str, int, int], None]
"""Told the table being read, its rows so far, and the bytes of all files so far. May raise to stop the import."""


def analyze() -> None:
    """Let PostgreSQL look at what an import has written: it plans by what it knows, and of new rows it knows nothing.

    What looks at a table from beside a long import even finds it empty, and then each part of a plan is looked up row by row.
    """
    with connection.cursor() as cursor:
        for table in ANALYZED:
            cursor.execute(f"ANALYZE {table}")


class TooManyErrors(Exception):
    """Enough is known to refuse; the rest is not read."""


class SkipRow(Exception):
    """The row names what is not there; that is noted already."""


class TooManyLeftOut(Refusal):
    """So many rows would be left out that they cannot all be handed back."""

    code = "too_large"
    status = 422


@dataclass(slots=True)
class Skipped:
    """Orders (and rows that name none) that are left out, each with the reason; found by reading, row by row.

    `standing` are orders that stand with vendors, by their own numbers: they are loaded whole or not at all.
    """

    orders: dict[str, str] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, int], str] = field(default_factory=dict)
    order_of: dict[tuple[str, int], str] = field(default_factory=dict)
    standing_of: dict[tuple[str, int], str] = field(default_factory=dict)

    def why(self, table: str, number: int, order: str, standing: str) -> str | None:
        """Why this row is left out; None where it is not."""
        found = self.orders.get(order) if order else None
        found = found or (self.standing.get(standing) if standing else None)
        return found or self.rows.get((table, number))

    def add(self, errors: Sequence[BadRow]) -> bool:
        """Leave out what these errors are about. False where one is about more than an order."""
        for bad in errors:
            if bad.table not in ORDER_COLUMN or bad.row is None:
                return False
            why = f"{bad.column}: {bad.detail}" if bad.column else bad.detail
            place = (bad.table, bad.row)
            order, standing = self.order_of.get(place), self.standing_of.get(place)
            if bad.table == "stock" and not order:
                return False  # stock that is no order's
            if order:
                self.orders.setdefault(order, why)
            if standing:
                self.standing.setdefault(standing, why)
            if not order and not standing:
                self.rows.setdefault(place, why)
        return True

    def add_what_hangs_together(self, work: Reading) -> None:
        """Leave out what goes with what is left out, until nothing more does."""
        found = -1
        while found != (found := len(self.orders) + len(self.standing)):
            self._add_made_for(work.made_for)
            self._add_heirs(work.heirs)
            self._add_standing(work.stands_for)

    def _add_heirs(self, heirs: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        """The first to replace a planned order takes its documents, so where it is left out the others wait for it."""
        waiting = {
            planned: rows
            for planned, ((row, first), *rows) in heirs.items()
            if rows and (first in self.orders or ("production_orders", row) in self.rows)
        }
        there = ProductionOrder.objects.filter(number__in=masterdata.named(waiting))
        for planned in there.order_by("pk").values_list("number", flat=True):
            first = heirs[planned][0][1] or f"The order of row {heirs[planned][0][0]}"
            for row, number in waiting[planned]:
                why = f"replaces: {first} takes the place of {planned}, and is left out."
                if number:
                    self.orders.setdefault(number, why)
                else:
                    self.rows.setdefault(("production_orders", row), why)

    def _add_standing(self, stands_for: Mapping[str, Collection[str]]) -> None:
        """An order at a vendor is loaded whole; without it the production orders it is for would be ordered again."""
        for number, orders in stands_for.items():
            left_out = next((order for order in orders if order in self.orders), None)
            if left_out is not None:
                self.standing.setdefault(number, f"production_order: {left_out} is left out.")
            if number in self.standing:
                for order in orders:
                    self.orders.setdefault(order, f"open_orders: {number} is left out.")

    def _add_made_for(self, parents: Mapping[str, tuple[int, str]]) -> None:
        """Leave out what is made for orders left out, down to the last; not where the order is there from earlier on."""
        children: dict[str, list[str]] = defaultdict(list)
        for number, (_, parent) in parents.items():
            children[parent].append(number)
        left_out = set(self.orders)
        while left_out:
            gone = production.unknown_parents(left_out & children.keys())
            left_out = {number for parent in gone for number in children[parent]} - self.orders.keys()
            for number in left_out:
                self.orders[number] = f"parent_order: {parents[number][1]} is left out."


class Reading:
    """One import on its way: the rows of its tables, codes and their ids, errors found, counts so far."""

    def __init__(
        self,
        tables: Mapping[str, Iterable[Mapping[str, Any]]],
        at: datetime,
        by: User | None,
        dry_run: bool,
        skipped: Skipped | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.progress = progress
        self.tables, self.at, self.by, self.skipped = tables, at, by, skipped
        self.report = ImportReport(dry_run=dry_run)
        self.errors: list[BadRow] = []
        self.sources: set[str] = set()  # of the orders read
        self.present = array("q")  # keys of the orders read
        self.is_cut = False  # there were too many errors to read to the end
        self.most_errors = MOST_ERRORS if skipped is None else MOST_SKIPPED
        self.table = self.file = ""
        self.ids: dict[type[models.Model], dict[str, int]] = defaultdict(dict)
        self.inactive: dict[type[models.Model], set[str]] = defaultdict(set)  # codes that are out of use
        self.unread: dict[type[models.Model], set[str]] = defaultdict(set)  # codes whose own row is bad
        self.half_read: set[type[models.Model]] = set()  # tables cut off: what is missing from them is not news
        self.made_units: set[str] = set()
        self.vendors: set[int] = set()  # those with prices, policies or work centers: they need a place
        self.sites_of: dict[int, int | None] = {}
        self.made_for: dict[str, tuple[int, str]] = {}  # production order: row, the order it is made for
        self.heirs: dict[str, list[tuple[int, str]]] = defaultdict(
            list
        )  # planned order: rows and numbers that replace it
        self.stands_for: dict[str, dict[str, None]] = defaultdict(dict)  # order at a vendor: production orders, as met
        self.kept_back: set[str] = set()  # planned orders that one left out replaces: they wait for it
        self.bom_rows: dict[tuple[int, str], int] = {}  # parent, operation number
        self.begun: list[tuple[int, Values]] = []  # stock between two operations: read once the operations are there
        self.begun_file = ""
        self.step_rows: dict[tuple[int, str, str], tuple[str, str, int]] = {}  # item, variant, operation number

    def bad(self, row: int | None, column: str, value: Any, code: str, detail: str) -> None:
        shown = "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value)  # as the file has a list
        self.errors.append(BadRow(self.table, self.file, row, column, shown[:100], code, detail))
        if len(self.errors) >= self.most_errors:
            raise TooManyErrors

    def chunks(self, model: type[models.Model] | None = None, size: int = CHUNK) -> Iterator[list[tuple[int, Values]]]:
        """The good rows of the table, some at a time, as (row, values); bad ones are noted.

        `model` is what the table's codes name, so that nobody is told a code is missing whose row is bad.
        """
        table, rows = TABLES[self.table], self.tables[self.table]
        reader = RowReader(table)
        seen = Seen()
        chunk: list[tuple[int, Values]] = []
        rounded = 0
        look_at = LARGE
        number = getattr(rows, "first", 1) - 1
        try:
            for raw in rows:
                number = getattr(rows, "at_row", number + 1)
                self.file = getattr(rows, "file", self.file)
                if not isinstance(raw, Mapping):
                    self.bad(number, "", raw, "invalid", "A row must be an object of columns.")
                    continue
                if self.skipped is not None and self.table in ORDER_COLUMN and self.leave_out(number, raw):
                    continue
                values, problems = reader.read(raw)
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
                    self.tell(number)
                    yield chunk
                    chunk = []
                    if number >= look_at:
                        analyze()
                        look_at *= 4
        except FileRefused as refusal:
            if model:
                self.half_read.add(model)
            self.file = refusal.file or self.file  # may be one that others are joined to
            self.bad(refusal.row, "", refusal.value, refusal.code, refusal.detail)
        self.tell(number)
        if chunk:
            yield chunk
        self.report.counts.setdefault(self.table, {"created": 0, "changed": 0, "unchanged": 0})
        if reader.ignored:
            self.report.notes.append(
                f"{self.file}: ignored columns: {', '.join(str(name)[:60] for name in list(reader.ignored)[:50])}"
            )
        self.report.notes.extend(text for text in getattr(rows, "notes", ()) if text not in self.report.notes)
        if rounded:
            self.report.notes.append(f"{self.file}: {rounded} prices have more than 5 decimals and were rounded.")
        self.report.warnings.extend(text for text in getattr(rows, "warnings", ()) if text not in self.report.warnings)

    def tell(self, rows: int) -> None:
        if self.progress:
            self.progress(self.table, rows, sum(getattr(one, "bytes_read", 0) for one in self.tables.values()))

    def leave_out(self, number: int, raw: Mapping[str, Any]) -> bool:
        """Whether the row is of an order that is left out; it is kept as it came, to be sent again once it is right."""
        assert self.skipped is not None  # noqa: S101
        order, standing, replaced = _said(raw, ORDER_COLUMN[self.table]), "", ""
        if self.table == "open_orders" and (standing := _said(raw, "order") or _said(raw, "number")):
            self.stands_for[standing].update({order: None} if order else {})
        if self.table == "production_orders" and (replaced := _said(raw, "replaces")):
            self.heirs[replaced].append((number, order))
        why = self.skipped.why(self.table, number, order, standing)
        if why is None:
            if order:
                self.skipped.order_of[(self.table, number)] = order
            if standing:
                self.skipped.standing_of[(self.table, number)] = standing
            return False
        kept = self.report.rejects.setdefault(self.table, [])
        if len(kept) >= MOST_REJECTS:
            text = (
                f"More than {MOST_REJECTS:,} rows of {self.table} would be left out. Put right what most of them lack."
            )
            raise TooManyLeftOut(text, field="on_error")
        self.report.rejected += 1
        # What must not be taken for a number is not one either where it is sent again as it came.
        kept.append({name: f"“{one}”" if isinstance(one, Unread) else one for name, one in raw.items()} | {REASON: why})
        if order:
            self.unread[ProductionOrder].add(order)
        if replaced:
            self.kept_back.add(replaced)
        return True

    def twice(self, seen: Seen, key: Sequence[str], number: int, values: Values) -> bool:
        """Whether the key stood in an earlier row: harmless with the same content, else noted as bad."""
        found = tuple(map(values.get, key))
        content = _content(values)
        row, earlier = seen.first(hash(found), number, content)
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
        for name in ("created", "changed", "unchanged"):
            counts[name] += getattr(done, name)
        named = table or self.table
        for kind, keys in (("created", getattr(done, "new", ())), ("changed", getattr(done, "differing", ()))):
            self.report.name(named, kind, (self.said(key) for key in keys))
        changed = zip(getattr(done, "differing", ()), getattr(done, "changes", ()), strict=False)  # the first of many
        self.report.tell(
            named,
            (
                (self.said(key), [self._told(column, *both) for column, both in row.items()])
                for key, row in changed
                if row
            ),
        )

    def _told(self, column: str, before: Any, after: Any) -> tuple[str, str, str]:
        """A column that changes as the import format names it, with what it was and is to be."""
        return column.removesuffix("_id"), self.said({column: before}), self.said({column: after})

    def said(self, key: str | Mapping[str, Any]) -> str:
        """A row's key as a person knows it."""
        if isinstance(key, str):
            return key
        parts = []
        for column, value in key.items():
            model = NAMES.get(column)
            if model is not None and value is not None:
                value = next((code for code, pk in self.ids[model].items() if pk == value), None) or str(
                    model._default_manager.get(pk=value)
                )
            if isinstance(value, Decimal):
                value = f"{value.normalize():f}"
            if value not in (None, ""):
                parts.append(str(value))
        return " ".join(parts)

    def learn(self, model: type[models.Model], ids: Mapping[str, int]) -> None:
        """Keep the ids of what was just written, instead of too many kept before."""
        self._forget_too_many(model)
        self.ids[model].update(ids)

    def _forget_too_many(self, model: type[models.Model]) -> None:
        if model is ProductionOrder and len(self.ids[model]) > MOST_KNOWN:
            self.ids[model].clear()

    def know(self, model: type[models.Model], codes: Iterable[Any]) -> None:
        """Look up the ids of codes not looked up yet, in one statement. Of orders, too many are forgotten before."""
        self._forget_too_many(model)
        known = self.ids[model]
        wanted = {code for code in codes if code and code not in known}
        if wanted:
            name = "number" if model is ProductionOrder else "code"
            rows = model._default_manager.filter(**{f"{name}__in": masterdata.named(wanted)})
            known.update(rows.values_list(name, "pk"))
            if issubclass(model, Retirable):
                self.inactive[model].update(rows.filter(is_active=False).values_list(name, flat=True))

    def id_of(self, model: type[models.Model], code: str | None, row: int, column: str) -> int | None:
        """The id a code names, None for none; an unknown one is noted as bad."""
        if not code:
            return None
        found = self.ids[model].get(code)
        if found is None:
            what = model._meta.verbose_name_raw
            if code in self.unread[model] or model in self.half_read:
                raise SkipRow
            self.bad(row, column, code, "not_found", f"There is no {what} {code}.")
            raise SkipRow
        if code in self.inactive[model]:
            what = str(model._meta.verbose_name_raw).capitalize()
            self.bad(
                row, column, code, "inactive", f"{what} {code} is out of use. Name another one, or activate it again."
            )
            raise SkipRow
        return found

    def resolved(self, refs: Mapping[str, type[models.Model]], row: int, values: Values) -> Values:
        """The row with `column_id` in the place of `column` for every column that names something."""
        ready = values.copy()
        for name, model in refs.items():
            if name in values:
                ready[f"{name}_id"] = self.id_of(model, ready.pop(name), row, name)
        return ready

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
            except SkipRow:
                continue
            yield row, ready

    def simple(self, model: type[models.Model]) -> None:
        """A table whose columns are those of its model."""
        for chunk in self.chunks(model):
            self.upsert(model, [values for _, values in chunk])

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

    def ends_before(self, row: int, values: Values, start: str, end: str, *, code: str = "invalid_date") -> bool:
        first, last = values.get(start), values.get(end)
        if first and last and last < first:
            self.bad(row, end, last, code, f"{end} {last} is before {start} {first}.")
            return True
        return False

    def site_of(self, location_id: int) -> int | None:
        if location_id not in self.sites_of:
            self.sites_of.update(Location.objects.values_list("pk", "site_id"))
        return self.sites_of[location_id]


def _said(raw: Mapping[str, Any], column: str) -> str:
    return str(raw.get(column) or "").strip()


def _content(values: Values) -> int:
    """A number for what a row says. Kept of every row, where the rows themselves would fill the memory."""
    try:
        return hash(frozenset(values.items()))
    except TypeError:  # a list is in it
        return hash(repr(sorted(values.items())))


def renamed(values: Values, **names: str) -> Values:
    return {names.get(name, name): value for name, value in values.items()}
