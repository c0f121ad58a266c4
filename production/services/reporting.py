"""What was made of an operation, reported from outside or inside: counters on the operation, its status by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidQuantity, NotFound, Refusal, WrongState
from core.retries import retried
from inventory.models import Balance, Lot
from inventory.services import Move, NotEnoughStock, post_movements, unit_values
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from masterdata.services import main_location, note_plan_change, virtual_location
from production.models import (
    OPEN_STATUSES,
    Operation,
    OperationStatus,
    ProductionOrder,
    Supply,
)
from production.rules.components import BomRow, Ratio, ratios, rounded_up
from production.rules.flow import piece_flow, where_pieces_wait
from production.rules.schedule import Calendar, Step, successors
from production.services.pieces import boms_of

KIND = "production_report"
ZERO = Decimal(0)
FIVE = Decimal("0.00001")
OWN_PLACES = (LocationKind.PLANT, LocationKind.WAREHOUSE, LocationKind.PRODUCTION)


class PreviousOperationShort(Refusal):
    """More pieces than the steps before have finished."""

    code = "previous_operation_short"


@dataclass(frozen=True, slots=True)
class Report:
    """Pieces to add to an operation's counters; a reversal is negative."""

    good: Decimal
    scrap: Decimal


def report_outside(
    reports: Mapping[int, Sequence[Report]],
    *,
    at: datetime,
    reason: str,
    expecting: Collection[int] = (),
    settled: Collection[int] = (),
) -> None:
    """Count what came back from vendors on operations, by their keys.

    Finished when all is good, when all is good or scrap and no vendor is `expecting` to bring more, or when all that was asked
    for is `settled` though some is missing. The caller holds the production orders' locks. A plan change is noted, as later
    operations may get less or more.
    """
    rows = list(Operation.objects.filter(pk__in=reports).select_for_update().order_by("pk"))
    for row in rows:
        for report in reports[row.pk]:
            row.good += report.good
            row.scrap += report.scrap
        done = row.good + row.scrap
        if row.status == OperationStatus.CANCELLED:
            continue
        if row.good >= row.quantity or row.pk in settled or (done >= row.quantity and row.pk not in expecting):
            row.status = OperationStatus.FINISHED
        else:
            row.status = OperationStatus.IN_PROGRESS if done else OperationStatus.OPEN
    if rows:
        _save_counters(rows)
        note_plan_change(at=at, reason=reason)


def _save_counters(rows: Sequence[Operation]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE production_operation o SET good = x.good, scrap = x.scrap, status = x.status
            FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::text[]) AS x(id, good, scrap, status)
            WHERE o.id = x.id
            """,
            [[row.pk for row in rows], [row.good for row in rows], [row.scrap for row in rows],
             [str(row.status) for row in rows]],
        )  # fmt: skip


@retried
@transaction.atomic
def report_operation(
    *,
    operation_id: int,
    good: Decimal,
    scrap: Decimal = ZERO,
    lot: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Operation:
    """Report pieces made in house on an operation, in addition to those reported before.

    Its own components and the pieces of the steps before are used at cost from the order's location (else the site's main
    one); good pieces stand there as work in progress, after the last operation as stock; scrapped ones are expensed with
    what they used. A tracked item's pieces go into `lot`, else into a lot named like the order. Raises NotFound,
    InvalidQuantity, TooPrecise, WrongState, PreviousOperationShort, NotEnoughStock.
    """
    visible = Operation.objects.visible_to(by) if by else Operation.objects.all()
    order_id = visible.filter(pk=operation_id).values_list("production_order", flat=True).first()
    if order_id is None:
        raise NotFound("There is no such operation.", field="operation")
    order = (
        ProductionOrder.objects.select_for_update(of=("self",))
        .select_related("item__unit", "site", "location")
        .get(pk=order_id)
    )
    steps = {row.operation_no: row for row in _steps(order_id).select_for_update().order_by("pk")}
    operation = Operation.objects.get(pk=operation_id)
    _check(order, operation, good=good, scrap=scrap)
    named = _named(steps.values())
    is_last = not piece_flow(named)[operation.operation_no]
    made = good + scrap
    _check_previous(operation, steps.values(), named, is_last=is_last, made=made)
    home = order.location or main_location(site=order.site)
    number = f"{order.stage_number}/{operation.operation_no}"
    every = list(_steps(order_id).order_by("sequence", "pk"))
    bill = next(uses for step, uses in components_of(order.item_id, every) if step.pk == operation.pk)
    taken = [
        *_wip_moves(order, where_pieces_wait(named, operation.operation_no), made=made, home=home),
        *_component_moves(operation, bill, made=made, home=home),
    ]
    used = virtual_location(kind=LocationKind.CONSUMED).pk

    def post(moves: Sequence[Move]) -> Decimal:
        posted = post_movements(moves, kind=KIND, number=number, occurred_at=at, recorded_at=at, by=by)
        return sum((movement.value for movement in posted if movement.quantity), ZERO)

    spent = post([Move(item, place, used, quantity, lot_id, stage) for item, place, quantity, lot_id, stage in taken])
    beside = _by_product_moves(order, operation, bill, made=made, home=home, lot=lot, most=spent, used=used)
    spent -= post(beside)
    bad_worth = (spent * scrap / made).quantize(FIVE, ROUND_HALF_UP) if scrap else ZERO
    stage = "" if is_last else f"{order.stage_number}/{operation.operation_no}"
    lot_id = _lot(order, lot) if is_last and good else None
    made_moves = []
    if good:
        made_moves.append(Move(order.item_id, used, home.pk, good, lot_id, stage, value=spent - bad_worth))
    if scrap:
        bin_ = virtual_location(kind=LocationKind.SCRAP).pk
        made_moves.append(Move(order.item_id, used, bin_, scrap, None, stage, value=bad_worth))
    post(made_moves)
    report_outside({operation.pk: [Report(good, scrap)]}, at=at, reason=f"{number} reported")
    activity.record(
        "operation.reported", kind="production_order", number=order.number, at=at, by=by, through=through,
        site_id=order.site_id, data={"operation": operation.operation_no, "good": f"{good}", "scrap": f"{scrap}"},
    )  # fmt: skip
    operation.refresh_from_db()
    return operation


def followers(*, production_order_id: int) -> Mapping[str, tuple[str, ...]]:
    """Which operation takes on the pieces of each of an order's that is not cancelled, by operation number."""
    return followers_among(_steps(production_order_id))


def _steps(order_id: int) -> QuerySet[Operation]:
    return Operation.objects.filter(production_order=order_id).exclude(status=OperationStatus.CANCELLED)


def through(operations: Iterable[Operation], *, first: str, last: str) -> list[Operation]:
    """From one operation along those that follow it to another; the first alone where no such way leads there."""
    steps = {row.operation_no: row for row in operations}
    following = followers_among(steps.values())
    found = [steps[first]] if first in steps else []
    while found and found[-1].operation_no != last:
        after = following.get(found[-1].operation_no, ())
        if len(after) != 1:
            return found[:1]
        found.append(steps[after[0]])
    return found


def followers_among(operations: Iterable[Operation]) -> Mapping[str, tuple[str, ...]]:
    """Which operation takes on the pieces of each that is not cancelled, by operation number: a piece exists once, so parallel
    steps get it one after another.
    """
    return piece_flow(_named(operations))


def _named(operations: Iterable[Operation]) -> Mapping[str, tuple[str, ...]]:
    """Who follows whom by the plan among operations that are not cancelled."""
    return successors(
        [
            Step(row.operation_no, row.sequence, Fraction(0), Calendar(), tuple(row.next_nos))
            for row in sorted(operations, key=lambda row: (row.sequence, row.pk))
            if row.status != OperationStatus.CANCELLED
        ]
    )


def _check(order: ProductionOrder, operation: Operation, *, good: Decimal, scrap: Decimal) -> None:
    if order.status not in OPEN_STATUSES:
        raise WrongState(f"{order} is {order.get_status_display().lower()}; nothing is reported on it.")
    if operation.status in (OperationStatus.FINISHED, OperationStatus.CANCELLED):
        raise WrongState(f"Operation {operation.operation_no} of {order} is {operation.get_status_display().lower()}.")
    for field, quantity in (("good", good), ("scrap", scrap)):
        if quantity < 0:
            raise InvalidQuantity(f"{quantity} is below zero.", field=field)
        masterdata.check_exact(order.item, quantity, field=field)
    if not good + scrap:
        raise InvalidQuantity("Report at least one piece, good or scrap.", field="good")


def _check_previous(
    operation: Operation,
    steps: Iterable[Operation],
    named: Mapping[str, tuple[str, ...]],
    *,
    is_last: bool,
    made: Decimal,
) -> None:
    """Every step before must have finished as many as are made of them; of what becomes stock, those parallel to it as well."""
    flow = piece_flow(named)
    for previous in steps:
        goes_to = {*named[previous.operation_no], *(flow[previous.operation_no] if is_last else ())}
        if operation.operation_no not in goes_to:
            continue
        possible = previous.good - operation.good - operation.scrap
        if made > possible:
            raise PreviousOperationShort(
                f"Operation {previous.operation_no} has finished {max(possible, ZERO).normalize():f} pieces that operation "
                f"{operation.operation_no} has not made yet; {made.normalize():f} were reported.",
                field="good",
            )


Taken = tuple[int, int, Decimal, int | None, str]  # item, location, quantity, lot, stage


def _wip_moves(
    order: ProductionOrder, before: Sequence[Sequence[str]], *, made: Decimal, home: Location
) -> Iterator[Taken]:
    """The pieces of the steps `before`, of each kind from the first that has some, wherever they lie at the site: at the
    order's own place first.
    """
    for numbers in before:
        stages = [f"{order.stage_number}/{number}" for number in numbers]
        there = Balance.objects.filter(
            item=order.item_id, stage__in=stages, quantity__gt=0, location__site=order.site_id
        )
        there = there.filter(location__kind__in=OWN_PLACES).select_related("location").order_by("since", "pk")
        rest = made
        for row in sorted(there, key=lambda row: (stages.index(row.stage), row.location_id != home.pk)):
            taken = min(row.quantity, rest)
            if taken > 0:
                yield order.item_id, row.location_id, taken, row.lot_id, row.stage
                rest -= taken
        if rest:
            raise NotEnoughStock(
                f"{made.normalize():f} pieces are made of those finished at operation {numbers[0]}; "
                f"{(made - rest).normalize():f} of them lie here.",
                field="good",
            )


def _component_moves(
    operation: Operation,
    bill: Sequence[Ratio],
    *,
    made: Decimal,
    home: Location,
) -> Iterator[Taken]:
    """The operation's own components for the pieces made now; first expired, first in."""
    before = operation.good + operation.scrap
    for ratio in bill:
        if ratio.supply in (Supply.RETURNABLE, Supply.BY_PRODUCT):
            continue
        need = _due(ratio, before=before, made=made)
        there = Balance.objects.filter(item=ratio.item_id, location=home, stage="", quantity__gt=0)
        rest = need
        for row in there.order_by(F("lot__expires_on").asc(nulls_last=True), "since", "pk"):
            taken = min(row.quantity, rest)
            if taken > 0:
                yield ratio.item_id, home.pk, taken, row.lot_id, ""
                rest -= taken
        if rest:
            item = Item.objects.get(pk=ratio.item_id)
            raise NotEnoughStock(
                f"{need.normalize():f} of {item} are used, {(need - rest).normalize():f} lie at {home}.", field="good"
            )


def _by_product_moves(
    order: ProductionOrder,
    operation: Operation,
    bill: Sequence[Ratio],
    *,
    made: Decimal,
    home: Location,
    lot: str,
    most: Decimal,
    used: int,
) -> list[Move]:
    """What comes out of the work beside the pieces, by the bill, at its value; together worth `most` at most."""
    before = operation.good + operation.scrap
    gives = [ratio for ratio in bill if ratio.supply == Supply.BY_PRODUCT]
    items = Item.objects.in_bulk({ratio.item_id for ratio in gives}) if gives else {}
    worth = unit_values(item_ids=items, site_id=order.site_id)
    moves = []
    for ratio in gives:
        quantity = _due(ratio, before=before, made=made)
        value = min((quantity * worth.get(ratio.item_id, ZERO)).quantize(FIVE, ROUND_HALF_UP), most)
        most -= value
        if quantity:
            lot_id = _lot_of(items[ratio.item_id], lot.strip() or order.number)
            moves.append(Move(ratio.item_id, used, home.pk, quantity, lot_id, value=value))
    return moves


def _due(ratio: Ratio, *, before: Decimal, made: Decimal) -> Decimal:
    """What pieces made now use (or give) by the bill, rounded over all of them; per order, all with the first."""
    if ratio.is_per_order:
        return ZERO if before else rounded_up(ratio.factor, decimals=ratio.decimals)
    through = rounded_up(ratio.factor * (before + made), decimals=ratio.decimals)
    return through - rounded_up(ratio.factor * before, decimals=ratio.decimals)


def components_of(
    item_id: int, operations: Sequence[Operation], *, boms: Mapping[int, Sequence[BomRow]] | None = None
) -> list[tuple[Operation, tuple[Ratio, ...]]]:
    """What each operation of an item uses, given all of them in order; material tied to none of them belongs to the first.
    `boms`: bills of material read already, where many items are asked.
    """
    if boms is None:
        boms = boms_of({item_id})
    nos = [operation.operation_no for operation in operations]
    return [
        (
            operation,
            ratios(
                boms,
                item_id=item_id,
                operation_no=operation.operation_no,
                is_first=operation is operations[0],
                operation_nos=nos,
            ),
        )
        for operation in operations
    ]


def _lot(order: ProductionOrder, lot: str) -> int | None:
    return _lot_of(order.item, lot.strip() or order.number)


def _lot_of(item: Item, code: str) -> int | None:
    if not (item.lot_tracked or item.serial_tracked):
        return None
    made, _ = Lot.objects.get_or_create(item=item, code=code)
    return int(made.pk)
