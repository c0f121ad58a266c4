"""Celery's way to invoices. Safe to run twice."""

from celery import shared_task
from django.utils import timezone

from invoices import services
from masterdata import services as masterdata


@shared_task
def watch() -> None:
    """Beat: alerts about invoices and open prices, and charge-backs that follow from receipts."""
    now = timezone.now()
    services.watch_invoices(at=now, on=masterdata.company_date(at=now))
