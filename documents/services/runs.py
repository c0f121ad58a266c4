"""The main job: one coordinator decides and finds the differences, many writers make the documents.

The row is the queue. A run is a row with a state, its work list and its shards are rows; whoever finds an unfinished run may
take it up, at any time, any number at once. Deciding happens under one lock in one transaction: it is there whole or not at
all. Each shard is one transaction. So a run that is killed anywhere and taken up again ends as if nothing had happened.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, F

from core.constraints import said_of
from core.refusals import NotFound
from core.retries import BROKEN_OFF
from documents.models import OVER, Action, GenerationRun, RunItem, RunShard, RunState, ShardState
from documents.services import coordinating, requesting, watching, writing
from documents.services.requesting import coordinator_lock
from receipts.services import watch_material_left
from shipments.models import Shipment
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder

log = logging.getLogger(__name__)

ATTEMPTS = 3
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: operations while it decides, differences while it writes."""

    state: str
    done: int
    total: int

    @property
    def percent(self) -> int:
        if self.state == RunState.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0


def continue_runs(*, at: datetime) -> list[int]:
    """The keys of unfinished runs, oldest first, for workers to take up: found by state, so no message can be lost."""
    return list(GenerationRun.objects.unfinished().order_by("pk").values_list("pk", flat=True))


def continue_run(*, run_id: int, at: datetime) -> GenerationRun:
    """Take a run up where it stands and do as much as nobody else is doing. Safe to call at any time, by any number."""
    if decide_run(run_id=run_id, at=at, wait=False):
        write_shards(run_id=run_id, at=at)
    return GenerationRun.objects.get(pk=run_id)


def run_to_end(*, run_id: int, at: datetime) -> GenerationRun:
    """Do a run here and now, whoever else works on it, and return it done, failed, or held for a person."""
    begin = time.monotonic()
    while True:
        if decide_run(run_id=run_id, at=at, wait=True):
            write_shards(run_id=run_id, at=at + timedelta(seconds=time.monotonic() - begin))
        run = GenerationRun.objects.get(pk=run_id)
        if run.state in OVER:
            return run
        time.sleep(0.05)


def decide_run(*, run_id: int, at: datetime, wait: bool) -> bool:
    """Decide, in one transaction under the coordinator's lock. Says whether the run's shards may be written now.

    Runs that already decided are written to their end first: what they are about to make must be seen. Without `wait`
    nothing happens while somebody else decides.
    """
    run = GenerationRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.", field="run")
    if run.state not in (RunState.WAITING, RunState.DECIDING):
        return run.state == RunState.WRITING
    GenerationRun.objects.filter(pk=run_id, state=RunState.WAITING).update(
        state=RunState.DECIDING, started_at=at, heartbeat_at=at
    )
    while True:
        earlier: list[int] = []
        try:
            with transaction.atomic():
                if not coordinator_lock(wait=wait):
                    return False
                run = GenerationRun.objects.select_for_update(of=("self",)).get(pk=run_id)
                if run.state not in (RunState.WAITING, RunState.DECIDING):
                    return run.state == RunState.WRITING
                earlier = list(
                    GenerationRun.objects.filter(state=RunState.WRITING).order_by("pk").values_list("pk", flat=True)
                )
                if not earlier:
                    if run.is_dry:
                        _rehearse(run, at=at)
                    else:
                        coordinating.decide(run, at=at)
        except (OperationalError, InterfaceError):
            raise  # the database went away or two met: the run stays where it was and is taken up again
        except Exception as problem:
            log.exception("Run %s could not be decided.", run_id)
            GenerationRun.objects.filter(pk=run_id).update(
                state=RunState.FAILED, error=said_of(problem)[:2000], finished_at=at
            )
            raise
        if not earlier:
            return run.state == RunState.WRITING
        for other in earlier:
            write_shards(run_id=other, at=at)
        if GenerationRun.objects.filter(pk__in=earlier, state=RunState.WRITING).exists():
            if not wait:
                return False
            time.sleep(0.05)


def write_shards(*, run_id: int, at: datetime) -> int:
    """Write shards until none is left that nobody else has; the last one finishes the run. Returns how many were written."""
    written, begin = 0, time.monotonic()
    while (claimed := _write_one(run_id, at=at)) is not None:
        written += claimed
    _finish_if_written(run_id, at=at + timedelta(seconds=time.monotonic() - begin))
    return written


def progress(run: GenerationRun) -> Progress:
    """How far a run is. Losing the cache loses the bar while it decides, nothing else."""
    if run.state == RunState.DECIDING:
        done, total = cache.get(coordinating.progress_key(run)) or (0, 0)
        return Progress(run.state, done, total)
    return Progress(run.state, run.items_done, run.items_total)


def summary(run: GenerationRun) -> dict[str, Any]:
    """A finished run in figures: verdicts, what it did, and the active documents there are now."""
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0.0
    return {
        "operations": run.operations,
        "in_house": run.in_house,
        "outsource": run.outsource,
        "review": run.review,
        "blocked": run.blocked,
        "orders": run.orders,
        "lines": run.lines,
        "shipments": run.shipments,
        "created": run.created,
        "changed": run.changed,
        "cancelled": run.cancelled,
        "seconds": round(seconds, 3),
    }


def _rehearse(run: GenerationRun, *, at: datetime) -> None:
    """A dry run does everything, counts, and takes it all back but for its own row."""
    begin = time.monotonic()
    with transaction.atomic():
        coordinating.decide(run, at=at)
        while _write_one(run.pk, at=at) is not None:
            pass
        _finish(run, at=at + timedelta(seconds=time.monotonic() - begin))
        run.refresh_from_db()
        transaction.set_rollback(True)
    run.save()


def _write_one(run_id: int, *, at: datetime) -> int | None:
    """Claim and write one shard. 1: written, 0: it failed this time, None: nothing left that nobody else has."""
    shard: RunShard | None = None
    try:
        with transaction.atomic():
            waiting = RunShard.objects.filter(run=run_id, state=ShardState.WAITING, attempts__lt=ATTEMPTS)
            if waiting.filter(comes_first=True).exists():
                waiting = waiting.filter(comes_first=True)
            shard = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("shard_no").first()
            if shard is None:
                return None
            done = writing.write_shard(shard=shard, at=at)
            shard.state, shard.error = ShardState.DONE, ""
            shard.save(update_fields=["state", "error"])
            GenerationRun.objects.filter(pk=run_id).update(items_done=F("items_done") + done, heartbeat_at=at)
    except Exception as problem:
        if shard is None or connection.in_atomic_block:
            raise
        # Two that met, where the database let the other one go first, or a database that went away: it says nothing about
        # the shard, which is taken up again.
        if getattr(problem.__cause__, "pgcode", None) in BROKEN_OFF:
            return 0
        if isinstance(problem, OperationalError | InterfaceError):
            raise
        log.exception("Shard %s of run %s was not written.", shard.shard_no, run_id)
        RunShard.objects.filter(pk=shard.pk).update(attempts=F("attempts") + 1, error=said_of(problem)[:2000])
        return 0
    return 1


def _finish_if_written(run_id: int, *, at: datetime) -> None:
    with transaction.atomic():
        run = GenerationRun.objects.select_for_update(of=("self",)).get(pk=run_id)
        if run.state != RunState.WRITING:
            return
        waiting = RunShard.objects.filter(run=run, state=ShardState.WAITING)
        if waiting.filter(attempts__lt=ATTEMPTS).exists():
            return  # another worker has it, or takes it up again
        failed = waiting.order_by("shard_no").first()
        _finish(run, at=at)
        if failed:
            run.state, run.error = RunState.FAILED, f"Part {failed.shard_no} could not be written: {failed.error}"
            run.save(update_fields=["state", "error"])


def _finish(run: GenerationRun, *, at: datetime) -> None:
    run.refresh_from_db()
    done = dict(
        RunItem.objects.filter(run=run, outcome=writing.DONE).values_list("action").annotate(n=Count("pk")).order_by()
    )
    run.created, run.changed, run.cancelled = (done.get(a, 0) for a in (Action.CREATE, Action.CHANGE, Action.CANCEL))
    run.alerts += watching.watch_shortages(at=at) + watching.watch_approvals(on=run.on, at=at)
    run.alerts += watch_material_left(at=at)
    run.orders = SubcontractOrder.objects.exclude(status=OrderStatus.CANCELLED).count()
    run.lines = OrderLine.objects.active().count()
    run.shipments = Shipment.objects.active().count()
    run.state, run.finished_at = RunState.DONE, at
    run.save()
    if RunItem.objects.filter(run=run, outcome=writing.LEFT).exists():
        # Somebody sent or cancelled an order between deciding and writing; what it means now is for the next run to say.
        requesting.request_run(reason=f"Orders changed while {run} was written", at=at)
    RunItem.objects.filter(run__finished_at__lt=at - KEPT_FOR).delete()
    cache.delete(coordinating.progress_key(run))
