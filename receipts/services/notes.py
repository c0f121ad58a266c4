"""A vendor's note: what was counted of which lines, what is refused of it, and all it stands on, locked."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from accounts.models import User
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, Stale, WrongState
from masterdata import services as masterdata
from masterdata.models import Item
from production.models import ProductionOrder
from receipts import rules
from receipts.models import Receipt, ReceiptLine, ReceiptStatus
from subcontract_orders.models import (
    LineStatus,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import flows as material

KIND = "receipt"
ZERO = Decimal(0)


class OrderNotSent(WrongState):
    """Nothing is received on an order that is not with the vendor."""


class OrderClosed(Refusal):
    """The order, or the line, expects no more."""

    code = "closed"


class OverReceipt(Refusal):
    """More came than was ordered and the tolerance allows."""

    code = "over_receipt"


class VendorShort(Refusal):
    """Less material lies at the vendor than these pieces use."""

    code = "vendor_short"


class DuplicateNote(Refusal):
    """The vendor's note was counted already, with other content; or a serial number is known already."""

    code = "duplicate_number"


class LotRequired(Refusal):
    """The item is tracked by lot and none is named."""

    code = "lot_required"
    status = 422


class SerialRequired(Refusal):
    """The item is tracked by serial number, and each good piece needs one."""

    code = "serial_required"
    status = 422


class NotTracked(InvalidInput):
    """A lot or serial number is named for pieces that have none."""

    code = "not_tracked"


@dataclass(frozen=True, slots=True)
class CameBeside:
    """So much of a by-product that came with the pieces, in its unit; without a lot, in that of the pieces."""

    item_id: int
    quantity: Decimal
    lot: str = ""


@dataclass(frozen=True, slots=True)
class CountedLine:
    """What was counted for one order line, in the item's unit. `consumed`: what the vendor declares, by item key.

    `by_products`: what came out beside the pieces; None where nobody counted it, and it is taken as the bill says.
    """

    order_line_id: int
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    scrapped: Decimal = ZERO
    lot: str = ""
    serials: tuple[str, ...] = ()
    consumed: Mapping[int, Decimal] | None = None
    certificates: tuple[str, ...] = ()
    inspect_quantity: Decimal | None = None
    by_products: tuple[CameBeside, ...] | None = None

    @property
    def counted(self) -> Decimal:
        return self.accepted + self.rejected + self.scrapped

    def as_content(self) -> list[object]:
        declared = sorted((item, f"{quantity.normalize():f}") for item, quantity in (self.consumed or {}).items())
        counts = [f"{quantity.normalize():f}" for quantity in (self.accepted, self.rejected, self.scrapped)]
        content = [self.order_line_id, *counts, self.lot, sorted(self.serials), declared, sorted(self.certificates)]
        if self.by_products is None:
            return content
        return [*content, sorted((one.item_id, f"{one.quantity.normalize():f}", one.lot) for one in self.by_products)]


def content_hash(lines: Sequence[CountedLine]) -> str:
    """Tells the same content of a note from another, in whatever order its lines stand."""
    return hashlib.sha256(json.dumps(sorted((line.as_content() for line in lines), key=str)).encode()).hexdigest()


def lock_note(vendor_id: int, note: str) -> None:
    """Two people counting the same note, over whatever lines and however they type it, come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(upper(%s), 0))", [f"receipt {vendor_id} {note}"])


def lock_lines(
    vendor_id: int, lines: Iterable[CountedLine | ReceiptLine], by: User | None, *, hold_places: bool = True
) -> tuple[dict[int, SubcontractOrder], dict[int, OrderLine]]:
    """Lock production orders, then orders, then their lines, each by key; foreign lines are not found.

    `hold_places`: the vendor's places as well, as free stock there may be given or taken.
    """
    wanted = {line.order_line_id for line in lines}
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    known = list(
        visible.filter(pk__in=wanted, vendor_id=vendor_id).values_list("pk", "order_id", "production_order_id")
    )
    if len(known) != len(wanted):
        raise NotFound("A line named here is not an order line of this vendor.", field="lines")
    plans = {plan_id for _, _, plan_id in known if plan_id is not None}
    list(ProductionOrder.objects.filter(pk__in=plans).select_for_update().order_by("pk").values_list("pk"))
    order_ids = {order_id for _, order_id, _ in known}
    orders = {
        order.pk: order
        for order in SubcontractOrder.objects.filter(pk__in=order_ids)
        .select_related("site")
        .select_for_update(of=("self",))
        .order_by("pk")
    }
    rows = OrderLine.objects.filter(pk__in=wanted).select_for_update(of=("self",)).order_by("pk")
    found = {row.pk: row for row in rows.select_related("item__unit", "production_order")}
    for row in found.values():
        row.order = orders[row.order_id]
    if hold_places:
        material.lock_places(row.ship_to_id for row in found.values())
    return orders, found


def lock_receipt(
    receipt_id: int, *, expected_version: int | None, by: User | None
) -> tuple[Receipt, list[ReceiptLine], dict[int, SubcontractOrder], dict[int, OrderLine]]:
    """Lock a posted receipt with all it stands on. Raises NotFound, WrongState, Stale."""
    visible = Receipt.objects.visible_to(by) if by else Receipt.objects.all()
    receipt = visible.filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound("There is no such receipt.", field="receipt")
    orders, order_lines = lock_lines(receipt.vendor_id, list(receipt.lines.all()), None)
    receipt = Receipt.objects.select_for_update(of=("self",)).get(pk=receipt_id)
    if expected_version not in (None, receipt.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    if receipt.status != ReceiptStatus.POSTED:
        raise WrongState(f"{receipt} is {receipt.get_status_display().lower()}.")
    if receipt.is_opening:
        raise WrongState(f"{receipt} came in before its order was loaded here; return what came too much instead.")
    rows = receipt.lines.select_for_update(of=("self",)).select_related("item__unit", "location").order_by("line_no")
    return receipt, list(rows), orders, order_lines


def check_counted(
    lines: Sequence[CountedLine], orders: Mapping[int, SubcontractOrder], rows: Mapping[int, OrderLine]
) -> None:
    """Refuse what cannot be counted in. Raises OrderClosed, OrderNotSent, OverReceipt, InvalidQuantity, TooPrecise."""
    counted: dict[int, Decimal] = defaultdict(Decimal)
    for index, line in enumerate(lines):
        row = rows[line.order_line_id]
        order = orders[row.order_id]
        if order.status == OrderStatus.CLOSED:
            raise OrderClosed(f"{order} is closed; reopen it to receive more.", field=f"lines.{index}")
        if not order.is_with_vendor:
            raise OrderNotSent(
                f"{order} is {order.get_status_display().lower()}; only a sent order receives goods.",
                field=f"lines.{index}",
            )
        closed_short = row.status == LineStatus.COMPLETE and row.received + row.in_rework < row.quantity_in_force
        if row.status == LineStatus.CANCELLED or (closed_short and not row.in_rework):
            raise OrderClosed(
                f"Line {row.line_no} of {order} is {row.get_status_display().lower()}.", field=f"lines.{index}"
            )
        for name in ("accepted", "rejected", "scrapped"):
            check_count(row.item, getattr(line, name), field=f"lines.{index}.{name}")
        if not line.counted:
            raise InvalidQuantity("Count at least one piece, good or bad.", field=f"lines.{index}.accepted")
        _check_to_inspect(line, row, index)
        counted[row.pk] += line.counted
        limit = rules.at_most(ordered=row.quantity_in_force, over_pct=row.over_receipt_pct)
        if row.received + counted[row.pk] > limit:
            possible = max(limit - row.received, ZERO)
            raise OverReceipt(
                f"Line {row.line_no} of {order} takes {possible.normalize():f} more "
                f"({row.quantity_in_force.normalize():f} ordered, {row.received.normalize():f} received, "
                f"{row.over_receipt_pct.normalize():f} % over allowed); "
                f"{counted[row.pk].normalize():f} were counted.",
                field=f"lines.{index}.accepted",
            )


def _check_to_inspect(line: CountedLine, row: OrderLine, index: int) -> None:
    """Raises InvalidQuantity, TooPrecise."""
    asked, at = line.inspect_quantity, f"lines.{index}.inspect_quantity"
    if asked is None:
        return
    masterdata.check_exact(row.item, asked, field=at)
    if not 0 < asked <= line.accepted:
        raise InvalidQuantity(
            f"Of {line.accepted.normalize():f} good pieces from 1 to all can be inspected, not {asked.normalize():f}; "
            "to inspect none, let somebody waive it.",
            field=at,
        )


def check_count(item: Item, quantity: Decimal, *, field: str) -> None:
    """Raises InvalidQuantity (below zero), TooPrecise (more decimals than the item is counted in)."""
    if quantity < 0:
        raise InvalidQuantity(f"{quantity} is below zero.", field=field)
    masterdata.check_exact(item, quantity, field=field)
