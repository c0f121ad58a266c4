"""What happened and what wants attention, to read; and the other systems that are told. Alerts close themselves."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from activity import services
from activity.models import Alert, Event, Message, Responsible, WebhookDelivery, WebhookEndpoint
from core.refusals import Refusal
from masterdata.admin import Translated, never, said


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
        return [said(alert.headline or alert.subject), alert.kind.replace("_", " ").capitalize()]

    @display(description="Severity", label={"Info": "info", "Warning": "warning", "Critical": "danger"})
    def show_severity(self, alert: Alert) -> str:
        return alert.get_severity_display()


@admin.register(Event)
class EventAdmin(Translated, ModelAdmin):
    list_display = ["at", "show_name", "document_number", "by", "show_through", "vendor"]
    list_select_related = ["by", "vendor"]
    list_filter = [("at", RangeDateTimeFilter), ("vendor", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["document_number", "name"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).visible_to(request.user)

    @display(description="Event", ordering="name")
    def show_name(self, event: Event) -> str:
        about, _, happened = event.name.partition(".")
        return f"{said(about.replace('_', ' ').capitalize())}: {said(happened.replace('_', ' ').capitalize())}"

    @display(description="Through", ordering="through")
    def show_through(self, event: Event) -> str:
        return event.through.capitalize()


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


class EndpointForm(forms.ModelForm):
    """An endpoint as a person types it."""

    url = forms.CharField(label=gettext_lazy("Address"), max_length=500, widget=UnfoldAdminTextInputWidget)
    events = forms.CharField(
        label=gettext_lazy("Events"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "Such as order.approved, or order.* for all of a kind, with commas between. Empty: everything."
        ),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["code", "url", "events", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["events"] = ", ".join(self.instance.events)

    def clean_url(self) -> str:
        return self._checked("url", self.cleaned_data["url"])

    def clean_events(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["events"].split(",")]
        return self._checked("events", [name for name in names if name])

    @staticmethod
    def _checked(name: str, value: Any) -> Any:
        try:
            services.check_endpoint(**{name: value})
        except Refusal as refusal:
            raise forms.ValidationError(refusal.detail) from None
        return value


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Translated, ModelAdmin):
    """Other systems that are told of events. A secret is shown once, when it is drawn."""

    form = EndpointForm
    list_display = ["code", "url", "owner", "is_active", "show_waiting", "show_failed"]
    list_select_related = ["owner"]
    search_fields = ["code", "url"]
    ordering = ["code"]
    actions_detail = ["rotate_secret", "tell_failed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).with_counts()

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> list[str]:
        return ["code"] if obj else ["is_active"]

    @display(description="Waiting", ordering="waiting")
    def show_waiting(self, endpoint: Any) -> int:
        return endpoint.waiting

    @display(description="Failed", ordering="failed")
    def show_failed(self, endpoint: Any) -> int:
        return endpoint.failed

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        said = {"url": form.cleaned_data["url"], "events": form.cleaned_data["events"], "at": timezone.now()}
        if change:
            services.change_endpoint(endpoint_id=obj.pk, is_active=form.cleaned_data["is_active"], **said)
            return
        made = services.add_endpoint(code=obj.code, by=request.user, **said)
        obj.pk, obj.created_at, obj._state.adding = made.pk, made.created_at, False
        self._show_secret(request, made)

    @action(
        description="New secret",
        permissions=["change"],
        icon="key",
        dialog={
            "title": gettext_lazy("Draw a new secret?"),
            "description": gettext_lazy(
                "For a day the one before signs as well, so that the other system can change over."
            ),
            "form_submit_text": gettext_lazy("New secret"),
        },
    )
    def rotate_secret(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        self._show_secret(request, services.rotate_secret(endpoint_id=object_id, at=timezone.now()))
        return self._back(object_id)

    @action(
        description="Tell again what failed",
        permissions=["change"],
        icon="replay",
        dialog={
            "title": gettext_lazy("Tell again what failed?"),
            "description": gettext_lazy("What rests with an error is tried again from the first attempt."),
            "form_submit_text": gettext_lazy("Tell again"),
        },
    )
    def tell_failed(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        again = services.replay(endpoint_id=object_id, failed=True, at=timezone.now())
        messages.success(
            request,
            ngettext("{n} delivery is made again.", "{n} deliveries are made again.", again).format(n=again),
        )
        return self._back(object_id)

    @staticmethod
    def _show_secret(request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        messages.warning(request, f"Copy the secret now, it is not shown again: {endpoint.secret}")

    @staticmethod
    def _back(object_id: int) -> HttpResponse:
        return HttpResponse(headers={"HX-Redirect": reverse("admin:activity_webhookendpoint_change", args=[object_id])})


class ToldFilter(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("State"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", gettext("Waiting")), ("told", gettext("Told")), ("failed", gettext("Failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        match self.value():
            case "waiting":
                return queryset.filter(next_attempt_at__isnull=False)
            case "told":
                return queryset.filter(next_attempt_at__isnull=True, delivered_at__isnull=False)
            case "failed":
                return queryset.filter(next_attempt_at__isnull=True, delivered_at__isnull=True)
        return queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Translated, ModelAdmin):
    list_display = ["endpoint", "event", "attempts", "next_attempt_at", "delivered_at", "answer", "error"]
    list_select_related = ["endpoint", "event"]
    list_filter = [ToldFilter, ("endpoint", AutocompleteSelectFilter)]
    list_filter_submit = True
    search_fields = ["event__document_number", "event__name"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_add_permission = has_change_permission = has_delete_permission = never
