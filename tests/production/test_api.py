from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from masterdata.models import PlanChange, WorkCenter
from production.models import BomLine, RoutingStep
from tests.workbench import rows

BOMS, ROUTINGS = "/api/v1/boms/", "/api/v1/routings/"


def client_of(role: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(role, role))
    return client


@pytest.fixture
def planner() -> APIClient:
    for code in ("PUMP", "RM1", "RM2"):
        rows.item(code)
    WorkCenter.objects.create(code="W1")
    WorkCenter.objects.create(code="OUT", kind="external")
    return client_of(Role.PLANNER)


def test_a_bill_is_made_read_and_replaced(planner: APIClient):
    made = planner.post(
        BOMS, {"item": "PUMP", "lines": [{"component": "RM1", "quantity": 2}, {"component": "RM2", "quantity": "0.5"}]}
    )
    assert made.status_code == 201

    changed = planner.patch(
        f"{BOMS}PUMP/",
        {"lines": [{"component": "RM2", "quantity": 1, "supply": "vendor", "quantity_basis": "per_order"}]},
        headers={"If-Match": made["ETag"]},
    )

    assert changed.json() == planner.get(f"{BOMS}PUMP/").json() == {
        "item": "PUMP",
        "lines": [
            {"component": "RM2", "quantity": "1.00000", "scrap_pct": "0.0000", "operation_no": "", "supply": "vendor",
             "quantity_basis": "per_order", "source": "", "external_refs": []},
        ],
    }  # fmt: skip
    assert planner.patch(f"{BOMS}PUMP/", {"lines": []}, headers={"If-Match": made["ETag"]}).json()["code"] == "stale"
    assert planner.post(BOMS, {"item": "PUMP", "lines": []}).json()["code"] == "duplicate"
    assert PlanChange.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"component": "PUMP", "quantity": 1}, None),
        ({"component": "NONE", "quantity": 1}, "not_found"),
        ({"component": "RM1", "quantity": 0}, "invalid_quantity"),
        ({"component": "RM1", "quantity": "0.000001"}, "too_precise"),
        ({"component": "RM1", "quantity": 1, "supply": "gift"}, "invalid_choice"),
    ],
)
def test_a_senseless_bill_is_refused_and_the_old_one_stays(planner: APIClient, line: dict[str, Any], code: str | None):
    planner.post(BOMS, {"item": "PUMP", "lines": [{"component": "RM1", "quantity": 2}]})

    answer = planner.patch(f"{BOMS}PUMP/", {"lines": [line]})

    assert answer.status_code == 422
    assert code in (None, answer.json()["code"])
    assert BomLine.objects.get().quantity == 2


def test_a_bill_that_goes_round_is_refused(planner: APIClient):
    planner.post(BOMS, {"item": "PUMP", "lines": [{"component": "RM1", "quantity": 2}]})

    answer = planner.post(BOMS, {"item": "RM1", "lines": [{"component": "PUMP", "quantity": 1}]})

    assert (answer.status_code, answer.json()["code"]) == (422, "bom_cycle")
    assert BomLine.objects.count() == 1


def test_a_routing_is_made_with_its_variants_and_replaced(planner: APIClient):
    made = planner.post(
        ROUTINGS,
        {
            "item": "PUMP",
            "steps": [
                {"operation_no": "10", "name": "Turn", "work_center": "W1", "run_minutes_per_unit": "1.5"},
                {"operation_no": "20", "name": "Zinc", "work_center": "OUT"},
            ],
            "alternatives": [{"variant": "B", "steps": [{"operation_no": "10", "name": "Print"}]}],
        },
    )
    assert made.status_code == 201
    assert [(row["operation_no"], row["outsourced"], row["sequence"]) for row in made.json()["steps"]] == [
        ("10", "no", 10),
        ("20", "yes", 20),
    ]

    changed = planner.patch(
        f"{ROUTINGS}PUMP/", {"alternatives": [{"variant": "B", "steps": [{"operation_no": "5"}]}]}
    ).json()

    assert [row["operation_no"] for row in changed["steps"]] == ["10", "20"]
    assert [(row["variant"], row["steps"][0]["operation_no"]) for row in changed["alternatives"]] == [("B", "5")]


@pytest.mark.parametrize(
    "steps",
    [
        [{"operation_no": "10", "next_operation_no": ["30"]}],
        [{"operation_no": "10", "next_operation_no": ["20"]}, {"operation_no": "20", "next_operation_no": ["10"]}],
        [{"operation_no": "10"}, {"operation_no": "10"}],
        [{"operation_no": "10", "work_center": "NONE"}],
        [{"operation_no": "10", "setup_minutes": -1}],
    ],
)
def test_a_senseless_routing_is_refused(planner: APIClient, steps: list[dict[str, Any]]):
    assert planner.post(ROUTINGS, {"item": "PUMP", "steps": steps}).status_code == 422
    assert not RoutingStep.objects.exists()


def test_a_buyer_reads_how_a_thing_is_made_and_does_not_change_it(planner: APIClient):
    planner.post(BOMS, {"item": "PUMP", "lines": [{"component": "RM1", "quantity": 2}]})
    planner.post(ROUTINGS, {"item": "PUMP", "steps": [{"operation_no": "10"}]})
    buyer = client_of(Role.BUYER)

    for address in (BOMS, ROUTINGS):
        assert buyer.get(f"{address}PUMP/").status_code == 200
        assert buyer.patch(f"{address}PUMP/", {}).json()["code"] == "no_right"
        assert buyer.post(address, {"item": "RM1"}).status_code == 403


@pytest.mark.parametrize(("address", "found"), [(f"{BOMS}?component=RM1", 3), (f"{ROUTINGS}?work_center=W1", 3)])
def test_a_list_costs_two_queries(planner: APIClient, django_assert_num_queries, address: str, found: int):
    for place in range(3):
        item = rows.item(f"P{place}")
        BomLine.objects.create(parent=item, position=10, component=rows.item("RM1"), quantity=1)
        RoutingStep.objects.create(
            item=item, sequence=1, operation_no="1", work_center=WorkCenter.objects.get(code="W1")
        )
    planner.get("/api/v1/units/")

    with django_assert_num_queries(2):
        assert len(planner.get(address).json()["results"]) == found
