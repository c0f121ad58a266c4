"""What is expected back, to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.decorators import display

from masterdata.admin import never, plain
from receipts.models import ExpectedReceipt


@admin.register(ExpectedReceipt)
class ExpectedReceiptAdmin(ModelAdmin):
    list_display = ["show_order", "show_item", "show_quantity", "show_vendor", "expected_on", "location"]
    list_select_related = ["order_line__order__vendor", "item", "item__unit", "location"]
    list_filter = [("expected_on", RangeDateFilter), ("item", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["order_line__order__number", "item__code", "item__name"]
    ordering = ["expected_on", "pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExpectedReceipt]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Order line", ordering="order_line__order__number")
    def show_order(self, expected: ExpectedReceipt) -> list[str]:
        return [expected.order_line.order.number, f"line {expected.order_line.line_no}"]

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, expected: ExpectedReceipt) -> list[str]:
        return [expected.item.code, expected.item.name]

    @display(description="Still expected", ordering="quantity")
    def show_quantity(self, expected: ExpectedReceipt) -> str:
        return f"{plain(expected.quantity)} {expected.item.unit or ''}"

    @display(description="Vendor")
    def show_vendor(self, expected: ExpectedReceipt) -> str:
        return expected.order_line.order.vendor.name or expected.order_line.order.vendor.code
