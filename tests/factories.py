"""Rows for tests, made with as little said as possible. Extend freely; keep what is there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import factory

from masterdata import models as masterdata
from policies import models as policies
from production import models as production

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When things happened, where a test does not care: a Monday."""


class CurrencyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Currency
        django_get_or_create = ("code",)

    code = "EUR"


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Company
        django_get_or_create = ("pk",)

    pk = 1
    currency = factory.SubFactory(CurrencyFactory)


class ExchangeRateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.ExchangeRate

    currency = factory.SubFactory(CurrencyFactory, code="USD")
    rate = Decimal("0.9")
    valid_from = date(2026, 1, 1)


class UnitFactory(factory.django.DjangoModelFactory):
    """Pieces."""

    class Meta:
        model = masterdata.Unit
        django_get_or_create = ("code",)

    code = "pcs"
    decimals = 0


class ItemGroupFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.ItemGroup

    code = factory.Sequence(lambda number: f"GROUP{number}")


class ItemFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Item

    code = factory.Sequence(lambda number: f"ITEM{number}")
    unit = factory.SubFactory(UnitFactory)
    kind = masterdata.ItemKind.FINISHED


class SiteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Site
        django_get_or_create = ("code",)

    code = "MAIN"


class LocationFactory(factory.django.DjangoModelFactory):
    """The main location of a site."""

    class Meta:
        model = masterdata.Location
        django_get_or_create = ("code",)

    code = factory.SelfAttribute("site.code")
    site = factory.SubFactory(SiteFactory)
    kind = masterdata.LocationKind.PLANT
    is_main = True


class VendorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Vendor

    code = factory.Sequence(lambda number: f"V{number}")
    currency = factory.SubFactory(CurrencyFactory)


class ProcessFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Process
        django_get_or_create = ("code",)

    code = "Plating"


class WorkCenterFactory(factory.django.DjangoModelFactory):
    """An external work center without a vendor of its own."""

    class Meta:
        model = masterdata.WorkCenter
        django_get_or_create = ("code",)

    code = "OUT"
    kind = masterdata.WorkCenterKind.EXTERNAL


class MachineFactory(factory.django.DjangoModelFactory):
    """An internal work center: 8 hours a day, 60 an hour."""

    class Meta:
        model = masterdata.WorkCenter
        django_get_or_create = ("code",)

    code = "WC-IN"
    kind = masterdata.WorkCenterKind.INTERNAL
    capacity_hours_per_day = Decimal(8)
    hourly_cost = Decimal(60)


class ClosureFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Closure

    day = date(2026, 4, 6)


class DowntimeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = masterdata.Downtime

    work_center = factory.SubFactory(MachineFactory)
    start_date = date(2026, 3, 9)
    end_date = date(2026, 3, 20)


class ProductionOrderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = production.ProductionOrder

    number = factory.Sequence(lambda number: f"P{number}")
    item = factory.SubFactory(ItemFactory)
    quantity = Decimal(10)
    due_date = date(2026, 3, 31)
    status = production.OrderStatus.RELEASED
    site = factory.SubFactory(SiteFactory)
    changed_at = AT


class OperationFactory(factory.django.DjangoModelFactory):
    """An outside operation on the day its order is due, of an order of its own."""

    class Meta:
        model = production.Operation

    production_order = factory.SubFactory(ProductionOrderFactory)
    sequence = 10
    operation_no = factory.LazyAttribute(lambda operation: str(operation.sequence))
    process = factory.SubFactory(ProcessFactory)
    work_center = factory.SubFactory(WorkCenterFactory)
    outsourced = production.Outsourced.YES
    quantity = factory.SelfAttribute("production_order.quantity")
    planned_start = factory.SelfAttribute("production_order.due_date")
    planned_end = factory.SelfAttribute("production_order.due_date")


class OperationWordFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = production.OperationWord

    operation = factory.SubFactory(OperationFactory)
    word = production.Word.INSIDE
    reason = "our own machine is free"
    at = AT


class PriceAgreementFactory(factory.django.DjangoModelFactory):
    """100 a piece for plating any item, five working days."""

    class Meta:
        model = policies.PriceAgreement

    vendor = factory.SubFactory(VendorFactory)
    process = factory.SubFactory(ProcessFactory)
    unit_price = Decimal(100)
    lead_days = 5
    valid_from = date(2026, 1, 1)


class VendorApprovalFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = policies.VendorApproval

    vendor = factory.SubFactory(VendorFactory)
    process = factory.SubFactory(ProcessFactory)


class PolicyFactory(factory.django.DjangoModelFactory):
    """An active policy on plating; `vendors=[vendor, …]` ranks them."""

    class Meta:
        model = policies.Policy
        skip_postgeneration_save = True

    code = factory.Sequence(lambda number: f"POLICY{number}")
    status = policies.PolicyStatus.ACTIVE
    process = factory.SubFactory(ProcessFactory)

    @factory.post_generation
    def vendors(self, create: bool, extracted: list[masterdata.Vendor] | None, **kwargs: object) -> None:
        for rank, vendor in enumerate(extracted or [], start=1):
            policies.PolicyVendor.objects.create(policy=self, rank=rank, vendor=vendor)
