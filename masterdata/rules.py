"""What is known of currencies without asking anybody."""

MOST_DECIMALS = 2
"""Amounts are kept with so many decimals: a currency with more cannot be used."""

# Currencies whose amounts do not have two decimals (ISO 4217).
CURRENCY_DECIMALS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)


def decimals_of_currency(code: str) -> int:
    return CURRENCY_DECIMALS.get(code, 2)
