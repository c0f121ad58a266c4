"""`bench generate`: a plan in the database → decisions with reasons, orders, shipments, expected receipts, every constraint on.

The limit is the very rows a first run wrote (its own work list apart), copied by INSERT … SELECT into empty tables with the same
keys and indexes, on as many connections as there are workers. Then the run again with nothing changed, and with some orders of
the plan changed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection

from documents import services as documents
from documents.models import OVER, GenerationRun, RunState
from interchange import services as interchange
from outsourcing import made_up_plan
from outsourcing.measuring import Measured, apart, cpu, peak, seconds_to_copy, table_rows
from production import services as production
from production.models import ProductionOrder

TODAY: date = made_up_plan.START
AT = datetime(TODAY.year, TODAY.month, TODAY.day, 8, tzinfo=UTC)
WRITTEN = {
    "policies_decision": "true",
    "policies_award": "true",
    "subcontract_orders_subcontractorder": "true",
    "subcontract_orders_orderline": "true",
    "subcontract_orders_ordercomponent": "true",
    "shipments_shipment": "true",
    "shipments_shipmentline": "true",
    "receipts_expectedreceipt": "true",
    "activity_event": "document_kind = 'subcontract_order'",
    "activity_alert": "true",
}


def bench(
    *, write: Callable[[str], object], operations: int = 100_000, workers: int = 1, changed_per_mille: int = 10
) -> dict[str, Any]:
    """Figures of a first run, the same again, and one after a change of so many in a thousand orders."""
    load_plan(operations)
    cache.get(
        ""
    )  # its client is loaded by the first to ask: a worker has it long before, and so have those forked from here
    write(f"{operations:,} operations loaded; {workers} worker{'s' if workers > 1 else ''}.")
    first = _run(workers, at=AT)
    figures = documents.summary(_last_run())
    rows = table_rows(WRITTEN)
    limit = seconds_to_copy(WRITTEN, workers=workers)
    again = _run(workers, at=AT + timedelta(hours=1))
    [moved] = apart(partial(_change, changed_per_mille))
    some = _run(workers, at=AT + timedelta(hours=2))
    after = documents.summary(_last_run())
    per_second = figures["operations"] / first[0].seconds
    return {
        "operations": figures["operations"],
        "workers": workers,
        "seconds": round(first[0].seconds, 2),
        "operations_per_second": round(per_second, 1),
        "limit": round(figures["operations"] / limit, 1),
        "ratio": round(limit / first[0].seconds, 3),
        "reach": 0.5,
        "milliseconds_per_operation": round(1000 / per_second, 4),
        "rows": sum(rows.values()),
        "outsource": figures["outsource"],
        "orders": figures["orders"],
        "lines": figures["lines"],
        "shipments": figures["shipments"],
        "again_seconds": round(again[0].seconds, 2),
        "again_times_faster": round(first[0].seconds / again[0].seconds, 1),
        "again_reach": 20,
        "changed_orders": moved.result,
        "changed_seconds": round(some[0].seconds, 2),
        "changed_times_faster": round(first[0].seconds / some[0].seconds, 1),
        "changed_lines": after["created"] + after["changed"] + after["cancelled"],
        "cpu_seconds": cpu(first),
        "again_cpu_seconds": cpu(again),
        "changed_cpu_seconds": cpu(some),
        "peak_mb": peak(first),
        "again_peak_mb": peak(again),
        "changed_peak_mb": peak(some),
        "peak_reach_mb": 300,
    }


def load_plan(operations: int) -> None:
    """Import a made-up plan, in a process of its own, so that its memory is not counted to what follows."""
    apart(partial(_import, operations))


def _import(operations: int) -> None:
    with tempfile.TemporaryDirectory(prefix="outwork-bench-") as folder:
        made_up_plan.make_plan(Path(folder), operations=operations)
        interchange.import_tables(tables=interchange.tables_in_folder(Path(folder)), at=AT, by=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _run(workers: int, *, at: datetime) -> list[Measured]:
    """One run of the main job by so many workers; seconds are those of the longest, first in the list."""
    run = documents.start_run(at=at, on=TODAY)
    measured = apart(*[partial(_work_on, run.pk, at) for _ in range(workers)])
    done = _last_run()
    if done.state != RunState.DONE:
        raise RuntimeError(f"{done} is {done.state}: {done.error or done.held_because}")
    return sorted(measured, key=lambda one: -one.seconds)


def _work_on(run_id: int, at: datetime) -> None:
    """What a worker does: take the run up wherever it stands, until it is over."""
    while documents.continue_run(run_id=run_id, at=at).state not in OVER:
        time.sleep(0.01)


def _last_run() -> GenerationRun:
    return GenerationRun.objects.order_by("-pk")[0]


def _change(per_mille: int) -> int:
    """Ask one piece more of some open orders all over the plan, as the next night's plan would."""
    rows = (
        ProductionOrder.objects.open()
        .order_by("pk")
        .values_list("number", "item_id", "quantity", "due_date", "start_date")
    )
    step = max(1, 1000 // per_mille)
    orders = [
        production.PlannedOrder(
            number=number, item_id=item, quantity=quantity + Decimal(1), due_date=due, start_date=start
        )
        for number, item, quantity, due, start in rows[::step]
    ]
    production.upsert_production_orders(orders=orders, at=AT + timedelta(hours=2), by=None)
    return len(orders)
