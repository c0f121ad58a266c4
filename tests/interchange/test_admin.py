"""Importing on the planning pages: look through first, confirm then."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts import services as accounts
from interchange import services
from interchange.models import ImportJob, JobState
from masterdata.models import Item
from production.models import ProductionOrder
from tests.interchange.plans import AT, SHAFT, load
from tests.interchange.test_files import CUT, ITEMS

NEW = "admin:interchange_importjob_new"


@pytest.fixture
def planner(django_user_model) -> Client:
    return signed_in(django_user_model, "planner")


def signed_in(users, role: str) -> Client:
    user = users.objects.create_user(role)
    accounts.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def look_through(client: Client, content: bytes, name: str = "items.csv", **fields: str):
    files = SimpleUploadedFile(name, content)
    return client.post(reverse(NEW), {"files": files, "mode": "upsert", **fields}, follow=True)


def test_a_file_is_looked_through_and_read_once_it_is_confirmed(planner):
    shown = look_through(planner, ITEMS)

    assert "This is what the import would do" in shown.content.decode()
    assert not Item.objects.exists()
    job = ImportJob.objects.get()
    done = planner.post(reverse("admin:interchange_importjob_confirm", args=[job.pk]), follow=True)
    assert "This is what the import did" in done.content.decode()
    assert Item.objects.count() == 2
    assert "Everything in it is so already" in look_through(planner, ITEMS).content.decode()


def test_a_file_that_may_be_cut_off_says_so_above_what_it_would_do(planner):
    shown = look_through(planner, ITEMS[:-1]).content.decode()

    assert 0 < shown.index(f'<p class="ow-warning">{escape(CUT)}</p>') < shown.index("<table")


def test_a_whole_plan_says_what_it_would_withdraw(planner):
    load({**SHAFT, "production_orders": [{**SHAFT["production_orders"][0], "number": f"P{n}"} for n in range(1, 11)]})
    plan = b"number,item,quantity,due\n" + b"".join(b"P%d,SHAFT,8,2026-03-18\n" % n for n in range(1, 10))

    shown = look_through(planner, plan, "production_orders.csv", mode="snapshot").content.decode()

    assert "withdrawn: P10" in shown
    assert ProductionOrder.objects.get(number="P10").status == "planned"


def test_a_preview_says_under_which_number_a_planned_order_goes_on(planner):
    load({**SHAFT, "production_orders": [{**SHAFT["production_orders"][0], "number": "P1"}]})
    plan = b"number,item,quantity,due,status,replaces\nM1,SHAFT,8,2026-03-18,firm,P1\n"

    shown = look_through(planner, plan, "production_orders.csv").content.decode()

    assert "goes on as: P1 → M1" in shown
    assert ProductionOrder.objects.get().number == "P1"


def test_bad_rows_stand_in_a_table_and_nothing_can_be_confirmed(planner):
    shown = look_through(planner, b"code,standard_cost\nA,dear\n").content.decode()

    assert "Nothing was written: 1 row is bad." in shown
    assert "“dear” is not a number." in shown
    assert ImportJob.objects.get().state == JobState.REFUSED
    assert reverse("admin:interchange_importjob_confirm", args=[ImportJob.objects.get().pk]) not in shown


def test_a_file_that_is_no_csv_is_refused_by_name(planner):
    assert "items.txt is not a CSV file." in look_through(planner, ITEMS, "items.txt").content.decode()


def test_one_that_is_read_shows_how_far_it_is_and_can_be_stopped(planner, django_user_model):
    job = services.start_job(
        files=[("items.csv", SimpleUploadedFile("items.csv", ITEMS))], options={}, at=AT, by=None, is_dry=True
    )
    look = reverse("admin:interchange_importjob_look", args=[job.pk])

    assert "A worker takes it up within seconds" in planner.get(look).content.decode()
    planner.post(reverse("admin:interchange_importjob_stop", args=[job.pk]))
    assert ImportJob.objects.get().state == JobState.CANCELLED


def test_only_who_may_import_does(django_user_model):
    auditor = signed_in(django_user_model, "auditor")
    job = services.start_job(
        files=[("items.csv", SimpleUploadedFile("items.csv", ITEMS))], options={}, at=AT, by=None, is_dry=True
    )

    assert auditor.get(reverse("admin:interchange_importjob_look", args=[job.pk])).status_code == 200
    assert auditor.get(reverse(NEW)).status_code == 403
    assert auditor.post(reverse("admin:interchange_importjob_confirm", args=[job.pk])).status_code == 403
    assert auditor.post(reverse("admin:interchange_importjob_stop", args=[job.pk])).status_code == 403
    assert ImportJob.objects.get().state == JobState.WAITING


def test_the_list_of_imports_costs_the_same_for_any_number(planner, django_assert_max_num_queries):
    for _ in range(5):
        services.start_job(
            files=[("items.csv", SimpleUploadedFile("items.csv", ITEMS))], options={}, at=AT, by=None, is_dry=True
        )

    with django_assert_max_num_queries(10):
        assert planner.get(reverse("admin:interchange_importjob_changelist")).status_code == 200
