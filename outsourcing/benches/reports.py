"""`bench reports`: every report over a million receipt lines, rebuilding the figures, keeping them up, and the check.

One order is planned, sent, shipped and received through the services; its rows are multiplied by `INSERT … SELECT` over years,
vendors, processes and sites. The limit of a rebuild is the very measurements it wrote, copied into an empty table with the same
keys.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Access, Role, User
from activity.models import Event
from documents import services as documents
from interchange import services as interchange
from inventory.models import Movement
from policies.models import Award, Decision
from production.models import Operation, ProductionOrder
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine
from reports import services as reports
from reports.rules.figures import REPORTS
from shipments import services as shipments
from subcontract_orders.models import OrderLine, SubcontractOrder

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
YEARS_BACK = date(2023, 3, 2)
SPREAD_DAYS = 1060
VENDORS, PROCESSES, LINES_AN_ORDER = 100, 12, 5
BASE = 10_000_000
TIMES = 5


def bench(*, write: Callable[[str], object], lines: int = 1_000_000, touched: int = 1_000) -> dict[str, Any]:
    """Multiply, rebuild, ask everything, touch some receipts, keep up, check. Seconds by name."""
    by = _plan()
    begin = time.perf_counter()
    _multiply(lines)
    write(
        f"{lines:,} receipt lines of {VENDORS} vendors over {SPREAD_DAYS} days made in {time.perf_counter() - begin:.0f} s."
    )
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
            took = _median(lambda found=found: list(found.order_by("pk")[:50]))
            slowest["rows_behind"] = max(slowest.get("rows_behind", 0), took)
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


def _plan() -> User:
    """One order of one line, sent, its material shipped, received."""
    tables: dict[str, list[dict[str, Any]]] = {
        "company": [{"name": "Bench", "currency": "EUR", "time_zone": "Europe/Berlin"}],
        "units": [{"code": "pcs", "decimals": 0}],
        "sites": [{"code": "MAIN"}, {"code": "SECOND"}],
        "locations": [
            {"code": "MAIN", "kind": "plant", "site": "MAIN"},
            *[{"code": f"AT-V{number}", "kind": "vendor", "vendor": f"V{number}", "site": "MAIN"} for number in range(VENDORS)],
        ],
        "processes": [{"code": f"P{number}", "name": f"Process {number}"} for number in range(PROCESSES)],
        "work_centers": [
            {"code": f"W{number}", "kind": "internal", "capacity_hours_per_day": 16, "hourly_cost": 60}
            for number in range(20)
        ],
        "vendors": [
            {"code": f"V{number}", "name": f"Vendor {number}", "currency": "EUR", "active": "yes"}
            for number in range(VENDORS)
        ],
        "items": [
            {"code": "FG", "unit": "pcs", "kind": "finished"}, {"code": "RM", "unit": "pcs", "kind": "raw", "standard_cost": 3},
        ],
        "boms": [{"parent": "FG", "component": "RM", "quantity": 1, "operation_no": "10"}],
        "routings": [
            {"item": "FG", "operation_no": "10", "name": "P0", "work_center": "W0", "setup_minutes": 30,
             "run_minutes_per_unit": 2, "outsourced": "yes"}
        ],
        "prices": [
            {"vendor": "V0", "item": "FG", "operation_name": "P0", "currency": "EUR", "unit_price": 5, "lead_days": 5,
             "valid_from": "2026-01-01"}
        ],
        "policies": [{"code": "OUT", "item": "FG", "verdict": "outsource", "vendors": "V0"}],
        "stock": [{"item": "RM", "location": "MAIN", "quantity": 1000}],
        "production_orders": [{"number": "P1", "item": "FG", "quantity": 100, "due": "2026-04-30", "status": "released"}],
    }  # fmt: skip
    interchange.import_tables(tables=tables, at=AT, by=None)
    by = User.objects.create(username="bench")
    Access.objects.create(user=by, role=Role.ADMINISTRATOR)
    run = documents.start_run(at=AT, on=TODAY, by=None)
    documents.run_to_end(run_id=run.pk, at=AT)
    order = SubcontractOrder.objects.get()
    documents.approve_set(order_id=order.pk, by=by, at=AT)
    documents.send_set(order_id=order.pk, by=by, at=AT)
    shipments.ship(order_ids=[order.pk], by=by, at=AT)
    line = OrderLine.objects.get()
    counted = receipts.CountedLine(line.pk, Decimal(95), rejected=Decimal(5))
    receipts.post_receipt(vendor_id=line.vendor_id, note="DN", lines=[counted], by=by, at=AT + timedelta(days=7))
    return by


def _multiply(lines: int) -> None:
    orders = lines // LINES_AN_ORDER
    order = SubcontractOrder.objects.get()
    line = OrderLine.objects.get()
    receipt, came = Receipt.objects.get(), ReceiptLine.objects.get()
    operation = Operation.objects.get()
    decision = Decision.objects.get(is_current=True)
    vendor = f"(SELECT min(id) FROM masterdata_vendor) + k.order_no %% {VENDORS}"
    process = (
        f"(SELECT min(id) FROM masterdata_process WHERE code = 'P0') + (k.order_no %% {VENDORS} %% 4 * 3 + g %% 3)"
    )
    site = "(SELECT min(id) FROM masterdata_site) + k.order_no %% 2"
    center = "(SELECT min(id) FROM masterdata_workcenter WHERE kind = 'internal') + g %% 20"
    sent = f"('{YEARS_BACK}'::timestamptz + k.order_no %% {SPREAD_DAYS} * interval '1 day' + interval '9 hours')"
    day = f"('{YEARS_BACK}'::date + (k.order_no %% {SPREAD_DAYS})::int)"
    of_order = f"(g - 1) / {LINES_AN_ORDER} + 1"
    came_at = f"{sent} + (4 + hashint4(k.order_no::int) %% 9) * interval '1 day'"

    _copies(
        ProductionOrder,
        operation.production_order_id,
        orders,
        "g",
        {"id": f"{BASE} + g", "number": "'B' || g", "site_id": site},
    )
    _copies(
        Operation,
        operation.pk,
        lines,
        of_order,
        {
            "id": f"{BASE} + g",
            "production_order_id": f"{BASE} + k.order_no",
            "operation_no": "g::text",
            "process_id": process,
            "work_center_id": center,
            "planned_start": day,
        },
    )
    _copies(
        Decision,
        decision.pk,
        lines,
        of_order,
        {"id": f"{BASE} + g", "operation_id": f"{BASE} + g", "planned_start": day},
    )
    _copies(
        Award,
        Award.objects.get(decision=decision).pk,
        lines,
        of_order,
        {
            "id": f"{BASE} + g",
            "decision_id": f"{BASE} + g",
            "vendor_id": vendor,
            "quantity": "t.quantity * (g %% 2 + 1) / 2",
        },
    )
    _copies(
        SubcontractOrder,
        order.pk,
        orders,
        "g",
        {
            "id": f"{BASE} + g",
            "number": "'SC-B' || g",
            "vendor_id": vendor,
            "site_id": site,
            "sent_at": sent,
            "created_at": sent,
            "acknowledged_at": f"{sent} + k.order_no %% 5 * interval '1 day'",
            "consolidation_key": "g::text",
        },
    )
    _copies(
        OrderLine,
        line.pk,
        lines,
        of_order,
        {
            "id": f"{BASE} + g",
            "order_id": f"{BASE} + k.order_no",
            "line_no": f"(g - 1) %% {LINES_AN_ORDER} + 1",
            "vendor_id": vendor,
            "process_id": process,
            "operation_id": f"{BASE} + g",
            "production_order_id": f"{BASE} + k.order_no",
            "operation_no": "g::text",
            "need_date": f"{day} + 9",
            "promised_date": f"{day} + 8",
        },
    )
    _copies(
        Receipt,
        receipt.pk,
        orders,
        "g",
        {
            "id": f"{BASE} + g",
            "number": "'GR-B' || g",
            "vendor_id": vendor,
            "site_id": site,
            "note": "'DN-B' || g",
            "received_at": came_at,
            "posted_at": came_at,
        },
    )
    _copies(
        ReceiptLine,
        came.pk,
        lines,
        of_order,
        {
            "id": f"{BASE} + g",
            "receipt_id": f"{BASE} + k.order_no",
            "line_no": f"(g - 1) %% {LINES_AN_ORDER} + 1",
            "order_line_id": f"{BASE} + g",
            "accepted": "100 - g %% 7",
            "rejected": "g %% 7",
        },
    )
    into = Movement.objects.filter(to_location__kind="vendor").order_by("pk").first()
    away = Movement.objects.filter(from_location__kind="vendor").order_by("pk").first()
    place = f"(SELECT min(id) FROM masterdata_location WHERE kind = 'vendor') + k.order_no %% {VENDORS}"
    for number, (movement, side) in enumerate(((into, "to"), (away, "from"))):
        if movement is not None:
            _copies(
                Movement,
                movement.pk,
                lines,
                of_order,
                {
                    "id": f"{BASE * (number + 1)} + g",
                    f"{side}_location_id": place,
                    "occurred_at": sent if side == "to" else came_at,
                },
            )
    sending = Event.objects.get(name="order.sent")
    _copies(
        Event,
        sending.pk,
        orders,
        "g",
        {
            "id": f"{BASE} + g",
            "document_number": "'SC-B' || g",
            "at": sent,
            "by_id": "CASE WHEN g %% 3 = 0 THEN t.by_id END",
            "through": "CASE WHEN g %% 3 = 0 THEN 'page' ELSE 'run' END",
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('activity_event', 'id'), (SELECT max(id) FROM activity_event))"
        )
        cursor.execute("ANALYZE")


def _copies(model: Any, pk: int, count: int, of_order: str, changed: dict[str, str]) -> None:
    """Copies of one row. `g` counts them, `k.order_no` says which order a copy belongs to; `changed` holds SQL by column."""
    columns = [field.column for field in model._meta.local_concrete_fields if not field.generated]
    values = [changed.get(column, f't."{column}"') for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {model._meta.db_table} ({", ".join(f'"{column}"' for column in columns)})
            SELECT {", ".join(values)} FROM {model._meta.db_table} t CROSS JOIN generate_series(1, %s) g
            CROSS JOIN LATERAL (SELECT {of_order} AS order_no) k WHERE t.id = %s
            """,
            [count, pk],
        )
