"""Small tables in the import format, and a way to import them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interchange import services
from interchange.services import BadRow, ImportRefused, ImportReport

DEMO = Path(__file__).resolve().parents[2] / "outsourcing" / "demo_data"
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday

SHAFT: dict[str, list[dict[str, Any]]] = {
    "units": [{"code": "pcs", "decimals": 0}, {"code": "kg", "decimals": 3}],
    "locations": [{"code": "MAIN", "kind": "plant"}],
    "vendors": [{"code": "V1", "currency": "EUR"}],
    "items": [
        {"code": "SHAFT", "unit": "pcs", "kind": "finished"},
        {"code": "BAR", "unit": "kg", "standard_cost": "8"},
    ],
    "work_centers": [{"code": "LATHE", "capacity_hours_per_day": 8}, {"code": "OUT", "kind": "external"}],
    "boms": [{"parent": "SHAFT", "component": "BAR", "quantity": "0.5", "operation_no": 10}],
    "routings": [
        {"item": "SHAFT", "operation_no": 10, "name": "Turning", "work_center": "LATHE", "run_minutes_per_unit": 60},
        {"item": "SHAFT", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
    ],
    "production_orders": [{"number": "P1", "item": "SHAFT", "quantity": 8, "due": "2026-03-18"}],
}


def load(tables: dict[str, list[dict[str, Any]]], **options: Any) -> ImportReport:
    return services.import_tables(tables=tables, at=options.pop("at", AT), by=None, **options)


def load_shaft(**tables: list[dict[str, Any]]) -> ImportReport:
    """The small plan, with these tables beside it or instead of its own."""
    return load({**SHAFT, **tables})


def refused(tables: dict[str, list[dict[str, Any]]]) -> list[BadRow]:
    """The bad rows an import is refused with."""
    with pytest.raises(ImportRefused) as refusal:
        load(tables)
    return refusal.value.rows


def only(rows: list[BadRow]) -> tuple[str, int | None, str, str, str]:
    """(table, row, column, value, code) of the only bad row."""
    (row,) = rows
    return row.table, row.row, row.column, row.value, row.code
