"""Other units items are priced in: how much of the item's own unit one of them holds."""

from __future__ import annotations

from collections.abc import Collection
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from django.db.models.functions import Lower

from core.refusals import TooPrecise
from masterdata.models import Item, ItemUnit, Unit
from masterdata.services.master import PIECES

EIGHT = Decimal("0.00000001")
KILOGRAM = "kg"


def inverse(per_item: Decimal) -> Decimal:
    """0.25 kg a piece is 4 pieces in one kg."""
    return (1 / per_item).quantize(EIGHT, ROUND_HALF_UP)


def unit_factors(
    *, unit_ids: Collection[int], item_ids: Collection[int] | None = None
) -> dict[tuple[int, int], Decimal]:
    """How much of an item's own unit one of these units holds, by (item, unit): 1 for its own, else as it was entered, else
    by its weight where the unit is the kilogram; pieces are pieces by whatever word. Pairs nobody knows are left out.
    """
    if not unit_ids:
        return {}
    items = Item.objects.all() if item_ids is None else Item.objects.filter(pk__in=item_ids)
    found: dict[tuple[int, int], Decimal] = {}
    weighed = items.filter(weight_kg__gt=0).exclude(unit__isnull=True).values_list("pk", "weight_kg")
    kilogram = Unit.objects.filter(code__iexact=KILOGRAM, pk__in=unit_ids)
    for unit_id in kilogram.values_list("pk", flat=True):
        found |= {(item_id, unit_id): inverse(weight) for item_id, weight in weighed if weight}
    words = Unit.objects.annotate(word=Lower("code")).filter(word__in=PIECES)
    if pieces := list(words.filter(pk__in=unit_ids).values_list("pk", flat=True)):
        counted = items.filter(unit__in=words).values_list("pk", flat=True)
        found |= {(item_id, unit_id): Decimal(1) for item_id in counted for unit_id in pieces}
    stated = ItemUnit.objects.filter(unit__in=unit_ids)
    if item_ids is not None:
        stated = stated.filter(item__in=item_ids)
    found |= {(item, unit): factor for item, unit, factor in stated.values_list("item_id", "unit_id", "factor")}
    own = items.filter(unit__in=unit_ids).values_list("pk", "unit_id")
    found |= {(item_id, unit_id): Decimal(1) for item_id, unit_id in own if unit_id is not None}
    return found


def check_exact(item: Item, quantity: Decimal, *, field: str) -> None:
    """Raises TooPrecise where a quantity has more decimals than its item (with its unit) is counted in."""
    if quantity != round(quantity, item.decimals):
        step = Decimal(1).scaleb(-item.decimals)
        less = quantity.quantize(step, ROUND_FLOOR)
        raise TooPrecise(
            f"{item} is counted in {item.decimals} decimals; {quantity.normalize():f} has more: say {less:f} or {less + step:f}.",
            field=field,
        )
