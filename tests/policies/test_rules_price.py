"""Which price row counts, and what a quantity costs by it."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import price as rules
from policies.rules.values import CurrencyValues
from tests.policies.plans import EUR, FG, OTHER_ITEM, PLATING, SITE, USD, V1, d, price

pytestmark = pytest.mark.no_database

DAY = date(2026, 4, 8)


def select(rows, quantity, *, day=DAY, vendor_currency=EUR, process=PLATING):
    """The row that counts for the finished part at our site, all quantities and days being the same for every row."""
    found = rules.levels(
        rows, item_id=FG, process_id=process, site_id=SITE, vendor_currency_id=vendor_currency, company_currency_id=EUR
    )
    return rules.select(found, lambda row: d(quantity), lambda row: day)


@pytest.mark.parametrize(
    ("quantity", "unit_price", "work", "top_up", "total"),
    [
        (30, 10, 300, 0, 300),
        (3, 10, 30, 20, 50),
        (49, 10, 490, 0, 490),
        (50, 8, 400, 0, 400),
        (99, 8, 792, 0, 792),
        (100, 5, 500, 0, 500),
    ],
)
def test_the_highest_tier_reached_wins_and_brings_its_own_minimum(quantity, unit_price, work, top_up, total):
    rows = [price(V1, 10, minimum_charge=50), price(V1, 8, minimum_quantity=50), price(V1, 5, minimum_quantity=100)]

    row = select(rows, quantity)

    amounts = rules.amounts(row, row.unit_price, d(quantity), 2)
    assert (row.unit_price, amounts.work, amounts.top_up, amounts.total) == (unit_price, work, top_up, total)


def test_a_dearer_tier_wins_where_it_is_reached():
    rows = [price(V1, 15, minimum_quantity=1), price(V1, 18, minimum_quantity=50)]

    assert [select(rows, quantity).unit_price for quantity in (5, 80)] == [15, 18]


def test_no_tier_reached_is_no_price_even_where_a_wider_row_would_do():
    rows = [price(V1, 3, minimum_quantity=50), price(V1, 2, item_id=None)]

    assert select(rows, 49) is None


def test_item_and_process_go_before_process_and_our_site_before_any():
    any_item, item = price(V1, 3, item_id=None), price(V1, 4)
    any_item_here, item_here = price(V1, 5, item_id=None, site_id=SITE), price(V1, 6, site_id=SITE)

    assert select([any_item, item, any_item_here, item_here], 1) is item_here
    assert select([any_item, item, any_item_here], 1) is item
    assert select([any_item, any_item_here], 1) is any_item_here
    assert select([any_item], 1) is any_item


def test_rows_of_another_item_process_site_or_currency_do_not_count():
    rows = [
        price(V1, item_id=OTHER_ITEM), price(V1, process_id=99), price(V1, process_id=None), price(V1, site_id=99),
        price(V1, currency_id=USD),
    ]  # fmt: skip

    assert select(rows, 1) is None


def test_an_item_alone_is_the_price_of_buying_it_complete():
    complete, work = price(V1, 50, process_id=None), price(V1, 5)

    assert select([complete, work], 1, process=None) is complete
    assert select([complete, work], 1) is work


def test_the_latest_valid_row_of_the_same_tier_wins():
    rows = [price(V1, year, valid_from=date(year, 1, 1)) for year in (2025, 2026, 2027)]

    assert select([price(V1, 1), *rows], 1).unit_price == 2026
    assert select([price(V1, 1)], 1).unit_price == 1


@pytest.mark.parametrize(("day", "found"), [(-1, False), (0, True), (10, True), (11, False)])
def test_validity_includes_both_ends(day, found):
    row = price(V1, valid_from=DAY, valid_to=DAY + timedelta(days=10))

    assert (select([row], 1, day=DAY + timedelta(days=day)) is row) == found


def test_a_row_that_has_ended_does_not_keep_a_wider_one_away():
    ended, wide = price(V1, 4, valid_to=DAY - timedelta(days=1)), price(V1, 3, item_id=None)

    assert select([ended, wide], 1) is wide


def test_the_vendors_currency_goes_before_the_companys():
    euros, dollars = price(V1, 9), price(V1, 10, currency_id=USD)

    assert select([euros, dollars], 1, vendor_currency=USD) is dollars
    assert select([euros, dollars], 1) is euros
    assert select([euros], 1, vendor_currency=USD) is euros
    assert select([euros, price(V1, 10, currency_id=USD, minimum_quantity=5)], 1, vendor_currency=USD) is None


def test_a_blank_price_that_counts_is_found_as_what_it_is():
    assert select([price(V1, 10), price(V1, None, minimum_quantity=50)], 80).unit_price is None


@pytest.mark.parametrize(
    ("row", "quantity", "expected"),
    [
        (price(V1, 1, minimum_charge=1000), 100, (100, 900, 0, 0, 1000)),
        (price(V1, 15, minimum_charge=100), 5, (75, 25, 0, 0, 100)),
        (price(V1, "1.20", lot_charge=60), 200, (240, 0, 60, 0, 300)),
        (
            price(V1, 10, minimum_charge=200, lot_charge=50, freight="12.345"),
            10,
            (100, 100, 50, d("12.35"), d("262.35")),
        ),
        (price(V1, 250, factor=100), 30, (75, 0, 0, 0, 75)),
        (price(V1, "0.005"), 1, (d("0.01"), 0, 0, 0, d("0.01"))),
        (price(V1, "0.00333"), 1000, (d("3.33"), 0, 0, 0, d("3.33"))),
    ],
)
def test_amounts_are_work_then_what_is_added_once(row, quantity, expected):
    assert rules.amounts(row, row.unit_price, d(quantity), 2) == expected


def test_amounts_have_the_decimals_of_their_currency():
    assert rules.amounts(price(V1, "10.5"), d("10.5"), d(1), 0).total == 11


def test_the_latest_rate_not_after_the_day_counts():
    dollar = CurrencyValues(USD, "USD", 2, ((date(2026, 4, 1), d("0.8")), (date(2026, 1, 1), d("0.9"))))

    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1)]
    assert [rules.rate_on(dollar, day) for day in days] == [None, d("0.9"), d("0.9"), d("0.8")]


# --- properties ---

money = st.decimals(min_value=0, max_value=10_000, places=5)
quantities = st.decimals(min_value="0.001", max_value=100_000, places=3)
tiers = st.builds(
    price,
    st.just(V1),
    st.none() | st.decimals(min_value=0, max_value=100, places=2),
    item_id=st.sampled_from([FG, None, OTHER_ITEM]),
    site_id=st.sampled_from([None, SITE, 99]),
    currency_id=st.sampled_from([EUR, USD]),
    minimum_quantity=st.integers(0, 5),
    valid_from=st.none() | st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days)),
    valid_to=st.none() | st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days)),
)


@given(money, quantities, money, money, money, st.integers(0, 2))
def test_a_total_is_never_below_the_minimum_and_adds_up(unit_price, quantity, minimum, lot_charge, freight, decimals):
    row = price(V1, unit_price, minimum_charge=minimum, lot_charge=lot_charge, freight=freight)

    work, top_up, lot, carried, total = rules.amounts(row, unit_price, quantity, decimals)

    cent = Decimal(1).scaleb(-decimals)
    assert work + top_up >= minimum.quantize(cent, ROUND_HALF_UP)
    assert work + top_up + lot + carried == total
    assert abs(work - unit_price * quantity) <= cent / 2
    assert top_up == 0 or work < minimum.quantize(cent, ROUND_HALF_UP)


def slow_select(rows, quantity, day, vendor_currency):
    """As a person would go through a price list."""
    standing = [
        row for row in rows
        if (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or day <= row.valid_to)
    ]  # fmt: skip
    for item in (FG, None):
        for site in (SITE, None):
            for currency in dict.fromkeys((vendor_currency, EUR)):
                here = [
                    row for row in standing if (row.item_id, row.site_id, row.currency_id) == (item, site, currency)
                ]
                if not here:
                    continue
                reached = [row for row in here if row.minimum_quantity <= quantity]
                if not reached:
                    return None
                highest = max(row.minimum_quantity for row in reached)
                best = [row for row in reached if row.minimum_quantity == highest]
                latest = max(row.valid_from or date.min for row in best)
                return min(
                    (row for row in best if (row.valid_from or date.min) == latest), key=lambda row: row.agreement_id
                )
    return None


@given(st.lists(tiers, max_size=8), st.integers(0, 6), st.sampled_from([EUR, USD]), st.randoms(use_true_random=False))
def test_the_row_chosen_is_that_of_a_slow_and_obvious_search_in_any_order(rows, quantity, vendor_currency, random):
    expected = slow_select(rows, quantity, DAY, vendor_currency)
    random.shuffle(rows)

    assert select(rows, quantity, vendor_currency=vendor_currency) is expected


@given(quantities, st.decimals(min_value=1, max_value=100, places=3), st.integers(0, 5))
def test_an_order_quantity_is_just_enough_for_the_good_pieces(good, yield_pct, decimals):
    quantity = rules.order_quantity(good, yield_pct, decimals)

    unit = Decimal(1).scaleb(-decimals)
    assert quantity * yield_pct / 100 >= good - Decimal("1e-15")
    assert (quantity - unit) * yield_pct / 100 < good
    assert quantity % unit == 0
