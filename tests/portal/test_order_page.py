"""The vendor's page: one order, by a signed link, without an account."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import signing
from django.core.cache import cache
from django.db.models import F
from django.test import Client

from activity.models import Alert, Event
from core.refusals import WrongState
from documents import services as documents
from portal import views
from subcontract_orders import services as orders
from subcontract_orders.models import CounterOffer, OrderLine, OrderStatus, SubcontractOrder
from subcontract_orders.services import links
from tests.documents import plans
from tests.played import played

AT = plans.moment()


@pytest.fixture(autouse=True)
def _sent():
    """Nine pieces, sent to the vendor on Monday."""
    cache.clear()
    with time_machine.travel(AT, tick=False):
        _nine()
        yield


@played
def _nine() -> None:
    plans.base()
    plans.plan("P1", "FG", 9, "2026-03-31")
    plans.generate()
    plans.send(1)


def link(at: datetime = AT) -> str:
    return orders.vendor_link(order=plans.order(1), at=at).removeprefix("http://localhost:8000")


def post(client: Client, act: str, **fields: str) -> str:
    return client.post(f"{link()}{act}/", fields, follow=True).content.decode()


def test_the_link_opens_the_order_as_it_was_sent_without_an_account(client):
    answer = client.get(link())

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "SC-00001" in page
    assert "900.00 EUR" in page
    assert "Plating" in page
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert (answer["X-Robots-Tag"], answer["Referrer-Policy"]) == ("noindex, nofollow", "same-origin")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        signing.dumps({"o": "SC-00001", "r": 1, "u": "2026-12-31"}, salt="another"),
        signing.dumps({"o": "SC-99999", "r": 1, "u": "2026-12-31"}, salt=links.SALT),
        signing.dumps(["SC-00001"], salt=links.SALT),
        signing.dumps({"o": "SC-00001", "r": 1, "u": "soon"}, salt=links.SALT),
    ],
    ids=["no token", "signed for something else", "no such order", "of another shape", "without a day"],
)
def test_what_we_did_not_sign_opens_nothing(client, token):
    answer = client.get(f"/v/{token}/")

    assert answer.status_code == 404
    assert "FG" not in answer.content.decode()


def test_a_link_with_one_other_letter_opens_nothing(client):
    good = link()
    changed = good[:5] + ("A" if good[5] != "A" else "B") + good[6:]

    assert client.get(changed).status_code == 404


def test_a_link_holds_for_its_days_and_not_one_more(client, settings):
    settings.VENDOR_LINK_DAYS = 10
    address = link()

    with time_machine.travel(AT + timedelta(days=10), tick=False):
        assert client.get(address).status_code == 200
    with time_machine.travel(AT + timedelta(days=11), tick=False):
        assert client.get(address).status_code == 410
        assert client.post(f"{address}accept/").status_code == 410
    assert plans.order(1).status == OrderStatus.SENT


def test_a_later_version_takes_the_link_of_the_earlier_one_away(client):
    old = link()
    documents.revise_line(order_id=plans.order(1).pk, line_no=1, quantity=Decimal(8), by=plans.boss(), at=AT)

    answer = client.get(old)

    assert answer.status_code == 410
    assert "version 2" in answer.content.decode()
    assert client.get(link()).status_code == 200


def test_the_vendor_reads_where_to_send_the_goods_or_that_they_stay(client):
    assert "Ship back to: Main store" in client.get(link()).content.decode()
    line = plans.line(1)
    line.receive_at = line.ship_to
    line.save()

    page = client.get(link()).content.decode()

    assert "They stay at your place and go on from there" in page
    assert "Ship back to" not in page


def test_a_version_that_waits_leaves_the_link_open_and_shows_nothing_of_it(client):
    documents.revise_line(order_id=plans.order(1).pk, line_no=1, quantity=Decimal(17), by=plans.boss(), at=AT)

    page = client.get(link()).content.decode()

    assert "A new version is being prepared" in page
    assert "1,700" not in page
    assert "Accept the order" not in page


def test_an_order_never_sent_has_no_link():
    plans.plan("P2", "FG", 3, "2026-04-30")
    plans.generate()

    with pytest.raises(WrongState, match="never sent"):
        orders.vendor_link(order=plans.order(2), at=AT)


def test_accepting_with_a_day_confirms_the_order(client):
    page = post(client, "accept", **{"line1-promised_date": "2026-03-27"})

    order = plans.order(1)
    assert "Thank you: the order is confirmed." in page
    assert order.status == OrderStatus.ACKNOWLEDGED
    assert plans.line(1).promised_date == date(2026, 3, 27)
    event = Event.objects.filter(name="order.acknowledged").get()
    assert (event.by, event.through) == (None, "vendor")


def test_an_offer_in_parts_waits_for_the_buyer(client):
    fields = {
        "line1-quantity_1": "5", "line1-date_1": "2026-03-20", "line1-quantity_2": "4", "line1-date_2": "2026-04-02",
        "reason": "Bath is full",
    }  # fmt: skip
    page = post(client, "counter", **fields)

    offer = CounterOffer.objects.get()
    assert "Your offer is with the buyer" in page
    assert list(offer.lines.order_by("position").values_list("quantity", "promised_date")) == [
        (5, date(2026, 3, 20)), (4, date(2026, 4, 2)),
    ]  # fmt: skip
    assert (offer.reason, offer.made_by) == ("Bath is full", None)
    assert Alert.objects.open().get(kind="vendor_countered").order_number == "SC-00001"
    assert plans.order(1).status == OrderStatus.SENT


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"line1-quantity_1": "many"}, "quantity"),
        ({"line1-quantity_1": "4.5"}, "decimals"),
        ({"line1-quantity_1": "0"}, "above zero"),
        ({"line1-date_1": "yesterday"}, "date"),
        ({}, "what is offered"),
    ],
)
def test_an_offer_without_sense_is_refused_with_a_sentence_and_nothing_is_written(client, fields, sentence):
    page = post(client, "counter", **fields)

    assert 'role="alert"' in page
    assert sentence in page
    assert not CounterOffer.objects.exists()


def test_refusing_needs_a_reason_and_tells_the_buyer(client):
    assert "Say why" in post(client, "refuse")
    assert not CounterOffer.objects.exists()

    post(client, "refuse", reason="No capacity before May")

    assert CounterOffer.objects.get().is_refusal
    assert Alert.objects.open().get(kind="vendor_countered").proposes == "cancel"


def test_ready_and_shipped_are_noted_once(client):
    said = {"what": "shipped", "on": "2026-03-02", "note": "DN 4711", "line1-quantity": "4"}

    post(client, "tell", **said)
    page = post(client, "tell", **said)

    event = Event.objects.filter(name="order.shipped").get()
    assert event.data["lines"] == [{"line": 1, "quantity": "4"}]
    assert "4 of line 1 on 2 Mar 2026: DN 4711" in page


def test_once_all_is_back_nothing_more_is_asked(client):
    OrderLine.objects.update(accepted=F("quantity"))

    page = client.get(link()).content.decode()

    assert "All of it is back. Nothing more is expected of this order." in page
    assert "Ready, or on its way back" not in page
    assert "Offer another quantity or date" not in page
    assert "Accept the order" not in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"line1-quantity": "10"}, "still expects 9"),
        ({"on": "2026-03-03", "line1-quantity": "4"}, "still to come"),
        ({}, "how many pieces"),
        ({"what": "lost", "line1-quantity": "4"}, "what happened"),
    ],
)
def test_what_cannot_be_told_is_refused(client, fields, sentence):
    page = post(client, "tell", **{"what": "ready", "on": "2026-03-02", **fields})

    assert sentence in page
    assert not Event.objects.filter(name__in=["order.ready", "order.shipped"]).exists()


def test_a_cancelled_order_takes_no_answer(client):
    address = link()
    documents.cancel_set(order_id=plans.order(1).pk, reason="not needed", by=plans.boss(), at=AT)

    page = client.post(f"{address}accept/", follow=True).content.decode()

    assert "Nothing more is expected of this order." in page
    assert plans.order(1).status == OrderStatus.CANCELLED


def test_links_that_do_not_open_are_soon_not_looked_at(client, monkeypatch):
    monkeypatch.setattr(views, "WRONG", 3)

    answers = [client.get("/v/guess/").status_code for _ in range(4)]

    assert answers == [404, 404, 404, 429]
    assert client.get(link()).status_code == 429


def test_acts_of_one_link_are_limited(client, monkeypatch):
    monkeypatch.setattr(views, "ACTS", 2)

    answers = [client.post(f"{link()}tell/").status_code for _ in range(3)]

    assert answers == [302, 302, 429]


def test_a_form_of_another_site_is_refused():
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(f"{link()}accept/").status_code == 403
    assert SubcontractOrder.objects.get().status == OrderStatus.SENT
