"""Writing down what a vendor asks for: over many orders and receipts, by order line or by his note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from django.db import IntegrityError, transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, NotFound, Refusal, TooPrecise, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import (
    UNTAXED,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    SpreadBasis,
    TaxCategory,
)
from masterdata import services as masterdata
from masterdata.models import Currency, Vendor
from masterdata.rules import MOST_MONEY
from receipts.models import Receipt, ReceiptLine
from subcontract_orders.models import OrderLine, OrderStatus

KIND = "invoice"
ZERO = Decimal(0)
MOST_LINES = 2000
MOST_NUMBER = 60


class DuplicateInvoice(Refusal):
    """The vendor's number was entered already."""

    code = "duplicate_number"


class NotOrdered(WrongState):
    """The order was never with the vendor, so nothing can be asked for it."""


class NoRate(Refusal):
    """There is no exchange rate for the currency on the invoice's day."""

    code = "no_rate"
    status = 422


class NoWeight(Refusal):
    """A charge is to be spread by weight, and an item it is spread over has none."""

    code = "no_weight"
    status = 422


@dataclass(frozen=True, slots=True)
class EnteredLine:
    """One line as the vendor wrote it. Work names its order line, a charge may; `receipt_id` narrows it to one of his notes.

    `unit` blank: the price unit of the order line. `amount` blank: quantity × unit price; a charge has only an amount.
    `field` is what a refusal calls the line, `lines.0` for the first where none is said.
    """

    order_line_id: int | None = None
    receipt_id: int | None = None
    kind: str = LineKind.WORK
    quantity: Decimal = ZERO
    unit: str = ""
    unit_price: Decimal = ZERO
    amount: Decimal | None = None
    basis: str = SpreadBasis.VALUE
    tax_category: str = TaxCategory.STANDARD
    tax_rate: Decimal = ZERO
    description: str = ""
    field: str = ""


@retried
@transaction.atomic
def enter_invoice(
    *,
    vendor_id: int,
    number: str,
    lines: Sequence[EnteredLine],
    by: User | None,
    at: datetime,
    currency_id: int | None = None,
    invoice_date: date | None = None,
    due_date: date | None = None,
    note: str = "",
    kind: str = InvoiceKind.INVOICE,
    through: str = "page",
) -> Invoice:
    """Enter a vendor's invoice over any of his orders and his sites'. `match_invoice` compares it with what was received.

    Without a currency it is in that of its first order. Raises NotFound, DuplicateInvoice, NotOrdered, InvalidInput,
    InvalidQuantity, InvalidDate, TooPrecise, NoRate, NoWeight.
    """
    vendor = (
        (Vendor.objects.visible_to(by) if by else Vendor.objects.all())
        .select_related("belongs_to")
        .filter(pk=vendor_id)
        .first()
    )
    if vendor is None:
        raise NotFound("There is no such vendor.", field="vendor")
    vendor = vendor.belongs_to or vendor
    number = number.strip()
    if not number:
        raise InvalidInput("Name the number the vendor gave his invoice.", field="number")
    if not lines:
        raise InvalidInput("An invoice needs at least one line or charge.", field="lines")
    if len(lines) > MOST_LINES:
        raise InvalidInput(f"An invoice has at most {MOST_LINES} lines; this has {len(lines)}.", field="lines")
    key = key_of(number)
    known = Invoice.objects.filter(vendor=vendor, number_key=key).exclude(status=InvoiceStatus.WITHDRAWN).first()
    if known is not None:
        raise _duplicate(number, vendor, known)
    order_lines = _order_lines(vendor, lines, by)
    today = masterdata.company_date(at=at)
    day = invoice_date or today
    if day > today:
        raise InvalidDate(f"An invoice cannot be dated after today, {today}.", field="invoice_date")
    masterdata.check_day(day, today=today, field="invoice_date")
    if due_date is not None and due_date < day:
        raise InvalidDate(f"It cannot be due on {due_date}, before its own day {day}.", field="due_date")
    first = next((order_lines[line.order_line_id] for line in lines if line.order_line_id), None)
    if currency_id is None:
        own = first.order.currency_id if first else vendor.currency_id
        currency_id = own or masterdata.company().currency_id
    currency = Currency.objects.get(pk=currency_id)
    rate = masterdata.exchange_rate(currency_id=currency_id, on=day)
    if rate is None:
        raise NoRate(f"There is no exchange rate for {currency} on {day}; enter one first.", field="currency")
    rows = [_line(place, line, order_lines.get(line.order_line_id or 0), currency) for place, line in enumerate(lines)]
    if any(row.is_charge and row.order_line_id is None for row in rows) and first is None:
        raise InvalidInput("A charge alone must say for which order line it is.", field="charges")
    for place, row in enumerate(rows):
        if row.is_charge and row.order_line_id is None and row.basis == SpreadBasis.WEIGHT:
            check_weights(list(order_lines.values()), field=f"{lines[place].field or f'lines.{place}'}.basis")
    sites = {order_lines[line.order_line_id].order.site_id for line in lines if line.order_line_id}
    number_kind = "self_billed" if kind == InvoiceKind.SELF_BILLED else KIND
    invoice = Invoice(
        number=masterdata.draw_numbers(kind=number_kind)[0], kind=kind, vendor=vendor,
        site_id=sites.pop() if len(sites) == 1 else None, vendor_number=number, number_key=key, invoice_date=day,
        is_dated=invoice_date is not None, due_date=due_date, currency=currency, rate=rate, note=note.strip(), entered_at=at,
        entered_by=by,
    )  # fmt: skip
    return save_entered(invoice, rows, by=by, at=at, through=through)


def save_entered(
    invoice: Invoice, rows: Sequence[InvoiceLine], *, by: User | None, at: datetime, through: str
) -> Invoice:
    """Write an invoice with its lines and totals, and record it.

    Raises InvalidQuantity (no amount an invoice comes to), DuplicateInvoice where another was quicker.
    """
    decimals = invoice.currency.decimals
    totals = rules.taxes([rules.Taxed(row.amount, row.tax_category, row.tax_rate) for row in rows], decimals=decimals)
    invoice.net = sum((total.base for total in totals), ZERO)
    invoice.tax = sum((total.tax for total in totals), ZERO)
    if max(invoice.net, (invoice.net + invoice.tax) * invoice.rate) > MOST_MONEY:
        raise InvalidQuantity(f"{invoice.net} is more than an invoice comes to; look at its amounts.", field="lines")
    invoice.net_company = rules.money(invoice.net * invoice.rate, decimals=masterdata.company().currency.decimals)
    try:
        with transaction.atomic():
            invoice.save()
    except IntegrityError as problem:
        if "invoice_vendor_number_once" not in str(problem):
            raise
        raise _duplicate(invoice.vendor_number, invoice.vendor, None) from None
    for line_no, row in enumerate(rows, start=1):
        row.invoice, row.line_no = invoice, line_no
    InvoiceLine.objects.bulk_create(rows)
    record("invoice.entered", invoice, by=by, at=at, through=through, data={"vendor_number": invoice.vendor_number})
    return invoice


def record(
    name: str,
    invoice: Invoice,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: Mapping[str, object] | None = None,
) -> None:
    activity.record(
        name, kind=KIND, number=invoice.number, at=at, by=by, through=through, site_id=invoice.site_id,
        vendor_id=invoice.vendor_id, data=dict(data or {}),
    )  # fmt: skip


def check_weights(order_lines: Sequence[OrderLine], *, field: str) -> None:
    """Raises NoWeight where a charge spread over several lines would find an item without a weight."""
    without = sorted({one.item.code for one in order_lines if not one.item.weight_kg})
    if without and len(order_lines) > 1:
        raise NoWeight(
            f"{', '.join(without)} has no weight, so a charge cannot be spread by weight. Enter the weight of a piece with the "
            "item, or spread by quantity or value.",
            field=field,
        )


def find_noted(
    *, vendor_id: int, note: str, item_id: int | None = None, order_line_id: int | None = None, by: User | None
) -> ReceiptLine:
    """The receipt line a vendor means by his delivery note, and the item where the note has several.

    Raises NotFound, InvalidInput (several lines fit).
    """
    receipts = Receipt.objects.visible_to(by) if by else Receipt.objects.all()
    found = ReceiptLine.objects.filter(
        receipt__in=receipts.posted().filter(vendor__in=Vendor.objects.invoiced_by(vendor_id), note__iexact=note)
    ).select_related("receipt", "order_line")
    if item_id is not None:
        found = found.filter(item=item_id)
    if order_line_id is not None:
        found = found.filter(order_line=order_line_id)
    rows = list(found.order_by("pk")[:2])
    if not rows:
        raise NotFound(f"Nothing was received on note {note}.", field="note")
    if len(rows) > 1:
        raise InvalidInput(f"Note {note} has several lines: name the order and line, or the item.", field="note")
    return rows[0]


def _duplicate(number: str, vendor: Vendor, known: Invoice | None) -> DuplicateInvoice:
    as_what = f" as {known}, {known.get_status_display().lower()}" if known else ""
    return DuplicateInvoice(
        f"Invoice {number} of {vendor} was entered already{as_what}. Withdraw that one first if it is wrong.",
        field="number",
    )


def _order_lines(vendor: Vendor, lines: Sequence[EnteredLine], by: User | None) -> dict[int, OrderLine]:
    wanted = {line.order_line_id for line in lines if line.order_line_id is not None}
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    found = (
        visible.filter(pk__in=wanted, vendor__in=Vendor.objects.invoiced_by(vendor.pk))
        .select_related("order", "item__unit", "production_order")
        .in_bulk()
    )
    for place, line in enumerate(lines):
        if line.order_line_id is None:
            continue
        row = found.get(line.order_line_id)
        if row is None:
            raise NotFound("A line named here is not an order line of this vendor.", field=f"lines.{place}.line")
        order = row.order
        if not (order.is_with_vendor or (order.sent_at and order.status != OrderStatus.DRAFT)):
            raise NotOrdered(
                f"{order} is {order.get_status_display().lower()} and was never sent; only what a vendor was asked for is paid.",
                field=f"lines.{place}.order",
            )
    return found


def key_of(number: str) -> str:
    """A vendor's number as it is compared. Raises InvalidInput where it is longer than is kept: two may begin alike."""
    key = rules.number_key(number)
    if (length := max(len(number), len(key))) > MOST_NUMBER:
        raise InvalidInput(
            f"A vendor's number has at most {MOST_NUMBER} characters; this has {length}.", field="number"
        )
    return key


def _line(place: int, said: EnteredLine, order_line: OrderLine | None, currency: Currency) -> InvoiceLine:
    where = said.field or f"lines.{place}"
    row = InvoiceLine(
        kind=said.kind, order_line=order_line, receipt_id=said.receipt_id, description=said.description.strip()[:300],
        basis=said.basis, tax_category=said.tax_category, tax_rate=said.tax_rate,
    )  # fmt: skip
    if not ZERO <= said.tax_rate <= 100:
        raise InvalidInput(f"{said.tax_rate} % is no tax rate.", field=f"{where}.tax_rate")
    if said.tax_rate != round(said.tax_rate, 3):
        raise TooPrecise(f"A tax rate has 3 decimals; {said.tax_rate} has more.", field=f"{where}.tax_rate")
    if said.tax_rate and said.tax_category in UNTAXED:
        raise InvalidInput(
            f"A line of category {said.tax_category} has no tax rate; {said.tax_rate} was given.",
            field=f"{where}.tax_rate",
        )
    if row.is_charge:
        if said.amount is None or said.amount <= 0:
            raise InvalidQuantity("A charge needs an amount above zero.", field=f"{where}.amount")
        row.amount = said.amount
    else:
        _set_work(row, said, order_line, currency, where)
    check_money(row.amount, currency, field=f"{where}.amount")
    return row


def check_money(amount: Decimal, currency: Currency, *, field: str) -> None:
    """Raises InvalidQuantity where no invoice comes to so much, TooPrecise where it has more decimals than its currency."""
    check_size(amount, field=field)
    if amount != rules.money(amount, decimals=currency.decimals):
        raise TooPrecise(f"{currency} has {currency.decimals} decimals; {amount} has more.", field=field)


def check_size(number: Decimal, *, field: str) -> None:
    """Raises InvalidQuantity where a quantity, price or amount is a slip of the keyboard."""
    if abs(number) > MOST_MONEY:
        raise InvalidQuantity(f"{number:f} is more than an invoice comes to; look at its amounts.", field=field)


def check_counted(order_line: OrderLine, item_quantity: Decimal, *, field: str) -> None:
    """Raises TooPrecise where a quantity, in the item's unit, has more decimals than it is counted in."""
    unit = order_line.item.unit
    if unit and item_quantity != round(item_quantity, unit.decimals):
        raise TooPrecise(
            f"{order_line.item} is counted in {unit.decimals} decimals; {item_quantity.normalize():f} {unit.code} has more.",
            field=field,
        )


def _set_work(
    row: InvoiceLine, said: EnteredLine, order_line: OrderLine | None, currency: Currency, where: str
) -> None:
    if order_line is None:
        raise InvalidInput("Say for which order and line, or for which delivery note, this is asked.", field=where)
    if said.quantity <= 0:
        raise InvalidQuantity(f"{said.quantity} is not a quantity above zero.", field=f"{where}.quantity")
    if said.unit_price < 0:
        raise InvalidInput(f"{said.unit_price} is below zero; enter a credit note.", field=f"{where}.unit_price")
    row.unit, row.unit_factor = unit_of(order_line, said.unit, field=f"{where}.unit")
    set_price(row, said, order_line, where)
    if said.amount is not None:
        check_size(said.amount, field=f"{where}.amount")
    worked_out = rules.money(said.quantity * said.unit_price, decimals=currency.decimals)
    row.amount = worked_out if said.amount is None else said.amount
    if abs(row.amount - worked_out) > Decimal(1).scaleb(-currency.decimals):
        raise InvalidInput(
            f"{said.quantity.normalize():f} × {said.unit_price.normalize():f} is {worked_out}, not {row.amount}.",
            field=f"{where}.amount",
        )


def set_price(row: InvoiceLine, said: EnteredLine, order_line: OrderLine, where: str) -> None:
    """Quantity and price as they are kept: a price with more decimals than are kept is cut off, so that rounding holds none.

    Raises InvalidQuantity, TooPrecise.
    """
    check_size(said.quantity, field=f"{where}.quantity")
    check_size(said.unit_price, field=f"{where}.unit_price")
    if said.quantity != rules.five(said.quantity):
        raise TooPrecise(f"A quantity has 5 decimals; {said.quantity} has more.", field=f"{where}.quantity")
    row.quantity, row.unit_price = said.quantity, said.unit_price.quantize(rules.FIVE, ROUND_DOWN)
    check_counted(order_line, row.item_quantity, field=f"{where}.quantity")


def unit_of(order_line: OrderLine, unit: str, *, field: str) -> tuple[str, Decimal]:
    """The unit a quantity is invoiced in, and how many of the item's unit it holds. Blank: what the price is for.

    Raises InvalidInput.
    """
    own = order_line.item.unit.code if order_line.item.unit else ""
    priced = order_line.price_unit or own
    if not unit or unit.casefold() == priced.casefold():
        return priced, order_line.price_factor
    if unit.casefold() == own.casefold():
        return own, Decimal(1)
    either = priced if priced == own else f"{priced} or {own}"
    raise InvalidInput(f"{order_line.item} is invoiced in {either}, not in {unit}.", field=field)
