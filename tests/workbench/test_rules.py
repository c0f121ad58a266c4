from decimal import Decimal

import pytest
from django.utils import translation

from workbench.rules import (
    Change,
    Step,
    answer,
    because,
    changes,
    event_look,
    order_sentence,
    pieces_at_vendor,
    policy_steps,
    run_sentence,
    step,
    vendor_steps,
)

pytestmark = pytest.mark.no_database

NAMES = {"GR": "Galvano Rossi", "AE": "Alpen Eloxal"}
SKIPPED = {
    "code": "policy_skipped",
    "policy": "P-HEAT",
    "detail": "Policy P-HEAT (priority 10) was looked at: process Nitride fits; quantity 60 is below its limit of 100, "
    "so it does not apply.",
}
MATCHED = {
    "code": "policy_matched",
    "policy": "P-COAT",
    "detail": "Policy P-COAT (priority 20) was looked at: it is for every operation; it applies, it goes outside.",
}
EXPIRED = {
    "code": "approval_expired",
    "vendor": "GR",
    "detail": "Vendor GR: approval for Anodise ends on 2026-09-30, before the planned ship date 2026-12-04.",
}
CHOSEN = {
    "code": "vendor_chosen",
    "vendor": "AE",
    "detail": "Vendor AE qualifies and takes 60: 7.4 EUR each, 444.00 EUR in all; order by 2026-12-02, dispatch by 2026-12-04.",
}


def test_a_skipped_policy_says_what_was_compared():
    assert step(SKIPPED, NAMES) == Step(
        "mute",
        "minus",
        "Policy P-HEAT does not apply",
        "Priority 10: process Nitride fits; quantity 60 is below its limit of 100, so it does not apply.",
    )


def test_a_vendor_that_cannot_is_named_and_days_are_written_out():
    assert step(EXPIRED, NAMES) == Step(
        "bad",
        "x",
        "Galvano Rossi: the approval has run out",
        "Approval for Anodise ends on 30 Sep 2026, before the planned ship date 4 Dec 2026.",
    )


def test_a_chosen_vendor_stands_under_his_name():
    assert step(CHOSEN, NAMES) == Step(
        "ok",
        "check",
        "Alpen Eloxal is chosen",
        "Alpen Eloxal qualifies and takes 60: 7.4 EUR each, 444.00 EUR in all; order by 2 Dec 2026, dispatch by 4 Dec 2026.",
    )


def test_an_unknown_code_is_shown_in_words():
    assert step({"code": "moon_is_full"}, {}) == Step("mute", "minus", "Moon is full", "Moon is full")


def test_reasons_part_into_the_verdict_and_the_vendors_weighed():
    reasons = [SKIPPED, MATCHED, EXPIRED, CHOSEN]

    assert [found.title for found in policy_steps(reasons, NAMES)] == [
        "Policy P-HEAT does not apply",
        "Policy P-COAT applies",
    ]
    assert [found.title for found in vendor_steps(reasons, NAMES)] == [
        "Galvano Rossi: the approval has run out",
        "Alpen Eloxal is chosen",
    ]


def test_the_planners_word_is_no_vendor_weighed():
    word = {"code": "planners_word", "vendor": "AE", "detail": "The planner's word: outside at AE."}

    assert [found.text for found in policy_steps([word], NAMES)] == ["The planner's word: outside at Alpen Eloxal."]
    assert vendor_steps([word], NAMES) == []


def test_what_blocks_an_operation_is_said_of_every_vendor_once():
    no_price = {"code": "no_price", "vendor": "AE", "detail": "Vendor AE: no price for 60 is valid on 2026-12-02."}

    assert because("blocked", [MATCHED, EXPIRED, no_price, no_price], NAMES) == (
        "Galvano Rossi: approval for Anodise ends on 30 Sep 2026, before the planned ship date 4 Dec 2026. "
        "Alpen Eloxal: no price for 60 is valid on 2 Dec 2026."
    )


def test_what_goes_outside_is_explained_by_the_vendor_chosen():
    assert because("outsource", [MATCHED, CHOSEN], NAMES).startswith("Alpen Eloxal qualifies and takes 60")


def test_a_decision_without_reasons_explains_nothing():
    assert because("in_house", [], {}) == ""


@pytest.mark.parametrize(
    ("verdict", "awarded", "sentence"),
    [
        ("in_house", [], "It stays inside."),
        ("review", [], "A person must say."),
        ("blocked", [], "It should go outside, and cannot."),
        ("outsource", [], "It goes outside, and all of it is ordered."),
        ("outsource", [("Alpen Eloxal", Decimal("1250.00000"))], "It goes outside: 1,250 pcs to Alpen Eloxal."),
        ("outsource", [("A", Decimal(60)), ("B", Decimal(40))], "It goes outside: 60 pcs to A and 40 pcs to B."),
    ],
)
def test_a_verdict_reads_like_an_answer(verdict, awarded, sentence):
    assert answer(verdict, awarded, "pcs") == sentence


def test_an_order_is_about_one_work_of_one_part_or_says_how_many():
    assert order_sentence(["Anodise"], ["Pump housing 10482-B"], "Alpen Eloxal") == (
        "Anodise of Pump housing 10482-B at Alpen Eloxal"
    )
    assert order_sentence(["Anodise", "Anodise"], ["A", "B"], "Alpen Eloxal") == "Anodise of 2 parts at Alpen Eloxal"
    assert order_sentence([], [], "Alpen Eloxal") == "An empty order at Alpen Eloxal"


@pytest.mark.parametrize(
    ("state", "made", "sentence"),
    [
        ("waiting", 0, "Waiting for its turn."),
        ("deciding", 0, "Reading the plan and deciding every open operation."),
        ("writing", 0, "1,579 operations looked at, 201 go outside. Writing the document sets."),
        ("done", 201, "1,579 operations looked at, 201 go outside: 201 order lines made, 0 changed, 0 withdrawn."),
        ("done", 0, "1,579 operations looked at, 201 go outside. Everything was ordered already, so nothing changed."),
    ],
)
def test_a_run_says_what_it_did(state, made, sentence):
    said = run_sentence(state=state, operations=1579, outside=201, made=made, changed=0, withdrawn=0, is_dry=False)

    assert said == sentence


def test_changes_show_only_what_differs_as_people_write_it():
    before = {"quantity": "100.00000", "need_date": "2026-12-14", "vendor": "AE"}
    after = {"quantity": "120.00000", "need_date": "2026-12-10", "vendor": "AE", "note": "x"}

    assert changes(before, after) == [
        Change("Quantity", "100", "120"),
        Change("Need date", "14 Dec 2026", "10 Dec 2026"),
        Change("Note", None, "x"),
    ]


def test_what_only_one_state_tells_is_a_fact():
    found = changes({"there": "0"}, {"wanted": "35640"})

    assert [(change.name, change.fact) for change in found] == [("There", "0"), ("Wanted", "35,640")]


def test_a_verdict_among_them_is_said_in_words():
    after = {"verdict": "in_house"}

    assert changes({}, after) == [Change("Verdict", None, "Stays inside")]
    with translation.override("de"):
        assert changes({}, after)[0].after == "Bleibt im Haus"


def test_a_text_that_only_looks_like_a_day_stays_as_it_is():
    assert changes({"lot": "2026-99-99"}, {"lot": ""}) == [Change("Lot", "2026-99-99", "–")]


def test_a_code_is_no_number_even_where_it_looks_like_one():
    assert changes({"item_revision": "1.1", "item": "00100"}, {"item_revision": "1.10", "item": "0100"}) == [
        Change("Item revision", "1.1", "1.10"),
        Change("Item", "00100", "0100"),
    ]


def test_events_are_known_by_the_last_part_of_their_name():
    assert event_look("order.approved") == ("ok", "check")
    assert event_look("order.dreamt") == ("mute", "point")


@pytest.mark.parametrize(
    ("quantity", "received", "parts", "there"),
    [
        (100, 0, [(100, 100)], 100),
        (100, 40, [(100, 100)], 60),
        (100, 0, [(100, 100), (200, 100)], 50),  # half of the second part is missing
        (100, 0, [(300, 100)], 33),  # enough for 33 whole pieces
        (100, 0, [(100, 130)], 100),  # more than needed makes no more pieces
        (100, 110, [(100, 100)], 0),
        (100, 0, [], 0),  # nothing of ours lies there
    ],
)
def test_pieces_at_the_vendor_follow_the_material_that_came(quantity, received, parts, there):
    came = [(Decimal(required), Decimal(arrived)) for required, arrived in parts]

    assert pieces_at_vendor(Decimal(quantity), Decimal(received), came) == there


@pytest.mark.parametrize(
    ("state", "end"),
    [("held", "It would change much and waits for a person."), ("dropped", "It was dropped and changed nothing.")],
)
def test_a_run_that_waits_or_was_dropped_does_not_say_that_all_was_ordered(state, end):
    said = run_sentence(state=state, operations=10, outside=2, made=0, changed=0, withdrawn=0, is_dry=False)

    assert said == f"10 operations looked at, 2 go outside. {end}"
