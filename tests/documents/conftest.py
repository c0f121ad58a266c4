"""A plan large enough for several shards, and a clean slate to run it again on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.db import connection

from documents.models import GenerationRequest, GenerationRun, OrderReading
from masterdata.models import NumberRange, PlanChange
from tests.documents import plans
from tests.documents.test_runs import CHAIN


@pytest.fixture
def several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of a few lines, so that a small plan makes many."""
    monkeypatch.setattr("documents.services.coordinating.SHARD_LINES", 7)


@pytest.fixture
def wide_plan() -> None:
    """Forty orders over three weeks: two steps at vendors in a row, consolidated by week, material that does not reach."""
    policies = [{**row, "consolidate": "week"} for row in CHAIN["policies"]]
    plans.load({**CHAIN, "policies": policies}, ground=True)
    for number in range(40):
        plans.plan(f"P{number:02d}", "SHIM", 10 + number, f"2026-04-{10 + number % 17:02d}")


@pytest.fixture
def wipe() -> Iterator[Callable[[], None]]:
    """Takes back all that runs wrote; the plan stays."""

    def clean() -> None:
        tables = [apps.get_model(label)._meta.db_table for label in plans.WRITTEN]
        tables += [
            model._meta.db_table for model in (GenerationRun, GenerationRequest, OrderReading, NumberRange, PlanChange)
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")

    return clean


@pytest.fixture
def quiet(wide_plan: None, wipe: Callable[[], None]) -> dict[str, list[str]]:
    """What one undisturbed run makes of the wide plan: the rows every disturbed one must end with."""
    plans.generate()
    rows = plans.rows_written()
    wipe()
    return rows
