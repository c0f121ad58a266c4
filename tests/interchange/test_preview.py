"""What a preview says of the rows that would change: each column, what it was and is to be."""

from __future__ import annotations

from typing import Any

from tests.interchange.plans import SHAFT, load, load_shaft


def order(**fields: Any) -> dict[str, Any]:
    return SHAFT["production_orders"][0] | fields


def test_a_preview_says_what_each_changed_row_was_and_is_to_be():
    load_shaft()
    tables = {
        "production_orders": [order(quantity=12, due="2026-04-30")],
        "work_centers": [{"code": "LATHE", "capacity_hours_per_day": 8, "hourly_cost": "75.5"}],
    }

    report = load(tables, dry_run=True)

    assert report.changes["production_orders"] == {
        "P1": [("quantity", "8", "12"), ("due_date", "2026-03-18", "2026-04-30")],
    }
    assert report.changes["work_centers"] == {"LATHE": [("hourly_cost", "", "75.5")]}
    assert report.as_data()["changes"] == report.changes
    assert load({"production_orders": SHAFT["production_orders"]}, dry_run=True).changes == {}


def test_rows_of_other_tables_are_named_by_their_codes():
    load_shaft()
    load({"production_orders": [order(item="BAR")]})

    report = load({"production_orders": [order()]}, dry_run=True)

    assert report.changes["production_orders"]["P1"] == [("item", "BAR", "SHAFT")]
