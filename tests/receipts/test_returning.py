"""Material comes home, pieces go back: what may, what may not, and that it can be undone."""

from decimal import Decimal

import pytest

from activity.models import Alert
from core.refusals import InvalidQuantity, NotFound, TooPrecise, WrongState
from documents import services as documents
from inventory.models import Lot, Movement
from inventory.services import CountedStock, NotEnoughStock, load_stock
from masterdata.models import Item, Location
from receipts.models import ExpectedReceipt, Return, ReturnLine, ReturnStatus
from receipts.services import NotFree, NothingToReturn, OrderIsOver
from subcontract_orders.models import LineStatus, Progress
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts import back, goods
from tests.receipts.goods import LATER, lying, worth


def untouched() -> tuple[int, int]:
    return Return.objects.count(), Movement.objects.count()


def test_only_what_the_line_does_not_need_comes_back():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)

    document = back.return_material()

    assert [(row.quantity, row.to_location.code) for row in document.lines.all()] == [(2, "MAIN")]
    assert back.counters(1) == {"sent": 12, "returned": 2, "at_vendor": 10}
    assert plans.order(1).material == Progress.COMPLETE
    assert (lying("AT-V1", "RM"), lying("MAIN", "RM"), worth("RM")) == (10, 990, 100_000)
    assert back.problems() == []


def test_nothing_unneeded_is_refused_and_nothing_written():
    back.sent_order()
    back.ship(1)
    before = untouched()

    with pytest.raises(NothingToReturn):
        back.return_material()

    assert untouched() == before


def test_more_than_is_unneeded_is_refused_with_what_could_come():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)
    before = untouched()

    with pytest.raises(NotFree, match="2 lie there unneeded"):
        back.return_material(RM=3)

    assert untouched() == before


@pytest.mark.parametrize(
    ("quantity", "refusal"), [("-1", InvalidQuantity), ("0", InvalidQuantity), ("0.5", TooPrecise)]
)
def test_a_quantity_that_is_none_is_refused(quantity, refusal):
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)

    with pytest.raises(refusal):
        back.return_material(RM=quantity)


def test_an_unknown_lot_is_not_found():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)

    with pytest.raises(NotFound, match="no lot L9"):
        back.return_material(RM=1, lot="L9")


def test_a_line_does_not_keep_what_another_could_use():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)
    back.sent_order(number=2, plan="P2")

    back.return_material()

    assert back.counters(1) == {"sent": 12, "returned": 2, "at_vendor": 10}


def test_free_stock_comes_back_as_far_as_no_open_line_counts_on_it():
    back.sent_order()
    at_v1 = Location.objects.get(code="AT-V1").pk
    load_stock(counts=[CountedStock(Item.objects.get(code="RM").pk, at_v1, Decimal(5))], at=moment(), by=None)

    document = back.return_material()

    assert [(row.quantity, row.component) for row in document.lines.all()] == [(5, None)]
    assert back.problems() == []


def test_what_the_vendor_would_use_last_comes_back_first():
    plans.base(
        items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}],
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "over_send_pct": 50}
        ],
        stock=[
            {"item": "RM", "location": "MAIN", "lot": "L1", "quantity": 8},
            {"item": "RM", "location": "MAIN", "lot": "L2", "quantity": 8},
        ],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    back.ship(1, 8, lot="L1")
    back.ship(1, 6, lot="L2")

    back.return_material()

    assert (lying("AT-V1", "RM", lot="L1"), lying("AT-V1", "RM", lot="L2")) == (8, 2)
    assert back.problems() == []


def test_material_of_a_cancelled_order_is_left_until_it_is_back():
    back.sent_order()
    back.ship(1)
    documents.cancel_set(order_id=plans.order(1).pk, by=plans.boss(), at=moment(LATER))
    left = Alert.objects.open().filter(kind="material_left_at_vendor")
    assert left.count() == 1

    back.return_material(RM=4)

    assert left.get().before == {"RM": "6"}
    back.return_material()
    assert not left.exists()
    assert back.counters(1) == {"sent": 10, "returned": 10, "at_vendor": 0}
    assert back.problems() == []


def test_a_return_is_undone_once():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)
    document = back.return_material()

    back.reverse_return(document)

    assert back.counters(1) == {"sent": 12, "at_vendor": 12}
    assert (lying("AT-V1", "RM"), lying("MAIN", "RM")) == (12, 988)
    with pytest.raises(WrongState):
        back.reverse_return(document)
    assert back.problems() == []


def test_a_return_whose_material_has_moved_on_is_not_undone():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)
    document = back.return_material()
    goods.move_on("RM", 989)

    with pytest.raises(NotEnoughStock):
        back.reverse_return(document)

    assert back.counters(1)["returned"] == 2


def test_product_sent_back_stands_at_the_vendor_and_is_expected_again():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 10))

    back.return_product(receipt, 3)

    line.refresh_from_db()
    assert (line.received, line.in_rework, line.status) == (7, 3, LineStatus.OPEN)
    assert ExpectedReceipt.objects.get(order_line=line).quantity == 3
    assert plans.order(1).receipt == Progress.PARTIAL
    assert (lying("MAIN", "FG"), lying("AT-V1", "FG", stage="rework SC-00001/1")) == (7, 3)
    assert lying("AT-V1", "RM") == 0
    assert goods.operation().good == 7
    assert worth("FG") == 2000
    assert back.problems() == []


def test_product_sent_back_comes_again_without_material_and_without_a_second_charge():
    line = back.sent_order()
    back.ship(1)
    back.return_product(goods.receive(goods.counted(line, 10)), 3)

    goods.receive(goods.counted(line, 3), note="DN-2")

    line.refresh_from_db()
    assert (line.received, line.in_rework, line.status) == (10, 0, LineStatus.COMPLETE)
    assert (lying("MAIN", "FG"), worth("FG"), goods.operation().good) == (10, 2000, 10)
    assert back.problems() == []


def test_more_pieces_than_a_receipt_brought_do_not_go_back():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 4))
    back.return_product(receipt, 3)

    with pytest.raises(NotFree, match="brought 1 that still can"):
        back.return_product(receipt, 2)


def test_pieces_that_moved_on_do_not_go_back():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 4))
    goods.move_on("FG", 3)

    with pytest.raises(NotEnoughStock):
        back.return_product(receipt, 2)

    line.refresh_from_db()
    assert (line.received, line.in_rework) == (4, 0)


def test_no_piece_goes_back_on_a_closed_order():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 4))
    back.close(1)

    with pytest.raises(OrderIsOver, match="reopen it"):
        back.return_product(receipt, 1)


def test_a_receipt_whose_pieces_went_back_is_reversed_after_the_return_is():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 4))
    document = back.return_product(receipt, 1)

    with pytest.raises(NotEnoughStock, match="reverse it first"):
        goods.reverse(receipt)
    back.reverse_return(document)
    goods.reverse(receipt)

    assert (lying("MAIN", "FG"), lying("AT-V1", "RM")) == (0, 10)
    assert back.problems() == []


def test_a_return_is_not_undone_when_its_pieces_came_again():
    line = back.sent_order()
    back.ship(1)
    document = back.return_product(goods.receive(goods.counted(line, 10)), 3)
    goods.receive(goods.counted(line, 3), note="DN-2")

    with pytest.raises((NotEnoughStock, WrongState)):
        back.reverse_return(document)

    assert back.problems() == []


def test_lots_go_back_as_they_came():
    plans.base(items=[{"code": "FG", "kind": "finished", "standard_cost": 0, "lot_tracked": "yes"}])
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    back.ship(1)
    receipt = goods.receive(goods.counted(plans.line(1), 10, lot="F1"))

    back.return_product(receipt, 4)

    assert lying("MAIN", "FG", lot="F1") == 6
    assert ReturnLine.objects.get().lot == Lot.objects.get(code="F1")
    assert back.problems() == []


def test_a_draft_is_received_and_not_twice():
    back.sent_order()
    back.ship(1)
    back.close(1, "return")
    draft = Return.objects.get()

    documents_done = goods.receipts.receive_return(return_id=draft.pk, by=plans.boss(), at=moment(LATER))

    assert documents_done.status == ReturnStatus.POSTED
    assert lying("MAIN", "RM") == 1000
    with pytest.raises(WrongState):
        goods.receipts.receive_return(return_id=draft.pk, by=plans.boss(), at=moment(LATER))
    assert back.problems() == []
