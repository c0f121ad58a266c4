"""The decision of one production order's operations, and the counters that run through all of them in due-date order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from policies.rules import conditions, dates, price, sourcing
from policies.rules.reasons import looked_at
from policies.rules.scope import Shelf, scope_key
from policies.rules.values import (
    HUNDRED,
    ZERO,
    AwardValues,
    Book,
    CommittedLine,
    Decided,
    OperationFacts,
    OrderFacts,
    PolicyValues,
    PolicyVendorValues,
    PriceRow,
    Reason,
    VendorValues,
    WordValues,
    WorkCenterValues,
)

ONE = Decimal(1)
FLAG_NO = (Reason("flag_no"),)
NOTHING_LEFT = Reason("nothing_to_order")
KEPT = 50_000  # answers remembered at most, so that memory stays flat over a million operations


class Wanted(NamedTuple):
    """How much is wanted: good pieces (of a first operation: before the yield), less what is ordered or was received."""

    good: Decimal
    less: Decimal
    is_first: bool
    decimals: int

    def quantity(self, yield_pct: Decimal) -> Decimal:
        good = self.good
        if self.is_first:
            return price.order_quantity(good, yield_pct, self.decimals) - self.less
        return price.round_up(good, self.decimals) - self.less


@dataclass(slots=True)
class Offer:
    """A vendor who qualifies, with what he would be given."""

    rank: int
    vendor: VendorValues
    row: PriceRow | None
    quantity: Decimal
    yield_pct: Decimal
    unit_price: Decimal
    is_estimate: bool
    currency_id: int
    amounts: price.Amounts
    amount_company: Decimal
    lead_days: int
    chain: dates.Chain


class Outcome(NamedTuple):
    verdict: str
    basis: str
    policy: PolicyValues | None
    offers: tuple[Offer, ...] = ()


class Decider:
    """Decides order by order. What is sent already is committed first; then orders come by due date.

    The same book, committed lines and orders in the same sequence give the same decisions.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.today = book.on
        for policy in book.policies:
            policy.looked_at = policy.looked_at or looked_at(policy)
        self._shelf = Shelf(book.policies)
        self._policy_by_id = {policy.policy_id: policy for policy in book.policies}
        self._transit = {
            policy.policy_id: dates.Transit(
                policy.preparation_days, policy.transit_out_days, policy.transit_back_days, policy.inspection_days
            )
            for policy in book.policies
        }
        self._shares = {
            policy.policy_id: sourcing.target_shares(policy.vendors)
            for policy in book.policies
            if policy.strategy == "quota" or policy.split == "share"
        }
        self._chains: dict[tuple[int, dates.Transit, date], dict[int, dates.Chain]] = {}
        self._levels: dict[tuple[int, int, int, int], tuple[tuple[price.Group, price.Group], ...]] = {}
        self._weeks: dict[tuple[int, date], Decimal] = {}
        self._closed: dict[int, frozenset[date]] = {}
        # Hours are only counted where some policy asks for them, pieces only where some vendor has a capacity.
        self._counts_hours = any(policy.load_above_pct is not None for policy in book.policies)
        # The counters. Every change is noted, so that an order can be decided anew.
        self._pieces: dict[object, Decimal] = defaultdict(lambda: ZERO)
        self._given: dict[int, dict[object, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        self._moved: dict[object, Decimal] = defaultdict(lambda: ZERO)
        self._seen: dict[object, Decimal] = defaultdict(lambda: ZERO)
        self._hours: dict[object, Decimal] = defaultdict(lambda: ZERO)
        self._journal: list[tuple[dict[object, Decimal], object, Decimal]] = []

    # --- counters -------------------------------------------------------------------------------------------------

    def commit(self, lines: Iterable[CommittedLine]) -> None:
        """Count what stands already, before any order is decided."""
        for line in lines:
            if line.at_vendor_date is not None:
                self._pieces[line.vendor_id, dates.monday(line.at_vendor_date)] += line.quantity
            policy = self._policy_by_id.get(line.policy_id) if line.policy_id is not None else None
            if policy is None:
                continue
            since = self.today - timedelta(days=policy.balance_days)
            if line.at_vendor_date is None or line.at_vendor_date >= since:
                self._given[policy.policy_id][line.vendor_id] += line.quantity
            if policy.transition_from is not None:
                self._moved[policy.policy_id] += line.quantity
                self._seen[policy.policy_id] += line.quantity

    def _count(self, counter: dict[object, Decimal], key: object, quantity: Decimal) -> None:
        counter[key] += quantity
        self._journal.append((counter, key, quantity))

    def _take_back(self) -> None:
        for counter, key, quantity in self._journal:
            counter[key] -= quantity
        self._journal.clear()

    # --- one order ------------------------------------------------------------------------------------------------

    def decide_order(self, order: OrderFacts) -> list[Decided]:
        """Every open operation of the order, in sequence. Dates run from the last operation to the first, quantities the other
        way; where a yield on the way changes what a later operation can get, the order is decided once more with it.
        """
        operations = [operation for operation in order.operations if operation.status != "cancelled"]
        if not any(operation.is_open for operation in operations):
            return []
        before, after = _neighbours(operations, order.operations)
        decided: list[Decided | None] = [None] * len(operations)
        inputs = _flow(operations, before, decided)
        for _ in range(4):
            self._journal.clear()
            self._decide_all(operations, before, after, inputs, decided)
            if not any(award.yield_pct != HUNDRED for one in decided if one is not None for award in one.awards):
                break
            again = _flow(operations, before, decided)
            if again == inputs:
                break
            inputs = again
            self._take_back()
        self._journal.clear()
        return [one for one in decided if one is not None]

    def _decide_all(
        self,
        operations: Sequence[OperationFacts],
        before: Sequence[Sequence[int]],
        after: Sequence[Sequence[int]],
        inputs: Sequence[Decimal],
        decided: list[Decided | None],
    ) -> None:
        needs: list[date] = [operation.planned_end or operation.due_date for operation in operations]
        for index in range(len(operations) - 1, -1, -1):
            operation = operations[index]
            if not operation.is_open:
                continue
            need = needs[index]
            if not operation.dates_given:
                for later in after[index]:
                    need = min(need, _start_of_next(operations[later], decided[later], needs[later], need))
            needs[index] = need
            decided[index] = self._decide(operation, inputs[index], not before[index], need)

    def _decide(self, operation: OperationFacts, available: Decimal, is_first: bool, need: date) -> Decided:
        word = operation.word
        if (
            operation.outsourced == "no" and word is None and not operation.frozen and not self._counts_hours
        ):  # most operations of most plans
            return Decided(
                operation.operation_id, "in_house", "flag", None, operation.quantity, operation.planned_start, need, FLAG_NO
            )  # fmt: skip
        reasons: list[Reason] = []
        wanted, standing = _wanted(operation, available, is_first)
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
        verdict, basis, policy, offers = outcome
        awards = []
        flips_on: date | None = None
        code = policy.code if policy is not None else ""
        for offer in offers:
            chain, amounts, row = offer.chain, offer.amounts, offer.row
            vendor = offer.vendor
            currency = self.book.currencies[offer.currency_id]
            self._count(self._pieces, (vendor.vendor_id, dates.monday(chain.arrives_on)), offer.quantity)
            if policy is not None:
                self._count(self._given[policy.policy_id], vendor.vendor_id, offer.quantity)
            reasons.append(
                Reason(
                    "vendor_chosen",
                    code,
                    vendor.code,
                    (
                        offer.rank,
                        offer.quantity,
                        offer.unit_price,
                        row.price_unit if row else "",
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
                    row.price_unit if row else "",
                    row.factor if row else ONE,
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
                )
            )
        if verdict == "outsource":
            quantity = sum((award.quantity for award in awards), standing)
            if operation.frozen and not awards:  # may be less than what stands there: a lowered plan
                quantity = max(ZERO, wanted.quantity(operation.frozen[0].yield_pct) + wanted.less)
        else:
            quantity = operation.quantity
            if verdict == "blocked":
                flips_on = max(self.today, conditions.start_of(operation)) + dates.ONE_DAY
        if self._counts_hours and verdict in ("in_house", "review") and operation.work_center_id is not None:
            week = dates.monday(conditions.start_of(operation))
            self._count(self._hours, (operation.work_center_id, week), conditions.own_hours(operation))
        return Decided(
            operation.operation_id, verdict, basis, policy.policy_id if policy is not None else None, quantity,
            operation.planned_start, need, tuple(reasons), tuple(awards), flips_on,
            policy.version if policy is not None else 0,
        )  # fmt: skip

    # --- who decides ------------------------------------------------------------------------------------------------

    def _follow_policies(self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]) -> Outcome:
        start = conditions.start_of(operation)
        for policy in self._shelf.of(scope_key(operation)):
            failure = conditions.not_valid(policy, start) or self._failing(policy, operation, start)
            if failure is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            if policy.verdict in ("in_house", "review"):
                reasons.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
                return Outcome(policy.verdict, "policy", policy)
            if policy.verdict == "buy_complete":
                # One line for the whole order at the item's own price is not made by itself yet: a buyer is asked.
                reasons.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
                reasons.append(Reason("bought_complete", policy.code))
                return Outcome("review", "policy", policy)
            found: list[Reason] = []
            offers = self._source(operation, policy, wanted, need, found)
            if policy.cost_below_pct is not None and (failure := self._too_dear(policy, operation, offers)) is not None:
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                reasons.extend(found)
                continue
            if policy.transition_from is not None and not self._moves(policy, operation):
                failure = ("transition_share_pct", self._moved_pct(policy), policy.transition_share_pct)
                reasons.append(Reason("policy_skipped", policy.code, "", (policy.looked_at, *failure)))
                continue
            reasons.append(Reason("policy_matched", policy.code, "", (policy.looked_at, policy.verdict)))
            reasons.extend(found)
            return Outcome("blocked" if offers is None else "outsource", "policy", policy, offers or ())
        center = self._center(operation)
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
        if self._is_nothing(operation, None, wanted, reasons):
            return Outcome("outsource", "work_center", None)
        offer = self._weigh(operation, None, None, vendor_id, wanted, need, reasons)
        return Outcome("outsource" if offer else "blocked", "work_center", None, (offer,) if offer else ())

    def _follow_word(
        self, operation: OperationFacts, word: WordValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """Outside at the vendor named; where none is named, at those of the first policy that sends such work out."""
        vendor_code = self.book.vendors[word.vendor_id].code if word.vendor_id is not None else ""
        reasons.append(
            Reason("planners_word", "", vendor_code, ("outsource", vendor_code, word.reason, word.by, word.at))
        )
        policy = self._rules_for(operation, word.vendor_id)
        if word.vendor_id is not None:
            if self._is_nothing(operation, policy, wanted, reasons):
                return Outcome("outsource", "word", policy)
            offer = self._weigh(
                operation, policy, _row_of(policy, word.vendor_id), word.vendor_id, wanted, need, reasons
            )
            return Outcome("outsource" if offer else "blocked", "word", policy, (offer,) if offer else ())
        if policy is not None:
            offers = self._source(operation, policy, wanted, need, reasons)
            return Outcome("blocked" if offers is None else "outsource", "word", policy, offers or ())
        center = self._center(operation)
        if center is not None and center.vendor_id is not None:
            return self._at_own_vendor(operation, center, center.vendor_id, wanted, need, reasons)._replace(
                basis="word"
            )
        reasons.append(Reason("no_policy"))
        return Outcome("review", "word", None)

    def _stay_with_vendors(
        self, operation: OperationFacts, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> Outcome:
        """What a vendor was asked for stays with him; only what is missing beyond it is given out, to him first."""
        word = operation.word
        named = word.vendor_id if word is not None else None
        for line in operation.frozen:
            vendor = self.book.vendors.get(line.vendor_id)
            code = vendor.code if vendor else ""
            reasons.append(Reason("already_ordered", "", code, (line.open, line.received, line.number)))
        first = operation.frozen[0]
        policy = self._policy_by_id.get(first.policy_id) if first.policy_id is not None else None
        if policy is None or policy.verdict in ("in_house", "review") or (named and _row_of(policy, named) is None):
            policy = self._rules_for(operation, named or first.vendor_id)
        basis = "word" if word is not None else "policy" if policy is not None else "flag"
        center = self._center(operation)
        if basis == "flag" and center is not None and center.vendor_id == first.vendor_id:
            basis = "work_center"
        if self._is_nothing(operation, policy, wanted, []):
            return Outcome("outsource", basis, policy)
        if policy is not None and policy.split != "none" and named is None:
            offers = self._source(operation, policy, wanted, need, reasons)
            return Outcome("outsource", basis, policy, offers or ())
        vendor_ids = dict.fromkeys([named] if named is not None else [line.vendor_id for line in operation.frozen])
        for vendor_id in vendor_ids:
            offer = self._weigh(operation, policy, _row_of(policy, vendor_id), vendor_id, wanted, need, reasons)
            if offer is not None:
                return Outcome("outsource", basis, policy, (offer,))
        if policy is not None and named is None:
            return Outcome("outsource", basis, policy, self._source(operation, policy, wanted, need, reasons) or ())
        return Outcome("outsource", basis, policy)

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
        naming = (policy for policy in outside if vendor_id is not None and _row_of(policy, vendor_id) is not None)
        return next(naming, outside[0] if outside else None)

    def _center(self, operation: OperationFacts) -> WorkCenterValues | None:
        return self.book.work_centers.get(operation.work_center_id) if operation.work_center_id is not None else None

    # --- conditions -------------------------------------------------------------------------------------------------

    def _failing(self, policy: PolicyValues, operation: OperationFacts, start: date) -> conditions.Failure | None:
        failure = conditions.fixed_condition_failing(policy, operation, start)
        if failure is not None:
            return failure
        if policy.when_down:
            end = operation.planned_end or start
            if conditions.down_during(self._center(operation), start, max(start, end)) is None:
                return "when_down", start, end
        if policy.late_days is not None:
            center = self._center(operation)
            late = conditions.days_late_inside(operation, center, self.today, self._closed_days(center))
            if late < max(1, policy.late_days):
                return "late_days", late, policy.late_days
        if policy.load_above_pct is not None:
            return self._still_fits(policy.load_above_pct, operation, start)
        return None

    def _closed_days(self, center: WorkCenterValues | None) -> frozenset[date]:
        if center is None:
            return frozenset()
        found = self._closed.get(center.work_center_id)
        if found is None:
            found = self._closed[center.work_center_id] = center.closed | conditions.days_down(center)
        return found

    def _still_fits(self, above_pct: Decimal, operation: OperationFacts, start: date) -> conditions.Failure | None:
        """Strict due-date order: the operation overflows where its hours, on top of all that stays in before it, are too many."""
        center = self._center(operation)
        if center is None or center.is_external:
            return "load_above_pct", None, above_pct
        week = dates.monday(start)
        capacity = self._weeks.get((center.work_center_id, week))
        if capacity is None:
            capacity = conditions.week_hours(center, week, self._closed_days(center))
            self._weeks[center.work_center_id, week] = capacity
        own = conditions.own_hours(operation)
        hours = self._hours.get((center.work_center_id, week), ZERO) + own
        if own and conditions.is_overloaded(hours, capacity, above_pct):
            return None
        return "load_above_pct", hours * HUNDRED / capacity if capacity else ZERO, above_pct

    def _too_dear(
        self, policy: PolicyValues, operation: OperationFacts, offers: tuple[Offer, ...] | None
    ) -> conditions.Failure | None:
        limit = policy.cost_below_pct
        inside = conditions.own_cost(operation, self._center(operation))
        if not offers or inside is None or limit is None:
            return "cost_below_pct", None, limit
        outside = sum((offer.amount_company for offer in offers), ZERO)
        if outside * HUNDRED <= inside * limit:
            return None
        return "cost_below_pct", outside * HUNDRED / inside if inside else None, limit

    def _moves(self, policy: PolicyValues, operation: OperationFacts) -> bool:
        share = HUNDRED if policy.transition_share_pct is None else policy.transition_share_pct
        key = policy.policy_id
        moves = conditions.takes_transition(share, self._moved[key], self._seen[key], operation.quantity)
        self._count(self._seen, key, operation.quantity)
        if moves:
            self._count(self._moved, key, operation.quantity)
        return moves

    def _moved_pct(self, policy: PolicyValues) -> Decimal:
        seen = self._seen[policy.policy_id]
        return self._moved[policy.policy_id] * HUNDRED / seen if seen else ZERO

    # --- vendors ----------------------------------------------------------------------------------------------------

    def _is_nothing(
        self, operation: OperationFacts, policy: PolicyValues | None, wanted: Wanted, reasons: list[Reason]
    ) -> bool:
        """Whether all that is wanted is ordered or received already."""
        yield_pct = policy.yield_pct if policy is not None and policy.yield_pct is not None else HUNDRED
        if wanted.quantity(yield_pct) > 0:
            return False
        reasons.append(NOTHING_LEFT)
        return True

    def _source(
        self, operation: OperationFacts, policy: PolicyValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> tuple[Offer, ...] | None:
        """The vendors who get the operation by the policy's strategy and split; None where nobody qualifies."""
        if self._is_nothing(operation, policy, wanted, reasons):
            return ()
        if not policy.vendors:
            center = self._center(operation)
            if center is None or center.vendor_id is None:
                reasons.append(Reason("no_vendor", policy.code))
                return None
            own = PolicyVendorValues(1, center.vendor_id)
            offer = self._weigh(operation, policy, own, own.vendor_id, wanted, need, reasons)
            return (offer,) if offer is not None else None
        if policy.split == "share":
            return self._split_by_share(operation, policy, wanted, need, reasons)
        if policy.split == "capacity":
            return self._split_by_capacity(operation, policy, wanted, need, reasons)
        offers = []
        for row in policy.vendors:
            offer = self._weigh(operation, policy, row, row.vendor_id, wanted, need, reasons)
            if offer is None:
                continue
            if policy.strategy == "preferred":
                return (offer,)
            offers.append(offer)
        if not offers:
            return None
        return (self._best(policy, offers, reasons),)

    def _best(self, policy: PolicyValues, offers: Sequence[Offer], reasons: list[Reason]) -> Offer:
        """By the policy's strategy; ties go to the better rank."""
        measured: list[tuple[Decimal | date, int, Offer]] = []
        given = self._given[policy.policy_id]
        known = {vendor: given.get(vendor, ZERO) for vendor in self._shares.get(policy.policy_id, {})}
        for offer in offers:
            measure: Decimal | date
            if policy.strategy == "lowest_cost":
                measure = offer.amount_company
            elif policy.strategy == "earliest":
                vendor = offer.vendor
                transit = self._transit[policy.policy_id]
                measure = dates.order_forward(self.today, offer.lead_days, transit, vendor.closed)[2]
            else:
                measure = sourcing.deviation(
                    known, self._shares[policy.policy_id], offer.vendor.vendor_id, offer.quantity
                )
            measured.append((measure, offer.rank, offer))
        best = min(measured, key=lambda one: one[:2])
        for measure, _, offer in measured:
            code = "vendor_compared" if offer is best[2] else "vendor_passed_over"
            reasons.append(Reason(code, policy.code, offer.vendor.code, (policy.strategy, measure, best[0])))
        return best[2]

    def _split_by_share(
        self, operation: OperationFacts, policy: PolicyValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> tuple[Offer, ...] | None:
        """Divide by share among those who qualify for their part; who does not leaves his part to the others."""
        shares = self._shares[policy.policy_id]
        rows = [row for row in policy.vendors if shares[row.vendor_id] > 0]
        while rows:
            parts = self._parts(operation, wanted, rows, [shares[row.vendor_id] for row in rows])
            found: list[Reason] = []
            offers = []
            failing = None
            for row, part in zip(rows, parts, strict=True):
                if part.quantity(HUNDRED) <= 0:
                    continue
                offer = self._weigh(operation, policy, row, row.vendor_id, part, need, found)
                if offer is None:
                    failing = row
                    break
                offers.append(offer)
            if failing is None:
                reasons.extend(found)
                return tuple(offers)
            reasons.extend(found)
            rows.remove(failing)
        return None

    def _parts(
        self, operation: OperationFacts, wanted: Wanted, rows: Sequence[PolicyVendorValues], weights: Sequence[Decimal]
    ) -> list[Wanted]:
        """What each of the vendors still gets: his part of the whole, less what stands at him; together what is missing."""
        whole = price.round_up(wanted.good, wanted.decimals)
        parts = sourcing.split_by_share(whole, weights, wanted.decimals)
        if not wanted.less:
            return [wanted._replace(good=part) for part in parts]
        at = {row.vendor_id: ZERO for row in rows}
        for line in operation.frozen:
            if line.vendor_id in at:
                at[line.vendor_id] += line.open + line.received
        missing = whole - wanted.less
        open_parts = [max(ZERO, part - at[row.vendor_id]) for row, part in zip(rows, parts, strict=True)]
        if sum(open_parts, ZERO) != missing:
            open_parts = sourcing.split_by_share(missing, open_parts if any(open_parts) else weights, wanted.decimals)
        return [wanted._replace(good=part, less=ZERO) for part in open_parts]

    def _split_by_capacity(
        self, operation: OperationFacts, policy: PolicyValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> tuple[Offer, ...] | None:
        """In rank order each takes what he still can in his week; nobody gets anything where all together cannot take it."""
        unit = price.QUANTA[wanted.decimals]
        base_yield = HUNDRED if policy.yield_pct is None else policy.yield_pct
        # What stands with vendors already, in good pieces, so that the rest can be given out bit by bit.
        stands = wanted.less * base_yield / HUNDRED if wanted.is_first else wanted.less
        left = wanted._replace(good=max(ZERO, wanted.good - stands), less=ZERO)
        offers: list[Offer] = []
        for row in policy.vendors:
            if left.good <= 0:
                break
            offer = self._weigh(operation, policy, row, row.vendor_id, left, need, reasons, whole=False)
            if offer is None:
                continue
            if row.weekly_capacity is not None:
                free = self._free_capacity(row, row.weekly_capacity, offer.chain)
                takes = min(offer.quantity, free.quantize(unit, ROUND_FLOOR))
                if takes <= 0:
                    reasons.append(_no_capacity(policy.code, offer, free, row.weekly_capacity))
                    continue
                if takes < offer.quantity:
                    part = Wanted(takes, ZERO, False, wanted.decimals)
                    smaller = self._weigh(operation, policy, row, row.vendor_id, part, need, reasons, whole=False)
                    if smaller is None:
                        continue
                    offer = smaller
            offers.append(offer)
            good = offer.quantity * offer.yield_pct / HUNDRED if wanted.is_first else offer.quantity
            left = left._replace(good=left.good - good)
        if left.good > 0 and left.quantity(HUNDRED) > 0:
            reasons.append(Reason("no_capacity", policy.code, "", (left.good,)))
            return None
        return tuple(offers)

    def _free_capacity(self, row: PolicyVendorValues, capacity: Decimal, chain: dates.Chain) -> Decimal:
        return capacity - self._pieces.get((row.vendor_id, dates.monday(chain.arrives_on)), ZERO)

    def _weigh(
        self,
        operation: OperationFacts,
        policy: PolicyValues | None,
        row: PolicyVendorValues | None,
        vendor_id: int,
        wanted: Wanted,
        need: date,
        reasons: list[Reason],
        *,
        whole: bool = True,
    ) -> Offer | None:
        """What the vendor would be given, or None with a reason for each thing that stands against him.

        With `whole` he must have capacity for all of it.
        """
        book = self.book
        code = policy.code if policy is not None else ""
        vendor = book.vendors.get(vendor_id)
        if vendor is None or not vendor.is_active:
            reasons.append(Reason("inactive", code, vendor.code if vendor else ""))
            return None
        against: list[Reason] = []
        if operation.item_blocked:
            against.append(Reason("item_blocked", code, vendor.code))
        process_id = operation.process_id
        approval = book.approvals.get((vendor_id, process_id)) if process_id is not None else None
        process = book.processes.get(process_id) if process_id is not None else None
        process_code = process.code if process is not None else ""
        if approval is not None:
            if approval.status != "approved":
                against.append(Reason("not_approved", code, vendor.code, (process_code, approval.status)))
        elif process is not None and process.requires_approval:
            against.append(Reason("not_approved", code, vendor.code, (process_code, "")))

        # price and dates
        base_yield = policy.yield_pct if policy is not None and policy.yield_pct is not None else HUNDRED
        transit = self._transit[policy.policy_id] if policy is not None else dates.NO_TRANSIT
        chains = self._chains.get((vendor_id, transit, need))
        if chains is None:
            if len(self._chains) >= KEPT:
                self._chains.clear()
            chains = self._chains[vendor_id, transit, need] = {}
        today, closed = self.today, vendor.closed

        def chain_of(lead_days: int) -> dates.Chain:
            found = chains.get(lead_days)
            if found is None:
                found = chains[lead_days] = dates.chain(need, today, lead_days, transit, closed)
            return found

        def quantity_of(priced: PriceRow) -> Decimal:
            return wanted.quantity(base_yield if priced.yield_pct is None else priced.yield_pct)

        def day_of(priced: PriceRow) -> date:
            return chain_of(priced.lead_days or 0).order_day

        priced = price.select(self._levels_of(operation, vendor), quantity_of, day_of)
        yield_pct = base_yield if priced is None or priced.yield_pct is None else priced.yield_pct
        lead_days = (priced.lead_days or 0) if priced is not None else 0
        quantity = wanted.quantity(yield_pct)
        chain = chain_of(lead_days)
        unit_price = priced.unit_price if priced is not None else None
        is_estimate = False
        company = book.currencies[book.company_currency_id]
        currency = company
        amounts: price.Amounts | None = None
        amount_company = ZERO
        if priced is None or unit_price is None:
            is_known = priced is not None
            priced = None
            if policy is not None and policy.price_missing == "estimate":
                unit_price = self._estimate(operation, vendor_id)
                is_estimate = True
            if unit_price is None:
                against.append(Reason("no_price", code, vendor.code, (quantity, chain.order_day, is_known)))
            else:
                work = price.round_money(unit_price * quantity, company.decimals)
                amounts = price.Amounts(work, ZERO, ZERO, ZERO, work)
                amount_company = work
        else:
            currency = book.currencies[priced.currency_id]
            amounts = price.amounts(priced, unit_price, quantity, currency.decimals)
            if currency is company:
                amount_company = amounts.total
            else:
                rate = price.rate_on(currency, chain.order_day)
                if rate is None:
                    against.append(Reason("no_rate", code, vendor.code, (currency.code, chain.order_day)))
                else:
                    amount_company = price.round_money(amounts.total * rate, company.decimals)
        if amounts is not None and max(amounts.total, amount_company) > price.TOO_MUCH:
            against.append(Reason("above_maximum", code, vendor.code, (quantity, None)))
        if approval is not None and approval.valid_to is not None and approval.valid_to < chain.ships_on:
            against.append(
                Reason("approval_expired", code, vendor.code, (process_code, approval.valid_to, chain.ships_on))
            )
        if row is not None:
            if row.quantity_from is not None and quantity < row.quantity_from:
                against.append(Reason("below_minimum", code, vendor.code, (quantity, row.quantity_from)))
            if row.quantity_to is not None and quantity > row.quantity_to:
                against.append(Reason("above_maximum", code, vendor.code, (quantity, row.quantity_to)))
            if row.weekly_capacity is not None and whole and not against:
                free = self._free_capacity(row, row.weekly_capacity, chain)
                if quantity > free:
                    seen = (quantity, free, row.weekly_capacity, chain.arrives_on)
                    against.append(Reason("no_capacity", code, vendor.code, seen))
        if against or amounts is None or unit_price is None:
            reasons.extend(against)
            return None
        return Offer(
            row.rank if row is not None else 1, vendor, priced, quantity, yield_pct, unit_price, is_estimate,
            currency.currency_id, amounts, amount_company, lead_days, chain,
        )  # fmt: skip

    def _levels_of(
        self, operation: OperationFacts, vendor: VendorValues
    ) -> tuple[tuple[price.Group, price.Group], ...]:
        process_id = operation.process_id
        if process_id is None:
            return ()
        key = (vendor.vendor_id, operation.item_id, process_id, operation.site_id)
        found = self._levels.get(key)
        if found is None:
            if len(self._levels) >= KEPT:
                self._levels.clear()
            prices = self.book.prices
            rows = [
                *prices.get((vendor.vendor_id, process_id, operation.item_id), ()),
                *prices.get((vendor.vendor_id, process_id, 0), ()),
            ]
            own = self.book.company_currency_id if vendor.currency_id is None else vendor.currency_id
            found = self._levels[key] = price.levels(
                rows,
                item_id=operation.item_id,
                process_id=process_id,
                site_id=operation.site_id,
                vendor_currency_id=own,
                company_currency_id=self.book.company_currency_id,
            )
        return found

    def _estimate(self, operation: OperationFacts, vendor_id: int) -> Decimal | None:
        """A price a piece in company currency: last paid to him, else what it costs inside."""
        paid = self.book.last_paid.get((vendor_id, operation.item_id, operation.process_id or 0))
        if paid is not None:
            return paid
        inside = conditions.own_cost(operation, self._center(operation))
        if not inside:
            return None
        each = (inside / operation.quantity).quantize(price.QUANTA[5])
        return each or None


def _no_capacity(code: str, offer: Offer, free: Decimal, capacity: Decimal) -> Reason:
    return Reason("no_capacity", code, offer.vendor.code, (offer.quantity, free, capacity, offer.chain.arrives_on))


def _row_of(policy: PolicyValues | None, vendor_id: int) -> PolicyVendorValues | None:
    if policy is None:
        return None
    return next((row for row in policy.vendors if row.vendor_id == vendor_id), None)


# --- the way through an order ---------------------------------------------------------------------------------------


def _neighbours(
    operations: Sequence[OperationFacts], everything: Sequence[OperationFacts]
) -> tuple[list[list[int]], list[list[int]]]:
    """Which operations come right before and right after each. Cancelled ones are stepped over.

    Where no operation names what follows it, they follow one another in sequence. A step backward is not followed.
    """
    count = len(operations)
    if not any(operation.next_nos for operation in everything):
        return [[i - 1] if i else [] for i in range(count)], [[i + 1] if i + 1 < count else [] for i in range(count)]
    place = {operation.operation_no: number for number, operation in enumerate(everything)}
    live = {operation.operation_no: index for index, operation in enumerate(operations)}

    def following(operation: OperationFacts) -> set[int]:
        found: set[int] = set()
        for number in operation.next_nos:
            if number not in place or place[number] <= place[operation.operation_no]:
                continue
            if number in live:
                found.add(live[number])
            else:
                found |= following(everything[place[number]])
        return found

    after = [sorted(following(operation)) for operation in operations]
    before: list[list[int]] = [[] for _ in operations]
    for index, later in enumerate(after):
        for other in later:
            before[other].append(index)
    return before, after


def _flow(
    operations: Sequence[OperationFacts], before: Sequence[Sequence[int]], decided: Sequence[Decided | None]
) -> list[Decimal]:
    """How many pieces each operation can get: its own quantity, or less where those before it can no longer give as many."""
    inputs: list[Decimal] = []
    gives: list[Decimal] = []
    for index, operation in enumerate(operations):
        available = operation.quantity
        for earlier in before[index]:
            available = min(available, gives[earlier])
        inputs.append(available)
        gives.append(_gives(operation, available, not before[index], decided[index]))
    return inputs


def _gives(operation: OperationFacts, available: Decimal, is_first: bool, decided: Decided | None) -> Decimal:
    """What an operation has given and can still give: its good pieces and those expected."""
    if not operation.is_open:
        # A finished step without any count (as some plans are loaded) is taken to have given all.
        return operation.good if operation.good or operation.scrap else available
    if not operation.frozen and decided is None:
        return operation.good + max(ZERO, available - operation.good - operation.scrap)
    wanted, _ = _wanted(operation, available, is_first)
    expected = sum((line.open * line.yield_pct / HUNDRED for line in operation.frozen), operation.good)
    if decided is not None and decided.verdict == "outsource":
        return expected + sum((award.quantity * award.yield_pct / HUNDRED for award in decided.awards), ZERO)
    return expected + max(ZERO, wanted.quantity(HUNDRED))


def _wanted(operation: OperationFacts, available: Decimal, is_first: bool) -> tuple[Wanted, Decimal]:
    """What must be ordered, and what stands with vendors already.

    A first operation buys good pieces, over the yield; a later one can only work on the pieces it gets, and those used up
    inside at this step are gone.
    """
    if not operation.frozen:
        inside_good, inside_scrap, standing = operation.good, operation.scrap, ZERO
    else:
        standing = received = accepted = ZERO
        for line in operation.frozen:
            standing += line.open + line.received
            received += line.received
            accepted += line.received if line.accepted is None else line.accepted
        inside_good = max(ZERO, operation.good - accepted)
        inside_scrap = max(ZERO, operation.scrap - (received - accepted))
    if is_first:
        return Wanted(max(ZERO, operation.quantity - inside_good), standing, True, operation.decimals), standing
    good = max(ZERO, available - inside_good - inside_scrap)
    return Wanted(good, standing, False, operation.decimals), standing


def _start_of_next(operation: OperationFacts, decided: Decided | None, need: date, otherwise: date) -> date:
    """By when the pieces must be there for the next step: its dispatch where it goes outside; where it stays inside and was
    itself pulled earlier, its own start earlier by as much.
    """
    if decided is None:
        return otherwise
    if decided.awards:
        return min(award.dispatch_by for award in decided.awards)
    leaving = [line.dispatch_by or line.at_vendor_date for line in operation.frozen if line.open > 0]
    if decided.verdict == "outsource" and (known := [day for day in leaving if day is not None]):
        return min(known)
    end = operation.planned_end or operation.due_date
    if need < end and operation.planned_start is not None:
        return operation.planned_start - (end - need)
    return otherwise
