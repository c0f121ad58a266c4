"""What is shown of policies: a row of their history."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, DateField, DecimalField
from django.utils.formats import date_format, localize
from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.models import User
from activity.models import Event
from policies.models import Policy

FIELDS = {field.name: field for field in Policy._meta.concrete_fields}


class HistoryRow:
    """An event of a policy as the history page of the planning pages reads a row."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self.action_time: datetime = event.at
        self.user: User | None = event.by

    def get_change_message(self) -> str:
        """ "Changed (import): Load above %: 90 → 95"."""
        event = self._event
        what = gettext("Made") if event.name == "policy.made" else gettext("Changed")
        came = "" if event.through == "page" else f" ({event.through})"
        pairs = event.data.get("changed", {})
        changed = "; ".join(_said(name, pairs[name]) for name in (*FIELDS, "vendors") if name in pairs)
        return f"{what}{came}: {changed}" if changed else f"{what}{came}"


def _said(name: str, pair: dict[str, Any]) -> str:
    label = gettext(capfirst(FIELDS[name].verbose_name) if name in FIELDS else capfirst(name)).replace(" pct", " %")
    return f"{label}: {_shown(name, pair['from'])} → {_shown(name, pair['to'])}"


def _shown(name: str, value: Any) -> str:
    field = FIELDS.get(name)
    if isinstance(field, BooleanField):
        return gettext("Yes") if value else gettext("No")
    if name == "vendors":
        return ", ".join(map(_vendor, value)) or "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if value == "" or field is None:
        return str(value) or "–"
    if isinstance(field, DateField):
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    if isinstance(field, DecimalField):
        return localize(Decimal(value))
    words = dict(field.flatchoices)
    return gettext(str(words[value])) if value in words else str(value)


def _vendor(row: dict[str, str]) -> str:
    limits = [
        f"{localize(Decimal(row[name]))} {word}"
        for name, word in (("share_pct", "%"), ("weekly_capacity", gettext("a week")))
        if name in row
    ]
    if "quantity_from" in row or "quantity_to" in row:
        limits.append(
            "–".join(localize(Decimal(row[name])) if name in row else "" for name in ("quantity_from", "quantity_to"))
        )
    return f"{row['vendor']} ({', '.join(limits)})" if limits else row["vendor"]
