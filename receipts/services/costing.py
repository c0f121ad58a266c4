"""What production orders have cost so far, and were expected to: components used, work owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Sum

from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.models import Item, LocationKind
from production.models import Operation, OperationStatus, ProductionOrder, Supply
from production.rules.components import required
from production.services.reporting import KIND as IN_HOUSE
from production.services.reporting import components_of
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)


@dataclass(slots=True)
class Costs:
    """In company currency. `components`: material used, by receipts and in house; `work`: owed to vendors, their minimum and
    lot charges in it; `charges`: what came on top. `expected`: all material at standard cost, and what was ordered."""

    components: Decimal = ZERO
    work: Decimal = ZERO
    charges: Decimal = ZERO
    expected: Decimal = ZERO

    @property
    def actual(self) -> Decimal:
        return self.components + self.work + self.charges


def order_costs(orders: Sequence[ProductionOrder]) -> Mapping[int, Costs]:
    """Costs of production orders, by their keys."""
    costs: dict[int, Costs] = {order.pk: Costs() for order in orders}
    came = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, order_line__production_order__in=costs)
    for pk, components, work in came.values_list("order_line__production_order").annotate(
        Sum("components_value"), Sum("work_value")
    ):
        costs[pk].components += components
        costs[pk].work += work
    for pk, components in _used_in_house(orders):
        costs[pk].components += components
    for pk, expected in _expected(orders):
        costs[pk].expected += expected
    return costs


def _used_in_house(orders: Sequence[ProductionOrder]) -> list[tuple[int, Decimal]]:
    names = {order.pk: order.stage_number for order in orders}
    operations = Operation.objects.filter(production_order__in=names).exclude(good=0, scrap=0)
    numbers = {
        f"{names[order_id]}/{operation_no}": order_id
        for order_id, operation_no in operations.values_list("production_order", "operation_no")
    }
    used = Movement.objects.unreversed().filter(
        document_kind=IN_HOUSE,
        document_number__in=numbers,
        to_location=masterdata.virtual_location(kind=LocationKind.CONSUMED),
        stage="",
    )
    return [(numbers[number], value) for number, value in used.values_list("document_number").annotate(Sum("value"))]


def _expected(orders: Sequence[ProductionOrder]) -> list[tuple[int, Decimal]]:
    lines = OrderLine.objects.active().filter(production_order__in=[order.pk for order in orders])
    found = list(lines.values_list("production_order").annotate(Sum("amount_company")))
    outside = set(lines.values_list("operation", flat=True))
    operations: dict[int, list[Operation]] = defaultdict(list)
    rows = Operation.objects.filter(production_order__in=[order.pk for order in orders])
    for row in rows.exclude(status=OperationStatus.CANCELLED).order_by("sequence", "pk"):
        operations[row.production_order_id].append(row)
    needs: list[tuple[int, int, Decimal]] = []
    for order in orders:
        for operation, ratios in components_of(order.item_id, operations[order.pk]):
            for ratio in ratios:
                provided = ratio.supply == Supply.VENDOR and operation.pk in outside
                if not provided and ratio.supply != Supply.RETURNABLE:
                    needs.append((order.pk, ratio.item_id, required(ratio, quantity=operation.quantity).required))
    standard = dict(Item.objects.filter(pk__in={item for _, item, _ in needs}).values_list("pk", "standard_cost"))
    return found + [
        (pk, ((standard[item_id] or ZERO) * quantity).quantize(Decimal("0.01"), ROUND_HALF_UP))
        for pk, item_id, quantity in needs
    ]
