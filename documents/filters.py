"""How lists of document sets and runs are narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django_filters import rest_framework as filters

from documents.models import Action, GenerationRun, RunItem, RunState
from receipts.models import ExpectedReceipt
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder


class OneOf(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several choices, with commas between."""


class OfALine(filters.CharFilter):
    """Orders with a line that is not cancelled and of which this is so."""

    def filter(self, queryset: Any, value: str) -> Any:
        if not value:
            return queryset
        lines = OrderLine.objects.active().filter(order=OuterRef("pk"), **{self.field_name: value})
        return queryset.filter(Exists(lines))


class SubcontractOrderFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    status = OneOf(choices=OrderStatus.choices)
    item = OfALine("item__code")
    process = OfALine("process__code")
    production_order = OfALine("production_order__number")
    operation = OfALine("operation_no")
    policy = OfALine("policy_code")
    run = filters.CharFilter("made_by_run")
    due_from = filters.DateFilter("due_date", lookup_expr="gte")
    due_to = filters.DateFilter("due_date", lookup_expr="lte")
    order_by_to = filters.DateFilter("order_by", lookup_expr="lte")

    class Meta:
        model = SubcontractOrder
        fields = ["number", "material", "receipt"]


class ExpectedReceiptFilter(filters.FilterSet):
    order = filters.CharFilter("order_line__order__number")
    vendor = filters.CharFilter("order_line__order__vendor__code")
    item = filters.CharFilter("item__code")
    location = filters.CharFilter("location__code")
    date_to = filters.DateFilter("expected_on", lookup_expr="lte")

    class Meta:
        model = ExpectedReceipt
        fields: list[str] = []


class GenerationRunFilter(filters.FilterSet):
    state = OneOf(choices=RunState.choices)
    dry_run = filters.BooleanFilter("is_dry")

    class Meta:
        model = GenerationRun
        fields: list[str] = []


class RunItemFilter(filters.FilterSet):
    action = OneOf(choices=Action.choices)
    order = filters.CharFilter("order_number")
    production_order = filters.CharFilter("operation__production_order__number")

    class Meta:
        model = RunItem
        fields = ["outcome"]
