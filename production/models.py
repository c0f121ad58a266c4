"""The plan: bills of material, routings, production orders and their operations."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.scope import HasScope
from masterdata.models import ExternallyKnown, found_within


class Supply(models.TextChoices):
    """How a component reaches the vendor."""

    OWN = "own", "We ship it"
    VENDOR = "vendor", "The vendor provides it"
    CONSIGNED = "consigned", "Our stock already at the vendor"
    DIRECT = "direct", "A third party delivers it to the vendor"
    RETURNABLE = "returnable", "Shipped, not used up, expected back"
    BY_PRODUCT = "by_product", "Comes out of the work beside the piece"


NOT_USED = (Supply.VENDOR, Supply.RETURNABLE, Supply.BY_PRODUCT)
"""Rows of a bill that no material of ours is used up for."""
NOT_THERE = (Supply.VENDOR, Supply.BY_PRODUCT)
"""Rows of a bill of which nothing of ours lies at the vendor."""


class QuantityBasis(models.TextChoices):
    PER_UNIT = "per_unit", "For each piece"
    PER_ORDER = "per_order", "For the whole order"


class BomLine(ExternallyKnown):
    """A component of a made item: quantity for each piece (or for the whole order), with scrap added in percent.

    A by-product is a row of the bill as well: so much of it comes out of the work for each piece.

    A blank operation number ties the component to the first operation.
    """

    parent = models.ForeignKey("masterdata.Item", models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    component = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    basis = models.CharField(max_length=10, choices=QuantityBasis, default=QuantityBasis.PER_UNIT)
    scrap_pct = models.DecimalField(max_digits=8, decimal_places=4, default=0)
    operation_no = models.CharField(max_length=20, blank=True)
    supply = models.CharField(max_length=10, choices=Supply, default=Supply.OWN)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "position"], name="bom_line_position"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="bom_quantity_above_zero"),
            models.CheckConstraint(condition=Q(scrap_pct__gte=0), name="bom_scrap_not_negative"),
            models.CheckConstraint(condition=~Q(parent=F("component")), name="bom_not_of_itself"),
            models.CheckConstraint(condition=Q(supply__in=Supply.values), name="bom_supply"),
            models.CheckConstraint(condition=Q(basis__in=QuantityBasis.values), name="bom_basis"),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} {self.position}"


class Outsourced(models.TextChoices):
    NO = "no", "Stays inside"
    YES = "yes", "Always outside"
    MAYBE = "maybe", "A policy decides"


class RoutingStep(ExternallyKnown):
    """How an item is made: one step of its routing (or of a named variant of it).

    `next_nos` names the step(s) that follow; where no step of a routing names any, they follow one another by sequence.
    """

    item = models.ForeignKey("masterdata.Item", models.CASCADE, related_name="+")
    variant = models.CharField(max_length=60, blank=True)
    sequence = models.PositiveIntegerField()
    operation_no = models.CharField(max_length=20)
    name = models.CharField(max_length=200, blank=True)
    process = models.ForeignKey("masterdata.Process", models.PROTECT, null=True, blank=True, related_name="+")
    work_center = models.ForeignKey("masterdata.WorkCenter", models.PROTECT, null=True, blank=True, related_name="+")
    setup_minutes = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    run_minutes = models.DecimalField("run minutes a piece", max_digits=12, decimal_places=6, null=True, blank=True)
    outsourced = models.CharField(max_length=5, choices=Outsourced, default=Outsourced.NO)
    next_nos = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "variant", "operation_no"], name="routing_step_once"),
            models.CheckConstraint(condition=Q(outsourced__in=Outsourced.values), name="routing_step_outsourced"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.operation_no}"


class OrderStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    FIRM = "firm", "Firm"
    RELEASED = "released", "Released"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATUSES = (OrderStatus.PLANNED, OrderStatus.FIRM, OrderStatus.RELEASED, OrderStatus.IN_PROGRESS)


class ProductionOrderQuerySet(models.QuerySet["ProductionOrder"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN_STATUSES)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id"))


class ProductionOrder(ExternallyKnown):
    """So many of an item, due on a day. `version` counts changes, for If-Match.

    A planned order that became a firm one is the same row under the firm number; `replaces` names what it was before.
    Its pieces between operations keep the name they had: `first_number`, blank where the number never changed.
    `withdrawn_from` is the status it had when a snapshot without it cancelled it: the plan that names it again brings it
    back. Blank where a person or the plan itself cancelled it, which stays.
    `wanted_item` is what the plan makes of it now, while vendors were asked for work on `item`: a person says what becomes of
    their lines, then the order turns to it.
    """

    number = models.CharField(max_length=60, unique=True)
    replaces = models.CharField(max_length=60, blank=True)
    first_number = models.CharField(max_length=70, blank=True, editable=False)
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    wanted_item = models.ForeignKey(
        "masterdata.Item",
        models.PROTECT,
        verbose_name="item the plan wants now",
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    start_date = models.DateField(null=True, blank=True)
    due_date = models.DateField()
    status = models.CharField(max_length=12, choices=OrderStatus, default=OrderStatus.PLANNED)
    withdrawn_from = models.CharField(max_length=12, blank=True, editable=False)
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    location = models.ForeignKey("masterdata.Location", models.PROTECT, null=True, blank=True, related_name="+")
    routing_variant = models.CharField(max_length=60, blank=True)
    parent_number = models.CharField(max_length=60, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    objects = ProductionOrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="production_order_quantity_above_zero"),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="production_order_status"),
        ]
        indexes = [
            models.Index(fields=["due_date", "id"], name="production_order_due", condition=Q(status__in=OPEN_STATUSES)),
            models.Index(fields=["replaces"], name="production_order_replaces", condition=~Q(replaces="")),
            models.Index(fields=["first_number"], name="production_order_first_number", condition=~Q(first_number="")),
            found_within("number", name="production_order_within"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stage_number(self) -> str:
        """What the ledger calls its pieces between two operations; a renumbered order keeps it."""
        return self.first_number or self.number


class OperationStatus(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


BEGUN = Q(good__gt=0) | Q(scrap__gt=0) | Q(status__in=[OperationStatus.IN_PROGRESS, OperationStatus.FINISHED])
"""Operations of which work was reported."""


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> Self:
        return self.filter(
            status__in=[OperationStatus.OPEN, OperationStatus.IN_PROGRESS], production_order__status__in=OPEN_STATUSES
        )

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="production_order__site_id"))


class Operation(ExternallyKnown):
    """One step of a production order: `quantity` to do, `good` and `scrap` reported so far.

    `planned_start` and `planned_end` are the plan's own schedule, before any vendor is chosen; `dates_given` says whether
    the plan stated them or they were scheduled backward from the due date. `next_nos` as on the routing step. `is_given`:
    the plan stated this operation itself, so a changed routing leaves it alone. `is_committed`: an order for it was sent to a
    vendor once, so it stays what it was when it was asked for; a changed routing can only cancel it.
    """

    production_order = models.ForeignKey(ProductionOrder, models.CASCADE, related_name="operations")
    sequence = models.PositiveIntegerField()
    operation_no = models.CharField(max_length=20)
    name = models.CharField(max_length=200, blank=True)
    process = models.ForeignKey("masterdata.Process", models.PROTECT, null=True, blank=True, related_name="+")
    work_center = models.ForeignKey("masterdata.WorkCenter", models.PROTECT, null=True, blank=True, related_name="+")
    setup_minutes = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    run_minutes = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    outsourced = models.CharField(max_length=5, choices=Outsourced, default=Outsourced.NO)
    next_nos = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    good = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    scrap = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    status = models.CharField(max_length=12, choices=OperationStatus, default=OperationStatus.OPEN)
    planned_start = models.DateField(null=True, blank=True)
    planned_end = models.DateField(null=True, blank=True)
    dates_given = models.BooleanField(default=False)
    is_given = models.BooleanField(default=False)
    is_committed = models.BooleanField(default=False, editable=False)

    objects = OperationQuerySet.as_manager()

    class Meta:
        permissions = [
            ("speak_operationword", "Can send an operation outside or keep it inside"),
            ("report_operation", "Can report what was made of an operation"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["production_order", "operation_no"], name="operation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="operation_quantity_above_zero"),
            models.CheckConstraint(condition=Q(good__gte=0) & Q(scrap__gte=0), name="operation_reports_not_negative"),
            models.CheckConstraint(condition=Q(status__in=OperationStatus.values), name="operation_status"),
            models.CheckConstraint(condition=Q(outsourced__in=Outsourced.values), name="operation_outsourced"),
        ]

    def __str__(self) -> str:
        return f"{self.production_order_id} {self.operation_no}"


class Word(models.TextChoices):
    OUTSIDE = "outsource", "Outside"
    INSIDE = "in_house", "Inside"


class OperationWord(models.Model):
    """The planner's word on one operation: outside (at a vendor, where named) or inside, with who, when and why.

    The latest row counts; earlier ones stay as history.
    """

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="words")
    word = models.CharField(max_length=10, choices=Word)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation"], condition=Q(is_current=True), name="operation_word_one_current"
            ),
            models.CheckConstraint(condition=Q(word__in=Word.values), name="operation_word"),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.word}"
