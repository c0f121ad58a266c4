from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from workbench.templatetags import workbench as tags

pytestmark = pytest.mark.no_database
TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("1250.00000"), "1,250"), (Decimal("0.04000"), "0.04"), (Decimal(0), "0"), (None, "–"), ("", "–")],
)
def test_quantities_have_no_needless_zeros(value, text):
    assert tags.quantity(value) == text


def test_money_has_the_decimals_of_its_currency_and_rounds_half_up():
    assert tags.money(Decimal("1864.2")) == "1,864.20"
    assert tags.money(Decimal("1864.5"), 0) == "1,865"


@pytest.mark.parametrize(
    ("value", "text"), [(Decimal("7.40000"), "7.40"), (Decimal("0.01250"), "0.0125"), (Decimal(12), "12.00")]
)
def test_prices_have_at_least_two_decimals(value, text):
    assert tags.price(value) == text


def test_a_count_is_never_shown_past_a_thousand():
    assert (tags.capped(999), tags.capped(1000), tags.capped(1001)) == ("999", "1,000", "1,000+")


def test_days_carry_the_year_only_where_it_is_another():
    assert tags.day(date(2026, 11, 7), TODAY) == "7 Nov"
    assert tags.day(date(2027, 1, 7), TODAY) == "7 Jan 2027"
    assert tags.day(None, TODAY) == "–"


@pytest.mark.parametrize(
    ("due", "words", "css"),
    [
        (date(2026, 5, 27), "5 d late", "sc-late"),
        (date(2026, 6, 1), "today", "sc-soon"),
        (date(2026, 6, 2), "tomorrow", "sc-soon"),
        (date(2026, 6, 4), "in 3 d", "sc-soon"),
        (date(2026, 6, 5), "in 4 d", "sc-mute"),
    ],
)
def test_lateness_is_said_in_words_and_coloured(due, words, css):
    assert tags.lateness(due, TODAY) == (words, css)


def test_the_bar_lays_received_scrapped_and_at_vendor_end_to_end():
    bar = tags.quantity_bar(500, 320, 6, 174, "pcs")

    assert bar["parts"] == [("received", "0.00", "64.00"), ("scrap", "64.00", "1.20"), ("vendor", "65.20", "34.80")]
    assert bar["label"] == "320 of 500 pcs received, 6 scrapped, 174 at the vendor"


def test_a_bar_never_grows_past_its_whole():
    assert tags.bar_parts([("received", Decimal(110))], Decimal(100)) == [("received", "0.00", "100.00")]
    assert tags.bar_parts([("received", Decimal(1))], Decimal(0)) == []


def test_a_chip_has_mark_and_word_never_colour_alone():
    chip = tags.chip("order", "held")

    assert "sc-tone-bad" in chip
    assert "<svg" in chip
    assert chip.endswith("Held</span>")


def test_an_unknown_status_is_shown_in_its_own_words():
    assert tags.chip("order", "on_the_moon").endswith("On the moon</span>")


def test_what_a_person_typed_is_escaped_in_a_tile():
    assert "<b>" not in tags.avatar("<b>", "<b>old")


@pytest.mark.parametrize(
    ("name", "letters"), [("Alpen Eloxal", "AE"), ("Litware, Inc.", "LI"), ("Nitra", "NI"), ("", "?")]
)
def test_two_letters_stand_for_a_vendor(name, letters):
    assert tags.initials(name) == letters


def test_a_value_that_changed_is_written_as_the_reader_writes_it():
    with override("de"):
        assert [tags.written(value) for value in ("1 Dec 2026", "1,250.5", "V1")] == ["1. Dez 2026", "1.250,5", "V1"]
    assert tags.written("1 Dec 2026") == "1 Dec 2026"
