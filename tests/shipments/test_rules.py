from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.rules import Room, room, spread

pytestmark = pytest.mark.no_database
QUANTITIES = st.integers(0, 1000).map(Decimal)


def test_open_is_what_is_required_less_what_was_sent_carried_in_or_set_aside():
    one = room(
        required=Decimal(100), net_sent=Decimal(20), carried_in=Decimal(15), set_aside=Decimal(5), over_pct=Decimal(10),
        decimals=0, needs_no_more=False,
    )  # fmt: skip

    assert (one.open, one.most) == (60, 85)


def test_the_tolerance_is_counted_in_whole_units():
    one = room(
        required=Decimal(15), net_sent=Decimal(0), carried_in=Decimal(0), set_aside=Decimal(0), over_pct=Decimal(10),
        decimals=0, needs_no_more=False,
    )  # fmt: skip

    assert one.most == 16


def test_a_complete_line_needs_no_more_and_may_still_be_sent_some():
    one = room(
        required=Decimal(10), net_sent=Decimal(9), carried_in=Decimal(0), set_aside=Decimal(0), over_pct=Decimal(0),
        decimals=0, needs_no_more=True,
    )  # fmt: skip

    assert (one.open, one.most) == (0, 1)


def test_what_is_open_comes_before_what_is_tolerated():
    rooms = [Room(Decimal(5), Decimal(6)), Room(Decimal(5), Decimal(6))]

    assert spread(Decimal(11), rooms) == [6, 5]
    assert [(one.open, one.most) for one in rooms] == [(0, 0), (0, 1)]


@given(QUANTITIES, st.lists(st.tuples(QUANTITIES, QUANTITIES), max_size=6))
def test_no_row_is_given_more_than_it_takes_and_nothing_is_lost(quantity, pairs):
    rooms = [Room(min(one), max(one)) for one in pairs]
    most = [one.most for one in rooms]

    given = spread(quantity, rooms)

    assert all(0 <= part <= limit for part, limit in zip(given, most, strict=True))
    assert sum(given) == min(quantity, sum(most))
