from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.constraints import not_kept
from core.refusals import WrongState
from inventory.models import Balance, CostPool, Lot, Movement
from inventory.services import Move, NotEnoughStock, post_movements, reverse_movements
from masterdata.models import Location


@pytest.fixture
def post(places, at):
    def _post(*moves):
        return post_movements(
            [
                Move(
                    item_id=item.pk,
                    from_location_id=places[source].pk,
                    to_location_id=places[target].pk,
                    quantity=Decimal(str(quantity)),
                    **more,
                )
                for item, source, target, quantity, more in moves
            ],
            kind="test",
            number="T-1",
            occurred_at=at,
            recorded_at=at,
            by=None,
        )

    return _post


def balance(item, location):
    return sum((b.quantity for b in Balance.objects.filter(item=item, location=location)), Decimal(0))


def test_stock_received_at_two_costs_leaves_at_the_average(post, steel, places):
    post(
        (steel, "supplier", "main", 10, {"value": Decimal(100)}),
        (steel, "supplier", "main", 10, {"value": Decimal(300)}),
    )

    [used] = post((steel, "main", "consumed", 5, {}))

    assert used.value == Decimal("100.00000")
    pool = CostPool.objects.get(item=steel)
    assert (pool.quantity, pool.value) == (15, 300)


def test_the_last_piece_takes_the_remainder_so_no_cent_is_lost(post, steel):
    post((steel, "supplier", "main", 3, {"value": Decimal(100)}))

    values = [post((steel, "main", "consumed", 1, {}))[0].value for _ in range(3)]

    assert values == [Decimal("33.33333"), Decimal("33.33334"), Decimal("33.33333")]
    assert sum(values) == 100
    assert CostPool.objects.get(item=steel).value == 0


def test_material_at_a_vendor_stays_in_the_pool_of_its_site(post, steel, places):
    post((steel, "supplier", "main", 10, {"value": Decimal(1000)}))

    post((steel, "main", "vendor", 4, {}))

    assert (balance(steel, places["main"]), balance(steel, places["vendor"])) == (6, 4)
    assert CostPool.objects.get(item=steel).value == 1000


def test_each_lot_carries_its_own_cost(post, steel):
    cheap, dear = (Lot.objects.create(item=steel, code=code) for code in ("L1", "L2"))
    post(
        (steel, "supplier", "main", 4, {"value": Decimal(1200), "lot_id": cheap.pk}),
        (steel, "supplier", "main", 10, {"value": Decimal(4000), "lot_id": dear.pk}),
    )

    used = post(
        (steel, "main", "consumed", 4, {"lot_id": cheap.pk}), (steel, "main", "consumed", 6, {"lot_id": dear.pk})
    )

    assert [row.value for row in used] == [1200, 2400]


def test_taking_more_than_lies_there_names_what_does_and_writes_nothing(post, steel, places):
    post((steel, "supplier", "main", 8, {"value": Decimal(8)}))

    with pytest.raises(NotEnoughStock, match="Only 6 of STEEL lie at MAIN, 9 are to be taken") as refused:
        post((steel, "main", "vendor", 2, {}), (steel, "main", "consumed", 9, {}))

    assert refused.value.code == "not_enough_stock"
    assert Movement.objects.count() == 1
    assert balance(steel, places["main"]) == 8


def test_a_reversal_restores_balances_and_value_once(post, steel, places, at):
    post((steel, "supplier", "main", 10, {"value": Decimal(70)}))
    sent = post((steel, "main", "vendor", 4, {}), (steel, "vendor", "consumed", 1, {}))
    again = {"kind": "test", "number": "T-1", "occurred_at": at, "recorded_at": at, "by": None}

    reverse_movements(sent, **again)

    assert (balance(steel, places["main"]), balance(steel, places["vendor"])) == (10, 0)
    assert CostPool.objects.get(item=steel).value == 70
    with pytest.raises(WrongState):
        reverse_movements(sent, **again)


def test_a_reversal_at_another_average_leaves_no_value_in_an_empty_pool(post, steel, at):
    bought = post((steel, "supplier", "main", 10, {"value": Decimal(100)}))
    post((steel, "supplier", "main", 10, {"value": Decimal(300)}))
    post((steel, "main", "consumed", 10, {}))  # 200 of 400 leave

    reverse_movements(bought, kind="test", number="T-1", occurred_at=at, recorded_at=at, by=None)

    pool = CostPool.objects.get(item=steel)
    assert (pool.quantity, pool.value) == (0, 0)
    adjusted = Movement.objects.get(quantity=0)
    assert (adjusted.value, adjusted.to_location.code) == (100, "DIFFERENCE")


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_a_movement(post, steel, act):
    [row] = post((steel, "supplier", "main", 1, {"value": Decimal(1)}))

    with pytest.raises(DatabaseError), transaction.atomic():
        if act == "update":
            Movement.objects.filter(pk=row.pk).update(quantity=2)
        else:
            Movement.objects.filter(pk=row.pk).delete()


def test_the_database_refuses_to_move_a_place_with_stock_to_another_site(post, steel, places):
    other = places["north"].site
    Location.objects.filter(pk=places["vendor"].pk).update(site=other)
    Location.objects.filter(pk=places["vendor"].pk).update(site=places["main"].site)
    post((steel, "supplier", "main", 3, {"value": Decimal(100)}))

    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        Location.objects.filter(pk=places["main"].pk).update(site=other)
    Location.objects.filter(pk=places["main"].pk).update(name="Main store")

    said = not_kept(broken.value)
    assert (said.code, said.status, said.field) == ("in_use", 409, "site")
    assert said.detail == "The site of one location cannot be so (stock lies or lay there); put them right."


def test_the_database_refuses_a_balance_below_zero(post, steel):
    post((steel, "supplier", "main", 1, {"value": Decimal(1)}))

    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.update(quantity=-1)
