"""Recording what happened, opening and closing alerts. In bulk, as runs record thousands at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from activity.models import Alert, Event


def record(
    name: str,
    *,
    kind: str,
    number: str,
    at: datetime,
    by: User | None = None,
    through: str = "system",
    site_id: int | None = None,
    vendor_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Write one event of a document."""
    return Event.objects.create(
        name=name, document_kind=kind, document_number=number, at=at, by=by, through=through,
        site_id=site_id, vendor_id=vendor_id, data=data or {},
    )  # fmt: skip


def record_many(events: Sequence[Event]) -> None:
    """Write many events in one statement."""
    Event.objects.bulk_create(events, batch_size=2000)


@transaction.atomic
def open_alerts(alerts: Iterable[Alert], *, at: datetime) -> int:
    """Open alerts, or update the open one of the same kind and subject. Returns how many are new."""
    wanted = {(alert.kind, alert.subject): alert for alert in alerts}
    if not wanted:
        return 0
    known = {
        (alert.kind, alert.subject): alert
        for alert in Alert.objects.open()
        .filter(kind__in={kind for kind, _ in wanted}, subject__in={subject for _, subject in wanted})
        .select_for_update()
        .order_by("pk")
    }
    fields = ["severity", "title", "before", "after", "proposes", "order_number", "line_no", "due_date"]
    changed = []
    for key, alert in wanted.items():
        if key in known and any(getattr(known[key], field) != getattr(alert, field) for field in fields):
            for field in fields:
                setattr(known[key], field, getattr(alert, field))
            known[key].updated_at = at
            changed.append(known[key])
    Alert.objects.bulk_update(changed, [*fields, "updated_at"], batch_size=1000)
    new = [alert for key, alert in wanted.items() if key not in known]
    for alert in new:
        alert.opened_at = alert.updated_at = at
    Alert.objects.bulk_create(new, batch_size=1000, ignore_conflicts=True)
    return len(new)


def close_alerts(*, kind: str, subjects: Iterable[str], at: datetime) -> int:
    """Close the open alerts of a kind whose cause is gone."""
    return Alert.objects.open().filter(kind=kind, subject__in=list(subjects)).update(closed_at=at, updated_at=at)
