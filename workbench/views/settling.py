"""How claims on a vendor end: his credit note on them, or taken off an invoice of his before it is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.refusals import Refusal
from invoices import services as invoices
from invoices.models import ChargeBack, Invoice, InvoiceStatus
from invoices.services import CreditedClaim
from masterdata.models import Vendor
from workbench.forms import Unreadable, read_day, read_quantity
from workbench.views.invoices import MAY_ENTER, SEES
from workbench.views.page import Shell, page_for, show


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_ENTER)
def credit_charge_backs(request: HttpRequest, vendor: str) -> HttpResponse:
    """What is claimed of one vendor, and how much of each he has credited or is taken off an invoice."""
    shell = Shell(request)
    shown = get_object_or_404(Vendor.objects.visible_to(request.user), code=vendor)
    payer = shown.belongs_to_id or shown.pk
    mine = ChargeBack.objects.visible_to(request.user).claims_on(payer)
    rows = list(mine.select_related("order_line__order").order_by("pk"))
    payable = Invoice.objects.billed().visible_to(request.user).filter(vendor=payer, status=InvoiceStatus.APPROVED)
    if shell.company:
        payable = payable.filter(currency=shell.company.currency_id)
    typed: dict[str, str] = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    problem, at_fault = "", ""
    if request.method == "POST":
        try:
            made = _enter(request, payer, payable.filter(number=typed.get("on", "")).first(), rows, typed)
        except Refusal as refusal:
            problem, at_fault = refusal.detail, refusal.field or ""
        except Unreadable as unreadable:
            problem = str(unreadable)
        else:
            said = {"credit": made, "net": made.net.normalize(), "currency": made.currency, "vendor": made.vendor}
            messages.success(request, _("%(credit)s takes %(net)s %(currency)s off what %(vendor)s is paid.") % said)
            return redirect("workbench:invoice", made.number)
    for row in rows:
        row.typed = typed.get(f"amount-{row.pk}", "") if typed else f"{row.open.normalize():f}"
    context: dict[str, Any] = {
        "vendor": shown, "rows": rows, "typed": typed or {"on": request.GET.get("on", "")}, "problem": problem,
        "at_fault": at_fault, "payable": payable.order_by("invoice_date", "pk"),
    }  # fmt: skip
    response = show(request, "workbench/charge_back_credit.html", context, section="invoices", shell=shell)
    response.status_code = 422 if problem else 200
    return response


def _enter(
    request: HttpRequest, payer: int, on: Invoice | None, rows: Sequence[ChargeBack], typed: Mapping[str, str]
) -> Invoice:
    """Netted on an invoice where one is named, else his credit note. Raises Unreadable and what the services refuse."""
    tax_rate = read_quantity(typed.get("tax_rate", "")) or Decimal(0)
    claims = []
    for row in rows:
        amount = read_quantity(typed.get(f"amount-{row.pk}", ""))
        if amount:
            claims.append(CreditedClaim(row.pk, amount=None if amount == row.open else amount, tax_rate=tax_rate))
    act: dict[str, Any] = {"claims": claims, "by": request.user, "at": timezone.now()}
    if on is not None:
        return invoices.net_charge_backs(invoice_id=on.pk, **act)
    return invoices.credit_charge_backs(
        vendor_id=payer, number=typed.get("number", "")[:60], credit_date=read_day(typed.get("credit_date", "")),
        note=typed.get("note", "")[:300], **act,
    )  # fmt: skip
