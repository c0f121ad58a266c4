"""What of ours lies at vendors over a period."""

from datetime import date

from inventory.models import Balance
from inventory.services import vendor_balances
from tests.documents.plans import moment
from tests.played import played
from tests.receipts import back, goods


def balance(start: date | None = None, end: date | None = None):
    rows = list(Balance.objects.at_vendors().filter(item__code="RM").select_related("location"))
    at = moment(date(2026, 3, 12))
    [found] = vendor_balances(rows, start=start and moment(start), end=end and moment(end), at=at)
    return found


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


def test_it_costs_the_same_for_any_number_of_rows(django_assert_num_queries):
    used_and_returned()
    rows = list(Balance.objects.at_vendors().select_related("location"))

    with django_assert_num_queries(4):
        vendor_balances(rows, start=None, end=None, at=moment())
