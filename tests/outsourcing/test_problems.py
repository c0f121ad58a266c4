"""What a page says where the database or a service refuses what the page itself had not looked for."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from core.refusals import Refusal
from masterdata.models import Item
from tests.documents.plans import boss

pytestmark = pytest.mark.django_db


class Taken(Refusal):
    code, status = "taken", 409


@pytest.fixture
def client() -> Client:
    client = Client(raise_request_exception=True)
    somebody = boss()
    somebody.is_staff = True
    somebody.save()
    client.force_login(somebody)
    return client


def twice(*_args, **_kwargs):
    with transaction.atomic():
        Item.objects.create(code="A")
        Item.objects.create(code="A")


def refuse(*_args, **_kwargs):
    raise Taken("It is taken; choose another.")


def test_a_page_says_what_the_database_would_not_keep_and_leads_back(client, monkeypatch):
    monkeypatch.setattr("workbench.views.me.show", twice)

    answer = client.get("/me/", HTTP_REFERER="http://testserver/orders/?q=1")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "There is already one item with the same code" in page
    assert 'href="/orders/?q=1"' in page
    assert not Item.objects.exists()


def test_a_page_says_a_refusal_nobody_looked_for_and_leads_to_no_other_site(client, monkeypatch):
    monkeypatch.setattr("workbench.views.me.show", refuse)

    answer = client.get("/me/", HTTP_REFERER="https://elsewhere.example/orders/")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "It is taken; choose another." in page
    assert "elsewhere" not in page


def test_planning_pages_say_it_too(client, monkeypatch):
    monkeypatch.setattr("masterdata.admin.MasterDataAdmin.get_queryset", twice)

    answer = client.get("/admin/masterdata/item/")

    assert answer.status_code == 409
    assert "There is already one item with the same code" in answer.content.decode()


def test_the_address_of_a_button_opened_as_a_page_says_so(client):
    answer = client.get("/invoices/upload/")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Press the button on its page again." in answer.content.decode()


def test_the_api_answers_a_wrong_method_with_a_problem(client):
    answer = client.delete("/api/v1/subcontract-orders/")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
