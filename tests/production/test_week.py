"""The week view: what is open, closed, a holiday or down on each day, for work centers of ours and for vendors."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Closure, Downtime, HolidayCalendar, Site, Vendor, WorkCenter
from production.services import week_of_centers, week_of_ours, week_of_vendors
from tests.interchange.plans import load_shaft

MONDAY = date(2026, 4, 27)  # the Friday of this week is Labour Day
PAGE = "admin:masterdata_downtime_week"


@pytest.fixture
def planner(db) -> Client:
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client = Client()
    client.force_login(user)
    return client


def kinds(week) -> list[str]:
    return [day.kind for day in week]


def test_a_day_says_why_nobody_works_and_how_long_somebody_does(db, django_assert_num_queries):
    lathe = WorkCenter.objects.create(code="LATHE", capacity_hours_per_day=Decimal("7.5"))
    mill = WorkCenter.objects.create(code="MILL")
    HolidayCalendar.objects.create(country="DE")
    Closure.objects.create(day=date(2026, 4, 20), last_day=date(2026, 4, 27), reason="Stocktaking")
    Closure.objects.create(work_center=mill, day=date(2026, 4, 29), reason="Fire drill")
    Downtime.objects.create(
        work_center=lathe, start_date=date(2026, 4, 25), end_date=date(2026, 4, 28), reason="Overhaul"
    )

    with django_assert_num_queries(3):
        weeks = week_of_centers(centers=[lathe, mill], monday=MONDAY)

    assert kinds(weeks[lathe.pk]) == ["closed", "down", "open", "open", "holiday", "weekend", "weekend"]
    assert kinds(weeks[mill.pk]) == ["closed", "open", "closed", "open", "holiday", "weekend", "weekend"]
    assert [(day.reason, day.hours) for day in weeks[lathe.pk][:3]] == [
        ("Stocktaking", None), ("Overhaul", None), ("", Decimal("7.5")),
    ]  # fmt: skip
    assert weeks[lathe.pk][4].reason == "Labor Day"
    with override("de"):
        assert week_of_ours(monday=MONDAY)[4].reason == "Erster Mai"
    assert weeks[mill.pk][1].hours == 8  # an unknown capacity counts as scheduling counts it
    assert kinds(week_of_ours(monday=MONDAY)) == ["closed", "open", "open", "open", "holiday", "weekend", "weekend"]


def test_vendors_keep_their_own_days_and_not_ours(db):
    vendor = Vendor.objects.create(code="V1")
    Closure.objects.create(day=MONDAY)
    Closure.objects.create(vendor=vendor, day=date(2026, 4, 28), last_day=date(2026, 4, 29))

    (week,) = week_of_vendors(vendors=[vendor], monday=MONDAY).values()

    assert kinds(week) == ["open", "closed", "closed", "open", "open", "weekend", "weekend"]


def test_the_page_shows_the_week_of_a_day_and_leads_to_what_is_added(planner):
    load_shaft(downtimes=[{"work_center": "LATHE", "start": "2026-04-28", "end": "2026-04-28", "reason": "Overhaul"}])
    lathe = WorkCenter.objects.get(code="LATHE")

    shown = planner.get(reverse(PAGE), {"day": "2026-04-30"})
    text = shown.content.decode()

    assert "Week 18: 27 Apr to 3 May 2026" in text
    assert "Overhaul" in text
    assert f"?work_center={lathe.pk}&amp;start_date=2026-04-29&amp;end_date=2026-04-29" in text
    assert "day=2026-04-20" in text
    assert "day=2026-05-04" in text
    assert "OUT" not in [row.code for row, _ in shown.context["rows"]]  # an external one stands for its vendor
    added = planner.get(reverse("admin:masterdata_downtime_add"), {"work_center": lathe.pk, "start_date": "2026-04-29"})
    assert added.context["adminform"].form["start_date"].value() == "2026-04-29"


def test_the_page_narrows_by_words_and_site_and_shows_vendors(planner):
    load_shaft()
    WorkCenter.objects.create(code="SAW", site=Site.objects.create(code="SOUTH"))

    def codes(**asked: str) -> list[str]:
        return [row.code for row, _ in planner.get(reverse(PAGE), asked).context["rows"]]

    assert codes() == ["LATHE", "SAW"]
    assert codes(site="SOUTH") == codes(q="sa") == ["SAW"]
    assert codes(of="vendors") == ["V1"]
    assert codes(day="0001-01-01", page="99", q="\x00") == codes(day="soon") == ["LATHE", "SAW"]


def test_the_week_costs_the_same_for_any_number_of_rows(planner, django_assert_max_num_queries):
    WorkCenter.objects.bulk_create(WorkCenter(code=f"W{number:03}") for number in range(70))
    planner.get(reverse(PAGE))

    with django_assert_max_num_queries(24):
        shown = planner.get(reverse(PAGE), {"page": 2})

    assert len(shown.context["rows"]) == 20


def test_who_may_not_see_downtimes_sees_no_week(client, db):
    user = User.objects.create_user("nobody", is_staff=True)
    client.force_login(user)

    assert client.get(reverse(PAGE)).status_code == 403
