"""After which step a sent line gets its pieces, when the routing changes before it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from activity.models import Alert, Message
from documents import services as documents
from masterdata.models import Item
from production import services as production
from production.models import Operation, RoutingStep
from production.services.replacing import replace_routing
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine
from shipments.services import ToPick
from subcontract_orders.models import OrderComponent
from subcontract_orders.services import NotOfThisState
from tests.documents import plans
from tests.played import played
from tests.receipts import goods


def step(number: int, name: str, center: str = "WC-IN") -> dict[str, Any]:
    flag = "yes" if center == "OUT" else "no"
    return {"item": "SHIM", "operation_no": number, "name": name, "work_center": center, "outsourced": flag}


@played
def turned_and_plated() -> None:
    """Ten shims, turned inside, plated at V1, packed inside; V1 has his order."""
    plans.base(
        items=[{"code": "SHIM", "kind": "finished"}],
        routings=[step(10, "Turn"), step(20, "Plating", "OUT"), step(30, "Pack")],
        prices=[
            {
                "vendor": "V1",
                "item": "SHIM",
                "operation_name": "Plating",
                "currency": "EUR",
                "unit_price": 3,
                "lead_days": 4,
            }
        ],
    )
    plans.plan("P1", "SHIM", 10, "2026-04-20")
    plans.generate()
    plans.send(1)


def report(number: str, good: int) -> None:
    operation = Operation.objects.get(production_order__number="P1", operation_no=number)
    production.report_operation(operation_id=operation.pk, good=Decimal(good), by=plans.boss(), at=plans.moment())


def ship(quantity: int) -> None:
    shims = ToPick(Item.objects.get(code="SHIM").pk, Decimal(quantity))
    shipments.ship(order_ids=[plans.order(1).pk], lines=[shims], by=plans.boss(), at=plans.moment())


def deburr_first() -> None:
    plans.load({"routings": [step(15, "Deburr")]})
    plans.plan("P1", "SHIM", 10, "2026-04-20")
    plans.generate()


def proposed() -> Alert:
    return Alert.objects.open().get(kind="requirement_changed")


def apply() -> None:
    documents.apply_alert(alert_id=proposed().pk, by=plans.boss(), at=plans.moment())


def gets() -> list[tuple[str, Decimal]]:
    return list(OrderComponent.objects.order_by("position").values_list("stage", "required"))


def planned() -> list[tuple[str, Decimal]]:
    lines = ShipmentLine.objects.filter(shipment__status="planned")
    return list(lines.values_list("stage", "quantity"))


def test_a_step_that_comes_before_a_sent_line_is_said_and_applied_its_pieces_are_shipped_after_it():
    turned_and_plated()
    deburr_first()

    found = proposed()
    assert (found.before["pieces_after"], found.after) == ("10", {"pieces_after": "15"})
    assert found.title == "SC-00001 line 1 (P1 operation 20) should change: pieces after 10 → 15"
    assert planned() == [("P1/10", 10)]
    mails = Message.objects.count()

    apply()
    plans.generate()

    assert (gets(), planned()) == ([("P1/15", 10)], [("P1/15", 10)])
    assert (plans.order(1).status, plans.order(1).revision, Message.objects.count()) == ("sent", 1, mails)
    assert not Alert.objects.open().filter(kind="requirement_changed").exists()


def test_what_has_left_stays_what_it_was_and_the_rest_goes_through_the_new_step():
    turned_and_plated()
    report("10", 10)
    ship(6)
    deburr_first()

    apply()

    assert (gets(), planned()) == ([("P1/10", 6), ("P1/15", 4)], [("P1/15", 4)])
    report("15", 4)
    ship(4)
    goods.receive(goods.counted(plans.line(1), 8))
    used = OrderComponent.objects.order_by("position").values_list("consumed", flat=True)
    assert list(used) == [6, 2]
    goods.receive(goods.counted(plans.line(1), 2), note="DN-2")
    assert list(used.all()) == [6, 4]


def test_a_step_that_is_gone_again_closes_what_was_said_of_it():
    turned_and_plated()
    deburr_first()
    assert proposed().after == {"pieces_after": "15"}
    left = RoutingStep.objects.filter(item__code="SHIM").exclude(operation_no="15").order_by("sequence")
    names = ("operation_no", "sequence", "name", "process_id", "work_center_id", "outsourced")
    steps = [{name: getattr(one, name) for name in names} for one in left]

    replace_routing(item_id=left[0].item_id, variant="", steps=steps, at=plans.moment())
    plans.plan("P1", "SHIM", 10, "2026-04-20")
    plans.generate()

    assert not Alert.objects.open().filter(kind="requirement_changed").exists()


def test_what_is_packed_is_dispatched_or_put_back_first():
    turned_and_plated()
    report("10", 10)
    deburr_first()
    Shipment.objects.update(status="picked")
    before = plans.rows_written()

    with pytest.raises(NotOfThisState):
        apply()

    assert plans.rows_written() == before


def test_what_a_vendor_has_partly_delivered_is_not_ordered_again_where_the_routing_numbers_the_step_anew():
    goods.at_vendor()
    goods.receive(goods.counted(plans.line(1), 4))
    RoutingStep.objects.filter(item__code="FG").update(operation_no="15", sequence=15)

    plans.plan("P1", "FG", 10, "2026-04-30")
    run = plans.generate()

    assert plans.lines() == [("SC-00001", "V1", "P1", "10", 10, 1000)]
    assert (run.created, Alert.objects.open().filter(kind__startswith="requirement").count()) == (0, 0)
