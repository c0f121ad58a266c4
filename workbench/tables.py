"""The lists as files: which columns each has, written as CSV or XLSX for a spreadsheet.

Values come straight from the rows, not through objects, so that a hundred thousand rows take seconds and little memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

MOST_ROWS = 100_000
"""More than a spreadsheet is good for; who needs all asks the API."""
CSV, XLSX = "csv", "xlsx"
KINDS = {CSV: "text/csv; charset=utf-8", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class Table:
    """A list as a file: its name, and the word and the field of each column."""

    name: str
    columns: tuple[tuple[str | Promise, str], ...]

    def rows(self, found: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
        fields = [field for _word, field in self.columns]
        return found.values_list(*fields)[:MOST_ROWS].iterator(chunk_size=5000)


ORDERS = Table(
    "orders",
    (
        (_("Order"), "number"), (_("Version"), "revision"), (_("Status"), "status"), (_("Vendor"), "vendor__code"),
        (_("Vendor's name"), "vendor__name"), (_("Site"), "site__code"), (_("Lines"), "line_count"),
        (_("Lines complete"), "lines_complete"), (_("Material"), "material"), (_("Receipt"), "receipt"),
        (_("Order by"), "order_by"), (_("Dispatch by"), "dispatch_by"), (_("Due"), "due_date"), (_("Value"), "total"),
        (_("Currency"), "currency__code"), (_("Value in company currency"), "total_company"), (_("Sent"), "sent_at"),
        (_("Made by"), "made_by_run"),
    ),
)  # fmt: skip
DECISIONS = Table(
    "decisions",
    (
        (_("Production order"), "operation__production_order__number"), (_("Operation"), "operation__operation_no"),
        (_("Work"), "operation__name"), (_("Part"), "operation__production_order__item__code"),
        (_("Name"), "operation__production_order__item__name"), (_("Verdict"), "verdict"),
        (_("Quantity to do"), "quantity"), (_("Needed by"), "need_date"), (_("Policy"), "policy__code"),
    ),
)  # fmt: skip
SHIPMENTS = Table(
    "shipments",
    (
        (_("Shipment"), "number"), (_("Status"), "status"), (_("Vendor"), "vendor__code"),
        (_("Vendor's name"), "vendor__name"), (_("Site"), "site__code"), (_("From"), "from_location__code"),
        (_("To"), "to_location__code"), (_("Dispatch by"), "dispatch_by"), (_("Dispatched"), "dispatched_at"),
        (_("Delivered"), "delivered_at"),
    ),
)  # fmt: skip
RECEIPTS = Table(
    "receipts",
    (
        (_("Receipt"), "number"), (_("Status"), "status"), (_("Vendor"), "vendor__code"), (_("Vendor's name"), "vendor__name"),
        (_("Site"), "site__code"), (_("Vendor's note"), "note"), (_("Dated"), "note_date"), (_("Received"), "received_at"),
        (_("Counted by"), "posted_by__username"),
    ),
)  # fmt: skip
INVOICES = Table(
    "invoices",
    (
        (_("Invoice"), "number"), (_("Vendor's number"), "vendor_number"), (_("Kind"), "kind"), (_("Status"), "status"),
        (_("Vendor"), "vendor__code"), (_("Vendor's name"), "vendor__name"), (_("Site"), "site__code"),
        (_("Dated"), "invoice_date"), (_("Due"), "due_date"), (_("Net"), "net"), (_("Tax"), "tax"),
        (_("Currency"), "currency__code"), (_("Net in company currency"), "net_company"),
        (_("Entered by"), "entered_by__username"), (_("Let pass by"), "released_by__username"),
        (_("Approved"), "approved_at"),
    ),
)  # fmt: skip
CHARGE_BACKS = Table(
    "charge-backs",
    (
        (_("Charge-back"), "number"), (_("Kind"), "kind"), (_("Status"), "status"), (_("Vendor"), "vendor__code"),
        (_("Vendor's name"), "vendor__name"), (_("Site"), "site__code"), (_("Order"), "order_line__order__number"),
        (_("Line"), "order_line__line_no"), (_("Receipt"), "receipt_line__receipt__number"), (_("Quantity"), "quantity"),
        (_("Amount"), "amount"), (_("Of it not paid"), "set_off"), (_("Why"), "reason"), (_("Made"), "created_at"),
        (_("Decided"), "decided_at"), (_("Decided by"), "decided_by__username"),
    ),
)  # fmt: skip
BALANCES = Table(
    "vendor-balances",
    (
        (_("Vendor"), "location__vendor__code"), (_("Vendor's name"), "location__vendor__name"),
        (_("Location"), "location__code"), (_("Part"), "item__code"), (_("Name"), "item__name"), (_("Lot"), "lot__code"),
        (_("Stage"), "stage"), (_("Quantity"), "quantity"), (_("Unit"), "item__unit__code"), (_("There since"), "since"),
    ),
)  # fmt: skip
ALERTS = Table(
    "alerts",
    (
        (_("Alert"), "reference"), (_("Kind"), "kind"), (_("Severity"), "severity"), (_("What"), "title"),
        (_("Order"), "order_number"), (_("Line"), "line_no"), (_("Production order"), "production_order"),
        (_("Operation"), "operation_no"), (_("Vendor"), "vendor__code"), (_("Since"), "opened_at"), (_("Due"), "due_date"),
        (_("Looked after by"), "taken_by__username"),
    ),
)  # fmt: skip
RETURNS = Table(
    "returns",
    (
        (_("Return"), "number"), (_("Kind"), "kind"), (_("Status"), "status"), (_("Vendor"), "vendor__code"),
        (_("Vendor's name"), "vendor__name"), (_("Site"), "site__code"), (_("Why"), "reason"), (_("Made"), "created_at"),
        (_("Dispatched"), "dispatched_at"), (_("Arrives"), "arrives_on"), (_("Arrived"), "posted_at"),
    ),
)  # fmt: skip
DIRECT_DELIVERIES = Table(
    "direct-deliveries",
    (
        (_("Order"), "order__number"), (_("Line"), "order_line__line_no"), (_("Part"), "item__code"), (_("Name"), "item__name"),
        (_("Status"), "state"), (_("Vendor"), "vendor__code"), (_("Vendor's name"), "vendor__name"),
        (_("Delivered to"), "ship_to__code"), (_("Required"), "required"), (_("Arrived"), "arrived"),
        (_("Free there"), "there"), (_("Still wanted"), "wanted"), (_("To order"), "to_order"), (_("Unit"), "item__unit__code"),
        (_("Needed there"), "needed_on"), (_("Expected on"), "expected_on"), (_("Purchase order"), "purchase__reference"),
        (_("Of whom"), "purchase__supplier"),
    ),
)  # fmt: skip
VENDORS = Table(
    "vendors",
    (
        (_("Vendor"), "code"), (_("Name"), "name"), (_("Country"), "country"), (_("City"), "city"), (_("Mail"), "email"),
        (_("Currency"), "currency__code"), (_("Open orders"), "open_orders"), (_("Late"), "late_orders"),
        (_("Open value"), "open_value"),
    ),
)  # fmt: skip


def as_csv(table: Table, found: QuerySet[Any], *, zone: ZoneInfo) -> Iterator[str]:
    """Line by line, so that nothing is held; it begins with the mark by which spreadsheets know UTF-8."""
    held = io.StringIO()
    writer = csv.writer(held)
    yield "\ufeff"
    writer.writerow([str(word) for word, _field in table.columns])
    for row in table.rows(found):
        writer.writerow([_harmless(_plain(value, zone)) for value in row])
        if held.tell() > 65536:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def as_xlsx(table: Table, found: QuerySet[Any], *, zone: ZoneInfo) -> bytes:
    """A workbook of one sheet: numbers and days as such, texts never as formulas, the head fixed and filtered."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name[:31])
    sheet.freeze_panes = "A2"
    sheet.append([str(word) for word, _field in table.columns])
    for row in table.rows(found):
        cells: list[Any] = []
        for value in row:
            value = _plain(value, zone)
            if isinstance(value, str):
                cell = WriteOnlyCell(sheet, value=value)
                cell.data_type = "s"
                value = cell
            cells.append(value)
        sheet.append(cells)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """Instants in the reader's zone and without one (a spreadsheet knows none), numbers without needless zeros."""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if isinstance(value, Decimal):
        return value.normalize() if value else Decimal(0)
    if value is None or isinstance(value, (int, date)):
        return value
    return str(value)


def _harmless(value: Any) -> Any:
    """A text a spreadsheet would take for a formula, marked as a text; a number written out."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
