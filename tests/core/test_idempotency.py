import threading
from datetime import timedelta

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import User
from core import idempotency
from core.idempotency import StoredAnswer
from masterdata import api
from masterdata.models import Unit

UNITS = "/api/v1/units/"


@pytest.fixture
def planner() -> APIClient:
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def post(client: APIClient, body: object, key: str = "k1"):
    return client.post(UNITS, body, headers={"Idempotency-Key": key})


def test_the_same_request_twice_is_done_once_and_answered_alike(planner: APIClient):
    first = post(planner, {"code": "pcs"})
    second = post(planner, {"code": "pcs"})

    assert first.status_code == second.status_code == 201
    assert (first.content, first["ETag"]) == (second.content, second["ETag"])
    assert second["Content-Type"] == first["Content-Type"]
    assert (first.has_header("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (False, "true")
    assert Unit.objects.count() == 1


def test_without_a_key_the_second_request_is_an_attempt_of_its_own(planner: APIClient):
    planner.post(UNITS, {"code": "pcs"})

    assert planner.post(UNITS, {"code": "pcs"}).status_code == 409
    assert not StoredAnswer.objects.exists()


def test_the_key_of_another_request_is_refused(planner: APIClient):
    post(planner, {"code": "pcs"})

    answer = post(planner, {"code": "kg"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert Unit.objects.count() == 1


def test_two_users_may_use_one_key(planner: APIClient):
    other = User.objects.create_user("other")
    accounts.give_role(user=other, role="planner")
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=other.pk))
    post(planner, {"code": "pcs"})

    assert post(client, {"code": "kg"}).status_code == 201


def test_a_refusal_is_remembered_as_well(planner: APIClient):
    refused = post(planner, {"code": "pcs", "decimals": 9})
    Unit.objects.create(code="later")

    again = post(planner, {"code": "pcs", "decimals": 9})

    assert (refused.status_code, again.status_code) == (422, 422)
    assert again.content == refused.content
    assert again["Content-Type"] == "application/problem+json"


def test_a_failure_is_not_remembered_and_leaves_nothing(planner: APIClient, monkeypatch: pytest.MonkeyPatch):
    def written_then_failed(self, *args, **kwargs):
        Unit.objects.create(code="half")
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(api.UnitViewSet, "create", written_then_failed)
        failed = post(planner, {"code": "pcs"})

    assert (failed.status_code, failed.json()["code"]) == (500, "failed")
    assert not Unit.objects.exists()
    assert not StoredAnswer.objects.exists()
    assert post(planner, {"code": "pcs"}).status_code == 201


def test_a_refused_request_writes_nothing_even_after_it_had_begun_to(
    planner: APIClient, monkeypatch: pytest.MonkeyPatch
):
    from core.refusals import WrongState

    def written_then_refused(self, *args, **kwargs):
        Unit.objects.create(code="half")
        raise WrongState("No.")

    monkeypatch.setattr(api.UnitViewSet, "create", written_then_refused)

    assert post(planner, {"code": "pcs"}).status_code == 409
    assert not Unit.objects.exists()


def test_answers_are_forgotten_after_seven_days(planner: APIClient):
    post(planner, {"code": "pcs"})
    made = StoredAnswer.objects.get().created_at

    assert idempotency.delete_old_answers(at=made + timedelta(days=7)) == 0
    assert idempotency.delete_old_answers(at=made + timedelta(days=7, seconds=1)) == 1


def test_an_old_key_is_free_again_before_it_is_deleted(planner: APIClient):
    post(planner, {"code": "pcs"})
    StoredAnswer.objects.update(created_at=StoredAnswer.objects.get().created_at - timedelta(days=8))

    assert post(planner, {"code": "kg"}).status_code == 201
    assert StoredAnswer.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 201])
def test_a_key_is_neither_empty_nor_endless(planner: APIClient, key: str):
    assert post(planner, {"code": "pcs"}, key).status_code == 422
    assert not Unit.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_first_try_still_runs_is_told_to_wait(planner: APIClient, monkeypatch: pytest.MonkeyPatch):
    inside, go_on = threading.Event(), threading.Event()
    create = api.UnitViewSet.create

    def slowly(self, *args, **kwargs):
        inside.set()
        assert go_on.wait(10)
        return create(self, *args, **kwargs)

    monkeypatch.setattr(api.UnitViewSet, "create", slowly)
    answers = []

    def first() -> None:
        answers.append(post(planner, {"code": "pcs"}).status_code)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    meanwhile = post(planner, {"code": "pcs"})
    go_on.set()
    thread.join()

    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency_running")
    assert answers == [201]
    assert post(planner, {"code": "pcs"}).status_code == 201
    assert Unit.objects.count() == 1
