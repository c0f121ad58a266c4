"""Celery's way into material out. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from shipments import services


@shared_task
def deliver_due_shipments() -> None:
    """Beat: what is to have arrived by today is delivered."""
    services.deliver_due(at=timezone.now())
