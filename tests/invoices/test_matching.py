"""What may be paid: accepted and not invoiced yet, at the agreed price, within the tolerances; else held, with the reason."""

from __future__ import annotations

from decimal import Decimal

import pytest

from activity.models import Alert
from core.refusals import WrongState
from invoices import services as invoices
from invoices.models import Invoice, Match, PaymentExport
from invoices.services import DuplicateInvoice, NoLongerFits, NotOrdered, NoWeight, OwnInvoice, PriceStillOpen
from masterdata.models import Item
from receipts import services as receipts
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.invoices.bills import (
    approve,
    asked,
    charge,
    clerk,
    credit,
    enter,
    held,
    match,
    paid,
    release,
    went,
)  # fmt: skip
from tests.played import played
from tests.receipts.back import return_product
from tests.receipts.goods import LATER, at_vendor, counted, move_on, receive, reverse, ship, worth

PLATE = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}


def test_an_invoice_over_two_receipts_takes_the_first_first():
    line = at_vendor()
    receive(counted(line, 6), note="DN-1")
    receive(counted(line, 4), note="DN-2")

    invoice = enter(asked(line, 7, 100))

    assert held(invoice) == []
    found = Match.objects.order_by("pk").values_list("receipt_line__receipt__note", "quantity", "agreed", "amount")
    assert list(found) == [("DN-1", 6, 600, 600), ("DN-2", 1, 100, 100)]


def test_many_invoices_share_one_receipt_and_the_last_may_not_ask_for_more():
    line = at_vendor()
    receive(counted(line, 10))

    assert held(enter(asked(line, 4, 100), number="A")) == []
    assert held(enter(asked(line, 6, 100), number="B")) == []
    over = enter(asked(line, 1, 100), number="C")

    assert held(over) == ["over_invoice"]
    assert over.holds.get().detail == ("1 are asked for, 0 may be paid (10 accepted, 10 invoiced before).")
    alert = Alert.objects.open().get(kind="invoice_held")
    assert (alert.subject, alert.order_number, alert.line_no) == (over.number, "SC-00001", 1)


def test_where_all_that_came_is_paid_a_hold_counts_what_was_received():
    line = at_vendor(pay_for="received")
    receive(counted(line, 8, rejected=2))
    over = enter(asked(line, 11, 100))

    assert held(over) == ["over_invoice"]
    assert over.holds.get().detail == "11 are asked for, 10 may be paid (10 received, 0 invoiced before)."


def test_only_accepted_pieces_are_paid():
    line = at_vendor()

    receive(counted(line, 8, rejected=2))

    assert held(enter(asked(line, 10, 100))) == ["over_invoice"]


def test_all_that_came_is_paid_where_the_policy_says_so():
    line = at_vendor(pay_for="received")

    receive(counted(line, 8, rejected=2))

    assert held(enter(asked(line, 10, 100))) == []


def test_a_line_keeps_the_tolerances_it_was_ordered_with():
    line = at_vendor(price_tolerance_pct=5, quantity_tolerance_pct=10)
    receive(counted(line, 10))

    plans.load(
        {"policies": [{**PLATE, "price_tolerance_pct": 50, "quantity_tolerance_pct": 50, "pay_for": "received"}]}
    )
    plans.generate()

    assert held(enter(asked(line, 12, 106), number="A")) == ["over_invoice", "price_out_of_tolerance"]
    assert held(enter(asked(line, 11, 105), number="B")) == []


def test_a_draft_follows_the_tolerances_of_its_policy_until_it_is_sent():
    plans.base(policies=[PLATE])
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()

    plans.load(
        {"policies": [{**PLATE, "price_tolerance_pct": 5, "price_tolerance_amount": "7.5", "pay_for": "received"}]}
    )
    plans.generate()

    line = plans.line(1)
    assert (line.price_tolerance_pct, line.price_tolerance_amount, line.pay_for) == (5, Decimal("7.5"), "received")


def test_pieces_that_wait_for_inspection_are_not_paid_yet():
    line = at_vendor(inspection="all")
    receipt = receive(counted(line, 10))
    invoice = enter(asked(line, 10, 100))
    assert held(invoice) == ["over_invoice"]
    assert "10 wait for inspection" in invoice.holds.get().detail

    receipts.inspect_receipt(
        receipt_id=receipt.pk, line_no=1, accepted=Decimal(10), by=plans.boss(), at=moment(LATER)
    )  # fmt: skip

    assert held(invoice) == []


def test_quantity_and_price_have_their_tolerances():
    line = at_vendor(price_tolerance_pct=5, quantity_tolerance_pct=10)
    receive(counted(line, 10))

    assert held(enter(asked(line, 12, 106), number="A")) == ["over_invoice", "price_out_of_tolerance"]
    assert held(enter(asked(line, 11, 105), number="B")) == []


def test_what_is_paid_within_the_tolerance_beyond_what_came_is_variance():
    line = at_vendor(quantity_tolerance_pct=10)
    receive(counted(line, 10))

    paid(asked(line, 11, 100))

    assert went() == (0, 100)
    assert invoices.total_not_invoiced() == 0


def test_a_line_of_an_invoice_can_name_the_vendors_note():
    line = at_vendor()
    receive(counted(line, 6), note="DN-1")
    second = receive(counted(line, 4), note="DN-2")
    noted = invoices.find_noted(vendor_id=line.vendor_id, note="DN-2", by=clerk())

    over = enter(asked(line, 5, 100, receipt_id=noted.receipt_id), number="A")
    fits = enter(asked(line, 4, 100, receipt_id=noted.receipt_id), number="B")

    assert held(over) == ["over_invoice"]
    assert held(fits) == []
    assert Match.objects.get(line__invoice=fits).receipt_line == second.lines.get()


def test_a_price_still_open_is_set_by_a_buyer_and_never_let_pass():
    line = at_vendor()
    receive(counted(line, 10))
    OrderLine.objects.filter(pk=line.pk).update(is_price_open=True)
    invoice = enter(asked(line, 10, 130))
    assert held(invoice) == ["price_open"]

    with pytest.raises(PriceStillOpen):
        release(invoice)

    assert Invoice.objects.get().status == "held"


def test_a_price_set_after_the_goods_came_revalues_them():
    line = at_vendor()
    receive(counted(line, 10))
    OrderLine.objects.filter(pk=line.pk).update(
        unit_price=130, work_amount=1300, amount=1300, amount_company=1300
    )  # fmt: skip

    paid(asked(line, 10, 130))

    assert worth("FG") == 10 * (100 + 130)
    assert went() == (0, 0)
    assert invoices.total_not_invoiced() == 0


def test_the_same_number_of_a_vendor_is_entered_once():
    line = at_vendor()
    receive(counted(line, 10))
    first = enter(asked(line, 4, 100), number="INV-1")
    before = plans.rows_written()

    with pytest.raises(DuplicateInvoice):
        enter(asked(line, 4, 90), number=" inv-1")

    assert plans.rows_written() == before
    invoices.withdraw_invoice(invoice_id=first.pk, by=clerk(), at=moment(LATER))
    assert enter(asked(line, 4, 90), number="INV-1").status == "entered"


def test_the_same_day_and_amount_under_another_number_is_held():
    line = at_vendor()
    receive(counted(line, 10))
    match(enter(asked(line, 4, 100), number="INV-1", invoice_date=LATER))

    assert held(enter(asked(line, 4, 100), number="INV-01", invoice_date=LATER)) == ["possible_duplicate"]
    assert held(enter(asked(line, 4, 100), number="INV-2")) == []  # nobody knows its day


def test_an_order_never_sent_cannot_be_invoiced():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    before = plans.rows_written()

    with pytest.raises(NotOrdered):
        enter(asked(plans.line(1), 1, 100))

    assert plans.rows_written() == before


def test_who_entered_an_invoice_does_not_release_it():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = enter(asked(line, 10, 112))
    assert held(invoice) == ["price_out_of_tolerance"]
    before = plans.rows_written()

    with pytest.raises(OwnInvoice):
        release(invoice, by=clerk())
    assert plans.rows_written() == before

    assert release(invoice).status == "matched"
    assert [hold.code for hold in invoice.holds.all()] == ["price_out_of_tolerance"]  # to be read afterwards
    assert not Alert.objects.open().filter(kind="invoice_held").exists()


def test_a_release_lets_pass_what_was_seen_and_nothing_more():
    line = at_vendor()
    receipt = receive(counted(line, 10))
    invoice = enter(asked(line, 10, 112))
    match(invoice)
    reverse(receipt)

    with pytest.raises(NoLongerFits):
        release(invoice)


def test_a_release_lets_pass_so_much_and_no_more_where_the_same_reason_grows():
    line = at_vendor()
    receipt = receive(counted(line, 10))
    invoice = enter(asked(line, 12, 100))
    assert held(invoice) == ["over_invoice"]
    release(invoice)

    receipts.return_product(
        receipt_line_id=receipt.lines.get().pk, quantity=Decimal(6), by=plans.boss(), at=moment(LATER)
    )

    with pytest.raises(NoLongerFits, match="12 are asked for, 4 may be paid"):
        approve(invoice)
    assert held(invoice) == ["over_invoice"]
    release(invoice)
    assert approve(invoice).status == "approved"


def test_a_price_that_was_lowered_since_it_was_held_is_looked_at_again():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = enter(asked(line, 10, 112))
    assert held(invoice) == ["price_out_of_tolerance"]

    OrderLine.objects.filter(pk=line.pk).update(unit_price=50, work_amount=500, amount=500, amount_company=500)

    with pytest.raises(NoLongerFits, match="50 was agreed"):
        release(invoice)
    OrderLine.objects.filter(pk=line.pk).update(unit_price=110, work_amount=1100, amount=1100, amount_company=1100)
    assert release(invoice).status == "matched"


def test_what_others_took_meanwhile_is_not_paid_twice():
    line = at_vendor()
    receive(counted(line, 10))
    first, second = enter(asked(line, 10, 100), number="A"), enter(asked(line, 10, 100), number="B")
    match(second)
    match(first)
    assert Invoice.objects.get(pk=first.pk).status == "held"

    approve(second)
    with pytest.raises(WrongState):
        approve(first)


def test_a_difference_goes_to_the_pieces_still_here_else_to_variance():
    line = at_vendor()
    receive(counted(line, 10))
    move_on("FG", 4)

    paid(asked(line, 10, 112))

    assert went() == (72, 48)  # 120: 6 of 10 pieces are here
    assert worth("FG") == 6 * 200 + 72


def test_less_asked_than_agreed_needs_nobody_and_makes_the_pieces_cheaper():
    line = at_vendor()
    receive(counted(line, 10))

    invoice = paid(asked(line, 10, 90))

    assert invoice.released_by is None
    assert went() == (-100, 0)
    assert worth("FG") == 1900


def test_lot_and_minimum_charges_are_matched_by_kind():
    line = at_vendor(quantity=5)
    OrderLine.objects.filter(pk=line.pk).update(
        unit_price=15, work_amount=75, minimum_top_up=25, lot_charge=10, amount=110, amount_company=110
    )
    receive(counted(line, 5))

    invoice = enter(asked(line, 5, 15), charge("minimum", 25), charge("lot", 10))

    assert held(invoice) == []
    assert list(Match.objects.order_by("pk").values_list("line__kind", "agreed", "price_difference")) == [
        ("work", 75, 0), ("minimum", 25, 0), ("lot", 10, 0),
    ]  # fmt: skip
    approve(invoice)
    assert invoices.total_not_invoiced() == 0
    assert held(enter(charge("lot", 10, line), number="B")) == ["over_invoice"]
    assert held(enter(charge("freight", 8, line), number="C")) == ["price_out_of_tolerance"]


def test_a_price_in_another_unit_is_compared_per_that_unit():
    line = at_vendor()
    OrderLine.objects.filter(pk=line.pk).update(
        unit_price=250, price_unit="100 pcs", price_factor=100, work_amount=25, amount=25, amount_company=25
    )
    receive(counted(line, 10))

    in_hundreds, in_pieces = enter(asked(line, "0.06", 250), number="A"), enter(
        asked(line, 4, "2.5", unit="pcs"), number="B"
    )  # fmt: skip

    assert held(in_hundreds) == held(in_pieces) == []
    assert [invoice.net for invoice in (in_hundreds, in_pieces)] == [15, 10]
    assert list(Match.objects.order_by("pk").values_list("quantity", "agreed")) == [(6, 15), (4, 10)]


def test_late_freight_is_spread_over_the_lines_by_value():
    line = at_vendor()
    receive(counted(line, 10))

    invoice = paid(asked(line, 10, 100), charge("freight", 30))

    assert [hold.code for hold in invoice.holds.all()] == ["price_out_of_tolerance"]
    assert worth("FG") == 2030


def test_late_freight_goes_to_the_pieces_that_were_kept_not_to_those_that_went_back():
    line = at_vendor()
    return_product(receive(counted(line, 10)), 4)
    receive(counted(line, 3), note="DN-2")
    before = worth("FG")

    paid(asked(line, 9, 100), charge("freight", 30))

    assert worth("FG") == before + 30


@played
def two_orders(**item) -> list[OrderLine]:
    """10 and 30 pieces of FG, all back from V1."""
    at_vendor()
    plans.plan("P2", "FG", 30, "2026-04-30")
    plans.generate()
    plans.send(2)
    ship(2)
    Item.objects.filter(code="FG").update(**item)
    lines = [plans.order(number).lines.get() for number in (1, 2)]
    receive(*(counted(line, line.quantity) for line in lines))
    return lines


def test_freight_by_quantity_is_spread_by_pieces_whatever_they_cost():
    small, large = two_orders(weight_kg=None)

    match(enter(asked(small, 10, 100), asked(large, 30, 50), charge("freight", 40, basis="quantity")))

    found = Match.objects.filter(line__kind="freight").order_by("order_line").values_list("order_line", "amount")
    assert list(found) == [(small.pk, 10), (large.pk, 30)]


def test_freight_by_weight_is_refused_by_name_where_a_weight_is_missing():
    small, large = two_orders(weight_kg=None)
    work = [asked(small, 10, 100), asked(large, 30, 100)]

    with pytest.raises(NoWeight, match="FG has no weight, so a charge cannot be spread by weight") as refused:
        enter(*work, charge("freight", 40, basis="weight"))

    assert refused.value.field == "lines.2.basis"
    assert not Invoice.objects.exists()


def test_freight_by_weight_is_spread_by_kilograms_and_held_back_once_a_weight_is_gone():
    small, large = two_orders(weight_kg=2)
    invoice = enter(asked(small, 10, 100), asked(large, 30, 100), charge("freight", 40, basis="weight"))

    match(invoice)

    found = Match.objects.filter(line__kind="freight").order_by("order_line").values_list("order_line", "amount")
    assert list(found) == [(small.pk, 10), (large.pk, 30)]
    Item.objects.filter(code="FG").update(weight_kg=None)
    with pytest.raises(NoWeight):
        match(invoice)
    assert Match.objects.filter(line__kind="freight").count() == 2


def test_a_credit_note_at_the_invoiced_price_takes_pieces_back():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    invoice = enter(asked(line, 10, 100))
    assert held(invoice) == ["over_invoice"]

    note = credit(invoice, asked(line, 2, 100))

    invoice.refresh_from_db()
    assert (invoice.status, note.status) == ("matched", "matched")
    approve(invoice)
    note.refresh_from_db()
    assert note.status == "approved"
    assert went() == (0, 0)
    assert invoices.total_not_invoiced() == 200  # the work on the two bad pieces, not asked for any more
    assert held(enter(asked(line, 1, 100), number="B")) == ["over_invoice"]


def test_a_credit_note_at_another_price_takes_money_off():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = paid(asked(line, 10, 112))
    assert worth("FG") == 2120

    credit(invoice, asked(line, 10, 12))

    assert worth("FG") == 2000
    assert went() == (0, 0)
    with pytest.raises(invoices.OverCredit):
        credit(invoice, asked(line, 11, 100))


def test_bad_pieces_are_charged_back_where_the_policy_says_so():
    line = at_vendor(rejects="charge_vendor")
    receipt = receive(counted(line, 8, rejected=2))

    invoices.watch_charge_backs(at=moment(LATER))
    invoices.watch_charge_backs(at=moment(LATER))

    [one] = invoices.charging_back.ChargeBack.objects.all()
    assert (one.amount, one.set_off, one.quantity, one.status) == (400, 200, 2, "proposed")
    reverse(receipt)
    invoices.watch_charge_backs(at=moment(LATER))
    one.refresh_from_db()
    assert one.amount == 0


def test_a_claimed_charge_back_sets_the_unpaid_work_off():
    line = at_vendor(rejects="charge_vendor")
    receive(counted(line, 8, rejected=2))
    invoices.watch_charge_backs(at=moment(LATER))
    paid(asked(line, 8, 100))
    assert invoices.total_not_invoiced() == 200

    one = invoices.charging_back.ChargeBack.objects.get()
    invoices.decide_charge_back(charge_back_id=one.pk, status="claimed", by=clerk(), at=moment(LATER))

    assert invoices.total_not_invoiced() == 0


def test_we_can_write_the_invoice_ourselves():
    line = at_vendor()
    receive(counted(line, 6), note="DN-1")

    made = invoices.self_bill(vendor_id=line.vendor_id, by=clerk(), at=moment(LATER))

    assert (made.status, made.kind, made.net) == ("matched", "self_billed", 600)
    with pytest.raises(invoices.NothingToBill):
        invoices.self_bill(vendor_id=line.vendor_id, by=clerk(), at=moment(LATER))


def test_approved_invoices_are_handed_over_once():
    line = at_vendor()
    receive(counted(line, 10))
    invoice = paid(asked(line, 10, 100, tax_rate=Decimal(19)))

    made = invoices.export_approved(by=clerk(), at=moment(LATER))

    text = made.content
    header, row = text.strip().split("\n")
    values = dict(zip(header.split(","), row.split(","), strict=True))
    assert (values["vendor_number"], values["net"], values["tax"], values["order"]) == (
        "INV-1", "1000.00", "190.00", "SC-00001",
    )  # fmt: skip
    invoice.refresh_from_db()
    assert (invoice.status, invoice.gross, invoice.payment_export) == ("exported", 1190, made)
    assert (made.number, made.invoices, made.exported_by) == ("PX-00001", 1, clerk())
    with pytest.raises(invoices.NothingToExport):
        invoices.export_approved(by=clerk(), at=moment(LATER))


def test_one_invoice_handed_over_alone_has_a_file_of_its_own_and_goes_once():
    line = at_vendor()
    receive(counted(line, 10))
    invoice, other = paid(asked(line, 4, 100), number="A"), paid(asked(line, 6, 100), number="B")
    note = credit(other, asked(line, 1, 100), number="GS")

    said = {"by": clerk(), "at": moment(LATER)}
    invoices.export_invoice(invoice_id=invoice.pk, **said)
    invoices.export_invoice(invoice_id=note.pk, **said)

    assert [made.content.count("\n") for made in PaymentExport.objects.order_by("pk")] == [2, 2]
    for again in (invoice, note):
        with pytest.raises(WrongState):
            invoices.export_invoice(invoice_id=again.pk, **said)
    assert invoices.export_approved(**said).invoices == 1


def test_invoices_and_ledger_say_the_same():
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    paid(asked(line, 8, "100.37"), charge("surcharge", "3.33"))

    assert invoices.check_invoices()[1] == []
