"""A set put back is the set that was played, to the last column."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction

from shipments.models import Shipment
from tests import played
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
    content = rows_after(471)
    monkeypatch.setattr(plans, "generate", None)  # nothing is decided any more: rows are copied

    assert rows_after(471) == content


def test_a_set_that_was_put_back_goes_on_as_one_that_was_played():
    rows_after(472)
    goods.ordered(472)

    goods.ship(1)

    assert Shipment.objects.get().dispatched_at == plans.moment()


def test_where_rows_stand_already_a_set_is_played_upon_them():
    rows_after(473)
    plans.boss()

    goods.ordered(473)

    assert plans.line(1).quantity == 473


def test_people_a_set_does_not_know_may_stand_there_before(monkeypatch: pytest.MonkeyPatch):
    rows_after(474)
    monkeypatch.setattr(plans, "generate", None)
    plans.buyer(474)

    goods.ordered(474)

    assert plans.line(1).quantity == 474


def test_what_another_process_of_the_run_played_is_put_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(played, "shared", tmp_path / "played")
    content = rows_after(475)
    monkeypatch.setattr(played, "KEPT", {})  # as another process has it
    count_from(1, "subcontract_orders_orderline")
    monkeypatch.setattr(plans, "generate", None)

    goods.ordered(475)

    assert business_content() == content
    assert next_key("subcontract_orders_orderline") > plans.line(1).pk


def test_a_set_of_anything_but_plain_values_is_played_each_time(monkeypatch: pytest.MonkeyPatch):
    for _ in range(2):
        with transaction.atomic():
            goods.ordered(476, items=({} for _ in range(0)))
            transaction.set_rollback(True)
    monkeypatch.setattr(plans, "generate", None)

    with pytest.raises(TypeError):
        goods.ordered(476, items=({} for _ in range(0)))


def count_from(number: int, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])


def next_key(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return cursor.fetchone()[0]
