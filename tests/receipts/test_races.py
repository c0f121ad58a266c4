"""Many people count goods in at the same moment: no piece too many, nothing below zero, no deadlock shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from core.refusals import Refusal
from receipts import services as receipts
from receipts.models import Receipt
from subcontract_orders.models import OrderComponent, OrderLine
from subcontract_orders.services.flows import lock_places
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts.goods import LATER, at_vendor, component, counted, lying, reverse, ship, worth

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
THREADS = 16


def at_once(act: Callable[[int], Any], times: int = THREADS) -> list[Any]:
    """What became of an act done by many at the same moment; a refusal stands for itself."""
    begin = Barrier(times)

    def run(number: int) -> Any:
        try:
            begin.wait()
            return act(number)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def post(line: OrderLine, accepted: int, *, note: str, by: User) -> Receipt:
    return receipts.post_receipt(
        vendor_id=line.vendor_id, note=note, lines=[counted(line, accepted)], by=by, at=moment(LATER)
    )


def test_notes_on_one_line_are_taken_up_to_what_was_ordered():
    line, boss = at_vendor(quantity=30), plans.boss()

    done = at_once(lambda number: post(line, 3, note=f"DN-{number}", by=boss))

    line.refresh_from_db()
    assert sorted(one for one in done if isinstance(one, str)) == ["over_receipt"] * 6
    assert (line.accepted, lying("MAIN", "FG"), lying("AT-V1", "RM")) == (30, 30, 0)
    assert (worth("FG"), worth("RM"), OrderComponent.objects.get().consumed) == (6000, 97000, 30)


def test_the_same_note_counted_by_many_is_one_receipt():
    line, boss = at_vendor(), plans.boss()

    done = at_once(lambda _: post(line, 4, note="DN-1", by=boss))

    assert len({receipt.pk for receipt in done}) == 1
    assert (plans.line(1).accepted, Receipt.objects.count()) == (4, 1)


def test_whose_own_material_is_there_waits_for_nobody_at_the_vendors_place():
    line, boss = at_vendor(), plans.boss()
    done: list[Receipt] = []

    def count() -> None:
        done.append(post(line, 10, note="DN-1", by=boss))
        connection.close()

    with transaction.atomic():
        lock_places([line.ship_to_id])
        other = Thread(target=count)
        other.start()
        other.join(timeout=30)
        without_waiting = len(done)
    other.join()

    assert (without_waiting, lying("MAIN", "FG"), lying("AT-V1", "RM")) == (1, 10, 0)


def test_own_material_and_free_stock_are_taken_at_once_and_nobody_takes_the_others():
    """One line has its own there, the other lives on what is free: never on what the first has, whoever comes first."""
    plans.base(
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"], "shortage": "warn"}
        ],
        stock=[{"item": "RM", "location": "AT-V1", "quantity": 5}],
    )
    plans.plan("P1", "FG", 16, "2026-04-30")
    plans.plan("P2", "FG", 16, "2026-05-29")
    plans.generate()
    for number in (1, 2):
        plans.send(number)
    ship(1)
    lines, boss = list(OrderLine.objects.order_by("pk")), plans.boss()

    done = at_once(lambda number: post(lines[number % 2], 2, note=f"DN-{number}", by=boss))

    assert len({receipt.pk for receipt in done}) == THREADS
    assert (lying("MAIN", "FG"), lying("AT-V1", "RM")) == (32, 0)
    assert [component(line).consumed for line in lines] == [16, 5]


def test_lines_of_two_orders_in_either_order_and_free_stock_for_all():
    plans.base(
        policies=[{"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]}],
        stock=[{"item": "RM", "location": "AT-V1", "quantity": 40}],
    )
    plans.plan("P1", "FG", 50, "2026-04-30")
    plans.plan("P2", "FG", 50, "2026-05-29")
    plans.generate()
    for number in (1, 2):
        plans.send(number)
    lines, boss = list(OrderLine.objects.order_by("pk")), plans.boss()

    def both(number: int) -> Receipt:
        said = [counted(line, 2) for line in (lines if number % 2 else lines[::-1])]
        return receipts.post_receipt(
            vendor_id=lines[0].vendor_id, note=f"DN-{number}", lines=said, by=boss, at=moment(LATER)
        )

    done = at_once(both)

    assert [one for one in done if isinstance(one, str)] == ["vendor_short"] * 6
    assert OrderLine.objects.aggregate(total=Sum("accepted"))["total"] == 40
    assert (lying("AT-V1", "RM"), lying("MAIN", "FG")) == (0, 40)
    assert OrderComponent.objects.aggregate(total=Sum("consumed"))["total"] == Decimal(40)


def test_receiving_and_taking_back_at_once_leaves_what_was_not_taken_back():
    line, boss = at_vendor(quantity=32), plans.boss()
    first = [post(line, 2, note=f"A-{number}", by=boss) for number in range(8)]

    def either(number: int) -> Any:
        return reverse(first[number // 2]) if number % 2 else post(line, 1, note=f"B-{number}", by=boss)

    done = at_once(either)

    line.refresh_from_db()
    assert [one for one in done if isinstance(one, str)] == []
    assert (line.accepted, lying("MAIN", "FG"), lying("AT-V1", "RM")) == (8, 8, 24)
    assert worth("FG") == 1600
