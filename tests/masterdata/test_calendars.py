from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from masterdata.models import Closure, HolidayCalendar, Item, ItemUnit, Unit, Vendor, WorkCenter
from masterdata.services import all_closed_days, closed_days, unit_factors
from tests.workbench import rows

ON = date(2026, 3, 2)


@pytest.fixture
def planner() -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user("planner", Role.PLANNER))
    return client


def test_a_closure_lasts_to_its_last_day_included():
    vendor = Vendor.objects.create(code="V1")
    Closure.objects.create(vendor=vendor, day="2026-08-03", last_day="2026-08-05")
    Closure.objects.create(vendor=vendor, day="2026-08-10")

    assert sorted(day.day for day in closed_days(vendor_id=vendor.pk, on=ON)) == [3, 4, 5, 10]


def test_public_holidays_are_those_of_the_country_or_its_part_around_the_day():
    bavarian, berliner = Vendor.objects.create(code="BY"), Vendor.objects.create(code="BE")
    HolidayCalendar.objects.create(vendor=bavarian, country="DE", subdivision="BY")
    HolidayCalendar.objects.create(vendor=berliner, country="DE", subdivision="BE")

    closed = all_closed_days(on=ON)

    assert date(2026, 1, 6) in closed.vendors[bavarian.pk]  # Epiphany
    assert date(2026, 1, 6) not in closed.vendors[berliner.pk]
    assert {date(2026, 10, 3), date(2025, 12, 25), date(2031, 1, 1)} <= closed.vendors[berliner.pk]
    assert date(2032, 1, 1) not in closed.vendors[berliner.pk]
    assert closed.ours == frozenset()


def test_closed_days_are_read_in_two_queries(django_assert_num_queries):
    for number in range(3):
        center = WorkCenter.objects.create(code=f"W{number}")
        Closure.objects.create(work_center=center, day="2026-05-01")
        HolidayCalendar.objects.create(work_center=center, country="AT")

    with django_assert_num_queries(2):
        all_closed_days(on=ON)


@pytest.mark.parametrize(
    ("resource", "sent", "code"),
    [
        ("calendars", {"date": "2026-08-05", "end": "2026-08-03"}, "invalid_date"),
        ("calendars", {"date": "2026-01-01", "end": "2027-06-01"}, "above_maximum"),
        ("holiday-calendars", {"country": "XX"}, "not_found"),
        ("holiday-calendars", {"country": "DE", "subdivision": "QQ"}, "not_found"),
        ("item-units", {"item": "I", "unit": "kg", "factor": "0"}, "min_value"),
    ],
)
def test_a_calendar_or_unit_that_cannot_be_is_refused(
    planner: APIClient, resource: str, sent: dict[str, Any], code: str
):
    Item.objects.create(code="I")
    Unit.objects.create(code="kg")

    answer = planner.post(f"/api/v1/{resource}/", sent)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert [model.objects.count() for model in (Closure, HolidayCalendar, ItemUnit)] == [0, 0, 0]


def test_closures_holidays_and_units_are_made_and_taken_out_over_the_api(planner: APIClient):
    Item.objects.create(code="I")
    Unit.objects.create(code="kg")
    for resource, sent in (
        ("calendars", {"date": "2026-08-03", "end": "2026-08-21", "reason": "summer"}),
        ("holiday-calendars", {"country": "DE", "subdivision": "BY"}),
        ("item-units", {"item": "I", "unit": "kg", "factor": "4"}),
    ):
        made = planner.post(f"/api/v1/{resource}/", sent)
        assert made.status_code == 201, made.json()
        assert planner.delete(f"/api/v1/{resource}/{made.json()['reference']}/").status_code == 204


def test_a_unit_counts_by_what_is_entered_else_by_the_weight_and_its_own_is_one():
    pieces, kilogram = Unit.objects.create(code="pcs"), Unit.objects.create(code="kg")
    light = Item.objects.create(code="L", unit=pieces, weight_kg=Decimal("0.5"))
    heavy = Item.objects.create(code="H", unit=pieces, weight_kg=Decimal(2))
    powder = Item.objects.create(code="P", unit=kilogram, weight_kg=Decimal(1))
    Item.objects.create(code="U", unit=pieces)
    ItemUnit.objects.create(item=heavy, unit=kilogram, factor=Decimal("0.4"))

    assert unit_factors(unit_ids=[kilogram.pk]) == {
        (light.pk, kilogram.pk): 2,
        (heavy.pk, kilogram.pk): Decimal("0.4"),
        (powder.pk, kilogram.pk): 1,
    }
