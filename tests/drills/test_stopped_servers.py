"""PostgreSQL and the broker stopped hard, and workers killed, in the middle of a run done by real Celery workers.

Takes a minute a round, so it is gone through only where it is asked for: `pytest tests/drills --drill-servers`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from outsourcing import servers

pytestmark = [pytest.mark.no_database, pytest.mark.slow, pytest.mark.servers]


@pytest.fixture
def home(private_home: Path) -> Iterator[Path]:
    yield private_home
    servers.stop(private_home)


class Night:
    """Servers, workers and beat in a home of their own; what is killed is started again, as the supervisor does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "OUTWORK_HOME": str(home), "DJANGO_SETTINGS_MODULE": "outsourcing.settings"}
        self.urls = servers.ensure(home)
        self.celery: subprocess.Popen[bytes] | None = None

    def do(self, word: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tests.drills.night", word],
            env=self.environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None

    def start_workers(self) -> None:
        command = ["-m", "celery", "-A", "tests.drills.worker", "worker", "-B", "-c", "2", "-l", "CRITICAL"]
        self.celery = subprocess.Popen(
            [sys.executable, *command, "-s", str(self.home / "beat")],
            env=self.environment, cwd=settings.BASE_DIR, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill_workers(self) -> None:
        if self.celery is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.celery.pid, signal.SIGKILL)
            self.celery.wait()

    # What disturbs

    def workers_die(self) -> None:
        self.kill_workers()
        self.start_workers()

    def broker_is_emptied(self) -> None:
        redis.Redis.from_url(self.urls.redis).flushall()

    def broker_stops(self) -> None:
        self._kill(servers._place(self.home).store, "valkey-server")

    def database_stops(self) -> None:
        self._kill(servers._place(self.home).cluster, "postgres")

    def _kill(self, folder: Path, program: str) -> None:
        for pid in servers._processes(folder, program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        servers.ensure(self.home)


def test_a_run_whose_servers_are_stopped_hard_ends_in_the_rows_of_a_quiet_one(home, pytestconfig):
    night = Night(home)
    quiet = night.do("prepare")
    chance = random.Random(1)

    for _ in range(int(pytestconfig.getoption("drill_rounds"))):
        night.do("start")
        night.start_workers()
        try:
            disturbances = [night.workers_die, night.broker_is_emptied, night.broker_stops, night.database_stops]
            chance.shuffle(disturbances)
            for disturb in disturbances:
                time.sleep(chance.uniform(0.5, 4))
                disturb()
            give_up = time.monotonic() + 300
            while not (found := night.do("look"))["rows"]:
                assert time.monotonic() < give_up, found
                time.sleep(0.5)
        finally:
            night.kill_workers()
        assert (found["state"], found["error"]) == ("done", "")
        assert found["rows"] == quiet
