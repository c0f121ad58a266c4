"""Decisions: all of them by verdict, and one that reads like an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from masterdata.models import Vendor
from policies.models import Award, Decision, Verdict
from policies.services import HORIZON_DAYS
from production.models import OPEN_STATUSES, Operation, OperationStatus, Word
from reports import services as reports
from subcontract_orders.models import OrderLine
from workbench import rules, tables
from workbench.forms import read_filters
from workbench.views.page import Shell, as_file, asked_for_file, count, kept, page_view, paged, show, site_choice
from workbench.views.worklist import Tab, attach_because, filtered_decisions, shown_decisions

MAY_SPEAK = "production.speak_operationword"


class Way(NamedTuple):
    """Where to go to change a verdict."""

    word: str
    href: str
    glyph: str


def verdict_tabs() -> dict[str, Tab]:
    nothing = "Start a run: every open operation of the plan gets a verdict with its reasons."
    tabs = [
        Tab("outsource", _("Outside"), "arrow-up-right", _("Nothing goes outside"), nothing),
        Tab("in_house", _("Inside"), "home", _("Nothing stays inside"), nothing),
        Tab(
            "review",
            _("To review"),
            "circle-check",
            _("Nothing waits for a person"),
            _("Operations that a person must decide stand here."),
        ),
        Tab(
            "blocked",
            _("Blocked"),
            "circle-check",
            _("Nothing is blocked"),
            _("Operations that should go outside and cannot stand here."),
            True,
        ),
    ]
    return {tab.key: tab for tab in tabs}


@require_safe
@page_view
def decision_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), verdict_tabs()
    tab = tabs.get(filters.verdict, tabs["outsource"])
    decisions = filtered_decisions(Decision.objects.current().visible_to(request.user), filters)
    for entry in tabs.values():
        entry.count = count(decisions.filter(verdict=entry.key))
    found = shown_decisions(decisions.filter(verdict=tab.key))
    if asked_for_file(request):
        return as_file(request, tables.DECISIONS, found, shell=shell)
    page = paged(request, found, counted=tab.count)
    page.object_list = list(page.object_list)
    attach_because(page.object_list)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": [site_choice(request, filters)],
        "kept": kept(request, "verdict"),
        "search_hint": _("Search operations, parts"),
    }
    return show(
        request,
        "workbench/decision_list.html",
        context,
        section="decisions",
        shell=shell,
        part="workbench/_decision_list.html",
    )


@require_safe
@page_view
def decision(request: HttpRequest, number: str, operation_no: str) -> HttpResponse:
    """The verdict on an operation with its reasons; of one that is not decided any more, or not yet, why, and how it was last."""
    shell = Shell(request)
    operation = get_object_or_404(
        Operation.objects.visible_to(request.user).select_related(
            "production_order__item__unit", "production_order__wanted_item", "process", "work_center"
        ),
        production_order__number=number,
        operation_no=operation_no,
    )
    shown = operation_decisions(operation).first()
    if shown is None:
        said = {"operation": operation, "order": operation.production_order, "why": _undecided(operation, shell)}
        return show(request, "workbench/decision_none.html", said, section="decisions", shell=shell)
    shown.operation = operation
    seen = Decision.objects.current().visible_to(request.user)
    awards: QuerySet[Award] = shown.awards.select_related("vendor", "currency").order_by("rank")
    named = _named(shown)
    names = {vendor.code: vendor.name for vendor in named if vendor.name}
    unit = operation.production_order.item.unit
    chosen = dict.fromkeys(award.vendor for award in awards)
    weighed = [*chosen, *(vendor for vendor in named if vendor not in chosen)]
    scores = {}
    if request.user.has_perm("reports.view_measurement"):
        scores = reports.vendor_scores([vendor.pk for vendor in weighed], today=shell.today, viewer=request.user)
    context: dict[str, Any] = {
        "decision": shown,
        "why_not_now": "" if shown.is_current else _undecided(operation, shell),
        "another_item": _another_item(operation),
        "scored": [(vendor, scores[vendor.pk]) for vendor in weighed if vendor.pk in scores],
        "operation": operation,
        "order": operation.production_order,
        "awards": awards,
        "answer": rules.answer(
            shown.verdict,
            [(award.vendor.name or award.vendor.code, award.quantity) for award in awards],
            unit.code if unit else "",
        ),
        "answer_more": rules.because(shown.verdict, shown.reasons, names),
        "policy_steps": rules.policy_steps(shown.reasons, names),
        "vendor_steps": rules.vendor_steps(shown.reasons, names),
        "ways": _ways(request, shown, named),
        "may_speak": request.user.has_perm(MAY_SPEAK),
        "lines": OrderLine.objects.active()
        .visible_to(request.user)
        .filter(operation=operation)
        .select_related("order")
        .order_by("order__number", "line_no"),
        "siblings": seen.filter(operation__production_order=operation.production_order)
        .select_related("operation")
        .order_by("operation__sequence", "pk"),
    }
    return show(request, "workbench/decision_detail.html", context, section="decisions", shell=shell)


def _ways(request: HttpRequest, shown: Decision, named: list[Vendor]) -> list[Way]:
    """What this person may do about a verdict, the likeliest first: agree the price that is missing, or say otherwise."""
    operation, codes = shown.operation, {str(reason.get("code")) for reason in shown.reasons}
    here = reverse("workbench:decision", args=[operation.production_order.number, operation.operation_no])
    found = []
    if (
        shown.verdict == Verdict.BLOCKED
        and "no_price" in codes
        and request.user.has_perm("policies.add_priceagreement")
    ):
        of = {"vendor": named[0].pk} if named else {}
        of |= {"item": operation.production_order.item_id}
        of |= {"process": operation.process_id} if operation.process_id else {}
        found.append(Way(_("Agree a price"), f"{reverse('admin:policies_priceagreement_add')}?{urlencode(of)}", "tag"))
    if request.user.has_perm(MAY_SPEAK):
        asked = urlencode({"operations": operation.pk, "next": here}, safe="/")
        speak = f"{reverse('admin:policies_orderwithverdicts_speak')}?{asked}"
        found.append(Way(_("Send outside"), f"{speak}&word={Word.OUTSIDE}", "arrow-up-right"))
        found.append(Way(_("Keep inside"), f"{speak}&word={Word.INSIDE}", "home"))
    return found


def operation_decisions(operation: Operation) -> QuerySet[Decision]:
    """All that was decided about an operation, the verdict that stands or stood last first."""
    return Decision.objects.filter(operation=operation).select_related("policy").order_by("-is_current", "-version")


def _undecided(operation: Operation, shell: Shell) -> str:
    """Why no verdict stands on an operation."""
    order, start = operation.production_order, operation.planned_start
    if OperationStatus.CANCELLED in (operation.status, order.status):
        return _("It is cancelled: nothing of it is wanted any more.")
    if operation.status == OperationStatus.FINISHED or order.status not in OPEN_STATUSES:
        return _("It is done: there is nothing left to decide.")
    if start is not None and start > shell.today + timedelta(days=HORIZON_DAYS):
        return _("It is decided once it comes near: it starts more than {days} days from today, on {start}.").format(
            days=HORIZON_DAYS, start=date_format(start)
        )
    return _("No run has looked at it yet: the next one decides it.")


def _another_item(operation: Operation) -> str:
    """That the verdict is about an item the plan does not want any more."""
    order = operation.production_order
    if order.wanted_item is None:
        return ""
    return _(
        "The plan makes {wanted} of this order now; a vendor still has it as {item}, and this verdict is about that. "
        "The alert about his order asks what becomes of it."
    ).format(wanted=order.wanted_item.code, item=order.item.code)


def _named(shown: Decision) -> list[Vendor]:
    """Every vendor a decision's reasons speak of, in their order."""
    codes = list(dict.fromkeys(str(reason["vendor"]) for reason in shown.reasons if reason.get("vendor")))
    found = {vendor.code: vendor for vendor in Vendor.objects.filter(code__in=codes)}
    return [found[code] for code in codes if code in found]
