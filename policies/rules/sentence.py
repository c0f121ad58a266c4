"""A policy as one plain sentence, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext

from policies.rules.reasons import listed, plain
from policies.rules.values import HUNDRED, PolicyValues, PolicyVendorValues


def policy_sentence(policy: PolicyValues, vendor_names: Mapping[int, str]) -> str:
    """A policy as one sentence: "Zinc plating of any item at plant 1, when WC-PLATE is over 90 % in the week, goes to Galva or,
    if it cannot, Nordic."
    """
    words = policy.scope_words
    what = words.get("process") or gettext("Every operation")
    if "item" in words:
        what += " " + gettext("of {item}").format(item=words["item"])
    elif "item_group" in words:
        what += " " + gettext("of any item of group {group}").format(group=words["item_group"])
    elif "process" in words:
        what += " " + gettext("of any item")
    is_of_center = policy.load_above_pct is not None or policy.when_down
    if "work_center" in words and ("process" not in words or not is_of_center):
        what += " " + gettext("on {center}").format(center=words["work_center"])
    if "site" in words:
        what += " " + gettext("at {site}").format(site=words["site"])
    when = _conditions(policy)
    parts = f"{what}, {when}," if when else what
    said = f"{parts[0].upper()}{parts[1:]} {_goes(policy, vendor_names)}"
    return said if said.endswith(".") else f"{said}."  # a name may end on one: Custom Frames, Inc.


def _conditions(policy: PolicyValues) -> str:
    center = policy.scope_words.get("work_center") or gettext("its work center")
    low, high = _number(policy.quantity_from), _number(policy.quantity_to)
    said: list[str] = []
    if policy.load_above_pct is not None:
        over = gettext("when {center} is over {percent} % in the week")
        said.append(over.format(center=center, percent=_number(policy.load_above_pct)))
    if policy.when_down:
        said.append(gettext("when {center} is down").format(center=center))
    if policy.late_days is not None:
        said.append(gettext("when it would be {days} days late or more inside").format(days=policy.late_days))
    if low and high:
        said.append(gettext("for quantities from {low} to {high}").format(low=low, high=high))
    elif low:
        said.append(gettext("for quantities from {low}").format(low=low))
    elif high:
        said.append(gettext("for quantities up to {high}").format(high=high))
    if policy.cost_below_pct is not None:
        cheap = gettext("when that costs at most {percent} % of the cost inside")
        said.append(cheap.format(percent=_number(policy.cost_below_pct)))
    if policy.season_from is not None or policy.season_to is not None:
        said.append(_window(gettext("in the season"), policy.season_from, policy.season_to))
    if policy.transition_from is not None:
        share = HUNDRED if policy.transition_share_pct is None else policy.transition_share_pct
        part = gettext("{percent} % of the quantity from {day} on")
        said.append(part.format(percent=_number(share), day=_day(policy.transition_from)))
    if policy.valid_from is not None or policy.valid_to is not None:
        said.append(_window(gettext("valid"), policy.valid_from, policy.valid_to))
    return listed(said, gettext("and")) if said else ""


def _window(word: str, first: date | None, last: date | None) -> str:
    said = [word]
    if first:
        said.append(gettext("from {day}").format(day=_day(first)))
    if last:
        said.append(gettext("to {day}").format(day=_day(last)))
    return " ".join(said)


def _goes(policy: PolicyValues, vendor_names: Mapping[int, str]) -> str:
    if policy.verdict == "in_house":
        return gettext("stays inside")
    if policy.verdict == "review":
        return gettext("waits for a person to say")
    goes = gettext("is bought complete from {whom}") if policy.verdict == "buy_complete" else gettext("goes to {whom}")
    names = [_vendor(policy, row, vendor_names.get(row.vendor_id, "")) for row in policy.vendors]
    if not names:
        nobody = gettext("the vendor of its work center") if policy.verdict == "outsource" else gettext("nobody yet")
        return goes.format(whom=nobody)
    every = listed(names, gettext("and"))
    if policy.split == "share":
        return gettext("is divided between {vendors}").format(vendors=every)
    if policy.split == "capacity":
        return gettext("is divided by what they can take between {vendors}").format(vendors=every)
    if len(names) == 1:
        return goes.format(whom=names[0])
    if policy.strategy == "lowest_cost":
        return goes.format(whom=gettext("the cheapest of {vendors}").format(vendors=every))
    if policy.strategy == "earliest":
        return goes.format(whom=gettext("the fastest of {vendors}").format(vendors=every))
    if policy.strategy == "quota":
        return goes.format(whom=gettext("{vendors} by quota").format(vendors=listed(names, gettext("or"))))
    return goes.format(whom=f" {gettext('or, if it cannot,')} ".join(names))


def _vendor(policy: PolicyValues, row: PolicyVendorValues, name: str) -> str:
    """A vendor with what he may be given: "Galva (60 %, up to 100 a week, from 10 to 50 at once)"."""
    low, high = _number(row.quantity_from), _number(row.quantity_to)
    terms: list[str] = []
    if row.share_pct is not None and (policy.split == "share" or policy.strategy == "quota"):
        terms.append(f"{_number(row.share_pct)} %")
    if row.weekly_capacity is not None:
        terms.append(gettext("up to {most} a week").format(most=_number(row.weekly_capacity)))
    if low and high:
        terms.append(gettext("from {low} to {high} at once").format(low=low, high=high))
    elif low:
        terms.append(gettext("from {low} at once").format(low=low))
    elif high:
        terms.append(gettext("up to {high} at once").format(high=high))
    return f"{name} ({', '.join(terms)})" if terms else name


def _number(value: Decimal | None) -> str:
    return "" if value is None else number_format(plain(value))


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT") if (get_language() or "en") != "en" else plain(day)
