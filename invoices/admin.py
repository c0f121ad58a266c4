"""Invoices and charge-backs, to read: only services change them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from invoices.models import ChargeBack, Hold, Invoice, InvoiceLine
from masterdata.admin import Translated, never, plain


class InvoiceLineInline(Translated, TabularInline):
    model = InvoiceLine
    fields = readonly_fields = [
        "line_no", "kind", "show_order", "quantity", "unit", "unit_price", "amount", "tax_category", "tax_rate",
    ]  # fmt: skip
    extra = 0
    tab = True
    ordering = ["line_no"]
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        return super().get_queryset(request).select_related("order_line__order")

    @display(description="Order line")
    def show_order(self, line: InvoiceLine) -> str:
        return f"{line.order_line.order.number}/{line.order_line.line_no}" if line.order_line else "–"


class HoldInline(Translated, TabularInline):
    model = Hold
    fields = readonly_fields = ["code", "detail", "allowed", "found"]
    extra = 0
    tab = True
    has_add_permission = has_change_permission = has_delete_permission = never


@admin.register(Invoice)
class InvoiceAdmin(Translated, ModelAdmin):
    list_display = ["show_number", "show_vendor", "show_status", "invoice_date", "show_net", "currency"]
    list_select_related = ["vendor", "currency"]
    list_filter = [
        ("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), ("vendor", AutocompleteSelectFilter),
        ("invoice_date", RangeDateFilter),
    ]  # fmt: skip
    list_filter_submit = True
    search_fields = ["number", "vendor_number", "vendor__code", "vendor__name"]
    ordering = ["-pk"]
    show_full_result_count = False
    inlines = [InvoiceLineInline, HoldInline]
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Invoice", ordering="number")
    def show_number(self, invoice: Invoice) -> list[str]:
        return [invoice.vendor_number, invoice.number]

    @display(description="Vendor", ordering="vendor__name")
    def show_vendor(self, invoice: Invoice) -> str:
        return invoice.vendor.name or invoice.vendor.code

    @display(
        description="Status",
        ordering="status",
        label={
            "held": "danger",
            "disputed": "warning",
            "matched": "info",
            "approved": "success",
            "exported": "success",
        },
    )
    def show_status(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.status, invoice.get_status_display()

    @display(description="Net", ordering="net")
    def show_net(self, invoice: Invoice) -> str:
        return plain(invoice.net)


@admin.register(ChargeBack)
class ChargeBackAdmin(Translated, ModelAdmin):
    list_display = ["number", "kind", "status", "vendor", "order_line", "amount", "set_off", "created_at"]
    list_select_related = ["vendor", "order_line"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    search_fields = ["number", "vendor__code", "vendor__name"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChargeBack]:
        return super().get_queryset(request).visible_to(request.user)
