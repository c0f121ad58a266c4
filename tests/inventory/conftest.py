"""Two sites, a vendor's place of the first, and steel."""

import pytest

from masterdata.models import Item, Location, LocationKind, Site, Vendor


@pytest.fixture
def places():
    site = Site.objects.create(code="MAIN")
    other = Site.objects.create(code="NORTH")
    vendor = Vendor.objects.create(code="V1")
    return {
        "main": Location.objects.create(code="MAIN", kind=LocationKind.PLANT, site=site, is_main=True),
        "north": Location.objects.create(code="NORTH", kind=LocationKind.PLANT, site=other, is_main=True),
        "vendor": Location.objects.create(code="AT-V1", kind=LocationKind.VENDOR, vendor=vendor, site=site),
        "supplier": Location.objects.create(code="SUPPLIER", kind=LocationKind.SUPPLIER),
        "consumed": Location.objects.create(code="CONSUMED", kind=LocationKind.CONSUMED),
    }


@pytest.fixture
def steel():
    return Item.objects.create(code="STEEL")
