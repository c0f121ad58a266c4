"""What an import says afterwards: what it did, or every bad row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.refusals import Refusal, Refusals


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
    """What an import did (or, as a dry run, would do): per table how many rows are new, changed and as they were."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False
    reference: str | None = None  # of the row that remembers it; none for a dry run, and where nothing changed

    @property
    def written(self) -> int:
        return sum(count["created"] + count["changed"] for count in self.counts.values())

    def as_data(self) -> dict[str, Any]:
        return {"counts": self.counts, "notes": self.notes, "dry_run": self.dry_run, "errors": []}
