"""The outbox: rows written with what they are about, delivered apart, at least once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage

from activity.models import Message

HOLD = timedelta(minutes=5)
"""How long a worker has a message to itself; longer than any mail server may take to answer."""
ATTEMPTS = 10


def queue_messages(messages: Iterable[Message], *, at: datetime) -> int:
    """Put mail in the outbox, to go out now. What has the key of an earlier one was said already. Returns how many are new."""
    rows = list(messages)
    for message in rows:
        message.created_at = message.next_attempt_at = at
    known = set(Message.objects.filter(key__in=[message.key for message in rows]).values_list("key", flat=True))
    new = [message for message in rows if message.key not in known]
    Message.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    return len(new)


def send_due_messages(*, at: datetime, limit: int = 100) -> int:
    """Deliver outbox rows that are due: claim, deliver outside any lock, then record. Returns how many were delivered.

    One that fails is tried again later and later, so a poison row starves nobody; after ten times it rests with its error.
    """
    delivered = 0
    for message in Message.objects.claim_due(at=at, limit=limit, hold=HOLD):
        try:
            _deliver(message)
        except (OSError, ValueError) as problem:  # the server, or an address no mail can be made for
            _failed(message, problem, at=at)
        else:
            Message.objects.filter(pk=message.pk).update(
                delivered_at=at, next_attempt_at=None, claimed_until=None, attempts=message.attempts + 1, error=""
            )
            delivered += 1
    return delivered


def _deliver(message: Message) -> None:
    mail = EmailMessage(
        message.subject,
        message.body,
        settings.DEFAULT_FROM_EMAIL,
        [message.to],
        headers={"X-Outwork-Message": message.key},
    )
    mail.send()


def _failed(message: Message, problem: Exception, *, at: datetime) -> None:
    attempts = message.attempts + 1
    later = None if attempts >= ATTEMPTS else at + timedelta(minutes=2**attempts)
    Message.objects.filter(pk=message.pk).update(
        attempts=attempts,
        next_attempt_at=later,
        claimed_until=None,
        error=f"{type(problem).__name__}: {problem}"[:2000],
    )
