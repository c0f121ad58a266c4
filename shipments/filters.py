"""How lists of shipments are narrowed."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from shipments.models import Shipment, ShipmentLine, ShipmentStatus


class OneOf(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several choices, with commas between."""


class ShipmentFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    status = OneOf(choices=ShipmentStatus.choices)
    to = filters.CharFilter("to_location__code")
    order = filters.CharFilter(method="of_order", label="The number of a subcontract order")
    item = filters.CharFilter(method="of_item", label="An item that is shipped")
    dispatch_by_to = filters.DateFilter("dispatch_by", lookup_expr="lte")

    class Meta:
        model = Shipment
        fields = ["number"]

    def of_order(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(
            Exists(ShipmentLine.objects.filter(shipment=OuterRef("pk"), order_line__order__number=value))
        )

    def of_item(self, queryset: QuerySet[Shipment], name: str, value: str) -> QuerySet[Shipment]:
        return queryset.filter(Exists(ShipmentLine.objects.filter(shipment=OuterRef("pk"), item__code=value)))


# `from` is a word of Python's own, so it cannot be declared as the others are.
ShipmentFilter.base_filters["from"] = filters.CharFilter("from_location__code")
