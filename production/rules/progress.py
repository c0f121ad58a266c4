"""What an order's operations have made, seen together: where its pieces stand between them. Pure: no clock, no rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)

Following = Mapping[str, Sequence[str]]


class Made(NamedTuple):
    """So many of `quantity` pieces are good or scrap so far. Finished without any count: all it got was made."""

    quantity: Decimal
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    is_finished: bool = False

    @property
    def counted(self) -> Decimal:
        return self.good + self.scrap


class CameTogether(NamedTuple):
    """Bad pieces that a vendor brought back of several operations at once: each of them counts them, and they are gone once."""

    operations: frozenset[str]
    bad: Decimal


def implied(
    following: Following, ordered: Sequence[str], made: Mapping[str, Made], together: Sequence[CameTogether] = ()
) -> dict[str, Decimal]:
    """How many good pieces every operation must have made, as later ones have worked on so many. Only where that is more
    than was counted on it. Bad pieces that came `together` were never handed on from one of its operations to another.
    """
    found: dict[str, Decimal] = {}
    for number in reversed(ordered):
        own = made[number]
        if own.is_finished and not own.counted:
            continue
        asked = max(
            (
                made[later].scrap - _shared(together, number, later) + found.get(later, made[later].good)
                for later in following[number]
            ),
            default=ZERO,
        )
        if asked > own.good:
            found[number] = asked
    return found


def _shared(together: Sequence[CameTogether], *numbers: str) -> Decimal:
    return sum((one.bad for one in together if one.operations.issuperset(numbers)), ZERO)


def waiting(following: Following, ordered: Sequence[str], made: Mapping[str, Made]) -> dict[str, Decimal]:
    """The good pieces of every operation that no later one has worked on yet; of the last ones none, as those are stock.

    `following` is how pieces flow: each goes to one. Of parallel steps a later one may be ahead of the one before it.
    """
    gave: dict[str, Decimal] = {}
    taken: dict[str, Decimal] = {}
    before: dict[str, list[str]] = {number: [] for number in ordered}
    for number in ordered:
        for later in following[number]:
            before[later].append(number)
    for number in ordered:
        own = made[number]
        if own.counted:
            gave[number], taken[number] = own.good, own.counted
        elif own.is_finished:
            gave[number] = taken[number] = min((gave[one] for one in before[number]), default=own.quantity)
        else:
            gave[number] = taken[number] = ZERO
    gone: dict[str, Decimal] = {}  # pieces that are further than a step
    for number in reversed(ordered):
        gone[number] = max((max(taken[later], gone[later]) for later in following[number]), default=ZERO)
    return {number: max(gave[number] - gone[number], ZERO) for number in ordered if following[number]}
