"""What a production order costs: expected, committed and actual, operation by operation, and why they differ."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from production.models import ProductionOrder
from reports import services as reports
from workbench.views.page import Shell, page_view, show


@require_safe
@page_view
def order_cost(request: HttpRequest, number: str) -> HttpResponse:
    shell = Shell(request)
    orders = ProductionOrder.objects.visible_to(request.user).select_related("item__unit", "site")
    cost = reports.order_cost(get_object_or_404(orders, number=number))
    return show(
        request, "workbench/order_cost.html", {"cost": cost, "order": cost.order}, section="decisions", shell=shell
    )
