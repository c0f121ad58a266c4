"""Weighing one vendor for one operation: what he would be given at which price and dates, or what stands against him."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from policies.rules import conditions, dates, price
from policies.rules.counters import Counters
from policies.rules.flow import Wanted
from policies.rules.values import (
    HUNDRED,
    ZERO,
    Book,
    OperationFacts,
    Paid,
    PolicyValues,
    PolicyVendorValues,
    PriceRow,
    Reason,
    VendorValues,
    WorkCenterValues,
)

ONE = Decimal(1)
KEPT = 50_000  # answers remembered at most, so that memory stays flat over a million operations


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
    price_unit: str
    price_factor: Decimal
    amounts: price.Amounts
    amount_company: Decimal
    lead_days: int
    chain: dates.Chain


class Scales:
    """Weighs vendors by a book and the capacity that counters leave."""

    def __init__(self, book: Book, counters: Counters) -> None:
        self.book = book
        self.counters = counters
        self._by_policy = {
            policy.policy_id: dates.Transit(
                policy.preparation_days, policy.transit_out_days, policy.transit_back_days, policy.inspection_days
            )
            for policy in book.policies
        }
        self._transits: dict[tuple[int | None, int], dates.Transit] = {}
        self._chains: dict[tuple[int, dates.Transit, date, date], dict[int, dates.Chain]] = {}
        self._levels: dict[
            tuple[int, int, int | tuple[int, ...], int], tuple[tuple[price.Group, price.Group], ...]
        ] = {}

    def transit(self, policy: PolicyValues | None, vendor: VendorValues) -> dates.Transit:
        """The days around the work by the policy, on the way by the vendor where he says so."""
        policy_id = policy.policy_id if policy is not None else None
        found = self._transits.get((policy_id, vendor.vendor_id))
        if found is None:
            around = self._by_policy[policy_id] if policy_id is not None else dates.NO_TRANSIT
            found = around.by_vendor(vendor.transit_out_days, vendor.transit_back_days)
            self._transits[policy_id, vendor.vendor_id] = found
        return found

    def center_of(self, operation: OperationFacts) -> WorkCenterValues | None:
        return self.book.work_centers.get(operation.work_center_id) if operation.work_center_id is not None else None

    def free_capacity(self, row: PolicyVendorValues, capacity: Decimal, chain: dates.Chain) -> Decimal:
        return capacity - self.counters.pieces.get((row.vendor_id, dates.monday(chain.arrives_on)), ZERO)

    def weigh(
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
        process_ids = operation.processes or (operation.process_id,)
        for process_id in process_ids:
            against += self._approved(code, vendor, process_id)
        if operation.only_vendors is not None and vendor_id not in operation.only_vendors:
            against.append(Reason("not_named", code, vendor.code))
        if vendor_id in operation.refused_by:
            against.append(Reason("refused", code, vendor.code))

        # price and dates
        base_yield = policy.yield_pct if policy is not None and policy.yield_pct is not None else HUNDRED
        transit = self.transit(policy, vendor)
        today, closed = book.today(operation.site_id), vendor.closed
        chains = self._chains.get((vendor_id, transit, need, today))
        if chains is None:
            if len(self._chains) >= KEPT:
                self._chains.clear()
            chains = self._chains[vendor_id, transit, need, today] = {}

        def chain_of(lead_days: int) -> dates.Chain:
            found = chains.get(lead_days)
            if found is None:
                found = chains[lead_days] = dates.chain(need, today, lead_days, transit, closed)
            return found

        base_quantity = wanted.quantity(base_yield)

        def quantity_of(priced: PriceRow) -> Decimal:
            return base_quantity if priced.yield_pct is None else wanted.quantity(priced.yield_pct)

        def day_of(priced: PriceRow) -> date:
            return chain_of(priced.lead_days or 0).order_day

        priced = price.select(self._levels_of(operation, vendor), quantity_of, day_of)
        if priced is not None and priced.unit_id is not None:
            factor = book.unit_factors.get((operation.item_id, priced.unit_id))
            if factor is None:
                against.append(Reason("no_unit_factor", code, vendor.code, (priced.price_unit,)))
            else:
                priced = replace(priced, factor=priced.factor * factor)
        yield_pct = base_yield if priced is None or priced.yield_pct is None else priced.yield_pct
        lead_days = (priced.lead_days or 0) if priced is not None else 0
        quantity = base_quantity if priced is None else quantity_of(priced)
        chain = chain_of(lead_days)
        unit_price = priced.unit_price if priced is not None else None
        is_estimate = False
        company = book.currencies[book.company_currency_id]
        currency = company
        amounts: price.Amounts | None = None
        amount_company = ZERO
        price_unit, factor = "", ONE
        if priced is None or unit_price is None:
            is_known = priced is not None
            priced = None
            paid = self._estimate(operation, vendor_id) if policy and policy.price_missing == "estimate" else None
            if paid is None:
                against.append(Reason("no_price", code, vendor.code, (quantity, chain.order_day, is_known)))
            else:
                is_estimate = True
                unit_price, currency_id, price_unit, factor = paid
                currency = book.currencies[currency_id]
                work = price.work(unit_price, quantity, factor, currency.decimals)
                amounts = price.Amounts(work, ZERO, ZERO, ZERO, work)
        else:
            currency = book.currencies[priced.currency_id]
            price_unit, factor = priced.price_unit, priced.factor
            amounts = price.amounts(priced, unit_price, quantity, currency.decimals)
        if amounts is not None:
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
        for process_id in process_ids:
            against += self._expired(code, vendor, process_id, chain.ships_on)
        if row is not None:
            if row.quantity_from is not None and quantity < row.quantity_from:
                against.append(Reason("below_minimum", code, vendor.code, (quantity, row.quantity_from)))
            if row.quantity_to is not None and quantity > row.quantity_to:
                against.append(Reason("above_maximum", code, vendor.code, (quantity, row.quantity_to)))
            if row.weekly_capacity is not None and whole and not against:
                free = self.free_capacity(row, row.weekly_capacity, chain)
                if quantity > free:
                    seen = (quantity, free, row.weekly_capacity, chain.arrives_on)
                    against.append(Reason("no_capacity", code, vendor.code, seen))
        if against or amounts is None or unit_price is None:
            reasons.extend(against)
            return None
        return Offer(
            row.rank if row is not None else 1, vendor, priced, quantity, yield_pct, unit_price, is_estimate,
            currency.currency_id, price_unit, factor, amounts, amount_company, lead_days, chain,
        )  # fmt: skip

    def lost(
        self, operation: OperationFacts, policy: PolicyValues | None, vendor_id: int, ships_on: date | None
    ) -> list[Reason]:
        """What stands against leaving sent work with its vendor: not active any more, or not approved, or not on that day."""
        code = policy.code if policy is not None else ""
        vendor = self.book.vendors.get(vendor_id)
        if vendor is None or not vendor.is_active:
            return [Reason("inactive", code, vendor.code if vendor else "")]
        against: list[Reason] = []
        for process_id in operation.processes or (operation.process_id,):
            against += self._approved(code, vendor, process_id)
            if ships_on:
                against += self._expired(code, vendor, process_id, ships_on)
        return against

    def _process_code(self, process_id: int | None) -> str:
        process = self.book.processes.get(process_id) if process_id is not None else None
        return process.code if process is not None else ""

    def _approved(self, code: str, vendor: VendorValues, process_id: int | None) -> list[Reason]:
        """A reason where the vendor is not approved for the process."""
        if process_id is None:
            return []
        approval = self.book.approvals.get((vendor.vendor_id, process_id))
        process = self.book.processes.get(process_id)
        if approval is not None:
            status = approval.status
            if status == "approved":
                return []
        elif process is not None and process.requires_approval:
            status = ""
        else:
            return []
        return [Reason("not_approved", code, vendor.code, (self._process_code(process_id), status))]

    def _expired(self, code: str, vendor: VendorValues, process_id: int | None, ships_on: date) -> list[Reason]:
        """A reason where the vendor's approval for the process ends before the pieces leave."""
        approval = self.book.approvals.get((vendor.vendor_id, process_id)) if process_id is not None else None
        if approval is None or approval.valid_to is None or approval.valid_to >= ships_on:
            return []
        seen = (self._process_code(process_id), approval.valid_to, ships_on)
        return [Reason("approval_expired", code, vendor.code, seen)]

    def _levels_of(
        self, operation: OperationFacts, vendor: VendorValues
    ) -> tuple[tuple[price.Group, price.Group], ...]:
        process_id = operation.process_id
        if process_id is None and not operation.is_whole:
            return ()
        process = operation.processes or process_id or 0
        key = (vendor.vendor_id, operation.item_id, process, operation.site_id)
        found = self._levels.get(key)
        if found is None:
            if len(self._levels) >= KEPT:
                self._levels.clear()
            prices = self.book.prices
            rows = [
                *prices.get((vendor.vendor_id, process, operation.item_id), ()),
                *prices.get((vendor.vendor_id, process, 0), ()),
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

    def _estimate(self, operation: OperationFacts, vendor_id: int) -> Paid | None:
        """What was paid to him last, else what a piece costs inside, in company currency."""
        if not operation.processes and (operation.process_id is not None or operation.is_whole):
            paid = self.book.last_paid.get((vendor_id, operation.item_id, operation.process_id or 0))
            if paid is not None:
                return paid
        inside = conditions.own_cost(operation, self.center_of(operation))
        if not inside:
            return None
        each = (inside / operation.quantity).quantize(price.QUANTA[5])
        return Paid(each, self.book.company_currency_id) if each else None


def no_capacity(code: str, offer: Offer, free: Decimal, capacity: Decimal) -> Reason:
    return Reason("no_capacity", code, offer.vendor.code, (offer.quantity, free, capacity, offer.chain.arrives_on))


def row_of(policy: PolicyValues | None, vendor_id: int) -> PolicyVendorValues | None:
    if policy is None:
        return None
    return next((row for row in policy.vendors if row.vendor_id == vendor_id), None)
