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
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.invoices.bills import asked, charge, clerk, paid
from tests.receipts.goods import LATER, at_vendor, counted, receive, reverse


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


def test_where_only_good_pieces_are_paid_the_work_on_bad_ones_is_proposed_by_itself():
    line = at_vendor()
    receipt = receive(counted(line, 8, rejected=2))

    assert invoices.watch_charge_backs(at=moment(LATER)) == 1
    assert invoices.watch_charge_backs(at=moment(LATER)) == 0

    one = ChargeBack.objects.get()
    assert (one.kind, one.status, one.amount, one.set_off, one.quantity) == ("unpaid_work", "proposed", 200, 200, 2)
    assert (one.receipt_line.receipt, invoices.total_not_invoiced()) == (receipt, 1000)
    invoices.decide_charge_back(charge_back_id=one.pk, status="claimed", by=clerk(), at=moment(LATER))
    paid(asked(line, 8, 100))
    assert invoices.total_not_invoiced() == 0 == booked("not_invoiced")
    assert invoices.watch_charge_backs(at=moment(LATER)) == 0


@pytest.mark.parametrize("amount", ["999999999999999", "0.001"])
def test_an_amount_that_no_journal_could_hold_is_not_claimed(amount):
    line = at_vendor()

    with pytest.raises(InvalidQuantity):
        invoices.charge_back(
            order_line_id=line.pk, kind="lateness", amount=Decimal(amount), reason="late", by=clerk(), at=moment(LATER)
        )

    assert booked("claims") == 0


@pytest.mark.parametrize("first", ["claimed", "invoiced"])
def test_bad_pieces_leave_their_price_unpaid_and_no_charge_of_the_line(first):
    line = at_vendor()
    OrderLine.objects.filter(pk=line.pk).update(
        lot_charge=10, freight=20, amount=1030, amount_company=1030, sent_amount=1030, sent_amount_company=1030
    )
    receive(counted(line, 8, rejected=2))
    invoices.watch_charge_backs(at=moment(LATER))
    one = ChargeBack.objects.get()
    assert (one.amount, one.set_off) == (200, 200)

    bill = [asked(line, 8, 100), charge("lot", 10), charge("freight", 20)]
    if first == "invoiced":
        paid(*bill)
    invoices.decide_charge_back(charge_back_id=one.pk, status="claimed", by=clerk(), at=moment(LATER))
    if first == "claimed":
        paid(*bill)

    assert invoices.total_not_invoiced() == 0 == booked("not_invoiced")


def test_a_third_of_a_cent_too_much_is_no_sign_that_bad_pieces_were_paid():
    line = at_vendor(quantity=3)
    OrderLine.objects.filter(pk=line.pk).update(
        work_amount=200, amount=200, amount_company=200, sent_amount=200, sent_amount_company=200,
        unit_price=Decimal("66.66667"), sent_unit_price=Decimal("66.66667"),
    )  # fmt: skip
    receive(counted(line, 2, rejected=1))
    invoices.watch_charge_backs(at=moment(LATER))
    one = ChargeBack.objects.get()
    paid(asked(line, 2, "66.66667"))
    assert (one.set_off, invoices.total_not_invoiced()) == (Decimal("66.67"), Decimal("66.66667"))

    invoices.decide_charge_back(charge_back_id=one.pk, status="claimed", by=clerk(), at=moment(LATER))

    assert abs(invoices.total_not_invoiced()) < Decimal("0.005")


@pytest.mark.parametrize("rules", [{"pay_for": "received"}, {}], ids=["all that came is paid", "our fault"])
def test_no_unpaid_work_is_proposed_where_it_is_paid(rules):
    line = at_vendor(**rules)
    receipt = receive(counted(line, 8, rejected=2))
    if not rules:
        receipt.lines.update(fault="ours")

    assert invoices.watch_charge_backs(at=moment(LATER)) == 0


def test_a_reversed_receipt_and_what_was_taken_out_by_hand_leave_no_proposal():
    line = at_vendor()
    receipt = receive(counted(line, 8, rejected=2))
    invoices.watch_charge_backs(at=moment(LATER))

    by_hand = unpaid(line)

    proposal = ChargeBack.objects.exclude(pk=by_hand.pk).get()
    assert (by_hand.amount, proposal.amount) == (200, 0)
    invoices.decide_charge_back(charge_back_id=by_hand.pk, status="waived", reason="no", by=clerk(), at=moment(LATER))
    invoices.watch_charge_backs(at=moment(LATER))
    proposal.refresh_from_db()
    assert proposal.amount == 200
    reverse(receipt)
    invoices.watch_charge_backs(at=moment(LATER))
    proposal.refresh_from_db()
    assert (proposal.amount, proposal.set_off) == (0, 0)


def test_work_he_was_paid_for_is_not_taken_out():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    invoices.watch_charge_backs(at=moment(LATER))
    paid(asked(line, 10, 100))

    with pytest.raises(NothingUnpaid, match="he was paid for these pieces"):
        invoices.decide_charge_back(
            charge_back_id=ChargeBack.objects.get().pk, status="claimed", by=clerk(), at=moment(LATER)
        )

    assert ChargeBack.objects.get().status == "proposed"


@pytest.mark.parametrize("pay_for", ["received", "accepted"])
def test_rejects_he_was_paid_for_are_claimed_whole_and_nothing_is_set_off(pay_for):
    line = at_vendor(rejects="charge_vendor", pay_for=pay_for)
    receive(counted(line, 8, rejected=2))
    paid(asked(line, 10, 100))
    invoices.watch_charge_backs(at=moment(LATER))

    one = invoices.decide_charge_back(
        charge_back_id=ChargeBack.objects.get().pk, status="claimed", by=clerk(), at=moment(LATER)
    )

    assert (one.amount, one.set_off, one.claim) == (400, 0, 400)
    assert invoices.total_not_invoiced() == 0 == booked("not_invoiced")


def test_a_claim_let_go_after_the_day_still_counts_on_it():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    one = unpaid(line)
    invoices.decide_charge_back(
        charge_back_id=one.pk, status="waived", reason="He was right", by=clerk(), at=moment(date(2026, 4, 2))
    )

    (letter,) = accounting.prepare_confirmations(as_of=LATER, by=clerk(), at=moment(date(2026, 4, 7)))

    assert letter.not_invoiced == 800


def test_a_vendor_is_asked_to_confirm_what_is_owed_without_what_was_set_off():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    unpaid(line)

    (letter,) = accounting.prepare_confirmations(as_of=LATER, by=clerk(), at=moment(date(2026, 4, 7)))

    assert letter.not_invoiced == 800 == invoices.total_not_invoiced()
