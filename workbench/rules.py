"""Turning stored facts into what a person reads: the sentences of orders, decisions, runs, events and alerts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

Reason = Mapping[str, Any]


def plain(value: Decimal) -> str:
    """A quantity in a sentence: 1,250 and not 1250.00000."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def words(code: str) -> str:
    """A code as a heading: approval_expired is Approval expired."""
    text = code.replace("_", " ").replace(".", " ").strip()
    return text[:1].upper() + text[1:]


# ── Reasons ─────────────────────────────────────────────────────────────

BLOCKING = {
    "inactive": ("The vendor is not active", "Activate the vendor, or give the policy another one."),
    "not_approved": ("No approval for this process", "Approve the vendor for the process, or name another vendor."),
    "approval_expired": ("The approval has run out", "Renew the approval, or name another vendor."),
    "no_price": ("No price", "Agree a price for this part and process, or name another vendor."),
    "no_rate": ("No exchange rate", "Enter a rate for the vendor's currency."),
    "below_minimum": ("Less than the vendor takes", "Put it together with other orders, or agree a smaller minimum."),
    "above_maximum": ("More than the vendor takes", "Split it, or name another vendor."),
    "no_capacity": ("No capacity left in that week", "Move the date, raise the capacity, or name another vendor."),
    "item_blocked": ("The part is blocked", "Release the part, or cancel the production order."),
}
TITLES = {
    "planners_word": "The planner's word",
    "flag_no": "The plan keeps it inside",
    "flag_yes": "The plan sends it outside",
    "no_policy": "No policy and no vendor",
    "policy_matched": "Policy {policy} applies",
    "policy_skipped": "Policy {policy} does not apply",
    "vendor_chosen": "{vendor} is chosen",
    "vendor_qualifies": "{vendor} qualifies",
    "work_center_vendor": "The external work center has a vendor of its own",
    "default_inside": "Nothing sends it outside",
    "already_ordered": "Already ordered",
    "nothing_to_order": "Nothing left to order",
    "late_by": "The date cannot be kept",
}
# Which reason says the most about a verdict, the best first.
DECIDING = {
    "outsource": ("already_ordered", "vendor_chosen", "work_center_vendor", "planners_word", "policy_matched"),
    "review": ("no_policy", "policy_matched"),
    "in_house": ("planners_word", "flag_no", "policy_matched", "default_inside"),
    "blocked": ("policy_matched",),
}
GOOD = {"policy_matched", "vendor_chosen", "work_center_vendor", "planners_word", "already_ordered"}
WARNING = {"late_by", "no_policy", "price_open", "review"}
# What a reason carries beside its code, its subject and its sentence is what was compared.
NOT_COMPARED = {"code", "policy", "vendor", "vendor_name", "policy_name", "detail", "subject", "outcome"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: how it came out as colour and sign, in a heading, a sentence and compared values."""

    tone: str
    glyph: str
    title: str
    text: str
    compared: tuple[str, ...]
    outcome: str


def step(reason: Reason, names: Mapping[str, str]) -> Step:
    """A reason as a step. `names` gives the vendors' names by code."""
    code = str(reason.get("code", ""))
    vendor = str(reason.get("vendor") or "")
    shown_vendor = names.get(vendor) or vendor
    if code in BLOCKING:
        tone, glyph = "bad", "x"
        title = (
            f"{shown_vendor}: {BLOCKING[code][0][0].lower()}{BLOCKING[code][0][1:]}" if vendor else BLOCKING[code][0]
        )
    else:
        tone, glyph = (
            ("ok", "check") if code in GOOD else ("warn", "alert-triangle") if code in WARNING else ("mute", "minus")
        )
        title = TITLES.get(code, words(code)).format(policy=reason.get("policy") or "", vendor=shown_vendor).strip()
        if vendor and "{vendor}" not in TITLES.get(code, ""):
            title = f"{shown_vendor}: {title[:1].lower()}{title[1:]}"
    compared = tuple(
        f"{words(str(key)).lower()} {_shown(value)}"
        for key, value in reason.items()
        if key not in NOT_COMPARED and value not in (None, "", [], {}) and not isinstance(value, list | dict)
    )
    return Step(tone, glyph, title, str(reason.get("detail") or ""), compared, str(reason.get("outcome") or ""))


def policy_steps(reasons: Sequence[Reason], names: Mapping[str, str]) -> list[Step]:
    """What decided whether it goes outside, in the order it was looked at."""
    return [step(reason, names) for reason in reasons if not reason.get("vendor")]


def vendor_steps(reasons: Sequence[Reason], names: Mapping[str, str]) -> list[Step]:
    """The vendors that were weighed, in rank order."""
    return [step(reason, names) for reason in reasons if reason.get("vendor")]


def because(verdict: str, reasons: Sequence[Reason]) -> str:
    """The one sentence that says why: what blocks it, what asks for a person, who was chosen, what keeps it inside."""

    if verdict == "blocked":
        found = list(dict.fromkeys(said(reason) for reason in reasons if reason.get("code") in BLOCKING))
        if found:
            return " ".join(sentence if sentence.endswith(".") else f"{sentence}." for sentence in found[:3])
    for code in DECIDING.get(verdict, ()):
        for reason in reasons:
            if reason.get("code") == code:
                return said(reason)
    return said(reasons[-1]) if reasons else ""


def said(reason: Reason) -> str:
    """A reason's own sentence, else its code in words."""
    return str(reason.get("detail") or words(str(reason.get("code", ""))))


def answer(verdict: str, awarded: Sequence[tuple[str, Decimal]], unit: str) -> str:
    """The verdict as an answer. `awarded` is vendor and quantity, by rank."""
    if verdict == "in_house":
        return "It stays inside."
    if verdict == "review":
        return "A person must say."
    if verdict == "blocked":
        return "It should go outside, and cannot."
    if not awarded:
        return "It goes outside, and all of it is ordered."
    shares = [f"{plain(quantity)} {unit}".strip() + f" to {vendor}" for vendor, quantity in awarded]
    return f"It goes outside: {' and '.join(shares)}."


# ── Orders, runs ────────────────────────────────────────────────────────


def order_sentence(works: Sequence[str], parts: Sequence[str], vendor: str) -> str:
    """What an order is about in one sentence: "Anodise, black of Pump housing 10482-B at Alpen Eloxal"."""
    unique_works, unique_parts = list(dict.fromkeys(works)), list(dict.fromkeys(parts))
    work = unique_works[0] if len(unique_works) == 1 else f"{len(unique_works)} kinds of work"
    part = unique_parts[0] if len(unique_parts) == 1 else f"{len(unique_parts)} parts"
    return f"{work} of {part} at {vendor}" if unique_parts else f"An empty order at {vendor}"


def run_sentence(
    *, state: str, operations: int, outside: int, made: int, changed: int, withdrawn: int, is_dry: bool
) -> str:
    """What a run did, or is doing, in one sentence."""
    if state == "waiting":
        return "Waiting for its turn."
    if state == "deciding":
        return "Reading the plan and deciding every open operation."
    if state == "failed":
        return "Stopped before it was done. What it had finished stands; starting again continues from there."
    looked = f"{operations:,} operations looked at, {outside:,} go outside"
    if state == "writing":
        return f"{looked}. Writing the document sets."
    if is_dry:
        return f"{looked}. Nothing was written."
    if not (made or changed or withdrawn):
        return f"{looked}. Everything was ordered already, so nothing changed."
    return f"{looked}: {made:,} made, {changed:,} changed, {withdrawn:,} withdrawn."


# ── Events, changes ─────────────────────────────────────────────────────

EVENT_LOOKS = {
    "created": ("mute", "file-plus"),
    "made": ("mute", "file-plus"),
    "changed": ("info", "refresh"),
    "approved": ("ok", "check"),
    "sent": ("brand", "send"),
    "acknowledged": ("brand", "thumb-up"),
    "held": ("bad", "hand-stop"),
    "cancelled": ("bad", "x"),
    "closed": ("ok", "lock"),
    "reopened": ("warn", "lock-open"),
}


def event_look(name: str) -> tuple[str, str]:
    """Colour and sign of an event by the last part of its name: order.approved is a green tick."""
    return EVENT_LOOKS.get(name.rpartition(".")[2], ("mute", "point"))


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after."""

    name: str
    before: str
    after: str


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two states of a thing; a field that only one of them has counts as changed."""
    found = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            found.append(Change(words(name), _shown(old), _shown(new)))
    return found


def _shown(value: Any) -> str:
    """A value as a person writes it: a day as 14 Dec 2026, a quantity without needless zeros."""
    if value in (None, ""):
        return "–"
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = date.fromisoformat(text)
        return f"{day.day} {day:%b %Y}"
    return plain(Decimal(text)) if re.fullmatch(r"-?\d+\.\d+", text) else text
