"""The palette: orders, vendors and operations by any word of theirs."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from masterdata.models import Vendor
from policies.models import Decision
from receipts.models import Receipt
from shipments.models import Shipment
from subcontract_orders.models import OrderStatus, SubcontractOrder
from workbench.forms import read_filters
from workbench.views.page import page_view
from workbench.views.worklist import filtered_decisions

FINISHED = [OrderStatus.CLOSED, OrderStatus.CANCELLED]
OPEN_FIRST = Case(When(status__in=FINISHED, then=Value(1)), default=Value(0), output_field=IntegerField())


@require_safe
@page_view
def jump(request: HttpRequest) -> HttpResponse:
    filters = read_filters(request.GET)
    text = filters.q.strip()
    hits = None
    if text:
        decisions = Decision.objects.current().visible_to(request.user)
        hits = {
            "vendors": Vendor.objects.visible_to(request.user)
            .active()
            .filter(Q(code__icontains=text) | Q(name__icontains=text))
            .order_by("name", "code")[:4],
            "orders": SubcontractOrder.objects.visible_to(request.user)
            .matching(text)
            .select_related("vendor")
            .order_by(OPEN_FIRST, "due_date", "pk")[:6],
            "shipments": Shipment.objects.visible_to(request.user)
            .filter(number__startswith=text.upper())
            .select_related("vendor")
            .order_by("-pk")[:3],
            "receipts": Receipt.objects.visible_to(request.user)
            .filter(Q(number__startswith=text.upper()) | Q(note__icontains=text))
            .select_related("vendor")
            .order_by("-pk")[:3],
            "decisions": filtered_decisions(decisions, filters)
            .select_related("operation__production_order__item")
            .order_by("need_date", "pk")[:5],
        }
    return render(request, "workbench/_jump.html", {"hits": hits})
