"""Subcontract orders, to read: only services move an order, on its own page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from masterdata.admin import Translated, money, never, plain
from subcontract_orders.models import OrderLine, SubcontractOrder


class OrderLines(Translated, TabularInline):
    model = OrderLine
    fields = [
        "line_no",
        "show_what",
        "show_quantity",
        "unit_price",
        "amount",
        "need_date",
        "order_by",
        "late_by",
        "status",
    ]
    readonly_fields = ["show_what", "show_quantity"]
    ordering = ["line_no"]
    extra = 0
    tab = True
    per_page = 50
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("item", "item__unit", "process", "production_order")

    @display(description="Work")
    def show_what(self, line: OrderLine) -> str:
        work = line.process.code if line.process else "Bought complete"
        source = f" · {line.production_order.number}/{line.operation_no}" if line.production_order else ""
        return f"{work} of {line.item.code}{source}"

    @display(description="Quantity")
    def show_quantity(self, line: OrderLine) -> str:
        return f"{plain(line.quantity)} {line.item.unit or ''}"


@admin.register(SubcontractOrder)
class SubcontractOrderAdmin(Translated, ModelAdmin):
    list_display = ["show_number", "show_vendor", "show_status", "order_by", "due_date", "show_total", "receipt"]
    list_select_related = ["vendor", "currency"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
        ("order_by", RangeDateFilter),
        ("due_date", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = ["number", "vendor__code", "vendor__name"]
    ordering = ["order_by", "pk"]
    show_full_result_count = False
    inlines = [OrderLines]
    fields = [
        ("number", "status", "revision"),
        ("vendor", "ship_to", "receive_at"),
        ("currency", "total", "total_company"),
        ("order_by", "dispatch_by", "due_date"),
        ("made_by_run", "created_at", "auto_send_at"),
        ("approved_at", "approved_by"),
        ("sent_at", "sent_by"),
    ]
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubcontractOrder]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Order", ordering="number")
    def show_number(self, order: SubcontractOrder) -> list[str]:
        return [
            order.number,
            gettext("made by {run}").format(run=order.made_by_run) if order.made_by_run else "made by hand",
        ]

    @display(header=True, description="Vendor", ordering="vendor__name")
    def show_vendor(self, order: SubcontractOrder) -> list[str]:
        return [order.vendor.name or order.vendor.code, order.vendor.code]

    @display(
        description="Status",
        ordering="status",
        label={"Approved": "warning", "Sent": "info", "Acknowledged": "primary", "Closed": "success", "Held": "danger"},
    )
    def show_status(self, order: SubcontractOrder) -> str:
        return order.get_status_display()

    @display(description="Value", ordering="total_company")
    def show_total(self, order: SubcontractOrder) -> str:
        return f"{money(order.total, order.currency.decimals)} {order.currency.code}"
