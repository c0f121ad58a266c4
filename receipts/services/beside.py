"""By-products: what comes out of the work beside the pieces goes into stock at its value, and the pieces cost so much less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from core.refusals import InvalidQuantity, NotFound
from inventory.models import Lot
from inventory.services import Move, unit_values
from masterdata import services as masterdata
from production.models import QuantityBasis
from receipts import rules
from receipts.models import ByProduct, ReceiptLine
from receipts.services.notes import CameBeside, CountedLine, LotRequired, SerialRequired
from subcontract_orders.models import OrderComponent

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Beside:
    """So much of a by-product (in a lot, 0: none) with its value in company currency; taken back, both are below zero."""

    component: OrderComponent
    lot_id: int
    quantity: Decimal
    value: Decimal


def came_beside(
    components: Sequence[OrderComponent],
    counted: CountedLine,
    *,
    made_before: Decimal,
    made_now: Decimal,
    site_id: int,
    most: Decimal,
) -> list[Beside]:
    """What came beside the pieces made now: as counted, else by the bill, with its value, together worth `most` at most.

    Raises NotFound, InvalidQuantity, TooPrecise, LotRequired, SerialRequired.
    """
    if counted.by_products is None:
        amounts = [
            (one, by_the_bill(one, made_before=made_before, made_now=made_now), counted.lot) for one in components
        ]
    else:
        amounts = _counted(components, counted.by_products, counted.lot)
    return valued(
        [(one, lot_of_by_product(one, quantity, lot), quantity) for one, quantity, lot in amounts if quantity],
        site_id=site_id,
        most=most,
    )


def by_the_bill(component: OrderComponent, *, made_before: Decimal, made_now: Decimal) -> Decimal:
    """How much of a by-product pieces made now give by the bill; of a per-order one all, with the first of them."""
    if component.basis == QuantityBasis.PER_ORDER:
        return component.required if made_now and not made_before else ZERO
    return rules.standard_use(
        per_piece=component.quantity_per,
        scrap_pct=ZERO,
        decimals=component.item.decimals,
        made_before=made_before,
        made_now=made_now,
    )


def valued(parts: Sequence[tuple[OrderComponent, int, Decimal]], *, site_id: int, most: Decimal) -> list[Beside]:
    """Parts (component, lot, quantity) with their values: what the pieces cost cannot fall below nothing."""
    worth = unit_values(item_ids={one.item_id for one, _, _ in parts}, site_id=site_id)
    found = []
    for one, lot_id, quantity in parts:
        value = min(rules.by_product_value(quantity=quantity, unit_value=worth.get(one.item_id, ZERO)), most)
        most -= value
        found.append(Beside(one, lot_id, quantity, value))
    return found


def taken_back(row: ReceiptLine, quantities: Iterable[tuple[OrderComponent, Decimal]]) -> list[Beside]:
    """So much of by-products that did not come after all, of the lots that came last, at the value it was booked at.

    Raises InvalidQuantity.
    """
    found = []
    known = _booked(row)
    for component, quantity in quantities:
        possible = sum((came for _, came, _ in known[component.pk]), ZERO)
        if quantity > possible:
            raise InvalidQuantity(
                f"{quantity.normalize():f} of {component.item} less are said to have come, {possible.normalize():f} did.",
                field="quantity",
            )
        for lot_id, came, value in known[component.pk]:
            back = min(came, quantity)
            if back > 0:
                worth = value if back == came else (value * back / came).quantize(rules.FIVE)
                found.append(Beside(component, lot_id, -back, -worth))
                quantity -= back
    return found


def booked_by_component(row: ReceiptLine) -> dict[int, Decimal]:
    """How much of each by-product stands booked for a receipt line, by the component's key."""
    return {pk: sum((came for _, came, _ in lots), ZERO) for pk, lots in _booked(row).items()}


def by_product_moves(row: ReceiptLine, beside: Iterable[Beside], *, made_at: int) -> list[Move]:
    """By-products into stock where the pieces go that wait for nothing, or out of it."""
    moves = []
    for one in beside:
        source, target = (made_at, row.location_id) if one.quantity > 0 else (row.location_id, made_at)
        moves.append(
            Move(
                one.component.item_id, source, target, abs(one.quantity), one.lot_id or None, value=abs(one.value),
                line=row.line_no,
            )
        )  # fmt: skip
    return moves


def book_beside(row: ReceiptLine, beside: Iterable[Beside], *, is_adjustment: bool = False) -> None:
    """Write what came (or did not) to the receipt line; the caller posts the moves."""
    ByProduct.objects.bulk_create(
        [
            ByProduct(
                line=row, component=one.component, item_id=one.component.item_id, lot_id=one.lot_id or None,
                quantity=one.quantity, value=one.value, is_adjustment=is_adjustment,
            )
            for one in beside
        ]
    )  # fmt: skip


def lot_of_by_product(component: OrderComponent, quantity: Decimal, named: str) -> int:
    """The lot a by-product goes into (0: none): the one named, made where it is new. Raises LotRequired, SerialRequired."""
    item = component.item
    if not (item.lot_tracked or item.serial_tracked):
        return 0
    code = named.strip()
    if item.serial_tracked and (quantity != 1 or not code):
        raise SerialRequired(
            f"{item} is tracked by serial number: name each by-product with its own.", field="lines.by_products"
        )
    if not code:
        raise LotRequired(f"{item} is tracked by lot: name the lot of what came out.", field="lines.by_products")
    return int(Lot.objects.get_or_create(item=item, code=code)[0].pk)


def _counted(
    components: Sequence[OrderComponent], counted: Sequence[CameBeside], lot: str
) -> list[tuple[OrderComponent, Decimal, str]]:
    known = {one.item_id: one for one in components}
    found = []
    for came in counted:
        if came.item_id not in known:
            raise NotFound(
                "Something is counted as a by-product that the line does not give.", field="lines.by_products"
            )
        component = known[came.item_id]
        if came.quantity < 0:
            raise InvalidQuantity(f"{came.quantity} of {component.item} cannot have come.", field="lines.by_products")
        masterdata.check_exact(component.item, came.quantity, field="lines.by_products")
        found.append((component, came.quantity, came.lot or lot))
    return found


def _booked(row: ReceiptLine) -> dict[int, list[tuple[int, Decimal, Decimal]]]:
    """Lot, quantity and value that stand booked of each by-product, net, the last lot first."""
    found: dict[int, list[tuple[int, Decimal, Decimal]]] = defaultdict(list)
    rows = ByProduct.objects.filter(line=row).values_list("component", "lot")
    for pk, lot_id, quantity, value in rows.annotate(Sum("quantity"), Sum("value")).order_by("component", "-lot"):
        if quantity > 0:
            found[pk].append((lot_id or 0, quantity, value))
    return found
