"""What stands with vendors as a plan is first loaded: their open orders in."""

from __future__ import annotations

from decimal import Decimal

from core.refusals import InvalidQuantity
from interchange.services.reading import Reading, SkipRow, Values
from masterdata.models import Currency, Item, Location, Process, Vendor
from production.models import ProductionOrder
from receipts import services as receipts

ZERO = Decimal(0)
MOST_LINES = 1000  # written at once, whole orders


def open_orders(work: Reading) -> None:
    """Open subcontract orders, a row a line. Rows of one order need not stand together."""
    refs = {
        "vendor": Vendor, "production_order": ProductionOrder, "item": Item, "process": Process, "location": Location,
        "currency": Currency,
    }  # fmt: skip
    by_order: dict[str, list[tuple[int, Values]]] = {}
    refused = len(work.errors)
    for chunk in work.chunks():
        work.make_currencies(values.get("currency") for _, values in chunk)
        for row, values in work.resolve_all(chunk, refs):
            by_order.setdefault(values["order"], []).append((row, values))
            work.vendors.add(values["vendor_id"])
    if len(work.errors) > refused:
        return  # an order half read would be another order
    batch: list[tuple[int, Values]] = []
    for rows in by_order.values():
        batch += rows
        if len(batch) >= MOST_LINES:
            _load(work, batch)
            batch = []
    _load(work, batch)


def _load(work: Reading, rows: list[tuple[int, Values]]) -> None:
    ready = []
    for row, values in rows:
        try:
            ready.append((row, values, _line(work, row, values)))
        except SkipRow:
            continue
    if len(ready) < len(rows):
        return
    try:
        work.count(receipts.load_open_orders(lines=[line for *_, line in ready], at=work.at, by=work.by))
    except receipts.OpenOrdersRefused as refused:
        for bad in refused.lines:
            row, values, _ = ready[bad.index]
            column = bad.field or ""
            work.bad(row, column, values.get(column, ""), bad.code, bad.detail)


def _line(work: Reading, row: int, values: Values) -> receipts.OpenLine:
    bad = values.get("rejected", ZERO) + values.get("scrapped", ZERO)
    received, accepted = values.get("received"), values.get("accepted")
    if received is not None and accepted is not None and received != accepted + bad:
        reason = InvalidQuantity(
            f"{accepted} accepted and {bad} bad are not the {received} received.", field="received"
        )
        work.bad(row, "received", received, reason.code, reason.detail)
        raise SkipRow
    if received is None:
        received = accepted + bad if accepted is not None else bad
    unit, _ = values.get("price_unit") or ("", Decimal(1))
    return receipts.OpenLine(
        order=values["order"],
        line_no=values.get("line"),
        vendor_id=values["vendor_id"],
        production_order_id=values.get("production_order_id"),
        operation_no=values.get("operation", ""),
        item_id=values.get("item_id"),
        process_id=values.get("process_id"),
        location_id=values.get("location_id"),
        quantity=values["quantity"],
        currency_id=values.get("currency_id"),
        unit_price=values.get("unit_price"),
        price_unit=unit,
        price_factor=values.get("price_factor"),
        lot_charge=values.get("lot_charge"),
        minimum_charge=values.get("minimum_charge"),
        freight=values.get("freight"),
        lead_days=values.get("lead_days"),
        ordered_on=values.get("ordered_on"),
        need_date=values.get("need_date"),
        promised_date=values.get("promised_date"),
        is_acknowledged=values.get("status") == "acknowledged",
        sent=values.get("sent"),
        received=received,
        rejected=values.get("rejected", ZERO),
        scrapped=values.get("scrapped", ZERO),
        invoiced=values.get("invoiced", ZERO),
        policy=values.get("policy", ""),
        last_operation_no=values.get("last_operation", ""),
        is_whole=values.get("bought_complete") or False,
        source=values.get("source", ""),
        external_refs=tuple(values.get("external_refs", ())),
    )
