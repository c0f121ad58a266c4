import sys
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Access, Role, User
from activity.models import Alert
from masterdata.models import Item, Site
from shipments import printing
from shipments.models import Shipment
from shipments.printing import positions, weight
from tests.documents import plans
from tests.scenarios.runner import business_content
from tests.shipments.goods import carried, component, lying, ordered

SHIPMENTS = "/api/v1/shipments/"


def client_of(role: str, **access: Any) -> APIClient:
    user = User.objects.create(username=f"of {role} {access}"[:150])
    Access.objects.create(user=user, role=role, **access)
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def dock() -> APIClient:
    return client_of(Role.DOCK)


def test_the_dock_ships_without_any_right_on_orders(dock: APIClient):
    ordered(10)

    answer = dock.post(SHIPMENTS, {"order": "SC-00001", "lines": [{"item": "RM", "quantity": 4}]}, format="json")

    assert answer.status_code == 201
    shown = answer.json()
    assert {name: shown[name] for name in ("number", "status", "ready", "from", "to", "also_shipped")} == {
        "number": "SH-00001", "status": "delivered", "ready": False, "from": "MAIN", "to": "AT-V1", "also_shipped": [],
    }  # fmt: skip
    assert shown["lines"] == [
        {"position": 1, "item": "RM", "lot": None, "stage": "", "quantity": "4.00000", "order": "SC-00001", "line": 1}
    ]
    assert [(row["number"], row["ready"]) for row in dock.get(SHIPMENTS, {"status": "planned"}).json()["results"]] == [
        ("SH-00002", True)
    ]
    assert dock.get("/api/v1/subcontract-orders/").status_code == 403


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PLANNER, Role.QUALITY])
def test_who_only_looks_at_shipments_moves_none(role):
    ordered(10)
    client = client_of(role)

    assert client.get(f"{SHIPMENTS}SH-00001/").status_code == 200
    before = business_content()
    answers = [client.post(SHIPMENTS, {"order": "SC-00001"}, format="json")] + [
        client.post(f"{SHIPMENTS}SH-00001/{act}/", {}, format="json")
        for act in ("pick", "dispatch", "deliver", "hold", "release", "split", "cancel", "reverse")
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "no_right")}
    assert business_content() == before


def test_a_dock_of_another_site_finds_no_order_and_no_shipment():
    ordered(10)
    client = client_of(Role.DOCK, site=Site.objects.create(code="OTHER"))

    for answer in (
        client.post(SHIPMENTS, {"order": "SC-00001"}, format="json"),
        client.post(f"{SHIPMENTS}SH-00001/dispatch/", {}, format="json"),
        client.get(f"{SHIPMENTS}SH-00001/delivery-note.pdf"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get(SHIPMENTS).json()["results"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "required"),
        ({"order": "SC-00001", "orders": ["SC-00001"]}, 422, "required"),
        ({"order": "NOPE"}, 404, "not_found"),
        ({"order": "SC-00001", "from": "NOWHERE"}, 404, "not_found"),
        ({"order": "SC-00001", "lines": [{"item": "NOPE", "quantity": 1}]}, 404, "not_found"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": 1, "line": 9}]}, 404, "not_found"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": 11}]}, 409, "over_send"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": "0.5"}]}, 422, "too_precise"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": "0.1234567"}]}, 422, "too_precise"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": -1}]}, 422, "invalid_quantity"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "quantity": "many"}]}, 422, "invalid_quantity"),
        ({"order": "SC-00001", "lines": [{"item": "RM", "amount": 1}]}, 422, None),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_written(dock: APIClient, body, status, code):
    ordered(10)
    before = business_content()

    answer = dock.post(SHIPMENTS, body, format="json")

    assert answer.status_code == status
    if code:
        assert code in [answer.json()["code"], *(error["code"] for error in answer.json()["errors"])]
    assert business_content() == before


def test_a_shipment_is_picked_held_released_dispatched_and_reversed(dock: APIClient):
    ordered(10)

    for act, status in (
        ("pick", "picked"), ("hold", "held"), ("release", "picked"), ("dispatch", "delivered"), ("reverse", "reversed"),
    ):  # fmt: skip
        answer = dock.post(f"{SHIPMENTS}SH-00001/{act}/", {}, format="json")
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (1000, 0)


def test_what_is_held_back_is_named_with_its_reason_when_the_rest_leaves(dock: APIClient):
    ordered(10)
    held = {"order": "SC-00001", "lines": [{"item": "RM", "quantity": 4}], "hold": True}
    assert dock.post(SHIPMENTS, held, format="json").json()["staying"] == [
        {"number": "SH-00002", "status": "planned", "reason": "", "detail": "SH-00002 is planned."}
    ]
    dock.post(f"{SHIPMENTS}SH-00001/release/", {}, format="json")
    dock.post(f"{SHIPMENTS}SH-00001/hold/", {"reason": "Wrong heat number."}, format="json")

    gone = dock.post(SHIPMENTS, {"order": "SC-00001"}, format="json").json()

    assert (gone["number"], gone["lines"][0]["quantity"]) == ("SH-00002", "6.00000")
    assert gone["staying"] == [
        {
            "number": "SH-00001",
            "status": "held",
            "reason": "Wrong heat number",
            "detail": "SH-00001 is held: Wrong heat number.",
        }
    ]
    refused = dock.post(SHIPMENTS, {"order": "SC-00001"}, format="json").json()
    assert refused["detail"] == "Nothing is open to be shipped for SC-00001. SH-00001 is held: Wrong heat number."


def test_a_dispatch_says_what_stays_as_shipping_does(dock: APIClient):
    ordered(10)
    apart = {"lines": [{"item": "RM", "quantity": 3}]}
    assert dock.post(f"{SHIPMENTS}SH-00001/split/", apart, format="json").json()["number"] == "SH-00002"
    dock.post(f"{SHIPMENTS}SH-00002/hold/", {"reason": "Wrong heat number."}, format="json")
    part = {"lines": [{"item": "RM", "quantity": 5}]}

    gone = dock.post(f"{SHIPMENTS}SH-00001/dispatch/", part, format="json").json()

    assert (gone["number"], gone["status"], gone["lines"][0]["quantity"]) == ("SH-00001", "delivered", "5.00000")
    assert gone["staying"] == [
        {
            "number": "SH-00002",
            "status": "held",
            "reason": "Wrong heat number",
            "detail": "SH-00002 is held: Wrong heat number.",
        },
        {"number": "SH-00003", "status": "planned", "reason": "", "detail": "SH-00003 is planned."},
    ]
    last = dock.post(f"{SHIPMENTS}SH-00003/dispatch/", {}, format="json").json()
    assert [one["number"] for one in last["staying"]] == ["SH-00002"]


def test_a_shipment_is_split_and_part_of_one_is_dispatched(dock: APIClient):
    ordered(10)

    answer = dock.post(f"{SHIPMENTS}SH-00001/split/", {"lines": [{"item": "RM", "quantity": 4}]}, format="json")
    assert (answer.json()["number"], answer.json()["lines"][0]["quantity"]) == ("SH-00002", "4.00000")
    dock.post(f"{SHIPMENTS}SH-00001/dispatch/", {"lines": [{"item": "RM", "quantity": 5}]}, format="json")

    assert component("RM").sent == 5
    assert sum(quantity for _, _, quantity in carried(Shipment.objects.get(number="SH-00002"))) == 5


def test_an_act_bound_to_a_version_is_refused_once_it_is_another(dock: APIClient):
    ordered(10)
    tag = dock.get(f"{SHIPMENTS}SH-00001/")["ETag"]
    dock.post(f"{SHIPMENTS}SH-00001/pick/", {}, format="json")

    answer = dock.post(f"{SHIPMENTS}SH-00001/dispatch/", {}, format="json", HTTP_IF_MATCH=tag)

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")


def test_the_same_request_twice_ships_once(dock: APIClient):
    ordered(10)
    body = {"order": "SC-00001", "lines": [{"item": "RM", "quantity": 4}]}

    first, second = (dock.post(SHIPMENTS, body, format="json", HTTP_IDEMPOTENCY_KEY="k-1") for _ in range(2))

    assert first.json() == second.json()
    assert component("RM").sent == 4


def test_what_leaves_may_leave_others_short_and_what_comes_back_ends_it(dock: APIClient):
    ordered(600, 400)
    open_shortages = Alert.objects.open().filter(kind="shortage")
    plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": 900}]})
    plans.generate()
    assert open_shortages.get().after == {"wanted": "1000", "missing": "100", "shipment": "SH-00002"}

    dock.post(SHIPMENTS, {"order": "SC-00002"}, format="json")
    assert open_shortages.get().after == {"wanted": "600", "missing": "100", "shipment": "SH-00001"}

    dock.post(SHIPMENTS, {"order": "SC-00001", "lines": [{"item": "RM", "quantity": 500}]}, format="json")
    dock.post(f"{SHIPMENTS}SH-00003/cancel/", {}, format="json")
    assert not open_shortages.exists()


# The delivery note


@pytest.mark.papers
def test_the_delivery_note_is_a_pdf_for_whoever_sees_the_shipment(dock: APIClient):
    ordered(10)
    dock.post(SHIPMENTS, {"order": "SC-00001"}, format="json")

    answer = dock.get(f"{SHIPMENTS}SH-00001/delivery-note.pdf", HTTP_ACCEPT="application/pdf")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == 'inline; filename="SH-00001.pdf"'
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.papers
def test_there_is_a_label_for_each_part_and_lot(dock):
    ordered(10)

    answer = dock.get(f"{SHIPMENTS}SH-00001/labels.pdf", HTTP_ACCEPT="application/pdf")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == 'inline; filename="SH-00001-labels.pdf"'
    assert answer.content.startswith(b"%PDF-")


def test_the_delivery_note_says_lots_weights_whose_it_is_and_what_its_code_opens(monkeypatch):
    said = {}
    monkeypatch.setattr(printing, "as_pdf", lambda template, context: said.update(context) or b"")
    ordered(10)
    plans.load({"company": [{"name": "Muster GmbH", "currency": "EUR"}]})
    Item.objects.filter(code="RM").update(weight_kg=Decimal("0.25"))
    made = Shipment.objects.get()

    printing.delivery_note(shipment_id=made.pk, address="https://outwork.example/dock/scan/?code=SH-00001")

    [position] = said["positions"]
    assert (position.item.code, position.quantity, position.weight) == ("RM", 10, Decimal("2.5"))
    assert (said["owner"], said["weight"], said["all_weighed"], said["has_left"]) == (
        "Muster GmbH", Decimal("2.5"), True, False,
    )  # fmt: skip
    assert [(line.order.number, quantity) for line, quantity in said["comes_back"]] == [("SC-00001", "10")]
    assert said["qr"].startswith("<svg")


def test_weights_come_from_the_item_or_from_a_unit_of_weight():
    plans.base(items=[{"code": "GLUE", "unit": "kg"}, {"code": "FOIL", "weight_kg": "0.125"}])

    assert [weight(Item.objects.get(code=code), Decimal(8)) for code in ("GLUE", "FOIL", "RM")] == [8, 1, None]


def test_lots_of_one_part_stand_together_on_the_note():
    ordered(10, items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}])
    for lot, quantity in (("", 0), ("A", 6), ("B", 6)):
        plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": quantity, "lot": lot}]})
    client_of(Role.DOCK).post(SHIPMENTS, {"order": "SC-00001"}, format="json")

    [position] = positions(list(Shipment.objects.get().lines.order_by("position")))

    assert (position.quantity, position.lots) == (10, [("A", "6"), ("B", "4")])


def test_a_machine_that_cannot_make_pdfs_says_what_is_missing(dock: APIClient, monkeypatch):
    ordered(10)

    class NoPango:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])

    answer = dock.get(f"{SHIPMENTS}SH-00001/delivery-note.pdf")

    assert (answer.status_code, answer.json()["code"]) == (503, "pdf_unavailable")
    assert "libpango-1.0-0" in answer.json()["detail"]
