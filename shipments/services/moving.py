"""What a shipment does to stock and to its orders: it leaves, arrives, and is said to have done so."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from activity import services as activity
from inventory import services as ledger
from inventory.models import Movement
from inventory.services import Move, NotEnoughStock
from masterdata import services as masterdata
from masterdata.models import LocationKind
from shipments.models import Shipment, ShipmentStatus
from subcontract_orders.models import ComponentFlow, FlowKind, SubcontractOrder
from subcontract_orders.services import flows as material

KIND = "shipment"
ZERO = Decimal(0)


def leave(shipment: Shipment, *, by: User | None, at: datetime, through: str) -> Shipment:
    """Post what the shipment's lines hold, count it as sent, and say when it arrives."""
    lines = list(shipment.lines.select_related("order_line").order_by("position"))
    days = max((line.order_line.at_vendor_date - line.order_line.dispatch_by).days for line in lines)
    goes_to = masterdata.transit_location(site=shipment.site) if days > 0 else shipment.to_location
    posted = ledger.post_movements(
        [
            Move(
                line.item_id, shipment.from_location_id, goes_to.pk, line.quantity, line.lot_id, line.stage,
                line=line.position,
            )
            for line in lines
        ],
        kind=KIND, number=shipment.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    movements = [movement for movement in posted if movement.quantity]
    material.record_flows(
        [
            ComponentFlow(
                component_id=line.component_id, lot_id=line.lot_id, kind=FlowKind.SENT, quantity=line.quantity,
                movement=movement, document_kind=KIND, document_number=shipment.number, document_line=line.position,
            )
            for line, movement in zip(lines, movements, strict=True)
        ],
        at=at,
    )  # fmt: skip
    material.recount_material({line.order_line.order_id for line in lines})
    shipment.dispatched_at, shipment.dispatched_by, shipment.held_from = at, by, ""
    today = masterdata.site_dates(at=at)[shipment.site_id]
    if days > 0:
        shipment.arrives_on = today + timedelta(days=days)
        return moved(shipment, ShipmentStatus.DISPATCHED, "shipment.dispatched", by=by, at=at, through=through)
    shipment.arrives_on, shipment.delivered_at = today, at
    return moved(shipment, ShipmentStatus.DELIVERED, "shipment.dispatched", by=by, at=at, through=through)


def arrive(shipment: Shipment, *, by: User | None, at: datetime, through: str) -> Shipment:
    out = Movement.objects.unreversed().filter(
        document_kind=KIND, document_number=shipment.number, quantity__gt=0, to_location__kind=LocationKind.TRANSIT
    )
    ledger.post_movements(
        [
            Move(
                m.item_id, m.to_location_id, shipment.to_location_id, m.quantity, m.lot_id, m.stage,
                line=m.document_line,
            )
            for m in out.order_by("pk")
        ],
        kind=KIND, number=shipment.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    shipment.delivered_at = at
    return moved(shipment, ShipmentStatus.DELIVERED, "shipment.delivered", by=by, at=at, through=through)


def must_lie_there(shipment: Shipment) -> None:
    """Raises NotEnoughStock where a line's own material is not all there any more."""
    lines = list(shipment.lines.select_related("item", "lot", "order_line__order").order_by("position"))
    own = material.own_lots({line.component_id for line in lines})
    for line in lines:
        there = own.get(line.component_id, {}).get(line.lot_id or 0, ZERO)
        if there < line.quantity:
            of_lot = f" of lot {line.lot}" if line.lot else ""
            raise NotEnoughStock(
                f"Only {max(there, ZERO).normalize():f} of {line.item}{of_lot} still lie at {shipment.to_location} for "
                f"{line.order_line.order} line {line.order_line.line_no}, {line.quantity.normalize():f} were sent with "
                f"{shipment}. Reverse first what used them.",
                field="shipment",
            )
        own[line.component_id][line.lot_id or 0] -= line.quantity


def moved(
    shipment: Shipment,
    status: ShipmentStatus,
    event: str,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: dict[str, Any] | None = None,
) -> Shipment:
    shipment.status = status
    shipment.version += 1
    shipment.save()
    record(shipment, event, by=by, at=at, through=through, data=data)
    return shipment


def record(
    shipment: Shipment, event: str, *, by: User | None, at: datetime, through: str, data: dict[str, Any] | None = None
) -> None:
    orders = SubcontractOrder.objects.filter(lines__in=shipment.lines.values("order_line")).distinct()
    numbers = sorted(orders.values_list("number", flat=True))
    activity.record(
        event,
        kind=KIND,
        number=shipment.number,
        at=at,
        by=by,
        through=through,
        site_id=shipment.site_id,
        vendor_id=shipment.vendor_id,
        data={"orders": numbers, **{key: value for key, value in (data or {}).items() if value}},
    )
