"""What masterdata refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("A vendor is not a site of its own."),
    _("{other} is a site itself; name the vendor it belongs to."),
    _("{vendor} has sites; it cannot be one."),
    _("The public holidays of {country} are not known."),
    _("The public holidays of {part} in {country} are not known. Known: {known}."),
    _("A specification has at most {most} files; take one away first."),
    _("The specification has no file {name}."),
    _("{name} is above {most} MB."),
    _("{name} is empty."),
)
