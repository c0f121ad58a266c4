"""Papers about what lies at a vendor and what goes between us and him: the return note, the statement of a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import translation

from masterdata.models import Item, Vendor
from masterdata.printing import as_pdf, company, number, qr_code
from receipts.models import Return, ReturnKind, ReturnStatus
from subcontract_orders.models import OrderLine

LEFT = (ReturnStatus.DISPATCHED, ReturnStatus.POSTED)


@dataclass(frozen=True, slots=True)
class StatedMaterial:
    """What lay at the vendor, what moved in the period and what lies there now, of one part (and lot), in its unit."""

    item: Item
    lot: str
    stage: str
    opening: Decimal
    came: Decimal
    used: Decimal
    returned: Decimal
    gone: Decimal
    closing: Decimal

    @property
    def figures(self) -> list[str]:
        """As they stand on the paper."""
        return [number(one) for one in (self.opening, self.came, self.used, self.returned, self.gone)]

    @property
    def closes(self) -> str:
        return number(self.closing)


def return_note(*, return_id: int, address: str) -> bytes:
    """The note that travels with a return, in the vendor's language, as a PDF. `address` is what its code opens.

    Raises PdfUnavailable.
    """
    document = Return.objects.select_related("vendor", "site").get(pk=return_id)
    owner = company()
    lines = list(
        document.lines.select_related(
            "item__unit", "lot", "from_location", "to_location", "component__line__order", "receipt_line__receipt"
        ).order_by("line_no")
    )
    zone = ZoneInfo(document.site.time_zone or owner.time_zone)
    with translation.override(document.vendor.language or "en"):
        return as_pdf(
            "receipts/return_note.html",
            {
                "document": document,
                "is_product": document.kind == ReturnKind.PRODUCT,
                "owner": owner.name or document.site.name or document.site.code,
                "our_address": document.site.address or owner.address,
                "rows": [(line, number(line.quantity)) for line in lines],
                "from_place": lines[0].from_location if lines else None,
                "to_place": lines[0].to_location if lines else None,
                "left_on": document.dispatched_at.astimezone(zone).date() if document.dispatched_at else None,
                "has_left": document.status in LEFT,
                "qr": qr_code(address),
            },
        )


def statement(
    *, vendor: Vendor, first: date, last: date, material: Sequence[StatedMaterial], open_lines: Sequence[OrderLine]
) -> bytes:
    """What of ours lies at a vendor, what moved there in a period, and what he still owes, in his language, as a PDF.

    Raises PdfUnavailable.
    """
    owner = company()
    with translation.override(vendor.language or "en"):
        return as_pdf(
            "receipts/vendor_statement.html",
            {
                "vendor": vendor,
                "owner": owner.name,
                "first": first,
                "last": last,
                "material": material,
                "open_lines": [
                    (line, *(number(one) for one in (line.quantity_in_force, line.received, line.open_in_force)))
                    for line in open_lines
                ],
            },
        )
