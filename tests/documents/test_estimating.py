"""What stands on a line nobody has agreed a price for: what was paid last, as it was frozen."""

from decimal import Decimal

from documents import services as documents
from documents.services import reading
from policies.services import Change, SupposedPolicy
from receipts.models import Receipt
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import MONDAY
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
