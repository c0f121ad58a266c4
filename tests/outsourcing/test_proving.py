"""One command proves everything that is stored as a sum: stock, orders, invoices, the journal and the figures of reports."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from django.core.management import call_command

from accounting.models import EntryLine
from invoices.models import Match
from reports.models import Rollup
from tests.invoices import bills
from tests.receipts import goods


@pytest.fixture
def _billed() -> None:
    line = goods.at_vendor()
    goods.receive(goods.counted(line, 8, rejected=2))
    bills.paid(bills.asked(line, 8, 104))


def proven(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The names of the checks that found something."""
    with suppress(SystemExit):
        call_command("check_invariants", "--json")
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["checked"] > 0
    return sorted({one["check"] for one in said["differences"]})


@pytest.mark.usefixtures("_billed")
def test_all_is_proven_by_one_command(capsys):
    assert proven(capsys) == []


@pytest.mark.usefixtures("_billed")
def test_a_wrong_invoice_journal_and_figure_are_each_found(capsys):
    call_command("check_invariants")
    Match.objects.update(amount=1)
    EntryLine.objects.filter(role="finished").update(amount=1)
    Rollup.objects.filter(figure="rejects_outside", grain="day").update(amount=7)

    found = proven(capsys)

    assert "a line is all matched" in found
    assert "an entry adds up to zero" in found
    assert "rollup equals its measurements" in found
    with pytest.raises(SystemExit) as stopped:
        call_command("check_invariants")
    assert stopped.value.code == 1
