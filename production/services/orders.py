"""Production orders and their operations, in bulk: the plan that comes again every night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import (
    InvalidDate,
    InvalidInput,
    InvalidQuantity,
    NoRight,
    NotFound,
    Refusal,
    Refusals,
    Stale,
    TooPrecise,
    WrongState,
)
from masterdata.models import Item, WorkCenter
from masterdata.services import (
    Upserted,
    all_closed_days,
    among,
    check_day,
    copy_rows,
    default_site,
    named,
    note_plan_change,
    site_dates,
    upsert_by_key,
)
from production.models import (
    OPEN_STATUSES,
    Operation,
    OperationStatus,
    OperationWord,
    OrderStatus,
    ProductionOrder,
    RoutingStep,
)
from production.rules import progress
from production.rules.flow import piece_flow
from production.rules.progress import CameTogether
from production.rules.schedule import Calendar, Step, in_order, schedule, successors, working_days
from production.services.parents import Parents, parent_circles
from production.services.pieces import Pieces, place_pieces
from production.services.structure import backward, sequence_of

REPLACED = (OrderStatus.PLANNED, OrderStatus.FIRM)  # what may go on under another number
RECOPIED = (OrderStatus.PLANNED, OrderStatus.FIRM)  # from release on, an order keeps the operations it has
ORDER_RANK = {status: rank for rank, status in enumerate(OrderStatus.values)}
OPERATION_RANK = {status: rank for rank, status in enumerate(OperationStatus.values)}
CLOSED_OPERATION = (OperationStatus.FINISHED, OperationStatus.CANCELLED)
UNFINISHED = (OperationStatus.OPEN, OperationStatus.IN_PROGRESS)
NOT_TOGETHER: Mapping[str, Sequence[CameTogether]] = MappingProxyType({})


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


class BadOrder(Refusal):
    """One order of a plan that is refused; `index` is its place in the list given."""

    status = 422

    def __init__(self, reason: Refusal, *, index: int) -> None:
        self.index = index
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

    `renumbered` took the place of a planned order each. `new` and `differing` are the numbers behind the first two counts;
    `replaced` names planned orders and the numbers they, or what a planner said of them, go on under.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    renumbered: int = 0
    new: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    operations: Upserted = field(default_factory=Upserted)
    ids: dict[str, int] = field(default_factory=dict)


@transaction.atomic
def upsert_production_orders(
    *, orders: Sequence[PlannedOrder], at: datetime, by: User | None, more_follow: bool = False
) -> UpsertedOrders:
    """Make or change production orders by number, with their operations, and schedule them. All or none.

    A new order copies the routing (the variant it names) of its item; later the operations of a planned or firm order
    follow the routing, but those with reports, sent to a vendor or given by the plan stay. No status and no reported
    quantity moves backwards. Dates the plan does not give are scheduled. The order one is made for is among these or known
    already, and none is made for itself by a way round; `more_follow`: it may come with a later part of the plan, and the
    caller asks `unknown_parents` and `parent_circles` at its end.
    Raises OrdersRefused.
    """
    return _Plan(orders, at, by, more_follow=more_follow).write()


@transaction.atomic
def upsert_operations(
    *,
    operations: Mapping[str, Sequence[PlannedOperation]],
    at: datetime,
    by: User | None,
    together: Mapping[str, Sequence[CameTogether]] = NOT_TOGETHER,
) -> UpsertedOrders:
    """State operations (progress, dates, further ones) of orders that are there, by order number. Raises OrdersRefused.

    `together`: what vendors brought back of several operations at once, as those who know the vendors' orders say.
    """
    rows = ProductionOrder.objects.filter(number__in=operations)
    stated = [
        PlannedOrder(
            number=order.number,
            item_id=order.item_id,
            quantity=order.quantity,
            due_date=order.due_date,
            start_date=order.start_date,
            operations=operations[order.number],
        )
        for order in rows.order_by("pk")
    ]
    return _Plan(stated, at, by, together=together).write()


@transaction.atomic
def cancel_production_order(
    *, production_order_id: int, expected_version: int | None = None, by: User | None, at: datetime
) -> ProductionOrder:
    """Withdraw an order with its open operations; what was made stays. Again is the same. Raises NotFound, Stale, WrongState."""
    visible = ProductionOrder.objects.visible_to(by) if by else ProductionOrder.objects.all()
    order = visible.select_for_update().filter(pk=production_order_id).first()
    if order is None:
        raise NotFound("There is no such production order.", field="number")
    if expected_version is not None and order.version != expected_version:
        raise Stale(f"{order} was changed since you read it; look at it again.")
    if order.status == OrderStatus.CANCELLED:
        if order.withdrawn_from:  # so far only the plan had left it out, now a person says so
            order.withdrawn_from = ""
            order.save(update_fields=["withdrawn_from"])
        return order
    if order.status == OrderStatus.DONE:
        raise WrongState(f"{order} is done.", field="status")
    order.status, order.changed_at, order.version = OrderStatus.CANCELLED, at, order.version + 1
    order.save(update_fields=["status", "changed_at", "version"])
    order.operations.exclude(status__in=CLOSED_OPERATION).update(status=OperationStatus.CANCELLED)
    note_plan_change(at=at, reason=f"{order} cancelled")
    return order


Values = dict[str, Any]


class _Plan:
    """One call of the upsert: what is known, read in a few statements, and what is to be written."""

    def __init__(
        self,
        orders: Sequence[PlannedOrder],
        at: datetime,
        by: User | None,
        *,
        more_follow: bool = False,
        together: Mapping[str, Sequence[CameTogether]] = NOT_TOGETHER,
    ) -> None:
        self.orders, self.at, self.by, self.more_follow = orders, at, by, more_follow
        self.together = together
        self.bad: list[BadOrder] = []
        self.done = UpsertedOrders()
        self.heirs_of: dict[str, ProductionOrder] = {}  # new number: the planned order whose word is carried to it
        self.replaced = {order.number: order.replaces for order in orders if order.replaces}
        self.pieces: list[Pieces] = []

    def write(self) -> UpsertedOrders:
        if not self.orders:
            return self.done
        renumbered = self.renumbered = self.renumber()
        self.read()
        rows, touched = [], []
        seen: dict[str, PlannedOrder] = {}
        for index, order in enumerate(self.orders):
            twin = seen.get(order.number)
            if twin is not None:
                if twin != order:
                    twice = ForeignNumber(f"{order.number} stands here twice, with different content.", field="number")
                    self.bad.append(BadOrder(twice, index=index))
                continue
            seen[order.number] = order
            try:
                old = self.known.get(order.number)
                row = self.order_row(order, old)
                operations = self.operations_of(order, row, old)
            except Refusal as refusal:
                self.bad.append(BadOrder(refusal, index=index))
                continue
            differs = old is None or any(old[name] != value for name, value in row.items())
            differs |= order.number in renumbered
            if operations or differs:
                row |= {"changed_at": self.at, "version": old["version"] + 1 if old else 1}
                rows.append(row)
                touched.append((order.number, operations))
                self.done.created, self.done.changed = self.done.created + (not old), self.done.changed + bool(old)
                (self.done.differing if old else self.done.new).append(order.number)
            else:
                self.done.ids[order.number] = old["id"] if old else 0
                self.done.unchanged += 1
        self.done.operations.unchanged = sum(map(len, self.operations.values()))
        if self.bad:
            raise OrdersRefused(self.bad)
        if rows:
            known = {(number,): row for number, row in self.known.items()}
            ids = upsert_by_key(model=ProductionOrder, key=("number",), rows=rows, known=known).ids
            self.done.ids |= {number: pk for (number,), pk in ids.items()}
            if not self.more_follow:
                self.refuse_circles()
            self.write_operations([(self.done.ids[number], operations) for number, operations in touched])
            self.carry_words()
            place_pieces(self.pieces, number=f"{self.at:%Y-%m-%d}", at=self.at, by=self.by)
            note_plan_change(at=self.at, reason=f"{self.done.created} orders new, {self.done.changed} changed")
        return self.done

    def refuse_circles(self) -> None:
        places = {order.number: index for index, order in enumerate(self.orders) if order.parent_number}
        circles = parent_circles(places)
        if circles:
            raise OrdersRefused([BadOrder(circle, index=places[circle.number]) for circle in circles])

    # Planned orders that became firm ones

    def renumber(self) -> set[str]:
        """Let orders that replace a planned one be that order under the new number. Returns the new numbers.

        Everything that hangs on the planned order (words, verdicts, documents) hangs on its row, and so goes along.
        """
        asked = {order.number: (index, order) for index, order in enumerate(self.orders) if order.replaces}
        if not asked:
            return set()
        wanted = {str(order.replaces) for _, order in asked.values()}
        rows = ProductionOrder.objects.filter(Q(number__in=[*asked, *wanted]) | Q(replaces__in=wanted))
        locked = list(rows.select_for_update().order_by("pk"))
        known = {order.number: order for order in locked}
        heirs = {order.replaces: order for order in locked if order.replaces}
        own = {order.number for order in self.orders if order.status not in (OrderStatus.CANCELLED, OrderStatus.DONE)}
        done = set()
        for number, (index, order) in asked.items():
            before, there = known.get(str(order.replaces)), known.get(number)
            if there and there.replaces == order.replaces:
                continue  # told before
            try:
                self.may_replace(order, before, heirs.get(str(order.replaces)), planned=own)
            except Refusal as refusal:
                self.bad.append(BadOrder(refusal, index=index))
                continue
            self.done.replaced.append((str(order.replaces), number))
            if before is None or there:
                # A second order made of the same planned one, or one that was here before it was said: the word is carried.
                self.heirs_of[number] = before or heirs[str(order.replaces)]
                continue
            ProductionOrder.objects.filter(pk=before.pk).update(
                number=number, replaces=before.number, first_number=before.stage_number
            )
            ProductionOrder.objects.filter(parent_number=before.number).update(parent_number=number, changed_at=self.at)
            before.number, before.replaces = number, str(order.replaces)
            heirs[before.replaces] = known[number] = before
            del known[before.replaces]
            done.add(number)
        self.done.renumbered = len(done)
        return done

    def may_replace(
        self, order: PlannedOrder, before: ProductionOrder | None, heir: ProductionOrder | None, *, planned: set[str]
    ) -> None:
        named = order.replaces
        if before is None and heir is None:
            raise UnknownReplaced(f"{order.number} replaces {named}, which is not known.", field="replaces")
        if named == order.number or named in planned:
            raise ForeignNumber(f"{named} stands in this plan itself and is replaced by nothing.", field="replaces")
        known = before or heir
        assert known is not None  # noqa: S101
        self.check_scope({known.site_id})
        if known.item_id != order.item_id:
            raise InvalidInput(f"{order.number} replaces {named}, which makes another item.", field="replaces")
        if order.source and known.source and order.source != known.source:
            raise ForeignNumber(f"{named} is a number of {known.source}.", field="replaces")
        if before and before.status not in (*REPLACED, OrderStatus.CANCELLED):
            said = before.get_status_display().lower()
            raise WrongState(f"{named} is {said}; only a planned order becomes another one.", field="replaces")

    def carry_words(self) -> None:
        """The planner's word on the operations of a planned order, for orders that are not its row."""
        for number, before in self.heirs_of.items():
            mine = dict(
                Operation.objects.filter(production_order__number=number)
                .exclude(words__is_current=True)
                .values_list("operation_no", "pk")
            )
            words = OperationWord.objects.filter(operation__production_order=before, is_current=True)
            OperationWord.objects.bulk_create(
                [
                    OperationWord(
                        operation_id=mine[word.operation.operation_no],
                        word=word.word, vendor_id=word.vendor_id, reason=word.reason, by_id=word.by_id, at=word.at,
                    )
                    for word in words.select_related("operation").order_by("pk")
                    if word.operation.operation_no in mine
                ]
            )  # fmt: skip
            if before.number == self.replaced[number] and before.status in REPLACED:
                cancel_production_order(production_order_id=before.pk, by=self.by, at=self.at)

    # What is known

    def read(self) -> None:
        numbers = [order.number for order in self.orders]
        items = {order.item_id for order in self.orders}
        self.parents = Parents((order.parent_number for order in self.orders), numbers)
        locked = ProductionOrder.objects.filter(number__in=named(numbers)).select_for_update().order_by("pk")
        self.known: dict[str, Values] = {row["number"]: dict(row) for row in locked.values()}
        self.operations: dict[int, dict[str, Values]] = defaultdict(dict)
        ids = [row["id"] for row in self.known.values()]
        for row in Operation.objects.filter(production_order_id__in=among(ids)).order_by("pk").values():
            self.operations[row["production_order_id"]][row["operation_no"]] = dict(row)
        self.decimals = {
            pk: 5 if decimals is None else decimals
            for pk, decimals in Item.objects.filter(pk__in=among(items)).values_list("pk", "unit__decimals")
        }
        self.routings: dict[tuple[int, str], list[Values]] = defaultdict(list)
        steps = RoutingStep.objects.filter(item_id__in=among(items)).order_by("sequence", "pk")
        for item_id, variant, number, *routed in steps.values_list("item_id", "variant", "operation_no", *ROUTED):
            step = FRESH | {"operation_no": number} | dict(zip(ROUTED, routed, strict=True))
            self.routings[(item_id, variant)].append(step)
        new = set(numbers) - self.known.keys()
        self.taken = set(
            ProductionOrder.objects.filter(first_number__in=named(new)).values_list("first_number", flat=True)
        )
        self.site_id = default_site().pk
        self.today = site_dates(at=self.at)
        self.centers = dict(WorkCenter.objects.values_list("pk", "capacity_hours_per_day"))
        self.calendars = _calendars(on=self.at.date())
        self.open_days = self.calendars.get(None, Calendar())

    # Orders

    def order_row(self, order: PlannedOrder, old: Values | None) -> Values:
        """The columns an order is to have; status never backwards."""
        if order.quantity <= 0:
            raise InvalidQuantity(f"{order.quantity} is not above zero.", field="quantity")
        if order.item_id not in self.decimals:
            raise NotFound("There is no such item.", field="item")
        self.check_precision(order.quantity, self.decimals[order.item_id])
        if order.start_date and order.start_date > order.due_date:
            raise InvalidDate(f"Starts on {order.start_date}, after it is due on {order.due_date}.", field="start")
        if order.status is not None and order.status not in ORDER_RANK:
            raise InvalidInput(f"There is no status {order.status}.", field="status")
        row: Values = {
            "number": order.number,
            "item_id": order.item_id,
            "quantity": order.quantity,
            "due_date": order.due_date,
            "start_date": order.start_date,
        }
        said = {
            "site_id": order.site_id,
            "location_id": order.location_id,
            "routing_variant": order.routing_variant,
            "parent_number": self.parents.number(order.parent_number, of=order.number, may_follow=self.more_follow),
            "replaces": order.replaces or None,
            "external_refs": order.external_refs,
            "source": order.source or None,
        }
        row |= {name: value for name, value in said.items() if value is not None}
        row.setdefault("site_id", old["site_id"] if old else self.site_id)
        self.check_scope({row["site_id"], old["site_id"] if old else row["site_id"]})
        self.check_days(order, row, old)
        if old is None:
            if order.number in self.taken:
                # The number was another order's before, and that one's pieces still go by it.
                row["first_number"] = f"{order.number}~{self.at:%y%m%d}"
            return row | {"status": order.status or OrderStatus.PLANNED}
        if order.source and old["source"] and order.source != old["source"]:
            raise ForeignNumber(f"{order.number} is a number of {old['source']} already.", field="number")
        if left := old["withdrawn_from"]:
            # Missing for a night, as a whole plan may not hold it by mistake; it goes on from where it was.
            again = max(order.status or left, left, key=lambda status: ORDER_RANK[status])
            return row | {"status": again, "withdrawn_from": ""}
        if order.status is None or order.status == old["status"]:
            return row | {"status": old["status"]}
        if old["status"] == OrderStatus.CANCELLED and order.number in self.renumbered:
            return row | {"status": order.status}  # withdrawn the night before it came back under its firm number
        if old["status"] == OrderStatus.DONE or ORDER_RANK[order.status] < ORDER_RANK[old["status"]]:
            self.done.kept += 1
            return row | {"status": old["status"]}
        return row | {"status": order.status}

    def check_days(self, order: PlannedOrder, row: Values, old: Values | None) -> None:
        """What is over may lie long ago; what is still to be done lies in a window around today."""
        if (order.status or (old and old["status"])) in (OrderStatus.DONE, OrderStatus.CANCELLED):
            return
        today = self.today[row["site_id"]]
        for day, column, name in ((order.due_date, "due", "due_date"), (order.start_date, "start", "start_date")):
            if day and not (old and old[name] == day):
                check_day(day, today=today, field=column)
        for given in order.operations:
            if given.status in CLOSED_OPERATION:
                continue
            for day, column in ((given.start, "start"), (given.end, "end")):
                if day:
                    check_day(day, today=today, field=column)

    def check_scope(self, site_ids: set[int]) -> None:
        if self.by and not self.by.scope.everywhere and not site_ids <= self.by.scope.site_ids:
            raise NoRight("You have no right to plan at this site.", field="location")

    def check_precision(self, quantity: Decimal, decimals: int, column: str = "quantity") -> None:
        if quantity != round(quantity, decimals):
            raise TooPrecise(
                f"{quantity.normalize():f} has more than the {decimals} decimals of the unit.", field=column
            )

    # Operations

    def operations_of(self, order: PlannedOrder, row: Values, old: Values | None) -> list[Values]:
        """The operations of an order that are new or differ, whole rows (those that are there carry their id)."""
        before = self.operations.get(old["id"], {}) if old else {}
        variant = str(row.get("routing_variant", old["routing_variant"] if old else ""))
        after: dict[str, Values] = {number: dict(operation) for number, operation in before.items()}
        moved = old is not None and (old["item_id"] != order.item_id or old["routing_variant"] != variant)
        if moved and any(_is_reported(operation) for operation in before.values()):
            raise WrongState("Work on it is reported already: item and routing stay.", field="item")
        if moved and old["item_id"] != order.item_id and any(one["is_committed"] for one in before.values()):  # type: ignore[index]
            raise WrongState("A vendor was asked for it already: the item stays.", field="item")
        if old and old["status"] == OrderStatus.CANCELLED and row["status"] in OPEN_STATUSES:
            for operation in after.values():
                if operation["status"] == OperationStatus.CANCELLED:
                    operation["status"] = (
                        OperationStatus.IN_PROGRESS if _is_reported(operation) else OperationStatus.OPEN
                    )
        if not before or row["status"] in RECOPIED:
            self.copy_routing(order.item_id, variant, after)
        for given in order.operations:
            self.apply(given, order, after)
        following = self.check_order(order.operations, after)
        for operation in after.values():
            self.settle(operation, row, before.get(operation["operation_no"]))
        if any(given.good or given.scrap or given.status for given in order.operations):
            self.imply(following, after, self.together.get(order.number, ()))
            self.find_pieces(order, row, old, following, before, after)
        self.place(order, row, after)
        return [operation for number, operation in after.items() if number not in before or operation != before[number]]

    def copy_routing(self, item_id: int, variant: str, after: dict[str, Values]) -> None:
        """Bring operations nobody has reported on, or given by hand, to what the routing says now."""
        steps = self.routings.get((item_id, variant), ())
        if variant and not steps:
            raise NotFound(f"The item has no routing variant {variant}.", field="routing_variant")
        routed = {step["operation_no"] for step in steps}
        for number, operation in after.items():
            if number not in routed and not operation["is_given"] and not _is_reported(operation):
                operation["status"] = OperationStatus.CANCELLED
        for step in steps:
            number = step["operation_no"]
            if number not in after:
                after[number] = step.copy()
            elif not (operation := after[number])["is_given"] and not _is_reported(operation):
                if not operation["is_committed"]:
                    operation.update({name: step[name] for name in ROUTED})
                operation["status"] = OperationStatus.OPEN

    def apply(self, given: PlannedOperation, order: PlannedOrder, after: dict[str, Values]) -> None:
        """What the plan states of one operation; totals and status only ever go up."""
        operation = after.get(given.number)
        if operation is None:
            last = max((known["sequence"] for known in after.values()), default=0)
            operation = after[given.number] = {**FRESH, "operation_no": given.number, "name": ""}
            operation["sequence"] = sequence_of(given.number) or last + 10
        operation["is_given"] = True
        said = {
            "sequence": given.sequence,
            "name": given.name,
            "process_id": given.process_id,
            "work_center_id": given.work_center_id,
            "setup_minutes": given.setup_minutes,
            "run_minutes": given.run_minutes,
            "outsourced": given.outsourced,
            "next_nos": list(given.next_nos) if given.next_nos is not None else None,
            "source": given.source,
            "external_refs": given.external_refs,
        }
        operation.update({name: value for name, value in said.items() if value is not None})
        decimals = self.decimals[order.item_id]
        for name, value in (("good", given.good), ("scrap", given.scrap)):
            if value is not None and value < 0:
                raise InvalidQuantity(f"{value} is below zero.", field=name)
            if value is not None:
                self.check_precision(value, decimals, name)
        if given.good is not None and given.good > max(order.quantity, operation["good"]):
            raise InvalidQuantity(
                f"{given.good.normalize():f} good of {order.quantity.normalize():f} to make are too many.", field="good"
            )
        operation["good"] = max(operation["good"], given.good or 0)
        operation["scrap"] = max(operation["scrap"], given.scrap or 0)
        if given.status is not None:
            if given.status not in OPERATION_RANK:
                raise InvalidInput(f"There is no status {given.status}.", field="status")
            if OPERATION_RANK[given.status] > OPERATION_RANK[operation["status"]]:
                operation["status"] = given.status
        elif operation["status"] in UNFINISHED and given.good is not None and operation["good"] >= order.quantity:
            operation["status"] = OperationStatus.FINISHED
        elif operation["status"] == OperationStatus.OPEN and (operation["good"] or operation["scrap"]):
            operation["status"] = OperationStatus.IN_PROGRESS
        if given.start and given.end and given.end < given.start:
            raise InvalidDate(f"Ends on {given.end}, before it starts on {given.start}.", field="end")
        if given.start or given.end:
            operation["planned_start"] = given.start or given.end
            operation["planned_end"] = given.end or given.start
            operation["dates_given"] = True

    def check_order(
        self, given: Sequence[PlannedOperation], after: Mapping[str, Values]
    ) -> Mapping[str, tuple[str, ...]]:
        """What follows an operation is there, and none comes after one that follows it, by what follows what or by the dates
        the plan gives, now or on an earlier night.

        Returns who follows whom.
        """
        if not given:
            return {}
        for number in (one.number for one in given):
            for later in after[number]["next_nos"]:
                if later not in after:
                    raise NotFound(
                        f"Operation {number} is followed by {later}, which the order does not have.",
                        field="next_operation_no",
                    )
        steps = [
            Step(number, one["sequence"], Fraction(0), self.open_days, tuple(one["next_nos"]))
            for number, one in after.items()
            if one["status"] != OperationStatus.CANCELLED
        ]
        following = successors(steps)
        if in_order(following) is None:
            raise RoutingCircle("The operations follow one another in a circle.", field="next_operation_no")
        if turned := backward(following, {number: one["sequence"] for number, one in after.items()}):
            number, later = turned[0]
            raise InvalidInput(
                f"Operation {number} is followed by {later}, which comes before it by its sequence.",
                field="next_operation_no",
            )
        moved = {one.number for one in given if one.start or one.end}
        dated = {number for number, one in after.items() if one["dates_given"]} if moved else set()
        for number in sorted(dated & following.keys()):
            for later in dated.intersection(following[number]):
                begins, ends = after[number]["planned_start"], after[later]["planned_end"]
                if begins > ends and moved & {number, later}:
                    raise InvalidDate(
                        f"Operation {number} starts on {begins}, after {later}, which follows it, ends on {ends}.",
                        field="start",
                    )
        return following

    def imply(
        self,
        following: Mapping[str, tuple[str, ...]],
        after: Mapping[str, Values],
        together: Sequence[CameTogether],
    ) -> None:
        """What a later operation has worked on, those before it have finished, whether the plan says so or not."""
        ordered = in_order(following) or []
        made = {number: _made(after[number]) for number in ordered}
        for number, good in progress.implied(following, ordered, made, together).items():
            operation = after[number]
            operation["good"] = good
            if operation["status"] != OperationStatus.FINISHED:
                full = good + operation["scrap"] >= operation["quantity"]
                operation["status"] = OperationStatus.FINISHED if full else OperationStatus.IN_PROGRESS

    def find_pieces(
        self,
        order: PlannedOrder,
        row: Values,
        old: Values | None,
        following: Mapping[str, tuple[str, ...]],
        before: Mapping[str, Values],
        after: Mapping[str, Values],
    ) -> None:
        """How many pieces more stand between operations than before the plan told of this progress."""
        flow = piece_flow(following)
        ordered = in_order(flow) or []
        now = progress.waiting(flow, ordered, {number: _made(after[number]) for number in ordered})
        fresh = progress.Made(row["quantity"])
        then = progress.waiting(
            flow, ordered, {number: _made(before[number]) if number in before else fresh for number in ordered}
        )
        done: dict[str, set[str]] = {}
        for number in ordered:
            done.setdefault(number, set()).add(number)
            for later in flow[number]:
                done.setdefault(later, set()).update(done[number])
        first_number = row.get("first_number") or (old["first_number"] if old else "")
        for number, count in now.items():
            if more := count - then[number]:
                self.pieces.append(
                    Pieces(
                        stage=f"{first_number or order.number}/{number}",
                        item_id=order.item_id,
                        site_id=row["site_id"],
                        location_id=row.get("location_id", old["location_id"] if old else None),
                        more=more,
                        steps=tuple(sorted(ordered, key=lambda number: (after[number]["sequence"], number))),
                        done=frozenset(done[number]),
                    )
                )

    def settle(self, operation: Values, row: Values, before: Values | None) -> None:
        """Quantity and status as the order's own quantity and status ask for."""
        operation["quantity"] = row["quantity"]
        if operation["status"] not in CLOSED_OPERATION:
            if row["status"] == OrderStatus.DONE:
                operation["status"] = OperationStatus.FINISHED
            elif row["status"] == OrderStatus.CANCELLED:
                operation["status"] = OperationStatus.CANCELLED
        elif (
            # More is wanted than was when it was finished: there is work again.
            before is not None
            and before["status"] == operation["status"] == OperationStatus.FINISHED
            and operation["quantity"] > max(before["quantity"], operation["good"])
            and row["status"] in OPEN_STATUSES
        ):
            operation["status"] = OperationStatus.IN_PROGRESS

    def place(self, order: PlannedOrder, row: Values, operations: Mapping[str, Values]) -> None:
        """Schedule what is not cancelled; finished operations need no time."""
        steps = [
            Step(
                number=number,
                sequence=operation["sequence"],
                days=self.days(operation),
                calendar=self.calendars.get(operation["work_center_id"], self.open_days),
                next_nos=tuple(operation["next_nos"]),
                fixed=(operation["planned_start"], operation["planned_end"]) if operation["dates_given"] else None,
            )
            for number, operation in operations.items()
            if operation["status"] != OperationStatus.CANCELLED
        ]
        today = self.today.get(row.get("site_id", self.site_id)) if row["status"] in OPEN_STATUSES else None
        for number, placed in schedule(steps=steps, due=order.due_date, today=today).items():
            operations[number]["planned_start"], operations[number]["planned_end"] = placed.start, placed.end

    def days(self, operation: Values) -> Fraction:
        if operation["status"] == OperationStatus.FINISHED:
            return Fraction(0)
        left = max(operation["quantity"] - operation["good"] - operation["scrap"], Decimal(0))
        return working_days(
            quantity=left,
            setup_minutes=None if operation["good"] or operation["scrap"] else operation["setup_minutes"],
            run_minutes=operation["run_minutes"],
            hours_a_day=self.centers.get(operation["work_center_id"]),
        )

    def write_operations(self, touched: Iterable[tuple[int, Sequence[Values]]]) -> None:
        rows = [
            {**operation, "production_order_id": order_id}
            for order_id, operations in touched
            for operation in operations
        ]
        new = [row for row in rows if "id" not in row]
        copy_rows(model=Operation, rows=new)
        changed = [Operation(**row) for row in rows if "id" in row]
        self.done.operations.created, self.done.operations.changed = len(new), len(changed)
        self.done.operations.unchanged -= len(changed)
        if changed:
            names = [column.attname for column in Operation._meta.concrete_fields if not column.generated]
            names.remove("id")
            Operation.objects.bulk_create(
                changed, batch_size=2000, update_conflicts=True, unique_fields=["id"], update_fields=names
            )


ROUTED = (
    "sequence",
    "name",
    "process_id",
    "work_center_id",
    "setup_minutes",
    "run_minutes",
    "outsourced",
    "next_nos",
)  # what an operation takes over from its routing step
FRESH: Values = {
    "process_id": None,
    "work_center_id": None,
    "setup_minutes": None,
    "run_minutes": None,
    "outsourced": "no",
    "next_nos": [],
    "good": Decimal(0),
    "scrap": Decimal(0),
    "status": OperationStatus.OPEN,
    "dates_given": False,
    "is_given": False,
    "is_committed": False,
}


def _is_reported(operation: Values) -> bool:
    return bool(operation["good"] or operation["scrap"] or operation["status"] in _STARTED)


def _made(operation: Values) -> progress.Made:
    is_finished = operation["status"] == OperationStatus.FINISHED
    return progress.Made(operation["quantity"], operation["good"], operation["scrap"], is_finished)


_STARTED = (OperationStatus.IN_PROGRESS, OperationStatus.FINISHED)


def _calendars(*, on: date) -> dict[int | None, Calendar]:
    """Closed days by work center that has some of its own (with everybody's), and everybody's under None."""
    closed = all_closed_days(on=on)
    found: dict[int | None, Calendar] = {None: Calendar(closed.ours)}
    for work_center, days in closed.work_centers.items():
        found[work_center] = Calendar(days | closed.ours)
    return found
