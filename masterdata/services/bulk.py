"""Many rows at once: made or changed by business key, written in few statements. Other apps use it for their own tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models.base import ModelState

from masterdata.services.marks import among, named

M = TypeVar("M", bound=models.Model)
Key = tuple[Any, ...]
NAMED = 10  # how many new and changed rows are named


@dataclass(slots=True)
class Upserted:
    """What became of rows that were to be there: how many are new, differ now, or were so already, and each one's id by key.

    `new` and `differing` hold the keys of the first of them, as {column: value}; `changes` what each of `differing` was and is,
    by column.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    ids: dict[Key, int] = field(default_factory=dict)
    new: list[dict[str, Any]] = field(default_factory=list)
    differing: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, tuple[Any, Any]]] = field(default_factory=list)


@transaction.atomic
def upsert_by_key(
    *,
    model: type[models.Model],
    key: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
    known: Mapping[Key, Mapping[str, Any]] | None = None,
) -> Upserted:
    """Make or change rows of any model in bulk, each found by its unique `key`, whose first column is never null.

    Only what differs is written. Of two rows with one key the later one counts. `known`: what is there of them, whole rows,
    where the caller has read and locked it.
    """
    done = Upserted()
    wanted: dict[Key, Mapping[str, Any]] = {tuple(row[name] for name in key): row for row in rows}
    if not wanted:
        return done
    if known is None:
        known = _locked(model, key, wanted)
    new: list[Mapping[str, Any]] = []
    changed, touched = [], set()
    for found, row in wanted.items():
        old = known.get(found)
        if old is None:
            new.append(row)
        elif differing := [name for name, value in row.items() if old[name] != value]:
            touched.update(differing)
            if len(done.changes) < NAMED:
                done.changes.append({name: (old[name], row[name]) for name in differing})
            changed.append(model(**{**old, **row}))
        if old is not None:
            done.ids[found] = old["id"]
    for row, pk in zip(new, copy_rows(model=model, rows=new), strict=True):
        done.ids[tuple(row[name] for name in key)] = pk
    if changed:
        # One statement that writes whole rows again is far faster than an UPDATE with a case for each row and column.
        model._default_manager.bulk_create(
            changed, batch_size=2000, update_conflicts=True, unique_fields=["id"], update_fields=sorted(touched)
        )
    done.created, done.changed = len(new), len(changed)
    done.new = [{name: row[name] for name in key} for row in new[:NAMED]]
    done.differing = [{name: getattr(row, name) for name in key} for row in changed[:NAMED]]
    done.unchanged = len(wanted) - len(new) - len(changed)
    return done


def _locked(model: type[models.Model], key: tuple[str, ...], wanted: Iterable[Key]) -> dict[Key, Mapping[str, Any]]:
    """The rows with these keys (and some others), locked."""
    found = model._default_manager.all()
    for name, values in zip(key, map(set, zip(*wanted, strict=True)), strict=True):
        # Codes and keys are many and single out; the rest of a key (days, quantities) is compared by whoever asks.
        if all(type(value) is int for value in values):
            found = found.filter(**{f"{name}__in": among(values)})
        elif all(isinstance(value, str) for value in values):
            found = found.filter(**{f"{name}__in": named(values)})
        elif name == key[0]:
            found = found.filter(**{f"{name}__in": values})
    columns = [column.attname for column in model._meta.concrete_fields if not column.generated]
    rows = found.select_for_update().order_by("pk").values(*columns)
    return {tuple(row[name] for name in key): row for row in rows}


def copy_rows(*, model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows with COPY, four times as fast as any INSERT, and return their ids in order.

    A row maps column names to values; what it leaves out starts at its default, and what the database itself fills in is left
    to it. Every constraint of the table holds.
    """
    if not rows:
        return []
    given = set().union(*rows)
    columns = [
        column
        for column in model._meta.concrete_fields
        if not column.generated and not column.primary_key and not column.has_db_default()
    ]
    used = [column for column in columns if column.attname in given]
    rest = [column for column in columns if column.attname not in given]
    same = "".join(f"\t{_cell(_encoder(column), column.get_default())}" for column in rest) + "\n"
    ids = draw_keys(model._meta.db_table, len(rows))
    cells = [_cells(column, rows, is_whole=all(len(row) == len(given) for row in rows)) for column in used]
    text = io.StringIO()
    text.writelines("\t".join(line) + same for line in zip(map(str, ids), *cells, strict=True))
    _copy(model._meta.db_table, ["id", *(str(column.column) for column in (*used, *rest))], text)
    return ids


def _cells(column: models.Field[Any, Any], rows: Sequence[Mapping[str, Any]], *, is_whole: bool) -> Iterable[str]:
    """One column of these rows as COPY's text format writes it. `is_whole`: no row leaves anything out."""
    name, encode = column.attname, _encoder(column)
    if is_whole:
        values: Iterable[Any] = map(itemgetter(name), rows)
    else:
        default = column.get_default()
        values = (row.get(name, default) for row in rows)
    if isinstance(column, models.JSONField | ArrayField):
        return (_cell(encode, value) for value in values)
    return map(_Texts(encode).__getitem__, values)


class _Texts(dict[Any, str]):
    """The texts of a column's values, each made once: most columns hold few that differ."""

    def __init__(self, encode: Callable[[Any], str]) -> None:
        super().__init__({None: "\\N"})
        self._encode = encode

    def __missing__(self, value: Any) -> str:
        text = self[value] = self._encode(value)
        return text


def copy_objects(objects: Sequence[models.Model]) -> None:
    """Insert unsaved rows of one model with COPY; afterwards each has its key. No save(), no signal, every constraint."""
    if not objects:
        return
    for row, pk in zip(objects, copy_rows(model=type(objects[0]), rows=[vars(row) for row in objects]), strict=True):
        row.pk = pk
        row._state.adding = False


def maker_of(model: type[M]) -> Callable[[], M]:
    """A function that makes unsaved rows at their defaults, many times faster than the model itself does.

    For rows made by the thousand and then given to `copy_objects`; relations are set by their key (`order_id`).
    """
    defaults = {name: value for name, value in vars(model()).items() if name != "_state"}
    own = [
        (column.attname, column.default)
        for column in model._meta.concrete_fields
        if callable(column.default) and column.default is not models.NOT_PROVIDED
    ]

    def make() -> M:
        row = model.__new__(model)
        state = vars(row)
        state.update(defaults)
        state["_state"] = ModelState()
        for name, default in own:  # a list or a dict of its own
            state[name] = default()
        return row

    return make


def copy_values(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values (texts, numbers, dates, JSON as text), keys included, with COPY. Every constraint holds."""
    text = io.StringIO()
    cells = [map(_Texts(_text).__getitem__, values) for values in zip(*rows, strict=True)]
    text.writelines("\t".join(line) + "\n" for line in zip(*cells, strict=True))
    _copy(table, columns, text)


def draw_keys(table: str, count: int) -> list[int]:
    """Keys of a table drawn ahead, so that rows can be copied in with them, and rows that name them."""
    if not count:
        return []
    with connection.cursor() as cursor:
        # The sequence is looked up once (OFFSET keeps it apart), not once for each key.
        cursor.execute(
            "SELECT nextval(s) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS s OFFSET 0) x, generate_series(1, %s)",
            [table, count],
        )
        return [key for (key,) in cursor.fetchall()]


def _copy(table: str, columns: Sequence[str], text: io.StringIO) -> None:
    if not text.tell():
        return
    text.seek(0)
    names = ", ".join(f'"{column}"' for column in columns)
    # Django wraps the errors of execute(), not those of copy_expert().
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', text)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cell(encode: Callable[[Any], str], value: Any) -> str:
    return "\\N" if value is None else encode(value)


def _text(value: Any) -> str:
    text = value if type(value) is str else str(value)
    # Most cells need no escaping, and asking is cheaper than doing.
    return text if text.isalnum() or (text.isprintable() and "\\" not in text) else text.translate(_ESCAPES)


def _array(values: Iterable[Any]) -> str:
    quoted = ('"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return _text("{" + ",".join(quoted) + "}")


def _encoder(column: models.Field[Any, Any]) -> Callable[[Any], str]:
    """How COPY's text format writes a value of this column."""
    if isinstance(column, models.JSONField):
        return lambda value: _text(json.dumps(value, default=str))
    if isinstance(column, ArrayField):
        return _array
    if isinstance(column, models.DateField):
        return date.isoformat if not isinstance(column, models.DateTimeField) else lambda value: str(value.isoformat())
    if isinstance(column, models.DecimalField | models.IntegerField | models.BooleanField | models.ForeignKey):
        return str
    return _text
