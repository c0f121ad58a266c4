"""Marks: numbers that change whenever rows are written, so that what was read from them before can be kept."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

from django.db import connection, models
from django.db.models.expressions import RawSQL


def row_mark(model: type[models.Model]) -> str:
    """SQL for a number that changes whenever a row is written, whoever writes it and whatever with.

    It is made of where the row's version lies and which transaction put it there. Marks of several rows are put together with
    bit_xor() or #. Tables rewritten as a whole (VACUUM FULL, a restored dump) get new marks: things are read once more.
    """
    table = model._meta.db_table
    return f'hashtidextended("{table}".ctid, "{table}".xmin::text::bigint + {zlib.crc32(table.encode()) << 30})'


def with_mark(model: type[models.Model]) -> RawSQL:
    """A row's mark as an expression, for a queryset in which the model's table goes by its own name."""
    return RawSQL(row_mark(model), [], output_field=models.BigIntegerField())  # noqa: S611  (names of our own tables)


def among(keys: Iterable[int]) -> RawSQL:
    """Keys as a subquery for `__in`: one array, where thousands of parameters would take longer than the query itself."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)], output_field=models.BigIntegerField())


def named(codes: Iterable[str]) -> RawSQL:
    """Codes or numbers as a subquery for `__in`, as `among` does it for keys."""
    return RawSQL("SELECT unnest(%s::text[])", [list(codes)], output_field=models.TextField())


def mark_of(*, tables: Iterable[type[models.Model]]) -> int:
    """One number for all rows of some tables: it changes when any is added, changed or deleted."""
    parts = [
        f'SELECT {place}, count(*), coalesce(bit_xor({row_mark(model)}), 0) FROM "{model._meta.db_table}"'
        for place, model in enumerate(tables)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1")
        return number_of(cursor.fetchall())


def number_of(value: object) -> int:
    """A number that fits a bigint for anything with a repr of its own."""
    digest = hashlib.blake2b(repr(value).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
