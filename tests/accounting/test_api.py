"""The journal, periods, accounts and confirmations over the API, and who may."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import Role
from receipts import services as receipts
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.invoices import bills
from tests.receipts import goods

API = "/api/v1/"
JSON = "application/json"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(moment(date(2026, 4, 7)), tick=False):
        yield


@pytest.fixture
def books(client: Client) -> Client:
    line = goods.at_vendor()
    receipts.post_receipt(
        vendor_id=line.vendor_id, note="DN-1", lines=[goods.counted(line, 10)], by=plans.boss(), at=moment(MONDAY)
    )
    client.force_login(bills.clerk())
    return client


def test_the_journal_is_read_and_exported_with_equal_debits_and_credits(books: Client):
    books.post(API + "accounts/", {"role": "finished", "code": "1100", "name": "Finished goods"}, content_type=JSON)

    entries = books.get(API + "journal/", {"document_kind": "receipt"}).json()["results"]
    text = books.get(API + "journal/export/", {"posted_to": "2026-03-31"}).content.decode()

    assert sum(Decimal(line["booked"]) for line in entries[0]["lines"]) == 0
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum(Decimal(row["debit"]) for row in rows) == sum(Decimal(row["credit"]) for row in rows) > 0
    assert [row["debit"] for row in rows if row["account"] == "1100"] == ["2000.00"]


def test_a_month_is_closed_and_reopened(books: Client):
    closed = books.post(API + "periods/close/", {"month": "2026-03"}, content_type=JSON)
    again = books.post(API + "periods/close/", {"month": "2026-03-15"}, content_type=JSON)
    opened = books.post(API + "periods/reopen/", {"reason": "a late note"}, content_type=JSON)

    assert (closed.status_code, closed.json()["through"]) == (200, "2026-03-31")
    assert (again.status_code, again.json()["code"]) == (409, "closed")
    assert opened.json()[0]["reopened_at"] is not None
    assert books.post(API + "periods/close/", {"month": "soon"}, content_type=JSON).status_code == 422


@pytest.mark.papers
def test_a_confirmation_is_prepared_printed_sent_and_answered(books: Client):
    (made,) = books.post(API + "balance-confirmations/", {"as_of": "2026-03-31"}, content_type=JSON).json()
    one = f"{API}balance-confirmations/{made['number']}/"

    assert (made["vendor"], Decimal(made["not_invoiced"])) == ("V1", 1000)
    assert books.get(f"{one}letter.pdf").content.startswith(b"%PDF")
    assert books.post(f"{one}send/").json()["status"] == "sent"
    answered = books.post(f"{one}answer/", {"not_invoiced": "900.00", "answered_by": "Ms Roth"}, content_type=JSON)
    assert (answered.json()["status"], Decimal(answered.json()["difference"])) == ("differs", -100)


@pytest.mark.parametrize("role", [Role.BUYER, Role.DOCK, Role.AUDITOR])
def test_only_payables_close_months_and_ask_vendors(client: Client, role: str):
    client.force_login(bills.clerk("somebody", role))

    assert client.post(API + "periods/close/", {"month": "2026-03"}, content_type=JSON).status_code == 403
    assert client.post(API + "accounts/", {"role": "raw", "code": "1"}, content_type=JSON).status_code == 403
    assert client.post(API + "balance-confirmations/", {"as_of": "2026-03-31"}, content_type=JSON).status_code == 403
