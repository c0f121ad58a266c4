"""Which operations share something limited, so that one's verdict can turn on another's: quotas, vendors' weeks, hours, stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from policies.rules.scope import Shelf, scope_key
from policies.rules.values import OperationFacts, PolicyValues, WorkCenterValues


class Pool:
    """The operations whose verdicts hang together by a counter that runs through all orders. The others stand for themselves.

    It may hold more than need be (whatever some policy could do with an operation counts), never less. `stock_policies` give
    out free stock at vendors.
    """

    def __init__(
        self,
        policies: Collection[PolicyValues],
        work_centers: Mapping[int, WorkCenterValues],
        *,
        stock_policies: Collection[int] = (),
    ) -> None:
        self._shelf = Shelf(policies)
        self._centers = work_centers
        self._limited = {
            row.vendor_id for policy in policies for row in policy.vendors if row.weekly_capacity is not None
        }
        self._policies = {
            policy.policy_id
            for policy in policies
            if policy.policy_id in stock_policies or _counts(policy) or self._names_limited(policy)
        }
        by_load = [policy for policy in policies if policy.load_above_pct is not None]
        self._watches_all = any(policy.work_center_id is None for policy in by_load)
        self._watched = {policy.work_center_id for policy in by_load}

    def __bool__(self) -> bool:
        return bool(self._policies or self._limited or self._watched)

    def takes(self, operation: OperationFacts) -> bool:
        """Whether the operation counts for others, or others for it."""
        center = self._centers.get(operation.work_center_id) if operation.work_center_id is not None else None
        if center is not None:
            if not center.is_external and (self._watches_all or center.work_center_id in self._watched):
                return True
            if center.vendor_id in self._limited:
                return True
        if operation.stays_by_flag:
            return False
        if operation.word is not None and operation.word.vendor_id in self._limited:
            return True
        if any(line.vendor_id in self._limited or line.policy_id in self._policies for line in operation.frozen):
            return True
        return any(policy.policy_id in self._policies for policy in self._shelf.of(scope_key(operation)))

    def _names_limited(self, policy: PolicyValues) -> bool:
        return any(row.vendor_id in self._limited for row in policy.vendors)


def _counts(policy: PolicyValues) -> bool:
    return (
        policy.strategy == "quota"
        or policy.split == "capacity"
        or policy.transition_from is not None
        or policy.load_above_pct is not None
    )
