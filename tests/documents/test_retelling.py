"""The part is drawn, or to be worked, otherwise while pieces are out: a person says what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from activity.models import Alert
from core.refusals import InvalidInput
from documents import services as documents
from inventory.models import Balance
from receipts.models import Return, ReturnStatus
from subcontract_orders.models import LineStatus, OrderStatus
from subcontract_orders.services import NotOfThisState
from tests.documents import plans
from tests.documents.plans import line, load, order
from tests.played import played
from tests.receipts import goods


def spec(text: str) -> dict[str, str]:
    return {"item": "", "process": "Plating", "text": text}


def drawn(revision: str, text: str) -> None:
    """The part's revision and the process's text are these from now on."""
    load({"items": [{"code": "FG", "kind": "finished", "revision": revision}], "specifications": [spec(text)]})
    plans.generate(goods.LATER)


def alert() -> Alert:
    return Alert.objects.open().get(kind="requirement_changed")


def apply(**fields: Any) -> Alert:
    return documents.apply_alert(alert_id=alert().pk, by=plans.boss(), at=plans.moment(goods.LATER), **fields)


@pytest.fixture
@played
def out() -> None:
    """Ten pieces' material is at the vendor, told revision A and 8 µm; then both change."""
    goods.at_vendor()
    assert (line(1).item_revision, line(1).specification) == ("", "")
    drawn("B", "12 µm")


@pytest.mark.usefixtures("out")
def test_an_alert_says_what_the_vendor_was_told_and_what_it_is_now():
    found = alert()

    assert (found.order_number, found.proposes) == ("SC-00001", "change")
    assert found.after == {"item_revision": "B", "specification": "12 µm"}
    assert {name: found.before[name] for name in found.after} == {"item_revision": "", "specification": ""}
    assert line(1).item_revision == ""


@pytest.mark.usefixtures("out")
def test_making_them_to_the_new_one_is_a_revision_of_the_order_that_is_sent():
    apply()

    assert (line(1).item_revision, line(1).specification, line(1).quantity) == ("B", "12 µm", 10)
    assert (order(1).status, order(1).revision) == (OrderStatus.SENT, 2)
    told = order(1).revisions.order_by("revision").last().content["lines"][0]
    assert (told["item_revision"], told["specification"]) == ("B", "12 µm")
    plans.generate(goods.LATER)
    assert not Alert.objects.open().filter(kind="requirement_changed").exists()


@pytest.mark.usefixtures("out")
def test_going_on_with_the_old_one_is_said_once_and_asked_anew_at_the_next_change():
    documents.refuse_alert(alert_id=alert().pk, reason="A fits", by=plans.boss(), at=plans.moment(goods.LATER))
    plans.generate(goods.LATER)

    assert alert().refused_at is not None
    assert line(1).item_revision == ""
    drawn("C", "12 µm")
    assert alert().refused_at is None
    assert alert().after["item_revision"] == "C"


@pytest.mark.usefixtures("out")
def test_a_held_order_waits_and_the_question_stays():
    apply(way="hold")

    assert order(1).status == OrderStatus.HELD
    plans.generate(goods.LATER)
    assert alert().closed_at is None
    with pytest.raises(NotOfThisState):
        apply()
    documents.release_set(order_id=order(1).pk, by=plans.boss(), at=plans.moment(goods.LATER))
    apply()
    assert line(1).item_revision == "B"


@pytest.mark.usefixtures("out")
def test_what_is_taken_back_is_to_come_home_and_ordered_anew_to_the_new_one():
    there = Balance.objects.get(location=line(1).ship_to, quantity__gt=0)

    apply(way="return")

    assert (order(1).status, line(1).status) == (OrderStatus.CANCELLED, LineStatus.CANCELLED)
    coming = Return.objects.get()
    assert coming.status == ReturnStatus.DRAFT
    assert list(coming.lines.values_list("item", "quantity")) == [(there.item_id, there.quantity)]
    assert not Alert.objects.open().filter(kind="requirement_changed").exists()
    plans.generate(goods.LATER)
    assert (line(2).quantity, line(2).item_revision, line(2).specification) == (10, "B", "12 µm")


def test_another_change_offers_no_such_choice():
    line_out = goods.at_vendor()
    plans.plan("P1", "FG", 12, "2026-04-15", day=goods.LATER)
    plans.generate(goods.LATER)
    assert line_out.quantity == 10

    for way in ("hold", "return", "melt"):
        with pytest.raises(InvalidInput) as refused:
            apply(way=way)
        assert refused.value.field == "way"
    assert order(1).status == OrderStatus.SENT


def test_pieces_that_are_all_back_are_not_asked_about():
    line_out = goods.at_vendor()
    goods.receive(goods.counted(line_out, 10))

    drawn("B", "12 µm")

    assert not Alert.objects.open().filter(kind="requirement_changed").exists()
