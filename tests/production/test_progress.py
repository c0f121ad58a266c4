"""Where an order's pieces stand between its operations, out of what was made of each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.rules.progress import Made, implied, waiting

pytestmark = pytest.mark.no_database

IN_A_ROW = {"10": ("20",), "20": ("30",), "30": ()}
JOINED = {"10": ("30",), "20": ("30",), "30": ()}
ORDER = ["10", "20", "30"]


def made(**counts: tuple[int, int]) -> dict[str, Made]:
    return {
        number: Made(
            Decimal(100), Decimal(counts.get(f"n{number}", (0, 0))[0]), Decimal(counts.get(f"n{number}", (0, 0))[1])
        )
        for number in ORDER
    }


def test_pieces_wait_where_a_step_is_ahead_of_the_next():
    assert waiting(IN_A_ROW, ORDER, made(n10=(80, 3), n20=(28, 2))) == {"10": 50, "20": 28}


def test_pieces_after_the_last_step_are_stock():
    assert waiting(IN_A_ROW, ORDER, made(n10=(100, 0), n20=(100, 0), n30=(60, 0))) == {"10": 0, "20": 40}


def test_a_step_finished_without_a_count_gave_all_it_got():
    counted = made(n10=(90, 10)) | {"20": Made(Decimal(100), is_finished=True)}

    assert waiting(IN_A_ROW, ORDER, counted) == {"10": 0, "20": 90}


def test_both_steps_before_a_join_give_their_pieces():
    assert waiting(JOINED, ORDER, made(n10=(50, 0), n20=(40, 0), n30=(30, 0))) == {"10": 20, "20": 10}


def test_what_a_later_step_worked_on_the_earlier_ones_had_made():
    assert implied(IN_A_ROW, ORDER, made(n30=(35, 5))) == {"10": 40, "20": 40}
    assert implied(IN_A_ROW, ORDER, made(n10=(60, 0), n20=(30, 10), n30=(35, 5))) == {"20": 40}
    assert implied(JOINED, ORDER, made(n30=(40, 0))) == {"10": 40, "20": 40}


def test_a_step_finished_without_a_count_needs_none():
    assert implied(IN_A_ROW, ORDER, made(n30=(40, 0)) | {"20": Made(Decimal(100), is_finished=True)}) == {}


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=3, max_size=3))
def test_with_what_is_implied_no_step_has_worked_on_more_than_was_made(counts):
    numbers = dict(zip(ORDER, counts, strict=True))
    before = {number: Made(Decimal(100), Decimal(good), Decimal(scrap)) for number, (good, scrap) in numbers.items()}

    after = {number: before[number]._replace(good=good) for number, good in implied(IN_A_ROW, ORDER, before).items()}

    now = before | after
    assert now["10"].good >= now["20"].counted
    assert now["20"].good >= now["30"].counted
