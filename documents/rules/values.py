"""What documents are planned from, and the differences that come out: plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from policies.rules.values import AwardValues, OperationFacts
from production.rules import components as bom

ZERO = Decimal(0)
SENT = "sent"
OWN, CONSIGNED, RETURNABLE = "own", "consigned", "returnable"
PER_UNIT, PER_ORDER = "per_unit", "per_order"
OUTSOURCE, REVIEW, BLOCKED, IN_HOUSE = "outsource", "review", "blocked", "in_house"
CANCELLED = "cancelled"


class DocumentRules(NamedTuple):
    """What a policy says about the documents; the defaults stand where no policy decided."""

    code: str = ""
    consolidate: str = "none"
    auto_approve_up_to: Decimal | None = None
    auto_send: bool = False
    auto_send_wait_minutes: int = 0
    auto_send_days_before: int = 30
    over_receipt_pct: Decimal = ZERO
    under_receipt_pct: Decimal = ZERO
    over_send_pct: Decimal = ZERO
    consumption: str = "standard"
    shortage: str = "block"
    inspection: str = "none"
    sample_pct: Decimal | None = None
    certificates: tuple[str, ...] = ()
    rejects: str = "expense"
    price_tolerance_pct: Decimal = ZERO
    price_tolerance_amount: Decimal = ZERO
    quantity_tolerance_pct: Decimal = ZERO
    pay_for: str = "accepted"
    use_vendor_stock: bool = False
    transit_back_days: int = 0

    def bring_home(self, process_certificates: Sequence[str]) -> bool:
        """Inspection or certificates: the pieces come to our site before they go on."""
        return self.inspection != "none" or bool(self.certificates) or bool(process_certificates)


class Need(NamedTuple):
    """One component of a line. `ship_from_id` as on OrderComponent: None where others bring it."""

    item_id: int
    stage: str
    supply: str
    basis: str
    quantity_per: Decimal
    scrap_pct: Decimal
    required: Decimal
    carried_in: Decimal
    ship_from_id: int | None

    def as_row(self) -> list[object]:
        """Plain values for a JSON column; `from_row` reads them back exactly."""
        return [
            self.item_id,
            self.stage,
            self.supply,
            self.basis,
            str(self.quantity_per),
            str(self.scrap_pct),
            str(self.required),
            str(self.carried_in),
            self.ship_from_id,
        ]

    @classmethod
    def from_row(cls, row: Sequence[object]) -> Need:
        item_id, stage, supply, basis, quantity_per, scrap_pct, required, carried_in, ship_from_id = row
        return cls(
            int(str(item_id)),
            str(stage),
            str(supply),
            str(basis),
            Decimal(str(quantity_per)),
            Decimal(str(scrap_pct)),
            Decimal(str(required)),
            Decimal(str(carried_in)),
            None if ship_from_id is None else int(str(ship_from_id)),
        )

    def to_ship(self, *, to_id: int) -> Decimal:
        """What has to leave `ship_from_id` for the vendor's place."""
        if self.ship_from_id is None or self.ship_from_id == to_id:
            return ZERO
        return self.required - self.carried_in


class Standing(NamedTuple):
    """A line that exists: active, or with something received. `is_sent`: its order was sent at least once."""

    line_id: int
    order_id: int
    order_number: str
    line_no: int
    operation_id: int
    vendor_id: int
    ship_to_id: int
    currency_id: int
    site_id: int
    period: str
    is_sent: bool
    is_active: bool
    quantity: Decimal
    open: Decimal
    received: Decimal
    unit_price: Decimal
    need_date: date
    receive_at_id: int
    content_hash: str
    pinned: Mapping[str, object]
    accepted: Decimal = ZERO
    at_vendor_date: date | None = None
    dispatch_by: date | None = None
    policy_code: str = ""
    yield_pct: Decimal = Decimal(100)
    waived: Decimal = ZERO
    of_use_on: date | None = None
    """By what was promised: when its pieces are here and inspected."""
    replaced: Decimal = ZERO
    is_whole: bool = False
    is_held: bool = False
    """Its order was never sent and is held: it stays as it is, and nothing is made beside it."""
    is_by_hand: bool = False
    last_no: str = ""
    mark: int = 0
    """Changes with all that a run reads of the line and does not write itself."""
    comes_home: bool = False
    """Inspection or certificates it was ordered with bring its pieces to our site."""
    elsewhere: tuple[tuple[int, Decimal], ...] = ()
    """What was received at other places than `receive_at_id`, before that was changed."""
    takes_from: frozenset[int] = frozenset()
    """Where a sent one gets the pieces of the step before from."""
    waits_for: frozenset[str] = frozenset()
    """The stages of pieces that a sent one is still to get."""

    @property
    def is_full(self) -> bool:
        """Its vendor has said what he can make, by countering: it takes no more."""
        pin = self.pinned.get("quantity")
        return isinstance(pin, Mapping) and bool(pin.get("offered"))

    @property
    def counts(self) -> Decimal:
        """How much of what was wanted it stands for: what came, what is still to come, and what its tolerance let go; less what
        of it is made anew.
        """
        return self.open + self.received + self.waived - self.replaced


@dataclass(slots=True)
class Plan:
    """A production order as documents see it. `home_id`: where its material comes from and its pieces come back to."""

    number: str
    item_id: int
    site_id: int
    home_id: int
    operations: list[OperationFacts]
    stage_number: str = ""
    item_change: tuple[str, str] | None = None
    """The codes of its item and of the one the plan makes of it now, while vendors were asked for the former."""

    def __post_init__(self) -> None:
        self.stage_number = self.stage_number or self.number


@dataclass(slots=True)
class Ground:
    """What all production orders share while a run plans. `free_at` answers free stock at a vendor's place: (place, item)."""

    boms: Mapping[int, Sequence[bom.BomRow]]
    rules: Mapping[int | None, DocumentRules]
    process_certificates: Mapping[int, Sequence[str]]
    ship_to: Callable[[int, int], int]
    """The place of a vendor for a site of ours."""
    free_at: Callable[[], dict[tuple[int, int], Decimal]]
    outdated: Mapping[int, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    """What vendors were told of the work and is otherwise now: by line, each name with what was told and what it is now."""
    _ratios: dict[tuple[int, str, bool, tuple[str, ...]], tuple[bom.Ratio, ...]] = field(default_factory=dict)

    def ratios(self, item_id: int, operation_no: str, is_first: bool, nos: tuple[str, ...]) -> tuple[bom.Ratio, ...]:
        key = (item_id, operation_no, is_first, nos)
        found = self._ratios.get(key)
        if found is None:
            found = self._ratios[key] = bom.ratios(
                self.boms, item_id=item_id, operation_no=operation_no, is_first=is_first, operation_nos=nos
            )
        return found

    def ratios_of(
        self, operations: Sequence[OperationFacts], first_id: int, nos: tuple[str, ...]
    ) -> tuple[bom.Ratio, ...]:
        """What operations take that one line is for."""
        return tuple(
            ratio
            for one in operations
            for ratio in self.ratios(one.item_id, one.operation_no, one.operation_id == first_id, nos)
        )

    def certificates(self, operation: OperationFacts) -> Sequence[str]:
        """What the processes of an operation always ask for."""
        if not operation.processes:
            return self.process_certificates.get(operation.process_id or 0, ())
        return tuple(
            dict.fromkeys(kind for one in operation.processes for kind in self.process_certificates.get(one, ()))
        )

    def whole_ratios(self, item_id: int) -> tuple[bom.Ratio, ...]:
        """What an item bought complete takes: all of its bill."""
        key = (item_id, "", True, ())
        found = self._ratios.get(key)
        if found is None:
            found = self._ratios[key] = bom.whole_ratios(self.boms, item_id=item_id)
        return found


class Key(NamedTuple):
    """An operation: its key, its production order's number and its own."""

    operation_id: int
    number: str
    operation_no: str


@dataclass(slots=True)
class Difference:
    """One thing to do: `create`, `change` or `cancel` a line, or `alert` about one. Fields that do not apply stay blank."""

    action: str
    operation_id: int
    number: str
    operation_no: str
    award: AwardValues | None = None
    line: Standing | None = None
    ship_to_id: int = 0
    period: str = ""
    receive_at_id: int = 0
    needs: tuple[Need, ...] = ()
    content_hash: str = ""
    proposes: str = ""
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


def text(quantity: Decimal) -> str:
    """A quantity as people write it: no trailing zeros, no exponent."""
    return f"{quantity.normalize():f}"
