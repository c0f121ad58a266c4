"""Where a vendor's pieces come back to once he was told: home where the next step comes inside, with him where it goes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from activity.models import Alert, Event
from documents import services as documents
from masterdata.models import Location, Vendor
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from shipments.models import ShipmentLine, ShipmentStatus
from subcontract_orders.models import OrderComponent, OrderLine, OrderStatus
from subcontract_orders.printing import order_paper
from subcontract_orders.printing.electronic import order_xml
from tests.documents import plans
from tests.documents.test_runs import CHAIN
from tests.played import played
from tests.receipts import goods

DAY = plans.MONDAY


@played
def chain(**tables: Any) -> None:
    """400 shims, cut at CUTTER and then hardened at HEAT; the cutter has his order."""
    plans.load({**CHAIN, **tables}, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")
    plans.generate()
    plans.send(1)


def proposed() -> Alert:
    return Alert.objects.open().get(kind="requirement_changed")


def apply() -> Alert:
    return documents.apply_alert(alert_id=proposed().pk, by=plans.boss(), at=plans.moment())


def expected(number: int = 1, line_no: int = 1) -> tuple[str, Decimal]:
    row = ExpectedReceipt.objects.get(order_line=plans.line(number, line_no))
    return row.location.code, row.quantity


def places_asked_for() -> set[tuple[str, str]]:
    alerts = Alert.objects.open().filter(kind="requirement_changed")
    return {(alert.subject, alert.after["receive_at"]) for alert in alerts if "receive_at" in alert.after}


def is_quiet() -> bool:
    plans.generate()
    return not Alert.objects.open().filter(kind__startswith="requirement").exists()


def test_a_run_says_that_a_sent_step_is_to_come_home_and_changes_nothing():
    chain()
    need = plans.line(1).need_date
    plans.word("P1", "20", "in_house")

    plans.generate()

    found = proposed()
    assert (found.before["receive_at"], found.after["receive_at"]) == ("AT-CUTTER", "MAIN")
    assert "receive at AT-CUTTER → MAIN" in found.title
    assert expected() == ("AT-CUTTER", 400)
    assert (plans.line(1).receive_at.code, plans.line(1).need_date) == ("AT-CUTTER", need)


def test_applied_it_is_a_revision_that_tells_the_vendor_where_to():
    chain()
    plans.word("P1", "20", "in_house")
    plans.generate()

    apply()

    order = plans.order(1)
    assert (order.status, order.revision, order.receive_at.code) == (OrderStatus.SENT, 2, "MAIN")
    told = order.revisions.order_by("revision").values_list("content", flat=True)
    assert [content["lines"][0]["receive_at"] for content in told] == ["AT-CUTTER", "MAIN"]
    said = Event.objects.get(name="order.revised").data
    assert (said["before"]["receive_at"], said["after"]["receive_at"]) == ("AT-CUTTER", "MAIN")
    assert expected() == ("MAIN", 400)
    assert is_quiet()


def test_what_came_before_lies_where_it_came_and_only_the_rest_comes_home():
    chain()
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 250))
    plans.word("P1", "20", "in_house")
    plans.generate()

    apply()
    goods.receive(goods.counted(plans.line(1), 150), note="DN-2")

    assert (goods.lying("AT-CUTTER", "SHIM", stage="P1/10"), goods.lying("MAIN", "SHIM", stage="P1/10")) == (250, 150)


def fetched_from_two_places() -> None:
    """Of 400 pieces 300 go on from the cutter's place and 100 from home."""
    chain()
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 250))
    plans.word("P1", "20", "in_house")
    plans.generate()
    apply()
    goods.receive(goods.counted(plans.line(1), 100), note="DN-2")
    plans.word("P1", "20", "outsource", vendor="HEAT")
    plans.generate()
    assert (proposed().before["receive_at"], proposed().after["receive_at"]) == ("MAIN", "AT-CUTTER")

    apply()
    plans.generate()


def test_a_step_that_goes_out_again_fetches_what_came_where_it_lies():
    fetched_from_two_places()

    assert expected() == ("AT-CUTTER", 50)
    planned = ShipmentLine.objects.filter(shipment__status=ShipmentStatus.PLANNED, stage="P1/10")
    assert sorted(planned.values_list("shipment__from_location__code", "quantity")) == [
        ("AT-CUTTER", 300),
        ("MAIN", 100),
    ]


def left_there() -> list[tuple[str, str, dict[str, str]]]:
    found = Alert.objects.open().filter(kind="material_left_at_vendor").order_by("subject")
    return list(found.values_list("subject", "proposes", "before"))


def test_pieces_that_came_before_are_proposed_to_come_home_and_do():
    chain()
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 250))
    plans.generate()
    assert left_there() == []  # they wait for the hardener
    plans.word("P1", "20", "in_house")

    plans.generate()

    assert left_there() == [("AT-CUTTER/P1/10", "return", {"SHIM": "250"})]
    alert = Alert.objects.open().get(kind="material_left_at_vendor")
    assert alert.title == "250 SHIM of P1, finished at operation 10, lie at CUTTER and no vendor takes them on"
    documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=plans.moment(goods.LATER))
    assert (goods.lying("AT-CUTTER", "SHIM", stage="P1/10"), goods.lying("MAIN", "SHIM", stage="P1/10")) == (0, 250)
    assert left_there() == []


def test_pieces_nobody_knows_the_next_step_of_are_not_called_home():
    chain()
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 400))
    Vendor.objects.filter(code="HEAT").update(is_active=False)

    plans.generate()

    assert left_there() == []


def test_pieces_of_a_plan_that_is_cancelled_are_left_until_they_are_home():
    chain()
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 400))
    plans.cancel("P1")

    plans.generate()

    assert left_there() == [("AT-CUTTER/P1/10", "return", {"SHIM": "400"})]
    receipts.return_material(vendor_id=plans.order(1).vendor_id, by=plans.boss(), at=plans.moment(goods.LATER))
    assert left_there() == []


def test_while_a_vendor_still_has_the_next_step_the_pieces_go_on_to_him():
    chain()
    plans.send(2)
    plans.word("P1", "20", "in_house")

    plans.generate()

    cancelled = Alert.objects.open().get(kind="requirement_cancelled")
    assert places_asked_for() == set()
    documents.apply_alert(alert_id=cancelled.pk, by=plans.boss(), at=plans.moment())
    plans.generate()
    assert proposed().after["receive_at"] == "MAIN"


def test_what_the_next_vendor_is_done_with_does_not_keep_the_rest_away_from_home():
    chain()
    plans.send(2)
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 100))
    goods.ship(2, SHIM=100)
    goods.receive(goods.counted(plans.line(2), 100), note="DN-2")
    plans.word("P1", "20", "in_house")
    plans.generate()
    cancelled = Alert.objects.open().get(kind="requirement_cancelled")
    documents.apply_alert(alert_id=cancelled.pk, by=plans.boss(), at=plans.moment())

    plans.generate()

    assert proposed().after["receive_at"] == "MAIN"


def test_nobody_is_asked_to_bring_home_what_only_waits_for_a_vendor():
    chain()
    Vendor.objects.filter(code="HEAT").update(is_active=False)

    plans.generate()

    assert places_asked_for() == set()
    assert expected() == ("AT-CUTTER", 400)


def test_pieces_ordered_with_inspection_come_home_whatever_follows():
    looked_at = [CHAIN["policies"][0] | {"inspection": "all"}, CHAIN["policies"][1]]
    chain(policies=looked_at)
    assert expected() == ("MAIN", 400)

    plans.load({"policies": CHAIN["policies"]})

    assert is_quiet()


def test_a_plan_that_is_made_for_another_place_of_ours_takes_its_pieces_there():
    chain()
    plans.send(2)
    plans.load({"locations": [{"code": "HALL2", "kind": "production", "site": "MAIN"}]})
    order = plans.line(2).production_order
    order.location = Location.objects.get(code="HALL2")
    order.save()

    plans.generate()

    assert places_asked_for() == {("SC-00002/1", "HALL2")}


def test_a_dearer_revision_that_waits_leaves_the_place_in_force():
    chain()
    plans.word("P1", "20", "in_house")
    plans.plan("P1", "SHIM", 500, "2026-04-30")
    plans.generate()
    assert (proposed().after["quantity"], proposed().after["receive_at"]) == ("500", "MAIN")

    apply()

    assert plans.order(1).revision_waits
    assert (plans.line(1).receive_at.code, expected()) == ("MAIN", ("AT-CUTTER", 400))
    assert b"AT-CUTTER" in order_xml(order_id=plans.order(1).pk)
    documents.withdraw_revision(order_id=plans.order(1).pk, by=plans.boss(), at=plans.moment())
    assert (plans.line(1).receive_at.code, expected()) == ("AT-CUTTER", ("AT-CUTTER", 400))


def test_sent_it_is_in_force():
    chain()
    plans.word("P1", "20", "in_house")
    plans.plan("P1", "SHIM", 500, "2026-04-30")
    plans.generate()
    apply()

    plans.send(1)

    assert (plans.order(1).receive_at.code, expected()) == ("MAIN", ("MAIN", 500))


def test_the_paper_says_of_each_line_where_its_goods_come_back_to(monkeypatch: pytest.MonkeyPatch):
    weekly = [CHAIN["policies"][0] | {"consolidate": "month"}, CHAIN["policies"][1]]
    plans.load(CHAIN | {"policies": weekly}, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")
    plans.plan("P2", "SHIM", 300, "2026-04-30")
    plans.word("P2", "20", "in_house")
    plans.generate()
    drawn: dict[str, Any] = {}
    monkeypatch.setattr("subcontract_orders.printing.as_pdf", lambda template, context: drawn.update(context) or b"")

    order_paper(order_id=plans.order(1).pk)

    assert [line.operation_no for line in plans.order(1).lines.order_by("line_no")] == ["10", "10"]
    assert drawn["paper"].back_to == ""
    assert {(line.quantity, line.back_to) for line in drawn["lines"]} == {
        ("400", "They stay at your place and go on from there"),
        ("300", "Main store"),
    }


@pytest.mark.parametrize(
    ("quantity", "gives"), [(350, {"MAIN": 100, "AT-CUTTER": 250}), (60, {"MAIN": 60, "AT-CUTTER": 0})]
)
def test_pieces_from_two_places_give_the_quantity_together(quantity: int, gives: dict[str, int]):
    fetched_from_two_places()
    line = OrderLine.objects.active().get(operation_no="20")

    by = {"order_id": line.order_id, "by": plans.boss(), "at": plans.moment()}
    documents.change_line(line_no=line.line_no, quantity=Decimal(quantity), reason="less", **by)

    rows = OrderComponent.objects.filter(line=line, stage="P1/10").order_by("position")
    assert dict(rows.values_list("ship_from__code", "required")) == gives


def test_what_has_left_one_of_two_places_stays_and_the_other_gives_less():
    fetched_from_two_places()
    line = OrderLine.objects.active().get(operation_no="20")
    for act in (documents.approve_set, documents.send_set):
        act(order_id=line.order_id, by=plans.boss(), at=plans.moment())
    rows = OrderComponent.objects.filter(line=line, stage="P1/10")
    rows.filter(ship_from__code="AT-CUTTER").update(sent=290)

    documents.revise_line(
        order_id=line.order_id, line_no=line.line_no, quantity=Decimal(360), by=plans.boss(), at=plans.moment()
    )

    assert dict(rows.values_list("ship_from__code", "required")) == {"MAIN": 70, "AT-CUTTER": 290}
