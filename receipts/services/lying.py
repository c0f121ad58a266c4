"""What of ours lies at a vendor and for whom: what each line still needs of it, and what could come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, Sum

from core.refusals import Refusal
from inventory.models import Balance
from inventory.rules import REWORK
from production.models import NOT_THERE, Supply
from shipments.models import ShipmentLine, ShipmentStatus
from shipments.services.outbound import on_the_way
from subcontract_orders.models import LineStatus, OrderComponent, OrderLine, OrderStatus, SubcontractOrder
from subcontract_orders.services import flows

ZERO = Decimal(0)
OVER = (OrderStatus.CLOSED, OrderStatus.CANCELLED)

Key = tuple[int, int, int, str]  # location, item, lot (0: none), stage
Part = tuple[int, int, str]  # location, item, stage


class NothingToReturn(Refusal):
    """Nothing lies there that is not needed."""

    code = "nothing_to_do"


class NotFree(Refusal):
    """More is asked for than lies there, or than could be spared."""

    code = "not_enough_stock"


@dataclass(frozen=True, slots=True)
class Parcel:
    """So much at a vendor's place: a component's own material, or (without one) free stock."""

    location_id: int
    item_id: int
    lot_id: int  # 0: none
    stage: str
    quantity: Decimal
    component: OrderComponent | None


@dataclass(slots=True)
class Lying:
    """A vendor's places as they are: balances by age, what each component has there by lot, and who needs what."""

    balances: dict[Key, Decimal] = field(default_factory=dict)
    ages: dict[Key, tuple[str, str, int]] = field(default_factory=dict)
    components: dict[int, OrderComponent] = field(default_factory=dict)
    own: dict[int, dict[int, Decimal]] = field(default_factory=dict)
    moving: dict[int, Decimal] = field(default_factory=dict)
    shortfall: dict[Part, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @classmethod
    def at(cls, location_ids: Collection[int], *, item_ids: Collection[int] | None = None) -> Lying:
        """Read the places (of these items only, where given)."""
        found = cls()
        items = Q() if item_ids is None else Q(item__in=item_ids)
        rows = Balance.objects.filter(items, location__in=location_ids, quantity__gt=0)
        for pk, place, item, lot, stage, quantity, expires, since in rows.values_list(
            "pk", "location", "item", "lot", "stage", "quantity", "lot__expires_on", "since"
        ):
            key = (place, item, lot or 0, stage)
            found.balances[key] = quantity
            found.ages[key] = (str(expires or "9999"), since.isoformat(), pk)
        is_open = Q(line__status=LineStatus.OPEN) & ~Q(line__order__status__in=OVER)
        wanting = OrderComponent.objects.filter(items, is_open).exclude(supply__in=NOT_THERE)
        known = wanting | OrderComponent.objects.lying_at_vendor().filter(items)
        # Two questions that each go by an index; joined by OR they would read every component there ever was.
        goes_there = known.filter(line__ship_to__in=location_ids).values("pk")
        leaves_here = known.filter(~Q(stage=""), ship_from__in=location_ids).values("pk")
        rows_here = list(
            OrderComponent.objects.filter(pk__in=goes_there.union(leaves_here))
            .select_related("line__order__site", "item")
            .order_by("-pk")
        )
        planned = _planned([row.pk for row in rows_here])
        found.own = {pk: dict(lots) for pk, lots in flows.own_lots([row.pk for row in rows_here]).items()}
        for pk, lots in on_the_way([row.pk for row in rows_here]).items():
            for lot, quantity in lots.items():
                found.own[pk][lot] -= quantity
                found.moving[pk] = found.moving.get(pk, ZERO) + quantity
        for row in rows_here:
            found._take_in(row, planned.get(row.pk, ZERO), location_ids)
        return found

    def _take_in(self, row: OrderComponent, planned: Decimal, location_ids: Collection[int]) -> None:
        place = row.line.ship_to_id
        if place not in location_ids:
            # Pieces that wait here until they go on to the next vendor.
            open_to_ship = max(still_needed(row) - row.at_vendor, ZERO)
            self.shortfall[(row.ship_from_id or 0, row.item_id, row.stage)] += open_to_ship
            return
        part = (place, row.item_id, row.stage)
        if row.line.order.sent_at is None:
            # A draft has nothing of its own yet, but may have been promised what lies here.
            if row.line.status != LineStatus.OPEN or row.line.order.status in OVER:
                return
            # Nor is anything shipped to it of what is planned to lie here: consigned parts, pieces of the step before.
            is_here = row.supply == Supply.CONSIGNED or (row.stage and row.ship_from_id == place)
            self.shortfall[part] += max(row.carried_in, row.required if is_here else ZERO)
            return
        self.components[row.pk] = row
        known = sum(self.own.get(row.pk, {}).values(), ZERO) + self.moving.get(row.pk, ZERO)
        promised = row.at_vendor - known
        self.shortfall[part] += max(still_needed(row) - row.at_vendor - planned, ZERO) + max(promised, ZERO)

    def surplus(self) -> list[Parcel]:
        """What components have there and do not need, then free stock no open line counts on; what would be used last first."""
        left = dict(self.balances)
        parcels: list[Parcel] = []
        for row in self.components.values():
            spare = row.at_vendor - still_needed(row)
            for key in self._latest_first(
                (row.line.ship_to_id, row.item_id, lot, row.stage) for lot in self.own.get(row.pk, {})
            ):
                taken = min(self.own[row.pk][key[2]], left.get(key, ZERO), spare)
                if taken > 0:
                    parcels.append(Parcel(*key, taken, row))
                    left[key] -= taken
                    spare -= taken
        return parcels + self._free()

    def _free(self) -> list[Parcel]:
        free = self.free()
        spare: dict[Part, Decimal] = defaultdict(Decimal)
        for (place, item, _, stage), quantity in free.items():
            spare[(place, item, stage)] += quantity
        for part in spare:
            spare[part] -= self.shortfall.get(part, ZERO)
        parcels = []
        for key in self._latest_first(free):
            part = (key[0], key[1], key[3])
            taken = min(free[key], spare[part])
            if taken > 0 and not key[3].startswith(REWORK):
                parcels.append(Parcel(*key, taken, None))
                spare[part] -= taken
        return parcels

    def free(self) -> dict[Key, Decimal]:
        """What is given to no line."""
        free = dict(self.balances)
        for pk, lots in self.own.items():
            row = self.components.get(pk)
            for lot, quantity in lots.items() if row else ():
                key = (row.line.ship_to_id, row.item_id, lot, row.stage)  # type: ignore[union-attr]
                free[key] = free.get(key, ZERO) - quantity
        return {key: quantity for key, quantity in free.items() if quantity > 0}

    def _latest_first(self, keys: Iterable[Key]) -> list[Key]:
        return sorted(keys, key=lambda key: self.ages.get(key, ("", "", 0)), reverse=True)


def held_beyond(location_ids: Collection[int], *, item_ids: Collection[int]) -> dict[Key, tuple[Decimal, list[str]]]:
    """Where orders have more at vendors' places than lies there: how much they have, and the orders' numbers."""
    here = Lying.at(location_ids, item_ids=item_ids)
    held: dict[Key, Decimal] = defaultdict(Decimal)
    orders: dict[Key, set[str]] = defaultdict(set)
    for row in here.components.values():
        for lot, quantity in here.own.get(row.pk, {}).items():
            if quantity > 0:
                key = (row.line.ship_to_id, row.item_id, lot, row.stage)
                held[key] += quantity
                orders[key].add(row.line.order.number)
    return {
        key: (quantity, sorted(orders[key]))
        for key, quantity in held.items()
        if quantity > here.balances.get(key, ZERO)
    }


def on_its_way_to(location_id: int) -> dict[int, dict[int, Decimal]]:
    """What of components (by key, by lot; 0: none) was dispatched to a place and has not arrived there."""
    away: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lines = ShipmentLine.objects.filter(
        shipment__status=ShipmentStatus.DISPATCHED, shipment__to_location=location_id
    ).values_list("component", "lot", "quantity")
    for component_id, lot_id, quantity in lines:
        away[component_id][lot_id or 0] += quantity
    return away


def still_needed(component: OrderComponent) -> Decimal:
    """What a line still needs of a component, at the vendor or on its way; nothing once the line expects no more."""
    line: OrderLine = component.line
    if line.status != LineStatus.OPEN or line.order.status in OVER:
        return ZERO
    return max(component.required - component.consumed, ZERO)


def lock_orders_at(location_ids: Collection[int], *, item_ids: Collection[int] | None = None) -> list[int]:
    """Lock, by key, the orders that have material at these places, then the places. Returns the orders' keys."""
    items = Q() if item_ids is None else Q(item__in=item_ids)
    there = OrderComponent.objects.lying_at_vendor().filter(items, line__ship_to__in=location_ids)
    orders = SubcontractOrder.objects.filter(pk__in=there.values("line__order")).order_by("pk")
    locked = list(orders.select_for_update(of=("self",)).values_list("pk", flat=True))
    flows.lock_places(location_ids)
    return locked


def _planned(component_ids: Collection[int]) -> dict[int, Decimal]:
    """What is still to be shipped for components by shipments that have not left."""
    rows = ShipmentLine.objects.filter(
        component__in=component_ids,
        shipment__status__in=[ShipmentStatus.PLANNED, ShipmentStatus.PICKED, ShipmentStatus.HELD],
    )
    return dict(rows.values_list("component_id").annotate(total=Sum("quantity")))
