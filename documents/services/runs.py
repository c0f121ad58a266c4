"""The main job: one coordinator decides and finds the differences, many writers make the documents.

The row is the queue. A run is a row with a state, its work list and its shards are rows; whoever finds an unfinished run may
take it up, at any time, any number at once. Deciding happens under one lock in one transaction: it is there whole or not at
all. Each shard is one transaction. So a run that is killed anywhere and taken up again ends as if nothing had happened.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import Count, F, Q

from accounts.models import User
from activity import services as activity
from activity.models import Alert
from core.refusals import NotFound
from documents import rules
from documents.models import OVER, Action, GenerationRequest, GenerationRun, RunItem, RunShard, RunState, ShardState
from documents.rules import Difference
from documents.services import holding, reading, watching, writing
from masterdata import services as masterdata
from policies.models import Policy, PriceMissing, Verdict
from policies.services import deciding
from production.models import OPEN_STATUSES, OperationStatus, ProductionOrder
from receipts.services import watch_material_left
from shipments.models import Shipment
from subcontract_orders.models import OrderLine, OrderStatus, SubcontractOrder

log = logging.getLogger(__name__)

DEBOUNCE = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=2)
"""A plan that never comes to rest is read at least this often."""
SHARD_LINES = 400
ATTEMPTS = 3
KEPT_FOR = timedelta(days=30)
LOCK = 0x4F757477  # "Outw": the coordinator's advisory lock
BLOCKING = frozenset(
    {
        "inactive",
        "not_approved",
        "approval_expired",
        "no_price",
        "no_rate",
        "no_unit_factor",
        "below_minimum",
        "above_maximum",
        "no_capacity",
        "item_blocked",
        "no_vendor",
    }
)
OVER_OPERATION = (OperationStatus.FINISHED, OperationStatus.CANCELLED)


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


# Wishes


def request_run(
    *,
    reason: str,
    at: datetime,
    by: User | None = None,
    scope: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
) -> GenerationRequest:
    """Wish for a run, not before a time. Several open wishes for the same scope are served by one run."""
    return GenerationRequest.objects.create(
        reason=reason[:200], requested_at=at, requested_by=by, not_before=not_before or at, scope=dict(scope or {})
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
        if not _lock(wait=False) or GenerationRun.objects.unfinished().exists():
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
            run = start_run(at=at, on=on, by=first.requested_by, scope=first.scope, reason=first.reason)
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
) -> GenerationRun:
    """Put a run in the queue; `continue_run` (a worker) or `run_to_end` (here and now) does it. `on` is its day for prices.

    `scope` narrows it by business keys: {"site": [...], "item": [...], "production_order": [...]}. Raises NotFound for a
    key that names nothing, InvalidInput for another word.
    """
    reading.check_scope(scope or {})
    (number,) = masterdata.draw_numbers(kind="run")
    return GenerationRun.objects.create(
        number=number,
        is_dry=dry_run,
        scope=dict(scope or {}),
        reason=reason[:200],
        requested_by=by,
        requested_at=at,
        on=on,
        state=RunState.WAITING,
    )


# Doing


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
                if not _lock(wait=wait):
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
                        _decide(run, at=at)
        except OperationalError:
            raise  # the database went away or two met: the run stays where it was and is taken up again
        except Exception as problem:
            GenerationRun.objects.filter(pk=run_id).update(
                state=RunState.FAILED, error=f"{type(problem).__name__}: {problem}"[:2000], finished_at=at
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
        done, total = cache.get(_progress_key(run)) or (0, 0)
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


# The coordinator


def _decide(run: GenerationRun, *, at: datetime) -> None:
    if not run.is_dry:
        for scope in holding.drop_held_runs(at=at):
            if run.scope and scope != run.scope:
                request_run(reason=f"{run} looked at a part of what a held run did", at=at, scope=scope)
    counts = dict.fromkeys(Verdict.values, 0)
    blocked_by: dict[str, int] = {}
    places = reading.Places.load()
    ground = reading.ground(places)
    policy_ids = dict(Policy.objects.values_list("code", "pk"))
    estimates = Policy.objects.active().filter(price_missing=PriceMissing.ESTIMATE).exists()
    decider = deciding.Decider.load(
        on=run.on,
        last_paid=reading.last_paid() if estimates else None,
        days=masterdata.site_days(on=run.on, at=at),
    )
    scoped = reading.orders_in_scope(run.scope) if run.scope else None
    decider.commit(reading.committed_lines(on=run.on, policy_ids=policy_ids, outside_of=scoped))
    seen: set[int] = set()
    said = _Alerts(at=at, on=run.on, codes=places.codes)
    total = reading.count_operations(on=run.on, scoped=scoped)

    for orders in deciding.order_chunks(on=run.on, scope=run.scope or None):
        keys = [order.production_order_id for order in orders]
        seen.update(keys)
        standing = reading.standing_lines(Q(production_order__in=keys))
        plans = reading.plans(orders, places)
        made = []
        for order in orders:
            for operation in order.operations:
                lines = standing.get(operation.operation_id)
                if lines:
                    operation.frozen = reading.frozen(lines, policy_ids=policy_ids)
            made.append((order, decider.decide_order(order)))
        award_ids = deciding.write_decisions(
            [one for _, decided in made for one in decided], at=at, run_number=run.number
        )
        items: list[RunItem] = []
        for order, decided in made:
            by_operation = {one.operation_id: one for one in decided}
            for one in decided:
                counts[one.verdict] += 1
                if one.verdict == Verdict.BLOCKED:
                    for code in one.codes() & BLOCKING:
                        blocked_by[code] = blocked_by.get(code, 0) + 1
            mine = {o.operation_id: standing[o.operation_id] for o in order.operations if o.operation_id in standing}
            for difference in rules.plan_order(
                plans[order.production_order_id], decided=by_operation, standing=mine, ground=ground
            ):
                award_id = None
                if difference.award:
                    awards = by_operation[difference.operation_id].awards
                    award_id = award_ids[difference.operation_id][awards.index(difference.award)]
                items.append(_item(run, difference, plans[order.production_order_id].site_id, award_id))
                said.note(difference)
        masterdata.copy_objects(items)
        run.operations = sum(counts.values())
        cache.set(_progress_key(run), (run.operations, max(total, run.operations)), 3600)

    for differences in _left_behind(seen, scoped):
        masterdata.copy_objects([_item(run, difference, 0, None) for difference in differences])
        for difference in differences:
            said.note(difference)
    run.alerts = said.keep(numbers=None if scoped is None else _numbers(seen | set(scoped)))
    deciding.drop_outdated_decisions(on=run.on)
    for verdict, count in counts.items():
        setattr(run, verdict, count)
    run.blocked_by, run.decided_at, run.state = blocked_by, at, RunState.WRITING
    _share_out(run)
    run.items_total = RunItem.objects.filter(run=run).exclude(action=Action.ALERT).count()
    if not run.is_dry:
        holding.hold_if_large(run, at=at)
    run.save()


def _item(run: GenerationRun, difference: Difference, site_id: int, award_id: int | None) -> RunItem:
    item = RunItem(run=run, action=difference.action, operation_id=difference.operation_id, award_id=award_id)
    if difference.line:
        item.line_id, item.order_number = difference.line.line_id, difference.line.order_number
    award = difference.award
    if award:
        item.due_date, item.rank, item.quantity = award.need_date, award.rank, award.quantity
        item.group_key = f"{award.vendor_id}/{site_id}/{difference.ship_to_id}/{award.currency_id}/{difference.period}"
        item.ship_to_id, item.receive_at_id = difference.ship_to_id, difference.receive_at_id
        item.components = [need.as_row() for need in difference.needs]
        item.sources = sorted(
            {
                need.ship_from_id
                for need in difference.needs
                if need.ship_from_id and need.to_ship(to_id=difference.ship_to_id) > 0
            }
        )
        item.content_hash = difference.content_hash
    return item


def _left_behind(seen: set[int], scoped: set[int] | None) -> Iterator[list[Difference]]:
    """Lines of production orders that were not looked at: cancelled, done, or moved beyond the horizon."""
    keys = [key for key in reading.live_production_orders() if key not in seen and (scoped is None or key in scoped)]
    for start in range(0, len(keys), 2000):
        part = keys[start : start + 2000]
        standing = reading.standing_lines(Q(production_order__in=part))
        rows = (
            ProductionOrder.objects.filter(pk__in=part)
            .order_by("due_date", "pk")
            .values_list("number", "status", "operations__pk", "operations__operation_no", "operations__status")
        )
        found: list[Difference] = []
        for number, status, operation_id, operation_no, operation_status in rows:
            lines = standing.get(operation_id)
            if lines:
                is_over = status not in OPEN_STATUSES or operation_status in OVER_OPERATION
                found.extend(rules.withdrawn(rules.Key(operation_id, number, operation_no), lines, is_over=is_over))
        yield found


def _numbers(keys: Iterable[int]) -> set[str]:
    return set(ProductionOrder.objects.filter(pk__in=list(keys)).values_list("number", flat=True))


class _Alerts:
    """Alerts about lines no run may change: opened in bulk, and those whose cause is gone closed at the end."""

    def __init__(self, *, at: datetime, on: date, codes: dict[int, str]) -> None:
        self.at, self.on, self.codes = at, on, codes
        self.subjects: dict[str, set[str]] = {kind: set() for kind in watching.REQUIREMENT_KINDS}
        self.waiting: list[Alert] = []
        self.opened = 0

    def note(self, difference: Difference) -> None:
        if difference.action != Action.ALERT:
            return
        alert = watching.requirement_alert(difference, vendor_codes=self.codes, today=self.on)
        self.subjects[alert.kind].add(alert.subject)
        self.waiting.append(alert)
        if len(self.waiting) >= 2000:
            self._open()

    def keep(self, *, numbers: set[str] | None) -> int:
        """Open the last ones and close the others (of these production orders, where a run looked only at them)."""
        self._open()
        for kind, subjects in self.subjects.items():
            activity.close_others(kinds=[kind], subjects=subjects, production_orders=numbers, at=self.at)
        return self.opened

    def _open(self) -> None:
        self.opened += activity.open_alerts(self.waiting, at=self.at)
        self.waiting = []


def _share_out(run: GenerationRun) -> None:
    """Give new orders their numbers, by due date, then vendor rank, and divide the work into shards of whole orders."""
    with connection.cursor() as cursor:
        # The rows are as new as this transaction, so nothing is known about them yet: the plan must not take them for few.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(
            """
            UPDATE documents_runitem i SET order_number = o.number
            FROM subcontract_orders_subcontractorder o
            WHERE i.run_id = %s AND i.action = 'create' AND o.status = 'draft' AND o.revision = 1
                AND i.group_key = concat_ws('/', o.vendor_id, o.site_id, o.ship_to_id, o.currency_id, o.consolidation_key)
            """,
            [run.pk],
        )
        cursor.execute(
            """
            SELECT count(DISTINCT group_key) FROM documents_runitem
            WHERE run_id = %s AND action = 'create' AND order_number = ''
            """,
            [run.pk],
        )
        (new,) = cursor.fetchone()
        if new:
            cursor.execute(
                """
                UPDATE documents_runitem i SET order_number = n.number
                FROM (
                    SELECT group_key, row_number() OVER (ORDER BY min(due_date), min(rank), min(id)) AS place
                    FROM documents_runitem WHERE run_id = %s AND action = 'create' AND order_number = '' GROUP BY group_key
                ) g
                JOIN unnest(%s::text[]) WITH ORDINALITY AS n(number, place) ON n.place = g.place
                WHERE i.run_id = %s AND i.action = 'create' AND i.order_number = '' AND i.group_key = g.group_key
                """,
                [run.pk, masterdata.draw_numbers(kind="subcontract_order", count=new), run.pk],
            )
        # Withdrawals are shards of their own and come first.
        cursor.execute(
            """
            UPDATE documents_runitem i SET shard_no = s.shard_no
            FROM (
                SELECT order_number, first, dense_rank() OVER (ORDER BY first DESC, chunk) AS shard_no
                FROM (
                    SELECT order_number, first,
                        div(sum(count(*)) OVER (PARTITION BY first ORDER BY order_number) - 1, %s) AS chunk
                    FROM (
                        SELECT order_number, action = 'cancel' AS first FROM documents_runitem
                        WHERE run_id = %s AND action <> 'alert'
                    ) x GROUP BY order_number, first
                ) y
            ) s
            WHERE i.run_id = %s AND i.action <> 'alert' AND i.order_number = s.order_number AND (i.action = 'cancel') = s.first
            """,
            [SHARD_LINES, run.pk, run.pk],
        )
        cursor.execute(
            """
            SELECT i.shard_no, bool_and(i.action = 'cancel'), count(DISTINCT (i.order_number, p.place))
                FILTER (WHERE p.place IS NOT NULL)
            FROM documents_runitem i LEFT JOIN LATERAL unnest(i.sources) AS p(place) ON true
            WHERE i.run_id = %s AND i.action <> 'alert' GROUP BY i.shard_no ORDER BY i.shard_no
            """,
            [run.pk],
        )
        shards: list[tuple[int, bool, int]] = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = on")
    needed = sum(count for _, _, count in shards)
    numbers = iter(masterdata.draw_numbers(kind="shipment", count=needed) if needed else [])
    RunShard.objects.bulk_create(
        [
            RunShard(run=run, shard_no=no, comes_first=first, shipment_numbers=[next(numbers) for _ in range(count)])
            for no, first, count in shards
        ],
        batch_size=500,
    )


def _rehearse(run: GenerationRun, *, at: datetime) -> None:
    """A dry run does everything, counts, and takes it all back but for its own row."""
    begin = time.monotonic()
    with transaction.atomic():
        _decide(run, at=at)
        while _write_one(run.pk, at=at) is not None:
            pass
        _finish(run, at=at + timedelta(seconds=time.monotonic() - begin))
        run.refresh_from_db()
        transaction.set_rollback(True)
    run.save()


# The writers


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
        log.exception("Shard %s of run %s was not written.", shard.shard_no, run_id)
        RunShard.objects.filter(pk=shard.pk).update(
            attempts=F("attempts") + 1, error=f"{type(problem).__name__}: {problem}"[:2000]
        )
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
        request_run(reason=f"Orders changed while {run} was written", at=at)
    RunItem.objects.filter(run__finished_at__lt=at - KEPT_FOR).delete()
    cache.delete(_progress_key(run))


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


def _lock(*, wait: bool) -> bool:
    """The coordinator's lock, held until the transaction ends; without waiting, says whether it was free."""
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _progress_key(run: GenerationRun) -> str:
    return f"run-progress:{run.number}"
