"""What runs through all operations in due-date order: pieces at vendors by week, quotas, transitions, hours of work centers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from policies.rules import dates
from policies.rules.values import ZERO, CommittedLine, PolicyValues, VendorValues

Counter = defaultdict[object, Decimal]


def _counter() -> Counter:
    return defaultdict(lambda: ZERO)


class Counters:
    """The counters of a run. Every change is noted, so that an order can be decided anew."""

    def __init__(self) -> None:
        self.pieces = _counter()
        """Given to a vendor for a calendar week: (vendor, Monday)."""
        self.given = _counter()
        """Given to a vendor by a policy: (policy, vendor)."""
        self.moved = _counter()
        """Sent out by a policy with a transition."""
        self.seen = _counter()
        """Looked at by a policy with a transition."""
        self.hours = _counter()
        """Of a work center of ours in a calendar week: (work center, Monday)."""
        self._journal: list[tuple[Counter, object, Decimal]] = []

    def commit(
        self,
        lines: Iterable[CommittedLine],
        policies: Mapping[int, PolicyValues],
        vendors: Mapping[int, VendorValues],
        today: date,
    ) -> None:
        """Count what stands already, before any order is decided."""
        for line in lines:
            if line.at_vendor_date is not None:
                arrives = line.at_vendor_date
                if line.late_by:
                    closed = vendors[line.vendor_id].closed if line.vendor_id in vendors else frozenset()
                    arrives = dates.working_day_on_or_after(arrives + timedelta(days=line.late_by), closed)
                self.pieces[line.vendor_id, dates.monday(arrives)] += line.quantity
            policy = policies.get(line.policy_id) if line.policy_id is not None else None
            if policy is None:
                continue
            since = today - timedelta(days=policy.balance_days)
            if line.at_vendor_date is None or line.at_vendor_date >= since:
                self.given[policy.policy_id, line.vendor_id] += line.quantity
            if policy.transition_from is not None:
                self.moved[policy.policy_id] += line.quantity
                self.seen[policy.policy_id] += line.quantity

    def count(self, counter: Counter, key: object, quantity: Decimal) -> None:
        counter[key] += quantity
        self._journal.append((counter, key, quantity))

    def take_back(self) -> None:
        """Undo what was counted since the last `keep`."""
        for counter, key, quantity in self._journal:
            counter[key] -= quantity
        self._journal.clear()

    def keep(self) -> None:
        self._journal.clear()
