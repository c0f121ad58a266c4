"""The outbox: rows written with what they are about, delivered apart, at least once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from activity.models import Message
from core.refusals import Refusal

HOLD = timedelta(minutes=5)
"""How long a worker has a message to itself; longer than any mail server may take to answer."""
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Mail:
    """What is written in a mail: as text, perhaps as HTML as well, with files."""

    subject: str
    body: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


class Overtaken(Exception):
    """What a message was to say does not hold any more; it is not sent. The text says what came instead."""


Composer = Callable[[Message], Mail]
"""Writes a mail when it leaves: papers take long to draw, and what was queued may have been overtaken. Raises Overtaken."""


def queue_messages(messages: Iterable[Message], *, at: datetime) -> int:
    """Put mail in the outbox, to go out now. What has the key of an earlier one was said already. Returns how many are new."""
    rows = list(messages)
    for message in rows:
        message.created_at = message.next_attempt_at = at
    known = set(Message.objects.filter(key__in=[message.key for message in rows]).values_list("key", flat=True))
    new = [message for message in rows if message.key not in known]
    Message.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    return len(new)


def send_due_messages(*, at: datetime, composers: Mapping[str, Composer] | None = None, limit: int = 100) -> int:
    """Deliver outbox rows that are due: claim, deliver outside any lock, then record. Returns how many were delivered.

    `composers` write the mail of their kind of message; the others say what stands in the row. One that fails is tried again
    later and later, so a poison row starves nobody; after ten times it rests with its error. One that was overtaken rests too.
    """
    delivered = 0
    for message in Message.objects.claim_due(at=at, limit=limit, hold=HOLD):
        compose = (composers or {}).get(message.kind)
        try:
            _deliver(message, compose(message) if compose else Mail(message.subject, message.body))
        except Overtaken as newer:
            Message.objects.filter(pk=message.pk).update(
                next_attempt_at=None, claimed_until=None, error=str(newer)[:2000]
            )
        except (OSError, ValueError, Refusal) as problem:  # the server, an address no mail can be made for, no paper
            _failed(message, problem, at=at)
        else:
            Message.objects.filter(pk=message.pk).update(
                delivered_at=at, next_attempt_at=None, claimed_until=None, attempts=message.attempts + 1, error=""
            )
            delivered += 1
    return delivered


def try_again(*, message_id: int, at: datetime) -> None:
    """Put a message that rests with an error back in the queue, from the first attempt. One delivered already stays so."""
    Message.objects.filter(pk=message_id, delivered_at__isnull=True).update(next_attempt_at=at, attempts=0)


def _deliver(message: Message, written: Mail) -> None:
    mail = EmailMultiAlternatives(
        written.subject,
        written.body,
        settings.DEFAULT_FROM_EMAIL,
        [message.to],
        headers={"X-Outwork-Message": message.key},
    )
    if written.html:
        mail.attach_alternative(written.html, "text/html")
    for file in written.attachments:
        mail.attach(file.name, file.content, file.kind)
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
