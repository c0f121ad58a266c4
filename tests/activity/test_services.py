"""Events are final; alerts open once, update, and close themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import InternalError, transaction

from accounts.models import Access, User
from activity import services
from activity.models import Alert, Event


def alert(subject: str, title: str = "short", kind: str = "shortage") -> Alert:
    return Alert(kind=kind, subject=subject, title=title)


def test_an_event_can_be_neither_changed_nor_deleted(at):
    services.record("order.sent", kind="subcontract_order", number="SC-1", at=at)

    for act in (lambda: Event.objects.update(name="x"), lambda: Event.objects.all().delete()):
        with pytest.raises(InternalError), transaction.atomic():
            act()


def test_many_events_are_written_as_they_are(at):
    services.record_many(
        [Event(name="a\tb", document_kind="k", document_number="1", at=at, data={"said": "line\nbreak \\"})]
    )

    event = Event.objects.get()
    assert (event.name, event.data, event.at, event.through) == ("a\tb", {"said": "line\nbreak \\"}, at, "system")


def test_an_alert_opens_once_and_is_updated_while_it_lasts(at):
    assert services.open_alerts([alert("MAIN/RM")], at=at) == 1
    assert services.open_alerts([alert("MAIN/RM", "shorter")], at=at + timedelta(hours=1)) == 0

    found = Alert.objects.get()
    assert (found.title, found.opened_at, found.updated_at) == ("shorter", at, at + timedelta(hours=1))


def test_keeping_alerts_closes_those_whose_cause_is_gone_and_opens_them_anew_when_it_returns(at):
    services.keep_alerts(kind="shortage", alerts=[alert("A"), alert("B")], at=at)
    services.open_alerts([alert("A", kind="late")], at=at)

    services.keep_alerts(kind="shortage", alerts=[alert("B")], at=at + timedelta(hours=1))

    assert sorted(Alert.objects.open().values_list("kind", "subject")) == [("late", "A"), ("shortage", "B")]
    assert services.keep_alerts(kind="shortage", alerts=[alert("A"), alert("B")], at=at) == 1
    assert Alert.objects.filter(kind="shortage", subject="A").count() == 2


def test_an_alert_is_taken_by_one_person(at):
    services.open_alerts([alert("A")], at=at)
    people = [User.objects.create(username=name) for name in ("ann", "bob")]
    for person in people:
        Access.objects.create(user=person, role="buyer")
    found = Alert.objects.get()

    services.take_alert(alert_id=found.pk, by=people[0], at=at)
    services.take_alert(alert_id=found.pk, by=people[0], at=at + timedelta(hours=1))
    with pytest.raises(services.Taken):
        services.take_alert(alert_id=found.pk, by=people[1], at=at)

    found.refresh_from_db()
    assert (found.taken_by, found.taken_at) == (people[0], at)
