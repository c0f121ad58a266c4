"""What counting a note would do, before anybody posts it. Nothing here writes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from masterdata.models import Item
from production.models import Operation
from receipts.models import Consumption
from receipts.services.notes import CountedLine
from receipts.services.receiving import post_receipt
from subcontract_orders.models import OrderLine


@dataclass(frozen=True, slots=True)
class WouldUse:
    """So much of an item (of a lot; of the pieces of a stage) would be used up, in the item's unit."""

    item: Item
    lot: str
    stage: str
    quantity: Decimal


class _Undo(Exception):
    """Takes back what was only tried."""


def preview_use(*, vendor_id: int, lines: Sequence[CountedLine], by: User | None, at: datetime) -> list[WouldUse]:
    """What of our material the vendor would have used for what is counted. Raises as `post_receipt` would.

    The note is posted and taken back at once, in a transaction of its own: what is shown is what posting does, never a second
    opinion about it.
    """
    found: list[WouldUse] = []
    try:
        with transaction.atomic():
            receipt = post_receipt(
                vendor_id=vendor_id, note=f"preview {secrets.token_hex(8)}", lines=lines, by=by, at=at
            )
            rows = Consumption.objects.filter(line__receipt=receipt).values("item", "lot__code", "component__stage")
            totals = list(rows.annotate(total=Sum("quantity")).order_by("item__code", "lot__code"))
            items = Item.objects.select_related("unit").in_bulk({row["item"] for row in totals})
            found = [
                WouldUse(items[row["item"]], row["lot__code"] or "", row["component__stage"], row["total"])
                for row in totals
            ]
            raise _Undo
    except _Undo:
        return found


def goes_on(lines: Iterable[OrderLine]) -> Mapping[int, bool]:
    """Whether the pieces of each order line go on to another operation afterwards; finished ones become stock, with lots.

    In one query, however many lines.
    """
    rows = list(lines)
    plans = {line.production_order_id for line in rows if line.production_order_id}
    others: dict[int, list[tuple[int, int, list[str]]]] = {}
    steps = Operation.objects.filter(production_order__in=plans).exclude(status="cancelled")
    for pk, plan_id, sequence, next_nos in steps.values_list("pk", "production_order", "sequence", "next_nos"):
        others.setdefault(plan_id, []).append((pk, sequence, next_nos))
    found: dict[int, bool] = {}
    for line in rows:
        mine = others.get(line.production_order_id or 0, [])
        here = next((step for step in mine if step[0] == line.operation_id), None)
        if here is None:
            found[line.pk] = False
        elif here[2]:
            found[line.pk] = True
        elif any(step[2] for step in mine):
            found[line.pk] = False
        else:
            found[line.pk] = any(step[1] > here[1] for step in mine)
    return found
