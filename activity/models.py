"""What happened and what wants attention: events nobody can edit, and alerts that open once and close themselves."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from core.scope import HasScope
from masterdata.models import reference


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, *, kind: str, number: str) -> Self:
        return self.filter(document_kind=kind, document_number=number)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Event(models.Model):
    """Something that happened to a document: what, who, when, through what. Never edited, never deleted."""

    name = models.CharField(max_length=60, help_text="For example order.approved")
    document_kind = models.CharField(max_length=30)
    document_number = models.CharField(max_length=60)
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    through = models.CharField(max_length=20, default="system", help_text="page, api, admin, run, system")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, null=True, related_name="+")
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["document_kind", "document_number", "id"], name="event_of_document")]
        triggers = [pgtrigger.Protect(name="event_is_final", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name} {self.document_number}"


class Severity(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Alert(models.Model):
    """A thing a person should look at. Open once per kind and subject, updated while it lasts, closed when its cause is gone.

    `subject` is the immutable text key of what it is about (an order line, a production order); `before` and `after` say
    what was and what is proposed.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=160)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    title = models.CharField(max_length=300)
    order_number = models.CharField(max_length=20, blank=True)
    line_no = models.PositiveIntegerField(null=True, blank=True)
    production_order = models.CharField(max_length=60, blank=True)
    operation_no = models.CharField(max_length=20, blank=True)
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    proposes = models.CharField(
        max_length=30, blank=True, help_text="What applying it would do: change, cancel, order …"
    )
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    taken_at = models.DateTimeField(null=True)
    due_date = models.DateField(null=True)
    reference = reference("AL-")

    objects = AlertQuerySet.as_manager()

    class Meta:
        permissions = [("take_alert", "Can take, snooze and apply alerts")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(closed_at__isnull=True), name="alert_opens_once"
            ),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="alert_severity"),
        ]
        indexes = [models.Index(fields=["order_number"], name="alert_of_order", condition=Q(closed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
