"""Goods the dock's pages are tested on: orders that are really sent, material that really lies there, through the services."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from documents import services as documents
from inventory.models import Lot
from inventory.services import CountedStock, load_stock
from masterdata.models import Location
from receipts import services as receipts
from receipts.models import Receipt
from receipts.services import CountedLine
from shipments import services as shipments
from shipments.models import Shipment
from subcontract_orders.models import OrderLine, SubcontractOrder
from tests.workbench import rows


def sent_order(*, stock: int | None = 100, lines: int = 1, lot: str = "", **fields: Any) -> SubcontractOrder:
    """An order of 100 pieces a line that the vendor has; `stock` of the raw part lies at home."""
    order = rows.order(lines=lines, **fields)
    documents.approve_set(order_id=order.pk, by=root(), at=rows.AT)
    documents.send_set(order_id=order.pk, by=root(), at=rows.AT)
    if stock is not None:
        put(stock, lot=lot)
    order.refresh_from_db()
    return order


def root() -> User:
    """Who does what comes before a test."""
    found, _ = User.objects.get_or_create(username="root", defaults={"is_superuser": True})
    return found


def put(quantity: int, *, lot: str = "") -> None:
    """Set what lies at home of the raw part."""
    home = Location.objects.get(code="MAIN")
    raw = rows.item("10482-RAW", "Housing, machined")
    count = CountedStock(raw.pk, home.pk, Decimal(quantity), lot=lot, unit_cost=Decimal(3))
    load_stock(counts=[count], at=rows.AT - timedelta(hours=1), by=None)


def shipped_order(**fields: Any) -> SubcontractOrder:
    """An order whose material is at the vendor."""
    order = sent_order(**fields)
    for shipment in shipments.ship(order_ids=[order.pk], by=root(), at=rows.AT):
        if shipment.delivered_at is None:
            shipments.deliver(shipment_id=shipment.pk, by=root(), at=rows.AT)
    order.refresh_from_db()
    return order


def line_of(order: SubcontractOrder) -> OrderLine:
    return order.lines.order_by("line_no").first()


def shipment_of(order: SubcontractOrder) -> Shipment:
    return Shipment.objects.filter(lines__order_line__order=order).order_by("pk").first()


def receipt_of(order: SubcontractOrder, *, accepted: int = 40, note: str = "N-1", **fields: Any) -> Receipt:
    counted = CountedLine(line_of(order).pk, accepted=Decimal(accepted), **fields)
    return receipts.post_receipt(vendor_id=order.vendor_id, note=note, lines=[counted], by=root(), at=rows.AT)


def lot(code: str) -> Lot:
    return Lot.objects.get(code=code)


def arrive(shipment: Shipment) -> None:
    """The vendor has it."""
    shipment.refresh_from_db()
    if shipment.delivered_at is None:
        shipments.deliver(shipment_id=shipment.pk, by=root(), at=shipment.dispatched_at)
