"""A production order bought complete: at the item's own price, as one line, and its operations end with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from policies.rules import conditions
from policies.rules.values import ZERO, Book, Frozen, OperationFacts, Reason


def holder(operations: Sequence[OperationFacts]) -> OperationFacts:
    """The operation whose decision holds the award: the one a whole line stands on already, else the last."""
    standing = (one for one in operations if any(line.is_whole for line in one.frozen))
    return next(standing, operations[-1])


def of(operations: Sequence[OperationFacts], book: Book) -> OperationFacts:
    """The order as if it were one operation, of no process and on no work center.

    It starts when its first step starts, takes what all steps cost inside (nothing where one of them is not known), and is
    needed when its last one is.
    """
    held_by, last = holder(operations), operations[-1]
    frozen: tuple[Frozen, ...] = tuple(line for line in held_by.frozen if line.is_whole)
    starts = [one.planned_start for one in operations if one.planned_start is not None]
    return replace(
        held_by,
        process_id=None,
        work_center_id=None,
        quantity=last.quantity,
        planned_start=min(starts, default=None),
        planned_end=last.planned_end,
        frozen=frozen,
        word=None,
        inside_cost=cost(operations, book),
        is_whole=True,
    )


def cost(operations: Sequence[OperationFacts], book: Book) -> Decimal | None:
    """What all of them take inside; None where one of them is not known."""
    total = ZERO
    for one in operations:
        center = book.work_centers.get(one.work_center_id) if one.work_center_id is not None else None
        cost = conditions.own_cost(one, center)
        if cost is None:
            return None
        total += cost
    return total


def hindrance(operations: Sequence[OperationFacts], code: str) -> Reason | None:
    """Why an order is not bought complete any more: work has begun, a vendor has a step, or somebody said where one goes."""
    for one in operations:
        if not one.is_open or one.good or one.scrap:
            return Reason("not_whole", code, "", (one.operation_no, "begun"))
        if one.frozen:
            return Reason("not_whole", code, "", (one.operation_no, "ordered"))
        if one.word is not None:
            return Reason("not_whole", code, "", (one.operation_no, "word"))
    return None
