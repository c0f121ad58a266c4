from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import User
from masterdata.models import Closure, Currency, Downtime, ExchangeRate, Item, ItemGroup, Unit, Vendor, WorkCenter

pytestmark = pytest.mark.django_db


def client_of(role: str | None) -> APIClient:
    user = User.objects.create_user(f"user of {role}")
    if role:
        accounts.give_role(user=user, role=role)
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def planner() -> APIClient:
    return client_of("planner")


def test_a_vendor_is_made_read_changed_and_made_inactive(planner: APIClient):
    Currency.objects.create(code="EUR")

    made = planner.post("/api/v1/vendors/", {"code": "V1", "name": "Zinc & Sons", "currency": "EUR"})
    changed = planner.patch("/api/v1/vendors/V1/", {"active": False})

    assert made.status_code == 201
    assert changed.status_code == 200
    assert planner.get("/api/v1/vendors/V1/").json() == {
        "code": "V1", "name": "Zinc & Sons", "country": "", "city": "", "currency": "EUR", "email": "",
        "address": "", "language": "", "belongs_to": None, "transit_out_days": None, "transit_back_days": None,
        "active": False, "source": "", "external_refs": [],
    }  # fmt: skip


@pytest.mark.parametrize("code", ["M8.5", "CNC/Axle 1", "a/b/c", "100%", "Größe ß", "x?y#z", "ends/"])
def test_a_code_may_hold_any_sign(planner: APIClient, code: str):
    from urllib.parse import quote

    assert planner.post("/api/v1/items/", {"code": code, "standard_cost": "1.50"}).status_code == 201

    address = f"/api/v1/items/{quote(code, safe='')}/"
    assert planner.get(address).json()["code"] == code
    assert planner.patch(address, {"name": "changed"}).json()["name"] == "changed"


def test_decimals_are_strings(planner: APIClient):
    planner.post("/api/v1/items/", {"code": "A", "standard_cost": 1.5})

    assert planner.get("/api/v1/items/A/").json()["standard_cost"] == "1.50000"


def test_an_unknown_code_in_a_row_is_named(planner: APIClient):
    answer = planner.post("/api/v1/items/", {"code": "A", "unit": "dozen"})

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [{"code": "not_found", "field": "unit", "detail": "There is no 'dozen'."}]
    assert not Item.objects.exists()


def test_a_second_row_of_the_same_code_is_refused(planner: APIClient):
    planner.post("/api/v1/units/", {"code": "pcs", "decimals": 0})

    answer = planner.post("/api/v1/units/", {"code": "pcs"})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


def test_a_field_nobody_reads_is_refused(planner: APIClient):
    answer = planner.post("/api/v1/units/", {"code": "pcs", "decimal": 0})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "decimal")
    assert answer.json()["code"] == "unknown_field"
    assert not Unit.objects.exists()


def test_a_code_stays(planner: APIClient):
    planner.post("/api/v1/units/", {"code": "pcs"})

    assert planner.patch("/api/v1/units/pcs/", {"code": "kg"}).status_code == 422
    assert planner.patch("/api/v1/units/pcs/", {"code": "pcs", "name": "pieces"}).status_code == 200


def test_a_change_of_what_somebody_else_changed_is_refused(planner: APIClient):
    planner.post("/api/v1/units/", {"code": "pcs"})
    read = planner.get("/api/v1/units/pcs/")
    planner.patch("/api/v1/units/pcs/", {"name": "pieces"}, headers={"If-Match": read["ETag"]})

    answer = planner.patch("/api/v1/units/pcs/", {"name": "Stück"}, headers={"If-Match": read["ETag"]})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert Unit.objects.get().name == "pieces"


def test_without_the_right_nothing_is_seen_or_changed():
    Unit.objects.create(code="pcs")
    buyer, nobody = client_of("buyer"), client_of(None)

    assert buyer.get("/api/v1/units/").status_code == 200
    assert buyer.post("/api/v1/units/", {"code": "kg"}).json()["code"] == "no_right"
    assert buyer.patch("/api/v1/units/pcs/", {"name": "x"}).status_code == 403
    assert nobody.get("/api/v1/units/").status_code == 403
    assert APIClient().get("/api/v1/units/").status_code == 401
    assert Unit.objects.get().name == ""


def test_a_closed_day_may_be_taken_out_again_and_a_unit_may_not(planner: APIClient):
    Vendor.objects.create(code="V1")
    made = planner.post("/api/v1/calendars/", {"vendor": "V1", "date": "2026-08-10", "reason": "summer"})
    Unit.objects.create(code="pcs")

    assert planner.delete(f"/api/v1/calendars/{made.json()['reference']}/").status_code == 204
    assert planner.delete("/api/v1/units/pcs/").status_code == 405
    assert not Closure.objects.exists()


def test_an_exchange_rate_is_addressed_by_its_reference(planner: APIClient):
    Currency.objects.create(code="USD")
    made = planner.post(
        "/api/v1/exchange-rates/", {"currency": "USD", "rate": "0.91", "valid_from": "2026-01-01"}
    ).json()

    assert planner.get(f"/api/v1/exchange-rates/{made['reference']}/").json()["rate"] == "0.91000000"
    assert planner.post("/api/v1/exchange-rates/", {**made, "reference": None}).status_code == 422
    again = planner.post("/api/v1/exchange-rates/", {"currency": "USD", "rate": "0.92", "valid_from": "2026-01-01"})
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert ExchangeRate.objects.get().rate == Decimal("0.91")


LISTS = [
    "units", "item-groups", "items", "sites", "vendors", "locations", "work-centers", "processes", "calendars", "downtimes",
    "currencies", "exchange-rates",
]  # fmt: skip


@pytest.mark.parametrize("resource", LISTS)
def test_a_list_costs_one_query(planner: APIClient, django_assert_num_queries, resource: str):
    euro, unit, group = (
        Currency.objects.create(code="EUR"),
        Unit.objects.create(code="pcs"),
        ItemGroup.objects.create(code="G"),
    )
    for number in range(3):
        vendor = Vendor.objects.create(code=f"V{number}", currency=euro)
        center = WorkCenter.objects.create(code=f"W{number}", vendor=vendor)
        Item.objects.create(code=f"I{number}", unit=unit, item_group=group)
        Closure.objects.create(work_center=center, day="2026-05-01")
        Downtime.objects.create(work_center=center, start_date="2026-05-01", end_date="2026-05-02")
        ExchangeRate.objects.create(currency=euro, rate=1, valid_from=f"2026-01-0{number + 1}")
    planner.get("/api/v1/units/")  # the user's access rows are read once

    with django_assert_num_queries(1):
        assert planner.get(f"/api/v1/{resource}/").status_code == 200


def test_a_list_is_narrowed_and_a_misspelt_filter_refused(planner: APIClient):
    Vendor.objects.create(code="V1")
    Vendor.objects.create(code="V2", is_active=False)

    assert [row["code"] for row in planner.get("/api/v1/vendors/?active=true").json()["results"]] == ["V1"]
    answer = planner.get("/api/v1/vendors/?activ=true")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
