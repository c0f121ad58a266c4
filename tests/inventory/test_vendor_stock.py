"""What of ours lies at vendors over a period."""

from datetime import date
from decimal import Decimal

from inventory.models import Balance
from inventory.services import vendor_balances
from receipts.models import ExpectedReceipt
from receipts.services import adjust_consumption, correct_receipt, inspect_receipt
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods


def balance(start: date | None = None, end: date | None = None):
    [found] = balances("RM", start=start, end=end)
    return found


def balances(item: str, *, start: date | None = None, end: date | None = None):
    rows = list(Balance.objects.at_vendors().filter(item__code=item).select_related("location"))
    at = moment(date(2026, 3, 12))
    return vendor_balances(rows, start=start and moment(start), end=end and moment(end), at=at)


@played
def used_and_returned() -> None:
    line = back.sent_order(over_send_pct=50)
    back.ship(1, 15)
    goods.receive(goods.counted(line, 4))
    back.return_material(RM=3)
    back.count(7)
    back.write_off(1)


def test_every_column_of_a_vendors_balance():
    used_and_returned()

    found = balance()

    assert (found.opening, found.sent, found.consumed, found.returned) == (0, 15, 4, 3)
    assert (found.written_off, found.difference, found.closing) == (1, 1, 6)
    assert (found.value, found.age_days) == (600, 10)


def test_what_happened_before_the_period_opens_it():
    used_and_returned()

    found = balance(start=date(2026, 3, 5))

    assert (found.opening, found.sent, found.closing) == (15, 0, 6)


def test_what_happened_after_the_period_is_left_out():
    used_and_returned()

    found = balance(end=date(2026, 3, 5))

    assert (found.opening, found.sent, found.consumed, found.closing) == (0, 15, 0, 15)


def test_a_reversal_counts_against_what_it_undoes():
    line = back.sent_order()
    back.ship(1)
    goods.reverse(goods.receive(goods.counted(line, 4)))

    found = balance()

    assert (found.sent, found.consumed, found.direct, found.closing) == (10, 0, 0, 10)


def test_what_was_not_used_after_all_lowers_what_was_used():
    line = back.sent_order()
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 6))
    said = {"receipt_id": receipt.pk, "line_no": 1, "by": None, "at": moment(goods.LATER)}
    adjust_consumption(item_id=back.component(1).item_id, quantity=Decimal(-1), **said)
    correct_receipt(accepted=Decimal(4), reason="miscounted", **said)

    found = balance()

    assert (found.sent, found.consumed, found.direct, found.closing) == (10, 4, 0, 6)

    goods.reverse(receipt)

    found = balance()
    assert (found.sent, found.consumed, found.direct, found.closing) == (10, 0, 0, 10)


def test_pieces_made_at_a_vendor_and_counted_down_are_so_many_fewer():
    line = back.sent_order(quantity=10)
    back.ship(1)
    OrderLine.objects.update(receive_at=line.ship_to)
    ExpectedReceipt.objects.update(location=line.ship_to)
    receipt = goods.receive(goods.counted(line, 6))
    correct_receipt(
        receipt_id=receipt.pk, line_no=1, accepted=Decimal(4), reason="miscounted", by=None, at=moment(goods.LATER)
    )

    [there] = balances("FG")

    assert (there.direct, there.consumed, there.closing) == (4, 0, 4)


def test_pieces_that_go_back_to_be_mended_are_sent_and_come_back():
    line = back.sent_order(inspection="all")
    back.ship(1)
    receipt = goods.receive(goods.counted(line, 6))
    inspect_receipt(receipt_id=receipt.pk, line_no=1, accepted=Decimal(4), rejected=Decimal(2), disposition="rework", by=None,
                    at=moment(goods.LATER))  # fmt: skip

    [there] = balances("FG")

    assert (there.sent, there.direct, there.consumed, there.closing) == (2, 0, 0, 2)

    goods.receive(goods.counted(line, 1), note="DN-2")

    [there] = balances("FG")
    assert (there.sent, there.direct, there.consumed, there.returned, there.closing) == (2, 0, 0, 1, 1)


def test_it_costs_the_same_for_any_number_of_rows(django_assert_num_queries):
    used_and_returned()
    rows = list(Balance.objects.at_vendors().select_related("location"))

    with django_assert_num_queries(4):
        vendor_balances(rows, start=None, end=None, at=moment())
