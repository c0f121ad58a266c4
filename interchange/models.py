"""What was read from outside, when, by whom, and what became of it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from masterdata.models import reference


class PlanImport(models.Model):
    """One import that was written: counts per table and notes. A refused import and a dry run leave no row.

    `rejects` are the rows of orders that were left out, as they came, each with its reason: one CSV text a table.
    """

    at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    origin = models.CharField(max_length=200, blank=True, help_text="The folder, the file, or the way it came.")
    counts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    rejected = models.PositiveIntegerField(default=0)
    rejects = models.JSONField(default=dict)
    reference = reference("IM-")

    class Meta:
        verbose_name = "import"
        permissions = [("import_plan", "Can import plans and master data")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.origin}".strip()


class JobState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    READING = "reading", _("Reading")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


UNFINISHED = (JobState.WAITING, JobState.READING)


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)


class ImportJob(models.Model):
    """An import that a worker does, or (`is_dry`) the preview of one that a person may confirm. The row is the queue.

    `options` are those of an import; `report` what it did or would do, as `ImportReport.as_data`; `errors` every bad row of a
    refused one. Its file lies in parts beside it until it is done, a preview's until it is confirmed or a day is over.
    """

    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    is_dry = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    origin = models.CharField(max_length=200, blank=True)
    options = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes, as they came.")
    is_to_stop = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    report = models.JSONField(default=dict)
    errors = models.JSONField(default=list)
    result = models.ForeignKey(PlanImport, models.PROTECT, null=True, related_name="+")
    reference = reference("IJ-")

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        verbose_name = "import job"
        constraints = [models.CheckConstraint(condition=Q(state__in=JobState.values), name="import_job_state")]
        indexes = [models.Index(fields=["id"], name="import_job_unfinished", condition=Q(state__in=UNFINISHED))]

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def is_preview(self) -> bool:
        """Looked through without error: it may be confirmed."""
        return self.is_dry and self.state == JobState.DONE


class ImportPart(models.Model):
    """A piece of a file that an import job is about to read."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="parts")
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "name", "position"], name="import_part_once")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.name} {self.position}"
