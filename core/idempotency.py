"""The same request twice is one action: answers to POSTs with an Idempotency-Key, written in the business transaction."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from core.refusals import InvalidInput, Refusal

KEPT = timedelta(days=7)
REPEATED_HEADERS = ("Content-Type", "ETag", "Location")


class StoredAnswer(models.Model):
    """The answer once given to a user's key, with the hash of the request it was for. Kept seven days."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="stored_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="stored_answer_age")]

    def __str__(self) -> str:
        return self.key


class KeyMismatch(Refusal):
    """The key was used before, for another request."""

    code = "idempotency_mismatch"
    status = 422


class StillRunning(Refusal):
    """The first request with this key has not been answered yet."""

    code = "idempotency_running"
    status = 409


class _AlreadyAnswered(Exception):
    """Carries the answer that was given before to where the response is made."""

    def __init__(self, stored: StoredAnswer) -> None:
        self.stored = stored


class Repeatable:
    """For API views: a POST with an Idempotency-Key runs once, and whoever repeats it gets the first answer again.

    Business rows and answer are committed together. A refused request writes nothing but its answer, a failed one (5xx)
    not even that, so it may be tried again. A request that is not let in (no user, no right) is not remembered.
    """

    _claimed: StoredAnswer | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or "Idempotency-Key" not in request.headers:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]
        with transaction.atomic():
            with transaction.atomic():
                response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
                if response.status_code >= 400:
                    transaction.set_rollback(True)
            if self._claimed and response.status_code < 500:
                _store(self._claimed, response)
        return response  # type: ignore[no-any-return]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if request.method == "POST" and "Idempotency-Key" in request.headers:
            self._claimed = _claim(request)

    def handle_exception(self, problem: Exception) -> HttpResponseBase:
        if isinstance(problem, _AlreadyAnswered):
            stored = problem.stored
            return HttpResponse(
                stored.body, status=stored.status, headers={**stored.headers, "Idempotency-Replayed": "true"}
            )
        return super().handle_exception(problem)  # type: ignore[misc,no-any-return]


def delete_old_answers(*, at: datetime) -> int:
    """Forget answers older than seven days. Returns how many."""
    deleted, _ = StoredAnswer.objects.filter(created_at__lt=at - KEPT).delete()
    return deleted


def _claim(request: Any) -> StoredAnswer:
    """Take the key for this request, until its transaction ends. Raises StillRunning, KeyMismatch, or the answer given before."""
    key = request.headers["Idempotency-Key"].strip()
    if not key or len(key) > 200 or "\x00" in key:
        raise InvalidInput("An Idempotency-Key has 1 to 200 characters.", field="Idempotency-Key")
    wanted = _hash(request)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"idempotency {request.user.pk} {key}"]
        )
        if not cursor.fetchone()[0]:
            raise StillRunning("The first request with this Idempotency-Key is still running. Ask again shortly.")
    now = timezone.now()
    known = StoredAnswer.objects.filter(user=request.user, key=key).first()
    if known and known.created_at >= now - KEPT:
        if known.request_hash != wanted:
            raise KeyMismatch("This Idempotency-Key was used for another request.", field="Idempotency-Key")
        raise _AlreadyAnswered(known)
    if known:
        known.delete()
    return StoredAnswer(user=request.user, key=key, request_hash=wanted, created_at=now)


def _hash(request: Any) -> str:
    media_type, _, options = request.headers.get("Content-Type", "").partition(";")
    body = request._request.body
    if media_type.startswith("multipart/") and "boundary=" in options:
        # A client draws a new boundary for each attempt; it says nothing about the content.
        body = body.replace(options.partition("boundary=")[2].split(";")[0].strip(' "').encode(), b"boundary")
    told = [request.get_full_path(), request.headers.get("If-Match", ""), media_type]
    return hashlib.sha256("\n".join(told).encode() + b"\n" + body).hexdigest()


def _store(answer: StoredAnswer, response: Any) -> None:
    if not getattr(response, "is_rendered", True):
        response.render()
    answer.status = response.status_code
    answer.headers = {name: response[name] for name in REPEATED_HEADERS if name in response}
    answer.body = response.content.decode()
    answer.save(force_insert=True)
