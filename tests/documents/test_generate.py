"""`manage.py generate`."""

from __future__ import annotations

import json
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from documents.models import GenerationRun
from documents.services import writing
from tests.documents import plans

KEYS = [
    "operations", "in_house", "outsource", "review", "blocked", "orders", "lines", "shipments", "created", "changed",
    "cancelled", "seconds",
]  # fmt: skip


def generate(*words: str) -> list[str]:
    said = StringIO()
    with time_machine.travel(plans.moment(), tick=True):
        call_command("generate", *words, stdout=said)
    return said.getvalue().splitlines()


def test_it_ends_with_one_json_object_of_the_agreed_figures():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")

    found = json.loads(generate("--json")[-1])

    assert list(found) == KEYS
    assert found | {"seconds": 0} == dict.fromkeys(KEYS, 0) | {
        "operations": 1, "outsource": 1, "orders": 1, "lines": 1, "shipments": 1, "created": 1,
    }  # fmt: skip
    assert json.loads(generate("--json")[-1])["created"] == 0


def test_a_dry_run_says_what_would_be_made():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")

    said = generate("--dry-run")

    assert said[-1].startswith("Order lines: 1 would be made, 0 would be changed, 0 would be withdrawn.")
    assert plans.lines() == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_part_that_cannot_be_written_fails_the_run_and_says_why(monkeypatch):
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")

    def refuse(**_: object) -> int:
        raise ValueError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(writing, "write_shard", refuse)
        with pytest.raises(CommandError, match="the disk is full"):
            generate()
    run = GenerationRun.objects.get()
    assert (run.state, run.created, run.shards.get().attempts) == ("failed", 0, 3)
    assert plans.lines() == []

    generate()

    assert len(plans.lines()) == 1
