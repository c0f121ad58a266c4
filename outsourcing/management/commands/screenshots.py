"""`./dev screenshots`: a picture of every page, in both themes and both sizes, taken of the demo by a real browser."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connections
from django.test.testcases import LiveServerThread
from django.test.utils import override_settings

from accounts.models import User
from outsourcing import demo
from outsourcing.pages import Page, all_pages
from production.models import ProductionOrder

FOLDER = settings.BASE_DIR / "docs" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")
QUALITY = 82
DOCK, ADMIN = "dock", "admin"
FROM_SOURCE = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PATIENCE = 120_000  # milliseconds: the machine may do other things as well


class Command(BaseCommand):
    help = "Make a picture of every page, in both themes and both sizes. Loads the demo where there is no plan yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, default=FOLDER, help=f"the folder, else {FOLDER}")
        parser.add_argument(
            "--only", nargs="*", default=(), help="pages whose name holds this, such as workbench:order"
        )
        parser.add_argument("--size", choices=SIZES, nargs="*", default=list(SIZES))
        parser.add_argument("--theme", choices=THEMES, nargs="*", default=THEMES)
        parser.add_argument("--whole", action="store_true", help="the whole page, however long, not one screen of it")

    @override_settings(ALLOWED_HOSTS=["localhost"], STORAGES=FROM_SOURCE)  # nothing is collected for it
    def handle(
        self, *args: Any, to: Path, only: list[str], size: list[str], theme: list[str], whole: bool, **options: Any
    ) -> None:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as problem:
            raise CommandError("Playwright is missing: ./dev screenshots installs it.") from problem
        program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if not program:
            raise CommandError("There is no browser. On Debian: apt-get install chromium")
        logging.getLogger("django.request").setLevel(logging.ERROR)  # that acts cannot be read is known
        call_command("migrate", interactive=False, verbosity=0)
        if not ProductionOrder.objects.exists():
            call_command("demo", month=True)
        pages = all_pages(user=User.objects.get(username=ADMIN), only=only)
        to.mkdir(parents=True, exist_ok=True)
        # Playwright's loop runs in this thread, where Django would refuse the database.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        with served() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for look, name, user in product(theme, size, (ADMIN, DOCK)):
                shown = [page for page in pages if photographer(page) == user]
                context = browser.new_context(
                    base_url=address, viewport=SIZES[name], color_scheme=look, reduced_motion="reduce"
                )
                context.set_default_timeout(PATIENCE)
                sheet = context.new_page()
                sign_in(sheet, user)
                for page in shown:
                    (to / f"{file_name(page)}-{name}-{look}.webp").write_bytes(take(sheet, page, whole=whole))
                context.close()
            browser.close()
        self.stdout.write(f"{len(pages) * len(size) * len(theme)} pictures of {len(pages)} pages in {to}")


@contextmanager
def served() -> Iterator[str]:
    """The application on a free port of this machine, on the database of this process."""
    thread = LiveServerThread("localhost", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://localhost:{thread.port}"
    finally:
        thread.terminate()
        connections.close_all()


def photographer(page: Page) -> str:
    """Whose page it is: the dock has a shell of its own."""
    return DOCK if page.address.startswith("/dock/") and not page.name.endswith("inspect") else ADMIN


def file_name(page: Page) -> str:
    return page.name.removeprefix("workbench:").replace(":", "-").replace("_", "-")


def sign_in(sheet: Any, user: str) -> None:
    sheet.goto("/sign-in/")
    sheet.fill("#id_username", user)
    sheet.fill("#id_password", demo.PASSWORD)
    sheet.click("#sign-in button")
    sheet.wait_for_url(lambda url: "/sign-in/" not in url)


def take(sheet: Any, page: Page, *, whole: bool) -> bytes:
    """One page as WebP, a third of what a PNG takes."""
    from PIL import Image

    sheet.goto(page.address)
    drawn = Image.open(BytesIO(sheet.screenshot(full_page=whole, animations="disabled")))
    packed = BytesIO()
    drawn.convert("RGB").save(packed, "WEBP", quality=QUALITY, method=6)
    return packed.getvalue()
