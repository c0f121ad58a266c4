"""How a claim ends: the vendor's credit note names it, or it is netted on an invoice of his."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum

from accounts.models import User
from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, NotFound, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import (
    UNTAXED,
    ChargeBack,
    ChargeBackStatus,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    TaxCategory,
)
from invoices.services.charging_back import record_charge_back
from invoices.services.crediting import OverCredit
from invoices.services.entering import DuplicateInvoice, NoRate, check_money, key_of, save_entered
from invoices.services.matching import lock_invoice, must_be
from invoices.services.posting import post_credit
from masterdata import services as masterdata
from masterdata.models import Currency, Vendor

ZERO = Decimal(0)


class NotClaimed(WrongState):
    """Only what is claimed, and not given back yet, can be credited or netted."""


@dataclass(frozen=True, slots=True)
class CreditedClaim:
    """So much of a charge-back, in the credit note's currency; no amount: all that is open of its claim."""

    charge_back_id: int
    amount: Decimal | None = None
    tax_category: str = TaxCategory.STANDARD
    tax_rate: Decimal = ZERO


@retried
@transaction.atomic
def credit_charge_backs(
    *,
    vendor_id: int,
    claims: Sequence[CreditedClaim],
    number: str,
    credit_date: date | None = None,
    currency_id: int | None = None,
    note: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Enter a vendor's credit note on what was claimed of him. It is in the books at once and lowers what he is paid next.

    A charge-back is settled by it once all of its claim is credited. Without a currency it is in the company's. Raises NotFound,
    NotClaimed, OverCredit, DuplicateInvoice, NoRate, InvalidInput, InvalidDate, InvalidQuantity, TooPrecise.
    """
    visible = Vendor.objects.visible_to(by) if by else Vendor.objects.all()
    vendor = visible.select_related("belongs_to").filter(pk=vendor_id).first()
    if vendor is None:
        raise NotFound("There is no such vendor.", field="vendor")
    vendor = vendor.belongs_to or vendor
    if not number.strip():
        raise InvalidInput("Name the number the vendor gave his credit note.", field="number")
    today = masterdata.company_date(at=at)
    day = credit_date or today
    if day > today:
        raise InvalidDate(f"A credit note cannot be dated after today, {today}.", field="credit_date")
    masterdata.check_day(day, today=today, field="credit_date")
    currency = Currency.objects.get(pk=currency_id or masterdata.company().currency_id)
    rate = masterdata.exchange_rate(currency_id=currency.pk, on=day)
    if rate is None:
        raise NoRate(f"There is no exchange rate for {currency} on {day}; enter one first.", field="currency")
    key = key_of(number.strip())
    known = Invoice.objects.filter(vendor=vendor, number_key=key).exclude(status=InvoiceStatus.WITHDRAWN).first()
    if known is not None:
        raise DuplicateInvoice(f"{number.strip()} of {vendor} was entered already as {known}.", field="number")
    credit = Invoice(
        number=masterdata.draw_numbers(kind="credit_note")[0], vendor=vendor, vendor_number=number.strip(), number_key=key,
        invoice_date=day, is_dated=credit_date is not None, currency=currency, rate=rate, note=note.strip()[:300],
    )  # fmt: skip
    return _settle(credit, claims, by=by, at=at, through=through)


@retried
@transaction.atomic
def net_charge_backs(
    *,
    invoice_id: int,
    claims: Sequence[CreditedClaim],
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Take what was claimed of a vendor off an approved invoice of his, before it is paid: a credit note of our own on it.

    Raises NotFound, Stale, WrongState (not approved, or paid already), NotClaimed, OverCredit (more than is still to be paid),
    InvalidInput, InvalidQuantity, TooPrecise.
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at, settle=False)
    must_be(invoice, InvoiceStatus.APPROVED, to="net charge-backs on")
    number = masterdata.draw_numbers(kind="credit_note")[0]
    credit = Invoice(
        number=number, vendor=invoice.vendor, vendor_number=number, number_key=rules.number_key(number),
        invoice_date=masterdata.company_date(at=at), is_dated=False, currency=invoice.currency, rate=invoice.rate,
        credits=invoice,
    )  # fmt: skip
    standing = invoice.credit_notes.exclude(status=InvoiceStatus.WITHDRAWN)
    before = standing.aggregate(total=Sum(F("net") + F("tax")))["total"] or ZERO
    _settle(credit, claims, by=by, at=at, through=through)
    if credit.gross > invoice.gross - before:
        left = rules.money(invoice.gross - before, decimals=invoice.currency.decimals)
        raise OverCredit(f"{credit.gross} would be netted; {left} of {invoice} is still to be paid.", field="claims")
    return credit


def _settle(
    credit: Invoice, claims: Sequence[CreditedClaim], *, by: User | None, at: datetime, through: str
) -> Invoice:
    """Write the credit note with a line for each claim, book it, and say on each charge-back what of it is settled."""
    if not claims:
        raise InvalidInput("Name the charge-backs it is for.", field="claims")
    keys = [said.charge_back_id for said in claims]
    if len(set(keys)) < len(keys):
        raise InvalidInput("A charge-back is named twice.", field="claims")
    mine = ChargeBack.objects.visible_to(by) if by else ChargeBack.objects.all()
    mine = mine.filter(vendor__in=Vendor.objects.invoiced_by(credit.vendor_id), pk__in=keys)
    found = {one.pk: one for one in mine.select_for_update(of=("self",)).order_by("pk")}
    rows = [_line(credit, found.get(said.charge_back_id), said, place) for place, said in enumerate(claims)]
    sites = {one.site_id for one in found.values()}
    credit.kind, credit.of_claims = InvoiceKind.CREDIT, True
    credit.site_id = sites.pop() if len(sites) == 1 else None
    credit.entered_at, credit.entered_by = at, by
    save_entered(credit, rows, by=by, at=at, through=through)
    post_credit(credit, by=by, at=at, through=through)
    for row in rows:
        one = found[row.charge_back_id or 0]
        one.credited += row.settles
        one.settled_by = credit
        one.version += 1
        if one.credited == one.claim:
            one.status, one.closed_at, one.closed_by = ChargeBackStatus.SETTLED, at, by
        one.save()
        name = "charge_back.settled" if one.status == ChargeBackStatus.SETTLED else "charge_back.credited"
        said = {"credit_note": credit.number, "credited": f"{row.settles}"}
        record_charge_back(name, one, by=by, at=at, through=through, data=said)
    return credit


def _line(credit: Invoice, one: ChargeBack | None, said: CreditedClaim, place: int) -> InvoiceLine:
    """A line that settles so much of a claim: all that is open, or what its amount is worth at the note's rate."""
    where = f"claims.{place}"
    if one is None:
        raise NotFound(f"There is no such charge-back of {credit.vendor}.", field=f"{where}.charge_back")
    if not one.open:
        if one.status == ChargeBackStatus.CLAIMED:
            raise NotClaimed(f"{one} is work that is not paid; there is nothing to credit.", field=where)
        raise NotClaimed(f"{one} is {one.get_status_display().lower()}, not claimed.", field=f"{where}.charge_back")
    if not ZERO <= said.tax_rate <= 100 or (said.tax_rate and said.tax_category in UNTAXED):
        raise InvalidInput(
            f"{said.tax_rate} % is no rate of tax category {said.tax_category}.", field=f"{where}.tax_rate"
        )
    decimals = credit.currency.decimals
    whole = rules.money(one.open / credit.rate, decimals=decimals)
    amount = whole if said.amount is None else said.amount
    check_money(amount, credit.currency, field=f"{where}.amount")
    if amount > whole:
        raise OverCredit(f"{amount} is credited; {whole} of {one} is still claimed.", field=f"{where}.amount")
    worth = rules.money(amount * credit.rate, decimals=masterdata.company().currency.decimals)
    settles = one.open if amount == whole else min(worth, one.open)
    if amount <= 0 or settles <= 0:
        raise InvalidQuantity("Name an amount above zero.", field=f"{where}.amount")
    return InvoiceLine(
        kind=LineKind.CLAIM, order_line_id=one.order_line_id, charge_back=one, settles=settles, amount=amount,
        description=f"{one}: {one.reason}"[:300], tax_category=said.tax_category, tax_rate=said.tax_rate,
    )  # fmt: skip
