"""What shipments refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("It lies at {place} already."),
    _("Name at least one part to ship."),
    _("Nothing is open to be shipped for {orders}."),
    _("Nothing of {item} is shipped for {where}."),
    _("{finished} pieces finished at operation {operation} of {order} lie at {place}; {quantity} are to be shipped."),
    _("{most} more of {item} may be sent; {shipment} holds {quantity}. Plan or pick it anew."),
    _("{order} is {status_}: nothing is shipped for it."),
    _("{order} is {status_}: send it first."),
    _(
        "{possible} more of {item} may be sent for {where} ({required} required, {pct} % over allowed); {quantity} "
        "were to be."
    ),
    _(
        "Only {there} of {item} of lot {lot} still lie at {place} for {order} line {line}, {quantity} were sent with "
        "{shipment}. Reverse first what used them."
    ),
    _(
        "Only {there} of {item} still lie at {place} for {order} line {line}, {quantity} were sent with {shipment}. "
        "Reverse first what used them."
    ),
    _("Nothing is shipped from {place} ({kind_})."),
    _("Nothing would be left on {shipment}."),
    _("Orders shipped together go to one place of one vendor."),
    _("{order} is shipped to {place}."),
    _("{shipment} holds nothing."),
    _("{shipment} is {status_}; you cannot {act_} it."),
    _("Reverse it instead."),
    _("{possible} of lot {lot} of {item} can be taken off {shipment}; {quantity} were to be."),
)
