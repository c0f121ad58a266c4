"""Other systems are told of events: signed, again and again until they answer, and never into the own network."""

from __future__ import annotations

import html
import json
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import Role
from activity import services
from activity.models import Event, OldestRunning, WebhookDelivery, WebhookEndpoint
from activity.services.outbound import Unreachable, is_public, post
from activity.tasks import forget_deliveries, tell_webhooks
from core.refusals import InvalidInput
from tests.activity.test_api import client_of
from tests.workbench import rows

API = "/api/v1/webhook-endpoints/"
NOW = rows.AT


class Other(ThreadingHTTPServer):
    """Another system: what it was sent, and what it answers next."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hear)
        self.heard: list[tuple[dict[str, str], str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/outwork"


class _Hear(BaseHTTPRequestHandler):
    server: Other

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *said: Any) -> None:
        pass


@pytest.fixture
def other(settings) -> Iterator[Other]:
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
    server = Other()
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _all_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is one transaction that never ends: what it recorded counts as committed."""
    monkeypatch.setattr(OldestRunning, "template", "9223372036854775807")


def endpoint(other: Other, **said: Any) -> WebhookEndpoint:
    return services.add_endpoint(
        **{"code": "erp", "url": other.url, "by": rows.user("root", Role.ADMINISTRATOR), "at": NOW, **said}
    )


def record(number: str, name: str = "order.approved", **fields: Any) -> Event:
    return services.record(name, kind="subcontract_order", number=number, at=NOW, **fields)


def tell(at: datetime = NOW) -> None:
    with time_machine.travel(at, tick=False):
        tell_webhooks()


def heard(other: Other) -> list[str]:
    return [json.loads(body)["data"]["document_number"] for _, body in other.heard]


def test_what_happens_is_told_signed_once_and_in_its_order(other: Other):
    record("BEFORE")
    made = endpoint(other)
    first = record("SC-00001", data={"revision": 1})
    record("SC-00002")

    tell()
    tell()

    assert heard(other) == ["SC-00001", "SC-00002"]
    headers, body = other.heard[0]
    with time_machine.travel(NOW):
        assert Webhook(made.secret).verify(body, headers) == {
            "type": "order.approved", "timestamp": NOW.isoformat(), "data": {
                "id": first.pk, "name": "order.approved", "document_kind": "subcontract_order",
                "document_number": "SC-00001", "at": first.at.isoformat().replace("+00:00", "Z"), "by": None,
                "through": "system", "site": None, "vendor": None, "data": {"revision": 1},
            },
        }  # fmt: skip
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(body.replace("SC-00001", "SC-00009"), headers)
    assert headers["webhook-id"] == f"evt_{first.pk}"


def test_only_what_was_asked_for_and_its_owner_may_see_is_told(other: Other):
    home, away = rows.site(), rows.site("AWAY")
    owner = rows.user("petra", Role.PLANNER, at=home)
    endpoint(other, events=["order.*", "receipt.posted"], by=owner)
    record("HOME", site_id=home.pk)
    record("AWAY", site_id=away.pk)
    record("SHIPPED", name="shipment.dispatched", site_id=home.pk)
    record("RECEIVED", name="receipt.posted", site_id=home.pk)
    tell()
    owner.is_active = False
    owner.save()
    record("LATER", site_id=home.pk)
    tell()

    assert heard(other) == ["HOME", "RECEIVED"]


def test_what_is_not_taken_is_told_again_later_with_the_same_id(other: Other):
    endpoint(other)
    other.answers = [(500, {}), (302, {"Location": other.url}), (503, {"Retry-After": "900"})]
    record("SC-00001")

    tell()
    tell(NOW + timedelta(seconds=4))
    assert len(other.heard) == 1
    tell(NOW + timedelta(seconds=5))
    tell(NOW + timedelta(seconds=65))
    assert (len(other.heard), WebhookDelivery.objects.get().answer) == (3, 503)
    tell(NOW + timedelta(seconds=65 + 899))
    assert len(other.heard) == 3
    tell(NOW + timedelta(seconds=65 + 900))

    assert len({headers["webhook-id"] for headers, _ in other.heard}) == 1
    told = WebhookDelivery.objects.get()
    assert (told.attempts, told.answer, told.error, told.next_attempt_at) == (4, 200, "", None)


def test_after_days_in_vain_it_rests_until_it_is_replayed(other: Other):
    made = endpoint(other)
    other.answers = [(500, {})] * 11
    record("SC-00001")
    at = NOW
    for _ in range(11):
        tell(at)
        at = WebhookDelivery.objects.get().next_attempt_at or at
    tell(at + timedelta(days=30))
    assert (len(other.heard), WebhookDelivery.objects.get().next_attempt_at) == (11, None)
    assert timedelta(days=3) < at - NOW < timedelta(days=4)

    assert services.replay(endpoint_id=made.pk, failed=True, at=at) == 1
    tell(at)

    assert WebhookDelivery.objects.get().delivered_at == at


def test_who_is_gone_is_told_nothing_more_until_he_is_switched_on(other: Other):
    made = endpoint(other)
    other.answers = [(410, {})]
    record("SC-00001")
    tell()
    record("SC-00002")
    tell(NOW + timedelta(days=1))
    assert (heard(other), WebhookEndpoint.objects.get().is_active) == (["SC-00001"], False)

    services.change_endpoint(endpoint_id=made.pk, is_active=True, at=NOW + timedelta(days=1))
    tell(NOW + timedelta(days=1))

    assert heard(other) == ["SC-00001", "SC-00001", "SC-00002"]


def test_for_a_day_both_secrets_sign(other: Other):
    before = endpoint(other)
    after = services.rotate_secret(endpoint_id=before.pk, at=NOW)
    record("SC-00001")
    tell()
    record("SC-00002")
    tell(NOW + timedelta(days=1))

    headers, body = other.heard[0]
    with time_machine.travel(NOW):
        for secret in (before.secret, after.secret):
            assert Webhook(secret).verify(body, headers)
    headers, body = other.heard[1]
    with time_machine.travel(NOW + timedelta(days=1)):
        assert Webhook(after.secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(before.secret).verify(body, headers)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.5", "64:ff9b::a00:5", "2002:a00:5::1", "::",
    ],
)  # fmt: skip
def test_no_address_of_the_own_network_is_public(address):
    assert not is_public(address)


def test_addresses_of_the_internet_are_public():
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.no_database
def test_a_name_that_leads_into_the_own_network_is_not_followed(other: Other, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def lookup(host: str, port: int, **said: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)

    with pytest.raises(Unreachable, match="lies in a private network"):
        post(other.url.replace("127.0.0.1", "erp.example"), body=b"{}", headers={})
    assert (asked, other.heard) == (["erp.example"], [])


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example/", "ftp://erp.example/", "https://", "https://user:secret@erp.example/", "https://10.0.0.5/",
        "https://[::1]/", "https://localhost/", "https://db.internal/", "https://erp.example:port/", "nonsense",
        "https://erp.example/ x",
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_told_is_refused(url):
    with pytest.raises(InvalidInput) as refused:
        services.add_endpoint(code="erp", url=url, by=rows.user("root"), at=NOW)

    assert refused.value.field == "url"
    assert not WebhookEndpoint.objects.exists()


def test_an_administrator_keeps_endpoints_over_the_api(other: Other):
    api = client_of(Role.ADMINISTRATOR)

    made = api.post(API, {"code": "erp", "url": other.url, "events": ["order.*"]}, format="json")
    again = api.post(API, {"code": "erp", "url": other.url}, format="json")
    wrong = api.post(API, {"code": "b", "url": other.url, "events": ["Order Approved"]}, format="json")
    record("SC-00001")
    tell()
    shown = api.get(f"{API}erp/").json()
    (told,) = api.get(f"{API}erp/deliveries/").json()["results"]
    replayed = api.post(f"{API}erp/replay/", {"since": NOW.isoformat()}, format="json")
    both = api.post(f"{API}erp/replay/", {"since": NOW.isoformat(), "failed": True}, format="json")
    off = api.patch(f"{API}erp/", {"active": False}, format="json")
    turned = api.post(f"{API}erp/rotate-secret/", {}, format="json")

    assert (made.status_code, made.json()["secret"][:6]) == (201, "whsec_")
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "code")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "events.0")
    assert (shown["owner"], shown["waiting"], shown["failed"], "secret" in shown) == ("administrator", 0, 0, False)
    assert (told["name"], told["document_number"], told["answer"], told["attempts"]) == (
        "order.approved", "SC-00001", 200, 1,
    )  # fmt: skip
    assert (replayed.json(), both.status_code) == ({"deliveries": 1}, 422)
    assert (off.json()["active"], off.json()["waiting"]) == (False, 1)
    assert turned.json()["secret"] != made.json()["secret"]


@pytest.mark.parametrize("role", [Role.PLANNER, Role.BUYER, Role.AUDITOR, Role.DOCK])
def test_nobody_else_sees_or_keeps_them(role):
    api = client_of(role)

    assert api.get(API).status_code == 403
    assert api.post(API, {"code": "erp", "url": "https://erp.example/"}, format="json").status_code == 403


def test_writing_down_what_is_to_be_told_costs_the_same_for_any_number(other: Other, django_assert_num_queries):
    endpoint(other)
    for many in (1, 20):
        for number in range(many):
            record(f"SC-{many}-{number}")

        with django_assert_num_queries(9):
            assert services.queue_deliveries(at=NOW) == many


def planning_page_of(role: Role) -> Client:
    client = Client()
    user = rows.user("planner", role)
    user.is_staff = True
    user.save()
    client.force_login(user)
    return client


PLANNING = "/admin/activity/webhookendpoint/"


def test_an_administrator_adds_and_changes_an_endpoint_on_its_page_and_sees_its_secret_once(other: Other):
    client = planning_page_of(Role.ADMINISTRATOR)

    added = client.post(
        f"{PLANNING}add/", {"code": "erp", "url": other.url, "events": "order.*, receipt.posted"}, follow=True
    )
    made = WebhookEndpoint.objects.get()
    again = client.get(f"{PLANNING}{made.pk}/change/")
    client.post(f"{PLANNING}{made.pk}/change/", {"url": other.url, "events": "", "is_active": ""})

    assert (made.code, made.events, made.owner.username) == ("erp", ["order.*", "receipt.posted"], "planner")
    assert made.secret in html.unescape(added.content.decode())
    assert made.secret not in html.unescape(again.content.decode())
    made.refresh_from_db()
    assert (made.events, made.is_active) == ([], False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"url": "https://10.0.0.1/"}, "lies in a private network"),
        ({"events": "orders!"}, "is no event"),
        ({"code": ""}, "This field is required"),
    ],
)
def test_the_page_of_an_endpoint_says_what_is_wrong_with_it(typed, said):
    client = planning_page_of(Role.ADMINISTRATOR)

    page = client.post(f"{PLANNING}add/", {"code": "erp", "url": "https://erp.example/", "events": "", **typed})

    assert said in html.unescape(page.content.decode())
    assert not WebhookEndpoint.objects.exists()


def test_the_page_draws_a_new_secret_and_tells_again_what_failed(other: Other):
    made = endpoint(other)
    client = planning_page_of(Role.ADMINISTRATOR)
    record("SC-00001")
    services.queue_deliveries(at=NOW)
    WebhookDelivery.objects.update(next_attempt_at=None, error="in vain", attempts=11)

    listed = client.get("/admin/activity/webhookdelivery/?state=failed").content.decode()
    for act in ("rotate_secret", "tell_failed"):
        client.post(reverse(f"admin:activity_webhookendpoint_{act}", args=[made.pk]), {"_form_submitted": "True"})

    assert "in vain" in listed
    before = made.secret
    made.refresh_from_db()
    assert (made.secret != before, made.secret_before) == (True, before)
    told = WebhookDelivery.objects.get()
    assert (told.attempts, told.next_attempt_at is None) == (0, False)


def test_what_was_told_long_ago_is_forgotten_and_what_rests_is_kept(other: Other):
    endpoint(other)
    for number in ("TOLD", "FAILED", "NEW"):
        record(number)
    services.queue_deliveries(at=NOW)
    WebhookDelivery.objects.update(next_attempt_at=None, delivered_at=NOW)
    WebhookDelivery.objects.filter(event__document_number="FAILED").update(delivered_at=None)
    WebhookDelivery.objects.filter(event__document_number="NEW").update(delivered_at=NOW + timedelta(days=2))

    with time_machine.travel(NOW + timedelta(days=91), tick=False):
        assert forget_deliveries() == 1

    assert set(WebhookDelivery.objects.values_list("event__document_number", flat=True)) == {"FAILED", "NEW"}
