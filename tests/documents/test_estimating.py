"""What stands on a line nobody has agreed a price for: what was paid last, as it was frozen."""

from datetime import timedelta
from decimal import Decimal

from documents import services as documents
from documents.services import reading
from policies.services import Change, SupposedPolicy
from receipts.models import Receipt
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import MONDAY
from tests.invoices import bills
from tests.played import played
from tests.receipts import goods

ESTIMATE = {
    "code": "PLATE",
    "process": "Plating",
    "verdict": "outsource",
    "vendors": ["V1"],
    "price_missing": "estimate",
}
ENDED = {
    "vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 100, "lead_days": 5,
    "valid_from": "2026-01-01", "valid_to": "2026-03-01",
}  # fmt: skip


@played
def paid_once(unit_price: str = "100") -> None:
    """One order received at a price that has ended since, and a second production order without any price."""
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 10))
    OrderLine.objects.filter(pk=line.pk).update(unit_price=Decimal(unit_price))
    plans.load({"prices": [ENDED]})
    plans.plan("P2", "FG", 4, "2026-04-30")


def test_a_run_takes_the_price_received_last_and_the_line_stays_open():
    paid_once("97.5")
    plans.load({"policies": [ESTIMATE]})

    plans.generate()

    line = plans.line(2)
    assert (line.unit_price, line.amount, line.is_price_open) == (Decimal("97.5"), 390, True)


def test_a_simulation_supposes_the_same_price():
    paid_once()
    plans.generate()
    change = Change(policies=(SupposedPolicy("PLATE", columns={"price_missing": "estimate"}),))

    found = documents.simulate(change=change, on=MONDAY)

    assert [(one.production_order, one.before.verdict, one.after.verdict) for one in found.changed] == [
        ("P2", "blocked", "outsource")
    ]
    assert found.after.value - found.before.value == 400


def test_only_what_was_received_and_was_no_estimate_itself_was_paid():
    paid_once()
    (key,) = reading.last_paid()

    OrderLine.objects.update(is_price_open=True)
    assert reading.last_paid() == {}

    OrderLine.objects.update(is_price_open=False)
    goods.reverse(Receipt.objects.get())
    assert reading.last_paid() == {}
    assert key == (plans.order(1).vendor_id, plans.line(1).item_id, plans.line(1).process_id)


def paid() -> tuple[Decimal, Decimal]:
    """The last paid price, and how many pieces it is for."""
    ((_, found),) = reading.last_paid().items()
    return found.unit_price, found.factor


def test_an_invoice_approved_last_says_what_was_paid():
    line = goods.at_vendor(price_tolerance_pct=10)
    goods.receive(goods.counted(line, 10))
    bill = bills.enter(bills.asked(line, 10, 104))
    bills.match(bill)
    assert paid() == (100, 1)

    bills.approve(bill)

    assert paid() == (104, 1)
    plans.load({"prices": [ENDED], "policies": [ESTIMATE]})
    plans.plan("P2", "FG", 4, "2026-04-30")
    plans.generate()
    assert (plans.line(2).unit_price, plans.line(2).is_price_open) == (104, True)


def test_a_credit_on_the_price_lowers_what_was_paid_and_pieces_taken_back_do_not():
    line = goods.at_vendor(price_tolerance_pct=10)
    goods.receive(goods.counted(line, 10))
    bill = bills.paid(bills.asked(line, 10, 104))

    bills.credit(bill, bills.asked(line, 4, 104), number="C-1")
    assert paid() == (104, 1)

    bills.credit(bill, bills.asked(line, 6, 3), number="C-2")
    assert paid() == (101, 1)


def test_what_is_taken_back_whole_was_not_paid():
    line = goods.at_vendor(price_tolerance_pct=10)
    goods.receive(goods.counted(line, 10))
    bill = bills.paid(bills.asked(line, 10, 104))

    bills.credit(bill, bills.asked(line, 10, 104), number="C-1")

    assert OrderLine.objects.get().paid_unit_price is None
    assert paid() == (100, 1)


def test_a_later_receipt_at_another_agreed_price_goes_before_an_older_invoice():
    line = goods.at_vendor(price_tolerance_pct=10)
    goods.receive(goods.counted(line, 10))
    bills.paid(bills.asked(line, 10, 104))
    plans.plan("P2", "FG", 4, "2026-05-29")
    plans.generate()
    plans.send(2)
    goods.ship(2)

    goods.receive(goods.counted(plans.line(2), 1), note="DN-2", at=plans.moment(goods.LATER) + timedelta(hours=1))

    assert paid() == (100, 1)
