"""Alerts: what is open, with what was and what is now needed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.decorators import permission_required
from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from activity.models import Alert, Severity
from documents import services as documents
from workbench import rules, tables
from workbench.forms import read_filters
from workbench.views.page import Shell, act, as_file, asked_for_file, choice, page_view, paged, show

MAY_APPLY = "subcontract_orders.change_subcontractorder"
ACTS = {  # what applying an alert of a kind does, as its button says
    "short_receipt": gettext_lazy("Order anew"),
    "discrepancy": gettext_lazy("Book as used"),
    "over_receipt": gettext_lazy("Count it in"),
    "material_left_at_vendor": gettext_lazy("It comes back"),
    "vendor_countered": gettext_lazy("Accept the offer"),
    "batch_opportunity": gettext_lazy("Order together"),
}
WORST_FIRST = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.WARNING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def offer_acts(alerts: Iterable[Alert], request: HttpRequest) -> None:
    """Say of each alert which of the two acts the person may do: apply what it proposes, or say that it stays as it is."""
    may = request.user.has_perm(MAY_APPLY)
    for alert in alerts:
        alert.act_word = ACTS.get(alert.kind, _("Apply")) if may and documents.is_applicable(alert) else ""
        alert.may_accept = may and alert.kind in documents.ACCEPTABLE


@require_safe
@page_view
def alert_list(request: HttpRequest) -> HttpResponseBase:
    filters = read_filters(request.GET)
    alerts = Alert.objects.open().visible_to(request.user).select_related("vendor")
    if filters.severity:
        alerts = alerts.filter(severity=filters.severity)
    for word in filters.q.split():
        alerts = alerts.filter(
            Q(title__icontains=word)
            | Q(order_number__icontains=word)
            | Q(production_order__icontains=word)
            | Q(kind__icontains=word)
        )
    alerts = alerts.order_by(WORST_FIRST, "-opened_at", "-pk")
    if asked_for_file(request):
        return as_file(request, tables.ALERTS, alerts, shell=Shell(request))
    page = paged(request, alerts)
    page.object_list = list(page.object_list)
    for alert in page.object_list:
        alert.changes = rules.changes(alert.before, alert.after)
    offer_acts(page.object_list, request)
    context = {
        "page": page,
        "filters": filters,
        "choices": [choice("severity", "Severity", "Any severity", list(Severity.choices), filters.severity)],
        "kept": [],
        "search_hint": "Search alerts, orders",
    }
    return show(
        request,
        "workbench/alert_list.html",
        context,
        section="alerts",
        shell=Shell(request),
        part="workbench/_alert_list.html",
    )


@require_POST
@page_view
@permission_required(MAY_APPLY, raise_exception=True)
def apply(request: HttpRequest, reference: str) -> HttpResponse:
    """Do what an alert proposes for its order."""
    alert = get_object_or_404(Alert.objects.open().visible_to(request.user), reference=reference)
    back = (
        reverse("workbench:order", args=[alert.order_number]) if alert.order_number else reverse("workbench:alert_list")
    )

    def action(at: datetime) -> None:
        documents.apply_alert(alert_id=alert.pk, by=request.user, at=at)

    return act(request, action, done=f"Applied: {alert.title}", back=back)


@require_POST
@page_view
@permission_required(MAY_APPLY, raise_exception=True)
def accept(request: HttpRequest, reference: str) -> HttpResponse:
    """Say that what an alert is about stays as it is, and why."""
    alert = get_object_or_404(Alert.objects.open().visible_to(request.user), reference=reference)
    back = reverse("workbench:order", args=[alert.order_number])
    reason = request.POST.get("reason", "")[:300]

    def action(at: datetime) -> None:
        documents.accept_alert(alert_id=alert.pk, reason=reason, by=request.user, at=at)

    return act(request, action, done=_("It stays as it is: %(title)s") % {"title": alert.title}, back=back)
