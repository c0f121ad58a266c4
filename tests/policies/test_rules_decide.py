"""Who decides, in which order; what goes to whom; every reason against a vendor."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from policies.rules import reasons
from policies.rules.values import CommittedLine, Frozen, Paid, ProcessValues, WordValues, WorkCenterValues
from tests.policies.plans import (
    EUR,
    FG,
    HARDENING,
    MILL,
    OTHER_ITEM,
    OUT,
    PLATING,
    SITE,
    TODAY,
    USD,
    V1,
    V2,
    V3,
    V4,
    V5,
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
    vendor,
)

pytestmark = pytest.mark.no_database


def one(*args, **kwargs):
    (found,) = decide(*args, **kwargs)
    return found


def told(decided):
    return [reasons.as_dict(reason)["detail"] for reason in decided.reasons]


# --- who decides ---


def test_the_planner_keeps_it_inside_before_any_policy():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    word = WordValues("in_house", None, "our own machine is free", "anna", date(2026, 3, 1))

    found = one(what, operation(word=word))

    assert (found.verdict, found.basis, found.policy_id) == ("in_house", "word", None)
    assert told(found) == ["The planner's word (anna, 2026-03-01): keep it inside, because our own machine is free."]


def test_the_planner_sends_it_to_a_vendor_no_policy_names():
    rule = policy("OUT", V1, transit_out_days=2)
    what = book(policies=[rule], prices=[price(V1), price(V2, 80)])

    found = one(what, operation(outsourced="no", word=WordValues("outsource", V2)))

    assert (found.verdict, found.basis, places([found])) == ("outsource", "word", ["V2 10"])
    assert found.policy_id == rule.policy_id  # for transit, tolerances and documents
    assert found.awards[0].at_vendor_date - found.awards[0].dispatch_by == timedelta(days=2)


def test_the_planner_sends_it_out_without_a_vendor_to_those_of_a_policy_whatever_its_conditions():
    what = book(policies=[policy("BIG", V2, quantity_from=500)], prices=[price(V2)])

    found = one(what, operation(outsourced="no", word=WordValues("outsource")))

    assert (found.basis, places([found])) == ("word", ["V2 10"])


def test_the_planner_sends_it_out_and_nobody_says_where():
    found = one(book(), operation(outsourced="no", word=WordValues("outsource")))

    assert (found.verdict, found.basis) == ("review", "word")
    assert "no_policy" in found.codes()


def test_the_planners_vendor_must_qualify_as_any_other():
    what = book(prices=[price(V1)], approvals={(V1, PLATING): approved("suspended")})

    found = one(what, operation(word=WordValues("outsource", V1)))

    assert (found.verdict, found.basis) == ("blocked", "word")
    assert "not_approved" in found.codes()


def test_flag_no_stays_inside_whatever_a_policy_says():
    found = one(book(policies=[policy("OUT", V1)], prices=[price(V1)]), operation(outsourced="no"))

    assert (found.verdict, found.basis, found.codes()) == ("in_house", "flag", {"flag_no"})


def test_the_lowest_priority_number_is_looked_at_first_then_the_narrower_scope_then_the_code():
    wide = policy("WIDE", V1, priority=20)
    narrow = policy("NARROW", V2, priority=20, item_id=FG)
    late = policy("LATE", V3, priority=30, item_id=FG, site_id=SITE)
    code_a = policy("A", V4, priority=20, item_id=OTHER_ITEM)
    code_b = policy("B", V5, priority=20, item_id=OTHER_ITEM)
    rows = [price(number, item_id=None) for number in (V1, V2, V3, V4, V5)]
    what = book(policies=[late, code_b, code_a, narrow, wide], prices=rows)

    assert places(decide(what, operation(), operation(item_id=OTHER_ITEM), operation(item_id=99))) == [
        "V2 10",
        "V4 10",
        "V1 10",
    ]


def test_ties_of_scope_go_by_item_then_group_process_work_center_site():
    same = {"priority": 10, "process_id": None}
    fields = ["site_id", "work_center_id", "process_id", "item_group_id", "item_id"]
    values = [SITE, OUT, PLATING, 7, FG]
    rules = [
        policy(code, vendor_id, **{**same, field: value})
        for code, vendor_id, field, value in zip("ABCDE", (V5, V4, V3, V2, V1), fields, values, strict=True)
    ]
    rows = [price(number) for number in (V1, V2, V3, V4, V5)]

    for left in range(5, 0, -1):
        found = decide(book(policies=rules[:left], prices=rows), operation(item_group_id=7))
        assert places(found) == [f"V{6 - left} 10"]


def test_a_policy_is_valid_on_the_planned_start_both_ends_included():
    rule = policy("MARCH", V1, valid_from=date(2026, 3, 10), valid_to=date(2026, 3, 20))
    what = book(policies=[rule], prices=[price(V1)])
    days = [date(2026, 3, day) for day in (9, 10, 20, 21)]

    found = decide(what, *(operation(outsourced="maybe", planned_start=day) for day in days))

    assert places(found) == ["in_house", "V1 10", "V1 10", "in_house"]
    assert told(found[0])[0] == (
        "Policy MARCH (priority 100) was looked at: process Plating fits; "
        "the planned start 2026-03-09 is before it becomes valid on 2026-03-10, so it does not apply."
    )


def test_a_policy_may_keep_inside_or_ask_a_person():
    keep = policy("KEEP", verdict="in_house", priority=1, item_id=OTHER_ITEM)
    ask = policy("ASK", verdict="review", priority=2)

    found = decide(book(policies=[ask, keep]), operation(), operation(item_id=OTHER_ITEM))

    assert [(x.verdict, x.policy_id) for x in found] == [("review", ask.policy_id), ("in_house", keep.policy_id)]


def test_an_external_work_center_has_a_vendor_of_its_own_where_no_policy_decides():
    centers = {OUT: WorkCenterValues(OUT, "CHROME", is_external=True, vendor_id=V1)}

    found = decide(book(prices=[price(V1)], work_centers=centers), operation(), operation(outsourced="maybe"))

    assert places(found) == ["V1 10", "V1 10"]
    assert {x.basis for x in found} == {"work_center"}
    assert told(found[0])[0] == "External work center CHROME has vendor V1 of its own."


def test_flag_yes_without_vendor_or_policy_is_for_a_person_and_anything_else_stays_inside():
    found = decide(book(), operation(), operation(outsourced="maybe"))

    assert [(x.verdict, x.basis) for x in found] == [("review", "flag"), ("in_house", "default")]
    assert [x.codes() for x in found] == [{"no_policy"}, {"default_inside"}]


def test_every_open_operation_and_no_other_gets_a_decision():
    steps = [operation(status=status, is_open=status in ("open", "in_progress")) for status in
             ("finished", "in_progress", "open", "cancelled")]  # fmt: skip

    found = decide(book(), order(*steps))

    assert [x.operation_id for x in found] == [steps[1].operation_id, steps[2].operation_id]


# --- vendors ---


def test_the_first_vendor_that_qualifies_gets_it():
    what = book(policies=[policy("OUT", V1, V2)], prices=[price(V2, 130)])

    found = one(what, operation())

    assert places([found]) == ["V2 10"]
    assert told(found)[1:] == [
        "Vendor V1: no price for 10 is valid on 2026-03-31.",
        "Vendor V2 qualifies and takes 10: 130 EUR each, 1,300.00 EUR in all; order by 2026-03-24, dispatch by 2026-03-24.",
    ]


def test_where_nobody_qualifies_it_is_blocked_with_a_reason_for_each():
    vendors = {number: vendor(number) for number in (V1, V2, V3, V4, V5)}
    vendors[V1].is_active = False
    what = book(
        policies=[policy("OUT", V1, V2, V3, V4, at(V5, quantity_from=500))],
        prices=[price(V1), price(V2), price(V3), price(V5)],
        vendors=vendors,
        approvals={
            (V2, PLATING): approved("suspended"),
            (V2, HARDENING): approved(),
            (V3, PLATING): approved(valid_to=date(2026, 3, 10)),
            (V4, PLATING): approved(valid_to=date(2026, 12, 31)),
        },
    )

    found = one(what, operation(quantity=100))

    assert found.verdict == "blocked"
    assert told(found)[1:] == [
        "Vendor V1 is not active.",
        "Vendor V2: approval for Plating is suspended.",
        "Vendor V3: approval for Plating ends on 2026-03-10, before the ship date 2026-03-24.",
        "Vendor V4: no price for 100 is valid on 2026-03-31.",
        "Vendor V5: 100 is below the 500 from which he is used.",
    ]
    assert [(x.code, x.vendor) for x in found.reasons[1:]] == [
        ("inactive", "V1"), ("not_approved", "V2"), ("approval_expired", "V3"), ("no_price", "V4"), ("below_minimum", "V5"),
    ]  # fmt: skip


@pytest.mark.parametrize(("ends", "verdict"), [(date(2026, 3, 23), "blocked"), (date(2026, 3, 24), "outsource")])
def test_an_approval_holds_to_its_last_day_on_the_planned_ship_date(ends, verdict):
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)], approvals={(V1, PLATING): approved(valid_to=ends)})

    assert one(what, operation()).verdict == verdict


def test_an_approval_must_still_hold_when_late_goods_can_really_be_shipped():
    what = book(
        policies=[policy("OUT", V1)],
        prices=[price(V1)],
        approvals={(V1, PLATING): approved(valid_to=date(2026, 2, 27))},
    )

    assert (
        "approval_expired" in one(what, operation(due_date=date(2026, 3, 4))).codes()
    )  # should have left on 25 February


@pytest.mark.parametrize("status", ["pending", "suspended"])
def test_an_approval_row_always_rules(status):
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)], approvals={(V1, PLATING): approved(status)})

    assert "not_approved" in one(what, operation()).codes()


def test_a_process_that_requires_approval_needs_a_row():
    processes = {PLATING: ProcessValues(PLATING, "Plating", requires_approval=True)}
    rule, row = policy("OUT", V1), price(V1)

    without = one(book(policies=[rule], prices=[row], processes=processes), operation())
    with_row = one(
        book(policies=[rule], prices=[row], processes=processes, approvals={(V1, PLATING): approved()}), operation()
    )

    assert (without.verdict, with_row.verdict) == ("blocked", "outsource")
    assert told(without)[1] == "Vendor V1: Plating requires an approval and he has none."


def test_a_blocked_item_goes_to_nobody():
    found = one(book(policies=[policy("OUT", V1)], prices=[price(V1)]), operation(item_blocked=True))

    assert (found.verdict, "item_blocked" in found.codes()) == ("blocked", True)


def test_limits_of_a_vendor_include_both_ends():
    what = book(policies=[policy("OUT", at(V1, quantity_from=10, quantity_to=20))], prices=[price(V1)])

    found = decide(what, *(operation(quantity=quantity) for quantity in (9, 10, 20, 21)))

    assert places(found) == ["blocked", "V1 10", "V1 20", "blocked"]
    assert ["below_minimum" in found[0].codes(), "above_maximum" in found[3].codes()] == [True, True]


def test_a_price_in_a_currency_without_a_rate_is_no_offer():
    vendors = {V1: vendor(V1, currency_id=USD)}
    rows = [price(V1, currency_id=USD)]
    what = book(policies=[policy("OUT", V1)], prices=rows, vendors=vendors)
    what.currencies[USD].rates = ((date(2026, 5, 1), d(1)),)

    found = one(what, operation())

    assert told(found)[1] == "Vendor V1: there is no exchange rate for USD on 2026-03-24."
    assert "no_rate" in found.codes()


def test_amounts_stand_in_the_currency_of_the_price_and_in_the_companys():
    what = book(
        policies=[policy("OUT", V1)],
        prices=[price(V1, "3.33", currency_id=USD)],
        vendors={V1: vendor(V1, currency_id=USD)},
    )

    (award,) = one(what, operation()).awards

    assert (award.currency_id, award.amount, award.amount_company) == (USD, d("33.30"), d("29.97"))


def test_a_price_still_to_be_known_blocks_or_is_estimated_as_the_policy_says():
    blank = price(V1, None, lead_days=3)
    mill = {"work_center_id": MILL, "setup_minutes": 60, "run_minutes": 6}  # 1 h + 1 h at 60 an hour for ten pieces
    block = one(book(policies=[policy("B", V1)], prices=[blank]), operation(**mill))
    inside = one(book(policies=[policy("E", V1, price_missing="estimate")], prices=[blank]), operation(**mill))
    paid = one(
        book(policies=[policy("E", V1, price_missing="estimate")], last_paid={(V1, FG, PLATING): Paid(d("7.5"), EUR)}),
        operation(),
    )
    nothing = one(book(policies=[policy("E", V1, price_missing="estimate")]), operation())

    assert (block.verdict, nothing.verdict) == ("blocked", "blocked")
    assert told(block)[1] == "Vendor V1: the price row that counts for 10 has no price yet."
    assert [(x.awards[0].unit_price, x.awards[0].amount, x.awards[0].is_estimate) for x in (inside, paid)] == [
        (12, 120, True), (d("7.5"), 75, True),
    ]  # fmt: skip
    assert inside.awards[0].agreement_id is None


# --- capacity, strategies, splits ---


def test_a_full_week_of_the_preferred_vendor_goes_to_the_next_one():
    what = book(policies=[policy("OUT", at(V1, weekly_capacity=100), V2)], prices=[price(V1), price(V2)])
    days = [date(2026, 3, 19), date(2026, 3, 20), date(2026, 3, 26)]

    found = decide(what, *(operation(quantity=60, due_date=day) for day in days))

    assert places(found) == ["V1 60", "V2 60", "V1 60"]
    assert told(found[1])[1] == "Vendor V1: 40 of his 100 pieces in week 11/2026 are free, 60 are needed."


def test_weekly_capacity_is_shared_by_all_policies_and_sent_lines_come_first():
    rules = [
        policy("A", at(V1, weekly_capacity=100), V2, item_id=FG),
        policy("B", at(V1, weekly_capacity=100), V2, item_id=OTHER_ITEM),
    ]
    what = book(policies=rules, prices=[price(V1, item_id=None), price(V2, item_id=None)])
    sent = [CommittedLine(V1, d(50), at_vendor_date=date(2026, 3, 25))]

    found = decide(
        what, operation(quantity=40), operation(quantity=20, item_id=OTHER_ITEM), operation(quantity=10), committed=sent
    )

    assert places(found) == ["V1 40", "V2 20", "V1 10"]


def test_lowest_cost_counts_lot_minimum_and_freight_in_company_currency():
    rows = [price(V1, 2, lot_charge=50), price(V2, "2.30"), price(V3, "1.90", minimum_charge=700)]
    what = book(policies=[policy("CHEAP", V1, V2, V3, strategy="lowest_cost")], prices=rows)

    found = decide(what, *(operation(quantity=quantity) for quantity in (100, 300, 500)))

    assert places(found) == ["V2 100", "V1 300", "V3 500"]
    assert told(found[0])[1:4] == [
        "Vendor V1 would cost 250.00 EUR in all, the lowest is 230.00 EUR.",
        "Vendor V2 would cost 230.00 EUR in all, the lowest.",
        "Vendor V3 would cost 700.00 EUR in all, the lowest is 230.00 EUR.",
    ]


def test_lowest_cost_compares_across_currencies_and_ties_go_by_rank():
    vendors = {V1: vendor(V1), V2: vendor(V2, currency_id=USD), V3: vendor(V3)}
    rows = [price(V1, 9), price(V2, 10, currency_id=USD), price(V3, 9)]
    cheap = {"strategy": "lowest_cost"}

    assert places(decide(book(policies=[policy("A", V2, V1, **cheap)], prices=rows, vendors=vendors), operation())) == [
        "V2 10"
    ]
    assert places(decide(book(policies=[policy("A", V3, V1, **cheap)], prices=rows, vendors=vendors), operation())) == [
        "V3 10"
    ]


def test_earliest_is_who_could_deliver_first():
    rows = [price(V1, 1, lead_days=10), price(V2, 3, lead_days=4), price(V3, 2, lead_days=6)]
    what = book(policies=[policy("SOON", V1, V2, V3, strategy="earliest")], prices=rows)

    assert places(decide(what, operation())) == ["V2 10"]


def test_a_quota_leaves_the_smallest_mean_deviation_and_ties_go_by_rank():
    rule = policy("HALVES", at(V1, share_pct=50), at(V2, share_pct=50), strategy="quota")
    what = book(policies=[rule], prices=[price(V1), price(V2)])

    found = decide(what, *(operation(quantity=quantity) for quantity in (100, 100, 200, 100, 100, 100)))

    assert places(found) == ["V1 100", "V2 100", "V1 200", "V2 100", "V2 100", "V1 100"]


def test_a_quota_counts_what_was_sent_in_the_balance_period():
    rule = policy("HALVES", at(V1, share_pct=50), at(V2, share_pct=50), strategy="quota", balance_days=30)
    what = book(policies=[rule], prices=[price(V1), price(V2)])
    lately = CommittedLine(V1, d(100), rule.policy_id, date(2026, 2, 20))
    long_ago = CommittedLine(V1, d(100), rule.policy_id, date(2026, 1, 20))

    assert places(decide(what, operation(quantity=50), committed=[lately])) == ["V2 50"]
    assert places(decide(what, operation(quantity=50), committed=[long_ago])) == ["V1 50"]


def test_a_quota_gives_to_who_qualifies():
    rule = policy("HALVES", at(V1, share_pct=50), at(V2, share_pct=50), strategy="quota")

    assert places(decide(book(policies=[rule], prices=[price(V2)]), operation(), operation())) == ["V2 10", "V2 10"]


def test_one_operation_is_divided_by_share():
    rule = policy("PAINT", at(V1, share_pct=60), at(V2, share_pct=40), split="share")
    what = book(policies=[rule], prices=[price(V1, 5), price(V2, 6)])

    found = one(what, operation(quantity=100))

    assert [(award.vendor_id, award.quantity, award.amount) for award in found.awards] == [(V1, 60, 300), (V2, 40, 240)]
    assert found.quantity == 100


def test_who_does_not_qualify_leaves_his_share_to_the_others():
    rule = policy("PAINT", at(V1, share_pct=50), at(V2, share_pct=30), at(V3, share_pct=20), split="share")
    what = book(policies=[rule], prices=[price(V1), price(V3)])

    assert places(decide(what, operation(quantity=70))) == ["V1 50, V3 20"]


def test_a_share_already_sent_is_not_given_to_another():
    rule = policy("PAINT", at(V1, share_pct=60), at(V2, share_pct=40), split="share")
    what = book(policies=[rule], prices=[price(V1), price(V2)])
    sent = (Frozen(V1, d(60), d(0), rule.policy_id),)

    assert places(decide(what, operation(quantity=100, frozen=sent))) == ["V2 40"]


def test_one_operation_is_divided_by_what_each_can_take_that_week():
    rule = policy("GLAZE", at(V1, weekly_capacity=70), V2, split="capacity")
    what = book(policies=[rule], prices=[price(V1, 7), price(V2, 8)])

    found = decide(what, operation(quantity=100), operation(quantity=50))

    assert places(found) == ["V1 70, V2 30", "V2 50"]


def test_more_than_all_together_can_take_is_blocked():
    rule = policy("GLAZE", at(V1, weekly_capacity=70), at(V2, weekly_capacity=20), split="capacity")
    what = book(policies=[rule], prices=[price(V1), price(V2)])

    found = decide(what, operation(quantity=100), operation(quantity=80))

    assert places(found) == ["blocked", "V1 70, V2 10"]
    assert told(found[0])[-3:] == [
        "Vendor V1: 70 of his 70 pieces in week 13/2026 are free, 100 are needed.",
        "Vendor V2: 20 of his 20 pieces in week 13/2026 are free, 30 are needed.",
        "The vendors together can take 90 of 100, not the last 10.",
    ]


def test_a_split_by_capacity_gives_a_vendor_no_more_than_he_may_have_at_once():
    rule = policy("GLAZE", at(V1, quantity_to=40), at(V2, weekly_capacity=50), at(V3, quantity_to=25), split="capacity")
    what = book(policies=[rule], prices=[price(V1), price(V2), price(V3)])

    found = decide(what, operation(quantity=120), operation(quantity=100), operation(quantity=30))

    assert places(found) == ["blocked", "V1 40, V2 50, V3 10", "V1 30"]
    assert told(found[0])[-4:] == [
        "Vendor V1: 120 is above the 40 he may be given at once.",
        "Vendor V2: 50 of his 50 pieces in week 13/2026 are free, 80 are needed.",
        "Vendor V3: 30 is above the 25 he may be given at once.",
        "The vendors together can take 115 of 120, not the last 5.",
    ]


def test_a_split_by_capacity_for_which_nobody_qualifies_does_not_speak_of_capacity():
    rule = policy("GLAZE", at(V1, weekly_capacity=70), V2, split="capacity")

    found = one(book(policies=[rule], prices=[]), operation(quantity=100))

    assert [reason.code for reason in found.reasons] == ["policy_matched", "no_price", "no_price"]


# --- conditions ---


def test_a_quantity_window_includes_both_ends():
    what = book(policies=[policy("DRILL", V1, quantity_from=50, quantity_to=200)], prices=[price(V1)])

    found = decide(what, *(operation(outsourced="maybe", quantity=quantity) for quantity in (49, 50, 200, 250)))

    assert places(found) == ["in_house", "V1 50", "V1 200", "in_house"]
    assert told(found[3])[0] == (
        "Policy DRILL (priority 100) was looked at: process Plating fits; quantity 250 is above its limit of 200, so it does "
        "not apply."
    )


def test_a_season_is_read_on_the_planned_start():
    what = book(
        policies=[policy("PEAK", V1, season_from=date(2026, 4, 1), season_to=date(2026, 4, 30))], prices=[price(V1)]
    )
    days = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1)]

    found = decide(what, *(operation(outsourced="maybe", due_date=day) for day in days))

    assert places(found) == ["in_house", "V1 10", "V1 10", "in_house"]


def test_a_breakdown_sends_out_what_falls_into_it():
    centers = {MILL: WorkCenterValues(MILL, "MILL", downtimes=((date(2026, 3, 9), date(2026, 3, 20), "spindle"),))}
    what = book(policies=[policy("DOWN", V1, when_down=True)], prices=[price(V1)], work_centers=centers)
    mill = {"outsourced": "maybe", "work_center_id": MILL}

    found = decide(
        what,
        operation(**mill, due_date=date(2026, 3, 18)),
        operation(**mill, planned_start=date(2026, 3, 20), due_date=date(2026, 3, 25)),
        operation(**mill, planned_start=date(2026, 3, 21), due_date=date(2026, 3, 25)),
        operation(outsourced="maybe", work_center_id=None, due_date=date(2026, 3, 18)),
    )

    assert places(found) == ["V1 10", "V1 10", "in_house", "in_house"]


def test_what_would_be_late_inside_goes_out():
    what = book(policies=[policy("LATE", V1, late_days=5)], prices=[price(V1, lead_days=2)])
    common = {"outsourced": "maybe", "work_center_id": MILL, "run_minutes": 60, "due_date": date(2026, 3, 6)}

    found = decide(
        what,
        operation(**common, quantity=120, planned_start=date(2026, 2, 16)),  # 15 working days: ends on 20 March
        operation(**common, quantity=48, planned_start=date(2026, 2, 27)),  # 6 working days: ends on 9 March
        operation(**common, quantity=8),
    )

    assert places(found) == ["V1 120", "in_house", "in_house"]
    assert "inside it would be 3 days late, fewer than 5" in told(found[1])[0]


def test_work_that_should_have_been_begun_goes_out_where_the_machine_is_down_now_and_not_where_it_was_down_then():
    then, now = ((date(2026, 2, 24), date(2026, 2, 27), "spindle"),), ((date(2026, 3, 2), date(2026, 3, 6), "spindle"),)
    late = {
        "outsourced": "maybe", "work_center_id": MILL, "run_minutes": 60, "planned_start": date(2026, 2, 26),
        "planned_end": date(2026, 2, 27), "due_date": date(2026, 2, 27),
    }  # fmt: skip

    found = [
        one(
            book(
                policies=[policy("DOWN", V1, when_down=True)],
                prices=[price(V1)],
                work_centers={MILL: WorkCenterValues(MILL, "MILL", hours_a_day=d(8), downtimes=downtimes)},
            ),
            operation(**late),
        )
        for downtimes in (then, now)
    ]

    assert places(found) == ["in_house", "V1 10"]
    assert "the work center is not down between 2026-03-02 and 2026-03-03" in told(found[0])[0]


def test_what_is_left_of_begun_work_is_compared_with_what_that_costs_inside():
    what = book(policies=[policy("MILL", V1, cost_below_pct=100)], prices=[price(V1, 2)])
    begun = operation(
        outsourced="maybe", work_center_id=MILL, setup_minutes=20, run_minutes=1, quantity=100, good=60, scrap=0
    )

    found = one(what, begun)  # 40 pieces: 80 outside, 40 inside

    assert found.verdict == "in_house"
    assert "outside costs 200 % of inside, more than 100 %" in told(found)[0]


def test_vendor_cost_is_compared_with_the_cost_inside():
    rows = [price(V1, "1.50", lot_charge=60)]
    what = book(policies=[policy("MILL", V1, cost_below_pct=80)], prices=rows)
    mill = {"outsourced": "maybe", "work_center_id": MILL, "setup_minutes": 40, "run_minutes": 2}

    found = decide(
        what, operation(**mill, quantity=100), operation(**mill, quantity=400), operation(outsourced="maybe")
    )

    assert places(found) == ["in_house", "V1 400", "in_house"]  # 87.5 %, 78.6 %, nobody knows
    assert "outside costs 87.5 % of inside, more than 80 %" in told(found[0])[0]


def test_over_a_full_work_center_only_the_overflow_goes_out():
    what = book(policies=[policy("OVER", V1, load_above_pct=100)], prices=[price(V1)])
    mill = {"outsourced": "maybe", "work_center_id": MILL, "run_minutes": 60}
    plan = [(16, 18, 17), (16, 19, 18), (16, 20, 19), (8, 20, 20), (16, 27, 26)]

    found = decide(
        what,
        *(
            operation(**mill, quantity=hours, due_date=date(2026, 3, due), planned_start=date(2026, 3, start))
            for hours, due, start in plan
        ),
    )

    assert places(found) == ["in_house", "in_house", "V1 16", "in_house", "in_house"]


def test_hours_that_cannot_go_out_load_the_work_center_too():
    what = book(policies=[policy("OVER", V1, load_above_pct=100)], prices=[price(V1)])
    mill = {"work_center_id": MILL, "run_minutes": 60, "due_date": date(2026, 3, 20)}

    found = decide(
        what,
        operation(**mill, quantity=20, outsourced="no"),
        operation(**mill, quantity=20, outsourced="maybe", word=WordValues("in_house")),
        operation(**mill, quantity=1, outsourced="maybe"),
    )

    assert places(found) == ["in_house", "in_house", "V1 1"]


def test_closed_days_make_the_week_shorter():
    centers = {MILL: WorkCenterValues(MILL, "MILL", hours_a_day=d(8), closed=frozenset({date(2026, 3, 18)}))}
    what = book(policies=[policy("OVER", V1, load_above_pct=100)], prices=[price(V1)], work_centers=centers)
    mill = {"work_center_id": MILL, "run_minutes": 60, "due_date": date(2026, 3, 20), "outsourced": "maybe"}

    assert places(decide(what, operation(**mill, quantity=32), operation(**mill, quantity=1))) == ["in_house", "V1 1"]


def test_a_transition_moves_its_share_of_the_quantity_from_its_day_on():
    half = policy("MOVE", V1, transition_from=date(2026, 4, 1), transition_share_pct=50)
    what = book(policies=[half], prices=[price(V1)])
    days = [date(2026, 3, 31), *(date(2026, 4, day) for day in (14, 15, 16, 17))]

    found = decide(what, *(operation(outsourced="maybe", due_date=day) for day in days))

    assert places(found) == ["in_house", "V1 10", "in_house", "V1 10", "in_house"]


def test_a_policy_whose_condition_fails_leaves_it_to_the_next_one():
    rules = [policy("SMALL", V1, priority=1, quantity_to=5), policy("REST", V2, priority=2)]

    assert places(decide(book(policies=rules, prices=[price(V1), price(V2)]), operation(), operation(quantity=5))) == [
        "V2 10",
        "V1 5",
    ]


# --- quantities ---


@pytest.mark.parametrize(
    ("good", "yield_pct", "ordered"), [(19, 95, 20), (100, 95, 106), (10, 100, 10), (1, "33.333", 4)]
)
def test_a_first_operation_buys_the_need_over_the_yield_rounded_up(good, yield_pct, ordered):
    what = book(policies=[policy("OUT", V1, yield_pct=yield_pct)], prices=[price(V1)])

    assert places(decide(what, operation(quantity=good))) == [f"V1 {ordered}"]


def test_the_yield_of_the_price_row_goes_before_that_of_the_policy():
    what = book(policies=[policy("OUT", V1, yield_pct=50)], prices=[price(V1, yield_pct=95)])

    (award,) = one(what, operation(quantity=19)).awards

    assert (award.quantity, award.yield_pct) == (20, 95)


def test_what_is_open_or_received_is_not_bought_again():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])

    found = decide(
        what,
        operation(quantity=9, good=5, frozen=(Frozen(V1, d(0), d(5), number="SC-1"),)),
        operation(quantity=5, frozen=(Frozen(V1, d(5), d(0)),)),
        operation(quantity=10, good=4, frozen=(Frozen(V1, d(0), d(4)),)),
    )

    assert places(found) == ["V1 4", "outsource", "V1 6"]
    assert [x.quantity for x in found] == [9, 5, 10]
    said = "Already ordered at V1 on SC-1: 0 open, 5 received; that stays there until a person says otherwise."
    assert told(found[0])[0] == said


def test_what_the_tolerance_of_a_complete_line_let_go_is_not_bought_again():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    sent = (Frozen(V1, d(0), d(96), waived=d(4)), Frozen(V2, d(100), d(0)))

    found = decide(what, operation(quantity=200, good=96, frozen=sent), operation(quantity=210, good=96, frozen=sent))

    assert places(found) == ["outsource", "V1 10"]
    assert [x.quantity for x in found] == [200, 210]


def test_a_lowered_plan_says_how_much_is_still_needed_of_what_is_ordered():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])

    found = one(what, operation(quantity=6, frozen=(Frozen(V1, d(10), d(0)),)))

    assert (found.verdict, found.quantity, found.awards) == ("outsource", 6, ())


def test_rejects_and_scrap_count_as_received():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    sent = (Frozen(V1, d(0), d(10), accepted=d(6)),)

    assert places(decide(what, operation(good=6, scrap=4, frozen=sent))) == ["outsource"]


def test_what_was_made_inside_is_not_bought():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])

    assert places(decide(what, operation(quantity=100, good=40))) == ["V1 60"]


def test_what_is_missing_goes_to_the_vendor_who_has_the_rest():
    rule = policy("OUT", V1, V2)
    what = book(policies=[rule], prices=[price(V1), price(V2)])

    assert places(decide(what, operation(quantity=9, frozen=(Frozen(V2, d(5), d(0), rule.policy_id),)))) == ["V2 4"]


def test_what_is_missing_goes_to_no_vendor_whom_the_policy_does_not_name_any_more():
    rule = policy("OUT", V2, V3)
    what = book(policies=[rule], prices=[price(V1), price(V2), price(V3)])
    open_there = Frozen(V1, d(5), d(0), rule.policy_id)
    closed_there = Frozen(V1, d(0), d(5), rule.policy_id)
    closed_at_both = (closed_there, Frozen(V3, d(0), d(1), rule.policy_id))
    by_a_retired_one = Frozen(V1, d(0), d(5), policy_code="OLD")
    by_a_person = Frozen(V1, d(0), d(5), is_by_hand=True)

    found = [
        places(decide(what, operation(quantity=9, frozen=lines)))
        for lines in ((open_there,), (closed_there,), closed_at_both, (by_a_retired_one,), (by_a_person,))
    ]

    assert found == [["V2 4"], ["V2 4"], ["V3 3"], ["V2 4"], ["V1 4"]]


def sent_to(number, rule=None, quantity=10, **fields):
    rule_id = rule.policy_id if rule else None
    return (Frozen(number, d(quantity), d(0), rule_id, number="SC-1/1", **fields),)


def test_what_is_ordered_stays_ordered_while_policies_and_flag_send_it_out():
    rule = policy("OUT", V1)
    what = book(policies=[rule], prices=[price(V1)])

    found = decide(what, operation(frozen=sent_to(V1, rule)), operation(frozen=sent_to(V1, rule), outsourced="yes"))

    assert [(x.verdict, x.basis, x.leaving, x.awards) for x in found] == [("outsource", "policy", (), ())] * 2
    said = "Already ordered at V1 on SC-1/1: 10 open, 0 received; that stays there until a person says otherwise."
    assert told(found[0])[0] == said


def test_work_that_was_sent_is_said_to_stay_inside_where_word_flag_or_policies_say_so_now():
    gone = policy("GONE", V1)
    inside = book(policies=[policy("KEEP", verdict="in_house")], prices=[price(V1)])
    nothing = book(prices=[price(V1)])
    retired = sent_to(V1, policy_code="GONE")

    found = [
        one(inside, operation(frozen=sent_to(V1), word=WordValues("in_house"))),
        one(book(policies=[gone], prices=[price(V1)]), operation(frozen=sent_to(V1, gone), outsourced="no")),
        one(inside, operation(frozen=sent_to(V1))),
        one(nothing, operation(frozen=retired, outsourced="maybe")),
        one(book(policies=[policy("ASK", verdict="review")]), operation(frozen=retired)),
    ]

    assert [(x.verdict, x.basis) for x in found] == [
        ("in_house", "word"), ("in_house", "flag"), ("in_house", "policy"), ("in_house", "default"), ("review", "policy"),
    ]  # fmt: skip
    assert all("already_ordered" in x.codes() for x in found[1:])
    assert not any(x.awards for x in found)


def test_what_a_person_ordered_stays_where_no_policy_says_anything():
    found = decide(book(), operation(frozen=sent_to(V1)), operation(frozen=sent_to(V1), outsourced="yes"))

    assert [(x.verdict, x.leaving) for x in found] == [("outsource", ())] * 2


def test_a_condition_of_the_moment_does_not_call_sent_work_back():
    rules = [
        policy("LOAD", V1, load_above_pct=d(90)),
        policy("DOWN", V1, when_down=True),
        policy("LATE", V1, late_days=3),
        policy("DEAR", V1, cost_below_pct=d(1)),
        policy("MOVE", V1, transition_from=TODAY, transition_share_pct=d(1)),
    ]

    found = [one(book(policies=[rule], prices=[price(V1)]), operation(frozen=sent_to(V1, rule))) for rule in rules]

    assert {(x.verdict, x.leaving) for x in found} == {("outsource", ())}


def test_a_vendor_lost_after_sending_names_the_one_who_would_do_it_now():
    rule = policy("OUT", V1, V2)
    rows = [price(V1), price(V2)]
    lost = [
        book(policies=[rule], prices=rows, vendors={V1: vendor(V1, is_active=False), V2: vendor(V2)}),
        book(policies=[rule], prices=rows, approvals={(V1, PLATING): approved("suspended")}),
        book(policies=[rule], prices=rows, approvals={(V1, PLATING): approved(valid_to=TODAY)}),
        book(policies=[policy("OUT", V2)], prices=rows),
        book(policies=[policy("OUT", V2)], prices=[price(V1)]),
    ]

    found = [one(what, operation(frozen=sent_to(V1, rule, dispatch_by=TODAY + timedelta(days=1)))) for what in lost]

    assert [x.leaving for x in found] == [(("SC-1/1", V2),)] * 4 + [(("SC-1/1", None),)]
    assert {(x.verdict, x.awards) for x in found} == {("outsource", ())}
    said = [{"inactive"}, {"not_approved"}, {"approval_expired"}, {"not_named"}, {"not_named", "no_price"}]
    assert [x.codes() & set.union(*said) for x in found] == said
    assert "Policy OUT does not name vendor V1 any more." in told(found[3])
    assert all(len(told(x)) == len(set(told(x))) for x in found)


def test_a_later_operation_takes_what_the_one_before_can_still_give():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    before = operation(outsourced="no", quantity=100, good=60, scrap=5)

    assert places(decide(what, order(before, operation(quantity=100)))) == ["in_house", "V1 95"]


def test_a_promise_waits_for_the_operation_before():
    rules = [policy("A", V1), policy("B", V2, process_id=HARDENING, transit_out_days=1, transit_back_days=2)]
    what = book(policies=rules, prices=[price(V1, lead_days=20), price(V2, process_id=HARDENING, lead_days=2)])
    end = TODAY + timedelta(days=14)
    days = {"planned_end": end, "due_date": end}

    first, second = decide(what, order(operation(**days), operation(process_id=HARDENING, **days)))

    (early,), (late,) = first.awards, second.awards
    assert early.promise_date == date(2026, 3, 30)  # ordered on Monday the 2nd, 20 working days
    assert late.need_date == end
    assert late.order_by == late.dispatch_by == date(2026, 3, 10)
    assert late.promise_date == date(2026, 4, 4)  # there on Tuesday 31st, ready on Thursday 2nd, two days back
    assert late.late_by == (date(2026, 3, 30) - late.dispatch_by).days
    assert told(second)[-1] == (
        "The operation before is promised for 2026-03-30, 20 days after the pieces had to leave on 2026-03-10; "
        "from V2 they can be back on 2026-04-04."
    )


def test_a_promise_waits_for_what_a_vendor_has_promised_and_for_the_steps_inside_between():
    what = book(policies=[policy("A", V1)], prices=[price(V1)])
    sent = sent_to(V2, of_use_on=date(2026, 4, 1))
    days = {"planned_start": date(2026, 4, 6), "planned_end": date(2026, 4, 8), "due_date": date(2026, 5, 29)}

    found = decide(what, order(operation(frozen=sent), operation(outsourced="no", **days), operation(**days)))
    on_time = decide(what, order(operation(), operation(outsourced="no"), operation()))

    (late,) = found[-1].awards
    assert (late.dispatch_by, late.promise_date, late.late_by) == (date(2026, 4, 1), date(2026, 4, 10), 2)
    assert all("previous_late" not in one.codes() for one in on_time)


def test_the_yield_of_a_later_operation_lowers_what_comes_out_not_what_is_bought():
    rules = [policy("A", V1, yield_pct=90), policy("B", V2, process_id=HARDENING)]
    rows = [price(V1), price(V2, process_id=HARDENING)]
    steps = [
        operation(outsourced="no", quantity=100),
        operation(quantity=100),
        operation(quantity=100, process_id=HARDENING),
    ]

    assert places(decide(book(policies=rules, prices=rows), order(*steps))) == ["in_house", "V1 100", "V2 90"]


def test_a_step_after_two_others_takes_the_smaller_of_what_they_give():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    steps = [
        operation(outsourced="no", quantity=100, scrap=3, next_nos=("30",)),
        operation(outsourced="no", quantity=100, scrap=8, next_nos=("30",)),
        operation(quantity=100),
    ]

    assert places(decide(what, order(*steps))) == ["in_house", "in_house", "V1 92"]


def test_a_cancelled_step_is_stepped_over():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    steps = [
        operation(outsourced="no", quantity=100, scrap=3, next_nos=("20",)),
        operation(quantity=100, status="cancelled", is_open=False, next_nos=("30",)),
        operation(quantity=100),
    ]

    assert places(decide(what, order(*steps))) == ["in_house", "V1 97"]


def test_an_operation_that_gets_no_pieces_goes_out_with_nothing():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    before = operation(outsourced="no", quantity=10, scrap=10, status="finished", is_open=False)

    found = decide(what, order(before, operation()))

    assert places(found) == ["outsource"]
    assert "nothing_to_order" in found[0].codes()


# --- dates along an order ---


def test_consecutive_vendors_hand_over_in_time():
    rules = [policy("A", V1), policy("B", V2, process_id=HARDENING, transit_out_days=2)]
    rows = [price(V1, lead_days=3), price(V2, process_id=HARDENING, lead_days=4)]

    first, second = decide(book(policies=rules, prices=rows), order(operation(), operation(process_id=HARDENING)))

    assert (second.need_date, second.awards[0].dispatch_by) == (date(2026, 3, 31), date(2026, 3, 23))
    assert (first.need_date, first.awards[0].need_date, first.awards[0].at_vendor_date) == (
        date(2026, 3, 23), date(2026, 3, 23), date(2026, 3, 18),
    )  # fmt: skip


def test_dates_that_the_plan_gives_stay():
    rules = [policy("A", V1), policy("B", V2, process_id=HARDENING)]
    rows = [price(V1), price(V2, process_id=HARDENING)]
    steps = [operation(dates_given=True), operation(process_id=HARDENING, dates_given=True)]

    assert [x.need_date for x in decide(book(policies=rules, prices=rows), order(*steps))] == [date(2026, 3, 31)] * 2


def test_a_step_inside_between_two_vendors_is_pulled_earlier_with_them():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])
    inside = operation(outsourced="no", planned_start=date(2026, 3, 30), planned_end=date(2026, 3, 31))
    steps = [operation(planned_end=date(2026, 3, 30)), inside, operation()]

    found = decide(what, order(*steps))

    assert [x.need_date for x in found] == [date(2026, 3, 23), date(2026, 3, 24), date(2026, 3, 31)]


def test_a_late_order_says_by_how_much_and_when_it_can_be_back():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1)])

    found = one(what, operation(due_date=date(2026, 3, 6)))

    (award,) = found.awards
    assert (award.order_by, award.late_by, award.promise_date) == (date(2026, 2, 27), 3, date(2026, 3, 9))
    assert (
        told(found)[-1]
        == "It should have been ordered by 2026-02-27, 3 days ago; ordered now it can be back on 2026-03-09."
    )
    assert found.flips_on == TODAY + timedelta(days=1)


def test_a_price_is_read_on_the_day_of_ordering():
    rows = [price(V1, 10, valid_to=date(2026, 3, 31)), price(V1, 12, valid_from=date(2026, 4, 1))]
    what = book(policies=[policy("OUT", V1)], prices=rows)

    found = decide(what, operation(due_date=date(2026, 4, 7)), operation(due_date=date(2026, 4, 8)))

    assert [x.awards[0].unit_price for x in found] == [10, 12]  # ordered on 31 March, on 1 April


def test_an_amount_no_order_can_hold_is_refused_and_not_written():
    what = book(policies=[policy("OUT", V1)], prices=[price(V1, Decimal(10) ** 12)])

    assert "above_maximum" in one(what, operation(quantity=Decimal(10) ** 12)).codes()


# --- where it is another day ---


def test_dates_run_by_the_day_it_is_at_the_operations_own_site():
    far = 32
    what = book(
        policies=[policy("OUT", V1)],
        prices=[price(V1, 100, valid_from=TODAY + timedelta(days=1)), price(V1, 90, valid_to=TODAY)],
        days={far: TODAY + timedelta(days=1)},
    )

    here, there = decide(what, operation(due_date=TODAY), operation(due_date=TODAY, site_id=far))

    assert [found.awards[0].unit_price for found in (here, there)] == [90, 100]
    assert there.awards[0].late_by == here.awards[0].late_by + 1


# --- a work center with another vendor than before ---


def at_center(vendor_id, **frozen):
    """Ten pieces sent to V1 by an external work center whose vendor is by now another, both with a price."""
    centers = {OUT: WorkCenterValues(OUT, "CHROME", is_external=True, vendor_id=vendor_id)}
    sent = Frozen(V1, d(10), d(0), number="SO-1/1", **frozen)
    return one(book(prices=[price(V1), price(V2)], work_centers=centers), operation(frozen=(sent,)))


def test_a_work_center_that_changed_its_vendor_says_where_sent_work_would_go_now():
    found = at_center(V2)

    assert (found.verdict, found.leaving, found.awards) == ("outsource", (("SO-1/1", V2),), ())
    assert "External work center CHROME has another vendor than V1 by now." in told(found)


def test_a_word_that_names_no_vendor_leaves_it_to_the_policy_who_gets_what_is_missing():
    rule = policy("OUT", V2)
    what = book(policies=[rule], prices=[price(V1), price(V2)])
    lines = (Frozen(V1, d(0), d(4), rule.policy_id), Frozen(V1, d(4), d(0), rule.policy_id, number="SO-1/1"))
    words = [WordValues("outsource"), WordValues("outsource", V1)]

    found = decide(what, *(operation(frozen=lines, word=word) for word in words))

    assert [(x.basis, *places([x]), x.leaving) for x in found] == [
        ("word", "V2 2", (("SO-1/1", V2),)),
        ("word", "V1 2", ()),
    ]


def test_what_is_missing_goes_to_the_vendor_whom_the_work_center_has_by_now():
    what = book(
        prices=[price(V1), price(V2)],
        work_centers={OUT: WorkCenterValues(OUT, "CHROME", is_external=True, vendor_id=V2)},
    )
    gone = [Frozen(V1, d(0), d(6)), Frozen(V1, d(0), d(6), is_by_hand=True)]

    found = [one(what, operation(frozen=(line,))) for line in gone]

    assert [(x.basis, *places([x])) for x in found] == [("work_center", "V2 4"), ("flag", "V1 4")]


@pytest.mark.parametrize(
    ("vendor_id", "frozen"), [(V1, {}), (V3, {}), (V2, {"is_by_hand": True}), (V2, {"policy_code": "OLD"})]
)
def test_sent_work_stays_where_the_center_did_not_give_it_or_its_new_vendor_cannot_take_it(vendor_id, frozen):
    assert at_center(vendor_id, **frozen).leaving == ()


def test_a_policy_that_applies_says_how_each_of_its_conditions_came_out():
    peak = policy(
        "PEAK", V1, work_center_id=MILL, load_above_pct=d(50), quantity_from=d(10), quantity_to=d(20), late_days=2,
        cost_below_pct=d(200), season_to=date(2026, 3, 31), when_down=True,
    )  # fmt: skip
    mill = WorkCenterValues(
        MILL,
        "MILL",
        hours_a_day=d(8),
        hourly_cost=d(60),
        downtimes=((date(2026, 2, 26), date(2026, 3, 2), "spindle"),),
    )
    late = operation(
        work_center_id=MILL, quantity=16, outsourced="maybe", run_minutes=d(60), planned_start=date(2026, 2, 26),
        planned_end=date(2026, 2, 27), due_date=date(2026, 2, 27),
    )  # fmt: skip

    found = one(book(policies=[peak], prices=[price(V1, 100)], work_centers={MILL: mill}), late)

    matched = next(reason for reason in found.reasons if reason.code == "policy_matched")
    held = {row["condition"]: (row["found"], row["limit"]) for row in reasons.as_dict(matched)["held"]}
    assert held == {
        "quantity_from": ("16", "10"),
        "quantity_to": ("16", "20"),
        "season_to": ("2026-02-26", "2026-03-31"),
        "when_down": ("2026-02-26", "2026-03-02"),
        "late_days": ("5", "2"),  # 16 hours from Tuesday 3 March: done on Wednesday
        "load_above_pct": (reasons.plain(d(16) * 100 / 24), "50"),  # of three days that are left of the week
        "cost_below_pct": (reasons.plain(d(1600) * 100 / 960), "200"),
    }
    assert told(found)[0] == (
        "Policy PEAK (priority 100) was looked at: process Plating fits; quantity 16 is 10 or more; quantity 16 is at "
        "most 20; the planned start 2026-02-26 is in its season to 2026-03-31; the work center is down from 2026-02-26 to "
        "2026-03-02; inside it would be 5 days late, 2 or more; with it the work center is loaded to 66.7 % in that week, "
        "above 50 %; outside costs 166.7 % of inside, at most 200 %; it applies, it goes outside."
    )


def test_lateness_is_said_by_the_day_of_the_site_by_which_it_was_found():
    late = policy("LATE", V1, late_days=5)
    what = book(policies=[late], prices=[price(V1, lead_days=2)], days={SITE: date(2026, 3, 5)})  # three days on there

    found = one(
        what,
        operation(
            outsourced="maybe", work_center_id=MILL, run_minutes=60, quantity=16, planned_start=date(2026, 2, 26),
            planned_end=date(2026, 2, 27), due_date=date(2026, 2, 27),
        ),
    )  # fmt: skip

    matched = next(reason for reason in found.reasons if reason.code == "policy_matched")
    assert [row["found"] for row in reasons.as_dict(matched)["held"]] == ["7"]  # Thursday 5 and Friday 6 March


def test_a_policy_without_conditions_says_only_that_it_applies():
    found = one(book(policies=[policy("OUT", V1)], prices=[price(V1)]), operation())

    assert "held" not in reasons.as_dict(found.reasons[0])
