"""What two ways of deciding the same plan come to, side by side, and every operation they differ on.

Counters only: nothing of an order is kept but the operations that flip, and of those no more than asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from policies.rules import conditions, dates, price
from policies.rules.values import (
    ZERO,
    AwardValues,
    Book,
    Decided,
    OperationFacts,
    OrderFacts,
    PriceRow,
    Reason,
    WorkCenterValues,
)

Week = tuple[int, date]
"""A work center and the Monday of a calendar week."""

PeriodOf = Callable[[OperationFacts, Decided, AwardValues], tuple[str, bool]]
"""What the line of an award shares with the others on its order, and whether that ends with its production order."""


class Pinned(NamedTuple):
    """A line never sent: a run keeps it on its order, with the fields a person has set. Blank ones follow the plan."""

    vendor_id: int
    currency_id: int
    period: str
    order_id: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    need_date: date | None = None
    is_joined: bool = False
    """Put on its order by a person: it stays there whatever its period is."""

    @property
    def is_set(self) -> bool:
        """A person has set something on it."""
        return (self.quantity, self.unit_price, self.need_date) != (None, None, None)


class _Value(NamedTuple):
    """A line as it would stand: money in its currency and in the company's, and whether it comes late."""

    need_date: date
    promise_date: date
    work: Decimal
    top_up: Decimal
    others: Decimal
    """Lot charge and freight."""
    amount_company: Decimal


class _Shared(NamedTuple):
    """A minimum for all lines of a process on one order: what the first line lacks to it is found when all are known."""

    minimum: Decimal
    work: Decimal
    first: _Value
    vendor_id: int
    decimals: int


NOTHING_PINNED: Mapping[int, Sequence[Pinned]] = {}

Group = tuple[int, int, int, str]
"""What lines share on one draft: vendor, site, currency, period."""
NO_HOSTS: Mapping[Group, int] = {}


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

    def __init__(self, book: Book, *, period_of: PeriodOf, hosts: Mapping[Group, int] = NO_HOSTS) -> None:
        """`hosts` are the drafts that new lines join, by what lines share on them."""
        self.figures = Figures()
        self._book, self._period_of, self._hosts = book, period_of, hosts
        self._groups: set[tuple[object, ...]] = set()
        self._closed: dict[int, frozenset[date]] = {}
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._minimums = {
            row.agreement_id: row.minimum_charge
            for rows in book.prices.values()
            for row in rows
            if row.minimum_charge and row.minimum_charge_basis == "order"
        }

    def add(
        self, order: OrderFacts, decided: Sequence[Decided], pinned: Mapping[int, Sequence[Pinned]] = NOTHING_PINNED
    ) -> None:
        """Count an order. `pinned` are its lines never sent, by operation."""
        figures = self.figures
        own: set[tuple[object, ...]] = set()
        operations = {operation.operation_id: operation for operation in order.operations}
        for one in decided:
            operation = operations[one.operation_id]
            figures.operations += 1
            figures.verdicts[one.verdict] = figures.verdicts.get(one.verdict, 0) + 1
            if one.verdict in ("in_house", "review"):
                self._inside(operation)
            for award in one.awards:
                at_work = (line for line in operation.frozen if line.open > 0 and line.vendor_id == award.vendor_id)
                if any(not line.is_full for line in at_work):
                    continue  # a vendor at work on it is asked for more by a person; no line is made
                period, ends_here = self._period_of(operation, one, award)
                pin = _pin_of(award, period, pinned.get(one.operation_id, ()))
                value = self._as_pinned(operation, award, pin) if pin and pin.is_set else _as_awarded(award)
                figures.lines += 1
                if value.promise_date > value.need_date:
                    figures.late_lines += 1
                    figures.late_line_days += (value.promise_date - value.need_date).days
                shared = (award.vendor_id, operation.site_id, award.currency_id, period)
                group: tuple[object, ...] = shared
                host = pin.order_id if pin is not None else self._hosts.get(shared)
                if host is not None:
                    group, ends_here = ("order", host), False
                (own if ends_here else self._groups).add(group)
                minimum = self._minimums.get(award.agreement_id or 0)
                if minimum is not None:
                    self._share(group, operation, award, value, minimum)
                figures.value += value.amount_company
                figures.vendor_value[award.vendor_id] += value.amount_company
        figures.orders += len(own)
        if own and self._shared:
            for key in [key for key in self._shared if key[0] in own]:
                self._top_up(self._shared.pop(key))

    def _rows_of(self, operation: OperationFacts, award: AwardValues) -> Iterator[PriceRow]:
        """The price rows among which the award's own is."""
        prices = self._book.prices
        if award.last_no:  # of several processes together: few of all
            for shelf, rows in prices.items():
                if shelf[0] == award.vendor_id and isinstance(shelf[1], tuple):
                    yield from rows
            return
        for item in (operation.item_id, 0):
            yield from prices.get((award.vendor_id, (not award.is_whole and operation.process_id) or 0, item), ())

    def _as_pinned(self, operation: OperationFacts, award: AwardValues, pin: Pinned) -> _Value:
        """An award's line with what a person has set on it."""
        book = self._book
        need_date, promise_date = award.need_date, award.promise_date
        if pin.need_date is not None:
            vendor = book.vendors[award.vendor_id]
            frozen = dates.Chain(
                award.need_date, award.vendor_ready_date, award.at_vendor_date, award.dispatch_by, award.order_by,
                award.order_by, award.late_by, award.promise_date, award.dispatch_by, award.at_vendor_date,
            )  # fmt: skip
            moved = dates.moved(frozen, pin.need_date, book.today(operation.site_id), vendor.closed)
            need_date, promise_date = moved.need_date, moved.promise
        if pin.quantity is None and pin.unit_price is None:
            return _as_awarded(award)._replace(need_date=need_date, promise_date=promise_date)
        currency = book.currencies[award.currency_id]
        quantity = award.quantity if pin.quantity is None else pin.quantity
        unit_price = award.unit_price if pin.unit_price is None else pin.unit_price
        rows = self._rows_of(operation, award)
        row = next((row for row in rows if row.agreement_id == award.agreement_id), None)
        if row is None:
            work = price.round_money(unit_price * quantity, currency.decimals)
            amounts = price.Amounts(work, ZERO, ZERO, ZERO, work)
        else:
            amounts = price.amounts(row, unit_price, quantity, currency.decimals)
        company = book.currencies[book.company_currency_id]
        in_company = amounts.total
        if currency is not company:
            rate = award.amount_company / award.amount if award.amount else ZERO
            in_company = price.round_money(amounts.total * rate, company.decimals)
        others = amounts.lot_charge + amounts.freight
        return _Value(need_date, promise_date, amounts.work, amounts.top_up, others, in_company)

    def _share(
        self, group: tuple[object, ...], operation: OperationFacts, award: AwardValues, value: _Value, minimum: Decimal
    ) -> None:
        """Take a line into what one minimum for its order and process is compared with."""
        key = (group, operation.process_id)
        known = self._shared.get(key)
        if known is None:
            decimals = self._book.currencies[award.currency_id].decimals
            self._shared[key] = _Shared(minimum, value.work, value, award.vendor_id, decimals)
            return
        self._shared[key] = known._replace(minimum=max(known.minimum, minimum), work=known.work + value.work)
        self._correct(value, ZERO, award.vendor_id)

    def _top_up(self, shared: _Shared) -> None:
        top_up = max(ZERO, price.round_money(shared.minimum, shared.decimals) - shared.work)
        self._correct(shared.first, top_up, shared.vendor_id)

    def _correct(self, value: _Value, top_up: Decimal, vendor_id: int) -> None:
        """Count a line with another top-up than it was counted with, at the rate its amount had."""
        amount = value.work + value.top_up + value.others
        if top_up == value.top_up or not amount:
            return
        decimals = self._book.currencies[self._book.company_currency_id].decimals
        now = price.round_money(value.amount_company * (value.work + top_up + value.others) / amount, decimals)
        self.figures.value += now - value.amount_company
        self.figures.vendor_value[vendor_id] += now - value.amount_company

    def _inside(self, operation: OperationFacts) -> None:
        figures = self.figures
        center = self._book.work_centers.get(operation.work_center_id) if operation.work_center_id is not None else None
        late = conditions.days_late_inside(operation, center, self._book.today(operation.site_id), self.closed(center))
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
        center = self._book.work_centers[week[0]]
        return conditions.week_hours(center, week[1], self.closed(center))

    def total(self) -> Figures:
        """The figures when all is added; call once."""
        self.figures.orders += len(self._groups)
        self._groups.clear()
        for shared in self._shared.values():
            self._top_up(shared)
        self._shared.clear()
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

    def add(
        self,
        order: OrderFacts,
        before: Sequence[Decided],
        after: Sequence[Decided],
        pinned: Mapping[int, Sequence[Pinned]] = NOTHING_PINNED,
    ) -> None:
        self.before.add(order, before, pinned)
        self.after.add(order, after, pinned)
        for one, other in zip(before, after, strict=True):
            if not one.awards and not other.awards and (one.verdict, one.leaving) == (other.verdict, other.leaving):
                continue
            operation = next(found for found in order.operations if found.operation_id == one.operation_id)
            was, now = vendors_of(operation, one), vendors_of(operation, other)
            verdict, then = verdict_of(one), verdict_of(other)
            if verdict == then and was == now:
                continue
            self.flipped += 1
            if len(self.flips) < self._most:
                self.flips.append(
                    Flip(
                        operation.operation_id, operation.number, operation.operation_no, operation.item_id,
                        Said(verdict, was, one.policy_id, one.reasons),
                        Said(then, now, other.policy_id, other.reasons),
                    )
                )  # fmt: skip


def vendors_of(operation: OperationFacts, decided: Decided) -> tuple[int, ...]:
    """The vendors an operation is at or goes to, those who have it already first; who may not keep it gives it to another."""
    if decided.verdict != "outsource":
        return ()
    leaving = dict(decided.leaving)
    at = (leaving.get(line.number, line.vendor_id) for line in operation.frozen)
    all_of_them = [*at, *(award.vendor_id for award in decided.awards)]
    return tuple(dict.fromkeys(vendor_id for vendor_id in all_of_them if vendor_id is not None))


def verdict_of(decided: Decided) -> str:
    """The verdict, or blocked where a vendor may not keep what he was sent and nobody else can take it."""
    is_stuck = decided.verdict == "outsource" and any(goes_to is None for _, goes_to in decided.leaving)
    return "blocked" if is_stuck else decided.verdict


def _as_awarded(award: AwardValues) -> _Value:
    others = award.lot_charge + award.freight
    return _Value(
        award.need_date, award.promise_date, award.work_amount, award.minimum_top_up, others, award.amount_company
    )


def _pin_of(award: AwardValues, period: str, pinned: Sequence[Pinned]) -> Pinned | None:
    """The draft line a run would keep for an award: of the same vendor and currency, in the same period or put there."""
    for pin in pinned:
        if (pin.vendor_id, pin.currency_id) == (award.vendor_id, award.currency_id) and (
            pin.is_joined or pin.period == period
        ):
            return pin
    return None
