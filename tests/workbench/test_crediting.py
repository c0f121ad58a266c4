"""Beside the invoice form: credit notes, self-billing and charge-backs have their pages."""

from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from invoices import services as invoices
from invoices.models import ChargeBack, Invoice
from shipments import services as shipments
from tests.documents import plans
from tests.documents.plans import moment
from tests.invoices.bills import asked, charge, clerk, enter, match, paid
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, counted, receive
from tests.shipments.goods import ordered


@pytest.fixture(autouse=True)
def _later(_today):
    with time_machine.travel(moment(LATER), tick=True):
        yield


@pytest.fixture
def payables(client: Client) -> Client:
    client.force_login(clerk("petra"))
    return client


@played
def came(**rules):
    line = at_vendor(**rules)
    receive(counted(line, 8, rejected=2))
    return line


def page_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200, address
    return page.content.decode()


def test_a_credit_note_is_entered_beside_what_was_invoiced(payables):
    line = came()
    invoice = paid(asked(line, 8, 100), charge("freight", 5, line), number="RE-1")
    work, freight = invoice.lines.order_by("line_no")
    assert f"/invoices/{invoice.number}/credit/" in page_of(payables, f"/invoices/{invoice.number}/")
    assert "800.00" in page_of(payables, f"/invoices/{invoice.number}/credit/")

    answer = payables.post(
        f"/invoices/{invoice.number}/credit/",
        {"number": "GS-1", f"quantity-{work.pk}": "2", f"amount-{freight.pk}": "1,50", "note": "bent"},
    )

    made = invoice.credit_notes.get()
    assert answer.url == f"/invoices/{made.number}/"
    assert (made.vendor_number, made.net, made.status, made.note) == ("GS-1", Decimal("201.50"), "approved", "bent")
    assert made.lines.get(kind="work").taken_back


def test_more_than_was_invoiced_is_not_credited_and_stays_typed(payables):
    line = came()
    invoice = match(enter(asked(line, 8, 100), number="RE-1"))
    work = invoice.lines.get()

    answer = payables.post(f"/invoices/{invoice.number}/credit/", {"note": "kept", f"quantity-{work.pk}": "9"})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "9 are credited; 8 are invoiced and not taken back" in page
    assert "kept" in page
    assert not invoice.credit_notes.exists()


def test_what_came_is_billed_by_ourselves(payables):
    came()
    assert "SC-00001" in page_of(payables, "/invoices/self-bill/?vendor=V1")

    answer = payables.post("/invoices/self-bill/", {"vendor": "V1", "tax_rate": "19"})

    made = Invoice.objects.get()
    assert answer.url == f"/invoices/{made.number}/"
    assert (made.kind, made.net, made.tax, made.status) == ("self_billed", 800, 152, "matched")
    again = payables.post("/invoices/self-bill/", {"vendor": "V1"})
    assert again.status_code == 422
    assert Invoice.objects.count() == 1


def test_proposed_charge_backs_are_claimed_let_go_with_a_reason_and_settled(payables):
    came(rejects="charge_vendor")
    invoices.watch_charge_backs(at=moment(LATER))
    one = ChargeBack.objects.get()
    assert one.number in page_of(payables, "/charge-backs/")

    payables.post(f"/charge-backs/{one.number}/waive/", {"version": one.version})
    one.refresh_from_db()
    assert one.status == "proposed"
    answer = payables.post(f"/charge-backs/{one.number}/claim/", {"version": one.version})
    assert answer.url == "/charge-backs/"
    assert one.number in page_of(payables, "/charge-backs/?tab=claimed")
    one.refresh_from_db()
    payables.post(f"/charge-backs/{one.number}/settle/", {"version": one.version, "reason": "credited"})

    one.refresh_from_db()
    assert (one.status, one.reason, one.decided_by.username) == ("settled", "credited", "petra")
    assert one.number in page_of(payables, "/charge-backs/?tab=done")
    assert payables.post(f"/charge-backs/{one.number}/burn/").status_code == 404


def late(line, amount) -> ChargeBack:
    said = {"kind": "lateness", "amount": Decimal(amount), "reason": "late"}
    return invoices.charge_back(order_line_id=line.pk, **said, by=clerk(), at=moment(LATER))


def test_claims_are_settled_by_his_credit_note_on_a_page(payables):
    line = came()
    first, second = late(line, 90), late(line, 10)
    assert "/charge-backs/of/V1/" in page_of(payables, "/charge-backs/?tab=claimed")
    assert "90.00" in page_of(payables, "/charge-backs/of/V1/")

    typed = {f"amount-{first.pk}": "90", f"amount-{second.pk}": "", "number": ""}
    refused = payables.post("/charge-backs/of/V1/", typed)
    answer = payables.post("/charge-backs/of/V1/", {**typed, "number": "GS-9", "tax_rate": "19"})

    assert refused.status_code == 422
    assert "Name the number the vendor gave his credit note" in refused.content.decode()
    made = Invoice.objects.get(vendor_number="GS-9")
    assert answer.url == f"/invoices/{made.number}/"
    assert (made.net, made.tax, made.status) == (90, Decimal("17.1"), "approved")
    assert first.number in page_of(payables, answer.url)
    assert list(ChargeBack.objects.order_by("pk").values_list("status", "settled_by")) == [
        ("settled", made.pk),
        ("claimed", None),
    ]
    assert "GS-9" in page_of(payables, "/charge-backs/?tab=done")


def test_claims_are_netted_on_an_approved_invoice_on_a_page(payables):
    line = came()
    one, invoice = late(line, 90), paid(asked(line, 8, 100), number="RE-1")
    assert f"/charge-backs/of/V1/?on={invoice.number}" in page_of(payables, f"/invoices/{invoice.number}/")

    answer = payables.post("/charge-backs/of/V1/", {f"amount-{one.pk}": "40", "on": invoice.number})

    made = invoice.credit_notes.get()
    one.refresh_from_db()
    assert answer.url == f"/invoices/{made.number}/"
    assert (made.net, one.status, one.credited) == (40, "claimed", 40)
    assert "40.00 of it credited" in page_of(payables, "/charge-backs/?tab=claimed")


def test_lateness_is_charged_back_by_hand_and_unpaid_work_is_worked_out(payables):
    line = came()
    assert "line" in page_of(payables, "/charge-backs/enter/?order=SC-00001")

    payables.post(
        "/charge-backs/enter/",
        {"order": "SC-00001", "line": "1", "kind": "lateness", "amount": "12,50", "reason": "A week late"},
    )
    payables.post(
        "/charge-backs/enter/", {"order": "SC-00001", "line": "1", "kind": "unpaid_work", "reason": "Two were bad"}
    )

    found = ChargeBack.objects.filter(order_line=line).order_by("pk").values_list("kind", "amount", "set_off", "status")
    assert list(found) == [("lateness", Decimal("12.5"), 0, "claimed"), ("unpaid_work", 200, 200, "claimed")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind": "lateness", "reason": "late"}, "Name an amount above zero"),
        ({"kind": "lateness", "amount": "5"}, "Say why"),
        ({"kind": "lateness", "amount": "many", "reason": "late"}, "is not a quantity"),
    ],
)
def test_what_cannot_be_charged_back_is_said(payables, typed, said):
    came()

    answer = payables.post("/charge-backs/enter/", {"order": "SC-00001", "line": "1", **typed})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ChargeBack.objects.exists()
    assert "There is no order" in page_of(payables, "/charge-backs/enter/?order=SC-99")


def test_who_only_reads_changes_nothing(client):
    came(rejects="charge_vendor")
    invoices.watch_charge_backs(at=moment(LATER))
    one = ChargeBack.objects.get()
    client.force_login(clerk("ada", Role.AUDITOR))

    assert one.number in page_of(client, "/charge-backs/")
    assert client.post(f"/charge-backs/{one.number}/claim/").status_code == 403
    assert client.get("/charge-backs/enter/").status_code == 403
    assert client.get("/charge-backs/of/V1/").status_code == 403
    assert client.get("/invoices/self-bill/").status_code == 403
    client.force_login(clerk("dora", Role.DOCK))
    assert client.get("/charge-backs/").status_code == 403


def test_what_is_to_be_invoiced_costs_the_same_for_any_number_of_lines(payables):
    ordered(10, 10, 10)
    shipments.ship(order_ids=[plans.order(number).pk for number in (1, 2, 3)], by=plans.boss(), at=moment())
    asked_of = {"/invoices/enter/?vendor=V1": [], "/invoices/self-bill/?vendor=V1": []}
    for number in (1, 2, 3):
        receive(counted(plans.line(number), 10), note=f"DN-{number}")
        for address, counts in asked_of.items():
            with CaptureQueriesContext(connection) as queries:
                assert page_of(payables, address).count(f"SC-0000{number}")
            counts.append(len(queries))

    assert [counts[1] == counts[2] for counts in asked_of.values()] == [True, True]
