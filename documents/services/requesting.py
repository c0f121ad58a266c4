"""Wishes for a run, and runs in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from documents.models import GenerationRequest, GenerationRun, RunState
from documents.services import reading
from masterdata import services as masterdata

DEBOUNCE = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=2)
"""A plan that never comes to rest is read at least this often."""
LOCK = 0x4F757477  # "Outw": the coordinator's advisory lock


def request_run(
    *,
    reason: str,
    at: datetime,
    by: User | None = None,
    scope: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
    is_whole: bool = False,
) -> GenerationRequest:
    """Wish for a run, not before a time. Several for the same scope are served by one run, whole if one of them is."""
    return GenerationRequest.objects.create(
        reason=reason[:200],
        requested_at=at,
        requested_by=by,
        not_before=not_before or at,
        scope=dict(scope or {}),
        is_whole=is_whole,
    )


def start_due_runs(*, at: datetime, on: date) -> list[GenerationRun]:
    """Turn changes of the plan into wishes and due wishes into runs; nothing while a run is under way.

    A changed plan is read ten seconds after it came to rest, so that a long import makes one run.
    """
    with transaction.atomic():
        changes = masterdata.take_plan_changes()
        if changes:
            last = max(moment for moment, _ in changes)
            _debounced(changes[-1][1], last=last, at=at)
    with transaction.atomic():
        if not coordinator_lock(wait=False) or GenerationRun.objects.unfinished().exists():
            return []
        due = (
            GenerationRequest.objects.select_for_update(skip_locked=True)
            .filter(run=None, not_before__lte=at)
            .order_by("pk")
        )
        by_scope: dict[str, list[GenerationRequest]] = {}
        for request in due:
            by_scope.setdefault(repr(sorted(request.scope.items())), []).append(request)
        runs = []
        for requests in by_scope.values():
            first = requests[0]
            is_whole = any(request.is_whole for request in requests)
            run = start_run(
                at=at, on=on, by=first.requested_by, scope=first.scope, reason=first.reason, is_whole=is_whole
            )
            GenerationRequest.objects.filter(pk__in=[request.pk for request in requests]).update(run=run)
            runs.append(run)
        return runs


def start_run(
    *,
    at: datetime,
    on: date,
    by: User | None = None,
    scope: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    reason: str = "",
    is_whole: bool = False,
) -> GenerationRun:
    """Put a run in the queue; `continue_run` (a worker) or `run_to_end` (here and now) does it. `on` is its day for prices.

    What has not changed since it was decided is passed over, unless the run `is_whole`.
    `scope` narrows it by business keys: {"site": [...], "item": [...], "production_order": [...]}. Raises NotFound for a key that
    names nothing, InvalidInput for another word.
    """
    reading.check_scope(scope or {})
    (number,) = masterdata.draw_numbers(kind="run")
    return GenerationRun.objects.create(
        number=number,
        is_dry=dry_run,
        is_whole=is_whole,
        scope=dict(scope or {}),
        reason=reason[:200],
        requested_by=by,
        requested_at=at,
        on=on,
        state=RunState.WAITING,
    )


def _debounced(reason: str, *, last: datetime, at: datetime) -> None:
    """One open wish for the whole plan, moved on while changes keep coming, but not for ever."""
    open_wish = (
        GenerationRequest.objects.select_for_update()
        .filter(run=None, scope={}, requested_by=None)
        .order_by("pk")
        .first()
    )
    if open_wish is None:
        request_run(reason=reason, at=at, not_before=last + DEBOUNCE)
        return
    open_wish.not_before = min(max(open_wish.not_before, last + DEBOUNCE), open_wish.requested_at + LONGEST_WAIT)
    open_wish.save(update_fields=["not_before"])


def coordinator_lock(*, wait: bool) -> bool:
    """The coordinator's lock, held until the transaction ends; without waiting, says whether it was free."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
