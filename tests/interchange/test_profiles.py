"""Exports of other systems through their profiles, and how single cells are read."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from interchange import services
from interchange.rules.mapping import BadProfile, Cell, converted, read_profile
from masterdata.models import Item, Vendor
from policies.models import PriceAgreement
from production.models import BomLine, Operation, ProductionOrder, RoutingStep
from tests.interchange.plans import AT
from tests.interchange.test_api import ADDRESS, signed_in

SAMPLES = Path(__file__).parent / "samples"
SHAFT = {"odoo": "SHAFT", "erpnext": "SHAFT", "business_central": "SHAFT", "sap": "4711"}


def read(system: str) -> services.ImportReport:
    files = services.tables_in_folder(SAMPLES / system)
    return services.import_tables(
        tables=services.through_profile(services.load_profile(system), files), at=AT, by=None, origin=system
    )


@pytest.mark.parametrize("system", sorted(SHAFT))
def test_an_export_becomes_a_plan_and_the_same_again_changes_nothing(system: str):
    read(system)

    shaft = Item.objects.get(code=SHAFT[system])
    assert (shaft.kind, shaft.lot_tracked, shaft.name) == ("finished", True, "Shaft")
    assert Item.objects.get(code="BAR").kind == "raw"
    orders = ProductionOrder.objects.filter(status__in=["firm", "released", "in_progress"]).order_by("number")
    assert [order.quantity for order in orders] == [200, 1050 if system == "business_central" else 50]
    assert [order.due_date.isoformat() for order in orders] == ["2026-04-17", "2026-04-24"]
    outside = Operation.objects.filter(production_order=orders[0]).exclude(status="cancelled").order_by("sequence")
    assert [(one.name, one.work_center.code) for one in outside] == [("Turning", "LATHE"), ("Zinc plating", "OUT")]
    assert outside[0].run_minutes == Decimal("6.5")
    again = read(system)
    assert sum(count["created"] + count["changed"] for count in again.counts.values()) == 0


def test_odoo_states_progress_tiers_and_what_is_not_ours_to_read():
    read("odoo")

    assert list(Vendor.objects.values_list("code", "country")) == [("PLATER", "DE")]
    tiers = PriceAgreement.objects.order_by("minimum_quantity").values_list(
        "process__code", "minimum_quantity", "unit_price", "lead_days"
    )
    assert list(tiers) == [("Zinc plating", 0, Decimal("1.35"), 5), ("Zinc plating", 500, Decimal("1.1"), 5)]
    turning = Operation.objects.get(production_order__number="WH/MO/00013", operation_no="10")
    assert (turning.good, turning.status) == (20, "in_progress")
    assert ProductionOrder.objects.get(number="WH/MO/00014").status == "cancelled"


def test_erpnext_reads_the_default_bill_only():
    read("erpnext")

    assert BomLine.objects.get().quantity == Decimal("0.5")
    assert list(RoutingStep.objects.order_by("sequence").values_list("operation_no", "outsourced")) == [
        ("1", "no"),
        ("2", "yes"),
    ]
    assert not Vendor.objects.get(code="OLD").is_active


def test_business_central_writes_numbers_and_days_its_own_way():
    read("business_central")

    assert Item.objects.get(code="BAR").standard_cost == Decimal("1008.25")
    assert BomLine.objects.get().scrap_pct == 2
    assert ProductionOrder.objects.get(number="101013").quantity == 1050
    assert not ProductionOrder.objects.filter(number="101014").exists()
    finished = Operation.objects.get(production_order__number="101013", operation_no="10")
    assert finished.status == "finished"


def test_sap_joins_its_tables_and_takes_leading_zeros_off():
    read("sap")

    assert sorted(ProductionOrder.objects.values_list("number", "status")) == [
        ("1000012", "firm"),
        ("1000013", "released"),
        ("1000014", "cancelled"),
    ]
    price = PriceAgreement.objects.select_related("vendor", "process").get()
    assert (price.vendor.code, price.process.code, price.unit_price, price.price_factor) == (
        "100200",
        "Zinc plating",
        135,
        100,
    )
    plated = Operation.objects.get(production_order__number="1000012", operation_no="0020")
    assert plated.outsourced == "yes"


def test_a_bad_cell_is_named_by_the_row_of_the_export():
    files = services.tables_in_files(
        [
            ("Item.csv", io.BytesIO(b"item_code,stock_uom\nSHAFT,Nos\n")),
            (
                "Work Order.csv",
                io.BytesIO(b"name,production_item,qty,expected_delivery_date,status\nW1,SHAFT,many,17/4/26,Dreaming\n"),
            ),
        ]
    )

    with pytest.raises(services.ImportRefused) as refusal:
        services.import_tables(tables=services.through_profile(services.load_profile("erpnext"), files), at=AT, by=None)

    assert sorted((row.file, row.row, row.column, row.value) for row in refusal.value.rows) == [
        ("Work Order.csv", 2, "due", "17/4/26"),
        ("Work Order.csv", 2, "quantity", "many"),
        ("Work Order.csv", 2, "status", "Dreaming"),
    ]
    assert not Item.objects.exists()


def test_an_export_that_may_be_cut_off_is_warned_of_once():
    files = services.tables_in_files([("Item.csv", io.BytesIO(b"item_code,stock_uom\nSHAFT,Nos"))])

    report = services.import_tables(
        tables=services.through_profile(services.load_profile("erpnext"), files), at=AT, by=None
    )

    (warning,) = report.warnings
    assert warning.startswith("Item.csv does not end with a line end")
    assert 'stock_uom "Nos"' in warning


def test_a_file_the_profile_does_not_know_is_refused_by_name():
    files = services.tables_in_files([("items.csv", io.BytesIO(b"code\nA\n"))])

    with pytest.raises(services.FileRefused) as refusal:
        services.through_profile(services.load_profile("sap"), files)

    assert "items is none of them" in refusal.value.detail


def test_the_command_and_the_api_read_through_a_profile(django_user_model, capsys):
    call_command("import_plan", str(SAMPLES / "erpnext"), "--profile", "erpnext", "--dry-run")
    assert "production_orders" in capsys.readouterr().out
    planner = signed_in(django_user_model, "planner")
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in (SAMPLES / "erpnext").glob("*.csv")]

    answer = planner.post(f"{ADDRESS}?profile=erpnext", {"file": files}, format="multipart")

    assert answer.status_code == 201, answer.json()
    assert ProductionOrder.objects.count() == 3
    refused = planner.post(
        f"{ADDRESS}?profile=baan", {"file": [SimpleUploadedFile("a.csv", b"a\n1\n")]}, format="multipart"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "not_found")


@pytest.mark.no_database
@pytest.mark.parametrize(
    ("cell", "text", "found"),
    [
        (Cell(column=("A",), number=","), "1.234,50", "1234.50"),
        (Cell(column=("A",), number="."), "1,234.50", "1234.50"),
        (Cell(column=("A",), number=","), "12,5-", "-12.5"),
        (Cell(column=("A",), number=",", times=Decimal(60)), "1,5", "90.0"),
        (Cell(column=("A",), number=","), "some", "some"),
        (Cell(column=("A",), date=("%Y%m%d", "%d.%m.%Y")), "17.04.2026", "2026-04-17"),
        (Cell(column=("A",), date=("%Y%m%d",)), "00000000", ""),
        (Cell(column=("A",), date=("%Y%m%d",)), "soon", "soon"),
        (Cell(column=("A",), strip_zeros=True), "000004711", "4711"),
        (Cell(column=("A",), strip_zeros=True), "00A1", "00A1"),
        (Cell(column=("A",), map={"X": "yes"}, default="no"), "", "no"),
        (Cell(column=("A", "B"), join="-"), "x", "x"),
        (Cell(filled={"B": "done", "A": "released"}, default="firm"), "20260302", "released"),
        (Cell(filled={"A": "released"}, default="firm"), "00000000", "firm"),
        (Cell(value="sap"), "", "sap"),
    ],
)
def test_a_cell_is_read_as_its_column_says(cell: Cell, text: str, found: str):
    assert converted(cell, {"A": text}) == found


@pytest.mark.no_database
def test_a_profile_that_says_something_unknown_is_refused():
    with pytest.raises(BadProfile, match="there is no colour"):
        read_profile("x", {"tables": {"items": {"file": "A", "columns": {"code": {"colour": "red"}}}}})
