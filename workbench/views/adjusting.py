"""More, or less, of a component was used for a receipt line than was booked: said afterwards, as a difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.refusals import Refusal
from inventory.models import Lot
from masterdata.models import Item
from production.models import Supply
from receipts import services as receipts
from receipts.models import Consumption, Receipt, ReceiptLine
from subcontract_orders.models import OrderComponent
from subcontract_orders.services import flows
from workbench.forms import Unreadable, read_quantity
from workbench.templatetags.workbench import quantity
from workbench.views.page import Shell, page_for, show
from workbench.views.receipts import MAY_CHANGE, SEES

ZERO = Decimal(0)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_CHANGE)
def adjust_consumption(request: HttpRequest, number: str, line_no: int) -> HttpResponse:
    """Say how much more (or less) of a component, of a lot, was used for one line."""
    shell = Shell(request)
    shown = get_object_or_404(Receipt.objects.visible_to(request.user).posted().select_related("vendor"), number=number)
    line = get_object_or_404(shown.lines.select_related("item__unit", "order_line__order"), line_no=line_no)
    parts = parts_of(line)
    form: dict[str, Any] = {
        "item": request.POST.get("item", ""),
        "way": request.POST.get("way", "more"),
        "quantity": request.POST.get("quantity", ""),
        "lot": request.POST.get("lot", ""),
        "reason": request.POST.get("reason", ""),
    }
    problem, at_fault, status = "", "", 200
    if request.method == "POST":
        try:
            said = read_quantity(form["quantity"])
            if not said or said < 0:
                raise Unreadable(_("Write how much more, or less, was used: a number above zero."))
            item = next((part["item"] for part in parts if part["item"].code == form["item"]), None)
            if item is None:
                raise Unreadable(_("Choose a component of this line."))
            receipts.adjust_consumption(
                receipt_id=shown.pk, line_no=line_no, item_id=item.pk, quantity=-said if form["way"] == "less" else said,
                lot=form["lot"].strip(), reason=form["reason"], by=request.user, at=timezone.now(),
            )  # fmt: skip
        except Unreadable as unreadable:
            problem, at_fault, status = str(unreadable), "quantity", 422
        except Refusal as refusal:
            problem, at_fault, status = refusal.detail, refusal.field or "quantity", 422
        else:
            way = _("less") if form["way"] == "less" else _("more")
            text = _("%(quantity)s %(way)s of %(item)s are booked for line %(line)s of %(number)s.")
            messages.success(
                request,
                text % {"quantity": quantity(said), "way": way, "item": item, "line": line_no, "number": number},
                extra_tags=f"adjust/{number}/{line_no}",
            )
            return redirect("workbench:receipt", number=number)
    context = {
        "receipt": shown, "line": line, "parts": parts, "form": form, "problem": problem, "at_fault": at_fault,
        "is_bound": status != 200,
    }  # fmt: skip
    response = show(request, "workbench/receipt_adjust.html", context, section="receipts", shell=shell)
    response.status_code = status
    return response


def parts_of(line: ReceiptLine) -> list[dict[str, Any]]:
    """The components a line uses, with what is booked for it, what lies at the vendor for its order line, and its lots.

    By-products follow, with what is booked as come.
    """
    components = list(
        OrderComponent.objects.filter(line=line.order_line, stage="")
        .exclude(supply__in=[Supply.VENDOR, Supply.RETURNABLE])
        .select_related("item__unit")
        .order_by("position")
    )
    gives = [component for component in components if component.supply == Supply.BY_PRODUCT]
    components = [component for component in components if component.supply != Supply.BY_PRODUCT]
    rows = (
        Consumption.objects.filter(line=line, component__stage="").values_list("item").annotate(total=Sum("quantity"))
    )
    used = dict(rows)
    own = flows.own_lots([component.pk for component in components])
    codes = dict(Lot.objects.filter(item__in=[one.item_id for one in components]).values_list("pk", "code"))
    found: dict[int, dict[str, Any]] = {}
    for component in components:
        item: Item = component.item
        part = found.setdefault(item.pk, {"item": item, "used": used.get(item.pk, ZERO), "there": ZERO, "lots": []})
        for lot_id, lies in own.get(component.pk, {}).items():
            if lies > 0:
                part["there"] += lies
                if lot_id:
                    part["lots"].append(codes[lot_id])
    booked = Consumption.objects.filter(line=line, lot__isnull=False).values_list("item", "lot__code").distinct()
    for item_id, code in booked:
        if item_id in found and code not in found[item_id]["lots"]:
            found[item_id]["lots"].append(code)
    came = receipts.booked_by_component(line) if gives else {}
    for one in gives:
        found.setdefault(one.item_id, {"item": one.item, "came": came.get(one.pk, ZERO), "lots": []})
    return list(found.values())
