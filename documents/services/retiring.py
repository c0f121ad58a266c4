"""Master data out of use: never deleted, as documents name it, but nothing new may name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.utils.text import capfirst

from core.refusals import NotFound, Refusal, Refusals
from inventory.models import Balance
from masterdata.models import Item, ItemGroup, Location, Process, Retirable, Site, Unit, WorkCenter
from masterdata.services import InUse, note_plan_change
from policies.models import Policy
from production.models import Operation, ProductionOrder, RoutingStep
from subcontract_orders.models import OrderLine, SubcontractOrder

Use = tuple[str, str, QuerySet[Any], str]
"""What uses a row: in words, one and several; the rows; the field that says which it is."""


@transaction.atomic
def set_in_use(*, model: type[Retirable], pk: int, active: bool, at: datetime) -> Retirable:
    """Take a row of master data out of use, or into use again. The same again changes nothing. Raises NotFound, InUse."""
    row = model._default_manager.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NotFound(f"There is no such {model._meta.verbose_name_raw}.")
    if row.is_active == active:
        return row
    if not active:
        refuse_where_used(row)
    row.is_active = active
    row.save(update_fields=["is_active"])
    said = "is in use again" if active else "is out of use"
    note_plan_change(at=at, reason=f"{_named(row)} {said}")
    return row


def refuse_where_used(row: Retirable) -> None:
    """Raises InUse (of several kinds of use at once: Refusals) where something open names the row."""
    found = list(_refusals(row))
    if found:
        raise Refusals(found)


def _refusals(row: Retirable) -> Iterator[Refusal]:
    model = capfirst(row._meta.verbose_name_raw)
    for use, uses, rows, key in USES[type(row)](row):
        if count := rows.count():
            first = rows.order_by("pk").values_list(key, flat=True)[0]
            said = f"1 {use} names it: {first}." if count == 1 else f"{count:,} {uses} name it, the first is {first}."
            yield InUse(f"{model} {row} stays in use: {said}", field="active")


def _named(row: Retirable) -> str:
    return f"{capfirst(row._meta.verbose_name_raw)} {row}"


def _unit(unit: Any) -> Iterator[Use]:
    yield "item", "items", Item.objects.filter(unit=unit, is_blocked=False), "code"


def _item_group(group: Any) -> Iterator[Use]:
    yield _policies(item_group=group)


def _site(site: Any) -> Iterator[Use]:
    yield _orders(site=site)
    yield _subcontract_orders(Q(site=site))
    yield _policies(site=site)
    yield _centers(site=site)
    yield _stock(location__site=site)


def _location(location: Any) -> Iterator[Use]:
    yield _stock(location=location)
    yield _orders(location=location)
    coming = OrderLine.objects.active().filter(receive_at=location).values("order")
    yield _subcontract_orders(Q(ship_to=location) | Q(receive_at=location) | Q(pk__in=coming))
    yield _centers(location=location)
    ships = Location.objects.filter(pk=location.pk, is_main=True, site__is_active=True)
    yield "site that ships and receives there", "sites that ship and receive there", ships, "site__code"


def _work_center(center: Any) -> Iterator[Use]:
    yield _operations(work_center=center)
    yield _routings(work_center=center)
    yield _policies(work_center=center)


def _process(process: Any) -> Iterator[Use]:
    yield _operations(process=process)
    yield _routings(process=process)
    yield _policies(process=process)
    open_lines = OrderLine.objects.active().filter(process=process, order__in=SubcontractOrder.objects.open())
    yield "open subcontract order", "open lines of subcontract orders", open_lines, "order__number"


USES: dict[type[models.Model], Callable[[Any], Iterator[Use]]] = {
    Unit: _unit,
    ItemGroup: _item_group,
    Site: _site,
    Location: _location,
    WorkCenter: _work_center,
    Process: _process,
}


def _operations(**named: Any) -> Use:
    rows = Operation.objects.open().filter(**named)
    return "open operation", "open operations", rows, "production_order__number"


def _routings(**named: Any) -> Use:
    rows = RoutingStep.objects.filter(item__is_blocked=False, **named)
    return "step of a routing", "steps of routings", rows, "item__code"


def _policies(**named: Any) -> Use:
    return "active policy", "active policies", Policy.objects.active().filter(**named), "code"


def _orders(**named: Any) -> Use:
    rows = ProductionOrder.objects.open().filter(**named)
    return "open production order", "open production orders", rows, "number"


def _subcontract_orders(named: Q) -> Use:
    rows = SubcontractOrder.objects.open().filter(named)
    return "open subcontract order", "open subcontract orders", rows, "number"


def _centers(**named: Any) -> Use:
    rows = WorkCenter.objects.filter(is_active=True, **named)
    return "work center", "work centers", rows, "code"


def _stock(**named: Any) -> Use:
    rows = Balance.objects.filter(quantity__gt=0, **named).annotate(what=F("item__code"))
    return "item in stock", "rows of stock", rows, "what"
