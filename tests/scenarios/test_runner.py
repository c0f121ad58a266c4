"""The runner itself: how cases add up, what they leave out, and when a comparison fails."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from tests.scenarios import case_files
from tests.scenarios.expectations import NotBuiltYet, Seen, each_once, mismatches, same

pytestmark = pytest.mark.no_database


def test_a_number_with_a_point_is_read_as_an_exact_decimal(tmp_path: Path):
    (tmp_path / "case.yaml").write_text("price: 0.10\nmany: 1_000.5\ncount: 3\nday: 2026-03-02\n")

    read = case_files.read(tmp_path / "case.yaml")

    assert read == {"price": Decimal("0.10"), "many": Decimal("1000.5"), "count": 3, "day": date(2026, 3, 2)}
    assert isinstance(read["price"], Decimal)


def test_a_case_adds_its_rows_to_those_it_uses_and_replaces_rows_of_the_same_key(tmp_path: Path):
    (tmp_path / "ground.yaml").write_text(
        "given:\n"
        "  items: [{code: FG}, {code: RM}]\n"
        "  policies: [{code: PLATE, verdict: outsource, vendors: [V1]}]\n"
        "  stock: [{item: RM, quantity: 5, location: MAIN}]\n"
    )
    (tmp_path / "case.yaml").write_text(
        "uses: ground.yaml\n"
        "given:\n"
        "  items: [{code: RM, unit: kg}, {code: RM2}]\n"
        "  policies: [{code: PLATE, verdict: review}]\n"
        "  stock: [{item: RM, quantity: 7}, {item: RM, quantity: 1, lot: L1}]\n"
        "steps: []\n"
    )

    given = case_files.load_case(tmp_path / "case.yaml")["given"]

    assert given["items"] == [{"code": "FG"}, {"code": "RM", "unit": "kg"}, {"code": "RM2"}]
    assert given["policies"] == [{"code": "PLATE", "verdict": "review"}]
    assert given["stock"] == [{"item": "RM", "quantity": 7}, {"item": "RM", "quantity": 1, "lot": "L1"}]


def test_price_tiers_and_dates_stand_beside_each_other_and_the_same_row_is_replaced():
    row = {"vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "valid_from": date(2026, 1, 1)}

    added = case_files.add_tables(
        {"prices": [{**row, "unit_price": 1}]},
        {"prices": [{**row, "unit_price": 2}, {**row, "minimum_qty": 50, "unit_price": 3}]},
    )

    assert [price["unit_price"] for price in added["prices"]] == [2, 3]


def test_prices_of_operations_bought_together_stand_beside_that_of_the_item_itself():
    row = {"vendor": "V1", "item": "FG", "currency": "EUR", "valid_from": date(2026, 1, 1)}
    lists = [
        {**row, "processes": "Turning|Plating", "unit_price": 3},
        {**row, "processes": "Plating|Packing", "unit_price": 4},
    ]

    added = case_files.add_tables({"prices": [{**row, "unit_price": 9}]}, {"prices": lists})

    assert [price["unit_price"] for price in added["prices"]] == [9, 3, 4]


def test_ground_without_steps_is_no_case(tmp_path: Path):
    (tmp_path / "ground.yaml").write_text("given: {items: []}\n")
    (tmp_path / "case.yaml").write_text("steps: []\n")

    assert case_files.find_cases(tmp_path) == [tmp_path / "case.yaml"]


@pytest.mark.parametrize("broken", [b"title: one: two\nsteps: []\n", b"- a list\n", b"title: \xff\n"])
def test_a_file_that_cannot_be_read_is_a_case_that_fails_and_keeps_no_other_from_being_played(
    tmp_path: Path, broken: bytes
):
    (tmp_path / "a.yaml").write_bytes(broken)
    (tmp_path / "b.yaml").write_text("steps: []\n")

    assert case_files.find_cases(tmp_path) == [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    with pytest.raises((yaml.YAMLError, UnicodeDecodeError, AttributeError)):
        case_files.load_case(tmp_path / "a.yaml")


def test_every_case_stands_on_the_same_ground():
    tables = case_files.with_ground({"work_centers": [{"code": "WC-IN", "hourly_cost": 90}]})

    assert tables["company"] == [{"name": "Scenario", "currency": "EUR", "time_zone": "UTC"}]
    assert [(unit["code"], unit["decimals"]) for unit in tables["units"]] == [("pcs", 0), ("kg", 3)]
    assert tables["locations"][0]["code"] == "MAIN"
    assert tables["work_centers"] == [{"code": "WC-IN", "hourly_cost": 90}, {"code": "OUT", "kind": "external"}]


def test_rows_get_what_a_case_leaves_out():
    costs: dict = {}

    tables = case_files.row_defaults(
        {
            "vendors": [{"code": "V1"}, {"code": "V2", "active": "no"}],
            "items": [
                {"code": "RM-A", "standard_cost": Decimal("2.5")}, {"code": "SF-B"}, {"code": "C-1"}, {"code": "UNIT"}
            ],
            "routings": [{"item": "UNIT", "operation_no": 10, "work_center": "OUT"}, {"item": "UNIT", "work_center": "WC-IN"}],
            "stock": [{"item": "RM-A", "quantity": 1}, {"item": "SF-B", "quantity": 1}, {"item": "RM-A", "cost": 9}],
            "prices": [{"valid_from": date(2026, 1, 1)}],
            "policies": [{"code": "P", "auto_send": True}],
        },
        costs=costs,
    )  # fmt: skip

    assert [vendor["active"] for vendor in tables["vendors"]] == ["yes", "no"]
    assert tables["locations"] == [
        {"code": "AT-V1", "kind": "vendor", "vendor": "V1"}, {"code": "AT-V2", "kind": "vendor", "vendor": "V2"}
    ]  # fmt: skip
    assert [(item["kind"], item["unit"]) for item in tables["items"]] == [
        ("raw", "pcs"), ("semi", "pcs"), ("raw", "pcs"), ("finished", "pcs")
    ]  # fmt: skip
    assert [step["outsourced"] for step in tables["routings"]] == ["yes", "no"]
    assert [(row["location"], row.get("cost")) for row in tables["stock"]] == [
        ("MAIN", Decimal("2.5")), ("MAIN", None), ("MAIN", 9)
    ]  # fmt: skip
    assert tables["prices"] == [{"valid_from": "2026-01-01"}]
    assert tables["policies"] == [{"code": "P", "auto_send": "yes"}]
    assert costs == {"RM-A": Decimal("2.5")}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (10, "10.00000"), (Decimal("0.80"), "0.8"), (0, "0.00"), ("V1", "V1"), (20, "20"), (date(2026, 3, 2), "2026-03-02"),
        (date(2026, 3, 2), "2026-03-02T08:00:00Z"), ("yes", True), (None, ""), (["coc"], ["coc"]),
    ],
)  # fmt: skip
def test_values_that_say_the_same_are_the_same(expected: object, actual: object):
    assert same(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (10, "10.00001"), (Decimal("281.25"), "281.2"), (0, None), (0, ""), ("V1", "V2"), (20, "20a"), ("yes", False),
        (date(2026, 3, 2), "2026-03-03"), (None, "V1"), (["coc"], []), (1, True and "yes"),
    ],
)  # fmt: skip
def test_values_that_say_something_else_are_not(expected: object, actual: object):
    assert not same(expected, actual)


def test_only_what_is_written_is_compared_and_a_field_that_is_not_there_is_not_built_yet():
    row = {"quantity": "10.00000", "status": "draft"}

    assert mismatches({"quantity": 10}, row) == []
    assert mismatches({"quantity": 9, "status": "sent"}, row) == [
        "quantity is 10 and should be 9", "status is draft and should be sent"
    ]  # fmt: skip
    with pytest.raises(NotBuiltYet, match="sent"):
        mismatches({"sent": 1}, row)


def test_each_row_answers_one_expectation_only():
    rows = [{"quantity": "4"}, {"quantity": "5"}]

    assert each_once([{"quantity": 5}, {"quantity": 4}], rows, mismatches, str) == []
    assert each_once([{"quantity": 4}, {"quantity": 4}], rows, mismatches, str) == [
        "{'quantity': 4}: quantity is 5 and should be 4"
    ]
    assert each_once([{"quantity": 4}], [], mismatches, str) == ["{'quantity': 4}: there is none"]


class FakeApi:
    """An API whose lists and resources are given."""

    def __init__(self, lists: dict, resources: dict | None = None) -> None:
        self.lists, self.resources = lists, resources or {}

    def rows(self, *parts: str, **query: object) -> list:
        return self.lists[parts[0]]

    def get(self, *parts: object) -> dict:
        return self.resources[parts]


class FakeDocuments:
    LISTS = {"order": "subcontract-orders", "shipment": "shipments"}

    def __init__(self, **numbers: list[str]) -> None:
        self.numbers = numbers


def seen(lists: dict, resources: dict | None = None, **numbers: list[str]) -> Seen:
    return Seen(FakeApi(lists, resources), FakeDocuments(**numbers), None)  # type: ignore[arg-type]


def test_stock_is_added_up_over_lots_and_pieces_between_operations_lie_apart():
    stock = [
        {"item": "RM", "location": "MAIN", "lot": "L1", "stage": "", "quantity": "4"},
        {"item": "RM", "location": "MAIN", "lot": "L2", "stage": "", "quantity": "6"},
        {"item": "FG", "location": "MAIN", "lot": None, "stage": "P7/10", "quantity": "80"},
        {"item": "FG", "location": "AT-V1", "lot": None, "stage": "P7/10", "quantity": "120"},
    ]

    assert seen({"stock": stock}).stock(
        {
            "MAIN": {"RM": 10, "FG": 0}, "AT-V1": {"FG": 120, "RM": 0}, "WIP:P7/10": {"FG": 80},
        }
    ) == []  # fmt: skip
    assert seen({"stock": stock}).stock({"MAIN": {"RM": {"L1": 4, "L2": 6, "L3": 0}}}) == []
    assert seen({"stock": stock}).stock({"MAIN": {"RM": 9}, "AT-V1": {"FG": 0}}) == [
        "MAIN RM is 10 and should be 9", "AT-V1 FG is 120 and should be 0"
    ]  # fmt: skip


def test_value_and_unit_cost_are_those_of_all_our_stock_wherever_it_lies():
    stock = [
        {"item": "RM", "location": "MAIN", "stage": "", "quantity": "6", "value": "1350"},
        {"item": "RM", "location": "AT-V1", "stage": "", "quantity": "2", "value": "900"},
    ]

    assert seen({"stock": stock}).value({"RM": {"value": 2250, "unit_cost": Decimal("281.25")}}) == []
    assert seen({"stock": stock}).value({"RM": {"value": 2251}}) == ["RM: value is 2250 and should be 2251"]


def test_a_value_said_in_whole_cents_is_that_of_the_rounded_sum_and_one_said_finer_is_exact():
    stock = [{"item": "FG", "location": "MAIN", "stage": "", "quantity": "5", "value": "833.33333"}]
    there = seen({"stock": stock})

    assert (
        there.value({"FG": {"value": Decimal("833.33")}}) == there.value({"FG": {"value": Decimal("833.33333")}}) == []
    )
    assert there.value({"FG": {"value": Decimal("833.34")}}) == ["FG: value is 833.33 and should be 833.34"]
    assert there.value({"FG": {"value": Decimal("833.333")}}) == ["FG: value is 833.33333 and should be 833.333"]
    assert there.value({"FG": {"unit_cost": Decimal("166.67")}}) == ["FG: unit_cost is 166.66667 and should be 166.67"]


def test_half_a_cent_of_a_sum_goes_up_in_the_companys_currency():
    rows = [{"production_order": "P1", "actual": "22.545"}]
    reports = {"reports": rows}

    assert seen(reports).costs({"P1": {"actual": Decimal("22.55")}}) == []
    assert Seen(FakeApi(reports), FakeDocuments(), None, cent=Decimal("0.001")).costs(  # type: ignore[arg-type]
        {"P1": {"actual": Decimal("22.55")}}
    ) == ["P1: actual is 22.545 and should be 22.55"]


def test_a_shipment_is_found_by_what_it_carries_whether_in_one_line_or_in_two():
    shipment = {
        "number": "SH-1", "status": "planned", "from": "MAIN", "to": "AT-V1",
        "lines": [{"item": "RM", "quantity": "250"}, {"item": "RM", "quantity": "150"}],
    }  # fmt: skip
    there = seen({"shipments": [shipment]}, {("shipments", "SH-1"): shipment}, shipment=["SH-1"])

    assert there.shipments([{"from": "MAIN", "lines": [{"item": "RM", "quantity": 400}]}]) == []
    assert there.shipments([{"lines": [{"item": "RM", "quantity": 250}, {"item": "RM", "quantity": 150}]}]) == []
    assert there.shipments([{"shipment": 1, "lines": [{"item": "RM", "quantity": 401}]}]) == [
        "shipment 1: lines are RM 250, RM 150 and should hold RM 401"
    ]
    assert there.shipments([{"to": "AT-V1"}, {"to": "AT-V1"}]) == ["AT-V1: there is none"]
    assert there.shipments([{"shipment": 2}]) == ["shipment 2: there is none"]


def test_a_decision_needs_its_reason_among_the_reasons_and_its_vendor_among_the_awards():
    decision = {
        "production_order": "P1", "operation": "10", "verdict": "blocked", "policy": "ANOD", "quantity": "5",
        "vendor": "V1", "awards": [{"vendor": "V1"}, {"vendor": "V2"}],
        "reasons": [{"code": "inactive"}, {"code": "no_price"}],
    }  # fmt: skip
    wanted = {"production_order": "P1", "operation": 10}
    there = seen({"decisions": [decision]})

    assert (
        there.decisions([{**wanted, "verdict": "blocked", "reason": "no_price", "vendor": "V2", "quantity": 5}]) == []
    )
    assert there.decisions([{**wanted, "reason": "no_rate"}]) == [
        "P1/10: reasons are inactive, no_price and should hold no_rate"
    ]
    assert there.decisions([{**wanted, "vendor": "V3"}]) == ["P1/10: vendor is V1, V2 and should be V3"]
    assert there.decisions([{**wanted, "operation": 20}]) == ["P1/20: there are 0 current decisions"]
