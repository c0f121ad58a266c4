"""The planning pages as a whole: who gets in, what he finds, and that a page costs the same for any number of rows."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Access, ApiToken, User
from activity.models import Alert, Event
from documents.models import GenerationRun
from inventory.models import Balance, CostPool, Movement
from masterdata.models import (
    Closure,
    Currency,
    Downtime,
    Item,
    ItemGroup,
    Location,
    Process,
    Site,
    Unit,
    Vendor,
    WorkCenter,
)
from outsourcing import navigation
from policies.models import Award, Decision, OrderWithVerdicts, Policy, PolicyVendor, PriceAgreement, VendorApproval
from production.models import BomLine, Operation, ProductionOrder, RoutingStep
from receipts.models import ExpectedReceipt
from shipments.models import Shipment
from subcontract_orders.models import OrderLine, SubcontractOrder

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
DAY = date(2026, 6, 10)
READ_ONLY = [
    Alert, Event, Movement, Balance, CostPool, OrderWithVerdicts, Decision, GenerationRun, SubcontractOrder, Shipment,
    ExpectedReceipt,
]  # fmt: skip


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role)
    accounts.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def make_rows(count: int, prefix: str) -> None:
    """So many of everything a list shows, each with rows of its own behind every column."""
    for number in range(count):
        code = f"{prefix}{number}"
        currency, _ = Currency.objects.get_or_create(code="EUR")
        unit = Unit.objects.create(code=code)
        group = ItemGroup.objects.create(code=code)
        item = Item.objects.create(code=code, unit=unit, item_group=group)
        part = Item.objects.create(code=f"{code}-part")
        site = Site.objects.create(code=code)
        vendor = Vendor.objects.create(code=code, currency=currency)
        process = Process.objects.create(code=code)
        center = WorkCenter.objects.create(code=code, vendor=vendor, site=site)
        here = Location.objects.create(code=code, site=site)
        there = Location.objects.create(code=f"AT-{code}", kind="vendor", vendor=vendor)
        user = User.objects.create_user(code)
        Access.objects.create(user=user, role="dock", site=site)
        ApiToken.objects.create(user=user, name=code, digest=code, created_at=AT)
        Closure.objects.create(vendor=vendor, day=DAY)
        Downtime.objects.create(work_center=center, start_date=DAY, end_date=DAY)
        BomLine.objects.create(parent=item, position=1, component=part, quantity=1)
        RoutingStep.objects.create(item=item, sequence=1, operation_no="10", process=process, work_center=center)
        policy = Policy.objects.create(
            code=code, item=item, item_group=group, process=process, work_center=center, site=site
        )
        PolicyVendor.objects.create(policy=policy, rank=1, vendor=vendor)
        PriceAgreement.objects.create(vendor=vendor, item=item, process=process, currency=currency)
        VendorApproval.objects.create(vendor=vendor, process=process)
        order = ProductionOrder.objects.create(
            number=code, item=item, quantity=5, due_date=DAY, site=site, changed_at=AT
        )
        operation = Operation.objects.create(
            production_order=order, sequence=1, operation_no="10", process=process, work_center=center, quantity=5
        )
        decision = Decision.objects.create(
            operation=operation,
            verdict="outsource",
            basis="policy",
            policy=policy,
            quantity=5,
            decided_at=AT,
            need_date=DAY,
        )
        dates = dict.fromkeys(("need_date", "vendor_ready_date", "at_vendor_date", "dispatch_by", "order_by"), DAY)
        Award.objects.create(
            decision=decision, vendor=vendor, quantity=5, currency=currency, unit_price=2, work_amount=10, amount=10,
            amount_company=10, promise_date=DAY, **dates,
        )  # fmt: skip
        bought = SubcontractOrder.objects.create(
            number=code, vendor=vendor, site=site, ship_to=there, receive_at=here, currency=currency, created_at=AT,
            consolidation_key=code,
        )  # fmt: skip
        line = OrderLine.objects.create(
            order=bought, line_no=1, vendor=vendor, ship_to=there, receive_at=here, operation=operation,
            production_order=order, item=item,
            process=process, quantity=5, unit_price=2, work_amount=10, amount=10, promised_date=DAY, **dates,
        )  # fmt: skip
        ExpectedReceipt.objects.create(order_line=line, item=item, quantity=5, expected_on=DAY, location=here)
        Shipment.objects.create(
            number=code, vendor=vendor, site=site, from_location=here, to_location=there, dispatch_by=DAY, created_at=AT
        )
        Movement.objects.create(
            item=item, from_location=here, to_location=there, quantity=1, value=1, document_kind="test", occurred_at=AT,
            recorded_at=AT, by=user,
        )  # fmt: skip
        Balance.objects.create(item=item, location=here, quantity=1, since=AT)
        CostPool.objects.create(item=item, site=site, quantity=1, value=Decimal(1))
        Alert.objects.create(kind="late", subject=code, vendor=vendor, opened_at=AT, updated_at=AT)
        Event.objects.create(
            name="order.approved", document_kind="order", document_number=code, at=AT, by=user, vendor=vendor
        )
        GenerationRun.objects.create(number=code, requested_at=AT, on=DAY, requested_by=user)


def addresses() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
    ]


@pytest.mark.parametrize("role", ["planner", "buyer", "quality", "auditor", "administrator"])
def test_every_link_of_the_side_bar_opens(role):
    client = signed_in(role)
    request = client.get("/admin/").wsgi_request
    groups = navigation.sidebar(request)

    answers = {
        str(item["link"]): client.get(str(item["link"])).status_code for group in groups for item in group["items"]
    }

    assert set(answers.values()) == {200}
    assert len(answers) >= 25


@pytest.mark.parametrize("role", ["dock", "payables"])
def test_who_does_not_plan_does_not_get_in(role):
    assert signed_in(role).get("/admin/").status_code == 302


def test_the_side_bar_names_every_page_there_is():
    named = {model.partition(":")[0] for _, pages in navigation.GROUPS for _, _, model in pages}

    assert named == {f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry}


def test_users_and_tokens_are_for_administrators_and_auditors():
    assert signed_in("planner").get(reverse("admin:accounts_user_changelist")).status_code == 403
    assert signed_in("auditor").get(reverse("admin:accounts_user_changelist")).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_documents_and_history_are_only_read_even_by_an_administrator(model):
    make_rows(1, "R")
    client = signed_in("administrator")
    row = model.objects.first()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    assert client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse(f"{name}_add")).status_code == 403


def test_lists_cost_the_same_for_any_number_of_rows():
    client = signed_in("administrator")
    make_rows(1, "A")
    few = {address: queries(client, address) for address in addresses()}
    make_rows(5, "B")

    assert {address: queries(client, address) for address in addresses()} == few


def test_a_page_shows_only_what_its_reader_may_see():
    make_rows(2, "S")
    user = User.objects.create_user("planner")
    accounts.give_role(user=user, role="planner", site_id=Site.objects.get(code="S0").pk)
    client = Client()
    client.force_login(user)

    page = client.get(reverse("admin:policies_orderwithverdicts_changelist")).content.decode()

    assert "S0" in page
    assert client.get(reverse("admin:policies_orderwithverdicts_change", args=[_order("S1").pk])).status_code == 302
    assert client.get(reverse("admin:policies_orderwithverdicts_change", args=[_order("S0").pk])).status_code == 200


def _order(number: str) -> ProductionOrder:
    return ProductionOrder.objects.get(number=number)


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
