"""Numbers, places that make themselves, and rows in bulk."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from masterdata import services as masterdata
from masterdata.models import Closure, Item, Location, LocationKind, NumberRange, Process, Site, Vendor
from masterdata.services.master import LANES
from production.models import RoutingStep
from tests.factories import ItemFactory, SiteFactory, VendorFactory


def test_numbers_are_drawn_in_blocks_and_never_twice():
    assert masterdata.draw_numbers(kind="run", count=2) == ["RUN-00001", "RUN-00002"]
    assert masterdata.draw_numbers(kind="run") == ["RUN-00003"]
    assert masterdata.draw_numbers(kind="shipment") == ["SH-00001"]


@pytest.mark.django_db(transaction=True)
def test_two_who_draw_at_once_draw_apart():
    drawn: list[str] = []

    def draw() -> None:
        drawn.extend(masterdata.draw_numbers(kind="run", count=10))
        connection.close()

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(drawn)) == 40


def test_numbers_many_people_draw_are_in_order_one_after_the_other():
    NumberRange.objects.create(kind="receipt", prefix="GR-", last=41)

    assert [masterdata.draw_number(kind="receipt") for _ in range(20)] == [
        f"GR-{number:05d}" for number in range(42, 62)
    ]


def test_a_block_of_numbers_and_numbers_drawn_one_by_one_are_never_the_same():
    drawn = masterdata.draw_numbers(kind="receipt", count=3)
    for _ in range(3):
        drawn += [masterdata.draw_number(kind="receipt") for _ in range(LANES + 2)]
        drawn += masterdata.draw_numbers(kind="receipt", count=5)

    assert len(set(drawn)) == len(drawn) == 3 + 3 * (LANES + 2 + 5)


@pytest.mark.django_db(transaction=True)
def test_who_draws_a_number_does_not_wait_for_one_who_has_not_finished():
    masterdata.draw_number(kind="receipt")
    drawn: list[str] = []

    def draw() -> None:
        drawn.append(masterdata.draw_number(kind="receipt"))
        connection.close()

    with transaction.atomic():
        mine = masterdata.draw_number(kind="receipt")
        other = threading.Thread(target=draw)
        other.start()
        other.join(timeout=20)

    assert (mine, drawn) == ("GR-00002", ["GR-00003"])


@pytest.mark.django_db(transaction=True)
def test_more_people_than_lanes_draw_numbers_apart():
    drawn: list[str] = []

    def draw() -> None:
        for _ in range(5):
            with transaction.atomic():
                drawn.append(masterdata.draw_number(kind="receipt"))
        connection.close()

    threads = [threading.Thread(target=draw) for _ in range(LANES + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(drawn)) == 5 * (LANES + 4)


def test_the_company_is_there_from_the_first_question():
    assert masterdata.company().currency.code == "EUR"
    assert masterdata.company() == masterdata.company()


def test_the_first_site_is_the_default_and_main_is_made_where_there_is_none():
    made = masterdata.default_site()
    SiteFactory(code="OTHER")

    assert (made.code, masterdata.default_site()) == ("MAIN", made)
    assert masterdata.main_location(site=made).code == "MAIN"


def test_every_vendor_gets_one_place():
    one, two = VendorFactory(code="V1"), VendorFactory(code="V2")
    Location.objects.create(code="X-V1", kind=LocationKind.VENDOR, vendor=one)

    assert masterdata.make_vendor_locations(vendor_ids=[one.pk, two.pk]) == 1
    assert masterdata.make_vendor_locations(vendor_ids=[one.pk, two.pk]) == 0

    assert masterdata.vendor_location(vendor=one).code == "X-V1"
    assert masterdata.vendor_location(vendor=two).code == "AT-V2"


def test_a_vendors_place_for_a_site_comes_before_his_common_one():
    vendor, site = VendorFactory(code="V1"), SiteFactory(code="S1")
    common = Location.objects.create(code="X", kind=LocationKind.VENDOR, vendor=vendor)
    own = Location.objects.create(code="Y", kind=LocationKind.VENDOR, vendor=vendor, site=site)

    assert masterdata.vendor_location(vendor=vendor, site=site) == own
    assert masterdata.vendor_location(vendor=vendor) == common


def test_today_is_the_sites_own():
    SiteFactory(code="TOKYO", time_zone="Asia/Tokyo")
    SiteFactory(code="LIMA", time_zone="America/Lima")

    dates = masterdata.site_dates(at=datetime(2026, 3, 1, 22, 0, tzinfo=UTC))

    assert {Site.objects.get(pk=pk).code: day for pk, day in dates.items()} == {
        "TOKYO": date(2026, 3, 2),
        "LIMA": date(2026, 3, 1),
    }


def test_rows_are_made_changed_or_left_by_their_key():
    rows = [{"code": "A", "name": "a"}, {"code": "B", "name": "b"}]
    first = masterdata.upsert_master(model=Vendor, rows=rows)

    second = masterdata.upsert_master(
        model=Vendor, rows=[{"code": "A", "name": "a"}, {"code": "B", "email": "b@b.example"}, {"code": "C"}]
    )

    assert (first.created, second.created, second.changed, second.unchanged) == (2, 1, 1, 1)
    assert second.ids[("A",)] == first.ids[("A",)]
    assert list(Vendor.objects.order_by("code").values_list("code", "name", "email")) == [
        ("A", "a", ""),
        ("B", "b", "b@b.example"),
        ("C", "", ""),
    ]


def test_a_key_may_hold_nulls():
    rows = [{"day": date(2026, 12, 25), "vendor_id": None, "work_center_id": None}]

    masterdata.upsert_master(model=Closure, rows=rows)

    assert masterdata.upsert_master(model=Closure, rows=rows).unchanged == 1


def test_copied_rows_hold_any_text_list_and_number():
    nasty = "tab\t line\nfeed\r back\\slash \\N \"quoted\" 'single' {brace},comma – € 你"
    item = ItemFactory()
    masterdata.copy_rows(
        model=Process, rows=[{"code": nasty, "certificates": [nasty, {"a": None}]}, {"code": "\\N", "name": "\\."}]
    )
    masterdata.copy_rows(
        model=RoutingStep,
        rows=[
            {"item_id": item.pk, "sequence": 10, "operation_no": "10", "next_nos": [nasty[:20], "", "NULL", "20"]},
            {"item_id": item.pk, "sequence": 20, "operation_no": "20", "run_minutes": Decimal("0.000001")},
        ],
    )

    first, second = Process.objects.order_by("pk")
    assert (first.code, first.certificates, first.requires_approval) == (nasty, [nasty, {"a": None}], False)
    assert (second.code, second.name) == ("\\N", "\\.")
    ten, twenty = RoutingStep.objects.order_by("sequence")
    assert (ten.next_nos, ten.setup_minutes) == ([nasty[:20], "", "NULL", "20"], None)
    assert (twenty.next_nos, twenty.run_minutes) == ([], Decimal("0.000001"))


def test_copied_rows_obey_every_constraint():
    ItemFactory(code="A")

    with pytest.raises(IntegrityError):
        masterdata.copy_rows(model=Item, rows=[{"code": "A"}])


def test_a_vendors_place_belongs_to_the_site_of_a_company_that_has_just_one():
    site = Site.objects.create(code="MAIN")
    vendor = Vendor.objects.create(code="V1")

    place = masterdata.vendor_location(vendor=vendor)

    assert (place.code, place.site) == ("AT-V1", site)


def test_a_second_site_has_a_place_of_its_own_beside_the_firsts():
    vendor = Vendor.objects.create(code="V1")
    first = Site.objects.create(code="MAIN")
    place = masterdata.vendor_location(vendor=vendor, site=first)
    second = Site.objects.create(code="NORTH")

    apart = masterdata.vendor_location(vendor=vendor, site=second)

    assert (apart.code, apart.site) == ("AT-V1-NORTH", second)
    assert masterdata.vendor_location(vendor=vendor, site=second) == apart
    assert masterdata.vendor_location(vendor=vendor, site=first) == place
    assert masterdata.vendor_location(vendor=vendor) == place


def test_a_second_sites_place_is_never_one_that_happens_to_be_called_so():
    vendor = Vendor.objects.create(code="V1")
    first = Site.objects.create(code="MAIN")
    masterdata.vendor_location(vendor=vendor, site=first)
    second = Site.objects.create(code="NORTH")
    Location.objects.create(code="AT-V1-NORTH", kind=LocationKind.WAREHOUSE, site=second)

    with pytest.raises(IntegrityError), transaction.atomic():
        masterdata.vendor_location(vendor=vendor, site=second)


def test_with_several_sites_a_vendors_place_is_for_all_of_them():
    sites = [Site.objects.create(code="MAIN"), Site.objects.create(code="NORTH")]
    vendor = Vendor.objects.create(code="V1")

    places = {masterdata.vendor_location(vendor=vendor, site=site) for site in sites}

    assert [(place.code, place.site) for place in places] == [("AT-V1", None)]
