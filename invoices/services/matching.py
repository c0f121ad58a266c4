"""Matching an invoice with what was ordered and received, and writing down what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from core.refusals import NotFound, Stale, WrongState
from core.retries import retried
from invoices import rules
from invoices.models import Hold, HoldCode, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, Match
from invoices.services.comparing import Outcome, compare, in_company
from invoices.services.entering import record
from invoices.services.owing import lock_order_lines
from receipts import services as receipts

ZERO = Decimal(0)
HELD_ALERT = "invoice_held"
MATCHABLE = (InvoiceStatus.ENTERED, InvoiceStatus.MATCHED, InvoiceStatus.HELD, InvoiceStatus.DISPUTED)


@retried
@transaction.atomic
def match_invoice(
    *,
    invoice_id: int,
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Compare an invoice with what was received and not invoiced yet: matched, or held with every reason.

    Again it is compared anew; what a release let pass must be let pass again where it is still so. Raises NotFound, Stale,
    WrongState (approved already), NoWeight.
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at)
    must_be(invoice, *MATCHABLE, to="match")
    outcome = compare(invoice)
    keep(invoice, outcome)
    is_first = invoice.status == InvoiceStatus.ENTERED and invoice.matched_at is None
    invoice.matched_alone = not outcome.holds and (is_first or invoice.matched_alone)
    invoice.status = InvoiceStatus.HELD if outcome.holds else InvoiceStatus.MATCHED
    invoice.matched_at = at
    invoice.released_at = invoice.released_by = None
    invoice.release_reason = ""
    invoice.version += 1
    invoice.save()
    say_held(invoice, outcome.holds, at=at)
    codes = sorted({hold.code for hold in outcome.holds})
    record(f"invoice.{invoice.status}", invoice, by=by, at=at, through=through, data={"reasons": codes})
    return invoice


def must_be(invoice: Invoice, *allowed: str, to: str) -> None:
    if invoice.kind == InvoiceKind.CREDIT:
        raise WrongState(f"{invoice} is a credit note; it goes with its invoice.")
    if invoice.status not in allowed:
        raise WrongState(f"{invoice} is {invoice.get_status_display().lower()}; one cannot {to} it.")


def lock_invoice(
    invoice_id: int, *, expected_version: int | None, by: User | None, at: datetime, settle: bool = True
) -> Invoice:
    """Lock an invoice with the orders it is about, in the order everybody locks; bring receipts to the price in force first.

    Raises NotFound, Stale.
    """
    visible = Invoice.objects.visible_to(by) if by else Invoice.objects.all()
    if not visible.filter(pk=invoice_id).exists():
        raise NotFound("There is no such invoice.", field="invoice")
    wanted = set(
        InvoiceLine.objects.filter(invoice=invoice_id, order_line__isnull=False).values_list("order_line", flat=True)
    )
    lock_order_lines(wanted)
    if settle:
        receipts.settle_prices(order_line_ids=wanted, by=by, at=at)
    invoice = Invoice.objects.select_related("vendor", "currency").select_for_update(of=("self",)).get(pk=invoice_id)
    if expected_version not in (None, invoice.version):
        raise Stale("Somebody changed it since it was read. Read it again, then change it.")
    return invoice


def keep(invoice: Invoice, outcome: Outcome) -> None:
    """Write what comparing found in place of what was found before, and what credit notes take off it."""
    Match.objects.filter(line__invoice=invoice).delete()
    Hold.objects.filter(invoice=invoice).delete()
    Match.objects.bulk_create(outcome.matches)
    Hold.objects.bulk_create(outcome.holds)
    for credit in invoice.credit_notes.filter(of_claims=False).exclude(status=InvoiceStatus.WITHDRAWN).order_by("pk"):
        match_credit(credit)


def match_credit(credit: Invoice) -> None:
    """Take a credit note's lines off what its invoice matched: pieces off what was never received first, then the last receipt.

    An amount off the price is shared over the pieces it was asked for.
    """
    Match.objects.filter(line__invoice=credit).delete()
    made: list[Match] = []
    lines = list(credit.lines.order_by("line_no"))
    company = in_company(credit, lines)
    for line in lines:
        stand = list(
            Match.objects.filter(
                line__invoice=credit.credits_id, line__order_line=line.order_line_id, line__kind=line.kind
            ).order_by("pk")
        )
        stand.sort(key=lambda match: (match.receipt_line_id is not None, -match.pk))
        gone, free = _taken_back_before(credit, line), []
        for match in stand:
            used = min(gone, match.quantity)
            gone -= used
            free.append(match.quantity - used)
        if line.taken_back:
            parts = rules.take(line.item_quantity, free)
        else:
            parts = free if any(free) else [abs(match.amount) for match in stand]
        weights = [part for part in parts if part]
        chosen = [match for match, part in zip(stand, parts, strict=True) if part]
        amounts = rules.spread(line.amount, weights, decimals=5)
        companies = rules.spread(company[line.pk], weights, decimals=5)
        for match, part, amount, worth in zip(chosen, weights, amounts, companies, strict=True):
            agreed = rules.five(match.agreed * part / match.quantity) if line.taken_back and match.quantity else ZERO
            exchange = ZERO
            if line.taken_back and match.quantity:
                exchange = rules.five(match.exchange_difference * part / match.quantity)
            made.append(
                Match(
                    line=line, order_line_id=match.order_line_id, receipt_line_id=match.receipt_line_id,
                    quantity=-part if line.taken_back else ZERO, amount=-amount, amount_company=-worth, agreed=-agreed,
                    exchange_difference=-exchange, price_difference=-worth + agreed + exchange,
                )
            )  # fmt: skip
    Match.objects.bulk_create(made)


def _taken_back_before(credit: Invoice, line: InvoiceLine) -> Decimal:
    earlier = Match.objects.filter(
        line__invoice__credits=credit.credits_id, order_line=line.order_line_id, line__taken_back=True
    ).exclude(line__invoice=credit)
    return -(earlier.aggregate(total=Sum("quantity"))["total"] or ZERO)


def say_held(invoice: Invoice, holds: Sequence[Hold], *, at: datetime) -> None:
    """An alert while an invoice is held; none any more when it is not."""
    if not holds:
        activity.close_alerts(kind=HELD_ALERT, subjects=[invoice.number], at=at)
        return
    about = next((hold.line.order_line for hold in holds if hold.line and hold.line.order_line), None)
    said = ", ".join(dict.fromkeys(str(HoldCode(hold.code).label).lower() for hold in holds))
    alert = Alert(
        kind=HELD_ALERT,
        subject=invoice.number,
        severity=Severity.WARNING,
        title=f"Invoice {invoice.vendor_number} of {invoice.vendor} ({invoice}) is held: {said}"[:300],
        order_number=about.order.number if about else "",
        line_no=about.line_no if about else None,
        production_order=about.production_order.number if about and about.production_order else "",
        operation_no=about.operation_no if about else "",
        site_id=invoice.site_id,
        vendor_id=invoice.vendor_id,
        after={"reasons": ", ".join(sorted({hold.code for hold in holds}))},
        proposes="release",
        due_date=invoice.due_date,
    )
    activity.open_alerts([alert], at=at)
