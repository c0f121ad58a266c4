"""At a vendor's place that belongs to no site of ours several sites keep material: each sees what came from it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from inventory.models import Balance, CostPool, Movement
from inventory.services import Move, post_movements
from masterdata.models import Item, Location, LocationKind
from masterdata.services import virtual_location
from tests.workbench import rows

PLACE = "AT-V1"


@pytest.fixture
def shared() -> None:
    """Ours from MAIN and theirs from OTHER lie at one place of the vendor; a third party delivered there as well."""
    rows.vendor()
    for site, code in ((rows.site(), "OURS"), (rows.site("OTHER", "Other plant"), "THEIRS")):
        bring(code, from_place=LocationKind.DIFFERENCE, to_place=site.code)
        bring(code, from_place=site.code, to_place=PLACE)
    bring("DIRECT", from_place=LocationKind.SUPPLIER, to_place=PLACE)


def bring(code: str, *, from_place: str, to_place: str) -> None:
    ends = [
        virtual_location(kind=LocationKind(place)) if place in LocationKind.values else Location.objects.get(code=place)
        for place in (from_place, to_place)
    ]
    item = rows.item(code, "")
    value = Decimal(50) if ends[0].kind in (LocationKind.DIFFERENCE, LocationKind.SUPPLIER) else None
    move = Move(item.pk, ends[0].pk, ends[1].pk, Decimal(5), value=value)
    post_movements([move], kind="test", number=code, occurred_at=rows.AT, recorded_at=rows.AT, by=None)


def person(site: str = "MAIN", role: str = Role.BUYER) -> User:
    return rows.user(f"of {site}", role, at=rows.site(site))


def items(found: object) -> list[str]:
    return list(found.order_by("item__code").values_list("item__code", flat=True))  # type: ignore[attr-defined]


def test_what_lies_at_a_shared_place_is_seen_by_the_site_it_came_from(shared: None):
    there = Balance.objects.at_vendors()

    assert items(there.visible_to(person())) == ["DIRECT", "OURS"]
    assert items(there.visible_to(person("OTHER"))) == ["DIRECT", "THEIRS"]
    assert items(there.visible_to(rows.user("everywhere"))) == ["DIRECT", "OURS", "THEIRS"]


def test_material_of_both_sites_is_seen_by_both(shared: None):
    bring("OURS", from_place=LocationKind.DIFFERENCE, to_place="OTHER")
    bring("OURS", from_place="OTHER", to_place=PLACE)

    assert items(Balance.objects.at_vendors().visible_to(person("OTHER"))) == ["DIRECT", "OURS", "THEIRS"]


def test_a_place_a_site_has_for_itself_is_that_sites_only(shared: None):
    Location.objects.create(code="AT-V1-OTHER", kind=LocationKind.VENDOR, vendor=rows.vendor(), site=rows.site("OTHER"))
    for code in ("OURS", "THEIRS"):
        bring(code, from_place=LocationKind.DIFFERENCE, to_place="OTHER")
        bring(code, from_place="OTHER", to_place="AT-V1-OTHER")
    there = Balance.objects.filter(location__code="AT-V1-OTHER")

    assert items(there.visible_to(person())) == []
    assert items(there.visible_to(person("OTHER"))) == ["OURS", "THEIRS"]


def test_a_vendors_user_sees_all_that_lies_at_the_vendor_and_nothing_elsewhere(shared: None):
    made = rows.user("vera")
    made.access.all().delete()
    made.access.create(role=Role.VENDOR, vendor=rows.vendor())
    vera = User.objects.get(pk=made.pk)

    assert items(Balance.objects.visible_to(vera)) == ["DIRECT", "OURS", "THEIRS"]


def test_its_value_and_its_movements_are_seen_with_it(shared: None):
    used = virtual_location(kind=LocationKind.CONSUMED)
    for code in ("OURS", "THEIRS"):
        item, place = Item.objects.get(code=code), Location.objects.get(code=PLACE)
        post_movements([Move(item.pk, place.pk, used.pk, Decimal(1))], kind="used", number=code, occurred_at=rows.AT,
                       recorded_at=rows.AT, by=None)  # fmt: skip
    mine = person()

    assert items(CostPool.objects.filter(quantity__gt=0).visible_to(mine)) == ["DIRECT", "OURS"]
    used_up = Movement.objects.filter(document_kind="used")
    assert items(used_up.visible_to(mine)) == ["OURS"]
    assert items(used_up.visible_to(rows.user("everywhere"))) == ["OURS", "THEIRS"]


def test_the_api_answers_so_too(shared: None):
    client = APIClient()
    client.force_authenticate(person(role=Role.DOCK))

    for address in ("/api/v1/stock/?vendor=V1", "/api/v1/vendor-balances/?vendor=V1"):
        assert sorted(row["item"] for row in client.get(address).json()["results"]) == ["DIRECT", "OURS"], address
