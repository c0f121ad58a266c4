"""A real browser on the real pages. Needs Debian's `chromium`; where there is none these tests are skipped and say so."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from outsourcing.pages import BESIDE
from tests.workbench import rows

HERE = Path(__file__).parent
# A refused form is an answer, and a test may take the line away: the browser says both, and neither is a fault of ours.
PATIENCE = 60_000  # milliseconds: other tests run on the same machine
expect.set_options(timeout=PATIENCE)
EXPECTED = ("status of 422", "ERR_INTERNET_DISCONNECTED")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if not program:
        pytest.skip("no browser: install Debian's chromium")
    # Playwright's loop runs in this thread, so Django would refuse the tests their own database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server) -> Iterator[Page]:
    """A fresh page at the live server. The test fails if a script fails or the content policy blocks something."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{message.text} {message.location.get('url')}") if is_fault(message) else None
        ),
    )
    yield page
    page.wait_for_load_state("networkidle")
    context.close()
    assert complaints == []


def is_fault(message: ConsoleMessage) -> bool:
    is_expected = any(words in message.text for words in EXPECTED) or is_lost(message.location.get("url", ""))
    return message.type == "error" and not is_expected


def is_lost(address: str) -> bool:
    """Whether it is a page that says there is nothing here: it is told apart from a file that is missing."""
    return urlsplit(address).path in BESIDE.values()


@pytest.fixture
def desk(page: Page) -> Page:
    """The work list of a buyer without a limit."""
    rows.company()
    rows.site()
    rows.user("mara")
    page.goto("/")
    page.fill("#id_username", "mara")
    page.fill("#id_password", "let me in")
    page.click("#sign-in button")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page
