"""What an operation needs: bill-of-material lines of one operation, phantoms opened, quantities rounded up to the unit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

DEEPEST = 20
BY_PRODUCT = "by_product"  # the supply of a row that comes out instead of going in
FIVE_DECIMALS = Decimal("0.00001")
HUNDRED = Decimal(100)
ONE = Decimal(1)


class EndlessPhantoms(ValueError):
    """Phantom assemblies that hold one another."""


@dataclass(frozen=True, slots=True)
class BomRow:
    """One line of a bill of material; `decimals` and `is_phantom` are the component's."""

    component_id: int
    quantity: Decimal
    is_per_order: bool
    scrap_pct: Decimal
    operation_no: str
    supply: str
    decimals: int
    is_phantom: bool


@dataclass(frozen=True, slots=True)
class Ratio:
    """So much of a component for each piece (or for the whole order): `factor` is exact and holds the scrap of its own line."""

    item_id: int
    supply: str
    is_per_order: bool
    quantity_per: Decimal
    scrap_pct: Decimal
    factor: Decimal
    decimals: int


@dataclass(frozen=True, slots=True)
class Component:
    """What a quantity of an operation needs of one component, in the component's unit."""

    item_id: int
    supply: str
    is_per_order: bool
    quantity_per: Decimal
    scrap_pct: Decimal
    required: Decimal


def rounded_up(quantity: Decimal, *, decimals: int) -> Decimal:
    """A proposed quantity in whole steps of its unit, never less than asked for."""
    return quantity.quantize(ONE.scaleb(-decimals), rounding=ROUND_CEILING)


def ratios(
    boms: Mapping[int, Sequence[BomRow]],
    *,
    item_id: int,
    operation_no: str,
    is_first: bool,
    operation_nos: Collection[str],
) -> tuple[Ratio, ...]:
    """The components of one operation of an item, per piece or per order.

    A line tied to no operation, or to one this order does not have, belongs to the first. A phantom is opened wherever it
    stands and its own lines follow it, whatever operation they name. Raises EndlessPhantoms.
    """
    mine = [
        row
        for row in boms.get(item_id, ())
        if row.operation_no == operation_no or (is_first and row.operation_no not in operation_nos)
    ]
    return tuple(_opened(boms, mine, times=ONE, is_per_order=False, depth=0))


def whole_ratios(boms: Mapping[int, Sequence[BomRow]], *, item_id: int) -> tuple[Ratio, ...]:
    """The components of an item as a whole, whatever operation its lines are tied to. Raises EndlessPhantoms."""
    return tuple(_opened(boms, boms.get(item_id, ()), times=ONE, is_per_order=False, depth=0))


def required(ratio: Ratio, *, quantity: Decimal) -> Component:
    """What `quantity` pieces need; per-order quantities are not scaled."""
    wanted = ratio.factor if ratio.is_per_order else ratio.factor * quantity
    return Component(
        ratio.item_id,
        ratio.supply,
        ratio.is_per_order,
        ratio.quantity_per,
        ratio.scrap_pct,
        rounded_up(wanted, decimals=ratio.decimals),
    )


def _opened(
    boms: Mapping[int, Sequence[BomRow]], rows: Sequence[BomRow], *, times: Decimal, is_per_order: bool, depth: int
) -> Iterator[Ratio]:
    if depth > DEEPEST:
        raise EndlessPhantoms("Phantom assemblies hold one another; correct the bill of material.")
    for row in rows:
        per_order = is_per_order or row.is_per_order
        quantity_per = times * row.quantity
        comes_out = row.supply == BY_PRODUCT
        factor = quantity_per if comes_out else quantity_per * (ONE + row.scrap_pct / HUNDRED)
        if row.is_phantom and not comes_out:
            yield from _opened(
                boms, boms.get(row.component_id, ()), times=factor, is_per_order=per_order, depth=depth + 1
            )
        else:
            yield Ratio(
                row.component_id,
                row.supply,
                per_order,
                quantity_per.quantize(FIVE_DECIMALS, rounding=ROUND_CEILING),
                row.scrap_pct,
                factor,
                row.decimals,
            )
