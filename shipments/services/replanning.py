"""What is open and stands on no shipment is planned; what nobody needs any more is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from shipments.models import SET_ASIDE, ShipmentLine, ShipmentStatus
from shipments.services import arranging, loading
from shipments.services.loading import SHIPPED
from subcontract_orders.models import NET_SENT, WITH_VENDOR, LineStatus, OrderComponent


def plan_what_is_open(
    *, at: datetime, order_ids: Collection[int] | None = None, but_lines: Collection[int] = (), limit: int = 500
) -> int:
    """Plan what orders with vendors still need on shipments, and nothing for lines that need no more (`but_lines` apart).

    A shipment that was taken back or given up draws no number for what it held: this does, where none is planned. Each order in
    its own transaction; safe to run twice. Returns how many orders were planned anew.
    """
    rows = OrderComponent.objects.filter(line__order__status__in=WITH_VENDOR)
    if order_ids is not None:
        rows = rows.filter(line__order__in=order_ids)
    by_order: dict[int, set[int]] = defaultdict(set)
    for found in (_on_no_shipment(rows), _needless(rows).exclude(line__in=but_lines)):
        for order_id, component_id in found.order_by("line__order", "pk").values_list("line__order", "pk")[:limit]:
            by_order[order_id].add(component_id)
    for order_id, component_ids in sorted(by_order.items()):
        with transaction.atomic():
            loading.lock_orders([order_id], by=None)
            arranging.plan_open(component_ids, at=at)
    return len(by_order)


def _on_no_shipment(rows: QuerySet[OrderComponent]) -> QuerySet[OrderComponent]:
    """Components of open lines of which something is open to be shipped, and nothing planned."""
    on = ShipmentLine.objects.filter(component=OuterRef("pk"))
    aside = on.filter(shipment__status__in=SET_ASIDE).order_by().values("component").annotate(total=Sum("quantity"))
    is_open = Q(
        sent_to_be__gt=NET_SENT
        + F("carried_in")
        - F("carried_out")
        + Coalesce(Subquery(aside.values("total")), Decimal(0))
    )
    return (
        rows.filter(line__status=LineStatus.OPEN, supply__in=SHIPPED, ship_from__isnull=False)
        .exclude(ship_from=F("line__ship_to"))
        .filter(~Exists(on.filter(shipment__status=ShipmentStatus.PLANNED)))
        .alias(sent_to_be=Coalesce("sent_required", "required"))
        .filter(is_open)
    )


def _needless(rows: QuerySet[OrderComponent]) -> QuerySet[OrderComponent]:
    """Components of lines that are complete, of which something is planned to be shipped."""
    planned = ShipmentLine.objects.filter(
        shipment__status=ShipmentStatus.PLANNED, order_line__status=LineStatus.COMPLETE
    )
    return rows.filter(pk__in=planned.values("component"))
