"""Pure rules of goods in: what may be received, what was used up for it, what the output is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)
FIVE = Decimal("0.00001")


def at_most(*, ordered: Decimal, over_pct: Decimal) -> Decimal:
    """The most that may be received of a line: ordered × (1 + over %)."""
    return ordered * (HUNDRED + over_pct) / HUNDRED


def is_enough(*, ordered: Decimal, received: Decimal, under_pct: Decimal) -> bool:
    """Whether a line is complete: all is there, or what is missing is within the under-delivery tolerance."""
    return received >= ordered * (HUNDRED - under_pct) / HUNDRED


def rounded_up(quantity: Decimal, *, decimals: int) -> Decimal:
    return quantity.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_CEILING)


def standard_use(
    *, per_piece: Decimal, scrap_pct: Decimal, decimals: int, made_before: Decimal, made_now: Decimal
) -> Decimal:
    """Use by bill of material for pieces made now, whatever their quality, rounded up to the unit.

    Rounded over all pieces made so far: single pieces at 0.5 use 1, 0, 1, 0 and never more than the whole.
    """
    factor = per_piece * (HUNDRED + scrap_pct) / HUNDRED

    def through(made: Decimal) -> Decimal:
        return rounded_up(factor * made, decimals=decimals)

    return through(made_before + made_now) - through(made_before)


def as_sent_use(
    *, made_now: Decimal, ordered: Decimal, made_before: Decimal, unused: Decimal, decimals: int
) -> Decimal:
    """The share of what was sent and not used yet: this receipt × unused ÷ what was still to come, rounded up to the unit."""
    to_come = ordered - made_before
    if made_now >= to_come:
        return unused
    return min(unused, rounded_up(made_now * unused / to_come, decimals=decimals))


def accrued(*, amount: Decimal, unit_amount: Decimal, ordered: Decimal, received: Decimal) -> Decimal:
    """What is owed for `received` pieces of a line worth `amount`: its share, so that the whole line owes exactly its amount;
    pieces beyond the ordered ones cost `unit_amount` each, charges apart.
    """
    if received >= ordered:
        return amount + (unit_amount * (received - ordered)).quantize(FIVE, ROUND_HALF_UP)
    return (amount * received / ordered).quantize(FIVE, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a receipt line's pieces are worth: `good` goes into stock, `bad` is what rejected and scrapped ones cost."""

    good: Decimal
    bad: Decimal


def output_value(*, accepted: Decimal, bad: Decimal, components: Decimal, work: Decimal, absorbs: bool) -> Worth:
    """Split components + work over good and bad pieces. Absorbed, the good ones bear all; without good ones nothing can."""
    total = components + work
    if not accepted:
        return Worth(ZERO, total)
    if absorbs or not bad:
        return Worth(total, ZERO)
    good = (total * accepted / (accepted + bad)).quantize(FIVE, ROUND_HALF_UP)
    return Worth(good, total - good)


def by_product_value(*, quantity: Decimal, unit_value: Decimal) -> Decimal:
    """What a by-product goes into stock with; the pieces it comes beside cost so much less."""
    return (quantity * unit_value).quantize(FIVE, ROUND_HALF_UP)


def sample(*, quantity: Decimal, pct: Decimal) -> Decimal:
    """Pieces of a delivery to look at: its share, at least one. 10 % of 30 is 3."""
    return min(quantity, max(rounded_up(quantity * pct / HUNDRED, decimals=0), Decimal(1)))
