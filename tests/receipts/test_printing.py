"""The return note and the vendor's statement: what stands on them, in whose language, and who may read them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Role
from masterdata import printing as paper
from masterdata.models import Vendor
from receipts import printing, services
from receipts.models import Return
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER
from tests.receipts.test_back_api import API, client, post


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel(moment(LATER), tick=True):
        yield


@pytest.fixture
def written(monkeypatch) -> list[str]:
    """Papers as the text that would be drawn."""
    found: list[str] = []

    def keep(template: str, context: dict) -> bytes:
        html = paper.render_to_string(template, {"company": paper.company(), "logo": "", **context})
        found.append(re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.S)))
        return b""

    monkeypatch.setattr(printing, "as_pdf", keep)
    return found


@played
def spare() -> Return:
    """Two of twelve come home that ten pieces do not need."""
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)
    return services.return_material(vendor_id=Vendor.objects.get().pk, by=plans.boss(), at=moment(LATER))


def test_the_return_note_says_what_comes_back_of_which_order(written):
    document = spare()

    printing.return_note(return_id=document.pk, address="https://outwork.example/")

    assert f"Return note {document.number}" in written[0]
    assert "SC-00001 line 1" in written[0]
    assert "2 pcs" in written[0]
    assert "This is material of Scenario that your orders no longer need." in written[0]


def test_pieces_that_go_back_name_the_vendors_note_in_his_language(written):
    line = back.sent_order()
    back.ship(1)
    goods.receive(goods.counted(line, 10))
    Vendor.objects.update(language="de")
    number = post(client(), "returns", receipt="GR-00001", line=1, quantity=3, reason="Kratzer").data["number"]

    printing.return_note(return_id=Return.objects.get(number=number).pk, address="https://outwork.example/")

    assert f"Rückgabeschein {number}" in written[0]
    assert "Diese Teile gehen zur Nacharbeit an Sie zurück" in written[0]
    assert "Kratzer" in written[0]


def print_statement() -> None:
    services.vendor_statement(
        vendor_id=Vendor.objects.get().pk,
        first=LATER,
        last=LATER,
        zone=moment().tzinfo,
        by=plans.boss(),
        at=moment(LATER),
    )


def test_the_statement_says_what_moved_what_lies_there_and_what_is_owed(written):
    spare()

    print_statement()

    assert "Statement for Vendor One" in written[0]
    assert "RM" in written[0]
    assert re.search(r"\b10 pcs\b", written[0])
    assert "SC-00001 line 1 FG" in written[0]


def test_the_statement_calls_pieces_to_be_mended_so_in_the_vendors_language(written):
    receipt = goods.receive(goods.counted(goods.at_vendor(inspection="all"), 8))
    services.inspect_receipt(receipt_id=receipt.pk, line_no=1, accepted=Decimal(5), rejected=Decimal(3), disposition="rework",
                             by=None, at=moment(LATER))  # fmt: skip
    Vendor.objects.update(language="de")

    print_statement()

    assert "zur Nacharbeit für SC-00001/1" in written[0]


def test_papers_bear_the_address_of_the_vendor(written):
    document = spare()
    Vendor.objects.update(address="Hauptstr. 5\n79100 Freiburg", country="DE")

    printing.return_note(return_id=document.pk, address="https://outwork.example/")
    print_statement()

    assert "Hauptstr. 5 79100 Freiburg" in written[0]
    assert "Hauptstr. 5 79100 Freiburg" in written[1]


def test_the_statement_adds_up(monkeypatch):
    spare()
    said: dict = {}
    monkeypatch.setattr(printing, "as_pdf", lambda template, context: said.update(context) or b"")

    services.vendor_statement(
        vendor_id=Vendor.objects.get().pk, first=plans.MONDAY, last=LATER, zone=moment().tzinfo, by=plans.boss(),
        at=moment(LATER),
    )  # fmt: skip

    [row] = said["material"]
    assert (row.opening, row.came, row.used, row.returned, row.gone, row.closing) == tuple(
        map(Decimal, (0, 12, 0, 2, 0, 10))
    )
    assert [(line.order.number, open_) for line, _, _, open_ in said["open_lines"]] == [("SC-00001", "10")]


def test_both_are_pdfs_over_the_api_for_whoever_sees_them():
    document = spare()
    api = client(Role.AUDITOR)

    note = api.get(f"{API}returns/{document.number}/return-note.pdf")
    statement = api.get(f"{API}vendor-balances/statement.pdf?vendor=V1&from=2026-03-01")

    assert (note.content[:5], note["Content-Disposition"]) == (b"%PDF-", f'inline; filename="{document.number}.pdf"')
    assert statement.content[:5] == b"%PDF-"
    unknown = api.get(f"{API}vendor-balances/statement.pdf?vendor=V9")
    assert (unknown.status_code, unknown.data["code"]) == (404, "not_found")
    unreadable = api.get(f"{API}vendor-balances/statement.pdf?vendor=V1&to=soon")
    assert (unreadable.status_code, unreadable.data["errors"][0]["field"]) == (422, "to")
    assert client(Role.BUYER, site=None).get(f"{API}returns/{document.number}/return-note.pdf").status_code == 200
