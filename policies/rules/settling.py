"""What was decided about one operation: counted for those that come after it, and put into its final form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from policies.rules import conditions, dates
from policies.rules.counters import Counters
from policies.rules.flow import Wanted
from policies.rules.values import ZERO, AwardValues, Book, Decided, OperationFacts, PolicyValues, Reason, WordValues
from policies.rules.weighing import Offer

FLAG_NO = Reason("flag_no")


class Outcome(NamedTuple):
    verdict: str
    basis: str
    policy: PolicyValues | None
    offers: tuple[Offer, ...] = ()
    leaving: tuple[tuple[str, int | None], ...] = ()


def word_outside(word: WordValues, book: Book) -> Reason:
    """That the planner's word sends it out, and to whom where he named somebody."""
    code = book.vendors[word.vendor_id].code if word.vendor_id is not None else ""
    return Reason("planners_word", "", code, ("outsource", code, word.reason, word.by, word.at))


class Settling:
    """Counts what was decided and writes it down."""

    def __init__(self, book: Book, counters: Counters) -> None:
        self._book = book
        self._counters = counters
        # Hours are only counted where some policy asks for them.
        self._counts_hours = any(policy.load_above_pct is not None for policy in book.policies)

    def stay_inside(self, operation: OperationFacts, need: date) -> Decided:
        """Most operations of most plans: nothing but the flag of their routing is to be read."""
        self._count_hours(operation)
        return Decided(
            operation.operation_id, "in_house", "flag", None, operation.quantity, operation.planned_start, need, (FLAG_NO,)
        )  # fmt: skip

    def settle(
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
            currency = self._book.currencies[offer.currency_id]
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
                flips_on = max(self._book.today(operation.site_id), conditions.start_of(operation)) + dates.ONE_DAY
        if verdict in ("in_house", "review"):
            self._count_hours(operation)
        return Decided(
            operation.operation_id, verdict, basis, policy.policy_id if policy is not None else None, quantity,
            operation.planned_start, need, tuple(reasons), tuple(awards), flips_on,
            policy.version if policy is not None else 0, leaving,
        )  # fmt: skip

    def _count_hours(self, operation: OperationFacts) -> None:
        if self._counts_hours and operation.work_center_id is not None:
            week = dates.monday(conditions.start_of(operation))
            self._counters.count(
                self._counters.hours, (operation.work_center_id, week), conditions.own_hours(operation)
            )
