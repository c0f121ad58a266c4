"""What a production order costs, by operation, and why it differs: the causes always add up to the deviation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from activity.models import Alert
from documents import services as documents
from invoices.models import Match
from production.models import ProductionOrder
from receipts import services as receipts
from reports import services as reports
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.invoices import bills
from tests.receipts import goods, test_by_products


def receive(line: Any, accepted: int, *, day: date = MONDAY, note: str = "DN-1", **counts: int) -> Any:
    counted = goods.counted(line, accepted, **{name: Decimal(count) for name, count in counts.items()})
    return receipts.post_receipt(vendor_id=line.vendor_id, note=note, lines=[counted], by=plans.boss(), at=moment(day))


def the_one() -> Any:
    cost = reports.order_cost(ProductionOrder.objects.get(number="P1"))
    (row,) = cost.operations
    assert row.deviation == row.causes.total == cost.deviation
    return row


def test_an_operation_that_went_as_planned_deviates_by_nothing():
    line = goods.at_vendor()
    assert (the_one().expected, the_one().committed, the_one().actual) == (2000, 1000, 0)

    receive(line, 10)

    row = the_one()
    assert (row.expected, row.committed, row.actual, row.deviation) == (2000, 1000, 2000, 0)


def test_bad_pieces_are_a_deviation_of_yield():
    receive(goods.at_vendor(), 8, rejected=2)

    row = the_one()

    assert (row.actual, row.causes.yield_, row.causes.price, row.causes.quantity) == (2000, 400, 0, 0)


def test_half_done_is_compared_with_half_of_what_was_expected():
    receive(goods.at_vendor(), 5)

    assert (the_one().actual, the_one().deviation) == (1000, 0)


def test_what_a_closed_order_never_brings_is_neither_expected_nor_committed():
    line = goods.at_vendor()
    receive(line, 8)
    documents.close_set(order_id=line.order_id, leftovers="keep", by=plans.boss(), at=moment(MONDAY))
    plans.generate()  # the two that are missing, on an order of their own

    row = the_one()

    assert (row.expected, row.committed, row.actual, row.deviation) == (2000, 1000, 1600, 0)
    order = ProductionOrder.objects.get(number="P1")
    assert reports.order_costs([order])[order.pk].expected == 2000


def test_pieces_ordered_again_for_bad_ones_were_not_expected():
    line = goods.at_vendor()
    receive(line, 8, rejected=2)
    alert = Alert.objects.open().get(kind="short_receipt")
    documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=moment(MONDAY))
    plans.generate()
    plans.send(2)
    goods.ship(2)

    assert (the_one().expected, the_one().committed) == (2000, 1200)

    receive(plans.line(2), 2, note="DN-2")

    row = the_one()
    assert (row.expected, row.actual, row.deviation, row.causes.yield_) == (2000, 2400, 400, 400)
    order = ProductionOrder.objects.get(number="P1")
    assert (reports.order_costs([order])[order.pk].expected, reports.order_cost(order).expected) == (2000, 2000)


def test_an_order_closed_with_nothing_made_leaves_what_was_decided():
    line = goods.at_vendor()
    documents.close_set(order_id=line.order_id, leftovers="keep", by=plans.boss(), at=moment(MONDAY))

    assert (the_one().committed, the_one().deviation) == (0, 0)


def test_a_dearer_invoice_is_a_deviation_of_price():
    line = goods.at_vendor()
    receive(line, 10)
    dear = bills.match(bills.enter(bills.asked(line, 10, 112), number="A"))
    bills.release(dear, by=bills.clerk("other"))
    bills.approve(dear)

    row = the_one()

    assert (row.differences, row.actual, row.causes.price, row.causes.exchange) == (120, 2120, 120, 0)


def test_more_material_than_the_bill_says_is_a_deviation_of_quantity():
    line = goods.at_vendor(shipped="12", over_send_pct=20)
    receipt = receive(line, 10)
    receipts.adjust_consumption(
        receipt_id=receipt.pk, line_no=1, item_id=line.components.get().item_id, quantity=Decimal(2), by=plans.boss(), at=moment()
    )  # fmt: skip

    assert (the_one().causes.quantity, the_one().causes.price, the_one().causes.yield_) == (200, 0, 0)


def test_what_comes_out_beside_the_pieces_is_taken_off_on_both_sides():
    line = test_by_products.sent()
    row = the_one()
    assert (row.expected_material, row.expected_work) == (1000 - 100, 1000)

    receive(line, 10)

    row = the_one()
    assert (row.by_products, row.material, row.actual) == (100, 900, 1900)
    assert (row.causes.quantity, row.causes.price, row.deviation) == (0, 0, 0)


def test_an_invoice_at_another_rate_is_a_deviation_of_the_exchange_rate():
    plans.base(
        vendors=[{"code": "US", "currency": "USD"}],
        exchange_rates=[{"currency": "USD", "rate": "0.90", "valid_from": "2026-01-01"}],
        prices=[
            {"vendor": "US", "item": "FG", "operation_name": "Plating", "currency": "USD", "unit_price": 20, "lead_days": 5,
             "valid_from": "2026-01-01"}
        ],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["US"],
                   "price_tolerance_pct": 10}],
    )  # fmt: skip
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    goods.ship(1)
    receive(plans.line(1), 10)
    plans.load({"exchange_rates": [{"currency": "USD", "rate": "0.95", "valid_from": "2026-03-05"}]})

    bills.paid(bills.asked(plans.line(1), 10, 21), vendor="US", invoice_date=date(2026, 3, 5))

    row = the_one()
    assert (row.differences, row.causes.exchange, row.causes.price) == (Decimal("19.5"), Decimal("10.5"), 9)
    match = Match.objects.get()
    assert (match.agreed, match.price_difference, match.exchange_difference) == (180, 9, Decimal("10.5"))


def test_the_api_and_the_page_show_the_cost_by_operation(client: Client):
    receive(goods.at_vendor(), 8, rejected=2)
    client.force_login(plans.boss())

    answer = client.get("/api/v1/reports/production-order-costs/P1/").json()
    page = client.get("/costs/of/P1/").content.decode()

    assert (Decimal(answer["actual"]), Decimal(answer["operations"][0]["causes"]["yield"])) == (2000, 400)
    assert client.get("/api/v1/reports/production-order-costs/").json()["results"][0]["production_order"] == "P1"
    assert "Why it differs" in page
    assert "400.00" in page
    assert client.get("/costs/of/NONE/").status_code == 404


def test_the_list_of_costs_asks_the_same_for_any_number_of_orders(client: Client):
    plans.base()
    client.force_login(plans.boss())
    asked = []
    for number in range(3):
        plans.plan(f"P{number}", "FG", 10, "2026-04-30")
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get("/api/v1/reports/production-order-costs/").json()["results"]) == number + 1
        asked.append(len(queries))

    assert asked[1] == asked[2]
