"""How lists of invoices are narrowed."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import rest_framework as filters

from invoices.models import ChargeBack, Hold, Invoice, InvoiceLine, Match
from subcontract_orders.models import OrderLine


class InvoiceFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    site = filters.CharFilter("site__code")
    order = filters.CharFilter(method="of_order", label="The number of a subcontract order")
    held = filters.CharFilter(method="held_for", label="A reason that holds it")
    since = filters.DateFilter("invoice_date", lookup_expr="gte")
    until = filters.DateFilter("invoice_date", lookup_expr="lte")

    class Meta:
        model = Invoice
        fields = ["number", "vendor_number", "status", "kind"]

    def of_order(self, queryset: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        lines = InvoiceLine.objects.filter(invoice=OuterRef("pk"), order_line__order__number=value)
        return queryset.filter(Exists(lines))

    def held_for(self, queryset: QuerySet[Invoice], name: str, value: str) -> QuerySet[Invoice]:
        return queryset.filter(Exists(Hold.objects.filter(invoice=OuterRef("pk"), code=value)), status="held")


class ChargeBackFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    order = filters.CharFilter("order_line__order__number")

    class Meta:
        model = ChargeBack
        fields = ["number", "kind", "status"]


class NotInvoicedFilter(filters.FilterSet):
    vendor = filters.CharFilter("vendor__code")
    order = filters.CharFilter("order__number")
    site = filters.CharFilter("order__site__code")
    production_order = filters.CharFilter("production_order__number")

    class Meta:
        model = OrderLine
        fields: list[str] = []


class PriceVarianceFilter(filters.FilterSet):
    vendor = filters.CharFilter("line__invoice__vendor__code")
    invoice = filters.CharFilter("line__invoice__number")
    order = filters.CharFilter("order_line__order__number")
    production_order = filters.CharFilter("order_line__production_order__number")
    item = filters.CharFilter("order_line__item__code")
    since = filters.DateFilter("posted_at__date", lookup_expr="gte")
    until = filters.DateFilter("posted_at__date", lookup_expr="lte")

    class Meta:
        model = Match
        fields: list[str] = []
