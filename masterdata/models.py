"""Who and what there is: items, units, vendors, sites, locations, work centers, processes, calendars, currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Cast, Concat, Upper

from core.scope import HasScope
from masterdata.rules import MOST_DECIMALS, short_money


class ExternallyKnown(models.Model):
    """A row other systems know by keys of their own: `external_refs` is a list of {system, key}."""

    source = models.CharField(max_length=60, blank=True)
    external_refs = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True


class Retirable(models.Model):
    """A row that is never deleted, as documents name it, but can be taken out of use: nothing new may name it then."""

    is_active = models.BooleanField(default=True)

    class Meta:
        abstract = True

    @property
    def may_be_named(self) -> bool:
        return self.is_active


def found_within(column: str, *, name: str) -> GinIndex:
    """An index for `column__icontains`, which every search of ours is."""
    return GinIndex(OpClass(Upper(column), name="gin_trgm_ops"), name=name)


def reference(prefix: str) -> models.GeneratedField:
    """The business key of a row that has no other: the prefix and a number, made by the database."""
    return models.GeneratedField(
        expression=Concat(Value(prefix), Cast("id", models.CharField())),
        output_field=models.CharField(max_length=30),
        db_persist=True,
        unique=True,
    )


class MoneyField(models.DecimalField):  # type: ignore[type-arg]  # django-stubs fills them in for its own fields only
    """An amount of money: kept with as many decimals as any currency in use has, read with two where the third is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 19, "decimal_places": MOST_DECIMALS, **kwargs})

    def from_db_value(self, value: Decimal | None, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else short_money(value)


class Currency(models.Model):
    """A currency; amounts in it are rounded half-up to `decimals`."""

    code = models.CharField(max_length=3, unique=True)
    name = models.CharField(max_length=60, blank=True)
    decimals = models.PositiveSmallIntegerField(default=2)

    class Meta:
        verbose_name_plural = "currencies"
        constraints = [
            models.CheckConstraint(
                condition=Q(decimals__lte=MOST_DECIMALS),
                name="currency_decimals",
                violation_error_message=f"Amounts are kept with {MOST_DECIMALS} decimals; a currency cannot have more.",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Company(ExternallyKnown):
    """The one company this installation belongs to."""

    name = models.CharField(max_length=200, blank=True)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+")
    time_zone = models.CharField(max_length=60, default="UTC")
    address = models.TextField(blank=True)
    logo = models.FileField(
        upload_to="company/",
        blank=True,
        validators=[FileExtensionValidator(["png", "svg", "jpg", "jpeg"])],
        help_text="Stands on every paper: PNG, SVG or JPEG.",
    )
    ship_back = models.TextField(
        blank=True, help_text="How goods are packed and sent back to us; stands on every order."
    )
    four_eyes = models.BooleanField(
        default=False, help_text="An order is approved by another person than who made or last changed it."
    )
    unconfirmed_days = models.PositiveIntegerField(
        default=2, help_text="How many days a vendor may leave a sent order unanswered."
    )
    vendor_stock_days = models.PositiveIntegerField(
        default=180,
        help_text="After how many days material of ours at a vendor is old: an alert asks to bring home what is not needed.",
    )
    return_within_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Within how many days material sent to a vendor must be back by law (India: 365). Blank: no such rule.",
    )
    max_change_pct = models.DecimalField(
        max_digits=8,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="A run that would change more than this share of the open lines waits for a person.",
    )
    max_change_value = MoneyField(
        null=True,
        blank=True,
        help_text="A run that would change more than this value of the open lines waits for a person.",
    )

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="company_is_one"),
            models.CheckConstraint(
                condition=Q(max_change_pct__isnull=True) | Q(max_change_pct__gte=0), name="company_change_pct"
            ),
            models.CheckConstraint(
                condition=Q(max_change_value__isnull=True) | Q(max_change_value__gte=0), name="company_change_value"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(ExternallyKnown):
    """Company currency for one unit of `currency`, from a day on until the next row."""

    currency = models.ForeignKey(Currency, models.PROTECT, related_name="rates")
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    valid_from = models.DateField()
    reference = reference("FX-")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["currency", "valid_from"], name="exchange_rate_one_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.currency_id} {self.valid_from}"


class Unit(ExternallyKnown, Retirable):
    """A unit of measure; proposals are rounded up to its decimals, entries with more are refused."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60, blank=True)
    decimals = models.PositiveSmallIntegerField(default=5)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(decimals__lte=5), name="unit_decimals")]

    def __str__(self) -> str:
        return self.code


class ItemGroup(ExternallyKnown, Retirable):
    """Items a policy can name together."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.code


class ItemKind(models.TextChoices):
    RAW = "raw", "Raw"
    SEMI = "semi", "Semi-finished"
    FINISHED = "finished", "Finished"
    SERVICE = "service", "Service"


QUANTITY_DECIMALS = 5  # of a quantity whose item has no unit, which is as many as are kept


class Item(ExternallyKnown):
    """A part, a material or a service."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=ItemKind, default=ItemKind.RAW)
    item_group = models.ForeignKey(ItemGroup, models.PROTECT, null=True, blank=True, related_name="items")
    lot_tracked = models.BooleanField(default=False)
    serial_tracked = models.BooleanField(default=False)
    is_blocked = models.BooleanField(default=False)
    is_phantom = models.BooleanField(default=False)
    standard_cost = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    revision = models.CharField(max_length=20, blank=True)
    weight_kg = models.DecimalField(
        max_digits=18, decimal_places=5, null=True, blank=True, help_text="Kilograms a unit, for delivery notes."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ItemKind.values), name="item_kind"),
            models.CheckConstraint(condition=Q(weight_kg__gte=0), name="item_weight_not_negative"),
        ]
        indexes = [found_within("code", name="item_code_within"), found_within("name", name="item_name_within")]

    def __str__(self) -> str:
        return self.code

    @property
    def decimals(self) -> int:
        """How many decimals its quantities have: its unit's, five without a unit. Reads the unit."""
        return self.unit.decimals if self.unit else QUANTITY_DECIMALS


class ItemUnit(ExternallyKnown):
    """Another unit an item is priced in: one of `unit` holds `factor` of the item's own unit (1 kg holds 4 pieces)."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="other_units")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    factor = models.DecimalField(max_digits=18, decimal_places=8)
    reference = reference("IU-")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "unit"], name="item_unit_once"),
            models.CheckConstraint(condition=Q(factor__gt=0), name="item_unit_factor_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.unit_id}"


class Site(ExternallyKnown, Retirable):
    """A plant of ours; "today" is its own."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    address = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.code


class VendorQuerySet(models.QuerySet["Vendor"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def invoiced_by(self, vendor_id: int) -> Self:
        """The vendor himself and his sites: whose work he sends invoices for."""
        return self.filter(Q(pk=vendor_id) | Q(belongs_to=vendor_id))

    def visible_to(self, user: HasScope) -> Self:
        scope = user.scope
        # A person of ours at one site still buys from every vendor; a vendor's user sees only himself.
        return self if scope.everywhere or scope.site_ids else self.filter(scope.rows(vendor="pk"))


class Vendor(ExternallyKnown):
    """A subcontractor or supplier, or a site of one.

    A site (`belongs_to` is filled) is asked for work, shipped to and approved as any vendor, with an address, a location, a
    calendar, approvals and prices of its own; what it did is invoiced by the vendor it belongs to.
    """

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    city = models.CharField(max_length=100, blank=True)
    currency = models.ForeignKey(Currency, models.PROTECT, null=True, blank=True, related_name="+")
    address = models.TextField(blank=True)
    email = models.EmailField(blank=True, help_text="Orders are mailed here as soon as they are sent.")
    language = models.CharField(
        max_length=10, blank=True, help_text="What papers and mail are written in; blank is English."
    )
    belongs_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sites",
        help_text="The vendor whose site it is, and who sends its invoices.",
    )
    transit_out_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Calendar days from us to him; blank is what the policy says."
    )
    transit_back_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Calendar days from him to us; blank is what the policy says."
    )
    is_active = models.BooleanField(default=True)

    objects = VendorQuerySet.as_manager()

    class Meta:
        indexes = [found_within("name", name="vendor_name_within")]
        constraints = [
            models.CheckConstraint(condition=~Q(belongs_to=models.F("pk")), name="vendor_is_not_its_own_site"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="vendor_sites_have_no_sites",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__belongs_to__isnull=False),
                func="""
                    IF EXISTS (SELECT FROM masterdata_vendor WHERE id = NEW.belongs_to_id AND belongs_to_id IS NOT NULL)
                        OR EXISTS (SELECT FROM masterdata_vendor WHERE belongs_to_id = NEW.id)
                    THEN
                        RAISE EXCEPTION 'a site has no sites' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.belongs_to and (problem := self.no_site_of(self.belongs_to)):
            raise ValidationError({"belongs_to": problem})

    def no_site_of(self, other: Vendor) -> str:
        """Why it cannot be a site of another vendor; blank where it can."""
        if other.pk == self.pk or other.code == self.code:
            return "A vendor is not a site of its own."
        if other.belongs_to_id is not None:
            return f"{other} is a site itself; name the vendor it belongs to."
        if self.pk and self.sites.exists():
            return f"{self} has sites; it cannot be one."
        return ""


class LocationKind(models.TextChoices):
    PLANT = "plant", "Plant"
    WAREHOUSE = "warehouse", "Warehouse"
    PRODUCTION = "production", "Production"
    VENDOR = "vendor", "At a vendor"
    TRANSIT = "transit", "In transit"
    INSPECTION = "inspection", "Inspection"
    QUARANTINE = "quarantine", "Quarantine"
    SUPPLIER = "supplier", "From a supplier (virtual)"
    CONSUMED = "consumed", "Used or made in production (virtual)"
    SCRAP = "scrap", "Scrap (virtual)"
    DIFFERENCE = "difference", "Difference (virtual)"


VIRTUAL_KINDS = (LocationKind.SUPPLIER, LocationKind.CONSUMED, LocationKind.SCRAP, LocationKind.DIFFERENCE)


class LocationQuerySet(models.QuerySet["Location"]):
    def at_vendors(self) -> Self:
        return self.filter(kind=LocationKind.VENDOR)

    def holding_stock(self) -> Self:
        return self.exclude(kind__in=VIRTUAL_KINDS)


class Location(ExternallyKnown, Retirable):
    """A place that holds stock. A vendor's location belongs to the vendor, and to the site of ours whose material lies there."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=12, choices=LocationKind, default=LocationKind.WAREHOUSE)
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="locations")
    vendor = models.ForeignKey(Vendor, models.PROTECT, null=True, blank=True, related_name="locations")
    is_main = models.BooleanField(default=False, help_text="Where the site's goods are shipped from and received into.")

    objects = LocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=LocationKind.values), name="location_kind"),
            models.CheckConstraint(
                condition=~Q(kind=LocationKind.VENDOR) | Q(vendor__isnull=False), name="location_of_vendor_names_him"
            ),
            models.UniqueConstraint(fields=["site"], condition=Q(is_main=True), name="location_one_main_a_site"),
        ]

    def __str__(self) -> str:
        return self.code


class WorkCenterKind(models.TextChoices):
    INTERNAL = "internal", "Internal"
    EXTERNAL = "external", "External"


class WorkCenter(ExternallyKnown, Retirable):
    """A machine or group of machines of ours, or (external) a stand-in for work done outside, perhaps at a vendor of its own.

    Capacity in hours a working day (blank: not known, counted as 8 for scheduling), cost in company currency an hour.
    """

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=WorkCenterKind, default=WorkCenterKind.INTERNAL)
    vendor = models.ForeignKey(Vendor, models.PROTECT, null=True, blank=True, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="+")
    location = models.ForeignKey(Location, models.PROTECT, null=True, blank=True, related_name="+")
    capacity_hours_per_day = models.DecimalField(max_digits=10, decimal_places=3, null=True, blank=True)
    hourly_cost = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=WorkCenterKind.values), name="work_center_kind")]

    def __str__(self) -> str:
        return self.code


class Process(ExternallyKnown, Retirable):
    """The kind of work a vendor is bought for (zinc plating, baking the crust)."""

    code = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200, blank=True)
    requires_approval = models.BooleanField(default=False, help_text="Only vendors with an approval may do it.")
    certificates = models.JSONField(default=list, blank=True, help_text="Kinds of certificate always asked for.")

    class Meta:
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return self.code


class Specification(ExternallyKnown):
    """What a vendor is told of the work: of a process, of an item, or of that process on that item, which goes first."""

    item = models.ForeignKey(Item, models.CASCADE, null=True, blank=True, related_name="+")
    process = models.ForeignKey(Process, models.CASCADE, null=True, blank=True, related_name="+")
    text = models.TextField()
    reference = reference("SPEC-")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["process", "item"], nulls_distinct=False, name="specification_once"),
            models.CheckConstraint(
                condition=Q(item__isnull=False) | Q(process__isnull=False), name="specification_of_something"
            ),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class SpecificationFile(models.Model):
    """A file that goes with a specification: a drawing, a model, a table. `path` names its content and is never written again."""

    specification = models.ForeignKey(Specification, models.CASCADE, related_name="files")
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="In bytes.")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["specification", "name"], name="specification_file_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="specification_file_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class Closure(ExternallyKnown):
    """A closed day beyond weekends, or all days to `last_day`: of a vendor, of a work center, or (neither) of all of ours."""

    vendor = models.ForeignKey(Vendor, models.CASCADE, null=True, blank=True, related_name="closures")
    work_center = models.ForeignKey(WorkCenter, models.CASCADE, null=True, blank=True, related_name="closures")
    day = models.DateField()
    last_day = models.DateField(null=True, blank=True, help_text="Included; blank: one day.")
    reason = models.CharField(max_length=200, blank=True)
    reference = reference("CL-")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "work_center", "day"], nulls_distinct=False, name="closure_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(vendor__isnull=True) | Q(work_center__isnull=True), name="closure_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(last_day__isnull=True) | Q(last_day__gte=models.F("day")), name="closure_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class HolidayCalendar(ExternallyKnown):
    """Closed on the public holidays of a country (or a part of it): a vendor, a work center, or (neither) all of ours."""

    vendor = models.ForeignKey(Vendor, models.CASCADE, null=True, blank=True, related_name="+")
    work_center = models.ForeignKey(WorkCenter, models.CASCADE, null=True, blank=True, related_name="+")
    country = models.CharField(max_length=2)
    subdivision = models.CharField(max_length=10, blank=True)
    reference = reference("HC-")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["country", "vendor", "work_center"], nulls_distinct=False, name="holiday_calendar_once"
            ),
            models.CheckConstraint(
                condition=Q(vendor__isnull=True) | Q(work_center__isnull=True), name="holiday_calendar_of_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.subdivision}".strip()


class Downtime(ExternallyKnown):
    """Days (both included) on which a work center of ours cannot work: breakdown, overhaul, people ill."""

    work_center = models.ForeignKey(WorkCenter, models.CASCADE, related_name="downtimes")
    start_date = models.DateField()
    end_date = models.DateField()
    reason = models.CharField(max_length=200, blank=True)
    reference = reference("DT-")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work_center", "start_date"], name="downtime_once"),
            models.CheckConstraint(condition=Q(end_date__gte=models.F("start_date")), name="downtime_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.work_center_id} {self.start_date}"


class NumberRange(models.Model):
    """The last number given to documents of a kind. Drawn in blocks; gaps are allowed, duplicates are not."""

    kind = models.CharField(max_length=30, unique=True)
    prefix = models.CharField(max_length=10)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.kind


class NumberLane(models.Model):
    """One of several counters that share a kind's numbers: it gives `next`, then every so many-th number after it.

    Whoever draws takes the free lane with the lowest number, so that those who draw at once need not wait for one another.
    """

    kind = models.CharField(max_length=30)
    lane = models.PositiveSmallIntegerField()
    next = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "lane"], name="number_lane_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.lane}"


class PlanChange(models.Model):
    """Something changed that verdicts read: a plan, a price, a policy. Waits until whoever makes runs takes it.

    Rows are only added and taken, so a change that is committed late is never overlooked.
    """

    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.reason
