"""Pages for what goes back, is written off, adjusted, rushed and left as it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Role
from activity.models import Alert
from inventory.models import Balance
from receipts import services as receipts
from receipts.models import Receipt, Return, ReturnStatus
from shipments import services as shipments
from shipments.models import ShipmentStatus
from shipments.services import ToPick
from subcontract_orders.models import OrderLine, OrderStatus
from tests.receipts.test_counting import shims_between_two_vendors
from tests.workbench import goods, rows
from tests.workbench.test_goods_pages import text_of

RAW = "10482-RAW"


def with_surplus(**fields: object):
    """An order of a hundred whose vendor has a hundred and ten."""
    order = goods.sent_order(stock=200, **fields)
    OrderLine.objects.update(over_send_pct=20)
    shipment = goods.shipment_of(order)
    line = shipment.lines.get()
    load = [ToPick(line.item_id, Decimal(110), order_line_id=line.order_line_id)]
    shipments.ship(order_ids=[order.pk], lines=load, by=goods.root(), at=rows.AT)
    goods.arrive(goods.shipment_of(order))
    return order


def lying(place: str = "AT-V1") -> Decimal:
    return sum(Balance.objects.filter(location__code=place, item__code=RAW).values_list("quantity", flat=True))


# Returns


def test_what_is_not_needed_is_offered_and_some_of_it_brought_back(desk):
    order = with_surplus()
    assert "10</b>" in text_of(desk, "/balances/of/V1/return/")

    answer = desk.post("/balances/of/V1/return/", {"quantity-0": "4", "reason": "too much sent"})

    document = Return.objects.get()
    assert answer.url == f"/returns/{document.number}/"
    assert (document.status, document.reason, lying()) == (ReturnStatus.POSTED, "too much sent", 106)
    shown = text_of(desk, f"/returns/{document.number}/")
    assert order.number in shown
    assert "Arrived" in shown
    assert document.number in text_of(desk, "/returns/", tab="done", q=RAW)
    assert document.number in text_of(desk, "/returns/", tab="all", q=order.number.lower())


def test_more_than_is_not_needed_stands_beside_its_row_with_what_is_possible(desk):
    with_surplus()

    page = desk.post("/balances/of/V1/return/", {"quantity-0": "11"})

    assert page.status_code == 422
    assert "10 lie there unneeded" in page.content.decode()
    assert not Return.objects.exists()


def test_nothing_typed_and_what_is_no_number_are_said(desk):
    with_surplus()

    nothing = desk.post("/balances/of/V1/return/", {"quantity-0": ""})
    rubbish = desk.post("/balances/of/V1/return/", {"quantity-0": "1,000"})

    assert "at least one part" in nothing.content.decode()
    assert "can be read in two ways" in rubbish.content.decode()
    assert not Return.objects.exists()


def test_where_all_is_needed_the_page_says_so(desk):
    goods.shipped_order()

    assert "Nothing there is unneeded" in text_of(desk, "/balances/of/V1/return/")


def test_a_draft_leaves_arrives_and_is_reversed(desk):
    order = with_surplus()
    OrderLine.objects.update(transit_back_days=3)
    goods.receipt_of(order, accepted=100)
    desk.post(f"/orders/{order.number}/close/", {"leftovers": "return"})
    number = Return.objects.get().number
    assert number in text_of(desk, "/returns/")

    desk.post(f"/returns/{number}/dispatch/")

    assert number in text_of(desk, "/returns/", tab="away")
    assert "is on its way" in text_of(desk, "/balances/of/V1/", all="1")
    desk.post(f"/returns/{number}/receive/")
    assert (Return.objects.get().status, lying()) == (ReturnStatus.POSTED, 0)
    desk.post(f"/returns/{number}/reverse/")
    assert (Return.objects.get().status, lying()) == (ReturnStatus.REVERSED, 10)
    assert desk.post(f"/returns/{number}/burn/").status_code == 400


def test_pieces_are_sent_back_from_their_receipt(desk):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order, accepted=40)
    page = f"/receipts/{receipt.number}/lines/1/send-back/"
    assert page in text_of(desk, f"/receipts/{receipt.number}/")

    refused = desk.post(page, {"quantity": "41", "reason": "pitted"})
    assert refused.status_code == 422
    assert "40 that still can" in refused.content.decode()
    desk.post(page, {"quantity": "15", "reason": "pitted"})

    document = Return.objects.get()
    assert (document.kind, document.reason) == ("product", "pitted")
    assert "25</b>" in text_of(desk, page)
    assert receipt.number in text_of(desk, f"/returns/{document.number}/")


# Writing off and adjusting


def test_material_is_written_off_from_its_row_of_the_balance(desk):
    goods.shipped_order(lot="L-1")
    page = f"/balances/of/V1/write-off/?item={RAW}&lot=L-1&place=AT-V1"
    assert page.replace("&", "&amp;") in text_of(desk, "/balances/of/V1/")
    assert "100</b>" in text_of(desk, page)

    desk.post("/balances/of/V1/write-off/", {"item": RAW, "of": "L-1@AT-V1", "quantity": "7", "reason": "Burnt"})

    assert lying() == 93


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"quantity": "101", "reason": "Burnt"}, "100 of 10482-RAW lie"),
        ({"quantity": "", "reason": "Burnt"}, "Write how much is lost."),
        ({"quantity": "3", "reason": " "}, "Say why."),
    ],
)
def test_a_write_off_that_cannot_be_says_why_and_writes_nothing(desk, typed, said):
    goods.shipped_order()

    page = desk.post("/balances/of/V1/write-off/", {"item": RAW, "of": "@AT-V1", **typed})

    assert page.status_code == 422
    assert said in page.content.decode()
    assert lying() == 100


def test_pieces_between_two_operations_are_counted_and_written_off_by_their_stage(desk):
    shims_between_two_vendors()
    count = "/dock/count/?vendor=CUTTER&item=SHIM&stage=P1/10"
    assert count.replace("&", "&amp;").replace("P1/10", "P1%2F10") in text_of(desk, "/dock/count/?vendor=CUTTER")
    assert ">250</b>" in text_of(desk, count)
    assert "pieces after P1/10" in text_of(desk, count)
    assert "stage=P1%2F10" in text_of(desk, "/balances/of/CUTTER/")

    counted = {"vendor": "CUTTER", "item": "SHIM", "stage": "P1/10", "counted": "248", "reason": "Counted on a visit"}
    desk.post("/dock/count/", counted)
    lost = {"item": "SHIM", "of": "@AT-CUTTER@P1/10", "quantity": "8", "reason": "Burnt"}
    desk.post("/balances/of/CUTTER/write-off/", lost)

    there = Balance.objects.filter(location__code="AT-CUTTER", item__code="SHIM", quantity__gt=0)
    assert list(there.values_list("stage", "quantity")) == [("P1/10", 240)]


def test_what_was_used_is_adjusted_per_lot(desk):
    order = goods.shipped_order(lot="L-1")
    receipt = goods.receipt_of(order, accepted=40)
    page = f"/receipts/{receipt.number}/lines/1/consumption/"
    shown = text_of(desk, page)
    assert "40 pcs booked as used, 60 pcs of the order lie there" in shown
    assert '<option value="L-1">' in shown

    desk.post(page, {"item": RAW, "way": "more", "quantity": "5", "lot": "L-1", "reason": "scrap of ours"})
    assert lying() == 55
    desk.post(page, {"item": RAW, "way": "less", "quantity": "2"})
    assert lying() == 57

    refused = desk.post(page, {"item": RAW, "way": "more", "quantity": "70"})
    assert refused.status_code == 422
    assert "57" in refused.content.decode()
    assert "Choose a component" in desk.post(page, {"item": "X", "quantity": "1"}).content.decode()
    assert lying() == 57


# Counts as of their time


def test_a_count_is_set_against_the_book_as_it_was_then(desk):
    order = goods.shipped_order()
    goods.receipt_of(order, accepted=40)
    page = "/dock/count/"
    said = {"vendor": "V1", "item": RAW, "counted": "58", "reason": "monthly"}

    future = desk.post(page, {**said, "as_of": "2030-01-01T08:00"})
    assert future.status_code == 422
    assert "cannot lie in the future" in future.content.decode()
    assert "Write a day and a time." in desk.post(page, {**said, "as_of": "yesterday"}).content.decode()
    assert lying() == 60

    desk.post(page, {**said, "as_of": f"{rows.AT:%Y-%m-%dT%H:%M}"})
    assert lying() == 58


# Rush


def test_rush_approves_sends_and_ships_in_one_act(desk):
    goods.put(200)
    order = rows.order()
    assert f"/orders/{order.number}/rush/" in text_of(desk, f"/orders/{order.number}/")

    answer = desk.post(f"/orders/{order.number}/rush/", {"version": order.version})

    order.refresh_from_db()
    shipment = goods.shipment_of(order)
    assert (order.status, shipment.dispatched_at is not None) == (OrderStatus.SENT, True)
    assert answer.url == f"/shipments/{shipment.number}/?left=1"
    assert "delivery-note.pdf" in text_of(desk, answer.url)


def test_rush_without_the_material_does_nothing_and_says_what_lies_there(desk):
    goods.put(30)
    order = rows.order()

    page = desk.post(f"/orders/{order.number}/rush/", follow=True)

    order.refresh_from_db()
    assert order.status == OrderStatus.DRAFT
    assert "Only 30 of 10482-RAW" in page.content.decode()
    assert goods.shipment_of(order).status == ShipmentStatus.PLANNED


def test_rush_is_for_those_who_may_do_each_step(client):
    order = rows.order()
    client.force_login(rows.user("limited", Role.BUYER, limit=Decimal(1)))

    assert f"/orders/{order.number}/rush/" not in text_of(client, f"/orders/{order.number}/")
    client.post(f"/orders/{order.number}/rush/")
    order.refresh_from_db()
    assert order.status == OrderStatus.DRAFT
    client.force_login(rows.user("paul", Role.PLANNER))
    assert client.post(f"/orders/{order.number}/rush/").status_code == 403


# Alerts


def test_an_alert_about_bad_pieces_offers_both_ways_out(desk):
    order = goods.shipped_order()
    goods.receipt_of(order, accepted=40, rejected=Decimal(5))
    alert = Alert.objects.open().get(kind="short_receipt")
    page = text_of(desk, f"/orders/{order.number}/")
    assert "Order anew" in page
    assert f"/alerts/{alert.reference}/accept/" in page

    desk.post(f"/alerts/{alert.reference}/accept/", {"reason": ""})
    assert Alert.objects.open().filter(kind="short_receipt").exists()
    desk.post(f"/alerts/{alert.reference}/accept/", {"reason": "enough"})

    assert not Alert.objects.open().filter(kind="short_receipt").exists()
    assert OrderLine.objects.get().forgone == 5


# Rights and scope


def test_who_may_not_return_write_off_or_adjust_is_refused(client):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order)
    client.force_login(rows.user("anna", Role.AUDITOR))

    for address in (
        "/balances/of/V1/return/",
        f"/balances/of/V1/write-off/?item={RAW}",
        f"/receipts/{receipt.number}/lines/1/send-back/",
        f"/receipts/{receipt.number}/lines/1/consumption/",
    ):
        assert client.get(address).status_code == 403, address
    assert client.get("/returns/").status_code == 200
    assert "Write off" not in text_of(client, "/balances/of/V1/")


def test_the_dock_brings_back_but_does_not_write_off(client):
    with_surplus()
    client.force_login(rows.user("dirk", Role.DOCK))

    assert client.get("/balances/of/V1/return/").status_code == 200
    assert client.get(f"/balances/of/V1/write-off/?item={RAW}").status_code == 403


def test_returns_of_another_site_are_not_found(client):
    with_surplus()
    brought_back()
    document = Return.objects.get()
    client.force_login(rows.user("otto", Role.BUYER, at=rows.site("OTHER", "Other plant")))

    assert client.get(f"/returns/{document.number}/").status_code == 404
    assert client.post(f"/returns/{document.number}/reverse/").status_code == 404
    assert document.number not in text_of(client, "/returns/", tab="all")
    assert Receipt.objects.count() == 0


def brought_back() -> None:
    receipts.return_material(vendor_id=rows.vendor().pk, by=goods.root(), at=rows.AT)


def test_lists_cost_the_same_for_any_number_of_rows(desk, django_assert_max_num_queries):
    for _ in range(3):
        with_surplus()
        brought_back()

    with django_assert_max_num_queries(16):
        desk.get("/returns/?tab=done")
    with django_assert_max_num_queries(13):
        desk.get(f"/returns/{Return.objects.first().number}/")
