"""Whom a policy gives an operation to: by strategy, whole or divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from policies.rules import dates, price, sourcing
from policies.rules.flow import Wanted
from policies.rules.values import HUNDRED, ZERO, OperationFacts, PolicyValues, PolicyVendorValues, Reason
from policies.rules.weighing import Offer, Scales, no_capacity

NOTHING_LEFT = Reason("nothing_to_order")


class Sourcing:
    """Finds the vendors of a policy for an operation. Counts nothing: that is done when the verdict stands."""

    def __init__(self, scales: Scales) -> None:
        self.scales = scales
        self._shares = {
            policy.policy_id: sourcing.target_shares(policy.vendors)
            for policy in scales.book.policies
            if policy.strategy == "quota" or policy.split == "share"
        }

    def is_nothing(
        self, operation: OperationFacts, policy: PolicyValues | None, wanted: Wanted, reasons: list[Reason]
    ) -> bool:
        """Whether all that is wanted is ordered or received already."""
        yield_pct = policy.yield_pct if policy is not None and policy.yield_pct is not None else HUNDRED
        if wanted.quantity(yield_pct) > 0:
            return False
        reasons.append(NOTHING_LEFT)
        return True

    def find(
        self, operation: OperationFacts, policy: PolicyValues, wanted: Wanted, need: date, reasons: list[Reason]
    ) -> tuple[Offer, ...] | None:
        """The vendors who get the operation by the policy's strategy and split; None where nobody qualifies."""
        if self.is_nothing(operation, policy, wanted, reasons):
            return ()
        if not policy.vendors:
            center = self.scales.center_of(operation)
            if center is None or center.vendor_id is None:
                reasons.append(Reason("no_vendor", policy.code))
                return None
            own = PolicyVendorValues(1, center.vendor_id)
            offer = self.scales.weigh(operation, policy, own, own.vendor_id, wanted, need, reasons)
            return (offer,) if offer is not None else None
        if policy.split == "share":
            return self._split_by_share(operation, policy, wanted, need, reasons)
        if policy.split == "capacity":
            return self._split_by_capacity(operation, policy, wanted, need, reasons)
        offers = []
        for row in policy.vendors:
            offer = self.scales.weigh(operation, policy, row, row.vendor_id, wanted, need, reasons)
            if offer is None:
                continue
            if policy.strategy == "preferred":
                return (offer,)
            offers.append(offer)
        if not offers:
            return None
        return (self._best(operation, policy, offers, reasons),)

    def _best(
        self, operation: OperationFacts, policy: PolicyValues, offers: Sequence[Offer], reasons: list[Reason]
    ) -> Offer:
        """By the policy's strategy; ties go to the better rank."""
        measured: list[tuple[Decimal | date, int, Offer]] = []
        given = self.scales.counters.given
        known = {
            vendor: given.get((policy.policy_id, vendor), ZERO) for vendor in self._shares.get(policy.policy_id, {})
        }
        for offer in offers:
            measure: Decimal | date
            if policy.strategy == "lowest_cost":
                measure = offer.amount_company
            elif policy.strategy == "earliest":
                vendor = offer.vendor
                transit = self.scales.transit(policy, vendor)
                today = self.scales.book.today(operation.site_id)
                measure = dates.order_forward(today, offer.lead_days, transit, vendor.closed)[2]
            else:
                measure = sourcing.deviation(
                    known, self._shares[policy.policy_id], offer.vendor.vendor_id, offer.quantity
                )
            measured.append((measure, offer.rank, offer))
        best = min(measured, key=lambda one: one[:2])
        book = self.scales.book
        unit = (book.currencies[book.company_currency_id].code,) if policy.strategy == "lowest_cost" else ()
        for measure, _, offer in measured:
            code = "vendor_compared" if offer is best[2] else "vendor_passed_over"
            reasons.append(Reason(code, policy.code, offer.vendor.code, (policy.strategy, measure, best[0], *unit)))
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
                offer = self.scales.weigh(operation, policy, row, row.vendor_id, part, need, found)
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
        """In rank order each takes what he still can in his week and may be given at once; nobody gets anything where all
        together cannot take it, and how much each could is said.
        """
        unit = price.QUANTA[wanted.decimals]
        base_yield = HUNDRED if policy.yield_pct is None else policy.yield_pct
        # What stands with vendors already, in good pieces, so that the rest can be given out bit by bit.
        stands = wanted.less * base_yield / HUNDRED if wanted.is_first else wanted.less
        left = wanted._replace(good=max(ZERO, wanted.good - stands), less=ZERO)
        asked = left.good
        offers: list[Offer] = []
        limited: list[Reason] = []
        for row in policy.vendors:
            if left.good <= 0:
                break
            of_any_size = replace(row, quantity_to=None)
            offer = self.scales.weigh(operation, policy, of_any_size, row.vendor_id, left, need, reasons, whole=False)
            if offer is None:
                continue
            takes = offer.quantity
            if row.quantity_to is not None and row.quantity_to < takes:
                takes = row.quantity_to.quantize(unit, ROUND_FLOOR)
                limited.append(
                    Reason("above_maximum", policy.code, offer.vendor.code, (offer.quantity, row.quantity_to))
                )
            if row.weekly_capacity is not None:
                free = self.scales.free_capacity(row, row.weekly_capacity, offer.chain)
                if free < takes:
                    takes = free.quantize(unit, ROUND_FLOOR)
                    limited.append(no_capacity(policy.code, offer, free, row.weekly_capacity))
            if takes <= 0:
                reasons.append(limited.pop())
                continue
            if takes < offer.quantity:
                part = Wanted(takes, ZERO, False, wanted.decimals)
                smaller = self.scales.weigh(operation, policy, row, row.vendor_id, part, need, reasons, whole=False)
                if smaller is None:
                    continue
                offer = smaller
            offers.append(offer)
            good = offer.quantity * offer.yield_pct / HUNDRED if wanted.is_first else offer.quantity
            left = left._replace(good=left.good - good)
        if left.good > 0 and left.quantity(HUNDRED) > 0:
            if offers:
                reasons.extend(limited)
                reasons.append(Reason("no_capacity", policy.code, "", (asked - left.good, asked, left.good)))
            return None
        return tuple(offers)
