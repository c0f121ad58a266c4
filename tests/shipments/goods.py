"""Orders sent and ready to be shipped, by business words, and what lies where as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.refusals import Refusal
from inventory.models import Balance
from masterdata.models import Item, Location
from shipments import services as shipments
from shipments.models import Shipment
from shipments.services import ToPick
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.played import played
from tests.scenarios.runner import business_content


@played
def ordered(*quantities: int, **tables: Any) -> None:
    """One order of V1 for each quantity, of one piece RM a piece, all sent; 1,000 RM lie at MAIN."""
    plans.base(**tables)
    for index, quantity in enumerate(quantities, 1):
        plans.plan(f"P{index}", "FG", quantity, "2026-03-31")
    plans.generate()
    send_all()


def send_all() -> None:
    for order in SubcontractOrder.objects.draft().order_by("pk"):
        plans.send(int(order.number.removeprefix("SC-")))


def ship(*orders: int, lines: list[ToPick] | None = None, at: datetime | None = None, **said: Any) -> Shipment:
    """What one act ships from one place."""
    [made] = shipments.ship(
        order_ids=[plans.order(number).pk for number in orders or (1,)],
        lines=lines,
        by=plans.boss(),
        at=at or moment(),
        **said,
    )
    return made


def act(service: Callable[..., Shipment], shipment: Shipment, *, day: date = MONDAY, **said: Any) -> Shipment:
    return service(shipment_id=shipment.pk, by=plans.boss(), at=moment(day), **said)


def of(
    item: str, quantity: int | str, *, lot: str = "", line: int | None = None, order: int = 1, stage: str | None = None
) -> ToPick:
    return ToPick(
        item_id=Item.objects.get(code=item).pk,
        quantity=Decimal(quantity),
        lot=lot,
        order_line_id=OrderLine.objects.get(order=plans.order(order), line_no=line).pk if line else None,
        stage=stage,
    )


def lying(place: str, item: str, *, lot: str | None = None) -> Decimal:
    rows = Balance.objects.filter(location__code=place, item__code=item)
    if lot is not None:
        rows = rows.filter(lot__code=lot)
    return sum(rows.values_list("quantity", flat=True), Decimal(0))


def place(code: str) -> int:
    return Location.objects.get(code=code).pk


def component(item: str, *, order: int = 1, line: int = 1) -> OrderComponent:
    return OrderComponent.objects.get(line__order=plans.order(order), line__line_no=line, item__code=item)


def carried(shipment: Shipment) -> list[tuple[str, str, Decimal]]:
    """Item, lot and quantity of a shipment's lines, in order."""
    lines = shipment.lines.order_by("position")
    return [
        (item, lot or "", quantity) for item, lot, quantity in lines.values_list("item__code", "lot__code", "quantity")
    ]


def numbers(**where: Any) -> list[tuple[str, str]]:
    """Number and status of shipments."""
    return list(Shipment.objects.filter(**where).order_by("number").values_list("number", "status"))


def refused(refusal: type[Refusal], code: str, service: Callable[[], object]) -> str:
    """What a refused act says. Nothing may have been written."""
    plans.boss()
    before = business_content()
    with pytest.raises(refusal) as raised:
        service()
    assert raised.value.code == code
    assert business_content() == before
    return str(raised.value)
