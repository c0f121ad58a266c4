"""How pieces and dates run through the operations of one production order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from policies.rules import price
from policies.rules.values import HUNDRED, ZERO, Decided, Frozen, OperationFacts


class Wanted(NamedTuple):
    """How much is wanted: good pieces (of a first operation: before the yield), less what is ordered or was received."""

    good: Decimal
    less: Decimal
    is_first: bool
    decimals: int

    def quantity(self, yield_pct: Decimal) -> Decimal:
        good = self.good
        if self.is_first:
            return price.order_quantity(good, yield_pct, self.decimals) - self.less
        return price.round_up(good, self.decimals) - self.less


def neighbours(
    operations: Sequence[OperationFacts], everything: Sequence[OperationFacts]
) -> tuple[list[list[int]], list[list[int]]]:
    """Which operations come right before and right after each. Cancelled ones are stepped over.

    Where no operation names what follows it, they follow one another in sequence. A step backward is not followed.
    """
    count = len(operations)
    if not any(operation.next_nos for operation in everything):
        return [[i - 1] if i else [] for i in range(count)], [[i + 1] if i + 1 < count else [] for i in range(count)]
    place = {operation.operation_no: number for number, operation in enumerate(everything)}
    live = {operation.operation_no: index for index, operation in enumerate(operations)}

    def following(operation: OperationFacts) -> set[int]:
        found: set[int] = set()
        for number in operation.next_nos:
            if number not in place or place[number] <= place[operation.operation_no]:
                continue
            if number in live:
                found.add(live[number])
            else:
                found |= following(everything[place[number]])
        return found

    after = []
    for operation in operations:
        numbers = operation.next_nos
        if len(numbers) == 1 and numbers[0] in live and place[numbers[0]] > place[operation.operation_no]:
            after.append([live[numbers[0]]])  # as nearly all of them
        else:
            after.append(sorted(following(operation)) if numbers else [])
    before: list[list[int]] = [[] for _ in operations]
    for index, later in enumerate(after):
        for other in later:
            before[other].append(index)
    return before, after


def inputs(
    operations: Sequence[OperationFacts], before: Sequence[Sequence[int]], decided: Sequence[Decided | None]
) -> list[Decimal]:
    """How many pieces each operation can get: its own quantity, or less where those before it can no longer give as many, or
    where a step parallel to it cannot give as many to the step that takes one piece of each.
    """
    found: list[Decimal] = []
    gives: list[Decimal] = []
    for index, operation in enumerate(operations):
        available = operation.quantity
        for earlier in before[index]:
            available = min(available, gives[earlier])
        found.append(available)
        gives.append(_gives(operation, available, not before[index], decided[index]))
    if any(len(earlier) > 1 for earlier in before):
        for index, needed in enumerate(_needed(operations, before, decided, gives)):
            if needed is not None:
                found[index] = min(found[index], needed)
    return found


def _needed(
    operations: Sequence[OperationFacts],
    before: Sequence[Sequence[int]],
    decided: Sequence[Decided | None],
    gives: Sequence[Decimal],
) -> list[Decimal | None]:
    """How many pieces each operation has use for, from the last to the first; None where nothing later limits it."""
    needed: list[Decimal | None] = [None] * len(operations)
    after: list[list[int]] = [[] for _ in operations]
    for index, earlier in enumerate(before):
        for one in earlier:
            after[one].append(index)
    for index in range(len(operations) - 1, -1, -1):
        limits: list[Decimal | None] = []
        for later in after[index]:
            beside = [gives[one] for one in before[later] if one != index]
            limits.append(min((x for x in (*beside, needed[later]) if x is not None), default=None))
        most = [limit for limit in limits if limit is not None]
        if most and len(most) == len(limits):
            needed[index] = _to_give(operations[index], max(most), not before[index], decided[index])
    return needed


def _to_give(operation: OperationFacts, good: Decimal, is_first: bool, decided: Decided | None) -> Decimal:
    """How many pieces an operation needs to give so many good ones: those it spoilt are needed beside them."""
    bad = sum((line.received - line.replaced - _accepted(line) for line in operation.frozen), ZERO)
    if is_first:  # it orders over the yield, and makes up what was spoilt inside
        return good + bad
    yields = [line.yield_pct for line in operation.frozen] + [
        award.yield_pct for award in (decided.awards if decided else ())
    ]
    return price.order_quantity(good, min(yields, default=HUNDRED), operation.decimals) + max(bad, operation.scrap)


def _accepted(line: Frozen) -> Decimal:
    return line.received if line.accepted is None else line.accepted


def _gives(operation: OperationFacts, available: Decimal, is_first: bool, decided: Decided | None) -> Decimal:
    """What an operation has given and can still give: its good pieces and those expected."""
    if not operation.is_open:
        # A finished step without any count (as some plans are loaded) is taken to have given all.
        return operation.good if operation.good or operation.scrap else available
    if not operation.frozen and (decided is None or decided.verdict != "outsource"):
        return operation.good + max(ZERO, available - operation.good - operation.scrap)
    wanted, _ = wanted_of(operation, available, is_first)
    expected = operation.good
    to_come = max(ZERO, available - operation.good - operation.scrap)
    for (
        line
    ) in operation.frozen:  # a later step's vendor gives no more than he can still get, whatever he was asked for
        made = line.open if is_first else min(line.open, to_come)
        to_come -= made
        expected += made * line.yield_pct / HUNDRED
    if decided is not None and decided.verdict == "outsource":
        return expected + sum((award.quantity * award.yield_pct / HUNDRED for award in decided.awards), ZERO)
    return expected + max(ZERO, wanted.quantity(HUNDRED))


def wanted_of(operation: OperationFacts, available: Decimal, is_first: bool) -> tuple[Wanted, Decimal]:
    """What must be ordered, and what stands with vendors already.

    A first operation buys good pieces, over the yield; a later one can only work on the pieces it gets, and those used up
    inside at this step are gone.
    """
    if not operation.frozen:
        inside_good, inside_scrap, standing = operation.good, operation.scrap, ZERO
    else:
        standing = received = accepted = ZERO
        for line in operation.frozen:
            standing += line.open + line.received + line.waived - line.replaced
            received += line.received
            accepted += _accepted(line)
        inside_good = max(ZERO, operation.good - accepted)
        inside_scrap = max(ZERO, operation.scrap - (received - accepted))
    if is_first:
        return Wanted(max(ZERO, available - inside_good), standing, True, operation.decimals), standing
    good = max(ZERO, available - inside_good - inside_scrap)
    return Wanted(good, standing, False, operation.decimals), standing


def start_of_next(operation: OperationFacts, decided: Decided | None, need: date, otherwise: date) -> date:
    """By when the pieces must be there for the next step: its dispatch where it goes outside; where it stays inside and was
    itself pulled earlier, its own start earlier by as much.
    """
    if decided is None:
        return otherwise
    if decided.awards:
        return min(award.dispatch_by for award in decided.awards)
    leaving = [line.dispatch_by or line.at_vendor_date for line in operation.frozen if line.open > 0]
    if decided.verdict == "outsource" and (known := [day for day in leaving if day is not None]):
        return min(known)
    end = operation.ends_on
    if need < end and operation.planned_start is not None:
        return operation.planned_start - (end - need)
    return otherwise
