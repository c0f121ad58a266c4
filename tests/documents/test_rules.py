"""What documents should exist, in plain values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from documents import rules
from documents.rules import Need, period_key
from documents.rules.places import Source, take
from policies.rules.values import OperationFacts

pytestmark = pytest.mark.no_database


def operation(no: str, sequence: int, *next_nos: str, status: str = "open") -> OperationFacts:
    return OperationFacts(
        operation_id=sequence,
        production_order_id=1,
        number="P1",
        operation_no=no,
        sequence=sequence,
        item_id=1,
        item_group_id=None,
        process_id=None,
        work_center_id=None,
        site_id=1,
        quantity=Decimal(10),
        good=Decimal(0),
        scrap=Decimal(0),
        is_open=status == "open",
        status=status,
        outsourced="yes",
        setup_minutes=None,
        run_minutes=None,
        next_nos=next_nos,
        planned_start=None,
        planned_end=None,
        due_date=date(2026, 3, 31),
    )


@pytest.mark.parametrize(
    ("consolidate", "key"),
    [
        ("none", "P1/10"),
        ("production_order", "P1"),
        ("day", "2027-01-01"),
        ("week", "2026-W53"),
        ("month", "2027-01"),
    ],
)
def test_lines_share_a_draft_by_the_period_of_their_need_date(consolidate, key):
    found = period_key(consolidate=consolidate, need_date=date(2027, 1, 1), production_order="P1", operation_no="10")

    assert found == key


def numbers(operations: list[OperationFacts]) -> dict[int, list[str]]:
    return {key: [one.operation_no for one in found] for key, found in rules.followers(operations).items()}


def test_operations_follow_one_another_by_sequence_where_none_names_the_next():
    steps = [operation("10", 1), operation("15", 2, status="cancelled"), operation("20", 3)]

    assert numbers(steps) == {1: ["20"], 3: []}


def test_parallel_operations_name_what_comes_after_them():
    steps = [operation("10", 1, "30"), operation("20", 2, "30"), operation("30", 3)]

    assert numbers(steps) == {1: ["30"], 2: ["30"], 3: []}


def test_a_need_reads_back_as_it_was_written():
    need = Need(7, "P1/10", "own", "per_unit", Decimal("0.12500"), Decimal("5.0000"), Decimal("4.200"), Decimal("1"), 3)

    assert Need.from_row(need.as_row()) == need


def test_what_lies_at_the_vendor_or_is_brought_by_others_is_not_shipped():
    need = Need(7, "", "own", "per_unit", Decimal(1), Decimal(0), Decimal(10), Decimal(4), 3)

    assert need.to_ship(to_id=9) == 6
    assert need.to_ship(to_id=3) == 0
    assert need._replace(ship_from_id=None).to_ship(to_id=9) == 0


def test_pieces_are_taken_where_they_lie_already_then_in_order_and_the_last_place_gives_the_rest():
    sources = [Source(1, Decimal(30)), Source(2, Decimal(50))]

    assert take(sources, Decimal(40), at_id=2) == [(2, Decimal(40))]
    assert take(sources, Decimal(45), at_id=9) == [(1, Decimal(30)), (2, Decimal(15))]


def test_a_quantity_is_written_as_people_write_it():
    assert [rules.text(Decimal(value)) for value in ("10.00000", "0.50000", "1E+2", "0")] == ["10", "0.5", "100", "0"]
