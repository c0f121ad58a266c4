"""Wherever vendors are compared stands how they did: also of those who did not get it, and on the planning pages."""

from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Role, User
from documents import tasks
from documents.models import SimulationRun
from policies.models import Policy
from reports import services as reports
from tests.documents import plans
from tests.documents.plans import moment
from tests.receipts import goods as back
from tests.workbench import goods, rows


@pytest.fixture
def planner(client: Client) -> Client:
    user = User.objects.create_user("pia", password="let me in")
    accounts.give_role(user=user, role=Role.ADMINISTRATOR)
    client.force_login(user)
    return client


def measured() -> None:
    reports.keep_up(at=timezone.now())


def test_a_decision_shows_the_scores_of_those_who_lost_as_well(desk: Client):
    goods.receipt_of(goods.shipped_order(), accepted=36, rejected=Decimal(4))
    chosen = rows.vendor("V9", "Zweite Wahl")
    loser = rows.vendor()
    decided = rows.decision(
        rows.operation(number="WO-9"),
        reasons=[{"code": "no_capacity", "vendor": loser.code, "detail": "Vendor V1: the week is full."}],
    )
    rows.award(decided, chosen)
    measured()

    page = desk.get(reverse("workbench:decision", args=["WO-9", "40"]))

    assert [vendor for vendor, _ in page.context["scored"]] == [loser]
    assert "100,000 ppm" in page.content.decode()


def test_prices_and_policies_show_how_their_vendors_did(planner: Client):
    back.receive(back.counted(back.at_vendor(), 8, rejected=2))
    measured()

    prices = planner.get(reverse("admin:policies_priceagreement_changelist")).content.decode()
    policy = planner.get(reverse("admin:policies_policy_change", args=[Policy.objects.get(code="PLATE").pk]))

    for page in (prices, policy.content.decode()):
        assert "How these vendors did" in page
        assert "200,000" in page


@time_machine.travel(moment(back.LATER), tick=False)
def test_a_simulation_shows_how_the_vendors_it_moves_money_between_did(planner: Client, monkeypatch):
    monkeypatch.setattr(tasks.answer_simulation, "delay_on_commit", lambda pk: None)
    back.receive(back.counted(back.at_vendor(), 8, rejected=2))
    plans.plan("P2", "FG", 4, "2026-04-30")
    planner.post(reverse("admin:documents_simulationrun_add"), {"vendors_lost": "V1"})
    run = SimulationRun.objects.get()
    tasks.answer_simulation(run.pk)
    measured()

    page = planner.get(reverse("admin:documents_simulationrun_change", args=[run.pk])).content.decode()

    assert "How these vendors did" in page
    assert "200,000" in page
