"""Orders at a vendor with their material there, and goods that come back, by business words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from inventory.models import Balance, CostPool, Lot
from inventory.services import Move, post_movements
from masterdata.models import Item, Location, LocationKind
from masterdata.services import virtual_location
from production.models import Operation
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent, OrderLine
from subcontract_orders.services import recount_material
from subcontract_orders.services.flows import record_flows
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played

LATER = date(2026, 3, 9)


def at_vendor(*, quantity: int = 10, shipped: str | None = "all", **rules: Any) -> OrderLine:
    """An order for `quantity` FG sent to V1, made of one RM each, worth 100, work 100. With the material there, or without."""
    _at_vendor(quantity, shipped, rules)
    return plans.line(1)


@played
def _at_vendor(quantity: int, shipped: str | None, rules: dict[str, Any]) -> None:
    plans.base(policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], **rules}])
    plans.plan("P1", "FG", quantity, "2026-04-30")
    plans.generate()
    plans.send(1)
    if shipped:
        ship(1, **{} if shipped == "all" else {"RM": shipped})


def ship(order: int, *, lot: str = "", **quantities: Any) -> None:
    """Bring components of an order's first line to its vendor: what is required, or the quantities named."""
    number = f"SC-{order:05d}"
    moves, flows = [], []
    components = OrderComponent.objects.filter(line__order__number=number, ship_from__isnull=False)
    for component in components.select_related("line", "item").order_by("pk"):
        if quantities and component.item.code not in quantities:
            continue
        quantity = Decimal(str(quantities.get(component.item.code, component.required)))
        lot_id = Lot.objects.get(item=component.item, code=lot).pk if lot else None
        moves.append(
            Move(
                component.item_id,
                component.ship_from_id,
                component.line.ship_to_id,
                quantity,
                lot_id,
                component.stage,
            )
        )
        flows.append(
            ComponentFlow(
                component=component,
                lot_id=lot_id,
                kind=FlowKind.SENT,
                quantity=quantity,
                document_kind="shipment",
                document_number="test",
            )
        )
    post_movements(moves, kind="shipment", number="test", occurred_at=moment(), recorded_at=moment(), by=None)
    record_flows(flows, at=moment())
    recount_material([plans.order(order).pk])


def counted(line: OrderLine, accepted: Any = 0, *, consumed: Mapping[str, Any] | None = None, **values: Any) -> Any:
    """A counted line; items by code."""
    items = {code: Item.objects.get(code=code).pk for code in consumed or {}}
    return receipts.CountedLine(
        order_line_id=line.pk,
        accepted=Decimal(str(accepted)),
        consumed={items[code]: Decimal(str(quantity)) for code, quantity in (consumed or {}).items()} or None,
        **{name: Decimal(str(value)) if isinstance(value, int | float) else value for name, value in values.items()},
    )


def receive(*lines: Any, note: str = "DN-1", at: datetime | None = None, **fields: Any) -> Receipt:
    vendor_id = OrderLine.objects.get(pk=lines[0].order_line_id).vendor_id
    said = {"vendor_id": vendor_id, "note": note, "by": plans.boss(), "at": at or moment(LATER), **fields}
    return receipts.post_receipt(lines=lines, **said)


def reverse(receipt: Receipt) -> Receipt:
    return receipts.reverse_receipt(receipt_id=receipt.pk, by=plans.boss(), at=moment(LATER))


def move_on(item: str, quantity: int, *, place: str = "MAIN") -> None:
    """Stock leaves a place for good."""
    gone = virtual_location(kind=LocationKind.DIFFERENCE)
    move = Move(Item.objects.get(code=item).pk, Location.objects.get(code=place).pk, gone.pk, Decimal(quantity))
    post_movements([move], kind="test", number="T", occurred_at=moment(LATER), recorded_at=moment(LATER), by=None)


def lying(place: str, item: str, *, lot: str | None = None, stage: str = "") -> Decimal:
    there = Balance.objects.filter(location__code=place, item__code=item, stage=stage)
    if lot is not None:
        there = there.filter(lot__code=lot)
    return there.aggregate(total=Sum("quantity"))["total"] or Decimal(0)


def worth(item: str) -> Decimal:
    """What all our stock of an item is worth."""
    return CostPool.objects.filter(item__code=item).aggregate(total=Sum("value"))["total"] or Decimal(0)


def used(receipt: Receipt, line_no: int = 1) -> dict[str, Decimal]:
    line = ReceiptLine.objects.get(receipt=receipt, line_no=line_no)
    rows = line.consumptions.values_list("item__code").annotate(total=Sum("quantity"))
    return dict(rows)


def operation(number: str = "P1", operation_no: str = "10") -> Operation:
    return Operation.objects.get(production_order__number=number, operation_no=operation_no)


def component(line: OrderLine, item: str = "RM") -> OrderComponent:
    return OrderComponent.objects.get(line=line, item__code=item)
