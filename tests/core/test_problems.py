from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework import exceptions
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import User
from core.refusals import InvalidQuantity, Refusals, WrongState
from inventory.models import Lot
from masterdata.models import Item
from outsourcing.problems import problem_handler


@pytest.fixture
def planner() -> APIClient:
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner")
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def test_a_refusal_keeps_its_code_status_and_field():
    answer = problem_handler(InvalidQuantity("At least 1.", field="quantity"), {})

    assert answer.status_code == 422
    assert answer.data == {
        "type": "urn:outwork:problem:invalid_quantity",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid_quantity",
        "detail": "At least 1.",
        "errors": [{"code": "invalid_quantity", "field": "quantity", "detail": "At least 1."}],
    }


def test_several_refusals_are_all_named():
    answer = problem_handler(Refusals([WrongState("One."), InvalidQuantity("Two.", field="lines[1].quantity")]), {})

    assert [error["detail"] for error in answer.data["errors"]] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (Item.DoesNotExist(), 404, "not_found"),
        (PermissionDenied(), 403, "no_right"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.ParseError(), 400, "malformed"),
        (ValidationError({"name": ["Too long."]}), 422, "invalid"),
        (ValidationError("No."), 422, "invalid"),
        (IntegrityError(), 409, "conflict"),
    ],
)
def test_every_foreseen_error_has_status_and_code(raised: Exception, status: int, code: str):
    answer = problem_handler(raised, {})

    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"


def test_an_unforeseen_error_is_let_through():
    assert problem_handler(RuntimeError(), {}) is None


def test_a_broken_constraint_of_the_database_is_a_conflict_that_names_it():
    item = Item.objects.create(code="A")
    Lot.objects.create(item=item, code="L1")
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        Lot.objects.create(item=item, code="L1")

    answer = problem_handler(broken.value, {})

    assert (answer.status_code, answer.data["code"]) == (409, "duplicate")
    assert answer.data["detail"].startswith("There is already one lot with the same item and code;")


@pytest.mark.parametrize(
    "body",
    ["{", "[1, 2]", '"text"', "null", '{"code": null}', '{"code": {"a": 1}}', '{"code": "a\\u0000b"}', "\xff", '{"code": NaN}',
     '{"code": "x", "standard_cost": 1e400}', '{"code": "x", "standard_cost": "1e30"}', '{"code": "x", "kind": ["raw"]}'],
)  # fmt: skip
def test_no_body_makes_the_server_fail(planner: APIClient, body: str):
    answer = planner.generic("POST", "/api/v1/items/", body.encode("latin-1"), content_type="application/json")

    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"
    assert not Item.objects.exists()


def test_another_kind_of_body_is_not_taken(planner: APIClient):
    answer = planner.generic("POST", "/api/v1/items/", b"<a/>", content_type="application/xml")

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("address", ["/api/v1/nothing/", "/api/v1/items/none/", "/api/v1/items/%00/", "/api/v2/"])
def test_a_wrong_address_of_the_api_is_answered_as_a_problem(planner: APIClient, address: str):
    answer = planner.get(address)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_number_too_large_for_its_column_is_refused(planner: APIClient):
    answer = planner.post("/api/v1/items/", {"code": "A", "standard_cost": str(Decimal(10) ** 14)})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "standard_cost")
