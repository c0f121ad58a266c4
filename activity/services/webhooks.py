"""Telling other systems of events: endpoints, what each has still to be told, and the telling itself."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from standardwebhooks import Webhook

from accounts.models import User
from activity.models import Event, WebhookDelivery, WebhookEndpoint
from activity.services.outbound import Answered, Unreachable, is_public, post
from core.refusals import InvalidInput, NotFound

HOLD = timedelta(minutes=5)
"""How long a worker has a delivery to itself; longer than a sweep's deliveries may take to be answered."""
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""After each attempt that failed; a little over three days in all, then it rests until somebody replays it."""
LONGEST_WAIT = timedelta(days=1)
SECRET_OVERLAP = timedelta(days=1)
SCANNED = 5000
KEPT_FOR = timedelta(days=90)
GONE = 410
PATTERN = re.compile(r"[a-z_]+(\.([a-z_]+|\*))?")

Writer = Callable[[Event], dict[str, Any]]
"""What is told of an event, as the feed tells it."""


@transaction.atomic
def add_endpoint(*, code: str, url: str, events: Sequence[str] = (), by: User, at: datetime) -> WebhookEndpoint:
    """Tell a system of events from now on, of what `by` may see. Its secret is drawn here.

    Raises InvalidInput: no code, or one in use; an address that is none, unencrypted or private; a name that is no event's.
    """
    code = code.strip()
    if not code or WebhookEndpoint.objects.filter(code=code).exists():
        raise InvalidInput("Give the endpoint a code that no other one has.", field="code")
    check_endpoint(url=url, events=events)
    last = Event.objects.settled().order_by("transaction", "pk").last()
    told = (last.transaction, last.pk) if last else (0, 0)
    return WebhookEndpoint.objects.create(
        code=code, url=url, events=list(events), owner=by, secret=_secret(), told_transaction=told[0], told_id=told[1],
        created_at=at,
    )  # fmt: skip


@transaction.atomic
def change_endpoint(
    *,
    endpoint_id: int,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
    at: datetime,
) -> WebhookEndpoint:
    """Change where it is told, what of, or whether. What happened while it was off, and what rests, is told when it is on again.

    Raises NotFound, InvalidInput.
    """
    found = _locked(endpoint_id)
    check_endpoint(url=url, events=events)
    if url is not None:
        found.url = url
    if events is not None:
        found.events = list(events)
    if is_active is not None:
        if is_active and not found.is_active:
            _again(found.deliveries.filter(delivered_at__isnull=True), at=at)
        found.is_active = is_active
    found.save()
    return found


@transaction.atomic
def rotate_secret(*, endpoint_id: int, at: datetime) -> WebhookEndpoint:
    """Draw a new secret. For a day both sign, so that the other system can change over without a gap. Raises NotFound."""
    found = _locked(endpoint_id)
    found.secret_before, found.secret_before_until = found.secret, at + SECRET_OVERLAP
    found.secret = _secret()
    found.save()
    return found


@transaction.atomic
def replay(*, endpoint_id: int, since: datetime | None = None, failed: bool = False, at: datetime) -> int:
    """Tell again: what happened since then, or all that rests with an error. Returns how many. Raises NotFound, InvalidInput."""
    found = _locked(endpoint_id)
    if (since is None) == (not failed):
        raise InvalidInput("Say since when to tell again, or that only what failed is told again.", field="since")
    rows = found.deliveries.all()
    return _again(rows.filter(delivered_at__isnull=True) if failed else rows.filter(event__at__gte=since), at=at)


def _again(deliveries: QuerySet[WebhookDelivery], *, at: datetime) -> int:
    """Those that do not wait anyway are due from the first attempt."""
    resting = deliveries.filter(next_attempt_at__isnull=True)
    return resting.update(next_attempt_at=at, attempts=0, delivered_at=None, claimed_until=None)


def queue_deliveries(*, at: datetime) -> int:
    """Write down what each endpoint has to be told since it was last looked at. Returns how many deliveries are new."""
    made = 0
    for pk in WebhookEndpoint.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        made += _queue_one(pk, at=at)
    return made


@transaction.atomic
def _queue_one(endpoint_id: int, *, at: datetime) -> int:
    endpoint = (
        WebhookEndpoint.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("owner")
        .filter(pk=endpoint_id, is_active=True)
        .first()
    )
    if endpoint is None:
        return 0
    news = Event.objects.settled().after(transaction=endpoint.told_transaction, pk=endpoint.told_id)
    rows = list(news.order_by("transaction", "pk").values_list("transaction", "pk", "name")[:SCANNED])
    if not rows:
        return 0
    wanted = [pk for _, pk, name in rows if _wants(endpoint, name)]
    seen = Event.objects.visible_to(endpoint.owner).filter(pk__in=wanted).values_list("pk", flat=True)
    mine = set(seen) if endpoint.owner.is_active else set()
    WebhookDelivery.objects.bulk_create(
        [WebhookDelivery(endpoint=endpoint, event_id=pk, next_attempt_at=at) for pk in wanted if pk in mine],
        batch_size=1000,
        ignore_conflicts=True,
    )
    endpoint.told_transaction, endpoint.told_id = rows[-1][:2]
    endpoint.save(update_fields=["told_transaction", "told_id"])
    return len(mine)


def deliver_due(*, write: Writer, at: datetime, limit: int = 15) -> int:
    """Tell what is due: claim, send outside any lock, then record. Returns how many were looked at.

    What fails is tried again later and later, or when the other side says; an endpoint that is gone is switched off.
    """
    due = WebhookDelivery.objects.claim_due(at=at, limit=limit, hold=HOLD)
    events = Event.objects.select_related("by", "site", "vendor").in_bulk([one.event_id for one in due])
    endpoints = WebhookEndpoint.objects.in_bulk([one.endpoint_id for one in due])
    for one in due:
        endpoint, event = endpoints[one.endpoint_id], events[one.event_id]
        if not endpoint.is_active:
            WebhookDelivery.objects.filter(pk=one.pk).update(next_attempt_at=None, error="The endpoint is off.")
            continue
        try:
            answer = _tell(endpoint, event, write(event), at=at)
        except Unreachable as problem:
            _failed(one, str(problem), at=at)
            continue
        if 200 <= answer.status < 300:
            WebhookDelivery.objects.filter(pk=one.pk).update(
                delivered_at=at, next_attempt_at=None, claimed_until=None, attempts=one.attempts + 1, error="",
                answer=answer.status,
            )  # fmt: skip
            continue
        if answer.status == GONE:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False)
            endpoint.is_active = False
        _failed(one, f"Answered {answer.status}: {answer.text}", at=at, answer=answer)
    return len(due)


def _tell(endpoint: WebhookEndpoint, event: Event, said: dict[str, Any], *, at: datetime) -> Answered:
    body = json.dumps({"type": event.name, "timestamp": event.at.isoformat(), "data": said}, default=str)
    key = f"evt_{event.pk}"
    keys = [endpoint.secret]
    if endpoint.secret_before_until and at < endpoint.secret_before_until:
        keys.append(endpoint.secret_before)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Outwork",
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(key, at, body) for one in keys),
    }
    return post(endpoint.url, body=body.encode(), headers=headers, private_hosts=settings.WEBHOOK_PRIVATE_HOSTS)


def _failed(one: WebhookDelivery, error: str, *, at: datetime, answer: Answered | None = None) -> None:
    attempts = one.attempts + 1
    later = None
    if attempts <= len(WAITS) and not (answer and answer.status == GONE):
        asked = timedelta(seconds=answer.retry_after) if answer and answer.retry_after else timedelta(0)
        later = at + max(WAITS[attempts - 1], min(asked, LONGEST_WAIT))
    WebhookDelivery.objects.filter(pk=one.pk).update(
        attempts=attempts, next_attempt_at=later, claimed_until=None, error=error[:2000],
        answer=answer.status if answer else None,
    )  # fmt: skip


def forget_deliveries(*, at: datetime) -> int:
    """Delete what was told of events older than `KEPT_FOR`: nobody asks to be told of them again. Returns how many.

    What rests with an error stays until it is told again, or its endpoint is gone.
    """
    told = WebhookDelivery.objects.filter(delivered_at__isnull=False, next_attempt_at__isnull=True)
    return told.filter(event__at__lt=at - KEPT_FOR, delivered_at__lt=at - KEPT_FOR).delete()[0]


def check_endpoint(*, url: str | None = None, events: Sequence[str] | None = None) -> None:
    """Raises InvalidInput: an address that is none, unencrypted or private; a name that is no event's."""
    if url is not None:
        _check_url(url)
    if events is not None:
        _check_events(events)


def _wants(endpoint: WebhookEndpoint, name: str) -> bool:
    return not endpoint.events or any(fnmatchcase(name, pattern) for pattern in endpoint.events)


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _locked(endpoint_id: int) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.select_for_update(of=("self",)).filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.", field="code")
    return found


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if (
        not host
        or parts is None
        or parts.username
        or parts.scheme not in ("http", "https")
        or re.search(r"[\s\x00]", url)
    ):
        raise InvalidInput("Name an address such as https://erp.example/outwork, without a user in it.", field="url")
    if host in settings.WEBHOOK_PRIVATE_HOSTS:
        return
    if parts.scheme != "https":
        raise InvalidInput("Events are told over https only.", field="url")
    try:
        is_private = not is_public(host)
    except ValueError:
        is_private = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    if is_private:
        raise InvalidInput(
            f"{host} lies in a private network; whoever runs Outwork can allow it (WEBHOOK_PRIVATE_HOSTS).", field="url"
        )


def _check_events(events: Sequence[str]) -> None:
    for place, name in enumerate(events):
        if not PATTERN.fullmatch(name):
            raise InvalidInput(
                f"{name!r} is no event: name one (order.approved), or all of a kind (order.*).", field=f"events.{place}"
            )
