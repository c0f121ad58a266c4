"""Goods in: what is expected, counting a vendor's note in, taking it back."""

from inventory.rules import REWORK
from receipts.services.aging import OLD, RETURN_DUE, return_aged, watch_vendor_stock
from receipts.services.arriving import OfLot
from receipts.services.awaiting import late_arrivals, wrongly_ordered
from receipts.services.beside import booked_by_component
from receipts.services.correcting import adjust_consumption, correct_receipt
from receipts.services.costing import Costs, expected_of_lines, order_costs
from receipts.services.counting import Counted, NothingThere, count_vendor_stock, write_off_material
from receipts.services.direct import (
    NothingWanted,
    OverDelivery,
    call_off,
    mark_ordered,
    post_arrival,
    reverse_arrival,
)
from receipts.services.discrepancies import missing_of
from receipts.services.expecting import expect, expect_new, expect_no_more
from receipts.services.falling_short import watch_missing
from receipts.services.finishing import report_lines
from receipts.services.inspecting import (
    CertificateMissing,
    NothingToInspect,
    hand_in_certificates,
    inspect_receipt,
    waive_hold,
)
from receipts.services.leftovers import Leftovers, give_back_free_stock, settle_leftovers, take_back
from receipts.services.loading import load_stock
from receipts.services.lying import NotFree, NothingToReturn
from receipts.services.making_good import NothingMissing, PiecesGone, do_without, order_anew
from receipts.services.notes import (
    KIND,
    CameBeside,
    CountedLine,
    DuplicateNote,
    LotRequired,
    NotTracked,
    OrderClosed,
    OrderNotSent,
    OverReceipt,
    SerialRequired,
    VendorShort,
)
from receipts.services.opening import BadOpenLine, OpenLine, OpenOrdersRefused, load_open_orders
from receipts.services.quarantining import receive_or_quarantine, refuse_quarantine, release_quarantine
from receipts.services.receiving import post_receipt
from receipts.services.repricing import settle_prices
from receipts.services.returning import (
    MaterialLine,
    deliver_due_returns,
    dispatch_return,
    receive_return,
    return_left,
    return_material,
    reverse_return,
    spare_material,
)
from receipts.services.reversing import reverse_receipt
from receipts.services.sending_back import NotSentBack, OrderIsOver, check_quantity, return_product
from receipts.services.stating import vendor_statement
from receipts.services.tracing import Trace, find_lot, trace_lot
from receipts.services.watching import watch_material_left

__all__ = [
    "KIND",
    "OLD",
    "RETURN_DUE",
    "REWORK",
    "BadOpenLine",
    "CameBeside",
    "CertificateMissing",
    "Costs",
    "Counted",
    "CountedLine",
    "DuplicateNote",
    "Leftovers",
    "LotRequired",
    "MaterialLine",
    "NotFree",
    "NotSentBack",
    "NotTracked",
    "NothingMissing",
    "NothingThere",
    "NothingToInspect",
    "NothingToReturn",
    "NothingWanted",
    "OfLot",
    "OpenLine",
    "OpenOrdersRefused",
    "OrderClosed",
    "OrderIsOver",
    "OrderNotSent",
    "OverDelivery",
    "OverReceipt",
    "PiecesGone",
    "SerialRequired",
    "Trace",
    "VendorShort",
    "adjust_consumption",
    "booked_by_component",
    "call_off",
    "check_quantity",
    "correct_receipt",
    "count_vendor_stock",
    "deliver_due_returns",
    "dispatch_return",
    "do_without",
    "expect",
    "expect_new",
    "expect_no_more",
    "expected_of_lines",
    "find_lot",
    "give_back_free_stock",
    "hand_in_certificates",
    "inspect_receipt",
    "late_arrivals",
    "load_open_orders",
    "load_stock",
    "mark_ordered",
    "missing_of",
    "order_anew",
    "order_costs",
    "post_arrival",
    "post_receipt",
    "receive_or_quarantine",
    "receive_return",
    "refuse_quarantine",
    "release_quarantine",
    "report_lines",
    "return_aged",
    "return_left",
    "return_material",
    "return_product",
    "reverse_arrival",
    "reverse_receipt",
    "reverse_return",
    "settle_leftovers",
    "settle_prices",
    "spare_material",
    "take_back",
    "trace_lot",
    "vendor_statement",
    "waive_hold",
    "watch_material_left",
    "watch_missing",
    "watch_vendor_stock",
    "write_off_material",
    "wrongly_ordered",
]
