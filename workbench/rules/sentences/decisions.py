"""Reasons of decisions, and how a run went; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _(
        "{vendor} qualifies and takes {quantity}: {price} for one {unit} (an estimate, the price is to be "
        "confirmed), {total} in all; order by {order_by}, dispatch by {dispatch_by}."
    ),
    _("Vendor {vendor} is not active."),
    _("{vendor} is not active."),
    _(
        "{vendor} qualifies and takes {quantity}: {price} each (an estimate, the price is to be confirmed), {total} "
        "in all; order by {order_by}, dispatch by {dispatch_by}."
    ),
    _(
        "{vendor} qualifies and takes {quantity}: {price} each, {total} in all; order by {order_by}, dispatch by "
        "{dispatch_by}."
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
        "its limit of {limit} % of the cost inside cannot be compared: one of the two costs is not known, so it does "
        "not apply."
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
    _("The vendors together can take {free} of {quantity}, not the last {rest}."),
    _("{vendor}: {free} of his {capacity} pieces in week {week} are free, {quantity} are needed."),
    _("{free} of his {capacity} pieces in week {week} are free, {quantity} are needed."),
    _(
        "Already ordered at {vendor} on {line}: {open} open, {received} received; that stays there until a person says otherwise."
    ),
    _("Already ordered at {vendor}: {open} open, {received} received; that stays there until a person says otherwise."),
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
    _("{vendor}: the item is blocked."),
    _("{vendor}: there is no exchange rate for {currency} on {day}."),
    _("There is no exchange rate for {currency} on {day}."),
    _("{vendor}: his price is for one {unit}, and nothing says how much of the item that holds."),
    _("His price is for one {unit}, and nothing says how much of the item that holds."),
    _("{vendor}: {quantity} would cost more than an order can hold."),
    _("{quantity} would cost more than an order can hold."),
    _("It is bought together with operation {first}, by one line up to operation {last}."),
    _(
        "Operations {first} to {last} are sold together, but nobody qualifies for all of them: each is decided by "
        "itself."
    ),
    _(
        "The whole production order should be bought complete, but work on operation {operation} has begun: a person "
        "must say."
    ),
    _(
        "The whole production order should be bought complete, but operation {operation} is with a vendor already: a "
        "person must say."
    ),
    _(
        "The whole production order should be bought complete, but a planner has said where operation {operation} "
        "goes: a person must say."
    ),
    _("Policy {policy} does not name vendor {vendor} any more."),
    _("Vendor {vendor} was asked and does not take it; the planner's word asks him again."),
    _("{vendor} was asked and does not take it; the planner's word asks him again."),
    _("Policy {policy} does not name {vendor} any more."),
    _("External work center {center} has another vendor than {vendor} by now."),
)
