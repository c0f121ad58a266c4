from decimal import Decimal

import pytest
from django.db.models import Sum

from inventory.models import Balance, CostPool, Movement
from inventory.services import Move, level_values, post_movements
from inventory.services.checking import check_stock


@pytest.fixture
def post(places, steel, at):
    def _post(source, target, quantity, value=None):
        move = Move(steel.pk, places[source].pk, places[target].pk, Decimal(quantity), value=value and Decimal(value))
        post_movements([move], kind="test", number="T-1", occurred_at=at, recorded_at=at, by=None)

    return _post


def worth():
    return dict(Balance.objects.order_by("pk").values_list("location__code", "value"))


def test_what_lies_at_a_vendor_follows_the_average_of_its_site(post, at):
    post("supplier", "main", 10, 100)
    post("main", "vendor", 4)
    post("supplier", "main", 10, 300)
    assert worth() == {"MAIN": 360, "AT-V1": 40}

    assert level_values(at=at) == 1

    assert worth() == {"MAIN": 320, "AT-V1": 80}
    [move] = Movement.objects.filter(document_kind="value_leveling")
    assert (move.quantity, move.value, move.to_location.code) == (0, 40, "AT-V1")
    assert CostPool.objects.aggregate(quantity=Sum("quantity"), value=Sum("value")) == {"quantity": 20, "value": 400}
    assert check_stock()[1] == []


def test_an_empty_place_keeps_no_value_behind(post, at):
    post("supplier", "main", 10, 100)
    post("main", "vendor", 4)
    post("supplier", "main", 10, 300)
    post("vendor", "consumed", 4)
    assert worth() == {"MAIN": 360, "AT-V1": -40}

    level_values(at=at)

    assert worth() == {"MAIN": 320, "AT-V1": 0}
    assert check_stock()[1] == []


def test_a_site_that_has_nothing_left_is_leveled_too(post, at):
    post("supplier", "main", 10, 100)
    post("main", "vendor", 4)
    post("supplier", "main", 10, 300)
    post("vendor", "consumed", 4)
    post("main", "consumed", 16)

    level_values(at=at)

    assert worth() == {"MAIN": 0, "AT-V1": 0}
    assert check_stock()[1] == []


def test_leveled_again_nothing_moves(post, at):
    post("supplier", "main", 10, 100)
    post("main", "vendor", 4)
    post("supplier", "main", 10, 300)
    level_values(at=at)

    assert level_values(at=at) == 0


def test_another_sites_stock_keeps_its_own_average(post, at):
    post("supplier", "main", 10, 100)
    post("supplier", "north", 10, 300)

    assert level_values(at=at) == 0
    assert worth() == {"MAIN": 100, "NORTH": 300}


def test_less_than_a_cent_is_left_where_pieces_lie(post, at):
    post("supplier", "main", 10, 100)
    post("main", "vendor", 4)
    post("supplier", "main", 10, "100.01")  # 10.0005 each: the vendor's four are worth 40.002

    assert level_values(at=at) == 0
    assert worth() == {"MAIN": Decimal("160.01"), "AT-V1": 40}
