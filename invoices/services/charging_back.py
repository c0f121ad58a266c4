"""What a vendor is to bear: bad pieces where the policy says so, lost material, lateness."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, Stale, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import ChargeBack, ChargeBackKind, ChargeBackStatus
from invoices.services.reading import received_not_invoiced
from masterdata import services as masterdata
from policies.models import PayFor, Rejects
from receipts.models import Fault, ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine

KIND = "charge_back"
ZERO = Decimal(0)


class NotDecided(WrongState):
    """A charge-back that was settled or waived is not changed any more."""


class NothingUnpaid(Refusal):
    """Everything that came is invoiced, or will be."""

    code = "nothing_to_do"


@retried
@transaction.atomic
def watch_charge_backs(*, at: datetime, order_line_ids: Collection[int] | None = None, by: User | None = None) -> int:
    """Make the proposed charge-backs say what the receipts say: bad pieces of lines whose policy charges the vendor, at cost.

    Fault of ours is not charged. Proposals follow corrections and reversals; what is decided stays.
    Returns how many are new.
    """
    bad = ReceiptLine.objects.filter(
        order_line__rejects=Rejects.CHARGE_VENDOR, receipt__status=ReceiptStatus.POSTED, expensed_value__gt=0
    ).exclude(fault=Fault.OURS)
    standing = ChargeBack.objects.filter(kind=ChargeBackKind.REJECTS, receipt_line__isnull=False)
    if order_line_ids is not None:
        bad, standing = bad.filter(order_line__in=order_line_ids), standing.filter(order_line__in=order_line_ids)
    known = {one.receipt_line_id: one for one in standing.select_for_update().order_by("pk")}
    rows = list(bad.select_related("receipt", "order_line__order").order_by("pk"))
    wanted = {row.pk for row in rows}
    gone = [one.pk for pk, one in known.items() if pk not in wanted and one.status == ChargeBackStatus.PROPOSED]
    ChargeBack.objects.filter(pk__in=gone).update(amount=0, set_off=0, quantity=0)
    decimals = masterdata.company().currency.decimals
    new = []
    for row in rows:
        pieces = row.rejected + row.scrapped
        amount = rules.money(row.expensed_value, decimals=decimals)
        set_off = min(rules.money(row.work_value * _bad_share(row), decimals=decimals), amount)
        proposal = known.get(row.pk)
        if proposal is None:
            new.append(
                ChargeBack(
                    kind=ChargeBackKind.REJECTS, vendor_id=row.receipt.vendor_id, site_id=row.receipt.site_id,
                    order_line=row.order_line, receipt_line=row, quantity=pieces, amount=amount, set_off=set_off,
                    reason=f"{pieces.normalize():f} bad pieces on {row.receipt}", created_at=at, created_by=by,
                )
            )  # fmt: skip
        elif proposal.status == ChargeBackStatus.PROPOSED and (proposal.amount, proposal.set_off) != (amount, set_off):
            ChargeBack.objects.filter(pk=proposal.pk).update(
                amount=amount, set_off=set_off, quantity=pieces, version=F("version") + 1
            )
    if new:
        for one, number in zip(new, masterdata.draw_numbers(kind=KIND, count=len(new)), strict=True):
            one.number = number
        ChargeBack.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


@retried
@transaction.atomic
def charge_back(
    *,
    order_line_id: int,
    kind: str,
    amount: Decimal | None = None,
    quantity: Decimal = ZERO,
    reason: str,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> ChargeBack:
    """Claim something from a vendor by hand. Lost material without an amount: what a count or write-off booked for the line.

    Work that is not paid, without an amount: what is accrued for the line's bad pieces and nobody has asked for; it takes that
    out of what is received and not invoiced. Raises NotFound, NothingUnpaid, InvalidQuantity, InvalidInput.
    """
    lines = OrderLine.objects.visible_to(by) if by else OrderLine.objects.all()
    line = lines.select_related("order").select_for_update(of=("self",)).filter(pk=order_line_id).first()
    if line is None:
        raise NotFound("There is no such order line.", field="line")
    if not reason.strip():
        raise InvalidInput("Say why it is charged back.", field="reason")
    if amount is None and kind == ChargeBackKind.LOST_MATERIAL:
        quantity, amount = _lost(line)
    if kind == ChargeBackKind.UNPAID_WORK:
        quantity, amount = _unpaid_work(line, amount, quantity)
    if amount is None or amount <= 0:
        raise InvalidQuantity("Name an amount above zero.", field="amount")
    amount = rules.money(amount, decimals=masterdata.company().currency.decimals)
    made = ChargeBack.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0], kind=kind, status=ChargeBackStatus.CLAIMED, vendor_id=line.vendor_id,
        site_id=line.order.site_id, order_line=line, quantity=quantity,
        amount=amount, set_off=amount if kind == ChargeBackKind.UNPAID_WORK else ZERO, reason=reason.strip()[:300],
        created_at=at, created_by=by, decided_at=at, decided_by=by,
    )  # fmt: skip
    _record("charge_back.claimed", made, by=by, at=at, through=through)
    return made


def _lost(line: OrderLine) -> tuple[Decimal, Decimal]:
    """What of a line's material was counted as lost or written off at the vendor and not charged yet: quantity and value."""
    flows = line.components.filter(flows__kind__in=["lost", "written_off"])
    found = flows.aggregate(quantity=Sum("flows__quantity"), value=Sum("flows__movement__value"))
    before = ChargeBack.objects.standing().filter(order_line=line, kind=ChargeBackKind.LOST_MATERIAL)
    charged = before.aggregate(quantity=Sum("quantity"), value=Sum("amount"))
    return (
        max((found["quantity"] or ZERO) - (charged["quantity"] or ZERO), ZERO),
        max((found["value"] or ZERO) - (charged["value"] or ZERO), ZERO),
    )


def _unpaid_work(line: OrderLine, amount: Decimal | None, quantity: Decimal) -> tuple[Decimal, Decimal]:
    """Work accrued for a line's bad pieces that are not our fault and not set off yet: pieces and value, or the amount named.

    Raises NothingUnpaid where all of it is paid for, InvalidQuantity where more is named than is open.
    """
    stands = received_not_invoiced([line.pk]).get(line.pk)
    is_open = max(stands.open if stands else ZERO, ZERO)
    if line.pay_for == PayFor.RECEIVED or not is_open:
        raise NothingUnpaid(
            f"All that {line.order} line {line.line_no} owes for what came is invoiced or will be.", field="line"
        )
    if amount is not None:
        if amount > is_open:
            raise InvalidQuantity(
                f"{is_open.normalize():f} is received and not invoiced; {amount} is named.", field="amount"
            )
        return quantity, amount
    rows = ReceiptLine.objects.filter(order_line=line, receipt__status=ReceiptStatus.POSTED).exclude(fault=Fault.OURS)
    bad = [(row.rejected + row.scrapped, row.work_value * _bad_share(row)) for row in rows]
    set_off = ChargeBack.objects.claimed().filter(order_line=line)
    before = set_off.aggregate(quantity=Sum("quantity", filter=Q(set_off__gt=0)), value=Sum("set_off"))
    value = min(sum((worth for _, worth in bad), ZERO) - (before["value"] or ZERO), is_open)
    if value <= 0:
        raise NothingUnpaid(f"No bad pieces of {line.order} line {line.line_no} are left unpaid.", field="line")
    pieces = sum((pieces for pieces, _ in bad), ZERO) - (before["quantity"] or ZERO)
    return max(pieces, ZERO), value


def _bad_share(row: ReceiptLine) -> Decimal:
    """How much of a receipt line's pieces are bad: their share of the work."""
    made = row.counted + row.sent_back - row.reworked
    return (row.rejected + row.scrapped) / made if made else ZERO


@retried
@transaction.atomic
def decide_charge_back(
    *,
    charge_back_id: int,
    status: str,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> ChargeBack:
    """Claim a proposed charge-back, waive it, or say that the vendor has paid or credited it.

    Raises NotFound, Stale, NotDecided, InvalidInput.
    """
    mine = ChargeBack.objects.visible_to(by) if by else ChargeBack.objects.all()
    found = mine.select_for_update(of=("self",)).filter(pk=charge_back_id).first()
    if found is None:
        raise NotFound("There is no such charge-back.", field="charge_back")
    if expected_version not in (None, found.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    allowed = {
        ChargeBackStatus.PROPOSED: (ChargeBackStatus.CLAIMED, ChargeBackStatus.WAIVED),
        ChargeBackStatus.CLAIMED: (ChargeBackStatus.SETTLED, ChargeBackStatus.WAIVED),
    }.get(ChargeBackStatus(found.status), ())
    if status not in allowed:
        raise NotDecided(f"{found} is {found.get_status_display().lower()}; it cannot become {status}.")
    if status == ChargeBackStatus.WAIVED and not reason.strip():
        raise InvalidInput("Say why it is waived.", field="reason")
    found.status, found.decided_at, found.decided_by = status, at, by
    found.reason = reason.strip()[:300] or found.reason
    found.version += 1
    found.save()
    _record(f"charge_back.{status}", found, by=by, at=at, through=through)
    return found


def _record(name: str, one: ChargeBack, *, by: User | None, at: datetime, through: str) -> None:
    activity.record(
        name, kind=KIND, number=one.number, at=at, by=by, through=through, site_id=one.site_id, vendor_id=one.vendor_id,
        data={"amount": f"{one.amount}", "reason": one.reason},
    )  # fmt: skip
