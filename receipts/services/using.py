"""What of our material a vendor used for the pieces he brings: the line's own first, then free stock, first in first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from core.refusals import InvalidInput, InvalidQuantity, NotFound
from inventory.models import Balance
from masterdata import services as masterdata
from masterdata.models import Item
from policies.models import Consumption as ConsumptionMode
from policies.models import Shortage
from production.models import QuantityBasis, Supply
from receipts import rules
from receipts.services.lying import on_its_way_to
from receipts.services.notes import CountedLine, VendorShort
from subcontract_orders.models import (
    OrderComponent,
    OrderLine,
    SubcontractOrder,
)
from subcontract_orders.rules import same_pieces
from subcontract_orders.services import flows as material

ZERO = Decimal(0)


@dataclass(slots=True)
class Used:
    """What one counted line takes from the vendor's place."""

    moves: list[tuple[OrderComponent, int, Decimal]] = field(default_factory=list)  # component, lot (0: none), quantity
    carried_in: list[tuple[OrderComponent, int, Decimal]] = field(default_factory=list)
    missing: list[tuple[OrderComponent, Decimal]] = field(default_factory=list)
    gives: list[OrderComponent] = field(
        default_factory=list
    )  # rows of by-products: what the work gives beside the pieces


def use_material(
    counted: CountedLine,
    line: OrderLine,
    order: SubcontractOrder,
    *,
    made_before: Decimal,
    made_now: Decimal,
    at: datetime,
) -> Used:
    """What of each component is used, from the line's own material first, then from free stock, first in first.

    Where its own suffices, and all of one lot, nobody else at the vendor's place is asked, or kept waiting.
    """
    used = Used()
    rows = (
        OrderComponent.objects.filter(line=line)
        .exclude(supply__in=[Supply.VENDOR, Supply.RETURNABLE])
        .select_related("item__unit")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    components = [row for row in rows if row.supply != Supply.BY_PRODUCT]
    used.gives = [row for row in rows if row.supply == Supply.BY_PRODUCT]
    if not components or not made_now:
        return used
    needs = _needs(components, counted, line, made_before=made_before, made_now=made_now)
    keys, items = [component.pk for component in components], {component.item_id for component in components}
    if any(component.carried_in for component in components):
        material.lock_places([line.ship_to_id])
        material.give_promised(keys, at=at)
    own = material.own_lots(keys)
    away = on_its_way_to(line.ship_to_id)
    free: dict[material.Lying, Decimal] = {}
    ages: dict[tuple[int, int], tuple[int, str, int]] = {}
    if any(_held(own, component, away) < needs[component.pk] for component in components):
        material.lock_places([line.ship_to_id])
        free = material.free_stock(location_id=line.ship_to_id, item_ids=items, away=away)
    if free or any(len(lots) > 1 for lots in own.values()):
        ages = _ages(line.ship_to_id, items)
    for component in components:
        need = needs[component.pk]
        moving = away.get(component.pk, {})
        held = {
            lot_id: quantity - moving.get(lot_id, ZERO)
            for lot_id, quantity in own.get(component.pk, {}).items()
            if quantity > moving.get(lot_id, ZERO)
        }
        for lot_id in sorted(held, key=lambda lot_id: ages.get((component.item_id, lot_id), (1, "", lot_id))):
            taken = min(held[lot_id], need)
            if taken > 0:
                used.moves.append((component, lot_id, taken))
                need -= taken
        spare = [key for key in free if key[0] == component.item_id and key[2] == component.stage]
        for key in sorted(spare, key=lambda key: ages.get((key[0], key[1]), (1, "", key[1]))):
            taken = min(free[key], need)
            if taken > 0:
                free[key] -= taken
                used.carried_in.append((component, key[1], taken))
                used.moves.append((component, key[1], taken))
                need -= taken
        if need > 0:
            used.missing.append((component, need))
    if used.missing and (line.shortage == Shortage.BLOCK or any(component.stage for component, _ in used.missing)):
        component, missing = used.missing[0]
        there = sum((quantity for other, _, quantity in used.moves if other.pk == component.pk), ZERO)
        enough = ""
        if component.basis == QuantityBasis.PER_UNIT:
            unit = Decimal(1).scaleb(-line.item.decimals)
            pieces = (made_now * there / (there + missing)).quantize(unit, ROUND_FLOOR)
            enough = f", enough for {pieces.normalize():f} of the {made_now.normalize():f} pieces"
        raise VendorShort(
            f"{(there + missing).normalize():f} of {component.item} would be used, {there.normalize():f} lie at the vendor for "
            f"{order} line {line.line_no}{enough}. Ship the rest, or ask for what was used.",
            field="lines",
        )
    return used


def _held(
    own: Mapping[int, Mapping[int, Decimal]], component: OrderComponent, away: Mapping[int, Mapping[int, Decimal]]
) -> Decimal:
    """What of a component's own lots lies there: what is still on its way does not."""
    moving = away.get(component.pk, {})
    there = (quantity - moving.get(lot_id, ZERO) for lot_id, quantity in own.get(component.pk, {}).items())
    return sum((quantity for quantity in there if quantity > 0), ZERO)


def _needs(
    components: Sequence[OrderComponent],
    counted: CountedLine,
    line: OrderLine,
    *,
    made_before: Decimal,
    made_now: Decimal,
) -> dict[int, Decimal]:
    """What is used of each component, by its key. Raises NotFound, InvalidQuantity, TooPrecise, InvalidInput."""
    declared = counted.consumed or {}
    is_declared = line.consumption == ConsumptionMode.AS_REPORTED
    if is_declared:
        _check_declared(components, declared)
    needs: dict[int, Decimal] = {}
    for (item_id, stage), same in _same_parts(components, line):
        if stage or (is_declared and item_id in declared):
            # The order's own pieces go in one for one; both may come in several rows: what lies there for each, and the rest.
            rest = made_now if stage else declared[item_id]
            for component in same:
                needs[component.pk] = rest if component is same[-1] else min(rest, component.at_vendor)
                rest -= needs[component.pk]
        else:
            for component in same:
                needs[component.pk] = _need(component, line, made_before=made_before, made_now=made_now)
    if not is_declared:
        for item_id, quantity in declared.items():
            used = sum((needs[one.pk] for one in components if one.item_id == item_id), ZERO)
            if quantity != used:
                raise InvalidInput(
                    f"This line counts what is used {line.get_consumption_display().lower()}: {used.normalize():f}, not "
                    f"{quantity.normalize():f}. Adjust the consumption afterwards.",
                    field="lines.consumed",
                )
    return needs


def _same_parts(
    components: Sequence[OrderComponent], line: OrderLine
) -> Iterator[tuple[tuple[int, str], list[OrderComponent]]]:
    """Rows of the same material, and rows of the same pieces between operations."""
    parts: dict[int, list[OrderComponent]] = defaultdict(list)
    for component in components:
        if not component.stage:
            parts[component.item_id].append(component)
    for item_id, same in parts.items():
        yield (item_id, ""), same
    pieces = [component for component in components if component.stage]
    given = [(component.stage, component.required_in_force) for component in pieces]
    for places in same_pieces(given, quantity=line.quantity_in_force):
        rows = [pieces[place] for place in places]
        yield (rows[0].item_id, rows[0].stage), rows


def _check_declared(components: Sequence[OrderComponent], declared: Mapping[int, Decimal]) -> None:
    known = {component.item_id: component.item for component in components if not component.stage}
    for item_id, quantity in declared.items():
        if item_id not in known:
            item = Item.objects.get(pk=item_id)
            used_by_it = ", ".join(sorted(map(str, known.values())))
            raise NotFound(
                f"{item} is no component of the line{f'; it uses {used_by_it}' if known else ''}.",
                field="lines.consumed",
            )
        if quantity < 0:
            raise InvalidQuantity(f"{quantity} of {known[item_id]} cannot have been used.", field="lines.consumed")
        masterdata.check_exact(known[item_id], quantity, field="lines.consumed")


def _need(component: OrderComponent, line: OrderLine, *, made_before: Decimal, made_now: Decimal) -> Decimal:
    if component.basis == QuantityBasis.PER_ORDER:
        return ZERO if component.consumed else component.required_in_force
    if line.consumption == ConsumptionMode.AS_SENT and component.supply == Supply.OWN:
        return rules.as_sent_use(
            made_now=made_now,
            ordered=line.quantity_in_force,
            made_before=made_before,
            unused=component.at_vendor,
            decimals=component.item.decimals,
        )
    return rules.standard_use(
        per_piece=component.quantity_per,
        scrap_pct=component.scrap_pct,
        decimals=component.item.decimals,
        made_before=made_before,
        made_now=made_now,
    )


def _ages(location_id: int, item_ids: Collection[int]) -> dict[tuple[int, int], tuple[int, str, int]]:
    """First expired first, then first in: a sort key for each lot at a place."""
    there = Balance.objects.filter(location=location_id, item__in=item_ids)
    return {
        (item_id, lot_id or 0): (0 if expires else 1, str(expires or since), lot_id or 0)
        for item_id, lot_id, expires, since in there.values_list("item", "lot", "lot__expires_on", "since")
    }
