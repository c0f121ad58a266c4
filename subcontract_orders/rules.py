"""Pure arithmetic of order lines and progress: amounts, what is open, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Money of one line in its order's currency; `amount` is the sum of the other four."""

    work: Decimal
    minimum_top_up: Decimal
    lot_charge: Decimal
    freight: Decimal

    @property
    def amount(self) -> Decimal:
        return self.work + self.minimum_top_up + self.lot_charge + self.freight


def money(value: Decimal, *, decimals: int) -> Decimal:
    """Rounded half-up to the currency's decimals."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def written_money(value: Decimal, *, decimals: int, code: str) -> str:
    """An amount as people read it: 1,864.20 EUR."""
    return f"{money(value, decimals=decimals):,f} {code}"


def amounts(
    *,
    quantity: Decimal,
    unit_price: Decimal,
    price_factor: Decimal,
    minimum_charge: Decimal,
    lot_charge: Decimal,
    freight: Decimal,
    decimals: int,
) -> Amounts:
    """Price × quantity; what is missing to the minimum is its own amount; lot charge and freight once."""
    work = money(quantity / price_factor * unit_price, decimals=decimals)
    return Amounts(
        work=work,
        minimum_top_up=max(money(minimum_charge, decimals=decimals) - work, ZERO),
        lot_charge=money(lot_charge, decimals=decimals),
        freight=money(freight, decimals=decimals),
    )


def progress(rows: Iterable[tuple[Decimal, Decimal]]) -> str:
    """none, partial or complete, of rows of (wanted, done): row by row, as too much of one makes up for none of another."""
    pairs = list(rows)
    if pairs and all(done >= wanted for wanted, done in pairs):
        return "complete"
    return "partial" if any(done > ZERO for _, done in pairs) else "none"


def next_part(parts: Sequence[tuple[Decimal, date]], *, received: Decimal) -> date | None:
    """The date of the first part (quantity, date) that what was received does not cover; None when all are."""
    promised = ZERO
    for quantity, day in parts:
        promised += quantity
        if promised > received:
            return day
    return None


def due_of(parts: Sequence[tuple[Decimal, date]], *, by: date, received: Decimal) -> Decimal:
    """How much of the parts (quantity, date) up to a day what was received does not cover."""
    promised = sum((quantity for quantity, day in parts if day <= by), ZERO)
    return max(promised - received, ZERO)


def same_pieces(rows: Sequence[tuple[str, Decimal]], *, quantity: Decimal) -> list[list[int]]:
    """Which rows of a line's pieces (stage, required), by place, are of the same pieces: those of one stage, and all where they
    give no more together than the line is for. Steps that join give it in full each.
    """
    if rows and sum((required for _, required in rows), ZERO) <= quantity:
        return [list(range(len(rows)))]
    by_stage: dict[str, list[int]] = {}
    for place, (stage, _) in enumerate(rows):
        by_stage.setdefault(stage, []).append(place)
    return list(by_stage.values())
