"""Reasons as sentences a buyer reads. Made only when a decision is written or shown: deciding keeps tuples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from policies.rules.values import PolicyValues, Reason

Sentence = tuple[str, dict[str, Any]]
"""What a person reads, and the compared values for machines."""

SCOPE_WORDS = (
    ("item", "item"), ("item_group", "item group"), ("process", "process"), ("work_center", "work center"), ("site", "site"),
)  # fmt: skip


def plain(value: object) -> str:
    """A number without idle zeros, a date as ISO, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def money(amount: object) -> str:
    """An amount or price with thousands marks, as pages write them."""
    return f"{amount:,f}" if isinstance(amount, Decimal) else plain(amount)


def percent(value: object) -> str:
    return plain(value.quantize(Decimal("0.1")) if isinstance(value, Decimal) else value)


def scope_sentence(policy: PolicyValues) -> str:
    """What in the scope fits: "process Zinc plating and site 1 fit"; of a policy without scope "it is for every operation"."""
    words = [f"{word} {policy.scope_words[name]}" for name, word in SCOPE_WORDS if name in policy.scope_words]
    if not words:
        return "it is for every operation"
    return f"{listed(words)} {'fits' if len(words) == 1 else 'fit'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """A, B and C."""
    *most, end = list(words)
    return f"{', '.join(most)} {last} {end}" if most else end


# --- one reason -----------------------------------------------------------------------------------------------------


def _planners_word(reason: Reason) -> Sentence:
    word, vendor, why, by, at = reason.values
    who = f"The planner's word{f' ({by}, {plain(at)})' if by and at else ''}"
    said = "keep it inside" if word == "in_house" else f"outside at {vendor}" if vendor else "outside"
    return f"{who}: {said}{f', because {why}' if why else ''}.", {"word": word, "by": by, "at": plain(at), "why": why}


def _skipped(reason: Reason) -> Sentence:
    _, field, found, limit = reason.values
    have, want = plain(found), plain(limit)
    sentences = {
        "valid_from": f"the planned start {have} is before it becomes valid on {want}",
        "valid_to": f"the planned start {have} is after its last day {want}",
        "quantity_from": f"quantity {have} is below its limit of {want}",
        "quantity_to": f"quantity {have} is above its limit of {want}",
        "season_from": f"the planned start {have} is before its season begins on {want}",
        "season_to": f"the planned start {have} is after its season ends on {want}",
        "transition_from": f"the planned start {have} is before its transition begins on {want}",
        "transition_share_pct": f"{percent(found)} % of the quantity went out so far; staying keeps its share of {want} %",
        "when_down": f"the work center is not down between {have} and {want}",
        "late_days": f"inside it would be {have} days late, fewer than {want}",
        "load_above_pct": (
            f"the work center is loaded to {percent(found)} % in that week, not above {want} %"
            if found is not None
            else "the operation has no work center of ours whose load could be above its limit"
        ),
        "cost_below_pct": (
            f"outside costs {percent(found)} % of inside, more than {want} %"
            if found is not None
            else f"its limit of {want} % of the cost inside cannot be compared: one of the two costs is not known"
        ),
    }
    return sentences[field], {"condition": field, "found": have, "limit": want}


def _policy_skipped(reason: Reason) -> Sentence:
    detail, values = _skipped(reason)
    return f"{reason.values[0]}{detail}, so it does not apply.", values


def _policy_matched(reason: Reason) -> Sentence:
    looked, verdict, *rest = reason.values
    held = rest[0] if rest else ()
    values: dict[str, Any] = {"verdict": verdict}
    if held:
        values["held"] = [
            {"condition": name, "found": plain(found), "limit": plain(limit)} for name, found, limit in held
        ]
    said = "".join(f"{_held(*one)}; " for one in held)
    return f"{looked}{said}it applies, {MATCHED[verdict]}.", values


def _held(field: str, found: object, limit: object) -> str:
    """A condition that holds, as a part of a sentence."""
    have, want = plain(found), plain(limit)
    sentences = {
        "quantity_from": f"quantity {have} is {want} or more",
        "quantity_to": f"quantity {have} is at most {want}",
        "season_from": f"the planned start {have} is in its season from {want}",
        "season_to": f"the planned start {have} is in its season to {want}",
        "transition_from": f"the planned start {have} is after its transition began on {want}",
        "transition_share_pct": f"with it {percent(found)} % of the quantity went out, {want} % are to",
        "when_down": f"the work center is down from {have} to {want}",
        "late_days": f"inside it would be {have} days late, {want} or more",
        "load_above_pct": (
            f"with it the work center is loaded to {percent(found)} % in that week, above {want} %"
            if found is not None
            else f"the work center cannot work in that week, so any work is above {want} %"
        ),
        "cost_below_pct": f"outside costs {percent(found)} % of inside, at most {want} %",
    }
    return sentences[field]


def _vendor_chosen(reason: Reason) -> Sentence:
    rank, quantity, unit_price, price_unit, total, currency, order_by, dispatch_by, is_estimate = reason.values
    each = f"{money(unit_price.normalize())} {currency} {f'for one {price_unit}' if price_unit else 'each'}"
    estimate = " (an estimate, the price is to be confirmed)" if is_estimate else ""
    return (
        f"Vendor {reason.vendor} qualifies and takes {plain(quantity)}: {each}{estimate}, {money(total)} {currency} in all; "
        f"order by {plain(order_by)}, dispatch by {plain(dispatch_by)}.",
        {
            "rank": rank,
            "quantity": plain(quantity),
            "unit_price": plain(unit_price),
            "amount": f"{total:f}",
            "currency": currency,
        },
    )


def _compared(reason: Reason) -> Sentence:
    strategy, measure, best, *unit = reason.values
    chosen = reason.code == "vendor_compared"
    name = f"Vendor {reason.vendor}"
    if strategy == "lowest_cost":
        cost, lowest = (" ".join((money(one), *unit)) for one in (measure, best))
        text = f"{name} would cost {cost} in all{', the lowest' if chosen else f', the lowest is {lowest}'}."
    elif strategy == "earliest":
        text = f"{name} could deliver by {plain(measure)}{', the earliest' if chosen else f', the earliest is {plain(best)}'}."
    else:
        text = (
            f"{name} would leave a mean deviation of {percent(measure)} points from the target shares"
            f"{', the smallest' if chosen else f', the smallest is {percent(best)}'}."
        )
    return text, {"strategy": strategy, "found": plain(measure), "best": plain(best)}


def _not_approved(reason: Reason) -> Sentence:
    process, status = reason.values
    if status:
        text = f"Vendor {reason.vendor}: approval for {process} is {status}."
    else:
        text = f"Vendor {reason.vendor}: {process} requires an approval and he has none."
    return text, {"process": process, "status": status}


def _approval_expired(reason: Reason) -> Sentence:
    process, valid_to, ships_on = reason.values
    return (
        f"Vendor {reason.vendor}: approval for {process} ends on {plain(valid_to)}, before the ship date {plain(ships_on)}.",
        {"process": process, "valid_to": plain(valid_to), "ships_on": plain(ships_on)},
    )


def _no_price(reason: Reason) -> Sentence:
    quantity, day, is_known = reason.values
    values = {"quantity": plain(quantity), "day": plain(day)}
    if is_known:
        return f"Vendor {reason.vendor}: the price row that counts for {plain(quantity)} has no price yet.", values
    return f"Vendor {reason.vendor}: no price for {plain(quantity)} is valid on {plain(day)}.", values


def _above_maximum(reason: Reason) -> Sentence:
    quantity, limit = reason.values
    if limit is None:
        return f"Vendor {reason.vendor}: {plain(quantity)} would cost more than an order can hold.", {
            "quantity": plain(quantity)
        }
    return (
        f"Vendor {reason.vendor}: {plain(quantity)} is above the {plain(limit)} he may be given at once.",
        {"quantity": plain(quantity), "limit": plain(limit)},
    )


def _below_minimum(reason: Reason) -> Sentence:
    quantity, limit = reason.values
    return (
        f"Vendor {reason.vendor}: {plain(quantity)} is below the {plain(limit)} from which he is used.",
        {"quantity": plain(quantity), "limit": plain(limit)},
    )


def _no_capacity(reason: Reason) -> Sentence:
    if not reason.vendor:
        free, quantity, left = map(plain, reason.values)
        return f"The vendors together can take {free} of {quantity}, not the last {left}.", {
            "quantity": quantity, "free": free,
        }  # fmt: skip
    quantity, free, capacity, day = reason.values
    year, week, _ = day.isocalendar()
    return (
        f"Vendor {reason.vendor}: {plain(max(free, Decimal(0)))} of his {plain(capacity)} pieces in week {week}/{year} are free, "
        f"{plain(quantity)} are needed.",
        {"quantity": plain(quantity), "free": plain(free), "capacity": plain(capacity), "week": f"{year}-W{week:02d}"},
    )


def _already_ordered(reason: Reason) -> Sentence:
    open_quantity, received, number = reason.values
    where = f" on {number}" if number else ""
    return (
        f"Already ordered at {reason.vendor}{where}: {plain(open_quantity)} open, {plain(received)} received; that stays there "
        "until a person says otherwise.",
        {"open": plain(open_quantity), "received": plain(received), "order": number},
    )


def _late_by(reason: Reason) -> Sentence:
    late_by, order_by, promise = reason.values
    days = "1 day" if late_by == 1 else f"{late_by} days"
    return (
        f"It should have been ordered by {plain(order_by)}, {days} ago; ordered now it can be back on {plain(promise)}.",
        {"late_by": late_by, "order_by": plain(order_by), "promise": plain(promise)},
    )


def _previous_late(reason: Reason) -> Sentence:
    late_by, ready, dispatch_by, promise = reason.values
    days = "1 day" if late_by == 1 else f"{late_by} days"
    return (
        f"The operation before is promised for {plain(ready)}, {days} after the pieces had to leave on {plain(dispatch_by)}; "
        f"from {reason.vendor} they can be back on {plain(promise)}.",
        {"late_by": late_by, "ready": plain(ready), "dispatch_by": plain(dispatch_by), "promise": plain(promise)},
    )


def _default_inside(reason: Reason) -> Sentence:
    flag = reason.values[0]
    return f"No policy sends it out and its sourcing flag is {flag}, so it stays inside.", {"flag": flag}


HINDERED = {
    "begun": "work on operation {} has begun",
    "ordered": "operation {} is with a vendor already",
    "word": "a planner has said where operation {} goes",
}


def _not_whole(reason: Reason) -> Sentence:
    operation_no, why = reason.values
    text = f"The whole production order should be bought complete, but {HINDERED[why].format(operation_no)}: a person must say."
    return text, {"operation": operation_no, "why": why}


MATCHED = {
    "outsource": "it goes outside",
    "in_house": "it stays inside",
    "review": "a person must say",
    "buy_complete": "the whole order is bought",
}

SENTENCES: dict[str, Callable[[Reason], Sentence]] = {
    "planners_word": _planners_word,
    "flag_no": lambda _: ("Its sourcing flag is no, so it stays inside whatever a policy says.", {}),
    "policy_skipped": _policy_skipped,
    "policy_matched": _policy_matched,
    "no_policy": lambda _: ("It should go outside, but no policy and no vendor of the work center says where to.", {}),
    "no_vendor": lambda reason: (f"Policy {reason.policy} names no vendor.", {}),
    "nothing_to_order": lambda _: ("All that is wanted is ordered or received already, or nothing more can come.", {}),
    "work_center_vendor": lambda reason: (
        f"External work center {reason.values[0]} has vendor {reason.vendor} of its own.", {"work_center": reason.values[0]},
    ),
    "default_inside": _default_inside,
    "not_whole": _not_whole,
    "not_bought": lambda _: ("No policy buys the whole production order complete any more: a person must say.", {}),
    "ends_with": lambda reason: (
        f"The whole production order is bought complete, by one line with operation {reason.values[0]}: this one ends with it.",
        {"operation": reason.values[0]},
    ),
    "vendor_chosen": _vendor_chosen,
    "vendor_compared": _compared,
    "vendor_passed_over": _compared,
    "inactive": lambda reason: (f"Vendor {reason.vendor} is not active.", {}),
    "item_blocked": lambda reason: (f"Vendor {reason.vendor}: the item is blocked.", {}),
    "not_approved": _not_approved,
    "approval_expired": _approval_expired,
    "no_price": _no_price,
    "no_rate": lambda reason: (
        f"Vendor {reason.vendor}: there is no exchange rate for {reason.values[0]} on {plain(reason.values[1])}.",
        {"currency": reason.values[0], "day": plain(reason.values[1])},
    ),
    "no_unit_factor": lambda reason: (
        f"Vendor {reason.vendor}: his price is for one {reason.values[0]}, and nothing says how much of the item that holds.",
        {"price_unit": reason.values[0]},
    ),
    "below_minimum": _below_minimum,
    "above_maximum": _above_maximum,
    "no_capacity": _no_capacity,
    "already_ordered": _already_ordered,
    "sold_together": lambda reason: (
        f"Operations {reason.values[0]} to {reason.values[1]} are bought together, by one line.",
        {"operation": reason.values[0], "last_operation": reason.values[1]},
    ),
    "comes_with": lambda reason: (
        f"It is bought together with operation {reason.values[0]}, by one line up to operation {reason.values[1]}.",
        {"operation": reason.values[0], "last_operation": reason.values[1]},
    ),
    "not_together": lambda reason: (
        f"Operations {reason.values[0]} to {reason.values[1]} are sold together, but nobody qualifies for all of them: each is "
        "decided by itself.",
        {"operation": reason.values[0], "last_operation": reason.values[1]},
    ),
    "refused": lambda reason: (
        f"Vendor {reason.vendor} was asked and does not take it; the planner's word asks him again.",
        {},
    ),
    "not_named": lambda reason: (f"Policy {reason.policy} does not name vendor {reason.vendor} any more.", {}),
    "center_moved": lambda reason: (
        f"External work center {reason.values[0]} has another vendor than {reason.vendor} by now.",
        {"work_center": reason.values[0]},
    ),
    "late_by": _late_by,
    "previous_late": _previous_late,
}  # fmt: skip


def looked_at(policy: PolicyValues) -> str:
    """How every sentence about a policy begins; made once a policy."""
    return f"Policy {policy.code} (priority {policy.priority}) was looked at: {scope_sentence(policy)}; "


def as_dict(reason: Reason) -> dict[str, Any]:
    """{code, policy?, vendor?, detail, …the compared values as text}."""
    found: dict[str, Any] = {"code": reason.code}
    if reason.policy:
        found["policy"] = reason.policy
    if reason.vendor:
        found["vendor"] = reason.vendor
    found["detail"], values = SENTENCES[reason.code](reason)
    found.update(values)
    return found
