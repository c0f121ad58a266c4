"""Pure rules of invoices: `amounts` (tolerances, shares, taxes) and `ubl` (the UBL 2.1 documents as plain values)."""

from invoices.rules.amounts import (
    FIVE,
    HUNDRED,
    Taxed,
    TaxTotal,
    due,
    five,
    money,
    most_payable,
    number,
    number_key,
    price_fits,
    spread,
    take,
    taxes,
)

__all__ = [
    "FIVE",
    "HUNDRED",
    "TaxTotal",
    "Taxed",
    "due",
    "five",
    "money",
    "most_payable",
    "number",
    "number_key",
    "price_fits",
    "spread",
    "take",
    "taxes",
]
