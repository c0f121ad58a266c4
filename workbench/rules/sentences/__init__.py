"""Sentences written in English, in the language of who reads them.

Reasons, alerts and what held an invoice are stored as whole sentences, refusals are made far below the pages. The modules here
list such sentences with their values left open: what fits is said again in the reader's language with the same values; what fits
none stays as it is. A value whose name ends on an underscore is a sentence, or a part of one, itself; `thing_` is what the rows
of a model are called. In which order they are listed does not matter: of several that fit, the one that understands most of a
text is meant.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from django.utils.dates import MONTHS_3
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext

from workbench.rules.sentences import (
    accounting,
    accounts,
    activity,
    alerts,
    common,
    decisions,
    documents,
    interchange,
    inventory,
    invoices,
    masterdata,
    policies,
    production,
    receipts,
    reports,
    runs,
    shipments,
    subcontract_orders,
    things,
    words,
    workbench,
)

LISTS = (
    accounting, accounts, activity, alerts, common, decisions, documents, interchange, inventory, invoices, masterdata, policies,
    production, receipts, reports, runs, shipments, subcontract_orders, things, words,
    workbench,
)  # fmt: skip
PATTERNS = tuple(pattern for each in LISTS for pattern in each.SENTENCES)
MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
DAY = re.compile(r"\b(?:(\d{4})-(\d\d)-(\d\d)|(\d{1,2}) (" + "|".join(MONTHS) + r") (\d{4}))\b")
NUMBER = re.compile(r"(?<![\w.,/-])-?\d{1,3}(?:(?:,\d{3})+(?:\.\d+)?|\d*\.\d+)(?![\w/-]|[.,]\d)")
PARTS = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
THING = f"(?i:{'|'.join(map(re.escape, sorted(things.SENTENCES, key=len, reverse=True)))})"
END = re.compile(r"[.!?] (?=\S)")


class Pattern(NamedTuple):
    """A sentence with its values left open, and how it is found: by its longest stretch of words first, then by all of it."""

    text: str
    longest: str
    own: int
    expression: re.Pattern[str]


class Reading(NamedTuple):
    """A text understood: how many of its signs are words of sentences that are known, and how the reader says it."""

    known: int
    said: str


def _pattern(text: str) -> Pattern:
    parts = PARTS.split(text)
    own = [part.replace("{{", "{").replace("}}", "}") for part in parts[::2]]
    found, seen = re.escape(own[0]), set[str]()
    for name, after in zip(parts[1::2], own[1:], strict=True):
        found += rf"(?P={name})" if name in seen else rf"(?P<{name}>{THING if name == 'thing_' else '.+?'})"
        found += re.escape(after)
        seen.add(name)
    return Pattern(text, max(own, key=len), sum(map(len, own)), re.compile(found, re.S))


WHOLE = {text.replace("{{", "{").replace("}}", "}"): text for text in PATTERNS if not PARTS.search(text)}
OPEN = tuple(_pattern(text) for text in sorted(PATTERNS) if PARTS.search(text))


def told(text: str) -> str:
    """A sentence, or several, in the language of the reader, as far as it is known here; else as it is."""
    language = get_language() or "en"
    return text if language.startswith("en") or not text else _told(text, language)


def written(value: str) -> str:
    """A value that is no sentence, its days and numbers as the reader writes them."""
    return value if (get_language() or "en").startswith("en") else _written(value)


@lru_cache(maxsize=8192)
def _told(text: str, language: str) -> str:
    reading = _read(text)
    return text if reading is None else reading.said


def _read(text: str) -> Reading | None:
    """One sentence, or several, or what it is about, a colon and one: what understands most. None where none is known."""
    if (exactly := _exactly(text)) is not None:
        return exactly
    readings = [reading for reading in (_sentence(text), _sentences(text), _after_colon(text)) if reading is not None]
    return max(readings) if readings else None


def _after_colon(text: str) -> Reading | None:
    """What it is about, as it is, and a sentence."""
    about, _, rest = text.partition(": ")
    if rest and (after := _read(rest)) is not None:
        return Reading(after.known, f"{_written(about)}: {after.said}")
    return None


def _sentence(text: str) -> Reading | None:
    """By the pattern that understands most of it, with what its values say themselves; of two that understand as much, by the
    one with more words of its own.
    """
    best, most = None, (0, 0, "")
    for pattern in OPEN:
        if pattern.longest in text and (found := pattern.expression.fullmatch(text)):
            parts = {name: _part(name, value) for name, value in found.groupdict().items()}
            known = pattern.own + sum(part.known for part in parts.values())
            if (rank := (known, pattern.own, pattern.text)) > most:
                most = rank
                best = Reading(known, gettext(pattern.text).format(**{name: part.said for name, part in parts.items()}))
    return best


def _sentences(text: str) -> Reading | None:
    """One after the other; what is not known stays as it is, beside what is."""
    ends = [0, *(end.end() for end in END.finditer(text)), len(text)]
    if len(ends) == 2:
        return None
    known, said, first = 0, list[str](), 0
    while first < len(ends) - 1:
        for last in range(len(ends) - 1, first, -1):
            piece = text[ends[first] : ends[last]].strip()
            whole = first == 0 and last == len(ends) - 1
            reading = None if whole else _exactly(piece) or _sentence(piece)
            if reading is not None or last == first + 1:
                known += reading.known if reading else 0
                said.append(reading.said if reading else piece)
                first = last
                break
    return Reading(known, " ".join(said)) if known else None


def _exactly(text: str) -> Reading | None:
    return Reading(len(text), gettext(WHOLE[text]).format()) if text in WHOLE else None


def _part(name: str, text: str) -> Reading:
    """A value; where it is a sentence or words, which the sentence around it may have written with a capital or not, as such."""
    reading = None
    if name.endswith("_"):
        readings = (_read(text), _read(text[:1].swapcase() + text[1:]), _several(text))
        reading = max((each for each in readings if each is not None), default=None)
    return Reading(0, _written(text)) if reading is None else reading


def _several(text: str) -> Reading | None:
    """Parts with commas between them."""
    parts = text.split(", ")
    readings = [_part("each_", part) for part in parts] if len(parts) > 1 else []
    known = sum(reading.known for reading in readings)
    return Reading(known, ", ".join(reading.said for reading in readings)) if known else None


def _written(value: str) -> str:
    """A value with its days and numbers as the reader writes them."""
    return NUMBER.sub(_number, DAY.sub(_day, value))


def _day(found: re.Match[str]) -> str:
    year, month, day, written_day, name, written_year = found.groups()
    number = int(month) if month else MONTHS[name]
    said = gettext("{day} {month}").format(day=int(day or written_day), month=str(MONTHS_3[number]).capitalize())
    return f"{said} {year or written_year}"


def _number(found: re.Match[str]) -> str:
    marks = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return "".join(marks.get(sign, sign) for sign in found.group())
