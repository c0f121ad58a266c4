from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Role
from documents.models import GenerationRun, RunState
from tests.workbench import rows

LIST = reverse("workbench:run_list")


def test_a_finished_run_shows_its_counts_and_what_it_refused(desk):
    run = rows.run(
        operations=1579, in_house=1341, outsource=201, review=14, blocked=23, created=201, items_total=201, items_done=201,
        blocked_by={"no_price": 14, "approval_expired": 9}, started_at=rows.AT, finished_at=rows.AT + timedelta(seconds=4),
    )  # fmt: skip

    answer = desk.get(reverse("workbench:run", args=[run.number]))

    assert (
        answer.context["sentence"]
        == "1,579 operations looked at, 201 go outside: 201 order lines made, 0 changed, 0 withdrawn."
    )
    assert [(row["title"], row["count"]) for row in answer.context["refused"]] == [
        ("No price", 14),
        ("The approval has run out", 9),
    ]
    assert answer.context["seconds"] == "4.0"
    assert "every 2s" not in answer.content.decode()


def test_a_running_run_asks_again_by_itself_and_shows_how_far_it_is(desk):
    run = rows.run(state=RunState.WRITING, items_total=200, items_done=50)

    answer = desk.get(reverse("workbench:run", args=[run.number]), headers={"HX-Request": "true"})

    page = answer.content.decode()
    assert page.lstrip().startswith('<div id="run" hx-get=')
    assert "every 2s" in page
    assert "50 of 200 differences written" in page
    assert 'aria-valuenow="50"' in page


def test_the_orders_a_run_made_stand_beside_it(desk):
    run = rows.run()
    made = rows.order(made_by_run=run.number)
    rows.order()

    assert [order.number for order in desk.get(reverse("workbench:run", args=[run.number])).context["orders"]] == [
        made.number
    ]


def test_a_run_that_is_not_there_is_not_found(desk):
    assert desk.get(reverse("workbench:run", args=["RUN-9"])).status_code == 404


def test_generate_now_starts_a_run_and_leads_to_it(desk, mara):
    answer = desk.post(reverse("workbench:generate"))

    run = GenerationRun.objects.get()
    assert run.requested_by == mara
    assert answer.url == reverse("workbench:run", args=[run.number])


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.QUALITY])
def test_who_may_not_start_runs_is_refused_and_sees_no_button(client, role):
    client.force_login(rows.user("rita", role))

    assert client.post(reverse("workbench:generate")).status_code == 403
    assert not GenerationRun.objects.exists()
    assert "Generate now" not in client.get(LIST).content.decode()


def test_the_run_list_costs_the_same_for_any_number_of_rows(desk, mara, django_assert_num_queries):
    for _ in range(12):
        rows.run(requested_by=mara)

    # session, user, access; count, rows; company, to order, alerts
    with django_assert_num_queries(9):
        desk.get(LIST)


def test_the_run_page_costs_the_same_for_any_number_of_orders(desk, django_assert_num_queries):
    run = rows.run()
    for _ in range(12):
        rows.order(made_by_run=run.number)

    # session, user, access; run, count, orders; company, to order, alerts
    with django_assert_num_queries(10):
        desk.get(reverse("workbench:run", args=[run.number]))
