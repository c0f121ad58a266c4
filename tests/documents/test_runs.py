"""The main job, end to end on small plans: what is made, what is left alone, what follows the plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activity.models import Alert, Event
from core.refusals import InvalidInput, NotFound
from documents import services as documents
from documents.models import GenerationRequest, GenerationRun, RunItem, RunState
from masterdata.models import Site, Vendor
from policies.models import Decision, Policy
from receipts.models import ExpectedReceipt
from shipments.models import Shipment, ShipmentLine, ShipmentStatus
from subcontract_orders.models import LineStatus, OrderComponent, OrderStatus, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import MONDAY, moment

TEN = Decimal(10)


def shipped() -> list[tuple[str, str, str, Decimal]]:
    return list(
        ShipmentLine.objects.exclude(shipment__status=ShipmentStatus.CANCELLED)
        .order_by("shipment__number", "position")
        .values_list("shipment__from_location__code", "shipment__to_location__code", "item__code", "quantity")
    )


def open_alerts() -> list[tuple[str, str, str]]:
    return list(Alert.objects.open().order_by("kind", "subject").values_list("kind", "subject", "proposes"))


def test_a_run_makes_the_whole_set_with_every_figure():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")

    run = plans.generate()

    order = SubcontractOrder.objects.get()
    assert (order.number, order.status, order.total, order.total_company) == ("SC-00001", "draft", 500, 500)
    assert (order.due_date, order.order_by, order.dispatch_by) == (
        date(2026, 3, 31),
        date(2026, 3, 24),
        date(2026, 3, 24),
    )
    assert (order.vendor.code, order.ship_to.code, order.receive_at.code) == ("V1", "AT-V1", "MAIN")
    assert plans.lines() == [("SC-00001", "V1", "P1", "10", Decimal(5), Decimal(500))]
    component = OrderComponent.objects.get()
    assert (component.item.code, component.supply, component.required, component.ship_from.code) == (
        "RM",
        "own",
        5,
        "MAIN",
    )
    assert shipped() == [("MAIN", "AT-V1", "RM", Decimal(5))]
    expected = ExpectedReceipt.objects.get()
    assert (expected.quantity, expected.expected_on, expected.location.code) == (5, date(2026, 3, 31), "MAIN")
    assert (run.state, run.operations, run.outsource, run.created, run.orders, run.lines, run.shipments) == (
        RunState.DONE, 1, 1, 1, 1, 1, 1,
    )  # fmt: skip
    told = Event.objects.filter(through="run").values_list("name", "document_number")
    assert list(told) == [("order.created", "SC-00001")]


def test_a_second_run_makes_nothing():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    before = plans.rows_written()

    run = plans.generate()

    assert plans.rows_written() == before
    assert (run.created, run.changed, run.cancelled, run.items_total) == (0, 0, 0, 0)


def test_a_changed_plan_changes_the_draft_in_place():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    line, shipment = plans.line(1), Shipment.objects.get()
    plans.plan("P1", "FG", 9, "2026-03-30")

    run = plans.generate()

    assert (run.created, run.changed, run.cancelled) == (0, 1, 0)
    changed = plans.line(1)
    assert (changed.pk, changed.quantity, changed.amount, changed.need_date) == (line.pk, 9, 900, date(2026, 3, 30))
    assert Shipment.objects.get() == shipment
    assert Shipment.objects.get().dispatch_by == date(2026, 3, 23)
    assert shipped() == [("MAIN", "AT-V1", "RM", Decimal(9))]
    assert ExpectedReceipt.objects.get().quantity == 9
    assert (plans.order(1).total, plans.order(1).due_date) == (900, date(2026, 3, 30))


def test_what_is_not_needed_any_more_is_withdrawn_and_its_number_stays_used():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    plans.word("P1", "10", "in_house")

    run = plans.generate()

    assert run.cancelled == 1
    assert plans.order(1).status == OrderStatus.CANCELLED
    assert plans.line(1).status == LineStatus.CANCELLED
    assert Shipment.objects.get().status == ShipmentStatus.CANCELLED
    assert ExpectedReceipt.objects.get().quantity == 0
    plans.word("P1", "10", "outsource", vendor="V1")
    plans.generate()
    assert [row[0] for row in plans.lines()] == ["SC-00002"]


def test_another_vendor_is_a_withdrawal_and_a_new_line():
    plans.base(
        vendors=[{"code": "V2", "currency": "EUR"}],
        prices=[{"vendor": "V2", "item": "FG", "operation_name": "Plating", "unit_price": 130, "lead_days": 5}],
    )
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    plans.word("P1", "10", "outsource", vendor="V2")

    run = plans.generate()

    assert (run.created, run.cancelled) == (1, 1)
    assert plans.lines() == [("SC-00002", "V2", "P1", "10", Decimal(5), Decimal(650))]


def test_lines_of_a_week_share_a_draft_and_a_sent_order_takes_no_more():
    plans.base(
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}
        ]
    )
    plans.plan("P1", "FG", 10, "2026-03-25")
    plans.plan("P2", "FG", 20, "2026-03-27")
    plans.plan("P3", "FG", 30, "2026-04-01")
    plans.generate()
    plans.plan("P4", "FG", 5, "2026-03-26")
    plans.generate()

    assert [(row[0], row[2]) for row in plans.lines()] == [
        ("SC-00001", "P1"), ("SC-00001", "P2"), ("SC-00001", "P4"), ("SC-00002", "P3"),
    ]  # fmt: skip
    plans.send(1)
    plans.plan("P5", "FG", 7, "2026-03-26")
    plans.generate()
    assert [(row[0], row[2]) for row in plans.lines()][-1] == ("SC-00003", "P5")
    assert Shipment.objects.count() == 3


def test_a_date_in_another_week_moves_the_line_to_that_weeks_order():
    plans.base(
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}
        ]
    )
    plans.plan("P1", "FG", 10, "2026-03-25")
    plans.generate()
    plans.plan("P1", "FG", 10, "2026-04-22")
    plans.plan("P2", "FG", 4, "2026-03-26")

    plans.generate()

    assert [(row[0], row[2]) for row in plans.lines()] == [("SC-00001", "P2"), ("SC-00002", "P1")]
    assert plans.order(1).total == 400


def test_a_sent_line_is_not_touched_and_an_alert_says_what_the_plan_wants():
    plans.base()
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.generate()
    plans.send(1)
    plans.plan("P1", "FG", 12, "2026-03-30")

    for _ in range(2):
        plans.generate()

    assert (plans.line(1).quantity, plans.line(1).need_date) == (9, date(2026, 3, 31))
    assert plans.lines()[0][4] == 9
    alert = Alert.objects.open().get()
    assert (alert.kind, alert.subject, alert.proposes) == ("requirement_changed", "SC-00001/1", "change")
    assert alert.after == {"quantity": "12", "need_date": "2026-03-30"}
    assert alert.before == {"quantity": "9", "need_date": "2026-03-31", "vendor": "V1"}
    plans.plan("P1", "FG", 6, "2026-03-31")
    plans.generate()
    assert Alert.objects.open().get().after == {"quantity": "6"}
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.generate()
    assert open_alerts() == []


def test_a_cancelled_plan_proposes_to_cancel_what_is_sent_and_withdraws_what_is_not():
    plans.base()
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.plan("P2", "FG", 9, "2026-04-01")
    plans.generate()
    plans.send(1)
    plans.cancel("P1")
    plans.cancel("P2")

    for _ in range(2):
        plans.generate()

    assert plans.order(1).status == OrderStatus.SENT
    assert plans.order(2).status == OrderStatus.CANCELLED
    assert open_alerts() == [("requirement_cancelled", "SC-00001/1", "cancel")]


def test_a_planners_word_to_stay_inside_proposes_to_cancel_what_is_sent():
    plans.base()
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.generate()
    plans.send(1)
    plans.word("P1", "10", "in_house")

    plans.generate()

    assert open_alerts() == [("requirement_cancelled", "SC-00001/1", "cancel")]


def test_an_approved_order_follows_the_plan_and_goes_back_to_draft_when_it_becomes_dearer():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    documents.approve_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment())
    plans.plan("P1", "FG", 4, "2026-03-31")
    plans.generate()
    assert (plans.order(1).status, plans.order(1).total) == (OrderStatus.APPROVED, 400)

    plans.plan("P1", "FG", 6, "2026-03-31")
    plans.generate()

    assert (plans.order(1).status, plans.order(1).total) == (OrderStatus.DRAFT, 600)
    event = Event.objects.get(name="order.back_to_draft")
    assert event.data == {"approved": "500.00", "now": "600.00"}


def test_policies_approve_and_send_up_to_their_limit():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}
    plans.base(policies=[{**rules, "auto_approve_up_to": 1000, "auto_send": "yes"}])
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.plan("P2", "FG", 11, "2026-04-01")

    plans.generate()

    assert [plans.order(1).status, plans.order(2).status] == ["sent", "draft"]
    assert list(Event.objects.filter(document_number="SC-00001").order_by("pk").values_list("name", "data__by")) == [
        ("order.created", None), ("order.approved", "policy"), ("order.sent", "policy"),
    ]  # fmt: skip
    assert plans.order(1).revisions.get().content["lines"][0]["quantity"] == "10.00000"


def test_an_order_that_a_withdrawn_line_brings_within_the_limit_approves_and_sends_itself():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}
    plans.base(policies=[{**rules, "auto_approve_up_to": 1000, "auto_send": "yes"}])
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.plan("P2", "FG", 1, "2026-04-01")
    plans.generate()
    assert (plans.order(1).status, plans.order(1).total) == ("draft", 1100)
    plans.cancel("P2")

    plans.generate()

    assert (plans.order(1).status, plans.order(1).total) == ("sent", 1000)
    assert open_alerts() == []


def test_an_order_that_loses_one_line_and_gains_another_is_looked_at_when_both_are_done():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}
    plans.base(policies=[{**rules, "auto_approve_up_to": 1000, "auto_send": "yes"}])
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.plan("P2", "FG", 1, "2026-04-01")
    plans.generate()
    plans.cancel("P2")
    plans.plan("P3", "FG", 2, "2026-04-01")
    plans.generate()
    assert (plans.order(1).status, plans.order(1).total) == ("draft", 1200)
    plans.cancel("P3")
    plans.plan("P1", "FG", 11, "2026-03-31")
    plans.generate()
    assert (plans.order(1).status, plans.order(1).total) == ("draft", 1100)
    plans.plan("P1", "FG", 9, "2026-03-31")

    plans.generate()

    assert (plans.order(1).status, plans.order(1).total) == ("sent", 900)
    assert SubcontractOrder.objects.count() == 1


def test_an_order_waits_its_minutes_before_it_sends_itself():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}
    plans.base(policies=[{**rules, "auto_approve_up_to": 1000, "auto_send": "yes"}])
    Policy.objects.update(auto_send_wait_minutes=15)
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    assert plans.order(1).status == "approved"

    assert documents.send_due_orders(at=moment() + timedelta(minutes=14)) == 0
    assert documents.send_due_orders(at=moment() + timedelta(minutes=16)) == 1

    assert plans.order(1).status == "sent"


def test_an_order_sends_itself_only_when_its_order_date_is_near():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}
    plans.base(policies=[{**rules, "auto_approve_up_to": 1000, "auto_send": "yes", "auto_send_days_before": 10}])
    plans.plan("P1", "FG", 10, "2026-03-31")  # order by 24 March: from the 14th on
    plans.generate()
    plans.generate(date(2026, 3, 12))
    assert documents.send_due_orders(at=moment(date(2026, 3, 13))) == 0
    assert plans.order(1).status == "approved"

    assert documents.send_due_orders(at=moment(date(2026, 3, 14))) == 1

    assert plans.order(1).status == "sent"


def test_what_a_person_set_stays_and_a_run_that_disagrees_says_so():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    documents.change_line(
        order_id=plans.order(1).pk, line_no=1, quantity=Decimal(12), reason="spare parts", by=plans.boss(), at=moment()
    )
    assert shipped() == [("MAIN", "AT-V1", "RM", Decimal(12))]
    plans.plan("P1", "FG", 9, "2026-03-30")

    for _ in range(2):
        plans.generate()

    line = plans.line(1)
    assert (line.quantity, line.amount, line.need_date) == (12, 1200, date(2026, 3, 30))
    assert shipped() == [("MAIN", "AT-V1", "RM", Decimal(12))]
    assert ExpectedReceipt.objects.get().quantity == 12
    assert Alert.objects.open().get().after == {"quantity": "9"}


def test_a_further_line_follows_a_received_one_but_not_an_open_one():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    plans.send(1)
    line = plans.line(1)
    line.accepted, line.status = Decimal(5), LineStatus.COMPLETE
    line.save()
    plans.plan("P1", "FG", 9, "2026-03-31")

    for _ in range(2):
        plans.generate()

    assert [(row[0], row[4]) for row in plans.lines()] == [("SC-00001", 5), ("SC-00002", 4)]
    assert open_alerts() == []


CHAIN = {
    "items": [{"code": "SHIM"}, {"code": "RM-STRIP", "unit": "kg", "standard_cost": 4}],
    "vendors": [{"code": "CUTTER", "currency": "EUR"}, {"code": "HEAT", "currency": "EUR"}],
    "routings": [
        {"item": "SHIM", "operation_no": 10, "name": "Cutting", "work_center": "OUT"},
        {"item": "SHIM", "operation_no": 20, "name": "Hardening", "work_center": "OUT"},
        {"item": "SHIM", "operation_no": 30, "name": "Packing", "work_center": "WC-IN", "run_minutes_per_unit": 1},
    ],
    "boms": [{"parent": "SHIM", "component": "RM-STRIP", "quantity": "0.25", "operation_no": 10}],
    "prices": [
        {"vendor": "CUTTER", "operation_name": "Cutting", "unit_price": "0.40", "lead_days": 3},
        {"vendor": "HEAT", "operation_name": "Hardening", "unit_price": "0.35", "lead_days": 3},
        {"vendor": "CUTTER", "operation_name": "Hardening", "unit_price": "0.45", "lead_days": 3},
    ],
    "policies": [
        {"code": "CUT", "process": "Cutting", "verdict": "outsource", "vendors": ["CUTTER"]},
        {"code": "HT", "process": "Hardening", "verdict": "outsource", "vendors": ["HEAT"]},
    ],
    "stock": [{"item": "RM-STRIP", "location": "MAIN", "quantity": 120}],
}


def expected_at() -> list[tuple[str, str]]:
    return list(
        ExpectedReceipt.objects.filter(quantity__gt=0)
        .order_by("order_line__operation_no")
        .values_list("order_line__operation_no", "location__code")
    )


def test_consecutive_outside_operations_go_from_vendor_to_vendor():
    plans.load(CHAIN, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")

    plans.generate()

    assert shipped() == [
        ("MAIN", "AT-CUTTER", "RM-STRIP", Decimal(100)),
        ("AT-CUTTER", "AT-HEAT", "SHIM", Decimal(400)),
    ]
    assert expected_at() == [("10", "AT-CUTTER"), ("20", "MAIN")]
    pieces = OrderComponent.objects.get(item__code="SHIM")
    assert (pieces.stage, pieces.required) == ("P1/10", 400)


def test_at_the_same_vendor_nothing_moves():
    plans.load(CHAIN, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")
    plans.word("P1", "20", "outsource", vendor="CUTTER")

    plans.generate()

    assert shipped() == [("MAIN", "AT-CUTTER", "RM-STRIP", Decimal(100))]
    assert expected_at() == [("10", "AT-CUTTER"), ("20", "MAIN")]
    assert OrderComponent.objects.get(item__code="SHIM").ship_from.code == "AT-CUTTER"


@pytest.mark.parametrize("rule", [{"inspection": "all"}, {"certificates": ["coc"]}])
def test_inspection_and_certificates_bring_pieces_home_in_between(rule):
    policies = [CHAIN["policies"][0] | rule, CHAIN["policies"][1]]
    plans.load(CHAIN | {"policies": policies}, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")

    plans.generate()

    assert shipped() == [("MAIN", "AT-CUTTER", "RM-STRIP", Decimal(100)), ("MAIN", "AT-HEAT", "SHIM", Decimal(400))]
    assert expected_at() == [("10", "MAIN"), ("20", "MAIN")]


def test_a_step_that_comes_back_inside_calls_its_pieces_home():
    plans.load(CHAIN, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")
    plans.generate()
    plans.word("P1", "20", "in_house")

    run = plans.generate()

    assert (run.changed, run.cancelled) == (1, 1)
    assert expected_at() == [("10", "MAIN")]
    assert shipped() == [("MAIN", "AT-CUTTER", "RM-STRIP", Decimal(100))]


def test_free_stock_at_the_vendor_is_used_before_anything_is_shipped():
    rules = {
        "code": "PLATE",
        "process": "Plating",
        "verdict": "outsource",
        "vendors": ["V1"],
        "use_vendor_stock": "yes",
    }
    plans.base(policies=[rules], stock=[{"item": "RM", "location": "AT-V1", "quantity": 12}])
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.plan("P2", "FG", 10, "2026-04-01")

    plans.generate()

    assert shipped() == [("MAIN", "AT-V1", "RM", Decimal(8))]
    assert list(OrderComponent.objects.order_by("line_id").values_list("required", "carried_in")) == [(10, 10), (10, 2)]
    before = plans.rows_written()
    plans.generate()
    assert plans.rows_written() == before


def test_a_dry_run_counts_and_writes_nothing_but_its_own_row():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    before = plans.count_rows()

    run = plans.generate(dry_run=True)

    assert (run.state, run.outsource, run.created, run.orders, run.lines) == (RunState.DONE, 1, 1, 1, 1)
    assert plans.count_rows() == before
    plans.generate()
    assert plans.order(1).number == "SC-00001"


def test_a_narrowed_run_leaves_the_rest_alone():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.plan("P2", "FG", 6, "2026-03-30")

    run = plans.generate(scope={"production_order": ["P1"]})

    assert [row[2] for row in plans.lines()] == ["P1"]
    assert run.operations == 1
    plans.generate()
    assert [row[2] for row in plans.lines()] == ["P1", "P2"]
    plans.cancel("P2")
    plans.generate(scope={"production_order": ["P1"]})
    assert [row[2] for row in plans.lines()] == ["P1", "P2"]
    assert Decision.objects.current().count() == 1


def test_a_scope_that_names_nothing_is_refused():
    with pytest.raises(NotFound):
        documents.start_run(at=moment(), on=MONDAY, scope={"site": ["NOWHERE"]})
    with pytest.raises(InvalidInput):
        documents.start_run(at=moment(), on=MONDAY, scope={"moon": ["X"]})
    assert not GenerationRun.objects.exists()


def test_what_is_blocked_is_counted_by_reason():
    plans.base()
    Vendor.objects.update(is_active=False)
    plans.plan("P1", "FG", 5, "2026-03-31")

    run = plans.generate()

    assert (run.blocked, run.blocked_by, run.created) == (1, {"inactive": 1}, 0)


def test_a_changed_plan_starts_a_run_once_it_came_to_rest():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    assert documents.start_due_runs(at=moment() + timedelta(seconds=5), on=MONDAY) == []

    (run,) = documents.start_due_runs(at=moment() + timedelta(seconds=11), on=MONDAY)

    assert documents.start_due_runs(at=moment() + timedelta(seconds=12), on=MONDAY) == []
    documents.run_to_end(run_id=run.pk, at=moment())
    assert len(plans.lines()) == 1
    assert not GenerationRequest.objects.filter(run=None).exists()
    assert documents.start_due_runs(at=moment() + timedelta(minutes=5), on=MONDAY) == []


def test_a_wish_of_a_person_is_done_by_the_next_sweep():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    documents.request_run(reason="button", at=moment(), by=plans.boss())

    (run,) = documents.start_due_runs(at=moment(), on=MONDAY)

    assert (run.reason, run.requested_by) == ("button", plans.boss())


def test_a_held_draft_stays_as_it_is_until_it_is_released():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    by = {"order_id": plans.order(1).pk, "by": plans.boss(), "at": moment()}
    documents.hold_set(**by, reason="drawing is wrong")
    before = plans.lines()
    plans.plan("P1", "FG", 9, "2026-03-30")

    run = plans.generate()

    assert plans.lines() == before
    assert [item.outcome for item in RunItem.objects.filter(run=run)] == ["left: the order is held"]
    documents.release_set(**by)
    plans.generate()
    assert plans.line(1).quantity == 9


def test_a_held_draft_is_not_made_again_beside_it_where_its_work_moves_to_another_vendor():
    plans.base(
        vendors=[{"code": "V2", "name": "Vendor Two", "currency": "EUR"}],
        prices=[
            {"vendor": "V2", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 90, "lead_days": 5,
             "valid_from": "2026-01-01"}
        ],
    )  # fmt: skip
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    by = {"order_id": plans.order(1).pk, "by": plans.boss(), "at": moment()}
    documents.hold_set(**by, reason="drawing is wrong")
    plans.load({"policies": [{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V2", "V1"]}]})

    plans.generate()
    plans.generate()

    assert [line[:5] for line in plans.lines()] == [("SC-00001", "V1", "P1", "10", Decimal(5))]
    alert = Alert.objects.open().get(kind="requirement_changed")
    assert (alert.order_number, alert.after) == ("SC-00001", {"quantity": "5", "vendor": "V2"})
    documents.release_set(**by)
    plans.generate()
    assert [line[:5] for line in plans.lines()] == [("SC-00002", "V2", "P1", "10", Decimal(5))]
    assert open_alerts() == []


def test_a_work_center_that_changes_its_vendor_raises_what_was_sent():
    vendors = [{"code": "V2", "name": "Vendor Two", "currency": "EUR"}]
    center = {"code": "CHROME", "name": "Chrome", "kind": "external"}
    prices = [
        {"vendor": vendor, "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 90, "lead_days": 5,
         "valid_from": "2026-01-01"}
        for vendor in ("V1", "V2")
    ]  # fmt: skip
    routing = {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "CHROME", "outsourced": "yes"}
    retired = {"code": "PLATE", "status": "retired", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}
    plans.base(
        vendors=vendors,
        work_centers=[{**center, "vendor": "V1"}],
        prices=prices,
        routings=[routing],
        policies=[retired],
    )
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.generate()
    plans.send(1)
    plans.generate()
    assert open_alerts() == []
    plans.load({"work_centers": [{**center, "vendor": "V2"}]})

    plans.generate()

    alert = Alert.objects.open().get()
    assert (alert.kind, alert.order_number, alert.after) == ("requirement_changed", "SC-00001", {"vendor": "V2"})
    assert [line[:2] for line in plans.lines()] == [("SC-00001", "V1")]


def test_a_run_decides_by_the_day_it_is_at_each_site():
    plans.base(
        company=[{"currency": "EUR", "time_zone": "Europe/Berlin", "name": "Ours"}],
        locations=[{"code": "AKL", "name": "Auckland", "kind": "plant"}],
    )
    plans.plan("P1", "FG", 5, "2026-03-02")
    Site.objects.update(time_zone="Pacific/Auckland")
    late = datetime(2026, 3, 2, 20, tzinfo=UTC)  # Tuesday there, still Monday here

    run = documents.start_run(at=late, on=MONDAY)
    documents.run_to_end(run_id=run.pk, at=late)

    line = plans.line(1)
    assert (line.late_by, line.promised_date.isoformat()) == (
        8,
        "2026-03-10",
    )  # 23 February to 3 March; five days from then


def test_a_shortage_is_said_by_part_and_place_and_goes_with_its_cause():
    plans.base(items=[{"code": "RM", "name": "Steel bar", "kind": "raw", "standard_cost": 100}])
    plans.plan("P1", "FG", 600, "2026-03-31")
    plans.plan("P2", "FG", 600, "2026-04-01")

    plans.generate()

    alert = Alert.objects.open().get()
    assert (alert.kind, alert.subject, alert.order_number) == ("shortage", "MAIN/RM", "SC-00002")
    assert alert.after == {"wanted": "1200", "missing": "200", "shipment": "SH-00002"}
    assert alert.title.startswith("Steel bar RM at MAIN: 1,200 planned to leave, 1,000 there; short from SH-00002 on ")
    assert alert.title.endswith(" (1 shipment)")
    plans.plan("P2", "FG", 400, "2026-04-01")
    plans.generate()
    assert open_alerts() == []


def test_an_approval_that_ends_is_said_sixty_days_before():
    plans.base(
        vendor_approvals=[{"vendor": "V1", "process": "Plating", "status": "approved", "valid_to": "2026-05-01"}]
    )
    plans.generate(date(2026, 3, 1))
    assert open_alerts() == []

    plans.generate(date(2026, 3, 2))

    assert open_alerts() == [("approval_expiring", "V1/Plating", "renew")]


def test_a_minimum_per_order_is_reached_by_its_lines_together():
    plans.base(
        prices=[
            {
                "vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 1,
                "minimum_charge": 500, "minimum_charge_basis": "order", "lead_days": 5, "valid_from": "2026-01-01",
            }
        ],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}],
    )  # fmt: skip
    plans.plan("P1", "FG", 100, "2026-04-15")
    plans.plan("P2", "FG", 200, "2026-04-16")
    plans.plan("P3", "FG", 600, "2026-04-22")

    for _ in range(2):
        plans.generate()

    assert [(plans.order(n).total, plans.order(n).total_company) for n in (1, 2)] == [(500, 500), (600, 600)]
    assert plans.line(1, 1).minimum_top_up == 200
    assert plans.line(1, 2).minimum_top_up == 0


@pytest.mark.parametrize("unit_price", ["1", "0.002"])
def test_a_minimum_per_order_that_moves_to_another_line_is_worth_what_the_rate_makes_of_it(unit_price: str):
    plans.base(
        vendors=[{"code": "V1", "name": "Vendor One", "currency": "USD"}],
        exchange_rates=[{"currency": "USD", "rate": "0.333333", "valid_from": "2026-01-01"}],
        prices=[
            {
                "vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "USD", "unit_price": unit_price,
                "minimum_charge": 300, "minimum_charge_basis": "order", "lead_days": 5, "valid_from": "2026-01-01",
            }
        ],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}],
    )  # fmt: skip
    plans.plan("P1", "FG", 1, "2026-04-15")
    plans.plan("P2", "FG", 1, "2026-04-16")
    plans.generate()
    assert plans.order(1).total == 300
    plans.cancel("P1")

    plans.generate()

    assert (plans.order(1).total, plans.order(1).total_company) == (300, 100)


def test_the_number_of_statements_does_not_grow_with_the_plan():
    rules = {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "consolidate": "week"}
    plans.base(policies=[rules])
    counts = []
    for part in range(2):
        for number in range(10 + 40 * part):
            plans.plan(f"P{part}-{number}", "FG", 5, f"2026-0{4 + part}-{1 + number % 28:02d}")
        with CaptureQueriesContext(connection) as captured:
            run = plans.generate()
        counts.append(len(captured))
        assert run.created == 10 + 40 * part

    assert counts[1] <= counts[0] + 5
