"""Goods in: what is expected, counting a vendor's note in, taking it back."""

from receipts.services.expecting import expect, expect_new, expect_no_more
from receipts.services.receiving import (
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

__all__ = [
    "CertificateMissing",
    "CountedLine",
    "DuplicateNote",
    "LotRequired",
    "OrderClosed",
    "OrderNotSent",
    "OverReceipt",
    "SerialRequired",
    "VendorShort",
    "expect",
    "expect_new",
    "expect_no_more",
    "post_receipt",
    "reverse_receipt",
]
