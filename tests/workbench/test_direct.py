"""Direct deliveries on their pages: what is to be ordered, the forms that say so, and the order they are for."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Role
from masterdata.models import Site
from receipts.models import DirectPurchase
from tests.documents import plans
from tests.receipts import back
from tests.receipts.test_direct import arrive, order, planned, sent
from tests.workbench.rows import user

LIST, ONE = "/direct/", "/direct/SC-00001/1/RM/"


def client(role: str = Role.BUYER, at: Site | None = None) -> Client:
    found = Client()
    found.force_login(user(f"of {role}", role, at=at))
    return found


def shown(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_leads_from_what_is_to_order_to_what_has_arrived():
    sent()
    buyer = client()

    assert "SC-00001" in shown(buyer.get(LIST))
    order()
    assert "SC-00001" not in shown(buyer.get(LIST))
    assert "PO-7" in shown(buyer.get(LIST, {"tab": "ordered"}))
    arrive(10)
    assert "SC-00001" in shown(buyer.get(LIST, {"tab": "arrived", "q": "po-7"}))


def test_a_buyer_takes_a_request_over_books_what_came_and_takes_it_back():
    sent()
    buyer = client()

    said = {"act": "ordered", "reference": "PO-7", "supplier": "Steel", "quantity": "10", "expected_on": "2027-01-08"}
    buyer.post(ONE, said)
    assert str(DirectPurchase.objects.get()) == "PO-7"
    booked = {"act": "arrived", "note": "LS-1", "quantity": "4", "arrived_on": "", "unit_cost": "7,5", "lots": ""}
    page = buyer.post(ONE, booked, follow=True)

    assert (back.counters(1), "DD-00001" in shown(page)) == ({"direct": 4, "at_vendor": 4}, True)
    buyer.post("/direct/deliveries/DD-00001/reverse/")
    assert back.counters(1) == {"at_vendor": 0}
    buyer.post(ONE, {"act": "call_off", "reason": "dearer"})
    assert not DirectPurchase.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"note": "LS-1", "quantity": "11"}, "10 more of RM may arrive"),
        ({"note": "LS-1", "quantity": ""}, "Write how much came."),
        ({"note": "LS-1", "quantity": "4", "arrived_on": "soon"}, "Write a day."),
        ({"note": "", "quantity": "4"}, "Name the delivery note"),
        ({"note": "LS-1", "quantity": "4", "lots": "A 2\nB 2"}, "Leave the lots out"),
    ],
)
def test_what_is_refused_stands_beside_what_was_typed(typed: dict[str, str], said: str):
    sent()

    answer = client().post(ONE, {"act": "arrived", **typed})

    assert answer.status_code == 422
    assert said in shown(answer)
    assert back.counters(1) == {"at_vendor": 0}


def test_the_order_shows_what_is_asked_for_of_its_component():
    sent()
    order()

    page = shown(client().get("/orders/SC-00001/"))

    assert f'href="{ONE}"' in page
    assert "10 to come" in page
    assert "PO-7" in page


def test_who_only_looks_is_shown_no_form_and_may_not_post():
    planned()
    auditor = client(Role.AUDITOR)

    assert 'name="act"' not in shown(auditor.get(ONE))
    assert auditor.post(ONE, {"act": "ordered", "reference": "PO-7", "expected_on": "2027-01-08"}).status_code == 403
    assert not DirectPurchase.objects.exists()
    assert client(Role.BUYER, at=Site.objects.create(code="OTHER")).get(ONE).status_code == 404


def test_the_list_costs_the_same_for_any_number_of_rows(django_assert_max_num_queries):
    planned()
    for number in range(2, 7):
        plans.plan(f"P{number}", "FG", 5, "2026-04-30")
    plans.generate()
    buyer = client()

    with django_assert_max_num_queries(20):
        page = shown(buyer.get(LIST, {"tab": "planned"}))
    assert page.count('id="row-') == 6


def test_the_list_is_had_as_a_file():
    sent()

    answer = client().get(LIST, {"format": "csv"})

    assert "SC-00001,1,RM" in b"".join(answer.streaming_content).decode()
