"""Who works outside, in: approvals, prices, policies."""

from __future__ import annotations

from decimal import Decimal

from interchange.services.reading import Reading, Values, renamed
from masterdata.models import Currency, Item, ItemGroup, Process, Site, Vendor, WorkCenter
from policies.services import master as stored


def vendor_approvals(work: Reading) -> None:
    for chunk in work.chunks():
        rows = work.resolve_all(chunk, {"vendor": Vendor, "process": Process})
        work.count(stored.upsert_approvals(rows=[values for _, values in rows]))


def prices(work: Reading) -> None:
    """Prices name the work by the operation's name, or by the process."""
    refs = {"vendor": Vendor, "item": Item, "process": Process, "site": Site, "currency": Currency}

    def ready(row: int, values: Values) -> Values | None:
        if not values.get("item_id") and not values.get("process_id"):
            work.bad(row, "item", "", "missing_value", "A price is for an item, an operation, or both.")
            return None
        if work.ends_before(row, values, "valid_from", "valid_to"):
            return None
        work.vendors.add(values["vendor_id"])
        if "price_unit" in values:
            values["price_unit"], factor = values["price_unit"]
            values["price_factor"] = values.get("price_factor") or factor
        elif "price_factor" in values:
            values["price_factor"] = values["price_factor"] or Decimal(1)
        return renamed(values, minimum_qty="minimum_quantity")

    for chunk in work.chunks():
        work.make_currencies(values.get("currency") for _, values in chunk)
        work.make_processes(values.get("operation_name") for _, values in chunk)
        for _, values in chunk:
            values["process"] = values.pop("operation_name", None) or values.get("process")
        rows = work.resolve_all(chunk, refs, ready)
        work.count(stored.upsert_price_agreements(rows=[values for _, values in rows]))


def policies(work: Reading) -> None:
    refs = {"item": Item, "item_group": ItemGroup, "process": Process, "work_center": WorkCenter, "site": Site}

    def ready(row: int, values: Values) -> Values | None:
        if work.ends_before(row, values, "valid_from", "valid_to"):
            return None
        if work.ends_before(row, values, "season_from", "season_to"):
            return None
        ranked = []
        for vendor in values.get("vendors", ()):
            vendor_id = work.id_of(Vendor, vendor["vendor"], row, "vendors")
            ranked.append(
                {**{name: value for name, value in vendor.items() if name != "vendor"}, "vendor_id": vendor_id}
            )
            work.vendors.add(vendor_id)  # type: ignore[arg-type]
        if "vendors" in values:
            values["vendors"] = ranked
        if "inspection" in values:
            values["inspection"], values["sample_pct"] = values["inspection"]
        values.setdefault("status", "active")
        return values

    for chunk in work.chunks():
        work.know(Vendor, (vendor["vendor"] for _, values in chunk for vendor in values.get("vendors", ())))
        rows = work.resolve_all(chunk, refs, ready)
        work.count(stored.upsert_policies(rows=[values for _, values in rows]))
