"""What is stored as a sum is compared with its rows, every difference named, and put right."""

import json

import pytest
from django.core.management import call_command

from documents import services as documents
from inventory.models import Balance, CostPool
from receipts.models import ExpectedReceipt
from subcontract_orders.models import OrderComponent, SubcontractOrder
from tests.played import played
from tests.receipts import back, goods


@pytest.fixture
@played
def busy() -> None:
    line = back.sent_order()
    back.ship(1)
    goods.receive(goods.counted(line, 4))


def names() -> list[tuple[str, str, str, str]]:
    return [(one.check, one.about, one.stored, one.should_be) for one in documents.check_invariants().differences]


def test_a_sound_book_has_no_differences(busy, capsys):
    call_command("check_invariants", "--json")

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["differences"] == []
    assert said["checked"] > 10


def test_a_wrong_balance_is_named_and_put_right(busy):
    Balance.objects.filter(item__code="RM", location__code="MAIN").update(quantity=980)
    Balance.objects.filter(item__code="FG").delete()

    assert names() == [
        ("balance equals its movements", "FG at MAIN", "0", "4"),
        ("balance is worth its movements", "FG at MAIN", "0", "800"),
        ("balance equals its movements", "RM at MAIN", "980", "990"),
    ]
    assert len(documents.recount(dry_run=True)) == 3
    documents.recount()
    assert names() == []
    assert goods.lying("MAIN", "FG") == 4


def test_a_wrong_value_is_named_and_put_right(busy):
    CostPool.objects.filter(item__code="FG").update(value=799)

    assert names() == [("cost pool is worth its movements", "FG at MAIN", "799", "800")]
    documents.recount()
    assert names() == []


def test_a_place_that_is_worth_something_else_is_named_and_put_right(busy):
    Balance.objects.filter(item__code="FG", location__code="MAIN").update(value=1)

    assert names() == [("balance is worth its movements", "FG at MAIN", "1", "800")]
    documents.recount()
    assert names() == []


def test_a_wrong_counter_is_named_and_put_right(busy):
    OrderComponent.objects.update(sent=9)

    assert names() == [("a component's counter is its flows'", "SC-00001/1 RM sent", "9", "10")]
    documents.recount()
    assert names() == []


def test_a_wrong_expectation_total_and_progress_are_named(busy):
    ExpectedReceipt.objects.update(quantity=5)
    SubcontractOrder.objects.update(total=1, receipt="complete")

    assert names() == [
        ("an order's total is its lines'", "SC-00001", "1", "1000"),
        ("receipt progress is its lines'", "SC-00001", "complete", "partial"),
        ("expected is what is open", "SC-00001/1", "5", "6"),
    ]


def test_the_commands_fail_where_something_differs(busy, capsys):
    Balance.objects.filter(item__code="RM", location__code="MAIN").update(quantity=980)

    with pytest.raises(SystemExit) as stopped:
        call_command("check_invariants")
    assert stopped.value.code == 1
    with pytest.raises(SystemExit):
        call_command("recount_stock", "--dry-run", "--json")
    call_command("recount_stock", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["written"] is True
    call_command("check_invariants")
