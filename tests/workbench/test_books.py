"""The pages of bookkeeping: journal and exports, closed months and accounts, balances vendors confirm."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounting.models import Account, Closing, Confirmation, Entry, JournalExport
from accounts.models import Role
from subcontract_orders.models import OrderLine
from tests.documents.plans import MONDAY, moment
from tests.invoices.bills import asked, clerk, paid
from tests.receipts.goods import at_vendor, counted, receive

APRIL = date(2026, 4, 7)


@pytest.fixture(autouse=True)
def _april(_today):
    with time_machine.travel(moment(APRIL), tick=True):
        yield


@pytest.fixture
def payables(client: Client) -> Client:
    line = at_vendor()
    receive(counted(line, 8, rejected=2), at=moment(MONDAY))
    client.force_login(clerk("petra"))
    return client


def page_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200, address
    return page.content.decode()


def test_the_journal_shows_debits_and_credits_and_exports_each_entry_once(payables):
    Account.objects.create(role="finished", code="1100", name="Finished goods")
    page = page_of(payables, "/journal/")
    assert "1100" in page
    assert "1,600.00" in page

    payables.post("/journal/export/", {"until": "2026-03-31"})
    payables.post("/journal/export/", {"until": "2026-03-31"})

    one = JournalExport.objects.get()
    assert "Everything is exported" in page_of(payables, "/journal/")
    assert f"{one.number}.csv" in page_of(payables, "/journal/?tab=exported")
    file = payables.get(f"/journal/exports/{one.number}.csv")
    assert file["Content-Type"].startswith("text/csv")
    assert file.content.decode() == payables.get(f"/journal/exports/{one.number}.csv").content.decode()
    assert "1100" in file.content.decode()


def test_the_journal_is_narrowed_by_days_and_words(payables):
    assert "1,600.00" in page_of(payables, "/journal/?from=2026-03-01&to=2026-03-31&vendor=V1&kind=receipt")
    assert "1,600.00" not in page_of(payables, "/journal/?from=2026-04-01")
    assert "No entries match" in page_of(payables, "/journal/?q=nothing")
    assert "receipt" in payables.get("/journal/?format=csv&kind=receipt").content.decode()
    assert page_of(payables, "/journal/?from=someday")


def test_months_are_closed_and_reopened_with_a_reason(payables):
    payables.post("/periods/close/", {"month": "2026-03"})
    assert Closing.objects.get().through == date(2026, 3, 31)
    assert "31 Mar 2026" in page_of(payables, "/periods/")

    payables.post("/periods/reopen/", {"reason": ""})
    assert Closing.objects.get().reopened_at is None
    payables.post("/periods/reopen/", {"reason": "a late note"})

    assert Closing.objects.get().reopened_by.username == "petra"
    assert "a late note" in page_of(payables, "/periods/")
    payables.post("/periods/close/", {"month": "soon"})
    assert Closing.objects.count() == 1


def test_accounts_are_named_on_one_form(payables):
    payables.post("/periods/accounts/", {"code-finished": "1100", "name-finished": "Finished goods", "code-raw": ""})

    assert list(Account.objects.values_list("role", "code", "name")) == [("finished", "1100", "Finished goods")]


def test_a_vendor_is_asked_and_his_answer_compared(payables):
    payables.post("/confirmations/prepare/", {"as_of": "2026-03-31"})
    one = Confirmation.objects.get()
    address = f"/confirmations/{one.number}/"
    assert one.number in page_of(payables, "/confirmations/?as_of=2026-03-31")
    assert payables.get(f"{address}letter.pdf").content.startswith(b"%PDF")
    payables.post(address, {"not_invoiced": "900"})
    one.refresh_from_db()
    assert one.status == "prepared"

    payables.post(f"{address}send/")
    payables.post(address, {"not_invoiced": "900,50", "answered_by": "Ms Roth"})

    one.refresh_from_db()
    assert (one.status, one.answered_not_invoiced, one.answered_by) == ("differs", Decimal("900.50"), "Ms Roth")
    assert "99.50" in page_of(payables, address)


def test_who_only_reads_exports_closes_and_asks_nothing(client, payables):
    client.force_login(clerk("ada", Role.AUDITOR))

    for address in ("/journal/", "/periods/", "/confirmations/"):
        page_of(client, address)
    for address in ("/journal/export/", "/periods/close/", "/periods/accounts/", "/confirmations/prepare/"):
        assert client.post(address).status_code == 403, address
    client.force_login(clerk("dora", Role.DOCK))
    for address in ("/journal/", "/periods/", "/confirmations/"):
        assert client.get(address).status_code == 403, address


def test_the_journal_costs_the_same_for_any_number_of_entries(payables, django_assert_max_num_queries):
    line = OrderLine.objects.get()
    for place in range(3):
        paid(asked(line, 1, 100), number=f"RE-{place}")
    page_of(payables, "/journal/")
    assert Entry.objects.count() >= 4

    with django_assert_max_num_queries(34):
        page_of(payables, "/journal/")
