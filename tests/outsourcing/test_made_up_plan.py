"""Made-up plans: as large as asked for, the same every time, and plans the importer and the main job take."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from documents import services as documents
from interchange import services as interchange
from outsourcing.benches.generate import AT, TODAY
from outsourcing.made_up_plan import make_plan
from policies.models import Decision


@pytest.mark.no_database
@pytest.mark.parametrize("operations", [1, 7, 1000])
def test_a_plan_has_exactly_the_operations_asked_for(tmp_path, operations):
    make_plan(tmp_path, operations=operations)

    steps = Counter(row["item"] for row in _rows(tmp_path / "routings.csv"))
    assert sum(steps[row["item"]] for row in _rows(tmp_path / "production_orders.csv")) == operations


@pytest.mark.no_database
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        make_plan(tmp_path / name, operations=500, seed=seed)

    def written(name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    assert written("one") == written("same")
    assert written("one")["production_orders.csv"] != written("other")["production_orders.csv"]


def test_a_plan_is_imported_and_every_open_operation_decided(tmp_path):
    make_plan(tmp_path, operations=300)
    interchange.import_tables(tables=interchange.tables_in_folder(tmp_path), at=AT, by=None)

    run = documents.start_run(at=AT, on=TODAY)
    run = documents.run_to_end(run_id=run.pk, at=AT)

    assert run.state == "done"
    assert run.operations == Decision.objects.current().count() > 250
    assert run.outsource > 30
    assert documents.check_invariants().differences == []


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
