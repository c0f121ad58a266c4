"""`bench import`: a made-up plan as CSV through the same code as the API and the command, into an empty database and once more.

The limit is COPY of the very rows it wrote into bare tables: no key, no check, no index.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection

from interchange import services as interchange
from outsourcing import made_up_plan
from outsourcing.measuring import apart, table_rows

AT = datetime(made_up_plan.START.year, made_up_plan.START.month, made_up_plan.START.day, 8, tzinfo=UTC)
WRITTEN = {
    "masterdata_vendor": "true",
    "masterdata_location": "true",
    "masterdata_workcenter": "true",
    "masterdata_item": "true",
    "production_bomline": "true",
    "production_routingstep": "true",
    "policies_priceagreement": "true",
    "inventory_movement": "true",
    "inventory_balance": "true",
    "production_productionorder": "true",
    "production_operation": "true",
}


def bench(*, write: Callable[[str], object], operations: int = 100_000) -> dict[str, Any]:
    """Figures of a first import, and of the same files again."""
    with tempfile.TemporaryDirectory(prefix="outwork-bench-") as name:
        folder = Path(name)
        counts = made_up_plan.make_plan(folder, operations=operations)
        rows = sum(counts.values())
        write(f"{operations:,} operations as {rows:,} rows of CSV.")
        [first] = apart(partial(_import, folder))
        [again] = apart(partial(_import, folder))
    kept = table_rows(WRITTEN)
    limit = _seconds_to_copy()
    return {
        "operations": operations,
        "csv_rows": rows,
        "rows": sum(kept.values()),
        "seconds": round(first.seconds, 2),
        "operations_per_second": round(operations / first.seconds, 1),
        "csv_rows_per_second": round(rows / first.seconds, 1),
        "limit": round(operations / limit, 1),
        "ratio": round(limit / first.seconds, 3),
        "reach": 0.3,
        "again_seconds": round(again.seconds, 2),
        "again_written": again.result,
        "peak_mb": round(first.peak_mb, 1),
        "again_peak_mb": round(again.peak_mb, 1),
        "peak_reach_mb": 300,
    }


def _import(folder: Path) -> int:
    report = interchange.import_tables(tables=interchange.tables_in_folder(folder), at=AT, by=None)
    return sum(count["created"] + count["changed"] for count in report.counts.values())


def _seconds_to_copy() -> float:
    """COPY the rows, out of memory, into tables that have nothing but columns."""
    seconds = 0.0
    with connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"CREATE TABLE bench_{table} AS SELECT * FROM {table} WITH NO DATA")
            rows = io.StringIO()
            cursor.copy_expert(f"COPY {table} TO STDOUT", rows)
            rows.seek(0)
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )
            (columns,) = cursor.fetchone()
            begin = time.perf_counter()
            cursor.copy_expert(f"COPY bench_{table} ({columns}) FROM STDIN", rows)
            seconds += time.perf_counter() - begin
            cursor.execute(f"DROP TABLE bench_{table}")
    return seconds
