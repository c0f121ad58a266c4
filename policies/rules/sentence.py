"""A policy as one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from policies.rules.reasons import listed, plain
from policies.rules.values import HUNDRED, PolicyValues, PolicyVendorValues


def policy_sentence(policy: PolicyValues, vendor_names: Mapping[int, str]) -> str:
    """A policy as one sentence: "Zinc plating of any item at plant 1, when WC-PLATE is over 90 % in the week, goes to Galva or,
    if it cannot, Nordic."
    """
    words = policy.scope_words
    what = words.get("process") or "Every operation"
    if "item" in words:
        what += f" of {words['item']}"
    elif "item_group" in words:
        what += f" of any item of group {words['item_group']}"
    elif "process" in words:
        what += " of any item"
    is_of_center = policy.load_above_pct is not None or policy.when_down
    if "work_center" in words and ("process" not in words or not is_of_center):
        what += f" on {words['work_center']}"
    if "site" in words:
        what += f" at {words['site']}"
    when = _conditions(policy)
    parts = f"{what}, {when}," if when else what
    said = f"{parts[0].upper()}{parts[1:]} {_goes(policy, vendor_names)}"
    return said if said.endswith(".") else f"{said}."  # a name may end on one: Custom Frames, Inc.


def _conditions(policy: PolicyValues) -> str:
    center = policy.scope_words.get("work_center", "its work center")
    said: list[str] = []
    if policy.load_above_pct is not None:
        said.append(f"when {center} is over {plain(policy.load_above_pct)} % in the week")
    if policy.when_down:
        said.append(f"when {center} is down")
    if policy.late_days is not None:
        said.append(f"when it would be {policy.late_days} days late or more inside")
    if policy.quantity_from is not None and policy.quantity_to is not None:
        said.append(f"for quantities from {plain(policy.quantity_from)} to {plain(policy.quantity_to)}")
    elif policy.quantity_from is not None:
        said.append(f"for quantities from {plain(policy.quantity_from)}")
    elif policy.quantity_to is not None:
        said.append(f"for quantities up to {plain(policy.quantity_to)}")
    if policy.cost_below_pct is not None:
        said.append(f"when that costs at most {plain(policy.cost_below_pct)} % of the cost inside")
    if policy.season_from is not None or policy.season_to is not None:
        said.append(_window("in the season", policy.season_from, policy.season_to))
    if policy.transition_from is not None:
        share = HUNDRED if policy.transition_share_pct is None else policy.transition_share_pct
        said.append(f"{plain(share)} % of the quantity from {plain(policy.transition_from)} on")
    if policy.valid_from is not None or policy.valid_to is not None:
        said.append(_window("valid", policy.valid_from, policy.valid_to))
    return listed(said) if said else ""


def _window(word: str, first: date | None, last: date | None) -> str:
    return word + (f" from {plain(first)}" if first else "") + (f" to {plain(last)}" if last else "")


def _goes(policy: PolicyValues, vendor_names: Mapping[int, str]) -> str:
    if policy.verdict == "in_house":
        return "stays inside"
    if policy.verdict == "review":
        return "waits for a person to say"
    bought = "is bought complete from" if policy.verdict == "buy_complete" else "goes to"
    names = [_vendor(policy, row, vendor_names.get(row.vendor_id, "")) for row in policy.vendors]
    if not names:
        return f"{bought} the vendor of its work center" if policy.verdict == "outsource" else f"{bought} nobody yet"
    if policy.split == "share":
        return f"is divided between {listed(names)}"
    if policy.split == "capacity":
        return f"is divided by what they can take between {listed(names)}"
    if len(names) == 1:
        return f"{bought} {names[0]}"
    if policy.strategy == "lowest_cost":
        return f"{bought} the cheapest of {listed(names)}"
    if policy.strategy == "earliest":
        return f"{bought} the fastest of {listed(names)}"
    if policy.strategy == "quota":
        return f"{bought} {listed(names, 'or')} by quota"
    return f"{bought} {' or, if it cannot, '.join(names)}"


def _vendor(policy: PolicyValues, row: PolicyVendorValues, name: str) -> str:
    """A vendor with what he may be given: "Galva (60 %, up to 100 a week, from 10 to 50 at once)"."""
    terms: list[str] = []
    if row.share_pct is not None and (policy.split == "share" or policy.strategy == "quota"):
        terms.append(f"{plain(row.share_pct)} %")
    if row.weekly_capacity is not None:
        terms.append(f"up to {plain(row.weekly_capacity)} a week")
    if row.quantity_from is not None:
        most = "" if row.quantity_to is None else f" to {plain(row.quantity_to)}"
        terms.append(f"from {plain(row.quantity_from)}{most} at once")
    elif row.quantity_to is not None:
        terms.append(f"up to {plain(row.quantity_to)} at once")
    return f"{name} ({', '.join(terms)})" if terms else name
