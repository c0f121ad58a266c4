"""What rows become, and every way a row is refused."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from interchange.models import PlanImport
from interchange.services import ImportRefused, reading
from inventory.models import Balance
from masterdata.models import (
    Closure,
    Company,
    Currency,
    Downtime,
    ExchangeRate,
    Item,
    Location,
    PlanChange,
    Process,
    Site,
    Unit,
    Vendor,
    WorkCenter,
)
from masterdata.services import unit_factors
from policies.models import Policy, PriceAgreement, VendorApproval
from production.models import BomLine, Operation, ProductionOrder, RoutingStep
from tests.interchange.plans import SHAFT, load, load_shaft, only, refused


def test_a_plan_becomes_orders_with_scheduled_operations():
    report = load_shaft()

    turning, plating = Operation.objects.order_by("sequence")
    assert (turning.name, turning.process.code, turning.work_center.code) == ("Turning", "Turning", "LATHE")
    assert (turning.planned_start, turning.planned_end) == (date(2026, 3, 18), date(2026, 3, 18))
    assert (turning.outsourced, plating.outsourced) == ("no", "yes")
    assert plating.quantity == 8
    assert report.counts["production_orders"] == {"created": 1, "changed": 0, "unchanged": 0}
    assert PlanImport.objects.get().reference == report.reference
    assert PlanChange.objects.filter(reason__startswith="Import").count() == 1


def test_the_same_again_changes_nothing():
    load_shaft()

    assert load_shaft().written == 0
    assert ProductionOrder.objects.get().version == 1


def test_a_dry_run_says_what_would_change_and_writes_nothing():
    report = load({**SHAFT}, dry_run=True)

    assert report.counts["items"] == {"created": 2, "changed": 0, "unchanged": 0}
    assert not Item.objects.exists()
    assert not PlanChange.objects.exists()


def test_a_dry_run_names_rows_by_codes_and_never_by_keys_of_the_database():
    load_shaft()

    report = load({"item_units": [{"item": "SHAFT", "unit": "kg", "factor": "2"}]}, dry_run=True)

    assert report.first == {"item_units": {"created": ["SHAFT kg"]}}


def test_a_missing_column_leaves_what_is_there_and_an_empty_cell_empties_it():
    load({"vendors": [{"code": "V1", "name": "Vendor One", "email": "orders@v1.example"}]})

    load({"vendors": [{"code": "V1", "email": ""}]})

    vendor = Vendor.objects.get()
    assert (vendor.name, vendor.email) == ("Vendor One", "")


def test_every_further_table_is_read():
    load_shaft(
        company=[{"name": "We", "currency": "CHF", "time_zone": "Europe/Zurich", "address": "Somewhere 1"}],
        exchange_rates=[{"currency": "EUR", "rate": "0.95", "valid_from": "2026-01-01"}],
        item_groups=[{"code": "TURNED", "name": "Turned parts"}],
        sites=[{"code": "MAIN", "name": "Main plant", "time_zone": "Europe/Zurich"}],
        processes=[{"code": "Plating", "name": "Zinc plating", "certificates": "coc|material"}],
        calendars=[
            {"date": "2026-12-25"},
            {"vendor": "V1", "date": "2026-08-03"},
            {"work_center": "LATHE", "date": "2026-03-17"},
        ],
        downtimes=[{"work_center": "LATHE", "start": "2026-04-01", "end": "2026-04-03", "reason": "spindle"}],
        vendor_approvals=[{"vendor": "V1", "process": "Plating", "status": "pending", "valid_to": "2026-12-31"}],
        prices=[
            {"vendor": "V1", "operation_name": "Plating", "unit_price": 3, "price_unit": "100 pcs", "minimum_qty": 50},
            {"vendor": "V1", "item": "SHAFT", "unit_price": "", "minimum_charge": 25, "minimum_charge_basis": "order"},
        ],
    )

    assert Company.objects.get().currency.code == "CHF"
    assert ExchangeRate.objects.get().rate == Decimal("0.95")
    assert Site.objects.get().time_zone == "Europe/Zurich"
    assert Process.objects.get(code="Plating").certificates == ["coc", "material"]
    assert Closure.objects.count() == 3
    assert Downtime.objects.get().end_date == date(2026, 4, 3)
    assert VendorApproval.objects.get().status == "pending"
    plating, complete = PriceAgreement.objects.order_by("pk")
    assert (plating.item, plating.price_factor, plating.minimum_quantity) == (None, 100, 50)
    assert (complete.process, complete.unit_price, complete.minimum_charge) == (None, None, 25)
    assert Location.objects.get(vendor__code="V1").code == "AT-V1"


def test_a_policy_is_read_with_its_ranked_vendors_and_read_again_is_the_same():
    row = {
        "code": "PLATE",
        "process": "Plating",
        "when_down": "yes",
        "vendors": [{"vendor": "V2", "share_pct": 60}, "V1"],
        "inspection": {"sample_pct": 10},
        "certificates": ["coc"],
        "over_receipt_pct": 10,
    }
    tables = {"vendors": [{"code": "V1"}, {"code": "V2"}], "policies": [row]}
    load_shaft(**tables)

    again = load_shaft(**tables)

    policy = Policy.objects.get()
    assert (policy.status, policy.verdict, policy.when_down, policy.priority) == ("active", "outsource", True, 100)
    assert (policy.inspection, policy.sample_pct, policy.certificates) == ("sample", 10, ["coc"])
    assert list(policy.vendors.order_by("rank").values_list("vendor__code", "share_pct")) == [("V2", 60), ("V1", None)]
    assert (again.written, policy.version) == (0, 1)


def test_a_policy_whose_vendors_change_counts_a_version():
    load_shaft(vendors=[{"code": "V1"}, {"code": "V2"}], policies=[{"code": "P", "vendors": "V1|V2"}])

    report = load({"policies": [{"code": "P", "vendors": "V2"}]})

    policy = Policy.objects.get()
    assert [vendor.vendor.code for vendor in policy.vendors.all()] == ["V2"]
    assert (policy.version, report.counts["policies"]["changed"]) == (2, 1)


def test_equal_lines_of_a_bill_are_told_apart_by_their_order():
    twice = [
        {"parent": "SHAFT", "component": "BAR", "quantity": 1},
        {"parent": "SHAFT", "component": "BAR", "quantity": 2},
    ]
    load_shaft(boms=twice)

    load({"boms": [*twice[:1], {**twice[1], "quantity": 3}]})

    assert list(BomLine.objects.order_by("position").values_list("quantity", flat=True)) == [1, 3]


def test_a_step_put_between_two_others_is_done_between_them():
    load_shaft()

    load({"routings": [{"item": "SHAFT", "operation_no": 15, "name": "Deburring", "work_center": "LATHE"}]})

    steps = RoutingStep.objects.order_by("sequence").values_list("operation_no", flat=True)
    assert list(steps) == ["10", "15", "20"]


def test_a_plant_is_a_site_and_other_places_belong_to_the_first_one():
    load(
        {
            "locations": [
                {"code": "STORE", "kind": "warehouse"},
                {"code": "P1", "kind": "plant", "name": "Plant 1"},
                {"code": "P2", "kind": "plant"},
            ]
        }
    )

    assert list(Site.objects.order_by("pk").values_list("code", "name")) == [("P1", "Plant 1"), ("P2", "")]
    places = Location.objects.order_by("code").values_list("code", "site__code", "is_main")
    assert list(places) == [("P1", "P1", True), ("P2", "P2", True), ("STORE", "P1", False)]


def test_a_vendors_place_belongs_to_the_only_site_and_keeps_it_when_there_are_more():
    at_vendor = [{"code": "AT-V1", "kind": "vendor", "vendor": "V1"}, {"code": "STORE", "kind": "warehouse"}]
    vendors = [{"code": "V1"}]
    load({"locations": at_vendor, "vendors": vendors})
    assert Location.objects.get(code="AT-V1").site.code == "MAIN"
    load({"locations": [{"code": "P2", "kind": "plant"}]})

    assert load({"locations": at_vendor, "vendors": vendors}).written == 0
    load({"locations": [{"code": "AT-V2", "kind": "vendor", "vendor": "V2"}], "vendors": [{"code": "V2"}]})
    assert Location.objects.get(code="AT-V2").site is None


def test_a_place_where_stock_lies_does_not_go_to_another_site():
    load_shaft(stock=[{"item": "BAR", "quantity": "1.5", "location": "STORE"}],
               locations=[{"code": "MAIN", "kind": "plant"}, {"code": "STORE"}, {"code": "P2", "kind": "plant"}])  # fmt: skip

    bad = refused({"locations": [{"code": "STORE", "site": "P2"}]})

    assert only(bad) == ("locations", 1, "site", "STORE", "in_use")
    assert load({"locations": [{"code": "STORE", "name": "Store"}]}).written == 1
    assert Location.objects.get(code="STORE").site.code == "MAIN"


def test_an_order_at_a_plant_is_an_order_of_its_site():
    load_shaft(
        locations=[{"code": "MAIN", "kind": "plant"}, {"code": "P2", "kind": "plant"}],
        production_orders=[{"number": "P1", "item": "SHAFT", "quantity": 8, "due": "2026-03-18", "location": "P2"}],
    )

    assert ProductionOrder.objects.get().site.code == "P2"


def test_stock_is_set_and_rows_of_one_place_add_up():
    load_shaft(stock=[{"item": "BAR", "quantity": "1.5"}, {"item": "BAR", "quantity": "2"}])

    balance = Balance.objects.get()
    assert (balance.location.code, balance.quantity) == ("MAIN", Decimal("3.5"))


def test_a_unit_nobody_defined_has_no_decimals_for_pieces_and_five_else():
    load({"items": [{"code": "A", "unit": "EA"}, {"code": "B", "unit": "m"}]})

    assert dict(Unit.objects.values_list("code", "decimals")) == {"EA": 0, "m": 5}


def test_a_unit_nobody_defined_gets_the_decimals_its_stock_has():
    report = load({"items": [{"code": "A", "unit": "EA"}], "stock": [{"item": "A", "quantity": "1.5"}]})

    assert Unit.objects.get().decimals == 1
    assert report.notes == ["Unit EA is not defined and its stock has 1 decimals: so has the unit."]


def test_currencies_know_their_decimals():
    load({"vendors": [{"code": "J", "currency": "JPY"}, {"code": "U", "currency": "USD"}]})

    assert dict(Currency.objects.values_list("code", "decimals")) == {"JPY": 0, "USD": 2}


def test_a_currency_with_more_decimals_than_amounts_are_kept_with_is_refused():
    with pytest.raises(ImportRefused) as refused:
        load({"vendors": [{"code": "K", "currency": "CLF"}]})

    (bad,) = refused.value.rows
    assert (bad.column, bad.value, bad.code) == ("currency", "CLF", "invalid")
    assert bad.detail == "Amounts in CLF have 4 decimals; Outwork keeps 3, so it cannot be used."
    assert not Currency.objects.filter(code="CLF").exists()


def test_the_currency_of_the_company_stays_once_stock_is_valued_in_it():
    load_shaft(company=[{"name": "We", "currency": "USD"}], stock=[{"item": "BAR", "quantity": 3}])

    assert only(refused({"company": [{"name": "We", "currency": "GBP"}]})) == (
        "company", 1, "currency", "GBP", "wrong_state",
    )  # fmt: skip
    load({"company": [{"name": "We Ltd", "currency": "USD"}]})

    assert Company.objects.get().name == "We Ltd"


def test_half_done_operations_come_with_a_go_live():
    load_shaft(
        operations=[{"order": "P1", "number": 10, "good": 5, "scrap": 1, "start": "2026-03-09", "end": "2026-03-11"}]
    )

    turning, plating = Operation.objects.order_by("sequence")
    assert (turning.good, turning.scrap, turning.status) == (5, 1, "in_progress")
    assert (turning.planned_start, turning.planned_end) == (date(2026, 3, 9), date(2026, 3, 11))
    assert (plating.good, plating.status) == (0, "open")


def test_references_of_other_systems_are_kept():
    load({"items": [{"code": "A", "source": "erp", "external_refs": "pdm:77|shop:X1"}]})

    item = Item.objects.get()
    assert item.source == "erp"
    assert item.external_refs == [{"system": "pdm", "key": "77"}, {"system": "shop", "key": "X1"}]


def test_columns_nobody_reads_are_noted():
    assert load({"items": [{"code": "A", "origin": "source"}]}).notes == ["items: ignored columns: origin"]


def test_the_location_of_a_work_center_gives_it_its_site():
    load_shaft(work_centers=[{"code": "LATHE", "location": "MAIN"}, {"code": "OUT", "vendor": "V1"}])

    lathe, out = WorkCenter.objects.order_by("code")
    assert (lathe.site.code, lathe.kind) == ("MAIN", "internal")
    assert (out.vendor.code, out.kind) == ("V1", "external")


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_end_like_one():
    reports = []

    def run() -> None:
        reports.append(load_shaft(stock=[{"item": "BAR", "quantity": 5}]))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(report.written > 0 for report in reports) == [False, False, True]
    assert (ProductionOrder.objects.count(), Operation.objects.count(), Balance.objects.get().quantity) == (1, 2, 5)


# Refused


@pytest.mark.parametrize(
    ("table", "row", "bad"),
    [
        ("items", {"code": ""}, ("code", "", "missing_value")),
        ("items", {"name": "x"}, ("code", "", "missing_column")),
        ("items", {"code": "A" * 61}, ("code", "A" * 61, "too_long")),
        ("items", {"code": "A\x00"}, ("code", "A\x00", "invalid")),
        ("items", {"code": "A\ud800"}, ("code", "A\ud800", "invalid")),
        ("items", {"code": ["A"]}, ("code", "['A']", "invalid")),
        ("items", {"code": "A", "kind": "thing"}, ("kind", "thing", "invalid")),
        ("items", {"code": "A", "lot_tracked": "perhaps"}, ("lot_tracked", "perhaps", "invalid")),
        ("items", {"code": "A", "standard_cost": "-1"}, ("standard_cost", "-1", "invalid")),
        ("items", {"code": "A", "standard_cost": "NaN"}, ("standard_cost", "NaN", "invalid")),
        ("items", {"code": "A", "standard_cost": "1_000"}, ("standard_cost", "1_000", "invalid")),
        ("items", {"code": "A", "standard_cost": "1e99"}, ("standard_cost", "1e99", "invalid")),
        ("vendors", {"code": "V", "currency": "euro"}, ("currency", "euro", "invalid")),
        ("vendors", {"code": "V", "email": "nobody"}, ("email", "nobody", "invalid")),
        ("company", {"time_zone": "Mars/Olympus"}, ("time_zone", "Mars/Olympus", "invalid")),
        ("company", {"time_zone": "../etc/passwd"}, ("time_zone", "../etc/passwd", "invalid")),
        ("units", {"code": "x", "decimals": 6}, ("decimals", "6", "invalid")),
        ("boms", {"parent": "NO", "component": "BAR", "quantity": 1}, ("parent", "NO", "not_found")),
        ("boms", {"parent": "SHAFT", "component": "BAR", "quantity": -1}, ("quantity", "-1", "invalid_quantity")),
        ("boms", {"parent": "SHAFT", "component": "BAR", "quantity": 0}, ("quantity", "0", "invalid_quantity")),
        ("boms", {"parent": "SHAFT", "component": "BAR", "quantity": "0.000001"}, ("quantity", "0.000001", "too_precise")),
        ("boms", {"parent": "SHAFT", "component": "SHAFT", "quantity": 1}, ("component", "", "bom_cycle")),
        (
            "boms",
            {"parent": "SHAFT", "component": "BAR", "quantity": 1, "operation_no": 99},
            ("operation_no", "99", "not_found"),
        ),
        ("routings", {"item": "SHAFT", "operation_no": 30, "work_center": "NO"}, ("work_center", "NO", "not_found")),
        (
            "routings",
            {"item": "SHAFT", "operation_no": 30, "next_operation_no": 40},
            ("next_operation_no", "40", "not_found"),
        ),
        ("prices", {"vendor": "V1", "unit_price": 1}, ("item", "", "missing_value")),
        ("prices", {"vendor": "V9", "item": "SHAFT"}, ("vendor", "V9", "not_found")),
        ("prices", {"vendor": "V1", "item": "SHAFT", "process": "Magic"}, ("process", "Magic", "not_found")),
        ("policies", {"code": "P", "vendors": ["V9"]}, ("vendors", "V9", "not_found")),
        ("policies", {"code": "P", "vendors": ["V1", "V1"]}, ("vendors", "['V1', 'V1']", "invalid")),
        ("policies", {"code": "P", "vendors": "V1|V1"}, ("vendors", "V1|V1", "invalid")),
        ("policies", {"code": "P", "process": "Magic"}, ("process", "Magic", "not_found")),
        (
            "policies",
            {"code": "P", "quantity_from": 10, "quantity_to": 5},
            ("quantity_to", "5", "invalid_quantity"),
        ),
        ("policies", {"code": "P", "inspection": {"some": 1}}, ("inspection", "{'some': 1}", "invalid")),
        (
            "policies",
            {"code": "P", "valid_from": "2026-02-01", "valid_to": "2026-01-01"},
            ("valid_to", "2026-01-01", "invalid_date"),
        ),
        ("vendor_approvals", {"vendor": "V1", "process": "Magic"}, ("process", "Magic", "not_found")),
        (
            "downtimes",
            {"work_center": "LATHE", "start": "2026-03-02", "end": "2026-03-01"},
            ("end", "2026-03-01", "invalid_date"),
        ),
        ("stock", {"item": "BAR", "quantity": -1}, ("quantity", "-1", "invalid_quantity")),
        ("stock", {"item": "BAR", "quantity": 10**12, "cost": 10**12}, ("quantity", str(10**12), "invalid_quantity")),
        ("item_units", {"item": "BAR", "unit": "kg", "per_item": 10**9}, ("per_item", str(10**9), "invalid_quantity")),
        ("prices", {"vendor": "V1", "processes": f"{'P' * 99}|" * 6}, ("processes", f"{'P' * 99}|", "too_long")),
        ("stock", {"item": "BAR", "quantity": "0.0001"}, ("quantity", "0.0001", "too_precise")),
        ("stock", {"item": "BAR", "quantity": 1, "location": "NOWHERE"}, ("location", "NOWHERE", "not_found")),
        ("locations", {"code": "X", "kind": "vendor"}, ("vendor", "", "missing_value")),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": 1, "due": "2026-13-40"},
            ("due", "2026-13-40", "invalid_date"),
        ),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": 1, "due": "0001-01-01"},
            ("due", "0001-01-01", "invalid_date"),
        ),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": 1, "due": "2026-03-01", "start": "2026-03-02"},
            ("start", "2026-03-02", "invalid_date"),
        ),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": "10.0035", "due": "2026-03-18"},
            ("quantity", "10.0035", "too_precise"),
        ),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": -10, "due": "2026-03-18"},
            ("quantity", "-10", "invalid_quantity"),
        ),
        (
            "production_orders",
            {"number": "X", "item": "SHAFT", "quantity": 1, "due": "2026-03-18", "routing_variant": "OTHER"},
            ("routing_variant", "OTHER", "not_found"),
        ),
        ("operations", {"order": "NO", "number": 10}, ("order", "NO", "not_found")),
        ("operations", {"order": "P1", "number": 10, "good": "0.5"}, ("good", "0.5", "too_precise")),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_nothing_is_written(table, row, bad):
    load_shaft()
    before = (
        ProductionOrder.objects.get().version,
        Item.objects.count(),
        BomLine.objects.count(),
        Policy.objects.count(),
    )

    found = refused({table: [row], "sites": [{"code": "NEW"}]})

    column, value, code = bad
    assert only(found) == (table, 1, column, value, code)
    assert not Site.objects.filter(code="NEW").exists()
    after = ProductionOrder.objects.get().version, Item.objects.count(), BomLine.objects.count(), Policy.objects.count()
    assert after == before


def test_a_circle_of_bills_is_refused_and_named():
    load({"items": [{"code": code} for code in "ABC"], "boms": [{"parent": "A", "component": "B", "quantity": 1}]})

    found = refused(
        {"boms": [{"parent": "B", "component": "C", "quantity": 1}, {"parent": "C", "component": "A", "quantity": 1}]}
    )

    assert [(row.row, row.column, row.code) for row in found] == [(1, "component", "bom_cycle")]
    assert found[0].detail == "These bills of material go round in a circle: B → C → A → B."
    assert BomLine.objects.count() == 1


def test_operations_that_follow_one_another_in_a_circle_are_refused():
    found = refused(
        {
            "items": [{"code": "A"}],
            "routings": [
                {"item": "A", "operation_no": 10, "next_operation_no": 20},
                {"item": "A", "operation_no": 20, "next_operation_no": 10},
            ],
        }
    )

    assert only(found) == ("routings", 1, "next_operation_no", "20", "routing_cycle")


def test_a_step_followed_by_one_that_comes_before_it_is_refused():
    found = refused(
        {
            "items": [{"code": "A"}],
            "routings": [
                {"item": "A", "operation_no": 10},
                {"item": "A", "operation_no": 20, "next_operation_no": 10},
            ],
        }
    )

    assert only(found) == ("routings", 2, "next_operation_no", "10", "invalid")


def test_an_operation_moved_after_its_own_successor_is_refused():
    load_shaft()

    found = refused({"operations": [{"order": "P1", "number": 10, "sequence": 30, "next_operation_no": "20"}]})

    assert only(found) == ("operations", 1, "next_operation_no", "20", "invalid")


def test_all_bad_rows_are_named_and_those_that_follow_from_them_are_not():
    found = refused(
        {
            "items": [{"code": "A", "kind": "thing"}, {"code": "B"}],
            "boms": [
                {"parent": "A", "component": "B", "quantity": 1},
                {"parent": "B", "component": "C", "quantity": 1},
            ],
        }
    )

    assert [(row.table, row.row, row.column, row.code) for row in found] == [
        ("items", 1, "kind", "invalid"),
        ("boms", 2, "component", "not_found"),
    ]


def test_one_key_twice_is_harmless_only_with_the_same_content():
    assert load({"items": [{"code": "A", "name": "x"}, {"code": "A", "name": "x"}]}).counts["items"]["created"] == 1

    found = refused({"items": [{"code": "A", "name": "x"}, {"code": "A", "name": "y"}]})

    assert only(found) == ("items", 2, "code", "A", "duplicate")
    assert found[0].detail == "Row 1 already says something else of code A."


def test_a_price_of_outside_work_twice_is_refused():
    price = {"vendor": "V1", "item": "SHAFT", "operation_name": "Plating", "unit_price": 1}
    load_shaft()

    assert only(refused({"prices": [price, {**price, "unit_price": 2}]}))[1:3] == (2, "vendor")


def test_unknown_tables_are_named():
    found = refused({"open_orders": [], "iems": []})

    assert [(row.table, row.code) for row in found] == [("iems", "not_found")]


def test_no_more_than_a_thousand_bad_rows_are_told():
    assert len(refused({"items": [{"code": ""}] * 1500})) == 1000


def test_a_refusal_says_where_in_one_sentence():
    with pytest.raises(ImportRefused) as refusal:
        load({"items": [{"code": "A", "kind": "thing"}, {"code": ""}]})

    assert refusal.value.detail == (
        "items, row 1: “thing” is none of: raw, semi, finished, service. (2 bad rows in all)"
    )
    assert refusal.value.as_errors()[0] == {
        "code": "invalid",
        "field": "kind",
        "detail": "“thing” is none of: raw, semi, finished, service.",
        "table": "items",
        "file": "items",
        "row": 1,
        "column": "kind",
        "value": "thing",
    }


def test_a_vendors_largest_quantity_below_his_smallest_is_refused():
    load({"vendors": [{"code": "V1"}]})

    found = refused(
        {"policies": [{"code": "P", "vendors": [{"vendor": "V1", "quantity_from": 50, "quantity_to": 10}]}]}
    )

    assert [(row.row, row.column, row.code, row.detail) for row in found] == [
        (1, "vendors", "invalid_quantity", "10 is less than 50, from which he is used: he would never be given any.")
    ]


def test_an_order_that_may_not_make_another_item_any_more_says_which_one_was_asked_for():
    load_shaft()
    load({"items": [{"code": "AXLE"}], "operations": [{"order": "P1", "number": "10", "good": "1"}]})
    order = SHAFT["production_orders"][0]

    found = refused({"production_orders": [{**order, "item": "AXLE"}]})

    assert [(row.row, row.column, row.value, row.code) for row in found] == [(1, "item", "AXLE", "wrong_state")]


def test_what_a_policy_has_from_before_and_what_a_plan_says_now_go_together():
    load({"policies": [{"code": "P", "valid_from": "2026-05-01", "verdict": "in_house"}]})

    found = refused({"policies": [{"code": "P", "valid_to": "2026-04-01"}]})

    assert [(row.row, row.column, row.code, row.detail) for row in found] == [
        (1, "valid_to", "invalid_date", "valid_to 2026-04-01 is before valid_from 2026-05-01.")
    ]


def test_what_only_the_database_refuses_is_said_in_a_sentence_of_ours():
    shelves = [{"code": f"S{number}"} for number in range(20)]
    much = [{"item": "BAR", "location": shelf["code"], "quantity": 9 * 10**11, "cost": 1} for shelf in shelves]

    (found,) = refused({"items": [{"code": "BAR"}], "locations": shelves, "stock": much})

    assert (found.table, found.row, found.code) == ("stock", None, "invalid")
    assert found.detail.startswith("A number is too large to be kept, or what is reckoned from it is")
    assert not Balance.objects.exists()


def test_stock_on_its_way_is_warned_of_as_nothing_would_bring_it_on():
    road = {
        "locations": [{"code": "ROAD", "kind": "transit"}],
        "stock": [{"item": "BAR", "location": "ROAD", "quantity": 3}],
    }
    load_shaft()

    report = load(road)

    (warning,) = report.warnings
    assert warning.startswith("stock: 1 rows, the first is row 1, lie at a place in transit")
    assert load({"stock": [{"item": "BAR", "location": "ROAD", "quantity": 0}]}).warnings == []


def test_pieces_by_another_word_are_the_units_pieces_and_never_a_weight():
    """A price of any item for 100 pcs counts pieces of items in Stk, and says nothing of items that are weighed."""
    base = {**SHAFT, "units": [{"code": "ST", "decimals": 0}, {"code": "kg", "decimals": 3}]}
    base["items"] = [{"code": "SHAFT", "unit": "ST"}, {"code": "BAR", "unit": "kg"}]
    load({**base, "prices": [{"vendor": "V1", "process": "Plating", "price_unit": "100 pcs", "unit_price": 5}]})

    price = PriceAgreement.objects.select_related("per_unit").get()

    assert (price.price_factor, price.per_unit and price.per_unit.code) == (100, "ST")
    assert unit_factors(unit_ids=[price.per_unit_id]) == {(Item.objects.get(code="SHAFT").pk, price.per_unit_id): 1}


def test_a_price_for_pieces_of_any_item_is_refused_where_nothing_is_counted_in_pieces():
    base = {
        **SHAFT,
        "units": [{"code": "kg", "decimals": 3}],
        "items": [{"code": one, "unit": "kg"} for one in ("SHAFT", "BAR")],
    }
    price = {"vendor": "V1", "process": "Plating", "price_unit": "100 pcs", "unit_price": 5}

    assert only(refused({**base, "prices": [price]})) == ("prices", 1, "price_unit", "100 pcs", "not_found")


def test_stock_of_a_day_to_come_is_refused_and_of_today_is_not():
    load_shaft()
    bar = {"item": "BAR", "location": "MAIN", "quantity": 3}

    table, row, column, value, code = only(refused({"stock": [{**bar, "as_of": "2026-03-04"}]}))
    assert (table, row, column, value[:10], code) == ("stock", 1, "as_of", "2026-03-04", "invalid_date")
    load({"stock": [{**bar, "as_of": "2026-03-02"}]})

    assert Balance.objects.get().quantity == 3


def test_a_unit_of_an_item_that_is_its_own_holds_one():
    load_shaft()

    assert only(refused({"item_units": [{"item": "BAR", "unit": "kg", "factor": 2}]})) == (
        "item_units", 1, "unit", "kg", "invalid",
    )  # fmt: skip
    load({"item_units": [{"item": "BAR", "unit": "kg", "factor": 1}, {"item": "BAR", "unit": "pcs", "factor": 2}]})


def test_a_long_import_lets_the_database_look_at_what_it_has_written_as_it_grows(monkeypatch):
    looked = []
    monkeypatch.setattr(reading, "LARGE", 2000)
    monkeypatch.setattr(reading, "analyze", lambda: looked.append(ProductionOrder.objects.count()))
    rows = [{"number": f"P{number}", "item": "SHAFT", "quantity": 1, "due": "2026-03-18"} for number in range(10_000)]

    load_shaft(production_orders=rows)

    assert looked == [2000, 8000]
