"""Production orders bought complete, instead of operation by operation: whether, from whom, and what their operations say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from policies.rules import conditions, flow, whole
from policies.rules.awarding import Sourcing
from policies.rules.counters import Counters
from policies.rules.flow import Wanted
from policies.rules.gauging import Gauges
from policies.rules.scope import Shelf, scope_key
from policies.rules.settling import Outcome, Settling
from policies.rules.standing import AtVendors
from policies.rules.values import BUY_COMPLETE, ZERO, Book, Decided, Frozen, OperationFacts, PolicyValues, Reason
from policies.rules.weighing import Offer, Scales, row_of


class Complete:
    """Decides for a production order as a whole. `look_at` says which one, before any of its operations is asked about."""

    def __init__(
        self, book: Book, shelf: Shelf, counters: Counters, scales: Scales, sourcing: Sourcing, gauges: Gauges,
        settling: Settling, at_vendors: AtVendors,
    ) -> None:  # fmt: skip
        self._book = book
        self._shelf = shelf
        self._counters = counters
        self._scales = scales
        self._sourcing = sourcing
        self._gauges = gauges
        self._settling = settling
        self._at_vendors = at_vendors
        self._operations: Sequence[OperationFacts] = ()
        self._answers: dict[int, conditions.Failure | None] = {}

    def look_at(self, operations: Sequence[OperationFacts]) -> None:
        self._operations, self._answers = operations, {}

    def against(self, policy: PolicyValues) -> conditions.Failure | None:
        """What stands against buying the order looked at by this policy; asked once for an order and policy."""
        if policy.policy_id not in self._answers:
            self._answers[policy.policy_id] = self._against(policy)
        return self._answers[policy.policy_id]

    def buy(
        self, operations: Sequence[OperationFacts], decided: Sequence[Decided | None], policy: PolicyValues
    ) -> list[Decided]:
        """One award for the whole order, on its last operation; the others end with it."""
        bought = whole.of(operations, self._book)
        need = bought.ends_on
        wanted, _ = flow.wanted_of(bought, bought.quantity, True)
        if policy.transition_from is not None:
            self._gauges.moves(policy, bought)
        reasons = [
            list(one.reasons)
            if one is not None and one.verdict == BUY_COMPLETE
            else [Reason("ends_with", policy.code, "", (bought.operation_no,))]
            for one in decided
        ]
        found: list[Reason] = []
        offers = self._sourcing.find(bought, policy, wanted, need, found)
        if offers is None:
            blocked = Outcome("blocked", "policy", policy)
            return self._all_alike(operations, [[*mine, *found] for mine in reasons], blocked)
        said = [*reasons[-1], *found]
        return self._whole_decided(
            operations, bought, wanted, need, [*reasons[:-1], said], Outcome("outsource", "policy", policy, offers)
        )

    def stay(self, operations: Sequence[OperationFacts]) -> list[Decided]:
        """A vendor was asked for the whole order: it stays with him, unless what is said today would not buy it any more."""
        bought = whole.of(operations, self._book)
        need = bought.ends_on
        wanted, standing = flow.wanted_of(bought, bought.quantity, True)
        said: list[Reason] = []
        for line in bought.frozen:
            vendor = self._book.vendors.get(line.vendor_id)
            reason = Reason(
                "already_ordered", "", vendor.code if vendor else "", (line.open, line.received, line.number)
            )
            said.append(reason)
        words = [one.word for one in operations if one.word is not None]
        policy = None if words else self._still_buying(operations, bought.frozen)
        if policy is None:
            stays = all(one.outsourced != "yes" for one in operations)
            for word in words:
                code = self._book.vendors[word.vendor_id].code if word.vendor_id is not None else ""
                said.append(Reason("planners_word", "", code, (word.word, code, word.reason, word.by, word.at)))
                stays = stays and word.word == "in_house"
            said.append(Reason("not_bought"))
            outcome = Outcome("in_house" if stays else "review", "word" if words else "default", None)
            return self._all_alike(operations, [list(said) for _ in operations], outcome)
        said.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
        leaving = self._at_vendors.leaving(bought, policy, need, said)
        offers: tuple[Offer, ...] | None = ()
        if not self._sourcing.is_nothing(bought, policy, wanted, []):
            for vendor_id in dict.fromkeys(line.vendor_id for line in self._at_vendors.keeping(bought, policy)):
                offer = self._scales.weigh(bought, policy, row_of(policy, vendor_id), vendor_id, wanted, need, said)
                if offer is not None:
                    offers = (offer,)
                    break
            else:
                offers = self._sourcing.find(bought, policy, wanted, need, said)
        verdict = "blocked" if offers is None else "outsource"
        outcome = Outcome(verdict, "policy", policy, offers or (), leaving)
        reasons = [said if one.operation_id == bought.operation_id else list(said) for one in operations]
        return self._whole_decided(operations, bought, wanted, need, reasons, outcome, standing=standing)

    def _whole_decided(
        self,
        operations: Sequence[OperationFacts],
        bought: OperationFacts,
        wanted: Wanted,
        need: date,
        reasons: Sequence[list[Reason]],
        outcome: Outcome,
        *,
        standing: Decimal = ZERO,
    ) -> list[Decided]:
        """The decision that holds the award, and those that end with it."""
        found = []
        code = outcome.policy.code if outcome.policy is not None else ""
        for operation, mine in zip(operations, reasons, strict=True):
            if not operation.is_open:
                continue
            if operation.operation_id == bought.operation_id:
                one = self._settling.settle(bought, wanted, standing, need, mine, outcome)
                one.planned_start = operation.planned_start
            else:
                ends = Reason("ends_with", code, "", (bought.operation_no,))
                one = self._ended(operation, mine if ends in mine else [*mine, ends], outcome)
            found.append(one)
        self._counters.keep()
        return found

    def _all_alike(
        self, operations: Sequence[OperationFacts], reasons: Sequence[list[Reason]], outcome: Outcome
    ) -> list[Decided]:
        """The same verdict on every operation that is open, without an award."""
        found = []
        for operation, mine in zip(operations, reasons, strict=True):
            if operation.is_open:
                need = operation.ends_on
                wanted, standing = flow.wanted_of(operation, operation.quantity, True)
                found.append(self._settling.settle(operation, wanted, standing, need, mine, outcome))
        self._counters.keep()
        return found

    @staticmethod
    def _ended(operation: OperationFacts, reasons: Sequence[Reason], outcome: Outcome) -> Decided:
        policy = outcome.policy
        return Decided(
            operation.operation_id, outcome.verdict, outcome.basis, policy.policy_id if policy is not None else None,
            operation.quantity, operation.planned_start, operation.ends_on, tuple(reasons),
            policy_version=policy.version if policy is not None else 0,
        )  # fmt: skip

    def _against(self, policy: PolicyValues) -> conditions.Failure | None:
        """What the conditions that compare say about the whole order; asked once for an order and policy."""
        if policy.cost_below_pct is None and policy.transition_from is None:
            return None
        bought = whole.of(self._operations, self._book)
        wanted, _ = flow.wanted_of(bought, bought.quantity, True)
        if policy.cost_below_pct is not None:
            offers = self._sourcing.find(bought, policy, wanted, bought.ends_on, [])
            if (failure := self._gauges.too_dear(policy, bought, offers)) is not None:
                return failure
        if policy.transition_from is not None and not self._gauges.moves(policy, bought):
            return "transition_share_pct", self._gauges.moved_pct(policy), policy.transition_share_pct
        return None

    def _still_buying(self, operations: Sequence[OperationFacts], frozen: Sequence[Frozen]) -> PolicyValues | None:
        """The policy that buys the order complete as things stand; what was asked of the moment is not asked again."""
        by = {line.policy_id for line in frozen}
        for operation in operations:
            if operation.outsourced == "no":
                continue
            start = conditions.start_of(operation)
            for policy in self._shelf.of(scope_key(operation)):
                if conditions.not_valid(policy, start) or conditions.fixed_condition_failing(policy, operation, start):
                    continue
                if policy.policy_id not in by and conditions.is_of_the_moment(policy):
                    continue
                if policy.verdict == BUY_COMPLETE:
                    return policy
                break
        return None
