"""Counting a vendor's note in: stock, consumption, value, progress and the plan's own reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import InvalidInput, Refusal
from core.retries import retried
from inventory import services as ledger
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import LocationKind
from policies.models import Rejects
from production.services.reporting import Report, followers_among
from receipts import rules
from receipts.models import Consumption, ExpectedReceipt, Receipt, ReceiptLine, ReceiptLot, ReceiptStatus
from receipts.services.beside import book_beside, by_product_moves, came_beside
from receipts.services.falling_short import watch_short_receipts
from receipts.services.finishing import report_lines, steps_of
from receipts.services.notes import (
    KIND,
    CountedLine,
    DuplicateNote,
    check_counted,
    content_hash,
    lock_lines,
    lock_note,
)
from receipts.services.pieces import (
    come_mended,
    inspection_place,
    lots_of,
    mended_lots,
    output_moves,
    rework_stage,
    stage_after,
    to_look_at,
    waits_for,
)
from receipts.services.progress import gives_no_more, save_progress, settle_status, work_owed
from receipts.services.using import use_material
from subcontract_orders.models import (
    ComponentFlow,
    FlowKind,
    LineStatus,
    OrderComponent,
    OrderLine,
    SubcontractOrder,
)
from subcontract_orders.services import flows as material

ZERO = Decimal(0)


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
    pieces alike; by-products come into stock beside it. Good pieces due for inspection or short of a certificate go to
    inspection and are not available yet.
    Raises NotFound, OrderNotSent, OrderClosed, OverReceipt, InvalidQuantity, TooPrecise, LotRequired, SerialRequired,
    NotTracked, VendorShort, InvalidInput.
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
    lock_note(vendor_id, note)
    content = content_hash(lines)
    # One line asks for its vendor's place where it needs free stock; several would ask for it amid stock they hold already.
    orders, order_lines = lock_lines(vendor_id, lines, by, hold_places=len(lines) > 1)
    if known := _counted_already(vendor_id, note, content, is_supplement=is_supplement):
        return known
    check_counted(lines, orders, order_lines)
    first = orders[order_lines[lines[0].order_line_id].order_id]
    today = masterdata.site_date(site=first.site, at=at)
    if note_date is not None and note_date > today:
        raise InvalidInput(f"The vendor's note cannot be dated after today, {today}.", field="note_date")
    receipt = Receipt.objects.create(
        number=masterdata.draw_number(kind=KIND),
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
    expected = {
        one.order_line_id: one
        for one in ExpectedReceipt.objects.filter(order_line__in=order_lines).select_related("location")
    }
    plans = {line.production_order_id for line in order_lines.values() if line.production_order_id}
    steps = steps_of(plans)
    following = {plan_id: followers_among(mine) for plan_id, mine in steps.items()}
    ground = _Ground(receipt, orders, expected, following, by=by, at=at)
    reports: dict[int, list[Report]] = defaultdict(list)
    for line_no, counted in enumerate(lines, start=1):
        line = order_lines[counted.order_line_id]
        try:
            report = _post_line(ground, line_no, counted, line)
        except Refusal as refusal:
            refusal.field = _field_of(line_no, refusal.field)
            raise
        if line.operation_id is not None:
            reports[line.operation_id].append(report)
    save_progress(order_lines.values(), orders)
    report_lines(reports, at=at, reason=f"receipt {receipt.number}", steps=steps)
    watch_short_receipts([line for line in order_lines.values() if line.rejected or line.scrapped], at=at)
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


def _counted_already(vendor_id: int, note: str, content: str, *, is_supplement: bool) -> Receipt | None:
    """The receipt a note made already, with the same content. Raises DuplicateNote where it has another, or lies apart."""
    standing = (ReceiptStatus.POSTED, ReceiptStatus.QUARANTINED)
    same_note = Receipt.objects.filter(vendor_id=vendor_id, note__iexact=note, status__in=standing)
    for known in same_note.order_by("-status", "pk"):
        if known.status == ReceiptStatus.QUARANTINED:
            raise DuplicateNote(
                f"Goods of note {note} lie in quarantine as {known}; release or reverse it.", field="note"
            )
        if known.is_supplement != is_supplement:
            continue
        if known.content_hash == content:
            return known
        if not is_supplement:
            raise DuplicateNote(
                f"Note {note} was counted already as {known}, with other content. Correct that receipt, or mark this one as "
                "a supplement to it.",
                field="note",
            )
    return None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the lines of one receipt stand on, read once: orders, what is expected of lines, who follows whom in plans."""

    receipt: Receipt
    orders: Mapping[int, SubcontractOrder]
    expected: Mapping[int, ExpectedReceipt]
    following: Mapping[int, Mapping[str, tuple[str, ...]]]
    _: KW_ONLY
    by: User | None
    at: datetime


def _post_line(ground: _Ground, line_no: int, counted: CountedLine, line: OrderLine) -> Report:
    """Post one line: material used, then output; the order line's counters are set, not saved yet."""
    receipt, order, expected, at = ground.receipt, ground.orders[line.order_id], ground.expected[line.pk], ground.at
    following = ground.following.get(line.production_order_id or 0, {})
    made_before = line.received + line.in_rework
    stage = stage_after(line, following)
    reworked = come_mended(counted, line, stage)
    made_now = counted.counted - reworked
    lots = lots_of(counted, line, stage)
    mended = mended_lots(line, reworked, counted)
    used = use_material(counted, line, order, made_before=made_before, made_now=made_now, at=at)
    held_for = waits_for(counted, line)
    to_inspect = to_look_at(counted, line)
    where = inspection_place(order) if held_for else expected.location
    places, virtual = masterdata.working_places(
        location_ids=[line.ship_to_id], kinds=[LocationKind.CONSUMED, LocationKind.SCRAP]
    )
    consumed_at, scrap_at = virtual[LocationKind.CONSUMED].pk, virtual[LocationKind.SCRAP].pk
    taken = [
        Move(component.item_id, line.ship_to_id, consumed_at, quantity, lot_id or None, component.stage, line=line_no)
        for component, lot_id, quantity in used.moves
    ] + [
        Move(line.item_id, line.ship_to_id, consumed_at, quantity, lot_id, rework_stage(line), line=line_no)
        for lot_id, quantity in mended
    ]
    posting = ledger.Posting(
        kind=KIND,
        number=receipt.number,
        occurred_at=receipt.received_at,
        recorded_at=at,
        by=ground.by,
        places=[*places.values(), expected.location, where],
    )
    good = [
        Move(line.item_id, consumed_at, where.pk, quantity, lot.pk if lot else None, stage) for lot, quantity in lots
    ]
    posting.hold([*taken, *good])
    spent = [movement for movement in posting.add(taken) if movement.quantity]  # not what an emptied pool left behind
    spent_value = sum((movement.value for movement in spent), ZERO)
    work = max(work_owed(line, made=made_before + made_now), ZERO) if made_now else ZERO
    beside = came_beside(
        used.gives, counted, made_before=made_before, made_now=made_now, site_id=order.site_id, most=spent_value + work
    )
    beside_value = sum((one.value for one in beside), ZERO)
    worth = rules.output_value(
        accepted=counted.accepted,
        bad=counted.rejected + counted.scrapped,
        components=spent_value - beside_value,
        work=work,
        absorbs=line.rejects == Rejects.ABSORB,
    )
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
        by_products_value=beside_value,
        expensed_value=worth.bad,
        good_value=worth.good,
        held=counted.accepted if held_for else ZERO,
        held_for=held_for,
        to_inspect=to_inspect,
        is_sample=ZERO < to_inspect < counted.accepted,
        certificates=list(counted.certificates),
    )
    ReceiptLot.objects.bulk_create([ReceiptLot(line=row, lot=lot, quantity=quantity) for lot, quantity in lots if lot])
    posting.add(
        output_moves(row, lots, worth, counted, consumed_at=consumed_at, where=where.pk, scrap_at=scrap_at)
        + by_product_moves(row, beside, made_at=consumed_at)
    )
    posting.save()
    if beside:
        book_beside(row, beside)
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
        is_locked=True,
    )  # fmt: skip
    line.accepted += counted.accepted
    line.rejected += counted.rejected
    line.scrapped += counted.scrapped
    line.in_rework -= reworked
    settle_status(line)
    if line.status == LineStatus.OPEN and not line.in_rework and gives_no_more(line, following):
        line.status = LineStatus.COMPLETE
    _alert(receipt, row, line, order, used.missing, at=at)
    return Report(counted.accepted, counted.rejected + counted.scrapped)


def _field_of(line_no: int, field: str | None) -> str | None:
    """The field at fault of a counted line: what is said of `lines.lot` is of `lines.1.lot` where it is the second line."""
    of, _, name = (field or "").partition(".")
    if of != "lines":
        return field
    return f"lines.{line_no - 1}.{name}" if name else f"lines.{line_no - 1}"


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
