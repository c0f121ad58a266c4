"""The way of a lot: what it was made of, what was made of it, through every vendor."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.refusals import Refusal
from inventory.models import Lot
from masterdata.models import Vendor
from receipts import services as receipts
from receipts.services.tracing import Step, Trace
from workbench.views.balances import SEES
from workbench.views.page import Shell, page_for, show

LATEST = 12  # lots offered where none is asked for
PAGES = {"shipment": "workbench:shipment", "receipt": "workbench:receipt"}


@require_safe
@page_for(SEES)
def trace(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    code, item = request.GET.get("lot", "").strip()[:60], request.GET.get("item", "").strip()[:60]
    context: dict[str, Any] = {"code": code, "item": item, "trace": None, "problem": "", "latest": []}
    status = 200
    if code:
        try:
            found = receipts.trace_lot(lot=receipts.find_lot(code=code, item=item), viewer=request.user)
        except Refusal as refusal:
            context["problem"], status = refusal.detail, refusal.status
        else:
            names = vendor_names(found)
            context["trace"] = found
            context["ways"] = [
                {"word": _("Where it went"), "note": _("what was made of it"), "glyph": "arrow-right", "end": "made",
                 "steps": steps(found.forward, names, forward=True),
                 "empty": _("Nothing was made of it yet.")},
                {"word": _("Where it came from"), "note": _("what it was made of"), "glyph": "arrow-left", "end": "used",
                 "steps": steps(found.back, names, forward=False),
                 "empty": _("It was not made outside: it was bought, or made in house.")},
            ]  # fmt: skip
            context["movements"] = [
                {"row": row, "href": page_of(row.document_kind, row.document_number)} for row in found.movements
            ]
    if not context["trace"]:
        context["latest"] = Lot.objects.select_related("item").order_by("-pk")[:LATEST]
    response = show(request, "workbench/trace.html", context, section="trace", shell=shell)
    response.status_code = status
    return response


def page_of(kind: str, number: str) -> str:
    return reverse(PAGES[kind], args=[number]) if kind in PAGES and number else ""


def vendor_names(found: Trace) -> dict[str, str]:
    codes = {step.vendor for step in [*found.back, *found.forward]}
    return dict(Vendor.objects.filter(code__in=codes).exclude(name="").values_list("code", "name"))


def steps(found: list[Step], names: dict[str, str], *, forward: bool) -> list[dict[str, Any]]:
    """What was made (backwards: what was used) in each step, with all that it was made of (was used for)."""
    laid: dict[tuple[Any, ...], dict[str, Any]] = {}
    for step in found:
        goods, others = (step.made, step.used) if forward else (step.used, step.made)
        entry = laid.setdefault(
            (step.depth, step.receipt, step.line, goods),
            {
                "step": step,
                "goods": goods,
                "quantity": step.made_quantity if forward else step.used_quantity,
                "vendor": names.get(step.vendor, step.vendor),
                "others": [],
            },
        )
        entry["others"].append((others, step.used_quantity if forward else step.made_quantity))
    return list(laid.values())
