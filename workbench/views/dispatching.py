"""Goods out at the dock: big fields, one act a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.refusals import Refusal
from documents import services as documents
from inventory.models import Balance
from inventory.rules import has_expired
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from workbench.forms import Unreadable, put_beside, read_quantity
from workbench.rules.undoing import offering
from workbench.templatetags.workbench import called, plain_quantity
from workbench.views.page import Shell, page_for, show
from workbench.views.shipments import MAY_CHANGE as MAY_SHIP
from workbench.views.shipments import SEES as SEES_SHIPMENTS
from workbench.views.shipments import attach_carried, lines_of, say_what_stays, shipment_lists

LINES = 60  # on one page, the most urgent ones
ZERO = Decimal(0)


@require_safe
@page_for(SEES_SHIPMENTS, MAY_SHIP)
def dispatch_list(request: HttpRequest) -> HttpResponse:
    """What waits to leave, the most urgent first."""
    shell = Shell(request)
    waiting = shipment_lists(Shipment.objects.visible_to(request.user))[""]
    rows = list(
        waiting.select_related("vendor", "from_location")
        .with_ready(on=shell.today)
        .order_by("dispatch_by", "pk")[:LINES]
    )
    attach_carried(rows)
    context = {"rows": rows, "dock_page": "dispatch"}
    return show(request, "workbench/dock_dispatch_list.html", context, section="dock", shell=shell)


@dataclass(slots=True)
class OutRow:
    """One row of the dispatch form: what is planned, what lies there, what was typed and what is wrong with it."""

    key: str
    item: Any
    order_number: str
    line_no: int
    order_line_id: int
    stage: str
    planned: Decimal
    there: Decimal
    quantity: str
    lot: str = ""
    lots: list[tuple[str, Decimal, bool]] = field(default_factory=list)  # code, what lies there, whether it has expired
    error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES_SHIPMENTS, MAY_SHIP)
def dispatch(request: HttpRequest, number: str) -> HttpResponse:
    """Pick, dispatch and offer the delivery note in one act; quantities and lots may be changed before."""
    shell = Shell(request)
    shown = get_object_or_404(
        Shipment.objects.visible_to(request.user).select_related("vendor", "site", "from_location", "to_location"),
        number=number,
    )
    if shown.status not in (ShipmentStatus.PLANNED, ShipmentStatus.PICKED):
        if shown.status in (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED):
            messages.info(request, _("{number} has left already.").format(number=number))
        return redirect("workbench:shipment", number=number)
    rows = out_rows(shown, on=shell.today)
    problem, status = "", 200
    if request.method == "POST":
        wanted: list[shipments.ToPick] = []
        at_row: list[OutRow] = []
        for row in rows:
            row.quantity = request.POST.get(f"quantity-{row.key}", "")
            row.lot = request.POST.get(f"lot-{row.key}", "").strip()
            try:
                quantity = read_quantity(row.quantity)
            except Unreadable as unreadable:
                row.error = str(unreadable)
                continue
            if quantity:
                wanted.append(shipments.ToPick(row.item.pk, quantity, row.lot, row.order_line_id, row.stage))
                at_row.append(row)
        if not any(row.error for row in rows):
            try:
                at = timezone.now()
                shipments.dispatch(shipment_id=shown.pk, lines=wanted, by=request.user, at=at)
                documents.watch_shipped(shipment_ids=[shown.pk], at=at)
            except Refusal as refusal:
                problem = put_beside(refusal, at_row)
            else:
                said = _("{number} has left for {vendor}.").format(number=number, vendor=called(shown.vendor))
                undo = reverse("workbench:act_on_shipment", args=[number, "reverse"])
                messages.success(request, said, extra_tags=offering(undo, f"dispatch/{number}"))
                say_what_stays(request, shown)
                return redirect(f"{reverse('workbench:shipment', args=[number])}?left=1")
        status = 422
    context = {"shipment": shown, "rows": rows, "problem": problem, "dock_page": "dispatch", "is_bound": status != 200}
    response = show(request, "workbench/dock_dispatch.html", context, section="dock", shell=shell)
    response.status_code = status
    return response


def out_rows(shown: Shipment, *, on: date) -> list[OutRow]:
    """The rows of the form: one for each part of an order line; of a picked shipment one for each lot."""
    rows: list[OutRow] = []
    lines = lines_of(shown, on=on)
    lots: dict[int, list[tuple[str, Decimal, bool]]] = {}
    there = Balance.objects.filter(
        location=shown.from_location_id, item__in={line.item_id for line in lines}, lot__isnull=False, quantity__gt=0
    ).order_by(F("lot__expires_on").asc(nulls_last=True), "since", "pk")
    for item_id, code, quantity, expires in there.values_list("item", "lot__code", "quantity", "lot__expires_on"):
        lots.setdefault(item_id, []).append((code, quantity, has_expired(expires, on=on)))
    for line in lines:
        rows.append(
            OutRow(
                key=str(line.position),
                item=line.item,
                order_number=line.order_line.order.number,
                line_no=line.order_line.line_no,
                order_line_id=line.order_line_id,
                stage=line.stage,
                planned=line.quantity,
                there=line.there,
                quantity=plain_quantity(max(line.quantity - line.short, ZERO)) if line.short < line.quantity else "",
                lot=line.lot.code if line.lot else "",
                lots=lots.get(line.item_id, []) if not line.stage else [],
            )
        )
    return rows
