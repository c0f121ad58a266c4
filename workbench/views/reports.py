"""The measured promises: every report with its charts, its table, what each figure means, and the rows behind it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from core.refusals import InvalidInput, Refusal
from masterdata.models import Process, Site, Vendor, WorkCenter
from reports import services as reports
from reports.rules.figures import DIMENSIONS, FIGURES, REPORTS, Report
from reports.serializers import as_csv, lying_as_csv
from reports.services import Answer, Question
from workbench.views.charts import charts_of
from workbench.views.page import Shell, choice, page_for, paged, show

SEES = "reports.view_measurement"
WEEKS_UP_TO = 130  # days; a longer period is drawn by month, unless told otherwise
PER = ("week", "month")
MODELS: dict[str, Any] = {"vendor": Vendor, "process": Process, "site": Site, "work_center": WorkCenter}
WORDS = {"vendor": "Vendor", "process": "Process", "site": "Site", "work_center": "Work center"}
BY = {
    "vendor": gettext_lazy("By vendor"),
    "process": gettext_lazy("By process"),
    "site": gettext_lazy("By site"),
    "work_center": gettext_lazy("By work center"),
}
EVERY = {"vendor": "All vendors", "process": "All processes", "site": "All sites", "work_center": "All work centers"}
PAGES = {
    "receipt_line": "workbench:receipt", "order_line": "workbench:order", "order": "workbench:order",
    "moved_hours": "workbench:order", "operation": "workbench:order_cost",
    "draft_change": "workbench:order", "alert": "workbench:order",
    "invoice": "workbench:invoice", "invoice_match": "workbench:invoice", "invoiced_before": "workbench:order",
}  # fmt: skip


@require_safe
@page_for(SEES)
def report_list(request: HttpRequest) -> HttpResponse:
    """All reports over the last twelve months, each figure with its value."""
    shell = Shell(request)
    kept = reports.keep_up(at=timezone.now())
    answers = []
    for report in REPORTS.values():
        today = reports.today_of(report, site="", at=timezone.now())
        question = reports.ask(report, first=None, last=None, by=(), narrowed={}, today=today)
        answers.append(reports.answer(report, question, viewer=request.user))
    context = {"answers": answers, "as_of": kept.as_of}
    return show(request, "workbench/report_list.html", context, section="reports", shell=shell)


@require_safe
@page_for(SEES)
def report(request: HttpRequest, name: str) -> HttpResponse:
    """One report: over time as a chart, grouped as a table; as a file with `as=csv`."""
    shell, asked = Shell(request), _report(name)
    kept = reports.keep_up(at=timezone.now())
    problem = ""
    group = request.GET.get("by") if request.GET.get("by") in asked.dimensions else asked.dimensions[0]
    try:
        question = _question(request, asked, by=(group,))
        table = reports.answer(asked, question, viewer=request.user)
    except Refusal as refusal:
        problem = refusal.detail
        today = reports.today_of(asked, site="", at=timezone.now())
        question = reports.ask(asked, first=None, last=None, by=(group,), narrowed={}, today=today)
        table = reports.answer(asked, question, viewer=request.user)
    if request.GET.get("as") == "csv" and not problem:
        named = f'attachment; filename="{asked.name}-{question.first}-{question.last}.csv"'
        return HttpResponse(
            as_csv(table), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": named}
        )
    per = request.GET.get("per", "")
    time = per if per in PER else "week" if question.last - question.first <= timedelta(WEEKS_UP_TO) else "month"
    over_time = reports.answer(
        asked, Question(question.first, question.last, (time,), question.narrowed), viewer=request.user
    )
    context: dict[str, Any] = {
        "report": asked,
        "question": question,
        "table": table,
        "charts": charts_of(over_time, time=time, currency=shell.company.currency.code if shell.company else ""),
        "time": time,
        "group": group,
        "group_word": WORDS[group],
        "choices": [_per_choice(per), *_choices(request, asked, group)],
        "others": [one for one in REPORTS.values() if one.name != asked.name],
        "rows_query": _query(question),
        "csv_query": urlencode({**request.GET.dict(), "as": "csv"}),
        "as_of": kept.as_of,
        "problem": problem,
        "everybody": _everybody(asked, question, request) if question.narrowed.get("vendor") else None,
    }
    return show(
        request, "workbench/report.html", context, section="reports", shell=shell, part="workbench/_report.html"
    )


@require_safe
@page_for(SEES)
def report_rows(request: HttpRequest, name: str) -> HttpResponse:
    """What a figure is made of, newest first, each row with the document it was taken of."""
    shell, asked = Shell(request), _report(name)
    reports.keep_up(at=timezone.now())
    figure = FIGURES.get(request.GET.get("figure", ""))
    if figure is None or figure.name not in asked.figures:
        raise Http404
    try:
        question = _question(request, asked, by=())
        found = reports.rows_behind(asked, question, figure=figure.name, viewer=request.user)
    except Refusal as refusal:
        raise Http404 from refusal
    total = reports.answer(asked, question, viewer=request.user).total[figure.name]
    page = paged(request, found.order_by("-day", "-id"))
    page.object_list = [{"row": row, "href": _page_of(row.source, row.document)} for row in page.object_list]
    context = {
        "report": asked, "figure": figure, "question": question, "page": page, "total": total,
        "narrowed": _said(question),
    }  # fmt: skip
    return show(request, "workbench/report_rows.html", context, section="reports", shell=shell)


@require_safe
@page_for(SEES)
def lying_at_vendors(request: HttpRequest) -> HttpResponse:
    """What the figure of material at vendors was made of at the end of a day: items and lots, with quantity and value."""
    shell, asked = Shell(request), REPORTS["material-at-vendors"]
    try:
        question = _question(request, asked, by=())
        narrowed = {name: code for name, code in question.narrowed.items() if code and name in asked.dimensions}
        reports.keep_up(at=timezone.now())
        found = reports.lying_at_vendors(on=question.last, narrowed=narrowed, viewer=request.user)
    except Refusal as refusal:
        raise Http404 from refusal
    if request.GET.get("as") == "csv":
        named = f'attachment; filename="lying-at-vendors-{question.last}.csv"'
        return HttpResponse(
            lying_as_csv(found), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": named}
        )
    choices = [one for one in _choices(request, asked, "vendor") if one["name"] != "by"]
    context = {
        "report": asked, "on": question.last, "narrowed": list(narrowed.values()), "choices": choices,
        "page": paged(request, found, counted=len(found)), "total": sum((row.value for row in found), Decimal(0)),
        "csv_query": urlencode({**request.GET.dict(), "as": "csv"}),
    }  # fmt: skip
    return show(request, "workbench/report_lying.html", context, section="reports", shell=shell)


def _report(name: str) -> Report:
    found = reports.report_named(name)
    if found is None:
        raise Http404
    return found


def _question(request: HttpRequest, asked: Report, *, by: tuple[str, ...]) -> Question:
    def day(name: str) -> date | None:
        given = request.GET.get(name, "")
        try:
            return date.fromisoformat(given) if given else None
        except ValueError as problem:
            raise InvalidInput(f"'{given[:20]}' is no day. Write it like 2026-03-31.", field=name) from problem

    narrowed = {name: request.GET[name][:100] for name in DIMENSIONS if request.GET.get(name)}
    narrowed |= {name: "" for name in request.GET.get("without", "").split(",") if name in DIMENSIONS}
    today = reports.today_of(asked, site=narrowed.get("site", ""), at=timezone.now())
    return reports.ask(asked, first=day("from"), last=day("to"), by=by, narrowed=narrowed, today=today)


def _query(question: Question) -> str:
    narrowed = {name: code for name, code in question.narrowed.items() if code}
    without = ",".join(name for name, code in question.narrowed.items() if not code)
    return urlencode(
        {"from": question.first, "to": question.last, **narrowed, **({"without": without} if without else {})}
    )


def _said(question: Question) -> list[str]:
    """What it is narrowed to, in words."""
    return [code or (_("in house") if name == "vendor" else _("none")) for name, code in question.narrowed.items()]


def _everybody(asked: Report, question: Question, request: HttpRequest) -> Answer:
    """The same without the vendor: what he is compared with."""
    narrowed = {name: code for name, code in question.narrowed.items() if name != "vendor"}
    return reports.answer(asked, Question(question.first, question.last, (), narrowed), viewer=request.user)


def _per_choice(per: str) -> dict[str, Any]:
    options = [("week", _("Drawn by week")), ("month", _("Drawn by month"))]
    return choice("per", _("Drawn by"), _("Week or month"), options, per if per in PER else "")


def _choices(request: HttpRequest, asked: Report, group: str) -> list[dict[str, Any]]:
    found = [
        choice(
            "by",
            _("Grouped by"),
            "",
            [(name, str(BY[name])) for name in asked.dimensions],
            group,
        )
    ]
    for name in asked.dimensions:
        rows = MODELS[name].objects.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(request.user)
        elif name == "site":
            rows = rows.filter(request.user.scope.rows(site="pk"))  # type: ignore[union-attr]
        options = [
            (code, title or code) for code, title in rows.order_by("name", "code").values_list("code", "name")[:500]
        ]
        found.append(choice(name, WORDS[name], EVERY[name], options, request.GET.get(name, "")))
    return found


def _page_of(source: str, document: str) -> str:
    return reverse(PAGES[source], args=[document]) if source in PAGES and document else ""
