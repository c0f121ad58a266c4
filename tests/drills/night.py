"""What the drill with real servers does in processes of its own: `python -m tests.drills.night WORD`, in OUTWORK_HOME.

prepare   migrate, load a made-up plan, print what a quiet run over it makes, and take that back
start     put a run in the queue, for whatever worker finds it
look      print the state of the last run, and once it is over what it made
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import django

OPERATIONS = 4000


def main(word: str) -> None:
    django.setup()
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection

    from documents import services as documents
    from documents.models import OVER, GenerationRequest, GenerationRun, OrderReading
    from interchange import services as interchange
    from masterdata.models import NumberRange, PlanChange
    from outsourcing.benches.generate import AT, TODAY
    from outsourcing.made_up_plan import make_plan
    from tests.documents import plans

    def made() -> dict[str, str]:
        """One number for all rows of each table, and how many there are."""
        return {
            label: f"{len(rows)} {hashlib.md5(repr(rows).encode()).hexdigest()}"
            for label, rows in plans.rows_written().items()
        }

    if word == "prepare":
        call_command("migrate", verbosity=0)
        with tempfile.TemporaryDirectory() as folder:
            make_plan(Path(folder), operations=OPERATIONS)
            interchange.import_tables(tables=interchange.tables_in_folder(Path(folder)), at=AT, by=None)
        run = documents.start_run(at=AT, on=TODAY)
        documents.run_to_end(run_id=run.pk, at=AT)
        print(json.dumps(made()))
    if word in ("prepare", "start"):
        tables = [apps.get_model(label)._meta.db_table for label in plans.WRITTEN]
        tables += [m._meta.db_table for m in (GenerationRun, GenerationRequest, OrderReading, NumberRange, PlanChange)]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    if word == "start":
        documents.start_run(at=AT, on=TODAY)
    if word == "look":
        last = GenerationRun.objects.order_by("-pk")[0]
        print(json.dumps({"state": last.state, "error": last.error, "rows": made() if last.state in OVER else {}}))


if __name__ == "__main__":
    main(sys.argv[1])
