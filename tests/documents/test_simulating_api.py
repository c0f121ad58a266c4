"""Simulations over the API: what may be supposed, who may ask, what is answered."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from core.idempotency import StoredAnswer
from masterdata.models import Item, ItemUnit, Process, Unit
from policies.models import Policy
from tests.documents import plans
from tests.played import played
from tests.scenarios.runner import business_content
from tests.workbench import rows

ALL = "/api/v1/policies/simulate/"


@pytest.fixture(autouse=True)
def _monday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda *_: plans.MONDAY)


@pytest.fixture
@played
def planned() -> None:
    """Five pieces that go to V1 for 500, and V2 who is dearer."""
    plans.base(
        vendors=[{"code": "V2", "currency": "EUR"}],
        prices=[{"vendor": "V2", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 120,
                 "lead_days": 5, "valid_from": "2026-01-01"}],
        policies=[
            {"code": "PLATE", "process": "Plating", "verdict": "outsource", "vendors": ["V1"]},
            {"code": "ZINC/2", "status": "draft", "process": "Plating", "priority": 1, "verdict": "outsource",
             "vendors": ["V2"]},
        ],
    )  # fmt: skip
    plans.plan("P1", "FG", 5, "2026-03-31")


def client_of(role: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(f"of {role}", role))
    return client


@pytest.fixture
def planner(planned) -> APIClient:
    return client_of(Role.PLANNER)


def test_a_policy_says_what_it_decides_and_what_is_still_to_be_ordered():
    plans.base()
    plans.plan("P1", "FG", 5, "2026-03-31")
    plans.plan("P2", "FG", 7, "2026-03-31")
    plans.generate()
    plans.send(1)
    plans.generate()

    answer = client_of(Role.PLANNER).get("/api/v1/policies/PLATE/effect/")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "sentence": "Plating of any item goes to Vendor One.",
            "detail": "It decides 2 open operations: 2 outside. 700.00 EUR of it are not sent yet: Vendor One 700.00.",
            "operations": 2,
            "verdicts": {"outsource": 2},
            "to_order": [{"vendor": "V1", "vendor_name": "Vendor One", "lines": 1, "amount": "700.000"}],
            "currency": "EUR",
        },
    )


def test_one_policy_is_tried_at_its_own_address(planner):
    answer = planner.post(f"{reverse('api-policies-list')}ZINC%2F2/simulate/")

    assert answer.status_code == 200
    told = answer.json()
    assert (told["orders"], told["lines"], told["value"], told["currency"]) == (1, 1, "600.00", "EUR")
    assert (told["before"]["value"], told["after"]["value"], told["changed_total"]) == ("500.00", "600.00", 1)
    (one,) = told["changed"]
    assert {name: one[name] for name in ("production_order", "operation", "item", "from", "to", "vendor")} == {
        "production_order": "P1", "operation": "10", "item": "FG", "from": "outsource", "to": "outsource", "vendor": "V2",
    }  # fmt: skip
    assert (one["before"]["vendors"], one["before"]["policy"]) == (["V1"], "PLATE")
    assert (one["after"]["vendors"], one["after"]["policy"]) == (["V2"], "ZINC/2")
    assert one["after"]["reasons"][0]["detail"].endswith("it applies, it goes outside.")


def test_the_same_with_its_code_in_the_body(planner):
    assert planner.post(ALL, {"policy": "ZINC/2"}).json()["value"] == "600.00"
    assert planner.post(ALL, {"policies": ["ZINC/2"]}).json()["value"] == "600.00"


def test_policies_with_other_values_or_left_out(planner):
    edited = {"code": "PLATE", "vendors": ["V2"], "consolidate": "week", "inspection": {"sample_pct": 10}}
    left_out = {"code": "PLATE", "in_force": False}
    new = {"code": "NEW", "process": "Plating", "verdict": "review", "priority": 1}

    assert planner.post(ALL, {"policies": [edited]}).json()["changed"][0]["vendor"] == "V2"
    assert planner.post(ALL, {"policies": [left_out]}).json()["changed"][0]["to"] == "review"
    assert planner.post(ALL, {"policies": [new]}).json()["changed"][0]["after"]["policy"] == "NEW"


def test_prices_downtimes_and_vendors_lost_at_once(planner):
    body = {
        "vendors_lost": ["V1"],
        "prices": [{"vendor": "V2", "operation_name": "Plating", "item": "FG", "unit_price": "90", "lead_days": 5}],
        "downtimes": [{"work_center": "WC-IN", "start": "2026-03-09", "end": "2026-03-13"}],
        "policies": [{"code": "PLATE", "vendors": ["V1", "V2"]}],
    }

    told = planner.post(ALL, body).json()

    assert (told["value"], told["changed"][0]["vendor"]) == ("450.00", "V2")
    assert told["value_by_vendor"] == [
        {"vendor": "V1", "before": "500.00", "after": "0.00"},
        {"vendor": "V2", "before": "0.00", "after": "450.00"},
    ]


def test_a_price_for_a_hundred_of_another_unit_or_of_several_processes_is_supposed_as_well(planner):
    of = {"vendor": "V1", "process": "Plating"}
    hundred = {**of, "item": "FG", "unit_price": "20000", "price_unit": "100 pcs"}
    ten = {**of, "item": "FG", "unit_price": "900", "price_factor": "10"}
    weighed = {**of, "item": "FG", "unit_price": "3", "price_unit": "kg"}
    Process.objects.create(code="Baking")
    together = {"vendor": "V1", "item": "FG", "processes": ["Plating", "Baking"], "unit_price": "1"}

    def value(*prices: dict[str, object]) -> str:
        answer = planner.post(ALL, {"prices": prices})
        assert answer.status_code == 200, answer.json()
        return answer.json()["value"]

    assert [value(hundred), value(ten), value(together)] == ["1000.00", "450.00", "500.00"]
    refused = planner.post(ALL, {"prices": [weighed]})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_found")
    assert "nothing says how many pcs one kg holds" in refused.json()["detail"]
    ItemUnit.objects.create(item=Item.objects.get(code="FG"), unit=Unit.objects.get(code="kg"), factor=Decimal("0.5"))
    assert value(weighed) == "30.00"  # a piece is two kilograms


def test_nothing_is_written_also_where_the_answer_is_kept_for_its_key(planner):
    before = business_content()

    first = planner.post(ALL, {"policy": "ZINC/2"}, headers={"Idempotency-Key": "k1"})
    again = planner.post(ALL, {"policy": "ZINC/2"}, headers={"Idempotency-Key": "k1"})

    assert business_content() == before
    assert StoredAnswer.objects.count() == 1
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"policy": "NONE"}, 404, "not_found", "policies"),
        ({"vendors_lost": ["NONE"]}, 404, "not_found", "vendors_lost"),
        ({"policies": [{"code": "PLATE", "yield_pct": 0}]}, 422, "invalid", "policies"),
        ({"prices": [{"vendor": "V1", "process": "Plating", "lead_days": 99999}]}, 422, "invalid", "prices"),
        ({"downtimes": [{"work_center": "OUT", "start": "2026-03-09", "end": "2026-03-08"}]}, 422, "invalid", "downtimes"),
        ({"policys": []}, 422, "unknown_field", "policys"),
    ],
)  # fmt: skip
def test_what_names_nothing_or_cannot_be_is_refused(planner, body, status, code, field):
    answer = planner.post(ALL, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("role", [Role.BUYER, Role.AUDITOR, Role.DOCK])
def test_who_does_not_keep_policies_tries_none(planned, role):
    client = client_of(role)

    assert client.post(ALL, {"policy": "ZINC/2"}).status_code == 403
    assert client.post(f"{reverse('api-policies-list')}ZINC%2F2/simulate/").status_code == 403


def test_a_policy_stays_as_it_is(planner):
    planner.post(ALL, {"policies": [{"code": "PLATE", "priority": 3}]})

    assert Policy.objects.get(code="PLATE").priority == 100
