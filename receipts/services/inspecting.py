"""What waits in inspection is looked at, sent back, scrapped or let pass; certificates come later, or are waived."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal
from core.retries import retried
from inventory import services as ledger
from inventory.models import Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import LocationKind
from policies.models import Rejects
from production.services.reporting import Report
from receipts.models import Disposition, Fault, Finding, Receipt, ReceiptLine, ReceiptLot
from receipts.services.falling_short import watch_short_receipts
from receipts.services.finishing import report_lines
from receipts.services.notes import KIND, LotRequired, OrderClosed, check_count, lock_receipt
from receipts.services.pieces import inspection_place, rework_stage
from receipts.services.progress import save_progress, settle_status
from subcontract_orders.models import OrderLine, SubcontractOrder

ZERO = Decimal(0)
INSPECTION = "inspection"
BACK = (Disposition.REWORK, Disposition.RETURN)


class NothingToInspect(Refusal):
    """Nothing of the line waits for this."""

    code = "nothing_to_do"


class CertificateMissing(Refusal):
    """The pieces wait for papers, not to be looked at: those are handed in, or waived."""

    code = "certificate_missing"


class Case:
    """One receipt line being decided about, with all it stands on, locked."""

    def __init__(
        self, receipt_id: int, line_no: int, *, expected_version: int | None, by: User | None, at: datetime
    ) -> None:
        self.receipt, rows, self.orders, self.order_lines = lock_receipt(
            receipt_id, expected_version=expected_version, by=by
        )
        found = [row for row in rows if row.line_no == line_no]
        if not found:
            raise NotFound(f"{self.receipt} has no line {line_no}.", field="line")
        self.row: ReceiptLine = found[0]
        self.line: OrderLine = self.order_lines[self.row.order_line_id]
        self.order: SubcontractOrder = self.orders[self.line.order_id]
        self.by, self.at = by, at

    def post(self, moves: list[Move]) -> list[Movement]:
        posted = ledger.post_movements(
            moves, kind=KIND, number=self.receipt.number, occurred_at=self.at, recorded_at=self.at, by=self.by
        )
        return [movement for movement in posted if movement.quantity]

    def move(
        self, source: int, target: int, quantity: Decimal, lot_id: int | None, *, value: Decimal | None = None
    ) -> Move:
        row = self.row
        return Move(row.item_id, source, target, quantity, lot_id, row.stage, value=value, line=row.line_no)

    def finish(self, event: str, finding: Finding, *, good: Decimal, bad: Decimal, through: str) -> Receipt:
        """Save what was decided, free what may be freed, and bring order and plan along."""
        _free(self)
        self.row.save()
        finding.line, finding.at, finding.by = self.row, self.at, self.by
        finding.save()
        if good or bad:
            settle_status(self.line)
            save_progress([self.line], self.orders)
            if self.line.operation_id is not None:
                said = {self.line.operation_id: [Report(good, bad)]}
                report_lines(said, at=self.at, reason=f"inspection of {self.receipt}")
            watch_short_receipts([self.line], at=self.at)
        self.receipt.version += 1
        self.receipt.save(update_fields=["version"])
        if not any(kind != INSPECTION for kind in self.row.held_for):
            subject = f"{self.receipt.number}/{self.row.line_no}"
            activity.close_alerts(kind="certificate_missing", subjects=[subject], at=self.at)
        activity.record(
            event, kind=KIND, number=self.receipt.number, at=self.at, by=self.by, through=through,
            site_id=self.receipt.site_id, vendor_id=self.receipt.vendor_id,
            data={"line": self.row.line_no, "accepted": f"{finding.accepted}", "rejected": f"{finding.rejected}",
                  "disposition": finding.disposition, "reason": finding.reason},
        )  # fmt: skip
        return self.receipt


@retried
@transaction.atomic
def inspect_receipt(
    *,
    receipt_id: int,
    line_no: int,
    accepted: Decimal,
    rejected: Decimal = ZERO,
    disposition: str = "",
    fault: str = Fault.OPEN,
    lot: str = "",
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Receipt:
    """Say what an inspection found of a receipt line's pieces, and what becomes of the rejected ones.

    Of pieces that wait in inspection, accepted ones are free (a good sample frees all), rejected ones go back to the vendor
    (`rework`, `return`: they are expected again, and not owed twice), are scrapped, or are used as they are. A bad sample
    leaves the rest to be looked at. Where nothing waits, it is said of pieces rejected on arrival what becomes of them.
    Raises NotFound, WrongState, Stale, InvalidQuantity, TooPrecise, InvalidInput, LotRequired, NothingToInspect,
    CertificateMissing, OrderClosed.
    """
    case = Case(receipt_id, line_no, expected_version=expected_version, by=by, at=at)
    row = case.row
    on_arrival = _check(case, accepted=accepted, rejected=rejected, disposition=disposition)
    good = bad = ZERO
    finding = Finding(accepted=accepted, rejected=rejected, disposition=disposition, fault=fault, reason=reason)
    if fault != Fault.OPEN:
        row.fault = fault
    if on_arrival:
        good, bad = _decide_on_arrival(case, rejected, disposition)
    elif rejected and disposition != Disposition.USE_AS_IS:
        finding.lot = lot_of(row, rejected, lot)
        good, bad = _reject(case, rejected, disposition, finding.lot)
    if not on_arrival:
        if row.is_sample and rejected and disposition != Disposition.USE_AS_IS:
            row.is_sample, row.to_inspect = False, max(row.held - accepted, ZERO)
        else:
            row.to_inspect = max(row.to_inspect - accepted - rejected, ZERO)
        row.to_inspect = min(row.to_inspect, row.held)
    return case.finish("receipt.inspected", finding, good=good, bad=bad, through=through)


@retried
@transaction.atomic
def hand_in_certificates(
    *,
    receipt_id: int,
    line_no: int,
    certificates: Collection[str],
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Receipt:
    """Certificates of a receipt line came later; with the last one asked for its pieces are free.

    Raises NotFound, WrongState, Stale, NothingToInspect.
    """
    case = Case(receipt_id, line_no, expected_version=expected_version, by=by, at=at)
    row = case.row
    new = [kind for kind in dict.fromkeys(certificates) if kind not in row.certificates]
    if not new:
        raise NothingToInspect("These certificates are there already.", field="certificates")
    row.certificates = [*row.certificates, *new]
    row.held_for = [kind for kind in row.held_for if kind not in new]
    return case.finish("receipt.certified", Finding(certificates=new), good=ZERO, bad=ZERO, through=through)


@retried
@transaction.atomic
def waive_hold(
    *,
    receipt_id: int,
    line_no: int,
    kinds: Collection[str] = (),
    reason: str,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Receipt:
    """Let held pieces pass without what they wait for (all of it, or `kinds`: inspection, certificate kinds), and say why.

    Raises NotFound, WrongState, Stale, InvalidInput, NothingToInspect.
    """
    if not reason.strip():
        raise InvalidInput("Say why it may pass.", field="reason")
    case = Case(receipt_id, line_no, expected_version=expected_version, by=by, at=at)
    row = case.row
    waived = [kind for kind in row.held_for if not kinds or kind in kinds]
    if not row.held or not waived:
        waiting = ", ".join(row.held_for) or "nothing"
        raise NothingToInspect(f"Line {line_no} of {case.receipt} waits for {waiting}.", field="kinds")
    row.held_for = [kind for kind in row.held_for if kind not in waived]
    if INSPECTION in waived:
        row.to_inspect = ZERO
    finding = Finding(waived=waived, reason=reason)
    return case.finish("receipt.waived", finding, good=ZERO, bad=ZERO, through=through)


def _check(case: Case, *, accepted: Decimal, rejected: Decimal, disposition: str) -> bool:
    """Refuse what cannot be said of the line. True: about pieces rejected on arrival, as nothing waits."""
    row, line = case.row, case.line
    for field, quantity in (("accepted", accepted), ("rejected", rejected)):
        check_count(row.item, quantity, field=field)
    if not accepted + rejected:
        raise InvalidQuantity("Say of at least one piece what was found.", field="accepted")
    if rejected and not disposition:
        raise InvalidInput("Say what becomes of the rejected pieces.", field="disposition")
    if rejected and disposition in BACK and not case.order.is_with_vendor:
        raise OrderClosed(
            f"{case.order} is {case.order.get_status_display().lower()}: pieces sent back could not come again. Reopen it "
            "first.",
            field="disposition",
        )
    undecided = row.rejected - row.disposed
    if row.held and (INSPECTION in row.held_for or rejected):
        possible = row.held if row.is_sample or INSPECTION not in row.held_for else row.to_inspect
        if accepted + rejected > possible:
            raise InvalidQuantity(
                f"{possible.normalize():f} pieces wait to be inspected, {(accepted + rejected).normalize():f} were said.",
                field="accepted",
            )
        return False
    if accepted and row.held:
        lacking = ", ".join(kind for kind in row.held_for if kind != INSPECTION)
        raise CertificateMissing(
            f"Line {row.line_no} of {case.receipt} waits for certificates, not for inspection: {lacking}. Hand them in, or "
            "waive them.",
            field="line",
        )
    if accepted or not undecided:
        raise NothingToInspect(f"Nothing of line {row.line_no} of {case.receipt} waits for inspection.", field="line")
    if rejected > undecided:
        raise InvalidQuantity(
            f"{undecided.normalize():f} rejected pieces are undecided, {rejected.normalize():f} were said.",
            field="rejected",
        )
    if line.item.serial_tracked and disposition == Disposition.USE_AS_IS:
        raise LotRequired("Pieces without a serial number cannot be used; correct the receipt.", field="disposition")
    return True


def _reject(case: Case, quantity: Decimal, disposition: str, lot: Lot | None) -> tuple[Decimal, Decimal]:
    """Take pieces out of inspection. Returns what the operation's good and scrap change by."""
    row, line = case.row, case.line
    where = inspection_place(case.order).pk
    lot_id = lot.pk if lot else None
    if disposition == Disposition.SCRAP:
        bin_ = masterdata.virtual_location(kind=LocationKind.SCRAP).pk
        # Absorbed, the good ones keep the whole value; where none are left, the ledger books the rest as a difference.
        value = ZERO if line.rejects == Rejects.ABSORB else None
        [gone] = case.post([case.move(where, bin_, quantity, lot_id, value=value)])
        row.rejected += quantity
        row.disposed += quantity
        row.expensed_value += gone.value
        row.good_value -= gone.value
        line.rejected += quantity
        bad = quantity
    else:
        row.good_value -= _send_back(case, quantity, lot_id, source=where, value=None)
        bad = ZERO
    row.accepted -= quantity
    row.held -= quantity
    line.accepted -= quantity
    take_from_lots(row, lot_id, quantity)
    return -quantity, bad


def _decide_on_arrival(case: Case, quantity: Decimal, disposition: str) -> tuple[Decimal, Decimal]:
    """Pieces rejected on arrival, expensed then: they stay so, go back, or are used after all."""
    row, line = case.row, case.line
    if disposition == Disposition.SCRAP:
        row.disposed += quantity
        return ZERO, ZERO
    bad = row.rejected + row.scrapped
    value = (row.expensed_value * quantity / bad).quantize(Decimal("0.00001"))
    bin_ = masterdata.virtual_location(kind=LocationKind.SCRAP).pk
    row.expensed_value -= value
    row.rejected -= quantity
    line.rejected -= quantity
    if disposition in BACK:
        _send_back(case, quantity, None, source=bin_, value=value)
        return ZERO, -quantity
    lot = None
    if line.item.lot_tracked and not row.stage:
        lot = lot_of(row, ZERO, "")
        if lot is None:
            raise LotRequired(f"{line.item} is tracked by lot, and none came in.", field="lot")
        ReceiptLot.objects.filter(line=row, lot=lot).update(quantity=_in_lot(row, lot) + quantity)
    case.post([case.move(bin_, row.location_id, quantity, lot.pk if lot else None, value=value)])
    row.accepted += quantity
    row.good_value += value
    line.accepted += quantity
    return quantity, -quantity


def _send_back(case: Case, quantity: Decimal, lot_id: int | None, *, source: int, value: Decimal | None) -> Decimal:
    """Pieces stand at the vendor to be mended, at the value they left with, which is returned."""
    row, line = case.row, case.line
    between = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    [gone] = case.post([case.move(source, between, quantity, lot_id, value=value)])
    case.post(
        [
            Move(row.item_id, between, line.ship_to_id, quantity, lot_id, rework_stage(line), value=gone.value,
                 line=row.line_no)
        ]
    )  # fmt: skip
    row.sent_back += quantity
    line.in_rework += quantity
    return gone.value


def _free(case: Case) -> None:
    """Put what waits for nothing any more where it belongs."""
    row = case.row
    if INSPECTION in row.held_for and not row.to_inspect:
        row.held_for = [kind for kind in row.held_for if kind != INSPECTION]
    if any(kind != INSPECTION for kind in row.held_for) or (row.is_sample and row.to_inspect):
        return
    free = row.held - row.to_inspect
    if free > 0:
        where = inspection_place(case.order).pk
        case.post([case.move(where, row.location_id, part, lot_id) for lot_id, part in _held_lots(row, where, free)])
    row.held -= free
    if not row.held:
        row.held_for = []


def _held_lots(row: ReceiptLine, where: int, quantity: Decimal) -> Iterator[tuple[int | None, Decimal]]:
    """Lots of the line that still lie in inspection, as they came, up to a quantity."""
    mine = Movement.objects.unreversed().filter(
        document_kind=KIND, document_number=row.receipt.number, document_line=row.line_no
    )
    sums = mine.values("lot").annotate(
        came=Sum("quantity", filter=Q(to_location=where)), went=Sum("quantity", filter=Q(from_location=where))
    )
    for found in sums.order_by("lot"):
        part = min((found["came"] or ZERO) - (found["went"] or ZERO), quantity)
        if part > 0:
            yield found["lot"], part
            quantity -= part


def lot_of(row: ReceiptLine, quantity: Decimal, named: str) -> Lot | None:
    """The lot rejected pieces are of: the one named, or the only one."""
    lots = list(row.lots.select_related("lot").order_by("pk"))
    if not lots:
        return None
    found = [one for one in lots if one.lot.code == named] if named else lots
    if not found:
        raise NotFound(f"No pieces of lot {named} came on this line.", field="lot")
    if len(found) > 1:
        codes = ", ".join(one.lot.code for one in lots)
        raise LotRequired(f"Say of which lot the rejected pieces are: {codes}.", field="lot")
    if quantity > found[0].quantity:
        raise InvalidQuantity(f"Lot {found[0].lot} has {found[0].quantity.normalize():f} pieces.", field="rejected")
    return found[0].lot


def _in_lot(row: ReceiptLine, lot: Lot) -> Decimal:
    return ReceiptLot.objects.get(line=row, lot=lot).quantity


def take_from_lots(row: ReceiptLine, lot_id: int | None, quantity: Decimal) -> None:
    if lot_id is None:
        return
    left = ReceiptLot.objects.get(line=row, lot=lot_id)
    left.quantity -= quantity
    if left.quantity:
        left.save(update_fields=["quantity"])
    else:
        left.delete()
