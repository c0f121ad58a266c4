"""What a vendor is to bear: bad pieces where the policy says so, work on them that is not paid, lost material, lateness."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, Refusal, Stale, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import ChargeBack, ChargeBackKind, ChargeBackStatus
from invoices.services.owing import lock_order_lines, price_of_pieces
from invoices.services.reading import received_not_invoiced
from masterdata import services as masterdata
from masterdata.rules import MOST_MONEY
from policies.models import PayFor, Rejects
from receipts.models import Fault, ReceiptLine, ReceiptStatus
from subcontract_orders.models import OrderLine

KIND = "charge_back"
BY_RECEIPT = (ChargeBackKind.REJECTS, ChargeBackKind.UNPAID_WORK)
ZERO = Decimal(0)


class NotDecided(WrongState):
    """A charge-back that was settled or waived is not changed any more."""


class NothingUnpaid(Refusal):
    """Everything that came is invoiced, or will be."""

    code = "nothing_to_do"


@retried
@transaction.atomic
def watch_charge_backs(*, at: datetime, order_line_ids: Collection[int] | None = None, by: User | None = None) -> int:
    """Make the proposed charge-backs say what the receipts say of bad pieces: at cost where the policy charges the vendor; else,
    where only accepted pieces are paid, the work on them that nobody will ask for.

    Fault of ours is not charged. Proposals follow corrections and reversals; what is decided stays.
    Returns how many are new.
    """
    standing = ChargeBack.objects.filter(receipt_line__isnull=False, status=ChargeBackStatus.PROPOSED)
    decided = ChargeBack.objects.filter(receipt_line=OuterRef("pk"), kind__in=BY_RECEIPT)
    bad = _bad_lines().filter(~Exists(decided.exclude(status=ChargeBackStatus.PROPOSED)))
    if order_line_ids is not None:
        bad, standing = bad.filter(order_line__in=order_line_ids), standing.filter(order_line__in=order_line_ids)
    known = {(one.receipt_line_id, one.kind): one for one in standing.select_for_update().order_by("pk")}
    rows = list(bad.select_related("receipt", "order_line__order__currency").order_by("pk"))
    by_hand = _claimed_by_hand({row.order_line_id for row in rows})
    decimals = masterdata.company().currency.decimals
    new = []
    for row in rows:
        kind, amount, set_off = _to_bear(row, by_hand, decimals=decimals)
        pieces = row.rejected + row.scrapped
        proposal = known.pop((row.pk, kind), None)
        if proposal is None and amount:
            new.append(
                ChargeBack(
                    kind=kind, vendor_id=row.receipt.vendor_id, site_id=row.receipt.site_id,
                    order_line=row.order_line, receipt_line=row, quantity=pieces, amount=amount, set_off=set_off,
                    reason=_bad(pieces, row), created_at=at, created_by=by,
                )
            )  # fmt: skip
        elif proposal is not None and (proposal.amount, proposal.set_off) != (amount, set_off):
            ChargeBack.objects.filter(pk=proposal.pk).update(
                amount=amount, set_off=set_off, quantity=pieces, version=F("version") + 1
            )
    gone = [one.pk for one in known.values()]
    ChargeBack.objects.filter(pk__in=gone).exclude(amount=0).update(amount=0, set_off=0, quantity=0)
    if new:
        for one, number in zip(new, masterdata.draw_numbers(kind=KIND, count=len(new)), strict=True):
            one.number = number
        ChargeBack.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _bad(pieces: Decimal, row: ReceiptLine) -> str:
    return f"1 bad piece on {row.receipt}" if pieces == 1 else f"{pieces.normalize():f} bad pieces on {row.receipt}"


def _bad_lines() -> QuerySet[ReceiptLine]:
    """Receipt lines with bad pieces the vendor bears: what they cost, or the work on them."""
    charged = Q(order_line__rejects=Rejects.CHARGE_VENDOR, expensed_value__gt=0)
    unpaid = Q(order_line__pay_for=PayFor.ACCEPTED, work_value__gt=0) & (Q(rejected__gt=0) | Q(scrapped__gt=0))
    return ReceiptLine.objects.filter(
        charged | (unpaid & ~Q(order_line__rejects=Rejects.CHARGE_VENDOR)), receipt__status=ReceiptStatus.POSTED
    ).exclude(fault=Fault.OURS)


def _claimed_by_hand(order_line_ids: Collection[int]) -> dict[int, Decimal]:
    """Work that is not paid and was taken out by hand, of no receipt line, by the order line's key."""
    found = ChargeBack.objects.claimed().filter(kind=ChargeBackKind.UNPAID_WORK, receipt_line=None)
    return dict(found.filter(order_line__in=order_line_ids).values_list("order_line").annotate(Sum("set_off")))


def _to_bear(row: ReceiptLine, by_hand: dict[int, Decimal], *, decimals: int) -> tuple[str, Decimal, Decimal]:
    """What a vendor is to bear of a receipt line: kind, amount, and how much of it is work that is not paid."""
    work = rules.money(_bad_work(row), decimals=decimals)
    if row.order_line.rejects == Rejects.CHARGE_VENDOR:
        amount = rules.money(row.expensed_value, decimals=decimals)
        # Where all that came is paid for he is paid for bad pieces too, and gives their work back with the rest.
        pays_all = row.order_line.pay_for == PayFor.RECEIVED
        return ChargeBackKind.REJECTS, amount, ZERO if pays_all else min(work, amount)
    used = min(work, by_hand.get(row.order_line_id, ZERO))
    if used:
        by_hand[row.order_line_id] -= used
    return ChargeBackKind.UNPAID_WORK, work - used, work - used


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
    if amount > MOST_MONEY:
        raise InvalidQuantity(f"{amount} is more than anybody can be charged; look at the amount.", field="amount")
    amount = rules.money(amount, decimals=masterdata.company().currency.decimals)
    if not amount:
        raise InvalidQuantity("Name an amount of at least the currency's smallest coin.", field="amount")
    made = ChargeBack.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0], kind=kind, status=ChargeBackStatus.CLAIMED, vendor_id=line.vendor_id,
        site_id=line.order.site_id, order_line=line, quantity=quantity,
        amount=amount, set_off=amount if kind == ChargeBackKind.UNPAID_WORK else ZERO, reason=reason.strip()[:300],
        created_at=at, created_by=by, decided_at=at, decided_by=by,
    )  # fmt: skip
    record_charge_back("charge_back.claimed", made, by=by, at=at, through=through)
    if kind == ChargeBackKind.UNPAID_WORK:
        watch_charge_backs(at=at, order_line_ids=[line.pk])
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
    rows = rows.select_related("order_line__order__currency")
    bad = [(row.rejected + row.scrapped, _bad_work(row)) for row in rows]
    set_off = ChargeBack.objects.claimed().filter(order_line=line)
    before = set_off.aggregate(quantity=Sum("quantity", filter=Q(set_off__gt=0)), value=Sum("set_off"))
    value = min(sum((worth for _, worth in bad), ZERO) - (before["value"] or ZERO), is_open)
    if value <= 0:
        raise NothingUnpaid(f"No bad pieces of {line.order} line {line.line_no} are left unpaid.", field="line")
    pieces = sum((pieces for pieces, _ in bad), ZERO) - (before["quantity"] or ZERO)
    return max(pieces, ZERO), value


def _bad_work(row: ReceiptLine) -> Decimal:
    """What was accrued for a receipt line's bad pieces and is not paid: their price. The line's charges are paid whole."""
    made, bad = row.counted + row.sent_back - row.reworked, row.rejected + row.scrapped
    return min(row.work_value * bad / made, price_of_pieces(row.order_line, bad)) if made else ZERO


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
    """Claim a proposed charge-back, waive it, or say that the vendor has paid it (what he credits: `credit_charge_backs`).

    Work he was paid for already is claimed, not set off. Where part was credited, waiving lets the rest go and settles it. Raises
    NotFound, Stale, NotDecided, NothingUnpaid, InvalidInput.
    """
    mine = ChargeBack.objects.visible_to(by) if by else ChargeBack.objects.all()
    # Orders before what is about them, as everybody locks.
    lock_order_lines(list(mine.filter(pk=charge_back_id).values_list("order_line", flat=True)))
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
    if status == ChargeBackStatus.CLAIMED:
        _check_unpaid(found)
    if found.status == ChargeBackStatus.PROPOSED:
        found.decided_at, found.decided_by = at, by
    else:
        found.closed_at, found.closed_by = at, by
    if status == ChargeBackStatus.WAIVED and found.credited:
        status, found.let_go = ChargeBackStatus.SETTLED, found.open
    found.status = status
    found.reason = reason.strip()[:300] or found.reason
    found.version += 1
    found.save()
    record_charge_back(f"charge_back.{status}", found, by=by, at=at, through=through)
    return found


def _check_unpaid(one: ChargeBack) -> None:
    """No more work is set off than is received and not invoiced. Raises NothingUnpaid where that is all it is about."""
    stands = received_not_invoiced([one.order_line_id]).get(one.order_line_id)
    is_open = rules.money(max(stands.open if stands else ZERO, ZERO), decimals=masterdata.company().currency.decimals)
    if one.set_off <= is_open:
        return
    if one.kind == ChargeBackKind.UNPAID_WORK:
        raise NothingUnpaid(
            f"{one.set_off} of work is to be taken out, {is_open.normalize():f} is received and not invoiced: he was paid for "
            "these pieces. Ask for a credit note."
        )
    one.set_off = is_open


def record_charge_back(
    name: str,
    one: ChargeBack,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: Mapping[str, object] | None = None,
) -> None:
    activity.record(
        name, kind=KIND, number=one.number, at=at, by=by, through=through, site_id=one.site_id, vendor_id=one.vendor_id,
        data={"amount": f"{one.amount}", "reason": one.reason, **(data or {})},
    )  # fmt: skip
