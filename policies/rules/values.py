"""The plain values that rules read and return: no rows of the database, no clock.

Quantities are in the item's unit, percentages are numbers (10 is 10 %), keys are those of the rows they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

ZERO = Decimal(0)
HUNDRED = Decimal(100)
BUY_COMPLETE = "buy_complete"
"""The verdict of a policy that buys the whole production order."""


class Reason(NamedTuple):
    """One thing looked at and how it came out. `values` is what the code's sentence needs (see reasons.py)."""

    code: str
    policy: str = ""
    vendor: str = ""
    values: tuple[Any, ...] = ()


# --- the plan -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class WordValues:
    """The planner's word on an operation: `word` is outsource or in_house."""

    word: str
    vendor_id: int | None = None
    reason: str = ""
    by: str = ""
    at: date | None = None


@dataclass(slots=True)
class Frozen:
    """What stands on a line a vendor was already asked for (approved, sent, closed) and no run may change.

    `open` = ordered − received, 0 where the line is complete, closed or cancelled. `received` = accepted + rejected +
    scrapped; `accepted` is taken as all of it where it is not given. `waived` = what a complete line was short of and nobody
    waits for any more (its tolerance): ordered, not open, not to be ordered again. `replaced` = bad ones of the received that
    are to be made anew. Quantities as ordered, before the yield.
    """

    vendor_id: int
    open: Decimal
    received: Decimal
    policy_id: int | None = None
    at_vendor_date: date | None = None
    accepted: Decimal | None = None
    yield_pct: Decimal = HUNDRED
    number: str = ""
    dispatch_by: date | None = None
    waived: Decimal = ZERO
    policy_code: str = ""
    of_use_on: date | None = None
    """By what was promised: when its pieces are here and inspected."""
    replaced: Decimal = ZERO
    is_whole: bool = False
    """The whole production order was bought with this line, not this operation alone."""
    is_by_hand: bool = False
    """A person ordered it, no run."""
    last_no: str = ""
    """The last of the operations bought together with it; blank where it is for one alone."""
    is_full: bool = False
    """He was asked for as much as he can make: what is needed beyond it is a further line, not more of this one."""

    @property
    def is_by_policy(self) -> bool:
        """Whether a policy sent it out, be it retired by now; else a person or the work center's own vendor did."""
        return bool(self.policy_code) or self.policy_id is not None


@dataclass(slots=True)
class OperationFacts:
    """One step of a production order as the plan has it. `planned_start` and `planned_end` are the plan's own schedule."""

    operation_id: int
    production_order_id: int
    number: str
    operation_no: str
    sequence: int
    item_id: int
    item_group_id: int | None
    process_id: int | None
    work_center_id: int | None
    site_id: int
    quantity: Decimal
    good: Decimal
    scrap: Decimal
    is_open: bool
    status: str
    outsourced: str
    setup_minutes: Decimal | None
    run_minutes: Decimal | None
    next_nos: tuple[str, ...]
    planned_start: date | None
    planned_end: date | None
    due_date: date
    dates_given: bool = False
    decimals: int = 5
    item_blocked: bool = False
    word: WordValues | None = None
    frozen: tuple[Frozen, ...] = ()
    inside_cost: Decimal | None = None
    """What it costs inside, where that is not its own times on its work center: of an order bought complete, all its steps."""
    is_whole: bool = False
    """It stands for its whole production order, bought complete: priced by the item alone, of no process or work center."""
    processes: tuple[int, ...] = ()
    """It stands for consecutive operations bought together, of these processes, the last of them `last_no`."""
    last_no: str = ""
    only_vendors: frozenset[int] | None = None
    """Of operations bought together: the vendors whom each of them may go to."""
    refused_by: frozenset[int] = frozenset()
    """Vendors who were asked for it and do not take it."""

    @property
    def stays_by_flag(self) -> bool:
        """The flag alone keeps it inside: nobody said otherwise, and no vendor was ever asked for it."""
        return self.outsourced == "no" and self.word is None and not self.frozen

    @property
    def ends_on(self) -> date:
        """By when the plan needs it done: its own planned end, or that of its production order."""
        return self.planned_end or self.due_date

    @property
    def leaves_as(self) -> str:
        """The number of the operation whose pieces it leaves."""
        return self.last_no or self.operation_no


@dataclass(slots=True)
class OrderFacts:
    """A production order with all its operations, in sequence. `mark` changes whenever one of the rows read for it is written."""

    production_order_id: int
    number: str
    due_date: date
    operations: list[OperationFacts]
    mark: int = 0


# --- what decides ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class PolicyVendorValues:
    """A vendor of a policy: rank, target share, pieces a calendar week, limits of one order line's quantity."""

    rank: int
    vendor_id: int
    share_pct: Decimal | None = None
    weekly_capacity: Decimal | None = None
    quantity_from: Decimal | None = None
    quantity_to: Decimal | None = None


@dataclass(slots=True)
class PolicyValues:
    """A policy as the rules read it. A blank scope field means any, a blank condition none.

    `scope_words` names the filled scope fields for people: {"process": "Zinc plating"}; `looked_at` is how a sentence about
    the policy begins.
    """

    policy_id: int
    code: str
    verdict: str
    version: int = 1
    priority: int = 100
    valid_from: date | None = None
    valid_to: date | None = None
    item_id: int | None = None
    item_group_id: int | None = None
    process_id: int | None = None
    work_center_id: int | None = None
    site_id: int | None = None
    quantity_from: Decimal | None = None
    quantity_to: Decimal | None = None
    season_from: date | None = None
    season_to: date | None = None
    load_above_pct: Decimal | None = None
    when_down: bool = False
    late_days: int | None = None
    cost_below_pct: Decimal | None = None
    transition_from: date | None = None
    transition_share_pct: Decimal | None = None
    strategy: str = "preferred"
    split: str = "none"
    balance_days: int = 180
    price_missing: str = "block"
    yield_pct: Decimal | None = None
    transit_out_days: int = 0
    transit_back_days: int = 0
    inspection_days: int = 0
    preparation_days: int = 0
    vendors: tuple[PolicyVendorValues, ...] = ()
    scope_words: dict[str, str] = field(default_factory=dict)
    looked_at: str = ""


@dataclass(slots=True)
class VendorValues:
    vendor_id: int
    code: str
    name: str = ""
    is_active: bool = True
    currency_id: int | None = None
    closed: frozenset[date] = frozenset()
    transit_out_days: int | None = None
    transit_back_days: int | None = None
    """How long goods are under way to and from him; None is what the policy says."""


@dataclass(slots=True)
class ApprovalValues:
    """A vendor's approval for a process: approved, pending or suspended; valid to a day, included."""

    status: str
    valid_to: date | None = None


@dataclass(slots=True)
class ProcessValues:
    process_id: int
    code: str
    requires_approval: bool = False


@dataclass(slots=True)
class CurrencyValues:
    """A currency with its dated rates (company currency for one unit), latest first."""

    currency_id: int
    code: str
    decimals: int = 2
    rates: tuple[tuple[date, Decimal], ...] = ()


PriceShelf = tuple[int, int | tuple[int, ...], int]
"""Vendor, process (0: an item bought complete; several that are bought together) and item (0: any)."""


@dataclass(slots=True)
class PriceRow:
    """One price agreement row. `factor` is how many of the item's unit (of `unit_id`, where filled) one price unit holds."""

    agreement_id: int
    vendor_id: int
    item_id: int | None
    process_id: int | None
    site_id: int | None
    currency_id: int
    unit_price: Decimal | None
    price_unit: str = ""
    factor: Decimal = Decimal(1)
    minimum_quantity: Decimal = ZERO
    valid_from: date | None = None
    valid_to: date | None = None
    lot_charge: Decimal = ZERO
    minimum_charge: Decimal = ZERO
    minimum_charge_basis: str = "line"
    lead_days: int | None = None
    yield_pct: Decimal | None = None
    freight: Decimal = ZERO
    unit_id: int | None = None
    further: tuple[int, ...] = ()
    """The processes that come after `process_id`, one after the other, where they are bought together."""

    @property
    def shelf(self) -> PriceShelf:
        """Where a book keeps it."""
        process = (self.process_id or 0, *self.further) if self.further else self.process_id or 0
        return self.vendor_id, process, self.item_id or 0


class Paid(NamedTuple):
    """What was paid last for one price unit, as it stood frozen on the line that was received."""

    unit_price: Decimal
    currency_id: int
    price_unit: str = ""
    factor: Decimal = Decimal(1)


@dataclass(slots=True)
class WorkCenterValues:
    """A work center: `closed` are days without work beyond weekends, `downtimes` breakdowns (first day, last day, why)."""

    work_center_id: int
    code: str
    is_external: bool = False
    vendor_id: int | None = None
    hours_a_day: Decimal | None = None
    hourly_cost: Decimal | None = None
    closed: frozenset[date] = frozenset()
    downtimes: tuple[tuple[date, date, str], ...] = ()


@dataclass(slots=True)
class CommittedLine:
    """A line that stands before the run decides anything: it counts first against weekly capacity, quota and transition.

    `quantity` is all that was ordered (of a closed line: what was received). `late_by` is how many days after `at_vendor_date`
    it arrives there in fact.
    """

    vendor_id: int
    quantity: Decimal
    policy_id: int | None = None
    at_vendor_date: date | None = None
    late_by: int = 0


@dataclass(slots=True)
class Book:
    """Everything but the plan that a decision reads, as it stands on the day `on`."""

    on: date
    company_currency_id: int
    currencies: dict[int, CurrencyValues]
    vendors: dict[int, VendorValues]
    policies: list[PolicyValues]
    prices: dict[PriceShelf, list[PriceRow]]
    """Rows by their shelf: see PriceRow.shelf."""
    approvals: dict[tuple[int, int], ApprovalValues] = field(default_factory=dict)
    processes: dict[int, ProcessValues] = field(default_factory=dict)
    work_centers: dict[int, WorkCenterValues] = field(default_factory=dict)
    unit_factors: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """How many of an item's own unit one of another unit holds, by item and unit; for units that prices name."""
    days: Mapping[int, date] = field(default_factory=dict)
    """What day it is at a site, where that is not `on`."""
    last_paid: Mapping[tuple[int, int, int], Paid] = field(default_factory=dict)
    """What was paid last, by vendor, item and process (0: an item bought complete); for estimates."""

    def today(self, site_id: int) -> date:
        """What day it is at a site of ours."""
        return self.days.get(site_id, self.on)


# --- what is decided ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class AwardValues:
    """What goes to one vendor, with price and dates. amount = work + minimum top-up + lot charge + freight, in `currency_id`."""

    rank: int
    vendor_id: int
    quantity: Decimal
    yield_pct: Decimal
    agreement_id: int | None
    currency_id: int
    unit_price: Decimal
    price_unit: str
    price_factor: Decimal
    is_estimate: bool
    work_amount: Decimal
    minimum_top_up: Decimal
    lot_charge: Decimal
    freight: Decimal
    amount: Decimal
    amount_company: Decimal
    lead_days: int
    need_date: date
    vendor_ready_date: date
    at_vendor_date: date
    dispatch_by: date
    order_by: date
    late_by: int
    promise_date: date
    is_whole: bool = False
    """The whole production order is bought with it."""
    last_no: str = ""
    """The last of the operations bought together with it; blank where it is for one alone."""


@dataclass(slots=True)
class Decided:
    """The verdict on one open operation.

    `quantity` is what must be ordered in all where it goes outside (awards, open and received), else what the plan wants.
    `flips_on` is the next day on which an input changes by itself.
    """

    operation_id: int
    verdict: str
    basis: str
    policy_id: int | None
    quantity: Decimal
    planned_start: date | None
    need_date: date | None
    reasons: tuple[Reason, ...]
    awards: tuple[AwardValues, ...] = ()
    flips_on: date | None = None
    policy_version: int = 0
    leaving: tuple[tuple[str, int | None], ...] = ()
    """Sent lines (`Frozen.number`) whose vendor may not do them any more, and the vendor who would; None where nobody can."""

    def codes(self) -> set[str]:
        return {reason.code for reason in self.reasons}
