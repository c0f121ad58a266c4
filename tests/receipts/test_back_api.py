"""Returns, counts, write-offs, balances and traces over the API: what they say, and who may."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Access, Role, User
from inventory.models import Movement
from masterdata.models import Site
from receipts.models import Return
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER, lying

API = "/api/v1/"


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(moment(LATER), tick=True):
        yield


def client(role: str = Role.DOCK, **access: Any) -> APIClient:
    user = User.objects.create(username=f"a {role}")
    Access.objects.create(user=user, role=role, **access)
    api = APIClient()
    api.force_authenticate(user)
    return api


def post(api: APIClient, path: str, **body: Any) -> Any:
    return api.post(f"{API}{path}/", body, format="json")


@pytest.fixture
@played
def spare() -> None:
    """Twelve sent where ten are needed."""
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)


def test_the_dock_brings_home_what_is_not_needed(spare):
    api = client()

    made = post(api, "returns", vendor="V1")
    again = post(api, "returns", vendor="V1")

    assert (made.status_code, made.data["kind"], made.data["status"]) == (201, "material", "posted")
    [line] = made.data["lines"]
    assert {name: line[name] for name in ("item", "quantity", "from", "to", "order", "order_line")} == {
        "item": "RM", "quantity": "2.00000", "from": "AT-V1", "to": "MAIN", "order": "SC-00001", "order_line": 1,
    }  # fmt: skip
    assert (again.status_code, again.data["code"]) == (409, "nothing_to_do")
    assert [row["number"] for row in api.get(f"{API}returns/?order=SC-00001&item=RM").data["results"]] == [
        made.data["number"]
    ]


def test_a_return_is_undone_over_the_api(spare):
    api = client()
    number = post(api, "returns", vendor="V1", lines=[{"item": "RM", "quantity": 1}]).data["number"]

    undone = post(api, f"returns/{number}/reverse")

    assert (undone.status_code, undone.data["status"]) == (200, "reversed")
    assert lying("AT-V1", "RM") == 12
    assert post(api, f"returns/{number}/reverse").data["code"] == "wrong_state"


def test_a_drafted_return_is_received():
    back.sent_order()
    back.ship(1)
    closed = client(Role.BUYER).post(f"{API}subcontract-orders/SC-00001/close/", {"leftovers": "return"}, format="json")
    assert closed.data["status"] == "closed"
    api = client()
    [draft] = api.get(f"{API}returns/?status=draft").data["results"]

    posted = post(api, f"returns/{draft['number']}/receive")

    assert (posted.data["status"], lying("MAIN", "RM")) == ("posted", 1000)


def test_pieces_go_back_by_their_receipt():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 10))

    made = post(client(), "returns", receipt=receipt.number, line=1, quantity=3, reason="scratched")

    assert (made.status_code, made.data["kind"], made.data["lines"][0]["to"]) == (201, "product", "AT-V1")
    assert plans.line(1).received == 7


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"vendor": "V9"}, "not_found"),
        ({"vendor": "V1", "lines": [{"item": "RM", "quantity": 3}]}, "not_enough_stock"),
        ({"vendor": "V1", "lines": [{"item": "RM", "quantity": "0.5"}]}, "too_precise"),
        ({"vendor": "V1", "lines": [{"item": "RM", "quantity": -1}]}, "invalid_quantity"),
        ({"vendor": "V1", "lines": []}, "invalid"),
        ({"vendor": "V1", "quantity": 1}, "unknown_field"),
        ({"receipt": "GR-9", "line": 1, "quantity": 1}, "not_found"),
        ({"kind": "product", "vendor": "V1"}, "required"),
    ],
)
def test_a_bad_return_is_refused_and_nothing_written(spare, body, code):
    before = Movement.objects.count()

    answer = post(client(), "returns", **body)

    assert 400 <= answer.status_code < 500
    assert code in [answer.data["code"], *[error["code"] for error in answer.data["errors"]]]
    assert (Movement.objects.count(), Return.objects.count()) == (before, 0)


def test_a_count_is_set_against_the_book(spare):
    answer = post(client(), "vendor-balances/count", vendor="V1", item="RM", counted=11, reason="stocktaking")

    assert answer.status_code == 200
    assert {name: answer.data[name] for name in ("location", "book", "counted", "variance")} == {
        "location": "AT-V1", "book": "12.00000", "counted": "11.00000", "variance": "-1.00000",
    }  # fmt: skip
    assert lying("AT-V1", "RM") == 11


def test_a_buyer_writes_off_and_the_dock_may_not(spare):
    body = {"vendor": "V1", "item": "RM", "quantity": 1, "reason": "burnt"}

    assert post(client(), "vendor-balances/write-off", **body).status_code == 403
    assert post(client(Role.BUYER), "vendor-balances/write-off", **body).status_code == 200

    assert lying("AT-V1", "RM") == 11


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("returns", {"vendor": "V1"}),
        ("vendor-balances/count", {"vendor": "V1", "item": "RM", "counted": 1, "reason": "x"}),
        ("vendor-balances/write-off", {"vendor": "V1", "item": "RM", "quantity": 1, "reason": "x"}),
    ],
)
def test_who_only_reads_moves_nothing(spare, path, body):
    assert post(client(Role.AUDITOR), path, **body).status_code == 403

    assert lying("AT-V1", "RM") == 12


def test_the_balance_of_a_vendor(spare, django_assert_num_queries):
    post(client(), "returns", vendor="V1")
    api = client(Role.AUDITOR)

    [row] = api.get(f"{API}vendor-balances/?vendor=V1&item=RM").data["results"]

    assert {name: row[name] for name in ("sent", "consumed", "returned", "closing", "value", "location")} == {
        "sent": "12.00000", "consumed": "0.00000", "returned": "2.00000", "closing": "10.00000", "value": "1000.00",
        "location": "AT-V1",
    }  # fmt: skip
    [march] = api.get(f"{API}vendor-balances/?vendor=V1&from=2026-03-05&to=2026-03-31").data["results"]
    assert (march["opening"], march["closing"]) == ("12.00000", "10.00000")
    assert api.get(f"{API}vendor-balances/?from=someday").status_code == 422
    with django_assert_num_queries(5):  # rows, locations, sums in and out, pools
        api.get(f"{API}vendor-balances/")


def test_a_lot_is_traced_over_the_api():
    plans.base(items=[{"code": "FG", "kind": "finished", "lot_tracked": "yes"}])
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    back.ship(1)
    receipt = goods.receive(goods.counted(plans.line(1), 10, lot="F/1"))
    api = client()

    trace = api.get(f"{API}lots/F%2F1/trace/").data

    assert (trace["item"], trace["lot"], trace["forward"]) == ("FG", "F/1", [])
    [step] = trace["back"]
    assert (step["used"]["item"], step["receipt"], step["vendor"]) == ("RM", receipt.number, "V1")
    assert [row["document"]["number"] for row in trace["movements"]] == [receipt.number]
    assert api.get(f"{API}lots/F9/trace/").status_code == 404


def test_a_user_of_another_site_reaches_nothing(spare):
    api = client(site=Site.objects.create(code="ELSEWHERE"))

    assert api.get(f"{API}vendor-balances/").data["results"] == []
    assert post(api, "returns", vendor="V1").status_code == 404
    assert post(api, "vendor-balances/count", vendor="V1", item="RM", counted=1, reason="x").status_code == 404
    assert lying("AT-V1", "RM") == 12


# Material that is gone is sent once more


def planned(api: APIClient) -> list[tuple[str, str]]:
    rows = api.get(f"{API}shipments/?order=SC-00001&status=planned").data["results"]
    return [(line["item"], line["quantity"]) for row in rows for line in row["lines"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("vendor-balances/write-off", {"quantity": 3, "reason": "burnt"}),
        ("vendor-balances/count", {"counted": 7, "reason": "monthly"}),
    ],
    ids=["written off", "lost"],
)
def test_what_is_gone_at_the_vendor_is_planned_and_sent_once_more_and_not_twice(path: str, body: dict[str, Any]):
    back.sent_order()
    back.ship(1)
    api = client(Role.ADMINISTRATOR)
    assert planned(api) == []

    assert post(api, path, vendor="V1", item="RM", **body).status_code == 200

    assert planned(api) == [("RM", "3.00000")]
    assert plans.order(1).material == "partial"
    too_much = post(api, "shipments", order="SC-00001", lines=[{"item": "RM", "quantity": 4}])
    assert (too_much.status_code, too_much.data["code"]) == (409, "over_send")
    assert too_much.data["detail"].startswith("3 more of RM may be sent")
    assert post(api, "shipments", order="SC-00001", lines=[{"item": "RM", "quantity": 3}]).status_code == 201
    assert (planned(api), lying("AT-V1", "RM"), plans.order(1).material) == ([], 10, "complete")
    assert back.problems() == []


def test_what_turns_up_again_is_not_sent_once_more():
    back.sent_order()
    back.ship(1)
    api = client(Role.ADMINISTRATOR)
    post(api, "vendor-balances/count", vendor="V1", item="RM", counted=7, reason="monthly")

    post(api, "vendor-balances/count", vendor="V1", item="RM", counted=9, reason="found two")

    assert planned(api) == [("RM", "1.00000")]


def test_what_is_written_off_and_not_needed_is_not_sent_once_more(spare):
    api = client(Role.ADMINISTRATOR)

    post(api, "vendor-balances/write-off", vendor="V1", item="RM", quantity=2, reason="burnt")

    assert (planned(api), plans.order(1).material) == ([], "complete")


def test_stock_loaded_at_a_vendor_is_not_less_than_orders_have_there():
    back.sent_order()
    back.ship(1)
    api = client(Role.ADMINISTRATOR)

    refused = post(api, "imports", stock=[{"item": "RM", "location": "AT-V1", "quantity": 9}])

    assert (refused.status_code, lying("AT-V1", "RM")) == (422, 10)
    [row] = refused.data["errors"]
    assert (row["code"], row["column"]) == ("not_enough_stock", "quantity")
    assert row["detail"].startswith("10 of it lie at AT-V1 for SC-00001: no less can be loaded.")
    assert post(api, "imports", stock=[{"item": "RM", "location": "AT-V1", "quantity": 12}]).status_code == 201
    assert lying("AT-V1", "RM") == 12
    assert back.problems() == []
