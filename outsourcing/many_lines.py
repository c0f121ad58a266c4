"""Rows by the million for benches: whole document sets of one order, multiplied inside the database.

An order is planned, sent, shipped and received through the services; its rows are copied by `INSERT … SELECT` over years,
vendors, processes and sites.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from accounts.models import Access, Role, User
from activity.models import Event
from documents import services as documents
from interchange import services as interchange
from inventory.models import Movement
from policies.models import Award, Decision
from production.models import Operation, ProductionOrder
from receipts import services as receipts
from receipts.models import ExpectedReceipt, Receipt, ReceiptLine
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY = date(2026, 3, 2)
YEARS_BACK = date(2023, 3, 2)
SPREAD_DAYS = 1060
VENDORS, PROCESSES, LINES_AN_ORDER = 100, 12, 5
BASE = 10_000_000
"""Keys of copies begin here; each further set of them as far apart."""


def plan(*, orders: int = 1) -> User:
    """As many orders of one line, all drafts; and somebody with every right."""
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
        "production_orders": [
            {"number": f"P{number}", "item": "FG", "quantity": 100, "due": "2026-04-30", "status": "released"}
            for number in range(1, orders + 1)
        ],
    }  # fmt: skip
    interchange.import_tables(tables=tables, at=AT, by=None)
    run = documents.start_run(at=AT, on=TODAY, by=None)
    documents.run_to_end(run_id=run.pk, at=AT)
    by = User.objects.create(username="bench")
    Access.objects.create(user=by, role=Role.ADMINISTRATOR)
    return by


def send() -> SubcontractOrder:
    """The next draft, sent, its material shipped: at its vendor."""
    order = SubcontractOrder.objects.draft().order_by("pk")[0]
    by = User.objects.get(username="bench")
    documents.approve_set(order_id=order.pk, by=by, at=AT)
    order = documents.send_set(order_id=order.pk, by=by, at=AT)
    shipments.ship(order_ids=[order.pk], by=by, at=AT)
    return order


def receive() -> SubcontractOrder:
    """The next draft, sent and received, with some bad pieces."""
    order = send()
    line = order.lines.get()
    counted = receipts.CountedLine(line.pk, Decimal(95), rejected=Decimal(5))
    receipts.post_receipt(
        vendor_id=line.vendor_id,
        note=f"DN-{order.number}",
        lines=[counted],
        by=User.objects.get(username="bench"),
        at=AT + timedelta(days=7),
    )
    return order


def multiply(order: SubcontractOrder, *, lines: int, base: int = BASE) -> None:
    """Copy an order of one line with all that hangs on it: its plan and decision, shipment, receipt, movements and events."""
    orders = lines // LINES_AN_ORDER
    line = order.lines.get()
    vendor = f"(SELECT min(id) FROM masterdata_vendor) + k.order_no %% {VENDORS}"
    process = (
        f"(SELECT min(id) FROM masterdata_process WHERE code = 'P0') + (k.order_no %% {VENDORS} %% 4 * 3 + g %% 3)"
    )
    site = "(SELECT min(id) FROM masterdata_site) + k.order_no %% 2"
    center = "(SELECT min(id) FROM masterdata_workcenter WHERE kind = 'internal') + g %% 20"
    sent = f"('{YEARS_BACK}'::timestamptz + k.order_no %% {SPREAD_DAYS} * interval '1 day' + interval '9 hours')"
    day = f"('{YEARS_BACK}'::date + (k.order_no %% {SPREAD_DAYS})::int)"
    came_at = f"{sent} + (4 + hashint4(k.order_no::int) %% 9) * interval '1 day'"
    place = f"(SELECT min(id) FROM masterdata_location WHERE kind = 'vendor') + k.order_no %% {VENDORS}"
    key, of_order = f"{base} + g", f"{base} + k.order_no"
    line_no = f"(g - 1) %% {LINES_AN_ORDER} + 1"

    def each_order(rows: QuerySet[Any], **changed: str) -> None:
        _copies(rows, orders, "g", {"id": key, **changed})

    def each_line(rows: QuerySet[Any], **changed: str) -> None:
        _copies(rows, lines, f"(g - 1) / {LINES_AN_ORDER} + 1", {"id": key, **changed})

    each_order(ProductionOrder.objects.filter(pk=line.production_order_id), number=f"'B' || {base} + g", site_id=site)
    each_line(
        Operation.objects.filter(pk=line.operation_id), production_order_id=of_order, operation_no="g::text",
        process_id=process, work_center_id=center, planned_start=day,
    )  # fmt: skip
    each_line(
        Decision.objects.filter(operation=line.operation_id, is_current=True), operation_id=key, planned_start=day
    )
    each_line(
        Award.objects.filter(decision__operation=line.operation_id, decision__is_current=True), decision_id=key,
        vendor_id=vendor, quantity="t.quantity * (g %% 2 + 1) / 2",
    )  # fmt: skip
    when = {"created_at": sent}
    if order.sent_at:
        when |= {"sent_at": sent, "acknowledged_at": f"{sent} + k.order_no %% 5 * interval '1 day'"}
    each_order(
        SubcontractOrder.objects.filter(pk=order.pk), number=f"'SC-B' || {base} + g", vendor_id=vendor, site_id=site,
        ship_to_id=place, consolidation_key=f"({base} + g)::text", **when,
    )  # fmt: skip
    each_line(
        OrderLine.objects.filter(pk=line.pk), order_id=of_order, line_no=line_no, vendor_id=vendor, ship_to_id=place,
        process_id=process, operation_id=key, production_order_id=of_order, operation_no="g::text", need_date=f"{day} + 9",
        promised_date=f"{day} + 8",
    )  # fmt: skip
    each_line(OrderComponent.objects.filter(line=line), line_id=key)
    each_line(ExpectedReceipt.objects.filter(order_line=line), order_line_id=key, expected_on=f"{day} + 8")
    each_order(
        Shipment.objects.filter(lines__order_line=line), number=f"'SH-B' || {base} + g", vendor_id=vendor, site_id=site,
        to_location_id=place, dispatch_by=day,
    )  # fmt: skip
    each_line(
        ShipmentLine.objects.filter(order_line=line), shipment_id=of_order, position=line_no, component_id=key,
        order_line_id=key,
    )  # fmt: skip
    each_order(
        Receipt.objects.filter(lines__order_line=line), number=f"'GR-B' || {base} + g", vendor_id=vendor, site_id=site,
        note=f"'DN-B' || {base} + g", received_at=came_at, posted_at=came_at,
    )  # fmt: skip
    each_line(
        ReceiptLine.objects.filter(order_line=line), receipt_id=of_order, line_no=line_no, order_line_id=key,
        accepted="100 - g %% 7", rejected="g %% 7",
    )  # fmt: skip
    moved = Movement.objects.filter(
        document_number__in=[
            *Shipment.objects.filter(lines__order_line=line).values_list("number", flat=True),
            *Receipt.objects.filter(lines__order_line=line).values_list("number", flat=True),
        ]
    )
    each_line(moved.filter(to_location__kind="vendor"), to_location_id=place, occurred_at=sent)
    each_line(
        moved.filter(from_location__kind="vendor"), id=f"{base * 2} + g", from_location_id=place, occurred_at=came_at
    )
    each_order(
        Event.objects.filter(name="order.sent", document_number=order.number), document_number=f"'SC-B' || {base} + g",
        at=sent, by_id="CASE WHEN g %% 3 = 0 THEN t.by_id END", through="CASE WHEN g %% 3 = 0 THEN 'page' ELSE 'run' END",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('activity_event', 'id'), (SELECT max(id) FROM activity_event))"
        )
        cursor.execute("ANALYZE")


def _copies(rows: QuerySet[Model], count: int, of_order: str, changed: dict[str, str]) -> None:
    """Copies of the first of `rows`, if there is one. `g` counts them, `k.order_no` says which order a copy belongs to; `changed`
    holds SQL by column.
    """
    model, first = rows.model, rows.order_by("pk").first()
    if first is None:
        return
    columns = [field.column for field in model._meta.local_concrete_fields if not field.generated]
    values = [changed.get(column, f't."{column}"') for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {model._meta.db_table} ({", ".join(f'"{column}"' for column in columns)})
            SELECT {", ".join(values)} FROM {model._meta.db_table} t CROSS JOIN generate_series(1, %s) g
            CROSS JOIN LATERAL (SELECT {of_order} AS order_no) k WHERE t.id = %s
            """,
            [count, first.pk],
        )
