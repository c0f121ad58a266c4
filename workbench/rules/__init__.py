"""Turning stored facts into what a person reads: the sentences of orders, decisions, runs, events and alerts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from workbench.rules.sentences import told

Reason = Mapping[str, Any]


def plain(value: Decimal) -> str:
    """A quantity in a sentence: 1,250 and not 1250.00000."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def words(code: str) -> str:
    """A code as a heading, in the reader's language: approval_expired is Approval expired."""
    text = code.replace("_", " ").replace(".", " ").strip()
    return gettext(text[:1].upper() + text[1:]) if text else ""


# ── Reasons ─────────────────────────────────────────────────────────────

BLOCKING = {
    "inactive": (_("The vendor is not active"), _("Activate the vendor, or give the policy another one.")),
    "not_approved": (
        _("No approval for this process"),
        _("Approve the vendor for the process, or name another vendor."),
    ),
    "approval_expired": (_("The approval has run out"), _("Renew the approval, or name another vendor.")),
    "no_price": (_("No price"), _("Agree a price for this part and process, or name another vendor.")),
    "no_rate": (_("No exchange rate"), _("Enter a rate for the vendor's currency.")),
    "no_unit_factor": (_("No unit factor"), _("Say how many of the item one price unit holds (item units).")),
    "below_minimum": (
        _("Less than the vendor takes"),
        _("Put it together with other orders, or agree a smaller minimum."),
    ),
    "above_maximum": (_("More than the vendor takes"), _("Split it, or name another vendor.")),
    "no_capacity": (
        _("No capacity left in that week"),
        _("Move the date, raise the capacity, or name another vendor."),
    ),
    "no_vendor": (
        _("The policy names no vendor"),
        _("Name a vendor in the policy, or give the work center one of its own."),
    ),
    "item_blocked": (_("The part is blocked"), _("Release the part, or cancel the production order.")),
}
TITLES = {
    "planners_word": _("The planner's word"),
    "flag_no": _("The plan keeps it inside"),
    "no_policy": _("No policy and no vendor"),
    "policy_matched": _("Policy {policy} applies"),
    "policy_skipped": _("Policy {policy} does not apply"),
    "vendor_chosen": _("{vendor} is chosen"),
    "vendor_compared": _("{vendor} comes out best"),
    "vendor_passed_over": _("{vendor} is passed over"),
    "work_center_vendor": _("The external work center has a vendor of its own"),
    "default_inside": _("Nothing sends it outside"),
    "already_ordered": _("Already ordered at {vendor}"),
    "ends_with": _("Bought complete with its order"),
    "center_moved": _("The work center has another vendor by now"),
    "not_whole": _("It cannot be bought complete any more"),
    "not_bought": _("No policy buys it complete any more"),
    "nothing_to_order": _("Nothing left to order"),
    "late_by": _("The date cannot be kept"),
    "previous_late": _("The operation before is not back in time"),
    "not_named": _("{vendor} is not named by policy {policy} any more"),
    "refused": _("{vendor} does not take it"),
}
# These name a vendor and still speak of the verdict, not of weighing him.
OF_THE_VERDICT = {"center_moved", "planners_word", "work_center_vendor", "already_ordered", "previous_late"}
# Which reason says the most about a verdict, the best first.
DECIDING = {
    "outsource": (
        "vendor_chosen",
        "ends_with",
        "already_ordered",
        "work_center_vendor",
        "planners_word",
        "policy_matched",
    ),
    "review": ("not_whole", "not_bought", "no_policy", "no_vendor", "policy_matched"),
    "in_house": ("planners_word", "flag_no", "policy_matched", "default_inside"),
    "blocked": ("policy_matched",),
}
GOOD = {
    "policy_matched",
    "vendor_chosen",
    "vendor_compared",
    "work_center_vendor",
    "planners_word",
    "already_ordered",
    "ends_with",
}
WARNING = {"center_moved", "not_whole", "not_bought", "late_by", "previous_late", "not_named", "no_policy"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: how it came out as colour and sign, in a heading and in a sentence."""

    tone: str
    glyph: str
    title: str
    text: str


def step(reason: Reason, names: Mapping[str, str]) -> Step:
    """A reason as a step. `names` gives the vendors' names by code."""
    code = str(reason.get("code", ""))
    vendor = str(reason.get("vendor") or "")
    called = names.get(vendor) or vendor
    if code in BLOCKING:
        tone, glyph, title = "bad", "x", gettext(BLOCKING[code][0])
    else:
        title = (
            gettext(TITLES.get(code) or words(code)).format(policy=reason.get("policy") or "", vendor=called).strip()
        )
        if code in GOOD:
            tone, glyph = "ok", "check"
        elif code in WARNING:
            tone, glyph = "warn", "alert-triangle"
        else:
            tone, glyph = "mute", "minus"
    if vendor and code not in OF_THE_VERDICT and not title.startswith(called):
        title = f"{called}: {_inside(title)}"
    return Step(tone, glyph, title, readable(reason, names, under_title=True))


def _inside(sentence: str) -> str:
    """A sentence after a colon: in English it goes on in small letters, in German nouns and sentences keep theirs."""
    is_english = (get_language() or "en").startswith("en")
    return f"{sentence[:1].lower()}{sentence[1:]}" if is_english else sentence


def readable(reason: Reason, names: Mapping[str, str], *, under_title: bool = False) -> str:
    """A reason's sentence with the vendor's name and days as people write them; under its title without saying both twice."""
    text = said(reason)
    vendor, policy = str(reason.get("vendor") or ""), str(reason.get("policy") or "")
    if under_title and vendor:
        text = text.removeprefix(f"Vendor {vendor}: ")
    if policy:
        looked_at = rf"^Policy {re.escape(policy)} \(priority (\d+)\) was looked at: "
        text = re.sub(looked_at, r"Priority \1: " if under_title else f"Policy {policy}: ", text)
    if vendor:
        text = re.sub(rf"\bVendor {re.escape(vendor)}(?!\w)", names.get(vendor) or vendor, text)
        text = re.sub(rf"\bat {re.escape(vendor)}(?!\w)", f"at {names.get(vendor) or vendor}", text)
    text = days_written_out(text)
    text = told(text[:1].upper() + text[1:])
    return text[:1].upper() + text[1:]


def days_written_out(text: str) -> str:
    """Every ISO day in a sentence as people write it: 2026-12-04 is 4 Dec 2026."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda found: _day(found.group()), text)


def said(reason: Reason) -> str:
    """A reason's own sentence, else its code in words."""
    return str(reason.get("detail") or words(str(reason.get("code", ""))))


def policy_steps(reasons: Sequence[Reason], names: Mapping[str, str]) -> list[Step]:
    """What decided whether it goes outside, in the order it was looked at."""
    return [step(reason, names) for reason in reasons if not _weighs_vendor(reason)]


def vendor_steps(reasons: Sequence[Reason], names: Mapping[str, str]) -> list[Step]:
    """The vendors that were weighed, in rank order."""
    return [step(reason, names) for reason in reasons if _weighs_vendor(reason)]


def _weighs_vendor(reason: Reason) -> bool:
    return reason.get("code") not in OF_THE_VERDICT and bool(reason.get("vendor") or reason.get("code") in BLOCKING)


def because(verdict: str, reasons: Sequence[Reason], names: Mapping[str, str]) -> str:
    """The one sentence that says why: what blocks it, what asks for a person, who was chosen, what keeps it inside."""
    if verdict == "blocked":
        found = list(dict.fromkeys(readable(reason, names) for reason in reasons if reason.get("code") in BLOCKING))
        if found:
            return " ".join(found[:3])
    for code in DECIDING.get(verdict, ()):
        for reason in reasons:
            if reason.get("code") == code:
                return readable(reason, names)
    return readable(reasons[-1], names) if reasons else ""


STRATEGIES = {"lowest_cost": "cheapest", "earliest": "earliest", "quota": "quota"}


def why_there(reasons: Sequence[Reason], vendor: str) -> tuple[str, dict[str, str]]:
    """What brought the work to this vendor, in a word and what it speaks of: ("first", {"policy": "PAINT"}).

    The planner's word goes before everything, then how the policy chose among its vendors, then the work center's own vendor.
    """
    of = {str(reason.get("code")): reason for reason in reasons if reason.get("vendor", vendor) == vendor}
    matched = next((reason for reason in reversed(reasons) if reason.get("code") == "policy_matched"), {})
    policy = {"policy": str(matched.get("policy") or "")}
    if "planners_word" in of:
        why = str(of["planners_word"].get("why") or "")
        return ("word", {"why": why}) if why else ("planner", {})
    if matched.get("verdict") == "buy_complete":
        return "complete", policy
    if policy["policy"]:
        strategy = str(of.get("vendor_compared", {}).get("strategy") or "")
        if strategy in STRATEGIES:
            return STRATEGIES[strategy], policy
        rank = str(of.get("vendor_chosen", {}).get("rank") or "")
        if rank.isdigit():
            return ("first", policy) if rank == "1" else ("further", {**policy, "rank": rank})
        return "policy", policy
    if "work_center_vendor" in of:
        return "center", {"center": str(of["work_center_vendor"].get("work_center") or "")}
    return ("before", {}) if "already_ordered" in of else ("", {})


def answer(verdict: str, awarded: Sequence[tuple[str, Decimal]], unit: str) -> str:
    """The verdict as an answer. `awarded` is vendor and quantity, by rank."""
    if verdict == "in_house":
        return told("It stays inside.")
    if verdict == "review":
        return told("A person must say.")
    if verdict == "blocked":
        return told("It should go outside, and cannot.")
    if not awarded:
        return told("It goes outside, and all of it is ordered.")
    shares = [f"{plain(quantity)} {unit}".strip() + f" to {vendor}" for vendor, quantity in awarded]
    return told(f"It goes outside: {' and '.join(shares).rstrip('.')}.")


# ── Orders, runs ────────────────────────────────────────────────────────


def order_sentence(works: Sequence[str], parts: Sequence[str], vendor: str) -> str:
    """What an order is about in one sentence: "Anodise, black of Pump housing 10482-B at Alpen Eloxal"."""
    unique_works, unique_parts = list(dict.fromkeys(works)), list(dict.fromkeys(parts))
    work = unique_works[0] if len(unique_works) == 1 else f"{len(unique_works)} kinds of work"
    part = unique_parts[0] if len(unique_parts) == 1 else f"{len(unique_parts)} parts"
    return told(f"{work} of {part} at {vendor}" if unique_parts else f"An empty order at {vendor}")


def pieces_at_vendor(quantity: Decimal, received: Decimal, parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Pieces that are at the vendor: as many as the material that came is enough for, less those that are back.

    `parts` is required and came (and was not taken back) of each component we supply. Nothing of ours, nothing there.
    """
    if not parts:
        return Decimal(0)
    enough = min(min(came / required, Decimal(1)) for required, came in parts)
    whole = (
        (quantity * enough).to_integral_value(ROUND_FLOOR)
        if quantity == quantity.to_integral_value()
        else quantity * enough
    )
    return max(whole - received, Decimal(0))


def run_sentence(
    *, state: str, operations: int, outside: int, made: int, changed: int, withdrawn: int, is_dry: bool
) -> str:
    """What a run did, or is doing, in one sentence."""
    if state == "waiting":
        return told("Waiting for its turn.")
    if state == "deciding":
        return told("Reading the plan and deciding every open operation.")
    if state == "failed":
        return told("Stopped before it was done. What it had finished stands; starting again continues from there.")
    looked = f"{operations:,} operations looked at, {outside:,} go outside"
    if state == "writing":
        return told(f"{looked}. Writing the document sets.")
    if state == "held":
        return told(f"{looked}. It would change much and waits for a person.")
    if state == "dropped":
        return told(f"{looked}. It was dropped and changed nothing.")
    if is_dry:
        return told(f"{looked}. Nothing was written.")
    if not (made or changed or withdrawn):
        return told(f"{looked}. Everything was ordered already, so nothing changed.")
    return told(f"{looked}: {made:,} order lines made, {changed:,} changed, {withdrawn:,} withdrawn.")


# ── Events, changes ─────────────────────────────────────────────────────

EVENT_LOOKS = {
    "created": ("mute", "file-plus"),
    "made": ("mute", "file-plus"),
    "changed": ("info", "refresh"),
    "approved": ("ok", "check"),
    "approval_withdrawn": ("warn", "arrow-back-up"),
    "sent": ("brand", "send"),
    "acknowledged": ("brand", "thumb-up"),
    "held": ("bad", "hand-stop"),
    "cancelled": ("bad", "x"),
    "closed": ("ok", "lock"),
    "reopened": ("warn", "lock-open"),
    "posted": ("ok", "package-import"),
    "reversed": ("bad", "arrow-back-up"),
    "inspected": ("violet", "clipboard-check"),
    "quarantined": ("bad", "box-off"),
    "consumption_adjusted": ("info", "pencil"),
    "certified": ("ok", "certificate"),
    "waived": ("warn", "player-skip-forward"),
    "corrected": ("info", "pencil"),
    "picked": ("info", "hand-grab"),
    "dispatched": ("brand", "truck-delivery"),
    "delivered": ("ok", "circle-check"),
    "released": ("ok", "player-play"),
    "split": ("info", "arrows-split-2"),
    "counted": ("info", "clipboard-list"),
    "returned": ("info", "truck-return"),
    "ordered": ("brand", "send"),
    "called_off": ("bad", "x"),
    "arrived": ("ok", "circle-check"),
}


def event_look(name: str) -> tuple[str, str]:
    """Colour and sign of an event by the last part of its name: order.approved is a green tick."""
    return EVENT_LOOKS.get(name.rpartition(".")[2], ("mute", "point"))


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after; a field that only one of the two has is a plain fact, and the other is None."""

    name: str
    before: str | None
    after: str | None

    @property
    def fact(self) -> str | None:
        return self.after if self.before is None else self.before if self.after is None else None


CODES = frozenset({"item", "item_revision", "lot", "pieces_after", "receive_at", "shipment", "specification", "vendor"})
"""What is no number, even where it looks like one: revision 1.10 is not 1.1."""


VERDICTS = {
    "in_house": _("Stays inside"),
    "outsource": _("Goes outside"),
    "review": _("A person must say"),
    "blocked": _("Should go outside, and cannot"),
}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two states of a thing, and what only one of them tells."""
    found = []
    for name in dict.fromkeys([*before, *after]):
        shown = _verdict if name == "verdict" else _as_text if name in CODES else _shown
        old = shown(before[name]) if name in before else None
        new = shown(after[name]) if name in after else None
        if old != new:
            found.append(Change(words(name), old, new))
    return found


HIDDEN = {"vendor_countered": {"line"}, "invoice_held": {"reasons"}}
"""What an alert of a kind keeps for its own use; `invoice_held` says its reasons in its title."""


def alert_changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What an alert tells, by kind: lines of a counter-offer one by one, advice as what it saves."""
    if kind == "vendor_countered" and (after.get("lines") or before.get("lines")):
        was = {row["line"]: row for row in before.get("lines", [before]) if "line" in row}
        found = []
        for row in after.get("lines", [after]):
            if "line" not in row:
                continue
            old = was.get(row["line"], {})
            name = f"line {row['line']}"
            found.append(
                Change(
                    name,
                    f"{_shown(old.get('quantity'))} by {_shown(old.get('promised_date'))}" if old else None,
                    f"{_shown(row['quantity'])} by {_shown(row['promised_date'])}",
                )
            )
        return found
    if kind == "batch_opportunity":
        return changes(
            {"extra to the minimum": before.get("top_up")},
            {
                "extra to the minimum": after.get("top_up"),
                "saves": after.get("saves"),
                "wait days": after.get("wait_days"),
            },
        )
    hidden = HIDDEN.get(kind, {"shipment"})
    return changes(
        {name: value for name, value in before.items() if name not in hidden},
        {name: value for name, value in after.items() if name not in hidden},
    )


def alert_in_words(kind: str, headline: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a mail says of an alert in the reader's language: its headline, then what changes, a line each."""
    found = alert_changes(kind, before, after)
    facts = [f"{one.name}: {one.fact if one.fact is not None else f'{one.before} → {one.after}'}" for one in found]
    return [told(headline), *facts]


def _verdict(value: Any) -> str:
    return gettext(VERDICTS[str(value)]) if str(value) in VERDICTS else _as_text(value)


def _as_text(value: Any) -> str:
    return str(value) if value not in (None, "") else "–"


def _shown(value: Any) -> str:
    """A value as a person writes it: a day as 14 Dec 2026, a quantity without needless zeros."""
    if value in (None, ""):
        return "–"
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return _day(text)
    return plain(Decimal(text)) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def _day(text: str) -> str:
    """2026-12-04 as 4 Dec 2026; what is no day stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%b %Y}"


HEATS = 5


def heat(value: Decimal, most: Decimal) -> int:
    """How a value compares with the greatest: 0 for nothing, 1 to 5 for each fifth begun."""
    if value <= 0 or most <= 0:
        return 0
    return min(int(value * HEATS / most) + 1, HEATS)
