"""`/healthz`: whether database, broker, worker and beat answer. 200 when all do, else 503."""

import logging
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from outsourcing.celery import app

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    states = {"database": _state(_database), "broker": _state(_broker)}
    if states["broker"] == "ok":
        states |= {"worker": _state(_worker), "beat": _state(_beat)}
    else:
        states |= {"worker": "unknown", "beat": "unknown"}
    healthy = set(states.values()) == {"ok"}
    return JsonResponse({"status": "ok" if healthy else "down", **states}, status=200 if healthy else 503)


def _state(answers: Callable[[], bool]) -> str:
    """A dead server may fail in any way its driver likes: each is `down` here, and said in the log."""
    try:
        return "ok" if answers() else "down"
    except Exception as problem:  # noqa: BLE001
        log.warning("%s: %s", answers.__name__.strip("_"), problem)
        return "down"


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        connection.close()  # the next request connects anew
        raise
    return True


def _broker() -> bool:
    with app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    return True


def _worker() -> bool:
    return _one_answers("(?!celerybeat@)")


def _beat() -> bool:
    return _one_answers("celerybeat@")


def _one_answers(nodes: str) -> bool:
    """Some Celery node whose name matches answers a ping. Workers do so while they are busy, too."""
    return bool(app.control.broadcast("ping", pattern=nodes, matcher="pcre", reply=True, limit=1, timeout=2))
