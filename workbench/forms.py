"""What people type: the filters of the lists, as they stand in the address, and quantities and days.

A filter that cannot be read is no filter; a quantity or a day that cannot be read is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django import forms
from django.db.models import QuerySet
from django.utils.formats import get_format
from django.utils.translation import gettext

from activity.models import Severity
from core.refusals import Refusal
from subcontract_orders.models import OrderStatus


class ListFilters(forms.Form):
    """Every filter any list knows; each list applies its own."""

    q = forms.CharField(required=False, max_length=100)
    tab = forms.CharField(required=False, max_length=20)
    vendor = forms.CharField(required=False, max_length=60)
    site = forms.CharField(required=False, max_length=60)
    status = forms.ChoiceField(required=False, choices=OrderStatus.choices)
    kind = forms.CharField(required=False, max_length=40)
    severity = forms.ChoiceField(required=False, choices=Severity.choices)
    verdict = forms.CharField(required=False, max_length=10)
    run = forms.CharField(required=False, max_length=20)
    late = forms.BooleanField(required=False)
    due = forms.IntegerField(required=False, min_value=0, max_value=366)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for."""

    q: str = ""
    tab: str = ""
    vendor: str = ""
    site: str = ""
    status: str = ""
    kind: str = ""
    severity: str = ""
    verdict: str = ""
    run: str = ""
    late: bool = False
    due: int | None = None

    def of_whom(self, rows: QuerySet[Any], *, through: str = "") -> QuerySet[Any]:
        """The rows of the vendor and the site asked for; `through` leads from a row to what has both."""
        named = {"vendor": self.vendor, "site": self.site}
        return rows.filter(**{f"{through}{name}__code": code for name, code in named.items() if code})

    @property
    def active(self) -> bool:
        """Whether anything but the tab narrows the list."""
        return bool(
            self.q
            or self.vendor
            or self.site
            or self.status
            or self.severity
            or self.kind
            or self.run
            or self.late
            or self.due is not None
        )


def read_filters(data: object) -> Filters:
    """The filters out of a query string."""
    form = ListFilters(data)  # type: ignore[arg-type]
    form.is_valid()
    return Filters(**{name: value for name, value in form.cleaned_data.items() if value not in (None, "")})


# ── What is typed at the dock ───────────────────────────────────────────


class Unreadable(ValueError):
    """What was typed is no quantity; the text says how to write one."""


def read_quantity(text: str) -> Decimal | None:
    """A quantity as a person types it, with a point or a comma; nothing typed is None. Raises Unreadable.

    What the language on the page writes between thousands can be read in two ways where it stands before three digits; the
    other mark is always the decimal one.
    """
    text = text.strip().replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
    if not text:
        return None
    decimal_mark = get_format("DECIMAL_SEPARATOR")
    thousands_mark = "." if decimal_mark == "," else ","
    if re.fullmatch(rf"\d{{1,3}}({re.escape(thousands_mark)}\d{{3}})+", text):
        whole, parts = text.replace(thousands_mark, ""), text.replace(thousands_mark, decimal_mark)
        raise Unreadable(
            gettext("{text} can be read in two ways: write {whole} or {parts}.").format(
                text=text, whole=whole, parts=parts
            )
        )
    text = text.replace(",", ".")
    if not re.fullmatch(r"-?\d{1,13}(\.\d*)?|-?\.\d+", text):
        raise Unreadable(gettext("{text} is not a quantity: write it like 12 or 0.5.").format(text=text))
    return Decimal(text)


def scanned(text: str) -> str:
    """The number in what a scanner typed: the number itself, or the address a delivery note's code holds."""
    text = text.strip()
    if "://" not in text:
        return text
    address = urlsplit(text)
    code = parse_qs(address.query).get("code")
    parts = [unquote(part) for part in address.path.split("/") if part]
    return code[0].strip() if code else parts[-1] if parts else ""


def read_day(text: str) -> date | None:
    """A day as the browser's own field writes it; None where nothing is typed. Raises Unreadable."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Unreadable(gettext("%(text)s is not a day.") % {"text": text}) from None


def put_beside(refusal: Refusal, rows: Sequence[Any]) -> str:
    """Put a refusal beside the row it is about; what is about no row is returned, to stand above the form."""
    parts = (refusal.field or "").split(".")
    if len(parts) > 1 and parts[0] == "lines" and parts[1].isdecimal() and int(parts[1]) < len(rows):
        rows[int(parts[1])].error = refusal.detail
        if hasattr(rows[int(parts[1])], "at_fault"):
            rows[int(parts[1])].at_fault = parts[2] if len(parts) > 2 else "accepted"
        return ""
    if parts[0] == "lines" and len(rows) == 1:
        rows[0].error = refusal.detail
        if hasattr(rows[0], "at_fault"):
            rows[0].at_fault = parts[1] if len(parts) > 1 else "accepted"
        return ""
    return refusal.detail
