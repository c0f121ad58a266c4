"""Which policies are looked at for an operation, and in which order."""

from __future__ import annotations

from collections.abc import Iterable

from policies.rules import conditions
from policies.rules.values import OperationFacts, PolicyValues

KEPT = 50_000  # answers remembered at most

ScopeKey = tuple[int, int | None, int | None, int | None, int]


def looking_order(policy: PolicyValues) -> tuple[int, int, bool, bool, bool, bool, bool, str]:
    """Lowest priority number, then most scope fields filled, then item, item group, process, work center, site, then code."""
    blank = (
        policy.item_id is None,
        policy.item_group_id is None,
        policy.process_id is None,
        policy.work_center_id is None,
        policy.site_id is None,
    )
    return (policy.priority, sum(blank), *blank, policy.code)


def fits(policy: PolicyValues, key: ScopeKey) -> bool:
    item_id, item_group_id, process_id, work_center_id, site_id = key
    return (
        policy.item_id in (None, item_id)
        and policy.item_group_id in (None, item_group_id)
        and policy.process_id in (None, process_id)
        and policy.work_center_id in (None, work_center_id)
        and policy.site_id in (None, site_id)
    )


def scope_key(operation: OperationFacts) -> ScopeKey:
    return (
        operation.item_id,
        operation.item_group_id,
        operation.process_id,
        operation.work_center_id,
        operation.site_id,
    )


class Shelf:
    """The policies of a book, so sorted that those of one operation are found without looking at all."""

    def __init__(self, policies: Iterable[PolicyValues]) -> None:
        self._by_field: dict[tuple[str, int | None], list[PolicyValues]] = {}
        self._found: dict[ScopeKey, tuple[PolicyValues, ...]] = {}
        for policy in policies:
            self._by_field.setdefault(_narrowest(policy), []).append(policy)

    def of(self, key: ScopeKey) -> tuple[PolicyValues, ...]:
        """The policies whose scope fits, in the order in which they are looked at."""
        found = self._found.get(key)
        if found is None:
            item_id, item_group_id, process_id, work_center_id, site_id = key
            places: tuple[tuple[str, int | None], ...] = (
                ("item", item_id), ("process", process_id), ("group", item_group_id), ("center", work_center_id),
                ("site", site_id), ("any", None),
            )  # fmt: skip
            near = [policy for place in places for policy in self._by_field.get(place, ())]
            if len(self._found) >= KEPT:
                self._found.clear()
            found = self._found[key] = tuple(sorted((p for p in near if fits(p, key)), key=looking_order))
        return found

    def sending_out(self, operation: OperationFacts, vendor_id: int | None) -> PolicyValues | None:
        """The policy whose rules hold where something else decided that the operation goes out: the first valid one that sends
        such work out and names the vendor, else the first that sends it out.
        """
        start = conditions.start_of(operation)
        outside = [
            policy
            for policy in self.of(scope_key(operation))
            if policy.verdict == "outsource" and conditions.not_valid(policy, start) is None
        ]
        naming = (
            policy
            for policy in outside
            if vendor_id is not None and any(row.vendor_id == vendor_id for row in policy.vendors)
        )
        return next(naming, outside[0] if outside else None)


def _narrowest(policy: PolicyValues) -> tuple[str, int | None]:
    if policy.item_id is not None:
        return "item", policy.item_id
    if policy.process_id is not None:
        return "process", policy.process_id
    if policy.item_group_id is not None:
        return "group", policy.item_group_id
    if policy.work_center_id is not None:
        return "center", policy.work_center_id
    if policy.site_id is not None:
        return "site", policy.site_id
    return "any", None
