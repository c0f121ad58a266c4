"""Runs of the main job: to read, and to start."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from documents import services, tasks
from documents.models import GenerationRun
from masterdata.admin import never

MAY_START = "documents.start_generationrun"


@admin.register(GenerationRun)
class GenerationRunAdmin(ModelAdmin):
    list_display = ["show_number", "show_state", "show_progress", "show_verdicts", "show_documents", "show_seconds"]
    list_select_related = ["requested_by"]
    list_filter = [("state", ChoicesDropdownFilter), ("requested_at", RangeDateTimeFilter), "is_dry"]
    list_filter_submit = True
    search_fields = ["number", "reason"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions_list = ["generate_now"]
    fields = [
        ("number", "show_state", "is_dry"),
        "show_progress",
        ("reason", "requested_by"),
        ("requested_at", "started_at", "decided_at", "finished_at"),
        ("operations", "in_house", "outsource"),
        ("review", "blocked", "show_blocked_by"),
        ("created", "changed", "cancelled"),
        ("orders", "lines", "shipments", "alerts"),
        "error",
    ]
    readonly_fields = ["show_state", "show_progress", "show_blocked_by"]
    has_add_permission = has_change_permission = has_delete_permission = never

    def has_start_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_START)

    @action(
        description="Generate now",
        permissions=["start"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Generate now?",
            "description": "Every open operation in the horizon is decided and the orders follow. "
            "Nothing that was sent changes; running it twice makes nothing twice.",
            "form_submit_text": "Generate",
        },
    )
    def generate_now(self, request: HttpRequest, form: Any) -> HttpResponse:
        now = timezone.now()
        services.request_run(reason="Asked for in planning", at=now, by=request.user, not_before=now)
        tasks.start_due_runs.delay_on_commit()
        messages.success(request, "A run starts within seconds. Load this page again to see how far it is.")
        return HttpResponse(headers={"HX-Redirect": reverse("admin:documents_generationrun_changelist")})

    @display(header=True, description="Run", ordering="pk")
    def show_number(self, run: GenerationRun) -> list[str]:
        who = f" · {run.requested_by}" if run.requested_by else ""
        return [run.number, f"{run.reason or 'No reason given'}{who}"]

    @display(
        description="State",
        ordering="state",
        label={"Done": "success", "Failed": "danger", "Deciding": "info", "Writing": "info", "Waiting": "warning"},
    )
    def show_state(self, run: GenerationRun) -> str:
        return run.get_state_display()

    @display(description="Progress")
    def show_progress(self, run: GenerationRun) -> SafeString:
        done = services.progress(run).percent
        return format_html(
            '<span>{} of {} changes</span><svg class="ow-bar" role="img" aria-label="{} %" viewBox="0 0 100 8"'
            ' preserveAspectRatio="none"><rect width="100" height="8" rx="2"></rect><rect width="{}" height="8" rx="2"></rect>'
            "</svg>",
            run.items_done,
            run.items_total,
            done,
            done,
        )

    @display(header=True, description="Operations", ordering="operations")
    def show_verdicts(self, run: GenerationRun) -> list[str]:
        return [
            f"{run.outsource:,} outside, {run.in_house:,} inside",
            f"{run.review:,} to review, {run.blocked:,} blocked",
        ]

    @display(description="Changes")
    def show_documents(self, run: GenerationRun) -> str:
        return f"{run.created:,} made, {run.changed:,} changed, {run.cancelled:,} withdrawn"

    @display(description="Seconds")
    def show_seconds(self, run: GenerationRun) -> str:
        if not run.started_at or not run.finished_at:
            return "–"
        return f"{(run.finished_at - run.started_at).total_seconds():.1f}"

    @display(description="Blocked by")
    def show_blocked_by(self, run: GenerationRun) -> str:
        return ", ".join(f"{code.replace('_', ' ')}: {count}" for code, count in run.blocked_by.items()) or "–"
