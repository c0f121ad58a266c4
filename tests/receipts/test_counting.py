"""A vendor's count against the book, and material written off there."""

from datetime import date
from decimal import Decimal

import pytest

from activity.models import Event
from core.refusals import InvalidInput, InvalidQuantity, NotFound, TooPrecise
from inventory.models import Lot, Movement
from inventory.services import CountedStock, load_stock
from masterdata.models import Item, Location
from receipts.services import NotFree, NothingThere, NotTracked
from shipments import services as shipments
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_runs import CHAIN
from tests.played import played
from tests.receipts import back, goods
from tests.receipts.goods import LATER, lying, worth


@played
def shipped(**rules: object) -> None:
    back.sent_order(**rules)
    back.ship(1)


def test_what_is_missing_is_lost_on_the_line_and_leaves_at_cost():
    shipped()

    found = back.count(8)

    assert (found.book, found.variance) == (10, -2)
    assert back.counters(1) == {"sent": 10, "lost": 2, "at_vendor": 8}
    assert (lying("AT-V1", "RM"), worth("RM")) == (8, 99_800)
    assert Movement.objects.get(document_kind="vendor_count").reason == "stocktaking"
    assert Event.objects.get(name="vendor_stock.counted").data["variance"] == "-2"
    assert back.problems() == []


def test_what_was_lost_and_turns_up_is_the_lines_again():
    shipped()
    back.count(8)

    back.count(10)

    assert back.counters(1) == {"sent": 10, "lost": 2, "found": 2, "at_vendor": 10}
    assert worth("RM") == 100_000
    assert back.problems() == []


def test_more_than_anybody_lacks_is_free_stock():
    shipped()

    back.count(13)

    assert back.counters(1) == {"sent": 10, "at_vendor": 10}
    assert (lying("AT-V1", "RM"), worth("RM")) == (13, 100_300)
    assert [row.quantity for row in back.return_material().lines.all()] == [3]
    assert back.problems() == []


def test_a_count_that_agrees_posts_nothing_and_is_on_record():
    shipped()
    before = Movement.objects.count()

    found = back.count(10)

    assert (found.variance, Movement.objects.count()) == (0, before)
    assert Event.objects.filter(name="vendor_stock.counted").count() == 1


def test_lines_lose_before_free_stock_does():
    shipped()
    at_v1 = Location.objects.get(code="AT-V1").pk
    load_stock(counts=[CountedStock(Item.objects.get(code="RM").pk, at_v1, Decimal(15))], at=moment(), by=None)

    back.count(3)

    assert back.counters(1) == {"sent": 10, "lost": 10, "at_vendor": 0}
    assert lying("AT-V1", "RM") == 3
    assert back.problems() == []


def test_a_count_is_read_as_of_its_time():
    shipped()
    goods.receive(goods.counted(plans.line(1), 4), at=moment(LATER))

    found = back.count(9, as_of=moment(date(2026, 3, 5)), at=moment(date(2026, 3, 10)))

    assert (found.book, found.variance) == (10, -1)
    assert lying("AT-V1", "RM") == 5
    assert back.problems() == []


def test_a_count_that_leaves_less_than_nothing_now_is_refused():
    shipped()
    goods.receive(goods.counted(plans.line(1), 4), at=moment(LATER))

    with pytest.raises(NothingThere, match="at least 4 were there"):
        back.count(3, as_of=moment(date(2026, 3, 5)), at=moment(date(2026, 3, 10)))

    assert lying("AT-V1", "RM") == 6


def test_a_count_that_would_have_left_less_than_nothing_for_a_while_is_refused():
    shipped()
    goods.receive(goods.counted(plans.line(1), 4), at=moment(date(2026, 3, 6)))
    back.sent_order(number=2, quantity=5, plan="P2")
    shipments.ship(order_ids=[plans.order(2).pk], by=plans.boss(), at=moment(date(2026, 3, 9)))
    before = Movement.objects.count()

    with pytest.raises(NothingThere, match="at least 4 were there"):
        back.count(3, as_of=moment(date(2026, 3, 5)), at=moment(date(2026, 3, 10)))

    assert (Movement.objects.count(), lying("AT-V1", "RM")) == (before, 11)
    assert back.count(4, as_of=moment(date(2026, 3, 5)), at=moment(date(2026, 3, 10))).variance == -6


@pytest.mark.parametrize(
    ("counted", "fields", "refusal"),
    [
        (-1, {}, InvalidQuantity),
        ("0.5", {}, TooPrecise),
        (8, {"as_of": moment(date(2026, 4, 1))}, InvalidInput),
        (8, {"reason": " "}, InvalidInput),
        (8, {"lot": "L9"}, NotFound),
    ],
)
def test_a_bad_count_is_refused_and_nothing_written(counted, fields, refusal):
    shipped()
    before = Movement.objects.count()

    with pytest.raises(refusal):
        back.count(counted, **fields)

    assert (Movement.objects.count(), lying("AT-V1", "RM")) == (before, 10)


def test_written_off_is_first_what_no_line_needs():
    back.sent_order(over_send_pct=20)
    back.ship(1, 12)

    back.write_off(3)

    assert back.counters(1) == {"sent": 12, "written_off": 3, "at_vendor": 9}
    assert worth("RM") == 99_700
    assert back.problems() == []


def test_no_more_is_written_off_than_lies_there():
    shipped()

    with pytest.raises(NotFree, match="10 of RM"):
        back.write_off(11)

    assert lying("AT-V1", "RM") == 10


@played
def shims_between_two_vendors() -> None:
    """400 shims of P1 are cut, 250 lie at the cutter and 150 went on to the hardener; of P2 60 are ordered."""
    plans.load(CHAIN, ground=True)
    plans.plan("P1", "SHIM", 400, "2026-04-30")
    plans.plan("P2", "SHIM", 60, "2026-04-30")
    plans.generate()
    for number in (1, 2, 3, 4):
        plans.send(number)
    goods.ship(1)
    goods.receive(goods.counted(plans.line(1), 400), note="DN-1")
    shipments.ship(
        order_ids=[plans.order(3).pk],
        lines=[shipments.ToPick(Item.objects.get(code="SHIM").pk, Decimal(150))],
        by=plans.boss(),
        at=moment(LATER),
    )


def test_pieces_between_two_operations_are_counted_where_they_lie_and_make_no_finished_ones():
    shims_between_two_vendors()

    found = back.count(248, item="SHIM", vendor="CUTTER")

    assert (found.book, found.variance) == (250, -2)
    assert lying("AT-CUTTER", "SHIM", stage="P1/10") == 248
    assert lying("AT-CUTTER", "SHIM") == 0
    assert back.count(249, item="SHIM", vendor="CUTTER").variance == 1
    assert back.problems() == []


def test_pieces_missing_at_the_next_vendor_are_lost_on_the_line_they_were_sent_for():
    shims_between_two_vendors()

    back.count(147, item="SHIM", vendor="HEAT", stage="P1/10")

    assert back.counters(3, "SHIM") == {"sent": 150, "lost": 3, "at_vendor": 147}
    assert back.write_off(7, item="SHIM", vendor="HEAT")
    assert back.counters(3, "SHIM") == {"sent": 150, "lost": 3, "written_off": 7, "at_vendor": 140}
    assert back.problems() == []


def test_of_pieces_of_several_orders_it_is_said_which_were_counted():
    shims_between_two_vendors()
    goods.ship(2)
    goods.receive(goods.counted(plans.line(2), 60), note="DN-2")

    with pytest.raises(InvalidInput, match=r"P1/10, P2/10 lie at AT-CUTTER: name the stage"):
        back.count(340, item="SHIM", vendor="CUTTER")

    assert back.count(50, item="SHIM", vendor="CUTTER", stage="P2/10").variance == -10
    assert lying("AT-CUTTER", "SHIM", stage="P1/10") == 250


def test_pieces_that_never_lay_there_or_have_a_lot_are_not_counted():
    shims_between_two_vendors()
    Lot.objects.create(item=Item.objects.get(code="SHIM"), code="L1")

    with pytest.raises(NotFound, match="after P1/20 ever lay at AT-CUTTER"):
        back.count(1, item="SHIM", vendor="CUTTER", stage="P1/20")
    with pytest.raises(NotTracked):
        back.count(1, item="SHIM", vendor="CUTTER", lot="L1")

    assert back.problems() == []


def test_pieces_back_to_be_mended_are_not_counted_as_material():
    shipped()
    receipt = goods.receive(goods.counted(plans.line(1), 10))
    back.return_product(receipt, 2)

    with pytest.raises(NotFound):
        back.count(1, item="FG", stage="rework SC-00001/1")

    assert back.count(0, item="FG").variance == 0
