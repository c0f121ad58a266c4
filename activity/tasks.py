"""Celery's way to the outbox. Safe to run twice: what is claimed or said already is not said again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from activity import services
from masterdata import services as masterdata


@shared_task
def send_due_messages() -> None:
    """Beat: mail whose time has come goes out. A lost nudge delays it, never loses it."""
    services.send_due_messages(at=timezone.now())


@shared_task
def write_digests() -> None:
    """Beat: the morning mail of what is open and not critical."""
    now = timezone.now()
    services.write_digests(at=now, on=masterdata.company_date(at=now))
    send_due_messages.delay()
