"""What a thing is called in a sentence of another one; see the package."""

from django.utils.translation import gettext_noop as _

SENTENCES = (
    _("item"),
    _("site"),
    _("production order"),
    _("operation"),
    _("vendor"),
    _("process"),
    _("location"),
    _("work center"),
    _("item group"),
    _("unit"),
    _("currency"),
    _("calendar"),
    _("policy"),
    _("order"),
    _("line"),
    _("lot"),
    _("place"),
    _("bill of material"),
    _("routing"),
    _("price agreement"),
    _("vendor approval"),
    _("user"),
    _("webhook endpoint"),
    _("company"),
    _("table"),
)
