"""Sentences stored or refused in English stand in the language of who reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from gettext import GNUTranslations
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import gettext, override

from accounts.models import User
from activity.models import Alert
from outsourcing.pages import all_pages
from policies.models import Verdict
from policies.rules.reasons import SENTENCES, as_dict
from policies.rules.values import Reason
from tests.test_language import CATALOG
from tests.workbench import goods, rows
from workbench import rules
from workbench.rules.sentences import PATTERNS, told

DAY, LATER = date(2026, 12, 4), date(2026, 12, 11)
QUANTITY = Decimal(1250)
LOOKED = "Policy PAINT (priority 50) was looked at: process Paint fits; "
REASONS = [
    Reason("planners_word", "", "V1", ("outside", "V1", "eilig", "mara", datetime(2026, 3, 2, 8, tzinfo=UTC))),
    Reason("planners_word", "", "", ("in_house", "", "", "", None)),
    Reason("flag_no", "", "", ()),
    Reason("policy_skipped", "PAINT", "", (LOOKED, "quantity_from", Decimal(5), Decimal(10))),
    Reason("policy_skipped", "PAINT", "", (LOOKED, "load_above_pct", Decimal(50), Decimal(90))),
    Reason("policy_matched", "PAINT", "", (LOOKED, "outsource")),
    Reason("policy_matched", "PAINT", "", (LOOKED, "in_house", (("quantity_to", Decimal(5), Decimal(10)),))),
    Reason("no_policy", "", "", ()),
    Reason("no_vendor", "PAINT", "", ()),
    Reason("nothing_to_order", "", "", ()),
    Reason("work_center_vendor", "", "V1", ("OUT",)),
    Reason("default_inside", "", "", ("maybe",)),
    Reason("ends_with", "", "", ("40",)),
    Reason(
        "vendor_chosen", "PAINT", "V1", (1, QUANTITY, Decimal("1.19"), "", Decimal("1487.50"), "EUR", DAY, LATER, False)
    ),
    Reason(
        "vendor_chosen",
        "PAINT",
        "V1",
        (1, QUANTITY, Decimal("1.19"), "kg", Decimal("1487.50"), "EUR", DAY, LATER, True),
    ),
    Reason("vendor_compared", "PAINT", "V1", ("lowest_cost", Decimal(90), Decimal(90), "EUR")),
    Reason("vendor_passed_over", "PAINT", "V1", ("earliest", LATER, DAY)),
    Reason("vendor_passed_over", "PAINT", "V1", ("quota", Decimal(9), Decimal(3))),
    Reason("inactive", "PAINT", "V1", ()),
    Reason("item_blocked", "PAINT", "V1", ()),
    Reason("not_approved", "PAINT", "V1", ("Paint", "pending")),
    Reason("not_approved", "PAINT", "V1", ("Paint", "")),
    Reason("approval_expired", "PAINT", "V1", ("Paint", DAY, LATER)),
    Reason("no_price", "PAINT", "V1", (QUANTITY, DAY, False)),
    Reason("no_price", "PAINT", "V1", (QUANTITY, DAY, True)),
    Reason("no_rate", "PAINT", "V1", ("CHF", DAY)),
    Reason("no_unit_factor", "PAINT", "V1", ("kg",)),
    Reason("below_minimum", "PAINT", "V1", (QUANTITY, Decimal(2000))),
    Reason("above_maximum", "PAINT", "V1", (QUANTITY, Decimal(1000))),
    Reason("above_maximum", "PAINT", "V1", (QUANTITY, None)),
    Reason("no_capacity", "PAINT", "V1", (QUANTITY, Decimal(5), Decimal(100), DAY)),
    Reason("no_capacity", "PAINT", "", (Decimal(90), Decimal(100), Decimal(10))),
    Reason("already_ordered", "", "V1", (QUANTITY, Decimal(5), "SC-00001/1")),
    Reason("sold_together", "", "", ("20", "40")),
    Reason("comes_with", "", "", ("20", "40")),
    Reason("not_together", "", "", ("20", "40")),
    Reason("not_whole", "", "", ("20", "begun")),
    Reason("not_whole", "", "", ("20", "ordered")),
    Reason("not_whole", "", "", ("20", "word")),
    Reason("not_bought", "", "", ()),
    Reason("not_named", "PAINT", "V1", ()),
    Reason("refused", "PAINT", "V1", ()),
    Reason("center_moved", "", "V1", ("OUT",)),
    Reason("late_by", "", "", (1, DAY, LATER)),
    Reason("late_by", "", "", (9, DAY, LATER)),
    Reason("previous_late", "", "V1", (2, DAY, DAY, LATER)),
]


NAMES = {"On the way"}
"""What rows are called: a location keeps the name it was made with."""


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.no_database
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_sentence_says_the_same_values_in_german(pattern: str):
    with override("de"):
        german = gettext(pattern)

    assert german != pattern
    assert holes(german) == holes(pattern)


@pytest.mark.no_database
def test_every_kind_of_reason_has_an_example_here():
    assert {reason.code for reason in REASONS} == set(SENTENCES)


@pytest.mark.no_database
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
@pytest.mark.parametrize("under_title", [True, False])
def test_every_reason_reads_german_in_german(reason: Reason, under_title: bool):
    stored = as_dict(reason)
    with override("en"):
        english = rules.readable(stored, {"V1": "Alpen Eloxal"}, under_title=under_title)

    with override("de"):
        german = rules.readable(stored, {"V1": "Alpen Eloxal"}, under_title=under_title)

    assert german != english
    assert not re.search(r"\b(the|is|are|of|by|it|with|before|to|at|from|and)\b", german), german


@pytest.mark.no_database
def test_values_are_written_as_the_language_writes_them():
    text = (
        "Trey Research qualifies and takes 495: 1.19 USD each, 1,590.34 USD in all; order by 8 Dec 2026, dispatch by "
        "2026-12-09."
    )

    with override("de"):
        assert told(text) == (
            "Trey Research ist geeignet und übernimmt 495: je 1,19 USD, zusammen 1.590,34 USD; bestellen bis 8. Dez 2026, "
            "versenden bis 9. Dez 2026."
        )


@pytest.mark.no_database
def test_english_and_what_is_not_known_stay_as_they_are():
    with override("en"):
        assert told("No price for 5 is valid on 2026-12-04.") == "No price for 5 is valid on 2026-12-04."
    with override("de"):
        assert told("Somebody wrote this, it says no 1.5 thing.") == "Somebody wrote this, it says no 1.5 thing."
        assert told("file: The file is not UTF-8 text.") == "file: Die Datei ist kein UTF-8-Text."
        assert told("") == ""


class Spoken(HTMLParser):
    """The texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in ("aria-label", "title", "placeholder") and value]

    def handle_data(self, data: str) -> None:
        self.texts += [" ".join(data.split())]


def english_sentences() -> dict[str, str]:
    """What the catalog turns into German, of three words or more, without values."""
    with CATALOG.with_suffix(".mo").open("rb") as file:
        known: dict[Any, str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    pairs = ((key[0] if isinstance(key, tuple) else key, german) for key, german in known.items())
    return {
        key: german for key, german in pairs if key.count(" ") > 1 and key != german and not re.search(r"[{%]", key)
    }


def test_no_page_speaks_english_to_a_german(client: Client):
    mara = rows.user("mara", "administrator")
    User.objects.filter(pk=mara.pk).update(language="de", is_superuser=True)
    order = goods.shipped_order(lines=2, stock=200, lot="L-1")
    goods.receipt_of(order, rejected=Decimal(2))
    goods.sent_order()
    rows.order()
    rows.run(operations=10)
    for verdict in Verdict.values:
        reasons = [as_dict(reason) for reason in REASONS[:12]] + [
            as_dict(Reason("no_price", "", "V1", (QUANTITY, DAY, False)))
        ]
        rows.decision(rows.operation(), verdict=verdict, reasons=reasons)
    Alert.objects.create(
        subject="x", title="V1 has not answered SC-00001 since 2026-05-04", kind="unconfirmed", severity="warning",
        order_number=order.number, site=order.site, opened_at=rows.AT, updated_at=rows.AT,
    )  # fmt: skip
    client.force_login(User.objects.get(pk=mara.pk))
    english, said = english_sentences(), {}

    with override("de"):  # what a request turns on stays on
        pages = all_pages(user=User.objects.get(pk=mara.pk))
        for page in pages:
            texts = Spoken(client.get(page.address, headers={"accept-language": "de"}).content.decode()).texts
            wrong = {text for text in texts if text in english or (text and told(text) != text)} - NAMES
            if wrong:
                said[page.address] = wrong

    assert len(pages) > 50
    assert said == {}
