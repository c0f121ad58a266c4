from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from inventory.models import Balance, Lot, Movement
from masterdata.models import Location
from tests.workbench import rows


def client_of(role: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(role, role))
    return client


@pytest.fixture
def stock() -> None:
    rows.site(), rows.vendor()
    item = rows.item("RM1")
    lot = Lot.objects.create(item=item, code="L1")
    supplier = Location.objects.create(code="VIRTUAL-SUPPLIER", kind="supplier")
    for code, quantity in (("MAIN", 7), ("AT-V1", 3), ("EMPTY", 0)):
        place = Location.objects.get_or_create(code=code)[0]
        Balance.objects.create(item=item, lot=lot, location=place, quantity=quantity, since=rows.AT)
        if quantity:
            Movement.objects.create(item=item, lot=lot, from_location=supplier, to_location=place, quantity=quantity, value=10,
                                    document_kind="opening", occurred_at=rows.AT, recorded_at=rows.AT)  # fmt: skip


def test_stock_says_what_lies_where(stock: None):
    dock = client_of(Role.DOCK)

    found = dock.get("/api/v1/stock/").json()["results"]

    assert [(row["item"], row["location"], row["lot"], Decimal(row["quantity"]), row["unit"]) for row in found] == [
        ("RM1", "MAIN", "L1", 7, "pcs"),
        ("RM1", "AT-V1", "L1", 3, "pcs"),
    ]
    assert [row["location"] for row in dock.get("/api/v1/stock/?vendor=V1&lot=L1").json()["results"]] == ["AT-V1"]


def test_movements_say_where_it_came_from(stock: None):
    (shown,) = client_of(Role.DOCK).get("/api/v1/stock-movements/?to=AT-V1&from=VIRTUAL-SUPPLIER").json()["results"]

    assert (shown["from"], shown["to"], shown["quantity"], shown["value"]) == (
        "VIRTUAL-SUPPLIER", "AT-V1", "3.00000", "10.00000",
    )  # fmt: skip
    assert shown["document"] == {"kind": "opening", "number": "", "line": None}


def test_stock_is_read_only_and_not_for_everybody(stock: None):
    dock, vendor = client_of(Role.DOCK), APIClient()
    vendor.force_authenticate(rows.user("nobody", Role.AUDITOR))

    assert dock.post("/api/v1/stock/", {}).status_code == 405
    assert dock.post("/api/v1/stock-movements/", {}).status_code == 405
    nobody = rows.user("without role")
    nobody.access.all().delete()
    vendor.force_authenticate(type(nobody).objects.get(pk=nobody.pk))
    assert vendor.get("/api/v1/stock/").json()["code"] == "no_right"


@pytest.mark.parametrize("resource", ["stock", "stock-movements"])
def test_a_list_costs_one_query(stock: None, django_assert_num_queries, resource: str):
    dock = client_of(Role.DOCK)
    dock.get("/api/v1/stock/")

    with django_assert_num_queries(1):
        dock.get(f"/api/v1/{resource}/")
