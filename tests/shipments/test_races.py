"""Many at the dock at once: nothing leaves twice, nothing goes below zero, nobody sees a deadlock."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.refusals import Refusal
from inventory.models import Balance
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_races import at_once
from tests.shipments.goods import component, lying, of, ordered

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SIXTEEN = range(16)


def test_sixteen_at_once_on_one_order_ship_what_it_needs_and_no_more():
    ordered(10)
    boss, order, wanted = plans.boss(), plans.order(1).pk, [of("RM", 1)]

    raised = at_once(*[lambda: shipments.ship(order_ids=[order], lines=wanted, by=boss, at=moment()) for _ in SIXTEEN])

    assert {problem.code for problem in raised if isinstance(problem, Refusal)} == {"over_send"}
    assert len(raised) == 6
    assert (component("RM").sent, lying("MAIN", "RM"), lying("AT-V1", "RM")) == (10, 990, 10)
    assert Shipment.objects.filter(status=ShipmentStatus.DELIVERED).count() == 10


def test_sixteen_orders_at_once_on_one_stock_take_what_lies_there_lot_by_lot():
    ordered(*[5] * 16, items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}])
    for lot, quantity in (("", 0), ("A", 22), ("B", 22)):
        plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": quantity, "lot": lot}]})
    boss = plans.boss()
    orders = [plans.order(number + 1).pk for number in SIXTEEN]

    raised = at_once(*[lambda pk=pk: shipments.ship(order_ids=[pk], by=boss, at=moment()) for pk in orders])

    assert {problem.code for problem in raised if isinstance(problem, Refusal)} == {"not_enough_stock"}
    assert len(raised) == 8
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (4, 40)
    assert not Balance.objects.filter(quantity__lt=0).exists()


def test_shipping_and_taking_back_at_once_end_in_one_of_both():
    ordered(10)
    boss = plans.boss()
    [made] = shipments.ship(order_ids=[plans.order(1).pk], by=boss, at=moment())

    raised = at_once(
        *[lambda: shipments.reverse(shipment_id=made.pk, by=boss, at=moment()) for _ in range(8)],
        *[lambda: shipments.ship(order_ids=[plans.order(1).pk], by=boss, at=moment()) for _ in range(8)],
    )

    assert all(isinstance(problem, Refusal) for problem in raised)
    sent = component("RM").sent
    assert sent in (Decimal(0), Decimal(10))
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (1000 - sent, sent)
