"""Alerts: what is open, with what was and what is now needed."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from activity.models import Alert, Severity
from workbench import rules
from workbench.forms import read_filters
from workbench.views.page import Shell, choice, page_view, paged, show

WORST_FIRST = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.WARNING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@require_safe
@page_view
def alert_list(request: HttpRequest) -> HttpResponse:
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
    page = paged(request, alerts.order_by(WORST_FIRST, "-opened_at", "-pk"))
    page.object_list = list(page.object_list)
    for alert in page.object_list:
        alert.changes = rules.changes(alert.before, alert.after)
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
