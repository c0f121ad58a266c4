"""Planning: policies, price agreements and approvals to keep; production orders and decisions to read, and the planner's word."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, When
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from activity.models import Event
from core.refusals import Refusal
from masterdata import services as masterdata
from masterdata.admin import Translated, never, plain
from masterdata.models import Vendor
from policies import services
from policies.forms import PolicyForm, PriceForm, WordForm
from policies.models import (
    Award,
    Decision,
    OrderWithVerdicts,
    Policy,
    PolicyStatus,
    PolicyVendor,
    PriceAgreement,
    VendorApproval,
    Verdict,
)
from policies.tables import HistoryRow
from production import services as production
from production.admin import PlanAdmin
from production.models import Operation, OperationWord, Word

MAY_SPEAK = "production.speak_operationword"
MAY_ACTIVATE = "policies.activate_policy"
HISTORY_ROWS = 100
VERDICT_COLORS = {
    Verdict.IN_HOUSE: "primary",
    Verdict.OUTSOURCE: "success",
    Verdict.REVIEW: "warning",
    Verdict.BLOCKED: "danger",
}
VERDICT_WORDS = {
    Verdict.IN_HOUSE: "Inside",
    Verdict.OUTSOURCE: "Outside",
    Verdict.REVIEW: "Review",
    Verdict.BLOCKED: "Blocked",
}


class PolicyVendorInline(Translated, TabularInline):
    model = PolicyVendor
    fields = ["rank", "vendor", "share_pct", "weekly_capacity", "quantity_from", "quantity_to"]
    autocomplete_fields = ["vendor"]
    verbose_name_plural = "vendors, in rank order"
    ordering = ["rank"]
    extra = 0
    hide_title = True


@admin.register(Policy)
class PolicyAdmin(PlanAdmin):
    """A policy's fields are edited here; whether it is in force moves by activating and retiring it."""

    change_form_after_template = "admin/policies/ranked_scores.html"
    form = PolicyForm
    list_display = ["show_name", "show_status", "priority", "show_scope", "show_verdict", "valid_from", "valid_to"]
    list_select_related = ["item", "item_group", "process", "work_center", "site"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("verdict", ChoicesDropdownFilter),
        ("process", AutocompleteSelectFilter),
        ("work_center", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    search_fields = ["code", "name", "process__code", "work_center__code", "item__code"]
    autocomplete_fields = ["item", "item_group", "process", "work_center", "site"]
    ordering = ["priority", "code"]
    readonly_fields = ["show_sentence", "show_effect", "show_status"]
    inlines = [PolicyVendorInline]
    actions = ["activate_all", "retire_all"]
    actions_detail = ["activate", "simulate", "retire"]
    warn_unsaved_form = True
    fieldsets = [
        (None, {"fields": ["show_sentence", "show_effect", ("code", "name"), ("show_status", "priority"), "verdict"]}),
        (
            "Scope",
            {
                "fields": [("process", "work_center"), ("item", "item_group"), "site", ("valid_from", "valid_to")],
                "classes": ["tab"],
                "description": "Which operations it is about. What is left blank is not looked at.",
            },
        ),
        (
            "Conditions",
            {
                "fields": [
                    ("quantity_from", "quantity_to"),
                    ("season_from", "season_to"),
                    ("load_above_pct", "when_down"),
                    ("late_days", "cost_below_pct"),
                    ("transition_from", "transition_share_pct"),
                ],
                "classes": ["tab"],
                "description": "All that are filled must hold, else the next policy is looked at.",
            },
        ),
        (
            "Sourcing",
            {
                "fields": [("strategy", "split"), "balance_days", "price_missing"],
                "classes": ["tab"],
                "description": "How one of the vendors below is chosen.",
            },
        ),
        (
            "Document rules",
            {
                "fields": [
                    "consolidate",
                    "auto_approve_up_to",
                    ("auto_send", "auto_send_wait_minutes", "auto_send_days_before"),
                    ("transit_out_days", "transit_back_days"),
                    ("preparation_days", "inspection_days"),
                    ("over_receipt_pct", "under_receipt_pct", "over_send_pct"),
                    ("price_tolerance_pct", "price_tolerance_amount"),
                    ("quantity_tolerance_pct", "pay_for"),
                    ("consumption", "yield_pct"),
                    ("shortage", "use_vendor_stock"),
                    ("inspection", "sample_pct"),
                    ("certificates", "rejects"),
                ],
                "classes": ["tab"],
                "description": "What its orders look like. An order keeps the rules it was made with.",
            },
        ),
    ]
    has_delete_permission = never

    def save_model(self, request: HttpRequest, obj: Policy, form: ModelForm, change: bool) -> None:
        form.said_before = services.policy_contents(policy_ids=[obj.pk]) if change else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """Count the version up and leave an event where something is different, the vendors included."""
        super().save_related(request, form, formsets, change)
        if change and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            Policy.objects.filter(pk=form.instance.pk).update(version=F("version") + 1)
        services.record_changes(
            form.said_before, policy_ids=[form.instance.pk], by=request.user, at=timezone.now(), through="page"
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every change, whatever it came through, the latest first."""
        policy = self.get_object(request, unquote(object_id))
        if policy is None:
            return super().history_view(request, object_id, extra_context)
        events = Event.objects.of(kind=services.KIND, number=policy.code).select_related("by").order_by("-pk")
        pages = self.get_paginator(request, events, HISTORY_ROWS)
        page = pages.get_page(request.GET.get(PAGE_VAR, 1))
        page.object_list = [HistoryRow(event) for event in page.object_list]
        shown = {
            "action_list": page,
            "page_range": pages.get_elided_page_range(page.number),
            "pagination_required": pages.num_pages > 1,
        }
        return super().history_view(request, object_id, {**shown, **(extra_context or {})})

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        """The vendors are written anew as a whole: two that change places would meet at the same rank on the way."""
        if formset.model is not PolicyVendor or not formset.has_changed():
            return super().save_formset(request, form, formset, change)
        formset.save(commit=False)  # tells the history what changed
        kept = [row.instance for row in formset.forms if row not in formset.deleted_forms and row.instance.vendor_id]
        PolicyVendor.objects.filter(policy=form.instance).delete()
        for vendor in kept:
            vendor.pk, vendor.policy = None, form.instance
        PolicyVendor.objects.bulk_create(kept)
        return None

    @display(header=True, description="Policy", ordering="code")
    def show_name(self, policy: Policy) -> list[str]:
        return [policy.code, policy.name]

    @display(description="Status", ordering="status", label={"Active": "success", "Retired": "danger"})
    def show_status(self, policy: Policy) -> str:
        return policy.get_status_display()

    @display(
        description="Verdict", ordering="verdict", label={"Goes outside": "success", "A person must say": "warning"}
    )
    def show_verdict(self, policy: Policy) -> str:
        return policy.get_verdict_display()

    @display(description="Scope")
    def show_scope(self, policy: Policy) -> str:
        named = [policy.item, policy.item_group, policy.process, policy.work_center, policy.site]
        return " · ".join(str(row) for row in named if row) or "Everything"

    @display(description="In one sentence")
    def show_sentence(self, policy: Policy) -> str:
        return (
            services.policy_sentence(policy_id=policy.pk)
            if policy.pk
            else gettext("Save it to read it as one sentence.")
        )

    @display(description="Effect today")
    def show_effect(self, policy: Policy) -> str:
        seen_by = getattr(policy, "seen_by", None)
        return str(services.policy_effect(policy_id=policy.pk, by=seen_by)) if seen_by else "–"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Policy | None:
        policy = super().get_object(request, object_id, from_field)
        if policy is not None:
            policy.seen_by = request.user  # its effect is told of the sites he may see
        return policy

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        status = Policy.objects.filter(pk=object_id).values_list("status", flat=True).first()
        hidden = {PolicyStatus.ACTIVE: "_activate", PolicyStatus.RETIRED: "_retire", PolicyStatus.DRAFT: "_retire"}
        actions = super().get_actions_detail(request, object_id)
        return [
            action for action in actions if status and not action.action_name.endswith(hidden[PolicyStatus(status)])
        ]

    def has_activate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_ACTIVATE)

    @admin.action(description="Activate", permissions=["activate"])
    def activate_all(self, request: HttpRequest, queryset: QuerySet[Policy]) -> None:
        self.move(request, queryset, PolicyStatus.ACTIVE)

    @admin.action(description="Retire", permissions=["activate"])
    def retire_all(self, request: HttpRequest, queryset: QuerySet[Policy]) -> None:
        self.move(request, queryset, PolicyStatus.RETIRED)

    @action(
        description="Activate",
        permissions=["activate"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": gettext_lazy("Activate this policy?"),
            "description": gettext_lazy("From the next run on it decides. Orders not sent yet follow."),
            "form_submit_text": gettext_lazy("Activate"),
        },
    )
    def activate(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        return self.move_one(request, object_id, PolicyStatus.ACTIVE)

    @action(
        description="Retire",
        permissions=["activate"],
        icon="archive",
        dialog={
            "title": gettext_lazy("Retire this policy?"),
            "description": gettext_lazy(
                "From the next run on it decides nothing. Orders not sent yet follow; sent ones stay."
            ),
            "form_submit_text": gettext_lazy("Retire"),
        },
    )
    def retire(self, request: HttpRequest, form: Any, object_id: int) -> HttpResponse:
        return self.move_one(request, object_id, PolicyStatus.RETIRED)

    @action(description="Simulate", permissions=["simulate"], icon="science", url_path="simulate")
    def simulate(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Open the simulation page with this policy taken as in force."""
        code = Policy.objects.filter(pk=object_id).values_list("code", flat=True).first()
        # The page belongs to the app above; it is reached by its name.
        return HttpResponseRedirect(
            f"{reverse('admin:documents_simulationrun_add')}?{urlencode({'policies': code or ''})}"
        )

    def has_simulate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("policies.change_policy")

    def move_one(self, request: HttpRequest, object_id: int, status: PolicyStatus) -> HttpResponse:
        self.move(request, Policy.objects.filter(pk=object_id), status)
        back = reverse("admin:policies_policy_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": back})

    def move(self, request: HttpRequest, policies: Iterable[Policy], status: PolicyStatus) -> None:
        act = services.activate_policy if status == PolicyStatus.ACTIVE else services.retire_policy
        for policy in policies:
            try:
                act(policy_id=policy.pk, by=request.user, at=timezone.now())
            except Refusal as refusal:
                messages.error(request, refusal.detail)
            else:
                messages.success(request, f"{policy.code} is {status.label.lower()}.")


@admin.register(PriceAgreement)
class PriceAgreementAdmin(PlanAdmin):
    """A price is ended by its last valid day, never deleted: orders name it."""

    form = PriceForm
    list_after_template = "admin/policies/price_scores.html"
    list_display = ["show_vendor", "show_what", "show_price", "show_minimum", "lead_days", "valid_from", "valid_to"]
    list_select_related = ["vendor", "item", "process", "currency"]
    list_filter = [
        ("vendor", AutocompleteSelectFilter),
        ("item", AutocompleteSelectFilter),
        ("process", AutocompleteSelectFilter),
        ("valid_from", RangeDateFilter),
        ("valid_to", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = ["vendor__code", "vendor__name", "item__code", "item__name", "process__code"]
    autocomplete_fields = ["vendor", "item", "process", "site", "currency"]
    ordering = ["vendor__code", "item__code", "process__code", "minimum_quantity", "pk"]
    fieldsets = [
        (
            None,
            {
                "fields": ["vendor", ("process", "item"), "further_processes", "site"],
                "description": "Item and process: the work on that item. Process alone: that work on any item. "
                "With further processes: all of them together, as one line. Item alone: buying it complete.",
            },
        ),
        (
            "Price",
            {
                "fields": [
                    ("unit_price", "currency"),
                    ("price_unit", "price_factor"),
                    ("minimum_quantity", "lot_charge"),
                    ("minimum_charge", "minimum_charge_basis"),
                    "freight",
                ],
                "classes": ["tab"],
            },
        ),
        (
            "Time and yield",
            {"fields": [("valid_from", "valid_to"), ("lead_days", "yield_pct")], "classes": ["tab"]},
        ),
    ]
    has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceAgreement]:
        return super().get_queryset(request).visible_to(request.user)

    @display(header=True, description="Vendor", ordering="vendor__code")
    def show_vendor(self, price: PriceAgreement) -> list[str]:
        return [price.vendor.name or price.vendor.code, price.vendor.code]

    @display(header=True, description="For")
    def show_what(self, price: PriceAgreement) -> list[str]:
        work = " + ".join(price.processes) or "Bought complete"
        return [work, price.item.code if price.item else "any item"]

    @display(description="Minimum quantity", ordering="minimum_quantity")
    def show_minimum(self, price: PriceAgreement) -> str:
        return plain(price.minimum_quantity)

    @display(description="Price", ordering="unit_price")
    def show_price(self, price: PriceAgreement) -> str:
        if price.unit_price is None:
            return "not known"
        unit = f" / {price.price_unit}" if price.price_unit else ""
        return f"{plain(price.unit_price)} {price.currency or ''}{unit}"


@admin.register(VendorApproval)
class VendorApprovalAdmin(PlanAdmin):
    list_display = ["show_vendor", "process", "show_status", "valid_to", "certificate"]
    list_select_related = ["vendor", "process"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("vendor", AutocompleteSelectFilter),
        ("process", AutocompleteSelectFilter),
        ("valid_to", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = ["vendor__code", "vendor__name", "process__code", "certificate"]
    autocomplete_fields = ["vendor", "process"]
    ordering = ["vendor__code", "process__code"]
    fields = [("vendor", "process"), ("status", "valid_to"), "certificate"]
    has_delete_permission = never

    @display(header=True, description="Vendor", ordering="vendor__code")
    def show_vendor(self, approval: VendorApproval) -> list[str]:
        return [approval.vendor.name or approval.vendor.code, approval.vendor.code]

    @display(
        description="Status",
        ordering="status",
        label={"Approved": "success", "Pending": "warning", "Suspended": "danger", "Expired": "danger"},
    )
    def show_status(self, approval: VendorApproval) -> str:
        expired = approval.valid_to is not None and approval.valid_to < masterdata.company_date(at=timezone.now())
        return "Expired" if expired else approval.get_status_display()


class ProductionOrderAdmin(Translated, ModelAdmin):
    """Production orders come with the plan; here planners see each operation's verdict and say otherwise.

    Registered by `documents`, which knows what has left for a vendor and does not stay inside by a word.
    """

    speak_word = staticmethod(production.speak_word)

    list_display = [
        "show_number",
        "show_item",
        "show_quantity",
        "due_date",
        "show_status",
        "show_outside",
        "show_stuck",
    ]
    list_select_related = ["item", "item__unit"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("due_date", RangeDateFilter),
        ("item", AutocompleteSelectFilter),
        ("site", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    search_fields = ["number", "item__code", "item__name", "parent_number"]
    ordering = ["due_date", "pk"]
    show_full_result_count = False
    fields = [
        ("number", "show_status", "site"),
        ("item", "show_quantity", "location"),
        ("start_date", "due_date", "parent_number"),
    ]
    readonly_fields = ["show_status", "show_quantity", "wanted_item"]
    change_form_outer_after_template = "admin/policies/operations.html"
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_fields(self, request: HttpRequest, obj: OrderWithVerdicts | None = None) -> Any:
        fields = super().get_fields(request, obj)
        return [*fields, "wanted_item"] if obj and obj.wanted_item_id else fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderWithVerdicts]:
        return super().get_queryset(request).visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OrderWithVerdicts], search_term: str
    ) -> tuple[QuerySet[OrderWithVerdicts], bool]:
        """The order that is called exactly so stands first, whatever else has the words in it."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            called = Case(When(number__iexact=search_term.strip(), then=0), default=1)
            found = found.order_by(called, *found.query.order_by)
        return found, may_repeat

    def get_urls(self) -> list[Any]:
        speak = self.admin_site.admin_view(self.speak_view)
        retract = self.admin_site.admin_view(require_POST(self.retract_view))
        return [
            path("speak/", speak, name="policies_orderwithverdicts_speak"),
            path("retract/<int:operation_id>/", retract, name="policies_orderwithverdicts_retract"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and "cl" in (response.context_data or {}):
            orders = list(response.context_data["cl"].result_list)
            rows = (
                Decision.objects.current()
                .filter(operation__production_order__in=[order.pk for order in orders])
                .values("operation__production_order")
                .annotate(
                    outside=Count("pk", filter=Q(verdict=Verdict.OUTSOURCE)),
                    stuck=Count("pk", filter=Q(verdict__in=[Verdict.REVIEW, Verdict.BLOCKED])),
                )
            )
            counts = {row["operation__production_order"]: (row["outside"], row["stuck"]) for row in rows}
            for order in orders:
                order.outside, order.stuck = counts.get(order.pk, (0, 0))
            response.context_data["cl"].result_list = orders
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "operations": operations_with_verdicts(order_id=object_id, user=request.user),
            "may_speak": request.user.has_perm(MAY_SPEAK),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def speak_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the word and the reason, then say it for each operation; all or none."""
        if not request.user.has_perm(MAY_SPEAK):
            raise PermissionDenied
        ids = [int(pk) for pk in request.GET.get("operations", "").split(",") if pk.isdigit()]
        operations = list(
            Operation.objects.visible_to(request.user)
            .filter(pk__in=ids)
            .select_related("production_order", "process", "work_center")
            .order_by("production_order__due_date", "production_order_id", "sequence")
        )
        vendors = Vendor.objects.visible_to(request.user).active().order_by("name", "code")
        form = WordForm(request.POST or None, vendors=vendors, initial={"word": request.GET.get("word", Word.OUTSIDE)})
        back = reverse("admin:policies_decision_changelist")
        if url_has_allowed_host_and_scheme(wanted := request.GET.get("next", ""), allowed_hosts=None):
            back = wanted
        elif operations and len({operation.production_order_id for operation in operations}) == 1:
            back = reverse("admin:policies_orderwithverdicts_change", args=[operations[0].production_order_id])
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    for operation in operations:
                        self.speak_word(
                            operation_id=operation.pk,
                            word=form.cleaned_data["word"],
                            vendor_id=form.cleaned_data["vendor"].pk if form.cleaned_data["vendor"] else None,
                            reason=form.cleaned_data["reason"],
                            by=request.user,
                            at=timezone.now(),
                        )
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.detail)
            else:
                messages.success(request, f"Noted for {len(operations)} operation(s). The next run follows your word.")
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Your word on an operation"
            if len(operations) == 1
            else f"Your word on {len(operations)} operations",
            "opts": self.opts,
            "form": form,
            "operations": operations,
            "back": back,
        }
        return TemplateResponse(request, "admin/policies/speak.html", context)

    def retract_view(self, request: HttpRequest, operation_id: int) -> HttpResponse:
        """Take the word on one operation back: flags and policies decide again."""
        if not request.user.has_perm(MAY_SPEAK):
            raise PermissionDenied
        try:
            production.retract_word(operation_id=operation_id, by=request.user, at=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, "Taken back. The next run decides by flags and policies again.")
        order_id = Operation.objects.filter(pk=operation_id).values_list("production_order_id", flat=True).first()
        return HttpResponseRedirect(reverse("admin:policies_orderwithverdicts_change", args=[order_id or 0]))

    @display(header=True, description="Production order", ordering="number")
    def show_number(self, order: OrderWithVerdicts) -> list[str]:
        return [order.number, gettext("for {order}").format(order=order.parent_number) if order.parent_number else ""]

    @display(header=True, description="Item", ordering="item__code")
    def show_item(self, order: OrderWithVerdicts) -> list[str]:
        return [order.item.code, order.item.name]

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, order: OrderWithVerdicts) -> str:
        return f"{plain(order.quantity)} {order.item.unit or ''}"

    @display(description="Status", ordering="status", label={"Released": "info", "In progress": "primary"})
    def show_status(self, order: OrderWithVerdicts) -> str:
        return order.get_status_display()

    @display(description="Outside", label={"outside": "success"})
    def show_outside(self, order: OrderWithVerdicts) -> tuple[str, str] | None:
        return ("outside", gettext("{n} outside").format(n=order.outside)) if order.outside else None

    @display(description="Waits for a person", label={"stuck": "danger"})
    def show_stuck(self, order: OrderWithVerdicts) -> tuple[str, str] | None:
        return ("stuck", gettext("{n} to settle").format(n=order.stuck)) if order.stuck else None


@admin.register(Decision)
class DecisionAdmin(Translated, ModelAdmin):
    """The current verdicts. Choose some and say otherwise."""

    list_display = ["show_operation", "show_verdict", "show_vendor", "show_why", "show_quantity", "need_date", "policy"]
    list_select_related = [
        "operation__production_order__item",
        "operation__process",
        "policy",
    ]
    list_filter = [
        ("verdict", ChoicesDropdownFilter),
        ("basis", ChoicesDropdownFilter),
        ("policy", RelatedDropdownFilter),
        ("operation__process", AutocompleteSelectFilter),
        ("need_date", RangeDateFilter),
    ]
    list_filter_submit = True
    search_fields = [
        "operation__production_order__number",
        "operation__name",
        "operation__production_order__item__code",
    ]
    ordering = ["need_date", "pk"]
    show_full_result_count = False
    actions = ["send_outside", "keep_inside"]
    fields = [
        ("show_operation_text", "verdict", "basis"),
        ("policy", "quantity", "show_vendor"),
        ("planned_start", "need_date", "flips_on"),
        "show_reasons",
        ("version", "decided_at", "run_number"),
    ]
    readonly_fields = ["show_operation_text", "show_vendor", "show_reasons"]
    has_add_permission = has_change_permission = has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        awards = Prefetch("awards", Award.objects.select_related("vendor").order_by("rank"))
        return super().get_queryset(request).current().visible_to(request.user).prefetch_related(awards)

    def has_speak_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_SPEAK)

    @admin.action(description="Send outside …", permissions=["speak"])
    def send_outside(self, request: HttpRequest, queryset: QuerySet[Decision]) -> HttpResponse:
        return self.ask(queryset, Word.OUTSIDE)

    @admin.action(description="Keep inside …", permissions=["speak"])
    def keep_inside(self, request: HttpRequest, queryset: QuerySet[Decision]) -> HttpResponse:
        return self.ask(queryset, Word.INSIDE)

    def ask(self, queryset: QuerySet[Decision], word: Word) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.values_list("operation_id", flat=True)[:200])
        return HttpResponseRedirect(f"{reverse('admin:policies_orderwithverdicts_speak')}?word={word}&operations={ids}")

    @display(header=True, description="Operation", ordering="operation__production_order__number")
    def show_operation(self, decision: Decision) -> list[str]:
        operation = decision.operation
        order = operation.production_order
        return [f"{order.number} · {operation.operation_no} {operation.name}", f"{order.item.code} {order.item.name}"]

    @display(description="Operation")
    def show_operation_text(self, decision: Decision) -> str:
        return " – ".join(self.show_operation(decision))

    @display(description="Verdict", ordering="verdict", label=VERDICT_COLORS)
    def show_verdict(self, decision: Decision) -> tuple[str, str]:
        return decision.verdict, VERDICT_WORDS[Verdict(decision.verdict)]

    @display(description="Vendor")
    def show_vendor(self, decision: Decision) -> str:
        return ", ".join(award.vendor.name or award.vendor.code for award in decision.awards.all()) or "–"

    @display(description="Why")
    def show_why(self, decision: Decision) -> str:
        return main_reason(decision)

    @display(description="Quantity", ordering="quantity")
    def show_quantity(self, decision: Decision) -> str:
        return plain(decision.quantity)

    @display(description="Reasons")
    def show_reasons(self, decision: Decision) -> SafeString:
        return render_to_string("admin/policies/_reasons.html", {"reasons": decision.reasons})


def operations_with_verdicts(*, order_id: str, user: Any) -> list[Operation]:
    """The operations of an order, each with `.decision` (awards fetched) and `.word`, in three queries."""
    if not str(order_id).isdigit():
        return []
    spoken = Prefetch(
        "words",
        OperationWord.objects.filter(is_current=True).select_related("vendor", "by"),
        to_attr="current_words",
    )
    operations = list(
        Operation.objects.visible_to(user)
        .filter(production_order_id=order_id)
        .select_related("process", "work_center")
        .prefetch_related(spoken)
        .order_by("sequence", "pk")
    )
    awards = Prefetch("awards", Award.objects.select_related("vendor", "currency").order_by("rank"))
    decisions = {
        decision.operation_id: decision
        for decision in Decision.objects.current()
        .filter(operation__in=[operation.pk for operation in operations])
        .select_related("policy")
        .prefetch_related(awards)
    }
    for operation in operations:
        center = operation.work_center
        operation.place = (center.name or center.code) if center else "no work center"
        operation.decision = decisions.get(operation.pk)
        operation.word = operation.current_words[0] if operation.current_words else None
        if operation.decision:
            verdict = Verdict(operation.decision.verdict)
            operation.decision.color, operation.decision.short = VERDICT_COLORS[verdict], VERDICT_WORDS[verdict]
            operation.decision.why = main_reason(operation.decision)
    return operations


def main_reason(decision: Decision) -> str:
    """The one sentence that says most: the last reason given, as reasons end with what decided."""
    details = [reason.get("detail") or reason.get("code", "") for reason in decision.reasons]
    return details[-1] if details else "–"
