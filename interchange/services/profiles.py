"""Exports of other systems read through a profile: the tables of the import format, a row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.refusals import NotFound
from interchange.rules.mapping import Profile, Source, mapped, read_profile
from interchange.services.files import CsvRows, FileRefused, Rows

FOLDER = Path(__file__).resolve().parents[1] / "profiles"
MOST_LENT = 1_000_000  # rows of one file that others are joined to
NOTHING = "find nothing"
MOST_NOTES = 20  # of one file


class UnknownProfile(NotFound):
    """There is no profile of that name."""

    status = 422


def profile_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@lru_cache(maxsize=16)
def load_profile(name: str) -> Profile:
    """Raises UnknownProfile."""
    if name not in profile_names():
        raise UnknownProfile(f"There is no profile {name[:60]}. Known: {', '.join(profile_names())}.", field="profile")
    return read_profile(name, yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def through_profile(profile: Profile, files: Mapping[str, Rows]) -> dict[str, Rows]:
    """The tables that these files (by name without .csv) fill. Files the profile does not know are refused by name.

    Raises FileRefused.
    """
    unknown = sorted(files.keys() - profile.files)
    if unknown:
        text = (
            f"The profile {profile.name} reads {', '.join(sorted(profile.files))}; {unknown[0][:60]} is none of them."
        )
        raise FileRefused(text, code="not_found", file=unknown[0][:100])
    for file in files.values():
        if isinstance(file, CsvRows):
            file.written(separator=profile.separator, encoding=profile.encoding)
    lent: Lent = {}
    tables: dict[str, Rows] = {}
    for table, sources in profile.tables.items():
        here = [source for source in sources if source.file in files]
        if here:
            tables[table] = MappedRows(profile, here, files, lent)
    if not tables:
        raise FileRefused(
            f"The profile {profile.name} reads {', '.join(sorted(profile.files))}.", code="not_found", file=""
        )
    return tables


Key = tuple[str, ...]
Lent = dict[tuple[str, Key], dict[Key, list[Mapping[str, Any]]]]
"""Rows of files that others are joined to, by file and columns, by what stands in these."""


class MappedRows:
    """The rows of one table out of one or several files. `file` and `at_row` say where the row just given stands.

    `notes` say, once all are read, which were passed over and which columns of the files nobody reads; `warnings` also which
    found nothing in a file they are joined to.
    """

    first = 2

    def __init__(self, profile: Profile, sources: list[Source], files: Mapping[str, Rows], lent: Lent) -> None:
        self._profile, self._sources, self._files, self._lent = profile, sources, files, lent
        self.file = getattr(files[sources[0].file], "file", sources[0].file)
        self.at_row = 1
        self.notes: list[str] = []
        self._not_found: list[str] = []
        self._seen: dict[str, tuple[int, int]] = {}  # what is noted: how many rows, the first of them

    @property
    def warnings(self) -> list[str]:
        files = [text for source in self._sources for text in getattr(self._files[source.file], "warnings", ())]
        return files + self._not_found

    @property
    def bytes_read(self) -> int:
        return sum(getattr(self._files[source.file], "bytes_read", 0) for source in self._sources)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        self.notes, self._not_found = [], []
        for source in self._sources:
            rows = self._files[source.file]
            self.file, self._seen = getattr(rows, "file", source.file), {}
            seen: set[Key] = set()
            carried: dict[str, Any] = {}
            for self.at_row, row in enumerate(rows, start=getattr(rows, "first", 2)):
                if source.carry_down:
                    carried |= {name: row[name] for name in source.carry_down if str(row.get(name) or "").strip()}
                    row = {**row, **carried}
                for joined in self._joined(source, row):
                    if not self._is_read(source, joined):
                        continue
                    ready = mapped(source, joined)
                    if source.once:
                        mine = tuple(ready[name] for name in source.once)
                        if mine in seen:
                            continue
                        seen.add(mine)
                    yield ready
            for what, (count, first) in self._seen.items():
                said = f"{self.file}: {count} rows, the first is row {first}, {what}"
                (self._not_found if what.startswith(NOTHING) else self.notes).append(said)
            for file in dict.fromkeys([source.file, *(lookup.file for lookup in source.joins)]):
                self._note_columns(file)

    def _note_columns(self, file: str) -> None:
        rows = self._files.get(file)
        read = self._profile.read_of(file)
        if unread := [name for name in getattr(rows, "columns", ()) if name not in read]:
            columns = ", ".join(name[:60] for name in unread[:50])
            self.notes.append(f"{getattr(rows, 'file', file)}: ignored columns: {columns}")

    def _joined(self, source: Source, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The row with the columns that others lend it; one for each where a join finds several and takes every one."""
        found = [row]
        for lookup in source.joins:
            key = _key(row, lookup.here)
            lenders = self._lender(lookup.file, lookup.there).get(key, [])
            if not lenders and any(part.strip("0") for part in key):
                by = ", ".join(lookup.here)
                sent = lookup.file in self._files
                self._note(
                    f"{NOTHING} by {by} in {lookup.file}.csv."
                    if sent
                    else f"lack {lookup.file}.csv to look up {by} in."
                )
            if len(lenders) > 1 and not lookup.every:
                self._note(f"find several rows by {', '.join(lookup.here)} in {lookup.file}.csv; the last one counts.")
                lenders = lenders[-1:]
            found = [
                {**one, **{f"{lookup.file}.{name}": value for name, value in lender.items()}}
                for one in found
                for lender in lenders or [{}]
            ]
        return found

    def _is_read(self, source: Source, row: Mapping[str, Any]) -> bool:
        for name, values in source.only.items():
            if (said := str(row.get(name) or "").strip()) not in values:
                self._note(f"are not read: {name} is {said[:60] or 'empty'}.")
                return False
        if blank := next((name for name in source.skip_blank if not str(row.get(name) or "").strip()), None):
            self._note(f"are not read: {blank} is empty.")
            return False
        return True

    def _note(self, what: str) -> None:
        count, first = self._seen.get(what, (0, self.at_row))
        if count or len(self._seen) < MOST_NOTES:
            self._seen[what] = count + 1, first

    def _lender(self, file: str, there: Key) -> dict[Key, list[Mapping[str, Any]]]:
        if (file, there) not in self._lent:
            rows: dict[Key, list[Mapping[str, Any]]] = {}
            for number, row in enumerate(self._files.get(file, ()), 1):
                if number > MOST_LENT:
                    raise FileRefused(f"More than {MOST_LENT:,} rows to join to.", code="too_large", file=file)
                rows.setdefault(_key(row, there), []).append(row)
            self._lent[file, there] = rows
        return self._lent[file, there]


def _key(row: Mapping[str, Any], columns: Key) -> Key:
    return tuple(str(row.get(name) or "").strip() for name in columns)
