"""The conditions of a policy: each a small question over plain values."""

from __future__ import annotations

from collections.abc import Set
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from policies.rules import dates
from policies.rules.values import HUNDRED, ZERO, OperationFacts, PolicyValues, WorkCenterValues

HOURS_A_DAY = Decimal(8)  # of a work center whose capacity is not known
MINUTES = Decimal(60)
MANY_DAYS = 2600  # ten years of working days: later than any need

Failure = tuple[str, object, object]
"""Which condition failed, what was found, what the limit is."""


def start_of(operation: OperationFacts) -> date:
    """The day on which validity, season and transition are read: the plan's own start."""
    return operation.planned_start or operation.ends_on


def not_valid(policy: PolicyValues, start: date) -> Failure | None:
    if policy.valid_from is not None and start < policy.valid_from:
        return "valid_from", start, policy.valid_from
    if policy.valid_to is not None and start > policy.valid_to:
        return "valid_to", start, policy.valid_to
    return None


def fixed_condition_failing(policy: PolicyValues, operation: OperationFacts, start: date) -> Failure | None:
    """Quantity window, season and start of the transition: what the operation alone answers."""
    quantity = operation.quantity
    if policy.quantity_from is not None and quantity < policy.quantity_from:
        return "quantity_from", quantity, policy.quantity_from
    if policy.quantity_to is not None and quantity > policy.quantity_to:
        return "quantity_to", quantity, policy.quantity_to
    if policy.season_from is not None and start < policy.season_from:
        return "season_from", start, policy.season_from
    if policy.season_to is not None and start > policy.season_to:
        return "season_to", start, policy.season_to
    if policy.transition_from is not None and start < policy.transition_from:
        return "transition_from", start, policy.transition_from
    return None


def fixed_conditions_held(policy: PolicyValues, operation: OperationFacts, start: date) -> list[Failure]:
    """The same conditions where they hold: what was compared with what."""
    quantity = operation.quantity
    pairs: tuple[Failure, ...] = (
        ("quantity_from", quantity, policy.quantity_from),
        ("quantity_to", quantity, policy.quantity_to),
        ("season_from", start, policy.season_from),
        ("season_to", start, policy.season_to),
        ("transition_from", start, policy.transition_from),
    )
    return [pair for pair in pairs if pair[2] is not None]


def is_of_the_moment(policy: PolicyValues) -> bool:
    """Whether a policy asks for something that changes by itself, and because of what is given out."""
    return (
        policy.load_above_pct is not None
        or policy.when_down
        or policy.late_days is not None
        or policy.cost_below_pct is not None
        or policy.transition_from is not None
    )


def own_hours(operation: OperationFacts) -> Decimal:
    """Hours the operation still takes inside: set-up (where nothing is done yet) and run time of what is left."""
    done = operation.good + operation.scrap
    left = max(ZERO, operation.quantity - done)
    minutes = (operation.run_minutes or ZERO) * left
    if not done:
        minutes += operation.setup_minutes or ZERO
    return minutes / MINUTES


def cost_to_come(operation: OperationFacts, center: WorkCenterValues | None) -> Decimal | None:
    """What the rest of the operation costs inside; None where nobody knows the hour's cost."""
    if operation.is_whole or not (operation.good or operation.scrap):
        return own_cost(operation, center)
    if own_cost(operation, center) is None or center is None or center.hourly_cost is None:
        return None
    return own_hours(operation) * center.hourly_cost


def own_cost(operation: OperationFacts, center: WorkCenterValues | None) -> Decimal | None:
    """What the whole operation costs inside, in company currency; None where nobody knows the hour's cost."""
    if operation.is_whole:
        return operation.inside_cost
    if center is None or center.hourly_cost is None:
        return None
    if operation.setup_minutes is None and operation.run_minutes is None:
        return None
    minutes = (operation.setup_minutes or ZERO) + (operation.run_minutes or ZERO) * operation.quantity
    return minutes / MINUTES * center.hourly_cost


def days_down(center: WorkCenterValues) -> Set[date]:
    """Every day of every downtime."""
    return {
        first + timedelta(days=number)
        for first, last, _ in center.downtimes
        for number in range((last - first).days + 1)
    }


def days_inside(
    operation: OperationFacts, center: WorkCenterValues | None, today: date, closed: Set[date]
) -> tuple[date, date]:
    """The days on which it would be worked on inside: as planned, or forward from today where its start is past."""
    start = start_of(operation)
    end = max(start, operation.planned_end or start)
    return (start, end) if start >= today else (today, max(end, _forward(operation, center, today, closed)))


def down_during(center: WorkCenterValues | None, first: date, last: date) -> tuple[date, date, str] | None:
    """The first downtime of the work center that touches these days."""
    if center is not None:
        for downtime in center.downtimes:
            if downtime[0] <= last and first <= downtime[1]:
                return downtime
    return None


def week_hours(center: WorkCenterValues, monday: date, closed: Set[date]) -> Decimal:
    """Hours the work center can work in a calendar week; `closed` holds closures and downtimes."""
    days = dates.working_days_between(monday, monday + timedelta(days=6), closed)
    return (HOURS_A_DAY if center.hours_a_day is None else center.hours_a_day) * days


def is_overloaded(hours: Decimal, capacity: Decimal, above_pct: Decimal) -> bool:
    """Whether so many hours are more than so many percent of the capacity."""
    return hours * HUNDRED > capacity * above_pct


def days_late_inside(operation: OperationFacts, center: WorkCenterValues | None, today: date, closed: Set[date]) -> int:
    """How many days after its need the operation would end inside: as planned, or forward from today where its start is past."""
    end = operation.ends_on
    finish = end if start_of(operation) >= today else max(end, _forward(operation, center, today, closed))
    return max(0, (finish - min(end, operation.due_date)).days)


def _forward(operation: OperationFacts, center: WorkCenterValues | None, today: date, closed: Set[date]) -> date:
    """When what is left of it would be done if it were begun today."""
    a_day = center.hours_a_day if center is not None and center.hours_a_day else HOURS_A_DAY
    days = min(int((own_hours(operation) / a_day).to_integral_value(ROUND_CEILING)), MANY_DAYS)
    return dates.working_days_after(today, max(days - 1, 0), closed)


def takes_transition(share_pct: Decimal, moved: Decimal, seen: Decimal, quantity: Decimal) -> bool:
    """Whether this operation, whole, brings the share moved so far nearer to the wanted one by going out than by staying."""
    wanted = (seen + quantity) * share_pct / HUNDRED
    return abs(moved + quantity - wanted) <= abs(moved - wanted) and share_pct > 0
