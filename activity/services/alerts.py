"""Recording what happened, opening and closing alerts. In bulk, as runs record thousands at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import rules
from activity.models import Alert, Event
from core.refusals import InvalidInput, NotFound, WrongState
from masterdata import services as masterdata

SHOWN = [
    "severity",
    "title",
    "order_number",
    "line_no",
    "production_order",
    "operation_no",
    "site_id",
    "vendor_id",
    "before",
    "after",
    "proposes",
    "due_date",
]


LONGEST_SNOOZE = timedelta(days=90)
"""What is put off for longer is forgotten."""

REFUSABLE = ("change", "cancel", "accept", "join")
"""What an alert may propose that one can say no to."""


class NothingToRefuse(WrongState):
    """The alert proposes nothing one could refuse."""

    code = "nothing_to_do"


class Taken(WrongState):
    """Somebody else took the alert."""


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
        name=name,
        document_kind=kind,
        document_number=number,
        at=at,
        by=by,
        through=through,
        site_id=site_id,
        vendor_id=vendor_id,
        data=data or {},
    )


def record_many(events: Sequence[Event]) -> None:
    """Write many events in one statement."""
    masterdata.copy_objects(events)


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
        .select_for_update(of=("self",))
        .order_by("pk")
    }
    changed = []
    for key, alert in wanted.items():
        if key in known and any(getattr(known[key], field) != getattr(alert, field) for field in SHOWN):
            _update(known[key], alert, at=at)
            changed.append(known[key])
    columns = [field.removesuffix("_id") for field in SHOWN]
    columns += ["updated_at", "refused_at", "refused_by", "refusal", "snoozed_until", "act_by", "escalated_at"]
    Alert.objects.bulk_update(changed, columns, batch_size=500)
    new = [alert for key, alert in wanted.items() if key not in known]
    for alert in new:
        alert.opened_at = alert.updated_at = at
        alert.act_by = rules.act_by(alert.severity, since=at)
    # Another transaction may have opened the same one a moment ago; the constraint keeps it single.
    Alert.objects.bulk_create(new, batch_size=1000, ignore_conflicts=True)
    return len(new)


def _update(known: Alert, alert: Alert, *, at: datetime) -> None:
    """Let an open alert say what is the case now. Another proposal is asked anew, whether the one before was refused or put off;
    so is what has become graver, to be taken by its own time.
    """
    is_other = alert.proposes in REFUSABLE and (known.after, known.proposes) != (alert.after, alert.proposes)
    is_graver = rules.is_graver(alert.severity, known.severity)
    if is_other:
        known.refused_at, known.refused_by, known.refusal = None, None, ""
    if is_other or is_graver:
        known.snoozed_until = None
    if is_graver:
        known.act_by, known.escalated_at = rules.act_by(alert.severity, since=at), None
    for field in SHOWN:
        setattr(known, field, getattr(alert, field))
    known.updated_at = at


def close_alerts(*, kind: str, subjects: Iterable[str], at: datetime) -> int:
    """Close the open alerts of a kind whose cause is gone."""
    return Alert.objects.open().filter(kind=kind, subject__in=list(subjects)).update(closed_at=at, updated_at=at)


@transaction.atomic
def keep_alerts(*, kind: str, alerts: Sequence[Alert], at: datetime) -> int:
    """Make `alerts` the open ones of their kind: open, update, and close every other. Returns how many are new."""
    close_others(kinds=[kind], subjects={alert.subject for alert in alerts}, at=at)
    return open_alerts(alerts, at=at)


def close_others(
    *, kinds: Collection[str], subjects: Collection[str], at: datetime, production_orders: Collection[str] | None = None
) -> int:
    """Close the open alerts of these kinds about anything else than `subjects` (of these production orders, where given)."""
    others = Alert.objects.open().filter(kind__in=kinds).exclude(subject__in=subjects)
    if production_orders is not None:
        others = others.filter(production_order__in=production_orders)
    return others.update(closed_at=at, updated_at=at)


@transaction.atomic
def take_alert(*, alert_id: int, by: User, at: datetime) -> Alert:
    """Say that one looks after it. Taking it twice is the same. Raises NotFound, Taken, WrongState."""
    alert = _locked(alert_id, by)
    if alert.taken_by_id not in (None, by.pk):
        raise Taken("Somebody else looks after it already.")
    alert.taken_by, alert.taken_at = by, alert.taken_at or at
    alert.save(update_fields=["taken_by", "taken_at"])
    return alert


@transaction.atomic
def snooze_alert(*, alert_id: int, until: datetime, by: User, at: datetime) -> Alert:
    """Put an alert off: it is not reminded of before then. Who puts it off has taken it.

    Raises NotFound, Taken, WrongState; InvalidInput where that lies in the past, or too far ahead.
    """
    alert = _locked(alert_id, by)
    if alert.taken_by_id not in (None, by.pk):
        raise Taken("Somebody else looks after it already.")
    if until <= at:
        raise InvalidInput(f"{until:%Y-%m-%d %H:%M} is over already; name a later time.", field="until")
    if until > at + LONGEST_SNOOZE:
        raise InvalidInput(
            f"An alert is put off until {at + LONGEST_SNOOZE:%Y-%m-%d %H:%M} at the latest; refuse what it proposes to be rid of "
            "it.",
            field="until",
        )
    alert.taken_by, alert.taken_at, alert.snoozed_until = by, alert.taken_at or at, until
    alert.save(update_fields=["taken_by", "taken_at", "snoozed_until"])
    return alert


@transaction.atomic
def refuse_alert(*, alert_id: int, reason: str = "", by: User, at: datetime) -> Alert:
    """Leave things as they are, whatever the alert proposes. It is shown again when it proposes something else.

    Refusing twice is the same. Raises NotFound, WrongState; NothingToRefuse where it proposes nothing.
    """
    alert = _locked(alert_id, by)
    if alert.proposes not in REFUSABLE:
        raise NothingToRefuse("This alert proposes nothing: it closes when its cause is gone. Put it off, or take it.")
    if alert.refused_at is None:
        alert.refused_at, alert.refused_by, alert.refusal = at, by, reason[:300]
        alert.save(update_fields=["refused_at", "refused_by", "refusal"])
    return alert


def _locked(alert_id: int, by: User) -> Alert:
    alert = Alert.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.", field="alert")
    if alert.closed_at is not None:
        raise WrongState("The alert is closed; its cause is gone.")
    return alert
