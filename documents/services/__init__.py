"""The main job and every act on a whole document set."""

from documents.services.acting import (
    acknowledge_set,
    approve_set,
    cancel_set,
    change_line,
    close_set,
    hold_set,
    release_set,
    reopen_set,
    send_set,
)
from documents.services.runs import (
    Progress,
    continue_run,
    continue_runs,
    decide_run,
    progress,
    request_run,
    run_to_end,
    start_due_runs,
    start_run,
    summary,
    write_shards,
)
from subcontract_orders.services import send_due_orders

__all__ = [
    "Progress",
    "acknowledge_set",
    "approve_set",
    "cancel_set",
    "change_line",
    "close_set",
    "continue_run",
    "continue_runs",
    "decide_run",
    "hold_set",
    "progress",
    "release_set",
    "reopen_set",
    "request_run",
    "run_to_end",
    "send_due_orders",
    "send_set",
    "start_due_runs",
    "start_run",
    "summary",
    "write_shards",
]
