"""A vendor's site is a vendor that belongs to another; a site has no sites."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Role
from masterdata import services as masterdata
from masterdata.models import Vendor
from tests.workbench import rows


@pytest.fixture
def three() -> dict[str, Vendor]:
    return {code: Vendor.objects.create(code=code) for code in ("GALVA", "NORTH", "SOUTH")}


def test_sites_are_said_of_vendors_by_code_and_taken_back(three):
    assert masterdata.set_vendor_sites(belongs_to={"NORTH": three["GALVA"].pk, "SOUTH": three["GALVA"].pk}) == {}

    assert list(Vendor.objects.invoiced_by(three["GALVA"].pk).order_by("code").values_list("code", flat=True)) == [
        "GALVA", "NORTH", "SOUTH",
    ]  # fmt: skip
    assert masterdata.set_vendor_sites(belongs_to={"SOUTH": None}) == {}
    assert list(three["GALVA"].sites.values_list("code", flat=True)) == ["NORTH"]


def test_a_site_has_no_sites_and_no_vendor_is_its_own(three):
    masterdata.set_vendor_sites(belongs_to={"NORTH": three["GALVA"].pk})

    assert masterdata.set_vendor_sites(belongs_to={"SOUTH": three["NORTH"].pk, "GALVA": three["SOUTH"].pk}) == {
        "SOUTH": "NORTH is a site itself; name the vendor it belongs to.",
        "GALVA": "GALVA has sites; it cannot be one.",
    }
    assert masterdata.set_vendor_sites(belongs_to={"SOUTH": three["SOUTH"].pk}) == {
        "SOUTH": "A vendor is not a site of its own."
    }


@pytest.mark.parametrize(("site", "of"), [("SOUTH", "NORTH"), ("GALVA", "SOUTH"), ("SOUTH", "SOUTH")])
def test_the_database_refuses_it_as_well(three, site, of):
    masterdata.set_vendor_sites(belongs_to={"NORTH": three["GALVA"].pk})

    with pytest.raises(IntegrityError), transaction.atomic():
        Vendor.objects.filter(code=site).update(belongs_to=three[of])


def test_the_api_takes_and_tells_whose_site_it_is(three, client):
    client.force_login(rows.user("ada", Role.ADMINISTRATOR))
    said = {"belongs_to": "GALVA", "transit_out_days": 4}

    answer = client.patch("/api/v1/vendors/NORTH/", said, content_type="application/json")

    assert answer.status_code == 200, answer.json()
    assert {name: answer.json()[name] for name in ("belongs_to", "transit_out_days", "transit_back_days")} == {
        "belongs_to": "GALVA", "transit_out_days": 4, "transit_back_days": None,
    }  # fmt: skip
    refused = client.patch("/api/v1/vendors/SOUTH/", {"belongs_to": "NORTH"}, content_type="application/json")
    assert refused.status_code == 400 or refused.status_code == 422
    assert "NORTH is a site itself" in refused.content.decode()
