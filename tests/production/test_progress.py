"""Where an order's pieces stand between its operations, out of what was made of each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.rules.flow import piece_flow, where_pieces_wait
from production.rules.progress import CameTogether, Made, implied, waiting

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
    together = [CameTogether(frozenset({"20", "30"}), Decimal(5))]
    assert implied(IN_A_ROW, ORDER, made(n20=(35, 5), n30=(35, 5)), together) == {"10": 40}
    assert implied(IN_A_ROW, ORDER, made(n20=(35, 5), n30=(34, 7)), together) == {"10": 41, "20": 36}
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


FORKED = {"10": ("20", "25"), "20": ("30",), "25": ("30",), "30": ()}


def test_a_piece_goes_through_parallel_steps_one_after_another():
    assert piece_flow(FORKED) == {"10": ("20",), "20": ("25",), "25": ("30",), "30": ()}
    assert piece_flow({"10": ("20", "30"), "20": (), "30": ()}) == {"10": ("20",), "20": ("30",), "30": ()}
    assert piece_flow({"10": ("25", "20"), "20": ("30",), "25": ("30",), "30": ()})["10"] == ("20",)


def test_pieces_begun_apart_join():
    assert piece_flow(JOINED) == JOINED
    assert where_pieces_wait(JOINED, "30") == [["10"], ["20"]]
    assert where_pieces_wait(IN_A_ROW, "20") == [["10"]]
    assert where_pieces_wait(IN_A_ROW, "10") == []


def test_parallel_steps_take_pieces_the_other_has_worked_on():
    assert where_pieces_wait(FORKED, "20") == [["10", "25"]]
    assert where_pieces_wait(FORKED, "25") == [["20", "10"]]
    assert where_pieces_wait(FORKED, "30") == [["25", "20"]]


def test_pieces_of_parallel_steps_wait_once():
    order = ["10", "20", "25", "30"]
    flow = piece_flow(FORKED)

    def counted(*good: int) -> dict[str, Made]:
        return {number: Made(Decimal(100), Decimal(count)) for number, count in zip(order, good, strict=True)}

    assert waiting(flow, order, counted(100, 100, 100, 0)) == {"10": 0, "20": 0, "25": 100}
    assert waiting(flow, order, counted(100, 60, 40, 0)) == {"10": 40, "20": 20, "25": 40}
    assert waiting(flow, order, counted(100, 0, 40, 0)) == {"10": 60, "20": 0, "25": 40}


@given(st.lists(st.lists(st.integers(1, 3), max_size=3, unique=True), min_size=1, max_size=7))
def test_pieces_of_every_step_go_to_one_later_step_or_are_stock(jumps):
    following = {
        str(n): tuple(str(n + jump) for jump in steps if n + jump < len(jumps)) for n, steps in enumerate(jumps)
    }

    flow = piece_flow(following)

    assert all(len(later) == bool(following[number]) or not following[number] for number, later in flow.items())
    assert all(int(one) > int(number) for number, later in flow.items() for one in later)
    for number, later in following.items():
        reached, one = set(), number
        while flow[one]:
            (one,) = flow[one]
            reached.add(one)
        assert reached.issuperset(later)
