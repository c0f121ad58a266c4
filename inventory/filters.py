"""How stock and movements are narrowed."""

from __future__ import annotations

from django_filters import rest_framework as filters

from inventory.models import Balance, CostPool, Movement


class BalanceFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    location = filters.CharFilter("location__code")
    site = filters.CharFilter("location__site__code")
    vendor = filters.CharFilter("location__vendor__code")
    lot = filters.CharFilter("lot__code")

    class Meta:
        model = Balance
        fields = ["stage"]


class ValueFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    site = filters.CharFilter("site__code")
    lot = filters.CharFilter("lot__code")

    class Meta:
        model = CostPool
        fields = ["stage"]


class MovementFilter(filters.FilterSet):
    item = filters.CharFilter("item__code")
    lot = filters.CharFilter("lot__code")
    to = filters.CharFilter("to_location__code")
    since = filters.IsoDateTimeFilter("occurred_at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter("occurred_at", lookup_expr="lt")

    class Meta:
        model = Movement
        fields = ["stage", "document_kind", "document_number"]


# `from` is a word of Python's own, so it cannot be declared as the others are.
MovementFilter.base_filters["from"] = filters.CharFilter("from_location__code")
