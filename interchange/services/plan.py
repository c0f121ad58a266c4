"""Stock and the plan itself in."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from interchange.rules.values import decimals_of
from interchange.services.files import FileRefused
from interchange.services.reading import CHUNK, Reading, Values
from inventory import services as inventory
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind, Process, Unit, WorkCenter
from production import services as production
from production.models import OrderStatus, ProductionOrder
from receipts import services as receipts
from subcontract_orders import services as subcontract_orders


def stock(work: Reading) -> None:
    """Several rows of one item, lot and place add up, as in lists that count bin by bin.

    Rows with a production order are its pieces between two operations; they wait until the operations are read.
    """
    places: dict[tuple[Any, ...], tuple[int, Values]] = {}
    for chunk in work.chunks():
        _widen_units(work, chunk)
        for row, values in work.resolve_all(chunk, {"item": Item, "location": Location}):
            if values.get("production_order") or values.get("operation"):
                work.begun.append((row, values))
                work.begun_file = work.file
                continue
            place = (values["item_id"], values.get("location_id"), values.get("lot", ""), values.get("as_of"))
            first, known = places.setdefault(place, (row, values))
            if first != row:
                known["quantity"] += values["quantity"]
                if values.get("external_refs"):
                    known["external_refs"] = [*known.get("external_refs", ()), *values["external_refs"]]
    rows = list(places.values())
    _warn_of_transit(work, rows)
    for start in range(0, len(rows), CHUNK):
        _load_stock(work, rows[start : start + CHUNK])


def _warn_of_transit(work: Reading, rows: Sequence[tuple[int, Values]]) -> None:
    """No shipment of ours carries what other systems have on its way, so it would never arrive."""
    on_the_way = set(Location.objects.filter(kind=LocationKind.TRANSIT).values_list("pk", flat=True))
    found = [row for row, values in rows if values.get("location_id") in on_the_way and values["quantity"]]
    if found:
        work.report.warnings.append(
            f"{work.file}: {len(found)} rows, the first is row {found[0]}, lie at a place in transit, from where no shipment "
            "brings them on. Load what is nearly there as lying at the vendor; or load it at our place, say under sent only "
            "what has arrived, and dispatch as much of the shipment that is planned for the rest."
        )


def _load_stock(work: Reading, rows: Sequence[tuple[int, Values]]) -> None:
    main = 0
    if any(not values.get("location_id") for _, values in rows):
        main = masterdata.main_location(site=masterdata.default_site()).pk
    counts = [
        inventory.CountedStock(
            item_id=values["item_id"],
            location_id=values.get("location_id") or main,
            quantity=values["quantity"],
            lot=values.get("lot", ""),
            expires_on=values.get("expires"),
            unit_cost=values.get("cost"),
            as_of=values.get("as_of"),
            source=values.get("source"),
            external_refs=values.get("external_refs"),
        )
        for _, values in rows
    ]
    try:
        work.count(receipts.load_stock(counts=counts, at=work.at, by=work.by))
    except inventory.CountsRefused as refused:
        for bad in refused.counts:
            row, values = rows[bad.index]
            column = bad.field or ""
            work.bad(row, column, values.get(column, ""), bad.code, bad.detail)


def _widen_units(work: Reading, chunk: list[tuple[int, Values]]) -> None:
    """A unit this import made because it is only used, not defined, gets the decimals its stock has."""
    needed = {
        values["item"]: places for _, values in chunk if (places := decimals_of(values["quantity"])) and work.made_units
    }
    if not needed:
        return
    units = Unit.objects.filter(code__in=work.made_units)
    wanted: Counter[str] = Counter()
    for item, used in Item.objects.filter(code__in=needed, unit__in=units).values_list("code", "unit__code"):
        wanted[used] = max(wanted[used], needed[item])
    for unit in units.filter(code__in=wanted):
        if unit.decimals < wanted[unit.code]:
            masterdata.upsert_master(model=Unit, rows=[{"code": unit.code, "decimals": wanted[unit.code]}])
            work.report.notes.append(
                f"Unit {unit.code} is not defined and its stock has {wanted[unit.code]} decimals: so has the unit."
            )


def production_orders(work: Reading) -> None:
    kept = renumbered = 0
    replaced: dict[str, tuple[int, str]] = {}
    own, own_rows = array("q"), array("q")  # numbers that stand here themselves, by their hashes, and where
    for chunk in work.chunks(ProductionOrder):
        for row, values in chunk:
            if values.get("parent_order"):
                work.made_for[values["number"]] = (row, values["parent_order"])
            if values.get("replaces"):
                replaced[values["replaces"]] = (row, values["number"])
            if values.get("status") not in (OrderStatus.CANCELLED, OrderStatus.DONE):
                own.append(hash(values["number"]))
                own_rows.append(row)
        work.sources.update(values["source"] for _, values in chunk if values.get("source"))
        rows = list(work.resolve_all(chunk, {"item": Item, "location": Location}))
        orders = [
            production.PlannedOrder(
                number=values["number"],
                item_id=values["item_id"],
                quantity=values["quantity"],
                due_date=values["due"],
                start_date=values.get("start"),
                status=values.get("status"),
                site_id=work.site_of(values["location_id"]) if values.get("location_id") else None,
                location_id=values.get("location_id"),
                routing_variant=values.get("routing_variant"),
                parent_number=values.get("parent_order"),
                replaces=values.get("replaces"),
                source=values.get("source"),
                external_refs=values.get("external_refs"),
            )
            for _, values in rows
        ]
        try:
            done = production.upsert_production_orders(orders=orders, at=work.at, by=work.by, more_follow=True)
        except production.OrdersRefused as refused:
            said = dict(chunk)  # as the file has them: what was refused is shown by its code
            _refused_orders(work, refused, [row for row, _ in rows], [said[row] for row, _ in rows])
        else:
            work.count(done)
            work.count(done.operations, "operations")
            work.report.name("production_orders", "replaced", (f"{one} → {heir}" for one, heir in done.replaced))
            work.learn(ProductionOrder, done.ids)
            work.present.extend(done.ids.values())
            kept += done.kept
            renumbered += done.renumbered
    _check_parents(work)
    hashes = {hash(number): number for number in replaced}
    for place in [place for place, one in enumerate(own) if one in hashes] if hashes else ():
        number = hashes[own[place]]
        row, heir = replaced[number]
        text = f"{number} stands in row {own_rows[place]} itself and is replaced by nothing."
        if heir != number and not any(bad.row == row and bad.column == "replaces" for bad in work.errors):
            work.bad(row, "replaces", number, "duplicate_number", text)
    if renumbered:
        work.report.notes.append(f"{work.file}: {renumbered} planned orders go on under new numbers.")
    if kept:
        work.report.notes.append(f"{work.file}: {kept} orders are further on than the plan says, their status stays.")


def _check_parents(work: Reading) -> None:
    """Orders made for one that neither this plan holds, anywhere, nor is known, or for one another, are noted as bad."""
    if ProductionOrder in work.half_read:
        return
    here = work.ids[ProductionOrder].keys() | work.unread[ProductionOrder]
    unknown = production.unknown_parents({parent for _, parent in work.made_for.values()} - here)
    for row, parent in work.made_for.values():
        if parent in unknown:
            work.bad(row, "parent_order", parent, "not_found", f"There is no production order {parent}.")
    for circle in production.parent_circles(work.made_for):
        row, parent = work.made_for[circle.number]
        work.bad(row, "parent_order", parent, circle.code, circle.detail)


def operations(work: Reading) -> None:
    refs = {"order": ProductionOrder, "process": Process, "work_center": WorkCenter}
    for chunk in work.chunks():
        work.make_processes(values.get("name") for _, values in chunk if not values.get("process"))
        named = [
            (
                row,
                {**values, "process": values.get("process") or values.get("name"), "order_number": values["order"]},
            )
            for row, values in chunk
        ]
        by_order: dict[str, list[production.PlannedOperation]] = defaultdict(list)
        first: dict[str, tuple[int, Values]] = {}
        rows: dict[tuple[str, str], int] = {}
        for row, values in work.resolve_all(named, refs):
            first.setdefault(values["order_number"], (row, values))
            rows[values["order_number"], values["number"]] = row
            by_order[values["order_number"]].append(_operation(values))
        try:
            done = production.upsert_operations(
                operations=by_order,
                at=work.at,
                by=work.by,
                together=subcontract_orders.came_together(numbers=by_order),
            )
        except production.OrdersRefused as refused:
            numbers = sorted(by_order, key=lambda number: work.ids[ProductionOrder][number])
            said = dict(chunk)
            found = {bad.index: rows.get((numbers[bad.index], bad.operation_no)) for bad in refused.orders}
            places = [found.get(index) or first[number][0] for index, number in enumerate(numbers)]
            _refused_orders(work, refused, places, [said[row] for row in places])
        else:
            work.count(done.operations)


def _refused_orders(
    work: Reading, refused: production.OrdersRefused, rows: Sequence[int], values: Sequence[Values]
) -> None:
    # None of them was written, so nobody is told that the others are missing.
    work.unread[ProductionOrder].update(
        str(one.get("number", "")) for one in values if work.table == "production_orders"
    )
    for bad in refused.orders:
        column = bad.field or ""
        work.bad(rows[bad.index], column, values[bad.index].get(column, ""), bad.code, bad.detail)


def count_only(work: Reading) -> None:
    rows = work.tables[work.table]
    number = 0
    try:
        for _ in rows:
            number += 1
    except FileRefused as refusal:
        work.bad(refusal.row, "", refusal.value, refusal.code, refusal.detail)
    work.report.notes.append(f"{work.file}: {number} rows read and not used.")
    work.report.counts[work.table] = {"created": 0, "changed": 0, "unchanged": number}


def _operation(values: Values) -> production.PlannedOperation:
    next_nos = values.get("next_operation_no")
    return production.PlannedOperation(
        number=values["number"],
        sequence=values.get("sequence"),
        name=values.get("name"),
        process_id=values.get("process_id"),
        work_center_id=values.get("work_center_id"),
        setup_minutes=values.get("setup_minutes"),
        run_minutes=values.get("run_minutes_per_unit"),
        outsourced=values.get("outsourced"),
        next_nos=tuple(next_nos) if next_nos is not None else None,
        good=values.get("good"),
        scrap=values.get("scrap"),
        status=values.get("status"),
        start=values.get("start"),
        end=values.get("end"),
        source=values.get("source"),
        external_refs=values.get("external_refs"),
    )
