"""What is left at the vendor when an order is closed, reopened or cancelled."""

from decimal import Decimal

import pytest

from accounts.models import Access, User
from core.refusals import NoRight
from documents import services as documents
from receipts.models import Return, ReturnStatus
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders.models import OrderStatus
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER, lying, worth


@played
def half_done(**rules: object) -> None:
    """Ten sent, four received, six of the material there."""
    line = back.sent_order(**rules)
    back.ship(1)
    goods.receive(goods.counted(line, 4))


def test_kept_material_is_free_stock_there():
    half_done()

    back.close(1, "keep")

    assert back.counters(1) == {"sent": 10, "consumed": 4, "carried_out": 6, "at_vendor": 0}
    assert lying("AT-V1", "RM") == 6
    assert back.problems() == []


def test_what_is_still_needed_is_made_from_what_was_kept():
    half_done(use_vendor_stock="yes")
    back.close(1, "keep")

    plans.generate()

    assert plans.line(2).quantity == 6
    assert back.component(2).carried_in == 6
    assert Shipment.objects.active().count() == 1
    plans.send(2)
    goods.receive(goods.counted(plans.line(2), 6), note="DN-2")
    assert back.counters(2) == {"carried_in": 6, "consumed": 6, "at_vendor": 0}
    assert lying("AT-V1", "RM") == 0
    assert back.problems() == []


def test_material_a_closed_order_is_to_return_is_promised_to_no_other():
    half_done(use_vendor_stock="yes")
    back.close(1, "return")

    plans.generate()

    assert back.component(2).carried_in == 0


def test_returned_means_a_return_is_drafted_and_nothing_moves():
    half_done()

    back.close(1, "return")

    draft = Return.objects.get()
    assert (draft.status, [row.quantity for row in draft.lines.all()]) == (ReturnStatus.DRAFT, [6])
    assert lying("AT-V1", "RM") == 6
    assert back.problems() == []


def test_bringing_it_all_home_does_what_was_drafted():
    half_done()
    back.close(1, "return")

    back.return_material()

    assert sorted(Return.objects.values_list("status", flat=True)) == [ReturnStatus.CANCELLED, ReturnStatus.POSTED]
    assert (lying("AT-V1", "RM"), lying("MAIN", "RM")) == (0, 996)


def test_written_off_material_is_gone_at_its_value():
    half_done()

    back.close(1, "write_off")

    assert back.counters(1) == {"sent": 10, "consumed": 4, "written_off": 6, "at_vendor": 0}
    assert (lying("AT-V1", "RM"), worth("RM")) == (0, 99_000)
    assert back.problems() == []
    assert back.value_is_conserved()


def test_writing_off_needs_the_right():
    half_done()
    who = User.objects.create(username="planner")
    Access.objects.create(user=who, role="planner")

    with pytest.raises(NoRight):
        documents.close_set(order_id=plans.order(1).pk, leftovers="write_off", by=who, at=moment(LATER))

    assert plans.order(1).status == OrderStatus.SENT


def test_reopened_it_has_its_material_again():
    half_done()
    back.close(1, "keep")

    back.reopen(1)

    assert back.counters(1) == {"sent": 10, "consumed": 4, "at_vendor": 6}
    goods.receive(goods.counted(plans.line(1), 6), note="DN-2")
    assert lying("MAIN", "FG") == 10
    assert back.problems() == []


def test_reopened_it_has_only_what_is_still_free():
    half_done()
    back.close(1, "keep")
    back.return_material(RM=4)

    back.reopen(1)

    assert back.counters(1) == {"sent": 10, "consumed": 4, "carried_out": 4, "at_vendor": 2}
    assert back.problems() == []


def test_reopened_its_drafted_return_is_dropped_and_its_shipment_planned_again():
    back.sent_order()
    back.ship(1, 4)
    back.close(1, "return")

    back.reopen(1)

    assert Return.objects.get().status == ReturnStatus.CANCELLED
    planned = Shipment.objects.filter(status=ShipmentStatus.PLANNED)
    assert [line.quantity for shipment in planned for line in shipment.lines.all()] == [Decimal(6)]
    assert back.problems() == []


@pytest.mark.parametrize("act", ["reopen", "cancel"])
def test_a_draft_that_is_withdrawn_holds_no_free_stock_any_more(act: str):
    half_done(use_vendor_stock="yes")
    back.close(1, "keep")
    plans.generate()
    assert back.component(2).carried_in == 6

    if act == "reopen":
        back.reopen(1)
        plans.generate()
    else:
        documents.cancel_set(order_id=plans.order(2).pk, by=plans.boss(), at=moment(LATER))

    assert (plans.line(2).status, back.component(2).carried_in) == ("cancelled", 0)
    assert back.problems() == []


def test_a_cancelled_order_gives_back_what_was_free():
    half_done(use_vendor_stock="yes")
    back.close(1, "keep")
    plans.generate()
    plans.send(2)

    documents.cancel_set(order_id=plans.order(2).pk, by=plans.boss(), at=moment(LATER))

    assert back.component(2).at_vendor == 0
    assert back.problems() == []
    plans.generate()
    assert back.component(3).carried_in == 6
