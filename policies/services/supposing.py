"""What if: a change supposed over the book that stands. Nothing is written; the book given stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Model, Q

from core.refusals import InvalidInput, NotFound
from masterdata.models import Currency, Item, ItemGroup, Process, Site, WorkCenter
from masterdata.services import unit_factors
from policies.models import BAR, Policy, PriceAgreement
from policies.rules.values import Book, PolicyValues, PolicyVendorValues, PriceRow, PriceShelf
from policies.services.books import SCOPE_FIELDS, policy_values

SCOPES: dict[str, type[Model]] = {
    "item": Item, "item_group": ItemGroup, "process": Process, "work_center": WorkCenter, "site": Site,
}  # fmt: skip
POLICY_COLUMNS = {one.name for one in fields(PolicyValues)} - {
    "policy_id", "code", "version", "scope_words", "looked_at", "vendors",
}  # fmt: skip


MOST_DAYS = 3660
"""Ten years: longer than any lead time, transit or downtime."""
DAYS = (
    "transit_out_days", "transit_back_days", "inspection_days", "preparation_days", "balance_days", "late_days", "lead_days",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SupposedPolicy:
    """A policy taken as in force, or not. `columns` are other values for it, named as `upsert_policies` takes them.

    Of a code nobody knows it is a new policy.
    """

    code: str
    in_force: bool = True
    columns: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SupposedDowntime:
    """A work center that does not work from `first` to `last`, both included."""

    work_center: str
    first: date
    last: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SupposedPrice:
    """A price row by the codes of what it is for; it takes the place of one with the same key.

    Blank `valid_from`: from today on. Blank currency: the vendor's.
    """

    vendor: str
    unit_price: Decimal | None
    item: str = ""
    process: str = ""
    site: str = ""
    currency: str = ""
    minimum_quantity: Decimal = Decimal(0)
    valid_from: date | None = None
    valid_to: date | None = None
    price_unit: str = ""
    price_factor: Decimal = Decimal(1)
    lot_charge: Decimal = Decimal(0)
    minimum_charge: Decimal = Decimal(0)
    minimum_charge_basis: str = "line"
    lead_days: int | None = None
    yield_pct: Decimal | None = None
    freight: Decimal = Decimal(0)
    per_unit_id: int | None = None
    further_processes: str = ""
    """Codes of the processes bought together with `process`, as PriceAgreement keeps them."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that is supposed at once, beside what stands."""

    policies: tuple[SupposedPolicy, ...] = ()
    downtimes: tuple[SupposedDowntime, ...] = ()
    lost_vendors: frozenset[str] = frozenset()
    prices: tuple[SupposedPrice, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.policies or self.downtimes or self.lost_vendors or self.prices)


def suppose(book: Book, change: Change) -> Book:
    """The book as it would be. Raises NotFound for a code that names nothing, InvalidInput for what cannot be."""
    vendors = {vendor.code: vendor for vendor in book.vendors.values()}
    lost = {_named(vendors, code, "vendor", "vendors_lost").vendor_id for code in sorted(change.lost_vendors)}
    units = {one.per_unit_id for one in change.prices if one.per_unit_id is not None}
    return replace(
        book,
        vendors={pk: replace(vendor, is_active=False) if pk in lost else vendor for pk, vendor in book.vendors.items()},
        policies=_policies(book, change.policies),
        work_centers=_work_centers(book, change.downtimes),
        prices=_prices(book, change.prices),
        unit_factors={**unit_factors(unit_ids=units), **book.unit_factors},
    )


def _named(known: Mapping[str, Any], code: str, what: str, field: str) -> Any:
    if code not in known:
        raise NotFound(f"There is no {what} '{code}'.", field=field)
    return known[code]


# --- policies -----------------------------------------------------------------------------------------------------------


def _policies(book: Book, supposed: Sequence[SupposedPolicy]) -> list[PolicyValues]:
    found = {policy.code: policy for policy in book.policies}
    resting = {one.code for one in supposed} - found.keys()
    stored = {one.code: one for one in policy_values(Policy.objects.filter(code__in=resting))} if resting else {}
    for place, one in enumerate(supposed, start=1):
        known = found.get(one.code) or stored.get(one.code)
        if known is None and (not one.in_force or one.columns is None):
            raise NotFound(f"There is no policy '{one.code}'.", field="policies")
        if not one.in_force:
            found.pop(one.code, None)
            continue
        blank = PolicyValues(policy_id=-place, code=one.code, verdict="outsource")
        found[one.code] = _edited(known or blank, one.columns or {})
    # By key as they are stored, so that what is supposed comes in an order that nobody's typing decides.
    return sorted(found.values(), key=lambda policy: (policy.policy_id < 0, abs(policy.policy_id)))


def _checked(values: Mapping[str, Any], field: str) -> None:
    """What stored rows are held to, and what would make dates run out."""
    yield_pct = values.get("yield_pct")
    if yield_pct is not None and not 0 < yield_pct <= 100:
        raise InvalidInput("A yield is above 0 and at most 100 percent.", field=field)
    if values.get("price_factor", 1) <= 0:
        raise InvalidInput("A price unit holds more than nothing.", field=field)
    if any((values.get(name) or 0) > MOST_DAYS for name in DAYS):
        raise InvalidInput(f"No time is longer than {MOST_DAYS} days.", field=field)


def _edited(policy: PolicyValues, columns: Mapping[str, Any]) -> PolicyValues:
    _checked(columns, "policies")
    values = {name: value for name, value in columns.items() if name in POLICY_COLUMNS}
    if columns.get("vendors") is not None:
        values["vendors"] = tuple(
            PolicyVendorValues(rank=rank, **row) for rank, row in enumerate(columns["vendors"], start=1)
        )
    edited = replace(policy, looked_at="", **values)
    if any(f"{name}_id" in values for name in SCOPES):
        edited.scope_words = _scope_words(edited)
    return edited


def _scope_words(policy: PolicyValues) -> dict[str, str]:
    words = {}
    for name in SCOPE_FIELDS:
        key = getattr(policy, f"{name}_id")
        row: Any = SCOPES[name]._default_manager.filter(pk=key).first() if key is not None else None
        if row is not None:
            words[name] = (row.name or row.code) if name == "process" else row.code
    return words


# --- machines and prices --------------------------------------------------------------------------------------------------


def _work_centers(book: Book, downtimes: Sequence[SupposedDowntime]) -> dict[int, Any]:
    centers = dict(book.work_centers)
    by_code = {center.code: pk for pk, center in centers.items()}
    for down in downtimes:
        if down.last < down.first:
            raise InvalidInput(f"{down.work_center} would be up again before it is down.", field="downtimes")
        if (down.last - down.first).days > MOST_DAYS:
            raise InvalidInput(f"A downtime lasts at most {MOST_DAYS} days.", field="downtimes")
        pk = _named(by_code, down.work_center, "work center", "downtimes")
        center = centers[pk]
        centers[pk] = replace(center, downtimes=(*center.downtimes, (down.first, down.last, down.reason)))
    return centers


def _prices(book: Book, supposed: Sequence[SupposedPrice]) -> dict[PriceShelf, list[PriceRow]]:
    if not supposed:
        return book.prices
    prices = dict(book.prices)
    vendors = {vendor.code: vendor for vendor in book.vendors.values()}
    further = {code for row in supposed for code in _split(row.further_processes)}
    keys: dict[str, dict[str, int]] = {
        name: dict(
            model._default_manager.filter(
                code__in={getattr(row, name) for row in supposed} | (further if name == "process" else set())
            ).values_list("code", "pk")
        )
        for name, model in (("item", Item), ("process", Process), ("site", Site), ("currency", Currency))
    }  # fmt: skip

    def key(name: str, code: str) -> int | None:
        pk: int | None = _named(keys[name], code, name, "prices") if code else None
        return pk

    for place, one in enumerate(supposed, start=1):
        vendor = _named(vendors, one.vendor, "vendor", "prices")
        item_id, process_id, site_id = key("item", one.item), key("process", one.process), key("site", one.site)
        if item_id is None and process_id is None:
            raise InvalidInput("A price is for an item, a process or both.", field="prices")
        _checked({"yield_pct": one.yield_pct, "price_factor": one.price_factor, "lead_days": one.lead_days}, "prices")
        own = book.company_currency_id if vendor.currency_id is None else vendor.currency_id
        row = PriceRow(
            -place, vendor.vendor_id, item_id, process_id, site_id, key("currency", one.currency) or own, one.unit_price,
            one.price_unit, one.price_factor, one.minimum_quantity, one.valid_from or book.on, one.valid_to, one.lot_charge,
            one.minimum_charge, one.minimum_charge_basis, one.lead_days, one.yield_pct, one.freight, one.per_unit_id,
            tuple(_named(keys["process"], code, "process", "prices") for code in _split(one.further_processes)),
        )  # fmt: skip
        prices[row.shelf] = [*(old for old in prices.get(row.shelf, ()) if _price_key(old) != _price_key(row)), row]
    return prices


def _split(codes: str) -> list[str]:
    return codes.split(BAR) if codes else []


TERMS = (
    "price_unit", "price_factor", "per_unit_id", "lot_charge", "minimum_charge", "minimum_charge_basis", "lead_days",
    "yield_pct", "freight",
)  # fmt: skip


def terms_that_stand(*, vendor: str, process: str, item: str, on: date) -> dict[str, Any]:
    """What the price that stands for the same says beside the price itself, as SupposedPrice takes it: another price leaves that
    as it is.
    """
    stands = PriceAgreement.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=on),
        Q(valid_to=None) | Q(valid_to__gte=on),
        vendor__code=vendor,
        process__code=process or None,
        item__code=item or None,
        further_processes="",
        site=None,
    ).order_by("minimum_quantity", F("valid_from").desc(nulls_last=True), "pk")
    return stands.values(*TERMS).first() or {}


def _price_key(row: PriceRow) -> tuple[object, ...]:
    return row.site_id, row.currency_id, row.minimum_quantity, row.valid_from
