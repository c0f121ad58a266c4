"""What a production order's operations were expected to cost, are committed to and have cost, and why these differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Case, F, Q, Sum, When

from inventory.models import Movement
from invoices.models import Match
from masterdata import services as masterdata
from masterdata.models import Item, LocationKind
from policies.models import Award
from production.models import Operation, OperationStatus, ProductionOrder, Supply
from production.rules.components import Ratio, required
from production.services.reporting import KIND as IN_HOUSE
from production.services.reporting import components_of
from receipts import services as receipts
from receipts.models import ByProduct, Consumption, ReceiptLine, ReceiptStatus
from receipts.services.costing import Costs
from reports.rules.costs import Causes, Facts, causes
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)
FIVE = Decimal("0.00001")


@dataclass(slots=True)
class OperationCost:
    """One operation, in company currency. `deviation` is what it cost beyond what was expected for the good pieces so far.

    Material is that used less what came out beside the pieces (`by_products` of it). Hours in house are not in it: stock is not
    valued with them.
    """

    operation: Operation
    vendors: tuple[str, ...] = ()
    good: Decimal = ZERO
    made: Decimal = ZERO
    expected_material: Decimal = ZERO
    expected_work: Decimal = ZERO
    committed: Decimal = ZERO
    material: Decimal = ZERO
    by_products: Decimal = ZERO
    work: Decimal = ZERO
    differences: Decimal = ZERO
    causes: Causes = field(default_factory=Causes)

    @property
    def expected(self) -> Decimal:
        return self.expected_material + self.expected_work

    @property
    def actual(self) -> Decimal:
        """Material used, work owed, and what invoices asked beyond it."""
        return self.material + self.work + self.differences

    @property
    def deviation(self) -> Decimal:
        return self.causes.total


@dataclass(frozen=True, slots=True)
class OrderCost:
    order: ProductionOrder
    operations: tuple[OperationCost, ...]

    def _sum(self, name: str) -> Decimal:
        return sum((getattr(row, name) for row in self.operations), ZERO)

    @property
    def expected(self) -> Decimal:
        return self._sum("expected")

    @property
    def committed(self) -> Decimal:
        return self._sum("committed")

    @property
    def actual(self) -> Decimal:
        return self._sum("actual")

    @property
    def causes(self) -> Causes:
        rows = [row.causes for row in self.operations]
        return Causes(*(sum((getattr(row, name) for row in rows), ZERO) for name in Causes.NAMES))

    @property
    def deviation(self) -> Decimal:
        return self._sum("deviation")


def order_costs(orders: Sequence[ProductionOrder]) -> Mapping[int, Costs]:
    """Costs of production orders, by their keys, with what their invoices asked beyond what was received."""
    costs = receipts.order_costs(orders)
    asked = Match.objects.posted().filter(order_line__production_order__in=costs)
    for pk, difference in asked.values_list("order_line__production_order").annotate(
        total=Sum(F("price_difference") + F("exchange_difference"))
    ):
        costs[pk].charges += difference
    return costs


def order_cost(order: ProductionOrder) -> OrderCost:
    """Every operation of one production order that is not cancelled. Expected is material at standard cost, less
    by-products, and work as ordered, where nothing is ordered yet as decided. A fixed number of queries.
    """
    operations = list(order.operations.exclude(status=OperationStatus.CANCELLED).order_by("sequence", "pk"))
    rows = {
        operation.pk: OperationCost(operation, good=operation.good, made=operation.good + operation.scrap)
        for operation in operations
    }
    decided = _decided(list(rows))
    lines = _lines(rows)
    used, beside = _used(order, operations), _beside(order, operations)
    items = {ratio.item_id for _, ratios in components_of(order.item_id, operations) for ratio in ratios}
    items |= {item for parts in used.values() for item in parts}
    standard = {pk: cost or ZERO for pk, cost in Item.objects.filter(pk__in=items).values_list("pk", "standard_cost")}
    work = dict(
        ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, order_line__operation__in=rows)
        .values_list("order_line__operation").annotate(Sum("work_value"))
    )  # fmt: skip
    asked = {
        pk: (price or ZERO, exchange or ZERO)
        for pk, price, exchange in Match.objects.posted()
        .filter(order_line__operation__in=rows)
        .values_list("order_line__operation")
        .annotate(Sum("price_difference"), Sum("exchange_difference"))
    }
    for operation, ratios in components_of(order.item_id, operations):
        row = rows[operation.pk]
        pieces, amount = lines.get(operation.pk) or decided.get(operation.pk) or (operation.quantity, ZERO)
        provided = operation.pk in lines or operation.pk in decided
        row.expected_work = amount
        row.expected_material = _material(ratios, pieces, standard, is_outside=provided)
        parts = used.get(operation.pk, {})
        row.by_products = beside.get(operation.pk, ZERO)
        row.material = sum((value for _, value in parts.values()), ZERO)
        row.work = work.get(operation.pk, ZERO)
        price, exchange = asked.get(operation.pk, (ZERO, ZERO))
        row.differences = price + exchange
        row.causes = causes(
            Facts(
                planned_good=operation.quantity, planned_pieces=pieces, good=row.good, made=row.made,
                expected=row.expected, expected_material=row.expected_material, actual=row.actual, exchange=exchange,
                material_at_standard=sum((standard[item] * quantity for item, (quantity, _) in parts.items()), ZERO),
            )
        )  # fmt: skip
    return OrderCost(order, tuple(rows.values()))


def _decided(operation_ids: list[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """Pieces and amount the current decision gives to vendors, by operation."""
    awards = Award.objects.filter(decision__operation__in=operation_ids, decision__is_current=True)
    summed = awards.values_list("decision__operation").annotate(Sum("quantity"), Sum("amount_company"))
    return {pk: (pieces, amount) for pk, pieces, amount in summed}


def _lines(rows: Mapping[int, OperationCost]) -> dict[int, tuple[Decimal, Decimal]]:
    """Pieces and amount expected of what is ordered, by operation; commitments and vendors go into the rows."""
    lines = OrderLine.objects.active().filter(operation__in=rows)
    for line in lines.with_share_to_come().select_related("vendor").order_by("pk"):
        row = rows[line.operation_id]  # type: ignore[index]
        share: Decimal = line.share_to_come  # type: ignore[attr-defined]  # annotated
        row.committed += (line.amount_company_in_force * share).quantize(FIVE, ROUND_HALF_UP)
        row.vendors = tuple(dict.fromkeys([*row.vendors, line.vendor.name or line.vendor.code]))
    found = receipts.expected_of_lines(lines)
    return {key: one for (_, key), one in found.items() if key is not None and one[0]}


def _material(
    ratios: tuple[Ratio, ...], pieces: Decimal, standard: Mapping[int, Decimal], *, is_outside: bool
) -> Decimal:
    total = ZERO
    for ratio in ratios:
        if ratio.supply != Supply.RETURNABLE and not (ratio.supply == Supply.VENDOR and is_outside):
            worth = standard.get(ratio.item_id, ZERO) * required(ratio, quantity=pieces).required
            total += -worth if ratio.supply == Supply.BY_PRODUCT else worth
    return total.quantize(FIVE, ROUND_HALF_UP)


def _used(order: ProductionOrder, operations: list[Operation]) -> dict[int, dict[int, tuple[Decimal, Decimal]]]:
    """Quantity and value of each material used, by operation and item: by receipts, and in house. By-products are below zero."""
    found: dict[int, dict[int, tuple[Decimal, Decimal]]] = defaultdict(dict)
    outside = (
        Consumption.objects.filter(
            component__stage="", line__receipt__status=ReceiptStatus.POSTED, line__order_line__operation__in=operations
        )
        .values_list("line__order_line__operation", "item")
        .annotate(Sum("quantity"), Sum("value"))
    )
    beside = (
        ByProduct.objects.filter(line__receipt__status=ReceiptStatus.POSTED, line__order_line__operation__in=operations)
        .values_list("line__order_line__operation", "item")
        .annotate(fewer=-Sum("quantity"), less=-Sum("value"))
    )
    numbers = _in_house_numbers(order, operations)
    made_at = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    moved = (
        Movement.objects.unreversed()
        .filter(
            Q(to_location=made_at) | Q(from_location=made_at) & ~Q(item=order.item_id),
            document_kind=IN_HOUSE, document_number__in=numbers, stage="",
        )
        .annotate(number=F("document_number"), sign=Case(When(to_location=made_at, then=1), default=-1))
        .values_list("number", "item")
        .annotate(pieces=Sum(F("quantity") * F("sign")), worth=Sum(F("value") * F("sign")))
    )  # fmt: skip
    inside = [(numbers[number], *rest) for number, *rest in moved]
    for key, item, quantity, value in [*outside, *beside, *inside]:
        before = found[key].get(item, (ZERO, ZERO))
        found[key][item] = (before[0] + quantity, before[1] + value)
    return found


def _beside(order: ProductionOrder, operations: list[Operation]) -> dict[int, Decimal]:
    """Value of what came out beside the pieces, by operation: by receipts, and in house."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    came = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, order_line__operation__in=operations)
    for pk, value in came.values_list("order_line__operation").annotate(Sum("by_products_value")):
        found[pk] += value
    numbers = _in_house_numbers(order, operations)
    inside = Movement.objects.unreversed().filter(
        document_kind=IN_HOUSE, document_number__in=numbers, stage="",
        from_location=masterdata.virtual_location(kind=LocationKind.CONSUMED),
    )  # fmt: skip
    for number, value in inside.exclude(item=order.item_id).values_list("document_number").annotate(Sum("value")):
        found[numbers[number]] += value
    return found


def _in_house_numbers(order: ProductionOrder, operations: list[Operation]) -> dict[str, int]:
    return {f"{order.stage_number}/{operation.operation_no}": operation.pk for operation in operations}
