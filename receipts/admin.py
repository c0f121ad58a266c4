"""What is expected back, what came and what went back, to read: only services count, inspect and return."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from masterdata.admin import Translated, line_of, never, plain
from receipts.models import DirectDelivery, ExpectedReceipt, PurchaseRequest, Receipt, ReceiptLine, Return, ReturnLine


@admin.register(ExpectedReceipt)
class ExpectedReceiptAdmin(Translated, ModelAdmin):
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
        return [expected.order_line.order.number, gettext("line {no}").format(no=expected.order_line.line_no)]

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, expected: ExpectedReceipt) -> list[str]:
        return [expected.item.code, expected.item.name]

    @display(description="Still expected", ordering="quantity")
    def show_quantity(self, expected: ExpectedReceipt) -> str:
        return f"{plain(expected.quantity)} {expected.item.unit or ''}"

    @display(description="Vendor")
    def show_vendor(self, expected: ExpectedReceipt) -> str:
        return expected.order_line.order.vendor.name or expected.order_line.order.vendor.code


@admin.register(PurchaseRequest)
class PurchaseRequestAdmin(Translated, ModelAdmin):
    list_display = ["reference", "state", "show_item", "show_wanted", "vendor", "needed_on", "expected_on"]
    list_select_related = ["item__unit", "vendor"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("vendor", RelatedDropdownFilter),
        ("needed_on", RangeDateFilter),
        ("item", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    search_fields = ["reference", "item__name"]
    ordering = ["needed_on", "pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseRequest]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, asked: PurchaseRequest) -> list[str]:
        return [asked.item.code, asked.item.name]

    @display(description="Still wanted", ordering="wanted")
    def show_wanted(self, asked: PurchaseRequest) -> str:
        return f"{plain(asked.wanted)} {asked.item.unit or ''}"


@admin.register(DirectDelivery)
class DirectDeliveryAdmin(Translated, ModelAdmin):
    list_display = ["number", "status", "note", "show_order", "item", "show_quantity", "vendor", "arrived_at"]
    list_select_related = ["order_line__order", "item__unit", "vendor"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("vendor", RelatedDropdownFilter),
        ("arrived_at", RangeDateTimeFilter),
        ("item", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    search_fields = ["number", "note", "order_line__order__number", "item__code"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[DirectDelivery]:
        return super().get_queryset(request).visible_to(request.user)

    @display(description="For", ordering="order_line__order__number")
    def show_order(self, delivery: DirectDelivery) -> str:
        return line_of(delivery.order_line)

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, delivery: DirectDelivery) -> str:
        return f"{plain(delivery.quantity)} {delivery.item.unit or ''}"


class ReadOnlyLines(Translated, TabularInline):
    extra = 0
    tab = True
    per_page = 50
    ordering = ["line_no"]
    has_add_permission = has_change_permission = has_delete_permission = never

    @display(description="Quantity")
    def show_quantity(self, line: ReturnLine) -> str:
        return f"{plain(line.quantity)} {line.item.unit or ''}"


class ReceiptLines(ReadOnlyLines):
    model = ReceiptLine
    fields = ["line_no", "item", "show_order", "accepted", "rejected", "scrapped", "held", "fault", "location"]
    readonly_fields = ["show_order"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceiptLine]:
        return super().get_queryset(request).select_related("item", "location", "order_line__order")

    @display(description="For")
    def show_order(self, line: ReceiptLine) -> str:
        return line_of(line.order_line)


class ReturnLines(ReadOnlyLines):
    model = ReturnLine
    fields = ["line_no", "item", "show_quantity", "lot", "stage", "show_order", "from_location", "to_location"]
    readonly_fields = ["show_quantity", "show_order"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLine]:
        related = ["item__unit", "lot", "from_location", "to_location", "component__line__order"]
        return super().get_queryset(request).select_related(*related, "receipt_line__order_line__order")

    @display(description="Of")
    def show_order(self, line: ReturnLine) -> str:
        of = line.component.line if line.component else line.receipt_line.order_line if line.receipt_line else None
        return line_of(of) if of else "Free stock"


class GoodsAdmin(Translated, ModelAdmin):
    """What receipts and returns have in common: a vendor, a site, a status; nothing to change here."""

    list_select_related = ["vendor", "site"]
    list_filter_submit = True
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Vendor", ordering="vendor__name")
    def show_vendor(self, document: Receipt | Return) -> list[str]:
        return [document.vendor.name or document.vendor.code, document.vendor.code]

    @display(
        description="Status",
        ordering="status",
        label={"Posted": "success", "On its way": "info", "Draft": "warning", "In quarantine": "danger"},
    )
    def show_status(self, document: Receipt | Return) -> str:
        return document.get_status_display()


@admin.register(Receipt)
class ReceiptAdmin(GoodsAdmin):
    list_display = ["number", "show_vendor", "show_status", "note", "note_date", "received_at", "site"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
        ("received_at", RangeDateTimeFilter),
    ]
    search_fields = ["number", "note", "vendor__code", "vendor__name"]
    inlines = [ReceiptLines]
    fields = [
        ("number", "status"),
        ("vendor", "site"),
        ("note", "note_date", "is_supplement"),
        ("received_at", "posted_at", "posted_by"),
        ("reversed_at", "reversed_by"),
        "refusal",
    ]


@admin.register(Return)
class ReturnAdmin(GoodsAdmin):
    list_display = ["number", "show_vendor", "kind", "show_status", "created_at", "arrives_on", "site"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    search_fields = ["number", "vendor__code", "vendor__name"]
    inlines = [ReturnLines]
    fields = [
        ("number", "kind", "status"),
        ("vendor", "site"),
        "reason",
        ("created_at", "created_by"),
        ("dispatched_at", "arrives_on"),
        ("posted_at", "reversed_at"),
    ]
