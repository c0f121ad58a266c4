"""Runs of the main job: to read, and to start. Simulations: to ask for, and to look at."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.refusals import Refusal
from documents import services, tasks
from documents.forms import SimulationForm
from documents.models import GenerationRun, SimulationRun, SimulationState
from masterdata.admin import Translated, money, never, plain, said
from policies.models import Policy, PolicyStatus

MAY_START = "documents.start_generationrun"
MAY_SIMULATE = "policies.change_policy"


@admin.register(GenerationRun)
class GenerationRunAdmin(Translated, ModelAdmin):
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
        ("requested_at", "started_at"),
        ("decided_at", "finished_at"),
        ("operations", "in_house", "outsource"),
        ("review", "blocked", "show_blocked_by"),
        ("created", "changed", "cancelled"),
        ("orders", "lines"),
        ("shipments", "alerts"),
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
            "title": gettext_lazy("Generate now?"),
            "description": gettext_lazy(
                "Every open operation in the horizon is decided and the orders follow. "
                "Nothing that was sent changes; running it twice makes nothing twice."
            ),
            "form_submit_text": gettext_lazy("Generate"),
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
        return [run.number, f"{said(run.reason or 'No reason given')}{who}"]

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
            '<span>{}</span><svg class="ow-bar" role="img" aria-label="{} %" viewBox="0 0 100 8"'
            ' preserveAspectRatio="none"><rect width="100" height="8" rx="2"></rect><rect width="{}" height="8" rx="2"></rect>'
            "</svg>",
            gettext("{done} of {total} changes").format(done=plain(run.items_done), total=plain(run.items_total)),
            done,
            done,
        )

    @display(header=True, description="Operations", ordering="operations")
    def show_verdicts(self, run: GenerationRun) -> list[str]:
        return [
            gettext("{outside} outside, {inside} inside").format(
                outside=plain(run.outsource), inside=plain(run.in_house)
            ),
            gettext("{review} to review, {blocked} blocked").format(
                review=plain(run.review), blocked=plain(run.blocked)
            ),
        ]

    @display(description="Changes")
    def show_documents(self, run: GenerationRun) -> str:
        return gettext("{made} made, {changed} changed, {withdrawn} withdrawn").format(
            made=plain(run.created), changed=plain(run.changed), withdrawn=plain(run.cancelled)
        )

    @display(description="Seconds")
    def show_seconds(self, run: GenerationRun) -> str:
        if not run.started_at or not run.finished_at:
            return "–"
        return money(Decimal((run.finished_at - run.started_at).total_seconds()), 1)

    @display(description="Blocked by")
    def show_blocked_by(self, run: GenerationRun) -> str:
        return (
            ", ".join(f"{said(code.replace('_', ' ').capitalize())}: {count}" for code, count in run.blocked_by.items())
            or "–"
        )


@admin.register(SimulationRun)
class SimulationRunAdmin(Translated, ModelAdmin):
    """What if: asked on a page, answered by a worker, kept to be opened again."""

    list_display = ["show_number", "show_state", "show_flips", "show_value", "requested_at"]
    list_select_related = ["requested_by"]
    list_filter = [("state", ChoicesDropdownFilter), ("requested_at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["number", "said"]
    ordering = ["-pk"]
    show_full_result_count = False
    has_delete_permission = never

    def get_queryset(self, request: HttpRequest) -> QuerySet[SimulationRun]:
        return super().get_queryset(request).visible_to(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_SIMULATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_SIMULATE) or request.user.has_perm("documents.view_simulationrun")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose what is supposed; the address may say it already (`?policies=PEAK`)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SimulationForm(request.POST if request.method == "POST" else None, initial=_initial(request))
        if request.method == "POST" and form.is_valid():
            run = self.ask(request, form)
            if run is not None:
                return redirect("admin:documents_simulationrun_change", run.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Simulate"),
            "opts": self.opts,
            "form": form,
            "known": list(SimulationForm.known().items()),
        }
        return TemplateResponse(request, "admin/documents/simulate.html", context)

    def ask(self, request: HttpRequest, form: SimulationForm) -> SimulationRun | None:
        try:
            change = form.change()
            if change is None:
                return None
            run = services.ask(asked=form.asked(), change=change, by=request.user, at=timezone.now())
        except Refusal as refusal:
            form.add_error(None, refusal.detail)
            return None
        tasks.answer_simulation.delay_on_commit(run.pk)
        return run

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The answer, or how far it is."""
        run = get_object_or_404(self.get_queryset(request).select_related("requested_by"), pk=object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        supposed = [row["code"] if isinstance(row, dict) else row for row in run.asked.get("policies", ())]
        drafts = Policy.objects.filter(code__in=supposed, status=PolicyStatus.DRAFT).order_by("code")
        context = {
            **self.admin_site.each_context(request),
            "title": run.number,
            "opts": self.opts,
            "run": run,
            "answer": run.answer,
            "is_over": run.state in (SimulationState.DONE, SimulationState.REFUSED),
            "done": services.operations_so_far(run),
            "drafts": list(drafts) if request.user.has_perm("policies.activate_policy") else [],
            "again": _address(run.asked),
            **(_pictures(run.answer) if run.answer else {}),
        }
        return TemplateResponse(request, "admin/documents/simulation.html", context)

    @display(header=True, description="Simulation", ordering="pk")
    def show_number(self, run: SimulationRun) -> list[str]:
        return [run.number, f"{run.said} · {run.requested_by}"]

    @display(
        description="State",
        ordering="state",
        label={"Done": "success", "Refused": "danger", "Running": "info", "Waiting": "warning"},
    )
    def show_state(self, run: SimulationRun) -> str:
        return run.get_state_display()

    @display(description="Operations that flip")
    def show_flips(self, run: SimulationRun) -> str:
        return f"{run.answer['changed_total']:,}" if run.answer else "–"

    @display(description="Money")
    def show_value(self, run: SimulationRun) -> str:
        if not run.answer:
            return "–"
        before, after = Decimal(run.answer["before"]["value"]), Decimal(run.answer["after"]["value"])
        return f"{after - before:+,.2f} {run.answer['currency']}"


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the address says already: lists by repeated words, other fields by their names."""
    lists = {name: request.GET.getlist(name) for name in ("policies", "left_out") if name in request.GET}
    return {**{name: value for name, value in request.GET.items() if name not in lists}, **lists}


def _address(asked: Mapping[str, Any]) -> str:
    """The address that opens the form with the same supposed, to change it and try again."""
    pairs: list[tuple[str, str]] = []
    changes: list[tuple[str, str, str]] = []
    for row in asked.get("policies", ()):
        values = dict(row) if isinstance(row, dict) else {"code": row}
        code, in_force = values.pop("code"), values.pop("in_force", True)
        if not in_force or not values:
            pairs.append(("policies" if in_force else "left_out", code))
        for column, value in values.items():
            changes.append((code, column, ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")))
    for n, (code, column, value) in enumerate(changes, 1):
        pairs += [(f"change_{n}_policy", code), (f"change_{n}_column", column), (f"change_{n}_value", value)]
    if asked.get("vendors_lost"):
        pairs.append(("vendors_lost", ", ".join(asked["vendors_lost"])))
    for kind, rows in (("down", asked.get("downtimes", ())), ("price", asked.get("prices", ()))):
        for n, row in enumerate(rows, 1):
            pairs += [(f"{kind}_{n}_{name}", str(value)) for name, value in row.items()]
    return f"{reverse('admin:documents_simulationrun_add')}?{urlencode(pairs)}"


FIGURES = (
    ("orders", gettext_lazy("Orders")),
    ("lines", gettext_lazy("Order lines")),
    ("value", gettext_lazy("Money")),
    ("outsource", gettext_lazy("Go outside")),
    ("in_house", gettext_lazy("Stay inside")),
    ("review", gettext_lazy("A person must say")),
    ("blocked", gettext_lazy("Blocked")),
    ("late_lines", gettext_lazy("Lines that come late")),
    ("late_line_days", gettext_lazy("Days late, in sum")),
    ("late_inside", gettext_lazy("Operations late inside")),
    ("late_inside_days", gettext_lazy("Days late inside, in sum")),
    ("hours", gettext_lazy("Hours inside")),
)
SHOWN_VENDORS = 12
SHOWN_CENTERS = 12


def _pictures(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The figures side by side, and what the charts draw. Every chart's numbers stand in a table beside it as well."""
    figures = []
    for name, word in FIGURES:
        before, after = Decimal(str(answer["before"][name])), Decimal(str(answer["after"][name]))
        figures.append({"name": name, "word": word, "before": before, "after": after, "difference": after - before})
    vendors = sorted(
        (
            {**row, "before": Decimal(row["before"]), "after": Decimal(row["after"])}
            for row in answer["value_by_vendor"]
        ),
        key=lambda row: (-max(row["before"], row["after"]), row["vendor"]),
    )
    centers: dict[str, list[dict[str, Any]]] = {}
    for row in answer["load"]:
        numbers = {name: Decimal(row[name]) for name in ("capacity_before", "capacity_after", "before", "after")}
        used = [_share(numbers[side], numbers[f"capacity_{side}"]) for side in ("before", "after")]
        centers.setdefault(row["work_center"], []).append(
            {**row, **numbers, "share_before": used[0], "share_after": used[1]}
        )
    fullest = sorted(
        centers, key=lambda code: (-max(max(w["share_before"], w["share_after"]) for w in centers[code]), code)
    )[:SHOWN_CENTERS]
    late = [row for row in figures if row["name"].startswith("late")]
    charts = {
        "verdicts": _bars([row for row in figures if row["name"] in ("outsource", "in_house", "review", "blocked")]),
        "late": _bars([row for row in late if not row["name"].endswith("days")]),
        "vendors": {
            "labels": [row["vendor"] for row in vendors[:SHOWN_VENDORS]],
            "before": [float(row["before"]) for row in vendors[:SHOWN_VENDORS]],
            "after": [float(row["after"]) for row in vendors[:SHOWN_VENDORS]],
        },
        "load": {
            code: {
                "labels": [row["week"] for row in centers[code]],
                "before": [float(row["before"]) for row in centers[code]],
                "after": [float(row["after"]) for row in centers[code]],
                "capacity": [float(row["capacity_after"]) for row in centers[code]],
            }
            for code in fullest
        },
        "words": {
            "before": gettext("As it stands"), "after": gettext("As it would be"), "capacity": gettext("Can work"),
            "hours": gettext("hours"),
        },
    }  # fmt: skip
    return {
        "figures": figures,
        "vendors": vendors,
        "centers": [{"code": code, "weeks": centers[code]} for code in fullest],
        "charts": charts,
        "flips": answer["changed"],
        "more_flips": answer["changed_total"] - len(answer["changed"]),
    }


def _share(hours: Decimal, capacity: Decimal) -> Decimal:
    """Hours in percent of what can be worked; work where nothing can be counts as twice too much."""
    return (hours * 100 / capacity).quantize(Decimal(1)) if capacity else Decimal(200 if hours else 0)


def _bars(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "labels": [str(row["word"]) for row in rows],
        "before": [float(row["before"]) for row in rows],
        "after": [float(row["after"]) for row in rows],
    }
