"""A set put back is the set that was played, to the last column."""

from __future__ import annotations

import pytest
from django.db import transaction

from shipments.models import Shipment
from tests.documents import plans
from tests.scenarios.runner import business_content
from tests.shipments import goods


def rows_after(quantity: int) -> dict[str, str]:
    with transaction.atomic():
        goods.ordered(quantity)
        found = business_content()
        transaction.set_rollback(True)
    return found


def test_what_is_put_back_is_what_was_played(monkeypatch: pytest.MonkeyPatch):
    rows_after(471)
    played = rows_after(471)
    monkeypatch.setattr(plans, "generate", None)  # nothing is decided any more: rows are copied

    assert rows_after(471) == played


def test_a_set_that_was_put_back_goes_on_as_one_that_was_played():
    for _ in range(2):
        rows_after(472)
    goods.ordered(472)

    goods.ship(1)

    assert Shipment.objects.get().dispatched_at == plans.moment()


def test_where_rows_stand_already_a_set_is_played_upon_them():
    for _ in range(3):
        rows_after(473)
    plans.boss()

    goods.ordered(473)

    assert plans.line(1).quantity == 473
