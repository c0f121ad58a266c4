"""Stock of half-done work in: a production order's pieces that an operation has finished and the next has not begun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from django.db.models import Sum

from interchange.services.reading import Reading, Values
from inventory import services as inventory
from inventory.models import Balance, CostPool
from masterdata import services as masterdata
from production.models import Operation, OperationStatus, ProductionOrder
from production.services.pieces import OWN_PLACES
from production.services.reporting import followers
from receipts import services as receipts

ZERO = Decimal(0)


def stock_of_work(work: Reading) -> None:
    """Set what lies where of orders' pieces, at our places and at vendors'; places of ours that no row names hold none then.

    More of them are worth what the row says, else what the others of their stage are, else nothing.
    """
    if not work.begun:
        return
    work.table, work.file = "stock", work.begun_file
    work.know(ProductionOrder, (values.get("production_order") for _, values in work.begun))
    orders = ProductionOrder.objects.select_related("site", "location").in_bulk(
        {pk for _, values in work.begun if (pk := work.ids[ProductionOrder].get(values.get("production_order") or ""))}
    )
    operations: dict[int, dict[str, Operation]] = defaultdict(dict)
    for step in Operation.objects.filter(production_order__in=orders).exclude(status=OperationStatus.CANCELLED):
        operations[step.production_order_id][step.operation_no] = step
    following = {pk: followers(production_order_id=pk) for pk in orders}
    counts: list[inventory.CountedStock] = []
    rows: list[int] = []
    lying: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row, values in work.begun:
        order = orders.get(work.ids[ProductionOrder].get(values.get("production_order") or "", 0))
        if order is None:
            _no_order(work, row, values)
            continue
        number = values.get("operation") or ""
        operation = operations[order.pk].get(number)
        if operation is None or not following[order.pk].get(number):
            known = ", ".join(no for no in operations[order.pk] if following[order.pk].get(no))
            what = "makes finished stock, leave it out here" if operation else "is not one of its operations"
            text = (
                f"{number or 'Nothing'} {what}; pieces lie between two operations of {order} after {known or 'none'}."
            )
            work.bad(row, "operation", number, "not_found", text)
            continue
        if values["item_id"] != order.item_id:
            work.bad(row, "item", values.get("item", ""), "invalid", f"{order} makes {order.item}, nothing else.")
            continue
        lying[order.pk, number] += values["quantity"]
        given = order.quantity if not (operation.good or operation.scrap) else operation.good
        most = given if operation.status == OperationStatus.FINISHED else operation.good
        if lying[order.pk, number] > most:
            text = (
                f"Operation {number} of {order} has finished {most.normalize():f} pieces, "
                f"{lying[order.pk, number].normalize():f} cannot lie there. The table operations says how many it has finished."
            )
            work.bad(row, "quantity", values["quantity"], "previous_operation_short", text)
            continue
        place = values.get("location_id") or order.location_id or masterdata.main_location(site=order.site).pk
        counts.append(
            inventory.CountedStock(
                item_id=order.item_id, location_id=place, quantity=values["quantity"], lot=values.get("lot", ""),
                stage=f"{order.stage_number}/{number}", unit_cost=values.get("cost"), as_of=values.get("as_of"),
                source=values.get("source"), external_refs=values.get("external_refs"),
            )
        )  # fmt: skip
        rows.append(row)
    costs = _costs(counts)
    counts = [
        replace(count, unit_cost=costs.get((count.item_id, count.stage), ZERO)) if count.unit_cost is None else count
        for count in counts
    ]
    try:
        work.count(receipts.load_stock(counts=[*counts, *_elsewhere(counts)], at=work.at, by=work.by))
    except inventory.CountsRefused as refused:
        for bad in refused.counts:
            work.bad(rows[bad.index], bad.field or "", counts[bad.index].quantity, bad.code, bad.detail)


def _costs(counts: Sequence[inventory.CountedStock]) -> dict[tuple[int, str], Decimal]:
    """What a piece of each stage costs now, wherever it lies."""
    pools = CostPool.objects.filter(stage__in={count.stage for count in counts}, quantity__gt=0)
    sums = pools.values_list("item", "stage").annotate(value=Sum("value"), quantity=Sum("quantity"))
    return {(item, stage): value / quantity for item, stage, value, quantity in sums}


def _elsewhere(counts: Sequence[inventory.CountedStock]) -> list[inventory.CountedStock]:
    """Of the same stages nothing lies at our other places."""
    named = {(count.item_id, count.stage, count.location_id) for count in counts}
    parts = {(count.item_id, count.stage): count.as_of for count in counts}
    there = Balance.objects.filter(
        stage__in={stage for _, stage in parts}, quantity__gt=0, location__kind__in=OWN_PLACES
    ).values_list("item", "stage", "location", "lot__code")
    return [
        inventory.CountedStock(item, place, ZERO, lot=lot or "", stage=stage, as_of=parts[item, stage])
        for item, stage, place, lot in there
        if (item, stage) in parts and (item, stage, place) not in named
    ]


def _no_order(work: Reading, row: int, values: Values) -> None:
    number = values.get("production_order") or ""
    if number in work.unread[ProductionOrder]:
        return  # its own row is bad, and said
    text = f"There is no production order {number}." if number else "Name the production order the pieces are of."
    work.bad(row, "production_order", number, "not_found" if number else "missing_value", text)
