"""A run that would change more than the company allows waits for a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Role
from activity.models import Alert
from documents import services as documents
from documents.models import RunState
from documents.services import NotHeld
from masterdata import services as masterdata
from subcontract_orders.models import SubcontractOrder
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_api import client_of
from tests.played import played


@pytest.fixture(autouse=True)
@played
def _four_orders() -> None:
    plans.base()
    for number in range(1, 5):
        plans.plan(f"P{number}", "FG", 10, f"2026-04-0{number}")
    plans.generate()


def limit(**values: Decimal) -> None:
    masterdata.set_company(values=values)


def test_a_run_within_the_share_goes_on_and_one_beyond_it_writes_no_documents():
    limit(max_change_pct=Decimal(25))
    plans.plan("P1", "FG", 11, "2026-04-01")
    assert plans.generate().state == RunState.DONE
    plans.cancel("P1")
    plans.plan("P2", "FG", 11, "2026-04-02")

    run = plans.generate()

    assert (run.state, run.change_pct, run.change_value) == (RunState.HELD, Decimal(50), Decimal(1200))
    assert run.held_because == "It would change 2 lines or 50 % of the open ones (limit 25 %)."
    assert [row[4] for row in plans.lines()] == [11, 10, 10, 10]
    alert = Alert.objects.open().get(kind="run_held")
    assert (alert.subject, alert.severity, alert.proposes) == (run.number, "critical", "confirm")


def test_a_confirmed_run_is_written_and_says_who_let_it():
    limit(max_change_value=Decimal(100))
    plans.plan("P1", "FG", 12, "2026-04-01")
    run = plans.generate()
    assert run.state == RunState.HELD

    documents.confirm_run(run_id=run.pk, by=plans.boss(), at=moment())
    run = documents.run_to_end(run_id=run.pk, at=moment())

    assert (run.state, run.changed, run.settled_by, plans.line(1).quantity) == (RunState.DONE, 1, plans.boss(), 12)
    assert not Alert.objects.open().exists()
    with pytest.raises(NotHeld):
        documents.confirm_run(run_id=run.pk, by=plans.boss(), at=moment())


def test_a_dropped_run_changes_nothing_and_a_later_one_takes_the_place_of_one_that_waits():
    limit(max_change_value=Decimal(100))
    plans.plan("P1", "FG", 12, "2026-04-01")
    dropped = plans.generate()
    documents.drop_run(run_id=dropped.pk, by=plans.boss(), at=moment())
    waiting = plans.generate()
    limit(max_change_value=None)

    run = plans.generate()

    waiting.refresh_from_db()
    assert (waiting.state, run.state, plans.line(1).quantity) == (RunState.DROPPED, RunState.DONE, 12)
    assert not Alert.objects.open().exists()


def test_a_dry_run_never_waits():
    limit(max_change_value=Decimal(0))
    plans.plan("P1", "FG", 12, "2026-04-01")

    assert plans.generate(dry_run=True).state == RunState.DONE
    assert not Alert.objects.exists()


def test_a_run_is_let_go_over_the_api_by_who_may():
    limit(max_change_value=Decimal(100))
    plans.plan("P5", "FG", 12, "2026-04-01")
    run = plans.generate()
    at = f"/api/v1/generation-runs/{run.number}"

    assert client_of(Role.QUALITY).post(f"{at}/confirm/", {}, format="json").status_code == 403
    answer = client_of(Role.PLANNER).post(f"{at}/confirm/", {}, format="json")

    assert (answer.status_code, answer.data["state"], answer.data["held_because"]) == (
        200,
        "writing",
        "It would change 1,200.00 EUR (limit 100.00 EUR).",
    )
    assert SubcontractOrder.objects.count() == 4
    documents.run_to_end(run_id=run.pk, at=moment())
    assert SubcontractOrder.objects.count() == 5
