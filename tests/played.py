"""Sets that many tests begin with: played through the services, and from the third time on put back as the rows they made."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import connection, transaction

KEPT: dict[object, dict[str, str]] = {}
"""The rows of each set, table by table, as COPY writes them."""
PLAYED: set[object] = set()
"""What was played once: a set that comes only once is not worth keeping."""
MIGRATED = ("auth_permission", "django_content_type", "django_migrations")
"""What the empty database holds."""


def played(play: Callable[..., None]) -> Callable[..., None]:
    """Keeps what `play` wrote into an empty database, by its arguments.

    The keys of the rows stay the same, which is right because a sequence never goes back. `play` may depend on nothing
    but its arguments; where rows were there before it, it is played as it stands.
    """

    @functools.wraps(play)
    def play_or_put_back(*args: Any, **kwargs: Any) -> None:
        key = (play, repr(args), repr(sorted(kwargs.items())))
        if key not in PLAYED or _filled_tables():
            play(*args, **kwargs)
        elif key in KEPT:
            _put_back(KEPT[key])
        else:
            play(*args, **kwargs)
            KEPT[key] = _taken()
        PLAYED.add(key)

    return play_or_put_back


def _filled_tables() -> list[str]:
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
        for table in _filled_tables():
            text = io.StringIO()
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', text)
            rows[table] = text.getvalue()
    return rows


def _put_back(rows: dict[str, str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:  # its foreign keys are looked at when it is committed
        for table, text in rows.items():
            cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.StringIO(text))
