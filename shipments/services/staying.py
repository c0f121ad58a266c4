"""What has not left for an order while something else of it did, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from activity.models import Event
from shipments.models import BEFORE_DISPATCH, SET_ASIDE, Shipment, ShipmentStatus
from shipments.services.moving import KIND
from subcontract_orders.models import SubcontractOrder


@dataclass(frozen=True, slots=True)
class Staying:
    """A shipment that has not left. `reason` is what whoever holds it has said."""

    number: str
    status: str
    status_name: str
    reason: str = ""

    @property
    def is_set_aside(self) -> bool:
        """It does not leave with the rest: somebody holds it, or has picked it apart."""
        return self.status in SET_ASIDE

    def __str__(self) -> str:
        return f"{self.number} is {self.status_name.lower()}{f': {self.reason}' if self.reason else ''}."


def staying(orders: Collection[SubcontractOrder] | Collection[int]) -> list[Staying]:
    """The shipments of orders that have not left, in the order they were made."""
    rows = Shipment.objects.filter(status__in=BEFORE_DISPATCH, lines__order_line__order__in=orders).distinct()
    found = list(rows.order_by("pk"))
    held = [shipment.number for shipment in found if shipment.status == ShipmentStatus.HELD]
    said = Event.objects.filter(document_kind=KIND, document_number__in=held, name="shipment.held").order_by("pk")
    reasons = {event.document_number: str(event.data.get("reason", "")) for event in said} if held else {}
    return [
        Staying(one.number, one.status, one.get_status_display(), reasons.get(one.number, "").strip().rstrip("."))
        for one in found
    ]


def staying_beside(shipment: Shipment) -> list[Staying]:
    """What of a shipment's orders did not leave with it: set aside by somebody, or planned for later."""
    orders = shipment.lines.values_list("order_line__order", flat=True)
    return [one for one in staying(set(orders)) if one.number != shipment.number]
