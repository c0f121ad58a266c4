"""A claim ends where the vendor's credit note names it, or where it is netted on an invoice of his; the books stay exact."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounting import services as accounting
from accounting.models import EntryLine
from core.refusals import InvalidInput, NotFound, TooPrecise, WrongState
from invoices import services as invoices
from invoices.models import ChargeBack, Invoice
from invoices.services import CreditedClaim, DuplicateInvoice, NotClaimed, NotDecided, OverCredit
from masterdata.models import Currency, ExchangeRate, Vendor
from tests.documents.plans import moment
from tests.invoices.bills import asked, clerk, enter, match, paid
from tests.receipts.goods import LATER, at_vendor, counted, receive


def booked() -> dict[str, Decimal]:
    """The journal by role, checked."""
    accounting.write_journal(at=moment(LATER))
    assert accounting.check_journal()[1] == []
    assert invoices.check_invoices()[1] == []
    found: dict[str, Decimal] = {}
    for role, amount in EntryLine.objects.values_list("role", "amount"):
        found[role] = found.get(role, Decimal(0)) + amount
    return found


def late(line: Any, amount: Any = 90, reason: str = "three weeks late") -> ChargeBack:
    said = {"kind": "lateness", "amount": Decimal(str(amount)), "reason": reason}
    return invoices.charge_back(order_line_id=line.pk, **said, by=clerk(), at=moment(LATER))


def credit(*claims: Any, number: str = "GS-1", **said: Any) -> Invoice:
    vendor = Vendor.objects.get(code="V1")
    named = [one if isinstance(one, CreditedClaim) else CreditedClaim(one.pk) for one in claims]
    return invoices.credit_charge_backs(
        vendor_id=vendor.pk, claims=named, number=number, by=clerk(), at=moment(LATER), **said
    )


def net(invoice: Invoice, *claims: Any) -> Invoice:
    named = [one if isinstance(one, CreditedClaim) else CreditedClaim(one.pk) for one in claims]
    return invoices.net_charge_backs(invoice_id=invoice.pk, claims=named, by=clerk(), at=moment(LATER))


def test_a_credit_note_that_names_a_charge_back_settles_it():
    line = at_vendor(rejects="charge_vendor")
    receive(counted(line, 8, rejected=2))
    paid(asked(line, 8, 100))
    invoices.watch_charge_backs(at=moment(LATER))
    one = ChargeBack.objects.get()
    invoices.decide_charge_back(charge_back_id=one.pk, status="claimed", by=clerk(), at=moment(LATER))
    assert (booked()["claims"], booked()["payables"], booked().get("not_invoiced")) == (200, -800, 0)

    note = credit(one)

    one.refresh_from_db()
    assert (one.status, one.settled_by, one.credited, one.open) == ("settled", note, 200, 0)
    assert (note.kind, note.status, note.net, note.credits, note.vendor_number) == (
        "credit", "approved", 200, None, "GS-1",
    )  # fmt: skip
    books = booked()
    assert (books["claims"], books["payables"], books["charged_back"]) == (0, -600, -400)
    assert invoices.total_not_invoiced() == 0 == books["not_invoiced"]


def test_a_letter_at_the_end_of_the_year_counts_what_he_credited_and_not_what_we_netted():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = paid(asked(line, 10, 100))
    credit(late(line, 90))
    net(invoice, late(line, 40))

    (letter,) = accounting.prepare_confirmations(as_of=LATER, by=clerk(), at=moment(LATER + timedelta(days=1)))

    assert (letter.invoiced, letter.not_invoiced) == (910, 0)


def test_several_are_settled_by_one_credit_note_with_its_tax():
    line = at_vendor()
    first, second = late(line, 100), late(line, "50.50")

    note = credit(CreditedClaim(first.pk, tax_rate=Decimal(19)), CreditedClaim(second.pk, tax_category="Z"))

    assert (note.net, note.tax) == (Decimal("150.5"), 19)
    assert set(ChargeBack.objects.values_list("status", "settled_by")) == {("settled", note.pk)}
    books = booked()
    assert (books["claims"], books["payables"], books["input_tax"]) == (0, Decimal("169.5"), -19)


def test_what_is_credited_in_parts_is_settled_by_the_last_of_them():
    one = late(at_vendor())
    credit(CreditedClaim(one.pk, Decimal(40)))
    one.refresh_from_db()
    assert (one.status, one.credited, one.open) == ("claimed", 40, 50)
    with pytest.raises(OverCredit, match=r"60 is credited; 50\.00 of CB-00001 is still claimed"):
        credit(CreditedClaim(one.pk, Decimal(60)), number="GS-2")
    assert booked()["claims"] == 50

    last = credit(one, number="GS-2")

    one.refresh_from_db()
    assert (one.status, one.settled_by, last.net) == ("settled", last, 50)
    assert booked()["claims"] == 0


def test_the_rest_of_what_was_credited_in_part_is_let_go():
    one = late(at_vendor())
    note = credit(CreditedClaim(one.pk, Decimal(40)))

    invoices.decide_charge_back(
        charge_back_id=one.pk, status="waived", reason="Half was ours", by=clerk(), at=moment(LATER)
    )

    one.refresh_from_db()
    assert (one.status, one.credited, one.let_go, one.settled_by) == ("settled", 40, 50, note)
    books = booked()
    assert (books["claims"], books["charged_back"], books["payables"]) == (0, -40, 40)
    with pytest.raises(NotDecided):
        invoices.decide_charge_back(charge_back_id=one.pk, status="waived", reason="x", by=clerk(), at=moment(LATER))


def test_a_claim_is_netted_on_an_invoice_before_it_is_paid():
    line = at_vendor()
    receive(counted(line, 10))
    one, invoice = late(line), match(enter(asked(line, 10, 100, tax_rate=Decimal(10))))
    with pytest.raises(WrongState):
        net(invoice, one)
    invoices.approve_invoice(invoice_id=invoice.pk, by=clerk(), at=moment(LATER))

    note = net(invoice, one)

    one.refresh_from_db()
    assert (note.credits, note.status, note.net, one.status, one.settled_by) == (
        invoice, "approved", 90, "settled", note,
    )  # fmt: skip
    books = booked()
    assert (books["claims"], books["payables"]) == (0, -1010)
    rows = invoices.export_approved(by=clerk(), at=moment(LATER)).content.splitlines()
    assert [row.split(",")[4] for row in rows[1:]] == ["", invoice.number]
    assert f",{invoice.number}," in rows[2]
    assert ",-90.00," in rows[2]
    with pytest.raises(WrongState):
        net(invoice, late(line, 5))


def test_no_more_is_netted_than_is_still_to_be_paid():
    line = at_vendor()
    receive(counted(line, 1))
    invoice = paid(asked(line, 1, 100))
    first, second = late(line, 70), late(line, 31)
    net(invoice, first)

    with pytest.raises(OverCredit, match=r"31\.00 would be netted; 30\.00 of"):
        net(invoice, second)

    second.refresh_from_db()
    assert (second.status, second.settled_by) == ("claimed", None)
    assert invoice.credit_notes.count() == 1


def test_a_note_in_another_currency_settles_the_whole_claim_and_the_rate_bears_the_rest():
    line = at_vendor()
    dollars = Currency.objects.create(code="USD", decimals=2)
    ExchangeRate.objects.create(currency=dollars, valid_from=LATER, rate=Decimal("0.9"))
    one = late(line, 100)

    note = credit(one, currency_id=dollars.pk)

    one.refresh_from_db()
    assert (note.net, one.status, one.credited) == (Decimal("111.11"), "settled", 100)
    books = booked()
    assert (books["payables"], books["claims"], books["exchange_difference"]) == (
        Decimal("99.999"), 0, Decimal("0.001"),
    )  # fmt: skip


def test_what_is_not_claimed_of_this_vendor_cannot_be_credited():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    claimed = late(line)
    unpaid = invoices.charge_back(order_line_id=line.pk, kind="unpaid_work", reason="bad", by=clerk(), at=moment(LATER))
    other = Vendor.objects.create(code="V9", name="Another")
    settled = late(line, 1)
    credit(settled, number="GS-0")

    for claims, refusal in (
        ([unpaid], NotClaimed),
        ([settled], NotClaimed),
        ([claimed, claimed], InvalidInput),
        ([], InvalidInput),
        ([CreditedClaim(0)], NotFound),
        ([CreditedClaim(claimed.pk, Decimal("1.001"))], TooPrecise),
    ):
        with pytest.raises(refusal):
            credit(*claims)
    with pytest.raises(DuplicateInvoice):
        credit(claimed, number="gs-0")
    with pytest.raises(NotFound):
        invoices.credit_charge_backs(
            vendor_id=other.pk, claims=[CreditedClaim(claimed.pk)], number="X", by=clerk(), at=moment(LATER)
        )

    assert Invoice.objects.count() == 1
    claimed.refresh_from_db()
    assert (claimed.status, claimed.credited) == ("claimed", 0)


def test_what_was_paid_in_money_needs_no_credit_note_and_keeps_the_day_it_was_claimed():
    one = late(at_vendor())
    claimed_at = one.decided_at

    done = invoices.decide_charge_back(
        charge_back_id=one.pk, status="settled", by=clerk(), at=moment(LATER.replace(day=20))
    )

    assert (done.status, done.settled_by, done.decided_at) == ("settled", None, claimed_at)
    assert done.closed_at == moment(LATER.replace(day=20))


def test_the_database_keeps_a_credited_claim_and_its_note_together():
    one = late(at_vendor())

    for wrong in ({"credited": 1}, {"let_go": 1}, {"credited": 91}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ChargeBack.objects.filter(pk=one.pk).update(**wrong)
