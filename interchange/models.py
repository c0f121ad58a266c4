"""What was read from outside, when, by whom, and what became of it."""

from __future__ import annotations

from django.db import models

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
