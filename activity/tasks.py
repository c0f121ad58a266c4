"""Celery's way to the people. Safe to run twice: what is said already is not said again."""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task
from django.utils import timezone
from rest_framework.serializers import BaseSerializer

from activity import services
from activity.models import Event
from activity.serializers import FedEventSerializer
from masterdata import services as masterdata

SWEEP = 30
"""Seconds after which the next sweep goes on with what is due."""


@shared_task
def write_digests() -> None:
    """Beat: the morning mail of what is open and not critical waits in the outbox."""
    now = timezone.now()
    services.write_digests(at=now, on=masterdata.company_date(at=now))


@shared_task
def forget_deliveries() -> int:
    """Beat: what other systems were told long ago is forgotten. Returns how many deliveries."""
    return services.forget_deliveries(at=timezone.now())


def _as_fed(event: Event) -> dict[str, Any]:
    written: BaseSerializer[Event] = FedEventSerializer(event)
    return dict(written.data)


@shared_task
def tell_webhooks() -> int:
    """Beat: other systems are told what happened since. Returns how many deliveries were looked at."""
    services.queue_deliveries(at=timezone.now())
    end, looked_at = time.monotonic() + SWEEP, 0
    while time.monotonic() < end:
        found = services.deliver_due(write=_as_fed, at=timezone.now())
        if not found:
            break
        looked_at += found
    return looked_at
