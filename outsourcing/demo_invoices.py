"""What vendors ask for in the demo's month: statements over all they delivered, most as agreed, some dearer or for too much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from accounts.models import User
from invoices import services as invoices
from invoices.models import CHARGES, Invoice, InvoiceStatus
from invoices.services import EnteredLine, Owed
from masterdata.models import Vendor
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine

Tried = Callable[..., Any]
ZERO = Decimal(0)
TAX = Decimal(19)
# How the statements of vendors differ, in the order of their codes: as agreed, dearer, for more than came, with freight nobody
# agreed, as agreed.
WAYS = ("as agreed", "dearer", "too much", "freight", "as agreed")
DEARER = Decimal("1.06")


def bill(*, at: datetime, number: str, clerk: User, buyer: User, tried: Tried, is_last: bool) -> None:
    """Every vendor sends his statement; what fits is approved, one dear one is let pass, one for too much is disputed.

    Of the last statements what is held stays held, and what fits waits for approval, for whoever looks.
    """
    came = ReceiptLine.objects.filter(
        receipt__status=ReceiptStatus.POSTED, receipt__received_at__lt=at - timedelta(days=2)
    )
    lines = OrderLine.objects.filter(pk__in=came.values("order_line"), is_price_open=False)
    places = enumerate(Vendor.objects.filter(pk__in=lines.values("vendor")).order_by("code"))
    for place, vendor in places:
        mine = lines.filter(vendor=vendor).order_by("order__number", "line_no")
        owed = invoices.what_is_owed(list(mine.values_list("pk", flat=True)))
        statement = _statement([one for one in owed.values() if one.payable > one.taken], WAYS[place % len(WAYS)])
        if not statement:
            continue
        entered = tried(
            "invoiced", invoices.enter_invoice, vendor_id=vendor.pk, number=f"{number}-{vendor.code[:12]}", lines=statement,
            invoice_date=at.date() - timedelta(days=1), due_date=at.date() + timedelta(days=29), by=clerk, at=at,
        )  # fmt: skip
        if entered is not None:
            _settle(entered, place, at=at, clerk=clerk, buyer=buyer, tried=tried, is_last=is_last)


def _settle(
    entered: Invoice, place: int, *, at: datetime, clerk: User, buyer: User, tried: Tried, is_last: bool
) -> None:
    matched = tried("matched", invoices.match_invoice, invoice_id=entered.pk, by=clerk, at=at + timedelta(minutes=5))
    way = WAYS[place % len(WAYS)]
    if matched.status == InvoiceStatus.HELD and way == "too much":
        tried("disputed", invoices.dispute_invoice, invoice_id=entered.pk, reason="More than we accepted", by=clerk,
              at=at + timedelta(minutes=30))  # fmt: skip
        return
    if matched.status == InvoiceStatus.HELD and not is_last:
        matched = tried("let pass", invoices.release_invoice, invoice_id=entered.pk, reason="Agreed by telephone", by=buyer,
                        at=at + timedelta(hours=1))  # fmt: skip
    if matched is not None and matched.status == InvoiceStatus.MATCHED and not (is_last and place % 2 == 0):
        tried("paid", invoices.approve_invoice, invoice_id=entered.pk, by=clerk, at=at + timedelta(hours=2))


def _statement(owed: Sequence[Owed], way: str) -> list[EnteredLine]:
    """One line for each order line, in the unit of its price where that comes out even; agreed charges with the first of them."""
    currencies = [one.line.order.currency_id for one in owed]
    found = []
    for place, one in enumerate(owed):
        if one.line.order.currency_id != currencies[0]:
            continue
        quantity = one.payable - one.taken
        price = one.line.unit_price_in_force
        if place == 0 and way == "too much":
            quantity += one.line.price_factor
        if place == 0 and way == "dearer":
            price = (price * DEARER).quantize(Decimal("0.01"), ROUND_DOWN)
        in_unit = (quantity / one.line.price_factor).quantize(Decimal("0.00001"))
        if in_unit * one.line.price_factor != quantity:
            continue
        found.append(EnteredLine(one.line.pk, quantity=in_unit, unit_price=price, tax_rate=TAX))
        for kind in CHARGES:
            left = one.charges.get(kind, ZERO) - one.charged[kind]
            if left > 0:
                found.append(EnteredLine(one.line.pk, kind=kind, amount=left, tax_rate=TAX))
    if found and way == "freight":
        found.append(EnteredLine(kind="freight", amount=Decimal("48.00"), tax_rate=TAX))
    return found
