"""What other systems call a row: every row of every table may say it, and the API shows it where the row is shown."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Role, User
from interchange.rules.tables import TABLES
from masterdata.models import Company
from production.models import Operation
from subcontract_orders.models import OrderLine
from tests.interchange.plans import SHAFT, load, load_shaft

pytestmark = pytest.mark.django_db
REFS = [{"system": "erp", "key": "77"}]
MORE: dict[str, list[dict[str, Any]]] = {
    "company": [{"name": "We", "currency": "EUR"}],
    "exchange_rates": [{"currency": "USD", "rate": "0.9", "valid_from": "2026-01-01"}],
    "item_groups": [{"code": "TURNED"}],
    "sites": [{"code": "MAIN"}],
    "item_units": [{"item": "SHAFT", "unit": "kg", "factor": "2"}],
    "processes": [{"code": "Plating"}],
    "specifications": [{"item": "SHAFT", "process": "Plating", "text": "8 µm zinc"}],
    "calendars": [{"date": "2026-05-01", "reason": "Labour day"}, {"vendor": "V1", "country": "DE"}],
    "downtimes": [{"work_center": "LATHE", "start": "2026-04-01", "end": "2026-04-02"}],
    "routing_alternatives": [{"item": "SHAFT", "variant": "B", "operation_no": 10, "name": "Turning", "work_center": "LATHE"}],
    "vendor_approvals": [{"vendor": "V1", "process": "Plating"}],
    "prices": [{"vendor": "V1", "process": "Plating", "currency": "EUR", "unit_price": "2"}],
    "policies": [{"code": "P", "process": "Plating", "vendors": "V1"}],
    "stock": [{"item": "BAR", "location": "MAIN", "quantity": "9"}],
    "operations": [{"order": "P1", "number": 20}],
    "open_orders": [
        {"order": "SC-00007", "vendor": "V1", "production_order": "P1", "operation": "20", "quantity": 4, "unit_price": 2}
    ],
}  # fmt: skip
SHOWN = {
    "exchange_rates": "exchange-rates", "units": "units", "item_groups": "item-groups", "sites": "sites",
    "locations": "locations", "items": "items", "item_units": "item-units", "work_centers": "work-centers",
    "processes": "processes", "specifications": "specifications", "vendors": "vendors", "prices": "price-agreements",
    "calendars": "calendars", "downtimes": "downtimes", "vendor_approvals": "vendor-approvals", "policies": "policies",
    "stock": "stock", "production_orders": "production-orders",
}  # fmt: skip


@pytest.fixture
def everything() -> dict[str, list[dict[str, Any]]]:
    """A plan with all tables; each first row says what another system calls it."""
    tables = {**SHAFT, **MORE}
    return {name: [{**rows[0], "source": "erp", "external_refs": "erp:77"}, *rows[1:]] for name, rows in tables.items()}


@pytest.fixture
def client(everything: dict[str, list[dict[str, Any]]]) -> APIClient:
    load(everything)
    user = User.objects.create_user("auditor")
    accounts.give_role(user=user, role=Role.AUDITOR)
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def test_every_table_takes_them(everything: dict[str, list[dict[str, Any]]]):
    assert everything.keys() == TABLES.keys()

    assert [note for note in load(everything).notes if "ignored" in note] == []


@pytest.mark.parametrize("table", SHOWN)
def test_the_api_shows_them(client: APIClient, table: str):
    rows = client.get(f"/api/v1/{SHOWN[table]}/").json()["results"]

    assert (REFS, "erp") in [(row["external_refs"], row["source"]) for row in rows]


def test_the_company_an_operation_and_a_line_of_an_open_order_keep_them(client: APIClient):
    company = Company.objects.get()
    assert (company.source, company.external_refs) == ("erp", REFS)

    order = client.get("/api/v1/production-orders/P1/").json()
    assert [(one["number"], one["source"], one["external_refs"]) for one in order["operations"]] == [
        ("10", "", []), ("20", "erp", REFS),
    ]  # fmt: skip
    (line,) = client.get("/api/v1/subcontract-orders/SC-00007/").json()["lines"]
    assert (line["source"], line["external_refs"]) == ("erp", REFS)


def test_a_public_holiday_calendar_keeps_them():
    load_shaft(calendars=[{"vendor": "V1", "country": "DE", "source": "erp", "external_refs": "erp:77"}])

    from masterdata.models import HolidayCalendar

    assert list(HolidayCalendar.objects.values_list("source", "external_refs")) == [("erp", REFS)]


def test_a_plan_without_the_columns_leaves_what_is_there(client: APIClient):
    load({**SHAFT, **MORE})

    assert Operation.objects.get(operation_no="20").external_refs == REFS
    assert client.get("/api/v1/stock/").json()["results"][0]["external_refs"] == REFS
    assert client.get("/api/v1/units/pcs/").json()["external_refs"] == REFS


def test_an_open_order_that_is_known_may_be_told_them_later():
    load({**SHAFT, **MORE})
    again = {**MORE["open_orders"][0], "external_refs": "erp:77"}

    report = load({"open_orders": [again]})

    assert report.counts["open_orders"] == {"created": 0, "changed": 1, "unchanged": 0}
    assert OrderLine.objects.get().external_refs == REFS


def test_rows_of_one_place_that_add_up_keep_the_keys_of_all():
    bins = [{"item": "BAR", "location": "MAIN", "quantity": 2, "external_refs": f"wms:{place}"} for place in ("A", "B")]

    load_shaft(stock=bins)
    load({"stock": [{**bins[0], "quantity": 4, "source": "wms"}]})

    from inventory.models import Balance

    lying = Balance.objects.get(item__code="BAR")
    assert (lying.quantity, lying.source, lying.external_refs) == (4, "wms", [{"system": "wms", "key": "A"}])


def test_operations_sent_with_an_order_over_the_api_keep_them():
    load(SHAFT)
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role=Role.PLANNER)
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    operations = [{"number": "10", "source": "mes", "external_refs": REFS}]

    order = {"number": "P2", "item": "SHAFT", "quantity": "4", "due": "2027-03-18", "operations": operations}
    assert client.post("/api/v1/production-orders/", order).status_code == 201

    shown = client.get("/api/v1/production-orders/P2/").json()["operations"][0]
    assert (shown["source"], shown["external_refs"]) == ("mes", REFS)
