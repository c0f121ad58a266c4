"""Where the floor is right and the books refuse: goods are booked into quarantine, until the books can take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import InvalidQuantity, NotFound, Refusal, Stale, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Location, LocationKind
from receipts.models import Receipt, ReceiptLine, ReceiptLot, ReceiptStatus
from receipts.services.notes import (
    KIND,
    CameBeside,
    CountedLine,
    OrderClosed,
    OrderNotSent,
    OverReceipt,
    VendorShort,
    content_hash,
)
from receipts.services.receiving import post_receipt
from subcontract_orders.models import OrderLine

ALERT = "over_receipt"
# What the books refuse though the goods are there. A count that cannot be is refused in quarantine too.
BOOKED_APART = (OverReceipt, OrderClosed, OrderNotSent, VendorShort)


@retried
@transaction.atomic
def receive_or_quarantine(
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
    """Count a note in; where the books refuse it, put all of it into quarantine and tell the buyer.

    What lies there is not available, not owed and reported nowhere. Raises as post_receipt, but for OverReceipt, OrderClosed,
    OrderNotSent and VendorShort.
    """
    waiting = Receipt.objects.quarantined().filter(vendor_id=vendor_id, note__iexact=note.strip()).first()
    if waiting and waiting.content_hash == content_hash(lines):
        return waiting
    try:
        return post_receipt(
            vendor_id=vendor_id, note=note, lines=lines, by=by, at=at, note_date=note_date, received_at=received_at,
            is_supplement=is_supplement, through=through,
        )  # fmt: skip
    except BOOKED_APART as problem:
        refusal = problem
    visible = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    found = {line.pk: line for line in visible.select_related("order__site", "item", "production_order")
             .filter(pk__in=[line.order_line_id for line in lines], vendor=vendor_id)}  # fmt: skip
    first = found[lines[0].order_line_id]
    receipt = Receipt.objects.create(
        number=masterdata.draw_number(kind=KIND), status=ReceiptStatus.QUARANTINED, vendor_id=vendor_id,
        site_id=first.order.site_id, note=note.strip(), note_date=note_date or masterdata.site_dates(at=at)[first.order.site_id],
        is_supplement=is_supplement, content_hash=content_hash(lines), content=[_as_kept(line) for line in lines],
        refusal=refusal.detail[:500], received_at=received_at or at, posted_at=at, posted_by=by,
    )  # fmt: skip
    where = _quarantine(first)
    moves = [
        move
        for line_no, counted in enumerate(lines, start=1)
        for move in _put(receipt, line_no, counted, found[counted.order_line_id], where)
    ]
    ledger.post_movements(
        moves, kind=KIND, number=receipt.number, occurred_at=receipt.received_at, recorded_at=at, by=by
    )
    _tell(receipt, first, refusal, at=at)
    _record("receipt.quarantined", receipt, by=by, at=at, through=through, data={"refusal": refusal.detail})
    return receipt


@retried
@transaction.atomic
def release_quarantine(
    *, receipt_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Receipt:
    """Count goods in that lay in quarantine, now that the books take them. Returns the receipt that is posted for them.

    Raises as post_receipt, and NotFound, WrongState, Stale, NotEnoughStock.
    """
    waiting = _take_back(receipt_id, expected_version=expected_version, by=by, at=at, through=through)
    return post_receipt(
        vendor_id=waiting.vendor_id,
        note=waiting.note,
        lines=[_counted(kept) for kept in waiting.content],
        by=by,
        at=at,
        note_date=waiting.note_date,
        received_at=waiting.received_at,
        is_supplement=waiting.is_supplement,
        through=through,
    )


@retried
@transaction.atomic
def refuse_quarantine(
    *, receipt_id: int, expected_version: int | None = None, by: User | None, at: datetime, through: str = "page"
) -> Receipt:
    """Goods in quarantine went back to the vendor uncounted; their note is free again. Raises NotFound, WrongState, Stale."""
    return _take_back(receipt_id, expected_version=expected_version, by=by, at=at, through=through)


def _take_back(
    receipt_id: int, *, expected_version: int | None, by: User | None, at: datetime, through: str
) -> Receipt:
    visible = Receipt.objects.visible_to(by) if by else Receipt.objects.all()
    receipt = visible.select_for_update(of=("self",)).filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound("There is no such receipt.", field="receipt")
    if expected_version not in (None, receipt.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    if receipt.status != ReceiptStatus.QUARANTINED:
        raise WrongState(f"{receipt} is {receipt.get_status_display().lower()}, not in quarantine.")
    moved = Movement.objects.unreversed().filter(document_kind=KIND, document_number=receipt.number)
    ledger.reverse_movements(moved, kind=KIND, number=receipt.number, occurred_at=at, recorded_at=at, by=by)
    receipt.status, receipt.reversed_at, receipt.reversed_by = ReceiptStatus.REVERSED, at, by
    receipt.version += 1
    receipt.save()
    activity.close_alerts(kind=ALERT, subjects=[receipt.number], at=at)
    _record("receipt.reversed", receipt, by=by, at=at, through=through, data={"from": "quarantine"})
    return receipt


def _put(receipt: Receipt, line_no: int, counted: CountedLine, line: OrderLine, where: Location) -> list[Move]:
    if min(counted.accepted, counted.rejected, counted.scrapped) < 0 or not counted.counted:
        raise InvalidQuantity("Count at least one piece, good or bad.", field=f"lines.{line_no - 1}.accepted")
    row = ReceiptLine.objects.create(
        receipt=receipt, line_no=line_no, order_line=line, item_id=line.item_id, accepted=counted.accepted,
        rejected=counted.rejected, scrapped=counted.scrapped, location=where, held=counted.accepted,
        held_for=["quarantine"] if counted.accepted else [], certificates=list(counted.certificates),
    )  # fmt: skip
    source = masterdata.virtual_location(kind=LocationKind.SUPPLIER).pk
    parts: list[tuple[int | None, Decimal]] = [(None, counted.accepted)] if counted.accepted else []
    codes = list(dict.fromkeys(counted.serials)) if line.item.serial_tracked else [counted.lot] if counted.lot else []
    if codes and counted.accepted:
        each = Decimal(1) if line.item.serial_tracked else counted.accepted
        if each * len(codes) != counted.accepted:
            raise InvalidQuantity("Each good piece has one serial number.", field=f"lines.{line_no - 1}.serials")
        lots = [Lot.objects.get_or_create(item_id=line.item_id, code=code)[0] for code in codes]
        ReceiptLot.objects.bulk_create([ReceiptLot(line=row, lot=lot, quantity=each) for lot in lots])
        parts = [(lot.pk, each) for lot in lots]
    # A stage of their own: pieces worth nothing yet must not make the stock of the site cheaper.
    stage = f"quarantine {receipt.number}"
    return [
        Move(line.item_id, source, where.pk, part, lot_id, stage, value=Decimal(0), line=line_no)
        for lot_id, part in parts
    ]


def _quarantine(line: OrderLine) -> Location:
    site = line.order.site
    found = Location.objects.filter(kind=LocationKind.QUARANTINE, site=site).order_by("pk").first()
    if found:
        return found
    made, _ = Location.objects.get_or_create(
        code=f"QUARANTINE-{site.code}"[:60],
        defaults={"name": "Quarantine", "kind": LocationKind.QUARANTINE, "site": site},
    )
    return made


def _tell(receipt: Receipt, line: OrderLine, refusal: Refusal, *, at: datetime) -> None:
    alert = Alert(
        kind=ALERT, subject=receipt.number, severity=Severity.WARNING,
        title=f"{receipt}, note {receipt.note}, lies in quarantine: {refusal.detail}"[:300], order_number=line.order.number,
        line_no=line.line_no, site_id=receipt.site_id, vendor_id=receipt.vendor_id, after={"refused": refusal.code},
        proposes="release",
        production_order=line.production_order.number if line.production_order else "", operation_no=line.operation_no,
    )  # fmt: skip
    activity.open_alerts([alert], at=at)


def _record(event: str, receipt: Receipt, *, by: User | None, at: datetime, through: str, data: dict[str, Any]) -> None:
    activity.record(
        event, kind=KIND, number=receipt.number, at=at, by=by, through=through, site_id=receipt.site_id,
        vendor_id=receipt.vendor_id, data=data,
    )  # fmt: skip


def _as_kept(line: CountedLine) -> dict[str, Any]:
    return {
        "order_line": line.order_line_id,
        "counts": [f"{quantity}" for quantity in (line.accepted, line.rejected, line.scrapped)],
        "lot": line.lot,
        "serials": list(line.serials),
        "consumed": {f"{item}": f"{quantity}" for item, quantity in (line.consumed or {}).items()},
        "certificates": list(line.certificates),
        "by_products": None
        if line.by_products is None
        else [[one.item_id, f"{one.quantity}", one.lot] for one in line.by_products],
        "inspect": None if line.inspect_quantity is None else f"{line.inspect_quantity}",
    }


def _counted(kept: Mapping[str, Any]) -> CountedLine:
    accepted, rejected, scrapped = (Decimal(quantity) for quantity in kept["counts"])
    beside = kept.get("by_products")
    return CountedLine(
        kept["order_line"],
        accepted,
        rejected,
        scrapped,
        kept["lot"],
        tuple(kept["serials"]),
        {int(item): Decimal(quantity) for item, quantity in kept["consumed"].items()} or None,
        tuple(kept["certificates"]),
        None if kept["inspect"] is None else Decimal(kept["inspect"]),
        None if beside is None else tuple(CameBeside(item, Decimal(quantity), lot) for item, quantity, lot in beside),
    )
