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
    assert [row["number"] for row in api.get("/api/v1/receipts/?order=SC-00001").data["results"]] == [
        made.data["number"]
    ]


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
        *(
            (
                {"order": "SC-00001", "line": 1, "accepted": 4, "inspect_quantity": asked},
                code,
                "lines.0.inspect_quantity",
            )
            for asked, code in (
                (-1, "invalid_quantity"),
                (0, "invalid_quantity"),
                (5, "invalid_quantity"),
                ("0.5", "too_precise"),
            )
        ),
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

    with django_assert_num_queries(7):  # receipt, lines, lots, findings, by-products, consumption, history
        api.get(f"/api/v1/receipts/{number}/")


def made(api: APIClient, *, note: str = "DN-1", **line: Any) -> str:
    answer = post(api, {"order": "SC-00001", "line": 1, **line}, note=note)
    assert answer.status_code == 201, answer.data
    return f"/api/v1/receipts/{answer.data['number']}/"


def test_quality_inspects_waives_and_takes_certificates():
    at_vendor(inspection="all", certificates=["coc"])
    quality, path = client(Role.QUALITY), made(client(), accepted=10)

    refused = client("buyer").post(f"{path}inspect/", {"line": 1, "accepted": 7}, format="json")
    assert (refused.status_code, refused.data["code"]) == (403, "no_right")
    said = {"line": 1, "accepted": 7, "rejected": 3, "disposition": "rework", "fault": "vendor"}
    [line] = quality.post(f"{path}inspect/", said, format="json").data["lines"]
    assert (line["accepted"], line["sent_back"], line["held"], line["held_for"]) == (
        "7.00000",
        "3.00000",
        "7.00000",
        ["coc"],
    )
    assert [found["disposition"] for found in line["findings"]] == ["rework"]
    done = quality.post(f"{path}certificates/", {"line": 1, "certificates": ["coc"]}, format="json")
    assert (done.status_code, done.data["lines"][0]["held"], lying("MAIN", "FG")) == (200, "0.00000", 7)
    again = quality.post(f"{path}waive/", {"line": 1, "reason": "why not"}, format="json")
    assert (again.status_code, again.data["code"]) == (409, "nothing_to_do")


def test_the_dock_corrects_and_adjusts_what_it_counted():
    at_vendor()
    api = client()
    path = made(api, accepted=4)

    more = api.post(f"{path}adjust-consumption/", {"line": 1, "item": "RM", "quantity": 1}, format="json")
    assert more.data["lines"][0]["consumed"] == {"RM": "5.00000"}
    fixed = api.post(f"{path}correct/", {"line": 1, "accepted": 5, "reason": "one more"}, format="json")

    assert (fixed.data["lines"][0]["accepted"], lying("MAIN", "FG")) == ("5.00000", 5)
    assert [event["name"] for event in fixed.data["history"]] == [
        "receipt.posted", "receipt.consumption_adjusted", "receipt.corrected",
    ]  # fmt: skip
    assert api.post(f"{path}correct/", {"line": 1, "accepted": 5}, format="json").status_code == 422


def test_goods_the_books_refuse_go_into_quarantine_and_out_again():
    at_vendor()
    api = client()
    line = {"order": "SC-00001", "line": 1, "accepted": 12}

    assert post(api, line).data["code"] == "over_receipt"
    apart = post(api, line, quarantine=True)
    assert (apart.status_code, apart.data["status"]) == (201, "quarantined")
    path = f"/api/v1/receipts/{apart.data['number']}/"
    assert api.post(f"{path}release/").data["code"] == "over_receipt"
    assert api.post(f"{path}refuse/").data["status"] == "reversed"


def test_stock_has_its_worth_and_an_order_its_costs():
    at_vendor()
    made(client(), accepted=8, rejected=2)
    api = client(Role.AUDITOR)

    [worth] = api.get("/api/v1/stock/values/?item=FG").data["results"]
    assert {name: worth[name] for name in ("quantity", "value", "unit_cost")} == {
        "quantity": "8.00000", "value": "1600.00000", "unit_cost": "200.00000",
    }  # fmt: skip
    [costs] = api.get("/api/v1/reports/production-order-costs/?production_order=P1").data["results"]
    assert {name: costs[name] for name in ("components", "work", "charges", "actual", "expected")} == {
        "components": "1000.00000", "work": "1000.00000", "charges": "0.00000", "actual": "2000.00000",
        "expected": "2000.00000",
    }  # fmt: skip
