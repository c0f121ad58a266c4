"""Who may do what, where: users, their access by role and site or vendor, and tokens of other systems."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from core.scope import Scope
from masterdata.models import MoneyField


class Role(models.TextChoices):
    PLANNER = "planner", "Planner"
    BUYER = "buyer", "Buyer"
    DOCK = "dock", "Dock"
    QUALITY = "quality", "Quality"
    PAYABLES = "payables", "Payables"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"
    VENDOR = "vendor", "Vendor's user"


class User(AbstractUser):
    """A person or another system that signs in. What he may do stands in his access rows, never in flags."""

    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)

    @cached_property
    def access_rows(self) -> tuple[Access, ...]:
        """Read once per instance; a request loads its user anew."""
        return tuple(self.access.all()) if self.pk and self.is_active else ()

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(row.role for row in self.access_rows)

    @cached_property
    def scope(self) -> Scope:
        if self.is_active and self.is_superuser:
            return Scope(everywhere=True)
        rows = self.access_rows
        return Scope(
            everywhere=any(row.site_id is None and row.vendor_id is None and row.role != Role.VENDOR for row in rows),
            site_ids=frozenset(row.site_id for row in rows if row.site_id is not None),
            vendor_ids=frozenset(row.vendor_id for row in rows if row.vendor_id is not None),
        )

    def approval_limit(self, *, site_id: int | None) -> Decimal | None:
        """The highest order value this user may commit to at a site, in company currency; None is no limit, 0 is none at all."""
        if self.is_superuser:
            return None
        limits = [
            row.approval_limit
            for row in self.access_rows
            if row.role in (Role.BUYER, Role.ADMINISTRATOR) and (row.site_id is None or row.site_id == site_id)
        ]
        if not limits:
            return Decimal(0)
        return None if None in limits else max(limit for limit in limits if limit is not None)


class AccessQuerySet(models.QuerySet["Access"]):
    def approving(self) -> Self:
        """Roles that commit to orders, of people who are here; the lowest limit first."""
        return self.filter(role__in=[Role.BUYER, Role.ADMINISTRATOR], user__is_active=True).order_by(
            models.F("approval_limit").asc(nulls_last=True), "user__last_name", "pk"
        )


class Access(models.Model):
    """One role of a user, everywhere or within one site (or, for a vendor's user, one vendor), with an approval limit.

    The limit is in company currency; blank is no limit.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="access")
    role = models.CharField(max_length=15, choices=Role)
    site = models.ForeignKey("masterdata.Site", models.CASCADE, null=True, blank=True, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.CASCADE, null=True, blank=True, related_name="+")
    approval_limit = MoneyField(null=True, blank=True)

    objects = AccessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "access"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "site", "vendor"], nulls_distinct=False, name="access_once"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="access_role"),
            models.CheckConstraint(
                condition=Q(role=Role.VENDOR, vendor__isnull=False) | (~Q(role=Role.VENDOR) & Q(vendor__isnull=True)),
                name="access_vendor_for_vendors_only",
            ),
            models.CheckConstraint(
                condition=Q(approval_limit__isnull=True) | Q(approval_limit__gte=0), name="access_limit_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class ApiToken(models.Model):
    """A bearer token of a user. Only its SHA-256 is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name
