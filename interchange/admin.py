"""Imports: look through a file first, see what it would add, change and withdraw, then let it in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from core.refusals import Refusal
from interchange import services, tasks
from interchange.models import UNFINISHED, ImportJob
from masterdata.admin import Translated, never

MAY_IMPORT = "interchange.import_plan"
AT_ONCE = 512 * 1024  # bytes looked through while the browser waits; a worker takes more
SHOWN = 200  # bad rows on the page; the API has all
KINDS = ("created", "changed", "replaced", "withdrawn")


class ManyFiles(UnfoldAdminFileFieldWidget):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One zip, or CSV files."""

    widget = ManyFiles(attrs={"multiple": True})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files]


class ImportForm(forms.Form):
    """A file to look through, and how it is to be read."""

    files = FilesField(label=gettext_lazy("Files"), help_text=gettext_lazy("A zip, or CSV files in the import format."))
    profile = forms.ChoiceField(
        label=gettext_lazy("Written by"),
        required=False,
        choices=[
            ("", gettext_lazy("Outwork's own import format")),
            *((name, name) for name in services.profile_names()),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("The files hold"),
        choices=[
            ("upsert", gettext_lazy("A part of the plan: what they do not name stays")),
            ("snapshot", gettext_lazy("The whole plan: planned orders they do not name are withdrawn")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    confirm = forms.BooleanField(
        label=gettext_lazy("Also withdraw more than a fifth of the orders"), required=False, widget=UnfoldBooleanWidget
    )
    skip_orders = forms.BooleanField(
        label=gettext_lazy("Leave out orders with bad rows"), required=False, widget=UnfoldBooleanWidget
    )

    def options(self) -> dict[str, Any]:
        said = self.cleaned_data
        whole = said["mode"] == "snapshot"
        return {
            "snapshot": {"confirm": said["confirm"]} if whole else None,
            "skip_orders": said["skip_orders"],
            "profile": said["profile"],
        }


@admin.register(ImportJob)
class ImportJobAdmin(Translated, ModelAdmin):
    """What was read, is being read, or waits to be confirmed."""

    list_display = ["show_job", "show_state", "show_counts", "asked_at", "by"]
    list_select_related = ["by"]
    list_filter = [("state", ChoicesDropdownFilter), ("asked_at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["origin", "reference"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions_list = ["look_through"]
    has_add_permission = has_change_permission = has_delete_permission = never

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY_IMPORT)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.new_view), name="interchange_importjob_new"),
            path("<int:pk>/look/", view(self.look_view), name="interchange_importjob_look"),
            path("<int:pk>/confirm/", view(require_POST(self.confirm_view)), name="interchange_importjob_confirm"),
            path("<int:pk>/stop/", view(require_POST(self.stop_view)), name="interchange_importjob_stop"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:interchange_importjob_look", args=[object_id]))

    @action(
        description=gettext_lazy("Import a plan"),
        permissions=["import"],
        icon="upload_file",
        variant=ActionVariant.PRIMARY,
        url_path="import-a-plan",
    )
    def look_through(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:interchange_importjob_new"))

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Choose files; they are looked through, and nothing is written."""
        self.must_import(request)
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            now, files = timezone.now(), form.cleaned_data["files"]
            try:
                job = services.start_job(
                    files=[(file.name, file) for file in files],
                    options=form.options(),
                    at=now,
                    by=request.user,
                    is_dry=True,
                    origin=", ".join(file.name for file in files),
                )
            except Refusal as refusal:
                form.add_error("files", refusal.detail)
            else:
                if job.size <= AT_ONCE:
                    services.run_job(job_id=job.pk, at=now)
                else:
                    tasks.run_import.delay_on_commit(job.pk)
                return HttpResponseRedirect(reverse("admin:interchange_importjob_look", args=[job.pk]))
        return self.page(request, "new", {"title": _("Import a plan"), "form": form})

    def look_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a job is, what it did or would do, or every bad row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(ImportJob.objects.select_related("by", "result"), pk=pk)
        tables = [
            {
                "name": name,
                "counts": count,
                "changes": job.report.get("changes", {}).get(name, {}),
                "first": [(kind, job.report["first"].get(name, {}).get(kind, [])) for kind in KINDS],
            }
            for name, count in job.report.get("counts", {}).items()
        ]
        context = {
            "title": job.origin or str(job),
            "job": job,
            "progress": services.job_progress(job),
            "tables": tables,
            "errors": [_bad_row(bad) for bad in job.errors[:SHOWN]],
            "is_unfinished": job.state in UNFINISHED,
            "may_confirm": job.is_preview and job.parts.exists() and self.has_import_permission(request),
            "changes_nothing": not any(table["counts"].get(kind) for table in tables for kind in KINDS),
        }
        return self.page(request, "look", context)

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.must_import(request)
        try:
            job = services.confirm_job(job_id=pk, by=request.user, at=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.detail)
        else:
            if job.size <= AT_ONCE:
                job = services.run_job(job_id=job.pk, at=timezone.now())
            else:
                tasks.run_import.delay_on_commit(job.pk)
            if job.state == "done":
                messages.success(request, _("The plan was read. Verdicts and orders follow within seconds."))
        return HttpResponseRedirect(reverse("admin:interchange_importjob_look", args=[pk]))

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.must_import(request)
        try:
            services.stop_job(job_id=pk, by=request.user, at=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.detail)
        return HttpResponseRedirect(reverse("admin:interchange_importjob_look", args=[pk]))

    def must_import(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        back = reverse("admin:interchange_importjob_changelist")
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "back": back, **context}
        return render(request, f"admin/interchange/{name}.html", whole)

    @display(header=True, description=gettext_lazy("Import"), ordering="pk")
    def show_job(self, job: ImportJob) -> list[str]:
        return [job.origin or str(job), _("Preview") if job.is_dry else str(job)]

    @display(
        description=gettext_lazy("State"),
        ordering="state",
        label={"Done": "success", "Refused": "danger", "Failed": "danger", "Reading": "info", "Waiting": "warning"},
    )
    def show_state(self, job: ImportJob) -> str:
        return job.get_state_display()

    @display(description=gettext_lazy("New / changed / withdrawn"))
    def show_counts(self, job: ImportJob) -> str:
        counts = job.report.get("counts", {}).values()
        return " / ".join(f"{sum(count.get(kind, 0) for count in counts):,}" for kind in KINDS)


def _bad_row(bad: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": bad.get("file") or bad.get("table"),
        "row": bad.get("row"),
        "column": bad.get("column") or bad.get("field"),
        "value": bad.get("value"),
        "detail": bad["detail"],
    }
