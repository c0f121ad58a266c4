"""What accounts refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("Copy the token now, it is not shown again: {token}"),
    _("{what} is none of {known}."),
    _("{zone} is no time zone; write one like Europe/Berlin."),
)
