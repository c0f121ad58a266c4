"""Purchase requests over the API: another system takes them over, says what it ordered and what arrived."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts.models import Role
from activity.models import Event
from masterdata.models import Site
from receipts.models import DirectDelivery, PurchaseRequest
from tests.documents import plans
from tests.receipts import back
from tests.receipts.test_direct import planned, sent
from tests.scenarios.runner import business_content
from tests.shipments.test_api import client_of

REQUESTS, DELIVERIES = "/api/v1/purchase-requests/", "/api/v1/direct-deliveries/"
ONE = f"{REQUESTS}SC-00001/1/RM/"


@pytest.fixture
def buyer() -> APIClient:
    return client_of(Role.BUYER)


def post(client: APIClient, address: str, **body: Any) -> Response:
    return client.post(address, body, format="json")


def test_a_purchasing_system_takes_requests_over_and_books_what_arrived(buyer: APIClient):
    sent()
    line = plans.line(1)

    [shown] = buyer.get(REQUESTS, {"state": "to_order"}).json()["results"]
    assert shown == {
        "reference": "SC-00001/1/RM", "state": "to_order", "order": "SC-00001", "line": 1, "item": "RM", "unit": None,
        "vendor": "V1", "site": "MAIN", "ship_to": "AT-V1", "required": "10.00000", "arrived": "0.00000", "there": "0.00000",
        "wanted": "10.00000", "on_order": "0.00000", "to_order": "10.00000", "needed_on": str(line.at_vendor_date),
        "expected_on": str(line.at_vendor_date), "ordered": None, "purchase_order": None, "supplier": None, "ordered_at": None,
        "ordered_by": None,
    } | {"unit": shown["unit"]}  # fmt: skip

    ordered = post(buyer, f"{ONE}ordered/", purchase_order="PO-7", supplier="Steel & Co", expected_on="2026-04-10")
    assert (ordered.status_code, ordered.json()["state"], ordered.json()["ordered"]) == (200, "ordered", "10.00000")
    assert (ordered.json()["purchase_order"], ordered.json()["expected_on"]) == ("PO-7", "2026-04-10")

    arrived = post(buyer, f"{ONE}arrived/", note="LS-1", quantity=4, unit_cost="7.5")
    assert arrived.status_code == 201
    made = arrived.json()
    assert {name: made[name] for name in ("number", "status", "order", "line", "item", "location", "note", "value")} == {
        "number": "DD-00001", "status": "posted", "order": "SC-00001", "line": 1, "item": "RM", "location": "AT-V1",
        "note": "LS-1", "value": "30.00000",
    }  # fmt: skip
    assert post(buyer, f"{ONE}arrived/", note="LS-1", quantity=4, unit_cost="7.5").json()["number"] == "DD-00001"
    assert buyer.get(ONE).json()["wanted"] == "6.00000"
    assert [row["number"] for row in buyer.get(DELIVERIES, {"order": "SC-00001"}).json()["results"]] == ["DD-00001"]
    assert back.problems() == []


def test_a_delivery_is_reversed_in_the_version_that_was_read(buyer: APIClient):
    sent()
    post(buyer, f"{ONE}arrived/", note="LS-1", quantity=4)
    address = f"{DELIVERIES}DD-00001/reverse/"

    stale = buyer.post(address, {}, format="json", headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    tag = buyer.get(f"{DELIVERIES}DD-00001/")["ETag"]
    done = buyer.post(address, {"reason": "twice"}, format="json", headers={"If-Match": tag})

    assert (done.status_code, done.json()["status"]) == (200, "reversed")
    assert back.counters(1) == {"at_vendor": 0}


def test_what_was_ordered_is_called_off(buyer: APIClient):
    planned()
    post(buyer, f"{ONE}ordered/", purchase_order="PO-7", expected_on="2026-04-10")

    assert post(buyer, f"{ONE}call-off/", reason="dearer").json()["state"] == "planned"

    post(buyer, f"{ONE}ordered/", purchase_order="PO-7", expected_on="2026-04-10")
    plans.cancel("P1")
    plans.generate()
    assert buyer.get(ONE).json()["state"] == "surplus"
    assert post(buyer, f"{ONE}call-off/").status_code == 204
    assert buyer.get(ONE).status_code == 404


def test_refusals_have_their_code_and_field(buyer: APIClient):
    sent()

    over = post(buyer, f"{ONE}arrived/", note="LS-1", quantity=11)
    unknown = post(buyer, f"{ONE}arrived/", note="LS-1", quantity=1, lot="A")
    nothing = post(buyer, f"{ONE}call-off/")

    assert (over.status_code, over.json()["code"], over.json()["errors"][0]["field"]) == (
        409,
        "over_delivery",
        "quantity",
    )
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown_field")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_do")


def test_what_happened_is_in_the_feed(buyer: APIClient):
    sent()
    post(buyer, f"{ONE}ordered/", purchase_order="PO-7", expected_on="2026-04-10")
    post(buyer, f"{ONE}arrived/", note="LS-1", quantity=4)
    post(buyer, f"{DELIVERIES}DD-00001/reverse/")

    told = Event.objects.filter(name__regex="^(purchase_request|direct_delivery)").order_by("pk")
    assert list(told.values_list("name", "document_number", "through")) == [
        ("purchase_request.ordered", "SC-00001", "api"),
        ("purchase_request.arrived", "SC-00001", "api"),
        ("direct_delivery.posted", "DD-00001", "api"),
        ("direct_delivery.reversed", "DD-00001", "api"),
    ]
    assert told[0].data["request"] == "SC-00001/1/RM"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PLANNER, Role.QUALITY, Role.DOCK])
def test_who_buys_nothing_only_looks(role):
    sent()
    client = client_of(role)
    post(client_of(Role.BUYER), f"{ONE}arrived/", note="LS-1", quantity=4)
    before = business_content()

    assert client.get(ONE).status_code == 200
    for address in (f"{ONE}ordered/", f"{ONE}arrived/", f"{ONE}call-off/", f"{DELIVERIES}DD-00001/reverse/"):
        answer = post(client, address)
        assert (answer.status_code, answer.json()["code"]) == (403, "no_right"), address
    assert business_content() == before


def test_a_buyer_of_another_site_finds_neither():
    sent()
    post(client_of(Role.BUYER), f"{ONE}arrived/", note="LS-1", quantity=4)
    other = client_of(Role.BUYER, site=Site.objects.create(code="OTHER"))

    assert other.get(REQUESTS).json()["results"] == []
    assert other.get(DELIVERIES).json()["results"] == []
    assert post(other, f"{ONE}arrived/", note="LS-2", quantity=1).status_code == 404
    assert post(other, f"{DELIVERIES}DD-00001/reverse/").status_code == 404


def test_the_list_costs_the_same_for_any_number_of_requests(buyer: APIClient, django_assert_num_queries):
    sent()
    for index in range(2, 6):
        plans.plan(f"P{index}", "FG", 5, "2026-04-30")
    plans.generate()
    assert PurchaseRequest.objects.count() == 5
    assert DirectDelivery.objects.count() == 0

    with django_assert_num_queries(2):  # access, requests
        assert len(buyer.get(REQUESTS, {"ordering": "needed_on"}).json()["results"]) == 5
    assert buyer.get(REQUESTS, {"limit": 2}).json()["next"]
