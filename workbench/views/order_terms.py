"""What an order's page says of its terms: what is asked of the vendor, what a person has set, what waits to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from policies.models import Inspection
from subcontract_orders.models import OrderLine, SubcontractOrder
from workbench import rules
from workbench.templatetags.workbench import day, quantity

TOLERANCES = (
    ("over_receipt_pct", gettext_lazy("more may come")),
    ("under_receipt_pct", gettext_lazy("less is enough")),
    ("over_send_pct", gettext_lazy("more may be sent")),
    ("price_tolerance_pct", gettext_lazy("dearer may be invoiced")),
    ("quantity_tolerance_pct", gettext_lazy("more may be invoiced")),
)


def terms(line: OrderLine) -> list[str]:
    """Certificates, inspection and tolerances of a line, those there are."""
    said = []
    if line.certificates:
        said.append(_("certificates: {which}").format(which=", ".join(map(str, line.certificates))))
    if line.inspection == Inspection.ALL:
        said.append(_("all pieces are inspected"))
    elif line.inspection == Inspection.SAMPLE:
        share = _("{share} % are inspected").format(share=quantity(line.sample_pct))
        said.append(share if line.sample_pct else _("a sample is inspected"))
    said += [f"{quantity(value)} % {words}" for name, words in TOLERANCES if (value := getattr(line, name))]
    return said


def pins(line: OrderLine, today: date) -> list[str]:
    """The fields a person has set, with who, when and why; runs leave them."""
    said = []
    for name, pin in line.pinned.items():
        pin = pin if isinstance(pin, dict) else {}
        who = " ".join(filter(None, [pin.get("by") and f"by {pin['by']}", _on(pin.get("at"), today)]))
        said.append(": ".join(filter(None, [f"{rules.words(name)} set {who}".strip(), pin.get("reason")])))
    return said


def waiting(shown: SubcontractOrder, lines: Sequence[OrderLine]) -> dict[str, Any] | None:
    """The revision that waits to be approved or sent: what it changes of what the vendor has."""
    if not shown.revision_waits:
        return None
    changed = []
    for line in lines:
        if line.sent_quantity is None:
            continue
        before = {
            "quantity": line.sent_quantity,
            "unit_price": line.sent_unit_price,
            "need_date": line.sent_need_date,
            "promised_date": line.sent_promised_date,
            "receive_at": line.receive_at_in_force,
        }
        found = rules.changes(before, {name: getattr(line, name) for name in before})
        if found:
            changed.append({"line": line.line_no, "changes": found})
    step = "approved" if shown.approved_at is None else "sent"
    return {"revision": shown.revision, "in_force": shown.revision - 1, "step": step, "lines": changed}


def _on(at: Any, today: date) -> str:
    try:
        return f"on {day(datetime.fromisoformat(str(at)), today)}" if at else ""
    except ValueError:
        return ""
