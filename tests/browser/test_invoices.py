"""One key lets a held invoice pass and leads to the next; the same key approves what fits."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from invoices.models import Invoice
from tests.invoices.bills import asked, clerk, enter, match
from tests.receipts.goods import at_vendor, counted, receive

SHOTS = os.environ.get("OUTWORK_SHOTS", "")


@pytest.fixture
def inbox(page: Page) -> list[Invoice]:
    """Two invoices held, one that fits, seen by a clerk who entered none of them."""
    line = at_vendor()
    receive(counted(line, 8, rejected=2))
    now = datetime.now(tz=UTC)
    found = [match(enter(asked(line, 2, price), number=f"RE-{price}", at=now)) for price in (112, 113, 100)]
    petra = clerk("petra")
    petra.set_password("let me in")
    petra.save()
    page.goto("/invoices/")
    page.fill("#id_username", "petra")
    page.fill("#id_password", "let me in")
    page.click("#sign-in button")
    page.wait_for_url("**/invoices/")
    return found


def test_one_key_accepts_and_goes_on_to_the_next(page: Page, inbox: list[Invoice]):
    first, second, fits = inbox
    page.goto(f"/invoices/{first.number}/")
    shoot(page, "match")

    page.keyboard.press("a")
    page.wait_for_url(f"**/invoices/{second.number}/")

    first.refresh_from_db()
    assert (first.status, first.released_by.username) == ("matched", "petra")
    page.goto(f"/invoices/{fits.number}/")
    page.keyboard.press("a")
    page.wait_for_url(f"**/invoices/{first.number}/")
    fits.refresh_from_db()
    assert (fits.status, fits.approved_by.username) == ("approved", "petra")


def test_the_key_does_nothing_while_somebody_types(page: Page, inbox: list[Invoice]):
    first = inbox[0]
    page.goto(f"/invoices/{first.number}/")

    page.keyboard.press("d")
    expect(page.locator("#dispute")).to_be_visible()
    page.fill("#dispute-reason", "a dear one")
    page.keyboard.press("a")

    expect(page.locator("#dispute-reason")).to_have_value("a dear onea")
    first.refresh_from_db()
    assert first.status == "held"


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
