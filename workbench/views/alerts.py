"""Alerts: what is open, with what was and what is now needed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from activity import services as activity
from activity.models import Alert, Severity
from documents import services as documents
from workbench import rules, tables
from workbench.forms import read_filters
from workbench.rules.sentences import told
from workbench.views.page import Shell, act, as_file, asked_for_file, choice, page_view, paged, show

MAY_APPLY = "subcontract_orders.change_subcontractorder"
MAY_TAKE = "activity.take_alert"
SNOOZES = (1, 3, 7)
"""Days by which an alert is put off."""
ACTS = {  # what applying an alert of a kind does, as its button says
    "short_receipt": gettext_lazy("Order anew"),
    "discrepancy": gettext_lazy("Book as used"),
    "over_receipt": gettext_lazy("Count it in"),
    "material_left_at_vendor": gettext_lazy("It comes back"),
    "vendor_stock_old": gettext_lazy("It comes back"),
    "return_due": gettext_lazy("It comes back"),
    "vendor_countered": gettext_lazy("Accept the offer"),
    "batch_opportunity": gettext_lazy("Order together"),
}
WAYS = {"hold": gettext_lazy("Hold the order"), "return": gettext_lazy("Take it back")}
"""What else may become of pieces that are out when the part is drawn, or to be worked, otherwise."""
WORST_FIRST = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.WARNING, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def offer_acts(alerts: Iterable[Alert], request: HttpRequest) -> None:
    """Give each alert what its row shows: what changes, and what this person may do about it."""
    may = request.user.has_perm(MAY_APPLY)
    for alert in alerts:
        alert.changes = rules.alert_changes(alert.kind, alert.before, alert.after)
        alert.act_word = ACTS.get(alert.kind, _("Apply")) if may and documents.is_applicable(alert) else ""
        alert.ways = WAYS if alert.act_word and len(documents.ways_of(alert)) > 1 else {}
        if alert.ways:
            alert.act_word = _("Turn to the new item") if "item" in alert.after else _("Make it to the new one")
        alert.may_accept = may and alert.kind in documents.ACCEPTABLE
        alert.may_refuse = may and alert.proposes in activity.REFUSABLE and alert.refused_at is None
        alert.run_number = alert.subject if alert.kind == "run_held" else ""
        alert.may_remind = may and alert.proposes in ("remind", "expedite") and bool(alert.order_number)
        alert.may_take = request.user.has_perm(MAY_TAKE) and alert.taken_by_id in (None, request.user.pk)


@require_safe
@page_view
def alert_list(request: HttpRequest) -> HttpResponseBase:
    filters = read_filters(request.GET)
    now = timezone.now()
    alerts = Alert.objects.open().visible_to(request.user).select_related("vendor", "responsible", "taken_by")
    shown = {"refused": Q(refused_at__isnull=False), "later": Q(refused_at=None, snoozed_until__gt=now)}.get(
        filters.tab
    )
    alerts = alerts.filter(shown) if shown is not None else alerts.waiting().awake(at=now)
    if filters.tab == "mine":
        alerts = alerts.filter(Q(taken_by=request.user) | Q(taken_by=None, responsible=request.user))
    if filters.kind:
        alerts = alerts.filter(kind=filters.kind)
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
    offer_acts(page.object_list, request)
    for alert in page.object_list:
        alert.is_late = alert.act_by is not None and alert.taken_by_id is None and alert.act_by <= now
    kinds = Alert.objects.waiting().visible_to(request.user).order_by("kind").values_list("kind", flat=True).distinct()
    context = {
        "page": page,
        "filters": filters,
        "choices": [
            choice("kind", _("Kind"), _("Any kind"), [(kind, rules.words(kind)) for kind in kinds], filters.kind),
            choice("severity", _("Severity"), _("Any severity"), list(Severity.choices), filters.severity),
        ],
        "kept": [("tab", filters.tab)] if filters.tab else [],
        "tabs": [
            {"key": key, "word": word, "is_here": filters.tab == key}
            for key, word in (
                ("", _("To look at")),
                ("mine", _("Mine")),
                ("later", _("Put off")),
                ("refused", _("Refused")),
            )
        ],
        "search_hint": _("Search alerts, orders"),
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

    way = request.POST.get("way", "change")[:10]

    def action(at: datetime) -> None:
        documents.apply_alert(alert_id=alert.pk, way=way, by=request.user, at=at)

    return act(request, action, done=_("Applied: {title}").format(title=told(alert.headline)), back=back)


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

    return act(request, action, done=_("It stays as it is: %(title)s") % {"title": told(alert.headline)}, back=back)


def _back(request: HttpRequest, alert: Alert) -> str:
    """The page one came from: the order's, or the list."""
    if request.POST.get("back") == "order" and alert.order_number:
        return reverse("workbench:order", args=[alert.order_number])
    return reverse("workbench:alert_list")


@require_POST
@page_view
@permission_required(MAY_APPLY, raise_exception=True)
def refuse(request: HttpRequest, reference: str) -> HttpResponse:
    """Leave the order as it is, whatever is proposed."""
    alert = get_object_or_404(Alert.objects.open().visible_to(request.user), reference=reference)

    def action(at: datetime) -> None:
        reason = request.POST.get("reason", "").strip()[:300]
        documents.refuse_alert(alert_id=alert.pk, reason=reason, by=request.user, at=at)

    return act(request, action, done=_("Left as it is. Another proposal is shown again."), back=_back(request, alert))


@require_POST
@page_view
@permission_required(MAY_TAKE, raise_exception=True)
def take(request: HttpRequest, reference: str) -> HttpResponse:
    """Say that one looks after it."""
    alert = get_object_or_404(Alert.objects.open().visible_to(request.user), reference=reference)

    def action(at: datetime) -> None:
        activity.take_alert(alert_id=alert.pk, by=request.user, at=at)

    return act(request, action, done=_("It is yours now."), back=_back(request, alert))


@require_POST
@page_view
@permission_required(MAY_TAKE, raise_exception=True)
def snooze(request: HttpRequest, reference: str) -> HttpResponse:
    """Put it off by some days."""
    alert = get_object_or_404(Alert.objects.open().visible_to(request.user), reference=reference)
    days = request.POST.get("days", "")
    if days not in {str(number) for number in SNOOZES}:
        raise BadRequest("There is no such choice.")

    def action(at: datetime) -> None:
        activity.snooze_alert(alert_id=alert.pk, until=at + timedelta(days=int(days)), by=request.user, at=at)

    return act(request, action, done=_("Put off."), back=_back(request, alert))
