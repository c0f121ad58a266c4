"""What lies at vendors is given to the open lines it was sent for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from inventory.models import Balance, Movement
from inventory.services import CountedStock, NotEnoughStock, load_stock
from masterdata.models import Location
from production.models import NOT_THERE
from receipts.services.notes import LotRequired
from receipts.services.opening.lines import KIND, ZERO, BadOpenLine, Ready, refuse
from receipts.services.opening.reading import Ground
from subcontract_orders.services import flows as material


def give_material(ground: Ground, ready: Sequence[Ready]) -> None:
    """Give every line what lies at its vendor for it. Raises OpenOrdersRefused where less lies there than was sent."""
    bad: list[BadOpenLine] = []
    wanted: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for one in ready:
        for part in one.parts:
            if part.lying:
                wanted[one.line.ship_to_id, part.component.item_id] += part.lying
    load_what_is_not_there(ground, wanted, ready)
    free: dict[int, dict[material.Lying, Decimal]] = {}
    for place_id in {one.line.ship_to_id for one in ready}:
        items = {part.component.item_id for one in ready if one.line.ship_to_id == place_id for part in one.parts}
        free[place_id] = material.free_stock(location_id=place_id, item_ids=items)
    # Lines that say what was sent take theirs first; the others share what is left, first need first.
    for one in sorted(ready, key=lambda one: (one.said.sent is None, one.line.need_date, one.index)):
        there = free[one.line.ship_to_id]
        for part in one.parts:
            most = part.component.required - part.used if part.lying is None else part.lying
            if part.component.supply in NOT_THERE:
                continue
            rest = most
            for key in [key for key in there if key[0] == part.component.item_id and not key[2]]:
                taken = min(there[key], rest)
                if taken > 0:
                    there[key] -= taken
                    rest -= taken
                    part.lots.append((key[1] or None, taken))
            if rest and part.lying is not None:
                item, place = ground.items[part.component.item_id], Location.objects.get(pk=one.line.ship_to_id)
                short = NotEnoughStock(
                    f"{most.normalize():f} of {item} should lie at {place} for {one.said.order}: "
                    f"{(most - rest).normalize():f} do. Load the vendor's stock, or put right what was sent.",
                    field="sent",
                )
                bad.append(BadOpenLine(short, index=one.index))
    refuse(bad)


def load_what_is_not_there(ground: Ground, wanted: Mapping[tuple[int, int], Decimal], ready: Sequence[Ready]) -> None:
    """Where the vendor's stock of a part was never loaded, what was sent and not used says what lies there."""
    places, items = {place for place, _ in wanted}, {item for _, item in wanted}
    # Brought by anything but an earlier open order: then the place's stock is known here.
    moved = Movement.objects.filter(to_location__in=places, item__in=items, stage="")
    known = set(moved.exclude(document_kind="stock_load", document_number=KIND).values_list("to_location", "item"))
    missing = {key: quantity for key, quantity in wanted.items() if key not in known}
    bad: list[BadOpenLine] = []
    for (place, item_id), _ in missing.items():
        item = ground.items[item_id]
        if item.lot_tracked or item.serial_tracked:
            first = next(
                one
                for one in ready
                if one.line.ship_to_id == place and any(part.component.item_id == item_id for part in one.parts)
            )
            text = f"{item} is tracked: load the vendor's stock of it with its lots."
            bad.append(BadOpenLine(LotRequired(text, field="sent"), index=first.index))
    refuse(bad)
    there = Balance.objects.filter(location__in=places, item__in=items, stage="").values_list(
        "location", "item", "quantity"
    )
    lies = {(place, item): quantity for place, item, quantity in there}
    load_stock(
        counts=[
            CountedStock(item, place, lies.get((place, item), ZERO) + quantity)
            for (place, item), quantity in sorted(missing.items())
        ],
        at=ground.at, by=None, number=KIND,
    )  # fmt: skip
