"""Exports of other systems through their profiles, and how single cells are read."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from interchange import services
from interchange.rules.mapping import BadProfile, Cell, Unread, converted, read_profile
from interchange.rules.values import BadValue, number
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


Changes = dict[str, tuple[str, str]]


def changed(
    system: str, changes: Changes, *, without: tuple[str, ...] = (), skip_orders: bool = False
) -> services.ImportReport:
    """The sample of a system, read with some words of its files in the place of others."""
    files = []
    for path in sorted((SAMPLES / system).glob("*.csv")):
        old, new = changes.get(path.name, ("", ""))
        text = path.read_text("utf-8-sig")
        assert old in text
        if path.name not in without:
            files.append((path.name, io.BytesIO((text.replace(old, new) if old else text).encode())))
    tables = services.through_profile(services.load_profile(system), services.tables_in_files(files))
    return services.import_tables(tables=tables, at=AT, by=None, skip_orders=skip_orders)


@pytest.mark.parametrize(
    ("system", "file", "old", "new", "place"),
    [
        ("sap", "EINE.csv", "135,00", "135.00", ("EINE.csv", 2, "unit_price", "135.00")),
        ("sap", "EINE.csv", "135,00", "1,135.00", ("EINE.csv", 2, "unit_price", "1,135.00")),
        ("odoo", "mrp.production.csv", "200.0", '"200,5"', ("mrp.production.csv", 2, "quantity", "200,5")),
        ("sap", "AFVC.csv", "0010;Turning;PP01", "0010;Turning;ZP09", ("AFVC.csv", 2, "outsourced", "ZP09")),
        ("sap", "EINA.csv", "5300000001", "5300000002", ("EINE.csv", 2, "vendor", "")),
        ("sap", "AFVV.csv", "AUFPL;APLZL;VGW01;VGW02", "AUFPL;APLZL;VGW01;VGW01", ("AFVV.csv", 1, "", "")),
        ("business_central", "Production Order.csv", "17.04.2026", "17-APR-26", ("Production Order.csv", 2, "due", "17-APR-26")),
    ],
)  # fmt: skip
def test_what_an_export_writes_in_another_way_is_named_and_nothing_is_written(
    system: str, file: str, old: str, new: str, place: tuple[str, int, str, str]
):
    with pytest.raises(services.ImportRefused) as refusal:
        changed(system, {file: (old, new)})

    assert place in [(row.file, row.row, row.column, row.value) for row in refusal.value.rows]
    assert not Item.objects.exists()


def test_a_number_written_another_way_is_refused_again_where_its_order_is_left_out_and_sent_as_it_came():
    report = changed("sap", {"AFKO.csv": ("200,000", "200.50")}, skip_orders=True)

    assert [row["quantity"] for row in report.rejects["production_orders"]] == ["“200.50”"]
    with pytest.raises(services.ImportRefused):
        services.import_tables(tables={"production_orders": report.rejects["production_orders"]}, at=AT, by=None)


def test_another_separator_than_the_profiles_is_said():
    with pytest.raises(services.ImportRefused) as refusal:
        changed("sap", {"T001W.csv": (";", ",")})

    assert "separated by commas; the separator must be a semicolon" in str(refusal.value)


def test_rows_that_find_nothing_where_they_are_joined_are_warned_of_and_columns_nobody_reads_are_named():
    report = changed("sap", {"AUFK.csv": ("000001000012", "000001009999"), "AFVV.csv": ("XMNGA", "XXXXX")})

    assert report.warnings == ["AFKO.csv: 1 rows, the first is row 2, find nothing by AUFNR in AUFK.csv."]
    assert report.notes == ["MBEW.csv: ignored columns: BWKEY", "AFVV.csv: ignored columns: XXXXX"]


def test_what_a_profile_passes_over_is_said():
    report = changed("erpnext", {}, without=("BOM.csv",))

    assert [note.partition(":")[2] for note in report.notes if note.startswith("BOM Item")] == [
        " 2 rows, the first is row 2, lack BOM.csv to look up parent in.",
        " 2 rows, the first is row 2, are not read: BOM.is_default is empty.",
    ]


def test_a_column_an_export_does_not_have_leaves_what_is_there():
    read("sap")

    changed("sap", {"MBEW.csv": ("STPRS", "VERPR"), "MARA.csv": ("XCHPF", "XYZ")})

    shaft = Item.objects.get(code="4711")
    assert (shaft.lot_tracked, shaft.standard_cost) == (True, 0)


def test_a_bill_and_a_routing_that_several_items_share_are_those_of_each():
    item = "AXLE;Axle;PCS;Prod. Order;LOTALL;0;0,4;No;B-SHAFT;R-SHAFT\n"

    changed("business_central", {"Item.csv": ("BAR;", f"{item}BAR;")})

    assert sorted(BomLine.objects.values_list("parent__code", "component__code")) == [("AXLE", "BAR"), ("SHAFT", "BAR")]
    assert (
        RoutingStep.objects.filter(item__code="AXLE").count() == RoutingStep.objects.filter(item__code="SHAFT").count()
    )


def test_times_are_read_in_their_unit_and_for_as_many_pieces_as_they_are_for():
    read("business_central")
    header = "Setup Time;Run Time"
    units = f"{header};Setup Time Unit of Meas. Code;Run Time Unit of Meas. Code;Lot Size"

    lines = (SAMPLES / "business_central" / "Routing Line.csv").read_text("utf-8-sig").split("\n")
    hours = "\n".join(f"{line};HOURS;MINUTES;10" if line and place else line for place, line in enumerate(lines))
    changed("business_central", {"Routing Line.csv": ("\n".join(lines), hours.replace(header, units))})

    turning = RoutingStep.objects.get(item__code="SHAFT", operation_no="10")
    assert (turning.setup_minutes, turning.run_minutes) == (1800, Decimal("0.65"))
    with pytest.raises(services.ImportRefused) as refusal:
        weeks = hours.replace(header, units).replace("HOURS", "WEEKS")
        changed("business_central", {"Routing Line.csv": ("\n".join(lines), weeks)})
    assert "“WEEKS” in Setup Time Unit of Meas. Code is none of" in refusal.value.rows[0].detail


def test_odoo_writes_what_is_chosen_from_a_list_by_its_label():
    changed("odoo", {"mrp.production.csv": ("confirmed", "Confirmed"), "product.product.csv": (",lot,", ",By Lots,")})

    assert ProductionOrder.objects.get(number="WH/MO/00012").status == "firm"
    assert Item.objects.get(code="SHAFT").lot_tracked


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
        (Cell(column=("A",), number=","), "1 234,5", "1234.5"),
        (Cell(column=("A",), number="."), "1e-05", "0.00001"),
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
@pytest.mark.parametrize(
    ("mark", "text"),
    [(",", "135.00"), (",", "1,234.50"), (",", "1.23,4"), (".", "1,5"), (".", "12,34.5"), (".", "1'234")],
)
def test_a_number_written_another_way_is_never_taken_for_another_number(mark: str, text: str):
    found = converted(Cell(column=("A",), number=mark), {"A": text})

    assert isinstance(found, Unread)
    assert {text: 1}.get(found) is None  # nor found among what was read of such a text before
    with pytest.raises(BadValue, match="is not a number with a decimal"):
        number(found, "invalid")


@pytest.mark.no_database
def test_a_profile_that_says_something_unknown_is_refused():
    with pytest.raises(BadProfile, match="there is no colour"):
        read_profile("x", {"tables": {"items": {"file": "A", "columns": {"code": {"colour": "red"}}}}})
