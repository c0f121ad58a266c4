"""Open orders written as they stand: order, lines, flows, what came, what is still to go and to come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from core.refusals import (
    InvalidInput,
)
from inventory.models import Balance
from inventory.services import Move, NotEnoughStock, post_movements
from masterdata import services as masterdata
from production.models import QuantityBasis, Supply
from receipts.models import ExpectedReceipt, Receipt, ReceiptLine, ReceiptStatus
from receipts.services.expecting import expect_new
from receipts.services.opening.lines import KIND, ZERO, BadOpenLine, OpenOrdersRefused, Ready, refuse
from receipts.services.opening.reading import Ground
from shipments import services as shipments
from shipments.services import ToShip
from subcontract_orders.models import (
    ComponentFlow,
    FlowKind,
    OrderComponent,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import add_lines, add_orders, recount_material, recount_orders, send_loaded
from subcontract_orders.services import flows as material

FIVE = Decimal("0.00001")
CAME_AS = {Supply.DIRECT: FlowKind.DIRECT, Supply.CONSIGNED: FlowKind.CARRIED_IN}


class Writing:
    """Writes lines made ready, with all that belongs to them."""

    def __init__(self, ground: Ground, ready: Sequence[Ready]) -> None:
        self.ground, self.all = ground, ready
        self.at, self.by = ground.at, ground.by

    def write(self) -> list[SubcontractOrder]:
        """Raises OpenOrdersRefused where rows of one order disagree about it."""
        ready = self.all
        orders = self.orders(ready)
        masterdata.reserve_numbers(kind="subcontract_order", numbers=orders)
        add_orders(list(orders.values()))
        for one in ready:
            one.line.order = orders[one.said.order]
        wip = self.wip_components(ready)
        components = []
        for one in ready:
            mine = [*wip.get(one.index, []), *(part.component for part in one.parts)]
            for position, component in enumerate(mine, 1):
                component.position = position
                if component.supply in (Supply.OWN, Supply.RETURNABLE) and not component.stage:
                    component.ship_from_id = self.ground.home(
                        one.said, self.ground.plans.get(one.line.production_order_id or 0)
                    )[1]
            components.append(mine)
        add_lines([one.line for one in ready], components)
        self.flows(ready, wip)
        self.receipts(ready, orders)
        expect_new(
            [
                ExpectedReceipt(
                    order_line_id=one.line.pk,
                    item_id=one.line.item_id,
                    quantity=one.line.open_quantity,
                    expected_on=one.line.promised_date,
                    location_id=one.receive_at_id,
                )
                for one in ready
            ]
        )
        keys = [order.pk for order in orders.values()]
        self.plan_shipments(ready, components)
        recount_orders(keys)
        recount_material(keys)
        send_loaded(list(orders.values()), at=self.at, by=self.by)
        return list(orders.values())

    def orders(self, ready: Sequence[Ready]) -> dict[str, SubcontractOrder]:
        orders: dict[str, SubcontractOrder] = {}
        bad: list[BadOpenLine] = []
        for one in ready:
            head = SubcontractOrder(
                number=one.said.order,
                vendor_id=one.line.vendor_id,
                site_id=one.site_id,
                ship_to_id=one.line.ship_to_id,
                receive_at_id=one.receive_at_id,
                currency_id=one.currency.pk,
                consolidation_key=f"{KIND} {one.said.order}",
                status=OrderStatus.ACKNOWLEDGED if one.said.is_acknowledged else OrderStatus.SENT,
                created_at=self.at,
                created_by=self.by,
                approved_at=self.at,
                sent_at=_midday(one.said.ordered_on) or self.at,
                acknowledged_at=self.at if one.said.is_acknowledged else None,
            )
            first = orders.setdefault(one.said.order, head)
            for name, column in (("vendor_id", "vendor"), ("currency_id", "currency"), ("site_id", "production_order")):
                if getattr(first, name) != getattr(head, name):
                    text = f"{one.said.order} has another {column.replace('_', ' ')} in an earlier row."
                    bad.append(BadOpenLine(InvalidInput(text, field=column), index=one.index))
        refuse(bad)
        return orders

    def wip_components(self, ready: Sequence[Ready]) -> dict[int, list[OrderComponent]]:
        """The order's own pieces as components of the lines of its later operations."""
        return {
            one.index: [
                OrderComponent(
                    item_id=one.line.item_id, stage=stage, supply=Supply.OWN, basis=QuantityBasis.PER_UNIT,
                    quantity_per=Decimal(1), required=one.line.quantity,
                    ship_from_id=self.where(one, stage),
                )
                for stage in one.wip
            ]
            for one in ready
        }  # fmt: skip

    def where(self, one: Ready, stage: str) -> int:
        """Where the pieces to be sent lie: where most of them are, else where the order comes home to."""
        there = Balance.objects.filter(item=one.line.item_id, stage=stage, quantity__gt=0)
        there = there.exclude(location=one.line.ship_to_id).order_by("-quantity", "pk")
        return there.values_list("location_id", flat=True).first() or one.receive_at_id

    def flows(self, ready: Sequence[Ready], wip: Mapping[int, Sequence[OrderComponent]]) -> None:
        flows: list[ComponentFlow] = []

        def flow(component: OrderComponent, kind: FlowKind, quantity: Decimal, lot_id: int | None, one: Ready) -> None:
            if quantity > 0:
                flows.append(
                    ComponentFlow(
                        component=component, lot_id=lot_id, kind=kind, quantity=quantity, document_kind=KIND,
                        document_number=one.said.order, document_line=one.line.line_no,
                    )
                )  # fmt: skip

        moves = []
        for one in ready:
            for component in wip.get(one.index, ()):
                gone = max(one.said.sent or ZERO, one.said.received)
                lying = gone - one.said.received
                flow(component, FlowKind.SENT, gone, None, one)
                flow(component, FlowKind.CONSUMED, one.said.received, None, one)
                if lying > 0 and component.ship_from_id and component.ship_from_id != one.line.ship_to_id:
                    moves.append(
                        Move(
                            one.line.item_id, component.ship_from_id, one.line.ship_to_id, lying, stage=component.stage
                        )
                    )
            for part in one.parts:
                came = CAME_AS.get(Supply(part.component.supply), FlowKind.SENT)
                flow(part.component, came, part.used, None, one)
                for lot_id, quantity in part.lots:
                    flow(part.component, came, quantity, lot_id, one)
                flow(part.component, FlowKind.CONSUMED, part.used, None, one)
        try:
            post_movements(moves, kind=KIND, number="", occurred_at=self.at, recorded_at=self.at, by=self.by)
        except NotEnoughStock as short:
            raise OpenOrdersRefused([BadOpenLine(short, index=ready[0].index)]) from None
        material.record_flows(flows, at=self.at)

    def receipts(self, ready: Sequence[Ready], orders: Mapping[str, SubcontractOrder]) -> None:
        """What came back before, as one receipt an order: what later receipts, returns and invoices count on."""
        came = [one for one in ready if one.said.received]
        if not came:
            return
        numbers = iter(masterdata.draw_numbers(kind="receipt", count=len({one.said.order for one in came})))
        heads: dict[str, Receipt] = {}
        rows = []
        lines_of: dict[str, int] = defaultdict(int)
        for one in came:
            order = orders[one.said.order]
            if one.said.order not in heads:
                heads[one.said.order] = Receipt(
                    number=next(numbers), status=ReceiptStatus.POSTED, vendor_id=order.vendor_id, site_id=order.site_id,
                    note=f"{KIND} {order.number}"[:60], note_date=self.ground.today[order.site_id], is_opening=True,
                    content_hash=KIND, received_at=self.at, posted_at=self.at, posted_by=self.by,
                )  # fmt: skip
        masterdata.copy_objects(list(heads.values()))
        for one in came:
            lines_of[one.said.order] += 1
            line = one.line
            worth = [(part, self.ground.items[part.component.item_id].standard_cost or ZERO) for part in one.parts]
            used = sum((part.used * cost for part, cost in worth), ZERO).quantize(FIVE)
            owed = (line.amount_company * min(one.said.received / line.quantity, Decimal(1))).quantize(FIVE)
            beside = sum((part.came * cost for part, cost in worth), ZERO).quantize(FIVE)
            rows.append(
                ReceiptLine(
                    receipt=heads[one.said.order], line_no=lines_of[one.said.order], order_line=line, item_id=line.item_id,
                    accepted=one.said.accepted, rejected=one.said.rejected, scrapped=one.said.scrapped,
                    disposed=one.said.rejected, stage=self.ground.stage_after(line), location_id=one.receive_at_id,
                    components_value=used, work_value=owed, by_products_value=min(beside, used + owed),
                )
            )  # fmt: skip
        masterdata.copy_objects(rows)

    def plan_shipments(self, ready: Sequence[Ready], components: Sequence[Sequence[OrderComponent]]) -> None:
        """What is still to be sent for open lines, as planned shipments."""
        fresh = OrderComponent.objects.in_bulk([component.pk for mine in components for component in mine])
        wanted = []
        for one, mine in zip(ready, components, strict=True):
            if not one.line.open_quantity:
                continue
            for component in mine:
                row = fresh[component.pk]
                rest = row.required - row.sent - row.carried_in
                if rest > 0 and row.ship_from_id and row.ship_from_id != one.line.ship_to_id:
                    wanted.append(
                        ToShip(
                            one.line.order_id, one.line.pk, row.pk, row.item_id, row.stage, rest, one.line.vendor_id,
                            one.site_id, row.ship_from_id, one.line.ship_to_id, one.line.dispatch_by,
                        )
                    )  # fmt: skip
        count = len({(need.order_id, need.from_location_id) for need in wanted})
        numbers: Iterable[str] = masterdata.draw_numbers(kind="shipment", count=count) if count else ()
        shipments.plan(wanted=wanted, planned={}, numbers=iter(numbers), at=self.at)


def _midday(day: date | None) -> datetime | None:
    return datetime.combine(day, time(12), UTC) if day else None
