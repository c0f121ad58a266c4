"""What workbench refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("Give the view a name of at most 60 letters."),
    _("These filters are too long to be kept."),
    _("You keep no such view."),
    _("You keep {most} views of this list; forget one first."),
    _("Line {line} of {number} is corrected."),
)
