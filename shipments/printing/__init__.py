"""The delivery note that travels with a shipment: what is on it, of which lots, how heavy, whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import translation

from masterdata.models import Item
from masterdata.printing import as_pdf, bar_code, company, qr_code
from shipments.models import GONE, Shipment, ShipmentLine
from subcontract_orders.models import OrderLine

KILOGRAMS = {"kg": Decimal(1), "g": Decimal("0.001"), "t": Decimal(1000)}


@dataclass(frozen=True, slots=True)
class Position:
    """One part for one order line, with its lots. `weight` in kilograms; None where it is not known."""

    item: Item
    stage: str
    order_line: OrderLine
    quantity: Decimal
    lots: list[tuple[str, str]]
    weight: Decimal | None

    @property
    def amount(self) -> str:
        return _text(self.quantity)


def delivery_note(*, shipment_id: int, address: str) -> bytes:
    """The delivery note as a PDF. `address` is what its code opens: the page where this delivery is dealt with.

    Raises PdfUnavailable.
    """
    shipment = Shipment.objects.select_related("vendor", "site", "from_location", "to_location").get(pk=shipment_id)
    rows = shipment.lines.select_related(
        "item__unit", "lot", "order_line__order", "order_line__item__unit", "order_line__process"
    )
    found = positions(list(rows.order_by("order_line__order__number", "order_line__line_no", "position")))
    weights = [position.weight for position in found]
    owner = company()
    with translation.override(shipment.vendor.language or "en"):
        return as_pdf(
            "shipments/delivery_note.html",
            {
                "shipment": shipment,
                "owner": owner.name or shipment.site.name or shipment.site.code,
                "sender": shipment.site.address or owner.address,
                "positions": found,
                "weight": sum((weight for weight in weights if weight is not None), Decimal(0)),
                "all_weighed": None not in weights,
                "comes_back": [
                    (line, _text(line.quantity))
                    for line in {one.order_line.pk: one.order_line for one in found}.values()
                ],
                "left_on": _day(shipment, owner.time_zone),
                "has_left": shipment.status in GONE,
                "qr": qr_code(address),
                "address": address,
            },
        )


def labels(*, shipment_id: int, address: str) -> bytes:
    """One label for each part and lot of a shipment, to stick on the goods: Code 128 of the lot (else the part), and the code
    of the delivery. Raises PdfUnavailable.
    """
    shipment = Shipment.objects.select_related("vendor", "site").get(pk=shipment_id)
    rows = shipment.lines.select_related("item__unit", "lot", "order_line__order").order_by("position")
    with translation.override(shipment.vendor.language or "en"):
        return as_pdf(
            "shipments/labels.html",
            {
                "shipment": shipment,
                "owner": company().name or shipment.site.name or shipment.site.code,
                "qr": qr_code(address),
                "labels": [
                    (row, _text(row.quantity), bar_code(row.lot.code if row.lot else row.item.code)) for row in rows
                ],
            },
        )


def positions(lines: list[ShipmentLine]) -> list[Position]:
    """Lines of one part for one order line together, their lots apart."""
    found = []
    for _, group in groupby(lines, key=lambda line: (line.order_line_id, line.item_id, line.stage)):
        same = list(group)
        quantity = sum((line.quantity for line in same), Decimal(0))
        found.append(
            Position(
                item=same[0].item,
                stage=same[0].stage,
                order_line=same[0].order_line,
                quantity=quantity,
                lots=[(line.lot.code, _text(line.quantity)) for line in same if line.lot],
                weight=weight(same[0].item, quantity),
            )
        )
    return found


def weight(item: Item, quantity: Decimal) -> Decimal | None:
    """Kilograms of a quantity: by the item's weight a unit, or its unit where that is one of weight."""
    if item.weight_kg is not None:
        return item.weight_kg * quantity
    factor = KILOGRAMS.get(item.unit.code.lower()) if item.unit else None
    return quantity * factor if factor is not None else None


def _text(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _day(shipment: Shipment, time_zone: str) -> date | None:
    if shipment.dispatched_at is None:
        return None
    return shipment.dispatched_at.astimezone(ZoneInfo(shipment.site.time_zone or time_zone)).date()
