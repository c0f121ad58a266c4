"""Half-done work at go-live: pieces between two operations lie at our places and at vendors', and go on from there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from documents import services as documents
from inventory.models import Balance, CostPool, Movement
from masterdata.models import Site
from production.models import Operation
from receipts import services as receipts
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.documents.plans import moment
from tests.interchange.plans import SHAFT, load, load_shaft, only, refused

TURNED = {"order": "P1", "number": "10", "good": 6, "status": "in_progress"}
HERE = {"item": "SHAFT", "production_order": "P1", "operation": "10", "quantity": 6}


def lying() -> dict[str, Decimal]:
    rows = Balance.objects.filter(stage="P1/10").values_list("location__code", "quantity")
    return dict(rows)


def test_half_done_pieces_lie_where_the_row_says_at_what_is_in_them():
    report = load_shaft(operations=[TURNED], stock=[HERE])

    assert lying() == {"MAIN": 6}
    assert CostPool.objects.get(stage="P1/10").value == 24  # half a kilogram of bar at 8 in each
    assert report.counts["stock"] == {"created": 0, "changed": 0, "unchanged": 1}
    assert documents.check_invariants().differences == []


def test_the_same_again_changes_nothing_and_another_count_posts_the_difference():
    load_shaft(operations=[TURNED], stock=[HERE])
    before = Movement.objects.count()

    again = load_shaft(operations=[TURNED], stock=[HERE])
    assert (again.counts["stock"]["unchanged"], Movement.objects.count()) == (1, before)

    load({"stock": [{**HERE, "quantity": 5}]})
    assert lying() == {"MAIN": 5}


def test_they_may_lie_at_a_vendor_too():
    load_shaft(operations=[TURNED])
    load({"locations": [{"code": "AT-V1", "kind": "vendor", "vendor": "V1"}]})

    load({"stock": [{**HERE, "quantity": 2}, {**HERE, "quantity": 4, "location": "AT-V1"}]})

    assert lying() == {"MAIN": 2, "AT-V1": 4}
    assert sum(CostPool.objects.filter(stage="P1/10").values_list("value", flat=True)) == 24


def test_places_of_ours_that_no_row_names_hold_none():
    load_shaft(operations=[TURNED])
    load({"locations": [{"code": "STORE", "kind": "warehouse"}]})

    load({"stock": [{**HERE, "location": "STORE", "cost": 9}]})

    assert lying() == {"MAIN": 0, "STORE": 6}


@pytest.mark.parametrize(
    ("row", "bad"),
    [
        ({**HERE, "quantity": 7}, ("quantity", "7", "previous_operation_short")),
        ({**HERE, "operation": "20"}, ("operation", "20", "not_found")),
        ({**HERE, "operation": "30"}, ("operation", "30", "not_found")),
        ({**HERE, "operation": ""}, ("operation", "", "not_found")),
        ({**HERE, "production_order": "P9"}, ("production_order", "P9", "not_found")),
        ({**HERE, "production_order": ""}, ("production_order", "", "missing_value")),
        ({**HERE, "item": "BAR"}, ("item", "", "invalid")),
        ({**HERE, "quantity": -1}, ("quantity", "-1", "invalid_quantity")),
        ({**HERE, "quantity": "1.5"}, ("quantity", "1.5", "too_precise")),
    ],
)
def test_what_cannot_be_is_refused_with_its_row_and_nothing_is_written(row: dict[str, Any], bad: tuple[str, str, str]):
    found = only(refused({**SHAFT, "operations": [TURNED], "stock": [row]}))

    assert found == ("stock", 1, *bad)
    assert not Balance.objects.exists()
    assert not Operation.objects.exists()


def test_they_go_on_to_the_next_vendor_as_if_they_had_been_reported():
    """Six of ten are turned; four of them lie at the vendor who is asked for the rest of the way."""
    plans.base(
        items=[{"code": "FM", "kind": "finished"}],
        routings=[
            {"item": "FM", "operation_no": 10, "name": "Milling", "work_center": "WC-IN", "run_minutes_per_unit": 1},
            {"item": "FM", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
        ],
        prices=[{"vendor": "V1", "item": "FM", "operation_name": "Plating", "currency": "EUR", "unit_price": 5,
                 "lead_days": 5, "valid_from": "2026-01-01"}],
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}],
    )  # fmt: skip
    plans.plan("P1", "FM", 10, "2026-04-30")
    begun = {"item": "FM", "production_order": "P1", "operation": "10", "cost": 20}
    plans.load(
        {
            "operations": [{"order": "P1", "number": "10", "good": 6, "status": "in_progress"}],
            "stock": [{**begun, "quantity": 2}, {**begun, "quantity": 4, "location": "AT-V1"}],
        }
    )
    assert Site.objects.count() == 1
    plans.generate()
    plans.send(1)
    line = OrderLine.objects.get()

    receipts.post_receipt(
        vendor_id=line.vendor_id, note="DN-1", lines=[receipts.CountedLine(line.pk, accepted=Decimal(4))], by=plans.boss(),
        at=moment(),
    )  # fmt: skip

    assert lying() == {"MAIN": 2, "AT-V1": 0}
    # Two made at home of nothing and four worth 20 each share one cost; the vendor's work is 5 each.
    assert CostPool.objects.get(item__code="FM", stage="").value == Decimal("73.33333")
    assert documents.check_invariants().differences == []
