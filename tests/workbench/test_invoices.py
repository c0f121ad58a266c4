"""Invoice pages: the inbox, the match view where one key accepts, entering beside what came, files, export."""

from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Role
from invoices import services as invoices
from invoices.models import Invoice, PaymentExport
from tests.documents import plans
from tests.documents.plans import moment
from tests.invoices.bills import asked, clerk, enter, match
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, counted, receive, ship

LIST = "/invoices/"


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


def text_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200, address
    return page.content.decode()


def test_the_inbox_shows_what_is_held_and_why(payables):
    line = came()
    match(enter(asked(line, 10, 100), number="RE-1"))
    match(enter(asked(line, 3, 100), number="RE-2"))

    page = text_of(payables, LIST)

    assert "RE-1" in page
    assert "More than was accepted and not invoiced yet" in page
    assert "10 are asked for, 8 may be paid" in page
    assert "RE-2" not in page
    assert "RE-2" in text_of(payables, f"{LIST}?tab=matched")
    assert "RE-1" in text_of(payables, f"{LIST}?q=SC-00001")
    assert "No invoices match" in text_of(payables, f"{LIST}?q=nothing")


def test_the_match_view_puts_what_came_beside_what_is_asked_for(payables):
    invoice = match(enter(asked(came(), 10, 112), number="RE-1"))

    page = text_of(payables, f"{LIST}{invoice.number}/")

    for words in ("DN-1", "8 may be paid, at 100", "112 is asked for, 100 was agreed", "Let it pass", "Dispute"):
        assert words in page, words
    assert page.count('data-key="a"') == 1


def test_one_key_lets_pass_and_goes_on_to_the_next(payables):
    line = came()
    first = match(enter(asked(line, 4, 112), number="RE-1"))
    second = match(enter(asked(line, 4, 113), number="RE-2"))

    answer = payables.post(f"{LIST}{first.number}/release/", {"version": first.version})

    assert answer.url == f"{LIST}{second.number}/"
    first.refresh_from_db()
    assert (first.status, first.released_by.username) == ("matched", "petra")


def test_who_entered_it_finds_no_button_to_let_it_pass(client):
    client.force_login(clerk())
    invoice = match(enter(asked(came(), 10, 100)))

    page = text_of(client, f"{LIST}{invoice.number}/")

    assert "You entered it" in page
    assert "Let it pass" not in page


def test_an_act_needs_its_right_and_the_version_that_was_seen(client, payables):
    invoice = match(enter(asked(came(), 8, 100)))
    payables.post(f"{LIST}{invoice.number}/approve/", {"version": invoice.version - 1})
    client.force_login(clerk("ada", Role.AUDITOR))
    client.post(f"{LIST}{invoice.number}/approve/")

    invoice.refresh_from_db()
    assert invoice.status == "matched"
    assert client.post(f"{LIST}{invoice.number}/burn/").status_code == 404
    client.force_login(clerk("dora", Role.DOCK))
    assert client.get(LIST).status_code == 403


def test_an_invoice_is_entered_beside_what_came(payables):
    line = came()

    page = text_of(payables, f"{LIST}enter/?vendor=V1")
    assert "SC-00001" in page
    answer = payables.post(
        f"{LIST}enter/",
        {"vendor": "V1", "number": "RE-9", f"quantity-{line.pk}": "8", "tax_rate": "19", "charge-freight": "2,50"},
    )

    invoice = Invoice.objects.get()
    assert answer.url == f"{LIST}{invoice.number}/"
    assert (invoice.net, invoice.tax, invoice.status) == (Decimal("802.50"), Decimal("152.48"), "held")
    assert invoice.entered_by.username == "petra"


@played
def two_orders() -> None:
    """Ten pieces came of each, with a note of its own."""
    plans.base()
    for number in (1, 2):
        plans.plan(f"P{number}", "FG", 10, "2026-04-30")
        plans.generate()
        plans.send(number)
        ship(number)
        receive(counted(plans.line(number), 10), note=f"DN-{number}")


def test_what_an_older_order_brought_is_there_though_newer_ones_are_invoiced(payables, monkeypatch):
    two_orders()
    monkeypatch.setattr("workbench.views.invoices.ROWS", 1)
    match(enter(asked(plans.line(2), 10, 100), number="RE-1"))

    page = text_of(payables, f"{LIST}enter/?vendor=V1")

    assert "SC-00001" in page
    assert "SC-00002" not in page
    assert "There is more than these" not in page


def test_of_many_lines_the_newest_are_shown_and_others_found_by_order_or_note(payables, monkeypatch):
    two_orders()
    monkeypatch.setattr("workbench.views.invoices.ROWS", 1)

    newest = text_of(payables, f"{LIST}enter/?vendor=V1")
    by_order = text_of(payables, f"{LIST}enter/?vendor=V1&q=00001")
    by_note = text_of(payables, f"{LIST}enter/?vendor=V1&q=dn-1")
    nothing = text_of(payables, f"{LIST}enter/?vendor=V1&q=dn-3")

    assert ["SC-00001" in page for page in (newest, by_order, by_note, nothing)] == [False, True, True, False]
    assert "There is more than these" in newest
    assert "has all of these words" in nothing


def test_a_line_somebody_typed_is_entered_though_it_is_not_among_those_shown(payables, monkeypatch):
    two_orders()
    monkeypatch.setattr("workbench.views.invoices.ROWS", 1)
    older, newer = plans.line(1), plans.line(2)

    payables.post(
        f"{LIST}enter/", {"vendor": "V1", "number": "RE-9", f"quantity-{older.pk}": "4", f"quantity-{newer.pk}": "6"}
    )

    assert list(Invoice.objects.get().lines.order_by("pk").values_list("order_line", "quantity")) == [
        (older.pk, 4),
        (newer.pk, 6),
    ]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"number": "RE-9"}, "at least one line"),
        ({"number": "", "quantity": "8"}, "Name the number"),
        ({"number": "RE-9", "quantity": "many"}, "is not a quantity"),
        ({"number": "RE-9", "quantity": "8", "invoice_date": "someday"}, "is not a day"),
    ],
)
def test_what_cannot_be_entered_is_said_and_stays_typed(payables, typed, said):
    line = came()
    fields = {name: value for name, value in typed.items() if name != "quantity"}

    answer = payables.post(
        f"{LIST}enter/", {"vendor": "V1", f"quantity-{line.pk}": typed.get("quantity", ""), "note": "kept", **fields}
    )

    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert "kept" in page
    assert not Invoice.objects.exists()


def test_a_file_is_read_and_matched(payables):
    line = came()
    content = invoices.as_ubl(enter(asked(line, 8, 100), number="A")).replace(b">A<", b">B<")

    payables.post(f"{LIST}upload/", {"file": SimpleUploadedFile("b.xml", content)})
    payables.post(f"{LIST}upload/", {"file": SimpleUploadedFile("c.xml", b"<a/>")})

    assert list(Invoice.objects.order_by("pk").values_list("vendor_number", "status")) == [
        ("A", "entered"), ("B", "matched"),
    ]  # fmt: skip


def test_a_credit_note_on_charge_backs_is_read_from_a_file(payables):
    line, said = came(), {"by": clerk(), "at": moment(LATER)}
    one = invoices.charge_back(order_line_id=line.pk, kind="lateness", amount=Decimal(90), reason="late", **said)
    first = invoices.CreditedClaim(one.pk, Decimal(40))
    content = invoices.as_ubl(
        invoices.credit_charge_backs(vendor_id=line.vendor_id, claims=[first], number="C-1", **said)
    )

    answer = payables.post(
        f"{LIST}upload/", {"file": SimpleUploadedFile("c.xml", content.replace(b">C-1<", b">C-2<"))}, follow=True
    )

    made = Invoice.objects.get(vendor_number="C-2")
    assert answer.redirect_chain == [(f"{LIST}{made.number}/", 302)]
    assert f"Entered: {made.number}" in answer.content.decode()


def test_what_is_no_document_says_so_in_german(payables):
    sent = {"file": SimpleUploadedFile("c.xml", b"<a/>")}

    page = payables.post(f"{LIST}upload/", sent, follow=True, headers={"Accept-Language": "de"})

    assert "Es ist keine UBL-2.1-Invoice oder -CreditNote, sondern a." in page.content.decode()


def test_the_list_can_be_had_as_a_file(payables):
    match(enter(asked(came(), 10, 100), number="RE-1"))

    rows = b"".join(payables.get(f"{LIST}?format=csv").streaming_content).decode()

    assert "RE-1" in rows
    assert "held" in rows


def test_what_is_approved_is_exported_once(payables):
    invoice = match(enter(asked(came(), 8, 100), number="RE-1"))
    payables.post(f"{LIST}{invoice.number}/approve/")

    first, second = payables.post(f"{LIST}export/"), payables.post(f"{LIST}export/")

    assert first.url == second.url == "/payments/"
    assert "/payments/PX-00001/" in text_of(payables, "/payments/")
    file, again = payables.get("/payments/PX-00001/"), payables.get("/payments/PX-00001/")
    assert file["Content-Type"].startswith("text/csv")
    assert "RE-1" in file.content.decode()
    assert file.content == again.content
    assert "/payments/PX-00001/" in text_of(payables, f"{LIST}{invoice.number}/")
    assert PaymentExport.objects.count() == 1


def test_the_pages_cost_the_same_for_any_number_of_lines(payables, django_assert_max_num_queries):
    line = came()
    for place in range(4):
        match(enter(asked(line, 1, 130), number=f"RE-{place}"))
    text_of(payables, LIST)

    with django_assert_max_num_queries(22):
        text_of(payables, LIST)
    with django_assert_max_num_queries(32):
        text_of(payables, f"{LIST}{Invoice.objects.last().number}/")
