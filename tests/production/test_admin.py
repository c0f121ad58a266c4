"""Master data that moves the plan, on the planning pages: a change is noted, so that a run follows."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Downtime, PlanChange, Vendor, WorkCenter


@pytest.fixture
def planner() -> Client:
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client = Client()
    client.force_login(user)
    return client


def test_a_downtime_asks_for_a_run(planner):
    center = WorkCenter.objects.create(code="WC-1")

    answer = planner.post(
        reverse("admin:masterdata_downtime_add"),
        {"work_center": center.pk, "start_date": "2026-06-01", "end_date": "2026-06-05", "reason": "Overhaul"},
    )

    assert answer.status_code == 302
    assert Downtime.objects.get().end_date == date(2026, 6, 5)
    assert PlanChange.objects.count() == 1


def test_a_downtime_that_goes_asks_for_a_run(planner):
    center = WorkCenter.objects.create(code="WC-1")
    downtime = Downtime.objects.create(work_center=center, start_date=date(2026, 6, 1), end_date=date(2026, 6, 5))

    planner.post(reverse("admin:masterdata_downtime_delete", args=[downtime.pk]), {"post": "yes"})

    assert not Downtime.objects.exists()
    assert PlanChange.objects.count() == 1


def test_a_downtime_that_ends_before_it_starts_is_refused(planner):
    center = WorkCenter.objects.create(code="WC-1")

    answer = planner.post(
        reverse("admin:masterdata_downtime_add"),
        {"work_center": center.pk, "start_date": "2026-06-05", "end_date": "2026-06-01"},
    )

    assert answer.status_code == 200
    assert not Downtime.objects.exists()
    assert not PlanChange.objects.exists()


def test_a_vendor_is_switched_off_and_never_deleted(planner):
    vendor = Vendor.objects.create(code="V1")

    answer = planner.post(reverse("admin:masterdata_vendor_delete", args=[vendor.pk]), {"post": "yes"})

    assert answer.status_code == 403
    assert Vendor.objects.filter(code="V1").exists()
