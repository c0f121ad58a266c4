"""A vendor's credit note: pieces he takes back from an invoice, or money off their price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts.models import User
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind
from invoices.services.comparing import compare
from invoices.services.entering import (
    DuplicateInvoice,
    EnteredLine,
    check_money,
    key_of,
    save_entered,
    set_price,
    unit_of,
)
from invoices.services.matching import keep, lock_invoice, match_credit, must_be, say_held
from invoices.services.posting import post_credit, tell_paid_prices
from masterdata import services as masterdata
from subcontract_orders.models import OrderLine

ZERO = Decimal(0)


class OverCredit(Refusal):
    """More is credited than was invoiced."""

    code = "over_invoice"


@retried
@transaction.atomic
def credit_invoice(
    *,
    invoice_id: int,
    lines: Sequence[EnteredLine],
    number: str = "",
    credit_date: date | None = None,
    note: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Enter what a vendor takes off an invoice. At the price invoiced pieces are taken back; at another, money comes off theirs.

    It is in the books with its invoice: at once where that is approved, else when it is. One that is matched or held is compared
    anew with it, a disputed one when it is matched again. Raises NotFound, Stale, WrongState, OverCredit, DuplicateInvoice,
    InvalidInput, InvalidQuantity, InvalidDate, TooPrecise.
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at)
    must_be(invoice, *[status for status in InvoiceStatus if status != InvoiceStatus.WITHDRAWN], to="credit")
    if not lines:
        raise InvalidInput("A credit note needs at least one line.", field="lines")
    today = masterdata.company_date(at=at)
    day = credit_date or today
    if day > today:
        raise InvalidInput(f"A credit note cannot be dated after today, {today}.", field="credit_date")
    masterdata.check_day(day, today=today, field="credit_date")
    drawn = masterdata.draw_numbers(kind="credit_note")[0]
    number = number.strip() or drawn
    key = key_of(number)
    known = Invoice.objects.filter(vendor=invoice.vendor_id, number_key=key)
    if other := known.exclude(status=InvoiceStatus.WITHDRAWN).first():
        raise DuplicateInvoice(f"{number} of {invoice.vendor} was entered already as {other}.", field="number")
    rows = [_line(invoice, said, place) for place, said in enumerate(lines)]
    credit = Invoice(
        number=drawn, kind=InvoiceKind.CREDIT, vendor=invoice.vendor, site_id=invoice.site_id, vendor_number=number,
        number_key=key, invoice_date=day, is_dated=credit_date is not None, currency=invoice.currency,
        # At the rate of its invoice: what is taken back is taken back at what it was booked with.
        rate=invoice.rate, credits=invoice, note=note.strip(), entered_at=at, entered_by=by,
    )  # fmt: skip
    save_entered(credit, rows, by=by, at=at, through=through)
    if invoice.is_posted:
        match_credit(credit)
        post_credit(credit, by=by, at=at, through=through)
        tell_paid_prices(invoice)
    else:
        credit.status = InvoiceStatus.MATCHED
        credit.matched_at = at
        credit.save(update_fields=["status", "matched_at"])
        if invoice.status in (InvoiceStatus.MATCHED, InvoiceStatus.HELD):
            _compare_anew(invoice, at=at)
    return credit


def _compare_anew(invoice: Invoice, *, at: datetime) -> None:
    outcome = compare(invoice)
    keep(invoice, outcome)
    if not invoice.released_by_id:
        invoice.status = InvoiceStatus.HELD if outcome.holds else InvoiceStatus.MATCHED
        say_held(invoice, outcome.holds, at=at)
    invoice.version += 1
    invoice.save()


def _credited_lines(invoice: Invoice, said: EnteredLine) -> QuerySet[InvoiceLine]:
    """The invoice's lines that one of a credit note is for. A charge that names no order line is the only one of its kind."""
    alike = invoice.lines.filter(kind=said.kind).order_by("line_no")
    found = alike.filter(order_line=said.order_line_id)
    is_charge = said.kind != LineKind.WORK and said.order_line_id is None
    return alike if is_charge and not found.exists() and alike.count() == 1 else found


def _line(invoice: Invoice, said: EnteredLine, place: int) -> InvoiceLine:
    """One line against that of the invoice it credits. Raises NotFound, InvalidQuantity, OverCredit, TooPrecise, WrongState."""
    where = f"lines.{place}"
    mine = _credited_lines(invoice, said)
    original = mine.select_related("order_line__item__unit").first()
    if original is None:
        raise NotFound(f"{invoice} has no such line to credit.", field=f"{where}.line")
    before = InvoiceLine.objects.filter(
        invoice__credits=invoice, order_line=original.order_line_id, kind=said.kind
    ).exclude(invoice__status=InvoiceStatus.WITHDRAWN)
    asked = mine.aggregate(total=Sum("amount"))["total"] - (before.aggregate(total=Sum("amount"))["total"] or ZERO)
    row = InvoiceLine(
        kind=said.kind, order_line_id=original.order_line_id, receipt_id=original.receipt_id, description=said.description,
        tax_category=original.tax_category, tax_rate=original.tax_rate, basis=original.basis,
    )  # fmt: skip
    if said.kind == LineKind.WORK:
        if said.quantity <= 0 or said.unit_price <= 0:
            raise InvalidQuantity("Say how much of what is credited, both above zero.", field=f"{where}.quantity")
        order_line: OrderLine | None = original.order_line
        if order_line is None:
            raise WrongState(f"{invoice} has work without an order line.", field=where)
        row.unit, row.unit_factor = unit_of(order_line, said.unit, field=f"{where}.unit")
        set_price(row, said, order_line, where)
        per_unit = rules.five(original.unit_price * row.unit_factor / original.unit_factor)
        row.taken_back = row.unit_price == per_unit
        row.amount = rules.money(row.quantity * row.unit_price, decimals=invoice.currency.decimals)
        gone = sum((one.item_quantity for one in before if one.taken_back), ZERO)
        possible = sum((one.item_quantity for one in mine), ZERO) - (gone if row.taken_back else ZERO)
        if row.item_quantity > possible:
            raise OverCredit(
                f"{row.item_quantity.normalize():f} are credited; {possible.normalize():f} are invoiced and not taken back.",
                field=f"{where}.quantity",
            )
    else:
        if said.amount is None or said.amount <= 0:
            raise InvalidQuantity("A credited charge needs an amount above zero.", field=f"{where}.amount")
        row.amount = said.amount
        check_money(row.amount, invoice.currency, field=f"{where}.amount")
    if row.amount > asked:
        raise OverCredit(f"{row.amount} is credited; {asked} of it is still asked for.", field=f"{where}.amount")
    return row
