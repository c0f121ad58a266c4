"""Work on bad pieces that nobody pays for is owed no longer once a person says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounting import services as accounting
from accounting.models import EntryLine
from core.refusals import InvalidQuantity
from invoices import services as invoices
from invoices.models import ChargeBack
from invoices.services.charging_back import NothingUnpaid
from tests.documents.plans import moment
from tests.invoices.bills import asked, clerk, paid
from tests.receipts.goods import LATER, at_vendor, counted, receive


def unpaid(line: Any, **said: Any) -> ChargeBack:
    return invoices.charge_back(
        order_line_id=line.pk,
        kind="unpaid_work",
        reason="Bad pieces are not paid",
        by=clerk(),
        at=moment(LATER),
        **said,
    )


def booked(role: str) -> Decimal:
    accounting.write_journal(at=moment(LATER))
    assert accounting.check_journal()[1] == []
    return sum(EntryLine.objects.filter(role=role).values_list("amount", flat=True), Decimal(0))


def test_work_on_bad_pieces_is_taken_out_of_what_is_not_invoiced():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    paid(asked(line, 8, 100))
    assert invoices.total_not_invoiced() == 200

    one = unpaid(line)

    assert (one.amount, one.set_off, one.quantity, one.status) == (200, 200, 2, "claimed")
    assert invoices.total_not_invoiced() == 0 == booked("not_invoiced")
    assert (booked("charged_back"), booked("claims")) == (-200, 0)
    with pytest.raises(NothingUnpaid):
        unpaid(line)


def test_good_pieces_not_invoiced_yet_stay_owed():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))

    unpaid(line)

    assert invoices.total_not_invoiced() == 800


def test_no_more_than_is_open_is_taken_out_and_letting_it_go_puts_it_back():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    paid(asked(line, 8, 100))
    with pytest.raises(InvalidQuantity):
        unpaid(line, amount=Decimal("200.01"))
    assert not ChargeBack.objects.exists()

    one = unpaid(line, amount=Decimal(150))
    assert invoices.total_not_invoiced() == 50
    invoices.decide_charge_back(
        charge_back_id=one.pk, status="waived", reason="He was right", by=clerk(), at=moment(LATER)
    )

    assert invoices.total_not_invoiced() == 200 == -booked("not_invoiced")


def test_where_all_that_came_is_paid_nothing_is_left_unpaid():
    line = at_vendor(pay_for="received")
    receive(counted(line, 8, rejected=2))

    with pytest.raises(NothingUnpaid):
        unpaid(line)


def test_a_vendor_is_asked_to_confirm_what_is_owed_without_what_was_set_off():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    unpaid(line)

    (letter,) = accounting.prepare_confirmations(as_of=LATER, by=clerk(), at=moment(date(2026, 4, 7)))

    assert letter.not_invoiced == 800 == invoices.total_not_invoiced()
