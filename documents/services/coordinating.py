"""The coordinator: decides what is open, finds what that means for document sets, and divides the work.

One transaction under the coordinator's lock (runs.decide_run holds it): all of it is there, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q

from activity import services as activity
from activity.models import Alert
from documents import rules
from documents.models import Action, GenerationRun, OrderReading, RunItem, RunShard, RunState
from documents.rules import Difference, DocumentRules, Standing
from documents.services import holding, passing, reading, requesting, watching
from masterdata import services as masterdata
from masterdata.models import Location
from policies.models import Decision, Policy, PriceMissing, Verdict
from policies.rules.sharing import Pool
from policies.rules.values import OrderFacts, Paid
from policies.services import deciding
from production import services as production
from production.models import OPEN_STATUSES, OperationStatus, ProductionOrder

SHARD_LINES = 400
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
        "refused",
        "no_vendor",
    }
)
OVER_OPERATION = (OperationStatus.FINISHED, OperationStatus.CANCELLED)


@dataclass(slots=True)
class Look:
    """What a run looks at: all orders of its scope, or `only` those that changed (with the pool, where it is touched)."""

    ground: int
    pool: Pool
    last_paid: Mapping[tuple[int, int, int], Paid]
    days: Mapping[int, date]
    scoped: set[int] | None = None
    only: set[int] | None = None
    gone: set[int] = field(default_factory=set)
    """Decided once, and not to be decided any more."""


def decide(run: GenerationRun, *, at: datetime) -> None:
    """Decide, and leave the run with a work list in shards, to be written (or held for a person)."""
    if not run.is_dry:
        for scope in holding.drop_held_runs(at=at):
            if run.scope and scope != run.scope:
                requesting.request_run(reason=f"{run} looked at a part of what a held run did", at=at, scope=scope)
        production.turn_to_wanted_items(production_order_ids=reading.free_of_vendors(), at=at)
    document_rules = reading.document_rules()
    places = reading.Places.load()
    policy_ids = {document.code: pk for pk, document in document_rules.items() if pk is not None}
    days = masterdata.site_days(on=run.on, at=at)
    look = _look(run, document_rules, policy_ids, days)
    said = _Alerts(at=at, on=run.on, codes=places.codes)
    seen: set[int] = set()  # of a scope, which is named: all the orders of a plan would take much memory
    for orders, differences in _planned(run, look, places, policy_ids, at=at):
        if look.scoped is not None:
            seen |= orders
        said.note(differences)
    for differences in _left_behind(run, look, seen):
        masterdata.copy_rows(model=RunItem, rows=[_item(run, difference, 0, None) for difference in differences])
        said.note(differences)
    run.alerts = said.keep(numbers=_about(run, look, seen))
    deciding.drop_outdated_decisions(on=run.on, only=None if look.only is None else look.only | look.gone)
    passing.forget(look.gone)
    run.looked_at = run.operations
    if look.only is not None:
        _count_verdicts(run)
    run.decided_at, run.state = at, RunState.WRITING
    _share_out(run)
    if not run.is_dry:
        holding.hold_if_large(run, at=at)
    run.save()


def _look(
    run: GenerationRun,
    document_rules: Mapping[int | None, DocumentRules],
    policy_ids: Mapping[str, int],
    days: Mapping[int, date],
) -> Look:
    """What has changed since it was decided, with the pool where one of those is in it. Whole runs, and those with a scope, look
    at everything.
    """
    estimates = Policy.objects.active().filter(price_missing=PriceMissing.ESTIMATE).exists()
    last_paid = reading.last_paid() if estimates else {}
    giving_stock = {pk for pk, document in document_rules.items() if pk is not None and document.use_vendor_stock}
    look = Look(
        # Before anything is read: what changes meanwhile is for the next run.
        passing.ground_mark(last_paid=last_paid, days={site: day for site, day in days.items() if day != run.on}),
        deciding.load_pool(stock_policies=giving_stock),
        last_paid,
        days,
    )
    if run.scope:
        look.scoped = reading.orders_in_scope(run.scope)
        return look
    if look.pool:
        run.shared_mark = passing.shared_mark(on=run.on, gives_stock=bool(giving_stock))
    changed = passing.changed(on=run.on, ground=look.ground)
    look.gone = changed.gone
    if run.is_whole or not changed.passed_over:
        return look
    look.only = changed.orders
    if look.pool:
        is_touched = changed.is_shared or run.shared_mark != passing.last_shared_mark()
        if is_touched or any(_in_pool(look, orders) for orders, _ in _facts(run, look, policy_ids)):
            look.only = look.only | passing.shared_orders()
    return look


def _facts(
    run: GenerationRun, look: Look, policy_ids: Mapping[str, int]
) -> Iterator[tuple[list[OrderFacts], dict[int, list[Standing]]]]:
    """The orders to look at, some at a time, by due date, with the lines that stand; sent ones are on the operations too."""
    if look.only is not None and not look.only:
        return
    for orders in deciding.order_chunks(on=run.on, scope=run.scope or None, only=look.only):
        keys = masterdata.among(order.production_order_id for order in orders)
        standing = reading.standing_lines(Q(production_order__in=keys))
        reading.attach(orders, standing, policy_ids=policy_ids)
        yield orders, standing


def _in_pool(look: Look, orders: Iterable[OrderFacts]) -> bool:
    return any(look.pool.takes(operation) for order in orders for operation in order.operations)


def _planned(
    run: GenerationRun, look: Look, places: reading.Places, policy_ids: Mapping[str, int], *, at: datetime
) -> Iterator[tuple[set[int], list[Difference]]]:
    """Decide the orders to look at, write decisions, work list and readings, and tell the differences, some orders at a time."""
    counts = dict.fromkeys(Verdict.values, 0)
    blocked_by: dict[str, int] = {}
    if look.only is None or look.only:
        item_ids = None if look.only is None else reading.items_of(look.only)
        ground = reading.ground(places, item_ids)
        decider = deciding.Decider.load(on=run.on, last_paid=look.last_paid, days=look.days, item_ids=item_ids)
        if look.pool:
            sent = reading.committed_lines(on=run.on, policy_ids=policy_ids, outside_of=look.scoped)
            decider.commit(sent, outside_of=look.scoped)
        total = reading.count_operations(on=run.on, only=look.only if look.scoped is None else look.scoped)
        are_new = not OrderReading.objects.exists()
    for orders, standing in _facts(run, look, policy_ids):
        plans = reading.plans(orders, places)
        made = [(order, decider.decide_order(order)) for order in orders]
        award_ids = deciding.write_decisions(
            [one for _, decided in made for one in decided], at=at, run_number=run.number
        )
        found: list[Difference] = []
        items: list[dict[str, Any]] = []
        readings: list[tuple[object, ...]] = []
        for order, decided in made:
            by_operation = {one.operation_id: one for one in decided}
            for one in decided:
                counts[one.verdict] += 1
                if one.verdict == Verdict.BLOCKED:
                    for code in one.codes() & BLOCKING:
                        blocked_by[code] = blocked_by.get(code, 0) + 1
            mine = {o.operation_id: standing[o.operation_id] for o in order.operations if o.operation_id in standing}
            plan = plans[order.production_order_id]
            differences = list(rules.plan_order(plan, decided=by_operation, standing=mine, ground=ground))
            for difference in differences:
                award_id = None
                if difference.award:
                    awards = by_operation[difference.operation_id].awards
                    award_id = award_ids[difference.operation_id][awards.index(difference.award)]
                items.append(_item(run, difference, plan.site_id, award_id))
            found += differences
            readings.append(
                passing.read_order(
                    order,
                    decided=decided,
                    standing=[line for lines in mine.values() for line in lines],
                    differences=differences,
                    ground=look.ground,
                    on=run.on,
                    is_shared=_in_pool(look, [order]),
                )
            )
        masterdata.copy_rows(model=RunItem, rows=items)
        passing.keep_readings(readings, are_new=are_new, is_part=look.scoped is not None)
        run.operations = sum(counts.values())
        cache.set(progress_key(run), (run.operations, max(total, run.operations)), 3600)
        yield {order.production_order_id for order in orders}, found
    for verdict, count in counts.items():
        setattr(run, verdict, count)
    run.blocked_by = blocked_by


def _count_verdicts(run: GenerationRun) -> None:
    """The verdicts that stand, also on what was passed over."""
    current = dict(Decision.objects.current().values_list("verdict").annotate(n=Count("pk")).order_by())
    for verdict in Verdict.values:
        setattr(run, verdict, current.get(verdict, 0))
    run.operations = sum(current.values())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r ->> 'code', count(DISTINCT d.id) FROM policies_decision d, jsonb_array_elements(d.reasons) r
            WHERE d.is_current AND d.verdict = 'blocked' AND r ->> 'code' = ANY(%s) GROUP BY 1
            """,
            [list(BLOCKING)],
        )
        run.blocked_by = dict(cursor.fetchall())


def _item(run: GenerationRun, difference: Difference, site_id: int, award_id: int | None) -> dict[str, Any]:
    """A row of the work list, as columns."""
    line, award = difference.line, difference.award
    item: dict[str, Any] = {
        "run_id": run.pk,
        "action": difference.action,
        "operation_id": difference.operation_id,
        "award_id": award_id,
        "line_id": line.line_id if line else None,
        "order_number": line.order_number if line else "",
    }
    if award is None:
        return item
    ships = {
        need.ship_from_id
        for need in difference.needs
        if need.ship_from_id and need.to_ship(to_id=difference.ship_to_id) > 0
    }
    return item | {
        "due_date": award.need_date,
        "rank": award.rank,
        "quantity": award.quantity,
        "group_key": f"{award.vendor_id}/{site_id}/{difference.ship_to_id}/{award.currency_id}/{difference.period}",
        "ship_to_id": difference.ship_to_id,
        "receive_at_id": difference.receive_at_id,
        "components": [need.as_row() for need in difference.needs],
        "sources": sorted(ships),
        "content_hash": difference.content_hash,
    }


def _left_behind(run: GenerationRun, look: Look, seen: set[int]) -> Iterator[list[Difference]]:
    """Lines of production orders that are not decided: cancelled, done, or moved beyond the horizon."""
    if look.scoped is None:
        keys = list(reading.live_production_orders(but_in_horizon_of=run.on))
    else:
        keys = [key for key in reading.live_production_orders() if key not in seen and key in look.scoped]
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


def _about(run: GenerationRun, look: Look, seen: set[int]) -> set[str] | None:
    """The numbers of the production orders whose alerts end where this run does not say them again; None: all."""
    if look.scoped is not None:
        return set(_numbers(seen | look.scoped))
    if look.only is None:
        return None
    alerts = Alert.objects.open().filter(kind__in=watching.REQUIREMENT_KINDS).exclude(production_order="")
    named = set(alerts.values_list("production_order", flat=True))
    passed_over = (
        OrderReading.objects.filter(production_order__number__in=named)
        .exclude(production_order__in=masterdata.among(look.only | look.gone))
        .values_list("production_order__number", flat=True)
    )
    return named - set(passed_over)


def _numbers(keys: Iterable[int]) -> set[str]:
    return set(ProductionOrder.objects.filter(pk__in=masterdata.among(keys)).values_list("number", flat=True))


class _Alerts:
    """Alerts about lines no run may change: opened in bulk, and those whose cause is gone closed at the end."""

    def __init__(self, *, at: datetime, on: date, codes: dict[int, str]) -> None:
        self.at, self.on, self.codes = at, on, codes
        self.subjects: dict[str, set[str]] = {kind: set() for kind in watching.REQUIREMENT_KINDS}
        self.waiting: list[Alert] = []
        self.opened = 0

    def note(self, differences: Iterable[Difference]) -> None:
        said = [one for one in differences if one.action == Action.ALERT]
        named = {
            int(one["receive_at"])
            for difference in said
            for one in (difference.before, difference.after)
            if "receive_at" in one
        }
        places = dict(Location.objects.filter(pk__in=named).values_list("pk", "code")) if named else {}
        for difference in said:
            alert = watching.requirement_alert(difference, vendor_codes=self.codes, place_codes=places, today=self.on)
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
    run.items_total = RunItem.objects.filter(run=run).exclude(action=Action.ALERT).count()
    if not run.items_total:
        return
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


def progress_key(run: GenerationRun) -> str:
    return f"run-progress:{run.number}"
