"""Workers killed and the database cut off at random moments of a run: the end is that of a quiet run, and no hand is needed.

`pytest tests/drills --drill-rounds 25` does each a hundred times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from documents import services as documents
from documents.models import GenerationRun, RunState
from tests.documents import plans
from tests.documents.plans import MONDAY, moment
from tests.drills.disturbing import (
    Disturb,
    cut_the_database_off,
    kill_a_worker,
    kill_all_workers,
    run_disturbed,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("several_shards", "wide_plan"),
    pytest.mark.slow,
]
TIMES = 4  # a round


def first_night() -> GenerationRun:
    """The wide plan as it was; nothing is decided yet."""
    for number in range(40):
        plans.plan(f"P{number:02d}", "SHIM", 10 + number, f"2026-04-{10 + number % 17:02d}")
    return documents.start_run(at=moment(), on=MONDAY)


def second_night() -> GenerationRun:
    """Quantities and weeks change: lines are changed, withdrawn and made anew."""
    for number in range(0, 40, 3):
        due = date(2026, 4, 10) + timedelta(days=number % 17 + 7 * (number % 2))
        plans.plan(f"P{number:02d}", "SHIM", 11 + number, f"{due}")
    return documents.start_run(at=moment(), on=MONDAY)


@pytest.mark.parametrize("disturb", [kill_a_worker, kill_all_workers, cut_the_database_off])
def test_a_disturbed_run_ends_in_the_rows_of_a_quiet_one(
    disturb: Disturb, wipe: Callable[[], None], pytestconfig: pytest.Config
):
    rounds = int(pytestconfig.getoption("drill_rounds"))
    quiet, seconds = [], 0.0
    for night in (first_night, second_night):
        run, begin = night(), time.monotonic()
        documents.run_to_end(run_id=run.pk, at=moment())
        seconds = max(seconds, time.monotonic() - begin)
        quiet.append(plans.rows_written())

    done = 0
    for seed in range(rounds):
        wipe()
        for place, (night, expected) in enumerate(zip((first_night, second_night), quiet, strict=True)):
            run = night()
            done += run_disturbed(
                run, at=moment(), disturb=disturb, times=TIMES, within=seconds / 2, seed=2 * seed + place
            )
            over = GenerationRun.objects.get(pk=run.pk)
            assert (over.state, over.error) == (RunState.DONE, "")
            assert plans.rows_written() == expected, f"round {seed}, {night.__name__}"
    assert done >= rounds, "the run was over before anything disturbed it"
