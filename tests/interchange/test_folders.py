"""All five plans of the project, whole."""

from decimal import Decimal

import pytest

from interchange.services import import_tables, tables_in_folder
from inventory.models import Balance, Movement
from masterdata.models import Company, Item, Location, Process, Site, Unit, Vendor, WorkCenter
from policies.models import PriceAgreement
from production.models import BomLine, Operation, OperationStatus, ProductionOrder, RoutingStep
from tests.interchange.plans import AT, DEMO

# items, vendors, work centers, locations of the file, BOM lines, routing steps, prices, orders, operations, stock above 0
ROWS = {
    "adventureworks": (504, 104, 7, 14, 2383, 674, 697, 821, 1579, 1065),
    "ambrosia-pie": (36, 4, 17, 5, 63, 42, 22, 22, 67, 2),
    "bc-contoso": (34, 5, 19, 3, 53, 20, 30, 9, 23, 19),
    "bc-cronus": (36, 4, 18, 1, 48, 32, 21, 132, 504, 34),
    "frepple-manufacturing": (11, 4, 7, 4, 13, 8, 5, 243, 300, 18),
}


@pytest.mark.parametrize("folder", ROWS)
def test_a_plan_is_read_whole_and_the_second_time_changes_nothing(folder):
    import_tables(tables=tables_in_folder(DEMO / folder), at=AT, by=None)

    in_file = Location.objects.exclude(code__startswith="AT-").exclude(code__in=["MAIN", "DIFFERENCE", "SUPPLIER"])
    places = in_file.count() + Location.objects.filter(code="MAIN", kind="plant").count() * (folder == "bc-contoso")
    assert (
        Item.objects.count(),
        Vendor.objects.count(),
        WorkCenter.objects.count(),
        places,
        BomLine.objects.count(),
        RoutingStep.objects.count(),
        PriceAgreement.objects.count(),
        ProductionOrder.objects.count(),
        Operation.objects.count(),
        Balance.objects.filter(quantity__gt=0).count(),
    ) == ROWS[folder]

    again = import_tables(tables=tables_in_folder(DEMO / folder), at=AT, by=None)

    assert again.written == 0
    assert again.reference is None


def test_adventureworks_stands_as_its_files_say():
    report = import_tables(tables=tables_in_folder(DEMO / "adventureworks"), at=AT, by=None)

    assert Company.objects.get().currency.code == "USD"
    assert [site.code for site in Site.objects.all()] == ["MAIN"]
    assert Operation.objects.filter(outsourced="maybe").count() == 213
    assert Process.objects.count() == 7
    assert Balance.objects.get(item__code="AR-5381", location__code="6").quantity == 324
    assert PriceAgreement.objects.exclude(process=None).count() == 237
    assert "purchase_history.csv: 8845 rows read and not used." in report.notes
    assert "prices.csv: 10 prices have more than 5 decimals and were rounded." in report.notes
    assert report.counts["operations"] == {"created": 1579, "changed": 0, "unchanged": 0}


def test_parallel_and_alternative_routings_are_read():
    import_tables(tables=tables_in_folder(DEMO / "bc-contoso"), at=AT, by=None)

    parallel = ProductionOrder.objects.get(number="CC-003").operations.order_by("sequence")
    assert [(step.operation_no, step.next_nos) for step in parallel] == [
        ("05", ["10", "20"]),
        ("10", ["30"]),
        ("20", ["30"]),
        ("30", ["40"]),
        ("40", []),
    ]
    outside = Operation.objects.filter(outsourced="yes").order_by("pk")
    assert {step.work_center.vendor.code for step in outside} == {"82000", "83000"}


def test_empty_units_currencies_and_places_are_read_as_they_are():
    import_tables(tables=tables_in_folder(DEMO / "frepple-manufacturing"), at=AT, by=None)

    assert set(Item.objects.values_list("unit", flat=True)) == {None}
    assert set(PriceAgreement.objects.values_list("currency", "unit_price")) == {(None, None)}
    assert ProductionOrder.objects.filter(status="done").count() == 204
    done = Operation.objects.filter(production_order__status="done")
    assert set(done.values_list("status", flat=True)) == {OperationStatus.FINISHED}
    assert [site.code for site in Site.objects.all()] == ["FACTORY"]


def test_stock_without_a_place_lies_at_the_main_location():
    import_tables(tables=tables_in_folder(DEMO / "bc-cronus"), at=AT, by=None)

    rims = Balance.objects.get(item__code="1110")
    assert (rims.location.code, rims.location.is_main, rims.quantity) == ("MAIN", True, 400)
    assert Movement.objects.get(item__code="1110").value == Decimal("420.00")
    assert Unit.objects.get(code="PCS").decimals == 0


def test_two_operations_of_one_name_are_two_steps():
    import_tables(tables=tables_in_folder(DEMO / "bc-cronus"), at=AT, by=None)

    assert RoutingStep.objects.filter(item__code="1150", process__code="CNC/Axle").count() == 2
