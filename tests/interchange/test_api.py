"""POST /api/v1/imports/: JSON, files or a zip; who may; what a refusal looks like."""

from __future__ import annotations

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from interchange.models import PlanImport
from masterdata.models import Item, Site, Vendor
from production.models import ProductionOrder
from tests.factories import AT
from tests.interchange.plans import SHAFT, load
from tests.interchange.test_files import ITEMS, packed

ADDRESS = "/api/v1/imports/"


@pytest.fixture
def planner(django_user_model) -> APIClient:
    return signed_in(django_user_model, "planner")


def signed_in(users, role: str) -> APIClient:
    user = users.objects.create(username=role)
    user.access.create(role=role)
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_tables_as_json_are_read(planner):
    answer = planner.post(ADDRESS, SHAFT, format="json")

    assert answer.status_code == 201
    assert answer.data["counts"]["production_orders"] == {"created": 1, "changed": 0, "unchanged": 0}
    assert answer.data["reference"] == PlanImport.objects.get().reference
    assert ProductionOrder.objects.get().number == "P1"
    assert PlanImport.objects.get().by.username == "planner"


def test_tables_wrapped_in_a_further_object_are_told_what_is_expected(planner):
    answer = planner.post(ADDRESS, {"tables": SHAFT}, format="json")

    assert (answer.status_code, answer.data["code"]) == (422, "malformed")
    assert "Send the tables themselves, as {table: [rows]}" in answer.data["detail"]


def test_numbers_of_json_stay_as_written(planner):
    load({"units": SHAFT["units"], "items": SHAFT["items"]})
    body = '{"production_orders": [{"number": "P1", "item": "BAR", "quantity": 10.0035, "due": "2026-03-31"}]}'

    answer = planner.post(ADDRESS, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (422, "too_precise")
    assert answer.json()["errors"][0]["value"] == "10.0035"


def test_files_are_read(planner):
    files = [SimpleUploadedFile("items.csv", ITEMS), SimpleUploadedFile("vendors.csv", b"code\nV1\n")]

    answer = planner.post(ADDRESS, {"file": files}, format="multipart")

    assert answer.status_code == 201
    assert Item.objects.count() == 2


@pytest.mark.parametrize("way", ["form", "body"])
def test_a_zip_is_read(planner, way):
    content = packed(items=ITEMS).getvalue()
    if way == "form":
        answer = planner.post(ADDRESS, {"file": SimpleUploadedFile("plan.zip", content)}, format="multipart")
    else:
        answer = planner.generic("POST", ADDRESS, content, content_type="application/zip")

    assert answer.status_code == 201
    assert Item.objects.count() == 2


def test_a_dry_run_writes_nothing(planner):
    answer = planner.post(f"{ADDRESS}?dry_run=true", SHAFT, format="json")

    assert (answer.status_code, answer.data["dry_run"], answer.data["reference"]) == (200, True, None)
    assert answer.data["counts"]["items"]["created"] == 2
    assert not Item.objects.exists()


def test_a_snapshot_is_asked_for_in_the_address(planner):
    load(SHAFT)
    other = {**SHAFT["production_orders"][0], "number": "P2"}

    refused = planner.post(f"{ADDRESS}?mode=snapshot", {"production_orders": [other]}, format="json")
    preview = planner.post(
        f"{ADDRESS}?mode=snapshot&confirm=true&dry_run=true", {"production_orders": [other]}, format="json"
    )
    elsewhere = planner.post(f"{ADDRESS}?mode=snapshot&site=NONE", {"production_orders": [other]}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (422, "snapshot_too_small")
    assert preview.data["first"]["production_orders"] == {"created": ["P2"], "withdrawn": ["P1"]}
    assert preview.data["counts"]["production_orders"]["withdrawn"] == 1
    assert elsewhere.json()["code"] == "not_found"
    assert list(ProductionOrder.objects.values_list("number", "status")) == [("P1", "planned")]


def test_rows_left_out_can_be_fetched_put_right_and_sent_again(planner):
    load(SHAFT)
    rows = b"number,item,quantity,due\nP2,SHAFT,8,2026-03-18\nP3,SHAFT,some,2026-03-18\n"

    answer = planner.post(
        f"{ADDRESS}?on_error=skip_order",
        {"file": SimpleUploadedFile("production_orders.csv", rows)},
        format="multipart",
    )
    kept = planner.get(f"{ADDRESS}{answer.data['reference']}/rejects/?table=production_orders")

    assert (answer.status_code, answer.data["rejected"]) == (201, 1)
    assert kept.content.decode().splitlines() == [
        "number,item,quantity,due,reject_reason",
        "P3,SHAFT,some,2026-03-18,quantity: “some” is not a number.",
    ]
    righted = SimpleUploadedFile("production_orders.csv", kept.content.replace(b"some,", b"9,"))
    again = planner.post(ADDRESS, {"file": righted}, format="multipart")
    assert again.data["counts"]["production_orders"]["created"] == 1
    assert planner.get(f"{ADDRESS}{answer.data['reference']}/rejects/?table=operations").status_code == 404


def test_every_bad_row_is_named_in_a_problem_document(planner):
    items = b"code,unit,kind\nA,pcs,thing\nB,pcs,raw\n,,\n"

    answer = planner.post(ADDRESS, {"file": SimpleUploadedFile("items.csv", items)}, format="multipart")

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid"
    places = [(row["file"], row["row"], row["column"], row["value"], row["code"]) for row in problem["errors"]]
    assert places == [("items.csv", 2, "kind", "thing", "invalid"), ("items.csv", 4, "code", "", "missing_value")]
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"items": {}}', "application/json", 422),
        (b'{"items": [1]}', "application/json", 422),
        (b'{"items": [{"code": NaN}]}', "application/json", 400),
        (b'{"items": [{"code": "A"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"items": [{"code": {"a": 1}}]}', "application/json", 422),
        (b'{"no_table": []}', "application/json", 422),
        (b"not a zip", "application/zip", 422),
        (b"", "application/zip", 422),
        (b"whatever", "text/plain", 415),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
    ],
)
def test_what_cannot_be_read_is_refused_and_never_a_fault(planner, body, kind, status):
    answer = planner.generic("POST", ADDRESS, body, content_type=kind)

    assert answer.status_code == status, answer.content
    assert answer.json()["code"]
    assert not PlanImport.objects.exists()


def test_options_nobody_knows_are_refused(planner):
    for options in ("dryrun=true", "dry_run=maybe", "mode=some", "source=erp", "mode=snapshot&statuses=done"):
        address = f"{ADDRESS}?{options}"
        assert planner.post(address, SHAFT, format="json").status_code == 422
    assert not Item.objects.exists()


@pytest.mark.parametrize("role", ["buyer", "auditor", "dock", "vendor"])
def test_only_those_who_plan_may_import(django_user_model, role):
    if role == "vendor":
        load({"vendors": [{"code": "V1"}]})
        user = django_user_model.objects.create(username=role)
        user.access.create(role=role, vendor=Vendor.objects.get())
        client = APIClient()
        client.force_authenticate(user)
    else:
        client = signed_in(django_user_model, role)

    assert client.post(ADDRESS, SHAFT, format="json").status_code == 403
    assert not Item.objects.exists()


def test_a_planner_of_one_site_plans_and_counts_only_there(django_user_model):
    load({**SHAFT, "locations": [{"code": "MAIN", "kind": "plant"}, {"code": "P2", "kind": "plant"}]})
    user = django_user_model.objects.create(username="planner")
    user.access.create(role="planner", site=Site.objects.get(code="P2"))
    client = APIClient()
    client.force_authenticate(user)
    order = {"number": "P2-1", "item": "SHAFT", "quantity": 1, "due": "2026-03-18", "location": "P2"}
    stock = {"item": "BAR", "location": "P2", "quantity": 1}

    allowed = client.post(ADDRESS, {"production_orders": [order], "stock": [stock]}, format="json")
    elsewhere = {
        "production_orders": [{"number": "P1", "item": "SHAFT", "quantity": 9, "due": "2026-03-18"}],
        "stock": [{**stock, "location": "MAIN"}],
    }
    refused = client.post(ADDRESS, elsewhere, format="json")

    assert allowed.status_code == 201
    assert [(row["table"], row["code"]) for row in refused.json()["errors"]] == [
        ("stock", "no_right"),
        ("production_orders", "no_right"),
    ]
    assert ProductionOrder.objects.get(number="P1").quantity == 8


def test_the_same_key_imports_once(planner):
    first = planner.post(ADDRESS, json.dumps(SHAFT), content_type="application/json", headers={"Idempotency-Key": "n1"})
    again = planner.post(ADDRESS, json.dumps(SHAFT), content_type="application/json", headers={"Idempotency-Key": "n1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert PlanImport.objects.count() == 1


def test_imports_are_listed_at_the_same_cost_for_any_number(planner, django_assert_num_queries):
    for number in range(3):
        load({"items": [{"code": f"I{number}"}]}, at=AT, origin=f"night {number}")

    with django_assert_num_queries(2):  # access of the user, imports with their users
        rows = planner.get(ADDRESS).data["results"]

    assert [row["origin"] for row in rows] == ["night 0", "night 1", "night 2"]
    assert planner.get(f"{ADDRESS}{rows[0]['reference']}/").data["counts"]["items"]["created"] == 1


def test_too_much_at_once_is_refused(planner, monkeypatch):
    monkeypatch.setattr("interchange.serializers.LARGEST_JSON", 10)

    assert planner.post(ADDRESS, SHAFT, format="json").status_code == 413


def test_a_file_of_another_kind_is_refused(planner):
    answer = planner.post(ADDRESS, {"file": SimpleUploadedFile("items.xlsx", b"x")}, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert io.BytesIO(answer.content).read()
