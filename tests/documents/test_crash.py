"""A run killed with SIGKILL at any statement and taken up again ends in the rows of a quiet one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from documents import services as documents
from documents.models import GenerationRun, RunState
from tests.documents import plans
from tests.documents.plans import moment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("several_shards"), pytest.mark.slow]

KILLED_AT = """
import os, signal
import django
django.setup()
from django.db import connection
from documents.services import coordinating
from tests.documents import plans

coordinating.SHARD_LINES = 7
left = int(os.environ["STATEMENTS"])

def die_at(execute, sql, params, many, context):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

with connection.execute_wrapper(die_at):
    plans.generate()
print(int(os.environ["STATEMENTS"]) - left)
"""


def run_until(statements: int) -> subprocess.CompletedProcess[str]:
    """A process of its own that generates and kills itself before its n-th statement."""
    server = settings.DATABASE_URL.rpartition("/")[0]
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "outsourcing.settings",
        "DATABASE_URL": f"{server}/{name}",
        "STATEMENTS": str(statements),
    }
    return subprocess.run(
        [sys.executable, "-c", KILLED_AT],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_killed_at_any_statement_ends_in_the_rows_of_a_quiet_one(quiet, wipe):
    whole = run_until(10**9)
    assert whole.returncode == 0, whole.stderr
    assert plans.rows_written() == quiet
    statements = int(whole.stdout)
    # Early, while it decides, between shards, inside shards, at the very end.
    points = sorted({1, 3, *range(7, statements, max(1, statements // 7)), statements - 1, statements})

    for point in points:
        wipe()
        died = run_until(point)
        assert died.returncode == -signal.SIGKILL, (point, died.stderr)
        for run_id in documents.continue_runs(at=moment()):
            documents.run_to_end(run_id=run_id, at=moment())
        if not GenerationRun.objects.exists():
            plans.generate()

        assert plans.rows_written() == quiet, f"killed before statement {point}"
        assert set(GenerationRun.objects.values_list("state", flat=True)) == {RunState.DONE}


def test_a_run_killed_again_and_again_gets_there(quiet):
    for statements in (20, 45, 60, 80, 110):
        died = run_until(statements)
        assert died.returncode == -signal.SIGKILL, died.stderr
    for run_id in documents.continue_runs(at=moment()):
        documents.run_to_end(run_id=run_id, at=moment())
    plans.generate()

    assert plans.rows_written() == quiet
