"""Profiles: how the rows of another system's export become rows of the import format. Pure: mappings in, rows out.

A cell that cannot be read as its column says stays as it came, so that the import names it with its row and column: a number
written another way than the profile says is `Unread`, as it might pass for another number. A column of the table whose columns
the file does not have is left out, so that what is there stays.
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


class Unread(str):
    """A cell as it came that must not be taken for what it looks like; `why` is said of it. Equal to no text."""

    why: str

    def __new__(cls, text: str, why: str) -> Unread:
        made = super().__new__(cls, text)
        made.why = why
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unread) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((Unread, str(self)))


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a table: out of which column it comes, or what always stands there, and how it is read.

    `column` may name several; they are joined by `join` where there are several to be had. `strip_zeros` takes leading zeros
    of a number in text off (SAP). `times` multiplies (hours to minutes), `unit` by what the unit in another column is worth,
    `per` divides by the number in another column; of both so many `places` are kept. `map` gives other words for some; `filled`
    is the word for the first of several columns that holds something; `default` fills what is empty.
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
    unit: tuple[str, Mapping[str, Decimal]] | None = None
    per: str = ""
    places: int = 6
    strip_zeros: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the file it reads."""
        return (*self.column, *self.filled, *((self.unit[0],) if self.unit else ()), *((self.per,) if self.per else ()))


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of another file found by a column of this one, which lend their columns, as `file.column`.

    `every`: several may be found, and the row is one of each (a bill that several items share); else the last one lends.
    """

    file: str
    here: tuple[str, ...]
    there: tuple[str, ...]
    every: bool = False


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

    def read_of(self, file: str) -> set[str]:
        """The columns of a file that some table reads."""
        found: set[str] = set()
        for source in (source for sources in self.tables.values() for source in sources):
            read = [column for cell in source.columns.values() for column in cell.columns] + [*source.only]
            for lookup in source.joins:
                if source.file == file:
                    found.update(lookup.here)
                if lookup.file == file:
                    found.update(lookup.there)
                    found.update(name.removeprefix(f"{file}.") for name in read if name.startswith(f"{file}."))
            if source.file == file:
                found.update(read, source.skip_blank, source.carry_down)
        return found


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
            Lookup(one["file"], _several(one["here"]), _several(one["there"]), bool(one.get("every", False)))
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
        said,
        {
            "column", "join", "value", "map", "filled", "default", "date", "number", "times", "unit", "per", "places",
            "strip_zeros",
        },
        where,
    )  # fmt: skip
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
        unit=_unit(said["unit"], where) if "unit" in said else None,
        per=str(said.get("per", "")),
        places=int(said.get("places", 6)),
        strip_zeros=bool(said.get("strip_zeros", False)),
    )


def _unit(said: Mapping[str, Any], where: str) -> tuple[str, Mapping[str, Decimal]]:
    _known(said, {"column", "map"}, where)
    return str(said["column"]), {str(unit).upper(): Decimal(str(times)) for unit, times in said["map"].items()}


def _known(said: Mapping[str, Any], words: set[str], where: str) -> None:
    if unknown := set(said) - words:
        raise BadProfile(f"{where}: there is no {', '.join(sorted(unknown))}; known: {', '.join(sorted(words))}.")


def _several(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)


Row = Mapping[str, Any]


def mapped(source: Source, row: Row) -> dict[str, str]:
    """A row of the table, out of a row of the file (with those it is joined to)."""
    return {
        name: converted(cell, row)
        for name, cell in source.columns.items()
        if not (cell.column or cell.filled) or any(column in row for column in (*cell.column, *cell.filled))
    }


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
        return _number(text, cell, row)
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


BLANKS = str.maketrans("", "", " \u00a0\u2009\u202f")
WRITTEN = {  # with a point or a comma before the decimals, and the other mark between thousands, or none
    ".": re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d{1,2})?-?", re.ASCII),
    ",": re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?-?", re.ASCII),
}
MARKS = {".": "point", ",": "comma"}


def _number(text: str, cell: Cell, row: Row) -> str:
    """1.234,50 and 1,234.50 as 1234.50, with the sign before it, times the unit and per the number it stands with."""
    mark = cell.number or "."
    value = _read_number(text, mark)
    if value is None:
        if re.search(r"\d", text) and not re.search(r"[^\W\d_eE]", text):
            return Unread(text, f"“{text[:60]}” is not a number with a decimal {MARKS.get(mark, mark)}.")
        return text
    if cell.times is not None:
        value *= cell.times
    if cell.unit:
        column, known = cell.unit
        unit = str(row.get(column) or "").strip()
        if unit and unit.upper() not in known:
            return Unread(text, f"“{unit[:60]}” in {column} is none of: {', '.join(known)}.")
        value = (value * known[unit.upper()]).quantize(Decimal(1).scaleb(-cell.places)) if unit else value
    if cell.per:
        by = _read_number(str(row.get(cell.per) or "").strip() or "1", mark)
        if by is None or by < 0:
            return Unread(text, f"“{str(row[cell.per])[:60]}” in {cell.per} is not a number it can be divided by.")
        value = (value / by).quantize(Decimal(1).scaleb(-cell.places)) if by not in (0, 1) else value
    return f"{value:f}"


def _read_number(text: str, mark: str) -> Decimal | None:
    plain = text.translate(BLANKS)
    if not WRITTEN[mark].fullmatch(plain):
        return None
    plain = plain.replace("," if mark == "." else ".", "").replace(",", ".")
    if plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
