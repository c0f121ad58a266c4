"""Receipts over the API."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Access, Role, User
from receipts.models import Receipt
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts.goods import LATER, at_vendor, lying


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(moment(LATER), tick=True):
        yield


def client(role: str = Role.DOCK) -> APIClient:
    user = User.objects.create(username=f"a {role}")
    Access.objects.create(user=user, role=role)
    api = APIClient()
    api.force_authenticate(user)
    return api


def post(api: APIClient, *lines: dict[str, Any], **fields: Any) -> Any:
    body = {"vendor": "V1", "note": "DN-1", "lines": list(lines), **fields}
    return api.post("/api/v1/receipts/", body, format="json")


def test_the_dock_counts_a_note_in_and_reads_it():
    at_vendor()
    api = client()

    made = post(api, {"order": "SC-00001", "line": 1, "accepted": 6, "rejected": 4}, note_date="2026-03-06")
    again = post(api, {"order": "SC-00001", "line": 1, "accepted": "6.0", "rejected": 4}, note_date="2026-03-06")

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.data["number"] == again.data["number"]
    [line] = made.data["lines"]
    assert {name: line[name] for name in ("line", "order", "order_line", "item", "accepted", "rejected", "consumed")} == {
        "line": 1, "order": "SC-00001", "order_line": 1, "item": "FG", "accepted": "6.00000", "rejected": "4.00000",
        "consumed": {"RM": "10.00000"},
    }  # fmt: skip
    assert (made.data["note_date"], made.data["vendor"], made.data["status"]) == ("2026-03-06", "V1", "posted")
    assert [event["name"] for event in made.data["history"]] == ["receipt.posted"]
    assert [row["number"] for row in api.get("/api/v1/receipts/?order=SC-00001").data["results"]] == [made.data["number"]]


def test_an_order_stands_for_its_vendor_and_its_lines():
    at_vendor()

    made = client().post(
        "/api/v1/receipts/",
        {"order": "SC-00001", "note": "DN-1", "lines": [{"line": 1, "accepted": 5}]},
        format="json",
    )

    assert made.status_code == 201
    assert lying("MAIN", "FG") == 5


def test_a_receipt_is_reversed_at_the_version_it_was_read():
    at_vendor()
    api = client()
    made = post(api, {"order": "SC-00001", "line": 1, "accepted": 5})
    path = f"/api/v1/receipts/{made.data['number']}/reverse/"

    assert api.post(path, HTTP_IF_MATCH='"7"').status_code == 412
    done = api.post(path, HTTP_IF_MATCH=made["ETag"])

    assert (done.status_code, done.data["status"], lying("MAIN", "FG")) == (200, "reversed", 0)
    assert api.post(path).data["code"] == "wrong_state"


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ({"order": "SC-00009", "line": 1, "accepted": 1}, "not_found", "lines.0.line"),
        ({"order": "SC-00001", "line": 2, "accepted": 1}, "not_found", "lines.0.line"),
        ({"line": 1, "accepted": 1}, "not_found", "lines.0.line"),
        ({"order": "SC-00001", "line": 1, "accepted": 1, "consumed": {"?": 1}}, "not_found", "lines.0.consumed"),
        ({"order": "SC-00001", "line": 1, "accepted": "1.000001"}, "too_precise", None),
        ({"order": "SC-00001", "line": 1, "accepted": "1.5"}, "too_precise", "lines.0.accepted"),
        ({"order": "SC-00001", "line": 1, "accepted": -1}, "invalid_quantity", "lines.0.accepted"),
        ({"order": "SC-00001", "line": 1, "accepted": 11}, "over_receipt", "lines.0.accepted"),
        ({"order": "SC-00001", "line": 1, "acepted": 1}, "unknown_field", None),
    ],
)
def test_a_bad_line_is_refused_by_name(line: dict[str, Any], code: str, field: str | None):
    at_vendor()

    refused = post(client(), line)

    assert refused.data["code"] == code
    assert field in (None, refused.data["errors"][0]["field"])
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("role", [Role.PLANNER, Role.AUDITOR])
def test_counting_needs_the_right(role: str):
    at_vendor()

    refused = post(client(role), {"order": "SC-00001", "line": 1, "accepted": 1})

    assert (refused.status_code, refused.data["code"]) == (403, "no_right")
    assert not Receipt.objects.exists()


def test_somebody_of_another_site_finds_neither_order_nor_receipt():
    at_vendor()
    made = post(client(), {"order": "SC-00001", "line": 1, "accepted": 1})
    user = User.objects.create(username="elsewhere")
    Access.objects.create(user=user, role=Role.DOCK, site=plans.Site.objects.create(code="S2"))
    api = APIClient()
    api.force_authenticate(user)

    assert post(api, {"order": "SC-00001", "line": 1, "accepted": 1}, note="DN-2").data["code"] == "not_found"
    assert api.get(f"/api/v1/receipts/{made.data['number']}/").status_code == 404


def test_a_receipt_costs_the_same_for_any_number_of_lines(django_assert_num_queries):
    at_vendor()
    api = client()
    number = post(api, {"order": "SC-00001", "line": 1, "accepted": 1}).data["number"]

    with django_assert_num_queries(5):  # receipt, lines, lots, consumption, history
        api.get(f"/api/v1/receipts/{number}/")
