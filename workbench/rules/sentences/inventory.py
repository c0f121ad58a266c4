"""What inventory refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("A movement needs a quantity above zero."),
    _("Only {there} of {item} finished at {stage} lie at {place}, {quantity} are to be taken."),
    _("Only {there} of {item} lie at {place}, {quantity} are to be taken."),
    _("Only {there} of {item} of lot {lot} finished at {stage} lie at {place}, {quantity} are to be taken."),
    _("Only {there} of {item} of lot {lot} lie at {place}, {quantity} are to be taken."),
    _("This was reversed already."),
    _("With {quantity} then, less than nothing would lie there now: more has left since."),
    _("You have no right to load stock here."),
    _("No lot {lot} of {item} lies at {place} (there are {known})."),
    _("No lot {lot} of {item} lies at {place}."),
    _("Only {free} of {item} lie free at {place}; {quantity} are to be taken."),
    _("Only {free} of {item} of lot {lot} lie free at {place}; {quantity} are to be taken."),
    _(
        "Only {free} of {item} lie free at {place}; {quantity} are to be taken. {more} more have expired ({lots}): name the "
        "lot to send it all the same."
    ),
    _("Name the lot that expires."),
    _("{quantity} at {cost} are worth more than can be; at most {most}."),
    _("Stock is counted up to today; {day} is still to come."),
)
