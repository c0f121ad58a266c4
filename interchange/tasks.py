"""Celery's way into imports that are jobs. Every task is safe to run twice; a lost message delays a job, never loses it."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from interchange import services


@shared_task
def continue_imports() -> None:
    """Beat: whatever import is unfinished is taken up by somebody; files nobody reads any more are taken away."""
    for job_id in services.unfinished_jobs():
        run_import.delay(job_id)
    services.forget_files(at=timezone.now())


@shared_task
def run_import(job_id: int) -> None:
    """Read one import, unless it is over or somebody else reads it."""
    services.run_job(job_id=job_id, at=timezone.now())
