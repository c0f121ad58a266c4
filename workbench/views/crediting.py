"""Beside a vendor's invoice: his credit note on it, and the invoice we write for him out of what was received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.refusals import Refusal
from invoices import services as invoices
from invoices.models import Invoice, InvoiceLine, InvoiceStatus, TaxCategory
from invoices.services import EnteredLine
from masterdata.models import Vendor
from workbench.forms import Unreadable, read_day, read_quantity
from workbench.views.invoices import MAY_ENTER, SEES, to_invoice, vendors_with_receipts
from workbench.views.page import Shell, page_for, show

ZERO = Decimal(0)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_ENTER)
def credit(request: HttpRequest, number: str) -> HttpResponse:
    """A vendor's credit note, written down beside the lines of the invoice it takes something off."""
    shell = Shell(request)
    found = Invoice.objects.billed().exclude(status=InvoiceStatus.WITHDRAWN).visible_to(request.user)
    shown = get_object_or_404(found.select_related("vendor", "currency"), number=number)
    before = InvoiceLine.objects.exclude(invoice__status=InvoiceStatus.WITHDRAWN)
    lines = list(shown.lines.select_related("order_line__order", "order_line__item").order_by("line_no"))
    credits = shown.credit_notes.exclude(status=InvoiceStatus.WITHDRAWN).prefetch_related(Prefetch("lines", before))
    taken = [line for one in credits for line in one.lines.all()]
    typed: dict[str, str] = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    problem, at_fault = "", ""
    if request.method == "POST":
        version = typed.get("version", "")
        try:
            made = invoices.credit_invoice(
                invoice_id=shown.pk, lines=_typed_credit(typed, lines), number=typed.get("number", "")[:60],
                credit_date=read_day(typed.get("credit_date", "")), note=typed.get("note", "")[:300],
                expected_version=int(version) if version.isdecimal() and len(version) < 10 else None,
                by=request.user, at=timezone.now(),
            )  # fmt: skip
        except Refusal as refusal:
            problem, at_fault = refusal.detail, refusal.field or ""
        except Unreadable as unreadable:
            problem = str(unreadable)
        else:
            messages.success(
                request,
                _("%(credit)s takes %(net)s %(currency)s off %(number)s.")
                % {"credit": made, "net": made.net.normalize(), "currency": made.currency, "number": shown},
            )
            return redirect("workbench:invoice", made.number)
    for line in lines:
        line.credited = sum((one.amount for one in taken if _same(one, line)), ZERO)
        line.typed = {name: typed.get(f"{name}-{line.pk}", "") for name in ("quantity", "price", "amount")}
    context = {"invoice": shown, "lines": lines, "typed": typed, "problem": problem, "at_fault": at_fault}
    response = show(request, "workbench/invoice_credit.html", context, section="invoices", shell=shell)
    response.status_code = 422 if problem else 200
    return response


def _same(credited: InvoiceLine, line: InvoiceLine) -> bool:
    return (credited.order_line_id, credited.kind) == (line.order_line_id, line.kind)


def _typed_credit(typed: Mapping[str, str], lines: Sequence[InvoiceLine]) -> list[EnteredLine]:
    """What is taken off, line by line; a line without a quantity or amount is not credited. Raises Unreadable."""
    entered = []
    for line in lines:
        if line.is_charge:
            amount = read_quantity(typed.get(f"amount-{line.pk}", ""))
            if amount:
                entered.append(EnteredLine(line.order_line_id, kind=line.kind, amount=amount))
            continue
        quantity = read_quantity(typed.get(f"quantity-{line.pk}", ""))
        if quantity:
            price = read_quantity(typed.get(f"price-{line.pk}", ""))
            entered.append(
                EnteredLine(
                    line.order_line_id, quantity=quantity, unit=line.unit, unit_price=line.unit_price if price is None else price
                )
            )  # fmt: skip
    return entered


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_ENTER)
def self_bill(request: HttpRequest) -> HttpResponse:
    """Write the invoice for a vendor: all that was accepted of him and is not invoiced, at the agreed prices."""
    shell = Shell(request)
    code = request.POST.get("vendor") or request.GET.get("vendor", "")
    vendor = Vendor.objects.visible_to(request.user).filter(code=code).first() if "\x00" not in code else None
    typed: dict[str, str] = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    problem = ""
    if request.method == "POST" and vendor:
        category = typed.get("tax_category", "")
        try:
            made = invoices.self_bill(
                vendor_id=vendor.pk,
                until=read_day(typed.get("until", "")),
                tax_category=category if category in TaxCategory.values else TaxCategory.STANDARD,
                tax_rate=read_quantity(typed.get("tax_rate", "")) or ZERO,
                by=request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            problem = refusal.detail
        except Unreadable as unreadable:
            problem = str(unreadable)
        else:
            word = made.get_status_display().lower()
            messages.success(request, _("%(number)s is written and %(status)s.") % {"number": made, "status": word})
            return redirect("workbench:invoice", made.number)
    rows, more = to_invoice(request, vendor) if vendor else ([], False)
    context: dict[str, Any] = {
        "vendor": vendor,
        "vendors": vendors_with_receipts(request),
        "rows": [row for row in rows if not row["line"].is_price_open],
        "open_prices": [row for row in rows if row["line"].is_price_open],
        "more": more,
        "typed": typed,
        "problem": problem,
        "tax_categories": TaxCategory.choices,
    }
    response = show(request, "workbench/invoice_self_bill.html", context, section="invoices", shell=shell)
    response.status_code = 422 if problem else 200
    return response
