"""Celery's way into goods that go back. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from receipts import services


@shared_task
def deliver_due_returns() -> None:
    """Beat: pieces that went back to their vendor and are to have arrived by today are there."""
    services.deliver_due_returns(at=timezone.now())
