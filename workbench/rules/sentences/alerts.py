"""Titles of alerts; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("{receipt} line {line} came without {what}: the pieces wait in inspection."),
    _("{receipt} used more material than lies at the vendor: {what} are to be settled."),
    _("{order} line {line}: {quantity} pieces are missing after rejects and scrap"),
    _("{order} line {line}: 1 piece is missing after rejects and scrap"),
    _("{vendor} has not answered {order} since {day}"),
    _("{order} for {vendor} was to be ordered by {day} and is {status_}"),
    _("Version {version} of {order} for {vendor} was to be ordered by {day} and is {status_}"),
    _("draft"),
    _("approved"),
    _("{shipment} to {vendor} was to leave on {day}"),
    _("{what} from {vendor} ({order} line {line}) were due on {day}"),
    _("{what} from {vendor} ({order} line {line}) are due on {day}"),
    _("{order} does not reach the minimum of {vendor}: {amount} for nothing"),
    _("{where} line {line} ({order} operation {operation}) cannot stay where it is, and no vendor qualifies"),
    _("{where} line {line} ({order} operation {operation}) is not needed any more"),
    _("{where} line {line} ({order} operation {operation}) should change: {what_}"),
    _("{part} at {place}: {wanted} planned to leave, {there} there; short from {shipment} on {day} ({n} shipments)"),
    _("{part} at {place}: {wanted} planned to leave, {there} there; short from {shipment} on {day} (1 shipment)"),
    _("The approval of {vendor} for {process} has ended on {day}"),
    _("The approval of {vendor} for {process} ends on {day}"),
    _("Run {run} waits: {said_}"),
    _("It would change {what}."),
    _("{what} of ours at {vendor} lie there since {day}"),
    _("{what} of ours at {vendor} must be back by {day}"),
    _("{what} of ours at {vendor} had to be back by {day}"),
    _("{order} is cancelled and {what} of ours lie at {vendor}"),
    _("{order} does not need all it was sent: {what} of ours lie at {vendor}"),
    _("{what} of {order}, finished at operation {operation}, lie at {vendor} and no vendor takes them on"),
    _("{order} line {line} has no agreed price; {vendor} was sent an estimate"),
    _("Invoice {number} of {vendor} ({invoice}) is held: {why_}"),
    _("{quantity} of {item} from {vendor} ({order} line {line}) were due on {day}"),
    _("{quantity} of {item} from {vendor} ({order} line {line}) are due on {day}"),
    _("{quantity} of {item} for {vendor} ({order} line {line}) were to be delivered by a third party on {day}"),
    _(
        "{quantity} of {item} for {vendor} ({order} line {line}) are to be delivered by a third party on "
        "{day}, and are needed on {needed}"
    ),
    _(
        "{quantity} of {item} for {vendor} ({order} line {line}) are to be delivered by a third party until {day}, and nobody "
        "has ordered them"
    ),
    _(
        "{quantity} of {item} for {vendor} ({order} line {line}) are on order with {purchase}, {wanted} are wanted: call the "
        "rest off"
    ),
    _("quantity {old} → {new}"),
    _("need date {old} → {new}"),
    _("vendor {old} → {new}"),
    _("receive at {old} → {new}"),
    _("pieces after {old} → {new}"),
    _("item {old} → {new}"),
    _("item revision {old} → {new}"),
    _("specification files {old} → {new}"),
    _("it may not go out by itself any more, a person must say"),
    _("specification"),
)
