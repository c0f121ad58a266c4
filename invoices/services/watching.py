"""What follows from state by itself: alerts about open prices and held invoices, charge-backs proposed, charges squared."""

from __future__ import annotations

from datetime import date, datetime

from activity import services as activity
from activity.models import Alert, Severity
from invoices.models import Hold, Invoice
from invoices.services.charging_back import watch_charge_backs
from invoices.services.matching import HELD_ALERT, say_held
from invoices.services.squaring import square_charges
from subcontract_orders.models import OrderLine, OrderStatus

PRICE_OPEN = "price_open"


def watch_invoices(*, at: datetime, on: date) -> int:
    """Keep what follows from state: again it changes nothing. `on` is today. Returns how many alerts are new."""
    watch_charge_backs(at=at)
    square_charges(at=at)
    held = list(Invoice.objects.held().select_related("vendor").order_by("pk"))
    activity.close_others(kinds=[HELD_ALERT], subjects={invoice.number for invoice in held}, at=at)
    for invoice in held:
        holds = Hold.objects.filter(invoice=invoice).select_related("line__order_line__order")
        say_held(invoice, list(holds.order_by("pk")), at=at)
    return watch_open_prices(at=at)


def watch_open_prices(*, at: datetime) -> int:
    """Lines that went to a vendor at an estimate: somebody must agree the price. Sharper once goods are here."""
    lines = (
        OrderLine.objects.active()
        .filter(is_price_open=True, order__sent_at__isnull=False)
        .exclude(order__status=OrderStatus.CANCELLED)
        .select_related("order__vendor", "production_order")
        .order_by("pk")
    )
    return activity.keep_alerts(
        kind=PRICE_OPEN,
        alerts=[
            Alert(
                kind=PRICE_OPEN,
                subject=f"{line.order.number}/{line.line_no}",
                severity=Severity.WARNING if line.received else Severity.INFO,
                title=f"{line.order} line {line.line_no} has no agreed price; {line.order.vendor.code} was sent an estimate",
                order_number=line.order.number,
                line_no=line.line_no,
                production_order=line.production_order.number if line.production_order else "",
                operation_no=line.operation_no,
                site_id=line.order.site_id,
                vendor_id=line.vendor_id,
                before={"unit_price": f"{line.unit_price.normalize():f}"},
                proposes="price",
                due_date=line.need_date,
            )
            for line in lines.iterator()
        ],
        at=at,
    )
