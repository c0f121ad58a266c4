"""The Celery application: `celery -A outsourcing worker` and `celery -A outsourcing beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outsourcing.settings")

app = Celery("outsourcing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_enable_remote_control = True  # beat answers a ping as workers do, as long as it ticks
app.conf.beat_max_loop_interval = 10
app.autodiscover_tasks()
