"""What a vendor takes off an invoice: pieces by any unit, charges where they fell; no part of a cent or of a piece."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from accounting import services as accounting
from accounting.models import EntryLine
from core.refusals import InvalidDate, InvalidQuantity, TooPrecise
from invoices import services as invoices
from invoices.models import Invoice
from invoices.services import OverCredit
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.invoices.bills import asked, charge, credit, enter, held, paid, went
from tests.receipts.goods import LATER, at_vendor, counted, receive


def test_pieces_are_taken_back_at_a_price_for_three_of_them():
    line = at_vendor(quantity=9)
    terms = {"price_unit": "3 pcs", "price_factor": 3, "work_amount": 30, "amount": 30, "amount_company": 30}
    OrderLine.objects.filter(pk=line.pk).update(
        **terms, unit_price=10, sent_unit_price=10, sent_quantity=9, sent_amount=30, sent_amount_company=30
    )
    receive(counted(line, 9))
    invoice = paid(asked(line, 3, 10))

    note = credit(invoice, asked(line, 1, 10))

    assert [row.taken_back for row in note.lines.all()] == [True]
    assert held(enter(asked(line, 1, 10), number="B")) == []


def test_a_charge_spread_over_an_invoice_is_credited_where_it_fell():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = paid(asked(line, 10, 100), charge("freight", 30))
    assert went() == (30, 0)

    credit(invoice, charge("freight", 12))

    assert went() == (18, 0)
    accounting.write_journal(at=moment(LATER))
    booked = EntryLine.objects.filter(role="payables").aggregate(total=Sum("amount"))["total"]
    assert (booked, invoices.total_not_invoiced()) == (-1018, 0)
    with pytest.raises(TooPrecise):
        credit(invoice, charge("freight", "0.001"), number="C-2")
    with pytest.raises(OverCredit):
        credit(invoice, charge("freight", "18.01"), number="C-3")


def test_a_charge_held_for_its_amount_passes_once_the_rest_is_credited():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = enter(asked(line, 10, 100), charge("freight", 30))
    assert held(invoice) == ["price_out_of_tolerance"]

    credit(invoice, charge("freight", 30))

    assert Invoice.objects.get(pk=invoice.pk).status == "matched"


def test_a_credit_note_of_another_century_is_a_slip():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = paid(asked(line, 10, 100))

    with pytest.raises(InvalidDate):
        credit(invoice, asked(line, 1, 100), credit_date=date(1026, 3, 1))


def test_part_of_a_piece_is_not_asked_for_nor_credited_by_the_hundred():
    line = at_vendor()
    terms = {"price_unit": "100 pcs", "price_factor": 100, "unit_price": 100}
    OrderLine.objects.filter(pk=line.pk).update(**terms, work_amount=10, amount=10, amount_company=10)
    receive(counted(line, 10))
    with pytest.raises(TooPrecise):
        enter(asked(line, "0.055", 100))
    invoice = enter(asked(line, "0.05", 100))

    with pytest.raises(TooPrecise):
        credit(invoice, asked(line, "0.025", 100))


def test_no_invoice_comes_to_more_than_the_journal_holds():
    line = at_vendor()

    with pytest.raises(InvalidQuantity):
        enter(asked(line, 1, 900_000_000_000, tax_rate=Decimal(19)))
