"""Counting a vendor's note in, and taking it back: stock, consumption, value, progress and the plan's own reports."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, TooPrecise, WrongState
from inventory import services as ledger
from inventory.models import Balance, Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from policies.models import Consumption as ConsumptionMode
from policies.models import Inspection, Rejects, Shortage
from production.models import Operation, ProductionOrder, QuantityBasis, Supply
from production.rules.components import rounded_up
from production.services.reporting import Report, report_outside
from receipts import rules
from receipts.models import Consumption, ExpectedReceipt, Receipt, ReceiptLine, ReceiptLot, ReceiptStatus
from subcontract_orders.models import (
    WITH_VENDOR,
    ComponentFlow,
    FlowKind,
    LineStatus,
    OrderComponent,
    OrderLine,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services import flows as material
from subcontract_orders.services import recount_orders

KIND = "receipt"
ZERO = Decimal(0)


class OrderNotSent(WrongState):
    """Nothing is received on an order that is not with the vendor."""


class OrderClosed(Refusal):
    """The order, or the line, expects no more."""

    code = "closed"


class OverReceipt(Refusal):
    """More came than was ordered and the tolerance allows."""

    code = "over_receipt"


class VendorShort(Refusal):
    """Less material lies at the vendor than these pieces use."""

    code = "vendor_short"


class DuplicateNote(Refusal):
    """The vendor's note was counted already, with other content; or a serial number is known already."""

    code = "duplicate_number"


class LotRequired(Refusal):
    """The item is tracked by lot and none is named."""

    code = "lot_required"
    status = 422


class SerialRequired(Refusal):
    """The item is tracked by serial number, and each good piece needs one."""

    code = "serial_required"
    status = 422


class CertificateMissing(Refusal):
    """A certificate that was asked for is not there."""

    code = "certificate_missing"


@dataclass(frozen=True, slots=True)
class CountedLine:
    """What was counted for one order line, in the item's unit. `consumed`: what the vendor declares, by item key."""

    order_line_id: int
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    scrapped: Decimal = ZERO
    lot: str = ""
    serials: tuple[str, ...] = ()
    consumed: Mapping[int, Decimal] | None = None
    certificates: tuple[str, ...] = ()
    inspect_quantity: Decimal | None = None

    @property
    def counted(self) -> Decimal:
        return self.accepted + self.rejected + self.scrapped

    def as_content(self) -> list[object]:
        declared = sorted((item, f"{quantity.normalize():f}") for item, quantity in (self.consumed or {}).items())
        counts = [f"{quantity.normalize():f}" for quantity in (self.accepted, self.rejected, self.scrapped)]
        return [self.order_line_id, *counts, self.lot, sorted(self.serials), declared, sorted(self.certificates)]


@dataclass(slots=True)
class _Used:
    """What one counted line takes from the vendor's place."""

    moves: list[tuple[OrderComponent, int, Decimal]] = field(default_factory=list)  # component, lot (0: none), quantity
    carried_in: list[tuple[OrderComponent, int, Decimal]] = field(default_factory=list)
    missing: list[tuple[OrderComponent, Decimal]] = field(default_factory=list)


@transaction.atomic
def post_receipt(
    *,
    vendor_id: int,
    note: str,
    lines: Sequence[CountedLine],
    by: User | None,
    at: datetime,
    note_date: date | None = None,
    received_at: datetime | None = None,
    is_supplement: bool = False,
    through: str = "page",
) -> Receipt:
    """Count delivered goods in, over any of the vendor's open lines.

    The same note with the same content returns the receipt it already made; with other content it is refused unless marked a
    supplement (DuplicateNote). Components leave the vendor's place before output arrives, for accepted, rejected and scrapped
    pieces alike. Good pieces due for inspection or short of a certificate go to inspection and are not available yet.
    Raises NotFound, OrderNotSent, OrderClosed, OverReceipt, InvalidQuantity, TooPrecise, LotRequired, SerialRequired,
    VendorShort, InvalidInput.
    """
    received_at = received_at or at
    if received_at > at:
        raise InvalidInput("A receipt cannot lie in the future.", field="received_at")
    if note_date is not None and note_date > at.date():
        raise InvalidInput("The vendor's note cannot be dated in the future.", field="note_date")
    if not note.strip():
        raise InvalidInput("Name the vendor's delivery note.", field="note")
    if not lines:
        raise InvalidInput("A receipt needs at least one line.", field="lines")
    if len({line.order_line_id for line in lines}) != len(lines) and not any(line.lot for line in lines):
        raise InvalidInput("Each order line is counted once on a note.", field="lines")
    content = hashlib.sha256(json.dumps(sorted((line.as_content() for line in lines), key=str)).encode()).hexdigest()
    orders, order_lines = _lock(vendor_id, lines, by)
    if not is_supplement:
        known = Receipt.objects.posted().filter(vendor_id=vendor_id, note=note, is_supplement=False).first()
        if known and known.content_hash == content:
            return known
        if known:
            raise DuplicateNote(
                f"Note {note} was counted already as {known}, with other content. Correct that receipt, or mark this one as "
                "a supplement to it.",
                field="note",
            )
    _check(lines, orders, order_lines)
    first = orders[order_lines[lines[0].order_line_id].order_id]
    receipt = Receipt.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0],
        vendor_id=vendor_id,
        site_id=first.site_id,
        note=note,
        note_date=note_date or at.date(),
        is_supplement=is_supplement,
        content_hash=content,
        received_at=received_at,
        posted_at=at,
        posted_by=by,
    )
    reports: dict[int, list[Report]] = defaultdict(list)
    for line_no, counted in enumerate(lines, start=1):
        line = order_lines[counted.order_line_id]
        report = _post_line(receipt, line_no, counted, line, orders[line.order_id], by=by, at=at)
        if line.operation_id is not None:
            reports[line.operation_id].append(report)
    _progress(order_lines.values(), orders)
    report_outside(reports, at=at, reason=f"receipt {receipt.number}")
    activity.record(
        "receipt.posted",
        kind=KIND,
        number=receipt.number,
        at=at,
        by=by,
        through=through,
        site_id=receipt.site_id,
        vendor_id=vendor_id,
        data={"note": note, "orders": sorted(order.number for order in orders.values())},
    )
    return receipt


@transaction.atomic
def reverse_receipt(*, receipt_id: int, by: User | None, at: datetime, through: str = "page") -> Receipt:
    """Undo all that a receipt did, at its original values. Raises NotFound, WrongState, NotEnoughStock (goods moved on)."""
    receipt = Receipt.objects.filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound("There is no such receipt.", field="receipt")
    lines = list(receipt.lines.order_by("line_no"))
    orders, order_lines = _lock(receipt.vendor_id, lines, None)
    receipt = Receipt.objects.select_for_update().get(pk=receipt_id)
    if receipt.status != ReceiptStatus.POSTED:
        raise WrongState(f"{receipt} was reversed already.")
    moved = Movement.objects.filter(document_kind=KIND, document_number=receipt.number, reverses__isnull=True)
    ledger.reverse_movements(
        moved.filter(reversed_by__isnull=True), kind=KIND, number=receipt.number, occurred_at=at, recorded_at=at, by=by
    )
    material.reverse_flows(kind=KIND, number=receipt.number, at=at)
    reports: dict[int, list[Report]] = defaultdict(list)
    for row in lines:
        line = order_lines[row.order_line_id]
        line.accepted -= row.accepted
        line.rejected -= row.rejected
        line.scrapped -= row.scrapped
        line.in_rework += row.reworked
        if line.status == LineStatus.COMPLETE:
            line.status = LineStatus.OPEN
        if line.operation_id is not None:
            reports[line.operation_id].append(Report(-row.accepted, -(row.rejected + row.scrapped)))
    _progress(order_lines.values(), orders)
    report_outside(reports, at=at, reason=f"receipt {receipt.number} reversed")
    receipt.status, receipt.reversed_at, receipt.reversed_by = ReceiptStatus.REVERSED, at, by
    receipt.version += 1
    receipt.save()
    activity.record(
        "receipt.reversed",
        kind=KIND,
        number=receipt.number,
        at=at,
        by=by,
        through=through,
        site_id=receipt.site_id,
        vendor_id=receipt.vendor_id,
    )
    return receipt


def _lock(
    vendor_id: int, lines: Iterable[CountedLine | ReceiptLine], by: User | None
) -> tuple[dict[int, SubcontractOrder], dict[int, OrderLine]]:
    """Lock production orders, then orders, then their lines, each by key; foreign lines are not found."""
    wanted = {line.order_line_id for line in lines}
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    known = list(
        visible.filter(pk__in=wanted, vendor_id=vendor_id).values_list("pk", "order_id", "production_order_id")
    )
    if len(known) != len(wanted):
        raise NotFound("A line named here is not an order line of this vendor.", field="lines")
    plans = {plan_id for _, _, plan_id in known if plan_id is not None}
    list(ProductionOrder.objects.filter(pk__in=plans).select_for_update().order_by("pk").values_list("pk"))
    order_ids = {order_id for _, order_id, _ in known}
    orders = {
        order.pk: order
        for order in SubcontractOrder.objects.filter(pk__in=order_ids).select_for_update().order_by("pk")
    }
    rows = OrderLine.objects.filter(pk__in=wanted).select_for_update(of=("self",)).order_by("pk")
    return orders, {row.pk: row for row in rows.select_related("item__unit", "production_order", "operation", "order")}


def _check(lines: Sequence[CountedLine], orders: Mapping[int, SubcontractOrder], rows: Mapping[int, OrderLine]) -> None:
    counted: dict[int, Decimal] = defaultdict(Decimal)
    for index, line in enumerate(lines):
        row = rows[line.order_line_id]
        order = orders[row.order_id]
        if order.status == OrderStatus.CLOSED:
            raise OrderClosed(f"{order} is closed; reopen it to receive more.", field=f"lines.{index}")
        if order.status not in WITH_VENDOR:
            raise OrderNotSent(
                f"{order} is {order.get_status_display().lower()}; only a sent order receives goods.",
                field=f"lines.{index}",
            )
        if row.status != LineStatus.OPEN and not row.in_rework:
            raise OrderClosed(
                f"Line {row.line_no} of {order} is {row.get_status_display().lower()}.", field=f"lines.{index}"
            )
        decimals = row.item.unit.decimals if row.item.unit else 5
        for name in ("accepted", "rejected", "scrapped"):
            quantity: Decimal = getattr(line, name)
            if quantity < 0:
                raise InvalidQuantity(f"{quantity} is below zero.", field=f"lines.{index}.{name}")
            if quantity != rounded_up(quantity, decimals=decimals):
                raise TooPrecise(
                    f"{row.item} is counted in {decimals} decimals; {quantity} has more.", field=f"lines.{index}.{name}"
                )
        if not line.counted:
            raise InvalidQuantity("Count at least one piece, good or bad.", field=f"lines.{index}.accepted")
        counted[row.pk] += line.counted
        limit = rules.at_most(ordered=row.quantity, over_pct=row.over_receipt_pct)
        if row.received + counted[row.pk] > limit:
            possible = max(limit - row.received, ZERO)
            raise OverReceipt(
                f"Line {row.line_no} of {order} takes {possible.normalize():f} more ({row.quantity.normalize():f} ordered, "
                f"{row.received.normalize():f} received, {row.over_receipt_pct.normalize():f} % over allowed); "
                f"{counted[row.pk].normalize():f} were counted.",
                field=f"lines.{index}.accepted",
            )


def _post_line(
    receipt: Receipt,
    line_no: int,
    counted: CountedLine,
    line: OrderLine,
    order: SubcontractOrder,
    *,
    by: User | None,
    at: datetime,
) -> Report:
    """Post one line: material used, then output; the order line's counters are set, not saved yet."""
    made_before = line.received + line.in_rework
    reworked = min(counted.counted, line.in_rework)
    made_now = counted.counted - reworked
    used = _use(counted, line, order, made_before=made_before, made_now=made_now, at=at)
    consumed_at = masterdata.virtual_location(kind=LocationKind.CONSUMED)
    taken = [
        Move(
            component.item_id, line.ship_to_id, consumed_at.pk, quantity, lot_id or None, component.stage, line=line_no
        )
        for component, lot_id, quantity in used.moves
    ]
    if reworked:
        taken.append(
            Move(line.item_id, line.ship_to_id, consumed_at.pk, reworked, None, rework_stage(line), line=line_no)
        )
    spent = ledger.post_movements(
        taken, kind=KIND, number=receipt.number, occurred_at=receipt.received_at, recorded_at=at, by=by
    )
    spent_value = sum((row.value for row in spent if row.quantity), ZERO)
    work = _work(line, made=made_before + made_now) - _work(line, made=made_before)
    worth = rules.output_value(
        accepted=counted.accepted,
        bad=counted.rejected + counted.scrapped,
        components=spent_value,
        work=work,
        absorbs=line.rejects == Rejects.ABSORB,
    )
    expected = ExpectedReceipt.objects.select_for_update().get(order_line=line)
    held_for = _held_for(counted, line)
    to_inspect = _to_inspect(counted, line)
    where = _inspection(order) if held_for else expected.location
    stage = stage_after(line)
    row = ReceiptLine.objects.create(
        receipt=receipt,
        line_no=line_no,
        order_line=line,
        item=line.item,
        accepted=counted.accepted,
        rejected=counted.rejected,
        scrapped=counted.scrapped,
        reworked=reworked,
        stage=stage,
        location=expected.location,
        components_value=sum((m.value for m, u in zip(spent, used.moves, strict=False) if not u[0].stage), ZERO),
        work_value=work,
        expensed_value=worth.bad,
        held=counted.accepted if held_for else ZERO,
        held_for=held_for,
        to_inspect=to_inspect,
        certificates=list(counted.certificates),
    )
    lots = _lots(counted, line, stage)
    ReceiptLot.objects.bulk_create([ReceiptLot(line=row, lot=lot, quantity=quantity) for lot, quantity in lots if lot])
    ledger.post_movements(
        _output(row, lots, worth, counted, consumed_at=consumed_at.pk, where=where.pk),
        kind=KIND,
        number=receipt.number,
        occurred_at=receipt.received_at,
        recorded_at=at,
        by=by,
    )
    Consumption.objects.bulk_create(
        [
            Consumption(line=row, component=component, item_id=component.item_id, lot_id=lot_id or None, quantity=quantity,
                        value=movement.value)
            for (component, lot_id, quantity), movement in zip(used.moves, spent, strict=False)
        ]
    )  # fmt: skip
    material.record_flows(
        [
            ComponentFlow(component=component, lot_id=lot_id or None, kind=kind, quantity=quantity, document_kind=KIND,
                          document_number=receipt.number, document_line=line_no)
            for kind, moved in ((FlowKind.CARRIED_IN, used.carried_in), (FlowKind.CONSUMED, used.moves))
            for component, lot_id, quantity in moved
        ],
        at=at,
    )  # fmt: skip
    line.accepted += counted.accepted
    line.rejected += counted.rejected
    line.scrapped += counted.scrapped
    line.in_rework -= reworked
    if rules.is_enough(ordered=line.quantity, received=line.received, under_pct=line.under_receipt_pct):
        line.status = LineStatus.COMPLETE
    _alert(receipt, row, line, order, used.missing, at=at)
    return Report(counted.accepted, counted.rejected + counted.scrapped, line.status == LineStatus.COMPLETE)


def _use(
    counted: CountedLine,
    line: OrderLine,
    order: SubcontractOrder,
    *,
    made_before: Decimal,
    made_now: Decimal,
    at: datetime,
) -> _Used:
    """What of each component is used, from the line's own material first, then from free stock, first in first."""
    used = _Used()
    components = list(
        OrderComponent.objects.filter(line=line)
        .exclude(supply__in=[Supply.VENDOR, Supply.RETURNABLE])
        .select_related("item__unit")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    if not components or not made_now:
        return used
    material.give_promised([component.pk for component in components], at=at)
    own = material.own_lots([component.pk for component in components])
    free = material.free_stock(location_id=line.ship_to_id, item_ids={component.item_id for component in components})
    ages = _ages(line.ship_to_id, {component.item_id for component in components})
    for component in components:
        need = _needed(component, counted, line, made_before=made_before, made_now=made_now)
        if need < 0:
            raise InvalidQuantity(f"{need} of {component.item} cannot have been used.", field="lines.consumed")
        held = {lot_id: quantity for lot_id, quantity in own.get(component.pk, {}).items() if quantity > 0}
        for lot_id in sorted(held, key=lambda lot_id: ages.get((component.item_id, lot_id), (1, "", lot_id))):
            taken = min(held[lot_id], need)
            if taken > 0:
                used.moves.append((component, lot_id, taken))
                need -= taken
        keys = [key for key in free if key[0] == component.item_id and key[2] == component.stage]
        for key in sorted(keys, key=lambda key: ages.get((key[0], key[1]), (1, "", key[1]))):
            taken = min(free[key], need)
            if taken > 0:
                free[key] -= taken
                used.carried_in.append((component, key[1], taken))
                used.moves.append((component, key[1], taken))
                need -= taken
        if need > 0:
            used.missing.append((component, need))
    if used.missing and (line.shortage == Shortage.BLOCK or any(component.stage for component, _ in used.missing)):
        component, missing = used.missing[0]
        there = sum((quantity for other, _, quantity in used.moves if other.pk == component.pk), ZERO)
        raise VendorShort(
            f"{(there + missing).normalize():f} of {component.item} would be used, {there.normalize():f} lie at the vendor for "
            f"{order} line {line.line_no}. Ship the rest, or ask for what was used.",
            field="lines",
        )
    return used


def _needed(
    component: OrderComponent, counted: CountedLine, line: OrderLine, *, made_before: Decimal, made_now: Decimal
) -> Decimal:
    decimals = component.item.unit.decimals if component.item.unit else 5
    if component.stage:
        return made_now  # the order's own pieces: one for one
    declared = (counted.consumed or {}).get(component.item_id)
    if declared is not None and line.consumption == ConsumptionMode.AS_REPORTED:
        if declared != rounded_up(declared, decimals=decimals):
            raise TooPrecise(
                f"{component.item} is counted in {decimals} decimals; {declared} has more.", field="lines.consumed"
            )
        return declared
    if component.basis == QuantityBasis.PER_ORDER:
        return component.required if not made_before else ZERO
    if line.consumption == ConsumptionMode.AS_SENT and component.supply == Supply.OWN:
        return rules.as_sent_use(
            made_now=made_now,
            ordered=line.quantity,
            made_before=made_before,
            unused=component.at_vendor,
            decimals=decimals,
        )
    return rules.standard_use(
        per_piece=component.quantity_per,
        scrap_pct=component.scrap_pct,
        decimals=decimals,
        made_before=made_before,
        made_now=made_now,
    )


def _ages(location_id: int, item_ids: Collection[int]) -> dict[tuple[int, int], tuple[int, str, int]]:
    """First expired first, then first in: a sort key for each lot at a place."""
    there = Balance.objects.filter(location=location_id, item__in=item_ids)
    return {
        (item_id, lot_id or 0): (0 if expires else 1, str(expires or since), lot_id or 0)
        for item_id, lot_id, expires, since in there.values_list("item", "lot", "lot__expires_on", "since")
    }


def _work(line: OrderLine, *, made: Decimal) -> Decimal:
    """What is owed in company currency for `made` pieces of a line."""
    rate = line.amount_company / line.amount if line.amount else Decimal(1)
    return rules.accrued(
        amount=line.amount_company,
        unit_amount=line.unit_price / line.price_factor * rate,
        ordered=line.quantity,
        received=made,
    )


def stage_after(line: OrderLine) -> str:
    """Where the pieces stand after this line: stock after the last operation, else the operation that finished them."""
    if line.operation is None or line.production_order is None:
        return ""
    operation = line.operation
    others = Operation.objects.filter(production_order=line.production_order_id).exclude(status="cancelled")
    if operation.next_nos:
        goes_on = True
    elif any(others.values_list("next_nos", flat=True)):
        goes_on = False
    else:
        goes_on = others.filter(sequence__gt=operation.sequence).exists()
    return f"{line.production_order.number}/{operation.operation_no}" if goes_on else ""


def rework_stage(line: OrderLine) -> str:
    """Pieces of a line that are back at the vendor to be mended."""
    return f"rework {line.order.number}/{line.line_no}"


def _lots(counted: CountedLine, line: OrderLine, stage: str) -> list[tuple[Lot | None, Decimal]]:
    """The lots (or serial numbers) the good pieces go into; pieces between operations have none."""
    if not counted.accepted or stage:
        return [(None, counted.accepted)] if counted.accepted else []
    item: Item = line.item
    if item.serial_tracked:
        if len(set(counted.serials)) != counted.accepted:
            raise SerialRequired(
                f"{item} is tracked by serial number: name {counted.accepted.normalize():f} different ones, "
                f"{len(set(counted.serials))} were named.",
                field="lines.serials",
            )
        used = Movement.objects.filter(lot__item=item, lot__code__in=counted.serials).unreversed()
        if used.exists():
            known = ", ".join(sorted(set(used.values_list("lot__code", flat=True))))
            raise DuplicateNote(f"Serial number {known} of {item} is in use already.", field="lines.serials")
        return [(Lot.objects.get_or_create(item=item, code=code)[0], Decimal(1)) for code in counted.serials]
    if item.lot_tracked:
        if not counted.lot.strip():
            raise LotRequired(f"{item} is tracked by lot: name the lot of the pieces that came.", field="lines.lot")
        return [(Lot.objects.get_or_create(item=item, code=counted.lot.strip())[0], counted.accepted)]
    return [(None, counted.accepted)]


def _output(
    row: ReceiptLine,
    lots: Sequence[tuple[Lot | None, Decimal]],
    worth: rules.Worth,
    counted: CountedLine,
    *,
    consumed_at: int,
    where: int,
) -> list[Move]:
    moves = []
    left, pieces = worth.good, counted.accepted
    for lot, quantity in lots:
        value = left if quantity == pieces else (left * quantity / pieces).quantize(rules.FIVE)
        left, pieces = left - value, pieces - quantity
        moves.append(
            Move(
                row.item_id,
                consumed_at,
                where,
                quantity,
                lot.pk if lot else None,
                row.stage,
                value=value,
                line=row.line_no,
            )
        )
    bad = counted.rejected + counted.scrapped
    if bad:
        scrap = masterdata.virtual_location(kind=LocationKind.SCRAP)
        moves.append(Move(row.item_id, consumed_at, scrap.pk, bad, None, row.stage, value=worth.bad, line=row.line_no))
    return moves


def _held_for(counted: CountedLine, line: OrderLine) -> list[str]:
    if not counted.accepted:
        return []
    missing = [kind for kind in line.certificates if kind not in counted.certificates]
    return (["inspection"] if line.inspection != Inspection.NONE else []) + missing


def _to_inspect(counted: CountedLine, line: OrderLine) -> Decimal:
    if line.inspection == Inspection.NONE or not counted.accepted:
        return ZERO
    if counted.inspect_quantity is not None:
        return min(counted.inspect_quantity, counted.accepted)
    if line.inspection == Inspection.SAMPLE:
        return rules.sample(quantity=counted.accepted, pct=line.sample_pct or Decimal(100))
    return counted.accepted


def _inspection(order: SubcontractOrder) -> Location:
    """Where a site's goods wait for inspection; made where the site has no such place."""
    found = Location.objects.filter(kind=LocationKind.INSPECTION, site=order.site_id).order_by("pk").first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=f"INSPECTION-{order.site.code}",
        defaults={"name": "Inspection", "kind": LocationKind.INSPECTION, "site_id": order.site_id},
    )
    return location


def _progress(lines: Iterable[OrderLine], orders: Mapping[int, SubcontractOrder]) -> None:
    """Save the lines' counters, what is still expected, and the orders' progress."""
    rows = list(lines)
    OrderLine.objects.bulk_update(rows, ["accepted", "rejected", "scrapped", "in_rework", "status"])
    for row in rows:
        ExpectedReceipt.objects.filter(order_line=row).update(quantity=max(row.open_quantity, row.in_rework))
    recount_orders(list(orders))


def _alert(
    receipt: Receipt,
    row: ReceiptLine,
    line: OrderLine,
    order: SubcontractOrder,
    missing: Sequence[tuple[OrderComponent, Decimal]],
    *,
    at: datetime,
) -> None:
    def alert(kind: str, title: str, after: dict[str, str]) -> Alert:
        return Alert(
            kind=kind, subject=f"{receipt.number}/{row.line_no}", title=title, severity=Severity.WARNING, after=after,
            order_number=order.number, line_no=line.line_no, site_id=order.site_id, vendor_id=order.vendor_id,
            production_order=line.production_order.number if line.production_order else "", operation_no=line.operation_no,
        )  # fmt: skip

    alerts = []
    lacking = [kind for kind in row.held_for if kind != "inspection"]
    if lacking:
        title = f"{receipt} line {row.line_no} came without {', '.join(lacking)}: the pieces wait in inspection."
        alerts.append(alert("certificate_missing", title, {"missing": ", ".join(lacking)}))
    if missing:
        said = ", ".join(f"{quantity.normalize():f} of {component.item}" for component, quantity in missing)
        title = f"{receipt} used more material than lies at the vendor: {said} are to be settled."
        alerts.append(alert("discrepancy", title, {"missing": said}))
    if alerts:
        activity.open_alerts(alerts, at=at)
