"""Shipments, receipts, vendor balances, lot traces and inspection: what they show, to whom, and what can be done there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
from inventory.models import Balance
from receipts.models import Receipt, ReceiptStatus
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders.models import OrderLine, OrderStatus
from tests.workbench import goods, rows


@pytest.fixture
def quality(client: Client) -> Client:
    client.force_login(rows.user("quentin", Role.QUALITY))
    return client


def text_of(client: Client, address: str, **query: str) -> str:
    page = client.get(address, query)
    assert page.status_code == 200, address
    return page.content.decode()


def inspected(order, **fields) -> Receipt:
    """A receipt of an order whose pieces are to be looked at."""
    OrderLine.objects.filter(order=order).update(inspection="all", **fields)
    return goods.receipt_of(order)


# Shipments


def test_a_shipment_says_what_is_missing_and_for_whom(desk):
    order = goods.sent_order(stock=30)
    shipment = goods.shipment_of(order)

    page = text_of(desk, f"/shipments/{shipment.number}/")

    assert "70 pcs of 10482-RAW are missing at Main plant, where 30 lie" in page
    assert "Short" in page
    assert f"/orders/{order.number}/" in page


def test_the_lists_part_what_can_leave_from_what_is_only_planned(desk):
    ready = goods.shipment_of(goods.sent_order())
    planned = goods.shipment_of(rows.order())

    assert ready.number in text_of(desk, "/shipments/")
    assert planned.number not in text_of(desk, "/shipments/")
    assert planned.number in text_of(desk, "/shipments/", tab="forecast")
    assert ready.number in text_of(desk, "/shipments/", tab="all", q="10482-RAW")
    assert ready.number not in text_of(desk, "/shipments/", tab="all", q="nothing like it")


def test_a_shipment_is_held_released_and_reversed(desk):
    shipment = goods.shipment_of(goods.shipped_order())

    page = desk.post(f"/shipments/{shipment.number}/reverse/", follow=True)

    shipment.refresh_from_db()
    assert shipment.status == ShipmentStatus.REVERSED
    assert "is taken back" in page.content.decode()


def test_what_was_taken_back_or_given_up_waits_to_leave_again(desk):
    shipment = goods.shipment_of(goods.shipped_order())

    desk.post(f"/shipments/{shipment.number}/reverse/")

    planned = Shipment.objects.planned().get()
    assert planned.lines.get().quantity == 100
    assert planned.number in text_of(desk, "/dock/dispatch/")
    desk.post(f"/shipments/{planned.number}/cancel/")
    assert Shipment.objects.planned().exclude(pk=planned.pk).get().lines.get().quantity == 100


def test_a_dispatch_says_what_stays(desk):
    order = goods.sent_order()
    first = goods.shipment_of(order)
    apart = [shipments.ToPick(first.lines.get().item_id, Decimal(15))]
    second = shipments.split(shipment_id=first.pk, lines=apart, by=goods.root(), at=rows.AT)
    shipments.hold(shipment_id=second.pk, reason="damp", by=goods.root(), at=rows.AT)

    page = desk.post(f"/shipments/{first.number}/dispatch/", follow=True).content.decode()

    assert f"{second.number} is held: damp." in page


def test_a_refused_act_becomes_a_message(desk):
    order = goods.shipped_order()
    goods.receipt_of(order)
    shipment = goods.shipment_of(order)

    page = desk.post(f"/shipments/{shipment.number}/reverse/", follow=True)

    assert "Only 60 of 10482-RAW still lie" in page.content.decode()
    shipment.refresh_from_db()
    assert shipment.status == ShipmentStatus.DELIVERED


def test_only_acts_there_are_can_be_done(desk):
    shipment = goods.shipment_of(goods.sent_order())

    assert desk.post(f"/shipments/{shipment.number}/explode/").status_code == 400


@pytest.mark.papers
def test_the_delivery_note_is_a_pdf_whose_code_opens_the_dock(desk):
    shipment = goods.shipment_of(goods.sent_order())

    page = desk.get(f"/shipments/{shipment.number}/delivery-note.pdf")

    assert page["Content-Type"] == "application/pdf"
    assert page.content.startswith(b"%PDF")


# Receipts


def test_a_receipt_shows_what_came_what_was_used_and_its_worth(desk):
    receipt = goods.receipt_of(goods.shipped_order(), rejected=Decimal(2))

    page = text_of(desk, f"/receipts/{receipt.number}/")

    assert "40 pcs" in page
    assert "42 pcs" in page  # used up
    assert "126.00" in page  # 42 at 3.00
    assert "310.80" in page  # 42 of 100 for 740.00


def test_the_dock_sees_no_money(client):
    receipt = goods.receipt_of(goods.shipped_order())
    client.force_login(rows.user("dirk", Role.DOCK))

    page = text_of(client, f"/receipts/{receipt.number}/")

    assert "What it is worth" not in page
    assert "126.00" not in page
    assert "120.00" not in page


def test_a_receipt_is_reversed_and_its_note_is_free_again(desk):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order)

    page = desk.post(f"/receipts/{receipt.number}/reverse/", follow=True)

    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.REVERSED
    assert "may be counted again" in page.content.decode()
    assert receipt.number in text_of(desk, "/receipts/", tab="reversed")


def test_a_count_is_corrected(desk):
    receipt = goods.receipt_of(goods.shipped_order())

    page = desk.post(
        f"/receipts/{receipt.number}/lines/1/correct/",
        {"accepted": "38", "rejected": "0", "scrapped": "2", "reason": "Counted anew"},
    )

    assert page.status_code == 302
    line = receipt.lines.get()
    assert (line.accepted, line.scrapped) == (38, 2)


def test_a_correction_that_cannot_be_is_refused_with_the_number_possible(desk):
    receipt = goods.receipt_of(goods.shipped_order())

    page = desk.post(f"/receipts/{receipt.number}/lines/1/correct/", {"accepted": "140", "reason": "Counted anew"})

    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert receipt.lines.get().accepted == 40


def test_goods_the_books_refuse_are_put_apart_and_counted_in_later(desk):
    order = goods.shipped_order()
    line = goods.line_of(order)
    typed = {"vendor": "V1", "note": "LS-9", f"accepted-{line.pk}": "120"}
    refused = desk.post("/dock/receive/", typed)
    assert "Put into quarantine" in refused.content.decode()

    page = desk.post("/dock/receive/", typed | {"quarantine": "1"}, follow=True)

    receipt = Receipt.objects.get()
    assert receipt.status == ReceiptStatus.QUARANTINED
    assert "The books refused it" in page.content.decode()
    assert receipt.number in text_of(desk, "/receipts/", tab="quarantine")
    desk.post(f"/receipts/{receipt.number}/refuse/")
    receipt.refresh_from_db()
    assert receipt.status == ReceiptStatus.REVERSED


# Inspection


def test_good_pieces_are_passed(quality):
    receipt = inspected(goods.shipped_order())
    assert "40 pcs" in text_of(quality, "/dock/inspect/")

    page = quality.post(f"/dock/inspect/{receipt.number}/", {"line": "1", "act": "inspect", "accepted": "40"})

    assert page.status_code == 302
    assert receipt.lines.get().held == 0
    assert Balance.objects.get(location__code="MAIN", item__code="10482-B").quantity == 40


def test_rejected_pieces_need_a_disposition(quality):
    receipt = inspected(goods.shipped_order())

    page = quality.post(f"/dock/inspect/{receipt.number}/", {"line": "1", "accepted": "38", "rejected": "2"})

    assert page.status_code == 422
    text = page.content.decode()
    assert "Say what becomes of the rejected pieces." in text
    assert 'name="disposition" aria-invalid="true"' in text
    assert receipt.lines.get().held == 40


def test_more_than_waits_is_refused_with_the_number_possible(quality):
    receipt = inspected(goods.shipped_order())

    page = quality.post(f"/dock/inspect/{receipt.number}/", {"line": "1", "accepted": "41"})

    assert "40 pieces wait to be inspected" in page.content.decode()


def test_papers_come_later_or_are_waived(quality):
    first = inspected(goods.shipped_order(), certificates=["3.1"])
    quality.post(f"/dock/inspect/{first.number}/", {"line": "1", "act": "certify", "certificate": ["3.1"]})
    assert first.lines.get().held_for == ["inspection"]

    refused = quality.post(f"/dock/inspect/{first.number}/", {"line": "1", "act": "waive", "waive_reason": ""})
    assert "Say why it may pass." in refused.content.decode()
    quality.post(f"/dock/inspect/{first.number}/", {"line": "1", "act": "waive", "waive_reason": "Known vendor"})

    assert first.lines.get().held == 0


def test_the_dock_sees_what_waits_and_decides_nothing(client):
    receipt = inspected(goods.shipped_order())
    client.force_login(rows.user("dirk", Role.DOCK))

    assert "Quality decides" in text_of(client, "/dock/inspect/")
    assert client.get(f"/dock/inspect/{receipt.number}/").status_code == 403
    assert client.post(f"/dock/inspect/{receipt.number}/", {"line": "1", "accepted": "40"}).status_code == 403


# Vendor balances


def test_a_balance_adds_up(desk):
    goods.receipt_of(goods.shipped_order(), rejected=Decimal(2))

    page = text_of(desk, "/balances/of/V1/")

    assert "58 pcs" in page  # closing: 100 sent, 42 used
    assert "174.00" in page  # at 3.00


def test_the_list_of_balances_says_what_lies_where(desk):
    goods.shipped_order()

    page = text_of(desk, "/balances/")

    assert "300.00" in page
    assert "/balances/of/V1/" in page


def test_what_is_not_needed_comes_home(desk):
    order = goods.shipped_order()
    desk.post(f"/orders/{order.number}/close/", {"leftovers": "keep", "version": str(order.version)})
    order.refresh_from_db()
    assert order.status == OrderStatus.CLOSED

    page = desk.post("/balances/of/V1/bring-back/", follow=True)

    assert "is back" in page.content.decode()
    assert Balance.objects.get(location__code="MAIN", item__code="10482-RAW").quantity == 100


def test_a_drafted_return_is_received(desk):
    order = goods.shipped_order()
    desk.post(f"/orders/{order.number}/close/", {"leftovers": "return"})
    page = text_of(desk, "/balances/of/V1/")
    assert "is to come back" in page
    number = page.split("</a> is to come back")[0].rpartition(">")[2]

    desk.post(f"/returns/{number}/receive/")

    assert Balance.objects.get(location__code="MAIN", item__code="10482-RAW").quantity == 100


def test_bringing_back_nothing_is_refused_in_words(desk):
    goods.shipped_order()

    page = desk.post("/balances/of/V1/bring-back/", follow=True)

    assert "Nothing of ours lies there that is not needed" in page.content.decode()


# Traces


def test_a_lot_is_followed_to_what_was_made_of_it(desk):
    order = goods.shipped_order(lot="L-7")
    receipt = goods.receipt_of(order)

    page = text_of(desk, "/trace/", lot="L-7")

    assert receipt.number in page
    assert "40 10482-B" in page
    assert "At Alpen Eloxal" in page


def test_a_lot_nobody_knows_is_said(desk):
    page = desk.get("/trace/", {"lot": "nope"})

    assert page.status_code == 404
    assert "There is no lot nope" in page.content.decode()


# The order's page


def test_an_order_shows_where_its_pieces_are(desk):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order, rejected=Decimal(2))

    page = text_of(desk, f"/orders/{order.number}/")

    assert "40 of 100 pcs received, 2 scrapped, 58 at the vendor" in page
    assert receipt.number in page
    assert f"/dock/receive/?order={order.number}" in page


def test_an_order_is_closed_and_reopened(desk):
    order = goods.shipped_order()

    desk.post(f"/orders/{order.number}/close/", {"leftovers": "keep"})
    order.refresh_from_db()
    assert order.status == OrderStatus.CLOSED

    desk.post(f"/orders/{order.number}/reopen/")
    order.refresh_from_db()
    assert order.status in (OrderStatus.SENT, OrderStatus.ACKNOWLEDGED)


def test_a_leftover_nobody_offers_is_no_choice(desk):
    order = goods.shipped_order()

    assert desk.post(f"/orders/{order.number}/close/", {"leftovers": "burn"}).status_code == 400


# Rights, scope, numbers of queries

PAGES = ["/shipments/", "/receipts/", "/balances/", "/trace/", "/balances/of/V1/"]


@pytest.mark.parametrize("page", PAGES)
def test_who_is_not_signed_in_is_sent_to_sign_in(client, page):
    assert client.get(page).url.startswith("/sign-in/")


@pytest.mark.parametrize("page", PAGES)
def test_a_vendors_user_is_refused(client, page):
    goods.shipped_order()
    made = rows.user("vera", Role.DOCK)
    made.access.all().delete()
    made.access.create(role=Role.VENDOR, vendor=rows.vendor())
    client.force_login(made)

    assert client.get(page).status_code == 403


def test_an_auditor_reads_all_and_changes_nothing(client):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order)
    client.force_login(rows.user("anna", Role.AUDITOR))

    assert "Reverse" not in text_of(client, f"/receipts/{receipt.number}/")
    for address in (
        f"/receipts/{receipt.number}/reverse/",
        f"/shipments/{goods.shipment_of(order).number}/reverse/",
        f"/orders/{order.number}/close/",
        f"/orders/{order.number}/reopen/",
        "/balances/of/V1/bring-back/",
        f"/receipts/{receipt.number}/lines/1/correct/",
    ):
        assert client.post(address).status_code == 403, address


def test_nothing_of_another_site_is_found(client):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order)
    client.force_login(rows.user("otto", Role.BUYER, at=rows.site("OTHER", "Other plant")))

    for address in (f"/receipts/{receipt.number}/", f"/shipments/{goods.shipment_of(order).number}/"):
        assert client.get(address).status_code == 404, address
        assert client.post(f"{address}reverse/").status_code == 404, address
    assert receipt.number not in text_of(client, "/receipts/")


def test_goods_pages_cost_the_same_for_any_number_of_rows(desk, django_assert_max_num_queries):
    one = goods.shipped_order(lines=1, lot="L-1")
    receipt = goods.receipt_of(one)
    for _ in range(3):
        goods.receipt_of(goods.shipped_order(lines=4, stock=400), note=f"N{Receipt.objects.count()}")
    pages = {
        "/shipments/": 20,
        "/shipments/?tab=there": 20,
        f"/shipments/{goods.shipment_of(one).number}/": 13,
        "/receipts/": 18,
        f"/receipts/{receipt.number}/": 14,
        "/balances/": 13,
        "/balances/of/V1/": 18,
        "/trace/?lot=L-1": 25,
        f"/orders/{one.number}/": 25,
    }

    for address, queries in pages.items():
        with django_assert_max_num_queries(queries):
            assert desk.get(address).status_code == 200, address


def test_the_palette_finds_shipments_and_receipts(desk):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order, note="LS-808")

    assert f"/receipts/{receipt.number}/" in text_of(desk, "/jump/", q="ls-808")
    number = goods.shipment_of(order).number
    assert f"/shipments/{number}/" in text_of(desk, "/jump/", q=number.lower())


def test_words_are_found_within_words_whatever_they_name(desk):
    order = goods.shipped_order()
    receipt = goods.receipt_of(order, note="LS-808")

    for words in ("808", receipt.number.lower(), order.number, "pump hous", "10482-b"):
        assert receipt.number in text_of(desk, "/receipts/", q=words), words
    for words in (order.number, "housing, mach", goods.shipment_of(order).number.lower()):
        assert goods.shipment_of(order).number in text_of(desk, "/shipments/", tab="all", q=words), words
    assert receipt.number not in text_of(desk, "/receipts/", q="808 nothing")


def test_one_row_is_called_one_row(desk):
    order = goods.shipped_order()

    page = desk.get(f"/shipments/{goods.shipment_of(order).number}/").content.decode()

    assert ">1 row<" in page
