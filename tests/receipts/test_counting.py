"""A vendor's count against the book, and material written off there."""

from datetime import date
from decimal import Decimal

import pytest

from activity.models import Event
from core.refusals import InvalidInput, InvalidQuantity, NotFound, TooPrecise
from inventory.models import Movement
from inventory.services import CountedStock, load_stock
from masterdata.models import Item, Location
from receipts.services import NotFree, NothingThere
from tests.documents import plans
from tests.documents.plans import moment
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
