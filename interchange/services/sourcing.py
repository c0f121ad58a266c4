"""Who works outside, in: approvals, prices, policies."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.refusals import Refusal
from interchange.services.reading import Reading, Values, renamed
from masterdata.models import Currency, Item, ItemGroup, Process, Site, Vendor, WorkCenter
from policies.models import BAR, Policy
from policies.services import master as stored
from policies.services.units import priced_in


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
            values["price_unit"], _ = values["price_unit"]
        return renamed(values, minimum_qty="minimum_quantity")

    known = set(Process.objects.values_list("code", flat=True))
    for chunk in work.chunks():
        work.make_currencies(values.get("currency") for _, values in chunk)
        work.make_processes(values.get("operation_name") for _, values in chunk)
        for _, values in chunk:
            values["process"] = values.pop("operation_name", None) or values.get("process")
        chunk = [(row, values) for row, values in chunk if _list_processes(work, row, values, known)]
        rows = list(work.resolve_all(chunk, refs, ready))
        _count_units(work, rows)
        work.count(stored.upsert_price_agreements(rows=[values for _, values in rows]))


def _list_processes(work: Reading, row: int, values: Values, known: set[str]) -> bool:
    """Consecutive processes bought together: the first is the price's own, the others follow it. False: a bad row."""
    listed = [code for code in (values.pop("processes", None) or "").split(BAR) if code]
    if not listed:
        return True
    if values.get("process") not in (None, "", listed[0]):
        work.bad(
            row, "processes", listed[0], "invalid_value", f"The list begins with {listed[0]}, not {values['process']}."
        )
        return False
    unknown = next((code for code in listed if code not in known), None)
    if unknown is not None:
        work.bad(row, "processes", unknown, "unknown_code", f"There is no process {unknown}.")
        return False
    values["process"], values["further_processes"] = listed[0], BAR.join(listed[1:])
    return True


def _count_units(work: Reading, rows: Sequence[tuple[int, Values]]) -> None:
    """What each price is for one of; a factor that is given itself counts the item's own unit."""
    asked = []
    for row, values in rows:
        if values.get("price_factor"):
            values["per_unit_id"] = None
        elif values.get("price_unit"):
            asked.append((row, values))
        elif "price_unit" in values or "price_factor" in values:
            values["price_factor"], values["per_unit_id"] = Decimal(1), None
    answers = priced_in([(values.get("item_id"), values["price_unit"]) for _, values in asked])
    for (row, values), answer in zip(asked, answers, strict=True):
        if isinstance(answer, Refusal):
            work.bad(row, "price_unit", values["price_unit"], answer.code, answer.detail)
        else:
            values["price_factor"], values["per_unit_id"] = answer.factor, answer.unit_id


SPANS = ("valid_from", "valid_to", "season_from", "season_to", "quantity_from", "quantity_to")


def policies(work: Reading) -> None:
    refs = {"item": Item, "item_group": ItemGroup, "process": Process, "work_center": WorkCenter, "site": Site}

    def ready(row: int, values: Values) -> Values | None:
        both = before.get(values["code"], {}) | values  # what the row leaves out stays, and must fit what it says
        if work.ends_before(row, both, "valid_from", "valid_to"):
            return None
        if work.ends_before(row, both, "season_from", "season_to"):
            return None
        if work.ends_before(row, both, "quantity_from", "quantity_to", code="invalid_quantity"):
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
        known = Policy.objects.filter(code__in=[values["code"] for _, values in chunk])
        before = {code: dict(zip(SPANS, spans, strict=True)) for code, *spans in known.values_list("code", *SPANS)}
        rows = work.resolve_all(chunk, refs, ready)
        said = [values for _, values in rows]
        work.count(stored.upsert_policies(rows=said, by=work.by, at=work.at, through="import"))
