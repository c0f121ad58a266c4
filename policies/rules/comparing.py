"""What two ways of deciding the same plan come to, side by side, and every operation they differ on.

Counters only: nothing of an order is kept but the operations that flip, and of those no more than asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from policies.rules import conditions, dates
from policies.rules.values import ZERO, AwardValues, Decided, OperationFacts, OrderFacts, Reason, WorkCenterValues

Week = tuple[int, date]
"""A work center and the Monday of a calendar week."""

GroupOf = Callable[[OperationFacts, Decided, AwardValues], str | None]
"""What the line of an award shares with the others on its order; None: an order of its own."""


@dataclass(slots=True)
class Figures:
    """What a plan comes to as it was decided. Money in company currency, hours of work that stays inside.

    `lines` and `orders` are those that would stand. `late_lines` come back after their need, `late_inside` are operations
    that would end late inside; both with their days in sum.
    """

    verdicts: dict[str, int] = field(default_factory=dict)
    operations: int = 0
    orders: int = 0
    lines: int = 0
    value: Decimal = ZERO
    late_lines: int = 0
    late_line_days: int = 0
    late_inside: int = 0
    late_inside_days: int = 0
    hours: defaultdict[Week, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    vendor_value: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def stand(self, *, orders: int, values: Iterable[tuple[int, int, Decimal]]) -> None:
        """Count what no decision changes: orders, and of each vendor (key, lines, value)."""
        self.orders += orders
        for vendor_id, lines, value in values:
            self.lines += lines
            self.value += value
            self.vendor_value[vendor_id] += value


class Tally:
    """Adds one way of deciding up, order by order."""

    def __init__(self, centers: Mapping[int, WorkCenterValues], *, on: date, group_of: GroupOf) -> None:
        self.figures = Figures()
        self._centers, self._on, self._group_of = centers, on, group_of
        self._groups: set[tuple[int, int, int, str]] = set()
        self._closed: dict[int, frozenset[date]] = {}

    def add(self, order: OrderFacts, decided: Sequence[Decided]) -> None:
        figures = self.figures
        own: set[tuple[int, int, str]] = set()
        operations = {operation.operation_id: operation for operation in order.operations}
        for one in decided:
            operation = operations[one.operation_id]
            figures.operations += 1
            figures.verdicts[one.verdict] = figures.verdicts.get(one.verdict, 0) + 1
            if one.verdict in ("in_house", "review"):
                self._inside(operation)
            for award in one.awards:
                if any(line.open > 0 and line.vendor_id == award.vendor_id for line in operation.frozen):
                    continue  # a vendor at work on it is asked for more by a person; no line is made
                figures.lines += 1
                figures.value += award.amount_company
                figures.vendor_value[award.vendor_id] += award.amount_company
                if award.promise_date > award.need_date:
                    figures.late_lines += 1
                    figures.late_line_days += (award.promise_date - award.need_date).days
                group = self._group_of(operation, one, award)
                if group is None:
                    figures.orders += 1
                elif group == operation.number:  # ends with this production order, so nobody need remember it
                    own.add((award.vendor_id, award.currency_id, group))
                else:
                    self._groups.add((award.vendor_id, operation.site_id, award.currency_id, group))
        figures.orders += len(own)

    def _inside(self, operation: OperationFacts) -> None:
        figures = self.figures
        center = self._centers.get(operation.work_center_id) if operation.work_center_id is not None else None
        late = conditions.days_late_inside(operation, center, self._on, self.closed(center))
        if late:
            figures.late_inside += 1
            figures.late_inside_days += late
        if center is not None and not center.is_external and (hours := conditions.own_hours(operation)):
            figures.hours[center.work_center_id, dates.monday(conditions.start_of(operation))] += hours

    def closed(self, center: WorkCenterValues | None) -> frozenset[date]:
        """The days on which a work center does not work, beyond weekends."""
        if center is None:
            return frozenset()
        found = self._closed.get(center.work_center_id)
        if found is None:
            found = self._closed[center.work_center_id] = center.closed | conditions.days_down(center)
        return found

    def capacity(self, week: Week) -> Decimal:
        """Hours the work center can work in the week."""
        center = self._centers[week[0]]
        return conditions.week_hours(center, week[1], self.closed(center))

    def total(self) -> Figures:
        """The figures when all is added; call once."""
        self.figures.orders += len(self._groups)
        self._groups.clear()
        return self.figures


class Said(NamedTuple):
    """One side of a flip."""

    verdict: str
    vendor_ids: tuple[int, ...]
    policy_id: int | None
    reasons: tuple[Reason, ...]


class Flip(NamedTuple):
    """An operation whose verdict or vendors differ."""

    operation_id: int
    number: str
    operation_no: str
    item_id: int
    before: Said
    after: Said


class Comparison:
    """Two tallies of the same orders, and where they differ. Keeps at most `most` flips and counts all."""

    def __init__(self, before: Tally, after: Tally, *, most: int) -> None:
        self.before, self.after = before, after
        self.flips: list[Flip] = []
        self.flipped = 0
        self._most = most

    def add(self, order: OrderFacts, before: Sequence[Decided], after: Sequence[Decided]) -> None:
        self.before.add(order, before)
        self.after.add(order, after)
        for one, other in zip(before, after, strict=True):
            if not one.awards and not other.awards and one.verdict == other.verdict:
                continue
            operation = next(found for found in order.operations if found.operation_id == one.operation_id)
            was, now = vendors_of(operation, one), vendors_of(operation, other)
            if one.verdict == other.verdict and was == now:
                continue
            self.flipped += 1
            if len(self.flips) < self._most:
                self.flips.append(
                    Flip(
                        operation.operation_id, operation.number, operation.operation_no, operation.item_id,
                        Said(one.verdict, was, one.policy_id, one.reasons),
                        Said(other.verdict, now, other.policy_id, other.reasons),
                    )
                )  # fmt: skip


def vendors_of(operation: OperationFacts, decided: Decided) -> tuple[int, ...]:
    """The vendors an operation is at or goes to, those who have it already first."""
    if decided.verdict != "outsource":
        return ()
    at = [line.vendor_id for line in operation.frozen]
    return tuple(dict.fromkeys([*at, *(award.vendor_id for award in decided.awards)]))
