"""The drills' own tool: a worker never speaks on a connection that somebody else has open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from documents import services as documents
from tests.documents.plans import moment
from tests.drills.disturbing import WORKERS, Workers


async def inside_a_loop(act: Callable[[], None]) -> None:
    act()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_opens_its_own_connection_even_where_an_event_loop_hides_the_parents(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    connection.ensure_connection()
    parents = connection.connection.get_backend_pid()

    def tell(**_: object) -> list[int]:
        connection.ensure_connection()
        backend = connection.connection.get_backend_pid()
        (tmp_path / f"{backend}").touch()
        time.sleep(60)
        return []

    def work_for_a_while() -> None:
        workers = Workers(at=moment())
        workers.fill_up()
        give_up = time.monotonic() + 20
        while len(list(tmp_path.iterdir())) < WORKERS and time.monotonic() < give_up:
            time.sleep(0.05)
        workers.stop()

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setattr(documents, "continue_runs", tell)
    try:
        asyncio.get_running_loop()  # a browser's, where one was used in this process before
    except RuntimeError:
        asyncio.run(inside_a_loop(work_for_a_while))
    else:
        work_for_a_while()

    backends = {path.name for path in tmp_path.iterdir()}
    assert len(backends) == WORKERS
    assert f"{parents}" not in backends
