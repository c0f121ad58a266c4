"""Handing approved invoices to whoever pays: once each, as rows, in files that can be had again."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.refusals import NotFound, Refusal, Stale, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, PaymentExport
from invoices.services.entering import record
from masterdata import services as masterdata

COLUMNS = [
    "number", "kind", "vendor", "vendor_number", "credits", "date", "due_date", "currency", "line", "line_kind", "order",
    "order_line", "production_order", "operation", "item", "quantity", "unit", "unit_price", "net", "tax_category", "tax_rate",
    "tax", "approved_at", "approved_by",
]  # fmt: skip
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class NothingToExport(Refusal):
    """No approved invoice waits for export."""

    code = "nothing_to_do"


@retried
@transaction.atomic
def export_invoice(
    *,
    invoice_id: int,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Hand over one approved invoice or credit note, in a file of its own. Raises NotFound, Stale, WrongState."""
    mine = Invoice.objects.visible_to(by) if by else Invoice.objects.all()
    invoice = mine.select_for_update(of=("self",)).filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFound("There is no such invoice.", field="invoice")
    if expected_version not in (None, invoice.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    if invoice.status != InvoiceStatus.APPROVED:
        raise WrongState(f"{invoice} is {invoice.get_status_display().lower()}; one cannot export it.")
    _hand_over([invoice], by=by, at=at, through=through)
    return invoice


@retried
@transaction.atomic
def export_approved(*, by: User | None, at: datetime, through: str = "page") -> PaymentExport:
    """Hand over every approved invoice and credit note in one file, one row a line. Each goes once; the file is kept.

    Raises NothingToExport.
    """
    mine = Invoice.objects.visible_to(by) if by else Invoice.objects.all()
    found = list(mine.filter(status=InvoiceStatus.APPROVED).select_for_update(of=("self",)).order_by("pk"))
    if not found:
        raise NothingToExport("No approved invoice waits to be exported; files made before can be had again.")
    return _hand_over(found, by=by, at=at, through=through)


def _hand_over(invoices: Sequence[Invoice], *, by: User | None, at: datetime, through: str) -> PaymentExport:
    made = PaymentExport.objects.create(
        number=masterdata.draw_numbers(kind="payment_export")[0], invoices=len(invoices),
        content=as_csv([invoice.pk for invoice in invoices]), exported_at=at, exported_by=by,
    )  # fmt: skip
    for invoice in invoices:
        invoice.status, invoice.exported_at, invoice.payment_export = InvoiceStatus.EXPORTED, at, made
        invoice.version += 1
        record("invoice.exported", invoice, by=by, at=at, through=through, data={"file": made.number})
    Invoice.objects.bulk_update(invoices, ["status", "exported_at", "payment_export", "version"], batch_size=500)
    return made


def as_csv(invoice_ids: Iterable[int]) -> str:
    """Invoices line by line; what a credit note takes off is below zero. Text that looks like a formula gets an apostrophe."""
    lines = list(
        InvoiceLine.objects.filter(invoice__in=list(invoice_ids))
        .select_related(
            "invoice__vendor", "invoice__currency", "invoice__credits", "invoice__approved_by", "order_line__order",
            "order_line__production_order", "order_line__item",
        )
        .order_by("invoice", "line_no")
    )  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    taxes = _taxes(lines)
    for line in lines:
        writer.writerow([_safe(value) for value in _row(line, taxes[line.pk])])
    return out.getvalue()


def rows_as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Rows by column name, as CSV. Text that looks like a formula gets an apostrophe; numbers below zero do not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe_unless_number(row[name]) for name in columns])
    return out.getvalue()


def _safe_unless_number(value: object) -> object:
    return value if isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else _safe(value)


def _taxes(lines: Sequence[InvoiceLine]) -> dict[int, Decimal]:
    """Each line's share of its invoice's tax, by its key: together they are the tax that is asked for, to the cent."""
    groups: dict[tuple[int, str, Decimal], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        groups[line.invoice_id, line.tax_category, line.tax_rate].append(line)
    found: dict[int, Decimal] = {}
    for same in groups.values():
        decimals = same[0].invoice.currency.decimals
        taxed = [rules.Taxed(line.amount, line.tax_category, line.tax_rate) for line in same]
        [total] = rules.taxes(taxed, decimals=decimals)
        parts = rules.spread(total.tax, [line.amount for line in same], decimals=decimals)
        found |= {line.pk: part for line, part in zip(same, parts, strict=True)}
    return found


def _row(line: InvoiceLine, tax: Decimal) -> list[object]:
    invoice, ordered = line.invoice, line.order_line
    sign = -1 if invoice.kind == InvoiceKind.CREDIT else 1
    plan = ordered.production_order if ordered else None
    net = rules.money(line.amount, decimals=invoice.currency.decimals)
    return [
        invoice.number, invoice.kind, invoice.vendor.code, invoice.vendor_number,
        invoice.credits.number if invoice.credits else "", invoice.invoice_date, invoice.due_date or "", invoice.currency.code,
        line.line_no, line.kind, ordered.order.number if ordered else "", ordered.line_no if ordered else "",
        plan.number if plan else "", ordered.operation_no if ordered else "", ordered.item.code if ordered else "",
        line.quantity.normalize().__format__("f"), line.unit, line.unit_price.normalize().__format__("f"), sign * net,
        line.tax_category, line.tax_rate.normalize().__format__("f"), sign * tax,
        f"{invoice.approved_at:%Y-%m-%dT%H:%M:%SZ}" if invoice.approved_at else "",
        invoice.approved_by.username if invoice.approved_by else "",
    ]  # fmt: skip


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
