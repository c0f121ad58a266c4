"""What a price is for one of: a number of the item's own unit, or of another one the item has a factor for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models.functions import Lower

from core.refusals import NotFound, Refusal
from masterdata.models import Item, Unit
from masterdata.services import PIECES, unit_factors
from policies.rules.price import parse_price_unit


class UnknownUnit(NotFound):
    """A price for a unit nobody knows."""

    status = 422


class NoUnitFactor(NotFound):
    """A price in a unit of which nothing says how much of the item it holds."""

    status = 422


@dataclass(frozen=True, slots=True)
class PricedIn:
    """How much of the item's own unit (of `unit_id`, where filled) one price unit holds."""

    factor: Decimal
    unit_id: int | None = None


def priced_in(rows: Sequence[tuple[int | None, str]]) -> list[PricedIn | Refusal]:
    """What prices for these items (None: any) in these price units are for, or why one cannot be: four queries for any number.

    `100`, and a unit of an item that has none itself, count the item's own unit. Pieces may go by other words than the unit;
    for any item they are a unit all the same, as others may be weighed.
    """
    parsed = [parse_price_unit(text) for _, text in rows]
    units = {unit.code: unit for unit in Unit.objects.filter(code__in={name for _, name in parsed if name})}
    pieces = Unit.objects.annotate(lower=Lower("code")).filter(lower__in=PIECES).order_by("pk").first()
    items: Mapping[int, Item] = Item.objects.select_related("unit").in_bulk({item for item, _ in rows if item})
    factors = unit_factors(unit_ids={unit.pk for unit in units.values()}, item_ids=items)
    found: list[PricedIn | Refusal] = []
    for (item_id, _), (count, name) in zip(rows, parsed, strict=True):
        item = items.get(item_id or 0)
        unit = units.get(name) or (pieces if item is None and name.lower() in PIECES else None)
        counted = (
            name.lower() in PIECES and item is not None and item.unit is not None and item.unit.code.lower() in PIECES
        )
        if not name or (item and item.unit is None) or (counted and unit is None):
            found.append(PricedIn(count))
        elif unit is None:
            found.append(UnknownUnit(f"There is no unit {name}.", field="price_unit"))
        elif item is None:
            found.append(PricedIn(count, unit.pk))
        elif factor := factors.get((item.pk, unit.pk)):
            found.append(PricedIn(count, unit.pk if factor != 1 else None))
        else:
            found.append(
                NoUnitFactor(
                    f"{item} is counted in {item.unit}, and nothing says how many {item.unit} one {name} holds: "
                    "enter it as a unit of the item (table item_units).",
                    field="price_unit",
                )
            )
    return found
