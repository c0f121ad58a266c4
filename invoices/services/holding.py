"""What a person says about an invoice: let pass what holds it, dispute it, take it out again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.refusals import NoRight, WrongState
from core.retries import retried
from invoices.models import HoldCode, Invoice, InvoiceStatus
from invoices.services.entering import record
from invoices.services.matching import MATCHABLE, lock_invoice, must_be, say_held
from invoices.services.posting import check_still_fits


class OwnInvoice(NoRight):
    """Who entered an invoice does not release it."""


class PriceStillOpen(WrongState):
    """A price is set by a buyer, on the order; nobody lets it pass."""


@retried
@transaction.atomic
def release_invoice(
    *,
    invoice_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Let a held invoice pass as it is. Somebody else does than who entered it.

    Raises NotFound, Stale, WrongState (not held), OwnInvoice, PriceStillOpen, NoLongerFits (more holds it by now).
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at)
    must_be(invoice, InvoiceStatus.HELD, to="release")
    if by is not None and invoice.entered_by_id == by.pk:
        raise OwnInvoice(f"{invoice} was entered by you; another person with the right releases it.")
    still_open = invoice.holds.filter(code=HoldCode.PRICE_OPEN).first()
    if still_open is not None:
        raise PriceStillOpen(f"{still_open.detail} Then match it again.")
    check_still_fits_keeping_holds(invoice)
    invoice.status = InvoiceStatus.MATCHED
    invoice.released_at, invoice.released_by, invoice.release_reason = at, by, reason.strip()[:300]
    invoice.version += 1
    invoice.save()
    say_held(invoice, [], at=at)
    record("invoice.released", invoice, by=by, at=at, through=through, data={"reason": reason})
    return invoice


def check_still_fits_keeping_holds(invoice: Invoice) -> None:
    """Raises NoLongerFits where more holds it than a person has seen; the reasons stay to be read."""
    seen = list(invoice.holds.all())
    check_still_fits(invoice)
    invoice.holds.all().delete()
    for hold in seen:
        hold.pk = None
        hold.save()


@retried
@transaction.atomic
def dispute_invoice(
    *,
    invoice_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Tell the vendor that it is not paid as it is; it takes no quantities. Raises NotFound, Stale, WrongState."""
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at, settle=False)
    must_be(invoice, InvoiceStatus.ENTERED, InvoiceStatus.MATCHED, InvoiceStatus.HELD, to="dispute")
    invoice.status = InvoiceStatus.DISPUTED
    invoice.disputed_at, invoice.disputed_by, invoice.dispute_reason = at, by, reason.strip()[:300]
    invoice.version += 1
    invoice.save()
    say_held(invoice, [], at=at)
    record("invoice.disputed", invoice, by=by, at=at, through=through, data={"reason": reason})
    return invoice


@retried
@transaction.atomic
def withdraw_invoice(
    *,
    invoice_id: int,
    reason: str = "",
    expected_version: int | None = None,
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Invoice:
    """Take out an invoice that should not have been entered; the vendor's number is free again.

    Raises NotFound, Stale, WrongState (approved: ask for a credit note).
    """
    invoice = lock_invoice(invoice_id, expected_version=expected_version, by=by, at=at, settle=False)
    must_be(invoice, *MATCHABLE, to="withdraw")
    if credit := invoice.credit_notes.exclude(status=InvoiceStatus.WITHDRAWN).first():
        raise WrongState(f"{credit} credits {invoice}; it cannot go without its invoice.")
    invoice.status = InvoiceStatus.WITHDRAWN
    invoice.version += 1
    invoice.save()
    say_held(invoice, [], at=at)
    record("invoice.withdrawn", invoice, by=by, at=at, through=through, data={"reason": reason})
    return invoice
