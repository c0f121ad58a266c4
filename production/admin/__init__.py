"""Bills of material and routings, and the master data that moves the plan: a change of these is noted, so that a run follows."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import FileField, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from core.refusals import Refusal
from masterdata import services as masterdata
from masterdata.admin import MasterDataAdmin, Translated, never, plain
from masterdata.models import (
    Closure,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemUnit,
    Process,
    Specification,
    SpecificationFile,
    Vendor,
    WorkCenter,
)
from production.admin.week import WeekPage
from production.models import BomLine, RoutingStep


class PlanAdmin(MasterDataAdmin):
    """Saving or deleting a row is a change of the plan: the next run decides anew without anybody asking for it."""

    show_full_result_count = False

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change or form.has_changed() or any(formset.has_changed() for formset in formsets):
            self.note(f"{self.opts.verbose_name_raw} {form.instance} changed by {request.user}")

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        self.note(f"{self.opts.verbose_name_raw} {obj} deleted by {request.user}")

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        self.note(f"several of {self.opts.verbose_name_raw} deleted by {request.user}")

    def note(self, reason: str) -> None:
        masterdata.note_plan_change(at=timezone.now(), reason=reason)


class ItemUnits(Translated, TabularInline):
    model = ItemUnit
    fields = ["unit", "factor"]
    autocomplete_fields = ["unit"]
    verbose_name_plural = "other units it is priced in"
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemUnit]:
        return super().get_queryset(request).order_by("unit__code")


@admin.register(Item)
class ItemAdmin(PlanAdmin):
    list_display = ["show_name", "show_kind", "item_group", "unit", "show_cost", "is_blocked"]
    list_select_related = ["item_group", "unit"]
    list_filter = [("kind", ChoicesDropdownFilter), ("item_group", RelatedDropdownFilter), "is_blocked", "lot_tracked"]
    list_filter_submit = True
    search_fields = ["code", "name"]
    autocomplete_fields = ["unit", "item_group"]
    ordering = ["code"]
    inlines = [ItemUnits]
    fieldsets = [
        (None, {"fields": [("code", "name"), ("kind", "item_group"), ("unit", "revision"), "standard_cost"]}),
        ("Rules", {"fields": ["is_blocked", "is_phantom", ("lot_tracked", "serial_tracked")], "classes": ["tab"]}),
    ]
    has_delete_permission = never

    @display(header=True, description="Item", ordering="code")
    def show_name(self, item: Item) -> list[str]:
        return [item.code, item.name]

    @display(
        description="Kind",
        ordering="kind",
        label={"Finished": "primary", "Semi-finished": "info", "Service": "warning"},
    )
    def show_kind(self, item: Item) -> str:
        return item.get_kind_display()

    @display(description="Standard cost", ordering="standard_cost")
    def show_cost(self, item: Item) -> str:
        return plain(item.standard_cost)


class VendorHolidays(Translated, TabularInline):
    model = HolidayCalendar
    fields = ["country", "subdivision"]
    verbose_name_plural = "public holidays"
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[HolidayCalendar]:
        return super().get_queryset(request).order_by("country")


class VendorClosures(Translated, TabularInline):
    model = Closure
    fields = ["day", "last_day", "reason"]
    verbose_name_plural = "closed days"
    ordering = ["day"]
    extra = 0
    tab = True
    per_page = 20


@admin.register(Vendor)
class VendorAdmin(PlanAdmin):
    """A vendor is switched off, never deleted: orders and history name him."""

    list_display = ["show_name", "country", "currency", "email", "show_active"]
    list_select_related = ["currency"]
    list_filter = ["is_active", ("currency", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["code", "name", "city"]
    autocomplete_fields = ["currency", "belongs_to"]
    ordering = ["code"]
    inlines = [VendorClosures, VendorHolidays]
    fieldsets = [
        (None, {"fields": [("code", "name"), ("country", "city"), ("currency", "email"), "is_active"]}),
        (
            "Site and way",
            {"fields": ["belongs_to", ("transit_out_days", "transit_back_days")], "classes": ["tab"]},
        ),
    ]
    has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vendor]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Vendor", ordering="code")
    def show_name(self, vendor: Vendor) -> list[str]:
        return [vendor.name or vendor.code, vendor.code]

    @display(description="State", ordering="is_active", label={"Active": "success", "Inactive": "danger"})
    def show_active(self, vendor: Vendor) -> str:
        return "Active" if vendor.is_active else "Inactive"


class WorkCenterDowntimes(Translated, TabularInline):
    model = Downtime
    fields = ["start_date", "end_date", "reason"]
    ordering = ["-start_date"]
    extra = 0
    tab = True


class WorkCenterClosures(Translated, TabularInline):
    model = Closure
    fields = ["day", "last_day", "reason"]
    verbose_name_plural = "closed days"
    ordering = ["day"]
    extra = 0
    tab = True


class WorkCenterAdmin(PlanAdmin):
    list_display = ["show_name", "show_kind", "vendor", "site", "show_capacity", "show_cost", "is_active"]
    readonly_fields = ["is_active"]
    list_select_related = ["vendor", "site"]
    list_filter = [("kind", ChoicesDropdownFilter), ("site", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["code", "name"]
    autocomplete_fields = ["vendor", "site", "location"]
    ordering = ["code"]
    inlines = [WorkCenterDowntimes, WorkCenterClosures]
    fieldsets = [
        (None, {"fields": [("code", "name"), ("kind", "vendor"), ("site", "location"), "is_active"]}),
        ("Capacity and cost", {"fields": [("capacity_hours_per_day", "hourly_cost")]}),
    ]
    has_delete_permission = never

    @display(header=True, description="Work center", ordering="code")
    def show_name(self, center: WorkCenter) -> list[str]:
        return [center.code, center.name]

    @display(description="Kind", ordering="kind", label={"External": "warning", "Internal": "primary"})
    def show_kind(self, center: WorkCenter) -> str:
        return center.get_kind_display()

    @display(description="Hours a day", ordering="capacity_hours_per_day")
    def show_capacity(self, center: WorkCenter) -> str:
        return plain(center.capacity_hours_per_day)

    @display(description="Cost an hour", ordering="hourly_cost")
    def show_cost(self, center: WorkCenter) -> str:
        return plain(center.hourly_cost)


class ProcessAdmin(PlanAdmin):
    list_display = ["show_name", "requires_approval", "show_certificates", "is_active"]
    readonly_fields = ["is_active"]
    list_filter = ["requires_approval"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    has_delete_permission = never

    @display(header=True, description="Process", ordering="code")
    def show_name(self, process: Process) -> list[str]:
        return [process.code, process.name if process.name != process.code else ""]

    @display(description="Certificates")
    def show_certificates(self, process: Process) -> str:
        return ", ".join(process.certificates) or "–"


@admin.register(Closure)
class ClosureAdmin(PlanAdmin):
    list_display = ["day", "last_day", "vendor", "work_center", "reason"]
    list_select_related = ["vendor", "work_center"]
    list_filter = [
        ("day", RangeDateFilter),
        ("vendor", AutocompleteSelectFilter),
        ("work_center", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    search_fields = ["reason", "vendor__code", "work_center__code"]
    autocomplete_fields = ["vendor", "work_center"]
    ordering = ["-day", "pk"]


class SpecificationFiles(Translated, TabularInline):
    """What goes with it; a file is added above, and taken off here."""

    model = SpecificationFile
    fields = readonly_fields = ["name", "size", "added_at"]
    extra = 0
    has_add_permission = never


class SpecificationForm(ModelForm):
    upload = FileField(
        required=False,
        label="Add a file",
        help_text="A drawing, a model or a table, up to 20 MB. One of the same name is replaced; what was sent keeps its own.",
    )


@admin.register(Specification)
class SpecificationAdmin(PlanAdmin):
    form = SpecificationForm
    fields = ["process", "item", "text", "upload"]
    inlines = [SpecificationFiles]
    list_display = ["process", "item", "text"]
    list_select_related = ["process", "item"]
    list_filter = [("process", AutocompleteSelectFilter), ("item", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["text", "item__code", "process__code"]
    autocomplete_fields = ["process", "item"]
    ordering = ["process__code", "item__code", "pk"]

    def save_model(self, request: HttpRequest, obj: Specification, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        given = form.cleaned_data.get("upload")
        if given:
            try:
                masterdata.attach_file(specification_id=obj.pk, name=given.name, content=given, at=timezone.now())
            except Refusal as refusal:
                messages.error(request, refusal.detail)


@admin.register(HolidayCalendar)
class HolidayCalendarAdmin(PlanAdmin):
    list_display = ["country", "subdivision", "vendor", "work_center"]
    list_select_related = ["vendor", "work_center"]
    list_filter = [("vendor", AutocompleteSelectFilter), ("work_center", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["country", "vendor__code", "work_center__code"]
    autocomplete_fields = ["vendor", "work_center"]
    ordering = ["country", "pk"]


@admin.register(Downtime)
class DowntimeAdmin(WeekPage, PlanAdmin):
    list_display = ["work_center", "start_date", "end_date", "reason"]
    list_select_related = ["work_center"]
    list_filter = [("start_date", RangeDateFilter), ("work_center", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["reason", "work_center__code", "work_center__name"]
    autocomplete_fields = ["work_center"]
    ordering = ["-start_date", "pk"]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(PlanAdmin):
    list_display = ["currency", "rate", "valid_from"]
    list_select_related = ["currency"]
    list_filter = [("currency", RelatedDropdownFilter), ("valid_from", RangeDateFilter)]
    list_filter_submit = True
    autocomplete_fields = ["currency"]
    ordering = ["currency__code", "-valid_from"]


@admin.register(BomLine)
class BomLineAdmin(PlanAdmin):
    list_display = ["show_parent", "position", "show_component", "show_quantity", "show_supply", "operation_no"]
    list_select_related = ["parent", "component"]
    list_filter = [
        ("parent", AutocompleteSelectFilter),
        ("component", AutocompleteSelectFilter),
        ("supply", ChoicesDropdownFilter),
    ]
    list_filter_submit = True
    search_fields = ["parent__code", "parent__name", "component__code", "component__name"]
    autocomplete_fields = ["parent", "component"]
    ordering = ["parent__code", "position"]
    fields = [
        ("parent", "position"),
        "component",
        ("quantity", "basis", "scrap_pct"),
        ("operation_no", "supply"),
    ]

    @display(header=True, description="Made item", ordering="parent__code")
    def show_parent(self, line: BomLine) -> list[str]:
        return [line.parent.code, line.parent.name]

    @display(header=True, description="Component", ordering="component__code")
    def show_component(self, line: BomLine) -> list[str]:
        return [line.component.code, line.component.name]

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, line: BomLine) -> str:
        return f"{plain(line.quantity)} {'an order' if line.basis == 'per_order' else 'a piece'}"

    @display(description="Supply", ordering="supply", label=True)
    def show_supply(self, line: BomLine) -> str:
        return line.get_supply_display()


@admin.register(RoutingStep)
class RoutingStepAdmin(PlanAdmin):
    list_display = ["show_item", "variant", "operation_no", "name", "work_center", "show_times", "show_outsourced"]
    list_select_related = ["item", "work_center"]
    list_filter = [
        ("item", AutocompleteSelectFilter),
        ("process", AutocompleteSelectFilter),
        ("work_center", AutocompleteSelectFilter),
        ("outsourced", ChoicesDropdownFilter),
    ]
    list_filter_submit = True
    search_fields = ["item__code", "item__name", "name"]
    autocomplete_fields = ["item", "process", "work_center"]
    ordering = ["item__code", "variant", "sequence"]
    fields = [
        ("item", "variant"),
        ("sequence", "operation_no", "name"),
        ("process", "work_center"),
        ("setup_minutes", "run_minutes"),
        ("outsourced", "next_nos"),
    ]

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, step: RoutingStep) -> list[str]:
        return [step.item.code, step.item.name]

    @display(description="Set-up / run minutes")
    def show_times(self, step: RoutingStep) -> str:
        return f"{plain(step.setup_minutes)} / {plain(step.run_minutes)}"

    @display(
        description="Outside", ordering="outsourced", label={"Always outside": "warning", "A policy decides": "info"}
    )
    def show_outsourced(self, step: RoutingStep) -> str:
        return step.get_outsourced_display()
