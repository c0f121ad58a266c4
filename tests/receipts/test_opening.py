"""Open orders from before: loaded as they stand, refused where they contradict the plan, the stock or themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from activity.models import Alert
from core.refusals import WrongState
from documents.services import check_invariants
from interchange.services import ImportRefused
from inventory.models import Movement
from production.models import Operation
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine
from shipments.models import ShipmentLine
from subcontract_orders.models import OrderLine, OrderRevision, SubcontractOrder
from tests.documents.plans import MONDAY, base, boss, generate, lines, load, moment

GOING_ON = {
    "order": "SC-00007", "line": 1, "vendor": "V1", "production_order": "P1", "operation": "10", "quantity": 10, "unit_price": 80,
    "ordered_on": "2026-02-02", "need_date": "2026-04-15", "sent": 6, "received": 4, "invoiced": 3,
}  # fmt: skip


def ground(**tables: list[dict[str, Any]]) -> None:
    base(
        production_orders=[{"number": "P1", "item": "FG", "quantity": 10, "due": "2026-04-15", "status": "released"}],
        **tables,
    )


def refusal_of(*rows: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    orders = SubcontractOrder.objects.count()
    with pytest.raises(ImportRefused) as refusal:
        load({"open_orders": list(rows)})
    assert SubcontractOrder.objects.count() == orders
    assert not Receipt.objects.exists()
    return [(row.row, row.column, row.code) for row in refusal.value.rows]


def test_an_open_order_is_loaded_with_its_material_receipt_rest_to_ship_and_revision():
    ground(stock=[{"item": "RM", "location": "AT-V1", "quantity": 5}])

    load({"open_orders": [GOING_ON]})

    line = OrderLine.objects.select_related("order").get()
    assert (line.order.number, line.order.status, line.order.total) == ("SC-00007", "sent", 800)
    assert line.order.sent_at.date() == date(2026, 2, 2)
    assert (line.accepted, line.quantity, line.invoiced_before, line.policy_code) == (4, 10, 3, "PLATE")
    component = line.components.get()
    assert (component.required, component.sent, component.consumed, component.at_vendor) == (10, 6, 4, 2)
    assert ShipmentLine.objects.get().quantity == 4
    came = ReceiptLine.objects.select_related("receipt").get()
    assert (came.accepted, came.work_value, came.components_value, came.receipt.is_opening) == (4, 320, 400, True)
    assert OrderRevision.objects.get().content["total"] == "800.00"
    assert check_invariants().differences == []


def test_the_next_order_takes_no_number_that_was_loaded():
    ground()
    load({"open_orders": [GOING_ON]})
    load({"production_orders": [{"number": "P2", "item": "FG", "quantity": 5, "due": "2026-04-15"}]})

    generate()

    assert [number for number, *_ in lines()] == ["SC-00007", "SC-00008"]


def test_another_open_order_is_loaded_after_goods_of_others_were_received():
    ground(stock=[{"item": "RM", "location": "AT-V1", "quantity": 5}])
    load({"open_orders": [GOING_ON]})
    api = APIClient()
    api.force_authenticate(boss())
    came = [{"order": "SC-00007", "line": 1, "accepted": 2}]
    assert (
        api.post("/api/v1/receipts/", {"vendor": "V1", "note": "A-1", "lines": came}, format="json").status_code == 201
    )

    load({"open_orders": [{**GOING_ON, "order": "SC-00008", "quantity": 5, "sent": 5, "received": 5, "invoiced": 0}]})

    assert Receipt.objects.count() == 3
    assert check_invariants().differences == []


def test_an_order_bought_complete_is_loaded_once_and_the_same_again_changes_nothing():
    ground(stock=[{"item": "RM", "location": "AT-V1", "quantity": 5}])
    whole = {**GOING_ON, "operation": "", "bought_complete": "yes"}

    load({"open_orders": [whole]})
    load({"open_orders": [whole]})

    line = OrderLine.objects.get()
    assert (line.is_whole, line.operation_no, line.operation.operation_no, line.accepted) == (True, "", "10", 4)
    with pytest.raises(ImportRefused) as refusal:
        load({"open_orders": [{**whole, "bought_complete": "no"}]})
    assert [row.code for row in refusal.value.rows] == ["duplicate_number"]
    assert check_invariants().differences == []


def test_all_operations_of_a_loaded_order_bought_complete_are_with_the_vendor():
    steps = [{"item": "FG", "operation_no": number, "name": "Plating", "work_center": "OUT"} for number in (10, 20)]
    ground(routings=steps)

    load({"open_orders": [{**GOING_ON, "operation": "", "bought_complete": "yes"}]})

    assert list(Operation.objects.values_list("is_committed", flat=True)) == [True, True]


def test_operations_bought_together_are_loaded_once_and_the_same_again_changes_nothing():
    ground(
        routings=[
            {"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "OUT"},
            {"item": "FG", "operation_no": 20, "name": "Coating", "work_center": "OUT"},
            {"item": "FG", "operation_no": 30, "name": "Packing", "work_center": "OUT"},
        ]
    )
    together = {**GOING_ON, "last_operation": "20", "scrapped": 1}

    load({"open_orders": [together]})
    load({"open_orders": [together]})

    line = OrderLine.objects.get()
    assert (line.operation_no, line.last_operation_no, line.description) == ("10", "20", "Plating, Coating")
    assert (line.operation.operation_no, line.accepted, line.scrapped) == ("10", 3, 1)
    made = Operation.objects.order_by("sequence").values_list("operation_no", "good", "scrap", "is_committed")
    assert list(made) == [("10", 3, 1, True), ("20", 3, 1, True), ("30", 0, 0, False)]
    with pytest.raises(ImportRefused) as refusal:
        load({"open_orders": [{**together, "last_operation": ""}]})
    assert [row.code for row in refusal.value.rows] == ["duplicate_number"]
    assert check_invariants().differences == []


def test_the_same_again_changes_nothing_also_when_more_came_meanwhile():
    ground()
    load({"open_orders": [GOING_ON]})
    line = OrderLine.objects.get()
    receipts.post_receipt(
        vendor_id=line.vendor_id,
        note="N1",
        lines=[receipts.CountedLine(order_line_id=line.pk, accepted=Decimal(2))],
        by=boss(),
        at=moment(),
    )
    moved = Movement.objects.count()

    load({"open_orders": [GOING_ON]})

    line.refresh_from_db()
    assert line.accepted == 6
    assert Movement.objects.count() == moved
    assert check_invariants().differences == []


def test_other_content_under_a_known_number_is_refused():
    ground()
    load({"open_orders": [GOING_ON]})

    with pytest.raises(ImportRefused) as refusal:
        load({"open_orders": [{**GOING_ON, "received": 5}]})

    assert [(row.column, row.code) for row in refusal.value.rows] == [("order", "duplicate_number")]
    assert OrderLine.objects.get().accepted == 4


def test_what_was_sent_lies_at_the_vendor_where_his_stock_was_never_loaded():
    ground()

    load({"open_orders": [GOING_ON]})

    assert OrderLine.objects.get().components.get().at_vendor == 2
    assert Movement.objects.filter(to_location__code="AT-V1", item__code="RM").get().value == 200
    assert check_invariants().differences == []


def test_without_saying_what_was_sent_a_line_has_what_lies_at_the_vendor():
    ground(stock=[{"item": "RM", "location": "AT-V1", "quantity": 5}])

    load({"open_orders": [{**GOING_ON, "sent": ""}]})

    component = OrderLine.objects.get().components.get()
    assert (component.sent, component.consumed, component.at_vendor) == (9, 4, 5)
    assert ShipmentLine.objects.get().quantity == 1


def test_less_at_the_vendor_than_was_sent_and_not_used_is_refused_with_what_lies_there():
    ground(stock=[{"item": "RM", "location": "AT-V1", "quantity": 1}])

    assert refusal_of(GOING_ON) == [(1, "sent", "not_enough_stock")]


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"vendor": "V9"}, "vendor", "not_found"),
        ({"production_order": "P9"}, "production_order", "not_found"),
        ({"operation": "90"}, "operation", "not_found"),
        ({"received": 7}, "sent", "invalid_quantity"),
        ({"received": 4, "rejected": 5}, "received", "invalid_quantity"),
        ({"received": 4, "accepted": 3}, "received", "invalid_quantity"),
        ({"invoiced": 11}, "invoiced", "invalid_quantity"),
        ({"sent": 11, "received": 11}, "received", "over_receipt"),
        ({"sent": 11}, "sent", "over_send"),
        ({"quantity": "2.5"}, "quantity", "too_precise"),
        ({"ordered_on": "2026-03-03"}, "ordered_on", "invalid_date"),
        ({"need_date": "2126-04-15"}, "need_date", "invalid_date"),
        ({"currency": "USD"}, "currency", "no_rate"),
        ({"unit_price": 10**12}, "unit_price", "invalid_quantity"),
        ({"policy": "NONE"}, "policy", "not_found"),
        ({"production_order": ""}, "item", "missing_value"),
        ({"status": "draft"}, "status", "invalid"),
        ({"bought_complete": "yes"}, "bought_complete", "invalid"),
        ({"bought_complete": "yes", "operation": "", "last_operation": "10"}, "bought_complete", "invalid"),
        ({"last_operation": "90"}, "last_operation", "not_found"),
        ({"last_operation": "10"}, "last_operation", "invalid"),
        ({"operation": "", "last_operation": "10"}, "operation", "missing_value"),
    ],
)
def test_an_open_order_that_cannot_be_is_named_and_nothing_is_loaded(change: dict[str, Any], column: str, code: str):
    ground()

    assert refusal_of({**GOING_ON, **change}) == [(1, column, code)]


def test_more_than_ordered_came_only_where_the_policy_takes_it():
    ground(policies=[{"code": "PLATE", "process": "Plating", "vendors": "V1", "over_receipt_pct": 10}])

    assert refusal_of({**GOING_ON, "sent": 12, "received": 12}) == [(1, "received", "over_receipt")]
    load({"open_orders": [{**GOING_ON, "sent": 11, "received": 11}]})

    assert OrderLine.objects.get().accepted == 11


def test_bad_pieces_a_vendor_brought_beside_the_good_ones_may_be_more_than_the_order_is_for():
    """Of a yield below a half more is bad than good."""
    ground()

    load({"open_orders": [{**GOING_ON, "quantity": 25, "sent": 22, "received": 22, "accepted": 10, "rejected": 12}]})

    assert Operation.objects.values_list("good", "scrap").get() == (10, 12)


def test_an_order_stands_with_one_vendor_and_each_line_once():
    ground(vendors=[{"code": "V1"}, {"code": "V2"}])

    assert refusal_of(GOING_ON, {**GOING_ON, "line": 2, "vendor": "V2", "received": 0, "sent": 0, "invoiced": 0}) == [
        (2, "vendor", "invalid")
    ]
    assert refusal_of(GOING_ON, {**GOING_ON, "quantity": 9}) == [(2, "line", "duplicate_number")]


def test_a_price_that_is_not_said_is_the_agreed_one_of_the_day_or_open():
    ground()
    rows = [{**GOING_ON, "unit_price": ""}, {**GOING_ON, "order": "X", "unit_price": "", "ordered_on": "2025-06-02"}]

    load({"open_orders": [{**row, "quantity": 5, "sent": 0, "received": 0, "invoiced": 0} for row in rows]})

    found = OrderLine.objects.order_by("order__number").values_list("order__number", "unit_price", "is_price_open")
    assert list(found) == [("SC-00007", 100, False), ("X", 0, True)]


def test_an_open_order_asks_for_the_certificates_of_its_policy_and_process():
    ground(processes=[{"code": "Plating", "certificates": "3.1"}])
    load({"policies": [{"code": "PLATE", "certificates": "RoHS"}]})

    load(
        {
            "open_orders": [
                GOING_ON,
                {
                    **GOING_ON,
                    "order": "X",
                    "policy": "",
                    "vendor": "V1",
                    "production_order": "",
                    "item": "FG",
                    "operation": "",
                    "process": "Plating",
                    "sent": 0,
                    "received": 0,
                    "invoiced": 0,
                },
            ]
        }
    )

    found = OrderLine.objects.order_by("order__number").values_list("order__number", "certificates")
    assert list(found) == [("SC-00007", ["RoHS", "3.1"]), ("X", ["RoHS", "3.1"])]
    (receipt,) = Receipt.objects.all()
    assert not Alert.objects.filter(kind="certificate_missing").exists()
    assert receipt.is_opening


def test_what_came_before_the_order_was_loaded_is_not_taken_back():
    ground()
    load({"open_orders": [GOING_ON]})

    with pytest.raises(WrongState):
        receipts.reverse_receipt(receipt_id=Receipt.objects.get().pk, by=boss(), at=moment())

    assert OrderLine.objects.get().accepted == 4


def test_loading_costs_the_same_number_of_queries_for_any_number_of_lines(django_assert_max_num_queries):
    plans = [{"number": f"P{number}", "item": "FG", "quantity": 10, "due": "2026-04-15"} for number in range(1, 31)]
    base(production_orders=plans)
    rows = [{**GOING_ON, "order": f"O{n}", "production_order": f"P{n}"} for n in range(1, 31)]

    with django_assert_max_num_queries(260):
        load({"open_orders": rows}, day=MONDAY)

    assert check_invariants().differences == []
