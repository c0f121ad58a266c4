"""Alerts find their people; mail waits in an outbox until it is delivered."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import transaction

from accounts.models import Role
from activity import services
from activity.models import Alert, Message, Responsible
from activity.services import Concern, Taken
from core.refusals import InvalidInput
from tests.workbench import rows

DAY = date(2026, 3, 2)


def alert(subject: str = "SC-1", severity: str = "warning", **fields: object) -> Alert:
    said = {"title": f"{subject} is late", **fields}
    services.open_alerts([Alert(kind="late", subject=subject, severity=severity, **said)], at=rows.AT)
    return Alert.objects.get(subject=subject)


def person(name: str, role: str = Role.BUYER):
    user = rows.user(name, role)
    user.email = f"{name}@example.com"
    user.save()
    return user


def message(key: str = "a", to: str = "buyer@example.com") -> Message:
    services.queue_messages([Message(kind="alert", key=key, to=to, subject="Late", body="It is late.")], at=rows.AT)
    return Message.objects.get(key=key)


def test_an_alert_goes_to_the_orders_buyer_else_to_who_has_the_duty():
    buyer, other = person("buyer"), person("other")
    Responsible.objects.create(user=other)
    mine, theirs = alert("SC-1"), alert("SC-2")

    changed = services.assign_alerts(concerns={mine.pk: Concern(buyer_id=buyer.pk)}, on=DAY)

    assert changed == 2
    assert list(Alert.objects.order_by("subject").values_list("responsible__username", flat=True)) == ["buyer", "other"]
    assert services.assign_alerts(concerns={mine.pk: Concern(buyer_id=buyer.pk)}, on=DAY) == 0
    assert theirs.act_by == rows.AT + timedelta(hours=24)


def test_what_is_critical_is_mailed_once_and_the_rest_in_the_morning():
    Responsible.objects.create(user=person("buyer"))
    alert("SC-1", "critical")
    second, third = alert("SC-2", due_date=DAY), alert("SC-3")
    services.assign_alerts(concerns={}, on=DAY)

    assert (services.mail_critical_alerts(at=rows.AT), services.mail_critical_alerts(at=rows.AT)) == (1, 0)
    assert (services.write_digests(at=rows.AT, on=DAY), services.write_digests(at=rows.AT, on=DAY)) == (1, 0)
    services.send_due_messages(at=rows.AT)

    assert [(sent.to, sent.subject) for sent in mail.outbox] == [
        (["buyer@example.com"], "Now: SC-1 is late"),
        (["buyer@example.com"], "2 things to look at"),
    ]
    assert mail.outbox[1].body == (
        f"{second.reference}  SC-2 is late (due 2 Mar 2026)\n{third.reference}  SC-3 is late\n\n"
        "http://localhost:8000/alerts/?tab=mine"
    )
    assert services.write_digests(at=rows.AT, on=DAY + timedelta(days=1)) == 1


def test_mails_are_in_the_language_of_who_reads_them():
    reader = person("buyer")
    reader.language = "de"
    reader.save()
    Responsible.objects.create(user=reader)
    title = "SC-1 line 1 (P1 operation 10) should change: quantity 10 → 12"
    now = alert("SC-1", "critical", title=title, before={"quantity": "10"}, after={"quantity": "12"}, due_date=DAY)
    later = alert("SC-2", title=title)
    services.assign_alerts(concerns={}, on=DAY)

    services.mail_critical_alerts(at=rows.AT)
    services.write_digests(at=rows.AT, on=DAY)

    said = "SC-1 Position 1 (P1 Arbeitsgang 10) sollte sich ändern: Menge 10 → 12"
    assert list(Message.objects.order_by("pk").values_list("subject", "body")) == [
        (
            f"Jetzt: {said}",
            f"{said}\n\nMenge: 10 → 12\nfällig am 2. Mär 2026\n\n{now.reference}\nhttp://localhost:8000/alerts/",
        ),
        ("1 Sache wartet", f"{later.reference}  {said}\n\nhttp://localhost:8000/alerts/?tab=mine"),
    ]


def test_what_nobody_takes_in_time_goes_one_step_up_once():
    boss = person("boss", Role.ADMINISTRATOR)
    Responsible.objects.create(user=person("buyer"), escalates_to=boss)
    late = alert("SC-1", "critical")
    services.assign_alerts(concerns={}, on=DAY)
    after = late.act_by

    assert services.escalate_alerts(concerns={}, on=DAY, at=after - timedelta(seconds=1)) == 0
    assert (
        services.escalate_alerts(concerns={}, on=DAY, at=after),
        services.escalate_alerts(concerns={}, on=DAY, at=after),
    ) == (1, 0)
    assert Message.objects.get().to == "boss@example.com"


def leaves(user) -> None:
    user.is_active = False
    user.save()


def test_nobody_who_may_not_sign_in_any_more_is_asked_or_told():
    buyer, deputy, other = person("buyer"), person("deputy"), person("other")
    Responsible.objects.create(user=other, deputy=deputy, escalates_to=buyer)
    mine, taken = alert("SC-1", "critical"), alert("SC-2")
    services.take_alert(alert_id=taken.pk, by=buyer, at=rows.AT)
    leaves(buyer)

    services.assign_alerts(concerns={mine.pk: Concern(buyer_id=buyer.pk)}, on=DAY)

    assert set(Alert.objects.values_list("responsible__username", "taken_by")) == {("other", None)}
    leaves(other)
    services.assign_alerts(concerns={}, on=DAY)
    assert set(Alert.objects.values_list("responsible__username", flat=True)) == {"deputy"}
    services.mail_critical_alerts(at=rows.AT)
    services.escalate_alerts(concerns={}, at=rows.AT + timedelta(days=2), on=DAY)
    assert list(Message.objects.values_list("kind", "to")) == [("alert", "deputy@example.com")]
    leaves(deputy)
    services.assign_alerts(concerns={}, on=DAY)
    assert set(Alert.objects.values_list("responsible", flat=True)) == {None}


def test_who_is_above_is_asked_where_nobody_else_may_sign_in():
    gone, boss = person("gone"), person("boss")
    Responsible.objects.create(user=gone, escalates_to=boss)
    leaves(gone)
    alert()

    services.assign_alerts(concerns={}, on=DAY)

    assert Alert.objects.get().responsible == boss


def test_an_alert_is_put_off_for_ninety_days_at_most():
    buyer, late = person("buyer"), alert()

    with pytest.raises(InvalidInput, match="until 2026-08-30 08:00 at"):
        services.snooze_alert(alert_id=late.pk, until=rows.AT + timedelta(days=90, minutes=1), by=buyer, at=rows.AT)

    late.refresh_from_db()
    assert (late.taken_by, late.snoozed_until) == (None, None)
    services.snooze_alert(alert_id=late.pk, until=rows.AT + timedelta(days=90), by=buyer, at=rows.AT)


def test_a_taken_or_snoozed_alert_goes_no_step_up():
    buyer = person("buyer")
    taken, snoozed = alert("SC-1"), alert("SC-2")
    services.take_alert(alert_id=taken.pk, by=buyer, at=rows.AT)
    later = rows.AT + timedelta(days=9)

    found = services.snooze_alert(alert_id=snoozed.pk, until=later, by=buyer, at=rows.AT)

    assert (found.taken_by, found.snoozed_until) == (buyer, later)
    assert services.escalate_alerts(concerns={}, on=DAY, at=rows.AT + timedelta(days=5)) == 0
    with pytest.raises(InvalidInput):
        services.snooze_alert(alert_id=snoozed.pk, until=rows.AT, by=buyer, at=rows.AT)
    with pytest.raises(Taken):
        services.snooze_alert(alert_id=snoozed.pk, until=later, by=person("other"), at=rows.AT)


def test_a_deputys_alert_goes_up_to_whom_the_row_names_he_stands_in_by_and_there_to_who_is_present():
    away = {"away_from": DAY, "away_to": DAY}
    ann, ben, cleo, boss, chief = (person(name) for name in ("ann", "ben", "cleo", "boss", "chief"))
    plating, vendor = rows.process("plating"), rows.vendor()
    Responsible.objects.create(user=ann, vendor=vendor, process=plating, deputy=ben, escalates_to=boss, **away)
    Responsible.objects.create(user=ben, deputy=cleo, escalates_to=ann, **away)
    Responsible.objects.create(user=boss, vendor=rows.vendor("elsewhere"), deputy=chief, **away)
    late = alert("SC-1", "critical", vendor=vendor)
    concerns = {late.pk: Concern(process_id=plating.pk)}
    services.assign_alerts(concerns=concerns, on=DAY)
    late.refresh_from_db()

    services.escalate_alerts(concerns=concerns, at=late.act_by, on=DAY)

    assert late.responsible == cleo
    assert [message.to for message in Message.objects.all()] == ["chief@example.com"]


def test_who_is_responsible_now_is_told_of_what_is_critical_too():
    Responsible.objects.create(user=person("ann"), deputy=person("ben"), away_from=DAY, away_to=DAY)
    alert("SC-1", "critical")
    for day in (DAY - timedelta(days=1), DAY, DAY):
        services.assign_alerts(concerns={}, on=day)
        services.mail_critical_alerts(at=rows.AT)

    assert [message.to for message in Message.objects.order_by("pk")] == ["ann@example.com", "ben@example.com"]


def test_a_snoozed_alert_is_shown_again_when_it_proposes_something_else():
    asked = {"proposes": "change", "after": {"quantity": "17"}}
    found = alert("SC-1", **asked)
    later = rows.AT + timedelta(days=9)
    services.snooze_alert(alert_id=found.pk, until=later, by=person("buyer"), at=rows.AT)

    assert alert("SC-1", due_date=DAY, **asked).snoozed_until == later
    assert alert("SC-1", **{**asked, "after": {"quantity": "9"}}).snoozed_until is None


def test_what_becomes_critical_is_shown_again_and_goes_up_again_within_its_own_hours():
    Responsible.objects.create(user=person("buyer"), escalates_to=person("boss"))
    found = alert("SC-1")
    services.assign_alerts(concerns={}, on=DAY)
    services.escalate_alerts(concerns={}, at=found.act_by, on=DAY)
    Alert.objects.update(snoozed_until=rows.AT + timedelta(days=9))

    graver = alert("SC-1", "critical", after={"overdue_days": 7})

    assert (graver.snoozed_until, graver.escalated_at, graver.act_by) == (None, None, rows.AT + timedelta(hours=4))
    services.escalate_alerts(concerns={}, at=graver.act_by, on=DAY)
    assert [message.to for message in Message.objects.all()] == ["boss@example.com", "boss@example.com"]


def test_a_message_that_fails_is_tried_again_later_and_starves_nobody(monkeypatch):
    bad, good = message("bad", to="nobody@example.com"), message("good")

    def deliver(one: Message, written: services.Mail) -> None:
        if one.to.startswith("nobody"):
            raise ConnectionRefusedError("no mail server")
        mail.outbox.append(one)

    monkeypatch.setattr("activity.services.messages._deliver", deliver)

    assert services.send_due_messages(at=rows.AT) == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.attempts, bad.next_attempt_at, bad.delivered_at) == (1, rows.AT + timedelta(minutes=2), None)
    assert bad.error == "ConnectionRefusedError: no mail server"
    assert (good.attempts, good.next_attempt_at, good.delivered_at) == (1, None, rows.AT)
    assert services.send_due_messages(at=rows.AT) == 0
    for days in range(1, 10):
        services.send_due_messages(at=rows.AT + timedelta(days=days))
    bad.refresh_from_db()
    assert (bad.attempts, bad.next_attempt_at) == (10, None)


def test_a_claimed_message_is_another_workers_until_that_one_must_have_died():
    message()

    (mine,) = Message.objects.claim_due(at=rows.AT, limit=9, hold=timedelta(minutes=5))

    assert mine.claimed_until == rows.AT + timedelta(minutes=5)
    assert Message.objects.claim_due(at=rows.AT, limit=9, hold=timedelta(minutes=5)) == []
    assert services.send_due_messages(at=rows.AT + timedelta(minutes=5)) == 1


def test_the_same_is_said_once():
    message("digest/buyer/2026-03-02")
    with transaction.atomic():
        message("digest/buyer/2026-03-02")

    assert Message.objects.count() == 1
