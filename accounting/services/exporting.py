"""Handing the journal over to bookkeeping: each entry once, in files that can be had again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Prefetch, QuerySet

from accounting.models import Entry, EntryLine, JournalExport
from accounting.services.journal import export_rows, lock_journal, write_journal
from accounts.models import User
from activity import services as activity
from core.refusals import Refusal
from masterdata import services as masterdata

KIND = "journal_export"
COLUMNS = (
    "entry", "posting_date", "event_date", "document_kind", "document_number", "account", "account_name", "debit", "credit",
    "vendor", "site", "text",
)  # fmt: skip


class NothingToExport(Refusal):
    """Every entry has been handed over."""

    code = "nothing_to_do"


@transaction.atomic
def export_journal(*, until: date | None = None, by: User | None, at: datetime, through: str = "page") -> JournalExport:
    """Take every entry not handed over yet, posted up to a day, into one file. Again takes what has come since.

    Raises NothingToExport.
    """
    write_journal(at=at)
    lock_journal()
    entries = (Entry.objects.visible_to(by) if by else Entry.objects.all()).unexported()
    if until is not None:
        entries = entries.filter(posting_date__lte=until)
    last = entries.aggregate(last=Max("posting_date"))["last"]
    if last is None:
        raise NothingToExport("Every entry has been exported already; the files can be had again.", field="until")
    made = JournalExport(
        number=masterdata.draw_numbers(kind=KIND)[0], until=last, entries=1, exported_at=at, exported_by=by
    )
    made.save()
    made.entries = entries.update(export=made)
    made.save(update_fields=["entries"])
    activity.record(
        "journal.exported", kind=KIND, number=made.number, at=at, by=by, through=through, data={"entries": made.entries}
    )
    return made


def entries_of(export: JournalExport, *, by: User) -> QuerySet[Entry]:
    """What an export holds, as far as its reader may see, in the order it was posted."""
    return Entry.objects.visible_to(by).filter(export=export).order_by("posting_date", "pk")


def journal_csv(entries: QuerySet[Entry]) -> str:
    """Lines of entries with the company's accounts, debit and credit. Texts never begin like a formula."""
    lines = Prefetch("lines", EntryLine.objects.order_by("role"))
    return _written(entries.select_related("vendor", "site").prefetch_related(lines))


def _written(entries: Iterable[Entry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in export_rows(entries):
        writer.writerow([_cell(getattr(row, name)) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
