"""Shipments, to read: only services pick, dispatch and reverse."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from masterdata.admin import Translated, line_of, never, plain
from shipments.models import Shipment, ShipmentLine


class ShipmentLines(Translated, TabularInline):
    model = ShipmentLine
    fields = ["position", "item", "show_quantity", "stage", "lot", "show_order"]
    readonly_fields = ["show_quantity", "show_order"]
    ordering = ["position"]
    extra = 0
    tab = True
    per_page = 50
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShipmentLine]:
        return super().get_queryset(request).select_related("item", "item__unit", "lot", "order_line__order")

    @display(description="Quantity")
    def show_quantity(self, line: ShipmentLine) -> str:
        return f"{plain(line.quantity)} {line.item.unit or ''}"

    @display(description="For")
    def show_order(self, line: ShipmentLine) -> str:
        return line_of(line.order_line)


@admin.register(Shipment)
class ShipmentAdmin(Translated, ModelAdmin):
    list_display = ["number", "show_vendor", "show_status", "from_location", "to_location", "dispatch_by"]
    list_select_related = ["vendor", "from_location", "to_location"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
        ("dispatch_by", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = ["number", "vendor__code", "vendor__name"]
    ordering = ["dispatch_by", "pk"]
    show_full_result_count = False
    inlines = [ShipmentLines]
    fields = [
        ("number", "status"),
        ("vendor", "site"),
        ("from_location", "to_location"),
        ("dispatch_by", "dispatched_at"),
        ("arrives_on", "delivered_at", "reversed_at"),
    ]
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shipment]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Vendor", ordering="vendor__name")
    def show_vendor(self, shipment: Shipment) -> list[str]:
        return [shipment.vendor.name or shipment.vendor.code, shipment.vendor.code]

    @display(
        description="Status",
        ordering="status",
        label={"Picked": "warning", "Dispatched": "info", "Delivered": "success", "Held": "danger"},
    )
    def show_status(self, shipment: Shipment) -> str:
        return shipment.get_status_display()
