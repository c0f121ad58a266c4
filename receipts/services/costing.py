"""What production orders have cost so far, and were expected to: components used, work owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q, Sum

from inventory.models import Movement
from masterdata import services as masterdata
from masterdata.models import Item, LocationKind
from production.models import Operation, OperationStatus, ProductionOrder, Supply
from production.rules.components import required
from production.services.pieces import boms_of
from production.services.reporting import KIND as IN_HOUSE
from production.services.reporting import components_of
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine, OrderLineQuerySet

ZERO = Decimal(0)
FIVE = Decimal("0.00001")


@dataclass(slots=True)
class Costs:
    """In company currency. `components`: material used, by receipts and in house; `work`: owed to vendors, their minimum and
    lot charges in it; `charges`: freight, and what invoices asked beyond all that; `by_products`: what came out beside it, to be
    taken off. `expected`: all material at standard cost less by-products, and what was ordered."""

    components: Decimal = ZERO
    work: Decimal = ZERO
    charges: Decimal = ZERO
    by_products: Decimal = ZERO
    expected: Decimal = ZERO

    @property
    def actual(self) -> Decimal:
        return self.components + self.work + self.charges - self.by_products


def order_costs(orders: Sequence[ProductionOrder]) -> Mapping[int, Costs]:
    """Costs of production orders, by their keys; what their invoices asked beyond it is the caller's to add."""
    costs: dict[int, Costs] = {order.pk: Costs() for order in orders}
    came = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, order_line__production_order__in=costs)
    for pk, components, work, by_products in came.values_list("order_line__production_order").annotate(
        Sum("components_value"), Sum("work_value"), Sum("by_products_value")
    ):
        costs[pk].components += components
        costs[pk].work += work
        costs[pk].by_products += by_products
    for pk, freight in _freight(list(costs)):
        costs[pk].work -= freight
        costs[pk].charges += freight
    for pk, components, by_products in _used_in_house(orders):
        costs[pk].components += components
        costs[pk].by_products += by_products
    for pk, expected in _expected(orders):
        costs[pk].expected += expected
    return costs


def _freight(order_ids: Sequence[int]) -> list[tuple[int, Decimal]]:
    """What of the work that receipts owe is freight, by the order's key: each line's own share of its amount."""
    came = ReceiptLine.objects.filter(
        receipt__status=ReceiptStatus.POSTED, order_line__production_order__in=order_ids, order_line__freight__gt=0
    )
    owed = dict(came.values_list("order_line").annotate(Sum("work_value")))
    found = []
    for line in OrderLine.objects.filter(pk__in=owed).order_by("pk"):
        most = line.amount_company_in_force  # pieces beyond the ordered ones bear no freight
        share = min(owed[line.pk], most) * line.freight / line.amount_in_force
        found.append((line.production_order_id or 0, share.quantize(FIVE, ROUND_HALF_UP)))
    return found


def _used_in_house(orders: Sequence[ProductionOrder]) -> list[tuple[int, Decimal, Decimal]]:
    """What operations made in house used of components, and gave beside their pieces, by the order's key."""
    names = {order.pk: order.stage_number for order in orders}
    operations = Operation.objects.filter(production_order__in=names).exclude(good=0, scrap=0)
    numbers = {
        f"{names[order_id]}/{operation_no}": order_id
        for order_id, operation_no in operations.values_list("production_order", "operation_no")
    }
    items = {order.pk: order.item_id for order in orders}
    made_at = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    moved = Movement.objects.unreversed().filter(
        Q(to_location=made_at) | Q(from_location=made_at), document_kind=IN_HOUSE, document_number__in=numbers, stage=""
    )
    found = []
    for number, item_id, target, value in moved.values_list("document_number", "item", "to_location").annotate(
        Sum("value")
    ):
        order_id = numbers[number]
        if target == made_at:
            found.append((order_id, value, ZERO))
        elif item_id != items[order_id]:
            found.append((order_id, ZERO, value))
    return found


def expected_of_lines(lines: OrderLineQuerySet) -> dict[tuple[int, int | None], tuple[Decimal, Decimal]]:
    """Pieces and amount (in company currency) that were expected of order lines, by production order and operation.

    Of a line that was closed short, what came. Pieces ordered again in place of bad ones were not expected: they are taken off
    the lines that were ordered last.
    """
    rows: dict[tuple[int, int | None], list[OrderLine]] = defaultdict(list)
    for line in lines.with_share_to_come().select_related("operation").order_by("pk"):
        rows[line.production_order_id or 0, line.operation_id].append(line)
    found = {}
    for key, mine in rows.items():
        pieces = [line.quantity * line.share_to_come for line in mine]  # type: ignore[attr-defined]  # annotated
        for place, replacing in _replacing(mine, pieces):
            pieces[place] -= replacing
        amounts = [
            (line.amount_company * part / line.quantity).quantize(FIVE, ROUND_HALF_UP)
            for line, part in zip(mine, pieces, strict=True)
        ]
        found[key] = (sum(pieces, ZERO), sum(amounts, ZERO))
    return found


def _replacing(lines: Sequence[OrderLine], pieces: Sequence[Decimal]) -> Iterator[tuple[int, Decimal]]:
    """Which of an operation's further lines stand for bad pieces of the others, by their place, and with how many pieces."""
    operation = lines[0].operation
    if operation is None:
        return
    needed = operation.quantity * 100 / lines[0].yield_pct
    bad = sum((line.rejected + line.scrapped for line in lines), ZERO)
    left = min(bad, sum(pieces, ZERO) - needed)
    for place in range(len(lines) - 1, 0, -1):
        if left <= 0:
            return
        part = min(left, pieces[place])
        left -= part
        yield place, part


def _expected(orders: Sequence[ProductionOrder]) -> list[tuple[int, Decimal]]:
    lines = OrderLine.objects.active().filter(production_order__in=[order.pk for order in orders])
    ordered = expected_of_lines(lines)
    found = [(order_id, amount) for (order_id, _), (_, amount) in ordered.items()]
    outside = {operation_id for _, operation_id in ordered}
    operations: dict[int, list[Operation]] = defaultdict(list)
    rows = Operation.objects.filter(production_order__in=[order.pk for order in orders])
    for row in rows.exclude(status=OperationStatus.CANCELLED).order_by("sequence", "pk"):
        operations[row.production_order_id].append(row)
    needs: list[tuple[int, int, Decimal]] = []
    boms = boms_of({order.item_id for order in orders})
    for order in orders:
        for operation, ratios in components_of(order.item_id, operations[order.pk], boms=boms):
            for ratio in ratios:
                provided = ratio.supply == Supply.VENDOR and operation.pk in outside
                if not provided and ratio.supply != Supply.RETURNABLE:
                    wanted = required(ratio, quantity=operation.quantity).required
                    needs.append((order.pk, ratio.item_id, -wanted if ratio.supply == Supply.BY_PRODUCT else wanted))
    standard = dict(Item.objects.filter(pk__in={item for _, item, _ in needs}).values_list("pk", "standard_cost"))
    return found + [
        (pk, ((standard[item_id] or ZERO) * quantity).quantize(Decimal("0.01"), ROUND_HALF_UP))
        for pk, item_id, quantity in needs
    ]
