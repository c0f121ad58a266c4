"""axe-core finds nothing on any page: WCAG 2.2, A and AA, in both themes, where goods are handled on a phone as well.

The pages are found by walking the list of addresses, so that a new one cannot be forgotten: `outsourcing.pages` refuses an
address without an example. Each is opened once; another theme changes nothing but colours, so these alone are looked at again.
Every day one page of each kind is enough; `--every-page` takes all (ten minutes on two busy cores).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import axe_playwright_python
import pytest
from django.utils import timezone
from playwright.sync_api import Page as Tab

from accounts.models import Access, Role, User
from activity.models import Alert
from invoices import services as invoices
from invoices.services import EnteredLine
from outsourcing.pages import Page, all_pages
from policies.models import Policy, Verdict
from receipts import services as receipts
from subcontract_orders.models import OrderStatus
from tests.workbench import goods, rows

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
LOOK = """async ([theme, rules]) => {
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.documentElement.classList.toggle("dark", theme == "dark");
    const answer = await axe.run(document, { runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false });
    return answer.violations.map((one) => `${one.id}, ${one.nodes[0].html.slice(0, 160)}`);
}"""
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
pytestmark = pytest.mark.slow


@pytest.fixture
def mara(desk: Tab, monkeypatch) -> User:
    """Somebody who may do everything, with something on every page."""
    monkeypatch.setattr(rows, "AT", timezone.now())
    desk.emulate_media(reduced_motion="reduce")  # colours as they stay, not on their way from theme to theme
    mara = User.objects.get(username="mara")
    Access.objects.create(user=mara, role=Role.ADMINISTRATOR)
    User.objects.filter(pk=mara.pk).update(is_staff=True, is_superuser=True)
    order = goods.shipped_order(lines=2, stock=200, lot="L-1")
    receipt = goods.receipt_of(order, rejected=Decimal(2))
    line = receipt.lines.get()
    receipts.return_product(receipt_line_id=line.pk, quantity=Decimal(3), by=goods.root(), at=rows.AT)
    goods.sent_order()
    rows.order()
    rows.order(status=OrderStatus.CLOSED)
    rows.run(operations=10)
    rows.run(state="held", operations=10)
    for verdict in Verdict.values:
        rows.decision(rows.operation(), verdict=verdict, reasons=[{"code": "no_price", "detail": "No price."}])
    Policy.objects.create(code="ANODISE", name="Anodising goes outside", verdict=Verdict.OUTSOURCE)
    Alert.objects.create(
        subject="x", title="Needs more", kind="requirement_changed", proposes="change", severity="critical",
        order_number=order.number, line_no=1, before={"quantity": "100"}, after={"quantity": "120"}, site=order.site,
        opened_at=rows.AT, updated_at=rows.AT,
    )  # fmt: skip
    asked = EnteredLine(order_line_id=line.order_line_id, quantity=Decimal(10), unit_price=Decimal("7.4"))
    made = invoices.enter_invoice(
        vendor_id=order.vendor_id, number="RE-1", lines=[asked], invoice_date=timezone.localdate(), by=goods.root(),
        at=rows.AT,
    )  # fmt: skip
    invoices.match_invoice(invoice_id=made.pk, by=goods.root(), at=rows.AT)
    return User.objects.get(pk=mara.pk)


PLANNING = (
    "policy",
    "priceagreement",
    "orderwithverdicts",
    "decision",
    "item_",
    "workcenter",
    "week",
    "importjob",
    "index",
)
ON_A_PHONE = ("/dock/", "/receipts/", "/shipments/", "/orders/", "/balances/")
"""Where people stand, not sit."""


def chosen(found: list[Page], request: pytest.FixtureRequest) -> list[Page]:
    """One of each kind, and of planning pages, which are all made alike, a few; with `--every-page` all there are."""
    if request.config.getoption("--every-page"):
        return found
    kinds = {page.name for page in found}
    return [
        page
        for page in found
        if page.name.rpartition("-")[0] not in kinds
        and (not page.is_planning or any(word in page.name for word in PLANNING))
        and not page.name.endswith("_add")  # it looks as what is changed does
    ]


def violations(tab: Tab, pages: list[Page]) -> list[str]:
    found = []
    for page in pages:
        tab.goto(page.address)
        tab.evaluate(AXE)
        looks = [("light", ALL, DESK), ("dark", COLOURS, DESK)]
        if page.address.startswith(ON_A_PHONE):
            looks.append(("light", ALL, PHONE))
        for theme, rules, size in looks:
            tab.set_viewport_size(size)
            found += [f"{page.address} {theme} {size['width']}: {said}" for said in tab.evaluate(LOOK, [theme, rules])]
    return found


def test_everybody_can_use_our_pages(desk: Tab, mara: User, request: pytest.FixtureRequest):
    ours = chosen(all_pages(user=mara, planning=False), request)

    found = violations(desk, ours)

    assert len(ours) > 45
    assert found == [], "\n".join(found)


def test_everybody_can_use_the_planning_pages(desk: Tab, mara: User, request: pytest.FixtureRequest):
    planning = chosen(all_pages(user=mara, only=["admin:"]), request)

    found = violations(desk, planning)

    assert len(planning) > 12
    assert found == [], "\n".join(found)
