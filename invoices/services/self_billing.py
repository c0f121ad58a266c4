"""Self-billing: we write the invoice for the vendor, out of what was received."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from core.refusals import NotFound, Refusal
from core.retries import retried
from invoices.models import CHARGES, Invoice, InvoiceKind, TaxCategory
from invoices.rules import FIVE
from invoices.services.entering import EnteredLine, enter_invoice
from invoices.services.matching import match_invoice
from invoices.services.owing import lines_to_invoice, lock_order_lines, what_is_owed
from masterdata import services as masterdata
from masterdata.models import Vendor
from receipts.models import ReceiptLine, ReceiptStatus

ZERO = Decimal(0)


class NothingToBill(Refusal):
    """Everything that was accepted is invoiced."""

    code = "nothing_to_do"


@retried
@transaction.atomic
def self_bill(
    *,
    vendor_id: int,
    until: date | None = None,
    order_ids: Collection[int] = (),
    tax_category: str = TaxCategory.STANDARD,
    tax_rate: Decimal = ZERO,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Write one invoice for a vendor over all that was accepted up to a day and is not invoiced, at the agreed prices.

    In the currency of his oldest such order (the others are billed apart); charges not asked for yet are in it, lines whose price
    is open are not. It is matched at once. Raises NotFound, NothingToBill.
    """
    vendor = (Vendor.objects.visible_to(by) if by else Vendor.objects.all()).filter(pk=vendor_id).first()
    if vendor is None:
        raise NotFound("There is no such vendor.", field="vendor")
    visible = lines_to_invoice(vendor.pk)
    if by:
        visible = visible.visible_to(by)
    sites = Vendor.objects.invoiced_by(vendor.pk)
    came = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, receipt__vendor__in=sites)
    if until is not None:
        zone = ZoneInfo(masterdata.company().time_zone)
        came = came.filter(receipt__received_at__lt=datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone))
    lines = visible.filter(is_price_open=False, pk__in=came.values("order_line"))
    if order_ids:
        lines = lines.filter(order__in=order_ids)
    lock_order_lines(list(lines.values_list("pk", flat=True)))
    owed = what_is_owed(list(lines.values_list("pk", flat=True)))
    counted_by_then = set(came.filter(order_line__in=owed).values_list("pk", flat=True))
    entered: list[EnteredLine] = []
    currency_id = None
    for one in owed.values():
        in_time = sum((left for pk, left in one.left.items() if pk in counted_by_then), ZERO)
        quantity = min(in_time, max(one.payable - one.taken, ZERO))
        if not quantity or (currency_id is not None and one.line.order.currency_id != currency_id):
            continue
        currency_id = one.line.order.currency_id
        own_unit = one.line.item.unit.code if one.line.item.unit else ""
        factor = one.line.price_factor
        # In the price unit where that comes out even, else in pieces at the price of one.
        in_price_unit = (quantity / factor).quantize(FIVE)
        even = in_price_unit * factor == quantity
        entered.append(
            EnteredLine(
                order_line_id=one.line.pk,
                quantity=in_price_unit if even else quantity,
                unit="" if even else own_unit,
                unit_price=one.line.unit_price_in_force
                if even
                else (one.line.unit_price_in_force / factor).quantize(FIVE, ROUND_DOWN),
                tax_category=tax_category,
                tax_rate=tax_rate,
            )
        )
        for kind in CHARGES:
            left = one.charges.get(kind, ZERO) - one.charged[kind]
            if left > 0:
                entered.append(
                    EnteredLine(
                        order_line_id=one.line.pk, kind=kind, amount=left, tax_category=tax_category, tax_rate=tax_rate
                    )
                )
    if not entered:
        raise NothingToBill(f"All that {vendor} delivered and we accepted is invoiced.", field="vendor")
    number = f"{vendor.code}-{masterdata.company_date(at=at):%Y%m%d}-{_next(vendor, at=at)}"
    invoice = enter_invoice(
        vendor_id=vendor.pk, number=number[:60], lines=entered, currency_id=currency_id, kind=InvoiceKind.SELF_BILLED, by=by,
        at=at, through=through,
    )  # fmt: skip
    return match_invoice(invoice_id=invoice.pk, by=by, at=at, through=through)


def _next(vendor: Vendor, *, at: datetime) -> int:
    return Invoice.objects.filter(vendor=vendor.belongs_to or vendor, kind=InvoiceKind.SELF_BILLED).count() + 1
