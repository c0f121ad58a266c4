"""The importer: every table of the import format, upserted by business key, all or nothing, every bad row named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from accounts.models import User
from interchange.models import PlanImport
from interchange.rules.tables import NOT_BUILT
from interchange.services import master, plan, sourcing, structure
from interchange.services.reading import Reading, TooManyErrors
from interchange.services.report import BadRow, ImportRefused, ImportReport
from masterdata import services as masterdata
from masterdata.models import ItemGroup, Process, Site, Unit

LOCK = 7_301_001  # one import at a time: they touch everything


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
    work = Reading(tables, at, by, dry_run)
    try:
        _read(work)
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
        kept = PlanImport.objects.create(
            at=at, by=by, origin=origin[:200], counts=work.report.counts, notes=work.report.notes[:500]
        )
        work.report.reference = kept.reference
        masterdata.note_plan_change(at=at, reason=f"Import {origin}".strip())
    return work.report


def _read(work: Reading) -> None:
    try:
        _refuse_unknown_tables(work)
        for name, read in READERS.items():
            if name in work.tables:
                work.table, work.file = name, getattr(work.tables[name], "file", name)
                read(work)
        structure.check_structure(work)
        masterdata.make_vendor_locations(vendor_ids=work.vendors)
    except TooManyErrors:
        pass


def _refuse_unknown_tables(work: Reading) -> None:
    for name, rows in work.tables.items():
        work.table, work.file = name[:60], getattr(rows, "file", name)[:100]
        if name in NOT_BUILT:
            work.bad(None, "", "", "not_built", f"The table {name} is not built yet.")
        elif name not in READERS:
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
    "work_centers": master.work_centers,
    "processes": lambda work: work.simple(Process),
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
    "purchase_history": plan.count_only,
}
