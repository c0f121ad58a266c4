"""Material on its way to a vendor: planned with the order, picked, dispatched, delivered."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from core.scope import HasScope
from inventory.models import Balance


class ShipmentStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    PICKED = "picked", "Picked"
    DISPATCHED = "dispatched", "Dispatched"
    DELIVERED = "delivered", "Delivered"
    HELD = "held", "Held"
    CANCELLED = "cancelled", "Cancelled"
    REVERSED = "reversed", "Reversed"


BEFORE_DISPATCH = (ShipmentStatus.PLANNED, ShipmentStatus.PICKED, ShipmentStatus.HELD)
SET_ASIDE = (ShipmentStatus.PICKED, ShipmentStatus.HELD)
GONE = (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED)


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def planned(self) -> Self:
        return self.filter(status=ShipmentStatus.PLANNED)

    def with_ready(self, *, on: date) -> Self:
        """`ready`: planned, and all of it lies at the place it leaves now, in no lot that has expired `on` the day; pieces of an
        operation as far as it is finished.
        """
        there = (
            Balance.objects.filter(
                item=OuterRef("item"), stage=OuterRef("stage"), location=OuterRef("shipment__from_location")
            )
            .unexpired(on=on)
            .order_by()
            .values("location")
            .annotate(total=Sum("quantity"))
            .values("total")
        )
        short = (
            ShipmentLine.objects.filter(shipment=OuterRef("pk"))
            .order_by()
            .values("shipment", "item", "stage", "shipment__from_location")
            .annotate(wanted=Sum("quantity"))
            .filter(wanted__gt=Coalesce(Subquery(there), Value(0), output_field=models.DecimalField()))
        )
        return self.annotate(
            ready=Case(
                When(status=ShipmentStatus.PLANNED, then=~Exists(short)),
                When(status=ShipmentStatus.PICKED, then=Value(True)),
                default=Value(False),
                output_field=models.BooleanField(),
            )
        )

    def due(self, *, on: date) -> Self:
        """On their way, and to arrive on or before a day."""
        return self.filter(status=ShipmentStatus.DISPATCHED, arrives_on__lte=on)

    def active(self) -> Self:
        return self.exclude(status=ShipmentStatus.CANCELLED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Shipment(models.Model):
    """One delivery of our material from a place (ours, or another vendor's) to a vendor's place.

    `arrives_on` is when it delivers itself; without transit days it is delivered as it is dispatched. `held_from` is the
    status it returns to when it is released.
    """

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
    dispatched_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    arrives_on = models.DateField(null=True, editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False)
    reversed_at = models.DateTimeField(null=True, editable=False)
    held_from = models.CharField(max_length=10, blank=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ShipmentStatus.values), name="shipment_status"),
            models.CheckConstraint(condition=~Q(from_location=F("to_location")), name="shipment_goes_somewhere"),
            models.CheckConstraint(
                condition=~Q(status__in=GONE) | Q(dispatched_at__isnull=False), name="shipment_dispatched_says_when"
            ),
        ]
        indexes = [
            models.Index(
                fields=["dispatch_by", "id"], name="shipment_to_dispatch", condition=Q(status__in=BEFORE_DISPATCH)
            ),
            models.Index(fields=["arrives_on"], name="shipment_on_its_way", condition=Q(status="dispatched")),
        ]

    def __str__(self) -> str:
        return self.number


class ShipmentLine(models.Model):
    """So much of one component of one order line, of one lot once it is picked; `quantity` in the item's unit."""

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
