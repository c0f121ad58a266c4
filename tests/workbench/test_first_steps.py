"""The guide of a first start: which step is next, who may do it, and that it goes once there is an order."""

from __future__ import annotations

import html
import re

from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from documents.models import GenerationRun, RunState
from interchange import services as interchange
from interchange.models import ImportJob
from masterdata.models import Item
from policies.models import Policy, PolicyStatus
from production.models import ProductionOrder
from subcontract_orders.models import OrderStatus
from tests.workbench import rows

HERE = reverse("workbench:worklist")
LOAD = reverse("load_demo_plan")


def states(client: Client) -> list[str]:
    return [step.state for step in client.get(HERE).context["guide"].steps]


def planner(client: Client) -> Client:
    client.force_login(rows.user("paula", Role.PLANNER, Role.BUYER))
    return client


def test_with_nothing_there_a_plan_comes_first_by_import_or_demo(client):
    page = planner(client).get(HERE).content.decode()

    assert states(client) == ["now", "later", "later", "later"]
    assert reverse("admin:interchange_importjob_new") in page
    assert LOAD in page


def test_the_next_step_is_shown_as_the_ones_before_are_done(client):
    rows.operation()

    assert states(planner(client)) == ["done", "now", "later", "later"]

    rows.vendor()
    rows.site()
    Policy.objects.create(code="ALL", verdict="outsource", status=PolicyStatus.ACTIVE)
    assert states(client) == ["done", "done", "now", "later"]
    rows.run(operations=1)
    assert states(client) == ["done", "done", "done", "now"]


def test_who_may_not_load_a_plan_is_told_who_does(client):
    client.force_login(rows.user("bea", Role.AUDITOR))

    page = client.get(HERE).content.decode()

    assert "A planner does this." in page
    assert LOAD not in page
    assert client.post(LOAD).status_code == 403
    assert not ImportJob.objects.exists()


def test_the_guide_goes_once_there_is_an_order(desk):
    rows.order()

    assert "guide" not in desk.get(HERE).context


def test_when_all_orders_are_done_it_does_not_begin_anew(desk):
    rows.order(status=OrderStatus.CLOSED)

    assert "guide" not in desk.get(HERE).context


def test_a_search_that_finds_nothing_is_no_first_start(desk):
    assert "guide" not in desk.get(HERE, {"q": "nothing"}).context


def test_the_demo_is_read_as_an_import_whose_progress_shows(client):
    answer = planner(client).post(LOAD, follow=True)

    job = ImportJob.objects.get()
    assert (job.state, job.origin, job.is_dry) == ("waiting", "demo adventureworks", False)
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert "<progress" in answer.content.decode()
    assert User.objects.count() == 1

    interchange.run_job(job_id=job.pk, at=rows.AT)

    assert ProductionOrder.objects.count() > 500
    assert states(client) == ["done", "done", "now", "later"]


def polled(client: Client) -> str:
    """What the page gets when it looks again by itself."""
    page = client.get(HERE).content.decode()
    address = re.search(r'hx-get="([^"]*)" hx-trigger="every 2s"', page)
    assert address, "the page does not look again"
    return client.get(html.unescape(address[1]), headers={"HX-Request": "true"}).content.decode()


def test_while_a_plan_is_read_and_decided_the_page_follows_until_the_orders_are_there(client):
    planner(client).post(LOAD)

    assert "How far it is" in polled(client)

    interchange.run_job(job_id=ImportJob.objects.get().pk, at=rows.AT)
    rows.run(state=RunState.DECIDING)
    assert "Every operation is being decided" in polled(client)

    GenerationRun.objects.update(state=RunState.WRITING)
    said = polled(client)
    rows.order()
    after = client.get(f"{HERE}?whole=on", headers={"HX-Request": "true"}).content.decode()
    assert 'id="guide"' in said
    assert 'id="guide"' not in after
    assert 'id="main"' in after
    assert 'id="list"' in after


def test_the_demo_is_not_mixed_with_data_of_ones_own(client):
    rows.item()

    answer = planner(client).post(LOAD, follow=True)

    assert "There are data already" in answer.content.decode()
    assert not ImportJob.objects.exists()
    assert Item.objects.count() == 1
