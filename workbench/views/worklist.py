"""The buyer's first page: what to order now, what comes, what is out, what needs a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Min, Q, QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from masterdata.models import Item, Vendor
from policies.models import Decision, Verdict
from production.models import NOT_USED, ProductionOrder
from subcontract_orders import services
from subcontract_orders.models import UNSENT, OrderLine, OrderStatus, SubcontractOrder
from workbench import tables
from workbench.forms import Filters, read_filters
from workbench.rules import because, pieces_at_vendor, why_there
from workbench.templatetags.workbench import capped, quantity, whole
from workbench.views.first_steps import guide
from workbench.views.page import (
    ORDER_DAYS,
    Shell,
    as_file,
    asked_for_file,
    count,
    kept,
    page_view,
    paged,
    show,
    site_choice,
    vendor_choice,
)


@dataclass(slots=True)
class Tab:
    """One list of the work list; what it says when it is empty."""

    key: str
    word: str | Promise
    glyph: str
    empty: str | Promise
    empty_text: str | Promise
    is_bad: bool = False
    count: int = 0


def worklist_tabs() -> dict[str, Tab]:
    tabs = [
        Tab(
            "to_order",
            _("To order"),
            "circle-check",
            _("Nothing to order now"),
            _("Nothing is due to be ordered within {days} days. What comes later stands under Forecast.").format(
                days=ORDER_DAYS
            ),
        ),
        Tab(
            "forecast",
            _("Forecast"),
            "calendar-event",
            _("Nothing further ahead"),
            _("Orders for later operations appear here as the plan reaches them."),
        ),
        Tab(
            "sent",
            _("Sent"),
            "send",
            _("Nothing is with a vendor"),
            _("Orders you have sent stay here until they are closed."),
        ),
        Tab(
            "attention",
            _("Blocked & review"),
            "circle-check",
            _("Nothing is stuck"),
            _(
                "Operations that should go outside and cannot, or that a person must decide, stand here with the reason."
            ),
            True,
        ),
        Tab(
            "open",
            _("All open"),
            "file-text",
            _("No open orders"),
            _("Import a plan and start a run: what goes outside becomes an order by itself."),
        ),
    ]
    return {tab.key: tab for tab in tabs}


LISTED = (
    "quantity", "accepted", "rejected", "scrapped", "is_draft", "operation_id", "last_operation_no", "description",
    "item__code", "item__name", "item__kind", "item__unit__code", "process__name", "production_order__number",
)  # fmt: skip
"""What a row of a list shows of an order's first line, which has eighty columns."""


def attach_first_lines(orders: list[SubcontractOrder]) -> None:
    """Give each order of a page the first line its list shows, in one query."""
    lines = (
        OrderLine.objects.filter(pk__in=[order.first_line_id for order in orders if order.first_line_id])
        .select_related("item__unit", "process", "production_order")
        .only(*LISTED)
        .prefetch_related("components")
        .in_bulk()
    )
    for order in orders:
        order.first_line = line = lines.get(order.first_line_id)
        order.at_vendor = at_vendor(line) if line else Decimal(0)


def deciding(lines: Iterable[OrderLine]) -> dict[int, Decision]:
    """The decision each line came from, by operation: the latest that chose a vendor, else the one that counts now.

    Once an order is out, later versions only say that it is ordered already. One query, a row an operation.
    """
    operations = [line.operation_id for line in lines if line.operation_id]
    chose = ExpressionWrapper(Q(reasons__contains=[{"code": "vendor_chosen"}]), output_field=BooleanField())
    versions = Decision.objects.filter(operation__in=operations).alias(chose=chose).select_related("operation")
    versions = versions.order_by("operation_id", "-chose", "-version").distinct("operation_id")
    return {decision.operation_id: decision for decision in versions}


WHY = {
    "word": gettext_lazy("Planner: {why}"),
    "planner": gettext_lazy("The planner's word"),
    "complete": gettext_lazy("Bought complete by {policy}"),
    "cheapest": gettext_lazy("Cheapest of {policy}"),
    "earliest": gettext_lazy("Earliest of {policy}"),
    "quota": gettext_lazy("By quota of {policy}"),
    "first": gettext_lazy("First choice of {policy}"),
    "further": gettext_lazy("Choice {rank} of {policy}"),
    "policy": gettext_lazy("Policy {policy}"),
    "center": gettext_lazy("Vendor of {center}"),
    "before": gettext_lazy("Ordered before"),
    "hand": gettext_lazy("Made by hand"),
}


def attach_whys(orders: list[SubcontractOrder]) -> None:
    """Say of each order of a page, in a few words, why its first line is with this vendor; its page tells the whole."""
    decisions = deciding(order.first_line for order in orders if order.first_line)
    for order in orders:
        line, vendor = order.first_line, order.vendor
        decision = decisions.get(line.operation_id) if line else None
        if decision:
            word, of = why_there(decision.reasons, vendor.code)
            order.because = because("outsource", decision.reasons, {vendor.code: vendor.name or vendor.code})
        else:
            word, of = ("hand", {}) if line and line.operation_id is None else ("", {})
        order.why = str(WHY[word]).format(**of) if word else ""


def attach_refusals(page: list[SubcontractOrder], request: HttpRequest) -> None:
    """Say of each draft of a page that this person may not approve why, and who may."""
    if not request.user.has_perm("subcontract_orders.approve_subcontractorder"):
        return
    drafts = [order for order in page if order.status == OrderStatus.DRAFT]
    refusals = services.why_not_approve(drafts, by=request.user) if drafts else {}
    for order in drafts:
        order.cannot_approve = refusals.get(order.pk)


def at_vendor(line: OrderLine) -> Decimal:
    """Pieces of a line (with its components) that are at the vendor. Before it is sent, free stock there is only promised."""
    if line.is_draft:
        return Decimal(0)
    parts = [
        (part.required, part.at_vendor + part.consumed)
        for part in line.components.all()
        if part.supply not in NOT_USED and part.required
    ]
    return pieces_at_vendor(line.quantity, line.received, parts)


def vendor_names(decisions: Iterable[Decision]) -> dict[str, str]:
    """The names of the vendors that the decisions' reasons speak of, by code, in one query."""
    codes = {str(reason["vendor"]) for decision in decisions for reason in decision.reasons if reason.get("vendor")}
    return dict(Vendor.objects.filter(code__in=codes).exclude(name="").values_list("code", "name"))


def attach_because(decisions: list[Decision]) -> None:
    """Give each decision of a page the sentence that says why."""
    names = vendor_names(decisions)
    for decision in decisions:
        decision.because = because(decision.verdict, decision.reasons, names)


def filtered_orders(orders: QuerySet[SubcontractOrder], filters: Filters, *, today: date) -> QuerySet[SubcontractOrder]:
    """Narrow orders by everything the address asks for."""
    if filters.q:
        orders = orders.matching(filters.q)
    orders = filters.of_whom(orders)
    if filters.status:
        orders = orders.filter(status=filters.status)
    if filters.run:
        orders = orders.filter(made_by_run=filters.run)
    if filters.late:
        unsent = Q(status__in=UNSENT, order_by__lt=today)
        orders = orders.filter(unsent | Q(due_date__lt=today, sent_at__isnull=False))
    if filters.due is not None:
        orders = orders.filter(due_date__lte=today + timedelta(days=filters.due))
    return orders


def filtered_decisions(decisions: QuerySet[Decision], filters: Filters) -> QuerySet[Decision]:
    for word in filters.q.split():
        items = Item.objects.filter(Q(code__icontains=word) | Q(name__icontains=word))
        named = Q(operation__name__icontains=word) | Q(operation__process__name__icontains=word)
        # The number and the part have indexes of their own; the step's name is read where it is, as few rows are shown.
        found = (
            ProductionOrder.objects.filter(number__icontains=word)
            .values("pk")
            .union(ProductionOrder.objects.filter(item__in=items).values("pk"))
        )
        decisions = decisions.filter(Q(operation__production_order__in=found) | named)
    if filters.site:
        decisions = decisions.filter(operation__production_order__site__code=filters.site)
    return decisions


def shown_decisions(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """With all that a row of decisions shows, the nearest need first."""
    return decisions.select_related("operation__production_order__item__unit", "operation__process").order_by(
        F("need_date").asc(nulls_last=True), "pk"
    )


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The first page of whoever signed in: the dock for people who work there and see no orders, else the work list."""
    shell = Shell(request)
    if not shell.sees_value and shell.works_at_dock:
        return redirect("workbench:dock")
    return worklist(request)


@page_view
def worklist(request: HttpRequest) -> HttpResponseBase:
    shell, filters, tabs = Shell(request), read_filters(request.GET), worklist_tabs()
    today, until = shell.today, shell.today + timedelta(days=ORDER_DAYS)
    tab = tabs.get(filters.tab, tabs["to_order"])
    orders = SubcontractOrder.objects.visible_to(request.user)
    stuck = Decision.objects.current().visible_to(request.user).filter(verdict__in=[Verdict.BLOCKED, Verdict.REVIEW])
    lists = {
        "to_order": orders.to_order(until=until),
        "forecast": orders.forecast(after=until),
        "sent": orders.with_vendor(),
        "open": orders.open(),
    }
    for key, rows in lists.items():
        tabs[key].count = count(filtered_orders(rows, filters, today=today))
    tabs["attention"].count = count(filtered_decisions(stuck, filters))

    may_act = any(request.user.has_perm(f"subcontract_orders.{act}_subcontractorder") for act in ("approve", "send"))
    choices = [vendor_choice(request, filters), site_choice(request, filters)]
    if tab.key == "attention":
        found = shown_decisions(filtered_decisions(stuck, filters))
        if asked_for_file(request):
            return as_file(request, tables.DECISIONS, found, shell=shell)
        page = paged(request, found, counted=tab.count)
        page.object_list = list(page.object_list)
        attach_because(page.object_list)
        choices = choices[1:]
    else:
        by = ["order_by", "pk"] if tab.key in ("to_order", "forecast") else [F("due_date").asc(nulls_last=True), "pk"]
        rows = filtered_orders(lists[tab.key], filters, today=today).select_related("vendor", "currency")
        rows = rows.with_line_summary().order_by(*by)
        if asked_for_file(request):
            return as_file(request, tables.ORDERS, rows, shell=shell)
        page = paged(request, rows, counted=tab.count)
        page.object_list = list(page.object_list)
        attach_first_lines(page.object_list)
        attach_whys(page.object_list)
        attach_refusals(page.object_list, request)

    context: dict[str, Any] = {
        "tabs": list(tabs.values()),
        "tab": tab,
        "page": page,
        "filters": filters,
        "choices": choices,
        "kept": kept(request, "tab", "late", "due"),
        "search_hint": _("Search operations, parts") if tab.key == "attention" else _("Search orders, parts, vendors"),
        "by_order_date": tab.key in ("to_order", "forecast"),
        "may_pick": tab.key in ("to_order", "forecast", "open") and may_act,
        "may_pick_ever": may_act,
    }
    is_whole = not request.htmx or "whole" in request.GET  # type: ignore[attr-defined]
    if is_whole:
        context |= {"figures": figures(request, shell, until=until), "lead": lead(shell)}
    is_empty = not any(entry.count for entry in tabs.values()) and not filters.active
    if is_empty and not SubcontractOrder.objects.exists():
        context["guide"] = guide(request)
    part = "" if is_whole else "workbench/_worklist.html"
    return show(request, "workbench/worklist.html", context, section="worklist", shell=shell, part=part)


def lead(shell: Shell) -> str:
    if not shell.to_order:
        return _("Nothing has to be ordered in the next two weeks")
    return ngettext(
        "{orders} order to place in the next two weeks, the most urgent first",
        "{orders} orders to place in the next two weeks, the most urgent first",
        shell.to_order,
    ).format(orders=capped(shell.to_order))


def figures(request: HttpRequest, shell: Shell, *, until: date) -> list[dict[str, str]]:
    """The strip of five; each leads to the list it counts."""
    today, user = shell.today, request.user
    currency = shell.company.currency.code if shell.company else ""
    orders = SubcontractOrder.objects.visible_to(user)
    soon = orders.to_order(until=until).aggregate(
        orders=Count("pk"),
        value=Sum("total_company"),
        past=Count("pk", filter=Q(order_by__lt=today)),
        first=Min("order_by"),
    )
    due = (
        orders.with_vendor()
        .filter(due_date__lte=today + timedelta(days=7))
        .aggregate(orders=Count("pk"), unconfirmed=Count("pk", filter=Q(status="sent")))
    )
    # The one figure that reads every open order: a minute old is new enough.
    opened = cache.get_or_set(
        f"workbench:open:{user.pk}:{today}",
        lambda: orders.open().aggregate(
            orders=Count("pk"), value=Sum("total_company"), vendors=Count("vendor", distinct=True)
        ),
        60,
    )
    stuck = (
        Decision.objects.current()
        .visible_to(user)
        .filter(verdict__in=[Verdict.BLOCKED, Verdict.REVIEW])
        .aggregate(
            blocked=Count("pk", filter=Q(verdict=Verdict.BLOCKED)), review=Count("pk", filter=Q(verdict=Verdict.REVIEW))
        )
    )
    here = reverse("workbench:worklist")
    days = (today - soon["first"]).days if soon["past"] else 0
    late = ngettext("the oldest by {days} day", "the oldest by {days} days", days).format(days=quantity(days))
    unconfirmed = _("{orders} without the vendor's word").format(orders=quantity(due["unconfirmed"]))
    return [
        {
            "name": _("To order in 14 days"), "value": quantity(soon["orders"]), "unit": _("orders"),
            "note": f"{whole(soon['value'] or 0)} {currency}", "href": f"{here}?tab=to_order",
        },
        {
            "name": _("Past their order date"), "value": quantity(soon["past"]), "tone": "late" if soon["past"] else "",
            "note": late if soon["past"] else _("none"), "href": f"{here}?tab=to_order&late=1",
        },
        {
            "name": _("Due in 7 days"), "value": quantity(due["orders"]), "unit": _("with vendors"),
            "note": unconfirmed if due["orders"] else _("nothing comes back"), "href": f"{here}?tab=sent&due=7",
        },
        {
            "name": _("Blocked or to review"), "value": quantity(stuck["blocked"] + stuck["review"]), "unit": _("operations"),
            "tone": "late" if stuck["blocked"] else "",
            "note": _("{blocked} blocked, {review} to review").format(**{key: quantity(n) for key, n in stuck.items()}),
            "href": f"{here}?tab=attention",
        },
        {
            "name": _("Open value"), "value": whole(opened["value"] or 0), "unit": currency,
            "note": ", ".join(
                [
                    ngettext("{n} order", "{n} orders", opened["orders"]).format(n=quantity(opened["orders"])),
                    ngettext("{n} vendor", "{n} vendors", opened["vendors"]).format(n=quantity(opened["vendors"])),
                ]
            ),
            "href": f"{here}?tab=open",
        },
    ]  # fmt: skip
