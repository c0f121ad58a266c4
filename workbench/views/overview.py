"""The overview: how punctual vendors were, what they have promised week by week, how late they are, where the money lies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncWeek
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from reports import services as reports
from reports.rules.periods import steps
from reports.services import Question
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus, SubcontractOrder
from workbench.rules import heat
from workbench.templatetags.workbench import quantity, whole
from workbench.views.charts import Chart, week_of
from workbench.views.page import Shell, page_view, show

BACK, AHEAD = 13, 8  # weeks
VENDORS = 10
MEASURED = "reports.view_measurement"
OVER = (OrderStatus.CLOSED, OrderStatus.CANCELLED)
# Days past the due date, both included.
AGES: tuple[tuple[int | None, int | None], ...] = ((None, 0), (1, 3), (4, 7), (8, 14), (15, None))
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one vendor has promised for one week: in company currency, and how that compares with the fullest cell (0 to 5)."""

    value: Decimal
    heat: int


@require_safe
@page_view
def overview(request: HttpRequest) -> HttpResponse:
    shell = Shell(request)
    currency = shell.company.currency.code if shell.company else ""
    opened = SubcontractOrder.objects.visible_to(request.user).open()
    context: dict[str, Any] = {
        "punctual": punctual(request, shell) if request.user.has_perm(MEASURED) else None,
        "ages": ages(opened.with_vendor(), today=shell.today),
        "values": values(opened, currency=currency),
        "currency": currency,
        "columns": [_("Orders"), _("Worth in {currency}").format(currency=currency)],
        "late_href": f"{reverse('workbench:worklist')}?tab=sent&late=1",
        **promised(request, today=shell.today),
    }
    return show(request, "workbench/overview.html", context, section="overview", shell=shell)


def punctual(request: HttpRequest, shell: Shell) -> Chart | None:
    """Order lines judged week by week: on time to what the vendor promised, or late. As measured by the reports."""
    reports.keep_up(at=timezone.now())
    first = shell.today - timedelta(weeks=BACK - 1, days=shell.today.weekday())
    report = reports.report_named("vendor-scores")
    assert report is not None  # noqa: S101  one of ours
    found = reports.answer(report, Question(first, shell.today, ("week",)), viewer=request.user)
    judged = {line.keys["week"]: line["on_time_promise"] for line in found.lines}
    rows = [(day, judged.get(day)) for day in steps(first, shell.today, "week")]
    counts = [(day, int(one.amount), int(one.base - one.amount)) if one else (day, 0, 0) for day, one in rows]
    if not any(good or late for _day, good, late in counts):
        return None
    return Chart(
        title=_("Came on time and late, by week"),
        unit=_("lines"),
        data={
            "labels": [week_of(day) for day, _good, _late in counts], "unit": _("lines"),
            "series": [
                {"name": _("On time"), "type": "bar", "stack": "all", "colour": "--bar-received",
                 "values": [good for _day, good, _late in counts]},
                {"name": _("Late"), "type": "bar", "stack": "all", "colour": "--bar-scrap",
                 "values": [late for _day, _good, late in counts]},
            ],
        },
        rows=[(week_of(day), [quantity(good), quantity(late)]) for day, good, late in counts],
    )  # fmt: skip


def promised(request: HttpRequest, *, today: date) -> dict[str, Any]:
    """What open lines are promised for the weeks ahead, by vendor: who is full when. What is overdue stands first."""
    monday = today - timedelta(days=today.weekday())
    weeks = [monday + timedelta(weeks=number) for number in range(AHEAD)]
    lines = (
        OrderLine.objects.visible_to(request.user)
        .active()
        .exclude(order__status__in=OVER)
        .filter(status=LineStatus.OPEN, promised_date__lt=weeks[-1] + timedelta(weeks=1))
    )
    sums: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for code, name, week, value in (
        lines.annotate(week=TruncWeek("promised_date"))
        .values_list("vendor__code", "vendor__name", "week")
        .annotate(value=Sum("amount_company"))
        .order_by("vendor__code", "week")
    ):
        column = week if week >= monday else monday - timedelta(weeks=1)
        sums[code, name][column] += value or ZERO
    columns = [monday - timedelta(weeks=1), *weeks]
    fullest = sorted(sums, key=lambda vendor: (-sum(sums[vendor].values()), vendor))[:VENDORS]
    most = max((value for vendor in fullest for value in sums[vendor].values()), default=ZERO)
    return {
        "weeks": [week_of(day) for day in weeks],
        "load": [
            {
                "code": code,
                "name": name or code,
                "cells": [Cell(sums[code, name][day], heat(sums[code, name][day], most)) for day in columns],
            }
            for code, name in fullest
        ],
    }


def ages(orders: QuerySet[SubcontractOrder], *, today: date) -> Chart | None:
    """Orders with vendors by how many days they are past their due date."""
    by_day = orders.exclude(due_date=None).values_list("due_date").annotate(n=Count("pk"), value=Sum("total_company"))
    counts, worth = [0] * len(AGES), [ZERO] * len(AGES)
    for due, number, value in by_day.order_by():
        past = (today - due).days
        place = next(n for n, (_from, to) in enumerate(AGES) if to is None or past <= to)
        counts[place] += number
        worth[place] += value or ZERO
    if not any(counts):
        return None
    words = [_age(low, high) for low, high in AGES]
    return Chart(
        title=_("With vendors, by days past due"),
        unit=_("orders"),
        data={"labels": words, "unit": _("orders"), "series": [
            {"name": _("Orders"), "type": "bar", "values": counts, "colour": "--brand"},
        ]},
        rows=[(word, [quantity(n), whole(value)]) for word, n, value in zip(words, counts, worth, strict=True)],
    )  # fmt: skip


def _age(low: int | None, high: int | None) -> str:
    if low is None:
        return _("not yet due")
    if high is None:
        return _("{days} and more").format(days=low)
    return _("{low} to {high} days").format(low=low, high=high)


def values(orders: QuerySet[SubcontractOrder], *, currency: str) -> Chart | None:
    """The vendors whose open orders are worth most."""
    rows: Sequence[tuple[str, str, Decimal, int]] = list(
        orders.values_list("vendor__code", "vendor__name")
        .annotate(value=Sum("total_company"), n=Count("pk"))
        .filter(value__gt=0)
        .order_by(F("value").desc(), "vendor__code")[:VENDORS]
    )
    if not rows:
        return None
    names = [name or code for code, name, _value, _n in rows]
    return Chart(
        title=_("Open orders by vendor"),
        unit=currency,
        data={"labels": names, "unit": currency, "sideways": True, "series": [
            {"name": _("Open value"), "type": "bar", "values": [float(value) for _c, _n, value, _o in rows]},
        ]},
        rows=[(name, [quantity(row[3]), whole(row[2])]) for name, row in zip(names, rows, strict=True)],
    )  # fmt: skip
