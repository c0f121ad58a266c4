"""What is measured of the promises: one row for each thing measured, and its sums by day and month."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from core.scope import HasScope


class Grain(models.TextChoices):
    DAY = "day", "Day"
    MONTH = "month", "Month"


class Dimensions(models.Model):
    """What a figure can be narrowed to and grouped by.

    All of it is copied from rows that hold the keys themselves, and can be made anew from them at any time: the database does
    not check it a second time, which would cost more than all the rest.
    """

    figure = models.CharField(max_length=20)
    day = models.DateField()
    site = models.ForeignKey("masterdata.Site", models.CASCADE, null=True, related_name="+", db_constraint=False)
    vendor = models.ForeignKey("masterdata.Vendor", models.CASCADE, null=True, related_name="+", db_constraint=False)
    process = models.ForeignKey("masterdata.Process", models.CASCADE, null=True, related_name="+", db_constraint=False)
    work_center = models.ForeignKey(
        "masterdata.WorkCenter", models.CASCADE, null=True, related_name="+", db_constraint=False
    )
    value = models.IntegerField(
        default=0, help_text="What was measured, where its distribution is read: days, minutes."
    )
    amount = models.DecimalField(max_digits=22, decimal_places=5)
    base = models.DecimalField(max_digits=22, decimal_places=5)

    class Meta:
        abstract = True


class MeasurementQuerySet(models.QuerySet["Measurement"]):
    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Measurement(Dimensions):
    """One thing measured for one figure, of one row of a source (a receipt line, an order line, a movement).

    Taken anew whenever something happens to the document it belongs to; `services.keeping` is the one writer.
    """

    source = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    document = models.CharField(max_length=80)
    line_no = models.PositiveIntegerField(null=True)

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "row_id", "figure", "work_center", "process"],
                nulls_distinct=False,
                name="measurement_once",
            )
        ]
        indexes = [models.Index(fields=["figure", "day", "id"], name="measurement_by_day")]
        permissions = [("rebuild_measurement", "Can have all figures measured anew")]

    def __str__(self) -> str:
        return f"{self.figure} {self.document}"


class RollupQuerySet(models.QuerySet["Rollup"]):
    def within(self, *, months: tuple[object, object] | None, days: tuple[tuple[object, object], ...]) -> Self:
        """Of whole months (by their first days) and of single days, as rules.periods.parts gives them."""
        wanted = Q(pk__in=())
        if months:
            wanted |= Q(grain=Grain.MONTH, day__range=months)
        for span in days:
            wanted |= Q(grain=Grain.DAY, day__range=span)
        return self.filter(wanted)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Rollup(Dimensions):
    """The sum of all measurements of a figure with the same keys on a day, or in a month (by its first day)."""

    grain = models.CharField(max_length=5, choices=Grain)
    count = models.IntegerField()

    objects = RollupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["figure", "grain", "day", "vendor", "process", "site", "work_center", "value"],
                nulls_distinct=False,
                name="rollup_once",
            ),
            models.CheckConstraint(condition=Q(grain__in=Grain.values), name="rollup_grain"),
        ]
        indexes = [models.Index(fields=["id"], name="rollup_empty", condition=Q(count=0))]

    def __str__(self) -> str:
        return f"{self.figure} {self.day}"


class MonthEnd(models.Model):
    """So much of an item (of a lot, at a stage) lay at a vendor's place when a month had ended by the clock of its site, by all
    movements until then. What lay there on any day is this and the movements of one month.
    """

    day = models.DateField(help_text="The last of the month.")
    location = models.ForeignKey("masterdata.Location", models.CASCADE, related_name="+", db_constraint=False)
    item = models.ForeignKey("masterdata.Item", models.CASCADE, related_name="+", db_constraint=False)
    lot = models.ForeignKey("inventory.Lot", models.CASCADE, null=True, related_name="+", db_constraint=False)
    stage = models.CharField(max_length=90, blank=True)
    quantity = models.DecimalField(max_digits=22, decimal_places=5)
    value = models.DecimalField(max_digits=22, decimal_places=5)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "location", "item", "lot", "stage"], nulls_distinct=False, name="month_end_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.location_id} {self.item_id}"


class Feed(models.Model):
    """How far a stream of rows (events, movements, decisions) has been measured.

    Rows are numbered before they are committed, so a lower number may appear after a higher one was read. Everything up to
    `done_id` is known to be there; `seen_id` was read while transactions below `horizon` were still running, and becomes done
    once they are over. Until then rows in between are measured again, which changes nothing.
    """

    name = models.CharField(max_length=20, unique=True)
    done_id = models.BigIntegerField(default=0)
    seen_id = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)
    settings = models.CharField(max_length=200, blank=True, help_text="What the measurements were taken with.")
    kept_until = models.DateField(null=True, help_text="The last month end that is kept.")

    def __str__(self) -> str:
        return self.name
