"""A lot is followed forward and back, through vendors."""

import pytest

from core.refusals import InvalidInput, NotFound
from inventory.models import Lot
from masterdata.models import Item
from receipts.services import find_lot, trace_lot
from tests.documents import plans
from tests.played import played
from tests.receipts import back, goods


@played
def two_lots_become_one() -> None:
    plans.base(
        items=[
            {"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"},
            {"code": "FG", "kind": "finished", "standard_cost": 0, "lot_tracked": "yes"},
        ],
        stock=[
            {"item": "RM", "location": "MAIN", "lot": "L1", "quantity": 6},
            {"item": "RM", "location": "MAIN", "lot": "L2", "quantity": 6},
        ],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    back.ship(1, 6, lot="L1")
    back.ship(1, 4, lot="L2")
    goods.receive(goods.counted(plans.line(1), 8, lot="F1"))


def test_a_made_lot_leads_back_to_what_was_used_for_it():
    two_lots_become_one()

    trace = trace_lot(lot=find_lot(code="F1"), viewer=plans.boss())

    assert [(step.used.lot, step.used_quantity, step.made.lot, step.vendor) for step in trace.back] == [
        ("L1", 6, "F1", "V1"),
        ("L2", 2, "F1", "V1"),
    ]
    assert trace.forward == []


def test_a_used_lot_leads_forward_to_what_was_made_and_the_papers_that_moved_it():
    two_lots_become_one()

    trace = trace_lot(lot=find_lot(code="L2", item="RM"), viewer=plans.boss())

    assert ("L2", "F1") in [(step.used.lot, step.made.lot) for step in trace.forward]
    assert [movement.document_kind for movement in trace.movements] == ["stock_load", "shipment", "receipt"]


def test_a_reversed_receipt_leaves_no_trace():
    two_lots_become_one()
    goods.reverse(goods.Receipt.objects.get())

    assert trace_lot(lot=find_lot(code="F1"), viewer=plans.boss()).back == []


def test_pieces_between_two_vendors_are_followed_through_both():
    chain = {
        "items": [{"code": "RM", "kind": "raw", "lot_tracked": "yes", "standard_cost": 5}, {"code": "FG", "lot_tracked": "yes"}],
        "vendors": [{"code": "V1", "currency": "EUR"}, {"code": "V2", "currency": "EUR"}],
        "routings": [
            {"item": "FG", "operation_no": 10, "name": "Turning", "work_center": "OUT"},
            {"item": "FG", "operation_no": 20, "name": "Plating", "work_center": "OUT"},
        ],
        "boms": [{"parent": "FG", "component": "RM", "quantity": 1, "operation_no": 10, "supply": "own"}],
        "prices": [
            {"vendor": vendor, "item": "FG", "operation_name": name, "currency": "EUR", "unit_price": 1, "lead_days": 2,
             "valid_from": "2026-01-01"}
            for vendor, name in (("V1", "Turning"), ("V2", "Plating"))
        ],
        "policies": [
            {"code": "A", "process": "Turning", "verdict": "outsource", "vendors": ["V1"]},
            {"code": "B", "process": "Plating", "verdict": "outsource", "vendors": ["V2"]},
        ],
        "stock": [{"item": "RM", "location": "MAIN", "lot": "L1", "quantity": 10}],
    }  # fmt: skip
    plans.load(chain, ground=True)
    plans.plan("P1", "FG", 10, "2026-05-29")
    plans.generate()
    plans.send(1)
    plans.send(2)
    back.ship(1)
    goods.receive(goods.counted(plans.line(1), 10))
    back.ship(2)
    goods.receive(goods.counted(plans.line(2), 10, lot="F1"), note="DN-2")

    steps = trace_lot(lot=find_lot(code="F1"), viewer=plans.boss()).back
    forward = trace_lot(lot=find_lot(code="L1"), viewer=plans.boss()).forward

    assert [(step.depth, step.used.stage, step.used.lot, step.vendor) for step in steps] == [
        (1, "P1/10", "", "V2"),
        (2, "", "L1", "V1"),
    ]
    assert [(step.depth, step.made.stage, step.made.lot) for step in forward] == [(1, "P1/10", ""), (2, "", "F1")]
    assert back.problems() == []


def test_a_lot_code_of_two_items_needs_the_item():
    plans.base()
    for code in ("RM", "FG"):
        Lot.objects.create(item=Item.objects.get(code=code), code="X")

    with pytest.raises(InvalidInput):
        find_lot(code="X")
    with pytest.raises(NotFound):
        find_lot(code="Y")
    assert find_lot(code="X", item="RM").item.code == "RM"
