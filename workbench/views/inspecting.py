"""Inspection: pieces that came and wait, what was found of them, and what becomes of the bad ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from core.refusals import Refusal
from receipts import services as receipts
from receipts.models import Disposition, Fault, Receipt, ReceiptLine, ReceiptStatus
from workbench.forms import Unreadable, read_quantity
from workbench.templatetags.workbench import plain_quantity
from workbench.views.page import Shell, page_for, show
from workbench.views.receipts import MAY_INSPECT
from workbench.views.receipts import SEES as SEES_RECEIPTS

LINES = 100
INSPECTION = "inspection"
TYPED = ("accepted", "rejected", "disposition", "fault", "lot", "reason", "waive_reason")
DONE = {
    "inspect": gettext_lazy("Line {line} of {receipt} is inspected."),
    "certify": gettext_lazy("The papers of line {line} are here."),
    "waive": gettext_lazy("Line {line} of {receipt} may pass."),
}


@require_safe
@page_for(SEES_RECEIPTS)
def inspect_list(request: HttpRequest) -> HttpResponse:
    """What waits for inspection or a certificate, the oldest first."""
    shell = Shell(request)
    rows = (
        ReceiptLine.objects.filter(
            held__gt=0, receipt__status=ReceiptStatus.POSTED, receipt__in=Receipt.objects.visible_to(request.user)
        )
        .select_related("receipt__vendor", "item__unit", "order_line__order", "location")
        .order_by("pk")[:LINES]
    )
    context = {"rows": rows, "dock_page": "inspect", "may_inspect": request.user.has_perm(MAY_INSPECT)}
    return show(request, "workbench/dock_inspect_list.html", context, section="dock", shell=shell)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES_RECEIPTS, MAY_INSPECT)
def inspect(request: HttpRequest, number: str) -> HttpResponse:
    """The lines of one receipt that wait, each with its own form."""
    shell = Shell(request)
    shown = get_object_or_404(Receipt.objects.visible_to(request.user).select_related("vendor"), number=number)
    lines = list(
        shown.lines.filter(Q(held__gt=0) | Q(rejected__gt=F("disposed")))
        .select_related("item__unit", "order_line__order", "order_line__process", "location")
        .prefetch_related("lots__lot")
        .order_by("line_no")
    )
    status = 200
    for line in lines:
        prepare(line)
    if request.method == "POST":
        chosen = next((line for line in lines if str(line.line_no) == request.POST.get("line")), None)
        if chosen is None:
            messages.info(request, _("That line was decided about already."))
            return redirect("workbench:inspect", number=number)
        if decide(request, shown, chosen):
            left = len(lines) > 1 or ReceiptLine.objects.filter(pk=chosen.pk, held__gt=0).exists()
            return redirect("workbench:inspect" if left else "workbench:receipt", number=number)
        status = 422
    if not lines and status == 200:
        return redirect("workbench:receipt", number=number)
    context = {
        "receipt": shown,
        "lines": lines,
        "dispositions": Disposition.choices,
        "faults": Fault.choices,
        "dock_page": "inspect",
    }
    response = show(request, "workbench/dock_inspect.html", context, section="dock", shell=shell)
    response.status_code = status
    return response


def prepare(line: Any) -> None:
    """What the form of a line begins with."""
    line.is_waiting = line.held > 0
    line.is_looked_at = INSPECTION in line.held_for
    line.papers = [kind for kind in line.held_for if kind != INSPECTION]
    line.undecided = line.rejected - line.disposed
    possible = (line.held if line.is_sample else line.to_inspect) if line.is_looked_at else Decimal(0)
    line.possible = possible
    start = line.to_inspect if line.is_looked_at else Decimal(0)
    line.typed = {"accepted": plain_quantity(start) if start else "", "rejected": "", "fault": line.fault}
    if not line.is_waiting:
        line.typed["rejected"] = plain_quantity(line.undecided)
    line.codes = [one.lot.code for one in line.lots.all()]
    line.error, line.at_fault = "", ""


def decide(request: HttpRequest, shown: Receipt, line: Any) -> bool:
    """Do what was said of a line. Where it is refused, the reason stands beside its field."""
    action = request.POST.get("act", "inspect")
    line.typed = {name: request.POST.get(name, "") for name in TYPED}
    said: dict[str, Any] = {"receipt_id": shown.pk, "line_no": line.line_no, "by": request.user, "at": timezone.now()}
    try:
        if action == "certify":
            receipts.hand_in_certificates(certificates=request.POST.getlist("certificate") or line.papers, **said)
        elif action == "waive":
            receipts.waive_hold(reason=line.typed["waive_reason"], **said)
        else:
            action = "inspect"
            receipts.inspect_receipt(**quantities(line), **{name: line.typed[name] for name in ("disposition", "lot", "reason")},
                            fault=line.typed["fault"] or Fault.OPEN, **said)  # fmt: skip
    except Unreadable as unreadable:
        line.error = str(unreadable)
    except Refusal as refusal:
        line.error = refusal.detail
        line.at_fault = "waive_reason" if action == "waive" else (refusal.field or "")
    else:
        messages.success(
            request,
            str(DONE[action]).format(line=line.line_no, receipt=shown),
            extra_tags=f"inspect/{shown.number}/{line.line_no}",
        )
        return True
    return False


def quantities(line: Any) -> dict[str, Decimal]:
    """Accepted and rejected pieces, as typed. Raises Unreadable."""
    found = {}
    for name in ("accepted", "rejected"):
        line.at_fault = name
        found[name] = read_quantity(line.typed[name]) or Decimal(0)
    line.at_fault = ""
    return found
