"""manage.py import_plan."""

import json

import pytest
from django.core.management import CommandError, call_command

from masterdata.models import Item
from tests.interchange.plans import DEMO
from tests.interchange.test_files import CUT, ITEMS, packed


def test_the_command_reads_a_folder_and_says_so_in_its_last_line(capsys):
    call_command("import_plan", DEMO / "ambrosia-pie", json=True)

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["counts"]["items"] == {"created": 36, "changed": 0, "unchanged": 0}
    assert Item.objects.count() == 36


def test_the_command_reads_a_zip_and_may_run_dry(tmp_path, capsys):
    path = tmp_path / "plan.zip"
    path.write_bytes(packed(items=ITEMS).getvalue())

    call_command("import_plan", path, dry_run=True)

    assert "items" in capsys.readouterr().out
    assert not Item.objects.exists()


def test_the_command_warns_of_a_file_that_may_be_cut_off(tmp_path, capsys):
    (tmp_path / "items.csv").write_bytes(ITEMS[:-1])

    call_command("import_plan", tmp_path, no_color=True)

    assert capsys.readouterr().err == f"Warning: {CUT}\n"


def test_the_command_names_bad_rows_and_fails(tmp_path, capsys):
    (tmp_path / "items.csv").write_text("code,kind\nA,thing\n")

    with pytest.raises(CommandError, match="1 bad rows"):
        call_command("import_plan", tmp_path)
    assert "file items.csv, row 2, column kind: “thing” is none of" in capsys.readouterr().err

    with pytest.raises(SystemExit):
        call_command("import_plan", tmp_path, json=True)
    assert json.loads(capsys.readouterr().out)["errors"][0]["row"] == 2
