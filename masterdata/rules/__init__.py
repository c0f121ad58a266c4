"""What is known of currencies without asking anybody."""

from decimal import Decimal

CENT = Decimal("0.01")
MOST_DECIMALS = 3
"""Amounts are kept with so many decimals: a currency with more cannot be used."""
MOST_MONEY = Decimal(10) ** 12
"""No document of ours is about so much, in company currency; the journal holds ten times that. More is a slip of the keyboard."""

# Currencies whose amounts do not have two decimals (ISO 4217).
CURRENCY_DECIMALS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)


def short_money(amount: Decimal) -> Decimal:
    """An amount with two decimals where it has no more: 100.000 is 100.00, 100.125 stays."""
    short = amount.quantize(CENT)
    return short if short == amount else amount


def decimals_of_currency(code: str) -> int:
    return CURRENCY_DECIMALS.get(code, 2)
