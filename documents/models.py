"""The main job: requests for a run, runs with their progress, the work list of a run and its shards."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.scope import HasScope
from masterdata.models import MoneyField


class RunState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DECIDING = "deciding", "Deciding"
    WRITING = "writing", "Writing"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    HELD = "held", "Waits for a person"
    DROPPED = "dropped", "Dropped"


OVER = (RunState.DONE, RunState.FAILED, RunState.HELD, RunState.DROPPED)
"""Nobody works on such a run; one that is held goes on when a person says so."""


class GenerationRunQuerySet(models.QuerySet["GenerationRun"]):
    def unfinished(self) -> Self:
        return self.exclude(state__in=OVER)


class GenerationRun(models.Model):
    """One run of the main job: reads the plan, decides every open operation, makes and changes document sets.

    Counters tell what it looked at and did; they are exact when `state` is done. A dry run decides and counts, and
    writes neither decisions nor documents.
    """

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.WAITING)
    is_dry = models.BooleanField(default=False)
    scope = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField()
    on = models.DateField(help_text="The day the run reads prices and dates on.")
    started_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    operations = models.PositiveIntegerField(default=0)
    in_house = models.PositiveIntegerField(default=0)
    outsource = models.PositiveIntegerField(default=0)
    review = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    items_total = models.PositiveIntegerField(default=0)
    items_done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    alerts = models.PositiveIntegerField(default=0)
    orders = models.PositiveIntegerField(default=0, help_text="Active orders when the run was done.")
    lines = models.PositiveIntegerField(default=0, help_text="Active order lines when the run was done.")
    shipments = models.PositiveIntegerField(default=0, help_text="Active shipments when the run was done.")
    blocked_by = models.JSONField(default=dict, help_text="How many operations each block reason holds back.")
    error = models.TextField(blank=True)
    change_pct = models.DecimalField(
        max_digits=12, decimal_places=3, null=True, help_text="Lines changed and withdrawn, of those open before."
    )
    change_value = MoneyField(
        null=True,
        help_text="What is added, changed and withdrawn, in company currency.",
    )
    held_because = models.CharField(max_length=300, blank=True)
    settled_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    is_whole = models.BooleanField(default=False, help_text="Looks at everything, whatever changed.")
    looked_at = models.PositiveIntegerField(default=0, help_text="Operations decided anew; the others had not changed.")
    shared_mark = models.BigIntegerField(null=True, editable=False)

    objects = GenerationRunQuerySet.as_manager()

    class Meta:
        permissions = [
            ("start_generationrun", "Can start runs"),
            ("confirm_generationrun", "Can let a run go on that changes much"),
        ]
        constraints = [models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state")]

    def __str__(self) -> str:
        return self.number


class GenerationRequest(models.Model):
    """A wish for a run not before a time: the debounce. Several open ones are served by one run."""

    not_before = models.DateTimeField()
    reason = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    scope = models.JSONField(default=dict)
    is_whole = models.BooleanField(default=False)
    run = models.ForeignKey(GenerationRun, models.SET_NULL, null=True, related_name="requests")

    class Meta:
        indexes = [models.Index(fields=["not_before"], name="request_open", condition=Q(run__isnull=True))]

    def __str__(self) -> str:
        return self.reason


class OrderReading(models.Model):
    """What was read of a production order when it was decided last, as marks: as long as they are the same, so are its verdicts.

    `plan_mark`: the order, its operations and the planner's words. `lines_mark`: sent lines, and what a person has set.
    `drafts_mark`: the drafts there are once its run is written. `ground`: prices, policies and everything else. `day`: the day
    the verdicts hold for, where they read it. `is_shared`: it counts for others, or others for it.
    """

    production_order = models.OneToOneField(
        "production.ProductionOrder", models.CASCADE, primary_key=True, related_name="+"
    )
    plan_mark = models.BigIntegerField()
    lines_mark = models.BigIntegerField()
    drafts_mark = models.BigIntegerField()
    ground = models.BigIntegerField()
    day = models.DateField(null=True)
    is_shared = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["production_order"], name="order_reading_shared", condition=Q(is_shared=True))]

    def __str__(self) -> str:
        return f"{self.production_order_id}"


class Action(models.TextChoices):
    CREATE = "create", "Make a line"
    CHANGE = "change", "Change a draft line"
    CANCEL = "cancel", "Withdraw a draft line"
    ALERT = "alert", "Say that a sent line should change"


class ShardState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"


class RunShard(models.Model):
    """A part of a run's work, written in one transaction by whichever worker claims it first.

    The claim is the row lock of that transaction: a worker that dies lets go at once, with nothing written. Shards that only
    withdraw come first, so that a line can be made again where its like was withdrawn. `shipment_numbers` are reserved by
    the coordinator: a shard written twice, or by another worker, gives the same numbers.
    """

    run = models.ForeignKey(GenerationRun, models.CASCADE, related_name="shards")
    shard_no = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=ShardState, default=ShardState.WAITING)
    comes_first = models.BooleanField(default=False)
    shipment_numbers = ArrayField(models.CharField(max_length=20), default=list)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "shard_no"], name="run_shard_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.shard_no}"


class RunItem(models.Model):
    """One difference a run found between decisions and documents: what to do about one operation at one vendor.

    Items of one order share `group_key`; orders are numbered by due date, then vendor rank, before any worker starts, so a
    run that is killed and taken up again ends in the same numbers.
    """

    run = models.ForeignKey(GenerationRun, models.CASCADE, related_name="items")
    shard_no = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=8, choices=Action)
    operation = models.ForeignKey("production.Operation", models.CASCADE, related_name="+")
    award = models.ForeignKey("policies.Award", models.SET_NULL, null=True, related_name="+")
    line = models.ForeignKey("subcontract_orders.OrderLine", models.CASCADE, null=True, related_name="+")
    group_key = models.CharField(max_length=200, blank=True)
    order_number = models.CharField(max_length=20, blank=True)
    due_date = models.DateField(null=True)
    rank = models.PositiveSmallIntegerField(default=0)
    quantity = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    ship_to = models.ForeignKey("masterdata.Location", models.CASCADE, null=True, related_name="+")
    receive_at = models.ForeignKey("masterdata.Location", models.CASCADE, null=True, related_name="+")
    sources = ArrayField(models.BigIntegerField(), default=list, help_text="Locations it is shipped from.")
    components = models.JSONField(default=list, help_text="What the line needs, as documents.rules.Need.as_row.")
    content_hash = models.CharField(max_length=32, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [models.Index(fields=["run", "shard_no"], name="run_item_of_shard")]

    def __str__(self) -> str:
        return f"{self.action} {self.operation_id}"


class SimulationState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


class SimulationRunQuerySet(models.QuerySet["SimulationRun"]):
    def visible_to(self, user: HasScope) -> Self:
        """One's own; those of others only for who sees all sites, as their figures are of the sites of who asked."""
        return self if user.scope.everywhere else self.filter(requested_by=user)


class SimulationRun(models.Model):
    """A simulation somebody asked for on a page, with its answer, so that it can be opened again and shown to others.

    `asked` is what is supposed, as `POST policies/simulate/` takes it; `answer` what came of it, as that answers. The row is the
    queue: whoever finds it waiting works on it, and one whose worker died is found by its heartbeat.
    """

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=10, choices=SimulationState, default=SimulationState.WAITING)
    asked = models.JSONField(default=dict)
    said = models.CharField(max_length=300, help_text="What is supposed, in one sentence.")
    answer = models.JSONField(null=True)
    error = models.CharField(max_length=500, blank=True)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = SimulationRunQuerySet.as_manager()

    class Meta:
        verbose_name = "simulation"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SimulationState.values), name="simulation_state"),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(answer__isnull=False), name="simulation_done_has_answer"
            ),
        ]
        indexes = [models.Index(fields=["id"], name="simulation_open", condition=Q(state__in=["waiting", "running"]))]

    def __str__(self) -> str:
        return self.number
