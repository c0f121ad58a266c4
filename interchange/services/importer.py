"""The importer: every table of the import format, upserted by business key, all or nothing, every bad row named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from accounts.models import User
from core.constraints import not_kept
from core.refusals import InvalidInput
from interchange.models import PlanImport
from interchange.services import begun, master, plan, sourcing, standing, structure
from interchange.services.reading import LARGE, MOST_ERRORS, Progress, Reading, Skipped, TooManyErrors, analyze
from interchange.services.report import BadRow, ImportRefused, ImportReport, rows_as_csv
from masterdata import services as masterdata
from masterdata.models import ItemGroup, Process, Site, Unit
from production import services as production
from production.models import OrderStatus, ProductionOrder

log = logging.getLogger(__name__)

LOCK = 7_301_001  # one import at a time: they touch everything
PASSES = 4  # readings of a plan with errors, where orders may be left out


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The plan sent is whole: open orders in scope that it does not hold are withdrawn.

    Without sources, those are meant that its own rows name. `confirm`: also where more than a fifth would vanish.
    """

    sources: Sequence[str] = ()
    sites: Sequence[str] = ()
    statuses: Sequence[str] = (OrderStatus.PLANNED,)
    confirm: bool = False


class NoPlan(InvalidInput):
    """A snapshot without production orders: nothing says what is still planned."""

    code = "missing_table"


@transaction.atomic
def import_tables(
    *,
    tables: Mapping[str, Iterable[Mapping[str, Any]]],
    at: datetime,
    by: User | None,
    dry_run: bool = False,
    origin: str = "",
    snapshot: Snapshot | None = None,
    skip_orders: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Make or change everything the tables hold, by business key; all or nothing. The same again changes nothing.

    A column that is missing leaves what is there; an empty cell empties it. Tables may be Rows of a file (read a part at a
    time) or lists of mappings. With `snapshot`, orders that are missing are withdrawn. With `skip_orders`, a production
    order with a bad row is left out with all its rows, which come back as rejects, and with what hangs together with it:
    what is made for it, what replaces the same planned order after it, what stands on one order at a vendor with it. What
    else is bad still refuses all.
    Raises ImportRefused with every bad row, NoPlan, TooManyLeftOut, production's SnapshotTooSmall.
    """
    if snapshot and "production_orders" not in tables:
        raise NoPlan("A snapshot is a whole plan: send the table production_orders.", field="mode")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    skipped = Skipped() if skip_orders else None
    was_cut = False  # then the end of the plan was not seen, so what hangs together there is not known yet
    for reading in count(1):
        begun = transaction.savepoint()
        work = Reading(tables, at, by, dry_run, skipped, progress)
        try:
            with transaction.atomic():
                _read(work)
        except (IntegrityError, DataError) as problem:
            # What the database refuses and no check above has said better: which row it was is lost, what is wrong is not.
            log.warning("The table %s was not kept: %s", work.table, problem)
            reason = not_kept(problem)
            work.errors.append(BadRow(work.table, work.file, None, "", "", reason.code, reason.detail))
        if work.errors and (skipped is None or reading >= PASSES or not skipped.add(work.errors)):
            raise ImportRefused(work.errors[:MOST_ERRORS])
        if not work.errors and not was_cut:
            break
        transaction.savepoint_rollback(begun)  # what was found is left out, and all is read again
        if skipped is not None:
            skipped.add_what_hangs_together(work)
        was_cut = work.is_cut
    if snapshot:
        _withdraw(work, snapshot)
    if dry_run:
        transaction.set_rollback(True)
    elif work.report.written or work.report.rejected:
        kept = PlanImport.objects.create(
            at=at,
            by=by,
            origin=origin[:200],
            counts=work.report.counts,
            notes=[*work.report.warnings, *work.report.notes][:500],
            rejected=work.report.rejected,
            rejects={table: rows_as_csv(rows) for table, rows in work.report.rejects.items()},
        )
        work.report.reference = kept.reference
        if work.report.written:
            masterdata.note_plan_change(at=at, reason=f"Import {origin}".strip())
            if sum(one["created"] + one["changed"] for one in work.report.counts.values()) >= LARGE:
                analyze()
    return work.report


def _withdraw(work: Reading, snapshot: Snapshot) -> None:
    left_out = [*work.unread[ProductionOrder], *work.kept_back]
    present = {*work.present, *ProductionOrder.objects.filter(number__in=left_out).values_list("pk", flat=True)}
    done = production.withdraw_missing(
        present=present,
        scope=production.SnapshotScope(
            sources=list(snapshot.sources or sorted(work.sources)), sites=snapshot.sites, statuses=snapshot.statuses
        ),
        confirm=snapshot.confirm,
        at=work.at,
        by=work.by,
    )
    if snapshot.sources and work.present and not work.sources.intersection(snapshot.sources):
        work.report.warnings.append(
            f"The snapshot is whole for {', '.join(snapshot.sources)}, and none of its orders comes from there: they come from "
            f"{', '.join(sorted(work.sources)) or 'no source, as no row names one'}. So what is missing is not withdrawn."
        )
    counts = work.report.counts.setdefault("production_orders", {"created": 0, "changed": 0, "unchanged": 0})
    counts["withdrawn"] = done.count
    work.report.name("production_orders", "withdrawn", done.first)


def _read(work: Reading) -> None:
    try:
        _refuse_unknown_tables(work)
        for name, read in READERS.items():
            if name in work.tables:
                work.table, work.file = name, getattr(work.tables[name], "file", name)
                read(work)
        begun.stock_of_work(work)
        structure.check_structure(work)
        masterdata.make_vendor_locations(vendor_ids=work.vendors)
    except TooManyErrors:
        work.is_cut = True


def _refuse_unknown_tables(work: Reading) -> None:
    for name, rows in work.tables.items():
        work.table, work.file = name[:60], getattr(rows, "file", name)[:100]
        if name not in READERS:
            work.bad(None, "", name[:60], "not_found", f"There is no table {name[:60]}.")


# In this order, so that what a row names is there before it.
READERS: dict[str, Callable[[Reading], None]] = {
    "company": master.company,
    "exchange_rates": master.exchange_rates,
    "units": lambda work: work.simple(Unit),
    "item_groups": lambda work: work.simple(ItemGroup),
    "vendors": master.vendors,
    "sites": lambda work: work.simple(Site),
    "locations": master.locations,
    "items": master.items,
    "item_units": master.item_units,
    "work_centers": master.work_centers,
    "processes": lambda work: work.simple(Process),
    "specifications": master.specifications,
    "calendars": master.calendars,
    "downtimes": master.downtimes,
    "boms": structure.boms,
    "routings": structure.routings,
    "routing_alternatives": structure.routings,
    "vendor_approvals": sourcing.vendor_approvals,
    "prices": sourcing.prices,
    "policies": sourcing.policies,
    "stock": plan.stock,
    "production_orders": plan.production_orders,
    "operations": plan.operations,
    "open_orders": standing.open_orders,
    "purchase_history": plan.count_only,
}
