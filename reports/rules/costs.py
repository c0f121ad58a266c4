"""Why an operation cost other than expected: price, quantity, yield or exchange rate. The four add up to the deviation."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

ZERO = Decimal(0)
FIVE = Decimal("0.00001")


@dataclass(frozen=True, slots=True)
class Facts:
    """Money in company currency, pieces in the item's unit. `expected` is for `planned_pieces`, of which `planned_good` come out
    good; `material_at_standard` is what was really used, valued at standard cost.
    """

    planned_good: Decimal
    planned_pieces: Decimal
    good: Decimal
    made: Decimal
    expected: Decimal
    expected_material: Decimal
    actual: Decimal
    exchange: Decimal
    material_at_standard: Decimal


@dataclass(frozen=True, slots=True)
class Causes:
    """Above zero: dearer than expected.

    `yield_` more pieces were made for the good ones than expected; `quantity` more material was used for the pieces made than the
    bill says; `exchange` invoices at another rate; `price` the rest: dearer material, work and invoices.
    """

    NAMES: ClassVar = ("price", "quantity", "yield_", "exchange")

    price: Decimal = ZERO
    quantity: Decimal = ZERO
    yield_: Decimal = ZERO
    exchange: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.price + self.quantity + self.yield_ + self.exchange


def causes(facts: Facts) -> Causes:
    """The deviation of what was spent from what was expected for the good pieces so far, by cause.

    Expected for the good = good × expected ÷ planned good. Yield = (made − good × planned pieces ÷ planned good) × expected ÷
    planned pieces. Quantity = material used at standard − made × expected material ÷ planned pieces. As flexible budgets and
    standard costing have it: price at actual quantities, usage at standard prices.
    """
    if not facts.made and not facts.actual:
        return Causes()
    a_piece = facts.expected / facts.planned_pieces
    for_good = facts.good * facts.expected / facts.planned_good
    yield_ = _money((facts.made - facts.good * facts.planned_pieces / facts.planned_good) * a_piece)
    quantity = _money(facts.material_at_standard - facts.made * facts.expected_material / facts.planned_pieces)
    deviation = facts.actual - _money(for_good)
    return Causes(deviation - yield_ - quantity - facts.exchange, quantity, yield_, facts.exchange)


def _money(value: Decimal) -> Decimal:
    return value.quantize(FIVE, ROUND_HALF_UP)
