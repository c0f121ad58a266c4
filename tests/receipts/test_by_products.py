"""What comes out of the work beside the pieces: into stock at its value, and the pieces cost so much less."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.refusals import InvalidQuantity, NotFound, TooPrecise
from inventory.models import Movement
from inventory.services import NotEnoughStock
from masterdata.models import Item
from production.models import Operation
from production.services import report_operation
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine
from receipts.services import CameBeside, LotRequired, order_costs
from receipts.services.beside import booked_by_component
from reports.services import order_cost
from subcontract_orders.models import OrderLine
from subcontract_orders.printing import order_paper
from subcontract_orders.services import vendor_link
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts.goods import LATER, at_vendor, component, counted, lying, move_on, receive, reverse, ship, worth


def chips(**values: Any) -> dict[str, Any]:
    """A by-product in the bill of FG: two for each piece."""
    return {"parent": "FG", "component": "CHIPS", "quantity": 2, "operation_no": "10", "supply": "by_product", **values}


@played
def sent(
    *, quantity: int = 10, bom: dict[str, Any] | None = None, item: dict[str, Any] | None = None, **rules: Any
) -> OrderLine:
    """An order for `quantity` FG at V1, each of one RM worth 100 and work 100, giving two CHIPS worth 5 each."""
    plans.base(
        items=[{"code": "CHIPS", "kind": "raw", "standard_cost": 5, **(item or {})}],
        boms=[bom or chips()],
    )
    return at_vendor(quantity=quantity, **rules)


def beside(*came: tuple[Any, ...]) -> tuple[CameBeside, ...]:
    key = Item.objects.get(code="CHIPS").pk
    return tuple(CameBeside(key, Decimal(str(quantity)), *lot) for quantity, *lot in came)


def correct(receipt: Receipt, accepted: int, **more: Any) -> ReceiptLine:
    said = {"line_no": 1, "reason": "counted again", "by": plans.boss(), "at": moment(LATER), **more}
    receipts.correct_receipt(receipt_id=receipt.pk, accepted=Decimal(accepted), **said)
    return receipt.lines.get()


def adjust(receipt: Receipt, quantity: int, *, lot: str = "") -> ReceiptLine:
    receipts.adjust_consumption(
        receipt_id=receipt.pk, line_no=1, item_id=Item.objects.get(code="CHIPS").pk, quantity=Decimal(quantity), lot=lot,
        by=plans.boss(), at=moment(LATER),
    )  # fmt: skip
    return receipt.lines.get()


def test_by_products_come_into_stock_and_make_the_pieces_cheaper():
    line = sent()

    receipt = receive(counted(line, 10))

    row = receipt.lines.get()
    assert (lying("MAIN", "CHIPS"), worth("CHIPS")) == (20, 100)
    assert worth("FG") == 10 * (100 + 100) - 100
    assert (row.components_value, row.work_value, row.by_products_value, row.good_value) == (1000, 1000, 100, 1900)
    assert [(one.item.code, one.quantity, one.value) for one in row.by_products.all()] == [("CHIPS", 20, 100)]


def test_the_vendor_is_sent_no_by_product_and_owes_none():
    line = sent()

    part = component(line, "CHIPS")

    assert (part.supply, part.required, part.ship_from, part.sent, part.at_vendor) == ("by_product", 20, None, 0, 0)
    assert plans.order(1).material == "complete"


@pytest.mark.parametrize(
    "written", [{"quantity": -2}, {"by_product": "yes", "supply": ""}], ids=["below zero", "marked"]
)
def test_a_bill_may_say_a_by_product_as_others_do(written):
    line = sent(bom=chips(**written))

    receive(counted(line, 10))

    assert (lying("MAIN", "CHIPS"), worth("FG")) == (20, 1900)


def test_the_paper_lists_by_products_apart_as_coming_back_with_the_goods(monkeypatch: pytest.MonkeyPatch):
    line = sent()
    drawn: dict[str, Any] = {}
    monkeypatch.setattr("subcontract_orders.printing.as_pdf", lambda template, context: drawn.update(context) or b"")

    order_paper(order_id=line.order_id)

    assert [(part.item.code, part.quantity, part.way) for part in drawn["components"]] == [("RM", "10", "we send it")]
    assert [(part.item.code, part.quantity, part.way, part.leaves) for part in drawn["beside"]] == [
        ("CHIPS", "20", "comes back with the goods", None)
    ]


def test_an_order_with_a_by_product_is_printed():
    assert order_paper(order_id=sent().order_id)[:5] == b"%PDF-"


def test_the_vendors_page_says_that_a_by_product_comes_back():
    line = sent()

    link = vendor_link(order=line.order, at=timezone.now()).removeprefix("http://localhost:8000")
    page = Client().get(link).content.decode()

    assert re.findall(r"<li>20 × CHIPS.*?</li>", page) == [
        '<li>20 × CHIPS <span class="sc-mute">comes back with the goods</span></li>'
    ]


def test_rejected_and_scrapped_pieces_gave_their_by_products_too():
    line = sent()

    receipt = receive(counted(line, 6, rejected=3, scrapped=1))

    row = receipt.lines.get()
    assert lying("MAIN", "CHIPS") == 20
    assert (row.good_value, row.expensed_value) == (1140, 760)


def test_by_products_are_rounded_over_all_pieces():
    line = sent(bom=chips(quantity="0.5"))

    for number in range(4):
        receive(counted(line, 1), note=f"DN-{number}")

    assert lying("MAIN", "CHIPS") == 2


def test_by_products_of_the_whole_order_come_with_the_first_receipt():
    line = sent(bom=chips(quantity=7, quantity_basis="per_order"))

    receive(counted(line, 4))
    receive(counted(line, 6), note="DN-2")

    assert lying("MAIN", "CHIPS") == 7


def test_what_was_counted_takes_the_place_of_the_bill():
    line = sent()

    receive(counted(line, 5, by_products=beside((3,))))
    receive(counted(line, 5, by_products=()), note="DN-2")

    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG")) == (3, 15, 1985)


def test_the_same_note_with_other_by_products_is_another_note():
    line = sent()
    first = receive(counted(line, 5, by_products=beside((3,))))

    assert receive(counted(line, 5, by_products=beside((3,)))) == first
    with pytest.raises(receipts.DuplicateNote):
        receive(counted(line, 5, by_products=beside((4,))))


def test_without_a_standard_cost_a_by_product_is_worth_what_ours_costs():
    line = sent(item={"standard_cost": ""})
    plans.load({"stock": [{"item": "CHIPS", "location": "MAIN", "quantity": 10, "cost": 3}]})

    receive(counted(line, 10))

    assert (worth("CHIPS"), worth("FG")) == (90, 1940)


def test_by_products_worth_more_than_the_work_leave_the_pieces_worth_nothing():
    line = sent(item={"standard_cost": 1000})

    receive(counted(line, 10))

    assert (worth("CHIPS"), worth("FG")) == (2000, 0)


def test_tracked_by_products_come_in_the_lot_named_or_in_that_of_the_pieces():
    line = sent(item={"lot_tracked": "yes"})
    key = Item.objects.filter(code="FG")
    key.update(lot_tracked=True)

    receive(counted(line, 4, lot="A"))
    receive(counted(line, 6, lot="B", by_products=beside((5, "C"), (7, "D"))), note="DN-2")

    assert [lying("MAIN", "CHIPS", lot=lot) for lot in "ABCD"] == [8, 0, 5, 7]


@pytest.mark.parametrize(
    ("came", "refusal"),
    [((-1,), InvalidQuantity), (("0.5",), TooPrecise)],
)
def test_what_cannot_have_come_is_refused_and_nothing_is_written(came, refusal):
    line = sent()

    with pytest.raises(refusal):
        receive(counted(line, 10, by_products=beside(came)))

    assert not Receipt.objects.exists()
    assert (lying("MAIN", "CHIPS"), lying("AT-V1", "RM")) == (0, 10)


def test_only_by_products_of_the_bill_are_counted():
    line = sent()
    stranger = (CameBeside(Item.objects.get(code="RM").pk, Decimal(1)),)

    with pytest.raises(NotFound):
        receive(counted(line, 10, by_products=stranger))

    assert not Receipt.objects.exists()


def test_a_tracked_by_product_needs_a_lot():
    line = sent(item={"lot_tracked": "yes"})

    with pytest.raises(LotRequired):
        receive(counted(line, 10))

    assert not Receipt.objects.exists()


def test_reversing_takes_by_products_back():
    line = sent()
    receipt = receive(counted(line, 10))

    reverse(receipt)

    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG"), lying("AT-V1", "RM")) == (0, 0, 0, 10)


def test_a_receipt_whose_by_products_moved_on_is_not_reversed():
    line = sent()
    receipt = receive(counted(line, 10))
    move_on("CHIPS", 1)
    before = Movement.objects.count()

    with pytest.raises(NotEnoughStock):
        reverse(receipt)

    assert Movement.objects.count() == before


def test_correcting_brings_by_products_along():
    line = sent()
    receipt = receive(counted(line, 6))

    row = correct(receipt, 8)

    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG")) == (16, 80, 1520)
    assert (row.by_products_value, row.good_value) == (80, 1520)

    row = correct(receipt, 5)

    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG")) == (10, 50, 950)
    assert list(booked_by_component(row).values()) == [10]


def test_more_or_fewer_by_products_are_said_later():
    line = sent()
    receipt = receive(counted(line, 10))

    row = adjust(receipt, 4)
    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG"), row.by_products_value) == (24, 120, 1880, 120)

    row = adjust(receipt, -14)
    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG"), row.by_products_value) == (10, 50, 1950, 50)


def test_fewer_by_products_than_came_are_refused():
    line = sent()
    receipt = receive(counted(line, 10))

    with pytest.raises(InvalidQuantity, match="20 did"):
        adjust(receipt, -21)

    assert lying("MAIN", "CHIPS") == 20


def test_by_products_are_taken_off_the_costs_of_the_order():
    line = sent()
    receive(counted(line, 10))
    order = line.production_order

    costs = order_costs([order])[order.pk]

    assert (costs.components, costs.work, costs.by_products, costs.actual) == (1000, 1000, 100, 1900)
    assert costs.expected == 1900


def test_an_operation_made_in_house_gives_its_by_products_too():
    plans.base(
        items=[{"code": "CHIPS", "kind": "raw", "standard_cost": 5}],
        routings=[{"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "WC-IN"}],
        boms=[chips()],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    operation = Operation.objects.get(production_order__number="P1")

    report_operation(operation_id=operation.pk, good=Decimal(10), by=plans.boss(), at=moment())

    order = operation.production_order
    assert (lying("MAIN", "CHIPS"), worth("CHIPS"), worth("FG")) == (20, 100, 900)
    assert order_costs([order])[order.pk].actual == 900


def test_what_comes_out_may_go_in_again():
    plans.base()
    goes_in = {"parent": "FG", "component": "RM", "quantity": 3, "operation_no": "10", "supply": "own"}
    plans.load({"boms": [goes_in, {**goes_in, "quantity": 1, "by_product": "yes"}]})
    plans.plan("P1", "FG", 10, "2026-04-30")
    plans.generate()
    plans.send(1)
    ship(1)

    receive(counted(plans.line(1), 10))

    assert (lying("MAIN", "RM"), lying("AT-V1", "RM")) == (980, 0)
    assert worth("FG") == 10 * (300 + 100 - 100)


def test_by_products_of_a_note_in_quarantine_come_when_it_is_released():
    line = sent(quantity=10)
    waiting = receipts.receive_or_quarantine(
        vendor_id=line.vendor_id, note="DN-1", lines=[counted(line, 11, by_products=beside((3,)))], by=plans.boss(),
        at=moment(LATER),
    )  # fmt: skip
    assert lying("MAIN", "CHIPS") == 0
    OrderLine.objects.filter(pk=line.pk).update(over_receipt_pct=10, shortage="warn")

    receipts.release_quarantine(receipt_id=waiting.pk, by=plans.boss(), at=moment(LATER))

    assert lying("MAIN", "CHIPS") == 3


def test_the_report_of_costs_takes_by_products_off_what_was_expected_and_what_it_cost():
    line = sent()
    receipt = receive(counted(line, 10))

    (row,) = order_cost(line.production_order).operations
    assert (row.expected_material, row.material, row.work, row.deviation) == (900, 900, 1000, 0)

    adjust(receipt, 4)

    (row,) = order_cost(line.production_order).operations
    assert (row.material, row.deviation, row.causes.quantity, row.causes.price) == (880, -20, -20, 0)


def test_the_report_of_costs_takes_off_by_products_of_work_in_house():
    plans.base(
        items=[{"code": "CHIPS", "kind": "raw", "standard_cost": 5}],
        routings=[{"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "WC-IN"}],
        boms=[chips()],
    )
    plans.plan("P1", "FG", 10, "2026-04-30")
    operation = Operation.objects.get(production_order__number="P1")

    report_operation(operation_id=operation.pk, good=Decimal(10), by=plans.boss(), at=moment())

    (row,) = order_cost(operation.production_order).operations
    assert (row.expected_material, row.material, row.deviation) == (900, 900, 0)


def test_pieces_a_plan_tells_of_are_worth_less_by_what_came_out_beside_them():
    plans.base(
        items=[{"code": "CHIPS", "kind": "raw", "standard_cost": 5}],
        routings=[
            {"item": "FG", "operation_no": 10, "name": "Milling", "work_center": "WC-IN"},
            {"item": "FG", "operation_no": 20, "name": "Plating", "work_center": "WC-IN"},
        ],
        boms=[chips()],
        production_orders=[{"number": "P1", "item": "FG", "quantity": 10, "due": "2026-04-15", "status": "released"}],
    )

    plans.load({"operations": [{"order": "P1", "number": "10", "good": 6, "status": "in_progress"}]})

    assert worth("FG") == 6 * (100 - 10)


def test_an_open_order_is_loaded_with_by_products_that_came_and_nothing_of_them_at_the_vendor():
    plans.base(
        items=[{"code": "CHIPS", "kind": "raw", "standard_cost": 5, "lot_tracked": "yes"}],
        boms=[chips()],
        production_orders=[{"number": "P1", "item": "FG", "quantity": 10, "due": "2026-04-15", "status": "released"}],
    )

    plans.load(
        {
            "open_orders": [
                {"order": "SC-00007", "line": 1, "vendor": "V1", "production_order": "P1", "operation": "10",
                 "quantity": 10, "unit_price": 80, "need_date": "2026-04-15", "sent": 6, "received": 4},
            ]
        }
    )  # fmt: skip

    line = OrderLine.objects.get()
    part, came = component(line, "CHIPS"), ReceiptLine.objects.get()
    assert (part.required, part.sent, part.consumed, part.at_vendor, lying("AT-V1", "CHIPS")) == (20, 0, 0, 0, 0)
    assert (came.components_value, came.work_value, came.by_products_value) == (400, 320, 40)
    assert (component(line, "RM").at_vendor, lying("AT-V1", "RM")) == (2, 2)


def test_the_order_page_says_how_much_came_and_the_page_of_a_line_adjusts_it(client: Client):
    line = sent()
    receipt = receive(counted(line, 10))
    client.force_login(plans.boss())

    page = client.get(f"/receipts/{receipt.number}/lines/1/consumption/").content.decode()
    assert "20 pcs booked as come beside the pieces" in page
    client.post(f"/receipts/{receipt.number}/lines/1/consumption/", {"item": "CHIPS", "way": "more", "quantity": "4"})

    page = client.get(f"/orders/{plans.order(1).number}/").content.decode()
    row = re.search(r"<tr><td><b class=\"sc-strong\">CHIPS.*?</tr>", page, re.S)
    assert row
    assert re.findall(r'data-label="(\w[\w ]*)">([^<]*)<', row[0]) == [
        ("Required", "20 pcs"), ("Sent", "–"), ("Used", "–"), ("Returned", "24"), ("At vendor", "–"),
    ]  # fmt: skip


# At the dock


def dock_note(client: Client, line: OrderLine, **typed: str) -> Any:
    client.force_login(plans.boss())
    said = {"vendor": "V1", "note": "DN-1"} | {name.replace("_", "-"): value for name, value in typed.items()}
    return client.post("/dock/receive/", said)


def test_the_dock_counts_by_products_or_leaves_them_to_the_bill(client: Client):
    line = sent()
    chips_field = f"beside-{line.pk}-{Item.objects.get(code='CHIPS').pk}"
    client.force_login(plans.boss())
    assert f'name="{chips_field}"' in client.get(f"/dock/receive/?order={line.order.number}").content.decode()

    dock_note(client, line, **{f"accepted-{line.pk}": "4", chips_field: ""})
    assert lying("MAIN", "CHIPS") == 8

    said = {"vendor": "V1", "note": "DN-2", f"accepted-{line.pk}": "6", chips_field: "7"}
    client.post("/dock/receive/", said)
    assert lying("MAIN", "CHIPS") == 15


def test_the_dock_keeps_what_was_typed_of_a_by_product_that_cannot_be(client: Client):
    line = sent(item={"lot_tracked": "yes"})
    chips_field = f"beside-{line.pk}-{Item.objects.get(code='CHIPS').pk}"

    unsaid = dock_note(client, line, **{f"accepted-{line.pk}": "4", f"{chips_field}-lot": "L-9"})
    no_lot = dock_note(client, line, **{f"accepted-{line.pk}": "4", chips_field: "7"})
    assert (unsaid.status_code, no_lot.status_code, Receipt.objects.count()) == (422, 422, 0)
    assert "Write how much of CHIPS came; 0 where none did." in unsaid.content.decode()
    assert 'value="L-9"' in unsaid.content.decode()
    assert "name the lot of what came out" in no_lot.content.decode()
    assert re.search(rf'name="{chips_field}"[^>]* value="7"', no_lot.content.decode())
    assert re.search(rf'name="{chips_field}-lot"[^>]* aria-invalid="true"', no_lot.content.decode())

    dock_note(client, line, **{f"accepted-{line.pk}": "4", chips_field: "7", f"{chips_field}-lot": "L-9"})
    assert lying("MAIN", "CHIPS", lot="L-9") == 7
