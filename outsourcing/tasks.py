"""Housekeeping of the ground."""

from celery import shared_task
from django.utils import timezone

from core import idempotency


@shared_task
def delete_old_answers() -> None:
    """Forget answers kept for repeated requests once they are seven days old."""
    idempotency.delete_old_answers(at=timezone.now())
