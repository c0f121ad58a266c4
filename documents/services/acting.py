"""Acts of a person on a whole document set: the order with its planned shipments and expected receipts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert
from documents.services.watching import REQUIREMENT_KINDS
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from shipments import services as shipments
from shipments.models import ShipmentLine, ShipmentStatus
from subcontract_orders import services as orders
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder


def approve_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Approve the order of a set. Raises as subcontract_orders.services.approve_order."""
    return orders.approve_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


def send_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Send the order of a set. Raises as subcontract_orders.services.send_order."""
    return orders.send_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


def acknowledge_set(
    *, order_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """The vendor accepts. Raises as subcontract_orders.services.acknowledge_order."""
    return orders.acknowledge_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)


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
    _stop(order, at=at)
    return order


@transaction.atomic
def close_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Expect and ship no more; leftovers stay where they lie. Raises as subcontract_orders.services.close_order."""
    order = orders.close_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    _stop(order, at=at)
    return order


@transaction.atomic
def reopen_set(
    *, order_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> SubcontractOrder:
    """Take up a closed order: its open quantity is expected again. Raises as subcontract_orders.services.reopen_order."""
    order = orders.reopen_order(order_id=order_id, expected_version=expected_version, by=by, at=at, through=through)
    _expect([line for line in OrderLine.objects.active().filter(order=order) if line.open_quantity > 0])
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
    if quantity is not None:
        components = {c.pk: c for c in OrderComponent.objects.filter(line=line)}
        planned = ShipmentLine.objects.filter(order_line=line, shipment__status=ShipmentStatus.PLANNED)
        shipments.set_planned(
            quantities={
                row.pk: components[row.component_id].required - components[row.component_id].carried_in
                for row in planned
            }
        )
    _expect([line])
    return line


def _expect(lines: list[OrderLine]) -> None:
    places = dict(ExpectedReceipt.objects.filter(order_line__in=lines).values_list("order_line_id", "location_id"))
    receipts.expect(
        [
            ExpectedReceipt(
                order_line=line,
                item_id=line.item_id,
                quantity=line.open_quantity,
                expected_on=line.promised_date,
                location_id=places[line.pk],
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
