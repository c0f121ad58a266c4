"""`bench receive`: vendors' notes posted by several clients at once, and one receipt with very many component rows.

The limit is the very rows the receipts wrote, copied by the same clients, one transaction for each receipt, into empty tables
with the same keys and indexes.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, connections, transaction

from accounts.models import Access, Role, User
from documents import services as documents
from interchange import services as interchange
from receipts import services as receipts
from receipts.models import Receipt
from shipments import services as shipments
from subcontract_orders.models import OrderLine, SubcontractOrder

TODAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
VENDORS = 8
PARTS = 40
"""Different finished parts, each of its own material: receipts of one part meet at its cost, as they do in life."""

# What one receipt writes: table, column that names the receipt (or reaches it), by what.
WRITTEN = {
    "receipts_receipt": "id = %(id)s",
    "receipts_receiptline": "receipt_id = %(id)s",
    "receipts_consumption": "line_id IN (SELECT id FROM receipts_receiptline WHERE receipt_id = %(id)s)",
    "inventory_movement": "document_kind = 'receipt' AND document_number = %(number)s",
    "subcontract_orders_componentflow": "document_kind = 'receipt' AND document_number = %(number)s",
    "activity_event": "document_kind = 'receipt' AND document_number = %(number)s",
}


def bench(*, write: Callable[[str], object], clients: int = 8, notes: int = 200, rows: int = 1800) -> dict[str, Any]:
    """Post `notes` receipts for each client, then one over `rows` components. Figures by name."""
    by = _plan(orders=clients * notes, rows=rows)
    write(f"{clients * notes:,} orders sent, their material at the vendor; {clients} clients post {notes} notes each.")
    lines = list(OrderLine.objects.exclude(item__code="WIDE").order_by("pk").values_list("pk", "vendor"))
    shares = [lines[client::clients] for client in range(clients)]
    seconds = _at_once(_post_notes, [(share, by.pk) for share in shares])
    per_second = len(lines) / seconds
    known = list(Receipt.objects.order_by("pk").values_list("pk", "number"))
    with _empty_copies():
        limit_seconds = _at_once(_copy_rows, [(known[client::clients],) for client in range(clients)])
    limit = len(known) / limit_seconds
    wide = _post_wide(by)
    problems = documents.check_invariants()
    return {
        "receipts": len(lines),
        "clients": clients,
        "seconds": round(seconds, 2),
        "receipts_per_second": round(per_second, 1),
        "operations_per_second": round(per_second, 1),
        "limit": round(limit, 1),
        "ratio": round(per_second / limit, 3),
        "reach": 300,
        "component_rows": rows,
        "wide_receipt_seconds": round(wide, 3),
        "wide_reach_seconds": 2,
        "differences": len(problems.differences),
    }


def _plan(*, orders: int, rows: int) -> User:
    """Sent orders of one line each over a few parts, and one for a part of very many components; material shipped."""
    parts = [f"FG-{number:02d}" for number in range(PARTS)]
    vendors = [f"V{number}" for number in range(VENDORS)]
    vendor_of = {part: vendors[number % VENDORS] for number, part in enumerate([*parts, "WIDE"])}
    tables: dict[str, list[dict[str, Any]]] = {
        "company": [{"name": "Bench", "currency": "EUR", "time_zone": "UTC"}],
        "units": [{"code": "pcs", "decimals": 0}],
        "sites": [{"code": "MAIN"}],
        "locations": [
            {"code": "MAIN", "kind": "plant", "site": "MAIN"},
            *[{"code": f"AT-{vendor}", "kind": "vendor", "vendor": vendor} for vendor in vendors],
        ],
        "work_centers": [{"code": "OUT", "kind": "external"}],
        "vendors": [{"code": vendor, "name": vendor, "currency": "EUR", "active": "yes"} for vendor in vendors],
        "items": [
            *[{"code": part, "unit": "pcs", "kind": "finished"} for part in [*parts, "WIDE"]],
            *[{"code": f"RM-{part}", "unit": "pcs", "kind": "raw", "standard_cost": 3} for part in parts],
            *[{"code": f"C-{row:04d}", "unit": "pcs", "kind": "raw", "standard_cost": 1} for row in range(rows)],
        ],
        "boms": [
            *[{"parent": part, "component": f"RM-{part}", "quantity": 2, "operation_no": "10"} for part in parts],
            *[{"parent": "WIDE", "component": f"C-{row:04d}", "quantity": 1, "operation_no": "10"} for row in range(rows)],
        ],
        "routings": [
            {"item": part, "operation_no": "10", "name": "Plating", "work_center": "OUT", "outsourced": "yes"}
            for part in [*parts, "WIDE"]
        ],
        "prices": [
            {"vendor": vendor_of[part], "item": part, "operation_name": "Plating", "currency": "EUR", "unit_price": 5,
             "lead_days": 2, "valid_from": "2026-01-01"}
            for part in [*parts, "WIDE"]
        ],
        "policies": [
            {"code": part, "item": part, "verdict": "outsource", "vendors": vendor} for part, vendor in vendor_of.items()
        ],
        "stock": [
            *[{"item": f"RM-{part}", "location": "MAIN", "quantity": 20 * orders} for part in parts],
            *[{"item": f"C-{row:04d}", "location": "MAIN", "quantity": 20} for row in range(rows)],
        ],
        "production_orders": [
            {"number": f"P{number:06d}", "item": parts[number % PARTS], "quantity": 10, "due": "2026-04-30",
             "status": "released"}
            for number in range(orders)
        ] + [{"number": "WIDE", "item": "WIDE", "quantity": 10, "due": "2026-04-30", "status": "released"}],
    }  # fmt: skip
    interchange.import_tables(tables=tables, at=AT, by=None)
    by = User.objects.create(username="bench")
    Access.objects.create(user=by, role=Role.ADMINISTRATOR)
    run = documents.start_run(at=AT, on=TODAY, by=by)
    documents.run_to_end(run_id=run.pk, at=AT)
    made = list(SubcontractOrder.objects.order_by("pk").values_list("pk", flat=True))
    _at_once(_send_and_ship, [(made[part::2], by.pk) for part in range(2)])
    return by


def _send_and_ship(order_ids: list[int], user_id: int) -> None:
    by = User.objects.get(pk=user_id)
    for order_id in order_ids:
        documents.approve_set(order_id=order_id, by=by, at=AT)
        documents.send_set(order_id=order_id, by=by, at=AT)
        shipments.ship(order_ids=[order_id], by=by, at=AT)


def _post_notes(lines: list[tuple[int, int]], user_id: int) -> None:
    by = User.objects.get(pk=user_id)
    for line_id, vendor_id in lines:
        receipts.post_receipt(
            vendor_id=vendor_id,
            note=f"DN-{line_id}",
            lines=[receipts.CountedLine(line_id, Decimal(10))],
            by=by,
            at=AT + timedelta(days=7),
        )


def _post_wide(by: User) -> float:
    line = OrderLine.objects.get(item__code="WIDE")
    begin = time.perf_counter()
    counted = receipts.CountedLine(line.pk, Decimal(10))
    receipts.post_receipt(vendor_id=line.vendor_id, note="WIDE", lines=[counted], by=by, at=AT + timedelta(days=7))
    return time.perf_counter() - begin


def _at_once(act: Callable[..., None], shares: list[tuple[Any, ...]]) -> float:
    """Let as many processes as there are shares do their part together. Returns seconds from the start to the last one's end."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(len(shares) + 1)
    workers = [fork.Process(target=_work, args=(gate, act, share)) for share in shares]
    for worker in workers:
        worker.start()
    gate.wait()
    begin = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - begin
    if any(worker.exitcode for worker in workers):
        raise RuntimeError(f"{act.__name__} failed in one of the clients; its message is above")
    return seconds


def _work(gate: Any, act: Callable[..., None], share: tuple[Any, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    gate.wait()
    act(*share)
    connections.close_all()


@contextmanager
def _empty_copies() -> Iterator[None]:
    """Tables like those a receipt writes, with the same keys and indexes, empty."""
    with connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in WRITTEN:
                cursor.execute(f"DROP TABLE bench_{table}")


def _copy_rows(known: list[tuple[int, str]]) -> None:
    for pk, number in known:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, which in WRITTEN.items():
                cursor.execute(
                    f"INSERT INTO bench_{table} SELECT * FROM {table} WHERE {which}", {"id": pk, "number": number}
                )
