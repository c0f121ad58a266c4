"""Workers of the main job as processes that can be killed, and what disturbs them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, connections

from documents import services as documents
from documents.models import OVER, GenerationRun

WORKERS = 2
Disturb = Callable[["Workers", random.Random], None]


class Workers:
    """Processes that take up whatever run is unfinished, as workers called by the beat do: by its state, without any message."""

    def __init__(self, *, at: datetime) -> None:
        self.at = at
        self.alive: list[int] = []

    def fill_up(self) -> None:
        """Start workers in the place of those that died."""
        self.alive = [pid for pid in self.alive if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        while len(self.alive) < WORKERS:
            connections.close_all()  # a forked connection would be shared
            pid = os.fork()
            if pid == 0:
                self._work()
            self.alive.append(pid)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        for pid in self.alive:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.alive = []

    def _work(self) -> None:
        """Work until killed. A database that goes away is looked for again, as the next message would."""
        # `close_all` sees what is open in the parent's context. Once a browser's event loop runs there, that is another
        # store than the one a child reads, and what was opened before would be spoken on by two.
        for inherited in connections.all(initialized_only=True):
            del connections[inherited.alias]
        try:
            while True:
                try:
                    for run_id in documents.continue_runs(at=self.at):
                        documents.continue_run(run_id=run_id, at=self.at)
                except (OperationalError, InterfaceError):
                    connections.close_all()
                time.sleep(0.02)
        finally:
            os._exit(1)


def kill_a_worker(workers: Workers, chance: random.Random) -> None:
    workers.kill(chance.choice(workers.alive))


def kill_all_workers(workers: Workers, chance: random.Random) -> None:
    for pid in workers.alive:
        workers.kill(pid)


def cut_the_database_off(workers: Workers, chance: random.Random) -> None:
    """Every connection but ours ends, with what was not committed: what a database that is stopped hard is to its clients."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


def run_disturbed(run: GenerationRun, *, at: datetime, disturb: Disturb, times: int, within: float, seed: int) -> int:
    """Let workers do a run while something disturbs them so many times, at random moments within so many seconds after
    another. Returns how many times it did before the run was over.
    """
    chance, done = random.Random(seed), 0
    workers = Workers(at=at)
    give_up = time.monotonic() + 300
    try:
        while GenerationRun.objects.get(pk=run.pk).state not in OVER:
            workers.fill_up()
            if done < times:
                time.sleep(chance.uniform(0, within))
                disturb(workers, chance)
                done += 1
            else:
                time.sleep(0.05)
            assert time.monotonic() < give_up, f"{run} does not come to an end by itself"
    finally:
        workers.stop()
    return done
