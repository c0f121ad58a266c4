"""Vendor invoices: entered, matched against what was received, held or let pass, paid; credit notes and charge-backs."""

from invoices.services.charging_back import NotDecided, charge_back, decide_charge_back, watch_charge_backs
from invoices.services.crediting import OverCredit, credit_invoice
from invoices.services.electronic import NotReadable, as_ubl, enter_csv, enter_ubl
from invoices.services.entering import (
    KIND,
    DuplicateInvoice,
    EnteredLine,
    NoRate,
    NotOrdered,
    NoWeight,
    enter_invoice,
    find_noted,
)
from invoices.services.exporting import NothingToExport, as_csv, export_approved, export_invoice, rows_as_csv
from invoices.services.holding import (
    OwnInvoice,
    PriceStillOpen,
    dispute_invoice,
    release_invoice,
    withdraw_invoice,
)
from invoices.services.matching import HELD_ALERT, match_invoice
from invoices.services.owing import Owed, lines_to_invoice, what_is_owed
from invoices.services.posting import NoLongerFits, approve_invoice
from invoices.services.reading import NotInvoiced, check_invoices, received_not_invoiced, total_not_invoiced
from invoices.services.self_billing import NothingToBill, self_bill
from invoices.services.settling import CreditedClaim, NotClaimed, credit_charge_backs, net_charge_backs
from invoices.services.watching import watch_invoices

__all__ = [
    "HELD_ALERT",
    "KIND",
    "CreditedClaim",
    "DuplicateInvoice",
    "EnteredLine",
    "NoLongerFits",
    "NoRate",
    "NoWeight",
    "NotClaimed",
    "NotDecided",
    "NotInvoiced",
    "NotOrdered",
    "NotReadable",
    "NothingToBill",
    "NothingToExport",
    "OverCredit",
    "Owed",
    "OwnInvoice",
    "PriceStillOpen",
    "approve_invoice",
    "as_csv",
    "as_ubl",
    "charge_back",
    "check_invoices",
    "credit_charge_backs",
    "credit_invoice",
    "decide_charge_back",
    "dispute_invoice",
    "enter_csv",
    "enter_invoice",
    "enter_ubl",
    "export_approved",
    "export_invoice",
    "find_noted",
    "lines_to_invoice",
    "match_invoice",
    "net_charge_backs",
    "received_not_invoiced",
    "release_invoice",
    "rows_as_csv",
    "self_bill",
    "total_not_invoiced",
    "watch_charge_backs",
    "watch_invoices",
    "what_is_owed",
    "withdraw_invoice",
]
