"""The conditions of a policy that look beyond the operation: load, downtime, lateness, cost, the share that moved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from policies.rules import conditions, dates
from policies.rules.counters import Counters
from policies.rules.values import HUNDRED, ZERO, Book, OperationFacts, PolicyValues, Reason, WorkCenterValues
from policies.rules.weighing import Offer, Scales


class Gauges:
    """Compares an operation with what a policy asks, by a book and what was counted so far."""

    def __init__(self, book: Book, counters: Counters, scales: Scales) -> None:
        self._book = book
        self._counters = counters
        self._scales = scales
        self._weeks: dict[tuple[int, date], Decimal] = {}
        self._closed: dict[int, frozenset[date]] = {}

    def failing(self, policy: PolicyValues, operation: OperationFacts, start: date) -> conditions.Failure | None:
        failure = conditions.fixed_condition_failing(policy, operation, start)
        if failure is not None:
            return failure
        if policy.when_down:
            first, last = self._days_inside(operation)
            if conditions.down_during(self._scales.center_of(operation), first, last) is None:
                return "when_down", first, last
        if policy.late_days is not None:
            late = self._days_late(operation)
            if late < max(1, policy.late_days):
                return "late_days", late, policy.late_days
        if policy.load_above_pct is not None:
            return self._still_fits(policy.load_above_pct, operation, start)
        return None

    def matched(
        self, policy: PolicyValues, operation: OperationFacts, start: date, offers: tuple[Offer, ...] | None = None
    ) -> Reason:
        """That a policy applies, with what each of its conditions was compared with and how it came out."""
        held: list[conditions.Failure] = conditions.fixed_conditions_held(policy, operation, start)
        center = self._scales.center_of(operation)
        if policy.when_down:
            down = conditions.down_during(center, *self._days_inside(operation))
            held.append(("when_down", down[0] if down else start, down[1] if down else start))
        if policy.late_days is not None:
            held.append(("late_days", self._days_late(operation), policy.late_days))
        if policy.load_above_pct is not None and center is not None:
            hours, capacity = self._load_with(operation, center, start)
            share = hours * HUNDRED / capacity if capacity else None
            held.append(("load_above_pct", share, policy.load_above_pct))
        if policy.cost_below_pct is not None and offers:
            inside = conditions.cost_to_come(operation, center)
            outside = sum((offer.amount_company for offer in offers), ZERO)
            held.append(("cost_below_pct", outside * HUNDRED / inside if inside else None, policy.cost_below_pct))
        if policy.transition_share_pct is not None and policy.transition_from is not None:
            held.append(("transition_share_pct", self.moved_pct(policy), policy.transition_share_pct))
        said = (policy.looked_at, policy.verdict, tuple(held)) if held else (policy.looked_at, policy.verdict)
        return Reason("policy_matched", policy.code, "", said)

    def _days_inside(self, operation: OperationFacts) -> tuple[date, date]:
        center = self._scales.center_of(operation)
        return conditions.days_inside(operation, center, self._book.today(operation.site_id), self._closed_days(center))

    def _days_late(self, operation: OperationFacts) -> int:
        """How late it would be done inside, as it is today at its site."""
        center = self._scales.center_of(operation)
        today = self._book.today(operation.site_id)
        return conditions.days_late_inside(operation, center, today, self._closed_days(center))

    def _load_with(self, operation: OperationFacts, center: WorkCenterValues, start: date) -> tuple[Decimal, Decimal]:
        """Hours of the work center in the operation's week with all that stays inside before it and with it, and its capacity."""
        week = dates.monday(start)
        capacity = self._weeks.get((center.work_center_id, week))
        if capacity is None:
            capacity = conditions.week_hours(center, week, self._closed_days(center))
            self._weeks[center.work_center_id, week] = capacity
        own = conditions.own_hours(operation)
        return self._counters.hours.get((center.work_center_id, week), ZERO) + own, capacity

    def _closed_days(self, center: WorkCenterValues | None) -> frozenset[date]:
        if center is None:
            return frozenset()
        found = self._closed.get(center.work_center_id)
        if found is None:
            found = self._closed[center.work_center_id] = center.closed | conditions.days_down(center)
        return found

    def _still_fits(self, above_pct: Decimal, operation: OperationFacts, start: date) -> conditions.Failure | None:
        """Strict due-date order: the operation overflows where its hours, on top of all that stays in before it, are too many."""
        center = self._scales.center_of(operation)
        if center is None or center.is_external:
            return "load_above_pct", None, above_pct
        hours, capacity = self._load_with(operation, center, start)
        own = conditions.own_hours(operation)
        if own and conditions.is_overloaded(hours, capacity, above_pct):
            return None
        return "load_above_pct", hours * HUNDRED / capacity if capacity else ZERO, above_pct

    def too_dear(
        self, policy: PolicyValues, operation: OperationFacts, offers: tuple[Offer, ...] | None
    ) -> conditions.Failure | None:
        limit = policy.cost_below_pct
        inside = conditions.cost_to_come(operation, self._scales.center_of(operation))
        if not offers or inside is None or limit is None:
            return "cost_below_pct", None, limit
        outside = sum((offer.amount_company for offer in offers), ZERO)
        if outside * HUNDRED <= inside * limit:
            return None
        return "cost_below_pct", outside * HUNDRED / inside if inside else None, limit

    def moves(self, policy: PolicyValues, operation: OperationFacts) -> bool:
        share = HUNDRED if policy.transition_share_pct is None else policy.transition_share_pct
        key = policy.policy_id
        moves = conditions.takes_transition(
            share, self._counters.moved[key], self._counters.seen[key], operation.quantity
        )
        self._counters.count(self._counters.seen, key, operation.quantity)
        if moves:
            self._counters.count(self._counters.moved, key, operation.quantity)
        return moves

    def moved_pct(self, policy: PolicyValues) -> Decimal:
        seen = self._counters.seen[policy.policy_id]
        return self._counters.moved[policy.policy_id] * HUNDRED / seen if seen else ZERO
