"""Orders left out of a plan take along what would otherwise be done wrongly without them, and can be sent again."""

from __future__ import annotations

from typing import Any

import pytest

from interchange import services
from interchange.services import reading
from production.models import ProductionOrder
from subcontract_orders.models import OrderLine
from tests.documents.plans import base, generate, moment
from tests.interchange.test_nightly import statuses

STANDING = {
    "order": "SC-00007", "vendor": "V1", "operation": "10", "quantity": 10, "unit_price": 80, "need_date": "2026-04-15",
    "received": 4,
}  # fmt: skip


def order(number: str, **fields: Any) -> dict[str, Any]:
    return {"number": number, "item": "FG", "quantity": 10, "due": "2026-04-15", **fields}


def load(tables: dict[str, list[dict[str, Any]]], **options: Any) -> services.ImportReport:
    return services.import_tables(tables=tables, at=moment(), by=None, skip_orders=True, **options)


def reasons(report: services.ImportReport, table: str = "production_orders", column: str = "number") -> dict[str, str]:
    return {str(row[column]): row["reject_reason"] for row in report.rejects.get(table, [])}


def test_the_documents_wait_for_the_first_to_replace_a_planned_order_where_it_is_left_out():
    base(production_orders=[order("P1"), order("P2")])
    generate()
    night = [
        order("M1", quantity="many", status="firm", replaces="P1"),
        order("M2", quantity=5, status="firm", replaces="P1"),
        order("M3", quantity=5, status="firm", replaces="P2"),
        order("M4", quantity="many", status="firm", replaces="P2"),
    ]

    report = load({"production_orders": night})

    assert reasons(report) == {
        "M1": "quantity: “many” is not a number.",
        "M2": "replaces: M1 takes the place of P1, and is left out.",
        "M4": "quantity: “many” is not a number.",
    }
    assert statuses() == {"P1": "planned", "M3": "firm"}
    load({"production_orders": [{**row, "quantity": 5} for row in report.rejects["production_orders"]]})
    generate()
    lines = OrderLine.objects.order_by("pk").values_list("production_order__number", "operation_no", "quantity")
    assert set(lines[:2]) == {("M1", "10", 5), ("M3", "10", 5)}  # the drafts of P1 and P2
    assert statuses() == {"M1": "firm", "M3": "firm", "M2": "firm", "M4": "firm"}


def test_a_second_firm_order_is_read_where_the_first_took_the_documents_on_an_earlier_night():
    base(production_orders=[order("P1")])
    load({"production_orders": [order("M1", status="firm", replaces="P1")]})

    report = load({"production_orders": [order("M1", quantity="many", replaces="P1"), order("M2", replaces="P1")]})

    assert list(reasons(report)) == ["M1"]
    assert sorted(statuses()) == ["M1", "M2"]


def test_a_snapshot_does_not_withdraw_a_planned_order_whose_firm_one_was_left_out():
    base(production_orders=[order(f"P{number}") for number in range(1, 11)])
    night = [order("M1", quantity="many", status="firm", replaces="P1"), *[order(f"P{no}") for no in range(2, 11)]]

    report = load({"production_orders": night}, snapshot=services.Snapshot())

    assert (list(reasons(report)), report.counts["production_orders"]["withdrawn"]) == (["M1"], 0)
    assert set(statuses().values()) == {"planned"}


def test_an_order_at_a_vendor_is_loaded_whole_or_left_out_with_all_it_is_for():
    base(production_orders=[])
    tables = {
        "production_orders": [order("P1"), order("P2", quantity="many"), order("P3"), order("P4")],
        "open_orders": [
            {**STANDING, "line": 1, "production_order": "P1"},
            {**STANDING, "line": 2, "production_order": "P2"},
            {**STANDING, "order": "SC-00008", "production_order": "P3"},
        ],
    }

    report = load(tables)

    assert reasons(report) == {"P1": "open_orders: SC-00007 is left out.", "P2": "quantity: “many” is not a number."}
    assert reasons(report, "open_orders", "line") == {
        "1": "open_orders: SC-00007 is left out.", "2": "quantity: “many” is not a number.",
    }  # fmt: skip
    assert OrderLine.objects.get().order.number == "SC-00008"
    again = {table: [dict(row) for row in rows] for table, rows in report.rejects.items()}
    again["production_orders"][1]["quantity"] = 10
    assert load(again).rejected == 0
    assert sorted(OrderLine.objects.values_list("order__number", "production_order__number")) == [
        ("SC-00007", "P1"), ("SC-00007", "P2"), ("SC-00008", "P3"),
    ]  # fmt: skip


def test_an_order_at_a_vendor_that_is_for_no_production_order_is_left_out_whole():
    base(production_orders=[])
    sample = {**STANDING, "operation": "", "item": "FG", "process": "Plating"}
    rows = [{**sample, "line": 1}, {**sample, "line": 2, "quantity": 0}, {**sample, "order": "SC-00008", "received": 0}]

    report = load({"open_orders": rows})

    assert list(reasons(report, "open_orders", "line")) == ["1", "2"]
    assert OrderLine.objects.get().order.number == "SC-00008"


def test_pieces_of_an_order_left_out_are_left_out_with_it_and_bad_pieces_leave_their_order_out():
    steps = [{"item": "FG", "operation_no": number, "name": "Plating", "work_center": "OUT"} for number in (10, 20)]
    base(production_orders=[], routings=steps)
    pieces = {"item": "FG", "location": "MAIN", "operation": "10", "quantity": 5}
    tables = {
        "production_orders": [order("P1", quantity="many"), order("P2"), order("P3")],
        "operations": [{"order": number, "number": "10", "good": 5} for number in ("P1", "P2", "P3")],
        "stock": [
            {**pieces, "production_order": "P1"},
            {**pieces, "production_order": "P2", "quantity": 6},
            {**pieces, "production_order": "P3"},
        ],
    }

    report = load(tables)

    assert list(statuses()) == ["P3"]
    assert list(reasons(report, "stock", "production_order")) == ["P1", "P2"]
    assert reasons(report)["P2"].startswith("quantity: Operation 10 of P2 has finished 5 pieces, 6 cannot lie there.")


def test_bad_stock_that_is_no_orders_refuses_all():
    base(production_orders=[])

    with pytest.raises(services.ImportRefused):
        load({"production_orders": [order("P1")], "stock": [{"item": "RM", "location": "MAIN", "quantity": "many"}]})

    assert not ProductionOrder.objects.exists()


def test_more_rows_than_can_be_handed_back_are_refused(monkeypatch):
    base(production_orders=[])
    monkeypatch.setattr(reading, "MOST_REJECTS", 2)
    rows = [order(f"P{number}", quantity="many") for number in range(3)]

    with pytest.raises(reading.TooManyLeftOut) as refusal:
        load({"production_orders": [*rows, order("P9")]})

    assert refusal.value.code == "too_large"
    assert not ProductionOrder.objects.exists()


def test_what_hangs_together_is_known_also_where_there_were_too_many_errors_to_read_to_the_end(monkeypatch):
    base(production_orders=[])
    monkeypatch.setattr(reading, "MOST_SKIPPED", 2)
    tables = {
        "production_orders": [order("P1", quantity="many"), order("P2", quantity="many"), order("P3")],
        "open_orders": [
            {**STANDING, "line": 1, "production_order": "P2"}, {**STANDING, "line": 2, "production_order": "P3"},
        ],
    }  # fmt: skip

    report = load(tables)

    assert (sorted(reasons(report)), statuses()) == (["P1", "P2", "P3"], {})
