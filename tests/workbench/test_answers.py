"""Vendors' answers on the pages: noted, shown with before and after, settled; what is overdue; alerts taken, put off, refused."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Role
from activity.models import Alert, Event, Message
from documents.models import Action, GenerationRun, RunItem, RunState
from masterdata.models import Vendor
from receipts.models import ExpectedReceipt
from subcontract_orders import services as orders
from subcontract_orders.models import CounterOffer, OrderStatus, SubcontractOrder
from tests.workbench import rows
from tests.workbench.rows import AT, TODAY


@pytest.fixture
def sent():
    made = rows.order(status=OrderStatus.SENT)
    line = made.lines.get()
    orders.lines.send([made], at=AT, by=None, through="page")
    assert line.quantity == 100
    made.refresh_from_db()
    return made


def page(client, made) -> str:
    return client.get(reverse("workbench:order", args=[made.number])).content.decode()


def post(client, name: str, *args: str, **fields: str) -> str:
    return client.post(reverse(f"workbench:{name}", args=args), fields, follow=True).content.decode()


def offer_split(client, made) -> str:
    return post(
        client, "note_answer", made.number, answer="counter", reason="Bath is full",
        **{"quantity-1-1": "40", "date-1-1": "2026-06-20", "quantity-1-2": "50", "date-1-2": "2026-07-01"},
    )  # fmt: skip


def test_an_offer_noted_by_the_buyer_stands_with_before_and_after(desk, sent):
    answer = offer_split(desk, sent)

    assert "The vendor's answer is noted." in answer or "answer is noted" in answer
    assert "Bath is full" in answer
    assert "<del>100</del>" in answer
    assert "<ins>90</ins>" in answer
    assert "40 pcs" in answer
    assert "50 pcs" in answer
    assert CounterOffer.objects.get().lines.count() == 2


def test_an_accepted_offer_is_what_is_expected_then(desk, sent):
    offer_split(desk, sent)

    post(desk, "accept_counter", sent.number)

    sent.refresh_from_db()
    assert sent.status == OrderStatus.ACKNOWLEDGED
    assert sent.lines.get().quantity == 90
    assert ExpectedReceipt.objects.get(order_line__order=sent).expected_on == date(2026, 6, 20)


def test_a_rejected_offer_leaves_the_order_as_it_was_sent(desk, sent):
    offer_split(desk, sent)

    assert "stands as it was sent" in post(desk, "reject_counter", sent.number)
    assert sent.lines.get().quantity == 100
    assert CounterOffer.objects.get().state == "rejected"


def test_a_yes_with_a_day_is_noted(desk, sent):
    post(desk, "note_answer", sent.number, answer="accept", **{"date-1-1": "2026-06-15"})

    sent.refresh_from_db()
    assert sent.status == OrderStatus.ACKNOWLEDGED
    assert sent.lines.get().promised_date == date(2026, 6, 15)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"answer": "refuse"}, "Say why"),
        ({"answer": "maybe"}, "Say what the vendor answered"),
        ({"answer": "counter", "quantity-1-1": "lots"}, "is not a quantity"),
        ({"answer": "accept", "date-1-1": "soon"}, "is not a day"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_with_a_sentence(desk, sent, fields, sentence):
    assert sentence in post(desk, "note_answer", sent.number, **fields)
    assert not CounterOffer.objects.exists()
    sent.refresh_from_db()
    assert sent.status == OrderStatus.SENT


def test_what_the_vendor_told_stands_on_the_order(desk, sent):
    orders.tell(
        order_id=sent.pk, what="shipped", lines=[orders.ToldLine(1, Decimal(40))], on=TODAY, note="LS 5", by=None, at=AT
    )

    assert "40 of line 1 on 1 Jun 2026: LS 5" in page(desk, sent)


@pytest.mark.parametrize("name", ["accept_counter", "reject_counter", "note_answer", "withdraw_revision"])
def test_who_may_only_read_answers_for_nobody(client, sent, name):
    client.force_login(rows.user("aud", Role.AUDITOR))

    assert client.post(reverse(f"workbench:{name}", args=[sent.number])).status_code == 403
    assert "/v/" not in page(client, sent)


def test_another_site_is_not_reached(client, sent):
    client.force_login(rows.user("sam", Role.BUYER, at=rows.site("SOUTH", "South")))

    assert client.post(reverse("workbench:note_answer", args=[sent.number])).status_code == 404


# ── Expediting ──────────────────────────────────────────────────────────


def test_what_is_owed_stands_with_the_latest_first_and_who_was_reminded(desk, sent):
    Vendor.objects.update(email="v1@vendor.example")
    ExpectedReceipt.objects.update(expected_on=TODAY - timedelta(3))
    far = rows.order(status=OrderStatus.SENT, due=TODAY + timedelta(60))

    answer = desk.get(reverse("workbench:expediting")).content.decode()
    assert sent.number in answer
    assert far.number not in answer
    assert "3 d late" in answer
    assert "Never answered" in answer

    said = post(desk, "remind", order=sent.number)
    assert "A reminder is on its way." in said
    mail = Message.objects.get(kind="reminder")
    assert (mail.to, mail.document_number, mail.revision) == ("v1@vendor.example", sent.number, 1)
    assert Event.objects.filter(name="order.reminded").count() == 1
    assert "reminded 1 Jun" in desk.get(reverse("workbench:expediting")).content.decode()

    assert "reminded of today already" in post(desk, "remind", order=sent.number)
    assert Message.objects.filter(kind="reminder").count() == 1


def test_what_is_needed_before_it_is_promised_is_expedited(desk, sent):
    sent.lines.update(need_date=TODAY + timedelta(2))
    ExpectedReceipt.objects.update(expected_on=TODAY + timedelta(30))

    answer = desk.get(reverse("workbench:expediting")).content.decode()

    assert sent.number in answer
    assert "in 2 d" in answer  # until it is needed
    assert "in 30 d" in answer  # until it is expected

    sent.lines.update(need_date=TODAY - timedelta(1))
    assert sent.number in desk.get(reverse("workbench:expediting"), {"late": "on"}).content.decode()


def test_who_never_answered_is_called_however_long_there_is_time(desk, sent):
    far = rows.order(status=OrderStatus.SENT, due=TODAY + timedelta(60))
    SubcontractOrder.objects.filter(pk=far.pk).update(sent_at=AT - timedelta(2))

    assert far.number in desk.get(reverse("workbench:expediting")).content.decode()
    assert far.number not in desk.get(reverse("workbench:expediting"), {"due": "14"}).content.decode()
    SubcontractOrder.objects.filter(pk=far.pk).update(status=OrderStatus.ACKNOWLEDGED)
    assert far.number not in desk.get(reverse("workbench:expediting")).content.decode()


def test_a_vendor_without_an_address_is_named(desk, sent):
    assert "has no mail address" in post(desk, "remind", order=sent.number)
    assert not Message.objects.exists()


def test_the_expediting_list_costs_the_same_for_any_number_of_rows(desk, django_assert_max_num_queries):
    for _ in range(12):
        rows.order(status=OrderStatus.SENT, due=TODAY + timedelta(2))

    with django_assert_max_num_queries(13):
        desk.get(reverse("workbench:expediting"))


# ── Alerts ──────────────────────────────────────────────────────────────


def alert(subject: str = "SC-1/1", **fields) -> Alert:
    values = {"kind": "requirement_changed", "title": f"About {subject}", "proposes": "change", **fields}
    return Alert.objects.create(subject=subject, opened_at=AT, updated_at=AT, **values)


def test_a_refused_alert_leaves_the_list_and_stands_among_the_refused(desk):
    found = alert()

    post(desk, "refuse_alert", found.reference, reason="They know")

    assert found.title not in desk.get(reverse("workbench:alert_list")).content.decode()
    assert "refused: They know" in desk.get(reverse("workbench:alert_list"), {"tab": "refused"}).content.decode()


def test_an_alert_is_taken_and_put_off(desk, mara):
    found = alert()

    post(desk, "take_alert", found.reference)
    assert found.title in desk.get(reverse("workbench:alert_list"), {"tab": "mine"}).content.decode()

    post(desk, "snooze_alert", found.reference, days="3")
    found.refresh_from_db()
    assert (found.taken_by, found.snoozed_until) == (mara, AT + timedelta(3))
    assert found.title not in desk.get(reverse("workbench:alert_list")).content.decode()
    assert found.title in desk.get(reverse("workbench:alert_list"), {"tab": "later"}).content.decode()
    assert desk.post(reverse("workbench:snooze_alert", args=[found.reference]), {"days": "999"}).status_code == 400


@pytest.mark.parametrize("name", ["refuse_alert", "take_alert", "snooze_alert"])
def test_who_may_not_act_on_alerts_does_not(client, name):
    found = alert()
    client.force_login(rows.user("aud", Role.AUDITOR))

    assert client.post(reverse(f"workbench:{name}", args=[found.reference]), {"days": "1"}).status_code == 403


def test_advice_says_what_it_saves_and_offers_the_one_click(desk):
    alert(
        kind="batch_opportunity", proposes="join", before={"top_up": "75.00"},
        after={"orders": ["SC-1", "SC-2"], "wait_days": 3, "saves": "55.00", "top_up": "20.00"},
    )  # fmt: skip

    answer = desk.get(reverse("workbench:alert_list")).content.decode()

    assert "Order together" in answer
    assert "55" in answer
    assert "<del>75</del>" in answer


# ── Held runs ───────────────────────────────────────────────────────────


@pytest.fixture
def held() -> GenerationRun:
    run = rows.run(state=RunState.HELD, held_because="It would change 1 lines or 50 % of the open ones (limit 10 %).")
    step = rows.operation()
    decision = rows.decision(step)
    RunItem.objects.create(
        run=run,
        action=Action.CREATE,
        operation=step,
        award=rows.award(decision, rows.vendor()),
        order_number="SC-09999",
    )
    made = rows.order()
    line = made.lines.get()
    RunItem.objects.create(run=run, action=Action.CANCEL, operation=line.operation, line=line, order_number=made.number)
    return run


def test_a_held_run_shows_what_it_would_do(client, held):
    client.force_login(rows.user("pia", Role.PLANNER))

    answer = client.get(reverse("workbench:run", args=[held.number])).content.decode()

    assert "limit 10 %" in answer
    assert "1 lines made, 0 changed, 1 withdrawn" in answer
    assert "740.00" in answer
    assert "Let it go on" in answer


@pytest.mark.parametrize(("name", "state"), [("confirm_run", RunState.WRITING), ("drop_run", RunState.DROPPED)])
def test_a_held_run_goes_on_or_is_dropped_by_who_may(client, desk, held, name, state):
    client.force_login(rows.user("aud", Role.AUDITOR))
    assert client.post(reverse(f"workbench:{name}", args=[held.number])).status_code == 403

    client.force_login(rows.user("pia", Role.PLANNER))
    client.post(reverse(f"workbench:{name}", args=[held.number]))

    held.refresh_from_db()
    assert held.state == state
