"""`bench reports`: every report over a million receipt lines, rebuilding the figures, keeping them up, and the check.

The limit of a rebuild is the very measurements it wrote, copied into an empty table with the same keys.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection

from accounts.models import User
from outsourcing import many_lines
from outsourcing.many_lines import AT, TODAY, YEARS_BACK
from reports import services as reports
from reports.rules.figures import REPORTS

TIMES = 5


def bench(*, write: Callable[[str], object], lines: int = 1_000_000, touched: int = 1_000) -> dict[str, Any]:
    """Multiply, rebuild, ask everything, touch some receipts, keep up, check. Seconds by name."""
    by = many_lines.plan()
    received = many_lines.receive()
    begin = time.perf_counter()
    many_lines.multiply(received, lines=lines)
    took = time.perf_counter() - begin
    of = f"{many_lines.VENDORS} vendors over {many_lines.SPREAD_DAYS} days"
    write(f"{lines:,} receipt lines of {of} made in {took:.0f} s.")
    begin = time.perf_counter()
    measured = reports.rebuild(at=AT)
    rebuilt = time.perf_counter() - begin
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("CREATE TABLE bench_measurement (LIKE reports_measurement INCLUDING ALL)")
        begin = time.perf_counter()
        cursor.execute("INSERT INTO bench_measurement SELECT * FROM reports_measurement")
        copied = time.perf_counter() - begin
        cursor.execute("DROP TABLE bench_measurement")
        cursor.execute("SELECT count(*) FROM reports_rollup")
        (rollups,) = cursor.fetchone()
    figures = {"receipt_lines": lines, "measurements": measured, "rollup_rows": rollups, "rebuild_seconds": round(rebuilt, 1),
               "operations_per_second": round(measured / rebuilt), "limit": round(measured / copied),
               "ratio": round(copied / rebuilt, 3)}  # fmt: skip
    figures |= _ask(by)
    figures["keep_up_seconds"] = _keep_up(touched)
    begin = time.perf_counter()
    checked, differences = reports.check()
    figures |= {
        "checked": checked,
        "differences": len(differences),
        "check_seconds": round(time.perf_counter() - begin, 1),
    }
    return figures


def _ask(by: User) -> dict[str, Any]:
    """Each report over all years and over a quarter, by every way to group it; the slowest median."""
    slowest: dict[str, float] = {}
    for report in REPORTS.values():
        for first, last in ((YEARS_BACK, TODAY), (date(2025, 4, 17), date(2025, 7, 15))):
            for group in ((), *((name,) for name in report.dimensions), ("week",), ("month",), ("vendor", "month")):
                question = reports.ask(report, first=first, last=last, by=group, narrowed={}, today=TODAY)
                took = _median(lambda report=report, question=question: reports.answer(report, question, viewer=by))
                slowest[report.name] = max(slowest.get(report.name, 0), took)
        question = reports.ask(report, first=YEARS_BACK, last=TODAY, by=(), narrowed={"vendor": "V7"}, today=TODAY)
        for figure in report.figures:
            found = reports.rows_behind(report, question, figure=figure, viewer=by)
            took = _median(lambda found=found: list(found.order_by("day", "pk")[:50]))
            slowest["rows_behind"] = max(slowest.get("rows_behind", 0), took)
    for day in (TODAY, date(2025, 4, 17)):
        took = _median(lambda day=day: reports.lying_at_vendors(on=day, narrowed={}, viewer=by))
        slowest["lying_at_vendors"] = max(slowest.get("lying_at_vendors", 0), took)
    return {f"{name.replace('-', '_')}_seconds": round(took, 3) for name, took in slowest.items()} | {
        "reach_seconds": 1
    }


def _median(act: Callable[[], Any]) -> float:
    took = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        act()
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def _keep_up(touched: int) -> float:
    """Correct receipts here and there, say so by an event each, and measure what that touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH chosen AS (SELECT id, receipt_id FROM receipts_receiptline WHERE id %% 997 = 0 ORDER BY id LIMIT %s),
            changed AS (
                UPDATE receipts_receiptline l SET rejected = l.rejected + 1, accepted = l.accepted - 1
                FROM chosen WHERE l.id = chosen.id AND l.accepted > 1 RETURNING l.receipt_id
            )
            INSERT INTO activity_event (name, document_kind, document_number, at, through, data)
            SELECT 'receipt.corrected', 'receipt', r.number, now(), 'api', '{}'
            FROM receipts_receipt r WHERE r.id IN (SELECT receipt_id FROM changed)
            """,
            [touched],
        )
    begin = time.perf_counter()
    reports.keep_up(at=AT)
    return round(time.perf_counter() - begin, 2)
