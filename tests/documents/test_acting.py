"""Acts of a person on a whole document set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from accounts.models import Role
from activity.models import Alert, Event
from activity.services import NothingToRefuse
from core.refusals import InvalidDate, InvalidQuantity, NoRight, NotFound, Stale, TooPrecise
from documents import services as documents
from documents.services import NothingToApply
from masterdata.models import Company, Currency, ExchangeRate
from policies.models import PriceAgreement
from receipts.models import ExpectedReceipt
from shipments.models import Shipment, ShipmentLine, ShipmentStatus
from subcontract_orders.models import LineStatus, OrderComponent, OrderLine, OrderStatus
from subcontract_orders.services import CounteredLine, NoRate, NotDraft, NotOfThisState, OverLimit, Part, Received
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.workbench import rows


@pytest.fixture(autouse=True)
@played
def _one_draft() -> None:
    plans.base()
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.generate()


def act(service, **fields):
    return service(order_id=plans.order(1).pk, by=plans.boss(), at=moment(), **fields)


def alert() -> Alert:
    return Alert.objects.open().get()


def apply(found: Alert) -> Alert:
    return documents.apply_alert(alert_id=found.pk, by=plans.boss(), at=moment())


def planned() -> list[Decimal]:
    return list(ShipmentLine.objects.filter(shipment__status="planned").values_list("quantity", flat=True))


def test_approving_needs_the_right_and_a_limit_that_reaches():
    with pytest.raises(OverLimit) as refused:
        documents.approve_set(order_id=plans.order(1).pk, by=plans.buyer(899), at=moment())
    assert refused.value.code == "no_right"
    assert plans.order(1).status == OrderStatus.DRAFT
    assert not Event.objects.filter(name="order.approved").exists()

    order = documents.approve_set(order_id=plans.order(1).pk, by=plans.buyer(900), at=moment())

    assert (order.status, order.approved_total, order.version) == (OrderStatus.APPROVED, 900, plans.order(1).version)


def test_an_approval_is_withdrawn_as_long_as_nothing_was_sent_on_it():
    act(documents.approve_set)

    order = act(documents.withdraw_approval)

    assert (order.status, order.approved_total, order.approved_at, order.approved_by) == (
        OrderStatus.DRAFT,
        None,
        None,
        None,
    )
    assert order.consolidation_key.endswith(order.number)  # another draft may collect what comes now
    with pytest.raises(NotOfThisState):
        act(documents.withdraw_approval)
    act(documents.approve_set), act(documents.send_set)
    with pytest.raises(NotOfThisState):
        act(documents.withdraw_approval)
    assert Event.objects.filter(name="order.approval_withdrawn").count() == 1


def test_who_may_not_approve_withdraws_no_approval():
    act(documents.approve_set)

    with pytest.raises(NoRight):
        documents.withdraw_approval(order_id=plans.order(1).pk, by=rows.user("otto", Role.DOCK), at=moment())

    assert plans.order(1).status == OrderStatus.APPROVED


def test_an_order_is_approved_once_and_sent_only_when_approved():
    with pytest.raises(NotOfThisState):
        act(documents.send_set)
    act(documents.approve_set)
    with pytest.raises(NotDraft):
        act(documents.approve_set)

    order = act(documents.send_set)

    assert (order.status, order.sent_at, order.sent_by) == (OrderStatus.SENT, moment(), plans.boss())
    assert plans.line(1).is_draft is False
    content = order.revisions.get().content
    assert (content["number"], content["vendor"], content["total"]) == ("SC-00001", "V1", "900.00")
    assert content["lines"][0]["components"] == [{"item": "RM", "stage": "", "supply": "own", "required": "9.00000"}]


def test_a_stale_version_is_refused():
    with pytest.raises(Stale):
        act(documents.approve_set, expected_version=plans.order(1).version - 1)
    with pytest.raises(NotFound):
        documents.approve_set(order_id=0, by=plans.boss(), at=moment())


def test_cancelling_takes_the_whole_set_along_and_the_next_run_orders_anew():
    order = act(documents.cancel_set, reason="vendor is on strike")

    assert order.status == OrderStatus.CANCELLED
    assert plans.line(1).status == LineStatus.CANCELLED
    assert Shipment.objects.get().status == ShipmentStatus.CANCELLED
    assert ExpectedReceipt.objects.get().quantity == 0
    with pytest.raises(NotOfThisState):
        act(documents.cancel_set)
    plans.generate()
    assert [row[0] for row in plans.lines()] == ["SC-00002"]


def test_what_is_received_is_closed_not_cancelled():
    plans.send(1)
    plans.line(1).__class__.objects.update(accepted=4)

    with pytest.raises(Received):
        act(documents.cancel_set)
    order = act(documents.close_set)

    assert order.status == OrderStatus.CLOSED
    assert ExpectedReceipt.objects.get().quantity == 0
    plans.generate()
    assert [(row[0], row[4]) for row in plans.lines()] == [("SC-00001", 9), ("SC-00002", 5)]


def test_a_reopened_order_expects_its_open_quantity_again():
    plans.send(1)
    act(documents.close_set)

    order = act(documents.reopen_set)

    assert (order.status, order.closed_at) == (OrderStatus.SENT, None)
    assert ExpectedReceipt.objects.get().quantity == 9


def test_a_held_order_says_to_release_it_before_it_is_changed():
    act(documents.approve_set)
    act(documents.send_set)
    act(documents.hold_set, reason="drawing is wrong")

    with pytest.raises(NotOfThisState, match="SC-00001 is held; release it first, then change it"):
        act(documents.revise_line, line_no=1, quantity=Decimal(5))
    act(documents.release_set)
    assert act(documents.revise_line, line_no=1, quantity=Decimal(5)).quantity == 5


def test_a_held_order_goes_on_from_where_it_was():
    plans.send(1)
    act(documents.acknowledge_set)
    act(documents.hold_set, reason="drawing is wrong")
    with pytest.raises(NotOfThisState):
        act(documents.acknowledge_set)

    assert act(documents.release_set).status == OrderStatus.ACKNOWLEDGED
    assert Event.objects.get(name="order.held").data == {"reason": "drawing is wrong"}


@pytest.mark.parametrize(
    ("quantity", "refusal"),
    [(Decimal(0), InvalidQuantity), (Decimal(-1), InvalidQuantity), (Decimal("1.5"), TooPrecise)],
)
def test_a_quantity_without_sense_is_refused_and_nothing_is_written(quantity, refusal):
    before = plans.rows_written()

    with pytest.raises(refusal):
        act(documents.change_line, line_no=1, quantity=quantity, reason="typo")

    assert plans.rows_written() == before


def test_a_need_date_in_another_century_is_refused_with_the_days_that_are_possible():
    before = plans.rows_written()

    with pytest.raises(InvalidDate) as refused:
        act(documents.change_line, line_no=1, need_date=date(1900, 1, 1), reason="typo")

    assert (refused.value.code, refused.value.field) == ("invalid_date", "need_date")
    assert "1900-01-01 is not between 2016-03-04 and 2046-02-25" in refused.value.detail
    assert plans.rows_written() == before


def chain() -> tuple[date, ...]:
    line = plans.line(1)
    return (line.need_date, line.vendor_ready_date, line.at_vendor_date, line.dispatch_by, line.order_by)


def follows() -> tuple[date, date, date, date]:
    """The dates of the rest of the set: the order's own, the planned shipment's, the expected receipt's."""
    order = plans.order(1)
    return (
        order.dispatch_by,
        order.due_date,
        Shipment.objects.get().dispatch_by,
        ExpectedReceipt.objects.get().expected_on,
    )


MOVED = (date(2026, 4, 10), date(2026, 4, 10), date(2026, 4, 3), date(2026, 4, 3), date(2026, 4, 3))


@pytest.mark.parametrize("is_sent", [False, True])
def test_all_dates_of_a_line_and_its_set_move_with_the_need_date(is_sent):
    if is_sent:
        plans.send(1)
    change = documents.revise_line if is_sent else documents.change_line

    act(change, line_no=1, need_date=date(2026, 4, 10), reason="later")

    assert chain() == MOVED
    assert (plans.line(1).promised_date, plans.line(1).late_by) == (date(2026, 4, 10), 0)
    assert follows() == (date(2026, 4, 3), date(2026, 4, 10), date(2026, 4, 3), date(2026, 4, 10))


def test_a_need_that_can_no_longer_be_met_is_promised_as_soon_as_it_can_be():
    act(documents.change_line, line_no=1, need_date=date(2026, 3, 4), reason="sooner")

    line = plans.line(1)
    assert (line.order_by, line.late_by, line.promised_date) == (date(2026, 2, 25), 5, date(2026, 3, 9))
    assert ExpectedReceipt.objects.get().expected_on == date(2026, 3, 9)


def test_a_run_keeps_a_need_date_a_person_set_and_the_dates_that_go_with_it():
    act(documents.change_line, line_no=1, need_date=date(2026, 4, 10), reason="later")
    plans.plan("P1", "FG", 12, "2026-03-30")

    plans.generate()

    assert (plans.line(1).quantity, chain(), plans.line(1).promised_date) == (12, MOVED, date(2026, 4, 10))
    assert follows() == (date(2026, 4, 3), date(2026, 4, 10), date(2026, 4, 3), date(2026, 4, 10))


def test_a_date_that_waits_with_a_dearer_revision_moves_no_shipment_and_goes_with_it():
    plans.send(1)
    before = chain()

    act(documents.revise_line, line_no=1, quantity=Decimal(12), need_date=date(2026, 4, 10))

    assert chain() == MOVED
    assert Shipment.objects.get().dispatch_by == before[3]
    assert ExpectedReceipt.objects.get().expected_on == before[0]

    act(documents.withdraw_revision)

    assert chain() == before


def test_applying_a_moved_requirement_moves_all_dates():
    plans.send(1)
    plans.plan("P1", "FG", 9, "2026-04-10")
    plans.generate()

    apply(alert())

    assert chain() == MOVED
    assert follows()[2:] == (date(2026, 4, 3), date(2026, 4, 10))


def test_an_order_with_a_revision_that_waits_is_revised_not_changed():
    plans.send(1)
    act(documents.revise_line, line_no=1, quantity=Decimal(12))
    before = plans.rows_written()

    with pytest.raises(NotOfThisState) as refused:
        act(documents.change_line, line_no=1, quantity=Decimal(3), reason="less")

    assert "revise it" in refused.value.detail
    assert plans.rows_written() == before


def test_a_revision_that_asks_for_less_than_came_meanwhile_is_not_sent():
    plans.send(1)
    act(documents.revise_line, line_no=1, quantity=Decimal(4), unit_price=Decimal(1000))
    act(documents.approve_set)
    OrderLine.objects.update(accepted=6)

    with pytest.raises(InvalidQuantity) as refused:
        act(documents.send_set)

    assert "at least 6" in refused.value.detail
    assert plans.line(1).quantity_in_force == 9


def test_a_line_that_is_given_back_follows_the_plan_again():
    act(documents.change_line, line_no=1, quantity=Decimal(12), reason="spare parts")
    plans.generate()
    found = alert()
    assert (found.kind, found.after) == ("requirement_changed", {"quantity": "9"})

    apply(found)
    plans.generate()

    assert (plans.line(1).quantity, plans.line(1).pinned, plans.order(1).total) == (9, {}, 900)
    assert not Alert.objects.open().exists()


def test_applying_a_raised_requirement_waits_as_a_draft_revision():
    plans.send(1)
    plans.plan("P1", "FG", 12, "2026-03-30")
    plans.generate()

    apply(alert())

    order, line = plans.order(1), plans.line(1)
    assert (order.status, order.revision, order.total) == (OrderStatus.DRAFT, 2, 1200)
    assert (line.quantity, line.need_date) == (12, date(2026, 3, 30))
    assert (line.quantity_in_force, planned(), ExpectedReceipt.objects.get().quantity) == (9, [9], 9)
    assert [row.revision for row in order.revisions.all()] == [1]
    plans.generate()
    assert not Alert.objects.open().exists()
    plans.send(1)
    assert (plans.line(1).quantity_in_force, planned(), ExpectedReceipt.objects.get().quantity) == (12, [12], 12)
    assert list(plans.order(1).revisions.order_by("revision").values_list("revision", flat=True)) == [1, 2]


def test_applying_a_lowered_requirement_keeps_the_order_sent():
    plans.send(1)
    plans.plan("P1", "FG", 6, "2026-03-31")
    plans.generate()

    apply(alert())

    order = plans.order(1)
    assert (order.status, order.revision, order.total) == (OrderStatus.SENT, 2, 600)
    assert planned() == [6]
    assert OrderComponent.objects.get().required == 6
    assert order.revisions.get(revision=2).content["total"] == "600.00"
    plans.generate()
    assert not Alert.objects.open().exists()


def test_applying_a_cancelled_requirement_cancels_the_order_with_its_last_line():
    plans.send(1)
    plans.cancel("P1")
    plans.generate()

    apply(alert())

    assert plans.order(1).status == OrderStatus.CANCELLED
    assert Shipment.objects.get().status == ShipmentStatus.CANCELLED
    assert not Alert.objects.open().exists()


def test_material_of_ours_that_a_cancelled_order_leaves_at_the_vendor_is_said_until_it_is_back():
    plans.send(1)
    OrderComponent.objects.update(sent=9)
    plans.cancel("P1")
    plans.generate()

    apply(alert())

    found = alert()
    assert (found.kind, found.subject, found.before) == ("material_left_at_vendor", "SC-00001", {"RM": "9"})
    OrderComponent.objects.update(returned=9)
    plans.generate()
    assert not Alert.objects.open().exists()


def test_material_of_work_that_is_cancelled_is_said_also_where_part_of_it_was_delivered():
    plans.send(1)
    OrderComponent.objects.update(sent=9, consumed=4)
    OrderLine.objects.update(accepted=4)
    plans.cancel("P1")
    plans.generate()

    apply(alert())

    found = alert()
    assert (plans.order(1).status, plans.line(1).status) == (OrderStatus.SENT, LineStatus.COMPLETE)
    assert (found.kind, found.subject, found.before) == ("material_left_at_vendor", "SC-00001", {"RM": "5"})
    assert found.title == "SC-00001 does not need all it was sent: 5 RM of ours lie at V1"
    OrderComponent.objects.update(returned=5)
    plans.generate()
    assert not Alert.objects.open().exists()


def test_an_alert_that_proposes_nothing_is_not_applied():
    plans.plan("P2", "FG", 2000, "2026-03-31")
    plans.generate()
    found = Alert.objects.open().get(kind="shortage")

    with pytest.raises(NothingToApply) as refused:
        apply(found)

    assert refused.value.code == "nothing_to_do"


def test_less_than_what_is_received_is_refused():
    plans.send(1)
    plans.line(1).__class__.objects.update(accepted=4)

    with pytest.raises(InvalidQuantity):
        act(documents.revise_line, line_no=1, quantity=Decimal(3))

    act(documents.revise_line, line_no=1, quantity=Decimal(4))
    assert (plans.line(1).status, plans.order(1).receipt) == (LineStatus.COMPLETE, "complete")
    assert ExpectedReceipt.objects.get().quantity == 0


def test_a_company_whose_money_has_no_decimals_gets_none():
    yen = Currency.objects.create(code="JPY", decimals=0)
    Company.objects.update(currency=yen)
    line = plans.line(1)
    line.amount_company = Decimal("1453")
    line.save()

    act(documents.change_line, line_no=1, quantity=Decimal(10), reason="one more")

    assert plans.line(1).amount_company == 1614


def test_a_price_set_where_none_was_is_worth_something_in_company_money_and_meets_the_limit():
    Company.objects.update(currency=Currency.objects.create(code="CHF", decimals=2))
    plans.load({"exchange_rates": [{"currency": "EUR", "rate": "0.95", "valid_from": "2026-01-01"}]})
    act(documents.change_line, line_no=1, unit_price=Decimal(0), reason="a sample")
    act(documents.change_line, line_no=1, unit_price=Decimal(100), reason="no sample")

    assert plans.line(1).amount_company == 855
    with pytest.raises(OverLimit):
        documents.approve_set(order_id=plans.order(1).pk, by=plans.buyer(854), at=moment())

    act(documents.change_line, line_no=1, unit_price=Decimal(0), reason="a sample")
    ExchangeRate.objects.all().delete()
    with pytest.raises(NoRate) as refused:
        act(documents.change_line, line_no=1, unit_price=Decimal(100), reason="no sample")
    assert refused.value.code == "no_rate"
    assert plans.line(1).unit_price == 0


def test_a_few_cents_do_not_tell_the_rate():
    Company.objects.update(currency=Currency.objects.create(code="CHF", decimals=2))
    plans.load({"exchange_rates": [{"currency": "EUR", "rate": "0.6", "valid_from": "2026-01-01"}]})
    line = plans.line(1)
    line.quantity, line.unit_price = Decimal(1), Decimal("0.01")
    line.work_amount = line.amount = line.amount_company = Decimal("0.01")
    line.save()

    act(documents.change_line, line_no=1, quantity=Decimal(5), unit_price=Decimal(1000), reason="as agreed")

    assert plans.line(1).amount_company == 3000


def test_a_price_set_on_a_draft_is_open_no_more_also_after_the_next_run():
    PriceAgreement.objects.all().delete()
    routing = {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "OUT", "run_minutes_per_unit": 10}
    plans.load(
        {
            "work_centers": [{"code": "OUT", "kind": "external", "hourly_cost": 60}],
            "routings": [routing],
            "policies": [{"code": "PLATE", "price_missing": "estimate"}],
        }
    )
    plans.plan("P2", "FG", 10, "2026-03-31")
    plans.generate()
    assert (plans.line(2).unit_price, plans.line(2).is_price_open) == (10, True)

    documents.change_line(
        order_id=plans.order(2).pk, line_no=1, unit_price=Decimal(12), reason="agreed", by=plans.boss(), at=moment()
    )
    plans.plan("P2", "FG", 11, "2026-03-31")
    plans.generate()

    line = plans.line(2)
    assert (line.quantity, line.unit_price, line.amount, line.is_price_open) == (11, 12, 132, False)


def test_a_quantity_set_before_sending_is_asked_to_follow_the_plan_like_any_other_once_it_is_sent():
    act(documents.change_line, line_no=1, quantity=Decimal(11), reason="two spare")
    plans.send(1)
    plans.plan("P1", "FG", 13, "2026-03-31")
    plans.generate()

    assert (alert().after, OrderLine.objects.count()) == ({"quantity": "13"}, 1)


def test_what_was_refused_is_not_proposed_again_but_something_else_is():
    plans.send(1)
    plans.plan("P1", "FG", 12, "2026-03-31")
    plans.generate()
    refused = documents.refuse_alert(alert_id=alert().pk, reason="They are full", by=plans.boss(), at=moment())

    plans.generate()

    assert (refused.refused_by, refused.refusal) == (plans.boss(), "They are full")
    assert not Alert.objects.waiting().exists()
    assert alert().pk == refused.pk
    assert plans.line(1).quantity == 9
    assert "They are full" in Event.objects.get(name="order.proposal_refused").data["detail"]

    plans.plan("P1", "FG", 15, "2026-03-31")
    plans.generate()

    assert Alert.objects.waiting().get().after == {"quantity": "15"}
    assert (alert().refused_at, alert().refused_by, alert().refusal) == (None, None, "")


def test_a_counter_offer_is_refused_through_its_alert():
    plans.send(1)
    documents.counter_set(
        order_id=plans.order(1).pk, lines=[CounteredLine(1, (Part(Decimal(5)),))], by=None, at=moment()
    )

    refused = documents.refuse_alert(alert_id=alert().pk, reason="no", by=plans.boss(), at=moment())

    assert refused.closed_at == moment()
    assert plans.order(1).counter_offers.get().state == "rejected"
    assert plans.line(1).quantity == 9


def test_an_alert_that_proposes_nothing_is_not_refused():
    Alert.objects.create(kind="shortage", subject="x", proposes="order", opened_at=moment(), updated_at=moment())

    with pytest.raises(NothingToRefuse):
        documents.refuse_alert(alert_id=alert().pk, by=plans.boss(), at=moment())
    assert alert().refused_at is None


def test_applying_another_vendor_takes_the_line_away_and_the_next_run_orders_there():
    plans.load(
        {
            "vendors": [{"code": "V2", "currency": "EUR"}],
            "prices": [
                {"vendor": "V2", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 90,
                 "lead_days": 5, "valid_from": "2026-01-01"},
            ],
        }
    )  # fmt: skip
    plans.send(1)
    plans.word("P1", "10", "outsource", vendor="V2")
    plans.generate()
    assert alert().after == {"vendor": "V2"}

    apply(alert())
    plans.generate()

    assert plans.order(1).status == OrderStatus.CANCELLED
    assert plans.lines() == [("SC-00002", "V2", "P1", "10", 9, 810)]
    assert not Alert.objects.open().exists()
