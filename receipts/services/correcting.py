"""What turns out to be otherwise after a receipt was posted: material used, pieces counted. Only the difference is posted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound
from core.retries import retried
from inventory.models import Balance, Lot
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import LocationKind
from policies.models import Rejects
from production.models import Supply
from production.rules.components import rounded_up
from production.services.reporting import Report
from receipts import rules
from receipts.models import Consumption, Finding, Receipt, ReceiptLot, ReturnLine
from receipts.services import beside
from receipts.services.discrepancies import book_settled
from receipts.services.falling_short import watch_short_receipts
from receipts.services.finishing import report_lines
from receipts.services.inspecting import Case, lot_of, take_from_lots
from receipts.services.lying import on_its_way_to
from receipts.services.notes import KIND, CountedLine, LotRequired, OverReceipt, VendorShort, check_count
from receipts.services.pieces import inspection_place
from receipts.services.progress import save_progress, settle_status, work_owed
from receipts.services.using import use_material
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent
from subcontract_orders.services import flows as material

ZERO = Decimal(0)
Part = tuple[OrderComponent, int | None, Decimal]  # component, lot, quantity
Used = tuple[OrderComponent, int | None, Decimal, Decimal]  # component, lot, quantity, value


@retried
@transaction.atomic
def adjust_consumption(
    *,
    receipt_id: int,
    line_no: int,
    item_id: int,
    quantity: Decimal,
    lot: str = "",
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Receipt:
    """Say that so much more of a component (less, where below zero) was used for a receipt line than was booked.

    More comes from what the line has at the vendor, then from free stock there, of `lot` where named; less is given back
    there at the value it was used at. The difference of value follows the pieces: those still here, the bad ones, the rest as
    a difference of price. Of a by-product it is said that so much more, or less, of it came. Raises NotFound, WrongState,
    Stale, InvalidQuantity, TooPrecise, VendorShort, LotRequired, SerialRequired, NotEnoughStock.
    """
    case = Case(receipt_id, line_no, expected_version=expected_version, by=by, at=at)
    rows = (
        OrderComponent.objects.filter(line=case.line, item=item_id, stage="")
        .exclude(supply__in=[Supply.VENDOR, Supply.RETURNABLE])
        .select_related("item__unit")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    components = [row for row in rows if row.supply != Supply.BY_PRODUCT]
    gives = [row for row in rows if row.supply == Supply.BY_PRODUCT]
    if not components and not gives:
        raise NotFound(f"Line {line_no} of {case.receipt} uses no such component.", field="item")
    item = [*components, *gives][0].item
    if not quantity:
        raise InvalidQuantity("Say how much more, or less, it was.", field="quantity")
    masterdata.check_exact(item, quantity, field="quantity")
    if not components:
        _came(case, gives[0], quantity, lot)
        data = {"item": item.code, "quantity": f"{quantity}", "lot": lot, "reason": reason}
        return _finish(case, "receipt.by_product_adjusted", data, through=through)
    lot_id = None
    if lot:
        lot_id = Lot.objects.filter(item=item_id, code=lot).values_list("pk", flat=True).first()
        if lot_id is None:
            raise NotFound(f"There is no lot {lot} of {item}.", field="lot")
    if quantity > 0:
        value = _take(case, components, quantity, lot_id)
    else:
        value = -_give_back(case, _used(case, components, lot_id), -quantity, item=str(item))
    spread_value(case, value)
    case.row.components_value += value
    book_settled(subject=f"{case.receipt}/{line_no}", item=item.code, quantity=quantity, at=at)
    data = {"item": item.code, "quantity": f"{quantity}", "lot": lot, "reason": reason}
    return _finish(case, "receipt.consumption_adjusted", data, through=through)


@retried
@transaction.atomic
def correct_receipt(
    *,
    receipt_id: int,
    line_no: int,
    accepted: Decimal,
    rejected: Decimal = ZERO,
    scrapped: Decimal = ZERO,
    lot: str = "",
    reason: str,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Receipt:
    """Set what was counted on a receipt line to what it should have been; also on a closed order.

    The difference is posted: material used or given back, work owed, pieces that still lie where they came in. Raises NotFound,
    WrongState, Stale, InvalidQuantity, TooPrecise, InvalidInput, OverReceipt, VendorShort, LotRequired, NotEnoughStock (more
    have moved on than stay).
    """
    if not reason.strip():
        raise InvalidInput("Say why it is corrected.", field="reason")
    case = Case(receipt_id, line_no, expected_version=expected_version, by=by, at=at)
    row, line = case.row, case.line
    _check(case, accepted=accepted, rejected=rejected, scrapped=scrapped)
    more_good = accepted - row.accepted
    more_bad = rejected + scrapped - row.rejected - row.scrapped
    more = more_good + more_bad
    made = row.counted + row.sent_back - row.reworked
    if -more > made:
        raise InvalidQuantity(
            f"{row.reworked.normalize():f} of these pieces came back mended; reverse the receipt instead.",
            field="accepted",
        )
    spent = own = ZERO
    gives: list[OrderComponent] = []
    if more > 0:
        used = use_material(
            CountedLine(line.pk, accepted=more), line, case.order, made_before=line.received + line.in_rework,
            made_now=more, at=case.at,
        )  # fmt: skip
        gives = used.gives
        spent, own = _consume(case, [(one, lot_id or None, part) for one, lot_id, part in used.moves], used.carried_in)
    elif more < 0:
        gives = list(
            OrderComponent.objects.filter(line=line, supply=Supply.BY_PRODUCT)
            .select_related("item__unit")
            .order_by("pk")
        )
        for parts in _by_component(case).values():
            total = sum((part for _, _, part, _ in parts), ZERO)
            decimals = parts[0][0].item.decimals
            back = total - rounded_up(total * (made + more) / made, decimals=decimals)
            if back > 0:
                value = _give_back(case, parts, back, item=str(parts[0][0].item))
                spent -= value
                own -= ZERO if parts[0][0].stage else value
    work = work_owed(line, made=line.received + line.in_rework + more) if more else ZERO
    total = row.good_value + row.expensed_value + spent + work
    total -= _correct_beside(case, gives, more=more, made=made, lot=lot, most=total)
    worth = rules.output_value(
        accepted=accepted, bad=rejected + scrapped, components=total, work=ZERO, absorbs=line.rejects == Rejects.ABSORB
    )
    _move_good(case, more_good, worth.good - row.good_value, lot=lot)
    _move_bad(case, more_bad, worth.bad - row.expensed_value)
    row.components_value += own
    row.work_value += work
    row.good_value, row.expensed_value = worth.good, worth.bad
    line.accepted += more_good
    line.rejected += rejected - row.rejected
    line.scrapped += scrapped - row.scrapped
    row.accepted, row.rejected, row.scrapped = accepted, rejected, scrapped
    row.disposed = min(row.disposed, rejected)
    settle_status(line)
    save_progress([line], case.orders)
    if line.operation_id is not None:
        report_lines({line.operation_id: [Report(more_good, more_bad)]}, at=at, reason=f"{case.receipt} corrected")
    watch_short_receipts([line], at=at)
    data = {"accepted": f"{accepted}", "rejected": f"{rejected}", "scrapped": f"{scrapped}", "reason": reason}
    Finding.objects.create(line=row, reason=f"corrected: {reason}"[:300], at=at, by=by)
    return _finish(case, "receipt.corrected", data, through=through)


def _came(case: Case, component: OrderComponent, quantity: Decimal, lot: str) -> None:
    """So much more (less, where below zero) of a by-product came than was booked; the pieces cost the difference less."""
    row = case.row
    if quantity > 0:
        only = set(row.lots.values_list("lot__code", flat=True))
        code = lot or (only.pop() if len(only) == 1 else "")
        part = (component, beside.lot_of_by_product(component, quantity, code), quantity)
        found = beside.valued([part], site_id=case.order.site_id, most=row.good_value + row.expensed_value)
    else:
        found = beside.taken_back(row, [(component, -quantity)])
    spread_value(case, -_book_beside(case, found))


def _correct_beside(
    case: Case, gives: Sequence[OrderComponent], *, more: Decimal, made: Decimal, lot: str, most: Decimal
) -> Decimal:
    """By-products of more, or of fewer, pieces. Returns the difference of their value."""
    line, row = case.line, case.row
    if not gives or not more:
        return ZERO
    if more > 0:
        only = set(row.lots.values_list("lot__code", flat=True))
        counted = CountedLine(line.pk, accepted=more, lot=lot or (only.pop() if len(only) == 1 else ""))
        found = beside.came_beside(
            gives, counted, made_before=line.received + line.in_rework, made_now=more, site_id=case.order.site_id, most=most
        )  # fmt: skip
    else:
        booked = beside.booked_by_component(row)
        back = []
        for one in gives:
            came = booked.get(one.pk, ZERO)
            back.append((one, came - rounded_up(came * (made + more) / made, decimals=one.item.decimals)))
        found = beside.taken_back(row, back)
    return _book_beside(case, found)


def _book_beside(case: Case, found: Sequence[beside.Beside]) -> Decimal:
    made_at = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    case.post(beside.by_product_moves(case.row, found, made_at=made_at))
    beside.book_beside(case.row, found, is_adjustment=True)
    value = sum((one.value for one in found), ZERO)
    case.row.by_products_value += value
    return value


def _finish(case: Case, event: str, data: dict[str, str], *, through: str) -> Receipt:
    case.row.save()
    case.receipt.version += 1
    case.receipt.save(update_fields=["version"])
    activity.record(
        event, kind=KIND, number=case.receipt.number, at=case.at, by=case.by, through=through,
        site_id=case.receipt.site_id, vendor_id=case.receipt.vendor_id, data={"line": case.row.line_no, **data},
    )  # fmt: skip
    return case.receipt


def _check(case: Case, *, accepted: Decimal, rejected: Decimal, scrapped: Decimal) -> None:
    row, line = case.row, case.line
    for field, quantity in (("accepted", accepted), ("rejected", rejected), ("scrapped", scrapped)):
        check_count(row.item, quantity, field=field)
    if (accepted, rejected, scrapped) == (row.accepted, row.rejected, row.scrapped):
        raise InvalidQuantity("That is what was counted.", code="nothing_to_do", field="accepted")
    gone = ReturnLine.objects.gone().filter(receipt_line=row).aggregate(total=Sum("quantity"))["total"] or ZERO
    if accepted < min(gone, row.accepted):
        raise InvalidQuantity(
            f"{gone.normalize():f} of these pieces went back to the vendor; no fewer can have been accepted.",
            field="accepted",
        )
    limit = rules.at_most(ordered=line.quantity_in_force, over_pct=line.over_receipt_pct)
    others = line.received - row.counted
    if accepted + rejected + scrapped > row.counted and others + accepted + rejected + scrapped > limit:
        raise OverReceipt(
            f"Line {line.line_no} of {case.order} takes {max(limit - others, ZERO).normalize():f} on this receipt.",
            field="accepted",
        )


def _used(case: Case, components: Sequence[OrderComponent], lot_id: int | None) -> list[Used]:
    """What the line has used of components, net, by lot, the last first: component, lot, quantity, value."""
    mine = {component.pk: component for component in components}
    rows = Consumption.objects.filter(line=case.row, component__in=mine)
    if lot_id is not None:
        rows = rows.filter(lot=lot_id)
    sums = rows.values_list("component", "lot").annotate(Sum("quantity"), Sum("value")).order_by("-component", "-lot")
    return [(mine[pk], lot, quantity, value) for pk, lot, quantity, value in sums if quantity > 0]


def _by_component(case: Case) -> dict[int, list[Used]]:
    components = OrderComponent.objects.filter(line=case.line).select_related("item__unit")
    found: dict[int, list[Used]] = defaultdict(list)
    for part in _used(case, list(components.select_for_update(of=("self",)).order_by("pk")), None):
        found[part[0].pk].append(part)
    return found


def _take(case: Case, components: Sequence[OrderComponent], quantity: Decimal, lot_id: int | None) -> Decimal:
    """Use more of a component: of the line's own material, then of free stock. Returns its value."""
    line = case.line
    keys = [component.pk for component in components]
    material.give_promised(keys, at=case.at)
    own = material.own_lots(keys)
    away = on_its_way_to(line.ship_to_id)
    parts: list[Part] = []
    rest = quantity
    for component in components:
        for lot, there in own.get(component.pk, {}).items():
            there -= away.get(component.pk, {}).get(lot, ZERO)
            taken = min(there, rest) if lot_id in (None, lot or None) else ZERO
            if taken > 0:
                parts.append((component, lot or None, taken))
                rest -= taken
    carried: list[tuple[OrderComponent, int, Decimal]] = []
    free = material.free_stock(location_id=line.ship_to_id, item_ids={components[0].item_id}, away=away)
    for (_, lot, stage), there in free.items():
        taken = min(there, rest) if not stage and lot_id in (None, lot or None) else ZERO
        if taken > 0:
            parts.append((components[-1], lot or None, taken))
            carried.append((components[-1], lot, taken))
            rest -= taken
    if rest:
        raise VendorShort(
            f"{quantity.normalize():f} more of {components[0].item} are said to be used, {(quantity - rest).normalize():f} "
            f"lie at the vendor for {case.order} line {line.line_no}.",
            field="quantity",
        )
    return _consume(case, parts, carried, is_adjustment=True)[0]


def _consume(
    case: Case,
    parts: Sequence[Part],
    carried: Sequence[tuple[OrderComponent, int, Decimal]],
    *,
    is_adjustment: bool = False,
) -> tuple[Decimal, Decimal]:
    """Use parts up. Returns their value, and that of material without the order's own pieces."""
    used = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    row, number = case.row, case.receipt.number
    moves = [
        Move(one.item_id, case.line.ship_to_id, used, part, lot_id, one.stage, line=row.line_no)
        for one, lot_id, part in parts
    ]
    posted = case.post(moves)
    rows = [
        Consumption(line=row, component=one, item_id=one.item_id, lot_id=lot_id, quantity=part, value=movement.value,
                    is_adjustment=is_adjustment)
        for (one, lot_id, part), movement in zip(parts, posted, strict=True)
    ]  # fmt: skip
    Consumption.objects.bulk_create(rows)
    flows = [
        ComponentFlow(component=one, lot_id=lot_id or None, kind=kind, quantity=part, document_kind=KIND,
                      document_number=number, document_line=row.line_no)
        for kind, some in ((FlowKind.CARRIED_IN, carried), (FlowKind.CONSUMED, parts))
        for one, lot_id, part in some
    ]  # fmt: skip
    material.record_flows(flows, at=case.at)
    own = sum((one.value for one in rows if not one.component.stage), ZERO)
    return sum((one.value for one in rows), ZERO), own


def _give_back(
    case: Case,
    used: Sequence[Used],
    quantity: Decimal,
    *,
    item: str,
) -> Decimal:
    """Put material back at the vendor that was not used after all, at the value it was used at. Returns the value."""
    possible = sum((part for _, _, part, _ in used), ZERO)
    if quantity > possible:
        raise InvalidQuantity(
            f"{quantity.normalize():f} of {item} less are said to be used, {possible.normalize():f} were.",
            field="quantity",
        )
    row, source = case.row, masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    moves, rows, flows = [], [], []
    for one, lot_id, part, worth in used:
        back = min(part, quantity)
        if back <= 0:
            break
        quantity -= back
        value = worth if back == part else (worth * back / part).quantize(rules.FIVE, ROUND_HALF_UP)
        moves.append(
            Move(one.item_id, source, case.line.ship_to_id, back, lot_id, one.stage, value=value, line=row.line_no)
        )
        rows.append(
            Consumption(line=row, component=one, item_id=one.item_id, lot_id=lot_id, quantity=-back, value=-value,
                        is_adjustment=True)
        )  # fmt: skip
        flows.append(
            ComponentFlow(component=one, lot_id=lot_id, kind=FlowKind.CONSUMED, quantity=-back, document_kind=KIND,
                          document_number=case.receipt.number, document_line=row.line_no)
        )  # fmt: skip
    case.post(moves)
    Consumption.objects.bulk_create(rows)
    material.record_flows(flows, at=case.at)
    return -sum((one.value for one in rows), ZERO)


def spread_value(case: Case, value: Decimal) -> None:
    """A difference of value follows the line's pieces: the bad ones are expensed, good ones still here are worth more."""
    row = case.row
    bad = row.rejected + row.scrapped
    if case.line.rejects == Rejects.ABSORB and row.accepted:
        bad = ZERO
    good = row.accepted + row.sent_back
    of_bad = (value * bad / (good + bad)).quantize(rules.FIVE, ROUND_HALF_UP) if bad else ZERO
    row.expensed_value += of_bad
    row.good_value += value - of_bad
    if of_bad:
        _value_only(case, masterdata.virtual_location(kind=LocationKind.SCRAP).pk, None, of_bad)
    _revalue(case, value - of_bad, pieces=good)


def _revalue(case: Case, value: Decimal, *, pieces: Decimal) -> None:
    """Pieces still here take their share of a value; the rest is a difference of price."""
    rest = value
    if pieces and value:
        for place_id, lot_id, here in _still_here(case):
            share = (value * here / pieces).quantize(rules.FIVE, ROUND_HALF_UP)
            _value_only(case, place_id, lot_id, share)
            rest -= share
    if rest:
        _value_only(case, masterdata.virtual_location(kind=LocationKind.DIFFERENCE).pk, None, rest)


def _value_only(case: Case, place_id: int, lot_id: int | None, value: Decimal) -> None:
    made = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    source, target = (made, place_id) if value > 0 else (place_id, made)
    if value:
        case.post([case.move(source, target, ZERO, lot_id, value=abs(value))])


def _still_here(case: Case) -> Iterator[tuple[int, int | None, Decimal]]:
    """Where how many of the line's good pieces can still lie: in inspection, and where they came in."""
    row = case.row
    lots: list[tuple[int | None, Decimal]] = list(row.lots.order_by("pk").values_list("lot", "quantity"))
    for lot_id, came in lots or [(None, row.accepted)]:
        for place_id in dict.fromkeys((inspection_place(case.order).pk, row.location_id)):
            there = Balance.objects.filter(
                item=row.item_id, location=place_id, lot=lot_id, stage=row.stage, quantity__gt=0
            ).first()
            here = min(there.quantity, came) if there else ZERO
            if here > 0:
                yield place_id, lot_id, here
                came -= here


def _move_good(case: Case, pieces: Decimal, value: Decimal, *, lot: str) -> None:
    """Put more good pieces where the line's lie, or take some away, together with a difference of value."""
    row = case.row
    made = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    if not pieces:
        _revalue(case, value, pieces=row.accepted + row.sent_back)
        return
    held = bool(row.held_for)
    lot_id = _lot_for(case, pieces, lot)
    if pieces > 0:
        place = inspection_place(case.order).pk if held else row.location_id
        case.post([case.move(made, place, pieces, lot_id, value=max(value, ZERO))])
        if held:
            row.held += pieces
            row.to_inspect += ZERO if row.is_sample or "inspection" not in row.held_for else pieces
    else:
        from_held = min(row.held, -pieces)
        rest = max(-value, ZERO)
        moves = []
        for place, part in ((inspection_place(case.order).pk, from_held), (row.location_id, -pieces - from_held)):
            if part:
                worth = (
                    (max(-value, ZERO) * part / -pieces).quantize(rules.FIVE, ROUND_HALF_UP)
                    if part != -pieces
                    else rest
                )
                worth = min(worth, rest)
                moves.append(case.move(place, made, part, lot_id, value=worth))
                rest -= worth
        case.post(moves)
        row.held -= from_held
        row.to_inspect = min(row.to_inspect, row.held)
    # Where fewer pieces are worth more, or more are worth less, the rest of the value follows those that are here.
    left = value - max(value, ZERO) if pieces > 0 else max(value, ZERO)
    if left:
        _revalue(case, left, pieces=row.accepted + row.sent_back)


def _lot_for(case: Case, pieces: Decimal, named: str) -> int | None:
    row, item = case.row, case.line.item
    if row.stage or not (item.lot_tracked or item.serial_tracked):
        return None
    if pieces < 0:
        lot = lot_of(row, -pieces, named)
        if lot is not None:
            take_from_lots(row, lot.pk, -pieces)
        return lot.pk if lot else None
    if item.serial_tracked and pieces != 1:
        raise LotRequired("Add pieces with serial numbers one by one.", field="lot")
    only = list(row.lots.values_list("lot__code", flat=True))
    code = named or (only[0] if len(only) == 1 and not item.serial_tracked else "")
    if not code:
        raise LotRequired(f"{item} is tracked: name the lot, or serial number, of the pieces.", field="lot")
    found, _ = Lot.objects.get_or_create(item=item, code=code)
    known, made = ReceiptLot.objects.get_or_create(line=row, lot=found, defaults={"quantity": pieces})
    if not made:
        if item.serial_tracked:
            raise LotRequired(f"Serial number {code} came on this line already.", field="lot")
        ReceiptLot.objects.filter(pk=known.pk).update(quantity=known.quantity + pieces)
    return int(found.pk)


def _move_bad(case: Case, pieces: Decimal, value: Decimal) -> None:
    made = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    bin_ = masterdata.virtual_location(kind=LocationKind.SCRAP).pk
    if pieces > 0:
        case.post([case.move(made, bin_, pieces, None, value=max(value, ZERO))])
        value = min(value, ZERO)
    elif pieces < 0:
        case.post([case.move(bin_, made, -pieces, None, value=max(-value, ZERO))])
        value = max(value, ZERO)
    if value:
        _value_only(case, bin_, None, value)
