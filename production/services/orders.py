"""Production orders and their operations, in bulk: the plan that comes again every night."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, NotFound, Refusal
from masterdata.services import NAMED, check_day, copy_rows, note_plan_change, upsert_by_key
from production.models import BEGUN, Operation, OrderStatus, ProductionOrder
from production.rules.progress import CameTogether
from production.services.known import Known
from production.services.parents import parent_circles
from production.services.pieces import place_pieces
from production.services.planned import (
    CLOSED_OPERATION,
    ORDER_RANK,
    BadOrder,
    ForeignNumber,
    OrdersRefused,
    PlannedOperation,
    PlannedOrder,
    UpsertedOrders,
    Values,
    check_precision,
    check_scope,
)
from production.services.renumbering import Renumbering
from production.services.steps import Steps, is_reported

NOT_TOGETHER: Mapping[str, Sequence[CameTogether]] = MappingProxyType({})


@transaction.atomic
def upsert_production_orders(
    *, orders: Sequence[PlannedOrder], at: datetime, by: User | None, more_follow: bool = False
) -> UpsertedOrders:
    """Make or change production orders by number, with their operations, and schedule them. All or none.

    A new order copies the routing (the variant it names) of its item; later the operations of a planned or firm order
    follow the routing, but those with reports, sent to a vendor or given by the plan stay. An order whose item changes after
    a vendor was asked for the former one keeps that until a person has settled it (`turn_to_wanted_items`). No status and no
    reported quantity moves backwards. Dates the plan does not give are scheduled. The order one is made for is among these or
    known already, and none is made for itself by a way round; `more_follow`: it may come with a later part of the plan, and the
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
    came: bool = False,
) -> UpsertedOrders:
    """State operations (progress, dates, further ones) of orders that are there, by order number. Raises OrdersRefused.

    `together`: what vendors brought back of several operations at once, as those who know the vendors' orders say.
    `came`: the progress stated is what came from vendors.
    """
    rows = ProductionOrder.objects.filter(number__in=operations)
    stated = [_as_planned(order, operations=operations[order.number]) for order in rows.order_by("pk")]
    return _Plan(stated, at, by, together=together, came=came).write()


@transaction.atomic
def turn_to_wanted_items(*, production_order_ids: Collection[int], at: datetime) -> None:
    """Let orders be of the item their plan wants now: no vendor is at work on the former one any more.

    Their operations are the wanted item's. Orders of which work was reported stay as they are.
    """
    waiting = ProductionOrder.objects.open().filter(pk__in=production_order_ids, wanted_item__isnull=False)
    begun = Operation.objects.filter(production_order=OuterRef("pk")).filter(BEGUN)
    orders = list(waiting.exclude(Exists(begun)).select_for_update().order_by("pk"))
    Operation.objects.filter(production_order__in=orders, is_committed=True).update(is_committed=False)
    upsert_production_orders(orders=list(map(_as_planned, orders)), at=at, by=None)


def _as_planned(order: ProductionOrder, operations: Sequence[PlannedOperation] = ()) -> PlannedOrder:
    """An order as its plan stated it last."""
    return PlannedOrder(
        number=order.number,
        item_id=order.wanted_item_id or order.item_id,
        quantity=order.quantity,
        due_date=order.due_date,
        start_date=order.start_date,
        operations=operations,
    )


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
        came: bool = False,
    ) -> None:
        self.orders, self.at, self.by, self.more_follow = orders, at, by, more_follow
        self.together, self.came = together, came
        self.bad: list[BadOrder] = []
        self.done = UpsertedOrders()

    def write(self) -> UpsertedOrders:
        if not self.orders:
            return self.done
        renumbering = Renumbering(self.orders, at=self.at, by=self.by)
        renumbering.renumber()
        self.bad += renumbering.bad
        self.renumbered, self.done.replaced = renumbering.numbers, renumbering.replaced
        self.done.renumbered = len(self.renumbered)
        self.known = Known(self.orders, at=self.at)
        steps = Steps(self.known, together=self.together, came=self.came)
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
                old = self.known.orders.get(order.number)
                row = self._order_row(order, old)
                operations = steps.of(order, row, old)
            except Refusal as refusal:
                self.bad.append(BadOrder(refusal, index=index))
                continue
            differs = old is None or any(old[name] != value for name, value in row.items())
            differs |= order.number in self.renumbered
            if operations or differs:
                if old is not None and len(self.done.changes) < NAMED:
                    self.done.changes.append({name: (old[name], now) for name, now in row.items() if old[name] != now})
                row |= {"changed_at": self.at, "version": old["version"] + 1 if old else 1}
                rows.append(row)
                touched.append((order.number, operations))
                self.done.created, self.done.changed = self.done.created + (not old), self.done.changed + bool(old)
                (self.done.differing if old else self.done.new).append(order.number)
            else:
                self.done.ids[order.number] = old["id"] if old else 0
                self.done.unchanged += 1
        self.done.operations.unchanged = sum(map(len, self.known.operations.values()))
        if self.bad:
            raise OrdersRefused(self.bad)
        if rows:
            known = {(number,): row for number, row in self.known.orders.items()}
            ids = upsert_by_key(model=ProductionOrder, key=("number",), rows=rows, known=known).ids
            self.done.ids |= {number: pk for (number,), pk in ids.items()}
            if not self.more_follow:
                self._refuse_circles()
            self._write_operations([(self.done.ids[number], operations) for number, operations in touched])
            renumbering.carry_words()
            place_pieces(steps.pieces, number=f"{self.at:%Y-%m-%d}", at=self.at, by=self.by)
            note_plan_change(at=self.at, reason=f"{self.done.created} orders new, {self.done.changed} changed")
        return self.done

    def _refuse_circles(self) -> None:
        places = {order.number: index for index, order in enumerate(self.orders) if order.parent_number}
        circles = parent_circles(places)
        if circles:
            raise OrdersRefused([BadOrder(circle, index=places[circle.number]) for circle in circles])

    def _order_row(self, order: PlannedOrder, old: Values | None) -> Values:
        """The columns an order is to have; status never backwards."""
        if order.quantity <= 0:
            raise InvalidQuantity(f"{order.quantity} is not above zero.", field="quantity")
        if order.item_id not in self.known.decimals:
            raise NotFound("There is no such item.", field="item")
        check_precision(order.quantity, self.known.decimals[order.item_id])
        if order.start_date and order.start_date > order.due_date:
            raise InvalidDate(f"Starts on {order.start_date}, after it is due on {order.due_date}.", field="start")
        if order.status is not None and order.status not in ORDER_RANK:
            raise InvalidInput(f"There is no status {order.status}.", field="status")
        row: Values = {
            "number": order.number,
            **self._items(order, old),
            "quantity": order.quantity,
            "due_date": order.due_date,
            "start_date": order.start_date,
        }
        said = {
            "site_id": order.site_id,
            "location_id": order.location_id,
            "routing_variant": order.routing_variant,
            "parent_number": self.known.parents.number(
                order.parent_number, of=order.number, may_follow=self.more_follow
            ),
            "replaces": order.replaces or None,
            "external_refs": order.external_refs,
            "source": order.source or None,
        }
        row |= {name: value for name, value in said.items() if value is not None}
        row.setdefault("site_id", old["site_id"] if old else self.known.site_id)
        check_scope(self.by, {row["site_id"], old["site_id"] if old else row["site_id"]})
        self._check_days(order, row, old)
        if old is None:
            if order.number in self.known.taken:
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

    def _items(self, order: PlannedOrder, old: Values | None) -> Values:
        """What the order is of. Vendors who were asked for another item go on with it until a person has said otherwise."""
        if old is not None and old["item_id"] != order.item_id:
            operations = self.known.operations.get(old["id"], {}).values()
            if any(one["is_committed"] for one in operations) and not any(map(is_reported, operations)):
                return {"item_id": old["item_id"], "wanted_item_id": order.item_id}
        return {"item_id": order.item_id, "wanted_item_id": None}

    def _check_days(self, order: PlannedOrder, row: Values, old: Values | None) -> None:
        """What is over may lie long ago; what is still to be done lies in a window around today."""
        if (order.status or (old and old["status"])) in (OrderStatus.DONE, OrderStatus.CANCELLED):
            return
        today = self.known.today[row["site_id"]]
        for day, column, name in ((order.due_date, "due", "due_date"), (order.start_date, "start", "start_date")):
            if day and not (old and old[name] == day):
                check_day(day, today=today, field=column)
        for given in order.operations:
            if given.status in CLOSED_OPERATION:
                continue
            for day, column in ((given.start, "start"), (given.end, "end")):
                if day:
                    check_day(day, today=today, field=column)

    def _write_operations(self, touched: Iterable[tuple[int, Sequence[Values]]]) -> None:
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
