"""A vendor's statement: our material there over a period, and what is still expected of him."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.models import User
from inventory.models import Balance
from inventory.services import vendor_balances
from masterdata.models import Vendor
from receipts import printing
from receipts.printing import StatedMaterial
from subcontract_orders.models import WITH_VENDOR, OrderLine


def vendor_statement(*, vendor_id: int, first: date, last: date, zone: ZoneInfo, by: User, at: datetime) -> bytes:
    """Both days included, as a PDF in the vendor's language; only what `by` may see. Open work is as of now.

    Rows that were and stayed at nothing are left out. Raises PdfUnavailable.
    """
    vendor = Vendor.objects.visible_to(by).get(pk=vendor_id)
    rows = (
        Balance.objects.at_vendors()
        .visible_to(by)
        .filter(location__vendor=vendor)
        .select_related("item__unit", "lot", "location")
        .order_by("item__code", "lot__code", "stage", "pk")
    )
    start, end = (datetime.combine(day, time.min, zone) for day in (first, last + timedelta(1)))
    found = vendor_balances(list(rows), start=start, end=end if end < at else None, at=at)
    material = [
        StatedMaterial(
            item=one.row.item,
            lot=one.row.lot.code if one.row.lot else "",
            stage=one.row.stage,
            opening=one.opening,
            came=one.sent + one.direct,
            used=one.consumed,
            returned=one.returned,
            gone=one.written_off + one.difference,
            closing=one.closing,
        )
        for one in found
    ]
    open_lines = (
        OrderLine.objects.visible_to(by)
        .active()
        .filter(order__vendor=vendor, order__status__in=WITH_VENDOR)
        .select_related("order", "item__unit", "process")
        .order_by("promised_date", "order__number", "line_no")
    )
    return printing.statement(
        vendor=vendor,
        first=first,
        last=last,
        material=[one for one in material if any((one.opening, one.came, one.used, one.returned, one.gone))],
        open_lines=[line for line in open_lines if line.open_in_force],
    )
