"""How one item is made, stated whole: what is left out is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from core.refusals import InvalidInput, Refusals
from masterdata.models import Item
from masterdata.services import InUse, note_plan_change
from production.models import BomLine, ProductionOrder, RoutingStep
from production.services.structure import bom_problems, routing_problems, upsert_routings


class Twice(InvalidInput):
    """An operation number that stands in one routing twice."""

    code = "duplicate"


@transaction.atomic
def replace_bom(*, item_id: int, lines: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Make these the lines of an item's bill of material, in this order. Values are columns. Raises Refusals."""
    item = Item.objects.select_for_update().get(pk=item_id)
    BomLine.objects.filter(parent=item).delete()
    BomLine.objects.bulk_create(
        [BomLine(parent=item, position=place * 10, **values) for place, values in enumerate(lines, start=1)]
    )
    if problems := list(bom_problems(parent_ids=[item_id])):
        raise Refusals(problems)
    note_plan_change(at=at, reason=f"Bill of material of {item} changed")


@transaction.atomic
def replace_routing(*, item_id: int, variant: str, steps: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Make these the steps of an item's routing (or of a variant of it). Values are columns. Raises Twice, Refusals."""
    item = Item.objects.select_for_update().get(pk=item_id)
    numbers = [values["operation_no"] for values in steps]
    if doubled := next((number for number in numbers if numbers.count(number) > 1), None):
        raise Twice(f"Operation {doubled} stands here twice.", field="operation_no")
    RoutingStep.objects.filter(item=item, variant=variant).delete()
    upsert_routings(steps={(item_id, variant, values["operation_no"]): _step(values) for values in steps})
    if problems := [*routing_problems(item_ids=[item_id]), *bom_problems(parent_ids=[item_id])]:
        raise Refusals(problems)
    note_plan_change(at=at, reason=f"Routing of {item} changed")


@transaction.atomic
def withdraw_bom(*, item_id: int, at: datetime) -> None:
    """Take an item's bill of material out of use. Raises InUse while open production orders need its components."""
    _refuse_while_made(item_id)
    replace_bom(item_id=item_id, lines=[], at=at)


@transaction.atomic
def withdraw_routing(*, item_id: int, at: datetime) -> None:
    """Take an item's routing out of use, with its variants. Raises InUse while open production orders go by it."""
    _refuse_while_made(item_id)
    variants = RoutingStep.objects.filter(item=item_id).values_list("variant", flat=True).distinct()
    for variant in list(variants):
        replace_routing(item_id=item_id, variant=variant, steps=[], at=at)


def _refuse_while_made(item_id: int) -> None:
    item = Item.objects.select_for_update().get(pk=item_id)
    numbers = list(ProductionOrder.objects.open().filter(item=item).order_by("pk").values_list("number", flat=True))
    if numbers:
        orders = (
            "1 open production order makes" if len(numbers) == 1 else f"{len(numbers):,} open production orders make"
        )
        raise InUse(f"{orders} {item}, the first is {numbers[0]}. Finish or cancel them, or change it.", field="item")


def _step(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "operation_no"}
