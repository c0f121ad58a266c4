"""Celery's way into the figures. Twice is the same; a lost message makes them later, never wrong."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from reports import services


@shared_task
def keep_up() -> None:
    """Beat: measure what happened since the last time, plan changes and alerts too."""
    services.keep_up(at=timezone.now(), thorough=True, limit=100_000)
