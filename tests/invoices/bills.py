"""Vendors' invoices over orders that came back, by business words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from accounts.models import Access, Role, User
from inventory.models import Movement
from invoices import services as invoices
from invoices.models import Invoice, Match
from invoices.services import EnteredLine
from masterdata.models import Vendor
from receipts.models import ReceiptLine
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.receipts.goods import LATER

ZERO = Decimal(0)


def clerk(name: str = "clerk", role: str = Role.PAYABLES) -> User:
    user, made = User.objects.get_or_create(username=name)
    if made:
        Access.objects.create(user=user, role=role)
    return user


def asked(line: OrderLine, quantity: Any, price: Any, **fields: Any) -> EnteredLine:
    return EnteredLine(line.pk, quantity=Decimal(str(quantity)), unit_price=Decimal(str(price)), **fields)


def charge(kind: str, amount: Any, line: OrderLine | None = None, **fields: Any) -> EnteredLine:
    return EnteredLine(line.pk if line else None, kind=kind, amount=Decimal(str(amount)), **fields)


def enter(*lines: EnteredLine, number: str = "INV-1", at: datetime | None = None, **fields: Any) -> Invoice:
    vendor = Vendor.objects.get(code=fields.pop("vendor", "V1"))
    said = {"by": clerk(), "at": at or moment(LATER), **fields}
    return invoices.enter_invoice(vendor_id=vendor.pk, number=number, lines=lines, **said)


def match(invoice: Invoice) -> Invoice:
    return invoices.match_invoice(invoice_id=invoice.pk, by=clerk(), at=moment(LATER))


def held(invoice: Invoice) -> list[str]:
    """What it is held for; empty where it matched."""
    found = match(invoice)
    return sorted(found.holds.values_list("code", flat=True)) if found.status == "held" else []


def approve(invoice: Invoice) -> Invoice:
    return invoices.approve_invoice(invoice_id=invoice.pk, by=clerk(), at=moment(LATER))


def release(invoice: Invoice, *, by: User | None = None) -> Invoice:
    return invoices.release_invoice(invoice_id=invoice.pk, by=by or clerk("another"), at=moment(LATER))


def paid(*lines: EnteredLine, number: str = "INV-1", **fields: Any) -> Invoice:
    """Entered, matched, let pass where it must be, approved."""
    invoice = enter(*lines, number=number, **fields)
    if match(invoice).status == "held":
        release(invoice)
    return approve(invoice)


def credit(invoice: Invoice, *lines: EnteredLine, **fields: Any) -> Invoice:
    return invoices.credit_invoice(invoice_id=invoice.pk, lines=lines, by=clerk(), at=moment(LATER), **fields)


def went() -> tuple[Decimal, Decimal]:
    """How much of all differences went to stock, and to price variance."""
    found = Match.objects.filter(posted_at__isnull=False).aggregate(stock=Sum("to_stock"), variance=Sum("to_variance"))
    return found["stock"] or ZERO, found["variance"] or ZERO


def ledger_in(kind: str) -> Decimal:
    """Value that came into the ledger from a virtual place, net of what went back to it."""
    came = Movement.objects.filter(from_location__kind=kind).aggregate(total=Sum("value"))["total"] or ZERO
    back = Movement.objects.filter(to_location__kind=kind).aggregate(total=Sum("value"))["total"] or ZERO
    return came - back


def accrued() -> Decimal:
    posted = ReceiptLine.objects.filter(receipt__status="posted")
    return posted.aggregate(total=Sum("work_value"))["total"] or ZERO
