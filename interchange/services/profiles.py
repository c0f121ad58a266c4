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
    lent: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], Mapping[str, Any]]] = {}
    tables: dict[str, Rows] = {}
    for table, sources in profile.tables.items():
        here = [source for source in sources if source.file in files]
        if here:
            tables[table] = MappedRows(here, files, lent)
    if not tables:
        raise FileRefused(
            f"The profile {profile.name} reads {', '.join(sorted(profile.files))}.", code="not_found", file=""
        )
    return tables


class MappedRows:
    """The rows of one table out of one or several files. `file` and `at_row` say where the row just given stands."""

    first = 2

    def __init__(
        self,
        sources: list[Source],
        files: Mapping[str, Rows],
        lent: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], Mapping[str, Any]]],
    ) -> None:
        self._sources, self._files, self._lent = sources, files, lent
        self.file = getattr(files[sources[0].file], "file", sources[0].file)
        self.at_row = 1

    @property
    def warnings(self) -> list[str]:
        return [text for source in self._sources for text in getattr(self._files[source.file], "warnings", ())]

    @property
    def bytes_read(self) -> int:
        return sum(getattr(self._files[source.file], "bytes_read", 0) for source in self._sources)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for source in self._sources:
            rows = self._files[source.file]
            self.file = getattr(rows, "file", source.file)
            seen: set[tuple[str, ...]] = set()
            carried: dict[str, Any] = {}
            for self.at_row, row in enumerate(rows, start=getattr(rows, "first", 2)):
                if source.carry_down:
                    carried |= {name: row[name] for name in source.carry_down if str(row.get(name) or "").strip()}
                    row = {**row, **carried}
                for lookup in source.joins:
                    key = tuple(str(row.get(name) or "").strip() for name in lookup.here)
                    found = self._lender(lookup.file, lookup.there).get(key, {})
                    row = {**row, **{f"{lookup.file}.{name}": value for name, value in found.items()}}
                if any(str(row.get(name) or "").strip() not in values for name, values in source.only.items()):
                    continue
                if any(not str(row.get(name) or "").strip() for name in source.skip_blank):
                    continue
                ready = mapped(source, row)
                if source.once:
                    mine = tuple(ready[name] for name in source.once)
                    if mine in seen:
                        continue
                    seen.add(mine)
                yield ready

    def _lender(self, file: str, there: tuple[str, ...]) -> dict[tuple[str, ...], Mapping[str, Any]]:
        if (file, there) not in self._lent:
            rows: dict[tuple[str, ...], Mapping[str, Any]] = {}
            for row in self._files.get(file, ()):
                rows[tuple(str(row.get(name) or "").strip() for name in there)] = row
                if len(rows) > MOST_LENT:
                    raise FileRefused(f"More than {MOST_LENT:,} rows to join to.", code="too_large", file=file)
            self._lent[file, there] = rows
        return self._lent[file, there]
