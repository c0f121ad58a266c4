"""How a row of a table is read: at once where every cell is right, cell by cell where one is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from operator import getitem
from typing import Any, NamedTuple

from interchange.rules.tables import REQUIRED, Column, Table
from interchange.rules.values import BadValue

MOST_KEPT = 4096  # cells of a column: most columns hold far fewer that differ, and no column may fill the memory
MOST_HEADERS = 100  # rows of JSON may each have columns of their own


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell (or, without column, with a row)."""

    column: str
    value: str
    code: str
    detail: str


class RowReader:
    """Reads the rows of one table. `ignored` are columns it has read over, extras of the source, in the order met."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.ignored: dict[str, None] = {}
        self._cells = {name: _Cells(column) for name, column in table.columns.items()}
        self._headers: dict[tuple[str, ...], _Header] = {}

    def read(self, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The values of the columns a row has, and what is wrong with it."""
        columns = tuple(raw)
        header = self._headers.get(columns) or self._learn(columns)
        if header.is_whole:
            try:
                cells = raw.values() if header.takes is None else compress(raw.values(), header.takes)
                return dict(zip(header.names, map(getitem, header.known, cells), strict=True)), []
            except (BadValue, TypeError):
                pass  # a cell is wrong, or is a list (of JSON), which cannot be looked up
        return _read_each(self.table, raw)

    def _learn(self, columns: tuple[str, ...]) -> _Header:
        table = self.table
        named = [table.aliases.get(column, column) for column in columns]
        takes = [name in table.columns for name in named]
        names = [*compress(named, takes)]
        self.ignored |= {column: None for column, is_taken in zip(columns, takes, strict=True) if not is_taken}
        header = _Header(
            names,
            [self._cells[name] for name in names],
            None if all(takes) else takes,
            set(REQUIRED[table.name]) <= set(names),
        )
        if len(self._headers) < MOST_HEADERS:
            self._headers[columns] = header
        return header


class _Header(NamedTuple):
    """The columns of a row as they stand: which are taken (None: all), what they are called, and what is known of each."""

    names: list[str]
    known: list[_Cells]
    takes: list[bool] | None
    is_whole: bool


class _Cells(dict[str | None, Any]):
    """The values of a column's cells, each read once: in a plan the same dates, codes and quantities stand in many rows."""

    def __init__(self, column: Column) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, cell: Any) -> Any:
        column = self._column
        if not _is_empty(cell):
            value = column.read(cell)
        elif column.required:
            raise BadValue("missing_value", "")  # said with the name of the column, where cells are read one by one
        else:
            value = column.blank
        # Of what JSON holds, 1, 1.0 and true are the same key, but not the same cell; and a list is somebody's own.
        if (type(cell) is str or cell is None) and type(value) is not list and len(self) < MOST_KEPT:
            self[cell] = value
        return value


def _read_each(table: Table, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for name, cell in raw.items():
        name = table.aliases.get(name, name)
        column = table.columns.get(name)
        if column is None:
            continue
        if _is_empty(cell):
            if column.required:
                problems.append(Problem(name, "", "missing_value", f"{name} must not be empty."))
            values[name] = column.blank
            continue
        try:
            values[name] = column.read(cell)
        except BadValue as bad:
            problems.append(Problem(name, str(cell)[:100], bad.code, bad.detail))
    for name in REQUIRED[table.name]:
        if name not in values and not any(problem.column == name for problem in problems):
            problems.append(Problem(name, "", "missing_column", f"The row has no {name}."))
    return values, problems


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
