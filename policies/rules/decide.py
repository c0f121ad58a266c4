"""The decision of one production order's operations: who decides, and what comes of it.

Each question has a part of its own: `choosing` who decides about work nobody was asked for, `standing` what stays with vendors,
`complete` orders bought as a whole, `bundle` operations bought together, `gauging` a policy's conditions, `awarding` and
`weighing` the vendors, `settling` what is counted and written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from policies.rules import bundle, dates, flow, whole
from policies.rules.awarding import Sourcing
from policies.rules.bundle import Bundles, Chain
from policies.rules.choosing import Choice
from policies.rules.complete import Complete
from policies.rules.counters import Counters
from policies.rules.gauging import Gauges
from policies.rules.reasons import looked_at
from policies.rules.scope import Shelf
from policies.rules.settling import FLAG_NO, Outcome, Settling
from policies.rules.standing import AtVendors
from policies.rules.values import (
    BUY_COMPLETE,
    HUNDRED,
    ZERO,
    AwardValues,
    Book,
    CommittedLine,
    Decided,
    OperationFacts,
    OrderFacts,
    Reason,
)
from policies.rules.weighing import Scales


class Decider:
    """Decides order by order. What is sent already is committed first; then orders come by due date.

    The same book, committed lines and orders in the same sequence give the same decisions.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.today = book.on
        for policy in book.policies:
            policy.looked_at = policy.looked_at or looked_at(policy)
        self._counters = Counters()
        self._scales = Scales(book, self._counters)
        sourcing, shelf = Sourcing(self._scales), Shelf(book.policies)
        gauges = Gauges(book, self._counters, self._scales)
        self._settling = Settling(book, self._counters)
        self._at_vendors = AtVendors(book, shelf, self._scales, sourcing)
        self._complete = Complete(
            book, shelf, self._counters, self._scales, sourcing, gauges, self._settling, self._at_vendors
        )
        self._choice = Choice(book, shelf, self._scales, sourcing, gauges, self._complete)
        self._policy_by_id = {policy.policy_id: policy for policy in book.policies}
        self._buys = any(policy.verdict == BUY_COMPLETE for policy in book.policies)
        self._lists = bundle.lists_of(book)

    def commit(self, lines: Iterable[CommittedLine]) -> None:
        """Count what stands with vendors already, before any order is decided."""
        self._counters.commit(lines, self._policy_by_id, self.book.vendors, self.today)

    # --- one order ------------------------------------------------------------------------------------------------

    def decide_order(self, order: OrderFacts) -> list[Decided]:
        """Every open operation of the order, in sequence. Dates run from the last operation to the first, quantities the other
        way; where a yield on the way changes what a later operation can get, the order is decided once more with it.
        """
        operations = [operation for operation in order.operations if operation.status != "cancelled"]
        to_decide = [operation for operation in operations if operation.is_open]
        if not to_decide:
            return []
        if all(operation.stays_by_flag for operation in operations):
            inside = [self._settling.stay_inside(operation, operation.ends_on) for operation in to_decide]
            self._counters.keep()
            return inside
        standing = [line for operation in operations for line in operation.frozen]
        if any(line.is_whole for line in standing):
            return self._complete.stay(operations)
        bundles = Bundles(operations, order.operations, self.book, self._policy_by_id)
        if any(line.last_no for line in standing):
            bundles.join_standing()
        decided = self._decide_chain(bundles.chain)
        if self._lists:
            decided = bundles.buy(self._lists, decided, self._decide_chain, self._counters)
        steps, before, _ = bundles.chain
        if self._buys and (buying := [one for one in decided if one is not None and one.verdict == BUY_COMPLETE]):
            policy = self._policy_by_id[buying[0].policy_id or 0]
            against = whole.hindrance(steps, policy.code)
            if against is None:
                self._counters.take_back()
                return self._complete.buy(steps, decided, policy)
            for one in buying:
                one.verdict, one.reasons = "review", (*one.reasons, against)
        self._counters.keep()
        if len(steps) > 1 and any(one is not None and one.awards for one in decided):
            self._promise(steps, before, decided)
        return bundles.opened(decided)

    def _decide_chain(self, chain: Chain) -> list[Decided | None]:
        """Decide each, and once more where a vendor on the way changes what a later one can get: by his yield, or as he makes up
        what was scrapped at a step begun inside. Nothing counted is kept yet.
        """
        operations, before, after = chain
        decided: list[Decided | None] = [None] * len(operations)
        inputs = flow.inputs(operations, before, decided)
        for _ in range(4):
            self._counters.keep()
            self._decide_all(operations, before, after, inputs, decided)
            if not any(
                operation.scrap or award.yield_pct != HUNDRED
                for operation, one in zip(operations, decided, strict=True)
                if one is not None
                for award in one.awards
            ):
                break
            again = flow.inputs(operations, before, decided)
            if again == inputs:
                break
            inputs = again
            self._counters.take_back()
        return decided

    # --- one operation ----------------------------------------------------------------------------------------------

    def _promise(
        self, operations: Sequence[OperationFacts], before: Sequence[Sequence[int]], decided: Sequence[Decided | None]
    ) -> None:
        """Nothing leaves for a vendor before the steps before are promised: such a promise runs forward from theirs.

        Need dates, and with them what is ordered by when, stay. Days between the steps inside are the plan's own.
        """
        ready: list[date | None] = []
        for index, (operation, one) in enumerate(zip(operations, decided, strict=True)):
            from_before = max((day for i in before[index] if (day := ready[i]) is not None), default=None)
            if not operation.is_open:
                ready.append(None)
                continue
            awards = one.awards if one is not None else ()
            if one is not None and from_before is not None:
                for award in awards:
                    self._wait_for(from_before, award, one)
            known = [award.promise_date for award in awards]
            known += [x.of_use_on for x in operation.frozen if x.open > ZERO and x.of_use_on is not None]
            if known:
                ready.append(max(known))
            elif from_before is not None and operation.planned_start is not None and operation.planned_end is not None:
                ready.append(from_before + (operation.planned_end - operation.planned_start))
            else:
                ready.append(from_before)

    def _wait_for(self, ready: date, award: AwardValues, one: Decided) -> None:
        """Put a promise off where the pieces are not there on the day they had to leave."""
        if ready <= award.dispatch_by + timedelta(days=award.late_by):
            return
        policy = self._policy_by_id.get(one.policy_id) if one.policy_id is not None else None
        vendor = self.book.vendors[award.vendor_id]
        transit = self._scales.transit(policy, vendor)
        back = dates.ship_forward(ready, award.lead_days, transit, vendor.closed)
        award.promise_date = max(award.promise_date, back)
        award.late_by = (ready - award.dispatch_by).days
        said = (award.late_by, ready, award.dispatch_by, award.promise_date)
        one.reasons += (Reason("previous_late", policy.code if policy else "", vendor.code, said),)

    def _decide_all(
        self,
        operations: Sequence[OperationFacts],
        before: Sequence[Sequence[int]],
        after: Sequence[Sequence[int]],
        inputs: Sequence[Decimal],
        decided: list[Decided | None],
    ) -> None:
        self._complete.look_at(operations)
        needs: list[date] = [operation.ends_on for operation in operations]
        for index in range(len(operations) - 1, -1, -1):
            operation = operations[index]
            if not operation.is_open:
                continue
            need = needs[index]
            if not operation.dates_given:
                for later in after[index]:
                    need = min(need, flow.start_of_next(operations[later], decided[later], needs[later], need))
            needs[index] = need
            decided[index] = self._decide(operation, inputs[index], not before[index], need)

    def _decide(self, operation: OperationFacts, available: Decimal, is_first: bool, need: date) -> Decided:
        if operation.stays_by_flag:
            return self._settling.stay_inside(operation, need)
        word = operation.word
        reasons: list[Reason] = []
        wanted, standing = flow.wanted_of(operation, available, is_first)
        if word is not None and word.word == "in_house":
            reasons.append(Reason("planners_word", values=("in_house", "", word.reason, word.by, word.at)))
            outcome = Outcome("in_house", "word", None)
        elif operation.frozen:
            outcome = self._at_vendors.stay(operation, wanted, need, reasons)
        elif word is not None:
            outcome = self._choice.by_word(operation, word, wanted, need, reasons)
        elif operation.outsourced == "no":
            reasons.append(FLAG_NO)
            outcome = Outcome("in_house", "flag", None)
        else:
            outcome = self._choice.by_policies(operation, wanted, need, reasons)
        return self._settling.settle(operation, wanted, standing, need, reasons, outcome)
