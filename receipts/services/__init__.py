"""Goods in: what is expected, counting a vendor's note in, taking it back."""

from receipts.services.counting import Counted, NothingThere, count_vendor_stock, write_off_material
from receipts.services.expecting import expect, expect_new, expect_no_more
from receipts.services.leftovers import Leftovers, give_back_free_stock, settle_leftovers, take_back
from receipts.services.lying import NotFree, NothingToReturn
from receipts.services.receiving import (
    KIND,
    CertificateMissing,
    CountedLine,
    DuplicateNote,
    LotRequired,
    OrderClosed,
    OrderNotSent,
    OverReceipt,
    SerialRequired,
    VendorShort,
    post_receipt,
    reverse_receipt,
)
from receipts.services.returning import (
    MaterialLine,
    NotSentBack,
    OrderIsOver,
    receive_return,
    return_material,
    return_product,
    reverse_return,
)
from receipts.services.tracing import Trace, find_lot, trace_lot
from receipts.services.watching import watch_material_left

__all__ = [
    "KIND",
    "CertificateMissing",
    "Counted",
    "CountedLine",
    "DuplicateNote",
    "Leftovers",
    "LotRequired",
    "MaterialLine",
    "NotFree",
    "NotSentBack",
    "NothingThere",
    "NothingToReturn",
    "OrderClosed",
    "OrderIsOver",
    "OrderNotSent",
    "OverReceipt",
    "SerialRequired",
    "Trace",
    "VendorShort",
    "count_vendor_stock",
    "expect",
    "expect_new",
    "expect_no_more",
    "find_lot",
    "give_back_free_stock",
    "post_receipt",
    "receive_return",
    "return_material",
    "return_product",
    "reverse_receipt",
    "reverse_return",
    "settle_leftovers",
    "take_back",
    "trace_lot",
    "watch_material_left",
    "write_off_material",
]
