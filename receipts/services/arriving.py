"""What a third party brought to a vendor: which lots it is, whose it is there, and whether it still lies there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from core.refusals import InvalidInput, InvalidQuantity
from inventory import services as ledger
from inventory.services import Move, NotEnoughStock
from masterdata import services as masterdata
from masterdata.models import Item, LocationKind
from production.models import Supply
from receipts.models import DirectDelivery
from receipts.services.notes import LotRequired, NotTracked, SerialRequired
from receipts.services.pieces import hold_lots, refuse_used
from receipts.services.sending_back import check_quantity, say
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent, OrderLine
from subcontract_orders.services import flows as material

KIND = "direct_delivery"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OfLot:
    """So much of a lot (1 of a serial number), in the item's unit."""

    lot: str
    quantity: Decimal


def lots_of(item: Item, quantity: Decimal, lots: Sequence[OfLot]) -> list[tuple[int | None, Decimal]]:
    """The lots it comes in. Raises LotRequired, SerialRequired, NotTracked, InvalidQuantity, TooPrecise, DuplicateNote."""
    named = [OfLot(one.lot.strip(), one.quantity) for one in lots]
    if not (item.lot_tracked or item.serial_tracked):
        if named:
            raise NotTracked(f"Leave the lots out: {item} is not tracked by them.", field="lots")
        return [(None, quantity)]
    if not named or not all(one.lot for one in named):
        kind, refusal = ("serial number", SerialRequired) if item.serial_tracked else ("lot", LotRequired)
        raise refusal(f"{item} is tracked by {kind}: name those that came.", field="lots")
    for one in named:
        check_quantity(item, one.quantity, "lots")
    if len({one.lot for one in named}) != len(named):
        raise InvalidInput("Name each lot once.", field="lots")
    total = sum((one.quantity for one in named), ZERO)
    if total != quantity:
        raise InvalidQuantity(f"{say(quantity)} came, the lots named hold {say(total)}.", field="lots")
    by_code = hold_lots(item, [one.lot for one in named])
    if item.serial_tracked:
        if any(one.quantity != 1 for one in named):
            raise SerialRequired(f"{item} is tracked by serial number: each is one piece.", field="lots")
        refuse_used(item, by_code, field="lots")
    return [(by_code[one.lot].pk, one.quantity) for one in named]


def put_there(
    delivery: DirectDelivery, line: OrderLine, by_lot: Sequence[tuple[int | None, Decimal]], cost: Decimal
) -> Decimal:
    """Move it from the supplier to the vendor's place, for the rows of the line that lack it. Returns what it is worth."""
    components = list(
        OrderComponent.objects.filter(line=line, item=delivery.item_id, supply=Supply.DIRECT)
        .select_for_update()
        .order_by("position")
    )
    lacking = [_lacking(one) for one in components]
    shares: list[tuple[OrderComponent, int | None, Decimal]] = []
    for lot_id, quantity in by_lot:
        rest = quantity
        for index, component in enumerate(components):
            taken = rest if component is components[-1] else min(lacking[index], rest)
            if taken > 0:
                shares.append((component, lot_id, taken))
                lacking[index] -= taken
                rest -= taken
    cent = Decimal(1).scaleb(-masterdata.company().currency.decimals)
    supplier = masterdata.virtual_location(kind=LocationKind.SUPPLIER).pk
    moves = [
        Move(delivery.item_id, supplier, delivery.location_id, taken, lot_id, line=index,
             value=(taken * cost).quantize(cent, ROUND_HALF_UP), reason="delivered by a third party")
        for index, (_, lot_id, taken) in enumerate(shares, 1)
    ]  # fmt: skip
    rows = ledger.post_movements(
        moves, kind=KIND, number=delivery.number, occurred_at=delivery.arrived_at, recorded_at=delivery.posted_at,
        by=delivery.posted_by,
    )  # fmt: skip
    material.record_flows(
        [
            ComponentFlow(component=component, lot_id=lot_id, kind=FlowKind.DIRECT, quantity=taken, movement=movement,
                          document_kind=KIND, document_number=delivery.number, document_line=index)
            for index, ((component, lot_id, taken), movement) in enumerate(zip(shares, rows, strict=True), 1)
        ],
        at=delivery.posted_at,
    )  # fmt: skip
    return sum((movement.value for movement in rows), ZERO)


def _lacking(row: OrderComponent) -> Decimal:
    """What is still to come of one row, as the request counts it."""
    return max(row.required_in_force - row.direct - row.net_sent - row.carried_in + row.carried_out, ZERO)


def must_lie_there(delivery: DirectDelivery) -> None:
    """Raises NotEnoughStock where what came does not all lie there for its line any more."""
    flows = ComponentFlow.objects.filter(document_kind=KIND, document_number=delivery.number)
    own = material.own_lots(set(flows.values_list("component", flat=True)))
    for flow in flows:
        there = own[flow.component_id].get(flow.lot_id or 0, ZERO)
        if there < flow.quantity:
            raise NotEnoughStock(
                f"Only {say(max(there, ZERO))} of {delivery.item} still lie at {delivery.location} for the line, "
                f"{say(flow.quantity)} came with {delivery}. Reverse first what used them.",
                field="delivery",
            )
