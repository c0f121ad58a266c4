"""What reports refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("A report covers {years} years at most."),
    _("A report is grouped by {known}, not by '{name}'."),
    _("Group by up to three different things, one of them a time."),
    _("That is more than {most} rows; narrow it, shorten the period or group it more coarsely."),
    _("The period ends before it begins."),
    _("{report} has the figures {known}, not '{name}'."),
    _("'{text}' is no day. Write it like 2026-03-31."),
)
