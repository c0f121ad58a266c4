"""Production orders and operations as a plan states them, what became of them, and why one is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from core.refusals import InvalidInput, NoRight, NotFound, Refusal, Refusals, TooPrecise
from masterdata.services import Upserted
from production.models import OperationStatus, OrderStatus

ORDER_RANK = {status: rank for rank, status in enumerate(OrderStatus.values)}
OPERATION_RANK = {status: rank for rank, status in enumerate(OperationStatus.values)}
CLOSED_OPERATION = (OperationStatus.FINISHED, OperationStatus.CANCELLED)
REPLACED = (OrderStatus.PLANNED, OrderStatus.FIRM)  # what may go on under another number

Values = dict[str, Any]
"""A row as columns."""


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """An operation as a plan states it. None is "not said": it stays as it is, or as the routing has it.

    `good` and `scrap` are totals so far. `start` and `end` fix its dates.
    """

    number: str
    sequence: int | None = None
    name: str | None = None
    process_id: int | None = None
    work_center_id: int | None = None
    setup_minutes: Decimal | None = None
    run_minutes: Decimal | None = None
    outsourced: str | None = None
    next_nos: tuple[str, ...] | None = None
    good: Decimal | None = None
    scrap: Decimal | None = None
    status: str | None = None
    start: date | None = None
    end: date | None = None
    source: str | None = None
    external_refs: list[dict[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """A production order as a plan states it. None is "not said": it stays as it is, or gets its default.

    But for `start_date`: an order whose plan names no start has none. `replaces` names the planned order that became this
    one: it goes on under the new number, with the planner's word and its documents.
    """

    number: str
    item_id: int
    quantity: Decimal
    due_date: date
    start_date: date | None = None
    status: str | None = None
    site_id: int | None = None
    location_id: int | None = None
    routing_variant: str | None = None
    parent_number: str | None = None
    replaces: str | None = None
    source: str | None = None
    external_refs: list[dict[str, str]] | None = None
    operations: Sequence[PlannedOperation] = ()


class BadOperation(Refusal):
    """One operation of an order that is refused, and with it the order."""

    def __init__(self, reason: Refusal, *, operation_no: str) -> None:
        self.operation_no = operation_no
        super().__init__(reason.detail, code=reason.code, field=reason.field)
        self.status = 422 if isinstance(reason, NotFound) else reason.status


class BadOrder(Refusal):
    """One order of a plan that is refused; `index` is its place in the list given, `operation_no` whose fault it is, if one's."""

    status = 422

    def __init__(self, reason: Refusal, *, index: int) -> None:
        self.index = index
        self.operation_no = reason.operation_no if isinstance(reason, BadOperation) else ""
        super().__init__(reason.detail, code=reason.code, field=reason.field)
        # What an order names and is not there is a fault of the order; 404 says that of the address.
        self.status = 422 if isinstance(reason, NotFound) else reason.status


class OrdersRefused(Refusals):
    """Orders of a plan that are refused, with the reason of each; none of the others was written either."""

    def __init__(self, orders: Sequence[BadOrder]) -> None:
        self.orders = list(orders)
        super().__init__(orders)


class ForeignNumber(Refusal):
    """The number is another order's: of another source, or of this same plan."""

    code = "duplicate_number"


class UnknownReplaced(NotFound):
    """An order that replaces one nobody knows."""

    status = 422


class RoutingCircle(InvalidInput):
    """Operations that follow one another in a circle."""

    code = "routing_cycle"


@dataclass(slots=True)
class UpsertedOrders:
    """What became of the orders of a plan. `kept` orders are further on already than the plan says, and stay so.

    `renumbered` took the place of a planned order each. `new` and `differing` are the numbers behind the first two counts,
    `changes` what the first of `differing` were and are, by column;
    `replaced` names planned orders and the numbers they, or what a planner said of them, go on under.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    renumbered: int = 0
    new: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    changes: list[dict[str, tuple[Any, Any]]] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    operations: Upserted = field(default_factory=Upserted)
    ids: dict[str, int] = field(default_factory=dict)


def check_scope(by: User | None, site_ids: set[int]) -> None:
    """Raises NoRight where somebody plans at a site that is not his."""
    if by and not by.scope.everywhere and not site_ids <= by.scope.site_ids:
        raise NoRight("You have no right to plan at this site.", field="location")


def check_precision(quantity: Decimal, decimals: int, column: str = "quantity") -> None:
    """Raises TooPrecise where a quantity has more decimals than its unit."""
    if quantity != round(quantity, decimals):
        raise TooPrecise(f"{quantity.normalize():f} has more than the {decimals} decimals of the unit.", field=column)
