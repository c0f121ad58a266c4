"""Many people at the same invoices at the same moment: nothing is paid twice, no deadlock is shown."""

from __future__ import annotations

import pytest

from invoices import services as invoices
from invoices.models import Invoice
from tests.documents.plans import moment
from tests.invoices.bills import asked, clerk, enter, match
from tests.receipts.goods import LATER, at_vendor, counted, receive, worth
from tests.receipts.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_the_same_pieces_match_one_of_many_invoices():
    line = at_vendor(quantity=30)
    receive(counted(line, 30))
    entered = [enter(asked(line, 10, 100), number=f"R-{number}") for number in range(6)]
    by = clerk()

    at_once(lambda at: invoices.match_invoice(invoice_id=entered[at].pk, by=by, at=moment(LATER)), times=6)

    assert sorted(Invoice.objects.values_list("status", flat=True)) == ["held"] * 3 + ["matched"] * 3


def test_an_invoice_is_approved_once_and_its_difference_booked_once():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = match(enter(asked(line, 10, 90)))
    by = clerk()

    done = at_once(lambda _at: invoices.approve_invoice(invoice_id=invoice.pk, by=by, at=moment(LATER)), times=6)

    assert sorted(one for one in done if isinstance(one, str)) == ["wrong_state"] * 5
    assert worth("FG") == 1900
    assert invoices.check_invoices()[1] == []


def test_a_number_entered_by_many_at_once_is_one_invoice():
    line = at_vendor()
    receive(counted(line, 10))
    by = clerk()

    done = at_once(lambda _at: enter(asked(line, 1, 100), number="R-1", by=by), times=6)

    assert sorted(one for one in done if isinstance(one, str)) == ["duplicate_number"] * 5
    assert Invoice.objects.count() == 1
