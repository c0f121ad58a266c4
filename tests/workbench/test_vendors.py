"""Vendors: the list, the room of one, and what each would take for the same work."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from masterdata.models import Currency, ExchangeRate, Item, Process, Vendor
from policies import services as policies
from policies.models import PriceAgreement, VendorApproval
from tests.workbench import rows

DAY = rows.AT.date()


@pytest.fixture
def zinc() -> Process:
    return Process.objects.create(code="ZINC", name="Zinc plating")


def priced(code: str, process: Process, unit_price: str, **fields) -> Vendor:
    vendor, _made = Vendor.objects.get_or_create(code=code, defaults={"name": f"{code} Ltd"})
    PriceAgreement.objects.create(vendor=vendor, process=process, unit_price=Decimal(unit_price), **fields)
    return vendor


def compared(process: Process, quantity: int, item: Item | None = None):
    return policies.compare_offers(process=process, item=item, quantity=Decimal(quantity), site_id=None, on=DAY)


def test_the_cheapest_for_the_quantity_stands_first_charges_counted(zinc):
    priced("A", zinc, "1.00", minimum_charge=Decimal(100))
    priced("B", zinc, "1.50", lot_charge=Decimal(5))

    few, many = compared(zinc, 10), compared(zinc, 1000)

    assert [(offer.vendor.code, offer.total_company) for offer in few] == [
        ("B", Decimal("20.00")),
        ("A", Decimal("100.00")),
    ]
    assert [(offer.vendor.code, offer.total_company) for offer in many] == [
        ("A", Decimal("1000.00")),
        ("B", Decimal("1505.00")),
    ]
    assert (few[1].amounts.work, few[1].amounts.top_up) == (Decimal("10.00"), Decimal("90.00"))


def test_who_cannot_be_taken_stands_last_with_the_reason(zinc):
    dollar = Currency.objects.create(code="USD")
    priced("FIT", zinc, "9")
    priced("TIER", zinc, "1", minimum_quantity=Decimal(50))
    priced("OFF", zinc, "1").__class__.objects.filter(code="OFF").update(is_active=False)
    priced("ENDED", zinc, "1")
    VendorApproval.objects.create(
        vendor=Vendor.objects.get(code="ENDED"), process=zinc, valid_to=DAY - timedelta(days=1)
    )
    Vendor.objects.create(code="USA", currency=dollar)
    priced("USA", zinc, "1")

    found = compared(zinc, 10)

    assert found[0].vendor.code == "FIT"
    assert {offer.vendor.code: offer.reason for offer in found} == {
        "FIT": "", "TIER": "no_price", "OFF": "inactive", "ENDED": "approval_expired", "USA": "no_rate",
    }  # fmt: skip
    ExchangeRate.objects.create(currency=dollar, valid_from=DAY, rate=Decimal("0.5"))
    assert compared(zinc, 10)[0].vendor.code == "USA"
    assert compared(zinc, 10)[0].total_company == Decimal("5.00")


def test_a_price_for_the_part_goes_before_one_for_any(zinc):
    item = Item.objects.create(code="HOUSING")
    priced("A", zinc, "5")
    priced("A", zinc, "7", item=item)

    assert compared(zinc, 1)[0].unit_price == 5
    assert compared(zinc, 1, item)[0].unit_price == 7


def test_the_pages_show_vendors_their_room_and_the_comparison(desk, zinc):
    order = rows.order()
    priced("X/1", zinc, "2.5", lead_days=5)

    listed = desk.get("/vendors/").content.decode()
    room = desk.get(f"/vendors/{order.vendor.code}/").content.decode()
    other = desk.get("/vendors/X/1/")
    compared_page = desk.get("/prices/", {"process": "ZINC", "quantity": "4"}).content.decode()

    assert order.vendor.name in listed
    assert order.number in room
    assert other.status_code == 200
    assert "10.00" in compared_page


def test_where_prices_are_by_part_the_page_asks_for_the_part_and_offers_those_there_are(desk, zinc):
    priced("A", zinc, "5", item=Item.objects.create(code="AXLE", name="Axle"))

    page = desk.get("/prices/", {"process": "ZINC", "quantity": "4"}).content.decode()

    assert "Which part is it?" in page
    assert '<option value="AXLE">Axle</option>' in page
    chosen = desk.get("/prices/", {"process": "ZINC", "quantity": "4", "item": "AXLE"}).content.decode()
    assert "Which part is it?" not in chosen


@pytest.mark.parametrize("wrong", [{"item": "NOWHERE"}, {"quantity": "many"}])
def test_what_cannot_be_read_is_said_on_the_page(desk, zinc, wrong):
    priced("A", zinc, "1")

    page = desk.get("/prices/", {"process": "ZINC", **wrong})

    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()


def test_the_list_costs_the_same_for_any_number_of_vendors(desk, zinc, django_assert_max_num_queries):
    for number in range(12):
        priced(f"V{number:02d}", zinc, "1")

    with django_assert_max_num_queries(15):
        desk.get("/vendors/")
