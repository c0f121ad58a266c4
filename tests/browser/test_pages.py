"""What only a browser can tell: the strict content policy, the keyboard, live lists, both themes, phones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from subcontract_orders.models import OrderStatus, SubcontractOrder
from tests.workbench import rows


@pytest.fixture
def orders(desk: Page) -> list[SubcontractOrder]:
    """Two orders to place soon, one far ahead."""
    today = timezone.localdate()
    made = [
        rows.order(order_by=today + timedelta(1), due=today + timedelta(20)),
        rows.order(to=rows.vendor("V2", "Nordic Coatings"), order_by=today + timedelta(2), due=today + timedelta(20)),
        rows.order(order_by=today + timedelta(60), due=today + timedelta(90)),
    ]
    desk.reload()
    return made


def test_keys_move_select_and_open(desk: Page, orders):
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    desk.keyboard.press("x")
    expect(desk.locator(".sc-bulk")).to_contain_text("1 order selected")
    expect(desk.locator(f"#row-{orders[1].number} .sc-check")).to_be_checked()

    desk.keyboard.press("Enter")

    expect(desk.locator("h1")).to_contain_text(orders[1].number)


def test_a_selection_never_moves_to_another_order(desk: Page, orders):
    desk.locator(f"#row-{orders[0].number} .sc-check").check()

    desk.get_by_role("link", name="Forecast").click()

    expect(desk.locator(f"#row-{orders[2].number}")).to_be_visible()
    expect(desk.locator(f"#row-{orders[2].number} .sc-check")).not_to_be_checked()
    expect(desk.locator(".sc-bulk")).to_be_hidden()


def test_search_is_live_keeps_the_focus_and_stands_in_the_address(desk: Page, orders):
    desk.keyboard.press("/")
    desk.keyboard.type("nordic", delay=20)

    expect(desk.locator("tbody tr")).to_have_count(1)
    expect(desk.locator("#search")).to_be_focused()
    assert "q=nordic" in desk.url

    desk.go_back()
    expect(desk.locator("tbody tr")).to_have_count(2)


def test_several_orders_are_approved_in_one_go(desk: Page, orders):
    desk.locator("[data-act=pick-all]").check()
    desk.locator(".sc-bulk").get_by_role("button", name="Approve").click()

    expect(desk.get_by_role("status")).to_contain_text("2 orders are approved.")
    assert SubcontractOrder.objects.filter(status=OrderStatus.APPROVED).count() == 2


def test_an_order_is_approved_and_sent_by_two_clicks(desk: Page, orders):
    desk.goto(f"/orders/{orders[0].number}/")
    desk.get_by_role("button", name="Approve 740.00 EUR").click()
    desk.get_by_role("button", name="Send to Alpen Eloxal").click()

    expect(desk.locator("h1")).to_contain_text("Sent")
    expect(desk.locator("[aria-current=step]")).to_contain_text("Awaiting the vendor")


def test_the_palette_searches_and_opens(desk: Page, orders):
    desk.keyboard.press("Control+k")
    expect(desk.locator("#palette input")).to_be_focused()
    desk.keyboard.type(orders[1].number, delay=20)
    expect(desk.locator("#palette .sc-palette-item")).to_have_count(1)

    desk.keyboard.press("Enter")

    expect(desk.locator("h1")).to_contain_text(orders[1].number)


def test_g_and_a_letter_go_to_a_page_and_a_question_mark_lists_the_keys(desk: Page):
    desk.keyboard.press("?")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("Escape")

    desk.keyboard.press("g")
    desk.keyboard.press("r")

    expect(desk.locator("h1")).to_contain_text("Runs")


def test_the_theme_is_kept(desk: Page):
    desk.get_by_role("button", name="Light or dark").click()
    before = desk.evaluate("document.documentElement.dataset.bsTheme")

    desk.reload()

    assert desk.evaluate("document.documentElement.dataset.bsTheme") == before


def test_a_running_run_moves_on_by_itself(desk: Page):
    run = rows.run(state="writing", items_total=10, items_done=1)
    desk.goto(f"/runs/{run.number}/")
    expect(desk.locator("#run")).to_contain_text("1 of 10 differences written")

    type(run).objects.filter(pk=run.pk).update(state="done", items_done=10, created=10)

    expect(desk.locator("h1")).to_contain_text("Done", timeout=6000)
    expect(desk.locator("#run")).to_contain_text("10 of 10 differences written")


def test_no_page_is_wider_than_a_phone(desk: Page, orders):
    stuck = rows.decision(
        rows.operation(), verdict="blocked", reasons=[{"code": "no_price", "detail": "No price " * 40}]
    )
    run = rows.run(operations=10)
    desk.set_viewport_size({"width": 390, "height": 844})
    order = stuck.operation.production_order.number
    decision = f"/decisions/{order}/operations/{stuck.operation.operation_no}/"
    lists = ["/", "/?tab=attention", "/orders/", "/decisions/", "/alerts/", "/runs/"]

    wide = []
    for address in [*lists, f"/orders/{orders[0].number}/", f"/runs/{run.number}/", decision]:
        desk.goto(address)
        if desk.evaluate("document.documentElement.scrollWidth") != 390:
            wide.append(address)

    assert wide == []
    expect(desk.locator(".sc-bottom")).to_be_visible()


def test_the_page_of_the_api_lists_its_calls_under_the_strict_policy(desk: Page):
    desk.goto("/api/docs/")
    call = desk.locator("#operations-alerts-alerts_apply_create")

    call.locator("button").first.click()

    expect(call).to_contain_text("The same key and body within seven days")
    assert (
        desk.evaluate("document.documentElement.scrollHeight") > 10_000
    )  # it lays out all calls, and draws those in sight
