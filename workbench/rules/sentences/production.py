"""What production refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("Ends on {end}, before it starts on {start}."),
    _("Operation {operation} is followed by {later}, which the order does not have."),
    _("Operation {operation} is followed by {later}, which the routing does not have."),
    _("Operation {operation} starts on {start}, after {later}, which follows it, ends on {end}."),
    _("Starts on {start}, after it is due on {due}."),
    _("The item has no routing variant {variant}."),
    _("The operations follow one another in a circle."),
    _(
        "Work on it is reported already: item and routing stay. Cancel the order, and plan the rest under another number."
    ),
    _("You have no right to plan at this site."),
    _("{good} good of {quantity} to make are too many."),
    _("{number} is a number of {source}."),
    _("{number} is a number of {source} already."),
    _("{number} is {status_}; only a planned order becomes another one."),
    _("{number} stands in this plan itself and is replaced by nothing."),
    _("{number} replaces {known}, which is not known."),
    _("{number} replaces {known}, which makes another item."),
    _("{number} stands here twice, with different content."),
    _("{order} is done."),
    _("{order} cannot be made for itself."),
    _("{order} is made for {parent}, and there is no such production order. Send it along, or name none."),
    _("1 open production order makes {item}, the first is {first}. Finish or cancel them, or change it."),
    _("{n} open production orders make {item}, the first is {first}. Finish or cancel them, or change it."),
    _("Operation {operation} stands here twice."),
    _(
        "Operation {operation} has finished {possible} pieces that operation {next} has not made yet; {made} were "
        "reported."
    ),
    _("Report at least one piece, good or scrap."),
    _("{made} pieces are made of those finished at operation {operation}; {there} of them lie here."),
    _("{need} of {item} are used, {there} lie at {place}."),
    _("{order} is {status_}; nothing is reported on it."),
    _("No routing of the item has an operation {operation}."),
    _("These bills of material go round in a circle: {way}."),
    _("A snapshot withdraws orders that are {known}, not {status}."),
    _(
        "{n} of {open} open orders would be withdrawn ({first} …): more than {most} %. Confirm it, if this is the "
        "whole plan."
    ),
    _("Say why: the reason stands beside the verdict."),
    _("What stays inside has no vendor."),
    _("{word} is neither outsource nor in_house."),
    _("Operation {number} is followed by {later}, which comes before it by its sequence."),
    _("{quantity} scrapped of {most} to make are too many."),
    _(
        "{quantity} good and scrapped at operation {operation} are too many: operation {before} can have finished {most} at most."
    ),
)
