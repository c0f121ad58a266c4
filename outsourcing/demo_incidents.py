"""What goes wrong in a month of the demo, and what people do about it: every act on goods once, through the services.

Whatever an act finds nothing to be done to is left out: what is refused is counted by the month, as all else is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from activity.models import Alert
from documents import services as documents
from inventory.models import Balance
from masterdata.models import LocationKind
from receipts import services as receipts
from receipts.models import Consumption, Disposition, Fault, ReceiptLine, ReceiptStatus
from receipts.services import CountedLine
from shipments import services as shipments
from shipments.models import Shipment, ShipmentStatus
from shipments.services import ToPick
from subcontract_orders.models import WITH_VENDOR, LineStatus, OrderComponent, OrderLine, OrderStatus, SubcontractOrder

if TYPE_CHECKING:
    from outsourcing.demo_month import Month

ONE = Decimal(1)


def at_the_desk(month: Month, at: datetime) -> None:
    """A buyer stops an order, cancels one whose material is out, closes one short and opens it again, accepts what is missing."""
    unsent = SubcontractOrder.objects.unsent().exclude(status=OrderStatus.HELD).order_by("-order_by", "number").first()
    if unsent:
        month.tried("held", documents.hold_set, order_id=unsent.pk, reason="The drawing is being changed", by=month.buyer,
                    at=at)  # fmt: skip
    out = list(
        SubcontractOrder.objects.filter(
            status__in=WITH_VENDOR, receipt="none", material__in=["partial", "complete"]
        ).order_by("-due_date", "number")[:2]
    )
    if out:
        month.tried("cancelled", documents.cancel_set, order_id=out[0].pk, reason="The customer took the job back",
                    by=month.buyer, at=at)  # fmt: skip
    if len(out) > 1 and month.tried("cancelled", documents.cancel_set, order_id=out[1].pk, reason="Made in house after all",
                                    by=month.buyer, at=at):  # fmt: skip
        left = Alert.objects.open().filter(kind="material_left_at_vendor", order_number=out[1].number).first()
        if left:
            month.tried(
                "returned", documents.apply_alert, alert_id=left.pk, by=month.buyer, at=at + timedelta(minutes=40)
            )
    part = (
        SubcontractOrder.objects.filter(status__in=WITH_VENDOR, receipt="partial")
        .order_by("due_date", "number")
        .first()
    )
    if part and month.tried("closed", documents.close_set, order_id=part.pk, leftovers=receipts.Leftovers.KEEP,
                            by=month.buyer, at=at):  # fmt: skip
        month.tried("reopened", documents.reopen_set, order_id=part.pk, by=month.buyer, at=at + timedelta(minutes=30))
    short = Alert.objects.open().filter(kind="short_receipt").order_by("order_number", "line_no").first()
    if short:
        month.tried("accepted", documents.accept_alert, alert_id=short.pk, reason="Enough for this job", by=month.buyer,
                    at=at)  # fmt: skip


def at_the_dock(month: Month, at: datetime) -> None:
    """Shipments are split and held, too much comes and lies in quarantine, a wrong count is corrected, pieces go back."""
    waiting = Shipment.objects.filter(
        status=ShipmentStatus.PLANNED, lines__order_line__order__status__in=WITH_VENDOR, lines__quantity__gt=1
    )
    planned = list(waiting.distinct().order_by("-dispatch_by", "number")[:2])
    if planned:
        first = planned[0].lines.order_by("position").first()
        half = ToPick(first.item_id, (first.quantity / 2).to_integral_value() or ONE, order_line_id=first.order_line_id)
        month.tried("split", shipments.split, shipment_id=planned[0].pk, lines=[half], by=month.dock, at=at)
        month.tried("stopped", shipments.hold, shipment_id=planned[-1].pk, reason="The lorry is too small", by=month.dock,
                    at=at)  # fmt: skip
    too_many(month, at)
    of_good = posted_lines().filter(accepted__gt=F("held") + 4).order_by("-receipt__number", "line_no")
    for row in of_good:
        if month.tried("corrected", receipts.correct_receipt, receipt_id=row.receipt_id, line_no=row.line_no,
                       accepted=row.accepted - 1, rejected=row.rejected + 1, scrapped=row.scrapped,
                       reason="Miscounted at the dock", by=month.dock, at=at):  # fmt: skip
            break
    for row in of_good:
        if month.tried("sent back", receipts.return_product, receipt_line_id=row.pk, quantity=ONE, reason="Paint peels off",
                       by=month.dock, at=at):  # fmt: skip
            break
    used = Consumption.objects.filter(line__in=posted_lines(), component__stage="", quantity__gt=1)
    for one in used.select_related("line").order_by("-line__receipt__number", "item__code", "pk"):
        if month.tried("adjusted", receipts.adjust_consumption, receipt_id=one.line.receipt_id, line_no=one.line.line_no,
                       item_id=one.item_id, quantity=-ONE, reason="One was left over", by=month.dock, at=at):  # fmt: skip
            break


def too_many(month: Month, at: datetime) -> None:
    """A vendor brings more than was ordered: the goods are here, the books refuse them, they lie apart."""
    line = (
        OrderLine.objects.filter(status=LineStatus.OPEN, order__status__in=WITH_VENDOR, accepted__gt=0)
        .exclude(item__serial_tracked=True)
        .order_by("order__number", "line_no")
        .first()
    )
    if line is None:
        return
    counted = CountedLine(line.pk, accepted=line.quantity * 2, certificates=tuple(line.certificates))
    month.tried("set apart", receipts.receive_or_quarantine, vendor_id=line.vendor_id, note=f"LS-{next(month.notes)}",
                lines=[counted], by=month.dock, at=at)  # fmt: skip


def in_quality(month: Month, at: datetime) -> None:
    """Of what waits in inspection some is mended, some goes back, some is used as it is, and one lot passes unseen."""
    waiting = list(posted_lines().filter(to_inspect__gt=1).order_by("-receipt__number", "line_no")[:6])
    found = (
        (Disposition.REWORK, Fault.VENDOR, "Runs in the paint"),
        (Disposition.RETURN, Fault.VENDOR, "Wrong colour"),
        (Disposition.USE_AS_IS, Fault.OPEN, "Scratch where it does not show"),
    )
    for row in waiting[:1]:
        month.tried("waived", receipts.waive_hold, receipt_id=row.receipt_id, line_no=row.line_no,
                    reason="The customer waits; the first samples were good", by=month.quality, at=at)  # fmt: skip
    for row, (disposition, fault, reason) in zip(waiting[1:], found, strict=False):
        month.tried(
            "found bad", receipts.inspect_receipt, receipt_id=row.receipt_id, line_no=row.line_no, accepted=row.to_inspect - 1,
            rejected=ONE, disposition=disposition, fault=fault, reason=reason, by=month.quality, at=at,
        )  # fmt: skip
    bad = posted_lines().filter(rejected__gt=F("disposed")).order_by("receipt__number", "line_no").first()
    if bad:
        month.tried("found bad", receipts.inspect_receipt, receipt_id=bad.receipt_id, line_no=bad.line_no, accepted=Decimal(0),
                    rejected=bad.rejected - bad.disposed, disposition=Disposition.SCRAP, fault=Fault.OURS,
                    reason="Our drawing was wrong", by=month.quality, at=at)  # fmt: skip


def at_vendors(month: Month, at: datetime) -> None:
    """Material is lost, written off, found missing when it is used, and what nobody needs comes home."""
    lying = Balance.objects.filter(location__kind=LocationKind.VENDOR, stage="", quantity__gt=4)
    rows = list(lying.select_related("location", "lot").order_by("location__code", "item__code", "lot__code")[:2])
    for row in rows[:1]:
        month.tried("written off", receipts.write_off_material, vendor_id=row.location.vendor_id, item_id=row.item_id,
                    quantity=ONE, reason="Bent by a fork lift", lot=row.lot.code if row.lot else "",
                    location_id=row.location_id, by=month.buyer, at=at)  # fmt: skip
    for row in rows[1:]:
        month.tried("counted", receipts.count_vendor_stock, vendor_id=row.location.vendor_id, item_id=row.item_id,
                    counted=row.quantity - 2, reason="Vendor's monthly count", lot=row.lot.code if row.lot else "",
                    location_id=row.location_id, by=month.dock, at=at)  # fmt: skip
    for vendor_id in sorted({row.location.vendor_id for row in lying.select_related("location")}):
        if month.tried("returned", receipts.return_material, vendor_id=vendor_id, reason="Not needed there", by=month.dock,
                       at=at):  # fmt: skip
            break
    short = (
        OrderComponent.objects.lying_at_vendor()
        .filter(stage="", line__shortage="warn", line__status=LineStatus.OPEN, line__order__status__in=WITH_VENDOR)
        .exclude(line__item__serial_tracked=True)
        .select_related("line__order", "item")
        .order_by("line__order__number", "line__line_no", "position")
    )
    for part in short:
        pieces = min((one.at_vendor for one in part.line.components.exclude(stage="")), default=part.line.open_quantity)
        if pieces > 0:
            lose_and_use(month, part, min(pieces, part.line.open_quantity), at)
            break


def lose_and_use(month: Month, part: OrderComponent, pieces: Decimal, at: datetime) -> None:
    """Some of a line's material turns out to be gone, and its pieces come all the same: the rest is to be settled."""
    line = part.line
    there = Balance.objects.filter(location=line.ship_to, item=part.item, stage="", quantity__gt=0)
    for row in there.select_related("lot", "location").order_by("lot__code"):
        month.tried("counted", receipts.count_vendor_stock, vendor_id=line.vendor_id, item_id=part.item_id,
                    counted=Decimal(0), reason="Lost at the vendor", lot=row.lot.code if row.lot else "",
                    location_id=row.location_id, by=month.dock, at=at)  # fmt: skip
    month.tried("received", receipts.post_receipt, vendor_id=line.vendor_id, note=f"LS-{next(month.notes)}",
                lines=[CountedLine(line.pk, accepted=pieces, certificates=tuple(line.certificates))],
                note_date=at.date() - timedelta(days=1), by=month.dock, at=at + timedelta(hours=1))  # fmt: skip


def posted_lines() -> QuerySet[ReceiptLine]:
    lines = ReceiptLine.objects.filter(receipt__status=ReceiptStatus.POSTED, order_line__order__status__in=WITH_VENDOR)
    return lines.select_related("receipt")
