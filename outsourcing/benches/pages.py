"""`bench pages`: the server's time and the queries of every page and every list of the API, on a few rows and on very many.

The same addresses are asked on three orders and on a million lines more: some to be sent, some at their vendors, most received.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import get_resolver

from outsourcing import many_lines
from outsourcing.pages import Page, all_pages
from reports import services as reports
from subcontract_orders.models import SubcontractOrder

TIMES = 7
SHOWN = 20
REACH_MEDIAN_MS, REACH_MOST_MS, REACH_GROWTH = 50, 100, 2
DRAFT_SHARE, SENT_SHARE = 50, 20
"""One in so many lines is still a draft, or at its vendor."""


class Asked(NamedTuple):
    """How one address was answered: milliseconds of each time, and how many queries it took."""

    ms: list[float]
    queries: int

    @property
    def median(self) -> float:
        return statistics.median(self.ms)


def bench(*, write: Callable[[str], object], lines: int = 1_000_000) -> dict[str, Any]:
    """Ask every address, multiply, ask again. Milliseconds, and where the reach is missed."""
    call_command("collectstatic", interactive=False, verbosity=0)
    by = many_lines.plan(orders=3)
    received, sent = many_lines.receive(), many_lines.send()
    draft = SubcontractOrder.objects.draft().get()
    reports.rebuild(at=many_lines.AT)
    client = Client(SERVER_NAME="localhost")
    client.force_login(by)
    logging.getLogger("django.request").setLevel(logging.ERROR)  # pages that are not found are asked too
    asked = [*all_pages(user=by), *_lists(client)]
    few = {page: _ask(client, page) for page in asked}

    begin = time.perf_counter()
    shares = ((received, lines), (sent, lines // SENT_SHARE), (draft, lines // DRAFT_SHARE))
    for place, (order, share) in enumerate(shares):
        many_lines.multiply(order, lines=share, base=many_lines.BASE * (1 + 3 * place))
    reports.rebuild(at=many_lines.AT)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    write(
        f"{lines:,} lines received and some open ones made in {time.perf_counter() - begin:.0f} s; {len(asked)} addresses."
    )

    many = {page: _ask(client, page) for page in asked}
    _tell(write, few, many)
    return _figures(few, many)


def _lists(client: Client) -> Iterator[Page]:
    """The API's lists that answer without being told anything."""
    for name in sorted(get_resolver().reverse_dict.keys() & _names()):
        address = f"/{get_resolver().reverse_dict[name][0][0][0]}"
        if client.get(address).status_code == 200:
            yield Page(name, address)


def _names() -> set[Any]:
    found = get_resolver().reverse_dict
    return {name for name in found if isinstance(name, str) and name.startswith("api-") and name.endswith("-list")}


def _ask(client: Client, page: Page) -> Asked:
    counted = [0]

    def count(execute: Any, *args: Any) -> Any:
        counted[0] += 1
        return execute(*args)

    client.get(page.address)  # templates are compiled, and rows read from the disk, once
    with connection.execute_wrapper(count):
        client.get(page.address)
    ms = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        client.get(page.address)
        ms.append((time.perf_counter() - begin) * 1000)
    return Asked(ms, counted[0])


def _tell(write: Callable[[str], object], few: dict[Page, Asked], many: dict[Page, Asked]) -> None:
    write(f"{'the slowest':<50}{'few rows':>10}{'many':>10}{'times':>8}{'queries':>12}")
    for page in sorted(many, key=lambda page: -many[page].median)[:SHOWN]:
        before, after = few[page], many[page]
        queries = f"{before.queries} → {after.queries}" if before.queries != after.queries else f"{after.queries}"
        times = after.median / before.median
        write(f"{page.name:<50}{before.median:>8.0f} ms{after.median:>7.0f} ms{times:>8.1f}{queries:>12}")


def _figures(few: dict[Page, Asked], many: dict[Page, Asked]) -> dict[str, Any]:
    every = sorted(ms for asked in many.values() for ms in asked.ms)
    slow = [page for page in many if many[page].median > REACH_MOST_MS]
    grown = [page for page in many if many[page].median > REACH_GROWTH * max(few[page].median, 1)]
    return {
        "addresses": len(many),
        "median_ms_on_few": round(statistics.median(ms for asked in few.values() for ms in asked.ms), 1),
        "median_ms": round(statistics.median(every), 1),
        "median_reach_ms": REACH_MEDIAN_MS,
        "p95_ms": round(every[int(len(every) * 0.95)], 1),
        "p95_reach_ms": REACH_MOST_MS,
        "addresses_over_p95_reach": len(slow),
        "addresses_grown_over_twice": len(grown),
        "addresses_with_more_queries": sum(many[page].queries > few[page].queries for page in many),
    }
