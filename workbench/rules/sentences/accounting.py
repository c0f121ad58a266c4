"""What accounting refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("Everything up to {day} is closed already."),
    _("Name the account."),
    _("No period is closed."),
    _("Roles are {roles}; '{role}' is none."),
    _("Say why it is reopened."),
    _("{month} is not over; it can be closed from the day after {day} on."),
    _("A quantity cannot be below zero."),
    _("The letter names no such material ({n} lines); count it with the vendor and post the count first."),
    _("There is no further vendor to be asked as of {day}."),
    _("{day} is not over yet."),
    _("{number} has not been sent; send it before its answer is entered."),
    _("Every entry has been exported already; the files can be had again."),
)
