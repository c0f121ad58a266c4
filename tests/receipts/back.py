"""What comes back, is counted, written off and left over, by business words; and proof that every sum still holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from documents import services as documents
from inventory.models import CostPool, Movement
from masterdata.models import VIRTUAL_KINDS, Item, Location, Vendor
from receipts import services as receipts
from receipts.models import Receipt, ReceiptLine, Return
from shipments import services as shipments
from shipments.models import Shipment
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder
from tests.documents import plans
from tests.documents.plans import moment
from tests.played import played
from tests.receipts.goods import LATER


def sent_order(*, number: int = 1, quantity: int = 10, plan: str = "P1", **rules: Any) -> OrderLine:
    """An order for FG at V1, sent; the first one brings the plan's ground along."""
    _sent_order(number, quantity, plan, rules)
    return plans.line(number)


@played
def _sent_order(number: int, quantity: int, plan: str, rules: dict[str, Any]) -> None:
    if number == 1:
        plans.base(
            policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], **rules}]
        )
    plans.plan(plan, "FG", quantity, "2026-04-30")
    plans.generate()
    plans.send(number)


def ship(order: int, quantity: Any = None, *, lot: str = "", item: str = "RM") -> Shipment:
    lines = None
    if quantity is not None:
        lines = [shipments.ToPick(Item.objects.get(code=item).pk, Decimal(str(quantity)), lot)]
    return shipments.ship(order_ids=[plans.order(order).pk], lines=lines, by=plans.boss(), at=moment())[0]


def return_material(vendor: str = "V1", lot: str = "", stage: str = "", **quantities: Any) -> Return:
    lines = [
        receipts.MaterialLine(Item.objects.get(code=code).pk, Decimal(str(quantity)), lot, stage)
        for code, quantity in quantities.items()
    ]
    return receipts.return_material(
        vendor_id=Vendor.objects.get(code=vendor).pk, lines=lines or None, by=plans.boss(), at=moment(LATER)
    )


def return_product(receipt: Receipt, quantity: Any) -> Return:
    line = ReceiptLine.objects.get(receipt=receipt, line_no=1)
    return receipts.return_product(
        receipt_line_id=line.pk, quantity=Decimal(str(quantity)), by=plans.boss(), at=moment(LATER)
    )


def reverse_return(document: Return) -> Return:
    return receipts.reverse_return(return_id=document.pk, by=plans.boss(), at=moment(LATER))


def count(
    counted: Any, *, item: str = "RM", vendor: str = "V1", reason: str = "stocktaking", **fields: Any
) -> receipts.Counted:
    return receipts.count_vendor_stock(
        vendor_id=Vendor.objects.get(code=vendor).pk, item_id=Item.objects.get(code=item).pk, reason=reason,
        **{"counted": Decimal(str(counted)), "by": plans.boss(), "at": moment(LATER), **fields},
    )  # fmt: skip


def write_off(quantity: Any, *, item: str = "RM", vendor: str = "V1", **fields: Any) -> str:
    return receipts.write_off_material(
        vendor_id=Vendor.objects.get(code=vendor).pk, item_id=Item.objects.get(code=item).pk, reason="burnt",
        quantity=Decimal(str(quantity)), by=plans.boss(), at=moment(LATER), **fields,
    )  # fmt: skip


def close(order: int, leftovers: str = "keep") -> SubcontractOrder:
    return documents.close_set(order_id=plans.order(order).pk, leftovers=leftovers, by=plans.boss(), at=moment(LATER))


def reopen(order: int) -> SubcontractOrder:
    return documents.reopen_set(order_id=plans.order(order).pk, by=plans.boss(), at=moment(LATER))


def component(order: int, item: str = "RM", line_no: int = 1) -> OrderComponent:
    return OrderComponent.objects.get(line__order__number=f"SC-{order:05d}", line__line_no=line_no, item__code=item)


def counters(order: int, item: str = "RM") -> dict[str, Decimal]:
    """A component's counters that are not zero, and what lies there."""
    row = component(order, item)
    names = ("sent", "direct", "carried_in", "found", "consumed", "returned", "written_off", "lost", "carried_out")
    return {name: getattr(row, name) for name in names if getattr(row, name)} | {"at_vendor": row.at_vendor}


def problems() -> list[str]:
    """Every stored sum that is not the sum of its rows."""
    return [
        f"{one.check}: {one.about} {one.stored}, not {one.should_be}"
        for one in documents.check_invariants().differences
    ]


def value_is_conserved() -> bool:
    """What all stock is worth is what came in from virtual places less what went out to them."""
    virtual = set(Location.objects.filter(kind__in=VIRTUAL_KINDS).values_list("pk", flat=True))
    came = Decimal(0)
    for source, target, value in Movement.objects.values_list("from_location", "to_location", "value"):
        came += value * ((source in virtual) - (target in virtual))
    return came == sum(CostPool.objects.values_list("value", flat=True), Decimal(0))
