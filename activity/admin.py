"""What happened and what wants attention, to read. Alerts close themselves when their cause is gone."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from activity.models import Alert, Event, Message, Responsible
from masterdata.admin import Translated, never


class OpenFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("State"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", gettext("Open")), ("closed", gettext("Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        return queryset.filter(closed_at__isnull=self.value() == "open") if self.value() else queryset


@admin.register(Alert)
class AlertAdmin(Translated, ModelAdmin):
    list_display = ["show_title", "show_severity", "production_order", "vendor", "due_date", "opened_at", "closed_at"]
    list_select_related = ["vendor"]
    list_filter = [OpenFilter, ("severity", ChoicesDropdownFilter), ("vendor", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["title", "subject", "order_number", "production_order"]
    ordering = ["-opened_at", "-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Alert", ordering="kind")
    def show_title(self, alert: Alert) -> list[str]:
        return [alert.title or alert.subject, alert.kind.replace("_", " ")]

    @display(description="Severity", label={"Info": "info", "Warning": "warning", "Critical": "danger"})
    def show_severity(self, alert: Alert) -> str:
        return alert.get_severity_display()


@admin.register(Event)
class EventAdmin(Translated, ModelAdmin):
    list_display = ["at", "name", "document_number", "by", "through", "vendor"]
    list_select_related = ["by", "vendor"]
    list_filter = [("at", RangeDateTimeFilter), ("vendor", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["document_number", "name"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).visible_to(request.user)


@admin.register(Responsible)
class ResponsibleAdmin(Translated, ModelAdmin):
    list_display = ["user", "vendor", "process", "site", "deputy", "away_from", "away_to", "escalates_to"]
    list_select_related = ["user", "vendor", "process", "site", "deputy", "escalates_to"]
    autocomplete_fields = ["user", "vendor", "process", "site", "deputy", "escalates_to"]
    ordering = ["pk"]


@admin.register(Message)
class MessageAdmin(Translated, ModelAdmin):
    list_display = ["created_at", "kind", "to", "subject", "attempts", "delivered_at", "error"]
    list_filter = [("created_at", RangeDateTimeFilter)]
    search_fields = ["to", "subject", "key"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never
