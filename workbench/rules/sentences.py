"""Sentences written in English, in the language of who reads them.

Reasons, alerts and what held an invoice are stored as whole sentences, refusals are made far below the pages. A pattern here is
one such sentence with its values left open: what fits is said again in the reader's language with the same values; what fits
none stays as it is. A value whose name ends on an underscore is a sentence, or a part of one, itself.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.dates import MONTHS_3
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

PATTERNS = (
    _(
        "{vendor} qualifies and takes {quantity}: {price} for one {unit} (an estimate, the price is to be confirmed), "
        "{total} in all; order by {order_by}, dispatch by {dispatch_by}."
    ),
    _("Vendor {vendor} is not active."),
    _("{vendor} is not active."),
    _(
        "{vendor} qualifies and takes {quantity}: {price} each (an estimate, the price is to be confirmed), {total} in "
        "all; order by {order_by}, dispatch by {dispatch_by}."
    ),
    _(
        "{vendor} qualifies and takes {quantity}: {price} each, {total} in all; order by {order_by}, dispatch by {dispatch_by}."
    ),
    _(
        "{vendor} qualifies and takes {quantity}: {price} for one {unit}, {total} in all; order by {order_by}, "
        "dispatch by {dispatch_by}."
    ),
    _("Priority {priority}: {said_}"),
    _("Policy {policy}: {said_}"),
    _("It is for every operation; {said_}"),
    _("it is for every operation; {said_}"),
    _("item group {group} and process {process} fit; {said_}"),
    _("item {item} and process {process} fit; {said_}"),
    _("process {process} and work center {center} fit; {said_}"),
    _("process {process} and site {site} fit; {said_}"),
    _("process {process} fits; {said_}"),
    _("item group {group} fits; {said_}"),
    _("item {item} fits; {said_}"),
    _("work center {center} fits; {said_}"),
    _("site {site} fits; {said_}"),
    _("it applies, it goes outside."),
    _("it applies, it stays inside."),
    _("it applies, a person must say."),
    _("it applies, the whole order is bought."),
    _("the planned start {start} is before it becomes valid on {day}, so it does not apply."),
    _("the planned start {start} is after its last day {day}, so it does not apply."),
    _("quantity {found} is below its limit of {limit}, so it does not apply."),
    _("quantity {found} is above its limit of {limit}, so it does not apply."),
    _("the planned start {start} is before its season begins on {day}, so it does not apply."),
    _("the planned start {start} is after its season ends on {day}, so it does not apply."),
    _("the planned start {start} is before its transition begins on {day}, so it does not apply."),
    _("{found} % of the quantity went out so far; staying keeps its share of {limit} %, so it does not apply."),
    _("the work center is not down between {start} and {end}, so it does not apply."),
    _("inside it would be {found} days late, fewer than {limit}, so it does not apply."),
    _("the work center is loaded to {found} % in that week, not above {limit} %, so it does not apply."),
    _("the operation has no work center of ours whose load could be above its limit, so it does not apply."),
    _("outside costs {found} % of inside, more than {limit} %, so it does not apply."),
    _(
        "its limit of {limit} % of the cost inside cannot be compared: one of the two costs is not known, so it does not apply."
    ),
    _("quantity {found} is {limit} or more; {said_}"),
    _("quantity {found} is at most {limit}; {said_}"),
    _("the planned start {start} is in its season from {day}; {said_}"),
    _("the planned start {start} is in its season to {day}; {said_}"),
    _("the planned start {start} is after its transition began on {day}; {said_}"),
    _("with it {found} % of the quantity went out, {limit} % are to; {said_}"),
    _("the work center is down from {start} to {end}; {said_}"),
    _("inside it would be {found} days late, {limit} or more; {said_}"),
    _("with it the work center is loaded to {found} % in that week, above {limit} %; {said_}"),
    _("the work center cannot work in that week, so any work is above {limit} %; {said_}"),
    _("outside costs {found} % of inside, at most {limit} %; {said_}"),
    _("{vendor} would cost {found} in all, the lowest."),
    _("{vendor} would cost {found} in all, the lowest is {best}."),
    _("{vendor} could deliver by {day}, the earliest."),
    _("{vendor} could deliver by {day}, the earliest is {best}."),
    _("{vendor} would leave a mean deviation of {found} points from the target shares, the smallest."),
    _("{vendor} would leave a mean deviation of {found} points from the target shares, the smallest is {best}."),
    _("Approval for {process} is {status}."),
    _("{vendor}: approval for {process} is {status}."),
    _("{vendor}: {process} requires an approval and he has none."),
    _("{process} requires an approval and he has none."),
    _("{vendor}: approval for {process} ends on {until}, before the ship date {day}."),
    _("Approval for {process} ends on {until}, before the ship date {day}."),
    _("{vendor}: the price row that counts for {quantity} has no price yet."),
    _("The price row that counts for {quantity} has no price yet."),
    _("{vendor}: no price for {quantity} is valid on {day}."),
    _("No price for {quantity} is valid on {day}."),
    _("{vendor}: {quantity} is above the {limit} he may be given at once."),
    _("{quantity} is above the {limit} he may be given at once."),
    _("{vendor}: {quantity} is below the {limit} from which he is used."),
    _("{quantity} is below the {limit} from which he is used."),
    _("The vendors together cannot take the last {quantity}."),
    _("{vendor}: {free} of his {capacity} pieces in week {week} are free, {quantity} are needed."),
    _("{free} of his {capacity} pieces in week {week} are free, {quantity} are needed."),
    _("Already ordered at {vendor} on {line}: {open} open, {received} received; that stays there."),
    _("Already ordered at {vendor}: {open} open, {received} received; that stays there."),
    _("It should have been ordered by {day}, {late_} ago; ordered now it can be back on {promise}."),
    _(
        "The operation before is promised for {ready}, {late_} after the pieces had to leave on {day}; from {vendor} "
        "they can be back on {promise}."
    ),
    _("1 day"),
    _("{n} days"),
    _("No policy sends it out and its sourcing flag is {flag}, so it stays inside."),
    _("Its sourcing flag is no, so it stays inside whatever a policy says."),
    _("It should go outside, but no policy and no vendor of the work center says where to."),
    _("Policy {policy} names no vendor."),
    _("All that is wanted is ordered or received already, or nothing more can come."),
    _("External work center {center} has vendor {vendor} of its own."),
    _("The planner's word: {said_}"),
    _("The planner's word ({by}, {at}): {said_}"),
    _("keep it inside."),
    _("keep it inside, because {why}."),
    _("outside."),
    _("outside at {vendor}, because {why}."),
    _("outside at {vendor}."),
    _("The item is blocked."),
    _("Operations {first} to {last} are bought together, by one line."),
    _("The whole production order is bought complete, by one line with operation {operation}: this one ends with it."),
    _("It stays inside."),
    _("A person must say."),
    _("It should go outside, and cannot."),
    _("It goes outside, and all of it is ordered."),
    _("It goes outside: {quantity} to {vendor}."),
    _("{work} of {parts_} at {vendor}."),
    _("{work} of {parts_} at {vendor}"),
    _("{n} parts"),
    _("An empty order at {vendor}"),
    _("Waiting for its turn."),
    _("Reading the plan and deciding every open operation."),
    _("Stopped before it was done. What it had finished stands; starting again continues from there."),
    _("{operations} operations looked at, {outside} go outside. {said_}"),
    _("Writing the document sets."),
    _("It would change much and waits for a person."),
    _("It was dropped and changed nothing."),
    _("Nothing was written."),
    _("Everything was ordered already, so nothing changed."),
    _(
        "{operations} operations looked at, {outside} go outside: {made} order lines made, {changed} changed, "
        "{withdrawn} withdrawn."
    ),
    _("{receipt} line {line} came without {what}: the pieces wait in inspection."),
    _("{receipt} used more material than lies at the vendor: {what} are to be settled."),
    _("{order} line {line}: {quantity} pieces are missing after rejects and scrap"),
    _("{vendor} has not answered {order} since {day}"),
    _("{order} for {vendor} was to be ordered by {day} and is {status_}"),
    _("draft"),
    _("approved"),
    _("{shipment} to {vendor} was to leave on {day}"),
    _("{what} from {vendor} ({order} line {line}) were due on {day}"),
    _("{what} from {vendor} ({order} line {line}) are due on {day}"),
    _("{order} does not reach the minimum of {vendor}: {amount} for nothing"),
    _("{where} line {line} ({order} operation {operation}) cannot stay where it is, and no vendor qualifies"),
    _("{where} line {line} ({order} operation {operation}) is not needed any more"),
    _("{where} line {line} ({order} operation {operation}) should change: {what}"),
    _("{part} at {place}: {wanted} planned to leave, {there} there; short from {shipment} on {day} ({n} shipments)"),
    _("The approval of {vendor} for {process} has ended on {day}"),
    _("The approval of {vendor} for {process} ends on {day}"),
    _("Run {run} waits: {said_}"),
    _("It would change {what}."),
    _("{what} of ours at {vendor} lie there since {day}"),
    _("{what} of ours at {vendor} must be back by {day}"),
    _("{what} of ours at {vendor} had to be back by {day}"),
    _("{order} is cancelled and {what} of ours lie at {vendor}"),
    _("{what} of {order}, finished at operation {operation}, lie at {vendor} and no vendor takes them on"),
    _("{order} line {line} has no agreed price; {vendor} was sent an estimate"),
    _("Invoice {number} of {vendor} ({invoice}) is held: {why_}"),
    _("{number} is held: {why}."),
    _("{number} is held."),
    _("{number} is picked."),
    _("{number} is planned."),
    _("dearer than agreed"),
    _("{asked} is asked for, {agreed} was agreed."),
    _("{number} is already {status_}."),
    _("{number} was changed since you read it; look at it again."),
    _("{number} is worth {worth}; your limit is {limit}. {who} must approve it."),
    _("You made or changed {number}; {who} must approve it."),
    _("{what} is not a quantity above zero."),
    _("{item} has {n} decimals; {quantity} has more."),
    _("{item} is counted in {n} decimals; {quantity} has more."),
    _("{day} is past; today is {today}."),
    _("{day} is not between {first} and {last}."),
    _("{vendor} is not active; name another vendor, or activate this one."),
    _("{vendor} is not approved for {process}; name another vendor, or have this one approved."),
    _("The approval of {vendor} for {process} ended on {day}; name another vendor, or renew it."),
    _("No price of {vendor} is agreed for {quantity} of {item}; write the price that was agreed."),
    _("There is no rate of {currency} on {day}; enter one first."),
    _("{vendor}: the item is blocked."),
    _("{vendor}: there is no exchange rate for {currency} on {day}."),
    _("There is no exchange rate for {currency} on {day}."),
    _("{vendor}: his price is for one {unit}, and nothing says how much of the item that holds."),
    _("His price is for one {unit}, and nothing says how much of the item that holds."),
    _("{vendor}: {quantity} would cost more than an order can hold."),
    _("{quantity} would cost more than an order can hold."),
    _("It is bought together with operation {first}, by one line up to operation {last}."),
    _(
        "Operations {first} to {last} are sold together, but nobody qualifies for all of them: each is decided by itself."
    ),
    _(
        "The whole production order should be bought complete, but work on operation {operation} has begun: a person must say."
    ),
    _(
        "The whole production order should be bought complete, but operation {operation} is with a vendor already: a "
        "person must say."
    ),
    _(
        "The whole production order should be bought complete, but a planner has said where operation {operation} "
        "goes: a person must say."
    ),
    _("No policy buys the whole production order complete any more: a person must say."),
    _("Policy {policy} does not name vendor {vendor} any more."),
    _("Policy {policy} does not name {vendor} any more."),
    _("External work center {center} has another vendor than {vendor} by now."),
)
MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
DAY = re.compile(r"\b(?:(\d{4})-(\d\d)-(\d\d)|(\d{1,2}) (" + "|".join(MONTHS) + r") (\d{4}))\b")
NUMBER = re.compile(r"(?<![\w.,/-])-?\d{1,3}(?:(?:,\d{3})+(?:\.\d+)?|\d*\.\d+)(?![\w/-]|[.,]\d)")


def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    seen: set[str] = set()
    found = ""
    for index, part in enumerate(parts):
        if index % 2:
            found += rf"(?P={part})" if part in seen else rf"(?P<{part}>.+?)"
            seen.add(part)
        else:
            found += re.escape(part)
    return re.compile(found, re.S)


EXPRESSIONS = tuple((pattern, _expression(pattern)) for pattern in PATTERNS)


def told(text: str) -> str:
    """A sentence in the language of the reader, as far as it is known here; else as it is."""
    language = get_language() or "en"
    return text if language.startswith("en") or not text else _told(text, language)


@lru_cache(maxsize=8192)
def _told(text: str, language: str) -> str:
    for pattern, expression in EXPRESSIONS:
        if found := expression.fullmatch(text):
            values = {
                name: _told(value, language) if name.endswith("_") else _written(value)
                for name, value in found.groupdict().items()
            }
            return gettext(pattern).format(**values)
    return text


def _written(value: str) -> str:
    """A value with its days and numbers as the reader writes them."""
    return NUMBER.sub(_number, DAY.sub(_day, value))


def _day(found: re.Match[str]) -> str:
    year, month, day, written_day, name, written_year = found.groups()
    number = int(month) if month else MONTHS[name]
    said = gettext("{day} {month}").format(day=int(day or written_day), month=str(MONTHS_3[number]).capitalize())
    return f"{said} {year or written_year}"


def _number(found: re.Match[str]) -> str:
    marks = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return "".join(marks.get(sign, sign) for sign in found.group())
