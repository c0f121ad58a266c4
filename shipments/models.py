"""Material on its way to a vendor: planned with the order, picked, dispatched, delivered."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from core.scope import HasScope


class ShipmentStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    PICKED = "picked", "Picked"
    DISPATCHED = "dispatched", "Dispatched"
    DELIVERED = "delivered", "Delivered"
    HELD = "held", "Held"
    CANCELLED = "cancelled", "Cancelled"
    REVERSED = "reversed", "Reversed"


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def planned(self) -> Self:
        return self.filter(status=ShipmentStatus.PLANNED)

    def active(self) -> Self:
        return self.exclude(status=ShipmentStatus.CANCELLED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Shipment(models.Model):
    """One delivery of our material from a place (ours, or another vendor's) to a vendor's place."""

    number = models.CharField(max_length=20, unique=True)
    status = models.CharField(max_length=10, choices=ShipmentStatus, default=ShipmentStatus.PLANNED)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    from_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    to_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    dispatch_by = models.DateField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True, editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ShipmentStatus.values), name="shipment_status"),
            models.CheckConstraint(condition=~Q(from_location=F("to_location")), name="shipment_goes_somewhere"),
        ]
        indexes = [models.Index(fields=["dispatch_by", "id"], name="shipment_planned", condition=Q(status="planned"))]

    def __str__(self) -> str:
        return self.number


class ShipmentLine(models.Model):
    """So much of one component of one order line; `quantity` in the item's unit."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    component = models.ForeignKey("subcontract_orders.OrderComponent", models.PROTECT, related_name="+")
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shipment", "position"], name="shipment_line_position"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_line_quantity_above_zero"),
        ]
        indexes = [models.Index(fields=["order_line"], name="shipment_line_of_order_line")]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.position}"
