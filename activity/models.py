"""What happened and what wants attention: events nobody can edit, and alerts that open once and close themselves."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Self, TypeVar

import pgtrigger
from django.db import models
from django.db.models import Q

from core.scope import HasScope
from masterdata.models import reference


class ThisTransaction(models.Func):
    """The number of the transaction that writes a row; numbers only grow, and savepoints have none of their own."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()
    allowed_default = True


class OldestRunning(models.Func):
    """The number of the oldest transaction still running: what has a lower one is committed, or never will be."""

    template = "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
    output_field = models.BigIntegerField()


class EventQuerySet(models.QuerySet["Event"]):
    def settled(self) -> Self:
        """Those no event can still come before, in the order of `transaction` and `id`: what runs yet may hold earlier ones."""
        return self.filter(transaction__lt=OldestRunning())

    def after(self, *, transaction: int, pk: int) -> Self:
        return self.filter(
            Q(transaction__gt=transaction) | Q(transaction=transaction, pk__gt=pk), transaction__gte=transaction
        )

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
    transaction = models.BigIntegerField(db_default=ThisTransaction(), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["document_kind", "document_number", "id"], name="event_of_document"),
            models.Index(fields=["transaction", "id"], name="event_in_commit_order"),
        ]
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

    def waiting(self) -> Self:
        """Open, and what it proposes was not refused."""
        return self.open().filter(refused_at__isnull=True)

    def awake(self, *, at: datetime) -> Self:
        """Not put off, or put off until before `at`."""
        return self.filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=at))

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
    responsible = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Who is to look after it, deputies counted.",
    )
    act_by = models.DateTimeField(null=True, help_text="When it goes one step up if nobody has taken it.")
    escalated_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True, help_text="Put off: shown again, and reminded of, from then on.")
    refused_at = models.DateTimeField(
        null=True, help_text="What it proposes was refused: it is not shown until it proposes something else."
    )
    refused_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    refusal = models.CharField(max_length=300, blank=True)
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
        indexes = [
            models.Index(fields=["order_number"], name="alert_of_order", condition=Q(closed_at__isnull=True)),
            models.Index(fields=["responsible", "id"], name="alert_of_person", condition=Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def headline(self) -> str:
        """The title as people say it: the vendor by his name, where he has one, not by his code."""
        if self.vendor is None or not self.vendor.name:
            return self.title
        code, name = re.escape(self.vendor.code), self.vendor.name
        return re.sub(rf"(?<![\w/-]){code}(?![\w/-])", lambda _: name, self.title)


class Responsible(models.Model):
    """Who looks after the alerts of a vendor and process, a vendor, or a site; blank fields mean any. The narrowest row rules.

    While the person is away (both days included) the deputy is asked. What nobody takes in time goes to `escalates_to`.
    """

    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.CASCADE, null=True, blank=True, related_name="+")
    process = models.ForeignKey("masterdata.Process", models.CASCADE, null=True, blank=True, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.CASCADE, null=True, blank=True, related_name="+")
    deputy = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    away_from = models.DateField(null=True, blank=True)
    away_to = models.DateField(null=True, blank=True)
    escalates_to = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "responsible people"
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "process", "site"], nulls_distinct=False, name="responsible_once"
            ),
            models.CheckConstraint(
                condition=Q(process__isnull=True) | Q(vendor__isnull=False), name="responsible_process_of_vendor"
            ),
            models.CheckConstraint(
                condition=Q(away_from__isnull=True, away_to__isnull=True)
                | Q(away_from__isnull=False, away_to__gte=models.F("away_from"), deputy__isnull=False),
                name="responsible_away_has_deputy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}"


D = TypeVar("D", "Message", "WebhookDelivery")


class DueQuerySet(models.QuerySet[D]):
    """Rows that are a queue: `next_attempt_at` says when, `claimed_until` that a worker is at it."""

    def claim_due(self, *, at: datetime, limit: int, hold: timedelta) -> list[D]:
        """Claim what is due, for so long; what a worker claimed that died is due again after that."""
        table = self.model._meta.db_table
        return list(
            self.raw(
                f"""
                UPDATE {table} SET claimed_until = %s
                WHERE id IN (
                    SELECT id FROM {table}
                    WHERE next_attempt_at <= %s AND (claimed_until IS NULL OR claimed_until <= %s)
                    ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED
                )
                RETURNING *
                """,
                [at + hold, at, at, limit],
            )
        )


class Message(models.Model):
    """A mail that has to go out: the row is the queue. Sent at least once; `next_attempt_at` is blank when it is over.

    `key` says what it is about, so that the same is not said twice ("alert/17", "digest/buyer/2026-03-02").
    """

    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=160, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    document_kind = models.CharField(max_length=30, blank=True)
    document_number = models.CharField(max_length=60, blank=True)
    revision = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects = DueQuerySet["Message"].as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="message_due", condition=Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.subject


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def with_counts(self) -> Self:
        """How many deliveries are `waiting` (to be made, or tried again), and how many rest with an error (`failed`)."""
        waits = Q(deliveries__next_attempt_at__isnull=False)
        rests = Q(deliveries__next_attempt_at__isnull=True, deliveries__delivered_at__isnull=True)
        return self.annotate(
            waiting=models.Count("deliveries", filter=waits), failed=models.Count("deliveries", filter=rests)
        )


class WebhookEndpoint(models.Model):
    """Where another system wants to be told of events: signed, in the order of commits, of what its owner may see.

    `events` names what it wants to know (`order.approved`, or `order.*` for all of a kind); empty is everything. It was told up
    to `told_transaction` and `told_id`. The secret signs what is sent, for a day together with the one before it.
    """

    code = models.CharField(max_length=60, unique=True)
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    secret = models.CharField(max_length=100, editable=False)
    secret_before = models.CharField(max_length=100, blank=True, editable=False)
    secret_before_until = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(default=True)
    told_transaction = models.BigIntegerField(editable=False)
    told_id = models.BigIntegerField(editable=False)
    created_at = models.DateTimeField()

    objects = WebhookEndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.code


class WebhookDelivery(models.Model):
    """One event that an endpoint has to be told: the row is the queue. Told at least once, with the same id each time."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    next_attempt_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    answer = models.PositiveSmallIntegerField(null=True, help_text="The HTTP status it was last answered with.")
    error = models.TextField(blank=True)

    objects = DueQuerySet["WebhookDelivery"].as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="event_told_an_endpoint_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="delivery_due", condition=Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} for {self.endpoint}"
