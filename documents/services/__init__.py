"""The main job and every act on a whole document set."""

from documents.services.acting import (
    NothingToApply,
    Way,
    acknowledge_set,
    approve_set,
    cancel_set,
    change_line,
    close_set,
    hold_set,
    release_set,
    reopen_set,
    revise_line,
    send_set,
    ways_of,
    withdraw_approval,
)
from documents.services.adhoc import AlreadyOut, speak_word
from documents.services.advising import NoLongerSo
from documents.services.answering import (
    accept_counter,
    counter_set,
    refuse_set,
    reject_counter,
    rush_set,
    withdraw_revision,
)
from documents.services.applying import ACCEPTABLE, accept_alert, apply_alert, is_applicable, refuse_alert
from documents.services.asking import answer, ask, operations_so_far, waiting_simulations
from documents.services.checking import Checked, check_invariants, recount
from documents.services.holding import NotHeld, confirm_run, drop_run
from documents.services.mailing import order_document, send_due_messages
from documents.services.ordering import GivenPart, HandLine, VendorCannot, order_by_hand
from documents.services.reminding import REMINDER, Reminded, remind_vendors
from documents.services.requesting import request_run, start_due_runs, start_run
from documents.services.retiring import refuse_where_used, set_in_use
from documents.services.runs import (
    Progress,
    continue_run,
    continue_runs,
    decide_run,
    progress,
    run_to_end,
    summary,
    write_shards,
)
from documents.services.simulating import NoCompany, Simulation, simulate, simulation_dict
from documents.services.sweeping import unanswered_orders, watch
from documents.services.watching import watch_shipped
from policies.services.supposing import Change
from subcontract_orders.services import send_due_orders

__all__ = [
    "ACCEPTABLE",
    "REMINDER",
    "AlreadyOut",
    "Change",
    "Checked",
    "GivenPart",
    "HandLine",
    "NoCompany",
    "NoLongerSo",
    "NotHeld",
    "NothingToApply",
    "Progress",
    "Reminded",
    "Simulation",
    "VendorCannot",
    "Way",
    "accept_alert",
    "accept_counter",
    "acknowledge_set",
    "answer",
    "apply_alert",
    "approve_set",
    "ask",
    "cancel_set",
    "change_line",
    "check_invariants",
    "close_set",
    "confirm_run",
    "continue_run",
    "continue_runs",
    "counter_set",
    "decide_run",
    "drop_run",
    "hold_set",
    "is_applicable",
    "operations_so_far",
    "order_by_hand",
    "order_document",
    "progress",
    "recount",
    "refuse_alert",
    "refuse_set",
    "refuse_where_used",
    "reject_counter",
    "release_set",
    "remind_vendors",
    "reopen_set",
    "request_run",
    "revise_line",
    "run_to_end",
    "rush_set",
    "send_due_messages",
    "send_due_orders",
    "send_set",
    "set_in_use",
    "simulate",
    "simulation_dict",
    "speak_word",
    "start_due_runs",
    "start_run",
    "summary",
    "unanswered_orders",
    "waiting_simulations",
    "watch",
    "watch_shipped",
    "ways_of",
    "withdraw_approval",
    "withdraw_revision",
    "write_shards",
]
