"""What policies refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("A number here is below zero."),
    _("A share lies between 0 and 100 %."),
    _("Noted for {n} operation(s). The next run follows your word."),
    _("Taken back. The next run decides by flags and policies again."),
    _("At most {most} orders at once; these are {n}."),
    _("Work kept inside has no vendor. Leave this blank."),
    _("'{code}' is out of use. Name another one, or activate it again."),
    _("A code stays as it is; decisions name it."),
    _("A price is for an item, a process or both."),
    _("A vendor stands in the list twice."),
    _('Inspection is none, all or {{"sample_pct": 10}}.'),
    _("The list begins with another process."),
    _("{policy} sends work out but names no vendor; add one first."),
    _("{last} is less than {first}, where it begins: the policy would never apply."),
    _("{largest} is less than {smallest}, from which he is used: he would never be given any."),
    _("More than 100 % of the quantity cannot move."),
    _("A downtime lasts at most {most} days."),
    _("A price unit holds more than nothing."),
    _("A yield is above 0 and at most 100 percent."),
    _("No time is longer than {most} days."),
    _("{center} would be up again before it is down."),
    _(
        "{item} is counted in {unit}, and nothing says how many {own} one {name} holds: enter it as a unit of the "
        "item (table item_units)."
    ),
)
