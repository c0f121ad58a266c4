"""How vendors did over the last twelve months, for pages of lower apps on which vendors are compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils import timezone

from masterdata.models import Vendor
from reports import services as reports
from reports.services import Line

register = template.Library()
MOST = 25


@register.simple_tag(takes_context=True)
def vendor_scores(context: template.Context, compared: Iterable[Any]) -> list[tuple[Vendor, Line]]:
    """The scores of vendors that rows name (by `vendor`, or ["vendor"]: a vendor or his code), each once, in their order.

    None for who may not see measurements.
    """
    request = context.get("request")
    if request is None or not request.user.has_perm("reports.view_measurement"):
        return []
    named = [row["vendor"] if isinstance(row, dict) else getattr(row, "vendor", row) for row in compared]
    codes = list(dict.fromkeys(getattr(one, "code", one) for one in named if one))[:MOST]
    vendors = {vendor.code: vendor for vendor in Vendor.objects.visible_to(request.user).filter(code__in=codes)}
    found = reports.vendor_scores(
        [vendor.pk for vendor in vendors.values()], today=timezone.localdate(), viewer=request.user
    )
    mine = (vendors[code] for code in codes if code in vendors)
    return [(vendor, found[vendor.pk]) for vendor in mine if vendor.pk in found]
