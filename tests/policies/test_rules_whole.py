"""An order bought complete: one award at the item's own price, and every operation ends with it."""

from datetime import date

import pytest

from policies.rules import reasons
from policies.rules.values import Frozen, Paid, WordValues, WorkCenterValues
from tests.policies.plans import (
    FG,
    HARDENING,
    MILL,
    OUT,
    PLATING,
    TODAY,
    USD,
    V1,
    V2,
    V3,
    approved,
    at,
    book,
    d,
    decide,
    operation,
    order,
    places,
    policy,
    price,
)

pytestmark = pytest.mark.no_database


def buy(*vendors, **values):
    return policy("BUY", *vendors, **{"verdict": "buy_complete", "process_id": None, "item_id": FG, **values})


def complete(vendor_id, unit_price=500, **values):
    """What the vendor asks for the item itself."""
    return price(vendor_id, unit_price, process_id=None, **values)


def two_steps(**values):
    """Milled inside for 70 (10 minutes to set up, 6 a piece), then plated."""
    mill = {"work_center_id": MILL, "setup_minutes": 10, "run_minutes": 6, "process_id": HARDENING, "outsourced": "no"}
    return order(operation(**{**mill, "planned_start": date(2026, 3, 20), **values}), operation())


def codes(decided):
    return [reason.code for reason in decided.reasons]


def test_the_whole_order_is_one_award_at_the_items_own_price_on_its_last_operation():
    rule = buy(V1)

    first, last = decide(book(policies=[rule], prices=[price(V1, 80), complete(V1, 500)]), two_steps())

    assert [(x.verdict, x.policy_id) for x in (first, last)] == [("outsource", rule.policy_id)] * 2
    assert first.awards == ()
    (award,) = last.awards
    assert (award.vendor_id, award.quantity, award.unit_price, award.amount) == (V1, 10, 500, 5000)
    assert award.is_whole
    assert codes(first) == ["ends_with"]
    assert codes(last) == ["policy_matched", "vendor_chosen"]
    assert reasons.as_dict(first.reasons[0])["detail"] == (
        "The whole production order is bought complete, by one line with operation 20: this one ends with it."
    )


def test_only_the_items_own_price_counts_and_no_process_is_asked_for_an_approval():
    what = book(
        policies=[buy(V1, V2)],
        prices=[price(V1, 80), complete(V2, 90)],
        approvals={(V2, PLATING): approved("suspended")},
    )

    _, last = decide(what, two_steps())

    assert places([last]) == ["V2 10"]
    assert [(reason.code, reason.vendor) for reason in last.reasons if reason.vendor] == [
        ("no_price", "V1"),
        ("vendor_chosen", "V2"),
    ]


def test_nobody_with_a_price_blocks_every_operation_and_says_why_at_each():
    found = decide(book(policies=[buy(V1)], prices=[price(V1)]), two_steps())

    assert places(found) == ["blocked", "blocked"]
    assert all("no_price" in one.codes() for one in found)


def test_tiers_minimum_and_lot_charge_of_the_items_price_count():
    rows = [complete(V1, 12), complete(V1, 10, minimum_quantity=10, lot_charge=25, minimum_charge=150)]

    _, last = decide(book(policies=[buy(V1)], prices=rows), two_steps())

    (award,) = last.awards
    assert (award.work_amount, award.minimum_top_up, award.lot_charge, award.amount) == (100, 50, 25, 175)


def test_the_better_offer_wins_as_for_any_sourcing_and_shares_divide_the_order():
    prices = [complete(V1, 12), complete(V2, 11)]

    cheapest = decide(book(policies=[buy(V1, V2, strategy="lowest_cost")], prices=prices), two_steps())
    divided = buy(at(V1, share_pct=70), at(V2, share_pct=30), split="share")
    parts = decide(book(policies=[divided], prices=prices), two_steps())

    assert places(cheapest[1:]) == ["V2 10"]
    assert places(parts[1:]) == ["V1 7, V2 3"]


def test_weekly_capacity_counts_an_order_once_however_many_steps_ask():
    rule = buy(at(V1, weekly_capacity=20), V2)
    what = book(policies=[rule], prices=[complete(V1), complete(V2)])
    orders = [order(operation(), operation()) for _ in range(3)]

    found = decide(what, *orders)

    assert places(found[1::2]) == ["V1 10", "V1 10", "V2 10"]


def test_an_order_all_of_whose_steps_stay_inside_is_not_bought():
    inside = {"outsourced": "no"}

    found = decide(book(policies=[buy(V1)], prices=[complete(V1)]), order(operation(**inside), operation(**inside)))

    assert places(found) == ["in_house", "in_house"]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"good": 3, "status": "in_progress"}, "begun"),
        ({"good": 10, "is_open": False, "status": "finished"}, "begun"),
        ({"outsourced": "yes", "word": WordValues("in_house", None, "we can", "anna", TODAY)}, "word"),
        ({"outsourced": "yes", "frozen": (Frozen(V3, d(10), d(0), number="SO-1/1"),)}, "ordered"),
    ],
)
def test_an_order_begun_ordered_or_spoken_of_is_for_a_person_to_say(what, why):
    plan = order(operation(**what), operation())

    found = decide(book(policies=[buy(V1)], prices=[complete(V1)]), plan)

    last = found[-1]
    assert (last.verdict, last.awards) == ("review", ())
    assert ("not_whole", ("10", why)) in [(reason.code, reason.values) for reason in last.reasons]


def test_a_word_still_goes_first_for_its_own_operation():
    word = WordValues("in_house", None, "we can", "anna", TODAY)

    first, _ = decide(book(policies=[buy(V1)], prices=[complete(V1)]), order(operation(word=word), operation()))

    assert (first.verdict, first.basis) == ("in_house", "word")


def test_its_cost_is_compared_with_that_of_all_steps_inside():
    mill = {"work_center_id": MILL, "setup_minutes": 10, "run_minutes": 6, "outsourced": "maybe"}  # 70 each
    dear, cheap = complete(V1, 15), complete(V1, 14)  # 150 and 140

    kept = decide(
        book(policies=[buy(V1, cost_below_pct=100)], prices=[dear]), order(operation(**mill), operation(**mill))
    )
    bought = decide(
        book(policies=[buy(V1, cost_below_pct=100)], prices=[cheap]), order(operation(**mill), operation(**mill))
    )

    assert places(kept) == ["in_house", "in_house"]
    assert places(bought) == ["outsource", "V1 10"]
    skipped = next(reason for reason in kept[0].reasons if reason.code == "policy_skipped")
    assert reasons.as_dict(skipped)["found"].startswith("107.142857")


def test_a_transition_moves_whole_orders_and_counts_each_once():
    rule = buy(V1, transition_from=date(2026, 1, 1), transition_share_pct=50)
    what = book(policies=[rule], prices=[complete(V1)])
    orders = [order(operation(outsourced="maybe"), operation(outsourced="maybe")) for _ in range(4)]

    assert places(decide(what, *orders)[1::2]) == ["V1 10", "in_house", "V1 10", "in_house"]


def test_what_was_sent_stays_and_what_is_missing_is_bought_of_the_same_vendor():
    rule = buy(V2, V1)
    sent = Frozen(V1, d(6), d(0), policy_id=rule.policy_id, policy_code="BUY", number="SO-1/1", is_whole=True)
    what = book(policies=[rule], prices=[complete(V1), complete(V2)])

    first, last = decide(what, order(operation(), operation(frozen=(sent,))))

    assert (first.verdict, first.awards) == ("outsource", ())
    assert (last.quantity, places([last])) == (10, ["V1 4"])
    assert last.awards[0].is_whole


def test_what_is_missing_of_an_order_bought_complete_goes_to_no_vendor_the_policy_does_not_name_any_more():
    now = buy(V2)
    came = Frozen(V1, d(0), d(8), policy_id=now.policy_id, number="SO-1/1", is_whole=True)

    given, nobody = (
        decide(book(policies=[now], prices=prices), order(operation(), operation(frozen=(came,))))[-1]
        for prices in ([complete(V1, 500), complete(V2, 600)], [complete(V1, 500)])
    )

    assert [(award.vendor_id, award.quantity) for award in given.awards] == [(V2, 2)]
    assert (nobody.verdict, nobody.awards) == ("blocked", ())
    assert ("no_price", "V2") in [(reason.code, reason.vendor) for reason in nobody.reasons]


@pytest.mark.parametrize(("flag", "verdict"), [("maybe", "in_house"), ("yes", "review")])
def test_where_no_policy_buys_it_any_more_a_sent_order_is_called_back_or_asked_about(flag, verdict):
    sent = Frozen(V1, d(10), d(0), policy_code="BUY", number="SO-1/1", is_whole=True)

    found = decide(book(), order(operation(outsourced=flag), operation(outsourced=flag, frozen=(sent,))))

    assert places(found) == [verdict, verdict]
    assert "not_bought" in found[1].codes()


def test_an_estimate_is_the_last_paid_price_of_the_whole_else_what_all_steps_cost_inside():
    mill = {"work_center_id": MILL, "setup_minutes": 10, "run_minutes": 6}  # 70 each
    rule = buy(V1, price_missing="estimate")
    paid = {(V1, FG, 0): Paid(d("9.5"), USD), (V1, FG, PLATING): Paid(d(1), USD)}

    _, known = decide(book(policies=[rule], last_paid=paid), order(operation(**mill), operation(**mill)))
    _, guessed = decide(book(policies=[rule]), order(operation(**mill), operation(**mill)))
    blocked = decide(book(policies=[rule]), order(operation(**mill), operation(work_center_id=OUT)))

    (award,) = known.awards
    assert (award.is_estimate, award.unit_price, award.currency_id) == (True, d("9.5"), USD)
    assert (award.amount, award.amount_company) == (95, d("85.50"))
    assert (guessed.awards[0].unit_price, guessed.awards[0].amount) == (14, 140)
    assert places(blocked) == ["blocked", "blocked"]


def test_the_first_step_decides_when_a_policy_is_valid_and_the_last_one_when_it_is_needed():
    rule = buy(V1, valid_to=date(2026, 3, 20))
    what = book(policies=[rule], prices=[complete(V1)], work_centers={OUT: WorkCenterValues(OUT, "OUT")})
    early = operation(planned_start=date(2026, 3, 20), planned_end=date(2026, 3, 25))

    _, last = decide(what, order(early, operation()))

    assert (places([last]), last.awards[0].need_date) == (["V1 10"], date(2026, 3, 31))
