"""Choosing among vendors who qualify, and dividing one operation between several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal

from policies.rules.price import QUANTA
from policies.rules.values import HUNDRED, ZERO, PolicyVendorValues


def target_shares(vendors: Sequence[PolicyVendorValues]) -> dict[int, Decimal]:
    """The share each vendor should have, as a weight: what is stated; those without one divide what is left of 100 evenly."""
    stated = [vendor.share_pct for vendor in vendors if vendor.share_pct is not None]
    blank = len(vendors) - len(stated)
    rest = max(ZERO, HUNDRED - sum(stated, ZERO)) / blank if blank else ZERO
    return {vendor.vendor_id: rest if vendor.share_pct is None else vendor.share_pct for vendor in vendors}


def deviation(
    given: Mapping[int, Decimal], shares: Mapping[int, Decimal], vendor_id: int, quantity: Decimal
) -> Decimal:
    """The mean absolute deviation from the target shares, in percent points, if the vendor got this quantity as well."""
    weight = sum(shares.values(), ZERO) or Decimal(1)
    total = sum((given.get(vendor, ZERO) for vendor in shares), ZERO) + quantity
    off = ZERO
    for vendor, share in shares.items():
        has = given.get(vendor, ZERO) + (quantity if vendor == vendor_id else ZERO)
        off += abs(has * weight - share * total)
    return off * HUNDRED / (total * weight * len(shares)) if total else ZERO


def split_by_share(total: Decimal, weights: Sequence[Decimal], decimals: int) -> list[Decimal]:
    """Divide a quantity by weights into parts of whole units whose sum is kept: the largest remainders take what is left over.

    Equal remainders: the earlier part first. The total must itself be in whole units.
    """
    weight = sum(weights, ZERO)
    if not weight:
        return [total, *[ZERO] * (len(weights) - 1)] if weights else []
    unit = QUANTA[decimals]
    exact = [total * share / weight for share in weights]
    parts = [part.quantize(unit, ROUND_FLOOR) for part in exact]
    left = int((total - sum(parts, ZERO)) / unit)
    order = sorted(range(len(weights)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[:left]:
        parts[index] += unit
    return parts
