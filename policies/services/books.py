"""The book: everything but the plan that a decision reads, as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from masterdata.models import Currency, Downtime, ExchangeRate, Process, Vendor, WorkCenter, WorkCenterKind
from masterdata.services import all_closed_days, among, company, unit_factors
from policies.models import BAR, Policy, PolicyVendor, PriceAgreement, VendorApproval
from policies.rules.values import (
    ApprovalValues,
    Book,
    CurrencyValues,
    Paid,
    PolicyValues,
    PolicyVendorValues,
    PriceRow,
    PriceShelf,
    ProcessValues,
    VendorValues,
    WorkCenterValues,
)


def load_book(
    *,
    on: date,
    last_paid: Mapping[tuple[int, int, int], Paid],
    days: Mapping[int, date] | None = None,
    item_ids: Collection[int] | None = None,
) -> Book:
    """Everything but the plan that a decision reads. `days`: what day it is at each site, where that is not `on`.

    With `item_ids`, prices of these items and of any item.
    """
    days = {site_id: day for site_id, day in (days or {}).items() if day != on}
    company_currency_id = company().currency_id
    rates: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for currency_id, valid_from, rate in ExchangeRate.objects.order_by("-valid_from").values_list(
        "currency_id", "valid_from", "rate"
    ):
        rates[currency_id].append((valid_from, rate))
    currencies = {
        pk: CurrencyValues(pk, code, decimals, tuple(rates.get(pk, ())))
        for pk, code, decimals in Currency.objects.values_list("pk", "code", "decimals")
    }
    closed = all_closed_days(on=on)
    vendors = {
        pk: VendorValues(
            pk,
            code,
            name,
            is_active,
            currency_id,
            closed.vendors.get(pk, frozenset()),
            transit_out,
            transit_back,
        )
        for pk, code, name, is_active, currency_id, transit_out, transit_back in Vendor.objects.values_list(
            "pk", "code", "name", "is_active", "currency_id", "transit_out_days", "transit_back_days"
        )
    }
    downtimes: dict[int, list[tuple[date, date, str]]] = defaultdict(list)
    for work_center_id, first, last, why in Downtime.objects.order_by("start_date").values_list(
        "work_center_id", "start_date", "end_date", "reason"
    ):
        downtimes[work_center_id].append((first, last, why))
    centers = work_center_values()
    for pk, center in centers.items():
        center.closed = closed.ours | closed.work_centers.get(pk, frozenset())
        center.downtimes = tuple(downtimes.get(pk, ()))
    approvals = {
        (vendor_id, process_id): ApprovalValues(status, valid_to)
        for vendor_id, process_id, status, valid_to in VendorApproval.objects.values_list(
            "vendor_id", "process_id", "status", "valid_to"
        )
    }
    processes, process_ids = {}, {}
    for pk, code, name, is_approved in Process.objects.values_list("pk", "code", "name", "requires_approval"):
        processes[pk], process_ids[code] = ProcessValues(pk, name or code, is_approved), pk
    prices = _prices(min([on, *days.values()]), vendors, process_ids, company_currency_id, item_ids)
    priced_in = {row.unit_id for rows in prices.values() for row in rows if row.unit_id is not None}
    return Book(
        on, company_currency_id, currencies, vendors, policy_values(Policy.objects.active()),
        prices, approvals, processes, centers,
        unit_factors=unit_factors(unit_ids=priced_in), days=days, last_paid=last_paid,
    )  # fmt: skip


def work_center_values() -> dict[int, WorkCenterValues]:
    """All work centers, without the days on which they do not work."""
    rows = WorkCenter.objects.values_list("pk", "code", "kind", "vendor_id", "capacity_hours_per_day", "hourly_cost")
    return {
        pk: WorkCenterValues(pk, code, kind == WorkCenterKind.EXTERNAL, vendor_id, hours, cost)
        for pk, code, kind, vendor_id, hours, cost in rows
    }


PRICE_FIELDS = (
    "pk", "vendor_id", "item_id", "process_id", "site_id", "currency_id", "unit_price", "price_unit", "price_factor",
    "minimum_quantity", "valid_from", "valid_to", "lot_charge", "minimum_charge", "minimum_charge_basis", "lead_days",
    "yield_pct", "freight", "per_unit_id", "further_processes",
)  # fmt: skip


def _prices(
    on: date,
    vendors: Mapping[int, VendorValues],
    process_ids: Mapping[str, int],
    company_currency_id: int,
    item_ids: Collection[int] | None,
) -> dict[PriceShelf, list[PriceRow]]:
    found: dict[PriceShelf, list[PriceRow]] = defaultdict(list)
    # A price that ended before today cannot be that of a day of ordering, which is today or later.
    rows = PriceAgreement.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=on))
    if item_ids is not None:
        rows = rows.filter(Q(item__isnull=True) | Q(item__in=among(item_ids)))
    # Price lists repeat themselves: one object for each value of a column keeps hundreds of thousands of rows small.
    same: dict[Any, Any] = {}
    for row in rows.values_list(*PRICE_FIELDS).iterator(chunk_size=10_000):
        priced = PriceRow(*(same.setdefault(pair, pair[1]) for pair in enumerate(row[:-1])))
        if row[5] is None:
            own = vendors[priced.vendor_id].currency_id
            priced.currency_id = company_currency_id if own is None else own
        if row[-1]:
            priced.further = tuple(process_ids.get(code, 0) for code in row[-1].split(BAR))
        found[priced.shelf].append(priced)
    return dict(found)


POLICY_FIELDS = (
    "pk", "code", "verdict", "version", "priority", "valid_from", "valid_to", "item_id", "item_group_id", "process_id",
    "work_center_id", "site_id", "quantity_from", "quantity_to", "season_from", "season_to", "load_above_pct", "when_down",
    "late_days", "cost_below_pct", "transition_from", "transition_share_pct", "strategy", "split", "balance_days",
    "price_missing", "yield_pct", "transit_out_days", "transit_back_days", "inspection_days", "preparation_days",
)  # fmt: skip
SCOPE_FIELDS = ("item", "item_group", "process", "work_center", "site")


def policy_values(policies: Any) -> list[PolicyValues]:
    """The policies of a queryset as plain values, with their vendors in rank order."""
    rows: dict[int, list[PolicyVendorValues]] = defaultdict(list)
    vendors = PolicyVendor.objects.filter(policy__in=policies).order_by("policy_id", "rank")
    for policy_id, rank, vendor_id, share_pct, weekly_capacity, quantity_from, quantity_to in vendors.values_list(
        "policy_id", "rank", "vendor_id", "share_pct", "weekly_capacity", "quantity_from", "quantity_to"
    ):
        rows[policy_id].append(
            PolicyVendorValues(rank, vendor_id, share_pct, weekly_capacity, quantity_from, quantity_to)
        )
    names = [
        f"{name}__{column}" for name in SCOPE_FIELDS for column in ("code", *(["name"] if name == "process" else []))
    ]
    found = []
    for row in policies.order_by("pk").values(*POLICY_FIELDS, *names):
        words = {name: row[f"{name}__code"] for name in SCOPE_FIELDS if row[f"{name}__code"] is not None}
        if row["process__name"]:
            words["process"] = row["process__name"]
        values: dict[str, Any] = {name: row[name] for name in POLICY_FIELDS if name != "pk"}
        vendor_rows = tuple(rows[row["pk"]])
        found.append(PolicyValues(policy_id=row["pk"], vendors=vendor_rows, scope_words=words, **values))
    return found
