"""How lists of receipts are narrowed."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from inventory.models import Balance
from production.models import ProductionOrder
from receipts.models import DirectDelivery, PurchaseRequest, Receipt, ReceiptLine, Return, ReturnLine


class OrderCostsFilter(filters.FilterSet):
    production_order = filters.CharFilter("number")
    item = filters.CharFilter("item__code")
    site = filters.CharFilter("site__code")

    class Meta:
        model = ProductionOrder
        fields = ["status"]


class ReceiptFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    order = filters.CharFilter(method="of_order", label="The number of a subcontract order")
    item = filters.CharFilter(method="of_item", label="An item that came")
    held = filters.BooleanFilter(method="with_held", label="Whether pieces wait for inspection or certificates")
    since = filters.IsoDateTimeFilter("received_at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter("received_at", lookup_expr="lt")

    class Meta:
        model = Receipt
        fields = ["number", "note", "status"]

    def of_order(self, queryset: QuerySet[Receipt], name: str, value: str) -> QuerySet[Receipt]:
        lines = ReceiptLine.objects.filter(receipt=OuterRef("pk"), order_line__order__number=value)
        return queryset.filter(Exists(lines))

    def of_item(self, queryset: QuerySet[Receipt], name: str, value: str) -> QuerySet[Receipt]:
        return queryset.filter(Exists(ReceiptLine.objects.filter(receipt=OuterRef("pk"), item__code=value)))

    def with_held(self, queryset: QuerySet[Receipt], name: str, value: bool) -> QuerySet[Receipt]:
        held = Exists(ReceiptLine.objects.filter(receipt=OuterRef("pk"), held__gt=0))
        return queryset.filter(held if value else ~held)


class PurchaseRequestFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    order = filters.CharFilter("order__number", label="The number of a subcontract order")
    item = filters.CharFilter("item__code")
    waiting = filters.BooleanFilter(method="of_which_waits", label="Whether something is still to arrive")
    needed_from = filters.DateFilter("needed_on", lookup_expr="gte")
    needed_until = filters.DateFilter("needed_on", lookup_expr="lte")

    class Meta:
        model = PurchaseRequest
        fields = ["state"]

    def of_which_waits(self, queryset: QuerySet[PurchaseRequest], name: str, value: bool) -> QuerySet[PurchaseRequest]:
        return queryset.filter(wanted__gt=0) if value else queryset.filter(wanted=0)


class DirectDeliveryFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    order = filters.CharFilter("order_line__order__number", label="The number of a subcontract order")
    item = filters.CharFilter("item__code")

    class Meta:
        model = DirectDelivery
        fields = ["number", "note", "status"]


class ReturnFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    order = filters.CharFilter(method="of_order", label="The number of a subcontract order")
    item = filters.CharFilter(method="of_item", label="An item that comes back")

    class Meta:
        model = Return
        fields = ["number", "kind", "status"]

    def of_order(self, queryset: QuerySet[Return], name: str, value: str) -> QuerySet[Return]:
        lines = ReturnLine.objects.filter(document=OuterRef("pk"))
        mine = lines.filter(component__line__order__number=value) | lines.filter(
            receipt_line__order_line__order__number=value
        )
        return queryset.filter(Exists(mine))

    def of_item(self, queryset: QuerySet[Return], name: str, value: str) -> QuerySet[Return]:
        return queryset.filter(Exists(ReturnLine.objects.filter(document=OuterRef("pk"), item__code=value)))


class VendorBalanceFilter(filters.FilterSet):
    """`from` and `to` (days, both included) set the period; they narrow no rows."""

    vendor = filters.CharFilter("location__vendor__code")
    location = filters.CharFilter("location__code")
    item = filters.CharFilter("item__code")
    lot = filters.CharFilter("lot__code")
    to = filters.DateFilter(method="of_period", label="The last day of the period")
    lying = filters.BooleanFilter(method="lying_there", label="Whether something lies there now")

    class Meta:
        model = Balance
        fields = ["stage"]

    def of_period(self, queryset: QuerySet[Balance], name: str, value: object) -> QuerySet[Balance]:
        return queryset

    def lying_there(self, queryset: QuerySet[Balance], name: str, value: bool) -> QuerySet[Balance]:
        return queryset.filter(quantity__gt=0) if value else queryset.filter(quantity=0)


# `from` is a word of Python's own, so it cannot be declared as the others are.
VendorBalanceFilter.base_filters["from"] = filters.DateFilter(method="of_period", label="The first day of the period")
