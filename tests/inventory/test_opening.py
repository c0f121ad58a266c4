"""Loading stock: balances as of a time, the difference as a movement."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory import services as inventory
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.services import CountedStock, CountsRefused
from masterdata.models import Item, Location
from tests.factories import AT, ItemFactory, LocationFactory, SiteFactory, UnitFactory, VendorFactory


@pytest.fixture
def bar() -> Item:
    return ItemFactory(code="BAR", unit=UnitFactory(code="kg", decimals=3), standard_cost=Decimal("2.5"))


@pytest.fixture
def store() -> Location:
    return LocationFactory(code="STORE", kind="warehouse", site=SiteFactory(code="MAIN"))


def load(item: Item, place: Location, quantity: Any, **values: Any):
    counts = [CountedStock(item_id=item.pk, location_id=place.pk, quantity=Decimal(quantity), **values)]
    return inventory.load_stock(counts=counts, at=AT, by=None)


def balance() -> Decimal:
    return Balance.objects.get().quantity


def test_stock_comes_from_the_difference_at_standard_cost(bar, store):
    load(bar, store, 10)

    movement = Movement.objects.get()
    assert (movement.from_location.kind, movement.to_location, movement.quantity) == ("difference", store, 10)
    assert movement.value == Decimal("25.00")
    assert (balance(), CostPool.objects.get().value) == (10, 25)


def test_the_same_stock_again_moves_nothing(bar, store):
    load(bar, store, 10)

    assert load(bar, store, 10).unchanged == 1
    assert Movement.objects.count() == 1


def test_a_lot_expires_when_the_stock_says_so_and_may_be_dated_anew(bar, store):
    load(bar, store, 10, lot="A", expires_on=date(2026, 5, 31))
    load(bar, store, 10, lot="A")
    assert Lot.objects.get().expires_on == date(2026, 5, 31)

    done = load(bar, store, 10, lot="A", expires_on=date(2026, 6, 30))

    assert Lot.objects.get().expires_on == date(2026, 6, 30)
    assert (done.changed, done.unchanged, Movement.objects.count()) == (1, 0, 1)
    with pytest.raises(CountsRefused) as refused:
        load(bar, store, 5, expires_on=date(2026, 6, 30))
    assert [(bad.code, bad.field) for bad in refused.value.counts] == [("lot_required", "lot")]
    assert balance() == 10


def test_a_stated_cost_values_what_is_more(bar, store):
    load(bar, store, 10, unit_cost=Decimal("3.333"))

    assert Movement.objects.get().value == Decimal("33.33")


def test_less_stock_leaves_at_cost_and_none_takes_the_rest(bar, store):
    load(bar, store, 3, unit_cost=Decimal("3.333"))
    load(bar, store, 1)
    load(bar, store, 0)

    values = list(Movement.objects.order_by("pk").values_list("quantity", "value"))
    assert values == [(3, 10), (2, Decimal("6.66667")), (1, Decimal("3.33333"))]
    assert (balance(), CostPool.objects.get().value) == (0, 0)


def test_stock_at_a_vendor_stands_for_a_direct_delivery(bar):
    place = LocationFactory(code="AT-V1", kind="vendor", site=None, vendor=VendorFactory(code="V1"))

    load(bar, place, 10)

    assert Movement.objects.get().from_location.kind == "supplier"


def test_lots_are_counted_apart(bar, store):
    load(bar, store, 10, lot="L1")
    load(bar, store, 4, lot="L2")

    assert dict(Balance.objects.values_list("lot__code", "quantity")) == {"L1": 10, "L2": 4}
    assert Lot.objects.count() == 2


def test_movements_after_the_time_of_a_count_stay(bar, store):
    load(bar, store, 10)
    other = LocationFactory(code="OTHER", kind="warehouse", site=store.site, is_main=False)
    taken = [inventory.Move(bar.pk, store.pk, other.pk, Decimal(4))]
    later = AT + timedelta(days=2)
    inventory.post_movements(taken, kind="test", number="1", occurred_at=later, recorded_at=later, by=None)

    load(bar, store, 12, as_of=AT + timedelta(days=1))

    assert Balance.objects.get(location=store).quantity == 8


@pytest.mark.parametrize(
    ("quantity", "code"), [("-1", "invalid_quantity"), ("0.0001", "too_precise"), ("0.000001", "too_precise")]
)
def test_impossible_quantities_are_refused(bar, store, quantity, code):
    with pytest.raises(CountsRefused) as refusal:
        load(bar, store, quantity)

    assert [(count.index, count.code, count.field) for count in refusal.value.counts] == [(0, code, "quantity")]
    assert not Movement.objects.exists()


def test_a_count_that_would_leave_less_than_nothing_today_is_refused(bar, store):
    load(bar, store, 10)
    other = LocationFactory(code="OTHER", kind="warehouse", site=store.site, is_main=False)
    later = AT + timedelta(days=2)
    taken = [inventory.Move(bar.pk, store.pk, other.pk, Decimal(8))]
    inventory.post_movements(taken, kind="test", number="1", occurred_at=later, recorded_at=later, by=None)

    with pytest.raises(CountsRefused) as refusal:
        load(bar, store, 5, as_of=AT + timedelta(days=1))

    assert refusal.value.code == "not_enough_stock"
    assert Movement.objects.count() == 2
