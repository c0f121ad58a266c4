"""What day a run is of: the company's, wherever the server stands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from documents import tasks
from documents.models import GenerationRun
from documents.services import request_run
from tests.documents import plans

LATE = datetime(2026, 3, 2, 20, tzinfo=UTC)
EARLY = datetime(2026, 3, 3, 3, tzinfo=UTC)
WHERE = [("Asia/Tokyo", LATE, date(2026, 3, 3)), ("America/Denver", EARLY, date(2026, 3, 2))]


@pytest.fixture(params=WHERE, ids=["Tokyo", "Denver"])
def day(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> date:
    zone, now, today = request.param
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    plans.base(company=[{"name": "Ours", "currency": "EUR", "time_zone": zone}])
    return today


def on() -> date:
    return GenerationRun.objects.order_by("pk").last().on


def test_the_command_runs_on_the_companys_day(day: date):
    call_command("generate")

    assert on() == day


def test_a_wish_becomes_a_run_of_the_companys_day(day: date, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks.continue_run, "delay", lambda *_: None)
    request_run(reason="test", at=timezone.now())

    tasks.start_due_runs()

    assert on() == day


def test_the_api_runs_and_simulates_on_the_companys_day(day: date):
    client = APIClient()
    client.force_login(plans.boss())

    made: Any = client.post("/api/v1/generation-runs/", {}, format="json")
    supposed: Any = client.post(f"{reverse('api-policies-list')}PLATE/simulate/", {}, format="json")

    assert (made.status_code // 100, on()) == (2, day)
    assert supposed.json()["on"] == day.isoformat()
