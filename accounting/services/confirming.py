"""Balances confirmed by vendors: what is asked of each of them as of a day, the letter, his answer and the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounting.models import Confirmation, ConfirmationLine, ConfirmationStatus
from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, NotFound, Refusal, WrongState
from invoices.services.reading import invoiced_before
from masterdata import services as masterdata

KIND = "balance_confirmation"
ZERO = Decimal(0)

LYING = """
    SELECT coalesce(v.belongs_to_id, v.id), m.item_id, m.lot_id, m.stage,
        sum(CASE WHEN m.to_location_id = p.id THEN m.quantity ELSE -m.quantity END)
    FROM inventory_movement m JOIN masterdata_location p ON p.id IN (m.to_location_id, m.from_location_id) AND p.kind = 'vendor'
    JOIN masterdata_vendor v ON v.id = p.vendor_id
    WHERE m.occurred_at < %s GROUP BY 1, 2, 3, 4
    HAVING sum(CASE WHEN m.to_location_id = p.id THEN m.quantity ELSE -m.quantity END) <> 0
"""
# What he credited of claims lowers what he invoiced; what we netted on an invoice of his stands in no document of his.
OWED = f"""
    SELECT coalesce(v.belongs_to_id, v.id), sum(accrued), sum(agreed), sum(asked) FROM (
        SELECT r.vendor_id, sum(rl.work_value) AS accrued, 0 AS agreed, 0 AS asked FROM receipts_receiptline rl
        JOIN receipts_receipt r ON r.id = rl.receipt_id
        WHERE r.received_at < %(end)s AND r.status IN ('posted', 'reversed')
            AND (r.reversed_at IS NULL OR r.reversed_at >= %(end)s)
        GROUP BY r.vendor_id
        UNION ALL
        SELECT o.vendor_id, 0, {invoiced_before("l")}, 0
        FROM subcontract_orders_orderline l JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
        WHERE l.invoiced_before > 0 AND o.created_at < %(end)s
        UNION ALL
        SELECT c.vendor_id, 0, c.set_off, 0 FROM invoices_chargeback c
        WHERE c.decided_at < %(end)s AND c.set_off > 0 AND (c.status IN ('claimed', 'settled') OR c.closed_at >= %(end)s)
        UNION ALL
        SELECT i.vendor_id, 0, sum(m.agreed) FILTER (WHERE m.posted_at < %(end)s),
            sum(m.amount_company) FILTER (WHERE m.posted_at < %(end)s AND i.invoice_date BETWEEN %(from)s AND %(to)s)
        FROM invoices_match m JOIN invoices_invoiceline l ON l.id = m.line_id JOIN invoices_invoice i ON i.id = l.invoice_id
        WHERE m.posted_at IS NOT NULL GROUP BY i.vendor_id
        UNION ALL
        SELECT i.vendor_id, 0, 0, -round(sum(l.amount) * i.rate, 5)
        FROM invoices_invoice i JOIN invoices_invoiceline l ON l.invoice_id = i.id
        WHERE i.of_claims AND i.credits_id IS NULL AND i.status IN ('approved', 'exported')
            AND i.entered_at < %(end)s AND i.invoice_date BETWEEN %(from)s AND %(to)s
        GROUP BY i.id
    ) x JOIN masterdata_vendor v ON v.id = x.vendor_id GROUP BY 1
"""


class AlreadyPrepared(Refusal):
    """Every vendor has been asked as of that day."""

    code = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class AnsweredQuantity:
    """What a vendor says lies with him of an item (of a lot, at a stage)."""

    item_id: int
    quantity: Decimal
    lot: str = ""
    stage: str = ""


@transaction.atomic
def prepare_confirmations(*, as_of: date, by: User | None, at: datetime, through: str = "page") -> list[Confirmation]:
    """One confirmation for every vendor with whom anything is open, or was invoiced that year, at the end of a day; what is open
    with his sites is in his.

    Vendors asked as of that day already are left out. Raises InvalidInput (a day not over), AlreadyPrepared.
    """
    if as_of >= masterdata.company_date(at=at):
        raise InvalidInput(f"{as_of} is not over yet.", field="as_of")
    company = masterdata.company()
    end = datetime.combine(as_of + timedelta(days=1), time.min, ZoneInfo(company.time_zone))
    cent = Decimal(1).scaleb(-company.currency.decimals)
    material: dict[int, list[tuple[int, int | None, str, Decimal]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(LYING, [end])
        for vendor_id, item_id, lot_id, stage, quantity in cursor.fetchall():
            material[vendor_id].append((item_id, lot_id, stage, quantity))
        cursor.execute(OWED, {"end": end, "from": as_of.replace(month=1, day=1), "to": as_of})
        owed = {row[0]: tuple(value or ZERO for value in row[1:]) for row in cursor.fetchall()}
    known = set(Confirmation.objects.filter(as_of=as_of).values_list("vendor", flat=True))
    wanted = sorted(
        vendor
        for vendor in (
            material.keys() | {pk for pk, (accrued, agreed, asked) in owed.items() if accrued - agreed or asked}
        )
        if vendor not in known
    )
    if not wanted:
        raise AlreadyPrepared(f"There is no further vendor to be asked as of {as_of}.", field="as_of")
    made = []
    for vendor_id, number in zip(wanted, masterdata.draw_numbers(kind=KIND, count=len(wanted)), strict=True):
        accrued, agreed, asked = owed.get(vendor_id, (ZERO, ZERO, ZERO))
        made.append(
            Confirmation(
                number=number, vendor_id=vendor_id, as_of=as_of, invoiced=asked.quantize(cent, ROUND_HALF_UP),
                not_invoiced=(accrued - agreed).quantize(cent, ROUND_HALF_UP), prepared_at=at, prepared_by=by,
            )
        )  # fmt: skip
    Confirmation.objects.bulk_create(made)
    ConfirmationLine.objects.bulk_create(
        [
            ConfirmationLine(confirmation=one, item_id=item, lot_id=lot, stage=stage, quantity=quantity)
            for one in made
            for item, lot, stage, quantity in material.get(one.vendor_id, ())
        ]
    )
    for one in made:
        _record("balance_confirmation.prepared", one, by=by, at=at, through=through)
    return made


@transaction.atomic
def send_confirmation(*, confirmation_id: int, by: User | None, at: datetime, through: str = "page") -> Confirmation:
    """The letter went out. Raises NotFound, WrongState."""
    found = _locked(confirmation_id, by)
    if found.status != ConfirmationStatus.PREPARED:
        raise WrongState(f"{found} is {found.get_status_display().lower()} already.")
    found.status, found.sent_at = ConfirmationStatus.SENT, at
    found.save()
    _record("balance_confirmation.sent", found, by=by, at=at, through=through)
    return found


@transaction.atomic
def answer_confirmation(
    *,
    confirmation_id: int,
    not_invoiced: Decimal,
    material: Sequence[AnsweredQuantity] | None = None,
    answered_by: str = "",
    note: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Confirmation:
    """Enter a vendor's answer; a later one takes the place of the earlier. It agrees, or the difference stands.

    `material` None: he confirms what the letter says of our material; else what he says lies there, nothing of what he leaves
    out. Raises NotFound, WrongState (not sent), InvalidInput.
    """
    found = _locked(confirmation_id, by)
    if found.status == ConfirmationStatus.PREPARED:
        raise WrongState(f"{found} has not been sent; send it before its answer is entered.")
    lines = list(found.lines.select_related("item", "lot").order_by("pk"))
    known = {(line.item_id, line.lot.code if line.lot else "", line.stage): line for line in lines}
    said = {(one.item_id, one.lot, one.stage): one.quantity for one in material or ()}
    if any(quantity < 0 for quantity in said.values()):
        raise InvalidInput("A quantity cannot be below zero.", field="material")
    if unknown := sorted(key for key in said.keys() - known.keys()):
        raise InvalidInput(
            f"The letter names no such material ({len(unknown)} lines); count it with the vendor and post the count first.",
            field="material",
        )
    for key, line in known.items():
        line.answered = line.quantity if material is None else said.get(key, ZERO)
    ConfirmationLine.objects.bulk_update(lines, ["answered"])
    agrees = not_invoiced == found.not_invoiced and all(line.answered == line.quantity for line in lines)
    found.status = ConfirmationStatus.AGREED if agrees else ConfirmationStatus.DIFFERS
    found.answered_not_invoiced, found.answered_at, found.entered_by = not_invoiced, at, by
    found.answered_by, found.note = answered_by.strip()[:100], note.strip()[:500]
    found.save()
    _record(f"balance_confirmation.{found.status}", found, by=by, at=at, through=through)
    return found


def _locked(confirmation_id: int, by: User | None) -> Confirmation:
    mine = Confirmation.objects.visible_to(by) if by else Confirmation.objects.all()
    found = mine.select_for_update(of=("self",)).filter(pk=confirmation_id).first()
    if found is None:
        raise NotFound("There is no such confirmation.", field="confirmation")
    return found


def _record(name: str, one: Confirmation, *, by: User | None, at: datetime, through: str) -> None:
    activity.record(
        name, kind=KIND, number=one.number, at=at, by=by, through=through, vendor_id=one.vendor_id,
        data={"as_of": f"{one.as_of}"},
    )  # fmt: skip
