"""The schedule of beat."""

import pytest
from django.conf import settings

from outsourcing.celery import app


@pytest.mark.no_database
def test_every_scheduled_task_is_one_that_workers_know():
    app.loader.import_default_modules()

    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} - set(app.tasks) == set()
