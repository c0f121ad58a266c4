"""The letter that asks a vendor to confirm balances, as a PDF."""

from __future__ import annotations

from accounting.models import Confirmation
from masterdata.printing import as_pdf, company


def confirmation_letter(*, confirmation_id: int) -> bytes:
    """Raises PdfUnavailable."""
    found = Confirmation.objects.select_related("vendor").get(pk=confirmation_id)
    lines = found.lines.select_related("item__unit", "lot").order_by("item__code", "lot__code", "stage", "pk")
    return as_pdf("accounting/confirmation_letter.html", {"confirmation": found, "lines": lines, "company": company()})
