"""The journal after real acts: every entry adds up to zero, stock accounts hold the ledger, closed months stay as they are."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command

from accounting import services as accounting
from accounting.models import Confirmation, Entry, EntryLine
from accounting.services import AlreadyClosed, AlreadyPrepared, AnsweredQuantity, PeriodNotOver
from core.refusals import InvalidInput, WrongState
from invoices.services.reading import total_not_invoiced
from masterdata import services as masterdata
from masterdata.models import Item, Vendor
from receipts import services as receipts
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.invoices import bills
from tests.receipts import goods

APRIL, MAY = date(2026, 4, 7), date(2026, 5, 4)


def balances() -> dict[str, Decimal]:
    accounting.write_journal(at=moment())
    found: dict[str, Decimal] = defaultdict(Decimal)
    for role, amount in EntryLine.objects.values_list("role", "amount"):
        found[role] += amount
    assert accounting.check_journal()[1] == []
    return {role: amount for role, amount in found.items() if amount}


def booked() -> dict[str, Decimal]:
    """What the books hold: amounts as they are exported, in whole cents."""
    accounting.write_journal(at=moment())
    found: dict[str, Decimal] = defaultdict(Decimal)
    for role, amount in EntryLine.objects.values_list("role", "booked"):
        found[role] += amount
    return {role: amount for role, amount in found.items() if amount}


def receive(line, accepted, note, day, **counts):
    counted = goods.counted(line, accepted, **{name: Decimal(value) for name, value in counts.items()})
    return receipts.post_receipt(
        vendor_id=line.vendor_id, note=note, lines=[counted], by=plans.boss(), at=moment(day), received_at=moment(day)
    )


def test_material_work_and_rejects_reach_their_accounts_and_all_is_zero():
    line = goods.at_vendor()
    receive(line, 8, "DN-1", MONDAY, rejected=2)

    found = balances()

    assert found["at_vendors" if "at_vendors" in found else "raw"] != 0
    assert found["finished"] == 1600  # 8 × (100 + 100)
    assert found["scrap"] == 400
    assert found["not_invoiced"] == -1000
    assert "production" not in found
    assert sum(found.values()) == 0


def test_what_is_not_invoiced_by_the_journal_is_what_the_invoices_say():
    line = goods.at_vendor()
    receive(line, 10, "DN-1", MONDAY)
    bills.approve(bills.match(bills.enter(bills.asked(line, 4, 100), number="A")))

    found = balances()

    assert found["not_invoiced"] == -600 == -total_not_invoiced()
    assert found["payables"] == -400


def test_a_dearer_invoice_makes_the_pieces_still_here_dearer_and_owes_what_it_asks():
    line = goods.at_vendor()
    receive(line, 10, "DN-1", MONDAY)
    dear = bills.match(bills.enter(bills.asked(line, 10, 112), number="A"))
    bills.release(dear, by=bills.clerk("other"))
    bills.approve(dear)

    found = balances()

    assert found["payables"] == -1120
    assert found["finished"] == 2120
    assert "not_invoiced" not in found


@pytest.mark.parametrize("at_once", [True, False])
def test_accounts_that_come_to_nothing_come_to_nothing_in_the_books_too(at_once: bool):
    """Three for 10.00 each leave at 3.33333 and 0.33 of work each is 0.333: cents alone would leave one there for ever."""
    plans.base(
        items=[{"code": "RM", "kind": "raw", "standard_cost": "3.33333"}],
        prices=[
            {
                "vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": "0.33333",
                "lead_days": 5, "valid_from": "2026-01-01",
            }
        ],
        stock=[{"item": "RM", "location": "MAIN", "quantity": 3}],
    )  # fmt: skip
    plans.plan("P1", "FG", 3, "2026-04-30")
    plans.generate()
    plans.send(1)
    goods.ship(1)
    line = plans.line(1)
    for note in ("DN-1", "DN-2", "DN-3"):
        receive(line, 1, note, MONDAY)
        if not at_once:
            booked()
    bills.paid(bills.asked(line, 3, "0.33333"), number="A")

    assert booked() == {"stock_difference": -10, "finished": 11, "payables": -1}
    assert accounting.check_journal()[1] == []


def test_writing_again_adds_nothing_and_a_reversal_is_an_entry_of_its_own():
    line = goods.at_vendor()
    receipt = receive(line, 10, "DN-1", MONDAY)
    before = balances()
    assert accounting.write_journal(at=moment()) == 0

    receipts.reverse_receipt(receipt_id=receipt.pk, by=plans.boss(), at=moment())

    assert Entry.objects.filter(document_number=receipt.number).count() == 1
    after = balances()
    assert Entry.objects.filter(document_number=receipt.number).count() == 2
    assert (before["finished"], after.get("finished")) == (2000, None)


def test_what_becomes_known_after_closing_counts_on_the_first_open_day():
    line = goods.at_vendor()
    receive(line, 4, "DN-1", date(2026, 3, 30))
    accounting.close_period(month=date(2026, 3, 1), by=plans.boss(), at=moment(APRIL))
    late = receipts.post_receipt(
        vendor_id=line.vendor_id, note="DN-2", lines=[goods.counted(line, 3)], by=plans.boss(), at=moment(APRIL),
        received_at=moment(date(2026, 3, 31)),
    )  # fmt: skip
    receive(line, 3, "DN-3", APRIL)
    accounting.write_journal(at=moment(APRIL))

    entry = Entry.objects.get(document_number=late.number)
    assert (entry.event_date, entry.posting_date) == (date(2026, 3, 31), date(2026, 4, 1))
    days = dict(Entry.objects.filter(document_kind="receipt").values_list("document_number", "posting_date"))
    assert days["GR-00001"] == date(2026, 3, 30)
    assert days["GR-00003"] == APRIL


def test_a_correction_after_closing_leaves_the_closed_month_as_it_was():
    line = goods.at_vendor()
    receipt = receive(line, 4, "DN-1", date(2026, 3, 30))
    accounting.close_period(month=date(2026, 3, 31), by=plans.boss(), at=moment(APRIL))
    march = list(Entry.objects.filter(posting_date__lte="2026-03-31").values_list("key", "lines__amount"))

    receipts.correct_receipt(
        receipt_id=receipt.pk, line_no=1, accepted=Decimal(3), reason="counted again", by=plans.boss(), at=moment(APRIL)
    )
    accounting.write_journal(at=moment(APRIL))

    assert list(Entry.objects.filter(posting_date__lte="2026-03-31").values_list("key", "lines__amount")) == march
    correction = Entry.objects.filter(document_number=receipt.number).latest("pk")
    assert correction.posting_date > date(2026, 3, 31)
    assert balances()["finished"] == 600


def test_months_are_closed_when_they_are_over_once_and_reopened_last_first():
    with pytest.raises(PeriodNotOver):
        accounting.close_period(month=MONDAY, by=plans.boss(), at=moment(date(2026, 3, 31)))
    assert accounting.closed_through() is None

    accounting.close_period(month=date(2026, 2, 1), by=plans.boss(), at=moment(APRIL))
    accounting.close_period(month=date(2026, 3, 1), by=plans.boss(), at=moment(APRIL))
    with pytest.raises(AlreadyClosed):
        accounting.close_period(month=date(2026, 2, 1), by=plans.boss(), at=moment(APRIL))
    with pytest.raises(InvalidInput):
        accounting.reopen_period(reason=" ", by=plans.boss(), at=moment(APRIL))

    assert accounting.reopen_period(reason="a late note", by=plans.boss(), at=moment(APRIL)) == date(2026, 2, 28)
    assert accounting.reopen_period(reason="another", by=plans.boss(), at=moment(APRIL)) is None
    with pytest.raises(WrongState):
        accounting.reopen_period(reason="none", by=plans.boss(), at=moment(APRIL))


def test_the_export_names_the_companys_accounts_in_debit_and_credit():
    line = goods.at_vendor()
    receive(line, 10, "DN-1", MONDAY)
    accounting.set_account(role="finished", code="1100", name="Finished goods", by=plans.boss(), at=moment())
    accounting.write_journal(at=moment())

    rows = list(accounting.export_rows(Entry.objects.filter(document_kind="receipt").prefetch_related("lines")))

    assert [(row.account, row.debit, row.credit) for row in rows if row.account == "1100"] == [("1100", 2000, 0)]
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows) == 2000


def test_the_command_finds_an_entry_that_is_not_zero(capsys):
    line = goods.at_vendor()
    receive(line, 10, "DN-1", MONDAY)
    call_command("check_journal")
    assert capsys.readouterr().out.strip().endswith("0 differences.")

    EntryLine.objects.filter(role="finished").update(amount=1)

    with pytest.raises(SystemExit):
        call_command("check_journal")


def test_every_vendor_is_asked_what_lies_with_him_and_his_answer_is_compared():
    line = goods.at_vendor()
    receive(line, 4, "DN-1", MONDAY)

    (asked,) = accounting.prepare_confirmations(as_of=date(2026, 3, 31), by=plans.boss(), at=moment(APRIL))

    assert (asked.not_invoiced, asked.invoiced) == (400, 0)
    (lying,) = asked.lines.all()
    assert (lying.item.code, lying.quantity) == ("RM", 6)
    with pytest.raises(AlreadyPrepared):
        accounting.prepare_confirmations(as_of=date(2026, 3, 31), by=plans.boss(), at=moment(APRIL))
    with pytest.raises(WrongState):
        answer(asked, 400)

    accounting.send_confirmation(confirmation_id=asked.pk, by=plans.boss(), at=moment(APRIL))
    assert answer(asked, 400).status == "agreed"
    differs = answer(asked, 500, [AnsweredQuantity(Item.objects.get(code="RM").pk, Decimal(5))])
    assert (differs.status, differs.answered_not_invoiced - differs.not_invoiced) == ("differs", 100)
    assert differs.lines.get().answered == 5


def test_a_vendor_is_asked_once_for_all_of_his_sites():
    line = goods.at_vendor()
    head = Vendor.objects.create(code="HEAD", currency=line.order.currency)
    masterdata.set_vendor_sites(belongs_to={"V1": head.pk})
    receive(line, 8, "DN-1", MONDAY)
    bills.paid(bills.asked(line, 5, 100))

    (letter,) = accounting.prepare_confirmations(as_of=date(2026, 3, 31), by=plans.boss(), at=moment(APRIL))

    assert (letter.vendor, letter.not_invoiced, letter.invoiced) == (head, 300, 500)
    assert [(one.item.code, one.quantity) for one in letter.lines.all()] == [("RM", 2)]


def answer(asked: Confirmation, not_invoiced: int, material: list[AnsweredQuantity] | None = None) -> Confirmation:
    return accounting.answer_confirmation(
        confirmation_id=asked.pk, not_invoiced=Decimal(not_invoiced), material=material, by=plans.boss(), at=moment(MAY)
    )
