"""The dock: what a scan opens, goods out and in by forms, refusals beside the field, nobody does what he may not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
from inventory.models import Balance
from receipts.models import Receipt
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from shipments.services import ToPick
from subcontract_orders.models import OrderLine
from tests.workbench import goods, rows
from workbench.forms import Unreadable, read_quantity, scanned


@pytest.fixture
def dock(client: Client) -> Client:
    client.force_login(rows.user("dirk", Role.DOCK))
    return client


def there(code: str, item: str = "10482-RAW") -> Decimal:
    found = Balance.objects.filter(location__code=code, item__code=item, stage="").values_list("quantity", flat=True)
    return sum(found, Decimal(0))


def away() -> Decimal:
    """What of the raw part has left home: on its way, or there."""
    found = Balance.objects.filter(item__code="10482-RAW").exclude(location__code="MAIN")
    return sum(found.values_list("quantity", flat=True), Decimal(0))


def note_of(line: OrderLine, *, note: str = "LS-1", **typed: str) -> dict[str, str]:
    return {"vendor": "V1", "note": note, "note_date": "2026-06-01"} | {
        f"{name}-{line.pk}": value for name, value in typed.items()
    }


# Who begins where


def test_a_dock_worker_begins_at_the_dock_and_sees_no_order(dock):
    assert dock.get("/").url == "/dock/"

    page = dock.get("/dock/")

    assert page.status_code == 200
    assert dock.get("/orders/").status_code == 403
    assert b"/orders/" not in page.content


def test_a_buyer_begins_at_the_work_list_and_reaches_the_dock(desk):
    page = desk.get("/")

    assert page.status_code == 200
    assert b"/dock/" in page.content


@pytest.mark.parametrize("role", [Role.PAYABLES, Role.AUDITOR, Role.PLANNER])
def test_who_does_nothing_at_the_dock_is_refused(client, role):
    client.force_login(rows.user("petra", role))

    for page in ("/dock/", "/dock/dispatch/", "/dock/receive/", "/dock/count/", "/dock/scan/?code=SH-1"):
        assert client.get(page).status_code == 403, page


def test_the_targets_count_what_waits(dock):
    goods.sent_order()
    goods.shipped_order()

    page = dock.get("/dock/").content.decode()

    assert "<b>1</b> to leave" in page
    assert "<b>2</b> lines expected" in page


# Scanning


@pytest.mark.no_database
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("SH-00012", "SH-00012"),
        (" SC-1 \n", "SC-1"),
        ("https://outwork.example/dock/scan/?code=SH-00012", "SH-00012"),
        ("https://outwork.example/shipments/SH-00012/", "SH-00012"),
        ("https://outwork.example/orders/SC%2F7/", "SC/7"),
        ("https://outwork.example", ""),
    ],
)
def test_a_scanned_code_is_read_out_of_its_address(typed, code):
    assert scanned(typed) == code


def test_a_scan_opens_what_is_to_be_done_next(dock):
    waiting, away = goods.sent_order(), goods.shipped_order()
    shipment = goods.shipment_of(waiting)

    def leads(code: str) -> str:
        return dock.get("/dock/scan/", {"code": code}).url

    assert leads(shipment.number) == f"/dock/dispatch/{shipment.number}/"
    assert leads(shipment.number.lower()) == f"/dock/dispatch/{shipment.number}/"
    assert leads(waiting.number) == f"/dock/dispatch/{shipment.number}/"
    assert leads(away.number) == f"/dock/receive/?order={away.number}"
    assert leads("V1") == "/dock/receive/?vendor=V1"
    assert leads(goods.shipment_of(away).number) == f"/shipments/{goods.shipment_of(away).number}/"


def test_a_scan_of_a_receipt_or_its_note_opens_the_receipt(dock):
    receipt = goods.receipt_of(goods.shipped_order(), note="LS-77")

    assert dock.get("/dock/scan/", {"code": receipt.number}).url == f"/receipts/{receipt.number}/"
    assert dock.get("/dock/scan/", {"code": "ls-77"}).url == f"/receipts/{receipt.number}/"


def test_a_scan_that_names_nothing_says_so(dock):
    page = dock.get("/dock/scan/", {"code": "XX-9"}, follow=True)

    assert "Nothing is called XX-9" in page.content.decode()


def test_a_scan_finds_nothing_of_another_site(client):
    rows.site("OTHER", "Other plant")
    order = goods.shipped_order()
    client.force_login(rows.user("otto", Role.DOCK, at=rows.site("OTHER")))

    page = client.get("/dock/scan/", {"code": order.number}, follow=True)

    assert "Nothing is called" in page.content.decode()


# Goods out


def test_one_act_picks_dispatches_and_offers_the_note(dock):
    order = goods.sent_order()
    shipment = goods.shipment_of(order)

    page = dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "100"}, follow=True)

    shipment.refresh_from_db()
    assert shipment.status == ShipmentStatus.DISPATCHED
    assert away() == 100
    assert f"/shipments/{shipment.number}/delivery-note.pdf" in page.content.decode()


def test_less_may_leave_and_the_rest_stays_planned(dock):
    order = goods.sent_order()
    shipment = goods.shipment_of(order)

    page = dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "60"}, follow=True)

    assert away() == 60
    rest = Shipment.objects.planned().get(lines__order_line__order=order)
    assert rest.lines.get().quantity == 40
    assert f"{rest.number} is planned." in page.content.decode()


def test_who_lets_a_part_leave_is_told_what_is_held_back_and_why(dock):
    order = goods.sent_order()
    shipment = goods.shipment_of(order)
    dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "60"})
    rest = Shipment.objects.planned().get(lines__order_line__order=order)
    shipments.split(
        shipment_id=rest.pk, lines=[ToPick(rest.lines.get().item_id, Decimal(15))], by=goods.root(), at=rows.AT
    )
    shipments.hold(shipment_id=rest.pk, reason="damp", by=goods.root(), at=rows.AT)
    last = Shipment.objects.planned().get(lines__order_line__order=order)

    page = dock.post(f"/dock/dispatch/{last.number}/", {"quantity-1": "15"}, follow=True)

    assert away() == 75
    assert f"{rest.number} is held: damp." in page.content.decode()


def test_what_lies_there_is_proposed_to_leave(dock):
    shipment = goods.shipment_of(goods.sent_order(stock=30))

    page = dock.get(f"/dock/dispatch/{shipment.number}/").content.decode()

    assert 'value="30"' in page
    assert "<b>100</b>" in page


def test_more_than_lies_there_is_refused_beside_its_field(dock):
    order = goods.sent_order(stock=30)
    shipment = goods.shipment_of(order)

    page = dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "100"})

    assert page.status_code == 422
    text = page.content.decode()
    assert "Only 30 of 10482-RAW lie free at MAIN" in text
    assert 'aria-describedby="wrong-1"' in text
    assert away() == 0


def test_what_cannot_be_read_is_said_beside_its_field(dock):
    shipment = goods.shipment_of(goods.sent_order())

    page = dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "many"})

    assert page.status_code == 422
    assert "many is not a quantity" in page.content.decode()


def test_a_lot_is_chosen(dock):
    goods.put(50, lot="A")
    order = goods.sent_order(stock=80, lot="B")
    shipment = goods.shipment_of(order)

    dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "70", "lot-1": "B"})

    line = Shipment.objects.get(pk=shipment.pk).lines.get()
    assert (line.lot.code, line.quantity) == ("B", 70)


def test_dispatching_twice_sends_once(dock):
    shipment = goods.shipment_of(goods.sent_order())
    dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "100"})

    again = dock.post(f"/dock/dispatch/{shipment.number}/", {"quantity-1": "100"}, follow=True)

    assert "has left already" in again.content.decode()
    assert away() == 100


# Goods in


def test_an_order_opens_with_what_is_expected(dock):
    order = goods.shipped_order()

    page = dock.get("/dock/receive/", {"order": order.number}).content.decode()

    assert f'name="accepted-{goods.line_of(order).pk}"' in page
    assert 'value="100"' in page


def test_a_note_is_counted_in(dock):
    order = goods.shipped_order()

    page = dock.post("/dock/receive/", note_of(goods.line_of(order), accepted="90", rejected="2"), follow=True)

    receipt = Receipt.objects.get()
    assert page.redirect_chain[-1][0] == f"/receipts/{receipt.number}/"
    line = receipt.lines.get()
    assert (line.accepted, line.rejected) == (90, 2)
    assert there("AT-V1") == 8


def test_the_same_form_posted_twice_counts_once(dock):
    line = goods.line_of(goods.shipped_order())

    for _ in range(2):
        assert dock.post("/dock/receive/", note_of(line, accepted="40")).status_code == 302

    assert Receipt.objects.count() == 1
    line.refresh_from_db()
    assert line.received == 40


def test_too_many_are_refused_with_the_number_possible_beside_the_field(dock):
    line = goods.line_of(goods.shipped_order())

    page = dock.post("/dock/receive/", note_of(line, accepted="101"))

    assert page.status_code == 422
    text = page.content.decode()
    assert "takes 100 more" in text
    assert f'aria-describedby="wrong-{line.pk}"' in text
    assert 'value="101"' in text
    assert not Receipt.objects.exists()


def test_a_refusal_stands_beside_its_own_line_of_several(dock):
    order = goods.shipped_order(lines=2, stock=200)
    first, second = order.lines.order_by("line_no")

    typed = note_of(first, accepted="10") | note_of(second, accepted="500")
    page = dock.post("/dock/receive/", typed).content.decode()

    assert f'id="wrong-{second.pk}"' in page
    assert f'id="wrong-{first.pk}"' not in page


def test_the_same_note_with_other_content_offers_a_supplement(dock):
    line = goods.line_of(goods.shipped_order())
    dock.post("/dock/receive/", note_of(line, accepted="40"))

    page = dock.post("/dock/receive/", note_of(line, accepted="41"))

    assert page.status_code == 422
    assert 'name="supplement"' in page.content.decode()
    assert dock.post("/dock/receive/", note_of(line, accepted="41") | {"supplement": "1"}).status_code == 302
    line.refresh_from_db()
    assert line.received == 81


def test_nothing_counted_is_said(dock):
    line = goods.line_of(goods.shipped_order())

    page = dock.post("/dock/receive/", note_of(line))

    assert page.status_code == 422
    assert "Nothing is counted yet" in page.content.decode()


def test_what_would_be_used_up_is_shown_and_nothing_is_written(dock):
    line = goods.line_of(goods.shipped_order())

    page = dock.post("/dock/receive/preview/", note_of(line, accepted="30", scrapped="3"))

    assert "33 pcs" in page.content.decode()
    assert not Receipt.objects.exists()
    assert there("AT-V1") == 100


def test_a_preview_says_what_would_be_refused(dock):
    line = goods.line_of(goods.shipped_order())

    page = dock.post("/dock/receive/preview/", note_of(line, accepted="300"))

    assert "takes 100 more" in page.content.decode()


def test_a_vendor_without_open_lines_expects_nothing(dock):
    rows.vendor("V9", "Idle")

    assert "Nothing more is expected" in dock.get("/dock/receive/", {"vendor": "V9"}).content.decode()


# Counting


def test_the_dock_of_one_site_counts_what_its_orders_have_at_a_vendor(client):
    goods.shipped_order()
    client.force_login(rows.user("dora", Role.DOCK, at=rows.site()))

    assert "Alpen Eloxal" in client.get("/dock/count/").content.decode()
    assert "100 pcs" in client.get("/dock/count/", {"vendor": "V1"}).content.decode()
    assert "100 pcs" in client.get("/balances/of/V1/").content.decode()


def test_the_dock_of_another_site_counts_nothing_of_it(client):
    goods.shipped_order()
    client.force_login(rows.user("otto", Role.DOCK, at=rows.site("OTHER", "Other plant")))

    assert "Alpen Eloxal" not in client.get("/dock/count/").content.decode()
    typed = {"vendor": "V1", "item": "10482-RAW", "counted": "97", "reason": "x"}
    assert "no place where material" in client.post("/dock/count/", typed).content.decode()


def test_a_count_is_set_against_the_book(dock):
    goods.shipped_order()

    page = dock.get("/dock/count/", {"vendor": "V1", "item": "10482-RAW"}).content.decode()
    assert 'data-book="100"' in page

    typed = {"vendor": "V1", "item": "10482-RAW", "counted": "97", "reason": "Counted on a visit"}
    done = dock.post("/dock/count/", typed, follow=True)

    assert "3 pcs missing" in done.content.decode()
    assert there("AT-V1") == 97


def test_of_several_lots_the_book_is_that_of_the_lot_that_is_shown(dock):
    goods.put(40, lot="A")
    goods.shipped_order(stock=60, lot="B")

    first = dock.get("/dock/count/", {"vendor": "V1", "item": "10482-RAW"}).content.decode()
    second = dock.get("/dock/count/", {"vendor": "V1", "item": "10482-RAW", "lot": "B"}).content.decode()

    assert '<b data-book="40">' in first
    assert '<b data-book="60">' in second


def test_counting_the_same_twice_changes_nothing(dock):
    goods.shipped_order()
    typed = {"vendor": "V1", "item": "10482-RAW", "counted": "97", "reason": "Counted on a visit"}
    dock.post("/dock/count/", typed)

    again = dock.post("/dock/count/", typed, follow=True)

    assert "as in the book" in again.content.decode()
    assert there("AT-V1") == 97


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"counted": "", "reason": "x"}, "Write what was counted"),
        ({"counted": "97", "reason": ""}, "Say why"),
        ({"counted": "97.5", "reason": "x"}, "counted in 0 decimals"),
        ({"counted": "-1", "reason": "x"}, "below zero"),
    ],
)
def test_a_count_that_cannot_be_is_refused_beside_its_field(dock, typed, said):
    goods.shipped_order()

    page = dock.post("/dock/count/", {"vendor": "V1", "item": "10482-RAW"} | typed)

    assert page.status_code == 422
    assert said in page.content.decode()
    assert there("AT-V1") == 100


# Numbers


@pytest.mark.no_database
@pytest.mark.parametrize(
    ("text", "quantity"),
    [("12", "12"), (" 0.5 ", "0.5"), ("0,5", "0.5"), ("1 250", "1250"), (".5", "0.5"), ("12.", "12"), ("-3", "-3")],
)
def test_a_quantity_is_read_as_a_person_types_it(text, quantity):
    assert read_quantity(text) == Decimal(quantity)


@pytest.mark.no_database
@pytest.mark.parametrize("text", ["1,250", "1,250,000", "twelve", "1e5", "1.2.3", "--1", "12345678901234"])
def test_what_could_be_read_in_two_ways_or_in_none_is_not_guessed(text):
    with pytest.raises(Unreadable):
        read_quantity(text)


@pytest.mark.no_database
def test_nothing_typed_is_nothing():
    assert read_quantity("  ") is None


# Many rows


def test_dock_pages_cost_the_same_for_any_number_of_lines(dock, django_assert_max_num_queries):
    goods.sent_order(lines=2, stock=400)
    goods.shipped_order(lines=6, stock=600)
    goods.shipped_order(lines=6, stock=600)
    shipment = Shipment.objects.planned().first()
    pages = {
        "/dock/": 9,
        "/dock/dispatch/": 8,
        f"/dock/dispatch/{shipment.number}/": 8,
        "/dock/receive/": 6,
        "/dock/receive/?vendor=V1": 8,
        "/dock/inspect/": 6,
        "/dock/count/": 6,
        "/dock/count/?vendor=V1": 8,
    }

    for address, queries in pages.items():
        with django_assert_max_num_queries(queries):
            assert dock.get(address).status_code == 200, address
