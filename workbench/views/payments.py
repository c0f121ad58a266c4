"""Approved invoices handed over to whoever pays: a file of all that is new, and every file made before."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.refusals import Refusal
from invoices import services as invoices
from invoices.api.exporting import as_file
from invoices.models import Invoice, InvoiceStatus, PaymentExport
from workbench.views.invoices import SEES
from workbench.views.page import Shell, count, page_for, paged, show

MAY_EXPORT = "invoices.export_invoice"


@require_safe
@page_for(SEES)
def payment_export_list(request: HttpRequest) -> HttpResponse:
    """What was handed over, newest first, and how much waits."""
    shell = Shell(request)
    files = PaymentExport.objects.visible_to(request.user).select_related("exported_by").defer("content")
    waiting = Invoice.objects.visible_to(request.user).filter(status=InvoiceStatus.APPROVED)
    context = {
        "page": paged(request, files.order_by("-pk")),
        "waiting": count(waiting),
        "may_export": request.user.has_perm(MAY_EXPORT),
    }
    return show(request, "workbench/payment_export_list.html", context, section="invoices", shell=shell)


@require_POST
@page_for(SEES, MAY_EXPORT)
def export_invoices(request: HttpRequest) -> HttpResponse:
    """Hand over all that is approved; each goes once. The file stands in the list, to be had whenever it is wanted."""
    try:
        made = invoices.export_approved(by=request.user, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        said = {"number": made.number, "invoices": made.invoices}
        messages.success(request, _("%(number)s is ready, with %(invoices)s invoices and credit notes.") % said)
    return redirect("workbench:payment_export_list")


@require_safe
@page_for(SEES)
def payment_file(request: HttpRequest, number: str) -> HttpResponse:
    """A file that was handed over, as it was."""
    return as_file(get_object_or_404(PaymentExport.objects.visible_to(request.user), number=number))
