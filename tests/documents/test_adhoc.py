"""A supervisor's word when work has begun, or documents stand already."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Role, User
from activity.models import Alert
from documents import services as documents
from documents.services import AlreadyOut
from masterdata.models import Vendor
from production import services as production
from production.models import Operation, OperationWord
from shipments import services as shipments
from shipments.models import Shipment
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_api import client_of
from tests.played import played

INSIDE = [{"item": "FG", "operation_no": 10, "name": "Plating", "work_center": "WC-IN", "outsourced": "maybe",
           "run_minutes_per_unit": 1}]  # fmt: skip


def operation() -> Operation:
    return Operation.objects.get(production_order__number="P1", operation_no="10")


def say(word: str, vendor: int | None = None) -> None:
    documents.speak_word(
        operation_id=operation().pk, word=word, vendor_id=vendor, reason="machine broke", by=plans.boss(), at=moment()
    )


def planner_at_his_desk() -> Client:
    user, client = User.objects.create_user("paula"), Client()
    accounts.give_role(user=user, role=Role.PLANNER)
    client.force_login(user)
    return client


@pytest.fixture
@played
def begun() -> None:
    plans.base(routings=INSIDE, policies=[{"code": "PLATE", "status": "retired"}])
    plans.plan("P1", "FG", 10, "2026-03-31", status="released")
    plans.generate()
    production.report_operation(
        operation_id=operation().pk, good=Decimal(4), scrap=Decimal(1), by=plans.boss(), at=moment()
    )


def test_what_is_finished_stays_and_the_rest_goes_out(begun):
    assert plans.lines() == []

    say("outsource", Vendor.objects.get(code="V1").pk)
    plans.generate()

    assert [row[:5] for row in plans.lines()] == [("SC-00001", "V1", "P1", "10", Decimal(6))]
    assert plans.line(1).components.get().required == 6


def test_it_comes_back_inside_while_nothing_has_left(begun):
    say("outsource", Vendor.objects.get(code="V1").pk)
    plans.generate()

    say("in_house")
    plans.generate()

    assert plans.lines() == []


@pytest.fixture
@played
def sent() -> None:
    plans.base(routings=[{**INSIDE[0]}])
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    plans.send(1)


def test_a_sent_order_nothing_left_for_is_taken_off_by_its_alert(sent):
    say("in_house")
    plans.generate()

    alert = Alert.objects.open().get()
    assert (alert.kind, alert.proposes) == ("requirement_cancelled", "cancel")
    documents.apply_alert(alert_id=alert.pk, by=plans.boss(), at=moment())
    assert plans.lines() == []


def test_what_has_left_does_not_come_back_inside_by_a_word(sent):
    shipments.ship(order_ids=[plans.order(1).pk], by=plans.boss(), at=moment())

    with pytest.raises(AlreadyOut) as refused:
        say("in_house")

    assert refused.value.code == "already_ordered"
    assert not OperationWord.objects.exists()
    answer = client_of(Role.PLANNER).post(
        "/api/v1/production-orders/P1/operations/10/insource/", {"reason": "it runs again"}, format="json"
    )
    assert (answer.status_code, answer.data["code"]) == (409, "already_ordered")
    page = planner_at_his_desk().post(
        f"{reverse('admin:policies_orderwithverdicts_speak')}?operations={operation().pk}",
        {"word": "in_house", "reason": "it runs again"},
    )
    assert "have left for V1" in page.content.decode()
    assert not OperationWord.objects.exists()
    shipments.reverse(shipment_id=Shipment.objects.get().pk, by=plans.boss(), at=moment())
    say("in_house")
    assert OperationWord.objects.get().word == "in_house"
