from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from documents.models import Action, GenerationRun, RunItem, RunState
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder
from tests.workbench import rows

ORDERS = "/api/v1/subcontract-orders/"
RUNS = "/api/v1/generation-runs/"


def client_of(*roles: str, **access: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(f"of {' '.join(roles)} {access}"[:150], *roles, **access))
    return client


@pytest.fixture
def buyer() -> APIClient:
    return client_of(Role.BUYER)


def part(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: shown[name] for name in names}


def test_an_order_shows_its_whole_set(buyer: APIClient):
    rows.order(number="SC-00001", of=rows.operation(number="WO-1"))

    shown = buyer.get(f"{ORDERS}SC-00001/").json()

    assert part(shown, "number", "vendor", "status", "material", "receipt", "currency", "total", "revision") == {
        "number": "SC-00001", "vendor": "V1", "status": "draft", "material": "none", "receipt": "none", "currency": "EUR",
        "total": "740.00", "revision": 1,
    }  # fmt: skip
    (line,) = shown["lines"]
    assert part(line, "line", "production_order", "operation", "quantity", "received", "open", "unit_price") == {
        "line": 1, "production_order": "WO-1", "operation": "40", "quantity": "100.00000", "received": "0.00000",
        "open": "100.00000", "unit_price": "7.40000",
    }  # fmt: skip
    assert line["components"][0]["at_vendor"] == "0.00000"
    (shipment,) = shown["shipments"]
    assert (shipment["from"], shipment["to"], shipment["status"]) == ("MAIN", "AT-V1", "planned")
    assert shipment["lines"][0]["order"] == "SC-00001"
    (expected,) = shown["expected_receipts"]
    assert (expected["line"], expected["quantity"], expected["location"]) == (1, "100.00000", "MAIN")


def test_an_order_is_approved_sent_and_acknowledged(buyer: APIClient):
    rows.order(number="SC-00001")

    for act, status in (("approve", "approved"), ("send", "sent"), ("acknowledge", "acknowledged")):
        answer = buyer.post(f"{ORDERS}SC-00001/{act}/")
        assert (answer.status_code, answer.json()["status"]) == (200, status)

    assert [event["name"] for event in answer.json()["history"]] == [
        "order.approved",
        "order.sent",
        "order.acknowledged",
    ]
    assert {event["through"] for event in answer.json()["history"]} == {"api"}
    assert answer["ETag"] == f'"{answer.json()["version"]}"'


def test_an_act_out_of_turn_is_refused_and_nothing_changes(buyer: APIClient):
    rows.order(number="SC-00001")

    for act in ("send", "acknowledge", "close", "reopen", "release"):
        answer = buyer.post(f"{ORDERS}SC-00001/{act}/")
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert SubcontractOrder.objects.get().status == "draft"


def test_an_order_is_approved_as_it_was_read(buyer: APIClient):
    rows.order(number="SC-00001")
    read = buyer.get(f"{ORDERS}SC-00001/")["ETag"]
    buyer.post(f"{ORDERS}SC-00001/hold/", {"reason": "wait"})
    buyer.post(f"{ORDERS}SC-00001/release/")

    answer = buyer.post(f"{ORDERS}SC-00001/approve/", headers={"If-Match": read})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert SubcontractOrder.objects.get().status == "draft"


@pytest.mark.parametrize("tag", ["1", "W/", '"one"', '"-1"'])
def test_an_if_match_that_is_no_tag_is_refused(buyer: APIClient, tag: str):
    rows.order(number="SC-00001")

    assert buyer.post(f"{ORDERS}SC-00001/approve/", headers={"If-Match": tag}).status_code == 412


def test_nobody_approves_above_his_limit():
    order = rows.order(number="SC-00001")
    SubcontractOrder.objects.update(total_company=Decimal("500.01"))

    answer = client_of(Role.BUYER, limit=Decimal(500)).post(f"{ORDERS}SC-00001/approve/")

    assert (answer.status_code, answer.json()["code"]) == (403, "no_right")
    assert "500" in answer.json()["detail"]
    order.refresh_from_db()
    assert order.status == "draft"


@pytest.mark.parametrize(
    "act", ["approve", "send", "acknowledge", "hold", "release", "cancel", "close", "reopen", "lines/1/unpin"]
)
def test_an_auditor_acts_on_no_order(act: str):
    rows.order(number="SC-00001")

    answer = client_of(Role.AUDITOR).post(f"{ORDERS}SC-00001/{act}/", {"reason": "x"})

    assert (answer.status_code, answer.json()["code"]) == (403, "no_right")
    assert SubcontractOrder.objects.get().status == "draft"


def test_an_auditor_changes_no_line_and_starts_no_run():
    rows.order(number="SC-00001")
    auditor = client_of(Role.AUDITOR)

    assert auditor.patch(f"{ORDERS}SC-00001/lines/1/", {"quantity": 1, "reason": "x"}).status_code == 403
    assert auditor.post(RUNS, {}).status_code == 403
    assert not GenerationRun.objects.exists()


def test_an_order_of_another_site_is_not_there():
    rows.order(number="SC-00001")
    other = client_of(Role.BUYER, at=rows.site("B", "Plant B"))

    assert other.get(f"{ORDERS}SC-00001/").status_code == 404
    assert other.post(f"{ORDERS}SC-00001/approve/").status_code == 404
    assert other.get(ORDERS).json()["results"] == []
    assert other.get("/api/v1/shipments/").json()["results"] == []
    assert other.get("/api/v1/expected-receipts/").json()["results"] == []


def test_a_cancelled_order_takes_its_set_along(buyer: APIClient):
    rows.order(number="SC-00001")

    shown = buyer.post(f"{ORDERS}SC-00001/cancel/", {"reason": "no longer needed"}).json()

    assert (shown["status"], shown["expected_receipts"]) == ("cancelled", [])
    assert [shipment["status"] for shipment in shown["shipments"]] == ["cancelled"]
    assert shown["history"][-1]["data"] == {"reason": "no longer needed"}


def test_a_line_of_a_draft_is_set_and_let_go(buyer: APIClient):
    rows.order(number="SC-00001")

    shown = buyer.patch(f"{ORDERS}SC-00001/lines/1/", {"quantity": "60", "reason": "sample first"}).json()

    assert (shown["lines"][0]["quantity"], shown["lines"][0]["amount"]) == ("60.00000", "444.00")
    assert shown["lines"][0]["pinned"]["quantity"]["reason"] == "sample first"
    assert shown["expected_receipts"][0]["quantity"] == "60.00000"
    assert buyer.post(f"{ORDERS}SC-00001/lines/1/unpin/").json()["lines"][0]["pinned"] == {}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"quantity": -1, "reason": "x"}, "invalid_quantity"),
        ({"quantity": "0.5", "reason": "x"}, "too_precise"),
        ({"quantity": 5}, "required"),
        ({"reason": "x"}, "nothing_to_do"),
        ({"unit_price": -1, "reason": "x"}, "invalid"),
    ],
)
def test_a_senseless_change_of_a_line_is_refused(buyer: APIClient, fields: dict[str, Any], code: str):
    rows.order(number="SC-00001")

    answer = buyer.patch(f"{ORDERS}SC-00001/lines/1/", fields)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert OrderLine.objects.get().quantity == 100
    assert buyer.patch(f"{ORDERS}SC-00001/lines/9/", {"quantity": 5, "reason": "x"}).status_code == 404


def test_orders_are_found_by_what_is_in_them(buyer: APIClient):
    rows.order(number="SC-00001", of=rows.operation(number="WO-1"))
    rows.order(
        number="SC-00002", to=rows.vendor("V2", "Zinc"), status=OrderStatus.SENT, of=rows.operation(number="WO-2")
    )

    def found(query: str) -> list[str]:
        return [row["number"] for row in buyer.get(f"{ORDERS}?{query}").json()["results"]]

    assert found("") == found("status=draft,sent") == ["SC-00001", "SC-00002"]
    assert found("vendor=V2") == found("status=sent") == found("production_order=WO-2") == ["SC-00002"]
    assert found("ordering=-number") == ["SC-00002", "SC-00001"]
    assert found("item=NONE") == []
    assert [
        row["number"]
        for row in buyer.get("/api/v1/shipments/?order=SC-00002&status=planned&from=MAIN").json()["results"]
    ] == [buyer.get(f"{ORDERS}SC-00002/").json()["shipments"][0]["number"]]
    assert [row["order"] for row in buyer.get("/api/v1/expected-receipts/?vendor=V1").json()["results"]] == ["SC-00001"]


def test_a_run_is_started_and_told_of(buyer: APIClient, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as nudges:
        answer = buyer.post(RUNS, {"dry_run": True, "reason": "what if"})

    assert answer.status_code == 202
    run = answer.json()
    assert (run["state"], run["dry_run"], run["reason"], run["progress"]["percent"]) == ("waiting", True, "what if", 0)
    assert len(nudges) == 1
    assert buyer.get(f"{RUNS}{run['number']}/").json() == run


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scope": {"site": ["NONE"]}}, 404),
        ({"scope": {"plant": ["A"]}}, 422),
        ({"scope": "A"}, 422),
        ({"dry": True}, 422),
        ([], 422),
    ],
)
def test_a_run_of_what_is_not_there_is_refused(buyer: APIClient, body: Any, status: int):
    answer = buyer.post(RUNS, body)

    assert answer.status_code == status
    assert not GenerationRun.objects.exists()


def test_a_run_says_what_it_did(buyer: APIClient):
    run = GenerationRun.objects.create(number="RUN-00001", state=RunState.DONE, requested_at=rows.AT, on=rows.TODAY,
                                       blocked_by={"no_price": 3})  # fmt: skip
    for place, action in enumerate((Action.CREATE, Action.ALERT)):
        RunItem.objects.create(run=run, action=action, operation=rows.operation(number=f"WO-{place}"), outcome="done")

    assert buyer.get(f"{RUNS}RUN-00001/").json()["refused"] == {"no_price": 3}
    found = buyer.get(f"{RUNS}RUN-00001/items/?action=create").json()["results"]
    assert [(row["action"], row["production_order"]) for row in found] == [("create", "WO-0")]
    assert buyer.get(f"{RUNS}RUN-00001/items/?acton=create").json()["code"] == "unknown_parameter"
    assert buyer.get(f"{RUNS}RUN-00002/items/").status_code == 404


def test_the_dock_sees_shipments_and_what_is_expected_and_no_order():
    rows.order(number="SC-00001")
    dock = client_of(Role.DOCK)

    assert len(dock.get("/api/v1/shipments/").json()["results"]) == 1
    assert len(dock.get("/api/v1/expected-receipts/").json()["results"]) == 1
    assert dock.get(ORDERS).status_code == 403


@pytest.mark.parametrize(
    ("resource", "queries"),
    [
        ("subcontract-orders/", 1),
        # order, lines, components, revisions, today, shipments, their lines, expected receipts, events
        ("subcontract-orders/SC-00001/", 10),
        ("shipments/", 3),
        ("expected-receipts/", 1),
        ("generation-runs/", 1),
        ("generation-runs/RUN-00001/items/", 2),
    ],
)
def test_a_list_costs_the_same_for_any_number_of_rows(
    buyer: APIClient, django_assert_num_queries, resource: str, queries: int
):
    for place in range(3):
        rows.order(number=f"SC-0000{place}", lines=place + 1)
        run = GenerationRun.objects.create(
            number=f"RUN-0000{place}", requested_at=rows.AT, on=rows.TODAY, state=RunState.DONE
        )
        for _ in range(place + 1):
            RunItem.objects.create(run=run, action=Action.CREATE, operation=rows.operation())
    buyer.get("/api/v1/units/")

    with django_assert_num_queries(queries):
        assert buyer.get(f"/api/v1/{resource}").status_code == 200


def test_the_latest_run_comes_first(buyer: APIClient):
    for place in range(3):
        at = rows.AT + timedelta(hours=place)
        GenerationRun.objects.create(number=f"RUN-0000{place}", requested_at=at, on=rows.TODAY)

    first = buyer.get(f"{RUNS}?limit=2").json()

    assert [row["number"] for row in first["results"]] == ["RUN-00002", "RUN-00001"]
    assert [row["number"] for row in buyer.get(first["next"]).json()["results"]] == ["RUN-00000"]
