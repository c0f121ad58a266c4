"""Whatever the code refuses, says on a page or writes into an alert, a German reads in German."""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path
from random import Random

import pytest
from django.apps import apps
from django.conf import settings
from django.template.base import Lexer, Token, TokenType
from django.utils.text import capfirst
from django.utils.translation import gettext, override

from masterdata.models import Location
from tests.workbench.said_in_code import Hole, Said, Sentence
from workbench.rules import sentences
from workbench.rules.sentences import OPEN, PARTS, PATTERNS, told

pytestmark = pytest.mark.no_database
ROOT = Path(settings.BASE_DIR)
INTERFACES = {
    "api",
    "api.py",
    "serializers",
    "serializers.py",
    "idempotency.py",
    "paging.py",
    "requests.py",
    "management",
}
"""Rooms that speak to other programs and to who runs Outwork, in English."""
PLANNERS = {
    "policies/serializers/plan.py"
}  # what a simulation supposes is read from the API's words, on a page as well
COLUMNS = {"amount", "date", "end", "quantity", "start"}
"""Columns of files that are words; whatever has an underscore is one, too. A column is called what it is called in the file."""
COMMANDS = set("apt get install libpango libpangoft2 var dev run data".split())
PASSED_ON = {
    # A sentence that was read where it was made.
    "refusal.detail", "bad.detail", "problem.detail", "circle.detail", "row.detail", "answer.detail", "reason.detail",
    "step.detail", "one.detail", "reason", "raw.why", "detail", "refusal", "circle", "short",
    "str(refusal)", "str(problem)", "f'{problem}'",
    "getattr(problem, 'detail', None) or str(problem)", "str(unreadable)", "sentence",
    "f'{refusal.field}: {refusal.detail}' if refusal.field else refusal.detail",
    # Several refusals, each read where it was made.
    "wrong", "found", "bad", "problems", "missing", "self.bad", "work.errors[:MOST_ERRORS]",
    "sorted(bad, key=lambda one: one.index)", "[BadOpenLine(short, index=ready[0].index)]",
    "[BadOrder(circle, index=places[circle.number]) for circle in circles]", "[*circle[first:], *circle[:first]]",
    "{'belongs_to': problem}", "problems[values['code']]",
    # Words of a page, translated before the values came in.
    "done", "said", "text", "said.format(n=finished)", "said % {'count': found.queued}",
    "said.format(receipt=receipt, note=receipt.note, vendor=called(vendor))",
    "str(DONE[action]).format(line=line.line_no, receipt=shown)",
    "done % {'number': number, 'vendor': name_of(shown.vendor)}",
    "said % {'number': document, 'vendor': called(vendor)}", "said % {'number': document, 'vendor': called(shown.vendor)}",
    "said % {'quantity': f'{quantity(Decimal(lost))}{unit}', 'item': item, 'vendor': called(vendor), 'number': number}",
    "text % {'quantity': quantity(said), 'way': way, 'item': item, 'line': line_no, 'number': number}",
    # A shipment that stays, in words of its own; what the API says of a field.
    "str(one)", "f\"{name.replace('_', ' ')}: {_first(errors)}\"",
    "done[name]",  # said on a page, in its language already
    "_of_one_value(state, str(problem))",  # what only the database refuses, told below
    "''",  # the name of the column is said where the cell is read
}  # fmt: skip
SENTENCES = {
    "detail": "Say why.",
    "set_aside": " 101 is picked.",
    "use": "open operation",
    "uses": "open operations",
    "what": "work center",
    "dimension": "work center",
}
"""Values that are sentences themselves."""
NOT_SEEN = [  # sentences that are their object's own, and one put together in a list
    "SC-00001 is held: wait for the drawing.",
    "SC-00001 is picked.",
    "A text is too long; at most 40 characters are kept there.",
    "There is already one work center with the same code; change that one, or give another value.",
    "a.csv does not end with a line end, so it may be cut off: its last row is read with unit. Look whether that is all.",
]


@cache
def said() -> Said:
    folders = sorted(
        ROOT / app.split(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.split(".")[0] / "apps.py").exists()
    )
    read = Said(folders, leave_out=lambda path: is_interface(path.relative_to(ROOT)))
    assert len(read.found) > 500
    return read


def is_interface(path: Path) -> bool:
    return bool(INTERFACES & set(path.parts)) and str(path) not in PLANNERS


@cache
def choices(column: str) -> list[str]:
    """Words of a choice as a sentence holds them, or names of things."""
    with override("en"):
        if column == "verbose_name":
            return sorted({str(model._meta.verbose_name) for model in apps.get_models() if hasattr(model, "is_active")})
        return sorted(
            {
                str(word).lower()
                for model in ([Location] if column == "kind" else apps.get_models())
                for field in model._meta.fields
                if field.name == column and field.choices
                for _, word in field.choices
            }
        )


def examples(sentence: Sentence) -> list[str]:
    """The sentence with a number in each hole; where a choice stands, with each of its words."""
    chosen = next((part.choice for part in sentence if isinstance(part, Hole) and part.choice), "")
    found = []
    for word in choices(chosen) if chosen else [""]:
        found.append(
            "".join(
                part if isinstance(part, str) else word if part.choice else SENTENCES.get(part.name, str(101 + number))
                for number, part in enumerate(sentence)
            )
        )
    return found


def only_values(pattern: str) -> str:
    return " ".join(f"{{{name}}}" for name in PARTS.findall(pattern))


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language without words: what is said in it are the values alone, and whatever was not understood."""
    monkeypatch.setattr(sentences, "gettext", only_values)


def test_every_sentence_in_the_code_is_one_that_is_translated(mute: None):
    english = {}
    for sentence, where in said().found.items():
        for example in examples(sentence):
            left = re.findall(r"[^\W\d_][\w]*", sentences._told(example, "nobody's"))
            if wrong := [word for word in left if "_" not in word and word not in COLUMNS | COMMANDS]:
                english[example] = (where, " ".join(wrong))

    assert english == {}


def test_what_this_test_cannot_read_is_known():
    assert sorted(set(said().unseen) - PASSED_ON) == []


@pytest.mark.parametrize("sentence", NOT_SEEN)
def test_sentences_made_elsewhere_are_translated(sentence: str):
    with override("de"):
        assert told(sentence) != sentence


def test_the_order_of_the_list_does_not_matter(monkeypatch: pytest.MonkeyPatch):
    known = [example for sentence in said().found for example in examples(sentence)[:1]]
    with override("de"):
        before = [sentences._told.__wrapped__(text, "de") for text in known]
    patterns = list(PATTERNS)
    Random(7).shuffle(patterns)
    monkeypatch.setattr(sentences, "OPEN", tuple(sentences._pattern(text) for text in patterns if PARTS.search(text)))

    with override("de"):
        assert [sentences._told.__wrapped__(text, "de") for text in known] == before


def test_no_two_patterns_are_the_same_sentence():
    shapes = [PARTS.sub("{}", pattern) for pattern in PATTERNS]

    assert sorted({shape for shape in shapes if shapes.count(shape) > 1}) == []


def test_a_sentence_is_found_fast_among_hundreds():
    known = [example for sentence in said().found for example in examples(sentence)[:1]]
    with override("de"):
        gettext("Work list")
        began = time.perf_counter()
        for text in known:
            sentences._read(text)
        each = (time.perf_counter() - began) / len(known)

    assert len(OPEN) > 400
    assert each < 0.002  # seconds; about a tenth of a millisecond on an idle machine


def test_sentences_are_put_together_and_led_by_what_they_are_about():
    with override("de"):
        assert told("There is nothing to apply here. It closes when the order is sent.") == (
            "Hier gibt es nichts zu übernehmen. Sie schließt sich, wenn die Bestellung gesendet ist."
        )
        assert told("items.csv, row 7: There is no vendor V9. (3 bad rows in all)") == (
            "items.csv, Zeile 7: Lieferant V9 gibt es nicht. (insgesamt 3 fehlerhafte Zeilen)"
        )
        assert told("lines: Name each line once.") == "lines: Nennen Sie jede Position einmal."
        assert told("Site HAM stays in use: 1 open production order names it: FA-1.") == (
            "Werk HAM bleibt in Gebrauch: verwendet von 1 offener Fertigungsauftrag: FA-1."
        )
        assert told(
            "SC-1 line 2 (WO-1 operation 40) should change: quantity 100 → 120, need date 2026-05-04 → 2026-05-08"
        ) == (
            "SC-1 Position 2 (WO-1 Arbeitsgang 40) sollte sich ändern: Menge 100 → 120, Bedarfstermin 4. Mai 2026 → 8. Mai 2026"
        )
        assert capfirst(told("SC-00001 is already cancelled.")) == "SC-00001 ist schon storniert."


REFUSED = re.compile(r"\b(error|errors|held_because|problem|refusal|sentence|wrong)\b")
OTHERS = {
    "sentence", "why.sentence",  # told where it is put together
    "refusal",  # stands in a sentence of the page that was given it told
    "why=alert.refusal",  # typed by a person
    "rows=job.errors|length", "errors.field_id",  # no sentences
}  # fmt: skip
SHOWN = re.compile(r"\|(told|days)\b")


def test_templates_tell_whatever_may_be_a_refusal():
    bare = {
        f"{path.relative_to(ROOT)}: {said}"
        for path in (ROOT / "templates").rglob("*.html")
        if path.name != "login.html"  # Django's own words
        for token in Lexer(path.read_text()).tokenize()
        for said in shown_in(token)
        if REFUSED.search(said) and not SHOWN.search(said) and said not in OTHERS
    }

    assert sorted(bare) == []


def shown_in(token: Token) -> list[str]:
    """What a tag puts on the page: a value, or the values of a sentence."""
    if token.token_type == TokenType.VAR:
        return [re.sub(r'"[^"]*"', "", token.contents)]
    if token.token_type == TokenType.BLOCK and token.contents.startswith("blocktrans"):
        return [given for given in token.contents.split()[1:] if "=" in given and "count" not in given]
    return []
