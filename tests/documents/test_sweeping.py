"""What is watched by state: opened once, changed, closed by itself."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from activity.models import Alert, Responsible
from documents import services as documents
from policies.services import Change
from receipts.models import ExpectedReceipt
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine
from subcontract_orders.models import OrderLine, OrderStatus
from subcontract_orders.services import CounteredLine, Part
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.played import played
from tests.receipts import back, goods

MINIMUM = [
    {
        "vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 10, "lead_days": 5,
        "valid_from": "2026-01-01", "minimum_charge": 100, "minimum_charge_basis": "order",
    }
]  # fmt: skip


def watch(day: date = MONDAY) -> int:
    return documents.watch(at=moment(day), on=day)


def alerts(kind: str) -> list[tuple[str, str]]:
    found = Alert.objects.open().filter(kind=kind).order_by("subject")
    return list(found.values_list("subject", "severity"))


@played
def ordered(quantity: int = 10, due: str = "2026-03-31") -> None:
    plans.base()
    plans.plan("P1", "FG", quantity, due)
    plans.generate()


def test_pieces_nobody_misses_any_more_are_not_asked_about_for_ever():
    goods.at_vendor()
    goods.receive(goods.counted(plans.line(1), 6, rejected=3))
    assert Alert.objects.open().get(kind="short_receipt").after == {"quantity": "3"}
    day = goods.LATER
    plans.plan("P1", "FG", 8, "2026-04-30", day=day)

    watch(day)
    assert Alert.objects.open().get(kind="short_receipt").after == {"quantity": "1"}
    plans.plan("P1", "FG", 7, "2026-04-30", day=day)
    watch(day)

    assert alerts("short_receipt") == []


def test_material_a_finished_line_was_still_to_get_is_planned_no_more_and_never_late():
    back.sent_order(consumption="as_sent")
    back.ship(1, 7)
    receipt = goods.receive(goods.counted(plans.line(1), 10))
    long_after = date(2026, 5, 20)

    watch(long_after)

    assert list(Shipment.objects.order_by("pk").values_list("number", "status")) == [
        ("SH-00001", "delivered"),
        ("SH-00002", "cancelled"),
    ]
    assert alerts("late") == []
    goods.reverse(receipt)
    watch(long_after)
    [again] = Shipment.objects.planned()
    assert (again.number, again.lines.get().quantity) == ("SH-00003", 3)


def test_material_that_was_used_and_is_missing_may_still_be_shipped_to_settle_it():
    back.sent_order(shortage="warn")
    back.ship(1, 6)
    goods.receive(goods.counted(plans.line(1), 10))

    watch()

    [planned] = Shipment.objects.planned()
    assert planned.lines.get().quantity == 4
    shipments.dispatch(shipment_id=planned.pk, by=plans.boss(), at=moment(goods.LATER))
    alert = Alert.objects.open().get(kind="discrepancy")
    documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=moment(goods.LATER))
    assert back.counters(1) == {"sent": 10, "consumed": 10, "at_vendor": 0}


def test_an_order_nobody_answers_is_said_until_somebody_does():
    ordered()
    plans.send(1)

    watch(MONDAY + timedelta(days=1))
    assert alerts("unconfirmed") == []
    watch(MONDAY + timedelta(days=2))
    assert alerts("unconfirmed") == [("SC-00001", "warning")]
    assert watch(MONDAY + timedelta(days=3)) == 0
    documents.acknowledge_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment())
    watch(MONDAY + timedelta(days=3))

    assert alerts("unconfirmed") == []


def test_an_order_that_should_be_sent_is_said_from_the_day_after():
    ordered()
    last = plans.order(1).order_by

    watch(last)
    assert alerts("not_sent") == []
    watch(last + timedelta(days=1))
    assert alerts("not_sent") == [("SC-00001", "warning")]
    plans.send(1)
    watch(last + timedelta(days=1))

    assert alerts("not_sent") == []


def test_a_later_version_that_should_be_sent_is_said_too():
    ordered()
    plans.send(1)
    by = {"order_id": plans.order(1).pk, "by": plans.boss(), "at": moment()}
    documents.revise_line(line_no=1, quantity=Decimal(12), need_date=date(2026, 3, 24), **by)
    last = plans.order(1).order_by

    watch(last)
    assert alerts("not_sent") == []
    watch(last + timedelta(days=1))

    found = Alert.objects.open().get(kind="not_sent")
    assert found.title == f"Version 2 of SC-00001 for V1 was to be ordered by {last} and is draft"
    assert found.proposes == "approve"
    documents.withdraw_revision(**by)
    watch(last + timedelta(days=1))
    assert alerts("not_sent") == []


def test_pieces_are_said_the_day_before_and_sharper_when_overdue():
    ordered()
    plans.send(1)
    back.ship(1)
    due = ExpectedReceipt.objects.get().expected_on

    watch(due - timedelta(days=1))
    assert (alerts("due_tomorrow"), alerts("late")) == ([("SC-00001/1", "info")], [])
    watch(due + timedelta(days=1))
    assert (alerts("due_tomorrow"), alerts("late")) == ([], [("SC-00001/1", "warning")])
    watch(due + timedelta(days=7))
    assert alerts("late") == [("SC-00001/1", "critical")]
    ExpectedReceipt.objects.update(quantity=0)
    watch(due + timedelta(days=7))

    assert alerts("late") == []


def test_of_a_delivery_in_parts_only_what_is_due_is_called_late():
    ordered(30)
    plans.send(1)
    parts = (Part(Decimal(10), date(2026, 4, 8)), Part(Decimal(20), date(2026, 4, 15)))
    by = {"order_id": plans.order(1).pk, "by": plans.boss(), "at": moment()}
    documents.counter_set(lines=[CounteredLine(1, parts)], **by)
    documents.accept_counter(**by)
    OrderLine.objects.update(accepted=9)
    ExpectedReceipt.objects.update(quantity=21)

    watch(date(2026, 4, 9))
    assert Alert.objects.open().get(kind="late", line_no=1).title == (
        "1 of FG from V1 (SC-00001 line 1) were due on 2026-04-08"
    )
    watch(date(2026, 4, 15))
    assert Alert.objects.open().get(kind="late", line_no=1).after == {"overdue_days": 7, "open": "1"}
    watch(date(2026, 4, 16))
    assert Alert.objects.open().get(kind="late", line_no=1).after == {"overdue_days": 7, "open": "21"}


def test_material_that_should_have_left_is_said_of_what_the_vendor_has():
    ordered()
    day = plans.order(1).dispatch_by + timedelta(days=1)
    watch(day)
    assert alerts("late") == []
    plans.send(1)

    watch(day)

    assert alerts("late") == [("SH-00001", "warning")]
    assert Alert.objects.get(kind="late").order_number == "SC-00001"


def test_the_orders_buyer_is_asked_and_the_duty_where_it_has_none():
    ordered()
    Responsible.objects.create(user=plans.buyer(5))
    watch(plans.order(1).order_by + timedelta(days=1))
    assert Alert.objects.get(kind="not_sent").responsible.username == "buyer 5"
    plans.send(1)

    watch(MONDAY + timedelta(days=30))

    assert Alert.objects.open().get(kind="unconfirmed").responsible == plans.boss()


@pytest.fixture
@played
def small_lots() -> None:
    plans.base(prices=MINIMUM)
    for number, quantity, due in (("P1", 4, "2026-03-31"), ("P2", 3, "2026-04-01"), ("P3", 4, "2026-04-02")):
        plans.plan(number, "FG", quantity, due)
    plans.generate()


def test_lots_that_fill_a_minimum_together_are_said_and_joined_in_one_act(small_lots):
    watch()
    assert [subject for subject, _ in alerts("below_minimum")] == ["SC-00001", "SC-00002", "SC-00003"]
    found = Alert.objects.open().get(kind="batch_opportunity")
    assert found.after == {
        "orders": ["SC-00001", "SC-00002", "SC-00003"],
        "wait_days": 2,
        "saves": "190.00",
        "top_up": "0.00",
    }
    assert found.title == (
        "Wait 2 days: 2 more lots fill the minimum of V1 for Plating (SC-00001, SC-00002, SC-00003), saves 190.00 EUR"
    )

    documents.apply_alert(alert_id=found.pk, by=plans.boss(), at=moment())

    assert [(row[0], row[2], row[4], row[5]) for row in plans.lines()] == [
        ("SC-00001", "P1", 4, 40),
        ("SC-00001", "P2", 3, 30),
        ("SC-00001", "P3", 4, 40),
    ]
    assert plans.order(1).total == 110
    assert plans.order(2).status == plans.order(3).status == OrderStatus.CANCELLED
    planned = ShipmentLine.objects.filter(shipment__status="planned").order_by("position")
    assert list(planned.values_list("shipment__number", "quantity")) == [
        ("SH-00001", 4), ("SH-00001", 3), ("SH-00001", 4)]  # fmt: skip
    assert ExpectedReceipt.objects.open().count() == 3
    assert (alerts("batch_opportunity"), alerts("below_minimum")) == ([], [])
    watch()
    assert (alerts("batch_opportunity"), alerts("below_minimum")) == ([], [])


def test_what_was_joined_stays_together_and_follows_the_plan(small_lots):
    watch()
    documents.apply_alert(alert_id=Alert.objects.get(kind="batch_opportunity").pk, by=plans.boss(), at=moment())

    plans.generate()
    assert [(row[0], row[2], row[4]) for row in plans.lines()] == [
        ("SC-00001", "P1", 4), ("SC-00001", "P2", 3), ("SC-00001", "P3", 4)]  # fmt: skip
    plans.plan("P2", "FG", 6, "2026-04-01")
    plans.cancel("P3")
    plans.generate()

    assert [(row[0], row[2], row[4]) for row in plans.lines()] == [("SC-00001", "P1", 4), ("SC-00001", "P2", 6)]
    assert plans.order(1).total == Decimal(100)


def test_a_simulation_counts_what_was_joined_as_one_order_with_one_minimum(small_lots):
    watch()
    documents.apply_alert(alert_id=Alert.objects.get(kind="batch_opportunity").pk, by=plans.boss(), at=moment())

    found = documents.simulate(change=Change(), on=MONDAY)

    for side in (found.before, found.after):
        assert (side.orders, side.lines, side.value) == (1, 3, 110)


def test_advice_that_is_out_of_date_is_refused_and_nothing_is_joined(small_lots):
    watch()
    found = Alert.objects.get(kind="batch_opportunity")
    plans.send(2)
    before = plans.rows_written()

    with pytest.raises(documents.NoLongerSo) as refused:
        documents.apply_alert(alert_id=found.pk, by=plans.boss(), at=moment())

    assert refused.value.code == "wrong_state"
    assert plans.rows_written() == before
    watch()
    assert Alert.objects.open().get(kind="batch_opportunity").after["orders"] == ["SC-00001", "SC-00003"]
