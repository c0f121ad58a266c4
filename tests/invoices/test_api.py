"""Invoices over the API: entered, acted on by right, refused by name."""

from __future__ import annotations

import csv
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import Role
from invoices import services as invoices
from invoices.models import Invoice
from masterdata.models import Site, Vendor
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.invoices.bills import asked, clerk, paid
from tests.invoices.test_matching import two_orders
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, counted, receive

API = "/api/v1/invoices/"


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(moment(LATER), tick=True):
        yield


def client(role: str = Role.PAYABLES, name: str = "") -> APIClient:
    api = APIClient()
    api.force_authenticate(clerk(name or f"a {role}", role))
    return api


def post(api: APIClient, **fields: Any) -> Any:
    lines = [{"order": "SC-00001", "line": 1, "quantity": 10, "unit_price": 100}]
    return api.post(API, {"vendor": "V1", "number": "R-77", "lines": lines, **fields}, format="json")


@played
def came(quantity: int = 10, **rules: Any) -> None:
    receive(counted(at_vendor(**rules), quantity))


def test_an_invoice_goes_from_entry_to_export():
    came()
    api = client()

    made = post(api, charges=[{"kind": "freight", "amount": "5.00"}])
    assert (made.status_code, made.data["status"], made.data["net"]) == (201, "entered", "1005.000")
    address = f"{API}{made.data['number']}/"
    held = api.post(f"{address}match/")
    assert (held.data["status"], held.data["held"]) == ("held", ["price_out_of_tolerance"])
    assert (
        held.data["reasons"][0]["detail"]
        == "Freight of 5.00 is asked for; 0.00 of it was agreed and not asked for before."
    )
    assert api.post(f"{address}release/").data["code"] == "no_right"
    released = client(name="another").post(f"{address}release/", {"reason": "agreed by phone"}, format="json")
    assert (released.data["status"], released.data["held"]) == ("matched", [])
    approved = api.post(f"{address}approve/")
    exported = api.post(f"{address}export/")

    assert (approved.data["status"], exported.data["status"]) == ("approved", "exported")
    assert [event["name"] for event in exported.data["history"]] == [
        "invoice.entered", "invoice.held", "invoice.released", "invoice.approved", "invoice.exported",
    ]  # fmt: skip
    [variance] = api.get("/api/v1/reports/price-variance/").data["results"]
    assert (variance["amount"], variance["to_stock"], variance["kind"]) == ("5.00000", "5.00000", "freight")


def test_a_line_by_note_and_a_credit_note():
    came()
    api = client()

    made = post(api, lines=[{"note": "DN-1", "quantity": 10, "unit_price": "100.00"}])
    number = made.data["number"]
    assert made.data["lines"][0]["note"] == "DN-1"
    api.post(f"{API}{number}/match/")
    credit = api.post(
        f"{API}{number}/credit/",
        {"number": "C-1", "lines": [{"order": "SC-00001", "line": 1, "quantity": 2, "unit_price": 100}]},
        format="json",
    )

    assert (credit.status_code, credit.data["kind"], credit.data["credits"]) == (201, "credit", number)
    assert [row["number"] for row in api.get(API).data["results"]] == [number]
    assert [row["number"] for row in api.get("/api/v1/credit-notes/").data["results"]] == [credit.data["number"]]


def test_what_is_received_and_not_invoiced_is_a_report():
    came(6)
    api = client()

    [row] = api.get("/api/v1/reports/received-not-invoiced/").data["results"]

    assert (row["order"], row["accepted"], row["accrued"], row["open"]) == (
        "SC-00001", "6.00000", "600.00000", "600.00000",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"vendor": "NOBODY"}, 422, "not_found", "vendor"),
        ({"lines": []}, 422, "invalid", "lines"),
        ({"lines": [{"order": "SC-00009", "line": 1, "quantity": 1, "unit_price": 1}]}, 404, "not_found", "lines.0.line"),
        ({"lines": [{"order": "SC-00001", "line": 1, "quantity": 0, "unit_price": 1}]}, 422, "invalid_quantity",
         "lines.0.quantity"),
        ({"lines": [{"order": "SC-00001", "line": 1, "quantity": "0.5", "unit_price": 1}]}, 422, "too_precise",
         "lines.0.quantity"),
        ({"lines": [{"order": "SC-00001", "line": 1, "quantity": 1, "unit": "kg", "unit_price": 1}]}, 422, "invalid",
         "lines.0.unit"),
        ({"lines": [{"order": "SC-00001", "line": 1, "quantity": 2, "unit_price": 3, "amount": "7.00"}]}, 422, "invalid",
         "lines.0.amount"),
        ({"lines": [{"note": "DN-9", "quantity": 1, "unit_price": 1}]}, 404, "not_found", "lines.0.note"),
        ({"lines": [{"quantity": 1, "unit_price": 1}]}, 422, "invalid", "lines.0.order"),
        ({"currency": "USD"}, 422, "not_found", "currency"),
        ({"invoice_date": "2026-03-10"}, 422, "invalid_date", "invoice_date"),
        ({"charges": [{"kind": "tip", "amount": 1}]}, 422, "invalid_choice", "charges[0].kind"),
        ({"charges": [{"kind": "lot", "amount": 0}]}, 422, "invalid_quantity", "charges.0.amount"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name_and_nothing_is_written(fields, status, code, field):
    came()
    before = plans.rows_written()

    answer = post(client(), **fields)

    assert (answer.status_code, answer.data["errors"][0]["code"], answer.data["errors"][0]["field"]) == (
        status, code, field,
    )  # fmt: skip
    assert plans.rows_written() == before


@pytest.mark.parametrize(
    ("role", "act", "allowed"),
    [
        (Role.BUYER, "match", False), (Role.DOCK, "match", False), (Role.AUDITOR, "approve", False),
        (Role.BUYER, "approve", False), (Role.PLANNER, "release", False), (Role.BUYER, "export", False),
        (Role.QUALITY, "dispute", False), (Role.PAYABLES, "match", True), (Role.PAYABLES, "dispute", True),
    ],
)  # fmt: skip
def test_each_act_needs_its_right(role, act, allowed):
    came()
    number = post(client()).data["number"]

    answer = client(role, "somebody").post(f"{API}{number}/{act}/")

    assert answer.status_code == (200 if allowed else 403)
    assert (Invoice.objects.get().status == "entered") is not allowed


def test_a_change_is_bound_to_the_version_that_was_read():
    came()
    api = client()
    made = post(api)
    address = f"{API}{made.data['number']}/match/"
    assert api.post(address, headers={"If-Match": made["ETag"]}).status_code == 200

    late = api.post(address, headers={"If-Match": made["ETag"]})

    assert (late.status_code, late.data["code"]) == (412, "stale")


def test_a_list_costs_the_same_for_any_number_of_rows(django_assert_num_queries):
    came()
    api = client()
    for number in range(4):
        line = {"order": "SC-00001", "line": 1, "quantity": 1, "unit_price": 100}
        post(api, number=f"R-{number}", lines=[line])

    with django_assert_num_queries(2):  # invoices with vendors, reasons
        assert len(api.get(API).data["results"]) == 4


def test_bad_pieces_counted_over_the_api_propose_a_charge_back_at_once():
    at_vendor(rejects="charge_vendor")
    body = {"vendor": "V1", "note": "DN-1", "lines": [{"order": "SC-00001", "line": 1, "accepted": 8, "rejected": 2}]}

    client(Role.DOCK).post("/api/v1/receipts/", body, format="json")

    [row] = client().get("/api/v1/charge-backs/").data["results"]
    assert (row["vendor"], row["order"], row["amount"], row["set_off"]) == ("V1", "SC-00001", "400.000", "200.000")


def test_a_payment_file_can_be_had_again_as_it_was_by_who_sees_all_of_it():
    came()
    invoice, api = paid(asked(OrderLine.objects.get(), 10, 100)), client()

    first = api.post(f"{API}export/")
    Vendor.objects.filter(code="V1").update(code="V1-RENAMED")
    again = api.get("/api/v1/payment-exports/PX-00001/file/")

    assert (first.status_code, first["Content-Disposition"]) == (200, 'attachment; filename="PX-00001.csv"')
    assert first.content == again.content
    [row] = api.get("/api/v1/payment-exports/").data["results"]
    assert (row["number"], row["invoices"], row["exported_by"]) == ("PX-00001", 1, "a payables")
    assert api.get(f"{API}{invoice.number}/").data["payment_export"] == "PX-00001"
    elsewhere = clerk("elsewhere")
    elsewhere.access.update(site=Site.objects.create(code="OTHER"))
    stranger = APIClient()
    stranger.force_authenticate(elsewhere)
    assert stranger.get("/api/v1/payment-exports/").data["results"] == []
    assert stranger.get("/api/v1/payment-exports/PX-00001/file/").status_code == 404


def claimed(amount: int) -> str:
    said = {"order": "SC-00001", "line": 1, "kind": "lateness", "amount": amount, "reason": "late"}
    return str(client().post("/api/v1/charge-backs/", said, format="json").data["number"])


def test_a_charge_back_is_settled_by_the_credit_note_that_names_it():
    came()
    number, api = claimed(90), client()
    body = {"vendor": "V1", "number": "GS-1", "claims": [{"charge_back": number, "amount": "40"}]}

    part = api.post("/api/v1/credit-notes/", body, format="json")
    again = api.post("/api/v1/credit-notes/", body, format="json")
    rest = api.post(
        "/api/v1/credit-notes/", {**body, "number": "GS-2", "claims": [{"charge_back": number}]}, format="json"
    )

    assert (part.status_code, part.data["status"], part.data["net"]) == (201, "approved", "40.000")
    [line] = part.data["lines"]
    assert (line["kind"], line["charge_back"], line["settles"]) == ("claim", number, "40.000")
    assert (again.status_code, again.data["code"], rest.data["net"]) == (409, "duplicate_number", "50.000")
    shown = api.get(f"/api/v1/charge-backs/{number}/").data
    assert (shown["status"], shown["settled_by"], shown["credited"], shown["open"]) == (
        "settled", rest.data["number"], "90.000", "0.000",
    )  # fmt: skip
    assert b"CreditNoteLine" in api.get(f"/api/v1/credit-notes/{part.data['number']}/document.xml").content


def test_a_charge_back_is_netted_on_an_invoice_over_the_api():
    came()
    invoice, number, api = paid(asked(OrderLine.objects.get(), 10, 100)), claimed(90), client()
    address = f"{API}{invoice.number}/net/"

    unknown = api.post(address, {"claims": [{"charge_back": "CB-9"}]}, format="json")
    refused = client(Role.BUYER).post(address, {"claims": [{"charge_back": number}]}, format="json")
    netted = api.post(address, {"claims": [{"charge_back": number}]}, format="json")

    assert (unknown.data["code"], refused.data["code"]) == ("not_found", "no_right")
    assert (netted.status_code, netted.data["kind"], netted.data["credits"]) == (201, "credit", invoice.number)
    assert api.get(f"/api/v1/charge-backs/{number}/").data["settled_by"] == netted.data["number"]


def test_a_page_of_what_is_not_invoiced_passes_over_lines_that_are_settled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("invoices.api.reports.AT_ONCE", 1)
    first, second = two_orders(weight_kg=None)
    api, address = client(), "/api/v1/reports/received-not-invoiced/"

    page = api.get(address, {"limit": 1}).data
    following = api.get(page["next"]).data
    paid(asked(second, 30, 100))
    settled = api.get(address, {"limit": 1}).data

    assert [row["order"] for row in page["results"]] == [second.order.number]
    assert ([row["order"] for row in following["results"]], following["next"]) == ([first.order.number], None)
    assert ([row["order"] for row in settled["results"]], settled["next"]) == ([first.order.number], None)
    table = api.get(address + "export/").content.decode().splitlines()
    assert [row["open"] for row in csv.DictReader(table)] == [str(invoices.total_not_invoiced())] == ["1000.00000"]


def test_what_is_not_invoiced_and_what_varied_can_be_had_as_tables():
    came()
    paid(asked(OrderLine.objects.get(), 3, 99))
    api = client()

    owed = api.get("/api/v1/reports/received-not-invoiced/export/", {"vendor": "V1"}).content.decode().splitlines()
    varied = api.get("/api/v1/reports/price-variance/export/").content.decode().splitlines()

    [row] = csv.DictReader(owed)
    assert (row["order"], row["open"]) == ("SC-00001", str(invoices.total_not_invoiced()))
    [row] = csv.DictReader(varied)
    assert (row["invoice"], row["price_difference"]) == ("IV-00001", "-3.00000")
    assert api.get("/api/v1/reports/price-variance/export/", {"colour": "blue"}).data["code"] == "unknown_parameter"
