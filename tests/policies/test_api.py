from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts.models import Role
from activity.models import Event
from masterdata.models import Item, PlanChange, Vendor, WorkCenter
from policies.models import Decision, Policy, PolicyVendor, PriceAgreement
from production.models import OperationWord, ProductionOrder, RoutingStep
from tests.workbench import rows

ORDERS = "/api/v1/production-orders/"


def client_of(*roles: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user(f"of {' '.join(roles)}", *roles))
    return client


@pytest.fixture
def planner() -> APIClient:
    return client_of(Role.PLANNER)


@pytest.fixture
def routed() -> Item:
    made = rows.item("PUMP")
    rows.site()
    for number, outsourced in (("10", "no"), ("20", "yes")):
        RoutingStep.objects.create(
            item=made, sequence=int(number), operation_no=number, name=f"Step {number}", outsourced=outsourced,
            process=rows.process(f"Step {number}"), work_center=WorkCenter.objects.create(code=f"W{number}"),
        )  # fmt: skip
    return made


def order(number: str = "WO-1", **fields: Any) -> dict[str, Any]:
    return {"number": number, "item": "PUMP", "quantity": 5, "due": "2026-03-20", **fields}


# Production orders


def test_an_order_is_made_with_the_operations_of_its_routing(planner: APIClient, routed: Item):
    answer = planner.post(ORDERS, order(status="firm", external_refs=[{"system": "erp", "key": "4711"}]))

    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in ("number", "item", "quantity", "due", "status", "site", "version")} == {
        "number": "WO-1", "item": "PUMP", "quantity": "5.00000", "due": "2026-03-20", "status": "firm", "site": "MAIN",
        "version": 1,
    }  # fmt: skip
    assert [(row["number"], row["outsourced"], row["quantity"]) for row in made["operations"]] == [
        ("10", "no", "5.00000"),
        ("20", "yes", "5.00000"),
    ]
    assert answer["ETag"] == '"1"'
    assert planner.get(f"{ORDERS}WO-1/").json() == made


def test_the_same_order_again_changes_it(planner: APIClient, routed: Item):
    planner.post(ORDERS, order())

    again = planner.post(ORDERS, order(quantity="9"))

    assert again.status_code == 200
    assert (again.json()["quantity"], again.json()["version"], again["ETag"]) == ("9.00000", 2, '"2"')
    assert ProductionOrder.objects.count() == 1


def test_a_list_of_orders_is_taken_whole_or_not_at_all(planner: APIClient, routed: Item):
    answer = planner.post(ORDERS, [order("A"), order("B", quantity=-1), order("C", item="NONE")])

    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("[2].item", "not_found")]
    assert not ProductionOrder.objects.exists()

    answer = planner.post(ORDERS, [order("A"), order("B", quantity=-1), order("C", quantity="0.5")])

    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("[1].quantity", "invalid_quantity"),
        ("[2].quantity", "too_precise"),
    ]
    assert not ProductionOrder.objects.exists()

    answer = planner.post(ORDERS, [order("A"), order("B"), order("A")])

    assert answer.json() == {"created": 2, "changed": 0, "unchanged": 0, "kept": 0}


def test_ten_thousand_orders_are_taken_at_once_and_not_one_more(
    planner: APIClient, routed: Item, django_assert_max_num_queries
):
    assert planner.post(ORDERS, [order(f"WO-{n}") for n in range(10_001)]).json()["code"] == "above_maximum"

    with django_assert_max_num_queries(60):
        assert planner.post(ORDERS, [order(f"WO-{n}") for n in range(2_000)]).json()["created"] == 2_000


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"quantity": 0}, "invalid_quantity", "quantity"),
        ({"quantity": "0.000001"}, "too_precise", "quantity"),
        ({"quantity": "many"}, "invalid_quantity", "quantity"),
        ({"due": "2026-02-30"}, "invalid_date", "due"),
        ({"due": "soon"}, "invalid_date", "due"),
        ({"operations": [{"number": "10", "next_operation_no": ["99"]}]}, "not_found", "next_operation_no"),
        ({"start": "2026-04-01"}, "invalid_date", "start"),
        ({"item": "NONE"}, "not_found", "item"),
        ({"location": "NOWHERE"}, "not_found", "location"),
        ({"status": "lost"}, "invalid_choice", "status"),
        ({"quantiti": 1}, "unknown_field", "quantiti"),
        ({"operations": [{"number": "10", "work_center": "NONE"}]}, "not_found", "operations[0].work_center"),
        ({"routing_variant": "B"}, "not_found", "routing_variant"),
    ],
)
def test_a_senseless_order_is_refused_by_name(planner: APIClient, routed: Item, fields: dict, code: str, field: str):
    answer = planner.post(ORDERS, order(**fields))

    assert answer.status_code == 422
    assert [(error["code"], error["field"]) for error in answer.json()["errors"]] == [(code, field)]
    assert not ProductionOrder.objects.exists()


@pytest.mark.parametrize("number", ["CNC/Axle 1", "M8.5", "a/operations/b", "cancel", "x/cancel", "50 % ä"])
def test_a_number_may_hold_any_sign(planner: APIClient, routed: Item, number: str):
    from urllib.parse import quote

    planner.post(ORDERS, order(number, operations=[{"number": "20/A", "name": "Polish"}]))
    address = f"{ORDERS}{quote(number, safe='')}/"

    spoken = planner.post(f"{address}operations/20%2FA/outsource/", {"reason": "no time"})
    assert spoken.json()["word"]["reason"] == "no time"
    assert planner.post(f"{address}cancel/").json()["status"] == "cancelled"
    assert [row["number"] for row in planner.get(f"{ORDERS}?number={quote(number)}").json()["results"]] == [number]
    if not number.endswith("/cancel"):
        assert planner.get(address).json()["number"] == number


def test_an_order_is_cancelled_as_it_was_read(planner: APIClient, routed: Item):
    planner.post(ORDERS, order())
    planner.post(ORDERS, order(quantity=6))

    stale = planner.post(f"{ORDERS}WO-1/cancel/", headers={"If-Match": '"1"'})
    done = planner.post(f"{ORDERS}WO-1/cancel/", headers={"If-Match": '"2"'})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert {row["status"] for row in done.json()["operations"]} == {"cancelled"}


def test_the_planners_word_is_spoken_and_taken_back(planner: APIClient, routed: Item):
    rows.vendor("V1")
    planner.post(ORDERS, order())
    step = f"{ORDERS}WO-1/operations/10/"

    outside = planner.post(f"{step}outsource/", {"vendor": "V1", "reason": "machine down"})
    assert outside.status_code == 200
    assert {**outside.json()["word"], "at": ""} == {
        "word": "outsource", "vendor": "V1", "reason": "machine down", "by": "of planner", "at": "",
    }  # fmt: skip
    assert planner.post(f"{step}insource/", {"reason": "it runs again"}).json()["word"]["word"] == "in_house"
    assert planner.post(f"{step}retract/").json()["word"] is None
    assert OperationWord.objects.count() == 2


def test_a_word_needs_a_reason_a_vendor_and_an_operation_that_are_there(planner: APIClient, routed: Item):
    planner.post(ORDERS, order())

    assert planner.post(f"{ORDERS}WO-1/operations/10/outsource/", {}).json()["errors"][0]["field"] == "reason"
    unknown = planner.post(f"{ORDERS}WO-1/operations/10/outsource/", {"vendor": "V9", "reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "not_found")
    assert planner.post(f"{ORDERS}WO-1/operations/99/outsource/", {"reason": "x"}).status_code == 404
    assert not OperationWord.objects.exists()


def test_a_buyer_reads_the_plan_and_does_not_change_it(planner: APIClient, routed: Item):
    planner.post(ORDERS, order())
    buyer = client_of(Role.BUYER)

    assert buyer.get(f"{ORDERS}WO-1/").status_code == 200
    for address in ("", "WO-1/cancel/", "WO-1/operations/10/outsource/", "WO-1/operations/10/insource/",
                    "WO-1/operations/10/retract/"):  # fmt: skip
        answer = buyer.post(f"{ORDERS}{address}", {"reason": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "no_right")
    assert ProductionOrder.objects.get().status == "planned"


def test_a_planner_of_one_site_sees_its_orders_only():
    near, far = rows.operation(number="NEAR"), rows.operation(number="FAR", at=rows.site("B", "Plant B"))
    for of in (near, far):
        rows.decision(of)
    client = APIClient()
    client.force_authenticate(rows.user("of b", Role.PLANNER, at=rows.site("B", "Plant B")))

    assert [row["number"] for row in client.get(ORDERS).json()["results"]] == ["FAR"]
    assert [row["production_order"] for row in client.get("/api/v1/decisions/").json()["results"]] == ["FAR"]
    assert client.get(f"{ORDERS}NEAR/").status_code == 404
    assert client.post(f"{ORDERS}NEAR/cancel/").status_code == 404
    assert client.post(f"{ORDERS}NEAR/operations/40/insource/", {"reason": "x"}).status_code == 404


def test_orders_are_filtered_and_ordered(planner: APIClient, routed: Item):
    planner.post(
        ORDERS, [order("A", due="2026-05-01"), order("B", due="2026-04-01", status="firm"), order("C", status="done")]
    )

    def found(query: str) -> list[str]:
        return [row["number"] for row in planner.get(f"{ORDERS}?{query}").json()["results"]]

    assert found("status=planned,firm&ordering=due") == ["B", "A"]
    assert found("due_to=2026-04-01&ordering=-number") == ["C", "B"]
    assert found("item=OTHER") == []
    assert planner.get(f"{ORDERS}?status=lost").status_code == 422


# Decisions


def test_a_decision_says_what_why_and_for_whom(planner: APIClient):
    of = rows.operation(number="WO-7")
    reasons = [{"code": "vendor_chosen", "vendor": "V1", "detail": "V1 is the first that qualifies."}]
    rows.award(rows.decision(of, reasons=reasons), rows.vendor("V1"))

    (shown,) = planner.get("/api/v1/decisions/?production_order=WO-7").json()["results"]

    assert {name: shown[name] for name in ("production_order", "operation", "verdict", "policy", "vendor", "quantity")} == {
        "production_order": "WO-7", "operation": "40", "verdict": "outsource", "policy": None, "vendor": "V1",
        "quantity": "100.00000",
    }  # fmt: skip
    assert shown["reasons"] == reasons
    assert [(row["vendor"], row["amount"], row["currency"]) for row in shown["awards"]] == [("V1", "740.00", "EUR")]
    (operation,) = planner.get(f"{ORDERS}WO-7/").json()["operations"]
    assert operation["decision"]["verdict"] == "outsource"


def test_decisions_are_found_by_what_they_say(planner: APIClient):
    out, inside = rows.operation(number="A"), rows.operation(number="B")
    rows.award(rows.decision(out), rows.vendor("V1"))
    rows.decision(inside, verdict="in_house", reasons=[{"code": "flag_no", "detail": "It stays."}])
    Decision.objects.create(
        operation=inside, version=2, is_current=False, verdict="blocked", basis="policy", quantity=1, decided_at=rows.AT
    )

    def found(query: str) -> list[str]:
        return [row["production_order"] for row in planner.get(f"/api/v1/decisions/?{query}").json()["results"]]

    assert found("") == ["A", "B"]
    assert found("vendor=V1") == ["A"]
    assert found("verdict=in_house,blocked") == ["B"]
    assert found("reason=flag_no") == ["B"]
    assert found("history=true") == ["A", "B", "B"]


# Policies, prices, approvals


def test_a_policy_is_drafted_changed_activated_and_retired(planner: APIClient):
    rows.process("Zinc")
    for code in ("V1", "V2"):
        rows.vendor(code)
    body = {
        "code": "ZINC", "process": "Zinc", "vendors": ["V1", {"vendor": "V2", "share_pct": 40}], "inspection": {"sample_pct": 10},
        "consolidate": "week", "certificates": ["coc"],
    }  # fmt: skip

    made = planner.post("/api/v1/policies/", body)

    assert made.status_code == 201
    shown = made.json()
    assert (shown["status"], shown["version"], made["ETag"]) == ("draft", 1, '"1"')
    assert [(row["vendor"], row["share_pct"]) for row in shown["vendors"]] == [("V1", None), ("V2", "40.000")]
    assert (shown["process"], shown["inspection"], shown["certificates"]) == ("Zinc", {"sample_pct": "10.000"}, ["coc"])

    changed = planner.patch(
        "/api/v1/policies/ZINC/", {"vendors": ["V2"], "inspection": "all"}, headers={"If-Match": '"1"'}
    )
    assert (changed.json()["version"], changed.json()["inspection"]) == (2, "all")
    assert [row["vendor"] for row in changed.json()["vendors"]] == ["V2"]
    assert (
        planner.patch("/api/v1/policies/ZINC/", {"priority": 1}, headers={"If-Match": '"1"'}).json()["code"] == "stale"
    )

    assert planner.post("/api/v1/policies/ZINC/activate/").json()["status"] == "active"
    again = planner.post("/api/v1/policies/ZINC/activate/")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert planner.post("/api/v1/policies/ZINC/retire/").json()["version"] == 4
    assert [event.name for event in Event.objects.order_by("pk")] == [
        "policy.made", "policy.changed", "policy.activated", "policy.retired",
    ]  # fmt: skip
    assert PlanChange.objects.count() == 4


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"vendors": ["V9"]}, "vendors[0].vendor"),
        ({"vendors": ["V1", "V1"]}, "vendors"),
        ({"inspection": "some"}, "inspection"),
        ({"inspection": {"sample_pct": 101}}, "inspection"),
        ({"verdict": "maybe"}, "verdict"),
        ({"status": "active"}, "status"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to"),
        ({"yield_pct": 101}, "yield_pct"),
        ({"over_receipt_pct": -1}, "over_receipt_pct"),
        ({"transition_from": "2026-03-01", "transition_share_pct": 101}, "transition_share_pct"),
        ({"vendors": [{"vendor": "V1", "quantity_from": 50, "quantity_to": 10}]}, "vendors[0].quantity_to"),
    ],
)
def test_a_senseless_policy_is_refused(planner: APIClient, fields: dict, field: str | None):
    rows.vendor("V1")

    answer = planner.post("/api/v1/policies/", {"code": "P", **fields})

    assert answer.status_code in (409, 422)
    assert answer.json()["errors"][0]["field"] == field


def test_a_price_is_agreed_and_ended(planner: APIClient):
    rows.vendor("V1"), rows.item("A"), rows.process("Zinc")

    made = planner.post(
        "/api/v1/price-agreements/",
        {
            "vendor": "V1",
            "item": "A",
            "operation_name": "Zinc",
            "currency": "EUR",
            "unit_price": 7.4,
            "minimum_qty": "100",
        },
    )
    reference = made.json()["reference"]
    ended = planner.patch(f"/api/v1/price-agreements/{reference}/", {"valid_to": "2026-12-31"})

    assert (made.status_code, made.json()["process"], made.json()["unit_price"]) == (201, "Zinc", "7.40000")
    assert ended.json()["valid_to"] == "2026-12-31"
    assert PriceAgreement.objects.get().minimum_quantity == Decimal(100)
    again = planner.post("/api/v1/price-agreements/", {**made.json(), "reference": "X"})
    assert again.json()["code"] == "unknown_field"
    body = {"vendor": "V1", "item": "A", "process": "Zinc", "currency": "EUR", "minimum_qty": 100}
    assert planner.post("/api/v1/price-agreements/", body).json()["code"] == "duplicate"
    assert planner.post("/api/v1/price-agreements/", {"vendor": "V1"}).status_code == 422


def test_quality_approves_a_vendor_and_a_buyer_does_not():
    rows.vendor("V1"), rows.process("Zinc")
    body = {"vendor": "V1", "process": "Zinc", "valid_to": "2027-01-01"}

    refused = client_of(Role.BUYER).post("/api/v1/vendor-approvals/", body)
    made = client_of(Role.QUALITY).post("/api/v1/vendor-approvals/", body)

    assert (refused.status_code, made.status_code, made.json()["status"]) == (403, 201, "approved")


@pytest.mark.parametrize(
    ("resource", "method", "body"),
    [
        ("policies/", "post", {"code": "P2"}),
        ("policies/P/", "patch", {"priority": 1}),
        ("policies/P/activate/", "post", None),
        ("policies/P/retire/", "post", None),
        ("price-agreements/", "post", {"vendor": "V1"}),
        ("vendor-approvals/", "post", {"vendor": "V1"}),
    ],
)
def test_an_auditor_changes_nothing(resource: str, method: str, body: Any):
    Policy.objects.create(code="P")

    answer = getattr(client_of(Role.AUDITOR), method)(f"/api/v1/{resource}", body)

    assert (answer.status_code, answer.json()["code"]) == (403, "no_right")
    assert Policy.objects.get().priority == 100


@pytest.mark.parametrize(
    ("resource", "queries"),
    [
        ("production-orders/", 1),
        ("production-orders/WO-0/", 5),  # order, operations, words, decisions, awards
        ("decisions/", 2),  # decisions, awards
        ("policies/", 2),  # policies, vendors
        ("price-agreements/", 1),
        ("vendor-approvals/", 1),
    ],
)
def test_a_list_costs_the_same_for_any_number_of_rows(
    planner: APIClient, django_assert_num_queries, resource: str, queries: int
):
    vendor = rows.vendor("V1")
    for number in range(3):
        of = rows.operation(number=f"WO-{number}")
        rows.award(rows.decision(of), vendor)
        OperationWord.objects.create(operation=of, word="outsource", vendor=vendor, reason="x", at=rows.AT)
        policy = Policy.objects.create(code=f"P{number}", process=of.process)
        policy.vendors.create(rank=1, vendor=vendor)
        PriceAgreement.objects.create(vendor=vendor, process=of.process, valid_from=date(2026, 1, 1 + number))
    planner.get("/api/v1/units/")

    with django_assert_num_queries(queries):
        assert planner.get(f"/api/v1/{resource}").status_code == 200


def test_an_inactive_vendor_is_still_named(planner: APIClient):
    rows.vendor("V1")
    Vendor.objects.update(is_active=False)
    rows.award(rows.decision(rows.operation(number="WO-1")), Vendor.objects.get())

    assert planner.get("/api/v1/decisions/").json()["results"][0]["vendor"] == "V1"


@pytest.mark.parametrize("yield_pct", ["0", "100.1", "-5"])
def test_a_price_without_a_possible_yield_is_refused_and_not_kept(planner: APIClient, yield_pct: str):
    rows.vendor("V1"), rows.item("A"), rows.process("Zinc")
    body = {
        "vendor": "V1",
        "item": "A",
        "process": "Zinc",
        "currency": "EUR",
        "unit_price": "1",
        "yield_pct": yield_pct,
    }

    answer = planner.post("/api/v1/price-agreements/", body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "yield_pct")
    assert not PriceAgreement.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceAgreement.objects.create(
            vendor=Vendor.objects.get(), item=Item.objects.get(), unit_price=1, yield_pct=Decimal(yield_pct)
        )


@pytest.mark.parametrize(
    "values",
    [
        {"over_receipt_pct": "-5"},
        {"load_above_pct": "-1"},
        {"auto_approve_up_to": "-0.01"},
        {"under_receipt_pct": "100.001"},
        {"transition_share_pct": "101"},
        {"quantity_from": "10", "quantity_to": "9"},
        {"season_from": "2026-05-01", "season_to": "2026-04-30"},
    ],
)
def test_what_no_policy_may_say_is_refused_and_the_database_keeps_no_such_row(
    planner: APIClient, values: dict[str, str]
):
    refused = list(values)[-1]

    answer = planner.post("/api/v1/policies/", {"code": "P", "verdict": "in_house", **values})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, refused)
    assert not Policy.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(code="P", verdict="in_house", **values)


@pytest.mark.parametrize(
    "values",
    [
        {"share_pct": "100.1"},
        {"share_pct": "-1"},
        {"weekly_capacity": "-1"},
        {"quantity_from": "5", "quantity_to": "4"},
    ],
)
def test_no_more_than_all_nor_less_than_nothing_goes_to_a_vendor(planner: APIClient, values: dict[str, str]):
    vendor = rows.vendor("V1")

    answer = planner.post(
        "/api/v1/policies/", {"code": "P", "verdict": "outsource", "vendors": [{"vendor": "V1", **values}]}
    )

    assert answer.status_code == 422
    assert not Policy.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVendor.objects.create(policy=Policy.objects.create(code="P"), vendor=vendor, rank=1, **values)


def test_a_planned_order_goes_on_under_the_number_that_replaces_it(planner: APIClient, routed: Item):
    planner.post(ORDERS, order("PL-1"))
    planner.post(f"{ORDERS}PL-1/operations/20/outsource/", {"reason": "test"})

    answer = planner.post(ORDERS, order("WO-9", status="firm", replaces="PL-1"))

    assert answer.status_code in (200, 201), answer.json()
    assert OperationWord.objects.get(is_current=True).operation.production_order.number == "WO-9"
    assert not ProductionOrder.objects.filter(number="PL-1").exists()


def test_replacing_an_order_nobody_knows_is_refused(planner: APIClient, routed: Item):
    answer = planner.post(ORDERS, order("WO-9", status="firm", replaces="PL-7"))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not_found")
    assert not ProductionOrder.objects.exists()


def test_an_act_without_fields_says_that_it_takes_none(planner, routed):
    planner.post(ORDERS, order())

    answer = planner.post(f"{ORDERS}WO-1/cancel/", {"force": True})

    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (
        422,
        "There is no such field to write. This takes no fields.",
    )


def test_an_order_is_made_for_one_that_is_there_or_comes_along(planner, routed):
    assert planner.post(ORDERS, [order("B", parent_order="A"), order("A")]).json()["created"] == 2
    assert planner.post(ORDERS, order("C", parent_order="A")).json()["parent_order"] == "A"


def test_orders_made_for_one_another_in_a_circle_are_refused_and_none_is_written(planner, routed):
    planner.post(ORDERS, [order("B", parent_order="A"), order("A")])

    through_what_is_there = planner.post(ORDERS, order("A", parent_order="B"))
    among_themselves = planner.post(ORDERS, [order("C"), order("D", parent_order="E"), order("E", parent_order="D")])

    answer = through_what_is_there.json()
    assert (through_what_is_there.status_code, answer["code"]) == (422, "parent_cycle")
    assert answer["detail"] == "These production orders are made for one another in a circle: A → B → A."
    assert [error["field"] for error in among_themselves.json()["errors"]] == ["[1].parent_order"]
    assert planner.get(f"{ORDERS}A/").json()["parent_order"] == ""
    assert planner.get(f"{ORDERS}C/").status_code == 404


@pytest.mark.parametrize(("parent", "code"), [("NONE", "not_found"), ("WO-9", "invalid")])
def test_an_order_made_for_one_nobody_knows_or_for_itself_is_refused(planner, routed, parent, code):
    one = planner.post(ORDERS, order("WO-9", parent_order=parent))
    many = planner.post(ORDERS, [order("A"), order("WO-9", parent_order=parent)])

    assert (one.status_code, many.status_code) == (422, 422)
    assert [(one.json()["code"], *[error["field"] for error in one.json()["errors"]])] == [(code, "parent_order")]
    assert [(error["field"], error["code"]) for error in many.json()["errors"]] == [("[1].parent_order", code)]
    assert not ProductionOrder.objects.exists()


@pytest.mark.parametrize(
    ("first", "last", "values"),
    [
        ("quantity_from", "quantity_to", ("10", "5")),
        ("season_from", "season_to", ("2027-05-01", "2027-01-01")),
        ("valid_from", "valid_to", ("2027-05-01", "2027-01-01")),
    ],
)
def test_a_policy_that_could_never_apply_is_refused_at_its_field(planner: APIClient, first, last, values):
    rows.vendor()
    body = {"code": "NEVER", "verdict": "in_house", first: values[0], last: values[1]}

    answer = planner.post("/api/v1/policies/", body, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, last)
    assert "the policy would never apply" in answer.json()["detail"]
    assert not Policy.objects.exists()
    body.pop(last)
    assert planner.post("/api/v1/policies/", body, format="json").status_code == 201
    changed = planner.patch("/api/v1/policies/NEVER/", {last: values[1]}, format="json")
    assert changed.status_code == 422
    assert getattr(Policy.objects.get(), last) is None
