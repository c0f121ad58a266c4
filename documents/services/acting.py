"""Acts of a person on a whole document set: the order with its planned shipments and expected receipts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import models, transaction
from django.db.models import Q, Sum

from accounts.models import User
from activity import services as activity
from activity.models import Alert
from core.refusals import NoRight, NotFound, WrongState
from documents.services.requesting import request_run
from documents.services.watching import AFTER, CHANGED, REQUIREMENT_KINDS, TOLD
from masterdata import services as masterdata
from masterdata.models import Location, LocationKind
from policies.models import Verdict
from production.models import BEGUN, OperationStatus, ProductionOrder
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from shipments import services as shipments
from shipments.models import ShipmentLine, ShipmentStatus
from subcontract_orders import services as orders
from subcontract_orders.models import LineStatus, OrderComponent, OrderLine, SubcontractOrder
from subcontract_orders.rules import next_part
from subcontract_orders.services import NotOfThisState

SET_ASIDE = (ShipmentStatus.PICKED, ShipmentStatus.HELD)


class NothingToApply(WrongState):
    """The alert proposes nothing that one act could do."""

    code = "nothing_to_do"


def approve_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Approve the order of a set. Raises as subcontract_orders.services.approve_order."""
    return orders.approve_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


def withdraw_approval(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Take back the approval of a set of which nothing was sent. Raises as subcontract_orders.services.withdraw_approval."""
    return orders.withdraw_approval(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


@transaction.atomic
def send_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Send the order of a set; a later revision brings its shipments and expected receipts along.

    Raises as subcontract_orders.services.send_order.
    """
    _hold_plans(order_id)
    order = orders.send_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    if order.revision > 1:
        follow_order(order, at=at)
        _settle(order_id, by=by, at=at, through=through)
    return order


@transaction.atomic
def acknowledge_set(
    *,
    order_id: int,
    promised: Mapping[int, date] | None = None,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """The vendor accepts, perhaps with dates by line number, on which the pieces are expected then.

    Raises as subcontract_orders.services.acknowledge_order.
    """
    order = orders.acknowledge_order(
        order_id=order_id, promised=promised, expected_version=expected_version, by=by, at=at, through=through
    )
    if promised:
        _expect(list(OrderLine.objects.active().filter(order=order, line_no__in=promised)))
    return order


def hold_set(
    *, order_id: int, reason: str, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Stop the set where it is. Raises as subcontract_orders.services.hold_order."""
    return orders.hold_order(
        order_id=order_id, reason=reason, expected_version=expected_version, by=by, at=at, through=through
    )


def release_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Let it go on. Raises as subcontract_orders.services.release_order."""
    return orders.release_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


@transaction.atomic
def cancel_set(
    *,
    order_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Cancel the order, its planned shipments and what is expected of it. Raises as subcontract_orders.services.cancel_order.

    What is still needed is found by the next run.
    """
    order = orders.cancel_order(
        order_id=order_id, reason=reason, expected_version=expected_version, by=by, at=at, through=through
    )
    receipts.give_back_free_stock(order_id=order.pk, at=at)
    _stop(order, at=at)
    return order


@transaction.atomic
def close_set(
    *,
    order_id: int,
    leftovers: str = receipts.Leftovers.KEEP,
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> SubcontractOrder:
    """Expect and ship no more. What is left at the vendor stays as free stock, is to come back (a return is drafted), or is
    written off. Raises as subcontract_orders.services.close_order; NoRight where the user may not write off; NotEnoughStock.
    """
    if leftovers == receipts.Leftovers.WRITE_OFF and not by.has_perm("receipts.write_off_material"):
        raise NoRight("You may not write off material; keep it there or have it returned.", field="leftovers")
    order = orders.close_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    receipts.settle_leftovers(order_id=order.pk, leftovers=leftovers, by=by, at=at)
    _stop(order, at=at)
    return order


@transaction.atomic
def reopen_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Take up a closed order: its open quantity is expected again, and what it left there is its own again as far as it is
    still free. Raises as subcontract_orders.services.reopen_order.
    """
    order = orders.reopen_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    receipts.take_back(order_id=order.pk, at=at)
    for line in OrderLine.objects.active().filter(order=order).order_by("line_no"):
        if line.open_quantity > 0 or line.in_rework > 0:
            follow_line(line, at=at)
    orders.recount_material([order.pk])
    return order


@transaction.atomic
def change_line(
    *,
    order_id: int,
    line_no: int,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
    need_date: date | None = None,
    reason: str,
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> OrderLine:
    """Set fields of a line never sent and bring its planned shipment and expected receipt along.

    The fields are pinned: runs leave them. Raises as subcontract_orders.services.change_line.
    """
    line = orders.change_line(
        order_id=order_id,
        line_no=line_no,
        quantity=quantity,
        unit_price=unit_price,
        need_date=need_date,
        reason=reason,
        expected_version=expected_version,
        by=by,
        at=at,
        through=through,
    )
    follow_line(line, at=at)
    return line


@transaction.atomic
def revise_line(
    *,
    order_id: int,
    line_no: int,
    quantity: Decimal | None = None,
    unit_price: Decimal | None = None,
    need_date: date | None = None,
    receive_at_id: int | None = None,
    retell: bool = False,
    reason: str = "",
    expected_version: int | None = None,
    by: User,
    at: datetime,
    through: str = "page",
) -> OrderLine:
    """Change a line of a sent order as a new revision, with its planned shipment and expected receipt.

    In force, what came already is worth what it says. Raises as subcontract_orders.services.revise_line.
    """
    _hold_plans(order_id)
    line = orders.revise_line(
        order_id=order_id,
        line_no=line_no,
        quantity=quantity,
        unit_price=unit_price,
        need_date=need_date,
        receive_at_id=receive_at_id,
        retell=retell,
        reason=reason,
        expected_version=expected_version,
        by=by,
        at=at,
        through=through,
    )
    follow_line(line, at=at)
    _settle(order_id, by=by, at=at, through=through)
    return line


class Way(models.TextChoices):
    """What may become of pieces that are out when the part's revision or specification changes."""

    CHANGE = "change", "Make them to the new one"
    HOLD = "hold", "Stop the order, and decide later"
    RETURN = "return", "Take them back; what is needed is ordered anew"


def ways_of(alert: Alert) -> tuple[Way, ...]:
    """What may become of pieces that are out: more than one way where the vendor was told of another item or other work."""
    is_another = alert.kind == CHANGED and ("item" in alert.after or _is_retold(alert))
    return tuple(Way) if is_another else (Way.CHANGE,)


def _is_retold(alert: Alert) -> bool:
    return any(name in alert.after for name in TOLD)


@transaction.atomic
def apply_alert(*, alert_id: int, way: str = Way.CHANGE, by: User, at: datetime, through: str = "page") -> Alert:
    """Do what an alert about a changed or cancelled requirement proposes, in one act, and close it.

    A sent line is revised or taken off (with its last line the order is cancelled), also where another vendor is to take it: the
    run it asks for orders there. A draft's pinned fields are given back to the next run.
    Where the work is to be done otherwise, or another item is to be made, there are two other ways (`Way`): the order is held,
    and the alert stays; or the line is taken off, what lies at the vendor for it is to come back, and the run it asks for orders
    anew what is still needed. An order of which nothing was made yet turns to the item its plan wants once its last sent line is
    off.
    `way` is one of `ways_of`. Raises NotFound, NothingToApply, and as the acts it stands for.
    """
    alert = Alert.objects.visible_to(by).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.", field="alert")
    if alert.closed_at is not None or alert.kind not in REQUIREMENT_KINDS:
        raise NothingToApply("This alert proposes nothing that could be applied, or its cause is gone.")
    if alert.after.get("verdict") == Verdict.REVIEW:
        raise NothingToApply(
            f"A person must say what becomes of {alert.order_number}: give the planner's word, revise it or cancel it."
        )
    line = (
        OrderLine.objects.active()
        .select_related("order")
        .filter(order__number=alert.order_number, line_no=alert.line_no or 0)
        .first()
    )
    if line is None:
        raise NothingToApply(f"Line {alert.line_no} of {alert.order_number} is cancelled already.")
    if way != Way.CHANGE:
        if way == Way.HOLD:
            hold_set(order_id=line.order_id, reason=alert.title, by=by, at=at, through=through)
            return alert
        if "item" in alert.after:
            _refuse_begun(line.production_order, alert)
        _take_back(line, alert, by=by, at=at, through=through)
    elif line.order.sent_at is None:
        orders.unpin_line(order_id=line.order_id, line_no=line.line_no, by=by, at=at, through=through)
        request_run(reason=f"{alert.order_number} follows the plan again", at=at, by=by)
    elif "item" in alert.after:
        _refuse_begun(line.production_order, alert)
        _end(line, reason=alert.title, by=by, at=at, through=through)
        request_run(
            reason=f"{alert.production_order} makes {alert.after['item']}"[:200], at=at, by=by, scope=_scope(alert)
        )
    elif "vendor" in alert.after:
        # Another vendor takes a new order. What this one delivered stays his; the run asked for orders the rest there.
        _end(line, reason=alert.title, by=by, at=at, through=through)
        request_run(
            reason=f"{alert.order_number} goes to {alert.after['vendor']}"[:200], at=at, by=by, scope=_scope(alert)
        )
    elif alert.kind == CHANGED:
        _change_as_proposed(line, alert, by=by, at=at, through=through)
    else:
        _end(line, reason=alert.title, by=by, at=at, through=through)
    activity.close_alerts(kind=alert.kind, subjects=[alert.subject], at=at)
    alert.refresh_from_db()
    return alert


def _change_as_proposed(line: OrderLine, alert: Alert, *, by: User, at: datetime, through: str) -> None:
    """Revise a sent line. After which step its pieces are fetched is ours to say: the vendor is told nothing of that alone."""
    quantity, need_date = alert.after.get("quantity"), alert.after.get("need_date")
    place = alert.after.get("receive_at")
    if set(alert.after) != {AFTER}:
        revise_line(
            order_id=line.order_id,
            line_no=line.line_no,
            quantity=Decimal(quantity) if quantity else None,
            need_date=date.fromisoformat(need_date) if need_date else None,
            receive_at_id=Location.objects.get(code=place).pk if place else None,
            retell=_is_retold(alert),
            reason=alert.title,
            by=by,
            at=at,
            through=through,
        )
    if AFTER in alert.after:
        orders.lock_order(order_id=line.order_id, expected_version=None, by=by)
        line.refresh_from_db()
        plan = line.production_order
        assert plan is not None  # noqa: S101  (pieces between operations are a production order's)
        told = f"{plan.stage_number}/{alert.before[AFTER]}"
        away = ShipmentLine.objects.filter(order_line=line, stage=told, shipment__status__in=SET_ASIDE)
        if set_aside := away.select_related("shipment").first():
            raise NotOfThisState(
                f"{set_aside.shipment} is packed with pieces after operation {alert.before[AFTER]}: dispatch or cancel it first."
            )
        orders.take_pieces_after(
            line,
            told=told,
            now=f"{plan.stage_number}/{alert.after[AFTER]}",
            ship_from_id=_left_at(plan, alert.after[AFTER]),
        )
        follow_line(line, at=at)
        orders.recount_material([line.order_id])


def _left_at(plan: ProductionOrder, operation_no: str) -> int:
    """Where the pieces lie that an operation finishes: where its vendor brings them, else at home."""
    of_it = Q(operation_no=operation_no, last_operation_no="") | Q(last_operation_no=operation_no)
    lines = OrderLine.objects.active().filter(of_it, production_order=plan, order__in=SubcontractOrder.objects.open())
    if line := lines.order_by("pk").last():
        return line.receive_at_in_force_id
    home = plan.location
    if home is None or home.kind == LocationKind.VENDOR:
        home = masterdata.main_location(site=plan.site)
    return home.pk


def _refuse_begun(plan: ProductionOrder | None, alert: Alert) -> None:
    """An order turns to another item only while nothing was made of the former one."""
    if plan is not None and plan.operations.filter(BEGUN).exists():
        raise NothingToApply(
            f"Work on {plan} is reported already: it stays {alert.before['item']}. Lower the line to what you still want of it, "
            f"and plan {alert.after['item']} under another number."
        )


def _take_back(line: OrderLine, alert: Alert, *, by: User, at: datetime, through: str) -> None:
    _end(line, reason=alert.title, by=by, at=at, through=through)
    receipts.settle_leftovers(order_id=line.order_id, leftovers=receipts.Leftovers.RETURN, by=by, at=at)
    request_run(reason=f"{alert.order_number} line {alert.line_no} comes back", at=at, by=by, scope=_scope(alert))


def _scope(alert: Alert) -> dict[str, list[str]]:
    return {"production_order": [alert.production_order]} if alert.production_order else {}


def _end(line: OrderLine, *, reason: str, by: User, at: datetime, through: str) -> None:
    """Expect no more of a sent line; with its last line, and nothing received, the order is cancelled."""
    _hold_plans(line.order_id)
    if line.received == 0 and not OrderLine.objects.active().filter(order=line.order_id).exclude(pk=line.pk).exists():
        cancel_set(order_id=line.order_id, reason=reason, by=by, at=at, through=through)
    else:
        _take_off(line, reason=reason, by=by, at=at, through=through)


def _take_off(line: OrderLine, *, reason: str, by: User, at: datetime, through: str) -> None:
    orders.cancel_line(order_id=line.order_id, line_no=line.line_no, reason=reason, by=by, at=at, through=through)
    planned = shipments.planned_shipments(order_ids=[line.order_id])
    shipments.unplan(line_ids=[line.pk])
    shipments.plan(wanted=[], planned=planned, numbers=iter(()), at=at)
    receipts.expect_no_more(line_ids=[line.pk])
    orders.recount_material([line.order_id])
    _settle(line.order_id, by=by, at=at, through=through)
    receipts.watch_material_left(at=at)


def _hold_plans(order_id: int) -> None:
    """Lock the production orders of what came of an order before the order itself: its receipts may be priced anew."""
    plans = OrderLine.objects.received().filter(order=order_id).values("production_order")
    list(ProductionOrder.objects.filter(pk__in=plans).select_for_update().order_by("pk").values_list("pk"))


def _settle(order_id: int, *, by: User, at: datetime, through: str) -> None:
    """Make what receipts of an order owe what its lines in force say, and end operations whose lines are complete by that."""
    lines = OrderLine.objects.received().filter(order=order_id)
    receipts.settle_prices(order_line_ids=list(lines.values_list("pk", flat=True)), by=by, at=at, through=through)
    ended = lines.filter(status=LineStatus.COMPLETE, operation__status=OperationStatus.IN_PROGRESS)
    if operations := list(ended.values_list("operation", flat=True)):
        receipts.report_lines(dict.fromkeys(operations, ()), at=at, reason="An order was lowered to what had come")


def follow_order(order: SubcontractOrder, *, at: datetime) -> None:
    """Plan what is still to be shipped for an order, and expect what is still open of it, as it is in force."""
    for line in OrderLine.objects.active().filter(order=order).order_by("line_no"):
        follow_line(line, at=at)
    orders.recount_material([order.pk])


def follow_line(line: OrderLine, *, at: datetime) -> None:
    """Plan what is still to be shipped for a line, and expect what is still open of it."""
    order = SubcontractOrder.objects.get(pk=line.order_id)
    apart = ShipmentLine.objects.filter(order_line=line, shipment__status__in=SET_ASIDE)
    elsewhere: dict[int, Decimal] = dict(apart.values_list("component_id").annotate(total=Sum("quantity")))
    wanted = []
    for component in OrderComponent.objects.filter(line=line).order_by("position"):
        given = component.carried_in - component.carried_out + component.net_sent
        left = component.required_in_force - given - elsewhere.get(component.pk, Decimal(0))
        if component.ship_from_id and component.ship_from_id != line.ship_to_id and left > 0:
            wanted.append(
                shipments.ToShip(
                    order_id=order.pk,
                    order_line_id=line.pk,
                    component_id=component.pk,
                    item_id=component.item_id,
                    stage=component.stage,
                    quantity=left,
                    vendor_id=order.vendor_id,
                    site_id=order.site_id,
                    from_location_id=component.ship_from_id,
                    to_location_id=line.ship_to_id,
                    dispatch_by=line.dispatch_in_force,
                )
            )
    planned = shipments.planned_shipments(order_ids=[order.pk])
    new = {one.from_location_id for one in wanted} - {place for _, place in planned}
    numbers = masterdata.draw_numbers(kind="shipment", count=len(new)) if new else []
    shipments.unplan(line_ids=[line.pk])
    shipments.plan(wanted=wanted, planned=planned, numbers=iter(numbers), at=at)
    shipments.refresh(set(apart.values_list("shipment_id", flat=True)))
    _expect([line])


def expected_on(line: OrderLine) -> date:
    """When the next pieces of a line are expected: of a delivery in parts, the first part that has not come."""
    parts = [(part.quantity, part.promised_date) for part in line.promises_in_force]
    return next_part(parts, received=line.received) or line.promised_in_force


def _expect(lines: list[OrderLine]) -> None:
    receipts.expect(
        [
            ExpectedReceipt(
                order_line=line,
                item_id=line.item_id,
                quantity=max(line.open_in_force, line.in_rework),
                expected_on=expected_on(line),
                location_id=line.receive_at_in_force_id,
            )
            for line in lines
        ]
    )


def _stop(order: SubcontractOrder, *, at: datetime) -> None:
    shipments.cancel_planned(order_ids=[order.pk])
    receipts.expect_no_more(order_ids=[order.pk])
    for kind in REQUIREMENT_KINDS:
        about = Alert.objects.open().filter(kind=kind, order_number=order.number)
        activity.close_alerts(kind=kind, subjects=list(about.values_list("subject", flat=True)), at=at)
    receipts.watch_material_left(at=at)
