"""Master data out of use: never deleted, refused while something open names it, named by nothing new afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Role, User
from inventory.models import Balance
from masterdata.models import Item, ItemGroup, Location, PlanChange, Process, Site, Unit, Vendor, WorkCenter
from policies.models import Policy, PolicyStatus
from production.models import BomLine, ProductionOrder, RoutingStep
from tests.factories import AT
from tests.interchange.plans import load, load_shaft, only, refused
from tests.workbench import rows

API = "/api/v1/"
ORDERS = [{"number": "P1", "item": "SHAFT", "quantity": 8, "due": "2026-03-18"}]


@pytest.fixture
def planner() -> APIClient:
    client = APIClient()
    client.force_authenticate(rows.user("paula", Role.PLANNER))
    return client


@pytest.fixture
def plan(db: None) -> None:
    load_shaft()


def finish() -> None:
    """Nothing is open any more, and the item is not made any more."""
    ProductionOrder.objects.update(status="done")
    Item.objects.update(is_blocked=True)


def why(answer: Any) -> list[str]:
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    return [error["detail"] for error in answer.json()["errors"]]


def test_what_nothing_uses_goes_out_of_use_and_comes_back(planner: APIClient, plan: None):
    Unit.objects.create(code="box")

    gone = planner.post(f"{API}units/box/deactivate/")
    again = planner.post(f"{API}units/box/deactivate/")
    listed = planner.get(f"{API}units/?active=true").json()["results"]
    back = planner.post(f"{API}units/box/activate/")

    assert (gone.json()["active"], again.json()["active"], back.json()["active"]) == (False, False, True)
    assert sorted(row["code"] for row in listed) == ["kg", "pcs"]
    assert list(PlanChange.objects.order_by("pk").values_list("reason", flat=True))[-2:] == [
        "Unit box is out of use",
        "Unit box is in use again",
    ]


def test_a_work_center_stays_while_open_operations_and_routings_lead_over_it(planner: APIClient, plan: None):
    by_act = planner.post(f"{API}work-centers/LATHE/deactivate/")
    by_field = planner.patch(f"{API}work-centers/LATHE/", {"active": False})

    assert (
        why(by_act)
        == why(by_field)
        == [
            "Work center LATHE stays in use: 1 open operation names it: P1.",
            "Work center LATHE stays in use: 1 step of a routing names it: SHAFT.",
        ]
    )
    assert WorkCenter.objects.get(code="LATHE").is_active
    finish()
    assert planner.patch(f"{API}work-centers/LATHE/", {"active": False}).json()["active"] is False


@pytest.mark.parametrize(
    ("resource", "code", "said"),
    [
        ("units", "pcs", "Unit pcs stays in use: 1 item names it: SHAFT."),
        ("locations", "MAIN", "Location MAIN stays in use: 1 site that ships and receives there names it: MAIN."),
        ("sites", "MAIN", "Site MAIN stays in use: 1 open production order names it: P1."),
        ("processes", "Turning", "Process Turning stays in use: 1 open operation names it: P1."),
        ("item-groups", "SHAFTS", "Item group SHAFTS stays in use: 1 active policy names it: OUT."),
    ],
)
def test_what_something_open_names_stays_in_use_and_that_is_named(planner, plan, resource, code, said):
    group = ItemGroup.objects.create(code="SHAFTS")
    Policy.objects.create(code="OUT", item_group=group, verdict="review", status=PolicyStatus.ACTIVE)

    answer = planner.post(f"{API}{resource}/{code}/deactivate/")

    assert said in why(answer)
    assert planner.get(f"{API}{resource}/{code}/").json()["active"] is True


def test_a_place_with_stock_stays_in_use(planner: APIClient, plan: None):
    place = Location.objects.create(code="SHELF")
    Balance.objects.create(item=Item.objects.get(code="BAR"), location=place, quantity=3, since=AT)

    assert why(planner.post(f"{API}locations/SHELF/deactivate/")) == [
        "Location SHELF stays in use: 1 item in stock names it: BAR."
    ]
    Balance.objects.update(quantity=0)
    assert planner.post(f"{API}locations/SHELF/deactivate/").status_code == 200


def test_nothing_new_names_what_is_out_of_use_and_what_names_it_may_change(planner: APIClient, plan: None):
    Unit.objects.create(code="box", is_active=False)
    Item.objects.filter(code="BAR").update(unit=Unit.objects.get(code="box"))

    new = planner.post(f"{API}items/", {"code": "NEW", "unit": "box"})
    old = planner.patch(f"{API}items/BAR/", {"unit": "box", "name": "Bar"})

    assert (new.status_code, new.json()["errors"][0]) == (
        422,
        {"field": "unit", "code": "inactive",
         "detail": "'box' is out of use. Name another one, or activate it again."},
    )  # fmt: skip
    assert old.status_code == 200
    assert not Item.objects.filter(code="NEW").exists()


@pytest.mark.parametrize(
    ("model", "code", "fields", "field"),
    [
        (WorkCenter, "MILL", {"operations": [{"number": "30", "work_center": "MILL"}]}, "operations[0].work_center"),
        (Process, "Honing", {"operations": [{"number": "30", "process": "Honing"}]}, "operations[0].process"),
        (Site, "OLD", {"site": "OLD"}, "site"),
        (Location, "SHED", {"location": "SHED"}, "location"),
    ],
)
def test_no_production_order_names_what_is_out_of_use(planner, plan, model, code, fields, field):
    model.objects.create(code=code, is_active=False)

    answer = planner.post(f"{API}production-orders/", {**ORDERS[0], "number": "P2", "due": "2027-03-18", **fields})

    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, "inactive")]
    assert not ProductionOrder.objects.filter(number="P2").exists()


def test_a_row_of_a_plan_that_names_what_is_out_of_use_is_bad(plan: None):
    WorkCenter.objects.create(code="MILL", is_active=False)

    bad = refused({"operations": [{"order": "P1", "number": "30", "work_center": "MILL"}]})

    assert only(bad) == ("operations", 1, "work_center", "MILL", "inactive")
    assert bad[0].detail == "Work center MILL is out of use. Name another one, or activate it again."


def test_a_plan_that_only_restates_what_is_out_of_use_leaves_it_so(plan: None):
    WorkCenter.objects.create(code="MILL", is_active=False)

    load({"work_centers": [{"code": "MILL", "name": "Mill"}]})

    assert not WorkCenter.objects.get(code="MILL").is_active


@pytest.mark.parametrize(("resource", "model"), [("boms", BomLine), ("routings", RoutingStep)])
def test_a_bom_and_a_routing_go_out_of_use_once_no_open_order_goes_by_them(planner, plan, resource, model):
    refusal = planner.post(f"{API}{resource}/SHAFT/deactivate/")

    assert why(refusal) == [
        "1 open production order makes SHAFT, the first is P1. Finish or cancel them, or change it."
    ]
    assert model.objects.exists()
    ProductionOrder.objects.update(status="done")
    if resource == "routings":
        BomLine.objects.all().delete()
    assert planner.post(f"{API}{resource}/SHAFT/deactivate/").status_code == 204
    assert planner.get(f"{API}{resource}/SHAFT/").status_code == 404
    assert not model.objects.exists()


def test_without_the_right_nothing_goes_out_of_use(plan: None):
    buyer = APIClient()
    buyer.force_authenticate(rows.user("ben", Role.BUYER))

    assert buyer.post(f"{API}units/kg/deactivate/").status_code == 403
    assert buyer.post(f"{API}boms/SHAFT/deactivate/").status_code == 403
    assert Unit.objects.get(code="kg").is_active


def test_a_stale_reader_takes_nothing_out_of_use(planner: APIClient, plan: None):
    Unit.objects.create(code="box")
    read = planner.get(f"{API}units/box/")["ETag"]
    planner.patch(f"{API}units/box/", {"name": "Box of 12"})

    answer = planner.post(f"{API}units/box/deactivate/", headers={"If-Match": read})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert Unit.objects.get(code="box").is_active


# On the planning pages


def page(role: Role) -> Client:
    user = User.objects.create_user(role)
    accounts.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def press(client: Client, row: Any, button: str) -> Any:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{button}"
    return client.post(reverse(name, args=[row.pk]), {"_form_submitted": "True"})


def buttons(client: Client, row: Any) -> list[str]:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    text = client.get(reverse(name, args=[row.pk])).content.decode()
    return [said for said in ("Take out of use", "Put into use again") if said in text]


def test_a_button_takes_a_row_out_of_use_and_another_brings_it_back(plan: None):
    client = page(Role.PLANNER)
    box = Unit.objects.create(code="box")
    offered = buttons(client, box)

    answer = press(client, box, "take_out_of_use")
    box.refresh_from_db()
    gone, offered_then = box.is_active, buttons(client, box)
    press(client, box, "put_into_use")
    box.refresh_from_db()

    assert answer.headers["HX-Redirect"] == reverse("admin:masterdata_unit_change", args=[box.pk])
    assert (offered, gone) == (["Take out of use"], False)
    assert (offered_then, box.is_active) == (["Put into use again"], True)


@pytest.mark.parametrize("model", [Unit, Site, Location, WorkCenter, Process])
def test_a_button_says_what_still_uses_the_row(plan: None, model: Any):
    load_shaft(production_orders=ORDERS)
    client = page(Role.PLANNER)
    used = {Unit: "pcs", Site: "MAIN", Location: "MAIN", WorkCenter: "LATHE", Process: "Plating"}[model]
    row = model.objects.get(code=used)

    press(client, row, "take_out_of_use")
    row.refresh_from_db()

    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    assert row.is_active
    assert f"{used} stays in use:" in client.get(reverse(name, args=[row.pk])).content.decode()


def test_who_only_reads_takes_nothing_out_of_use(plan: None):
    client = page(Role.AUDITOR)
    box = Unit.objects.create(code="box")

    answer = press(client, box, "take_out_of_use")
    box.refresh_from_db()

    assert (answer.status_code, box.is_active, buttons(client, box)) == (403, True, [])


@pytest.mark.parametrize(
    ("model", "named_by"),
    [
        (Process, "policies.policy.process"), (WorkCenter, "policies.policy.work_center"), (Site, "policies.policy.site"),
        (ItemGroup, "policies.policy.item_group"), (Vendor, "policies.policyvendor.vendor"),
        (WorkCenter, "production.routingstep.work_center"), (Process, "policies.priceagreement.process"),
        (Unit, "masterdata.item.unit"), (Location, "masterdata.workcenter.location"),
    ],
)  # fmt: skip
def test_search_boxes_of_planning_pages_offer_nothing_out_of_use(db: None, model: Any, named_by: str):
    client = page(Role.PLANNER)
    model.objects.create(code="X-HERE")
    model.objects.create(code="X-GONE", is_active=False)
    app_label, model_name, field_name = named_by.split(".")
    asked = {"app_label": app_label, "model_name": model_name, "field_name": field_name, "term": "X-"}

    found = client.get(reverse("admin:autocomplete"), asked).json()["results"]
    listed = client.get(reverse(f"admin:masterdata_{model._meta.model_name}_changelist"), {"q": "X-"})

    assert [row["text"] for row in found] == ["X-HERE"]
    assert sorted(row.code for row in listed.context["cl"].result_list) == ["X-GONE", "X-HERE"]


def test_a_row_that_names_what_went_out_of_use_shows_and_keeps_it(plan: None):
    client = page(Role.PLANNER)
    step = RoutingStep.objects.select_related("work_center").filter(work_center__isnull=False).order_by("pk")[0]
    WorkCenter.objects.update(is_active=False)
    address = reverse("admin:production_routingstep_change", args=[step.pk])

    shown = client.get(address)
    form = shown.context["adminform"].form
    filled = {name: form[name].value() for name in form.fields}
    answer = client.post(
        address, {name: "" if value is None else value for name, value in filled.items()} | {"name": "Cut"}
    )

    assert f'<option value="{step.work_center_id}" selected>{step.work_center}</option>' in shown.content.decode()
    assert answer.status_code == 302
    step.refresh_from_db()
    assert (step.name, step.work_center.code) == ("Cut", "LATHE")
