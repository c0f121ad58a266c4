"""What bookkeeping gets from us: a journal of debits and credits, closed periods, accounts; balances confirmed by vendors."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.scope import HasScope


class Role(models.TextChoices):
    """What an amount is, whatever the account is called in the books."""

    RAW = "raw", _("Stock of raw material")
    SEMI = "semi", _("Stock of semi-finished goods")
    FINISHED = "finished", _("Stock of finished goods")
    WORK_IN_PROGRESS = "work_in_progress", _("Work in progress")
    AT_VENDORS = "at_vendors", _("Material at vendors")
    PRODUCTION = "production", _("Production clearing")
    SCRAP = "scrap", _("Scrap and rejects")
    STOCK_DIFFERENCE = "stock_difference", _("Stock differences")
    PRICE_VARIANCE = "price_variance", _("Price variance")
    EXCHANGE_DIFFERENCE = "exchange_difference", _("Exchange differences")
    OPENING = "opening", _("Opening and other stock from outside")
    NOT_INVOICED = "not_invoiced", _("Received, not invoiced")
    PAYABLES = "payables", _("Payables to vendors")
    INPUT_TAX = "input_tax", _("Input tax")
    REVERSE_CHARGE = "reverse_charge", _("Tax owed under reverse charge")
    CLAIMS = "claims", _("Claims on vendors")
    CHARGED_BACK = "charged_back", _("Charged back to vendors")


class Account(models.Model):
    """The account of the company's books that takes what has a role. Without a row the role's own name stands in the export."""

    role = models.CharField(max_length=20, choices=Role, unique=True)
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="account_role")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class Closing(models.Model):
    """All days up to `through` (the last of a month) are closed: nothing is posted there any more. Reopened: open again."""

    through = models.DateField()
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reopened_at = models.DateTimeField(null=True)
    reopened_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        permissions = [("close_period", "Can close and reopen periods")]
        constraints = [
            models.UniqueConstraint(fields=["through"], condition=Q(reopened_at__isnull=True), name="closing_once")
        ]

    def __str__(self) -> str:
        return f"{self.through}"


class JournalExport(models.Model):
    """Entries handed over to bookkeeping together, once; the file can be had again. `until`: the last posting day in it."""

    number = models.CharField(max_length=20, unique=True)
    until = models.DateField()
    entries = models.PositiveIntegerField()
    exported_at = models.DateTimeField()
    exported_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(entries__gt=0), name="journal_export_holds_something")]

    def __str__(self) -> str:
        return self.number


class EntryQuerySet(models.QuerySet["Entry"]):
    def unexported(self) -> Self:
        """Not handed over to bookkeeping yet."""
        return self.filter(export__isnull=True)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Entry(models.Model):
    """One act of one document in the journal; its lines add up to zero.

    `event_date` is when it happened, `posting_date` the day it counts on: the same, or the first open day where that was closed
    already when it was journalled. `key` names what it was made of, once.
    """

    key = models.CharField(max_length=120, unique=True)
    document_kind = models.CharField(max_length=30)
    document_number = models.CharField(max_length=60, blank=True)
    event_date = models.DateField()
    posting_date = models.DateField()
    text = models.CharField(max_length=200, blank=True)
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, null=True, related_name="+")
    journalled_at = models.DateTimeField()
    export = models.ForeignKey(JournalExport, models.PROTECT, null=True, related_name="+")

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(posting_date__gte=models.F("event_date")), name="entry_never_posted_before"
            )
        ]
        indexes = [
            models.Index(fields=["posting_date", "id"], name="entry_by_posting_date"),
            models.Index(fields=["document_kind", "document_number"], name="entry_of_document"),
            models.Index(fields=["posting_date", "id"], name="entry_unexported", condition=Q(export__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.key


class EntryLine(models.Model):
    """An amount of a role, in company currency: above zero a debit, below a credit. Rounded so that the entry stays zero."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="lines")
    role = models.CharField(max_length=20, choices=Role)
    amount = models.DecimalField(max_digits=18, decimal_places=5)
    booked = models.DecimalField(max_digits=18, decimal_places=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "role"], name="entry_line_role_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="entry_line_role"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.amount}"


class Carry(models.Model):
    """What rounding has left of a role so far: its exact amounts less the booked ones. The next entry takes it along."""

    role = models.CharField(max_length=20, choices=Role, unique=True)
    amount = models.DecimalField(max_digits=18, decimal_places=5)

    class Meta:
        verbose_name_plural = "carries"

    def __str__(self) -> str:
        return f"{self.role} {self.amount}"


class Mark(models.Model):
    """Up to which row of a stream the journal has been written."""

    name = models.CharField(max_length=20, unique=True)
    done_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class ConfirmationStatus(models.TextChoices):
    PREPARED = "prepared", _("Prepared")
    SENT = "sent", _("Sent")
    AGREED = "agreed", _("Agreed")
    DIFFERS = "differs", _("Differs")


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(vendor="vendor_id"))


class Confirmation(models.Model):
    """What we and one vendor have from each other on a day, asked of him in a letter, and what he answers.

    Money in company currency: `invoiced` by approved invoices of the year, `not_invoiced` for work received. Material of ours at
    his place stands in the lines. `answered_not_invoiced` and the lines' answers are his; the difference is derived.
    """

    number = models.CharField(max_length=20, unique=True)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    as_of = models.DateField()
    status = models.CharField(max_length=10, choices=ConfirmationStatus, default=ConfirmationStatus.PREPARED)
    invoiced = models.DecimalField(max_digits=18, decimal_places=3)
    not_invoiced = models.DecimalField(max_digits=18, decimal_places=3)
    prepared_at = models.DateTimeField()
    prepared_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=100, blank=True, help_text="Who answered for the vendor.")
    entered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    answered_not_invoiced = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    note = models.CharField(max_length=500, blank=True)

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "as_of"], name="confirmation_once_a_day"),
            models.CheckConstraint(condition=Q(status__in=ConfirmationStatus.values), name="confirmation_status"),
        ]

    def __str__(self) -> str:
        return self.number


class ConfirmationLine(models.Model):
    """So much of an item (of a lot, at a stage) of ours that lies at the vendor by our books; `answered` by his."""

    confirmation = models.ForeignKey(Confirmation, models.CASCADE, related_name="lines")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    answered = models.DecimalField(max_digits=18, decimal_places=5, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["confirmation", "item", "lot", "stage"], nulls_distinct=False, name="confirmation_line_once"
            ),
            models.CheckConstraint(condition=Q(answered__isnull=True) | Q(answered__gte=0), name="confirmation_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.confirmation_id} {self.item_id}"
