"""The five ways through the product that must hold, from the first click to the last, as people walk them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.contrib.testing.worker import start_worker
from django.core import mail
from django.db import connections
from playwright.sync_api import Page, expect

from accounts import services as accounts
from accounts.models import Role, User
from activity.models import Alert
from documents import services as documents
from documents import tasks
from inventory.models import Balance
from outsourcing.celery import app
from policies.models import Decision, Policy, PolicyStatus
from receipts.models import Receipt, ReceiptLine
from shipments.models import ShipmentStatus
from subcontract_orders.models import OrderStatus, SubcontractOrder
from tests.browser import plans
from tests.workbench import goods

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def worker(live_server) -> Iterator[None]:
    """A Celery worker beside the web server, as `./dev run` has one."""
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield
    connections.close_all()


def come_in(page: Page, name: str, *roles: str) -> Page:
    """Sign in somebody with these roles."""
    user = User.objects.create_user(name, password="let me in")
    for role in roles:
        accounts.give_role(user=user, role=role)
    page.goto("/sign-in/")
    page.fill("#id_username", name)
    page.fill("#id_password", "let me in")
    page.click("#sign-in button")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page


def test_a_plan_arrives_and_its_order_is_sent(page: Page, worker, tmp_path: Path):
    files = plans.as_zip(tmp_path / "plan.zip", plans.tables())

    come_in(page, "paula", Role.PLANNER, Role.BUYER)
    page.goto("/admin/interchange/importjob/new/")
    page.set_input_files("input[type=file]", files)
    page.get_by_role("button", name="Look through").click()
    expect(page.get_by_text("This is what the import would do. Nothing is written yet.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("The plan was read.")).to_be_visible()

    page.goto("/")
    page.get_by_role("button", name="Generate now").first.click()
    expect(page.locator("h1")).to_contain_text("Done", timeout=20_000)
    page.get_by_role("link", name=re.compile("^SC-")).first.click()
    page.get_by_role("button", name="Approve 740.00 EUR").click()
    page.get_by_role("button", name="Send to Alpen Eloxal").click()
    expect(page.locator("h1")).to_contain_text("Sent")

    order = SubcontractOrder.objects.get()
    assert order.status == OrderStatus.SENT
    assert order.lines.get().quantity == 100
    tasks.send_due_messages()  # as beat does each minute, where the worker has not done it yet
    assert [(message.to, len(message.attachments)) for message in mail.outbox] == [(["orders@alpen-eloxal.example"], 1)]


def test_a_shipment_is_scanned_out_on_a_phone(page: Page):
    order = sent_order()
    shipment = goods.shipment_of(order)
    page.set_viewport_size(PHONE)
    come_in(page, "dirk", Role.DOCK)

    page.goto("/dock/")
    page.keyboard.type(shipment.number)
    page.keyboard.press("Enter")
    expect(page.locator("#quantity-1")).to_have_value("100")
    page.get_by_role("button", name="Pick and dispatch").click()
    expect(page.get_by_role("status")).to_contain_text(f"{shipment.number} has left")
    note = page.request.get(page.get_by_role("link", name="Delivery note").get_attribute("href"))

    assert note.body().startswith(b"%PDF")
    shipment.refresh_from_db()
    assert shipment.status in (ShipmentStatus.DISPATCHED, ShipmentStatus.DELIVERED)
    assert Balance.objects.get(location__code="MAIN", item__code="RAW").quantity == 400


def test_a_receipt_with_rejects_goes_back_to_the_vendor(page: Page):
    order = shipped_order()
    key = goods.line_of(order).pk
    page.set_viewport_size(PHONE)
    come_in(page, "dora", Role.DOCK, Role.QUALITY)

    page.goto("/dock/")
    page.keyboard.type(order.number)
    page.keyboard.press("Enter")
    page.fill("#note", "LS-4711")
    page.fill(f"#accepted-{key}", "96")
    page.fill(f"#rejected-{key}", "4")
    expect(page.locator("#use")).to_contain_text("100 pcs")
    page.get_by_role("button", name="Post receipt").click()
    expect(page.get_by_role("status")).to_contain_text("is posted: note LS-4711")

    receipt = Receipt.objects.get()
    page.goto(f"/dock/inspect/{receipt.number}/")
    page.select_option("#disposition-1", "rework")
    page.select_option("#fault-1", "vendor")
    page.fill("#reason-1", "Scratches on the sealing face")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status")).to_contain_text("is inspected")

    line = ReceiptLine.objects.get()
    assert (line.accepted, line.rejected, line.sent_back, line.fault) == (96, 0, 4, "vendor")
    assert Balance.objects.get(location__code="MAIN", item__code="HOUSING").quantity == 96
    assert not Balance.objects.filter(location__code="AT-V1", item__code="RAW", quantity__gt=0).exists()
    assert order.lines.get().in_rework == 4


def test_a_policy_is_changed_simulated_and_activated(page: Page, worker):
    plans.load(plans.tables())
    Policy.objects.update(status=PolicyStatus.DRAFT)
    policy = Policy.objects.get()
    plans.generate()
    assert Decision.objects.current().get().verdict == "in_house"

    come_in(page, "paula", Role.PLANNER)
    page.goto(f"/admin/policies/policy/{policy.pk}/change/")
    page.fill("#id_priority", "5")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.get_by_role("link", name="Simulate").first.click()
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("1 operation flips")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-picture=vendors] svg")).to_be_visible()
    page.get_by_role("link", name="Open ANODISE to activate it").click()
    page.get_by_role("button", name="Activate").or_(page.get_by_role("link", name="Activate")).first.click()
    page.locator("dialog, [role=dialog], form").get_by_role("button", name="Activate").last.click()
    expect(page.get_by_text("ANODISE is active.")).to_be_visible()

    policy.refresh_from_db()
    assert (policy.status, policy.priority) == (PolicyStatus.ACTIVE, 5)
    plans.generate()
    assert Decision.objects.current().get().verdict == "outsource"


def test_an_alert_is_applied(page: Page):
    order = sent_order()
    plans.load({"production_orders": plans.tables(pieces=130)["production_orders"]})
    plans.generate()

    come_in(page, "ben", Role.BUYER)
    page.goto("/alerts/")
    row = page.locator("tbody tr", has_text=order.number)
    expect(row.locator("del")).to_contain_text("100")
    expect(row.locator("ins")).to_contain_text("130")
    row.locator("form[action$='/apply/'] button").click()

    expect(page.get_by_role("status")).to_contain_text("Applied")
    assert order.lines.get().quantity == 130
    assert not Alert.objects.filter(closed_at=None, kind="requirement_changed").exists()


def sent_order() -> SubcontractOrder:
    """What the run made of the plan, approved and sent."""
    plans.load(plans.tables())
    plans.generate()
    order = SubcontractOrder.objects.get()
    documents.approve_set(order_id=order.pk, by=goods.root(), at=plans.now())
    documents.send_set(order_id=order.pk, by=goods.root(), at=plans.now())
    order.refresh_from_db()
    return order


def shipped_order() -> SubcontractOrder:
    order = sent_order()
    for shipment in goods.shipments.ship(order_ids=[order.pk], by=goods.root(), at=plans.now()):
        goods.arrive(shipment)
    order.refresh_from_db()
    return order
