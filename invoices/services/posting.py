"""Approving for payment: what was asked beyond what was accrued goes to the pieces still here, else to price variance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from core.refusals import Refusal
from core.retries import retried
from inventory import services as ledger
from inventory.services import LateValue
from invoices import rules
from invoices.models import Invoice, InvoiceStatus, LineKind, Match
from invoices.services.comparing import compare
from invoices.services.entering import KIND, record
from invoices.services.matching import keep, lock_invoice, must_be
from receipts.models import ReceiptLine, ReceiptLot, ReceiptStatus, ReturnLine
from subcontract_orders import services as orders

ZERO = Decimal(0)


class NoLongerFits(Refusal):
    """What was matched, or let pass, is no longer all that holds it."""

    code = "over_invoice"


@retried
@transaction.atomic
def approve_invoice(
    *,
    invoice_id: int,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Approve a matched invoice for payment and book its differences; its credit notes go with it.

    It is compared once more: raises NoLongerFits where pieces went back, were taken by another invoice, or a price changed since.
    Raises NotFound, Stale, WrongState.
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at)
    must_be(invoice, InvoiceStatus.MATCHED, to="approve")
    check_still_fits(invoice)
    invoice.status, invoice.approved_at, invoice.approved_by = InvoiceStatus.APPROVED, at, by
    invoice.version += 1
    invoice.save()
    post_differences(invoice, by=by, at=at)
    for credit in invoice.credit_notes.exclude(status=InvoiceStatus.WITHDRAWN).order_by("pk"):
        post_credit(credit, by=by, at=at, through=through)
    tell_paid_prices(invoice)
    record("invoice.approved", invoice, by=by, at=at, through=through, data={"net": f"{invoice.net}"})
    return invoice


def check_still_fits(invoice: Invoice) -> None:
    """Compare it anew; what held it before and was let pass may hold it still, by as much, nothing else. Raises NoLongerFits."""
    let_pass = {(hold.line_id, hold.code): hold.excess for hold in invoice.holds.all()}
    outcome = compare(invoice)
    for hold in outcome.holds:
        seen = let_pass.get((hold.line.pk if hold.line else None, hold.code))
        if seen is None or hold.excess > seen:
            raise NoLongerFits(f"{invoice} no longer fits; match it again. {hold.detail}", code=hold.code)
    keep(invoice, outcome)


def post_credit(credit: Invoice, *, by: User | None, at: datetime, through: str) -> None:
    """A credit note lowers what is paid, so it needs no release: it is in the books with its invoice."""
    credit.status, credit.approved_at, credit.approved_by = InvoiceStatus.APPROVED, at, by
    credit.version += 1
    credit.save()
    post_differences(credit, by=by, at=at)
    record("invoice.credited", credit, by=by, at=at, through=through, data={"invoice": credit.credits_id})


def post_differences(invoice: Invoice, *, by: User | None, at: datetime) -> None:
    """Book each match's difference and write down where it went."""
    matches = list(
        Match.objects.filter(line__invoice=invoice)
        .select_related("line", "receipt_line", "order_line__order")
        .order_by("order_line__item", "pk")
    )
    post_matches(matches, invoice, by=by, at=at)


def post_matches(matches: Sequence[Match], invoice: Invoice, *, by: User | None, at: datetime) -> None:
    """Book the differences of some of an invoice's matches."""
    for match in matches:
        if match.difference:
            values = _values(match, invoice)
            placed = ledger.post_late_value(
                values, kind=KIND, number=invoice.number, occurred_at=at, recorded_at=at, by=by
            )
            match.to_stock = sum((one.to_stock for one in placed), ZERO)
            match.to_variance = sum((one.to_variance for one in placed), ZERO)
        match.posted_at = at
    Match.objects.bulk_update(matches, ["to_stock", "to_variance", "posted_at"], batch_size=500)


# Of each order line the invoice approved last, its credit notes taken off it; what went back whole was not paid.
PAID = """
    SELECT DISTINCT ON (x.order_line_id) x.order_line_id, round(x.amount / x.quantity * ol.price_factor, 5), x.approved_at
    FROM (
        SELECT m.order_line_id, b.id, b.approved_at, sum(m.quantity) AS quantity, sum(
            CASE WHEN i.currency_id = o.currency_id THEN m.amount ELSE m.amount_company / force.rate END) AS amount
        FROM invoices_match m
        JOIN invoices_invoiceline l ON l.id = m.line_id AND l.kind = 'work'
        JOIN invoices_invoice i ON i.id = l.invoice_id AND i.status IN ('approved', 'exported')
        JOIN invoices_invoice b ON b.id = coalesce(i.credits_id, i.id)
        JOIN subcontract_orders_orderline ol ON ol.id = m.order_line_id
        JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id
        CROSS JOIN LATERAL (
            SELECT coalesce(nullif(coalesce(ol.sent_amount_company, ol.amount_company), 0)
                / nullif(coalesce(ol.sent_amount, ol.amount), 0), 1) AS rate
        ) force
        WHERE m.order_line_id = ANY(%s)
        GROUP BY m.order_line_id, b.id
    ) x
    JOIN subcontract_orders_orderline ol ON ol.id = x.order_line_id
    WHERE x.quantity > 0 AND round(x.amount / x.quantity * ol.price_factor, 5) > 0
    ORDER BY x.order_line_id, x.approved_at DESC, x.id DESC
"""


def tell_paid_prices(invoice: Invoice) -> None:
    """Write what was paid on the order lines of an invoice that is in the books; estimates begin with it."""
    keys = list(invoice.lines.filter(kind=LineKind.WORK).order_by().values_list("order_line", flat=True).distinct())
    prices: dict[int, tuple[Decimal, datetime] | None] = dict.fromkeys(keys)
    with connection.cursor() as cursor:
        cursor.execute(PAID, [keys])
        prices |= {pk: (price, moment) for pk, price, moment in cursor.fetchall()}
    orders.note_paid(prices)


def _values(match: Match, invoice: Invoice) -> list[LateValue]:
    """A match's difference on the pieces it is for: those of its receipt line, or of all of the order line's receipts."""
    line_no = match.line.line_no
    reason = f"{invoice.vendor_number} line {line_no}"[:200]
    if match.receipt_line is not None:
        pieces = (
            abs(match.quantity) or _kept([match.receipt_line])[match.receipt_line.pk] or match.receipt_line.accepted
        )
        return _of_receipt(match.receipt_line, pieces, match.difference, line_no=line_no, reason=reason)
    rows: Sequence[ReceiptLine] = ()
    if match.line.is_charge:
        posted = ReceiptLine.objects.filter(order_line=match.order_line_id, receipt__status=ReceiptStatus.POSTED)
        rows = list(posted.filter(accepted__gt=0).order_by("pk"))
    if not rows:  # never received: there is nothing that could be worth more
        line = match.order_line
        return [LateValue(line.item_id, line.receive_at_id, ZERO, match.difference, line=line_no, reason=reason)]
    kept = _kept(rows)
    if not any(kept.values()):  # all of it went back: pieces that have gone bear it
        kept = {row.pk: row.accepted for row in rows}
    shares = rules.spread(match.difference, [kept[row.pk] for row in rows], decimals=5)
    return [
        value
        for row, share in zip(rows, shares, strict=True)
        if share
        for value in _of_receipt(row, kept[row.pk], share, line_no=line_no, reason=reason)
    ]


def _kept(rows: Sequence[ReceiptLine]) -> dict[int, Decimal]:
    """What was accepted and has not gone back: pieces that come again are those of the receipt they come with."""
    back = ReturnLine.objects.gone().filter(receipt_line__in=rows).order_by()
    gone: dict[int, Decimal] = dict(back.values_list("receipt_line").annotate(Sum("quantity")))
    return {row.pk: max(row.accepted - gone.get(row.pk, ZERO), ZERO) for row in rows}


def _of_receipt(row: ReceiptLine, pieces: Decimal, value: Decimal, *, line_no: int, reason: str) -> list[LateValue]:
    lots = list(ReceiptLot.objects.filter(line=row).order_by("pk").values_list("lot", "quantity"))
    taken = rules.take(pieces, [quantity for _, quantity in lots])
    of_lots: list[tuple[int | None, Decimal]] = [
        (lot, part) for (lot, _), part in zip(lots, taken, strict=True) if part
    ]
    parts = of_lots or [(None, pieces)]
    shares = rules.spread(value, [part for _, part in parts], decimals=5)
    return [
        LateValue(row.item_id, row.location_id, part, share, lot, row.stage, line=line_no, reason=reason)
        for (lot, part), share in zip(parts, shares, strict=True)
        if share
    ]
