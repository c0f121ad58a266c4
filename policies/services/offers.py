"""What each vendor would take for a quantity of one process (or of an item bought complete) today, side by side."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from masterdata.models import Currency, ExchangeRate, Item, Process, Vendor
from masterdata.services import company, unit_factors
from policies.models import ApprovalStatus, PriceAgreement, VendorApproval
from policies.rules import price as rules
from policies.rules.price import Amounts
from policies.rules.values import CurrencyValues, PriceRow
from policies.services.books import PRICE_FIELDS


@dataclass(frozen=True, slots=True)
class Offer:
    """One vendor's answer: the row that counts, what the quantity costs by it (in his currency and in the company's), and why
    he could not be taken (`inactive`, `not_approved`, `approval_expired`, `no_price`, `no_rate`, `no_unit_factor`), else blank.
    """

    vendor: Vendor
    row: PriceRow | None
    currency: str
    decimals: int
    unit_price: Decimal | None
    amounts: Amounts | None
    total_company: Decimal | None
    reason: str
    approval: str
    approved_to: date | None


def compare_offers(
    *,
    process: Process | None,
    item: Item | None,
    quantity: Decimal,
    site_id: int | None,
    on: date,
    vendor: Vendor | None = None,
) -> list[Offer]:
    """Every vendor with a price or an approval for a process, the cheapest for a quantity of an item first (landed: work,
    minimum, lot charge and freight, in company currency), who cannot be taken last. Without an item only rows for any item
    count; without a process those for buying the item complete. With `vendor` his answer alone, also where he has no price.
    The price is read on `on`; selection as everywhere (`policies.rules.price.select`).
    """
    our = company()
    rows: dict[int, list[PriceRow]] = defaultdict(list)
    found = PriceAgreement.objects.filter(Q(item=None) | Q(item=item) if item else Q(item=None), process=process)
    for values in found.filter(further_processes="").values_list(*PRICE_FIELDS):
        rows[values[1]].append(PriceRow(*values[:-1]))
    approved = VendorApproval.objects.filter(process=process) if process else VendorApproval.objects.none()
    approvals = {approval.vendor_id: approval for approval in approved}
    asked = {vendor.pk} if vendor else {*rows, *approvals}
    vendors = Vendor.objects.filter(pk__in=asked).select_related("currency").order_by("code")
    currencies = _currencies()
    factors = (
        unit_factors(
            unit_ids={row.unit_id for group in rows.values() for row in group if row.unit_id}, item_ids=[item.pk]
        )
        if item
        else {}
    )
    offers = []
    for one in vendors:
        own = one.currency_id or our.currency_id
        for priced in rows[one.pk]:
            priced.currency_id = priced.currency_id or own
        approval = approvals.get(one.pk)
        reason = _standing(one, approval, process=process, on=on)
        row = rules.select(
            rules.levels(
                rows[one.pk],
                item_id=item.pk if item else 0,
                process_id=process.pk if process else None,
                site_id=site_id or 0,
                vendor_currency_id=own,
                company_currency_id=our.currency_id,
            ),
            lambda _row: quantity,
            lambda _row: on,
        )
        amounts = total = None
        if row is None or row.unit_price is None:
            reason = reason or "no_price"
        elif row.unit_id and item and (item.pk, row.unit_id) not in factors:
            reason = reason or "no_unit_factor"
        else:
            if row.unit_id and item:
                row.factor = row.factor * factors[item.pk, row.unit_id]
            currency = currencies[row.currency_id]
            amounts = rules.amounts(row, row.unit_price, quantity, currency.decimals)
            rate = Decimal(1) if row.currency_id == our.currency_id else rules.rate_on(currency, on)
            if rate is None:
                reason = reason or "no_rate"
            else:
                total = rules.round_money(amounts.total * rate, currencies[our.currency_id].decimals)
        shown = currencies[row.currency_id if row else own]
        offers.append(
            Offer(
                one, row, shown.code, shown.decimals, row.unit_price if row else None, amounts, total, reason,
                approval.status if approval else "", approval.valid_to if approval else None,
            )
        )  # fmt: skip
    return sorted(offers, key=lambda offer: (bool(offer.reason), offer.total_company is None, offer.total_company or 0))


def _standing(vendor: Vendor, approval: VendorApproval | None, *, process: Process | None, on: date) -> str:
    if not vendor.is_active:
        return "inactive"
    if approval is None:
        return "not_approved" if process and process.requires_approval else ""
    if approval.status != ApprovalStatus.APPROVED:
        return "not_approved"
    return "approval_expired" if approval.valid_to is not None and approval.valid_to < on else ""


def _currencies() -> dict[int, CurrencyValues]:
    rates: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for currency_id, valid_from, rate in ExchangeRate.objects.order_by("-valid_from").values_list(
        "currency_id", "valid_from", "rate"
    ):
        rates[currency_id].append((valid_from, rate))
    return {
        pk: CurrencyValues(pk, code, decimals, tuple(rates.get(pk, ())))
        for pk, code, decimals in Currency.objects.values_list("pk", "code", "decimals")
    }
