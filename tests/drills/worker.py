"""The project's Celery app with a beat that does one thing, often: whatever run is unfinished is taken up by somebody."""

from outsourcing.celery import app

app.conf.beat_schedule = {"unfinished runs": {"task": "documents.tasks.continue_runs", "schedule": 1.0}}
