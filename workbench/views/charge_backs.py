"""What vendors are to bear: proposed by receipts or claimed by hand, then claimed, settled or let go."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.refusals import Refusal
from invoices import services as invoices
from invoices.models import ChargeBack, ChargeBackKind, ChargeBackStatus
from subcontract_orders.models import OrderLine
from workbench import tables
from workbench.forms import Filters, Unreadable, read_filters, read_quantity
from workbench.views.invoices import SEES
from workbench.views.page import (
    Shell,
    as_file,
    asked_for_file,
    choice,
    count,
    kept,
    page_for,
    paged,
    show,
    site_choice,
    vendors_of,
)
from workbench.views.worklist import Tab

MAY_ADD, MAY_DECIDE = "invoices.add_chargeback", "invoices.change_chargeback"
DECIDED = {"claim": ChargeBackStatus.CLAIMED, "settle": ChargeBackStatus.SETTLED, "waive": ChargeBackStatus.WAIVED}


def charge_back_tabs() -> dict[str, Tab]:
    tabs = [
        Tab("", _("To decide"), "gavel", _("Nothing is proposed"),
            _("Bad pieces that vendors are to bear stand here, with what they cost, or the unpaid work on them."),
            True),
        Tab("claimed", _("Claimed"), "message-exclamation", _("Nothing is claimed"),
            _("What vendors are asked to bear stands here until they credit or pay it.")),
        Tab("done", _("Done"), "checks", _("Nothing was settled yet"), _("What was settled or let go stands here.")),
    ]  # fmt: skip
    return {tab.key: tab for tab in tabs}


def _lists(rows: QuerySet[ChargeBack]) -> dict[str, QuerySet[ChargeBack]]:
    return {
        "": rows.filter(status=ChargeBackStatus.PROPOSED),
        "claimed": rows.filter(status=ChargeBackStatus.CLAIMED),
        "done": rows.filter(status__in=[ChargeBackStatus.SETTLED, ChargeBackStatus.WAIVED]),
    }


def _filtered(rows: QuerySet[ChargeBack], filters: Filters) -> QuerySet[ChargeBack]:
    for word in filters.q.split():
        rows = rows.filter(Q(number__icontains=word) | Q(order_line__order__number__icontains=word))
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    return filters.of_whom(rows)


@require_safe
@page_for(SEES)
def charge_back_list(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), charge_back_tabs()
    tab = tabs.get(filters.tab, tabs[""])
    visible = ChargeBack.objects.filter(amount__gt=0).visible_to(request.user)
    lists = _lists(_filtered(visible, filters))
    for key, rows in lists.items():
        tabs[key].count = count(rows)
    shown = lists[tab.key].order_by("-pk")
    if asked_for_file(request):
        return as_file(request, tables.CHARGE_BACKS, shown, shell=shell)
    related = shown.select_related("vendor", "order_line__order", "receipt_line__receipt", "decided_by", "settled_by")
    kinds = choice("kind", _("Kind"), _("All kinds"), list(ChargeBackKind.choices), filters.kind)
    context = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": paged(request, related, counted=tab.count),
        "filters": filters,
        "choices": [vendors_of(request, filters, visible), kinds, site_choice(request, filters)],
        "kept": kept(request, "tab"),
        "search_hint": _("Search charge-backs, orders"),
    }
    part = "workbench/_charge_back_list.html"
    return show(request, "workbench/charge_back_list.html", context, section="invoices", shell=shell, part=part)


@require_POST
@page_for(SEES, MAY_DECIDE)
def decide_charge_back(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Claim, settle or let go one charge-back."""
    if action not in DECIDED:
        raise Http404
    shown = get_object_or_404(ChargeBack.objects.visible_to(request.user), number=number)
    version = request.POST.get("version", "")
    try:
        done = invoices.decide_charge_back(
            charge_back_id=shown.pk,
            status=DECIDED[action],
            reason=request.POST.get("reason", "")[:300],
            expected_version=int(version) if version.isdecimal() and len(version) < 10 else None,
            by=request.user,
            at=timezone.now(),
        )
    except Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        word = done.get_status_display().lower()
        messages.success(request, _("%(number)s: %(status)s.") % {"number": number, "status": word})
    tab = {ChargeBackStatus.PROPOSED: "", ChargeBackStatus.CLAIMED: "?tab=claimed"}.get(shown.status, "?tab=done")
    response = redirect("workbench:charge_back_list")
    response["Location"] += tab
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(SEES, MAY_ADD)
def charge_back(request: HttpRequest) -> HttpResponse:
    """Claim something of an order line by hand."""
    shell = Shell(request)
    data = request.POST if request.method == "POST" else request.GET
    number = data.get("order", "").strip()[:40]
    visible = OrderLine.objects.visible_to(request.user).select_related("order", "item", "vendor")
    lines = list(visible.filter(order__number=number).order_by("line_no")) if number and "\x00" not in number else []
    form = {name: data.get(name, "") for name in ("line", "kind", "amount", "quantity", "reason")}
    problem, at_fault = "", ""
    if number and not lines:
        problem, at_fault = _("There is no order %(number)s.") % {"number": number}, "order"
    elif request.method == "POST":
        line = next((line for line in lines if str(line.line_no) == form["line"]), lines[0] if lines else None)
        kind = form["kind"] if form["kind"] in ChargeBackKind.values else ChargeBackKind.LATENESS
        try:
            made = invoices.charge_back(
                order_line_id=line.pk if line else 0, kind=kind, amount=read_quantity(form["amount"]),
                quantity=read_quantity(form["quantity"]) or 0, reason=form["reason"], by=request.user, at=timezone.now(),
            )  # fmt: skip
        except Refusal as refusal:
            problem, at_fault = refusal.detail, refusal.field or ""
        except Unreadable as unreadable:
            problem = str(unreadable)
        else:
            said = {"number": made, "amount": made.amount.normalize(), "vendor": made.vendor}
            messages.success(request, _("%(number)s: %(amount)s is claimed of %(vendor)s.") % said)
            response = redirect("workbench:charge_back_list")
            response["Location"] += "?tab=claimed"
            return response
    for line in lines:
        line.days_late = max((shell.today - line.promised_in_force).days, 0) if line.open_in_force else 0
    context: dict[str, Any] = {
        "number": number, "lines": lines, "form": form, "problem": problem, "at_fault": at_fault,
        "kinds": ChargeBackKind.choices,
    }  # fmt: skip
    response = show(request, "workbench/charge_back_enter.html", context, section="invoices", shell=shell)
    response.status_code = 422 if problem and request.method == "POST" else 200
    return response
