"""Writing one shard of a run: whole orders with their lines, components, planned shipments and expected receipts.

One transaction, a constant number of statements. What a person did since the run decided is seen under the order's lock and
respected: such an item is left, and the next run says what it means now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Max

from activity import services as activity
from activity.models import Event
from documents.models import Action, GenerationRun, RunItem, RunShard
from documents.rules import DocumentRules, Need
from documents.services import reading
from masterdata import services as masterdata
from policies.models import ChargeBasis
from production.models import Operation
from production.services.reporting import through
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from shipments import services as shipments
from shipments.services import ToShip
from subcontract_orders import services as orders
from subcontract_orders.models import UNSENT, LineStatus, OrderComponent, OrderLine, OrderStatus, SubcontractOrder

DONE, LEFT, HELD = "done", "left: the order was changed meanwhile", "left: the order is held"
KIND = "subcontract_order"


class Item(NamedTuple):
    """A work item with all its line will hold, read in one statement. Places are blank where a line is withdrawn."""

    pk: int
    action: str
    line_id: int | None
    group_key: str
    order_number: str
    ship_to_id: int
    receive_at_id: int
    components: list[list[Any]]
    content_hash: str
    operation_id: int
    operation_no: str
    operation_name: str
    process_id: int | None
    process_certificates: list[str] | None
    production_order_id: int
    item_id: int
    site_id: int
    policy_id: int | None
    vendor_id: int | None
    quantity: Decimal
    yield_pct: Decimal
    agreement_id: int | None
    minimum_charge: Decimal | None
    minimum_charge_basis: str | None
    currency_id: int
    unit_price: Decimal
    price_unit: str
    price_factor: Decimal
    is_estimate: bool
    work_amount: Decimal
    minimum_top_up: Decimal
    lot_charge: Decimal
    freight: Decimal
    amount: Decimal
    amount_company: Decimal
    need_date: date
    vendor_ready_date: date
    at_vendor_date: date
    dispatch_by: date
    order_by: date
    late_by: int
    promise_date: date
    is_whole: bool
    last_no: str


PATHS = {
    "operation_no": "operation__operation_no",
    "operation_name": "operation__name",
    "process_id": "operation__process_id",
    "process_certificates": "operation__process__certificates",
    "production_order_id": "operation__production_order_id",
    "item_id": "operation__production_order__item_id",
    "site_id": "operation__production_order__site_id",
    "policy_id": "award__decision__policy_id",
    "minimum_charge": "award__agreement__minimum_charge",
    "minimum_charge_basis": "award__agreement__minimum_charge_basis",
    **{
        name: f"award__{name}"
        for name in Item._fields[Item._fields.index("vendor_id") :]
        if not name.startswith("minimum_charge")
    },
}


def write_shard(*, shard: RunShard, at: datetime) -> int:
    """Do all of a claimed shard's items in the caller's transaction. Returns how many there were."""
    run = shard.run
    items = [
        Item(*row)
        for row in RunItem.objects.filter(run=run, shard_no=shard.shard_no)
        .exclude(action=Action.ALERT)
        .order_by("order_number", "due_date", "rank", "pk")
        .values_list(*(PATHS.get(name, name) for name in Item._fields))
    ]
    # Orders first and in the order of their keys, as everybody locks them.
    known = {
        order.number: order
        for order in SubcontractOrder.objects.select_for_update()
        .filter(number__in={item.order_number for item in items})
        .order_by("pk")
    }
    done, left = _sorted(items, known)
    if shard.comes_first:
        _withdraw(run, done, known, at=at)
    else:
        _write(run, shard, done, known, at=at)
    mine = RunItem.objects.filter(run=run, shard_no=shard.shard_no).exclude(action=Action.ALERT)
    mine.update(outcome=DONE)
    if left:
        held = {number for number, order in known.items() if order.status == OrderStatus.HELD}
        mine.filter(pk__in=[item.pk for item in left]).update(outcome=LEFT)
        mine.filter(pk__in=[item.pk for item in left if item.order_number in held]).update(outcome=HELD)
    return len(items)


def _sorted(items: Sequence[Item], known: dict[str, SubcontractOrder]) -> tuple[list[Item], list[Item]]:
    """Which items may be done as the orders stand now, and which must be left."""
    done: list[Item] = []
    left: list[Item] = []
    for item in items:
        order = known.get(item.order_number)
        if item.action == Action.CREATE:
            may = order is None or (order.status == OrderStatus.DRAFT and order.revision == 1)
        else:
            # A held draft stays as it is until somebody releases it; the next run then finds what has changed.
            may = order is not None and order.sent_at is None and order.status in UNSENT
        (done if may and (item.vendor_id or item.action == Action.CANCEL) else left).append(item)
    return done, left


def _withdraw(run: GenerationRun, items: Sequence[Item], known: dict[str, SubcontractOrder], *, at: datetime) -> None:
    line_ids = [item.line_id for item in items if item.line_id]
    touched = {known[item.order_number].pk for item in items}
    planned = shipments.planned_shipments(order_ids=touched)
    shipments.unplan(line_ids=line_ids)
    orders.withdraw_lines(line_ids)
    shipments.plan(wanted=[], planned=planned, numbers=iter(()), at=at)
    receipts.expect_no_more(line_ids=line_ids)
    # What new or changed lines of this run are still to come to is looked at when they are written: it is not empty,
    # and whether it may approve itself depends on them.
    coming = RunItem.objects.filter(run=run, action__in=[Action.CREATE, Action.CHANGE], order_number__in=known)
    awaited = set(coming.values_list("order_number", flat=True))
    over = [order.pk for number, order in known.items() if number not in awaited and order.pk in touched]
    cancelled = set(orders.cancel_empty_orders(over, at=at))
    orders.recount_orders(touched)
    orders.recount_material(touched)
    _record(run, items, known, "order.line_withdrawn", at=at, but=cancelled)
    _, to_send = orders.approve_by_policy(over, at=at)
    orders.send_by_policy(to_send, at=at)


def _write(
    run: GenerationRun, shard: RunShard, items: Sequence[Item], known: dict[str, SubcontractOrder], *, at: datetime
) -> None:
    if not items:
        return
    document_rules, transit_back = reading.document_rules(), reading.transit_back()
    new = _new_orders(run, items, known, at=at)
    orders.add_orders(new)
    everyone = {**known, **{order.number: order for order in new}}

    creates = [item for item in items if item.action == Action.CREATE]
    last = dict(
        OrderLine.objects.filter(order__in=[known[i.order_number].pk for i in creates if i.order_number in known])
        .values_list("order_id")
        .annotate(last=Max("line_no"))
    )
    lines: list[OrderLine] = []
    new_line = masterdata.maker_of(OrderLine)
    for item in creates:
        line = new_line()
        line.order_id = everyone[item.order_number].pk
        line.line_no = last[line.order_id] = last.get(line.order_id, 0) + 1
        _fill(line, item, document_rules[item.policy_id], transit_back)
        lines.append(line)
    _tell_of_all(lines)
    needs = [[Need.from_row(row) for row in item.components] for item in creates]
    components = [_components(mine) for mine in needs]
    orders.add_lines(lines, components)

    planned = shipments.planned_shipments(order_ids=[order.pk for order in known.values()])
    changes = [item for item in items if item.action == Action.CHANGE]
    days = masterdata.site_days(on=run.on, at=at) if any(item.action == Action.CHANGE for item in items) else {}
    changed, changed_components, changed_needs = _change(changes, document_rules, transit_back, days=days, at=at)

    wanted = []
    for item, line, mine, rows in zip(
        creates + changes, lines + changed, needs + changed_needs, components + changed_components, strict=True
    ):
        for need, component in zip(mine, rows, strict=True):
            quantity = need.to_ship(to_id=line.ship_to_id)
            if quantity > 0 and need.ship_from_id:
                wanted.append(
                    ToShip(
                        line.order_id,
                        line.pk,
                        component.pk,
                        need.item_id,
                        need.stage,
                        quantity,
                        line.vendor_id,
                        item.site_id,
                        need.ship_from_id,
                        line.ship_to_id,
                        line.dispatch_by,
                    )
                )
    shipments.plan(wanted=wanted, planned=planned, numbers=iter(shard.shipment_numbers), at=at)
    expected = []
    new_expected = masterdata.maker_of(ExpectedReceipt)
    for line in lines + changed:
        row = new_expected()
        row.order_line_id, row.item_id, row.quantity = line.pk, line.item_id, line.quantity
        row.expected_on, row.location_id = line.promised_date, line.receive_at_id
        expected.append(row)
    receipts.expect_new(expected[: len(creates)])
    receipts.expect(expected[len(creates) :])
    touched = {order.pk for order in everyone.values()}
    orders.recount_orders(touched)
    promised = {line.order_id for line, mine in zip(lines, needs, strict=True) if any(need.carried_in for need in mine)}
    orders.recount_material({*promised, *(order.pk for order in known.values())})
    activity.record_many([_event(run, "order.created", order, at=at) for order in new])
    _record(run, creates, known, "order.line_added", at=at)
    _record(run, changes, known, "order.line_changed", at=at)
    _, to_send = orders.approve_by_policy(touched, at=at)
    orders.send_by_policy(to_send, at=at)


def _new_orders(
    run: GenerationRun, items: Sequence[Item], known: dict[str, SubcontractOrder], *, at: datetime
) -> list[SubcontractOrder]:
    found: dict[str, SubcontractOrder] = {}
    for item in items:
        if item.action == Action.CREATE and item.order_number not in known and item.order_number not in found:
            vendor_id, site_id, ship_to_id, currency_id, period = item.group_key.split("/", 4)
            found[item.order_number] = SubcontractOrder(
                number=item.order_number,
                vendor_id=int(vendor_id),
                site_id=int(site_id),
                ship_to_id=int(ship_to_id),
                receive_at_id=item.receive_at_id,
                currency_id=int(currency_id),
                consolidation_key=period,
                made_by_run=run.number,
                created_at=at,
            )
    return list(found.values())


def _fill(line: OrderLine, item: Item, document: DocumentRules, transit_back: Mapping[int, int]) -> None:
    """Set all a run decides about a line. `transit_back`: the days of vendors who have their own."""
    assert item.vendor_id is not None  # noqa: S101  (sorted out before)
    line.status, line.is_draft = LineStatus.OPEN, True
    line.vendor_id, line.ship_to_id, line.receive_at_id = item.vendor_id, item.ship_to_id, item.receive_at_id
    line.operation_id, line.production_order_id = item.operation_id, item.production_order_id
    line.is_whole, line.item_id = item.is_whole, item.item_id
    line.last_operation_no = item.last_no or ""
    if item.is_whole:
        line.operation_no, line.process_id, line.description = "", None, ""
    else:
        line.operation_no, line.process_id = item.operation_no, item.process_id
        line.description = item.operation_name[:300]
    line.quantity, line.yield_pct = item.quantity, item.yield_pct
    line.unit_price, line.price_unit, line.price_factor = item.unit_price, item.price_unit, item.price_factor
    line.minimum_charge = item.minimum_charge or Decimal(0)
    line.minimum_charge_basis = item.minimum_charge_basis or ChargeBasis.LINE
    line.is_price_open, line.agreement_id = item.is_estimate, item.agreement_id
    line.work_amount, line.minimum_top_up = item.work_amount, item.minimum_top_up
    line.lot_charge, line.freight = item.lot_charge, item.freight
    line.amount, line.amount_company = item.amount, item.amount_company
    line.need_date, line.vendor_ready_date = item.need_date, item.vendor_ready_date
    line.at_vendor_date, line.dispatch_by, line.order_by = item.at_vendor_date, item.dispatch_by, item.order_by
    line.late_by = item.late_by
    line.policy_code = document.code
    line.over_receipt_pct, line.under_receipt_pct = document.over_receipt_pct, document.under_receipt_pct
    line.over_send_pct = document.over_send_pct
    line.consumption, line.shortage, line.rejects = document.consumption, document.shortage, document.rejects
    line.inspection, line.sample_pct = document.inspection, document.sample_pct
    line.certificates = list(
        dict.fromkeys([*document.certificates, *(() if item.is_whole else item.process_certificates or ())])
    )
    line.price_tolerance_pct, line.price_tolerance_amount = (
        document.price_tolerance_pct,
        document.price_tolerance_amount,
    )
    line.quantity_tolerance_pct, line.pay_for = document.quantity_tolerance_pct, document.pay_for
    line.use_vendor_stock = document.use_vendor_stock
    line.transit_back_days = transit_back.get(item.vendor_id, document.transit_back_days)
    line.promised_date = item.promise_date - timedelta(days=line.inspection_days)
    line.auto_approve_up_to, line.auto_send = document.auto_approve_up_to, document.auto_send
    line.auto_send_wait_minutes = document.auto_send_wait_minutes
    line.auto_send_days_before = document.auto_send_days_before
    line.content_hash = item.content_hash


def _tell_of_all(lines: Sequence[OrderLine]) -> None:
    """Lines for several operations name them all, and ask for the certificates of each of their processes."""
    together = [line for line in lines if line.last_operation_no]
    if not together:
        return
    steps: dict[int, list[Operation]] = {}
    rows = Operation.objects.filter(production_order__in={line.production_order_id for line in together})
    for step in rows.select_related("process").order_by("pk"):
        steps.setdefault(step.production_order_id, []).append(step)
    for line in together:
        mine = through(
            steps.get(line.production_order_id or 0, ()), first=line.operation_no, last=line.last_operation_no
        )
        line.description = ", ".join(dict.fromkeys(step.name or str(step.process or "") for step in mine))[:300]
        asked = [kind for step in mine if step.process for kind in step.process.certificates]
        line.certificates = list(dict.fromkeys([*line.certificates, *asked]))


def _change(
    items: Sequence[Item],
    document_rules: dict[int | None, DocumentRules],
    transit_back: Mapping[int, int],
    *,
    days: Mapping[int, date],
    at: datetime,
) -> tuple[list[OrderLine], list[list[OrderComponent]], list[list[Need]]]:
    """Bring lines never sent in line with what was decided, but for the fields a person has pinned."""
    if not items:
        return [], [], []
    stored = {
        line.pk: line
        for line in OrderLine.objects.select_related("order__currency").filter(pk__in=[item.line_id for item in items])
    }
    lines, needs = [], []
    for item in items:
        line = stored[item.line_id or 0]
        kept = {name: getattr(line, name) for name in ("quantity", "unit_price", "need_date") if name in line.pinned}
        _fill(line, item, document_rules[item.policy_id], transit_back)
        for name, value in kept.items():
            if name == "need_date":
                orders.set_need_date(line, value, on=days[item.site_id])
            else:
                setattr(line, name, value)
        if "unit_price" in kept:  # a price somebody set is not open any more
            line.is_price_open = False
        if kept.keys() & {"quantity", "unit_price"}:
            orders.set_amounts(line, order=line.order, at=at)
        lines.append(line)
        needs.append([Need.from_row(row) for row in item.components])
    _tell_of_all(lines)
    components = [_components(mine) for mine in needs]
    shipments.unplan(line_ids=[line.pk for line in lines])
    orders.rewrite_lines(lines, components)
    return lines, components, needs


@cache
def _new_component() -> Callable[[], OrderComponent]:
    return masterdata.maker_of(OrderComponent)


def _components(needs: Iterable[Need]) -> list[OrderComponent]:
    found = []
    new_component = _new_component()
    for position, need in enumerate(needs, 1):
        row = new_component()
        row.position, row.item_id, row.stage, row.supply, row.basis = (
            position,
            need.item_id,
            need.stage,
            need.supply,
            need.basis,
        )
        row.quantity_per, row.scrap_pct, row.required = need.quantity_per, need.scrap_pct, need.required
        row.carried_in, row.ship_from_id = need.carried_in, need.ship_from_id
        found.append(row)
    return found


def _record(
    run: GenerationRun,
    items: Sequence[Item],
    known: dict[str, SubcontractOrder],
    name: str,
    *,
    at: datetime,
    but: Iterable[str] = (),
) -> None:
    """One event for each order that was there before, naming the operations concerned."""
    about: dict[str, list[str]] = {}
    for item in items:
        if item.order_number in known and item.order_number not in but:
            about.setdefault(item.order_number, []).append(item.operation_no)
    activity.record_many(
        [_event(run, name, known[number], at=at, operations=nos) for number, nos in sorted(about.items())]
    )


def _event(run: GenerationRun, name: str, order: SubcontractOrder, *, at: datetime, **data: Any) -> Event:
    return Event(
        name=name,
        document_kind=KIND,
        document_number=order.number,
        at=at,
        by=run.requested_by,
        through="run",
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        data={"run": run.number, **data},
    )
