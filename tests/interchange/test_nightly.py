"""The plan comes again: snapshots, planned orders that became firm ones, orders left out, previews."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.refusals import InvalidInput
from interchange import services
from interchange.models import PlanImport
from production import services as production
from production.models import Operation, OperationWord, ProductionOrder
from production.services import SnapshotTooSmall
from tests.factories import AT
from tests.interchange.plans import SHAFT, load, load_shaft, only, refused


def order(number: str, **fields) -> dict:
    return {"number": number, "item": "SHAFT", "quantity": 8, "due": "2026-03-18", **fields}


def ten(**fields) -> list[dict]:
    return [order(f"P{number}", **fields) for number in range(1, 11)]


def statuses() -> dict[str, str]:
    return dict(ProductionOrder.objects.order_by("pk").values_list("number", "status"))


# Parents


def test_a_parent_may_stand_anywhere_in_the_file():
    """Also beyond the part of the file that is read at once."""
    rows = [order(f"A{number}", parent_order="TOP") for number in range(2100)]

    load_shaft(production_orders=[*rows, order("TOP")])

    assert ProductionOrder.objects.filter(parent_number="TOP").count() == 2100


def test_an_order_made_for_one_nobody_knows_is_a_bad_row_and_nothing_is_written():
    load_shaft(production_orders=[])

    bad = refused({"production_orders": [order("A1"), order("A2", parent_order="A9")]})

    assert only(bad) == ("production_orders", 2, "parent_order", "A9", "not_found")
    assert bad[0].detail == "There is no production order A9."
    assert statuses() == {}


def test_an_order_made_for_itself_is_a_bad_row():
    load_shaft(production_orders=[])

    assert only(refused({"production_orders": [order("A1", parent_order="A1")]})) == (
        "production_orders", 1, "parent_order", "A1", "invalid",
    )  # fmt: skip


def test_orders_made_for_one_another_in_a_circle_are_a_bad_row_that_names_the_way():
    load_shaft(production_orders=[order("TOP"), order("OLD", parent_order="TOP")])

    bad = refused(
        {
            "production_orders": [
                order("A1", parent_order="A3"),
                order("A2", parent_order="A1"),
                order("A3", parent_order="A2"),
                order("A4", parent_order="A3"),
            ]
        }
    )
    through_what_is_there = refused({"production_orders": [order("TOP", parent_order="OLD")]})

    assert only(bad) == ("production_orders", 1, "parent_order", "A3", "parent_cycle")
    assert bad[0].detail == "These production orders are made for one another in a circle: A1 → A3 → A2 → A1."
    assert only(through_what_is_there) == ("production_orders", 1, "parent_order", "OLD", "parent_cycle")
    assert dict(ProductionOrder.objects.values_list("number", "parent_number")) == {"TOP": "", "OLD": "TOP"}


def test_a_circle_that_closes_with_a_new_number_is_found():
    load_shaft(production_orders=[order("P1"), order("P2", parent_order="P1")])

    bad = refused({"production_orders": [order("M1", status="firm", replaces="P1", parent_order="P2")]})

    assert only(bad) == ("production_orders", 1, "parent_order", "P2", "parent_cycle")


def test_a_circle_of_orders_is_left_out_as_a_whole():
    load_shaft(production_orders=[])
    rows = [order("A1", parent_order="A2"), order("A2", parent_order="A1"), order("A3")]

    report = load({"production_orders": rows}, skip_orders=True)

    assert statuses() == {"A3": "planned"}
    assert report.rejected == 2


def test_nobody_is_told_that_a_parent_is_missing_whose_own_row_is_bad():
    load_shaft(production_orders=[])

    bad = refused({"production_orders": [order("A1", quantity="many"), order("A2", parent_order="A1")]})

    assert only(bad) == ("production_orders", 1, "quantity", "many", "invalid_quantity")


def test_a_parent_that_was_withdrawn_is_still_a_parent():
    load_shaft(production_orders=[*ten(), order("SUB", parent_order="P10")])
    tables = {"production_orders": [*ten()[:9], order("SUB", parent_order="P10")]}

    load(tables, snapshot=services.Snapshot())
    again = load(tables, snapshot=services.Snapshot())

    assert (statuses()["P10"], statuses()["SUB"], again.written) == ("cancelled", "planned", 0)


# Snapshots


def test_a_snapshot_withdraws_planned_orders_it_does_not_hold():
    load_shaft(production_orders=[*ten(), order("F1", status="firm")])

    report = load({"production_orders": ten()[:8]}, snapshot=services.Snapshot())

    assert report.counts["production_orders"] == {"created": 0, "changed": 0, "unchanged": 8, "withdrawn": 2}
    assert report.first["production_orders"] == {"withdrawn": ["P9", "P10"]}
    assert [number for number, status in statuses().items() if status == "cancelled"] == ["P9", "P10"]
    assert statuses()["F1"] == "firm"
    assert set(Operation.objects.filter(production_order__number="P9").values_list("status", flat=True)) == {
        "cancelled"
    }


def test_an_order_missing_for_one_night_comes_back_as_it_was():
    load_shaft(production_orders=[*ten(), order("F1", status="firm"), order("C1", status="cancelled")])
    load({"operations": [{"order": "F1", "number": 10, "good": 3}]})
    both = services.Snapshot(statuses=["planned", "firm"])
    load({"production_orders": ten()[:9]}, snapshot=both)
    assert (statuses()["P10"], statuses()["F1"]) == ("cancelled", "cancelled")

    report = load({"production_orders": [*ten(), order("F1", status="planned"), order("C1")]}, snapshot=both)

    assert report.first["production_orders"] == {"changed": ["P10", "F1"]}
    assert (statuses()["P10"], statuses()["F1"], statuses()["C1"]) == ("planned", "firm", "cancelled")
    steps = Operation.objects.order_by("production_order", "sequence")
    assert list(steps.filter(production_order__number="P10").values_list("status", flat=True)) == ["open", "open"]
    assert list(steps.filter(production_order__number="F1").values_list("status", "good")) == [
        ("in_progress", 3),
        ("open", 0),
    ]


def test_an_order_a_person_cancelled_stays_cancelled_also_where_a_snapshot_had_withdrawn_it():
    load_shaft(production_orders=ten())
    for number in ("P9", "P10"):
        if number == "P10":
            load({"production_orders": ten()[:9]}, snapshot=services.Snapshot())
        pk = ProductionOrder.objects.get(number=number).pk
        production.cancel_production_order(production_order_id=pk, by=None, at=AT)

    load({"production_orders": ten()}, snapshot=services.Snapshot())

    assert (statuses()["P9"], statuses()["P10"]) == ("cancelled", "cancelled")


def test_a_snapshot_of_half_the_plan_is_refused_unless_confirmed():
    load_shaft(production_orders=ten())

    with pytest.raises(SnapshotTooSmall) as refusal:
        load({"production_orders": ten(quantity=9)[:7]}, snapshot=services.Snapshot())

    assert refusal.value.code == "snapshot_too_small"
    assert set(statuses().values()) == {"planned"}
    assert set(ProductionOrder.objects.values_list("quantity", flat=True)) == {Decimal(8)}
    load({"production_orders": ten()[:7]}, snapshot=services.Snapshot(confirm=True))
    assert list(statuses().values()).count("cancelled") == 3


def test_a_snapshot_is_whole_only_for_its_source_site_and_statuses():
    places = [{"code": "MAIN", "kind": "plant"}, {"code": "P2", "kind": "plant"}]
    load_shaft(
        locations=places,
        production_orders=[
            order("A1", source="erp"),
            order("A2", source="erp", location="P2"),
            order("A3", source="erp", status="firm"),
            order("B1", source="mrp"),
        ],
    )

    load({"production_orders": [order("A4", source="erp")]}, snapshot=services.Snapshot(sites=["P2"], confirm=True))
    assert [number for number, status in statuses().items() if status == "cancelled"] == ["A2"]

    load(
        {"production_orders": [order("A4", source="erp")]},
        snapshot=services.Snapshot(statuses=["planned", "firm"], confirm=True),
    )
    assert statuses() == {"A1": "cancelled", "A2": "cancelled", "A3": "cancelled", "B1": "planned", "A4": "planned"}


def test_a_snapshot_of_a_source_that_none_of_its_orders_has_is_warned_of():
    load_shaft(production_orders=ten(source="erp"))

    unnamed = load({"production_orders": ten()[:9]}, snapshot=services.Snapshot(sources=["mes"]), dry_run=True)
    misspelt = load({"production_orders": ten(source="erp")[:9]}, snapshot=services.Snapshot(sources=["ERP"]))

    assert unnamed.warnings[0].startswith("The snapshot is whole for mes, and none of its orders comes from there")
    assert "they come from erp." in misspelt.warnings[0]
    assert load({"production_orders": ten(source="erp")}, snapshot=services.Snapshot(sources=["erp"])).warnings == []


def test_a_snapshot_needs_orders_and_known_words():
    load_shaft()

    with pytest.raises(services.NoPlan):
        load({"items": []}, snapshot=services.Snapshot())
    with pytest.raises(InvalidInput):
        load({"production_orders": []}, snapshot=services.Snapshot(statuses=["done"]))
    assert statuses() == {"P1": "planned"}


def test_a_dry_run_of_a_snapshot_names_what_would_happen():
    load_shaft(production_orders=ten())

    report = load(
        {"production_orders": [*ten()[:7], order("P8", quantity=9), order("P11")]},
        snapshot=services.Snapshot(),
        dry_run=True,
    )

    assert report.first["production_orders"] == {"created": ["P11"], "changed": ["P8"], "withdrawn": ["P9", "P10"]}
    assert set(statuses().values()) == {"planned"}
    assert len(statuses()) == 10


# Planned orders that became firm ones


def test_a_firm_order_takes_the_place_of_the_planned_one_it_replaces():
    load_shaft()
    planned = ProductionOrder.objects.get()
    plating = planned.operations.get(operation_no="20")
    production.speak_word(operation_id=plating.pk, word="in_house", reason="own bath", by=None, at=AT)

    report = load({"production_orders": [order("M1", status="firm", replaces="P1")]})

    firm = ProductionOrder.objects.get()
    assert (firm.pk, firm.number, firm.status, firm.replaces) == (planned.pk, "M1", "firm", "P1")
    assert firm.operations.get(operation_no="20").pk == plating.pk
    assert OperationWord.objects.get(is_current=True).operation_id == plating.pk
    assert report.counts["production_orders"] == {"created": 0, "changed": 1, "unchanged": 0}
    again = load({"production_orders": [order("M1", status="firm", replaces="P1")]})
    assert again.counts["production_orders"] == {"created": 0, "changed": 0, "unchanged": 1}


def test_a_preview_names_which_planned_number_each_firm_one_replaces():
    load_shaft(production_orders=[order("P1"), order("P2"), order("P3")])
    night = [
        order("M1", status="firm", replaces="P1"),
        order("M2", quantity=4, status="firm", replaces="P2"),
        order("M3", quantity=4, status="firm", replaces="P2"),
        order("P3", quantity=9),
    ]

    report = load({"production_orders": night}, dry_run=True)

    assert report.first["production_orders"]["replaced"] == ["P1 → M1", "P2 → M2", "P2 → M3"]
    load({"production_orders": night})
    assert "replaced" not in load({"production_orders": night}, dry_run=True).first.get("production_orders", {})


def test_a_planned_order_withdrawn_the_night_before_comes_back_as_the_firm_one():
    load_shaft(production_orders=ten())
    load({"production_orders": ten()[:9]}, snapshot=services.Snapshot())

    load({"production_orders": [order("M1", status="firm", replaces="P10")]})

    firm = ProductionOrder.objects.get(number="M1")
    assert (firm.status, set(firm.operations.values_list("status", flat=True))) == ("firm", {"open"})


def test_an_order_split_in_two_keeps_the_planners_word_on_both():
    load_shaft()
    plating = Operation.objects.get(operation_no="20")
    production.speak_word(operation_id=plating.pk, word="in_house", reason="own bath", by=None, at=AT)

    halves = [order(number, quantity=4, status="firm", replaces="P1") for number in ("M1", "M2")]
    load({"production_orders": halves})

    words = OperationWord.objects.filter(is_current=True).order_by("pk")
    assert [(word.operation.production_order.number, word.word) for word in words] == [
        ("M1", "in_house"),
        ("M2", "in_house"),
    ]
    assert statuses() == {"M1": "firm", "M2": "firm"}


def test_a_planned_number_used_again_is_another_order_with_pieces_of_its_own():
    load_shaft()
    load({"production_orders": [order("M1", status="firm", replaces="P1")]})

    load({"production_orders": [order("P1")]})

    stages = {one.number: one.stage_number for one in ProductionOrder.objects.all()}
    assert stages["M1"] == "P1"
    assert stages["P1"] not in ("P1", "")


def test_sub_orders_follow_their_parents_new_number():
    load_shaft(production_orders=[order("P1"), order("P2", parent_order="P1")])

    load({"production_orders": [order("M1", status="firm", replaces="P1")]})

    assert ProductionOrder.objects.get(number="P2").parent_number == "M1"


def test_sub_orders_may_name_their_parent_by_the_number_it_had_before():
    load_shaft(production_orders=[order("P1"), order("P2", parent_order="P1")])
    firm = {"production_orders": [order("P2", parent_order="P1"), order("M1", status="firm", replaces="P1")]}

    load(firm)
    again = load(firm)

    assert ProductionOrder.objects.get(number="P2").parent_number == "M1"
    assert again.written == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"replaces": "P9"}, "not_found"),
        ({"replaces": "M1"}, "duplicate_number"),
        ({"replaces": "P1", "item": "BAR"}, "invalid"),
        ({"replaces": "P1", "source": "mrp"}, "duplicate_number"),
        ({"replaces": "R1"}, "wrong_state"),
    ],
)
def test_what_cannot_be_replaced_is_named(fields, code):
    load_shaft(production_orders=[order("P1", source="erp"), order("R1", status="released")])
    if fields["replaces"] == "M1":
        load({"production_orders": [order("M1")]})

    rows = refused({"production_orders": [order("P2"), {**order("M1", status="firm"), **fields}]})

    assert only(rows) == ("production_orders", 2, "replaces", fields["replaces"], code)
    assert "P2" not in statuses()


def test_an_order_is_not_replaced_and_still_planned_in_one_plan():
    load_shaft()

    rows = refused({"production_orders": [order("M1", status="firm", replaces="P1"), order("P1")]})

    assert only(rows) == ("production_orders", 1, "replaces", "P1", "duplicate_number")
    assert statuses() == {"P1": "planned"}


def test_an_operation_a_vendor_was_asked_for_is_never_copied_again_only_cancelled():
    load_shaft()
    plating = Operation.objects.get(operation_no="20")
    production.commit_operations(operation_ids=[plating.pk, None])

    load({"routings": [{**SHAFT["routings"][1], "name": "Chroming"}], "production_orders": SHAFT["production_orders"]})

    plating.refresh_from_db()
    assert (plating.name, plating.status) == ("Plating", "open")
    load(
        {
            "routing_alternatives": [{"item": "SHAFT", "variant": "B", "operation_no": 10, "work_center": "LATHE"}],
            "production_orders": [order("P1", routing_variant="B")],
        }
    )
    plating.refresh_from_db()
    assert plating.status == "cancelled"
    load({"production_orders": [order("P1", item="BAR")]})
    plan = ProductionOrder.objects.select_related("item", "wanted_item").get(number="P1")
    assert (plan.item.code, plan.wanted_item and plan.wanted_item.code) == ("SHAFT", "BAR")


# Bad progress


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([{"number": "10", "good": 9}], (1, "good", "9", "invalid_quantity")),
        ([{"number": "10", "good": 8}, {"number": "20", "good": 9}], (2, "good", "9", "invalid_quantity")),
        ([{"number": "10", "good": 8}, {"number": "20", "scrap": 9}], (2, "scrap", "9", "invalid_quantity")),
        ([{"number": "10", "good": 8}, {"number": "20", "good": 5, "scrap": 4}], (2, "scrap", "4", "invalid_quantity")),
        ([{"number": "10", "next_operation_no": "20"}, {"number": "20", "next_operation_no": "10"}],
         (1, "next_operation_no", "20", "routing_cycle")),
        ([{"number": "10", "next_operation_no": "99"}], (1, "next_operation_no", "99", "not_found")),
        ([{"number": "10", "start": "2026-03-10", "end": "2026-03-10"},
          {"number": "20", "start": "2026-03-05", "end": "2026-03-06"}], (1, "start", "2026-03-10", "invalid_date")),
    ],
)  # fmt: skip
def test_progress_that_cannot_be_is_named(rows, place):
    load_shaft()

    bad = refused({"operations": [{"order": "P1", **row} for row in rows]})

    assert only(bad) == ("operations", *place)
    assert not Operation.objects.exclude(good=0).exists()


def test_pieces_that_went_wrong_at_the_first_operation_may_have_been_begun_anew():
    load_shaft()

    load({"operations": [{"order": "P1", "number": "10", "good": 8, "scrap": 3}]})

    assert Operation.objects.filter(operation_no="10").values_list("good", "scrap", "status").get() == (
        8,
        3,
        "finished",
    )


def test_progress_counted_before_the_plan_was_lowered_stays_what_it_is():
    load_shaft(operations=[{"order": "P1", "number": "10", "good": 3, "scrap": 5}])
    lowered = {"production_orders": [order("P1", quantity=4)]}

    report = load({**lowered, "operations": [{"order": "P1", "number": "10", "good": 3, "scrap": 5}]})

    assert report.counts["production_orders"]["changed"] == 1
    assert Operation.objects.filter(operation_no="10").values_list("good", "scrap").get() == (3, 5)


def test_an_operation_moved_behind_one_that_follows_it_by_an_earlier_nights_dates_is_named():
    load_shaft()
    load({"operations": [{"order": "P1", "number": "20", "start": "2026-03-05", "end": "2026-03-06"}]})

    bad = refused({"operations": [{"order": "P1", "number": "10", "start": "2026-03-10", "end": "2026-03-10"}]})

    assert only(bad) == ("operations", 1, "start", "2026-03-10", "invalid_date")
    load(
        {
            "operations": [
                {"order": "P1", "number": "10", "start": "2026-03-10", "end": "2026-03-10"},
                {"order": "P1", "number": "20", "start": "2026-03-11", "end": "2026-03-12"},
            ]
        }
    )


# Orders left out


def test_an_order_with_a_bad_row_is_left_out_and_comes_back_as_rejects():
    tables = {
        "production_orders": [
            order("A1"),
            order("A2", quantity="many"),
            order("A3", item="NONE"),
            order("A4"),
            order("", quantity=1),
        ],
        "operations": [
            {"order": "A1", "number": "10", "good": 2},
            {"order": "A2", "number": "10", "good": 2},
            {"order": "A4", "number": "10", "good": 99},
        ],
    }
    load_shaft(production_orders=[])

    report = load(tables, skip_orders=True)

    assert statuses() == {"A1": "planned"}
    assert report.counts["production_orders"]["created"] == 1
    rejects = {table: [row.get("number") for row in rows] for table, rows in report.rejects.items()}
    assert rejects == {"production_orders": ["A2", "A3", "A4", ""], "operations": ["10", "10"]}
    assert (report.rejected, PlanImport.objects.latest("pk").rejected) == (6, 6)
    assert report.rejects["production_orders"][1]["reject_reason"] == "item: There is no item NONE."

    righted = [{**row, "quantity": 8, "item": "SHAFT"} for row in report.rejects["production_orders"][:3]]
    load({"production_orders": righted})
    assert list(statuses()) == ["A1", "A2", "A3", "A4"]


def test_what_is_made_for_an_order_left_out_is_left_out_too_down_to_the_last():
    load_shaft(production_orders=[order("OLD")])
    tables = {
        "production_orders": [
            order("A3", parent_order="A2"),
            order("A2", parent_order="A1"),
            order("A1"),
            order("B1", parent_order="NONE"),
            order("B2", parent_order="B1"),
            order("OLD", quantity="many"),
            order("C1", parent_order="OLD"),
            order("D1"),
        ],
        "operations": [{"order": "A1", "number": "10", "good": 99}, {"order": "A3", "number": "10", "good": 1}],
    }

    report = load(tables, skip_orders=True)

    assert statuses() == {"OLD": "planned", "C1": "planned", "D1": "planned"}
    reasons = {row["number"]: row["reject_reason"] for row in report.rejects["production_orders"]}
    assert reasons == {
        "A1": "good: 99 good of 8 to make are too many.",
        "A2": "parent_order: A1 is left out.",
        "A3": "parent_order: A2 is left out.",
        "B1": "parent_order: There is no production order NONE.",
        "B2": "parent_order: B1 is left out.",
        "OLD": "quantity: “many” is not a number.",
    }
    assert [row["order"] for row in report.rejects["operations"]] == ["A1", "A3"]


def test_a_snapshot_does_not_withdraw_an_order_that_was_left_out():
    load_shaft(production_orders=ten())

    report = load(
        {"production_orders": [order("P1", quantity="?"), *ten()[1:]]}, skip_orders=True, snapshot=services.Snapshot()
    )

    assert (report.rejected, set(statuses().values())) == (1, {"planned"})


def test_bad_master_data_refuses_all_even_where_orders_may_be_left_out():
    with pytest.raises(services.ImportRefused):
        load_shaft(items=[{"code": "SHAFT", "kind": "thing"}])
    with pytest.raises(services.ImportRefused):
        load({**SHAFT, "items": [{"code": "SHAFT", "kind": "thing"}]}, skip_orders=True)

    assert not ProductionOrder.objects.exists()


def test_more_orders_than_fit_a_part_are_left_out_one_by_one():
    load_shaft(production_orders=[])
    rows = [order(f"A{number}", quantity=0 if number % 1000 == 7 else 8) for number in range(4500)]

    report = load({"production_orders": rows}, skip_orders=True)

    assert (report.counts["production_orders"]["created"], report.rejected) == (4495, 5)
