"""What a vendor answers, and which revision is in force meanwhile."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role
from activity.models import Alert, Message
from core.refusals import InvalidDate, InvalidQuantity, TooPrecise
from documents import services as documents
from documents.models import GenerationRun
from inventory.services import NotEnoughStock
from masterdata import services as masterdata
from masterdata.models import Item, Vendor
from policies.models import Decision
from production.models import OperationWord
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from receipts.services import CountedLine, OverReceipt
from shipments import services as shipments
from shipments.models import ShipmentLine
from shipments.services import NothingToShip, OverSend, ToPick
from subcontract_orders.models import CounterOffer, LinePromise, LineStatus, OrderLine, OrderRevision, OrderStatus
from subcontract_orders.printing import order_paper
from subcontract_orders.printing.electronic import order_xml
from subcontract_orders.services import CounteredLine, NoCounterOffer, NotOfThisState, OverLimit, Part, SameEyes
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_api import client_of
from tests.played import played


@pytest.fixture(autouse=True)
@played
def _one_sent() -> None:
    plans.base()
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    plans.send(1)


def act(service, **fields):
    return service(order_id=plans.order(1).pk, by=plans.boss(), at=moment(), **fields)


def counter(*parts: Part, line_no: int = 1, **fields):
    return act(documents.counter_set, lines=[CounteredLine(line_no, parts)], **fields)


def ship(quantity: int) -> None:
    shipments.ship(
        order_ids=[plans.order(1).pk],
        lines=[ToPick(Item.objects.get(code="RM").pk, Decimal(quantity))],
        by=plans.boss(),
        at=moment(),
    )


def receive(quantity: int, note: str) -> None:
    receipts.post_receipt(
        vendor_id=Vendor.objects.get(code="V1").pk,
        note=note,
        lines=[CountedLine(plans.line(1).pk, Decimal(quantity))],
        by=plans.boss(),
        at=moment(),
    )


def receive_after_shipping(quantity: int) -> None:
    ship(quantity)
    receive(quantity, "N1")


def planned() -> list[Decimal]:
    return list(ShipmentLine.objects.filter(shipment__status="planned").values_list("quantity", flat=True))


def expected() -> tuple[Decimal, date]:
    found = ExpectedReceipt.objects.get(order_line=plans.line(1))
    return found.quantity, found.expected_on


def test_the_last_sent_revision_stays_in_force_until_the_dearer_one_is_sent():
    promised = plans.line(1).promised_date

    act(documents.revise_line, line_no=1, quantity=Decimal(15), unit_price=Decimal(120))

    order, line = plans.order(1), plans.line(1)
    assert (order.status, order.revision, order.total, order.is_with_vendor) == (OrderStatus.DRAFT, 2, 1800, True)
    assert (line.quantity, line.quantity_in_force, line.unit_price_in_force, line.amount_in_force) == (
        15,
        10,
        100,
        1000,
    )
    assert (line.components.get().required, line.components.get().required_in_force) == (15, 10)
    assert (planned(), expected()) == ([10], (10, promised))

    plans.send(1)

    assert (plans.line(1).quantity_in_force, planned(), expected()) == (15, [15], (15, promised))
    assert plans.line(1).sent_quantity is None


def test_goods_are_received_on_what_is_in_force_while_a_dearer_revision_waits():
    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    with pytest.raises(OverSend):
        ship(11)
    ship(10)
    with pytest.raises(OverReceipt):
        receive(11, "N1")
    receive(10, "N1")

    assert (plans.line(1).status, expected()[0]) == (LineStatus.OPEN, 0)
    plans.send(1)
    assert (plans.line(1).status, expected()[0]) == (LineStatus.OPEN, 5)


def test_what_the_order_says_already_is_no_revision_and_the_vendor_is_not_told():
    act(documents.acknowledge_set)
    before = (plans.order(1).version, Message.objects.count(), OrderRevision.objects.count())

    act(documents.revise_line, line_no=1, quantity=Decimal(10), unit_price=Decimal(100), need_date=date(2026, 3, 31))

    assert (plans.order(1).status, plans.order(1).revision) == (OrderStatus.ACKNOWLEDGED, 1)
    assert (plans.order(1).version, Message.objects.count(), OrderRevision.objects.count()) == before


def test_a_price_that_was_open_is_told_also_where_it_is_the_estimate():
    OrderLine.objects.update(is_price_open=True)

    act(documents.revise_line, line_no=1, unit_price=Decimal(100))

    assert (plans.order(1).revision, plans.line(1).is_price_open) == (2, False)


def test_a_revision_that_waits_can_be_withdrawn():
    act(documents.revise_line, line_no=1, quantity=Decimal(15), need_date=date(2026, 4, 10))

    order = act(documents.withdraw_revision)

    line = plans.line(1)
    assert (order.status, order.revision, order.total, order.approved_total) == (OrderStatus.SENT, 1, 1000, 1000)
    assert (line.quantity, line.amount, line.need_date, line.sent_quantity) == (10, 1000, date(2026, 3, 31), None)
    assert (line.components.get().required, planned(), expected()[0]) == (10, [10], 10)
    with pytest.raises(NotOfThisState):
        act(documents.withdraw_revision)


def test_a_revision_that_waits_is_withdrawn_where_it_is_changed_back_to_what_was_sent():
    act(documents.acknowledge_set)
    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    act(documents.revise_line, line_no=1, quantity=Decimal(10))

    order = plans.order(1)
    assert (order.status, order.revision, order.approved_total) == (OrderStatus.ACKNOWLEDGED, 1, 1000)
    assert (plans.line(1).sent_quantity, planned(), expected()[0]) == (None, [10], 10)
    assert OrderRevision.objects.count() == 1


def test_a_revision_that_waits_is_in_force_at_once_where_it_is_lowered_below_what_was_sent():
    act(documents.acknowledge_set)
    act(documents.revise_line, line_no=1, quantity=Decimal(15))
    act(documents.approve_set)
    receive_after_shipping(4)

    act(documents.revise_line, line_no=1, quantity=Decimal(14))
    assert (plans.order(1).status, plans.line(1).quantity_in_force) == (OrderStatus.APPROVED, 10)
    act(documents.revise_line, line_no=1, quantity=Decimal(9))

    order = plans.order(1)
    assert (order.status, order.revision, order.approved_total) == (OrderStatus.SENT, 2, 900)
    assert order.acknowledged_at is None
    assert (plans.line(1).quantity_in_force, plans.line(1).sent_quantity, expected()[0]) == (9, None, 5)
    last = OrderRevision.objects.get(revision=2)
    assert (last.sent_at, last.content["lines"][0]["quantity"]) == (moment(), "9.00000")


def test_what_goes_to_the_vendor_waits_for_the_version_that_waits_and_says_so():
    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    for service in (documents.acknowledge_set, lambda **by: documents.counter_set(lines=[], **by)):
        with pytest.raises(NotOfThisState, match=r"^A later version of SC-00001 waits: send it or drop it first\.$"):
            act(service)


def test_a_withdrawn_revision_leaves_what_the_vendor_was_told_of_the_work(monkeypatch: pytest.MonkeyPatch):
    drawn: dict[str, Any] = {}
    monkeypatch.setattr("subcontract_orders.printing.as_pdf", lambda template, context: drawn.update(context) or b"")
    plans.load({"items": [{"code": "FG", "revision": "B"}]})
    act(documents.revise_line, line_no=1, quantity=Decimal(15), retell=True)
    assert plans.line(1).item_revision == "B"
    assert b">B<" not in order_xml(order_id=plans.order(1).pk)
    order_paper(order_id=plans.order(1).pk)
    assert [line.revision for line in drawn["lines"]] == [""]

    act(documents.withdraw_revision)

    assert plans.line(1).item_revision == ""
    plans.generate()
    assert Alert.objects.open().get().after == {"item_revision": "B"}


def test_closing_drops_the_revision_that_waits():
    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    order = act(documents.close_set)

    assert (order.status, order.revision, plans.line(1).quantity) == (OrderStatus.CLOSED, 1, 10)


def test_a_counter_offer_changes_nothing_until_it_is_accepted():
    counter(Part(Decimal(8), date(2026, 4, 2)), reason="two racks are broken")

    alert = Alert.objects.open().get()
    assert (alert.kind, alert.subject, alert.proposes) == ("vendor_countered", "SC-00001", "accept")
    assert alert.after == {"line": 1, "quantity": "8", "promised_date": "2026-04-02"}
    assert alert.before["quantity"] == "10"
    assert (plans.line(1).quantity, plans.order(1).revision) == (10, 1)

    order = act(documents.accept_counter)

    assert (order.status, order.revision, order.total) == (OrderStatus.ACKNOWLEDGED, 2, 800)
    assert (planned(), expected()) == ([8], (8, date(2026, 4, 2)))
    assert (plans.line(1).promised_date, plans.line(1).need_date) == (date(2026, 4, 2), date(2026, 3, 31))
    assert not Alert.objects.open().exists()


def test_what_the_vendor_cannot_make_is_ordered_anew():
    counter(Part(Decimal(8)))
    act(documents.accept_counter)

    plans.generate()
    plans.generate()

    assert [(row[0], row[4]) for row in plans.lines()] == [("SC-00001", 8), ("SC-00002", 2)]
    assert not Alert.objects.open().exists()


def test_an_offer_in_parts_is_expected_part_by_part():
    counter(Part(Decimal(4), date(2026, 3, 20)), Part(Decimal(6), date(2026, 4, 3)))

    act(documents.accept_counter)

    assert expected() == (10, date(2026, 3, 20))
    assert plans.line(1).promised_date == date(2026, 4, 3)
    ship(10)
    receive(4, "N1")
    documents.watch(at=moment(), on=plans.MONDAY)
    assert expected() == (6, date(2026, 4, 3))


def parts() -> list[tuple[Decimal, date]]:
    return [(one.quantity, one.promised_date) for one in plans.line(1).promises_in_force]


PROMISED = [(Decimal(4), date(2026, 3, 20)), (Decimal(6), date(2026, 4, 3))]


def test_the_parts_a_vendor_promised_stay_in_force_while_a_dearer_revision_waits_and_when_it_is_withdrawn():
    counter(*(Part(*part) for part in PROMISED))
    act(documents.accept_counter)

    act(documents.revise_line, line_no=1, quantity=Decimal(15), need_date=date(2026, 4, 20))

    assert (parts(), expected()) == (PROMISED, (10, date(2026, 3, 20)))
    documents.watch(at=moment(date(2026, 3, 23)), on=date(2026, 3, 23))
    late = Alert.objects.open().get(kind="late")
    assert (late.before, late.after) == ({"promised": "2026-03-20"}, {"overdue_days": 3, "open": "4"})

    act(documents.withdraw_revision)

    assert (parts(), expected()) == (PROMISED, (10, date(2026, 3, 20)))
    assert not LinePromise.objects.filter(is_told=True).exists()


def test_the_parts_a_vendor_promised_end_with_the_revision_that_is_sent():
    counter(*(Part(*part) for part in PROMISED))
    act(documents.accept_counter)
    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    plans.send(1)

    assert (parts(), LinePromise.objects.count()) == ([], 0)
    assert expected() == (15, plans.line(1).promised_date)


def test_parts_of_an_offer_that_waits_for_approval_are_not_promised_yet():
    counter(*(Part(*part) for part in PROMISED))
    act(documents.accept_counter)
    more = [(Decimal(4), date(2026, 3, 27)), (Decimal(8), date(2026, 4, 10))]
    counter(*(Part(*part) for part in more))

    act(documents.accept_counter)

    assert (plans.order(1).status, parts(), expected()[1]) == (OrderStatus.DRAFT, PROMISED, date(2026, 3, 20))
    plans.send(1)
    assert (parts(), expected()) == (more, (12, date(2026, 3, 27)))


def test_more_than_was_approved_waits_although_the_vendor_offers_it():
    counter(Part(Decimal(12)))

    order = act(documents.accept_counter)

    assert (order.status, order.revision, plans.line(1).quantity_in_force) == (OrderStatus.DRAFT, 2, 10)
    assert planned() == [10]


def test_an_offer_that_is_rejected_leaves_the_order_as_it_was():
    counter(Part(Decimal(8)))

    order = act(documents.reject_counter, reason="we need all of them")

    assert (order.status, plans.line(1).quantity) == (OrderStatus.SENT, 10)
    assert CounterOffer.objects.get().state == "rejected"
    assert not Alert.objects.open().exists()
    with pytest.raises(NoCounterOffer):
        act(documents.accept_counter)


def test_a_vendor_who_refuses_the_order_cancels_it_only_when_somebody_agrees():
    act(documents.refuse_set, reason="bath is empty")
    alert = Alert.objects.open().get()
    assert (alert.severity, alert.proposes, alert.after) == ("critical", "cancel", {"refused": "bath is empty"})
    assert plans.order(1).status == OrderStatus.SENT

    documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=moment())

    assert plans.order(1).status == OrderStatus.CANCELLED
    assert not Alert.objects.open().exists()


def test_countering_again_replaces_the_same_line_and_a_change_of_ours_overtakes_it():
    counter(Part(Decimal(8)))
    counter(Part(Decimal(7)))
    assert [row.quantity for row in CounterOffer.objects.get().lines.all()] == [7]

    act(documents.revise_line, line_no=1, quantity=Decimal(15))

    assert CounterOffer.objects.get().state == "overtaken"
    assert not Alert.objects.open().exists()


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ((Part(Decimal(0)),), InvalidQuantity),
        ((Part(Decimal("1.5")),), TooPrecise),
        ((Part(Decimal(8), date(2026, 3, 1)),), InvalidDate),
    ],
)
def test_an_offer_without_sense_is_refused_and_nothing_is_written(parts, refusal):
    before = plans.rows_written()

    with pytest.raises(refusal):
        counter(*parts)

    assert plans.rows_written() == before
    assert not CounterOffer.objects.exists()


def test_the_vendor_acknowledges_with_a_date_of_his_own():
    order = act(documents.acknowledge_set, promised={1: date(2026, 4, 1)})

    assert order.status == OrderStatus.ACKNOWLEDGED
    assert (plans.line(1).promised_date, expected()) == (date(2026, 4, 1), (10, date(2026, 4, 1)))


def test_the_api_counters_accepts_rejects_and_withdraws():
    boss_api = client_of(Role.BUYER)
    at = "/api/v1/subcontract-orders/SC-00001"
    answer = boss_api.post(f"{at}/counter/", {"line": 1, "quantity": "8"}, format="json")
    assert (answer.status_code, answer.data["status"]) == (200, "sent")
    assert boss_api.post(f"{at}/counter/", {"quantity": "8"}, format="json").status_code == 422
    answer = boss_api.post(f"{at}/accept-counter/", {}, format="json")
    assert (answer.status_code, answer.data["total"]) == (200, "800.00")
    answer = boss_api.post(f"{at}/reject-counter/", {}, format="json")
    assert (answer.status_code, answer.data["code"]) == (409, "wrong_state")
    days = [(timezone.now().date() + timedelta(days=wait)).isoformat() for wait in (20, 34)]
    parts = [{"quantity": "4", "promised_date": day} for day in days]
    assert boss_api.post(f"{at}/counter/", {"line": 1, "parts": parts}, format="json").status_code == 200
    answer = boss_api.post(f"{at}/accept-counter/", {}, format="json")
    assert [row["promised_date"] for row in answer.data["lines"][0]["promises"]] == days
    boss_api.post(f"{at}/revise/", {"line": 1, "quantity": "15"}, format="json")
    answer = boss_api.post(f"{at}/withdraw-revision/", {}, format="json")
    assert (answer.data["status"], answer.data["total"]) == ("acknowledged", "800.00")


def test_accepting_an_offer_needs_the_right():
    counter(Part(Decimal(8)))

    answer = client_of(Role.PLANNER).post("/api/v1/subcontract-orders/SC-00001/accept-counter/", {}, format="json")

    assert answer.status_code == 403
    assert plans.line(1).quantity == 10


def test_a_rush_approves_sends_and_ships_in_one_act():
    plans.plan("P2", "FG", 3, "2026-04-20")
    plans.generate()

    order = documents.rush_set(order_id=plans.order(2).pk, by=plans.boss(), at=moment())

    assert (order.status, order.material) == (OrderStatus.SENT, "complete")
    assert plans.line(2).components.get().sent == 3


def test_a_rush_of_what_is_held_back_is_refused_with_the_reason():
    plans.plan("P2", "FG", 3, "2026-04-20")
    plans.generate()
    plans.send(2)
    planned = ShipmentLine.objects.get(order_line=plans.line(2)).shipment
    shipments.hold(shipment_id=planned.pk, reason="damp", by=plans.boss(), at=moment())
    before = plans.rows_written()

    with pytest.raises(NothingToShip) as refused:
        documents.rush_set(order_id=plans.order(2).pk, by=plans.boss(), at=moment())

    assert refused.value.detail.endswith(f"{planned} is held: damp.")
    assert plans.rows_written() == before


def test_a_rush_goes_no_further_than_right_limit_and_stock():
    plans.plan("P2", "FG", 2000, "2026-04-20")
    plans.plan("P3", "FG", 3, "2026-04-21")
    plans.generate()
    before = plans.rows_written()

    with pytest.raises(NotEnoughStock):
        documents.rush_set(order_id=plans.order(2).pk, by=plans.boss(), at=moment())
    with pytest.raises(OverLimit):
        documents.rush_set(order_id=plans.order(3).pk, by=plans.buyer(299), at=moment())
    assert plans.rows_written() == before
    assert client_of(Role.PLANNER).post("/api/v1/subcontract-orders/SC-00003/rush/", {}).status_code == 403

    answer = client_of(Role.BUYER).post("/api/v1/subcontract-orders/SC-00003/rush/", {}, format="json")
    assert (answer.status_code, answer.data["status"], answer.data["material"]) == (200, "sent", "complete")


def test_an_order_is_approved_by_another_than_who_made_or_changed_it_where_four_eyes_are_asked():
    masterdata.set_company(values={"four_eyes": True})
    plans.plan("P2", "FG", 3, "2026-04-20")
    plans.generate()
    by = {"order_id": plans.order(2).pk, "at": moment()}
    documents.change_line(line_no=1, quantity=Decimal(4), reason="spare", by=plans.boss(), **by)

    with pytest.raises(SameEyes) as refused:
        documents.approve_set(by=plans.boss(), **by)
    assert refused.value.code == "no_right"

    second = plans.buyer(900)
    documents.change_line(line_no=1, need_date=date(2026, 4, 21), reason="later", by=second, **by)
    for person in (plans.boss(), second):  # each has seen the other's change, but nobody his own
        with pytest.raises(SameEyes) as refused:
            documents.approve_set(by=person, **by)
    third = plans.buyer(None)
    with pytest.raises(SameEyes, match="You made or changed SC-00002; buyer None must approve it"):
        documents.approve_set(by=second, **by)

    assert documents.approve_set(by=third, **by).status == OrderStatus.APPROVED
    documents.send_set(by=second, **by)
    documents.revise_line(line_no=1, quantity=Decimal(5), by=second, **by)
    assert documents.approve_set(by=plans.boss(), **by).status == OrderStatus.APPROVED


def verdict() -> tuple[str, set[str]]:
    one = Decision.objects.current().get(operation__production_order__number="P1")
    return one.verdict, {reason["code"] for reason in one.reasons}


def test_work_a_vendor_does_not_take_goes_to_the_next_one():
    plans.load(
        {
            "vendors": [{"code": "V2", "name": "Vendor Two", "currency": "EUR"}],
            "prices": [
                {
                    "vendor": "V2",
                    "item": "FG",
                    "operation_name": "Plating",
                    "currency": "EUR",
                    "unit_price": 110,
                    "lead_days": 5,
                }
            ],
            "policies": [{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1", "V2"]}],
        }
    )
    act(documents.refuse_set, reason="bath is empty")
    act(documents.accept_counter)

    plans.generate()

    assert [(order, vendor) for order, vendor, *_ in plans.lines()] == [("SC-00002", "V2")]
    reasons = Decision.objects.current().get().reasons
    assert [one["detail"] for one in reasons if one["code"] == "refused"] == [
        "Vendor V1 was asked and does not take it; the planner's word asks him again."
    ]


def test_work_nobody_takes_is_blocked_until_a_planner_asks_again():
    act(documents.refuse_set, reason="no time")
    act(documents.accept_counter)

    plans.generate()
    blocked = verdict()
    plans.word("P1", "10", "outsource", vendor="V1")
    plans.generate()

    assert (blocked[0], "refused" in blocked[1]) == ("blocked", True)
    assert GenerationRun.objects.order_by("pk")[1].blocked_by == {"refused": 1}
    assert verdict()[0] == "outsource"
    assert [(order, vendor) for order, vendor, *_ in plans.lines()] == [("SC-00002", "V1")]


def test_what_a_vendor_took_after_all_may_be_asked_of_him_again():
    act(documents.refuse_set, reason="no time")
    act(documents.accept_counter)
    plans.word("P1", "10", "outsource", vendor="V1")
    plans.generate()
    plans.send(2)
    OperationWord.objects.all().delete()

    plans.plan("P1", "FG", 12, "2026-03-31")
    plans.generate()

    assert verdict()[0] == "outsource"
    assert "refused" not in verdict()[1]
