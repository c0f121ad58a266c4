"""Whose alerts they are: who is asked, who is told at once and in the morning, who when nobody takes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop, ngettext

from accounts.models import User
from activity import rules
from activity.models import Alert, Message, Responsible, Severity
from activity.rules import Duty
from activity.services.messages import queue_messages

SHOWN_IN_DIGEST = 100
NOW, UNTAKEN = gettext_noop("Now:"), gettext_noop("Nobody took this:")
Words = Callable[[Alert], Sequence[str]]


def _plainly(alert: Alert) -> Sequence[str]:
    return [alert.headline, *(f"{name.replace('_', ' ')}: {value}" for name, value in alert.after.items())]


in_words: Words = _plainly
"""An alert in the language that is on: its headline, then what else it says, a line each."""


def say_alerts(words: Words) -> None:
    """Let mails speak as the pages do: whoever knows the words of all apps registers how they are said."""
    global in_words
    in_words = words


@dataclass(frozen=True, slots=True)
class Concern:
    """What the documents know of an alert's order: its buyer, and the process of its line."""

    buyer_id: int | None = None
    process_id: int | None = None


def assign_alerts(*, concerns: Mapping[int, Concern], on: date) -> int:
    """Say of every open alert who is to look after it, `concerns` by alert; what somebody took stays his while he may sign in.

    Returns how many changed.
    """
    duties = _duties()
    gone = set(User.objects.filter(is_active=False).values_list("pk", flat=True))
    Alert.objects.waiting().filter(taken_by__in=gone).update(taken_by=None, taken_at=None)
    changed: dict[int | None, list[int]] = defaultdict(list)
    rows = Alert.objects.waiting().filter(taken_by=None).order_by("pk")
    for pk, vendor_id, site_id, known in rows.values_list("pk", "vendor", "site", "responsible").iterator():
        concern = concerns.get(pk, Concern())
        person = rules.responsible(
            duties,
            buyer_id=None if concern.buyer_id in gone else concern.buyer_id,
            vendor_id=vendor_id,
            process_id=concern.process_id,
            site_id=site_id,
            on=on,
        )
        if person != known:
            changed[person].append(pk)
    for person, keys in changed.items():
        for start in range(0, len(keys), 5000):
            Alert.objects.filter(pk__in=keys[start : start + 5000]).update(responsible=person)
    return sum(map(len, changed.values()))


def mail_critical_alerts(*, at: datetime, limit: int = 500) -> int:
    """Tell the responsible person of critical alerts at once, each once. Returns how many mails were queued."""
    told = Message.objects.filter(
        kind="alert", document_number=OuterRef("reference"), to=OuterRef("responsible__email")
    )
    fresh = (
        Alert.objects.waiting()
        .awake(at=at)
        .filter(severity=Severity.CRITICAL, responsible__isnull=False)
        .exclude(responsible__email="")
        .exclude(Exists(told))
        .select_related("responsible", "vendor")
        .order_by("pk")[:limit]
    )
    return queue_messages(
        [_mail("alert", alert, alert.responsible, NOW) for alert in fresh if alert.responsible], at=at
    )


def escalate_alerts(*, concerns: Mapping[int, Concern], at: datetime, on: date, limit: int = 500) -> int:
    """Take alerts nobody took in time one step up: to whom the responsible person's row names, by mail. Each goes up once, and
    again when it has become graver since. Returns how many went up.
    """
    duties = _duties()
    late = list(
        Alert.objects.waiting()
        .awake(at=at)
        .filter(taken_by=None, escalated_at=None, act_by__lte=at)
        .order_by("act_by", "pk")[:limit]
    )
    above = {
        alert.pk: rules.step_up(
            duties,
            person_id=alert.responsible_id,
            vendor_id=alert.vendor_id,
            process_id=concerns.get(alert.pk, Concern()).process_id,
            site_id=alert.site_id,
            on=on,
        )
        for alert in late
    }
    people = User.objects.in_bulk({person for person in above.values() if person is not None})
    mails = []
    for alert in late:
        boss = people.get(above[alert.pk] or 0)
        if boss and boss.email:
            mails.append(_mail("escalation", alert, boss, UNTAKEN))
    Alert.objects.filter(pk__in=[alert.pk for alert in late]).update(escalated_at=at)
    queue_messages(mails, at=at)
    return len(late)


def write_digests(*, at: datetime, on: date) -> int:
    """Queue each person's morning mail of what is open and not critical, once a day. Returns how many were queued."""
    rows = (
        Alert.objects.waiting()
        .awake(at=at)
        .exclude(severity=Severity.CRITICAL)
        .filter(Q(taken_by__isnull=False) | Q(responsible__isnull=False))
        .select_related("vendor")
        .order_by("due_date", "pk")
    )
    counts: dict[int, int] = defaultdict(int)
    shown: dict[int, list[Alert]] = defaultdict(list)
    for alert in rows.iterator():
        if person := alert.taken_by_id or alert.responsible_id:
            counts[person] += 1
            if counts[person] <= SHOWN_IN_DIGEST:
                shown[person].append(alert)
    people = User.objects.filter(pk__in=counts, is_active=True).exclude(email="").order_by("pk")
    return queue_messages([_digest(person, shown[person.pk], counts[person.pk], on=on) for person in people], at=at)


def _digest(person: User, alerts: Sequence[Alert], count: int, *, on: date) -> Message:
    with _language_of(person):
        lines = [f"{alert.reference}  {in_words(alert)[0]}{_due(alert, ' ({})')}" for alert in alerts]
        if left := count - len(lines):
            lines.append(ngettext("… and {n} more", "… and {n} more", left).format(n=left))
        return Message(
            kind="digest",
            key=f"digest/{person.username}/{on}"[:160],
            to=person.email,
            subject=ngettext("{n} thing to look at", "{n} things to look at", count).format(n=count),
            body="\n".join([*lines, "", f"{_page()}?tab=mine"]),
        )


def _mail(kind: str, alert: Alert, person: User, lead: str) -> Message:
    with _language_of(person):
        headline, *facts = in_words(alert)
        return Message(
            kind=kind,
            key=f"{kind}/{alert.reference}/{alert.severity}/{person.username}"[:160],
            to=person.email,
            subject=f"{gettext(lead)} {headline}"[:200],
            body="\n".join([headline, "", *facts, *filter(None, [_due(alert)]), "", alert.reference, _page()]),
            document_kind="alert",
            document_number=alert.reference,
        )


def _due(alert: Alert, frame: str = "{}") -> str:
    if alert.due_date is None:
        return ""
    return frame.format(gettext("due {day}").format(day=date_format(alert.due_date)))


def _language_of(person: User) -> AbstractContextManager[None]:
    return translation.override(person.language or settings.LANGUAGE_CODE)


def _page() -> str:
    return settings.SITE_ADDRESS.rstrip("/") + reverse("workbench:alert_list")


def _duties() -> list[Duty]:
    """Who is asked for what, of people who may sign in: for one who may not, who stands in for him or is above him is."""
    rows = Responsible.objects.select_related("user", "deputy", "escalates_to").order_by("pk")
    return [duty for row in rows if (duty := _duty(row))]


def _duty(row: Responsible) -> Duty | None:
    user, deputy, above = (
        person.pk if person and person.is_active else None for person in (row.user, row.deputy, row.escalates_to)
    )
    of = (row.vendor_id, row.process_id, row.site_id)
    if user is not None:
        return Duty(user, *of, deputy, row.away_from, row.away_to, above)
    stand_in = deputy or above
    return Duty(stand_in, *of, escalates_to_id=above) if stand_in is not None else None
