"""Business actions on master data that other apps rely on."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from masterdata.models import Company, Currency, Location, LocationKind, NumberRange, Site, Vendor

PREFIXES = {"subcontract_order": "SC-", "shipment": "SH-", "receipt": "GR-", "run": "RUN-", "return": "RT-"}


@transaction.atomic
def draw_numbers(*, kind: str, count: int = 1) -> list[str]:
    """The next `count` document numbers of a kind, in order. Gaps are allowed, duplicates are not.

    The counter row stays locked until the caller's transaction ends, so draw late and in blocks.
    """
    NumberRange.objects.get_or_create(kind=kind, defaults={"prefix": PREFIXES[kind]})
    row = NumberRange.objects.select_for_update().get(kind=kind)
    first = row.last + 1
    NumberRange.objects.filter(pk=row.pk).update(last=F("last") + count)
    return [f"{row.prefix}{number:05d}" for number in range(first, first + count)]


def company() -> Company:
    """The one company row, made with EUR and UTC where none was loaded yet."""
    found = Company.objects.select_related("currency").first()
    if found:
        return found
    currency, _ = Currency.objects.get_or_create(code="EUR", defaults={"name": "Euro"})
    made, _ = Company.objects.get_or_create(pk=1, defaults={"name": "", "currency": currency})
    return made


def main_location(*, site: Site) -> Location:
    """Where a site ships from and receives into; made with the site's own code where none is marked."""
    found = Location.objects.filter(site=site, is_main=True).first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=site.code, defaults={"name": site.name, "kind": LocationKind.PLANT, "site": site}
    )
    Location.objects.filter(pk=location.pk).update(site=site, is_main=True)
    location.refresh_from_db()
    return location


def vendor_location(*, vendor: Vendor, site: Site | None = None) -> Location:
    """Where our material lies at a vendor (for a site of ours, where he keeps the sites' material apart); made as AT-<vendor code> where missing."""
    places = Location.objects.filter(kind=LocationKind.VENDOR, vendor=vendor).order_by("pk")
    found = (places.filter(site=site).first() if site else None) or places.filter(site__isnull=True).first() or places.first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=f"AT-{vendor.code}", defaults={"name": f"At {vendor.name or vendor.code}", "kind": LocationKind.VENDOR, "vendor": vendor}
    )
    return location
