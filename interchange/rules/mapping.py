"""Profiles: how the rows of another system's export become rows of the import format. Pure: mappings in, rows out.

A cell that cannot be read as its column says stays as it came, so that the import names it with its row and column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any


class BadProfile(ValueError):
    """A profile that says something nobody understands."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a table: out of which column it comes, or what always stands there, and how it is read.

    `column` may name several; they are joined by `join` where there are several to be had. `strip_zeros` takes leading zeros
    of a number in text off (SAP). `times` multiplies (hours to minutes). `map` gives other words for some; `filled` is the word
    for the first of several columns that holds something; `default` fills what is empty.
    """

    column: tuple[str, ...] = ()
    join: str = " "
    value: str = ""
    map: Mapping[str, str] = field(default_factory=dict)
    filled: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    date: tuple[str, ...] = ()
    number: str = ""
    times: Decimal | None = None
    strip_zeros: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of another file found by a column of this one: `take` are columns they lend, as `file.column`."""

    file: str
    here: tuple[str, ...]
    there: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One file that fills (a part of) a table."""

    file: str
    columns: Mapping[str, Cell]
    joins: tuple[Lookup, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip_blank: tuple[str, ...] = ()
    carry_down: tuple[str, ...] = ()
    once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """All tables of one system's export. `separator` and `encoding` are how its files are written."""

    name: str
    title: str
    separator: str
    encoding: str
    documentation: tuple[str, ...]
    tables: Mapping[str, tuple[Source, ...]]

    @property
    def files(self) -> set[str]:
        """The names of all files that fill a table or lend columns, without `.csv`."""
        every = [source for sources in self.tables.values() for source in sources]
        return {source.file for source in every} | {lookup.file for source in every for lookup in source.joins}


def read_profile(name: str, said: Mapping[str, Any]) -> Profile:
    """A profile out of what its YAML holds. Raises BadProfile."""
    _known(said, {"title", "separator", "encoding", "documentation", "date", "number", "tables"}, name)
    dates, number = _several(said.get("date", ())), str(said.get("number", ""))
    tables = {
        table: tuple(_source(one, f"{name}: {table}", dates, number) for one in (of if isinstance(of, list) else [of]))
        for table, of in said["tables"].items()
    }
    return Profile(
        name,
        str(said.get("title", name)),
        str(said.get("separator", ",")),
        str(said.get("encoding", "utf-8-sig")),
        _several(said.get("documentation", ())),
        tables,
    )


def _source(said: Mapping[str, Any], where: str, dates: tuple[str, ...], number: str) -> Source:
    _known(said, {"file", "columns", "join", "only", "skip_blank", "carry_down", "once"}, where)
    joins = said.get("join", [])
    return Source(
        file=said["file"],
        columns={name: _cell(cell, f"{where}.{name}", dates, number) for name, cell in said["columns"].items()},
        joins=tuple(
            Lookup(one["file"], _several(one["here"]), _several(one["there"]))
            for one in (joins if isinstance(joins, list) else [joins])
        ),
        only={name: _several(values) for name, values in said.get("only", {}).items()},
        skip_blank=_several(said.get("skip_blank", ())),
        carry_down=_several(said.get("carry_down", ())),
        once=_several(said.get("once", ())),
    )


def _cell(said: Any, where: str, dates: tuple[str, ...], number: str) -> Cell:
    if not isinstance(said, Mapping):
        return Cell(column=(str(said),))
    _known(
        said, {"column", "join", "value", "map", "filled", "default", "date", "number", "times", "strip_zeros"}, where
    )
    wants_date, wants_number = said.get("date", False), said.get("number", False)
    return Cell(
        column=_several(said.get("column", ())),
        join=str(said.get("join", " ")),
        value=str(said.get("value", "")),
        map={str(key): str(value) for key, value in said.get("map", {}).items()},
        filled={str(key): str(value) for key, value in said.get("filled", {}).items()},
        default=str(said.get("default", "")),
        date=dates if wants_date is True else _several(wants_date or ()),
        number=(number if wants_number is True else str(wants_number)) if wants_number or "times" in said else "",
        times=Decimal(str(said["times"])) if "times" in said else None,
        strip_zeros=bool(said.get("strip_zeros", False)),
    )


def _known(said: Mapping[str, Any], words: set[str], where: str) -> None:
    if unknown := set(said) - words:
        raise BadProfile(f"{where}: there is no {', '.join(sorted(unknown))}; known: {', '.join(sorted(words))}.")


def _several(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)


Row = Mapping[str, Any]


def mapped(source: Source, row: Row) -> dict[str, str]:
    """A row of the table, out of a row of the file (with those it is joined to)."""
    return {name: converted(cell, row) for name, cell in source.columns.items()}


def converted(cell: Cell, row: Row) -> str:
    if cell.filled:
        # A day of zeros is how SAP writes none.
        found = (word for name, word in cell.filled.items() if str(row.get(name) or "").strip("0 "))
        return next(found, cell.default)
    if not cell.column:
        return cell.value
    parts = [str(row.get(name) or "").strip() for name in cell.column]
    text = cell.join.join(part for part in parts if part)
    if cell.map:
        text = cell.map.get(text, text)
    if not text:
        return cell.default
    if cell.strip_zeros and text.isdigit():
        text = text.lstrip("0") or "0"
    if cell.date:
        return _date(text, cell.date)
    if cell.number or cell.times is not None:
        return _number(text, cell.number, cell.times)
    return text


def _date(text: str, formats: Sequence[str]) -> str:
    if not text.strip("0-. /:"):
        return ""  # how SAP writes no date
    for one in formats:
        try:
            return datetime.strptime(text, one).date().isoformat()  # noqa: DTZ007 - a day of a plan has no zone
        except ValueError:
            continue
    return text


def _number(text: str, decimal_mark: str, times: Decimal | None) -> str:
    """1.234,50 and 1,234.50 as 1234.50, with the sign before it."""
    plain = text.replace(" ", "").replace("\u00a0", "")
    if decimal_mark == ",":
        plain = plain.replace(".", "").replace(",", ".")
    elif decimal_mark == ".":
        plain = plain.replace(",", "")
    if re.fullmatch(r"[\d.]+-", plain):
        plain = f"-{plain[:-1]}"
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return text
    if times is not None:
        value *= times
    return f"{value:f}"
