"""The notes that say that verdicts may have changed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from masterdata.models import PlanChange


def note_plan_change(*, at: datetime, reason: str) -> None:
    """Say, in the caller's transaction, that something changed that verdicts read."""
    PlanChange.objects.create(at=at, reason=reason[:200])


@transaction.atomic
def take_plan_changes() -> list[tuple[datetime, str]]:
    """Take all notes there are, oldest first; they are gone once the caller's transaction ends. Two callers share none."""
    changes = list(PlanChange.objects.select_for_update(skip_locked=True).order_by("at", "pk"))
    PlanChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
    return [(change.at, change.reason) for change in changes]
