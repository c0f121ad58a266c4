"""The journal goes to bookkeeping once, and every file can be had again."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.db.models import Sum
from django.test import Client

from accounting import services as accounting
from accounting.models import Entry, EntryLine, JournalExport
from accounting.services import NothingToExport
from accounts.models import Role
from tests.documents.plans import MONDAY, moment
from tests.invoices import bills
from tests.receipts import goods

APRIL = date(2026, 4, 7)
API = "/api/v1/journal-exports/"
JSON = "application/json"


def export(**said: object) -> JournalExport:
    return accounting.export_journal(by=bills.clerk(), at=moment(APRIL), **said)


def rows_of(one: JournalExport) -> list[dict[str, str]]:
    text = accounting.journal_csv(accounting.entries_of(one, by=bills.clerk()))
    return list(csv.DictReader(io.StringIO(text)))


def test_an_entry_is_exported_once_and_its_file_can_be_had_again():
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 6))
    first = export()
    again = rows_of(first)
    with pytest.raises(NothingToExport):
        export()

    goods.receive(goods.counted(line, 4), note="DN-2")
    second = export()

    assert rows_of(first) == again
    assert first.entries + second.entries == Entry.objects.count()
    assert not {row["entry"] for row in again} & {row["entry"] for row in rows_of(second)}
    assert sum(Decimal(row["debit"]) - Decimal(row["credit"]) for row in again) == 0


def test_what_is_posted_after_the_day_waits_for_the_next_export():
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 6), at=moment(MONDAY))
    goods.receive(goods.counted(line, 4), note="DN-2", at=moment(APRIL))

    first = export(until=date(2026, 3, 31))
    assert first.until == MONDAY
    with pytest.raises(NothingToExport):
        export(until=date(2026, 3, 31))

    assert export().until == APRIL


@time_machine.travel(moment(APRIL), tick=False)
def test_exports_are_made_listed_and_fetched_over_the_api(client: Client):
    goods.receive(goods.counted(goods.at_vendor(), 6))
    client.force_login(bills.clerk())

    made = client.post(API, {}, content_type=JSON)
    again = client.post(API, {}, content_type=JSON)

    assert (made.status_code, made.json()["until"]) == (201, "2026-03-09")
    assert again.json()["code"] == "nothing_to_do"
    number = made.json()["number"]
    assert client.get(API).json()["results"][0]["number"] == number
    assert client.get(f"{API}{number}/file/").content.decode().startswith("entry,posting_date")
    journal = client.get("/api/v1/journal/", {"export": number}).json()["results"]
    assert len(journal) == made.json()["entries"]
    assert client.get("/api/v1/journal/", {"exported": "false"}).json()["results"] == []
    client.force_login(bills.clerk("ada", Role.AUDITOR))
    assert client.post(API, {}, content_type=JSON).status_code == 403


def test_tax_in_the_journal_is_the_tax_of_the_invoice_to_the_cent():
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 10))
    tax = {"tax_rate": Decimal(19)}
    invoice = bills.paid(
        bills.asked(line, 10, 100, **tax),
        bills.charge("freight", "0.33", line, **tax),
        bills.charge("surcharge", "0.33", line, **tax),
        bills.charge("lot", "0.33", line, **tax),
    )
    assert invoice.tax == Decimal("190.19")  # three times 0.0627 would be 0.18

    accounting.write_journal(at=moment(APRIL))

    booked = dict(EntryLine.objects.filter(entry__key=f"invoice/{invoice.number}").values_list("role", "booked"))
    assert (booked["input_tax"], booked["payables"]) == (invoice.tax, -invoice.gross)
    assert EntryLine.objects.filter(entry__key=f"invoice/{invoice.number}").aggregate(Sum("booked"))["booked__sum"] == 0


@pytest.mark.parametrize("category", ["AE", "K"])
def test_tax_that_is_ours_to_declare_is_owed_and_deducted_and_none_is_paid(category: str):
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 10))
    invoice = bills.paid(bills.asked(line, 10, 100, tax_category=category, tax_rate=Decimal(19)))

    accounting.write_journal(at=moment(APRIL))

    booked = dict(EntryLine.objects.filter(entry__key=f"invoice/{invoice.number}").values_list("role", "booked"))
    assert booked == {"not_invoiced": 1000, "payables": -1000, "input_tax": 190, "reverse_charge": -190}
