"""What subcontract_orders refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("No such file goes with this order."),
    _("The content of {name} is not in the storage any more."),
    _("The order this link was made for is not there."),
    _("This link held until {until}. Ask the buyer for a new one."),
    _("This link is not one of ours, or a part of it is missing."),
    _("{order} was never sent: there is nothing its vendor could answer."),
    _("{order} was sent anew as version {new}; this link is for version {old}. Use the link in the newer message."),
    _("No revision of {order} waits to be sent."),
    _("A later version of {order} waits: send it or drop it first."),
    _("Part of {order} is received already; close it instead of cancelling it."),
    _("You may not approve orders; {order} stays a draft."),
    _("You may not approve orders; {order} stays approved."),
    _("You may not send orders; {order} was not sent."),
    _("{order} is {status_}: approve it first."),
    _("{order} is {status_}: only an approved order is sent."),
    _("{order} was sent already, and a revision of it waits; revise it instead of changing it."),
    _("{order} was sent before; drop the version that waits instead."),
    _("{received} of line {line} are received already; it cannot be less than that."),
    _(
        "{received} of line {line} were received meanwhile, and this revision asks for {quantity}; revise it to at "
        "least {least}, or withdraw it."
    ),
    _("Each part of a delivery has its quantity."),
    _("Name each line once, with what is offered for it."),
    _("No counter-offer to {order} waits for an answer."),
    _("Say which quantity or date is offered."),
    _("{quantity} is not above zero; to refuse the whole order, reject it."),
    _("{received} of line {line} are received already; {total} is less."),
    _("{vendor} counters {order}: {offered_}"),
    _("{vendor} does not take {order}: {reason}"),
    _("Line {line} still expects {open}; {quantity} cannot be."),
    _("{day} is still to come; tell it when it is so."),
    _("{order} is {status_}: there is nothing to tell of it."),
)
