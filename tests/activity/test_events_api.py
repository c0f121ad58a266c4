"""The feed of events: each once, in the order of commits, whoever began first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import Role
from activity import services
from activity.models import Event, OldestRunning
from tests.activity.test_api import client_of
from tests.workbench import rows

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = "/api/v1/events/"


RUNNING_HERE = """(SELECT coalesce(min(backend_xid::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    FROM pg_stat_activity WHERE datname = current_database())"""


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in the databases of other tests holds the feed back as well; here only what runs in this one."""
    monkeypatch.setattr(OldestRunning, "template", RUNNING_HERE)


def record(number: str, **fields: Any) -> None:
    services.record("order.approved", kind="subcontract_order", number=number, at=rows.AT, **fields)


def told(client: APIClient, **asked: Any) -> tuple[list[str], str | None]:
    answer = client.get(EVENTS, asked)
    assert answer.status_code == 200, answer.content
    return [event["document_number"] for event in answer.json()["results"]], answer.json()["cursor"]


@pytest.fixture
def auditor() -> APIClient:
    return client_of(Role.AUDITOR)


@pytest.fixture
def slow_act() -> Iterator[Any]:
    """An act that has recorded SLOW and whose transaction stays open until it is let go."""
    recorded, go_on = Signal(), Signal()

    def act() -> None:
        try:
            with transaction.atomic():
                record("SLOW")
                recorded.set()
                go_on.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        done = pool.submit(act)
        assert recorded.wait(30)

        def let_go() -> None:
            go_on.set()
            done.result()

        try:
            yield let_go
        finally:
            go_on.set()


def test_an_event_says_what_happened_to_what_and_whose_it_is(auditor: APIClient):
    by = rows.user("mara")
    record("SC-00001", by=by, through="api", site_id=rows.site().pk, vendor_id=rows.vendor().pk, data={"revision": 2})

    (event,) = auditor.get(EVENTS).json()["results"]

    assert event == {
        "id": Event.objects.get().pk, "name": "order.approved", "document_kind": "subcontract_order",
        "document_number": "SC-00001", "at": event["at"], "by": "mara", "through": "api", "site": rows.site().code,
        "vendor": rows.vendor().code, "data": {"revision": 2},
    }  # fmt: skip


def test_who_follows_the_feed_is_told_each_event_once(auditor: APIClient):
    for number in ("A", "B", "C"):
        record(number)

    first, cursor = told(auditor, limit=2)
    second, cursor = told(auditor, limit=2, cursor=cursor)
    nothing, same = told(auditor, limit=2, cursor=cursor)
    record("D")
    third, _ = told(auditor, limit=2, cursor=same)

    assert (first, second, nothing, third) == (["A", "B"], ["C"], [], ["D"])
    assert same == cursor


def test_before_anything_happened_there_is_no_cursor_and_the_next_page_has_one_until_the_end(auditor: APIClient):
    assert told(auditor) == ([], None)
    record("A")
    record("B")

    page = auditor.get(EVENTS, {"limit": 1}).json()
    end = auditor.get(page["next"]).json()

    assert [event["document_number"] for event in end["results"]] == ["B"]
    assert end["next"] is None


def test_what_a_running_act_recorded_is_told_when_it_is_committed_and_nothing_after_it_before(auditor, slow_act):
    record("QUICK")

    early, cursor = told(auditor)
    slow_act()
    late, _ = told(auditor, **({"cursor": cursor} if cursor else {}))

    assert early == []
    assert late == ["SLOW", "QUICK"]


def test_whatever_runs_on_the_server_holds_the_feed_back(auditor, slow_act, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    record("QUICK")

    assert told(auditor)[0] == []


def test_an_act_that_fails_tells_nothing(auditor: APIClient):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("GONE")
        raise ZeroDivisionError

    assert told(auditor)[0] == []


def test_the_acts_of_one_transaction_are_told_in_their_order(auditor: APIClient):
    with transaction.atomic():
        for number in ("A", "B"):
            with transaction.atomic():  # a savepoint has no number of its own
                record(number)
        services.record_many(
            [Event(name="x", document_kind="run", document_number=number, at=rows.AT) for number in ("C", "D")]
        )

    assert told(auditor)[0] == ["A", "B", "C", "D"]


def test_one_sees_the_events_of_his_sites_and_may_narrow_them():
    home, other = rows.site(), rows.site("OTHER")
    record("HOME", site_id=home.pk)
    record("OTHER", site_id=other.pk)
    client = APIClient()
    client.force_authenticate(rows.user("petra", Role.PLANNER, at=home))

    assert told(client)[0] == ["HOME"]
    assert told(client, number="OTHER")[0] == []
    assert told(client, name="order.approved", kind="subcontract_order")[0] == ["HOME"]


def test_a_cursor_of_another_list_is_refused(auditor: APIClient):
    answer = auditor.get(EVENTS, {"cursor": "bm9uZQ"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_the_dock_does_not_follow_what_happens():
    assert client_of(Role.DOCK).get(EVENTS).status_code == 403
