"""Pure rules of value: what a quantity taken out of a pool is worth, so that no cent is lost; and what stages are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

FIVE = Decimal("0.00001")
REWORK = "rework "
"""Stages of pieces that are back at a vendor to be mended begin so: they are product, not material."""


@dataclass(slots=True)
class Pool:
    """Stock that shares one cost: of an item at a site (moving average), or of one lot, or of one stage of work in progress."""

    quantity: Decimal
    value: Decimal

    def worth(self, quantity: Decimal) -> Decimal:
        """Value of `quantity` taken out now: its share by moving average, and all that is left with the last piece."""
        if quantity == self.quantity:
            return self.value
        if not self.quantity:
            return Decimal(0)
        return (self.value * quantity / self.quantity).quantize(FIVE, ROUND_HALF_UP)

    def put(self, quantity: Decimal, value: Decimal) -> None:
        self.quantity += quantity
        self.value += value

    def take(self, quantity: Decimal, value: Decimal) -> Decimal:
        """Take out at a stated value. Returns what may not stay behind: an empty pool is worth nothing, none less than that."""
        self.quantity -= quantity
        self.value -= value
        left = self.value if not self.quantity else min(self.value, Decimal(0))
        self.value -= left
        return left


def has_expired(expires_on: date | None, *, on: date) -> bool:
    """A lot may be used on its last day, and one without such a day for good."""
    return expires_on is not None and expires_on < on
