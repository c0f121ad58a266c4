"""Pure rules of invoices: what may be paid, at what price, what of an amount falls where. No cent is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)
FIVE = Decimal("0.00001")
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})")


def money(value: Decimal, *, decimals: int = 2) -> Decimal:
    """Rounded half-up to the currency's decimals."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def five(value: Decimal) -> Decimal:
    """Rounded half-up to the five decimals of quantities and of value in the ledger."""
    return value.quantize(FIVE, ROUND_HALF_UP)


def number(text: str) -> Decimal | None:
    """A number as documents write it, with up to fifteen digits before and after the point; none where it is not. What Python
    takes besides (1_000, 1E+30, other scripts' digits) is none.
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def spread(total: Decimal, weights: Sequence[Decimal], *, decimals: int) -> list[Decimal]:
    """Share a total out by weights, largest remainder: the parts have `decimals` and add up to the total exactly.

    Each part is cut off towards zero; the smallest units left over go to the largest remainders, ties to the first. Without any
    weight all bear the same. A total with more decimals than that keeps them on the part with the largest weight.

    >>> [str(part) for part in spread(Decimal(10), [Decimal(1)] * 3, decimals=2)]
    ['3.34', '3.33', '3.33']
    """
    if not weights:
        return []
    shares = list(weights) if sum(weights) else [Decimal(1)] * len(weights)
    whole, unit = sum(shares), Decimal(1).scaleb(-decimals)
    exact = [total * share / whole for share in shares]
    parts = [value.quantize(unit, ROUND_DOWN) for value in exact]
    step = unit if total >= 0 else -unit
    left = int((total - sum(parts)) / step)
    order = sorted(range(len(parts)), key=lambda place: (-abs(exact[place] - parts[place]), place))
    for place in order[:left]:
        parts[place] += step
    heaviest = max(range(len(shares)), key=lambda place: shares[place])
    parts[heaviest] += total - sum(parts)
    return parts


def most_payable(*, accepted: Decimal, tolerance_pct: Decimal) -> Decimal:
    """The most that may be invoiced of a line: what was accepted × (1 + tolerance %)."""
    return accepted * (HUNDRED + tolerance_pct) / HUNDRED


def price_fits(
    *, asked: Decimal, agreed: Decimal, quantity: Decimal, tolerance_pct: Decimal, tolerance_amount: Decimal
) -> bool:
    """Whether a price per unit may be paid: not above the agreed one by more than the per cent, or, for so many of the unit,
    by more than the amount. Either will do: the amount lets rounding of small lines pass, the per cent that of large ones.
    """
    if asked <= agreed * (HUNDRED + tolerance_pct) / HUNDRED:
        return True
    return (asked - agreed) * quantity <= tolerance_amount


def due(*, whole: Decimal, ordered: Decimal, quantity: Decimal, unit_amount: Decimal) -> Decimal:
    """What was agreed for `quantity` pieces of a line: their share of `whole`, the price of the `ordered` ones; more of them
    cost `unit_amount` each.
    """
    if quantity >= ordered:
        return whole + five(unit_amount * (quantity - ordered))
    return five(whole * quantity / ordered)


def take(wanted: Decimal, there: Iterable[Decimal]) -> list[Decimal]:
    """How much of `wanted` comes from each, the first first; what none has is left out."""
    taken = []
    for quantity in there:
        part = max(min(quantity, wanted), ZERO)
        taken.append(part)
        wanted -= part
    return taken


@dataclass(frozen=True, slots=True)
class Taxed:
    """One amount with its tax: category and rate."""

    amount: Decimal
    category: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """The tax on all amounts of one category and rate."""

    category: str
    rate: Decimal
    base: Decimal
    tax: Decimal


def taxes(lines: Iterable[Taxed], *, decimals: int = 2) -> list[TaxTotal]:
    """Tax by category and rate, rounded once for each (EN 16931, BR-CO-17). Reverse charge: the vendor asks for none."""
    bases: dict[tuple[str, Decimal], Decimal] = {}
    for line in lines:
        key = (line.category, line.rate)
        bases[key] = bases.get(key, ZERO) + line.amount
    return [
        TaxTotal(category, rate, base, money(base * rate / HUNDRED, decimals=decimals) if category == "S" else ZERO)
        for (category, rate), base in sorted(bases.items())
    ]


def number_key(number: str) -> str:
    """A vendor's number as it is compared: `INV 1` and `inv1` are the same."""
    return "".join(number.split()).casefold()
