"""The planners' page of simulations: what is supposed, the row that waits for a worker, the answer with charts and tables."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Role, User
from documents import services as documents
from documents import tasks
from documents.models import SimulationRun, SimulationState
from masterdata.models import Site
from policies.models import Policy, PriceAgreement
from tests.documents import plans
from tests.documents.test_simulating import MILL, mill  # noqa: F401  the mill is a fixture

ADD = reverse("admin:documents_simulationrun_add")


@pytest.fixture(autouse=True)
def _today(mill):  # noqa: F811
    with time_machine.travel(plans.moment(), tick=False):
        yield


def person(client: Client, role: str, *, at: Site | None = None) -> User:
    user = User.objects.create_user(f"{role} {at or ''}".strip(), password="let me in")
    accounts.give_role(user=user, role=role, site_id=at.pk if at else None)
    client.force_login(user)
    return user


@pytest.fixture
def planner(client, monkeypatch) -> Client:
    monkeypatch.setattr(tasks.answer_simulation, "delay_on_commit", lambda pk: None)
    person(client, Role.PLANNER)
    return client


def asked(planner: Client, **fields) -> SimulationRun:
    answer = planner.post(ADD, fields)
    run = SimulationRun.objects.get()
    assert answer.headers["Location"] == reverse("admin:documents_simulationrun_change", args=[run.pk])
    return run


def page(client: Client, run: SimulationRun) -> str:
    return client.get(reverse("admin:documents_simulationrun_change", args=[run.pk])).content.decode()


def test_a_draft_policy_is_simulated_from_its_page_and_the_answer_is_kept(planner):
    policy = Policy.objects.get(code="OVER")
    start = planner.get(reverse("admin:policies_policy_simulate", args=[policy.pk]))
    assert start.headers["Location"] == f"{ADD}?policies=OVER"
    assert '<option value="OVER" selected>' in planner.get(start.headers["Location"]).content.decode()

    run = asked(planner, policies="OVER")
    assert (run.state, run.said, run.asked) == ("waiting", "With policy OVER.", {"policies": [{"code": "OVER"}]})
    assert "Waits for a worker" in page(planner, run)

    tasks.answer_simulation(run.pk)

    shown = page(planner, run)
    run.refresh_from_db()
    assert run.state == SimulationState.DONE
    assert run.answer["changed_total"] == 1
    assert "1 operation flips" in shown
    assert "P3, 10" in shown
    assert "it applies, it goes outside" in shown
    assert "Open OVER to activate it" in shown
    assert 'data-picture="load"' in shown
    assert f"{ADD}?policies=OVER" in shown
    assert Policy.objects.get(code="OVER").status == "draft"


def test_other_values_a_vendor_lost_a_machine_down_and_a_price_are_asked_as_the_api_takes_them(planner):
    run = asked(
        planner, change_1_policy="DOWN", change_1_column="vendors", change_1_value="V1, V2", vendors_lost="V2",
        down_1_work_center="MILL", down_1_start="2026-03-16", down_1_end="2026-03-20", price_1_vendor="V1",
        price_1_process="Milling", price_1_item="GEAR", price_1_unit_price="40",
    )  # fmt: skip

    tasks.answer_simulation(run.pk)

    run.refresh_from_db()
    assert run.asked == {
        "policies": [{"code": "DOWN", "vendors": ["V1", "V2"]}],
        "vendors_lost": ["V2"],
        "downtimes": [{"work_center": "MILL", "start": "2026-03-16", "end": "2026-03-20"}],
        "prices": [{"vendor": "V1", "process": "Milling", "item": "GEAR", "unit_price": "40", "lead_days": "3"}],
    }
    assert run.said == (
        "With policy DOWN; without vendor V2; MILL down from 2026-03-16 to 2026-03-20; V1 at 40 for Milling GEAR."
    )
    assert run.answer["after"]["outsource"] == 4
    assert run.answer["value_by_vendor"] == [{"vendor": "V1", "before": "0.00", "after": "2240.00"}]
    again = planner.get(page(planner, run).split('href="' + ADD)[1].split('"')[0].replace("&amp;", "&").join([ADD, ""]))
    assert 'value="V1, V2"' in again.content.decode()
    assert 'value="2026-03-16"' in again.content.decode()


def test_another_price_leaves_charges_and_lead_days_of_the_one_that_stands(planner):
    standing = PriceAgreement.objects.get(vendor__code="V1", process__code="Milling", item__code="GEAR")
    PriceAgreement.objects.filter(pk=standing.pk).update(
        lead_days=4, lot_charge=12, minimum_charge=90, minimum_charge_basis="order", freight=Decimal("7.5")
    )
    PriceAgreement.objects.create(
        vendor=standing.vendor, process=standing.process, item=standing.item, minimum_quantity=500
    )

    run = asked(
        planner, price_1_vendor="V1", price_1_process="Milling", price_1_item="GEAR", price_1_unit_price="40",
        price_2_vendor="V1", price_2_process="Milling", price_2_item="GEAR", price_2_unit_price="41", price_2_lead_days="9",
        price_3_vendor="V1", price_3_process="Milling", price_3_unit_price="42",
    )  # fmt: skip

    terms = {
        "lot_charge": "12.00000", "minimum_charge": "90.00000", "minimum_charge_basis": "order", "freight": "7.50000",
    }  # fmt: skip
    what = {"vendor": "V1", "process": "Milling", "item": "GEAR"}
    assert run.asked["prices"] == [
        {**what, **terms, "unit_price": "40", "lead_days": "4"},
        {**what, **terms, "unit_price": "41", "lead_days": "9"},
        {"vendor": "V1", "process": "Milling", "unit_price": "42"},
    ]


def test_another_price_is_for_as_much_as_the_one_that_stands(planner):
    PriceAgreement.objects.filter(vendor__code="V1").update(price_unit="100 pcs", price_factor=100)

    run = asked(planner, price_1_vendor="V1", price_1_process="Milling", price_1_item="GEAR", price_1_unit_price="40")

    (price,) = run.asked["prices"]
    assert (price["price_unit"], price["price_factor"]) == ("100 pcs", "100.00000000")


def test_another_price_of_the_command_leaves_them_too(capsys):
    PriceAgreement.objects.filter(vendor__code="V1").update(lot_charge=12, lead_days=4)

    call_command("simulate", "OVER", "--price", "V1:Milling:GEAR:40", "--json")

    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    (flip,) = found["changed"]
    assert (flip["production_order"], found["after"]["value"]) == ("P3", "652.00")  # 16 × 40 + 12
    assert "order by 2026-03-17" not in flip["after"]["reasons"][-1]["detail"]
    assert "order by 2026-03-16" in flip["after"]["reasons"][-1]["detail"]  # four days before the 20th


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Suppose something"),
        ({"down_1_work_center": "MILL"}, "downtimes"),
        ({"price_1_vendor": "NOBODY", "price_1_process": "Milling", "price_1_unit_price": "4"}, "prices"),
        ({"change_1_policy": "DOWN", "change_1_column": "priority", "change_1_value": "many"}, "policies"),
    ],
)
def test_what_cannot_be_supposed_is_said_and_nothing_is_asked(planner, fields, sentence):
    answer = planner.post(ADD, fields)

    assert sentence in answer.content.decode()
    assert not SimulationRun.objects.exists()


def test_what_refuses_a_simulation_is_its_answer(planner):
    run = asked(planner, vendors_lost="NOBODY")

    tasks.answer_simulation(run.pk)

    run.refresh_from_db()
    assert (run.state, run.answer) == (SimulationState.REFUSED, None)
    assert "There is no vendor &#x27;NOBODY&#x27;." in page(planner, run)


def test_a_simulation_whose_worker_died_is_taken_up_again_and_a_living_one_is_not(planner):
    run = asked(planner, policies="OVER")
    SimulationRun.objects.update(state=SimulationState.RUNNING, heartbeat_at=plans.moment())

    assert documents.waiting_simulations(at=plans.moment() + timedelta(minutes=1)) == []
    tasks.answer_simulation(run.pk)
    run.refresh_from_db()
    assert run.state == SimulationState.RUNNING
    assert documents.waiting_simulations(at=plans.moment() + timedelta(hours=1)) == [run.pk]


def test_only_planners_ask_and_who_sees_one_site_sees_his_own_only(planner, client):
    run = asked(planner, policies="OVER")

    person(client, Role.BUYER)
    assert client.get(ADD).status_code == 403
    person(client, Role.PLANNER, at=Site.objects.get(code="MAIN"))
    assert client.get(reverse("admin:documents_simulationrun_change", args=[run.pk])).status_code == 404
