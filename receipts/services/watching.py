"""The alert that stays until a cancelled order's material is back, or written off."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from activity import services as activity
from activity.models import Alert
from receipts.models import ReturnLine, ReturnStatus
from subcontract_orders.models import OrderComponent, OrderLine, OrderStatus


def watch_material_left(*, at: datetime) -> int:
    """Say of cancelled orders what of ours still lies at the vendor, or is on its way back, until it is home or written off."""
    over = {"order__status": OrderStatus.CANCELLED, "order__sent_at__isnull": False}
    lines = OrderLine.objects.filter(**over).values("pk")
    back = dict(
        ReturnLine.objects.filter(document__status=ReturnStatus.DISPATCHED, component__line__in=lines)
        .values_list("component")
        .annotate(total=Sum("quantity"))
    )
    there = OrderComponent.objects.lying_at_vendor().filter(line__in=lines)
    # Two keys by their own index, then the rows: an "or" over both would read every component there is.
    left = OrderComponent.objects.filter(pk__in={*there.values_list("pk", flat=True), *back})
    by_order: dict[str, list[tuple[OrderComponent, Decimal]]] = {}
    rows = left.select_related("line__order__vendor", "item").order_by("line__order__number", "line_id", "position")
    for component in rows:
        left_there = component.at_vendor + back.get(component.pk, Decimal(0))
        by_order.setdefault(component.line.order.number, []).append((component, left_there))
    return activity.keep_alerts(
        kind="material_left_at_vendor",
        alerts=[_left_alert(number, components) for number, components in by_order.items()],
        at=at,
    )


def _left_alert(number: str, components: list[tuple[OrderComponent, Decimal]]) -> Alert:
    order = components[0][0].line.order
    lying: dict[str, Decimal] = {}
    for component, quantity in components:
        lying[component.item.code] = lying.get(component.item.code, Decimal(0)) + quantity
    shown = {code: f"{quantity.normalize():f}" for code, quantity in lying.items()}
    said = ", ".join(f"{quantity} {code}" for code, quantity in shown.items())
    return Alert(
        kind="material_left_at_vendor",
        subject=number,
        title=f"{number} is cancelled and {said} of ours lie at {order.vendor.code}"[:300],
        order_number=number,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        before=shown,
        proposes="return",
    )
