"""Telling the plan what came: an operation is finished when all its vendors are, not when the first of them is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from production.models import Operation, OperationStatus
from production.services.reporting import Report, followers_among, report_outside, through
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus

ZERO = Decimal(0)
OVER = (OrderStatus.CLOSED, OrderStatus.CANCELLED)


def report_lines(
    reports: Mapping[int, Sequence[Report]],
    *,
    at: datetime,
    reason: str,
    steps: Mapping[int, Sequence[Operation]] | None = None,
) -> None:
    """Count what came on operations, by their keys; the lines' own counters and states are saved before.

    While another line of an operation is open, more is expected. Once none is, a complete line settles it, also where the
    tolerance let some pieces go, as long as the lines asked for all that was wanted. The caller holds the locks, and may have
    read all operations of the production orders already (`steps`, by their orders' keys).
    """
    rows = _lines_of(reports)
    if steps is None:
        steps = steps_of({row.plan_id for row in rows if row.plan_id})
    expecting, settled = _standing(rows, steps, reports)
    for operation_id, others in _ending_with(rows, steps, reports).items():
        reports = {**reports, **dict.fromkeys(others, reports[operation_id])}
        expecting |= set(others) if operation_id in expecting else set()
        settled |= set(others) if operation_id in settled else set()
    report_outside(reports, at=at, reason=reason, expecting=expecting, settled=settled)


def steps_of(production_order_ids: Collection[int]) -> dict[int, list[Operation]]:
    """All operations of production orders, by their orders' keys."""
    found: dict[int, list[Operation]] = {pk: [] for pk in production_order_ids}
    for operation in Operation.objects.filter(production_order__in=production_order_ids).order_by("pk"):
        found[operation.production_order_id].append(operation)
    return found


class _Line(NamedTuple):
    """What a line of an operation says of it: counted and asked for, in pieces."""

    operation_id: int
    plan_id: int | None
    status: str
    order_status: str
    is_whole: bool
    last_no: str
    quantity: Decimal
    reordered: Decimal
    accepted: Decimal
    rejected: Decimal
    scrapped: Decimal

    @property
    def received(self) -> Decimal:
        return self.accepted + self.rejected + self.scrapped

    @property
    def replaced(self) -> Decimal:
        return min(self.reordered, self.rejected + self.scrapped)


def _lines_of(operation_ids: Iterable[int]) -> list[_Line]:
    rows = OrderLine.objects.filter(operation__in=operation_ids).order_by("pk")
    names = (
        "operation",
        "production_order",
        "status",
        "order__status",
        "is_whole",
        "last_operation_no",
        "quantity",
        "reordered",
        "accepted",
    )
    return [_Line(*row) for row in rows.values_list(*names, "rejected", "scrapped")]


def _ending_with(
    lines: Iterable[_Line], steps: Mapping[int, Sequence[Operation]], reports: Mapping[int, Sequence[Report]]
) -> dict[int, list[int]]:
    """The other operations of orders bought complete, and those bought together: what comes counts on all, and ends them."""
    found: dict[int, list[int]] = {}
    for line in lines:
        if not (line.is_whole or line.last_no) or (line.status == LineStatus.CANCELLED and not line.received):
            continue
        mine = steps.get(line.plan_id or 0, ())
        if line.last_no:
            first = next((step.operation_no for step in mine if step.pk == line.operation_id), "")
            mine = through(mine, first=first, last=line.last_no)
        found[line.operation_id] = [
            step.pk for step in mine if step.status != OperationStatus.CANCELLED and step.pk not in reports
        ]
    return {operation_id: others for operation_id, others in found.items() if others}


def _standing(
    lines: Iterable[_Line], steps: Mapping[int, Sequence[Operation]], reports: Mapping[int, Sequence[Report]]
) -> tuple[set[int], set[int]]:
    expecting: set[int] = set()
    asked: dict[int, Decimal] = defaultdict(Decimal)
    counted: dict[int, Decimal] = defaultdict(Decimal)
    complete: set[int] = set()
    anew: set[int] = set()
    whole: set[int] = set()  # bought complete: the steps before come with the same pieces, and give it nothing
    for line in lines:
        if line.status == LineStatus.CANCELLED:
            continue
        operation_id = line.operation_id
        if line.is_whole:
            whole.add(operation_id)
        counted[operation_id] += line.received
        if line.replaced:
            anew.add(operation_id)
        if line.status == LineStatus.COMPLETE:
            complete.add(operation_id)
            asked[operation_id] += max(line.quantity, line.received) - line.replaced
        elif line.order_status in OVER:
            asked[operation_id] += line.received - line.replaced
        else:
            expecting.add(operation_id)
    settled = set()
    for mine in steps.values():
        for row in mine:
            if row.pk not in (complete | anew) - expecting:
                continue
            # What was made of it inside (counted on it, but on no line) needs no line.
            told = row.good + row.scrap + sum((report.good + report.scrap for report in reports[row.pk]), ZERO)
            wanted = row.quantity if row.pk in whole else _wanted(row, mine)
            if told - counted[row.pk] + asked[row.pk] < wanted:
                if row.pk in anew:  # the line that makes bad pieces anew is still to come
                    expecting.add(row.pk)
            elif row.pk in complete:
                settled.add(row.pk)
    return expecting, settled


def _wanted(operation: Operation, steps: Sequence[Operation]) -> Decimal:
    """How many pieces an operation can get: its own quantity, or less where finished steps before gave fewer."""
    following = followers_among(steps)
    gave = [
        step.good
        for step in steps
        if step.status == OperationStatus.FINISHED
        and operation.operation_no in following.get(step.operation_no, ())
        and (step.good or step.scrap)
    ]
    return min([operation.quantity, *gave])
