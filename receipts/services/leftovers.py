"""What becomes of an order's material at the vendor when the order ends, and what it takes back when it is taken up again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import models, transaction

from accounts.models import User
from inventory import services as ledger
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import LocationKind
from receipts.services.returning import cancel_drafts, draft_return
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent, OrderLine, SubcontractOrder
from subcontract_orders.services import flows, forget_promised_stock

KIND = "subcontract_order"
ZERO = Decimal(0)


class Leftovers(models.TextChoices):
    KEEP = "keep", "Stays there as free stock"
    RETURN = "return", "Comes back: a return is drafted"
    WRITE_OFF = "write_off", "Is written off"


@transaction.atomic
def settle_leftovers(*, order_id: int, leftovers: str, by: User | None, at: datetime) -> None:
    """Say what becomes of all that an order (closed already, and locked) has left at its vendor.

    Kept: given over to free stock there, which the next line may use. Returned: a return is drafted, the material stays the
    order's until it comes. Written off: it leaves at its value. Raises NotEnoughStock where it is still on its way.
    """
    order = SubcontractOrder.objects.get(pk=order_id)
    if leftovers == Leftovers.RETURN:
        draft_return(
            order_id=order_id, reason=order.number, by=by, at=at
        )  # no words: the paper is in the vendor's language
        return
    flows.lock_places([order.ship_to_id])
    rows = list(_left(order_id))
    flows.give_promised([row.pk for row in rows], at=at)
    if leftovers == Leftovers.WRITE_OFF:
        scrap = masterdata.virtual_location(kind=LocationKind.SCRAP)
        moves = [
            Move(row.item_id, row.line.ship_to_id, scrap.pk, quantity, lot_id or None, row.stage, line=row.line.line_no,
                 reason=f"{order} closed")
            for row, lot_id, quantity in _by_lot(rows)
        ]  # fmt: skip
        ledger.post_movements(moves, kind=KIND, number=order.number, occurred_at=at, recorded_at=at, by=by)
    kind = FlowKind.WRITTEN_OFF if leftovers == Leftovers.WRITE_OFF else FlowKind.CARRIED_OUT
    flows.record_flows([_flow(row, lot_id, kind, quantity, order) for row, lot_id, quantity in _by_lot(rows)], at=at)


@transaction.atomic
def give_back_free_stock(*, order_id: int, at: datetime) -> None:
    """What a cancelled order had taken over from free stock is free again, as far as it lies there. The order is locked."""
    order = SubcontractOrder.objects.get(pk=order_id)
    if order.sent_at is None:
        forget_promised_stock(OrderLine.objects.filter(order=order))
        return
    flows.lock_places([order.ship_to_id])
    rows = [row for row in _left(order_id) if row.carried_in > 0]
    flows.give_promised([row.pk for row in rows], at=at)
    out = []
    for row in rows:
        rest = row.carried_in - row.carried_out
        for one, lot_id, quantity in _by_lot([row]):
            taken = min(quantity, rest)
            if taken > 0:
                out.append(_flow(one, lot_id, FlowKind.CARRIED_OUT, taken, order))
                rest -= taken
    flows.record_flows(out, at=at)


@transaction.atomic
def take_back(*, order_id: int, at: datetime) -> None:
    """An order taken up again has what it gave over to free stock back, as far as that is still free. The order is locked."""
    order = SubcontractOrder.objects.get(pk=order_id)
    cancel_drafts(order_id=order_id)
    flows.lock_places([order.ship_to_id])
    rows = list(
        OrderComponent.objects.filter(line__order=order_id, carried_out__gt=0).select_related("line").order_by("pk")
    )
    free = flows.free_stock(location_id=order.ship_to_id, item_ids={row.item_id for row in rows})
    given = ComponentFlow.objects.filter(component__in=rows, kind=FlowKind.CARRIED_OUT)
    by_lot: dict[tuple[int, int], Decimal] = {
        (component_id, lot_id or 0): total
        for component_id, lot_id, total in given.values_list("component", "lot").annotate(total=models.Sum("quantity"))
    }
    back = []
    for row in rows:
        for (component_id, lot_id), quantity in sorted(by_lot.items()):
            key = (row.item_id, lot_id, row.stage)
            taken = min(quantity, free.get(key, ZERO)) if component_id == row.pk else ZERO
            if taken > 0:
                free[key] -= taken
                # Not carried in anew: what was given over is less, so that nothing counts twice.
                back.append(_flow(row, lot_id, FlowKind.CARRIED_OUT, -taken, order))
    flows.record_flows(back, at=at)


def _left(order_id: int) -> Iterable[OrderComponent]:
    rows = OrderComponent.objects.lying_at_vendor().filter(line__order=order_id)
    return rows.select_related("line").order_by("pk")


def _by_lot(rows: Iterable[OrderComponent]) -> list[tuple[OrderComponent, int, Decimal]]:
    components = {row.pk: row for row in rows}
    return [
        (components[pk], lot_id, quantity)
        for pk, lots in sorted(flows.own_lots(components).items())
        for lot_id, quantity in sorted(lots.items())
        if quantity > 0
    ]


def _flow(
    row: OrderComponent, lot_id: int, kind: FlowKind, quantity: Decimal, order: SubcontractOrder
) -> ComponentFlow:
    return ComponentFlow(
        component=row, lot_id=lot_id or None, kind=kind, quantity=quantity, document_kind=KIND,
        document_number=order.number, document_line=row.line.line_no,
    )  # fmt: skip
