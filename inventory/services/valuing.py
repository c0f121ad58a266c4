"""What goods are booked at that come out of work beside what was made: nobody has paid for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from inventory.models import CostPool
from masterdata.models import Item


def unit_values(*, item_ids: Collection[int], site_id: int | None) -> Mapping[int, Decimal]:
    """What one unit of each item is worth, in company currency: its standard cost, else (blank or 0) what those of the site cost
    now, else nothing.
    """
    if not item_ids:
        return {}
    values: dict[int, Decimal] = {}
    for pool in CostPool.objects.filter(item__in=item_ids, site=site_id, lot=None, stage=""):
        values[pool.item_id] = pool.unit_cost or Decimal(0)
    for item_id, standard in Item.objects.filter(pk__in=item_ids).values_list("pk", "standard_cost"):
        if standard:
            values[item_id] = standard
    return values
