"""Who decides about an operation nobody was asked for yet: the planner's word, policies, the work center's own vendor."""

from __future__ import annotations

from datetime import date

from policies.rules import conditions
from policies.rules.awarding import Sourcing
from policies.rules.complete import Complete
from policies.rules.flow import Wanted
from policies.rules.gauging import Gauges
from policies.rules.scope import Shelf, scope_key
from policies.rules.settling import Outcome, word_outside
from policies.rules.values import BUY_COMPLETE, Book, OperationFacts, Reason, WordValues, WorkCenterValues
from policies.rules.weighing import Scales, row_of


class Choice:
    """Finds the verdict on one operation, with a reason for each policy looked at and each vendor weighed."""

    def __init__(
        self, book: Book, shelf: Shelf, scales: Scales, sourcing: Sourcing, gauges: Gauges, complete: Complete
    ) -> None:
        self._book = book
        self._shelf = shelf
        self._scales = scales
        self._sourcing = sourcing
        self._gauges = gauges
        self._complete = complete

    def by_policies(self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]) -> Outcome:
        start = conditions.start_of(operation)
        for policy in self._shelf.of(scope_key(operation)):
            failure = conditions.not_valid(policy, start) or self._gauges.failing(policy, operation, start)
            if failure is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            if policy.verdict in ("in_house", "review"):
                reasons.append(self._gauges.matched(policy, operation, start))
                return Outcome(policy.verdict, "policy", policy)
            if policy.verdict == BUY_COMPLETE:
                if (failure := self._complete.against(policy)) is not None:
                    reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                    continue
                reasons.append(self._gauges.matched(policy, operation, start))
                return Outcome(BUY_COMPLETE, "policy", policy)  # what comes of it is said for the whole order
            found: list[Reason] = []
            offers = self._sourcing.find(operation, policy, wanted, need, found)
            if (
                policy.cost_below_pct is not None
                and (failure := self._gauges.too_dear(policy, operation, offers)) is not None
            ):
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                reasons.extend(found)
                continue
            if policy.transition_from is not None and not self._gauges.moves(policy, operation):
                failure = ("transition_share_pct", self._gauges.moved_pct(policy), policy.transition_share_pct)
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            reasons.append(self._gauges.matched(policy, operation, start, offers))
            reasons.extend(found)
            return Outcome("blocked" if offers is None else "outsource", "policy", policy, offers or ())
        center = self._scales.center_of(operation)
        if center is not None and center.is_external and center.vendor_id is not None:
            return self._at_own_vendor(operation, center, center.vendor_id, wanted, need, reasons)
        if operation.outsourced == "yes":
            reasons.append(Reason("no_policy"))
            return Outcome("review", "flag", None)
        reasons.append(Reason("default_inside", values=(operation.outsourced,)))
        return Outcome("in_house", "default", None)

    def _at_own_vendor(
        self,
        operation: OperationFacts,
        center: WorkCenterValues,
        vendor_id: int,
        wanted: Wanted,
        need: date,
        reasons: list[Reason],
    ) -> Outcome:
        vendor = self._book.vendors.get(vendor_id)
        reasons.append(Reason("work_center_vendor", "", vendor.code if vendor else "", (center.code,)))
        if self._sourcing.is_nothing(operation, None, wanted, reasons):
            return Outcome("outsource", "work_center", None)
        offer = self._scales.weigh(operation, None, None, vendor_id, wanted, need, reasons)
        return Outcome("outsource" if offer else "blocked", "work_center", None, (offer,) if offer else ())

    def by_word(
        self, operation: OperationFacts, word: WordValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """Outside at the vendor named; where none is named, at those of the first policy that sends such work out."""
        reasons.append(word_outside(word, self._book))
        policy = self._shelf.sending_out(operation, word.vendor_id)
        if word.vendor_id is not None:
            if self._sourcing.is_nothing(operation, policy, wanted, reasons):
                return Outcome("outsource", "word", policy)
            offer = self._scales.weigh(
                operation, policy, row_of(policy, word.vendor_id), word.vendor_id, wanted, need, reasons
            )
            return Outcome("outsource" if offer else "blocked", "word", policy, (offer,) if offer else ())
        if policy is not None:
            offers = self._sourcing.find(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", "word", policy, offers or ())
        center = self._scales.center_of(operation)
        if center is not None and center.vendor_id is not None:
            return self._at_own_vendor(operation, center, center.vendor_id, wanted, need, reasons)._replace(
                basis="word"
            )
        reasons.append(Reason("no_policy"))
        return Outcome("review", "word", None)
