"""The dock on a phone: scan, dispatch, receive, and a form that survives a lost connection."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Role
from inventory.models import Balance
from receipts.models import Receipt
from tests.workbench import goods, rows

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phone(page: Page, monkeypatch) -> Page:
    """A dock worker's phone, signed in."""
    monkeypatch.setattr(rows, "AT", timezone.now())
    rows.company()
    rows.site()
    rows.user("dirk", Role.DOCK)
    page.set_viewport_size(PHONE)
    page.goto("/")
    page.fill("#id_username", "dirk")
    page.fill("#id_password", "let me in")
    page.click("#sign-in button")
    page.wait_for_url("**/dock/")
    return page


def scan(phone: Page, code: str) -> None:
    """A scanner types into the field that has the focus, and ends with Enter."""
    phone.goto("/dock/")
    expect(phone.locator("#scan")).to_be_focused()
    phone.keyboard.type(code)
    phone.keyboard.press("Enter")


def test_a_scan_dispatches_and_the_next_one_receives(phone: Page):
    order = goods.sent_order()
    shipment = goods.shipment_of(order)

    scan(phone, f"{phone.url}scan/?code={shipment.number}")
    expect(phone.locator("#quantity-1")).to_have_value("100")
    phone.get_by_role("button", name="Pick and dispatch").click()
    expect(phone.get_by_role("status")).to_contain_text(f"{shipment.number} has left")
    expect(phone.get_by_role("link", name="Delivery note")).to_be_visible()

    goods.arrive(shipment)
    scan(phone, order.number)
    key = goods.line_of(order).pk
    expect(phone.locator(f"#accepted-{key}")).to_have_value("100")
    phone.fill("#note", "LS-4711")
    phone.fill(f"#accepted-{key}", "98")
    phone.fill(f"#scrapped-{key}", "2")
    expect(phone.locator("#use")).to_contain_text("100 pcs")
    phone.get_by_role("button", name="Post receipt").click()

    expect(phone.get_by_role("status")).to_contain_text("is posted: note LS-4711")
    assert Receipt.objects.get().lines.get().accepted == 98
    assert not Balance.objects.filter(location__code="AT-V1", quantity__gt=0).exists()


@pytest.mark.parametrize("path", ["/dock/", "/dock/receive/"])
def test_a_scan_is_caught_where_no_field_has_the_focus(phone: Page, path: str):
    shipment = goods.shipment_of(goods.sent_order())

    phone.goto(path)
    phone.evaluate("document.activeElement.blur()")
    phone.keyboard.type(shipment.number)
    phone.keyboard.press("Enter")

    expect(phone.locator("h1")).to_contain_text(f"Dispatch {shipment.number}")


def test_a_half_typed_form_survives_a_lost_connection(phone: Page):
    order = goods.shipped_order()
    key = goods.line_of(order).pk
    phone.goto(f"/dock/receive/?order={order.number}")
    phone.fill("#note", "LS-1")
    phone.fill(f"#accepted-{key}", "61")

    phone.context.set_offline(True)
    phone.get_by_role("button", name="Post receipt").click()
    expect(phone.locator("#offline")).to_contain_text("There is no connection. What you typed is kept")
    phone.context.set_offline(False)
    phone.goto(f"/dock/receive/?order={order.number}")

    expect(phone.get_by_role("status")).to_contain_text("What you had typed is still here.")
    expect(phone.locator("#note")).to_have_value("LS-1")
    expect(phone.locator(f"#accepted-{key}")).to_have_value("61")
    phone.get_by_role("button", name="Post receipt").click()
    expect(phone.get_by_role("status")).to_contain_text("is posted")
    phone.goto(f"/dock/receive/?order={order.number}")
    expect(phone.locator("#note")).to_have_value("")


def test_a_refusal_stands_beside_the_field_and_keeps_what_was_typed(phone: Page):
    order = goods.shipped_order()
    key = goods.line_of(order).pk
    phone.goto(f"/dock/receive/?order={order.number}")
    phone.fill("#note", "LS-1")
    phone.fill(f"#accepted-{key}", "180")
    # The content policy is silent and so is the console: a refused form is an answer, not a failure.
    with phone.expect_response(lambda answer: answer.url.endswith("/dock/receive/") and answer.status == 422):
        phone.get_by_role("button", name="Post receipt").click()

    expect(phone.locator(f"#wrong-{key}")).to_contain_text("takes 100 more")
    expect(phone.locator(f"#accepted-{key}")).to_have_value("180")
    expect(phone.locator("#note")).to_have_value("LS-1")


def test_a_count_shows_the_difference_as_it_is_typed(phone: Page):
    goods.shipped_order()
    phone.goto("/dock/count/?vendor=V1&item=10482-RAW")

    phone.fill("#counted", "97")

    expect(phone.locator("[data-variance]")).to_contain_text("−3")


def test_controls_are_big_and_no_page_is_wider_than_the_phone(phone: Page):
    order = goods.shipped_order(lines=2, stock=200)
    goods.receipt_of(order)
    waiting = goods.shipment_of(goods.sent_order())
    receipt = Receipt.objects.get()
    addresses = [
        "/dock/", "/dock/dispatch/", f"/dock/dispatch/{waiting.number}/", "/dock/receive/",
        f"/dock/receive/?order={order.number}", "/dock/inspect/", "/dock/count/", "/dock/count/?vendor=V1",
        "/dock/count/?vendor=V1&item=10482-RAW", "/shipments/", f"/shipments/{waiting.number}/", "/receipts/",
        f"/receipts/{receipt.number}/", f"/receipts/{receipt.number}/lines/1/correct/", "/balances/", "/balances/of/V1/",
        "/trace/",
    ]  # fmt: skip

    for address in addresses:
        phone.goto(address)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390, address
        small = phone.evaluate(
            """[...document.querySelectorAll('main .sc-input, main .sc-select, main .sc-btn')]
            .filter((field) => field.offsetParent && (field.offsetHeight < 42)).map((field) => field.outerHTML.slice(0, 90))"""
        )
        assert small == [], address
        faint = phone.evaluate(
            """[...document.querySelectorAll('main .sc-input, main .sc-select')]
            .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).map((field) => field.outerHTML.slice(0, 90))"""
        )
        assert faint == [], address
