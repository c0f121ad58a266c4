"""Orders that vendors were sent before Outwork knew them: loaded once as they stand, and gone on with from there."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from core.refusals import Refusal
from production import services as production
from production.rules.progress import CameTogether
from receipts.services.opening.lines import (
    ZERO,
    BadOpenLine,
    KnownOrder,
    Loaded,
    OpenLine,
    OpenOrdersRefused,
    Ready,
    refuse,
)
from receipts.services.opening.lying import give_material
from receipts.services.opening.reading import Ground
from receipts.services.opening.writing import Writing
from subcontract_orders import services as orders
from subcontract_orders.models import OrderLine

__all__ = ["BadOpenLine", "OpenLine", "OpenOrdersRefused", "load_open_orders"]


@transaction.atomic
def load_open_orders(*, lines: Sequence[OpenLine], at: datetime, by: User | None) -> Loaded:
    """Load orders that stand with vendors: lines, their material there, what came back, what is still to be shipped.

    All or none. An order that was loaded before with the same content is left as it is by now. What came back is a receipt
    that moved no stock; it counts on the operation. Material at the vendor is what his place holds (table stock): lines take
    theirs of it; where nothing was loaded there, what `sent` says is. Pieces of the order itself that went on come from our
    places. Raises OpenOrdersRefused.
    """
    return _Loading(lines, at, by).load() if lines else Loaded()


class _Loading:
    """One call: which lines are new, made ready and written."""

    def __init__(self, lines: Sequence[OpenLine], at: datetime, by: User | None) -> None:
        self.lines, self.at, self.by = lines, at, by
        self.bad: list[BadOpenLine] = []
        self.done = Loaded()
        self.numbers: dict[int, int] = {}
        self.hashes: dict[int, str] = {}

    def load(self) -> Loaded:
        fresh = self.fresh()
        ground = Ground([self.lines[index] for index in fresh], at=self.at, by=self.by)
        ready = []
        for index in fresh:
            try:
                ready.append(
                    ground.ready(index, self.lines[index], line_no=self.numbers[index], content=self.hashes[index])
                )
            except Refusal as refusal:
                self.bad.append(BadOpenLine(refusal, index=index))
        refuse(self.bad)
        if ready:
            report(ground, ready)
            give_material(ground, ready)
            written = Writing(ground, ready).write()
            self.done.created, self.done.new = len(ready), [order.number for order in written]
        return self.done

    def fresh(self) -> list[int]:
        """The places of lines of orders that are not known yet; a known order must say what it said."""
        by_order: dict[str, list[int]] = defaultdict(list)
        for index, line in enumerate(self.lines):
            by_order[line.order].append(index)
        known: dict[str, dict[int, str]] = defaultdict(dict)
        keys: dict[tuple[str, int], int] = {}
        rows = OrderLine.objects.filter(order__number__in=by_order)
        for pk, number, line_no, content in rows.values_list("pk", "order__number", "line_no", "content_hash"):
            known[number][line_no] = content
            keys[number, line_no] = pk
        found, told = [], []
        for number, indexes in by_order.items():
            taken: set[int] = set()
            for index in indexes:
                line_no = self.lines[index].line_no or max(taken, default=0) + 1
                if line_no in taken:
                    twice = KnownOrder(f"Line {line_no} of {number} stands here twice.", field="line")
                    self.bad.append(BadOpenLine(twice, index=index))
                taken.add(line_no)
                self.numbers[index] = line_no
                said = repr(replace(self.lines[index], line_no=line_no)) + " whole" * self.lines[index].is_whole
                if last := self.lines[index].last_operation_no:
                    said += f" to {last}"
                self.hashes[index] = hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()
            if number not in known:
                found += indexes
            elif known[number] == {self.numbers[index]: self.hashes[index] for index in indexes}:
                self.done.unchanged += len(indexes)
                told += [
                    {
                        "id": keys[number, self.numbers[index]],
                        "source": line.source,
                        "external_refs": [*line.external_refs],
                    }
                    for index in indexes
                    if (line := self.lines[index]).source or line.external_refs
                ]
            else:
                text = f"{number} is here already, with other content; it is gone on with here, not loaded again."
                self.bad.append(BadOpenLine(KnownOrder(text, field="order"), index=indexes[0]))
        self.done.changed = orders.keep_references(told)
        self.done.unchanged -= self.done.changed
        return found


def report(ground: Ground, ready: Sequence[Ready]) -> None:
    """What came back counts on the operations, and what went out was finished by the steps before."""
    counted: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    gone: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for one in ready:
        if one.line.production_order_id is None:
            continue
        plan_id = one.line.production_order_id
        for step in one.steps:
            both = counted[plan_id, step.operation_no]
            both[0] += one.said.accepted
            both[1] += one.said.rejected + one.said.scrapped
        for operation in one.wip.values():
            gone[one.line.production_order_id, operation.operation_no] += one.said.sent or one.said.received
    numbers_of_plans = [plan.number for plan in ground.plans.values()]
    together = defaultdict(list, orders.came_together(numbers=numbers_of_plans))
    for one in ready:
        if (bad := one.said.rejected + one.said.scrapped) and len(one.steps) > 1:
            number = ground.plans[one.steps[0].production_order_id].number
            together[number].append(CameTogether(frozenset(step.operation_no for step in one.steps), bad))
    stated: dict[str, list[production.PlannedOperation]] = defaultdict(list)
    for plan_id, operations in ground.operations.items():
        plan = ground.plans[plan_id]
        for operation in operations:
            key = (plan_id, operation.operation_no)
            good, scrap = counted.get(key, [ZERO, ZERO])
            good = min(max(good, gone.get(key, ZERO)), max(plan.quantity, operation.good))
            if good > operation.good or scrap > operation.scrap:
                stated[plan.number].append(
                    production.PlannedOperation(number=operation.operation_no, good=good, scrap=scrap)
                )
    if stated:
        production.upsert_operations(operations=stated, at=ground.at, by=None, together=together, came=True)
