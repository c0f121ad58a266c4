"""Sets that many tests begin with: played once through the services, and from then on put back as the rows they made."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection, transaction

KEPT: dict[str, dict[str, str]] = {}
"""The rows of each set, table by table, as COPY writes them."""
shared: Path | None = None
"""The folder in which the processes of one test run keep sets for each other; none where there is one process."""
MIGRATED = ("auth_permission", "django_content_type", "django_migrations")
"""What the empty database holds."""


def played(play: Callable[..., None]) -> Callable[..., None]:
    """Keeps what `play` wrote into an empty database, by its arguments, for this process and the others of the same test run.

    The rows keep their keys, and the sequences go on behind them. `play` may depend on nothing but its arguments; where rows
    were there before it, it is played as it stands.
    """

    @functools.wraps(play)
    def play_or_put_back(*args: Any, **kwargs: Any) -> None:
        if filled_tables():
            play(*args, **kwargs)
            return
        name = f"{play.__module__}.{play.__qualname__}{args!r}{sorted(kwargs.items())!r}"
        rows = KEPT.get(name) or _kept_by_others(name)
        if rows:
            _put_back(rows)
        else:
            play(*args, **kwargs)
            rows = _taken()
            _keep_for_others(name, rows)
        KEPT[name] = rows

    return play_or_put_back


def _kept_by_others(name: str) -> dict[str, str] | None:
    kept = _file(name)
    return json.loads(kept.read_text()) if kept and kept.exists() else None


def _keep_for_others(name: str, rows: dict[str, str]) -> None:
    if kept := _file(name):
        kept.parent.mkdir(exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(rows))
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
        # Another process may have counted further than this one's sequences; they never go back.
        cursor.execute(
            " UNION ALL ".join(
                f'SELECT setval(s, greatest(nextval(s), (SELECT max(id) FROM "{table}"))) FROM (SELECT'
                f" pg_get_serial_sequence('\"{table}\"', 'id')::regclass AS s OFFSET 0) x"
                for table in _numbered(rows)
            )
        )


def _numbered(tables: dict[str, str]) -> list[str]:
    counted = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.auto_field and model._meta.auto_field.column == "id"
    }
    return [table for table in tables if table in counted]
