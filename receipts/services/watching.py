"""The alert that stays until a cancelled order's material is back, or written off."""

from __future__ import annotations

from datetime import datetime

from activity import services as activity
from activity.models import Alert
from subcontract_orders.models import OrderComponent, OrderStatus


def watch_material_left(*, at: datetime) -> int:
    """Say of cancelled orders what of ours still lies at the vendor, until it is back or written off."""
    left = (
        OrderComponent.objects.lying_at_vendor()
        .filter(line__order__status=OrderStatus.CANCELLED, line__order__sent_at__isnull=False)
        .select_related("line__order__vendor", "item")
        .order_by("line__order__number", "line_id", "position")
    )
    by_order: dict[str, list[OrderComponent]] = {}
    for component in left:
        by_order.setdefault(component.line.order.number, []).append(component)
    return activity.keep_alerts(
        kind="material_left_at_vendor",
        alerts=[_left_alert(number, components) for number, components in by_order.items()],
        at=at,
    )


def _left_alert(number: str, components: list[OrderComponent]) -> Alert:
    order = components[0].line.order
    lying = {component.item.code: f"{component.at_vendor.normalize():f}" for component in components}
    said = ", ".join(f"{quantity} {code}" for code, quantity in lying.items())
    return Alert(
        kind="material_left_at_vendor",
        subject=number,
        title=f"{number} is cancelled and {said} of ours lie at {order.vendor.code}"[:300],
        order_number=number,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        before=lying,
        proposes="return",
    )
