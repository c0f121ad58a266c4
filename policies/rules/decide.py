"""The decision of one production order's operations: who decides, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from policies.rules import bundle, conditions, dates, flow, whole
from policies.rules.awarding import Sourcing
from policies.rules.bundle import Bundles, Chain
from policies.rules.counters import Counters
from policies.rules.flow import Wanted
from policies.rules.reasons import looked_at
from policies.rules.scope import Shelf, scope_key
from policies.rules.values import (
    HUNDRED,
    ZERO,
    AwardValues,
    Book,
    CommittedLine,
    Decided,
    Frozen,
    OperationFacts,
    OrderFacts,
    PolicyValues,
    Reason,
    WordValues,
    WorkCenterValues,
)
from policies.rules.weighing import Offer, Scales, row_of

ONE = Decimal(1)
BUY_COMPLETE = "buy_complete"
FLAG_NO = (Reason("flag_no"),)


class Outcome(NamedTuple):
    verdict: str
    basis: str
    policy: PolicyValues | None
    offers: tuple[Offer, ...] = ()
    leaving: tuple[tuple[str, int | None], ...] = ()


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
        self._sourcing = Sourcing(self._scales)
        self._shelf = Shelf(book.policies)
        self._policy_by_id = {policy.policy_id: policy for policy in book.policies}
        self._buys = any(policy.verdict == BUY_COMPLETE for policy in book.policies)
        self._lists = bundle.lists_of(book)
        self._operations: Sequence[OperationFacts] = ()
        self._bought: dict[int, conditions.Failure | None] = {}
        self._weeks: dict[tuple[int, date], Decimal] = {}
        self._closed: dict[int, frozenset[date]] = {}
        # Hours are only counted where some policy asks for them.
        self._counts_hours = any(policy.load_above_pct is not None for policy in book.policies)

    def commit(self, lines: Iterable[CommittedLine]) -> None:
        """Count what stands with vendors already, before any order is decided."""
        self._counters.commit(lines, self._policy_by_id, self.today)

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
            inside = [self._stay_inside(operation, operation.ends_on) for operation in to_decide]
            self._counters.keep()
            return inside
        standing = [line for operation in operations for line in operation.frozen]
        if any(line.is_whole for line in standing):
            return self._stay_bought(operations)
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
                return self._buy_complete(steps, decided, policy)
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

    def _stay_inside(self, operation: OperationFacts, need: date) -> Decided:
        """Most operations of most plans: nothing but the flag of their routing is to be read."""
        self._count_hours(operation)
        return Decided(
            operation.operation_id, "in_house", "flag", None, operation.quantity, operation.planned_start, need, FLAG_NO
        )  # fmt: skip

    def _count_hours(self, operation: OperationFacts) -> None:
        if self._counts_hours and operation.work_center_id is not None:
            week = dates.monday(conditions.start_of(operation))
            self._counters.count(
                self._counters.hours, (operation.work_center_id, week), conditions.own_hours(operation)
            )

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
            known += [x.promised_date for x in operation.frozen if x.open > ZERO and x.promised_date is not None]
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
        self._operations, self._bought = operations, {}
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
            return self._stay_inside(operation, need)
        word = operation.word
        reasons: list[Reason] = []
        wanted, standing = flow.wanted_of(operation, available, is_first)
        if word is not None and word.word == "in_house":
            reasons.append(Reason("planners_word", values=("in_house", "", word.reason, word.by, word.at)))
            outcome = Outcome("in_house", "word", None)
        elif operation.frozen:
            outcome = self._stay_with_vendors(operation, wanted, need, reasons)
        elif word is not None:
            outcome = self._follow_word(operation, word, wanted, need, reasons)
        elif operation.outsourced == "no":
            reasons.append(FLAG_NO[0])
            outcome = Outcome("in_house", "flag", None)
        else:
            outcome = self._follow_policies(operation, wanted, need, reasons)
        return self._settle(operation, wanted, standing, need, reasons, outcome)

    def _settle(
        self,
        operation: OperationFacts,
        wanted: Wanted,
        standing: Decimal,
        need: date,
        reasons: list[Reason],
        outcome: Outcome,
    ) -> Decided:
        """Count what was decided and put it into its final form."""
        verdict, basis, policy, offers, leaving = outcome
        awards = []
        flips_on: date | None = None
        code = policy.code if policy is not None else ""
        for offer in offers:
            chain, amounts, row = offer.chain, offer.amounts, offer.row
            vendor = offer.vendor
            currency = self.book.currencies[offer.currency_id]
            self._counters.count(
                self._counters.pieces, (vendor.vendor_id, dates.monday(chain.arrives_on)), offer.quantity
            )
            if policy is not None:
                self._counters.count(self._counters.given, (policy.policy_id, vendor.vendor_id), offer.quantity)
            reasons.append(
                Reason(
                    "vendor_chosen",
                    code,
                    vendor.code,
                    (
                        offer.rank,
                        offer.quantity,
                        offer.unit_price,
                        offer.price_unit,
                        amounts.total,
                        currency.code,
                        chain.order_by,
                        chain.dispatch_by,
                        offer.is_estimate,
                    ),
                )
            )
            if chain.late_by:
                reasons.append(Reason("late_by", code, vendor.code, (chain.late_by, chain.order_by, chain.promise)))
            flip = chain.order_day + dates.ONE_DAY
            flips_on = flip if flips_on is None else min(flips_on, flip)
            awards.append(
                AwardValues(
                    offer.rank,
                    vendor.vendor_id,
                    offer.quantity,
                    offer.yield_pct,
                    row.agreement_id if row else None,
                    offer.currency_id,
                    offer.unit_price,
                    offer.price_unit,
                    offer.price_factor,
                    offer.is_estimate,
                    amounts.work,
                    amounts.top_up,
                    amounts.lot_charge,
                    amounts.freight,
                    amounts.total,
                    offer.amount_company,
                    offer.lead_days,
                    chain.need_date,
                    chain.vendor_ready,
                    chain.at_vendor,
                    chain.dispatch_by,
                    chain.order_by,
                    chain.late_by,
                    chain.promise,
                    operation.is_whole,
                    operation.last_no,
                )
            )
        if verdict == "outsource":
            quantity = sum((award.quantity for award in awards), standing)
            if operation.frozen and not awards:  # may be less than what stands there: a lowered plan
                quantity = max(ZERO, wanted.quantity(operation.frozen[0].yield_pct) + wanted.less)
        else:
            quantity = operation.quantity
            if verdict == "blocked":
                flips_on = max(self.book.today(operation.site_id), conditions.start_of(operation)) + dates.ONE_DAY
        if verdict in ("in_house", "review"):
            self._count_hours(operation)
        return Decided(
            operation.operation_id, verdict, basis, policy.policy_id if policy is not None else None, quantity,
            operation.planned_start, need, tuple(reasons), tuple(awards), flips_on,
            policy.version if policy is not None else 0, leaving,
        )  # fmt: skip

    # --- an order bought complete ----------------------------------------------------------------------------------

    def _buy_complete(
        self, operations: Sequence[OperationFacts], decided: Sequence[Decided | None], policy: PolicyValues
    ) -> list[Decided]:
        """One award for the whole order, on its last operation; the others end with it."""
        bought = whole.of(operations, self.book)
        need = bought.ends_on
        wanted, _ = flow.wanted_of(bought, bought.quantity, True)
        if policy.transition_from is not None:
            self._moves(policy, bought)
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

    def _stay_bought(self, operations: Sequence[OperationFacts]) -> list[Decided]:
        """A vendor was asked for the whole order: it stays with him, unless what is said today would not buy it any more."""
        bought = whole.of(operations, self.book)
        need = bought.ends_on
        wanted, standing = flow.wanted_of(bought, bought.quantity, True)
        said: list[Reason] = []
        for line in bought.frozen:
            vendor = self.book.vendors.get(line.vendor_id)
            reason = Reason(
                "already_ordered", "", vendor.code if vendor else "", (line.open, line.received, line.number)
            )
            said.append(reason)
        words = [one.word for one in operations if one.word is not None]
        policy = None if words else self._still_buying(operations, bought.frozen)
        if policy is None:
            stays = all(one.outsourced != "yes" for one in operations)
            for word in words:
                code = self.book.vendors[word.vendor_id].code if word.vendor_id is not None else ""
                said.append(Reason("planners_word", "", code, (word.word, code, word.reason, word.by, word.at)))
                stays = stays and word.word == "in_house"
            said.append(Reason("not_bought"))
            outcome = Outcome("in_house" if stays else "review", "word" if words else "default", None)
            return self._all_alike(operations, [list(said) for _ in operations], outcome)
        said.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
        leaving = self._leaving(bought, policy, need, said)
        offers: tuple[Offer, ...] = ()
        if not self._sourcing.is_nothing(bought, policy, wanted, []):
            for vendor_id in dict.fromkeys(line.vendor_id for line in bought.frozen):
                offer = self._scales.weigh(bought, policy, row_of(policy, vendor_id), vendor_id, wanted, need, said)
                if offer is not None:
                    offers = (offer,)
                    break
            else:
                offers = self._sourcing.find(bought, policy, wanted, need, said) or ()
        outcome = Outcome("outsource", "policy", policy, offers, leaving)
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
                one = self._settle(bought, wanted, standing, need, mine, outcome)
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
                found.append(self._settle(operation, wanted, standing, need, mine, outcome))
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

    def _not_bought(self, policy: PolicyValues) -> conditions.Failure | None:
        """What the conditions that compare say about the whole order; asked once for an order and policy."""
        if policy.cost_below_pct is None and policy.transition_from is None:
            return None
        bought = whole.of(self._operations, self.book)
        wanted, _ = flow.wanted_of(bought, bought.quantity, True)
        if policy.cost_below_pct is not None:
            offers = self._sourcing.find(bought, policy, wanted, bought.ends_on, [])
            if (failure := self._too_dear(policy, bought, offers)) is not None:
                return failure
        if policy.transition_from is not None and not self._moves(policy, bought):
            return "transition_share_pct", self._moved_pct(policy), policy.transition_share_pct
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

    # --- who decides ------------------------------------------------------------------------------------------------

    def _follow_policies(self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]) -> Outcome:
        start = conditions.start_of(operation)
        for policy in self._shelf.of(scope_key(operation)):
            failure = conditions.not_valid(policy, start) or self._failing(policy, operation, start)
            if failure is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            if policy.verdict in ("in_house", "review"):
                reasons.append(self._matched(policy, operation, start))
                return Outcome(policy.verdict, "policy", policy)
            if policy.verdict == BUY_COMPLETE:
                if policy.policy_id not in self._bought:
                    self._bought[policy.policy_id] = self._not_bought(policy)
                if (failure := self._bought[policy.policy_id]) is not None:
                    reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                    continue
                reasons.append(self._matched(policy, operation, start))
                return Outcome(BUY_COMPLETE, "policy", policy)  # what comes of it is said for the whole order
            found: list[Reason] = []
            offers = self._sourcing.find(operation, policy, wanted, need, found)
            if policy.cost_below_pct is not None and (failure := self._too_dear(policy, operation, offers)) is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                reasons.extend(found)
                continue
            if policy.transition_from is not None and not self._moves(policy, operation):
                failure = ("transition_share_pct", self._moved_pct(policy), policy.transition_share_pct)
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            reasons.append(self._matched(policy, operation, start, offers))
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
        vendor = self.book.vendors.get(vendor_id)
        reasons.append(Reason("work_center_vendor", "", vendor.code if vendor else "", (center.code,)))
        if self._sourcing.is_nothing(operation, None, wanted, reasons):
            return Outcome("outsource", "work_center", None)
        offer = self._scales.weigh(operation, None, None, vendor_id, wanted, need, reasons)
        return Outcome("outsource" if offer else "blocked", "work_center", None, (offer,) if offer else ())

    def _word_outside(self, word: WordValues) -> Reason:
        code = self.book.vendors[word.vendor_id].code if word.vendor_id is not None else ""
        return Reason("planners_word", "", code, ("outsource", code, word.reason, word.by, word.at))

    def _follow_word(
        self, operation: OperationFacts, word: WordValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """Outside at the vendor named; where none is named, at those of the first policy that sends such work out."""
        reasons.append(self._word_outside(word))
        policy = self._rules_for(operation, word.vendor_id)
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

    def _stay_with_vendors(
        self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """What a vendor was asked for stays with him; only what is missing beyond it is given out, to him first.

        Unless what is said today would not send it out, or not to him: the verdict then says so, and a person is told.
        """
        word = operation.word
        if word is not None:
            reasons.append(self._word_outside(word))
        for line in operation.frozen:
            vendor = self.book.vendors.get(line.vendor_id)
            code = vendor.code if vendor else ""
            reasons.append(Reason("already_ordered", "", code, (line.open, line.received, line.number)))
        flipped = self._said_today(operation, reasons) if word is None else None
        if isinstance(flipped, Outcome):
            return flipped
        leaving = self._leaving(operation, flipped, need, reasons)
        return self._give_the_rest(operation, wanted, need, reasons)._replace(leaving=leaving)

    def _said_today(self, operation: OperationFacts, reasons: list[Reason]) -> Outcome | PolicyValues | None:
        """What flag and policies say about work a vendor has already: not to go out (an outcome), or by which policy.

        A condition on the moment (load, downtime, lateness, cost, share) was met when the work was given out and is not asked
        again: the work is gone because of it. Nothing where a person, or the work center's own vendor, has the last word.
        """
        if operation.outsourced == "no":
            reasons.append(FLAG_NO[0])
            return Outcome("in_house", "flag", None)
        start = conditions.start_of(operation)
        by = {line.policy_id for line in operation.frozen}
        for policy in self._shelf.of(scope_key(operation)):
            failure = conditions.not_valid(policy, start) or conditions.fixed_condition_failing(
                policy, operation, start
            )
            if failure is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            if policy.policy_id not in by and conditions.is_of_the_moment(policy):
                continue
            reasons.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
            if policy.verdict == "outsource":
                return policy
            if policy.verdict == BUY_COMPLETE:
                reasons.append(Reason("not_whole", policy.code, "", (operation.operation_no, "ordered")))
            return Outcome("in_house" if policy.verdict == "in_house" else "review", "policy", policy)
        center = self._scales.center_of(operation)
        is_by_policy = any(line.is_by_policy for line in operation.frozen)
        if not is_by_policy or operation.outsourced == "yes" or (center and center.is_external and center.vendor_id):
            return None
        reasons.append(Reason("default_inside", values=(operation.outsourced,)))
        return Outcome("in_house", "default", None)

    def _leaving(
        self, operation: OperationFacts, policy: PolicyValues | None, need: date, reasons: list[Reason]
    ) -> tuple[tuple[str, int | None], ...]:
        """Open lines of vendors who may not do them any more, each with the vendor the policy would give it to now."""
        found: list[tuple[str, int | None]] = []
        for line in operation.frozen:
            if line.open <= ZERO:
                continue
            rules = policy or (self._policy_by_id.get(line.policy_id) if line.policy_id is not None else None)
            against = self._scales.lost(operation, rules, line.vendor_id, line.dispatch_by or line.at_vendor_date)
            names = policy.vendors if policy is not None and line.is_by_policy else ()
            if policy is not None and not against and names and row_of(policy, line.vendor_id) is None:
                against.append(Reason("not_named", policy.code, self.book.vendors[line.vendor_id].code))
            if policy is None and not against and (moved := self._center_moved(operation, line, need, reasons)):
                found.append((line.number, moved))
                continue
            if not against:
                continue
            reasons.extend(against)
            rest = Wanted(line.open, ZERO, False, operation.decimals)
            offers = self._sourcing.find(operation, rules, rest, need, reasons) if rules is not None else None
            found.append((line.number, offers[0].vendor.vendor_id if offers else None))
        return tuple(found)

    def _center_moved(self, operation: OperationFacts, line: Frozen, need: date, reasons: list[Reason]) -> int | None:
        """The vendor an external work center has by now, where it gave the line to another before and this one can take it."""
        center = self._scales.center_of(operation)
        if center is None or not center.is_external or center.vendor_id in (None, line.vendor_id):
            return None
        if line.is_by_policy or line.is_by_hand or operation.word is not None:
            return None
        reasons.append(Reason("center_moved", "", self.book.vendors[line.vendor_id].code, (center.code,)))
        rest = Wanted(line.open, ZERO, False, operation.decimals)
        offer = self._scales.weigh(operation, None, None, center.vendor_id or 0, rest, need, reasons)
        return offer.vendor.vendor_id if offer is not None else None

    def _give_the_rest(self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]) -> Outcome:
        """What is missing beyond the sent lines, by the rules they were ordered under, to their vendors first.

        Where nobody can take it the operation is blocked; what is ordered stays.
        """
        word = operation.word
        named = word.vendor_id if word is not None else None
        first = operation.frozen[0]
        policy = self._policy_by_id.get(first.policy_id) if first.policy_id is not None else None
        if policy is None or policy.verdict in ("in_house", "review") or (named and row_of(policy, named) is None):
            policy = self._rules_for(operation, named or first.vendor_id)
        basis = "word" if word is not None else "policy" if policy is not None else "flag"
        center = self._scales.center_of(operation)
        if basis == "flag" and center is not None and center.vendor_id == first.vendor_id:
            basis = "work_center"
        if self._sourcing.is_nothing(operation, policy, wanted, []):
            return Outcome("outsource", basis, policy)
        if policy is not None and policy.split != "none" and named is None:
            offers = self._sourcing.find(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", basis, policy, offers or ())
        vendor_ids = dict.fromkeys([named] if named is not None else [line.vendor_id for line in operation.frozen])
        for vendor_id in vendor_ids:
            offer = self._scales.weigh(operation, policy, row_of(policy, vendor_id), vendor_id, wanted, need, reasons)
            if offer is not None:
                return Outcome("outsource", basis, policy, (offer,))
        if policy is not None and named is None:
            offers = self._sourcing.find(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", basis, policy, offers or ())
        return Outcome("blocked", basis, policy)

    def _rules_for(self, operation: OperationFacts, vendor_id: int | None) -> PolicyValues | None:
        """The policy whose rules hold where something else decided that the operation goes out: the first valid one that sends
        such work out and names the vendor, else the first that sends it out.
        """
        start = conditions.start_of(operation)
        outside = [
            policy
            for policy in self._shelf.of(scope_key(operation))
            if policy.verdict == "outsource" and conditions.not_valid(policy, start) is None
        ]
        naming = (policy for policy in outside if vendor_id is not None and row_of(policy, vendor_id) is not None)
        return next(naming, outside[0] if outside else None)

    # --- conditions -------------------------------------------------------------------------------------------------

    def _failing(self, policy: PolicyValues, operation: OperationFacts, start: date) -> conditions.Failure | None:
        failure = conditions.fixed_condition_failing(policy, operation, start)
        if failure is not None:
            return failure
        if policy.when_down:
            end = operation.planned_end or start
            if conditions.down_during(self._scales.center_of(operation), start, max(start, end)) is None:
                return "when_down", start, end
        if policy.late_days is not None:
            center = self._scales.center_of(operation)
            late = conditions.days_late_inside(
                operation, center, self.book.today(operation.site_id), self._closed_days(center)
            )
            if late < max(1, policy.late_days):
                return "late_days", late, policy.late_days
        if policy.load_above_pct is not None:
            return self._still_fits(policy.load_above_pct, operation, start)
        return None

    def _matched(
        self, policy: PolicyValues, operation: OperationFacts, start: date, offers: tuple[Offer, ...] | None = None
    ) -> Reason:
        """That a policy applies, with what each of its conditions was compared with and how it came out."""
        held: list[conditions.Failure] = conditions.fixed_conditions_held(policy, operation, start)
        center = self._scales.center_of(operation)
        if policy.when_down:
            down = conditions.down_during(center, start, max(start, operation.planned_end or start))
            held.append(("when_down", down[0] if down else start, down[1] if down else start))
        if policy.late_days is not None:
            late = conditions.days_late_inside(operation, center, self.today, self._closed_days(center))
            held.append(("late_days", late, policy.late_days))
        if policy.load_above_pct is not None and center is not None:
            hours, capacity = self._load_with(operation, center, start)
            share = hours * HUNDRED / capacity if capacity else None
            held.append(("load_above_pct", share, policy.load_above_pct))
        if policy.cost_below_pct is not None and offers:
            inside = conditions.own_cost(operation, center)
            outside = sum((offer.amount_company for offer in offers), ZERO)
            held.append(("cost_below_pct", outside * HUNDRED / inside if inside else None, policy.cost_below_pct))
        if policy.transition_share_pct is not None and policy.transition_from is not None:
            held.append(("transition_share_pct", self._moved_pct(policy), policy.transition_share_pct))
        said = (policy.looked_at, policy.verdict, tuple(held)) if held else (policy.looked_at, policy.verdict)
        return Reason("policy_matched", policy.code, "", said)

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

    def _too_dear(
        self, policy: PolicyValues, operation: OperationFacts, offers: tuple[Offer, ...] | None
    ) -> conditions.Failure | None:
        limit = policy.cost_below_pct
        inside = conditions.own_cost(operation, self._scales.center_of(operation))
        if not offers or inside is None or limit is None:
            return "cost_below_pct", None, limit
        outside = sum((offer.amount_company for offer in offers), ZERO)
        if outside * HUNDRED <= inside * limit:
            return None
        return "cost_below_pct", outside * HUNDRED / inside if inside else None, limit

    def _moves(self, policy: PolicyValues, operation: OperationFacts) -> bool:
        share = HUNDRED if policy.transition_share_pct is None else policy.transition_share_pct
        key = policy.policy_id
        moves = conditions.takes_transition(
            share, self._counters.moved[key], self._counters.seen[key], operation.quantity
        )
        self._counters.count(self._counters.seen, key, operation.quantity)
        if moves:
            self._counters.count(self._counters.moved, key, operation.quantity)
        return moves

    def _moved_pct(self, policy: PolicyValues) -> Decimal:
        seen = self._counters.seen[policy.policy_id]
        return self._counters.moved[policy.policy_id] * HUNDRED / seen if seen else ZERO
