"""Where transit days are set, what goes back leaves on one day and arrives on another."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from rest_framework.response import Response
from rest_framework.test import APIClient

from activity.models import Alert, Event
from core.refusals import WrongState
from documents import services as documents
from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.models import Site
from receipts import services as receipts
from receipts.models import Return, ReturnStatus
from receipts.services import VendorShort
from shipments import services as shipments
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER, lying

WAY = {"transit_out_days": 2, "transit_back_days": 3, "inspection_days": 5, "over_send_pct": 20}
HOME = date(2026, 3, 12)  # three days after LATER
THERE = date(2026, 3, 11)  # two days after


@played
def with_surplus() -> None:
    """Ten are needed of the twelve that arrived at the vendor."""
    back.sent_order(**WAY)
    shipments.deliver(shipment_id=back.ship(1, 12).pk, by=plans.boss(), at=moment())


def way() -> str:
    return masterdata.transit_location(site=Site.objects.get(code="MAIN")).code


def receive_return(document: Return, on: date = HOME) -> Return:
    return receipts.receive_return(return_id=document.pk, by=plans.boss(), at=moment(on))


def test_material_is_on_its_way_until_it_has_come():
    with_surplus()

    document = back.return_material()

    assert (document.status, document.arrives_on, document.posted_at) == (ReturnStatus.DISPATCHED, HOME, None)
    assert (lying("AT-V1", "RM"), lying(way(), "RM"), lying("MAIN", "RM")) == (10, 2, 988)
    assert back.counters(1) == {"sent": 12, "returned": 2, "at_vendor": 10}
    assert back.problems() == []

    done = receive_return(document)

    assert (done.status, done.posted_at) == (ReturnStatus.POSTED, moment(HOME))
    assert (lying(way(), "RM"), lying("MAIN", "RM")) == (0, 990)
    assert back.problems() == []
    assert back.value_is_conserved()


def test_material_waits_for_somebody_to_say_that_it_has_come():
    with_surplus()
    document = back.return_material()

    assert receipts.deliver_due_returns(at=moment(date(2026, 4, 1))) == 0

    document.refresh_from_db()
    assert document.status == ReturnStatus.DISPATCHED


def test_free_stock_has_no_days_on_the_way():
    back.sent_order(**WAY)
    plans.load({"stock": [{"item": "RM", "location": "AT-V1", "quantity": 3}]})

    document = back.return_material()

    assert document.status == ReturnStatus.POSTED
    assert lying("MAIN", "RM") == 1003


def test_what_is_on_its_way_can_be_taken_back_and_what_has_come_as_well():
    with_surplus()
    document = back.return_material()

    assert back.reverse_return(document).status == ReturnStatus.REVERSED

    assert (lying("AT-V1", "RM"), lying(way(), "RM")) == (12, 0)
    again = receive_return(back.return_material())
    back.reverse_return(again)
    assert (lying("AT-V1", "RM"), lying(way(), "RM"), lying("MAIN", "RM")) == (12, 0, 988)
    assert back.counters(1) == {"sent": 12, "at_vendor": 12}
    assert back.problems() == []


def test_what_has_come_is_not_received_twice_and_nothing_is_written():
    with_surplus()
    document = receive_return(back.return_material())
    before = Movement.objects.count()

    with pytest.raises(WrongState, match="is posted; only a draft, or what is on its way, is received"):
        receive_return(document)
    with pytest.raises(WrongState, match="only a draft is dispatched"):
        receipts.dispatch_return(return_id=document.pk, by=plans.boss(), at=moment(HOME))

    assert Movement.objects.count() == before


def test_a_draft_leaves_and_arrives_on_two_days_or_in_one():
    with_surplus()
    goods.receive(goods.counted(plans.line(1), 10))
    back.close(1, "return")
    draft = Return.objects.get()

    left = receipts.dispatch_return(return_id=draft.pk, by=plans.boss(), at=moment(LATER))

    assert (left.status, lying(way(), "RM")) == (ReturnStatus.DISPATCHED, 2)
    back.reverse_return(left)
    assert receive_return(back.return_material()).status == ReturnStatus.POSTED
    assert back.problems() == []


def test_the_alert_about_a_cancelled_orders_material_stays_until_it_is_home():
    back.sent_order(**WAY)
    shipments.deliver(shipment_id=back.ship(1).pk, by=plans.boss(), at=moment())
    documents.cancel_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment(LATER))

    document = back.return_material()

    alert = Alert.objects.open().get(kind="material_left_at_vendor")
    assert alert.before == {"RM": "10"}
    receive_return(document)
    assert not Alert.objects.open().filter(kind="material_left_at_vendor").exists()


def test_pieces_go_back_to_their_vendor_for_his_days_on_the_way():
    with_surplus()
    receipt = goods.receive(goods.counted(plans.line(1), 10))

    document = back.return_product(receipt, 4)

    stage = "rework SC-00001/1"
    assert (document.status, document.arrives_on) == (ReturnStatus.DISPATCHED, THERE)
    assert (lying("MAIN", "FG"), lying(way(), "FG", stage=stage), lying("AT-V1", "FG", stage=stage)) == (6, 4, 0)
    assert (plans.line(1).received, plans.line(1).in_rework) == (6, 4)
    with pytest.raises(VendorShort):
        goods.receive(goods.counted(plans.line(1), 4), note="DN-2")

    assert receipts.deliver_due_returns(at=moment(LATER)) == 0
    assert receipts.deliver_due_returns(at=moment(THERE)) == 1

    assert (lying(way(), "FG", stage=stage), lying("AT-V1", "FG", stage=stage)) == (0, 4)
    goods.receive(goods.counted(plans.line(1), 4), note="DN-2", at=moment(HOME))
    assert (lying("MAIN", "FG"), plans.line(1).received) == (10, 10)
    assert back.problems() == []
    assert back.value_is_conserved()


def test_pieces_on_their_way_back_count_as_sent_back():
    with_surplus()
    receipt = goods.receive(goods.counted(plans.line(1), 10))
    back.return_product(receipt, 4)

    with pytest.raises(receipts.NotSentBack, match="brought 6 that still can"):
        back.return_product(receipt, 7)


# Less arrives than left


def dock() -> APIClient:
    api = APIClient()
    api.force_authenticate(plans.boss())
    return api


def receive_over_api(document: Return, *came: tuple[int, object], reason: str = "") -> Response:
    lines = [{"line": line, "quantity": quantity} for line, quantity in came]
    path = f"/api/v1/returns/{document.number}/receive/"
    with time_machine.travel(moment(HOME), tick=False):
        return dock().post(path, {"lines": lines, "reason": reason}, format="json")


def test_what_did_not_arrive_was_lost_on_the_way_and_is_named():
    with_surplus()
    document = back.return_material()

    answer = receive_over_api(document, (1, 1), reason="one short on the pallet")

    assert (answer.status_code, answer.data["status"]) == (200, "posted")
    assert [(line["quantity"], line["lost"]) for line in answer.data["lines"]] == [("2.00000", "1.00000")]
    assert (lying(way(), "RM"), lying("MAIN", "RM")) == (0, 989)
    lost = Movement.objects.get(to_location__kind="difference")
    assert (lost.quantity, lost.value, lost.reason) == (1, 100, "lost on the way: one short on the pallet")
    assert Event.objects.get(name="return.posted").data["lost"] == {"1": "1.00000"}
    assert back.counters(1) == {"sent": 12, "returned": 2, "at_vendor": 10}
    assert back.problems() == []
    assert back.value_is_conserved()


def test_a_return_of_which_nothing_arrived_is_posted_as_lost():
    with_surplus()

    answer = receive_over_api(back.return_material(), (1, 0))

    assert (answer.status_code, lying(way(), "RM"), lying("MAIN", "RM")) == (200, 0, 988)


def test_reversing_a_short_return_brings_all_of_it_back_to_the_vendor():
    with_surplus()
    document = back.return_material()
    receive_over_api(document, (1, 1))

    receipts.reverse_return(return_id=document.pk, by=plans.boss(), at=moment(HOME))

    assert (lying("AT-V1", "RM"), lying("MAIN", "RM"), lying(way(), "RM")) == (12, 988, 0)
    assert back.problems() == []
    assert back.value_is_conserved()


@pytest.mark.parametrize(
    ("came", "code", "said"),
    [
        ((1, 3), "invalid_quantity", "3 of RM came, 2 left"),
        ((1, "0.5"), "too_precise", "0 decimals"),
        ((1, -1), "invalid_quantity", "-1"),
        ((2, 1), "not_found", "has no line 2"),
    ],
)
def test_more_than_left_or_what_is_no_count_is_refused_and_nothing_written(came, code, said):
    with_surplus()
    document = back.return_material()
    before = Movement.objects.count()

    answer = receive_over_api(document, came)

    assert (answer.data["code"], said in answer.data["detail"]) == (code, True), answer.data
    document.refresh_from_db()
    assert (document.status, Movement.objects.count()) == (ReturnStatus.DISPATCHED, before)
