"""What an import says afterwards: what it did, or every bad row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from core.refusals import Refusal, Refusals

NAMED = 10  # how many rows of a kind are named
SHOWN_REJECTS = 100  # the rest is read as a file


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong where: rows of files count as a spreadsheet does (the header is row 1), rows of JSON from 1."""

    table: str
    file: str
    row: int | None
    column: str
    value: str
    code: str
    detail: str


class ImportRefused(Refusals):
    """Bad rows: nothing was written. `rows` names each, up to a thousand."""

    status = 422

    def __init__(self, rows: Sequence[BadRow]) -> None:
        self.rows = list(rows)
        first = self.rows[0]
        place = f"{first.file}, row {first.row}" if first.row else first.file
        more = f" ({len(self.rows)} bad rows in all)" if len(self.rows) > 1 else ""
        super().__init__(
            [_BadRow(row.detail, code=row.code, field=row.column or None) for row in self.rows],
            f"{place}: {first.detail}{more}",
        )
        self.status = 422

    def as_errors(self) -> list[dict[str, Any]]:
        return [
            {
                "code": row.code,
                "field": row.column or None,
                "detail": row.detail,
                "table": row.table,
                "file": row.file,
                "row": row.row,
                "column": row.column or None,
                "value": row.value,
            }
            for row in self.rows
        ]


class _BadRow(Refusal):
    status = 422


@dataclass(slots=True)
class ImportReport:
    """What an import did (or, as a dry run, would do): per table how many rows are new, changed and as they were.

    A snapshot also counts what it withdrew. `first` names the first rows of each kind; `rejects` are the rows of the orders
    that were left out, as they came, with the reason. `changes` says of the first changed rows, by table and key, what each
    column was and is to be. `warnings` are what a person should look at, `notes` what he may know.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    first: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    changes: dict[str, dict[str, list[tuple[str, str, str]]]] = field(default_factory=dict)
    rejects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rejected: int = 0
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False
    reference: str | None = None  # of the row that remembers it; none for a dry run, and where nothing changed

    @property
    def written(self) -> int:
        return sum(count["created"] + count["changed"] + count.get("withdrawn", 0) for count in self.counts.values())

    def name(self, table: str, kind: str, keys: Iterable[str]) -> None:
        """Keep the first rows that are new, changed, replaced or withdrawn by name."""
        names = self.first.setdefault(table, {}).setdefault(kind, [])
        names.extend(islice(keys, NAMED - len(names)))
        if not names:
            del self.first[table][kind]
            if not self.first[table]:
                del self.first[table]

    def tell(self, table: str, changes: Iterable[tuple[str, list[tuple[str, str, str]]]]) -> None:
        """Keep what changes in the first rows that do; the others are not even looked at."""
        rows = self.changes.get(table, {})
        rows |= islice(changes, NAMED - len(rows))
        if rows:
            self.changes[table] = rows

    def as_data(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "first": self.first,
            "changes": self.changes,
            "warnings": self.warnings,
            "notes": self.notes,
            "dry_run": self.dry_run,
            "rejected": self.rejected,
            "rejects": {table: rows[:SHOWN_REJECTS] for table, rows in self.rejects.items()},
            "errors": [],
        }


def rows_as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a CSV file of the import format, with every column any of them has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return text.getvalue()
