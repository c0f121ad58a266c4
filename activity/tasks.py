"""Celery's way to the people. Safe to run twice: what is said already is not said again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from activity import services
from masterdata import services as masterdata


@shared_task
def write_digests() -> None:
    """Beat: the morning mail of what is open and not critical waits in the outbox."""
    now = timezone.now()
    services.write_digests(at=now, on=masterdata.company_date(at=now))
