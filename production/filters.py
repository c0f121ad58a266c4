"""How bills of material and routings are found."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from masterdata.models import Item
from production.models import BomLine, RoutingStep


class BomFilter(filters.FilterSet):
    item = filters.CharFilter("code")
    component = filters.CharFilter(method="with_component", label="An item that is a component")

    class Meta:
        model = Item
        fields: list[str] = []

    def with_component(self, queryset: QuerySet[Item], name: str, value: str) -> Any:
        return queryset.filter(Exists(BomLine.objects.filter(parent=OuterRef("pk"), component__code=value)))


class RoutingFilter(filters.FilterSet):
    item = filters.CharFilter("code")
    work_center = filters.CharFilter(method="with_step", field_name="work_center__code", label="A work center in it")
    process = filters.CharFilter(method="with_step", field_name="process__code", label="A process in it")

    class Meta:
        model = Item
        fields: list[str] = []

    def with_step(self, queryset: QuerySet[Item], name: str, value: str) -> Any:
        return queryset.filter(Exists(RoutingStep.objects.filter(item=OuterRef("pk"), **{name: value})))
