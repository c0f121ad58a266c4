from datetime import date, timedelta
from decimal import Decimal

import pytest

from activity.models import Event
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Stale, TooPrecise, WrongState
from documents import services as documents
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.services import NotEnoughStock
from production import services as production
from production.models import Operation
from shipments import services as shipments
from shipments.models import Shipment
from shipments.services import NothingToShip, OrderClosed, OverSend, PreviousOperationShort
from subcontract_orders.models import ComponentFlow, FlowKind
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.shipments.goods import (
    act,
    carried,
    component,
    lying,
    numbers,
    of,
    ordered,
    place,
    refused,
    send_all,
    ship,
)

TRACKED = {"items": [{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}]}
LATER = MONDAY + timedelta(days=1)


def transit(days: int, **policy: object) -> dict[str, list[dict[str, object]]]:
    plate = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], **policy}
    return {"policies": [{**plate, "transit_out_days": days}]}


# Shipping in one act


def test_all_that_is_planned_leaves_and_arrives_in_one_act_where_no_transit_days_are_set():
    ordered(10)

    made = ship()

    assert (made.number, made.status, made.dispatched_by, made.arrives_on) == (
        "SH-00001", "delivered", plans.boss(), MONDAY,
    )  # fmt: skip
    assert made.dispatched_at == made.delivered_at == moment()
    assert carried(made) == [("RM", "", Decimal(10))]
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (990, 10)
    assert (component("RM").sent, plans.order(1).material) == (10, "complete")
    [movement] = Movement.objects.filter(document_kind="shipment", document_number="SH-00001")
    assert (movement.quantity, movement.value, movement.document_line) == (10, 1000, 1)
    [flow] = ComponentFlow.objects.all()
    assert (flow.kind, flow.quantity, flow.movement, flow.document_number) == (FlowKind.SENT, 10, movement, "SH-00001")
    event = Event.objects.get(document_kind="shipment")
    assert (event.name, event.by, event.data) == ("shipment.dispatched", plans.boss(), {"orders": ["SC-00001"]})


def test_what_is_left_is_a_new_planned_shipment_and_the_rest_leaves_with_it():
    ordered(10)

    ship(lines=[of("RM", 9)])

    assert numbers() == [("SH-00001", "delivered"), ("SH-00002", "planned")]
    assert carried(Shipment.objects.get(number="SH-00002")) == [("RM", "", Decimal(1))]
    assert plans.order(1).material == "partial"

    assert ship().number == "SH-00002"
    assert numbers() == [("SH-00001", "delivered"), ("SH-00002", "delivered")]
    assert plans.order(1).material == "complete"


def test_where_nothing_is_open_nothing_is_shipped():
    ordered(10)
    ship()

    assert refused(NothingToShip, "nothing_to_do", ship) == "Nothing is open to be shipped for SC-00001."


def test_where_all_is_kept_back_the_shipment_that_keeps_it_is_named():
    ordered(10)
    ship(lines=[of("RM", 9)])
    ship(hold=True)

    said = refused(NothingToShip, "nothing_to_do", ship)

    assert said == "Nothing is open to be shipped for SC-00001. SH-00002 is held."


def test_a_closed_order_ships_nothing_until_it_is_reopened():
    ordered(10)
    ship(lines=[of("RM", 9)])
    documents.close_set(order_id=plans.order(1).pk, leftovers="keep", by=plans.boss(), at=moment())

    said = refused(OrderClosed, "closed", ship)
    shipped_then = component("RM").sent
    documents.reopen_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment())
    ship()

    assert said == "SC-00001 is closed; reopen it to ship more."
    assert (shipped_then, component("RM").sent) == (9, 10)


def test_an_order_that_is_not_sent_ships_nothing():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()

    assert refused(WrongState, "wrong_state", ship) == "SC-00001 is draft: send it first."
    planned = Shipment.objects.get()
    for service in (shipments.pick, shipments.dispatch, shipments.hold, shipments.cancel):
        refused(WrongState, "wrong_state", lambda service=service: act(service, planned))


def test_a_cancelled_order_keeps_nothing_that_could_leave():
    ordered(10)
    held = ship(hold=True)

    documents.cancel_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment())

    held.refresh_from_db()
    assert held.status == "cancelled"
    assert refused(WrongState, "wrong_state", ship) == "SC-00001 is cancelled: nothing is shipped for it."


def test_more_than_is_needed_is_refused_with_what_would_be_possible():
    ordered(10)
    ship(lines=[of("RM", 4)])

    said = refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 7)]))

    assert said == "6 more of RM may be sent for SC-00001 (10 required, 0 % over allowed); 7 were to be."


def test_the_tolerance_is_kept_over_all_shipments():
    ordered(10, **transit(0, over_send_pct=20))
    ship(lines=[of("RM", 11)])

    assert refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 2)])).startswith("1 more of RM may be sent")
    ship(lines=[of("RM", 1)])

    assert (component("RM").sent, plans.order(1).material) == (12, "complete")
    assert numbers() == [("SH-00001", "delivered"), ("SH-00002", "delivered")]


def test_a_quantity_of_a_part_is_spread_over_its_rows_and_the_tolerance_comes_last():
    policy = {"over_send_pct": 10, "consolidate": "week"}
    ordered(20, 20, **transit(0, **policy))

    ship(lines=[of("RM", 41)])

    assert [component("RM", line=line).sent for line in (1, 2)] == [21, 20]
    said = refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 3, line=2)]))
    assert said.startswith("2 more of RM may be sent")
    refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 4)]))


def test_one_line_is_served_where_it_is_named():
    ordered(20, 20, **transit(0, consolidate="week"))

    ship(lines=[of("RM", 5, line=2)])

    assert [component("RM", line=line).sent for line in (1, 2)] == [0, 5]
    assert refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 16, line=2)])).startswith("15 more")


def test_bad_quantities_and_foreign_parts_are_refused():
    ordered(10)

    refused(InvalidQuantity, "invalid_quantity", lambda: ship(lines=[of("RM", 0)]))
    refused(InvalidQuantity, "invalid_quantity", lambda: ship(lines=[of("RM", -1)]))
    refused(TooPrecise, "too_precise", lambda: ship(lines=[of("RM", "1.5")]))
    refused(InvalidInput, "invalid", lambda: ship(lines=[]))
    assert refused(NotFound, "not_found", lambda: ship(lines=[of("FG", 1)])) == "Nothing of FG is shipped for SC-00001."


def test_stock_that_is_not_there_is_refused_with_what_lies_there():
    ordered(1500)

    said = refused(NotEnoughStock, "not_enough_stock", ship)

    assert said == "Only 1000 of RM lie free at MAIN; 1500 are to be taken."


def test_several_orders_of_one_vendor_leave_on_one_shipment():
    ordered(10, 20)

    made = ship(1, 2)

    assert [(line.order_line.order.number, line.quantity) for line in made.lines.order_by("position")] == [
        ("SC-00001", 10), ("SC-00002", 20),
    ]  # fmt: skip
    assert numbers() == [("SH-00001", "delivered"), ("SH-00002", "cancelled")]
    assert [plans.order(number).material for number in (1, 2)] == ["complete", "complete"]
    act(shipments.reverse, made)
    assert [plans.order(number).material for number in (1, 2)] == ["none", "none"]
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (1000, 0)


def test_orders_of_two_vendors_do_not_leave_together():
    ordered(10)
    plans.load({
        "vendors": [{"code": "V2", "currency": "EUR"}], "items": [{"code": "FG2"}],
        "routings": [{"item": "FG2", "operation_no": 10, "name": "Tinning", "work_center": "OUT"}],
        "boms": [{"parent": "FG2", "component": "RM", "quantity": 1, "operation_no": 10, "supply": "own"}],
        "prices": [{"vendor": "V2", "item": "FG2", "operation_name": "Tinning", "currency": "EUR", "unit_price": 1,
                    "lead_days": 1, "valid_from": "2026-01-01"}],
        "policies": [{"code": "TIN", "process": "Tinning", "verdict": "outsource", "vendors": ["V2"]}],
    }, ground=True)  # fmt: skip
    plans.plan("P2", "FG2", 5, "2026-03-31")
    plans.generate()
    send_all()

    refused(InvalidInput, "invalid", lambda: ship(1, 2))


def test_a_shipment_may_leave_another_place_of_ours():
    ordered(10)
    plans.load({"locations": [{"code": "STORE", "name": "Store", "site": "MAIN"}]})
    plans.load({"stock": [{"item": "RM", "location": "STORE", "quantity": 4}]})

    made = ship(lines=[of("RM", 4)], from_location_id=place("STORE"))

    assert (made.number, made.from_location.code, lying("STORE", "RM"), lying("MAIN", "RM")) == (
        "SH-00002", "STORE", 0, 1000,
    )  # fmt: skip
    assert carried(Shipment.objects.get(number="SH-00001")) == [("RM", "", Decimal(6))]
    refused(NotEnoughStock, "not_enough_stock", lambda: ship(lines=[of("RM", 1)], from_location_id=place("STORE")))
    refused(InvalidInput, "invalid", lambda: ship(from_location_id=place("MAIN"), to_location_id=place("MAIN")))
    refused(NothingToShip, "nothing_to_do", lambda: ship(from_location_id=place("STORE")))


def test_tools_are_shipped_like_material():
    boms = [{"parent": "FG", "component": "MASK", "quantity": 2, "quantity_basis": "per_order", "operation_no": 10,
             "supply": "returnable"}]  # fmt: skip
    ordered(10, boms=boms, items=[{"code": "MASK"}], stock=[{"item": "MASK", "location": "MAIN", "quantity": 2}])

    ship()

    assert (lying("AT-V1", "MASK"), component("MASK").sent, plans.order(1).material) == (2, 2, "complete")


# Lots


def lots(*rows: tuple[str, int, date]) -> None:
    """Nothing but these lots of RM at MAIN."""
    plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": 0}]})
    for code, quantity, day in rows:
        plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": quantity, "lot": code}]}, day=day)


def test_lots_leave_first_expired_then_first_in():
    ordered(22, **TRACKED)
    lots(("OLD", 10, MONDAY), ("NEW", 10, LATER), ("ENDS", 5, LATER))
    Lot.objects.filter(code="ENDS").update(expires_on=date(2026, 6, 30))

    made = ship(at=moment(LATER))

    assert carried(made) == [("RM", "ENDS", Decimal(5)), ("RM", "OLD", Decimal(10)), ("RM", "NEW", Decimal(7))]
    assert [lying("MAIN", "RM", lot=lot) for lot in ("ENDS", "OLD", "NEW")] == [0, 0, 3]
    assert sorted(ComponentFlow.objects.values_list("lot__code", "quantity")) == [("ENDS", 5), ("NEW", 7), ("OLD", 10)]


def test_a_lot_that_has_expired_leaves_only_where_it_is_named():
    ordered(12, **TRACKED)
    plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": 0}]})
    for code, expires in (("GONE", "2026-03-02"), ("LAST", "2026-03-03"), ("GOOD", "")):
        row = {"item": "RM", "location": "MAIN", "quantity": 5, "lot": code, "expires": expires}
        plans.load({"stock": [row]}, day=MONDAY)

    said = refused(NotEnoughStock, "not_enough_stock", lambda: ship(lines=[of("RM", 11)], at=moment(LATER)))

    assert said == (
        "Only 10 of RM lie free at MAIN; 11 are to be taken. 5 more have expired (GONE): name the lot to send it all the same."
    )
    ready = [Shipment.objects.with_ready(on=day).get().ready for day in (MONDAY, LATER)]
    assert ready == [True, False]
    made = ship(lines=[of("RM", 2, lot="GONE"), of("RM", 10)], at=moment(LATER))
    assert carried(made) == [("RM", "GONE", Decimal(2)), ("RM", "LAST", Decimal(5)), ("RM", "GOOD", Decimal(5))]


def test_a_lot_may_be_chosen():
    ordered(10, **TRACKED)
    lots(("A", 10, MONDAY), ("B", 4, MONDAY))

    made = ship(lines=[of("RM", 3, lot="B"), of("RM", 2)])

    assert carried(made) == [("RM", "B", Decimal(3)), ("RM", "A", Decimal(2))]
    said = refused(NotEnoughStock, "not_enough_stock", lambda: ship(lines=[of("RM", 3, lot="B")]))
    assert said == "Only 1 of RM of lot B lie free at MAIN; 3 are to be taken."
    assert refused(NotFound, "not_found", lambda: ship(lines=[of("RM", 1, lot="C")])) == (
        "No lot C of RM lies at MAIN (there are A, B)."
    )
    ship(lines=[of("RM", 1, lot="B")])
    assert refused(NotEnoughStock, "not_enough_stock", lambda: ship(lines=[of("RM", 1, lot="B")])) == (
        "Only 0 of RM of lot B lie free at MAIN; 1 are to be taken."
    )


def test_what_is_picked_for_one_is_not_there_for_another():
    ordered(6, 6, **TRACKED)
    lots(("A", 8, MONDAY))

    picked = act(shipments.pick, Shipment.objects.get(number="SH-00001"))

    assert (picked.status, carried(picked), lying("MAIN", "RM")) == ("picked", [("RM", "A", Decimal(6))], 8)
    said = refused(NotEnoughStock, "not_enough_stock", lambda: ship(2))
    assert said == "Only 2 of RM lie free at MAIN; 6 are to be taken."
    act(shipments.cancel, picked)
    assert ship(2).status == "delivered"


def test_a_picked_shipment_leaves_with_what_was_picked_and_may_be_picked_anew():
    ordered(10, **TRACKED)
    lots(("A", 10, MONDAY), ("B", 10, MONDAY))
    shipment = act(shipments.pick, Shipment.objects.get())
    assert carried(shipment) == [("RM", "A", Decimal(10))]

    act(shipments.pick, shipment, lines=[of("RM", 4, lot="B")])
    assert carried(shipment) == [("RM", "B", Decimal(4))]
    assert carried(Shipment.objects.get(number="SH-00002")) == [("RM", "", Decimal(6))]

    sent = act(shipments.dispatch, shipment)
    assert (sent.status, carried(sent), component("RM").sent) == ("delivered", [("RM", "B", Decimal(4))], 4)


# Pieces between operations

CHAIN = {
    "items": [{"code": "SHAFT"}, {"code": "RM-OIL", "kind": "raw", "standard_cost": 2}],
    "vendors": [{"code": "HEAT", "currency": "EUR"}],
    "routings": [
        {"item": "SHAFT", "operation_no": 10, "name": "Turning", "work_center": "WC-IN"},
        {"item": "SHAFT", "operation_no": 20, "name": "Hardening", "work_center": "OUT"},
    ],
    "boms": [{"parent": "SHAFT", "component": "RM-OIL", "quantity": 1, "operation_no": 20, "supply": "own"}],
    "prices": [{"vendor": "HEAT", "item": "SHAFT", "operation_name": "Hardening", "currency": "EUR", "unit_price": 1,
                "lead_days": 4, "valid_from": "2026-01-01"}],
    "policies": [{"code": "HT", "process": "Hardening", "verdict": "outsource", "vendors": ["HEAT"]}],
}  # fmt: skip


@pytest.fixture
def shafts() -> None:
    plans.load(CHAIN, ground=True)
    plans.plan("P7", "SHAFT", 200, "2026-04-30")
    plans.generate()
    send_all()


def finish(quantity: int) -> None:
    """Pieces finished at operation 10, as a report leaves them."""
    item = component("RM-OIL").line.item
    Balance.objects.update_or_create(
        item=item,
        location_id=place("MAIN"),
        lot=None,
        stage="P7/10",
        defaults={"quantity": quantity, "since": moment()},
    )
    pool = CostPool.objects.filter(item=item, stage="P7/10")
    if not pool.update(quantity=quantity, value=quantity):
        site = component("RM-OIL").line.order.site
        CostPool.objects.create(item=item, site=site, stage="P7/10", quantity=quantity, value=quantity)


def test_pieces_the_previous_operation_has_not_finished_are_refused_before_stock_is(shafts):
    said = refused(PreviousOperationShort, "previous_operation_short", ship)

    assert said == "0 pieces finished at operation 10 of P7 lie at MAIN; 200 are to be shipped."


def test_pieces_leave_as_far_as_they_are_finished_and_the_rest_stays_planned(shafts):
    plans.load({"stock": [{"item": "RM-OIL", "location": "MAIN", "quantity": 500}]})
    finish(120)

    made = ship()

    assert sorted(carried(made)) == [("RM-OIL", "", Decimal(200)), ("SHAFT", "", Decimal(120))]
    assert carried(Shipment.objects.get(number="SH-00002")) == [("SHAFT", "", Decimal(80))]
    finish(5)
    refused(PreviousOperationShort, "previous_operation_short", lambda: ship(lines=[of("SHAFT", 6)]))
    ship(lines=[of("SHAFT", 5)])
    assert lying("AT-HEAT", "SHAFT") == 125


def test_pieces_of_two_steps_that_run_side_by_side_are_named_apart():
    steps = [(10, "Cutting", "WC-IN", 30), (20, "Milling", "WC-IN", 30), (30, "Plating", "OUT", None)]
    plans.base(
        routings=[
            {
                "item": "FG",
                "operation_no": number,
                "name": name,
                "work_center": center,
                "next_operation_no": following or "",
            }
            for number, name, center, following in steps
        ]
    )
    plans.plan("P1", "FG", 20, "2026-04-30")
    plans.generate()
    send_all()
    for number, good in (("10", 15), ("20", 9)):
        step = Operation.objects.get(operation_no=number)
        production.report_operation(operation_id=step.pk, good=Decimal(good), by=plans.boss(), at=moment())

    made = ship(lines=[of("FG", 9, stage="P1/10"), of("FG", 9, stage="P1/20")])

    assert sorted(made.lines.values_list("stage", "quantity")) == [("P1/10", 9), ("P1/20", 9)]
    said = refused(PreviousOperationShort, "previous_operation_short", lambda: ship(lines=[of("FG", 1, stage="P1/20")]))
    assert said == "0 pieces finished at operation 20 of P1 lie at MAIN; 1 are to be shipped."
    refused(NotFound, "not_found", lambda: ship(lines=[of("FG", 1, stage="")]))


# On the way


def test_with_transit_days_it_is_on_the_way_until_it_has_arrived():
    ordered(10, **transit(2))

    made = ship()

    assert (made.status, made.arrives_on, made.delivered_at) == ("dispatched", MONDAY + timedelta(days=2), None)
    assert [lying(code, "RM") for code in ("MAIN", "TRANSIT-MAIN", "AT-V1")] == [990, 10, 0]
    assert component("RM").sent == 10
    assert shipments.on_the_way([component("RM").pk]) == {component("RM").pk: {0: Decimal(10)}}

    act(shipments.deliver, made)

    made.refresh_from_db()
    assert (made.status, made.delivered_at) == ("delivered", moment())
    assert [lying(code, "RM") for code in ("MAIN", "TRANSIT-MAIN", "AT-V1")] == [990, 0, 10]
    assert shipments.on_the_way([component("RM").pk]) == {}
    refused(WrongState, "wrong_state", lambda: act(shipments.deliver, made))


def test_it_arrives_by_itself_after_the_transit_days_and_once():
    ordered(10, **transit(2))
    made = ship()

    assert [shipments.deliver_due(at=moment(MONDAY + timedelta(days=days))) for days in (0, 1, 3, 3)] == [0, 0, 1, 0]

    made.refresh_from_db()
    assert (made.status, lying("AT-V1", "RM")) == ("delivered", 10)
    assert Event.objects.filter(name="shipment.delivered").count() == 1


@pytest.mark.parametrize("arrives", [False, True])
def test_a_shipment_is_taken_back_on_its_way_or_from_the_vendor(arrives):
    ordered(10, **transit(2))
    made = ship()
    if arrives:
        act(shipments.deliver, made)

    act(shipments.reverse, made)

    assert [lying(code, "RM") for code in ("MAIN", "TRANSIT-MAIN", "AT-V1")] == [1000, 0, 0]
    assert (component("RM").sent, plans.order(1).material) == (0, "none")


# Kept back, split, given up, taken back


def test_a_held_shipment_keeps_its_quantity_and_goes_on_when_released():
    ordered(10)

    held = ship(lines=[of("RM", 4)], hold=True)

    assert (held.status, lying("MAIN", "RM"), component("RM").sent) == ("held", 1000, 0)
    assert numbers() == [("SH-00001", "held"), ("SH-00002", "planned")]
    refused(OverSend, "over_send", lambda: ship(lines=[of("RM", 7)]))
    refused(WrongState, "wrong_state", lambda: act(shipments.dispatch, held))
    ship()
    assert component("RM").sent == 6
    assert act(shipments.release, held).status == "planned"
    act(shipments.dispatch, held)
    assert (component("RM").sent, plans.order(1).material) == (10, "complete")


def test_what_a_cancelled_shipment_held_is_planned_again():
    ordered(10)
    held = ship(lines=[of("RM", 4)], hold=True)

    act(shipments.cancel, held, reason="the truck is full")

    assert numbers() == [("SH-00001", "cancelled"), ("SH-00002", "planned")]
    assert carried(Shipment.objects.get(number="SH-00002")) == [("RM", "", Decimal(10))]
    assert Event.objects.get(name="shipment.cancelled").data == {"orders": ["SC-00001"], "reason": "the truck is full"}
    assert ship().number == "SH-00002"


def test_a_shipment_that_left_is_not_cancelled():
    ordered(10)
    made = ship()

    said = refused(WrongState, "wrong_state", lambda: act(shipments.cancel, made))

    assert said == "SH-00001 is delivered; you cannot cancel it. Reverse it instead."


def test_a_planned_shipment_is_split_and_each_part_leaves_alone():
    ordered(10)
    first = Shipment.objects.get()

    second = act(shipments.split, first, lines=[of("RM", 4)])

    assert (carried(first), carried(second)) == ([("RM", "", Decimal(6))], [("RM", "", Decimal(4))])
    refused(OverSend, "over_send", lambda: act(shipments.split, first, lines=[of("RM", 7)]))
    refused(NothingToShip, "nothing_to_do", lambda: act(shipments.split, first, lines=[of("RM", 6)]))
    act(shipments.dispatch, first)
    assert (component("RM").sent, numbers()) == (6, [("SH-00001", "delivered"), ("SH-00002", "planned")])
    assert carried(second) == [("RM", "", Decimal(4))]
    act(shipments.dispatch, second)
    assert component("RM").sent == 10


def test_a_split_takes_chosen_lots_along():
    plans.base(
        items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}],
        stock=[
            {"item": "RM", "location": "MAIN", "quantity": 0},
            {"item": "RM", "location": "MAIN", "lot": "L1", "quantity": 6},
            {"item": "RM", "location": "MAIN", "lot": "L2", "quantity": 9},
        ],
    )
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    send_all()
    first = ship(lines=[of("RM", 5, lot="L2"), of("RM", 5, lot="L1")], hold=True)
    act(shipments.release, first)

    second = act(shipments.split, first, lines=[of("RM", 2, lot="L1"), of("RM", 1, lot="L2")])
    third = act(shipments.split, first, lines=[of("RM", 5)])

    assert carried(second) == [("RM", "L1", 2), ("RM", "L2", 1)]
    assert carried(first) == [("RM", "L1", 2)]
    assert carried(third) == [("RM", "L2", 4), ("RM", "L1", 1)]
    said = refused(OverSend, "over_send", lambda: act(shipments.split, third, lines=[of("RM", 2, lot="L1")]))
    assert said == "1 of lot L1 of RM can be taken off SH-00003; 2 were to be."
    act(shipments.dispatch, second)
    assert (lying("AT-V1", "RM", lot="L1"), lying("AT-V1", "RM", lot="L2")) == (2, 1)


def test_what_was_taken_back_whole_is_planned_again_and_once():
    ordered(10, 5)
    made = ship()
    act(shipments.reverse, made)

    assert shipments.plan_what_is_open(at=moment()) == 1
    assert shipments.plan_what_is_open(at=moment()) == 0

    assert numbers() == [("SH-00001", "reversed"), ("SH-00002", "planned"), ("SH-00003", "planned")]
    assert carried(Shipment.objects.get(number="SH-00003")) == [("RM", "", Decimal(10))]
    assert ship().number == "SH-00003"


def test_what_was_given_up_is_planned_again_but_for_what_others_keep():
    ordered(10)
    kept = ship(lines=[of("RM", 4)], hold=True)
    act(shipments.cancel, Shipment.objects.get(number="SH-00002"))
    assert numbers() == [("SH-00001", "held"), ("SH-00002", "cancelled")]

    shipments.plan_what_is_open(order_ids=[plans.order(1).pk], at=moment())

    assert numbers()[2:] == [("SH-00003", "planned")]
    assert carried(Shipment.objects.get(number="SH-00003")) == [("RM", "", Decimal(6))]
    act(shipments.release, kept)
    assert ship(lines=[of("RM", 10)]).status == "delivered"


def test_orders_that_ended_or_never_went_out_are_planned_nothing():
    ordered(10, 10)
    plans.plan("P9", "FG", 3, "2026-03-31")
    plans.generate()
    act(shipments.reverse, ship(1))
    documents.cancel_set(order_id=plans.order(1).pk, reason="", by=plans.boss(), at=moment())
    before = numbers()

    assert shipments.plan_what_is_open(at=moment()) == 0

    assert numbers() == before


def test_reversing_restores_quantity_and_value_and_takes_no_number():
    ordered(10)
    made = ship()

    act(shipments.reverse, made, reason="wrong pallet")

    assert numbers() == [("SH-00001", "reversed")]
    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (1000, 0)
    assert [(m.quantity, m.value) for m in Movement.objects.filter(document_kind="shipment")] == [
        (10, 1000),
        (10, 1000),
    ]
    assert (component("RM").sent, component("RM").at_vendor, plans.order(1).material) == (0, 0, "none")
    refused(WrongState, "wrong_state", lambda: act(shipments.reverse, made))
    assert ship().number == "SH-00002"


def test_what_is_taken_back_is_planned_with_what_is_planned_already():
    ordered(10)
    made = ship(lines=[of("RM", 9)])

    act(shipments.reverse, made)

    assert numbers() == [("SH-00001", "reversed"), ("SH-00002", "planned")]
    assert sum(quantity for _, _, quantity in carried(Shipment.objects.get(number="SH-00002"))) == 10


def test_what_was_used_is_not_taken_back_though_others_material_lies_there():
    ordered(10, 10)
    made = ship(1)
    ship(2)
    component_used = component("RM")
    component_used.consumed = 3
    component_used.save()
    ComponentFlow.objects.create(
        component=component_used, kind=FlowKind.CONSUMED, quantity=3, document_kind="receipt", at=moment()
    )

    said = refused(NotEnoughStock, "not_enough_stock", lambda: act(shipments.reverse, made))

    assert said == (
        "Only 7 of RM still lie at AT-V1 for SC-00001 line 1, 10 were sent with SH-00001. Reverse first what used them."
    )


def test_somebody_elses_change_is_not_overwritten():
    ordered(10)
    planned = Shipment.objects.get()
    act(shipments.pick, planned)

    refused(Stale, "stale", lambda: act(shipments.dispatch, planned, expected_version=planned.version))


def test_a_user_of_another_site_finds_neither_order_nor_shipment(django_user_model):
    ordered(10)
    planned = Shipment.objects.get()
    stranger = django_user_model.objects.create(username="stranger")

    refused(NotFound, "not_found", lambda: shipments.ship(order_ids=[plans.order(1).pk], by=stranger, at=moment()))
    refused(NotFound, "not_found", lambda: shipments.dispatch(shipment_id=planned.pk, by=stranger, at=moment()))


def test_ready_says_whether_all_of_it_could_leave_now():
    ordered(600, 600)
    ready = {one.number: one.ready for one in Shipment.objects.with_ready(on=MONDAY)}
    assert ready == {"SH-00001": True, "SH-00002": True}

    ship(1)

    ready = {one.number: one.ready for one in Shipment.objects.with_ready(on=MONDAY)}
    assert ready == {"SH-00001": False, "SH-00002": False}
