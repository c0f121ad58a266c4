"""Pure rules of material out: what may still be sent of a component, and how a quantity is spread over the rows of a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(slots=True)
class Room:
    """What one row may still be sent: `open` is needed, `most` allowed by its tolerance. Both shrink as it is given."""

    open: Decimal
    most: Decimal

    def give(self, quantity: Decimal) -> None:
        self.open = max(self.open - quantity, ZERO)
        self.most -= quantity


def room(
    *,
    required: Decimal,
    net_sent: Decimal,
    carried_in: Decimal,
    set_aside: Decimal,
    over_pct: Decimal,
    decimals: int,
    needs_no_more: bool,
) -> Room:
    """Open to ship = required − net sent − carried in; net sent ≤ required × (1 + over-send %), in whole units.

    `net_sent` is neither brought back nor gone there (written off, lost). `carried_in` is net of what was given over to free
    stock: below zero where more of the sent was given over than taken, which is not the line's any more. `set_aside` is picked
    or held on other shipments and counts as sent. A line that needs no more has nothing open.
    """
    unit = Decimal(1).scaleb(-decimals)
    most = (required * (HUNDRED + over_pct) / HUNDRED).quantize(unit, ROUND_FLOOR)
    # What is required may itself be finer than the unit is now.
    most = max(most, required) - (net_sent + min(carried_in, ZERO)) - set_aside
    still_open = ZERO if needs_no_more else required - net_sent - carried_in - set_aside
    return Room(open=max(still_open, ZERO), most=max(most, ZERO))


def spread(quantity: Decimal, rooms: Sequence[Room]) -> list[Decimal]:
    """Spread a quantity over rows in their order: first to what is open, then to what the tolerance allows.

    Shrinks the rooms. The sum falls short of the quantity where the rows take no more.
    """
    given = [ZERO] * len(rooms)
    for by_tolerance in (False, True):
        for index, one in enumerate(rooms):
            part = min(one.most if by_tolerance else min(one.open, one.most), quantity)
            if part > 0:
                one.give(part)
                given[index] += part
                quantity -= part
    return given
