"""Counting a vendor's note in, and taking it back: stock, consumption, value, progress and the plan's own reports."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, Stale, TooPrecise, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Balance, Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from policies.models import Consumption as ConsumptionMode
from policies.models import Inspection, Rejects, Shortage
from production.models import Operation, OperationStatus, ProductionOrder, QuantityBasis, Supply
from production.rules.components import rounded_up
from production.services.reporting import Report, followers
from receipts import rules
from receipts.models import Consumption, ExpectedReceipt, Receipt, ReceiptLine, ReceiptLot, ReceiptStatus, ReturnLine
from receipts.services.falling_short import watch_short_receipts
from receipts.services.finishing import report_lines
from subcontract_orders.models import (
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


@retried
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
    received_at, note = received_at or at, note.strip()
    if received_at > at:
        raise InvalidInput("A receipt cannot lie in the future.", field="received_at")
    if not note:
        raise InvalidInput("Name the vendor's delivery note.", field="note")
    if not lines:
        raise InvalidInput("A receipt needs at least one line.", field="lines")
    if len({line.order_line_id for line in lines}) != len(lines) and not any(line.lot for line in lines):
        raise InvalidInput("Each order line is counted once on a note.", field="lines")
    _lock_note(vendor_id, note)
    content = content_hash(lines)
    orders, order_lines = _lock(vendor_id, lines, by)
    if waiting := Receipt.objects.quarantined().filter(vendor_id=vendor_id, note=note).first():
        raise DuplicateNote(
            f"Goods of note {note} lie in quarantine as {waiting}; release or reverse it.", field="note"
        )
    known = Receipt.objects.posted().filter(vendor_id=vendor_id, note=note, is_supplement=is_supplement).order_by("pk")
    for receipt in known:
        if receipt.content_hash == content:
            return receipt
        if not is_supplement:
            raise DuplicateNote(
                f"Note {note} was counted already as {receipt}, with other content. Correct that receipt, or mark this one as "
                "a supplement to it.",
                field="note",
            )
    _check(lines, orders, order_lines)
    first = orders[order_lines[lines[0].order_line_id].order_id]
    today = masterdata.site_dates(at=at)[first.site_id]
    if note_date is not None and note_date > today:
        raise InvalidInput(f"The vendor's note cannot be dated after today, {today}.", field="note_date")
    receipt = Receipt.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0],
        vendor_id=vendor_id,
        site_id=first.site_id,
        note=note,
        note_date=note_date or today,
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
    save_progress(order_lines.values(), orders)
    report_lines(reports, at=at, reason=f"receipt {receipt.number}")
    watch_short_receipts(order_lines.values(), at=at)
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


def content_hash(lines: Sequence[CountedLine]) -> str:
    """Tells the same content of a note from another, in whatever order its lines stand."""
    return hashlib.sha256(json.dumps(sorted((line.as_content() for line in lines), key=str)).encode()).hexdigest()


@retried
@transaction.atomic
def reverse_receipt(
    *, receipt_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Receipt:
    """Undo all that a receipt did, at its original values; its note is free again.

    Raises NotFound, WrongState, Stale, NotEnoughStock (goods moved on).
    """
    receipt, lines, orders, order_lines = lock_receipt(receipt_id, expected_version=expected_version, by=by)
    if sent_back := ReturnLine.objects.gone().filter(receipt_line__in=lines).select_related("document").first():
        raise ledger.NotEnoughStock(
            f"Pieces of {receipt} went back to the vendor with {sent_back.document}; reverse it first."
        )
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
        line.in_rework += row.reworked - row.sent_back
        settle_status(line)
        if line.operation_id is not None:
            reports[line.operation_id].append(Report(-row.accepted, -(row.rejected + row.scrapped)))
    save_progress(order_lines.values(), orders)
    report_lines(reports, at=at, reason=f"receipt {receipt.number} reversed")
    watch_short_receipts(order_lines.values(), at=at)
    for kind in ("certificate_missing", "discrepancy"):
        activity.close_alerts(kind=kind, subjects=[f"{receipt.number}/{row.line_no}" for row in lines], at=at)
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


def _lock_note(vendor_id: int, note: str) -> None:
    """Two people counting the same note, over whatever lines, come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"receipt {vendor_id} {note}"])


def lock_receipt(
    receipt_id: int, *, expected_version: int | None, by: User | None
) -> tuple[Receipt, list[ReceiptLine], dict[int, SubcontractOrder], dict[int, OrderLine]]:
    """Lock a posted receipt with all it stands on. Raises NotFound, WrongState, Stale."""
    visible = Receipt.objects.visible_to(by) if by else Receipt.objects.all()
    receipt = visible.filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound("There is no such receipt.", field="receipt")
    orders, order_lines = _lock(receipt.vendor_id, list(receipt.lines.all()), None)
    receipt = Receipt.objects.select_for_update(of=("self",)).get(pk=receipt_id)
    if expected_version not in (None, receipt.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    if receipt.status != ReceiptStatus.POSTED:
        raise WrongState(f"{receipt} is {receipt.get_status_display().lower()}.")
    if receipt.is_opening:
        raise WrongState(f"{receipt} came in before its order was loaded here; return what came too much instead.")
    rows = receipt.lines.select_for_update(of=("self",)).select_related("item__unit", "location").order_by("line_no")
    return receipt, list(rows), orders, order_lines


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
    found = {row.pk: row for row in rows.select_related("item__unit", "production_order", "operation", "order")}
    material.lock_places(row.ship_to_id for row in found.values())
    return orders, found


def _check(lines: Sequence[CountedLine], orders: Mapping[int, SubcontractOrder], rows: Mapping[int, OrderLine]) -> None:
    counted: dict[int, Decimal] = defaultdict(Decimal)
    for index, line in enumerate(lines):
        row = rows[line.order_line_id]
        order = orders[row.order_id]
        if order.status == OrderStatus.CLOSED:
            raise OrderClosed(f"{order} is closed; reopen it to receive more.", field=f"lines.{index}")
        if not order.is_with_vendor:
            raise OrderNotSent(
                f"{order} is {order.get_status_display().lower()}; only a sent order receives goods.",
                field=f"lines.{index}",
            )
        closed_short = row.status == LineStatus.COMPLETE and row.received + row.in_rework < row.quantity_in_force
        if row.status == LineStatus.CANCELLED or (closed_short and not row.in_rework):
            raise OrderClosed(
                f"Line {row.line_no} of {order} is {row.get_status_display().lower()}.", field=f"lines.{index}"
            )
        decimals = decimals_of(row.item)
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
        limit = rules.at_most(ordered=row.quantity_in_force, over_pct=row.over_receipt_pct)
        if row.received + counted[row.pk] > limit:
            possible = max(limit - row.received, ZERO)
            raise OverReceipt(
                f"Line {row.line_no} of {order} takes {possible.normalize():f} more "
                f"({row.quantity_in_force.normalize():f} ordered, {row.received.normalize():f} received, "
                f"{row.over_receipt_pct.normalize():f} % over allowed); "
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
    stage = stage_after(line)
    lots = _lots(counted, line, stage)
    mended = _mended(line, reworked, serials=counted.serials)
    used = use_material(counted, line, order, made_before=made_before, made_now=made_now, at=at)
    consumed_at = masterdata.virtual_location(kind=LocationKind.CONSUMED)
    taken = [
        Move(
            component.item_id, line.ship_to_id, consumed_at.pk, quantity, lot_id or None, component.stage, line=line_no
        )
        for component, lot_id, quantity in used.moves
    ] + [
        Move(line.item_id, line.ship_to_id, consumed_at.pk, quantity, lot_id, rework_stage(line), line=line_no)
        for lot_id, quantity in mended
    ]
    posted = ledger.post_movements(
        taken, kind=KIND, number=receipt.number, occurred_at=receipt.received_at, recorded_at=at, by=by
    )
    spent = [movement for movement in posted if movement.quantity]  # not what an emptied pool left behind
    spent_value = sum((movement.value for movement in spent), ZERO)
    work = max(work_owed(line, made=made_before + made_now), ZERO) if made_now else ZERO
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
    where = inspection_place(order) if held_for else expected.location
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
        good_value=worth.good,
        held=counted.accepted if held_for else ZERO,
        held_for=held_for,
        to_inspect=to_inspect,
        is_sample=ZERO < to_inspect < counted.accepted,
        certificates=list(counted.certificates),
    )
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
    settle_status(line)
    if line.status == LineStatus.OPEN and not line.in_rework and _gives_no_more(line):
        line.status = LineStatus.COMPLETE
    _alert(receipt, row, line, order, used.missing, at=at)
    return Report(counted.accepted, counted.rejected + counted.scrapped)


def use_material(
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
    needs = _needs(components, counted, line, made_before=made_before, made_now=made_now)
    material.give_promised([component.pk for component in components], at=at)
    own = material.own_lots([component.pk for component in components])
    free = material.free_stock(location_id=line.ship_to_id, item_ids={component.item_id for component in components})
    ages = _ages(line.ship_to_id, {component.item_id for component in components})
    for component in components:
        need = needs[component.pk]
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


def _needs(
    components: Sequence[OrderComponent],
    counted: CountedLine,
    line: OrderLine,
    *,
    made_before: Decimal,
    made_now: Decimal,
) -> dict[int, Decimal]:
    """What is used of each component, by its key. Raises NotFound, InvalidQuantity, TooPrecise, InvalidInput."""
    declared = counted.consumed or {}
    is_declared = line.consumption == ConsumptionMode.AS_REPORTED
    if is_declared:
        _check_declared(components, declared)
    needs: dict[int, Decimal] = {}
    parts: dict[tuple[int, str], list[OrderComponent]] = defaultdict(list)
    for component in components:
        parts[component.item_id, component.stage].append(component)
    for (item_id, stage), same in parts.items():
        if stage or (is_declared and item_id in declared):
            # The order's own pieces go in one for one; both may come in several rows: what lies there for each, and the rest.
            rest = made_now if stage else declared[item_id]
            for component in same:
                needs[component.pk] = rest if component is same[-1] else min(rest, component.at_vendor)
                rest -= needs[component.pk]
        else:
            for component in same:
                needs[component.pk] = _need(component, line, made_before=made_before, made_now=made_now)
    if not is_declared:
        for item_id, quantity in declared.items():
            used = sum((needs[one.pk] for one in components if one.item_id == item_id), ZERO)
            if quantity != used:
                raise InvalidInput(
                    f"This line counts what is used {line.get_consumption_display().lower()}: {used.normalize():f}, not "
                    f"{quantity.normalize():f}. Adjust the consumption afterwards.",
                    field="lines.consumed",
                )
    return needs


def _mended(line: OrderLine, quantity: Decimal, *, serials: Collection[str]) -> list[tuple[int | None, Decimal]]:
    """The lots of pieces that were at the vendor to be mended and come back, named ones first. Raises VendorShort."""
    if not quantity:
        return []
    there = Balance.objects.filter(
        location=line.ship_to_id, item=line.item_id, stage=rework_stage(line), quantity__gt=0
    ).order_by("since", "pk")
    rows = list(there.values_list("lot", "lot__code", "quantity"))
    found: list[tuple[int | None, Decimal]] = []
    rest = quantity
    for lot_id, _, lies in sorted(rows, key=lambda row: row[1] not in serials):
        taken = min(lies, rest)
        if taken > 0:
            found.append((lot_id, taken))
            rest -= taken
    if rest:
        raise VendorShort(
            f"{quantity.normalize():f} pieces were to be mended, {(quantity - rest).normalize():f} of them lie at the vendor.",
            field="lines",
        )
    return found


def _check_declared(components: Sequence[OrderComponent], declared: Mapping[int, Decimal]) -> None:
    known = {component.item_id: component.item for component in components if not component.stage}
    for item_id, quantity in declared.items():
        if item_id not in known:
            raise NotFound("The vendor declares an item that is no component of the line.", field="lines.consumed")
        if quantity < 0:
            raise InvalidQuantity(f"{quantity} of {known[item_id]} cannot have been used.", field="lines.consumed")
        decimals = decimals_of(known[item_id])
        if quantity != rounded_up(quantity, decimals=decimals):
            raise TooPrecise(
                f"{known[item_id]} is counted in {decimals} decimals; {quantity} has more.", field="lines.consumed"
            )


def _need(component: OrderComponent, line: OrderLine, *, made_before: Decimal, made_now: Decimal) -> Decimal:
    if component.basis == QuantityBasis.PER_ORDER:
        return ZERO if component.consumed else component.required_in_force
    if line.consumption == ConsumptionMode.AS_SENT and component.supply == Supply.OWN:
        return rules.as_sent_use(
            made_now=made_now,
            ordered=line.quantity_in_force,
            made_before=made_before,
            unused=component.at_vendor,
            decimals=decimals_of(component.item),
        )
    return rules.standard_use(
        per_piece=component.quantity_per,
        scrap_pct=component.scrap_pct,
        decimals=decimals_of(component.item),
        made_before=made_before,
        made_now=made_now,
    )


def decimals_of(item: Item) -> int:
    """How many decimals quantities of an item have; a blank unit has five."""
    return item.unit.decimals if item.unit else 5


def _ages(location_id: int, item_ids: Collection[int]) -> dict[tuple[int, int], tuple[int, str, int]]:
    """First expired first, then first in: a sort key for each lot at a place."""
    there = Balance.objects.filter(location=location_id, item__in=item_ids)
    return {
        (item_id, lot_id or 0): (0 if expires else 1, str(expires or since), lot_id or 0)
        for item_id, lot_id, expires, since in there.values_list("item", "lot", "lot__expires_on", "since")
    }


def work_owed(line: OrderLine, *, made: Decimal) -> Decimal:
    """What `made` pieces of a line owe in company currency, beyond what its receipts owe already; below zero where those owe
    too much.

    Counted over all of them: whatever is received or taken back in whatever order, the whole line owes its amount.
    """
    rate = line.amount_company_in_force / line.amount_in_force if line.amount_in_force else Decimal(1)
    due = rules.accrued(
        amount=line.amount_company_in_force,
        unit_amount=line.unit_price_in_force / line.price_factor * rate,
        ordered=line.quantity_in_force,
        received=made,
    )
    posted = ReceiptLine.objects.filter(order_line=line, receipt__status=ReceiptStatus.POSTED)
    owed = posted.aggregate(total=Sum("work_value"))["total"] or ZERO
    return due - owed


def stage_after(line: OrderLine) -> str:
    """Where the pieces stand after this line: stock after the last operation, else the operation that finished them."""
    if line.operation_id is None or line.production_order is None:
        return ""
    following = followers(production_order_id=line.production_order.pk)
    goes_on = bool(following.get(line.operation_no))
    return f"{line.production_order.stage_number}/{line.operation_no}" if goes_on else ""


def rework_stage(line: OrderLine) -> str:
    """Pieces of a line that are back at the vendor to be mended."""
    return f"rework {line.order.number}/{line.line_no}"


def _lots_lying(line: OrderLine, *, stage: str) -> list[int]:
    """The lots of a line's own item that lie at its vendor at a stage."""
    there = Balance.objects.filter(location=line.ship_to_id, item=line.item_id, stage=stage, quantity__gt=0)
    return list(there.exclude(lot=None).values_list("lot", flat=True))


def _lots(counted: CountedLine, line: OrderLine, stage: str) -> list[tuple[Lot | None, Decimal]]:
    """The lots (or serial numbers) the good pieces go into; pieces between operations have none."""
    if not counted.accepted or stage:
        return [(None, counted.accepted)] if counted.accepted else []
    item: Item = line.item
    if item.serial_tracked:
        if len(set(counted.serials)) != counted.accepted or len(counted.serials) != counted.accepted:
            raise SerialRequired(
                f"{item} is tracked by serial number: name {counted.accepted.normalize():f} different ones, "
                f"{len(set(counted.serials))} were named.",
                field="lines.serials",
            )
        # Held from here on: the same number counted in elsewhere at this moment waits, and is then found in use.
        Lot.objects.bulk_create([Lot(item=item, code=code) for code in sorted(counted.serials)], ignore_conflicts=True)
        lots = Lot.objects.filter(item=item, code__in=counted.serials).select_for_update(no_key=True).order_by("pk")
        by_code = {lot.code: lot for lot in lots}
        to_be_mended = _lots_lying(line, stage=rework_stage(line))
        used = Movement.objects.filter(lot__in=by_code.values()).exclude(lot__in=to_be_mended).unreversed()
        if known := sorted(set(used.values_list("lot__code", flat=True))):
            raise DuplicateNote(f"Serial number {', '.join(known)} of {item} is in use already.", field="lines.serials")
        return [(by_code[code], Decimal(1)) for code in counted.serials]
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


def inspection_place(order: SubcontractOrder) -> Location:
    """Where a site's goods wait for inspection; made where the site has no such place."""
    found = Location.objects.filter(kind=LocationKind.INSPECTION, site=order.site_id).order_by("pk").first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=f"INSPECTION-{order.site.code}",
        defaults={"name": "Inspection", "kind": LocationKind.INSPECTION, "site_id": order.site_id},
    )
    return location


def settle_status(line: OrderLine) -> None:
    """A line is complete when enough came. A revision that waits may ask for more: neither may expect any."""
    if line.status != LineStatus.CANCELLED:
        wanted = max(line.quantity, line.quantity_in_force)
        done = rules.is_enough(ordered=wanted, received=line.received, under_pct=line.under_receipt_pct)
        line.status = LineStatus.COMPLETE if done else LineStatus.OPEN


def _gives_no_more(line: OrderLine) -> bool:
    """Whether the steps before are done, and none of their pieces lies anywhere any more."""
    if line.production_order is None:
        return False
    following = followers(production_order_id=line.production_order.pk)
    before = [number for number, later in following.items() if line.operation_no in later]
    done = Operation.objects.filter(
        production_order=line.production_order, operation_no__in=before, status=OperationStatus.FINISHED
    )
    if not before or done.count() < len(before):
        return False
    stages = [f"{line.production_order.stage_number}/{number}" for number in before]
    return not Balance.objects.filter(item=line.item_id, stage__in=stages, quantity__gt=0).exists()


def save_progress(lines: Iterable[OrderLine], orders: Mapping[int, SubcontractOrder]) -> None:
    """Save the lines' counters, what is still expected, and the orders' progress."""
    rows = list(lines)
    OrderLine.objects.bulk_update(rows, ["accepted", "rejected", "scrapped", "in_rework", "status"])
    for row in rows:
        still = max(row.open_in_force, row.in_rework) if orders[row.order_id].is_with_vendor else ZERO
        ExpectedReceipt.objects.filter(order_line=row).update(quantity=still)
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
            proposes="settle" if kind == "discrepancy" else "",
        )  # fmt: skip

    alerts = []
    lacking = [kind for kind in row.held_for if kind != "inspection"]
    if lacking:
        title = f"{receipt} line {row.line_no} came without {', '.join(lacking)}: the pieces wait in inspection."
        alerts.append(alert("certificate_missing", title, {"missing": ", ".join(lacking)}))
    if missing:
        said = ", ".join(f"{quantity.normalize():f} of {component.item}" for component, quantity in missing)
        title = f"{receipt} used more material than lies at the vendor: {said} are to be settled."
        parts: dict[str, Decimal] = defaultdict(Decimal)
        for component, quantity in missing:
            parts[component.item.code] += quantity
        alerts.append(alert("discrepancy", title, {code: f"{part.normalize():f}" for code, part in parts.items()}))
    if alerts:
        activity.open_alerts(alerts, at=at)
