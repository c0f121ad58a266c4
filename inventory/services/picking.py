"""Picking: which lots at a place are taken, first expired first, then first in, or the one that is named.

A lot that has expired is not taken by itself, only where somebody names it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q

from core.refusals import NotFound
from inventory.models import Balance, CostPool, Lot
from inventory.rules import has_expired
from inventory.services.ledger import NotEnoughStock
from masterdata.models import Item, Location

ZERO = Decimal(0)
Part = tuple[int, str]  # item, stage


@dataclass(slots=True)
class Lying:
    """What of one lot (None: not tracked) may still be taken."""

    lot_id: int | None
    code: str
    quantity: Decimal
    is_expired: bool = False

    def is_meant(self, lot: str) -> bool:
        """By the name of a lot, or by none."""
        return self.code == lot if lot else not self.is_expired


class Shelf:
    """What lies at one place of some parts and is free to be taken; what is picked leaves it."""

    def __init__(self, *, location: Location, lying: Mapping[Part, list[Lying]]) -> None:
        self.location = location
        self._lying = lying

    @classmethod
    def locked(
        cls,
        *,
        location: Location,
        parts: Collection[Part],
        claimed: Mapping[tuple[int, int, str], Decimal],
        on: date,
    ) -> Shelf:
        """What lies there now, locked until the transaction ends: nobody else picks the same. `on`: the day it is taken.

        `claimed` is picked for others already, by item, lot (0: none) and stage. Cost pools are locked, as every posting
        locks them before it touches a balance.
        """
        items, stages = {item for item, _ in parts}, {stage for _, stage in parts}
        there = Balance.objects.filter(location=location, item__in=items, stage__in=stages, quantity__gt=0)
        lots = set(there.exclude(lot=None).values_list("lot", flat=True))
        pools = CostPool.objects.filter(
            Q(lot__in=lots) | Q(lot=None), item__in=items, stage__in=stages, site=location.site_id
        )
        list(pools.select_for_update().order_by("pk").values_list("pk"))
        lying: dict[Part, list[Lying]] = defaultdict(list)
        rows = there.order_by(F("lot__expires_on").asc(nulls_last=True), "since", "pk")
        for item_id, lot_id, code, expires, stage, quantity in rows.values_list(
            "item", "lot", "lot__code", "lot__expires_on", "stage", "quantity"
        ):
            free = quantity - claimed.get((item_id, lot_id or 0, stage), ZERO)
            if free > 0:
                lying[item_id, stage].append(Lying(lot_id, code or "", free, has_expired(expires, on=on)))
        return cls(location=location, lying=lying)

    def free(self, part: Part, *, lot: str = "") -> Decimal:
        """How much may be taken, of a lot where one is named."""
        return sum((one.quantity for one in self._lying.get(part, []) if one.is_meant(lot)), ZERO)

    def take(
        self, part: Part, quantity: Decimal, *, item: Item, lot: str = "", field: str | None = None
    ) -> list[tuple[int | None, Decimal]]:
        """Lots and their quantities. Raises NotEnoughStock with what lies there; NotFound for a lot the item does not have."""
        free = self.free(part, lot=lot)
        if lot and not free and not Lot.objects.filter(item=item, code=lot).exists():
            known = ", ".join(one.code for one in self._lying.get(part, []) if one.code)
            raise NotFound(
                f"No lot {lot} of {item} lies at {self.location}{f' (there are {known})' if known else ''}.",
                field=field,
            )
        if free < quantity:
            of_lot = f" of lot {lot}" if lot else ""
            said = (
                f"Only {free.normalize():f} of {item}{of_lot} lie free at {self.location}; {quantity.normalize():f} are to be "
                "taken."
            )
            expired = [one for one in self._lying.get(part, []) if one.is_expired and not lot]
            if expired:
                more = sum((one.quantity for one in expired), ZERO)
                known = ", ".join(one.code for one in expired)
                said += f" {more.normalize():f} more have expired ({known}): name the lot to send it all the same."
            raise NotEnoughStock(said, field=field)
        taken: list[tuple[int | None, Decimal]] = []
        for one in self._lying.get(part, []):
            if one.is_meant(lot) and quantity > 0:
                part_of_it = min(one.quantity, quantity)
                if part_of_it > 0:
                    one.quantity -= part_of_it
                    quantity -= part_of_it
                    taken.append((one.lot_id, part_of_it))
        return taken
