"""What activity refuses or says; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("Copy the secret now, it is not shown again: {secret}"),
    _("Somebody else looks after it already."),
    _("The alert is closed; its cause is gone."),
    _("This alert proposes nothing: it closes when its cause is gone. Put it off, or take it."),
    _("{until} is over already; name a later time."),
    _("An alert is put off until {until} at the latest; refuse what it proposes to be rid of it."),
    _("Events are told over https only."),
    _("Give the endpoint a code that no other one has."),
    _("Name an address such as https://erp.example/outwork, without a user in it."),
    _("Say since when to tell again, or that only what failed is told again."),
    _("{host} lies in a private network; whoever runs Outwork can allow it (WEBHOOK_PRIVATE_HOSTS)."),
    _("{name} is no event: name one (order.approved), or all of a kind (order.*)."),
)
