"""A week of work centers or vendors on one page: hours, closed days, holidays, downtimes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from masterdata import services as masterdata
from masterdata.models import Site, Vendor, WorkCenter, WorkCenterKind
from production import services as production

WEEK = timedelta(days=7)
ROWS = 50
PAGE = "admin:masterdata_downtime_week"


class WeekPage:
    """For the page of downtimes: the week they lie in, beside what else closes."""

    actions_list = ["show_week"]

    def get_urls(self) -> list[Any]:
        week = self.admin_site.admin_view(self.week_view)  # type: ignore[attr-defined]
        return [path("week/", week, name="masterdata_downtime_week"), *super().get_urls()]  # type: ignore[misc]

    @action(description=gettext_lazy("Week"), permissions=["view"], icon="calendar_view_week", url_path="this-week")
    def show_week(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse(PAGE))

    def week_view(self, request: HttpRequest) -> HttpResponse:
        """Who works when in one week: work centers of ours or vendors, a row each, and what holds for all of ours."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        of_vendors = request.GET.get("of") == "vendors"
        today = masterdata.company_date(at=timezone.now())
        day = read_day(request.GET.get("day", "")) or today
        monday = day - timedelta(days=day.weekday())
        found = chosen(request, of_vendors=of_vendors)
        page = Paginator(found.filter(is_active=True).order_by("code"), ROWS).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        weeks = (
            production.week_of_vendors(vendors=rows, monday=monday)
            if of_vendors
            else production.week_of_centers(centers=rows, monday=monday)
        )
        right = "masterdata.add_closure" if of_vendors else "masterdata.add_downtime"
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Week"),
            "opts": self.opts,  # type: ignore[attr-defined]
            "of_vendors": of_vendors,
            "today": today,
            "monday": monday,
            "links": [
                (_("Week before"), link(request, monday - WEEK)),
                (_("This week"), link(request, None)),
                (_("Week after"), link(request, monday + WEEK)),
            ],
            "days": [monday + timedelta(days=more) for more in range(7)],
            "ours": production.week_of_ours(monday=monday),
            "rows": [(row, weeks[row.pk]) for row in rows],
            "page": page,
            "sites": Site.objects.filter(is_active=True).order_by("code"),
            "may_add": request.user.has_perm(right),
        }
        return render(request, "admin/production/week.html", context)


def chosen(request: HttpRequest, *, of_vendors: bool) -> QuerySet[Any]:
    """The work centers of ours, or the vendors, that the filters leave."""
    asked = {name: request.GET.get(name, "").replace("\x00", "")[:100] for name in ("q", "site")}
    rows: QuerySet[Any]
    if of_vendors:
        rows = Vendor.objects.visible_to(request.user)
    else:
        rows = WorkCenter.objects.filter(kind=WorkCenterKind.INTERNAL)
        rows = rows.filter(site__code=asked["site"]) if asked["site"] else rows
    for word in asked["q"].split():
        rows = rows.filter(Q(code__icontains=word) | Q(name__icontains=word))
    return rows


def link(request: HttpRequest, day: date | None) -> str:
    """The same rows in the week of a day; of today for None."""
    asked = request.GET.copy()
    asked.pop("day", None)
    if day:
        asked["day"] = day.isoformat()
    return f"{reverse(PAGE)}?{asked.urlencode()}"


def read_day(text: str) -> date | None:
    """The day an address names; None where it names none of this millennium."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 < day.year < 2999 else None
