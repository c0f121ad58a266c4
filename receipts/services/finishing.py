"""Telling the plan what came: an operation is finished when all its vendors are, not when the first of them is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from production.models import Operation, OperationStatus
from production.services.reporting import Report, followers, report_outside
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus

ZERO = Decimal(0)
OVER = (OrderStatus.CLOSED, OrderStatus.CANCELLED)


def report_lines(reports: Mapping[int, Sequence[Report]], *, at: datetime, reason: str) -> None:
    """Count what came on operations, by their keys; the lines' own counters and states are saved before.

    While another line of an operation is open, more is expected. Once none is, a complete line settles it, also where the
    tolerance let some pieces go, as long as the lines asked for all that was wanted. The caller holds the locks.
    """
    expecting, settled = _standing(reports)
    for operation_id, others in _bought_whole(reports).items():
        reports = {**reports, **dict.fromkeys(others, reports[operation_id])}
        expecting |= set(others) if operation_id in expecting else set()
        settled |= set(others) if operation_id in settled else set()
    report_outside(reports, at=at, reason=reason, expecting=expecting, settled=settled)


def _bought_whole(reports: Mapping[int, Sequence[Report]]) -> dict[int, list[int]]:
    """The other operations of production orders bought complete: what comes counts on all of them, and ends them."""
    lines = OrderLine.objects.filter(operation__in=reports, is_whole=True).exclude(
        status=LineStatus.CANCELLED, accepted=0, rejected=0, scrapped=0
    )
    holders = dict(lines.values_list("production_order_id", "operation_id"))
    found: dict[int, list[int]] = {}
    if holders:
        rows = Operation.objects.filter(production_order__in=holders).exclude(status=OperationStatus.CANCELLED)
        for pk, order_id in rows.exclude(pk__in=reports).order_by("pk").values_list("pk", "production_order_id"):
            found.setdefault(holders[order_id] or 0, []).append(pk)
    return found


def _standing(reports: Mapping[int, Sequence[Report]]) -> tuple[set[int], set[int]]:
    expecting: set[int] = set()
    asked: dict[int, Decimal] = defaultdict(Decimal)
    counted: dict[int, Decimal] = defaultdict(Decimal)
    complete: set[int] = set()
    anew: set[int] = set()
    lines = OrderLine.objects.filter(operation__in=reports).exclude(status=LineStatus.CANCELLED)
    for line in lines.select_related("order"):
        operation_id = line.operation_id or 0
        counted[operation_id] += line.received
        if line.replaced:
            anew.add(operation_id)
        if line.status == LineStatus.COMPLETE:
            complete.add(operation_id)
            asked[operation_id] += max(line.quantity, line.received) - line.replaced
        elif line.order.status in OVER:
            asked[operation_id] += line.received - line.replaced
        else:
            expecting.add(operation_id)
    settled = set()
    for row in Operation.objects.filter(pk__in=(complete | anew) - expecting):
        # What was made of it inside (counted on it, but on no line) needs no line.
        told = row.good + row.scrap + sum((report.good + report.scrap for report in reports[row.pk]), ZERO)
        if told - counted[row.pk] + asked[row.pk] < _wanted(row):
            if row.pk in anew:  # the line that makes bad pieces anew is still to come
                expecting.add(row.pk)
        elif row.pk in complete:
            settled.add(row.pk)
    return expecting, settled


def _wanted(operation: Operation) -> Decimal:
    """How many pieces an operation can get: its own quantity, or less where finished steps before gave fewer."""
    following = followers(production_order_id=operation.production_order_id)
    before = [number for number, later in following.items() if operation.operation_no in later]
    rows = Operation.objects.filter(
        production_order=operation.production_order_id, operation_no__in=before, status=OperationStatus.FINISHED
    )
    gave = [row.good for row in rows if row.good or row.scrap]
    return min([operation.quantity, *gave])
