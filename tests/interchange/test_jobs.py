"""Large imports as jobs: kept, read by a worker, told of, stopped, previewed and confirmed."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from interchange import services
from interchange.models import ImportJob, ImportPart, JobState, PlanImport
from interchange.services import reading
from masterdata.models import Item
from tests.interchange.plans import AT, SHAFT
from tests.interchange.test_api import ADDRESS, signed_in
from tests.interchange.test_files import ITEMS, packed

JOBS = "/api/v1/import-jobs/"


@pytest.fixture
def planner(django_user_model):
    return signed_in(django_user_model, "planner")


def queued(content: bytes = ITEMS, name: str = "items.csv", **options: Any) -> ImportJob:
    is_dry = options.pop("is_dry", False)
    return services.start_job(
        files=[(name, io.BytesIO(content))], options=options, at=AT, by=None, is_dry=is_dry, origin=name
    )


def test_a_job_is_answered_at_once_done_by_a_worker_and_followed(planner):
    files = {"file": SimpleUploadedFile("plan.zip", packed(items=ITEMS).getvalue())}
    answer = planner.post(f"{ADDRESS}?as_job=true", files, format="multipart")

    assert (answer.status_code, answer.data["state"]) == (202, "waiting")
    assert not Item.objects.exists()
    services.run_job(job_id=ImportJob.objects.get().pk, at=AT)
    followed = planner.get(answer["Location"]).json()
    assert (followed["state"], followed["progress"]["percent"]) == ("done", 100)
    assert followed["report"]["counts"]["items"]["created"] == 2
    assert followed["result"] == PlanImport.objects.get().reference
    assert Item.objects.count() == 2
    assert not ImportPart.objects.exists()


def test_files_above_a_size_are_a_job_unless_told_otherwise(planner, monkeypatch):
    monkeypatch.setattr("interchange.api.LARGE", 10)
    files = [SimpleUploadedFile("items.csv", ITEMS)]

    assert planner.post(ADDRESS, {"file": files}, format="multipart").status_code == 202
    files = [SimpleUploadedFile("items.csv", ITEMS)]
    assert planner.post(f"{ADDRESS}?as_job=false", {"file": files}, format="multipart").status_code == 201


def test_tables_as_json_are_a_job_where_it_is_asked_for(planner):
    planner.post(f"{ADDRESS}?as_job=true", SHAFT, format="json")

    job = services.run_job(job_id=ImportJob.objects.get().pk, at=AT)

    assert (job.state, job.report["counts"]["production_orders"]["created"]) == (JobState.DONE, 1)


def test_a_bad_row_refuses_the_job_by_name_and_writes_nothing():
    job = services.run_job(job_id=queued(b"code,standard_cost\nA,1\nB,dear\n").pk, at=AT)

    assert job.state == JobState.REFUSED
    assert [(row["file"], row["row"], row["column"], row["value"]) for row in job.errors] == [
        ("items.csv", 3, "standard_cost", "dear")
    ]
    assert not Item.objects.exists()


def test_one_wrong_byte_in_many_rows_is_named_and_nothing_is_applied():
    rows = b"code,name\n" + b"".join(b"I%d,part\n" % number for number in range(3000)) + b"BAD,\xff\n"

    job = services.run_job(job_id=queued(rows).pk, at=AT)

    assert [(row["row"], row["code"]) for row in job.errors] == [(3002, "invalid_encoding")]
    assert not Item.objects.exists()


def test_a_job_that_died_on_the_way_is_done_by_the_next_who_looks():
    job = queued()
    ImportJob.objects.filter(pk=job.pk).update(state=JobState.READING)

    assert services.unfinished_jobs() == [job.pk]
    assert services.run_job(job_id=job.pk, at=AT).state == JobState.DONE
    assert services.run_job(job_id=job.pk, at=AT).state == JobState.DONE
    assert PlanImport.objects.count() == 1


def test_a_waiting_job_is_cancelled_and_one_that_reads_stops_with_nothing_written(planner, monkeypatch):
    waiting = queued()
    assert planner.post(f"{JOBS}{waiting.reference}/cancel/").json()["state"] == "cancelled"
    assert planner.post(f"{JOBS}{waiting.reference}/cancel/").json()["code"] == "wrong_state"

    monkeypatch.setattr(reading, "CHUNK", 1)
    job = queued()
    ImportJob.objects.filter(pk=job.pk).update(state=JobState.READING, is_to_stop=True)
    assert services.run_job(job_id=job.pk, at=AT).state == JobState.CANCELLED
    assert not Item.objects.exists()
    assert not ImportPart.objects.exists()


def test_a_preview_says_what_would_be_and_does_it_once_confirmed(planner):
    job = services.run_job(job_id=queued(is_dry=True).pk, at=AT)

    assert job.report["counts"]["items"]["created"] == 2
    assert job.report["first"]["items"]["created"]
    assert not Item.objects.exists()
    assert planner.post(f"{JOBS}{job.reference}/confirm/").status_code == 202
    services.run_job(job_id=job.pk, at=AT)
    assert Item.objects.count() == 2
    assert planner.post(f"{JOBS}{job.reference}/confirm/").json()["code"] == "wrong_state"


def test_the_file_of_a_preview_nobody_confirms_is_forgotten_after_a_day(planner):
    job = services.run_job(job_id=queued(is_dry=True).pk, at=AT)

    assert services.forget_files(at=AT + timedelta(hours=23)) == 0
    assert services.forget_files(at=AT + timedelta(hours=25)) == 1
    assert planner.post(f"{JOBS}{job.reference}/confirm/").json()["code"] == "wrong_state"


def test_an_import_larger_than_is_read_is_refused_and_not_kept(monkeypatch):
    monkeypatch.setattr("interchange.services.jobs.LARGEST_UPLOAD", 10)

    with pytest.raises(services.FileRefused) as refusal:
        queued()

    assert refusal.value.code == "too_large"
    assert not ImportJob.objects.exists()


def test_jobs_need_the_right_to_import(django_user_model):
    job = queued(is_dry=True)
    dock = signed_in(django_user_model, "dock")

    assert dock.post(f"{JOBS}{job.reference}/cancel/").status_code == 403
    assert dock.post(f"{JOBS}{job.reference}/confirm/").status_code == 403
    assert ImportJob.objects.get().state == JobState.WAITING
