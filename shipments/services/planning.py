"""Planned shipments: one per order and place it is shipped from, made and changed together with the order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F, Max

from masterdata import services as masterdata
from shipments.models import BEFORE_DISPATCH, Shipment, ShipmentLine, ShipmentStatus


@dataclass(frozen=True, slots=True)
class ToShip:
    """So much of one component of one order line, to leave `from_location_id` for `to_location_id`."""

    order_id: int
    order_line_id: int
    component_id: int
    item_id: int
    stage: str
    quantity: Decimal
    vendor_id: int
    site_id: int
    from_location_id: int
    to_location_id: int
    dispatch_by: date


def unplan(*, line_ids: Collection[int]) -> None:
    """Take back what is planned to be shipped for order lines that change.

    `plan` fills the first shipment of each place again, or cancels it; a further one (split off it) left empty is cancelled.
    """
    mine = ShipmentLine.objects.filter(order_line__in=line_ids, shipment__status=ShipmentStatus.PLANNED)
    rows = list(mine.values_list("order_line__order_id", "shipment__from_location_id", "shipment_id").distinct())
    mine.delete()
    first: dict[tuple[int, int], int] = {}
    for order_id, from_id, shipment_id in rows:
        first[order_id, from_id] = min(shipment_id, first.get((order_id, from_id), shipment_id))
    further = {shipment_id for *_, shipment_id in rows} - set(first.values())
    if further:
        refresh(further)


def planned_shipments(*, order_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Planned shipments by (order, place they leave); the first where there are several (one was split)."""
    rows: Iterable[tuple[int, int, int]] = (
        ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__status=ShipmentStatus.PLANNED)
        .order_by("-shipment_id")
        .values_list("order_line__order_id", "shipment__from_location_id", "shipment_id")
        .distinct()
    )
    return {(order_id, from_id): shipment_id for order_id, from_id, shipment_id in rows}


def plan(
    *, wanted: Sequence[ToShip], planned: Mapping[tuple[int, int], int], numbers: Iterator[str], at: datetime
) -> int:
    """Plan what is to be shipped for new and changed order lines.

    What leaves one place for one order shares one planned shipment: the one `planned_shipments` found (before `unplan` took
    lines out of it), else a new one that gets the next of `numbers`, in the order of `wanted`. A planned shipment left
    without lines is cancelled. Returns how many were made.
    """
    taken = dict(
        ShipmentLine.objects.filter(shipment__in=set(planned.values()))
        .values_list("shipment_id")
        .annotate(last=Max("position"))
    )
    made: dict[tuple[int, int], Shipment] = {}
    rows: list[tuple[tuple[int, int], ShipmentLine]] = []
    new_row = masterdata.maker_of(ShipmentLine)
    for need in wanted:
        key = (need.order_id, need.from_location_id)
        row = new_row()
        row.component_id, row.order_line_id, row.item_id = need.component_id, need.order_line_id, need.item_id
        row.stage, row.quantity = need.stage, need.quantity
        rows.append((key, row))
        if key in planned:
            continue
        if key not in made:
            made[key] = Shipment(
                number=next(numbers),
                vendor_id=need.vendor_id,
                site_id=need.site_id,
                from_location_id=need.from_location_id,
                to_location_id=need.to_location_id,
                dispatch_by=need.dispatch_by,
                created_at=at,
            )
        made[key].dispatch_by = min(made[key].dispatch_by, need.dispatch_by)
    masterdata.copy_objects(list(made.values()))
    for key, row in rows:
        row.shipment_id = planned[key] if key in planned else made[key].pk
        row.position = taken[row.shipment_id] = taken.get(row.shipment_id, 0) + 1
    masterdata.copy_objects([row for _, row in rows])
    if planned:
        refresh(set(planned.values()))
    return len(made)


def cancel_planned(*, order_ids: Collection[int]) -> int:
    """Cancel what of orders has not left yet; a shipment that also serves other orders only loses these orders' lines."""
    mine = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__status__in=BEFORE_DISPATCH)
    shipments = set(mine.values_list("shipment_id", flat=True))
    shared = set(
        ShipmentLine.objects.filter(shipment__in=shipments)
        .exclude(order_line__order__in=order_ids)
        .values_list("shipment_id", flat=True)
    )
    mine.filter(shipment__in=shared).delete()
    if shared:
        refresh(shared)
    # The lines of a cancelled shipment stay: a document is cancelled, never deleted.
    return Shipment.objects.filter(pk__in=shipments - shared).update(
        status=ShipmentStatus.CANCELLED, version=F("version") + 1
    )


def refresh(shipment_ids: Collection[int]) -> None:
    """Dispatch dates follow the order lines; a planned shipment without lines is cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE shipments_shipment s
            SET dispatch_by = coalesce(t.dispatch_by, s.dispatch_by), version = s.version + 1,
                status = CASE WHEN t.dispatch_by IS NULL THEN 'cancelled' ELSE s.status END
            FROM (
                SELECT x.id, min(coalesce(l.sent_dispatch_by, l.dispatch_by)) AS dispatch_by
                FROM unnest(%s::bigint[]) AS x(id)
                LEFT JOIN shipments_shipmentline sl ON sl.shipment_id = x.id
                LEFT JOIN subcontract_orders_orderline l ON l.id = sl.order_line_id
                GROUP BY x.id
            ) t
            WHERE s.id = t.id AND s.status IN ('planned', 'picked', 'held')
            """,
            [list(shipment_ids)],
        )
