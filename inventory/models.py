"""The stock ledger: movements between locations with quantity and value, never edited, and the balances they add up to."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from core.scope import HasScope
from masterdata.models import ExternallyKnown


class Lot(models.Model):
    """A batch (or one serial number) of an item. `expires_on` is the last day it may be used."""

    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    expires_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "code"], name="lot_of_item")]

    def __str__(self) -> str:
        return self.code


class MovementQuerySet(models.QuerySet["Movement"]):
    def unreversed(self) -> Self:
        """Movements that stand: neither reversed nor reversals."""
        return self.filter(reverses__isnull=True, reversed_by__isnull=True)

    def is_valued(self) -> bool:
        """Whether anything was ever booked with a value, in the company's currency."""
        return self.exclude(value=0).exists()

    def visible_to(self, user: HasScope) -> Self:
        scope = user.scope
        if scope.everywhere:
            return self
        seen = scope.rows(site="from_location__site_id", vendor="from_location__vendor_id")
        seen |= scope.rows(site="to_location__site_id", vendor="to_location__vendor_id")
        if scope.site_ids:
            for end in ("from_location", "to_location"):
                there = Balance.objects.visible_to(user).of_the_same(location=end)
                seen |= Q(**_shared(end)) & Q(Exists(there))
        return self.filter(seen)


class Movement(models.Model):
    """A quantity of an item (of a lot, at a stage) taken from one location to another, with its value. Final.

    `stage` is empty for stock; for work in progress it is "<production order>/<operation no>", the operation that finished
    the pieces. `occurred_at` is when it happened, `recorded_at` when it was written. A reversal carries `reverses`.
    """

    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="movements")
    stage = models.CharField(max_length=90, blank=True)
    from_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    to_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5)
    document_kind = models.CharField(max_length=30)
    document_number = models.CharField(max_length=60, blank=True)
    document_line = models.PositiveIntegerField(null=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    reason = models.CharField(max_length=200, blank=True)

    objects = MovementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=0), name="movement_quantity_not_negative"),
            models.CheckConstraint(condition=~Q(from_location=F("to_location")), name="movement_goes_somewhere"),
        ]
        indexes = [
            models.Index(fields=["item", "occurred_at"], name="movement_item"),
            models.Index(fields=["occurred_at"], name="movement_by_time"),
            models.Index(fields=["document_kind", "document_number"], name="movement_document"),
        ]
        triggers = [pgtrigger.Protect(name="movement_is_final", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.item_id}"


class BalanceQuerySet(models.QuerySet["Balance"]):
    def at_vendors(self) -> Self:
        """Ours, lying at a vendor's place; also what lay there once."""
        return self.filter(location__kind="vendor")

    def of_the_same(self, **outer: str) -> Self:
        """In a subquery: rows of the outer row's item, lot and stage, and of what else is named (column of these = outer's)."""
        # No lot equals no lot here, which SQL's own = does not say.
        return self.alias(of_lot=Coalesce("lot", 0)).filter(
            item=OuterRef("item"),
            stage=OuterRef("stage"),
            of_lot=Coalesce(OuterRef("lot"), 0),
            **{name: OuterRef(column) for name, column in outer.items()},
        )

    def unexpired(self, *, on: date) -> Self:
        """In no lot, or in one that may still be used on a day."""
        return self.filter(Q(lot=None) | Q(lot__expires_on=None) | Q(lot__expires_on__gte=on))

    def visible_to(self, user: HasScope) -> Self:
        """What lies at places of the user's sites, at the user's vendor, or at a vendor's place that sites share, as far as it
        came from one of the user's sites (or from none: it was delivered or made there).
        """
        scope = user.scope
        seen = scope.rows(site="location__site_id", vendor="location__vendor_id")
        if scope.site_ids:
            brought = Movement.objects.alias(of_lot=Coalesce("lot", 0)).filter(
                item=OuterRef("item"),
                stage=OuterRef("stage"),
                of_lot=Coalesce(OuterRef("lot"), 0),
                to_location=OuterRef("location"),
                from_location__site__isnull=False,
            )
            ours = brought.filter(from_location__site__in=scope.site_ids)
            seen |= Q(**_shared("location")) & (Q(Exists(ours)) | ~Q(Exists(brought)))
        return self.filter(seen)


def _shared(place: str) -> dict[str, object]:
    """A vendor's place that belongs to none of our sites: several may keep material there."""
    return {f"{place}__kind": "vendor", f"{place}__site": None}


class Balance(ExternallyKnown):
    """What lies where: the sum of the movements in and out of a location, per item, lot and stage. Never below zero.

    Virtual locations (supplier, consumed, scrap, difference) have no balance. What it costs is the pool's, as stock of one
    cost may lie in several places; `value` is the sum of what the movements were worth, and `level_values` brings the two
    together. What other systems call it came with the stock that was loaded.
    """

    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    since = models.DateTimeField(help_text="When the stock that lies here began to lie here: first in, first out.")

    objects = BalanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "location", "lot", "stage"], nulls_distinct=False, name="balance_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="balance_not_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.item_id} at {self.location_id}"


class CostPoolQuerySet(models.QuerySet["CostPool"]):
    def visible_to(self, user: HasScope) -> Self:
        scope = user.scope
        seen = scope.rows(site="site_id")
        if scope.site_ids:
            there = Balance.objects.visible_to(user).of_the_same().filter(**_shared("location"))
            seen |= Q(site=None) & Q(Exists(there))
        return self.filter(seen)


class CostPool(models.Model):
    """Stock that shares one cost: an item at a site by moving average, or one lot of it, or one stage of work in progress.

    Quantity and value are the sums of the movements in and out. Unit cost is derived, never stored.
    """

    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5)

    objects = CostPoolQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "site", "lot", "stage"], nulls_distinct=False, name="cost_pool_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0) & Q(value__gte=0), name="cost_pool_not_below_zero"),
            models.CheckConstraint(condition=Q(quantity__gt=0) | Q(value=0), name="cost_pool_empty_is_worth_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.item_id}"

    @property
    def unit_cost(self) -> Decimal | None:
        """By moving average; nothing lies there: none."""
        return (self.value / self.quantity).quantize(Decimal("0.00001"), ROUND_HALF_UP) if self.quantity else None
