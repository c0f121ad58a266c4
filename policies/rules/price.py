"""Which price row counts for an operation, and what a quantity costs by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from policies.rules.values import HUNDRED, ZERO, CurrencyValues, PriceRow

QUANTA = [Decimal(1).scaleb(-decimals) for decimals in range(9)]
STORED_DECIMALS = 3  # as many as any currency in use has
TOO_MUCH = Decimal(10) ** 15  # more than an amount column holds with room to add up

Group = tuple[PriceRow, ...]


def round_up(quantity: Decimal, decimals: int) -> Decimal:
    """What the system proposes is rounded up to the unit."""
    return quantity.quantize(QUANTA[decimals], ROUND_CEILING)


def round_money(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(QUANTA[min(decimals, STORED_DECIMALS)], ROUND_HALF_UP)


def order_quantity(good: Decimal, yield_pct: Decimal, decimals: int) -> Decimal:
    """How many to order so that `good` good pieces are expected back."""
    return round_up(good if yield_pct == HUNDRED else good * HUNDRED / yield_pct, decimals)


def levels(
    rows: Iterable[PriceRow],
    *,
    item_id: int,
    process_id: int | None,
    site_id: int,
    vendor_currency_id: int,
    company_currency_id: int,
) -> tuple[tuple[Group, Group], ...]:
    """A vendor's rows for an operation, most specific level first; in each level the rows in his currency, then in the company's.

    Levels: item and process before process (of an item bought complete, process None: the item), and in each our site
    before any site. Rows in other currencies do not count. In a group the rows stand in the order in which they win:
    highest minimum quantity first, then latest valid-from.
    """
    found: dict[tuple[bool, bool], tuple[list[PriceRow], list[PriceRow]]] = {}
    for row in rows:
        if row.process_id != process_id or row.item_id not in (None, item_id) or row.site_id not in (None, site_id):
            continue
        if row.item_id is None and process_id is None:
            continue
        if row.currency_id == vendor_currency_id:
            place = 0
        elif row.currency_id == company_currency_id:
            place = 1
        else:
            continue
        found.setdefault((row.item_id is None, row.site_id is None), ([], []))[place].append(row)
    return tuple(
        (tuple(sorted(groups[0], key=_winning_order)), tuple(sorted(groups[1], key=_winning_order)))
        for _, groups in sorted(found.items())
    )


def _winning_order(row: PriceRow) -> tuple[Decimal, int, int]:
    # Two rows that differ in nothing that decides cannot both stand (a constraint); the key keeps the order total.
    return (-row.minimum_quantity, -(row.valid_from.toordinal() if row.valid_from else 0), row.agreement_id)


def select(
    found: Sequence[tuple[Group, Group]],
    quantity_of: Callable[[PriceRow], Decimal],
    day_of: Callable[[PriceRow], date],
) -> PriceRow | None:
    """The row that counts: of the most specific level, in the vendor's currency before the company's, the highest minimum
    reached, then the latest valid-from. None where no row stands there on the day of ordering or none is reached: there is
    no fall-back to a wider level. The row found may have a blank price, which is no price either.
    """
    for groups in found:
        for group in groups:
            stands = False
            for row in group:
                day = day_of(row)
                if (row.valid_from is not None and day < row.valid_from) or (
                    row.valid_to is not None and day > row.valid_to
                ):
                    continue
                if quantity_of(row) >= row.minimum_quantity:
                    return row
                stands = True
            if stands:
                return None
    return None


def parse_price_unit(text: str) -> tuple[Decimal, str]:
    """What a price unit counts: 100 pcs is (100, pcs), kg is (1, kg), 100 is (100, "")."""
    leading = re.match(r"\d+(\.\d+)?", text, re.ASCII)
    count = Decimal(leading.group()) if leading else Decimal(1)
    return count, text[leading.end() :].strip() if leading else text.strip()


class Amounts(NamedTuple):
    work: Decimal
    top_up: Decimal
    lot_charge: Decimal
    freight: Decimal
    total: Decimal


def work(unit_price: Decimal, quantity: Decimal, factor: Decimal, decimals: int) -> Decimal:
    """Price × quantity in price units of `factor` pieces each, rounded."""
    return round_money(unit_price * (quantity if factor == 1 else quantity / factor), decimals)


def amounts(row: PriceRow, unit_price: Decimal, quantity: Decimal, decimals: int) -> Amounts:
    """What a line of `quantity` costs: work = price × quantity; shortfall to the minimum, lot charge, freight once each."""
    work_amount = work(unit_price, quantity, row.factor, decimals)
    top_up = ZERO
    if row.minimum_charge and (short := round_money(row.minimum_charge, decimals) - work_amount) > 0:
        top_up = short
    lot_charge = round_money(row.lot_charge, decimals) if row.lot_charge else ZERO
    freight = round_money(row.freight, decimals) if row.freight else ZERO
    return Amounts(work_amount, top_up, lot_charge, freight, work_amount + top_up + lot_charge + freight)


def rate_on(currency: CurrencyValues, day: date) -> Decimal | None:
    """Company currency for one unit, by the latest row not after the day."""
    for valid_from, rate in currency.rates:
        if valid_from <= day:
            return rate
    return None
