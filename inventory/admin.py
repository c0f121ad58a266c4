"""The ledger, to read: movements are final, balances are their sums."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import display

from inventory.models import Balance, CostPool, Lot, Movement
from masterdata.admin import CompanyAdmin, Translated, money, never, plain
from masterdata.models import Company


@admin.register(Company)
class OurCompanyAdmin(CompanyAdmin):
    """Its currency stays once stock is valued in it: no rate could turn every value that was ever booked."""

    def get_readonly_fields(self, request: HttpRequest, obj: Company | None = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "currency"] if Movement.objects.is_valued() else fields


@admin.register(Lot)
class LotAdmin(Translated, ModelAdmin):
    list_display = ["code", "item", "expires_on"]
    list_select_related = ["item"]
    search_fields = ["code", "item__code"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never


@admin.register(Movement)
class MovementAdmin(Translated, ModelAdmin):
    list_display = ["occurred_at", "show_item", "show_quantity", "from_location", "to_location", "show_document", "by"]
    list_select_related = ["item", "lot", "from_location", "to_location", "by"]
    list_filter = [
        ("occurred_at", RangeDateTimeFilter),
        ("item", AutocompleteSelectFilter),
        ("from_location", AutocompleteSelectFilter),
        ("to_location", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    search_fields = ["item__code", "document_number", "lot__code"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, movement: Movement) -> list[str]:
        return [movement.item.code, movement.stage or (movement.lot.code if movement.lot else movement.item.name)]

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, movement: Movement) -> str:
        return plain(movement.quantity)

    @display(header=True, description="Document", ordering="document_number")
    def show_document(self, movement: Movement) -> list[str]:
        return [movement.document_number, movement.document_kind.replace("_", " ").capitalize()]


@admin.register(Balance)
class BalanceAdmin(Translated, ModelAdmin):
    list_display = ["show_item", "location", "show_quantity", "lot", "stage", "since"]
    list_select_related = ["item", "lot", "location"]
    list_filter = [("location", AutocompleteSelectFilter), ("item", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["item__code", "item__name", "location__code", "lot__code", "stage"]
    ordering = ["item__code", "pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Balance]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, balance: Balance) -> list[str]:
        return [balance.item.code, balance.item.name]

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, balance: Balance) -> str:
        return plain(balance.quantity)


@admin.register(CostPool)
class CostPoolAdmin(Translated, ModelAdmin):
    list_display = ["show_item", "site", "show_quantity", "show_value", "show_unit_cost", "lot", "stage"]
    list_select_related = ["item", "site", "lot"]
    list_filter = [("site", RelatedDropdownFilter), ("item", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["item__code", "item__name", "lot__code", "stage"]
    ordering = ["item__code", "pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[CostPool]:
        return super().get_queryset(request).filter(request.user.scope.rows(site="site_id"))

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, pool: CostPool) -> list[str]:
        return [pool.item.code, pool.item.name]

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, pool: CostPool) -> str:
        return plain(pool.quantity)

    @display(description="Value", ordering="value")
    def show_value(self, pool: CostPool) -> str:
        return money(pool.value)

    @display(description="Unit cost")
    def show_unit_cost(self, pool: CostPool) -> str:
        return money(pool.value / pool.quantity, 4) if pool.quantity else "–"
