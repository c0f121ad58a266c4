"""How rows of a table are read: what a reader has seen before changes nothing of what it says of the next row."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.rules import rows
from interchange.rules.rows import Problem, RowReader
from interchange.rules.tables import REQUIRED, TABLES

pytestmark = pytest.mark.no_database

ORDERS, ROUTINGS, UNITS = TABLES["production_orders"], TABLES["routings"], TABLES["units"]
ORDER = {"number": "P1", "item": "A", "quantity": "5", "due": "2026-03-31"}
READ = {"number": "P1", "item": "A", "quantity": Decimal(5), "due": date(2026, 3, 31)}


def test_a_row_that_is_right_says_its_values():
    assert RowReader(ORDERS).read(ORDER) == (READ, [])


def test_a_bad_cell_is_named_after_good_ones_and_those_after_it_are_read():
    reader = RowReader(ORDERS)
    reader.read(ORDER)

    _, problems = reader.read({**ORDER, "quantity": "-1", "due": ""})

    assert problems == [
        Problem("quantity", "-1", "invalid_quantity", "-1 must be above 0."),
        Problem("due", "", "missing_value", "due must not be empty."),
    ]
    assert reader.read({**ORDER, "quantity": " 5 "}) == (READ, [])


def test_a_row_without_a_column_it_needs_says_which():
    _, problems = RowReader(ORDERS).read({"number": "P1", "item": "A", "quantity": "5"})
    assert problems == [Problem("due", "", "missing_column", "The row has no due.")]


def test_columns_of_others_are_read_over_and_named_once():
    reader = RowReader(ORDERS)
    assert reader.read({"colour": "red", **ORDER, "mood": ""}) == (READ, [])
    reader.read({"colour": ["blue"], **ORDER})
    assert list(reader.ignored) == ["colour", "mood"]


def test_of_json_one_and_true_are_two_things():
    reader = RowReader(UNITS)
    read = [reader.read({"code": cell})[0]["code"] for cell in (1, True, "1", Decimal("1.0"), 1)]
    assert read == ["1", "yes", "1", "1.0", "1"]


def test_a_list_of_json_is_read_and_every_row_has_its_own():
    reader = RowReader(ROUTINGS)
    first, _ = reader.read({"item": "A", "operation_no": "10", "next_operation_no": "20|30"})
    first["next_operation_no"].append("40")

    assert reader.read({"item": "A", "operation_no": "10", "next_operation_no": "20|30"})[0]["next_operation_no"] == [
        "20",
        "30",
    ]
    assert reader.read({"item": "A", "operation_no": "10", "next_operation_no": ["20"]})[0]["next_operation_no"] == [
        "20"
    ]


def test_cells_beyond_those_kept_are_read_as_well(monkeypatch):
    monkeypatch.setattr(rows, "MOST_KEPT", 3)
    monkeypatch.setattr(rows, "MOST_HEADERS", 1)
    reader = RowReader(ORDERS)
    for number in range(10):
        assert reader.read({**ORDER, "number": f"P{number}"})[0]["number"] == f"P{number}"
        assert reader.read({**ORDER, f"extra {number}": ""}) == (READ, [])
    assert len(reader.ignored) == 10


CELLS = st.sampled_from(
    ["", " ", "5", "5.0", " 5", "-1", "x", "2026-03-31", "planned", None, 5, 1, True, 1.0, ["5"], {"a": 1}]
)


@given(st.lists(st.dictionaries(st.sampled_from([*ORDERS.columns, "colour"]), CELLS), max_size=8))
def test_what_was_read_before_changes_nothing(many):
    reader = RowReader(ORDERS)
    for raw in many:
        assert repr(reader.read(raw)) == repr(RowReader(ORDERS).read(raw)) == repr(rows._read_each(ORDERS, raw))


def test_the_page_about_the_format_names_every_table_and_column():
    page = (Path(__file__).parents[2] / "docs" / "import-format.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ")}

    for name, table in TABLES.items():
        said = set(re.findall(r"\w+", lines[name]))
        assert table.columns.keys() - {"source", "external_refs"} | table.aliases.keys() <= said
        assert {column for column in table.columns if f"**{column}**" in lines[name]} == set(REQUIRED[name])
