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


def test_what_another_process_of_the_run_played_is_put_back_and_counted_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(played, "shared", tmp_path / "played")
    content = rows_after(474)
    monkeypatch.setattr(played, "KEPT", {})  # as another process has it
    sequence_back("subcontract_orders_orderline")
    monkeypatch.setattr(plans, "generate", None)

    goods.ordered(474)

    assert business_content() == content
    assert next_key("subcontract_orders_orderline") > plans.line(1).pk


def sequence_back(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), 1)", [table])


def next_key(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return cursor.fetchone()[0]
