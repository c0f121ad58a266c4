"""What benches measure with: work in processes of its own with seconds and peak memory, and the database's own limit."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from django.db import connection, connections, transaction

MB = 1024
"""Of the kilobytes in which Linux counts memory."""


class Measured(NamedTuple):
    """What a process returned, its seconds from the common start, those of a processor it used, and the most memory it ever had.

    Of the process itself: its database works apart.
    """

    result: Any
    seconds: float
    cpu_seconds: float
    peak_mb: float


def apart(*acts: Callable[[], Any]) -> list[Measured]:
    """Do each in a process of its own, all at once, each with a connection of its own. Raises RuntimeError where one fails."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    gate = fork.Barrier(len(acts))
    pipes = [fork.Pipe(duplex=False) for _ in acts]
    workers = [fork.Process(target=_work, args=(gate, act, pipe[1])) for act, pipe in zip(acts, pipes, strict=True)]
    for worker, (_, writing) in zip(workers, pipes, strict=True):
        worker.start()
        writing.close()
    found = []
    for reading, _ in pipes:
        try:
            found.append(reading.recv())
        except EOFError:
            found.append(None)
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers) or None in found:
        raise RuntimeError("A process of the bench failed; its message is above.")
    return [Measured(*one) for one in found]


def _work(gate: Any, act: Callable[[], Any], pipe: Any) -> None:
    connection.ensure_connection()
    gate.wait()
    begin, before = time.perf_counter(), time.process_time()
    result = act()
    seconds = time.perf_counter() - begin
    used = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send((result, seconds, used.ru_utime + used.ru_stime - before, used.ru_maxrss / MB))
    connections.close_all()


def seconds_to_copy(tables: Mapping[str, str], *, workers: int = 1) -> float:
    """How long the database itself takes for rows that are there: INSERT … SELECT into empty tables with the same keys, checks,
    foreign keys and indexes, on as many connections. `tables` says which rows: a condition by table.
    """
    with _empty_like(tables):
        parts = [partial(_copy_part, tables, part, workers) for part in range(workers)]
        return max(one.seconds for one in apart(*parts))


def _copy_part(tables: Mapping[str, str], part: int, parts: int) -> None:
    for table, which in tables.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )
            (names,) = cursor.fetchone()
            cursor.execute(
                f"INSERT INTO bench_{table} ({names}) SELECT {names} FROM {table} WHERE ({which}) AND id %% %s = %s",
                [parts, part],
            )


@contextmanager
def _empty_like(tables: Mapping[str, str]) -> Iterator[None]:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
                [table],
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f'ALTER TABLE bench_{table} ADD CONSTRAINT "{name}" {definition}')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"DROP TABLE bench_{table}")


def table_rows(tables: Mapping[str, str]) -> dict[str, int]:
    """How many rows these conditions name, by table."""
    found = {}
    with connection.cursor() as cursor:
        for table, which in tables.items():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {which}")
            found[table] = cursor.fetchone()[0]
    return found


def peak(measured: Sequence[Measured]) -> float:
    return round(max(one.peak_mb for one in measured), 1)


def cpu(measured: Sequence[Measured]) -> float:
    return round(sum(one.cpu_seconds for one in measured), 2)
