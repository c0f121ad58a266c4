"""A lot's way: what it was made of, what was made of it, through every vendor, and which documents moved it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from core.refusals import InvalidInput, NotFound
from core.scope import HasScope
from inventory.models import Lot, Movement
from receipts.models import Consumption, ReceiptLine, ReceiptStatus

DEEPEST = 50
"""Steps a trace goes at most; no routing is as long."""


@dataclass(frozen=True, slots=True)
class Goods:
    """An item in a lot, at a stage (pieces between two operations), or a receipt's untracked output."""

    item: str
    lot: str
    stage: str


@dataclass(frozen=True, slots=True)
class Step:
    """So much of one kind of goods was used up for another, with the receipt that says so. `depth`: steps away."""

    depth: int
    used: Goods
    used_quantity: Decimal
    made: Goods
    made_quantity: Decimal
    receipt: str
    order: str
    line: int
    vendor: str


@dataclass(frozen=True, slots=True)
class Trace:
    lot: Lot
    back: list[Step]
    forward: list[Step]
    movements: list[Movement]


def find_lot(*, code: str, item: str = "") -> Lot:
    """The lot of a code (of an item, where several have one). Raises NotFound, InvalidInput."""
    if "\x00" in code + item:
        raise NotFound("There is no such lot.", field="lot")  # no text of the database holds this sign
    found = list(Lot.objects.select_related("item").filter(code=code, **({"item__code": item} if item else {}))[:2])
    if not found:
        raise NotFound(f"There is no lot {code}{f' of {item}' if item else ''}.", field="lot")
    if len(found) > 1:
        raise InvalidInput(f"Several items have a lot {code}: name the item.", field="item")
    return found[0]


def trace_lot(*, lot: Lot, viewer: HasScope) -> Trace:
    """Where a lot came from and where it went: receipts whose consumption used it, their outputs, and on from there.

    A receipt line ties all it used to all it made. Reversed receipts and what the viewer may not see are left out.
    """
    movements = Movement.objects.visible_to(viewer).filter(lot=lot)
    return Trace(
        lot=lot,
        back=_walk(_made(Q(lots__lot=lot) | Q(by_products__lot=lot), viewer), viewer, forward=False),
        forward=_walk(_using(Q(lot=lot), viewer), viewer, forward=True),
        movements=list(
            movements.select_related("item", "lot", "from_location", "to_location", "by").distinct().order_by("pk")
        ),
    )


def _walk(lines: list[ReceiptLine], viewer: HasScope, *, forward: bool) -> list[Step]:
    steps: list[Step] = []
    seen: set[int] = set()
    depth = 1
    while lines and depth <= DEEPEST:
        lines = [line for line in {line.pk: line for line in lines}.values() if line.pk not in seen]
        seen |= {line.pk for line in lines}
        for line in lines:
            steps += _steps(line, depth)
        if forward:
            made = [one.lot_id for line in lines for one in line.lots.all()]
            beside = [one.lot_id for line in lines for one in line.by_products.all() if one.lot_id]
            lots = Q(lot__in=made + beside)
            stages = _stages((line.item_id, line.stage) for line in lines if line.stage)
            lines = _using(lots | stages, viewer)
        else:
            used = [one for line in lines for one in line.consumptions.all()]
            used_lots = [one.lot_id for one in used if one.lot_id]
            lots = Q(lots__lot__in=used_lots) | Q(by_products__lot__in=used_lots)
            stages = Q(pk=None)
            for one in used:
                if one.component.stage:
                    stages |= Q(item=one.item_id, stage=one.component.stage)
            lines = _made(lots | stages, viewer)
        depth += 1
    return steps


def _stages(pairs: Iterable[tuple[int, str]]) -> Q:
    found = Q(pk=None)
    for item_id, stage in set(pairs):
        found |= Q(item=item_id, component__stage=stage)
    return found


def _made(which: Q, viewer: HasScope) -> list[ReceiptLine]:
    return _complete(ReceiptLine.objects.filter(which), viewer)


def _using(which: Q, viewer: HasScope) -> list[ReceiptLine]:
    return _complete(ReceiptLine.objects.filter(pk__in=Consumption.objects.filter(which).values("line")), viewer)


def _complete(lines: object, viewer: HasScope) -> list[ReceiptLine]:
    rows = (
        ReceiptLine.objects.filter(pk__in=lines.values("pk"))  # type: ignore[attr-defined]
        .filter(
            viewer.scope.rows(site="receipt__site_id", vendor="receipt__vendor_id"),
            receipt__status=ReceiptStatus.POSTED,
        )
        .select_related("receipt__vendor", "order_line__order", "item")
        .prefetch_related(
            "lots__lot",
            "consumptions__lot",
            "consumptions__item",
            "consumptions__component",
            "by_products__lot",
            "by_products__item",
        )
        .order_by("pk")
    )
    return list(rows)


def _steps(line: ReceiptLine, depth: int) -> list[Step]:
    outputs = [(Goods(line.item.code, one.lot.code, ""), one.quantity) for one in line.lots.all()] or [
        (Goods(line.item.code, "", line.stage), line.accepted)
    ]
    beside: dict[Goods, Decimal] = defaultdict(Decimal)
    for came in line.by_products.all():
        beside[Goods(came.item.code, came.lot.code if came.lot else "", "")] += came.quantity
    outputs += [(goods, quantity) for goods, quantity in beside.items() if quantity]
    used: dict[Goods, Decimal] = {}
    for one in line.consumptions.all():
        goods = Goods(one.item.code, one.lot.code if one.lot else "", one.component.stage)
        used[goods] = used.get(goods, Decimal(0)) + one.quantity
    return [
        Step(
            depth=depth, used=goods, used_quantity=quantity, made=made, made_quantity=pieces, receipt=line.receipt.number,
            order=line.order_line.order.number, line=line.order_line.line_no, vendor=line.receipt.vendor.code,
        )
        for goods, quantity in used.items()
        for made, pieces in outputs
    ]  # fmt: skip
