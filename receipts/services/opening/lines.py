"""What is said of an open order line, and how it may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.refusals import Refusal, Refusals
from masterdata.models import Currency
from production.models import Operation
from subcontract_orders.models import OrderComponent, OrderLine

KIND = "opening"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of an order that stands with a vendor, in the item's unit. None is "not known".

    `sent` and `received` are pieces of the line: material for so many went out, so many came back (`rejected` and `scrapped`
    of them). Without `sent`, what lies at the vendor is taken to be there for his lines, first need first. `policy` names
    whose document rules it keeps, else the first one in force that sends such work to this vendor. `last_operation_no`: the
    operations from `operation_no` to it are bought together with it. `is_whole`: the whole production order is bought with it,
    and all its operations end with it.
    """

    order: str
    vendor_id: int
    quantity: Decimal
    line_no: int | None = None
    production_order_id: int | None = None
    operation_no: str = ""
    item_id: int | None = None
    process_id: int | None = None
    location_id: int | None = None
    currency_id: int | None = None
    unit_price: Decimal | None = None
    price_unit: str = ""
    price_factor: Decimal | None = None
    lot_charge: Decimal | None = None
    minimum_charge: Decimal | None = None
    freight: Decimal | None = None
    lead_days: int | None = None
    ordered_on: date | None = None
    need_date: date | None = None
    promised_date: date | None = None
    is_acknowledged: bool = False
    sent: Decimal | None = None
    received: Decimal = ZERO
    rejected: Decimal = ZERO
    scrapped: Decimal = ZERO
    invoiced: Decimal = ZERO
    policy: str = ""
    last_operation_no: str = field(default="", repr=False)
    is_whole: bool = field(default=False, repr=False)
    # Not part of what an order says, so a known one may be told them later.
    source: str = field(default="", repr=False)
    external_refs: tuple[dict[str, str], ...] = field(default=(), repr=False)

    @property
    def accepted(self) -> Decimal:
        return self.received - self.rejected - self.scrapped


class BadOpenLine(Refusal):
    """One open line that is refused; `index` is its place in the list given."""

    status = 422

    def __init__(self, reason: Refusal, *, index: int) -> None:
        self.index = index
        super().__init__(reason.detail, code=reason.code, field=reason.field)


class OpenOrdersRefused(Refusals):
    """Open lines that are refused, with the reason of each; none of the others was loaded either."""

    def __init__(self, lines: Sequence[BadOpenLine]) -> None:
        self.lines = list(lines)
        super().__init__(lines)


class KnownOrder(Refusal):
    """The number is known with other content: what has been loaded is gone on with here."""

    code = "duplicate_number"


class NoRate(Refusal):
    """No rate turns the line's money into company currency on the day it was ordered."""

    code = "no_rate"
    status = 422


@dataclass(slots=True)
class Loaded:
    """How many lines are new, and how many were loaded before; `new` are the first numbers of orders."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    new: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """A component of a line to be loaded: what was used of it, and what lies at the vendor for it; of a by-product, what came."""

    component: OrderComponent
    used: Decimal
    lying: Decimal | None  # None: whatever lies there
    came: Decimal = ZERO
    lots: list[tuple[int | None, Decimal]] = field(default_factory=list)


@dataclass(slots=True)
class Ready:
    """A line with all it needs to be written; `steps` are the operations that are bought with it."""

    index: int
    said: OpenLine
    line: OrderLine
    site_id: int
    receive_at_id: int
    home_id: int
    currency: Currency
    steps: Sequence[Operation] = ()
    parts: list[Part] = field(default_factory=list)
    wip: Mapping[str, Operation] = field(default_factory=dict)


def refuse(bad: Sequence[BadOpenLine]) -> None:
    """Raises OpenOrdersRefused, in the order of the lines, where any is bad."""
    if bad:
        raise OpenOrdersRefused(sorted(bad, key=lambda one: one.index))
