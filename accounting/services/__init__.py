"""The journal, closed periods, accounts and balances confirmed by vendors."""

from accounting.services.closing import (
    AlreadyClosed,
    PeriodNotOver,
    close_period,
    closed_through,
    reopen_period,
    set_account,
)
from accounting.services.confirming import (
    AlreadyPrepared,
    AnsweredQuantity,
    answer_confirmation,
    prepare_confirmations,
    send_confirmation,
)
from accounting.services.exporting import NothingToExport, entries_of, export_journal, journal_csv
from accounting.services.journal import check_journal, export_rows, prove_journal, write_journal

__all__ = [
    "AlreadyClosed",
    "AlreadyPrepared",
    "AnsweredQuantity",
    "NothingToExport",
    "PeriodNotOver",
    "answer_confirmation",
    "check_journal",
    "close_period",
    "closed_through",
    "entries_of",
    "export_journal",
    "export_rows",
    "journal_csv",
    "prepare_confirmations",
    "prove_journal",
    "reopen_period",
    "send_confirmation",
    "set_account",
    "write_journal",
]
