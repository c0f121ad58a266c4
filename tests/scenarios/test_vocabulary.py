"""Every case of the project speaks the vocabulary, and the runner has an answer to every word of it."""

from pathlib import Path

import pytest

from tests.scenarios import case_files, vocabulary
from tests.scenarios.expectations import Seen
from tests.scenarios.vocabulary import UnknownWord, check_case

pytestmark = pytest.mark.no_database

FILES = sorted(case_files.OWN_CASES.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_case_uses_only_known_words(path: Path):
    check_case(case_files.read(path), tables=True)


def test_every_case_says_what_it_is_and_where_it_comes_from():
    silent = [
        path.stem
        for path in case_files.find_cases(case_files.OWN_CASES)
        if not {"title", "source", "today"} <= case_files.read(path).keys()
    ]

    assert silent == []


def test_the_runner_knows_every_step():
    from tests.scenarios.runner import Play

    words = set(vocabulary.STEPS) | vocabulary.PLAIN_STEPS

    assert [word for word in words if not callable(getattr(Play, word, None))] == []


def test_the_runner_knows_every_expectation():
    words = set(vocabulary.EXPECTATIONS) | set(vocabulary.KEYED) | vocabulary.PLAIN_EXPECTATIONS

    assert [word for word in words if not callable(getattr(Seen, word, None))] == []


def test_every_table_says_what_makes_two_rows_the_same():
    assert set(vocabulary.KEYS) == set(vocabulary.TABLES)
    assert {
        table: set(key) - vocabulary.TABLES[table]
        for table, key in vocabulary.KEYS.items()
        if vocabulary.TABLES[table] and set(key) - vocabulary.TABLES[table]
    } == {}


def test_only_cases_that_exist_wait_to_be_built():
    assert set(case_files.not_yet()) <= {path.stem for path in FILES}


@pytest.mark.parametrize(
    "case",
    [
        {"titel": "x"},
        {"steps": [{"shipp": {"order": 1}}]},
        {"steps": [{"ship": {"order": 1}, "send": {"order": 1}}]},
        {"steps": [{"ship": {"order": 1, "line": []}}]},
        {"steps": [{"ship": {"order": 1, "lines": [{"part": "RM"}]}}]},
        {"steps": [{"plan": [{"number": "P1", "qty": 1}]}]},
        {"steps": [{"send": {"order": 1}, "refused": "nope"}]},
        {"steps": [{"send": {"order": 1}, "expect": {"order": []}}]},
        {"expect": {"orders": [{"order": 1, "vendr": "V1"}]}},
        {"expect": {"orders": [{"order": 1, "lines": [{"line": 1, "price": 1}]}]}},
        {"expect": {"counts": {"lines": 1}}},
        {"expect": {"value": {"RM": {"cost": 1}}}},
        {"expect": {"alerts": [{"kind": "requirement_change"}]}},
        {"expect": {"no_alerts": ["nope"]}},
        {"expect": {"answer": {"changed": [{"production_order": "P1", "was": "in_house"}]}}},
        {"given": {"polices": []}},
        {"given": {"policies": [{"code": "A", "priorty": 1}]}},
        {"steps": [{"load": {"stock": [{"item": "RM", "amount": 1}]}}]},
    ],
    ids=str,
)
def test_an_unknown_word_is_named(case: dict):
    with pytest.raises(UnknownWord):
        check_case(case, tables=True)
