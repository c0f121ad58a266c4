"""Sets that many tests begin with: played once through the services, and from then on put back as the rows they made."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.apps import apps
from django.db import connection, transaction


class Kept(NamedTuple):
    """The rows of a set, table by table, as COPY writes them, and what playing it returned."""

    rows: dict[str, str]
    result: bytes


KEPT: dict[str, Kept | None] = {}
shared: Path | None = None
"""The folder in which the processes of one test run keep sets for each other; none where there is one process."""
MIGRATED = ("auth_permission", "django_content_type", "django_migrations")
"""What the empty database holds."""
PEOPLE = {"accounts_user", "accounts_access"}
P = ParamSpec("P")
R = TypeVar("R")
PLAIN = (str, int, Decimal, date, type(None))


def played(play: Callable[P, R]) -> Callable[P, R]:
    """Keeps what `play` wrote into an empty database, by its arguments, for this process and the others of the same test run.

    The rows keep their keys, and the sequences go on behind them. `play` may depend on nothing but its arguments, and write
    nothing but rows; nobody may ask when these were written. Where there were rows before it other than people it tells nothing
    and does not know, or an argument is no plain value, it is played as it stands.
    """

    @functools.wraps(play)
    def play_or_put_back(*args: P.args, **kwargs: P.kwargs) -> R:
        if not _is_plain([args, kwargs]):
            return play(*args, **kwargs)
        name = f"{play.__module__}.{play.__qualname__}{args!r}{sorted(kwargs.items())!r}"
        there = set(filled_tables())
        kept = KEPT[name] = KEPT.get(name) or _kept_by_others(name)
        if kept and (not there or (there <= PEOPLE and _leaves_alone(kept.rows))):
            _put_back(kept.rows)
            return pickle.loads(kept.result)
        result = play(*args, **kwargs)
        if not there:
            KEPT[name] = Kept(_taken(), pickle.dumps(result))
            _keep_for_others(name, KEPT[name])
        return result

    return play_or_put_back


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)


def _kept_by_others(name: str) -> Kept | None:
    kept = _file(name)
    return pickle.loads(kept.read_bytes()) if kept and kept.exists() else None


def _keep_for_others(name: str, said: Kept) -> None:
    if kept := _file(name):
        kept.parent.mkdir(exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_bytes(pickle.dumps(said))
        new.rename(kept)  # whole or not at all


def _file(name: str) -> Path | None:
    return shared / hashlib.sha256(name.encode()).hexdigest() if shared else None


def filled_tables() -> list[str]:
    """The tables with any row, but for what migrations write."""
    with connection.cursor() as cursor:
        cursor.execute(_which_are_filled())
        return [row[0] for row in cursor.fetchall()]


@functools.cache
def _which_are_filled() -> str:
    tables = sorted(
        {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    )
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in tables if table not in MIGRATED
    )


def _taken() -> dict[str, str]:
    rows = {}
    with connection.cursor() as cursor:
        for table in filled_tables():
            text = io.StringIO()
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', text)
            rows[table] = text.getvalue()
    return rows


def _put_back(rows: dict[str, str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:  # its foreign keys are looked at when it is committed
        for table, text in rows.items():
            cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.StringIO(text))
        # Another process may have counted further; what comes after a set has later keys, as it would have there.
        cursor.execute(
            " UNION ALL ".join(
                f'SELECT setval(s, greatest(nextval(s), (SELECT max(id) FROM "{table}"))) FROM'
                f" (SELECT pg_get_serial_sequence('\"{table}\"', 'id')::regclass AS s OFFSET 0) x"
                for table in rows.keys() & _numbered()
            )
        )


@functools.cache
def _numbered() -> set[str]:
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if (key := model._meta.auto_field) and key.column == "id"}


def _leaves_alone(rows: dict[str, str]) -> bool:
    """Whether none of the people there is told anything by this set, or is one of its own by name or key."""
    known = {word for table in PEOPLE for line in rows.get(table, "").splitlines() for word in line.split("\t")}
    there = {str(word) for table in PEOPLE for row in _people(table) for word in row}
    return "activity_alert" not in rows and not known & there


def _people(table: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {'username' if table == 'accounts_user' else 'user_id'} FROM {table}")
        return cursor.fetchall()
