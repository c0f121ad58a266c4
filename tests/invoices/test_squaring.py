"""A charge paid whole before its line ended short costs what it costs where it is invoiced last."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounting import services as accounting
from accounting.models import EntryLine
from documents import services as documents
from invoices import services as invoices
from invoices.models import Match
from reports import services as reports
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.invoices.bills import asked, charge, clerk, credit, paid, went
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, counted, receive, worth


@played
def came_short() -> OrderLine:
    """Eight of ten at 100, with a lot charge of 20."""
    line = at_vendor()
    amounts = {
        "lot_charge": 20,
        "amount": 1020,
        "amount_company": 1020,
        "sent_amount": 1020,
        "sent_amount_company": 1020,
    }
    OrderLine.objects.filter(pk=line.pk).update(**amounts)
    receive(counted(line, 8))
    return line


def close(line: OrderLine) -> None:
    documents.close_set(order_id=line.order_id, leftovers="keep", by=clerk("buyer", "administrator"), at=moment(LATER))


def watch() -> None:
    invoices.watch_invoices(at=moment(LATER), on=LATER)


def agree_everywhere() -> None:
    accounting.write_journal(at=moment(LATER))
    owed = sum(EntryLine.objects.filter(role="not_invoiced").values_list("amount", flat=True), Decimal(0))
    assert reports.prove(at=moment(LATER))[1] == []
    assert (owed, accounting.check_journal()[1], invoices.check_invoices()[1]) == (
        -invoices.total_not_invoiced(),
        [],
        [],
    )


@pytest.mark.parametrize("first", ["invoiced", "closed"])
def test_the_order_of_closing_and_invoicing_does_not_matter(first):
    line = came_short()
    if first == "closed":
        close(line)
    paid(asked(line, 8, 100), charge("lot", 20))
    if first == "invoiced":
        assert invoices.total_not_invoiced() == -4
        agree_everywhere()
        close(line)

    watch()
    watch()

    assert (invoices.total_not_invoiced(), went()) == (0, (4, 0))
    assert worth("FG") == 8 * 100 + 800 + 20
    agree_everywhere()


def test_a_line_that_goes_on_after_all_owes_the_charge_with_its_pieces():
    line = came_short()
    paid(asked(line, 8, 100), charge("lot", 20))
    close(line)
    watch()
    documents.reopen_set(order_id=line.order_id, by=clerk("buyer", "administrator"), at=moment(LATER))

    receive(counted(line, 2), note="DN-2")
    watch()
    paid(asked(line, 2, 100), number="B")

    assert (invoices.total_not_invoiced(), went()) == (0, (0, 0))
    agree_everywhere()


def test_a_charge_that_was_credited_is_not_owed_again():
    line = came_short()
    invoice = paid(asked(line, 8, 100), charge("lot", 20, line))
    credit(invoice, charge("lot", 20, line))
    close(line)

    watch()

    assert (invoices.total_not_invoiced(), sum(went())) == (0, -16)
    agree_everywhere()


def test_nothing_is_booked_where_a_line_came_whole():
    line = came_short()
    receive(counted(line, 2), note="DN-2")
    paid(asked(line, 10, 100), charge("lot", 20))
    close(line)

    watch()

    assert not Match.objects.filter(amount=0).exists()
