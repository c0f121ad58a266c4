"""How lists of policies, prices, approvals, decisions and production orders are narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from policies.models import Decision, Policy, PriceAgreement, VendorApproval, Verdict
from production.models import OrderStatus, ProductionOrder


class OneOf(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several choices, with commas between."""


class PolicyFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    item_group = filters.CharFilter("item_group__code")
    process = filters.CharFilter("process__code")
    work_center = filters.CharFilter("work_center__code")
    site = filters.CharFilter("site__code")
    vendor = filters.CharFilter("vendors__vendor__code")

    class Meta:
        model = Policy
        fields = ["code", "status", "verdict", "strategy"]


class PriceAgreementFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    item = filters.CharFilter("item__code")
    process = filters.CharFilter("process__code")
    site = filters.CharFilter("site__code")
    currency = filters.CharFilter("currency__code")
    price_missing = filters.BooleanFilter("unit_price", lookup_expr="isnull")

    class Meta:
        model = PriceAgreement
        fields: list[str] = []


class VendorApprovalFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    process = filters.CharFilter("process__code")
    valid_to_before = filters.DateFilter("valid_to", lookup_expr="lte")

    class Meta:
        model = VendorApproval
        fields = ["status"]


class DecisionFilter(filters.FilterSet):
    production_order = filters.CharFilter("operation__production_order__number")
    operation = filters.CharFilter("operation__operation_no")
    item = filters.CharFilter("operation__production_order__item__code")
    process = filters.CharFilter("operation__process__code")
    work_center = filters.CharFilter("operation__work_center__code")
    site = filters.CharFilter("operation__production_order__site__code")
    verdict = OneOf(choices=Verdict.choices)
    vendor = filters.CharFilter("awards__vendor__code", distinct=True)
    policy = filters.CharFilter("policy__code")
    reason = filters.CharFilter(method="with_reason", label="A code that must be among the reasons")
    history = filters.BooleanFilter(method="with_history", label="Earlier versions as well")

    class Meta:
        model = Decision
        fields = ["basis"]

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("history") else found.current()

    def with_reason(self, queryset: QuerySet[Decision], name: str, value: str) -> QuerySet[Decision]:
        return queryset.filter(reasons__contains=[{"code": value}])

    def with_history(self, queryset: QuerySet[Decision], name: str, value: bool) -> QuerySet[Decision]:
        return queryset


class ProductionOrderFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    site = filters.CharFilter("site__code")
    status = OneOf(choices=OrderStatus.choices)
    parent_order = filters.CharFilter("parent_number")
    due_from = filters.DateFilter("due_date", lookup_expr="gte")
    due_to = filters.DateFilter("due_date", lookup_expr="lte")
    changed_since = filters.IsoDateTimeFilter("changed_at", lookup_expr="gte")

    class Meta:
        model = ProductionOrder
        fields = ["number", "source"]
