"""axe-core finds nothing on the goods' pages: WCAG 2.2, A and AA, in both themes, on the desk and on a phone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import axe_playwright_python
import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Access, Role, User
from inventory.models import Lot
from receipts import services as receipts
from receipts.models import Return
from tests.workbench import goods, rows

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = ({"width": 1440, "height": 900}, {"width": 390, "height": 844})
pytestmark = pytest.mark.slow


@pytest.fixture
def addresses(monkeypatch) -> list[str]:
    """Pages with something on them."""
    monkeypatch.setattr(rows, "AT", timezone.now())
    rows.company(), rows.site()
    order = goods.shipped_order(lines=2, stock=200, lot="L-1")
    receipt = goods.receipt_of(order, rejected=Decimal(2))
    line = receipt.lines.get()
    Access.objects.create(user=User.objects.get(username="mara"), role=Role.QUALITY)  # who sees inspection as well
    receipts.return_product(receipt_line_id=line.pk, quantity=Decimal(3), by=goods.root(), at=rows.AT)
    waiting = goods.sent_order()
    draft = rows.order()
    raw, lot = "10482-RAW", Lot.objects.get(code="L-1").code
    note = f"/receipts/{receipt.number}"
    return [
        "/dock/", "/dock/dispatch/", f"/dock/dispatch/{goods.shipment_of(waiting).number}/", "/dock/receive/",
        f"/dock/receive/?order={order.number}", "/dock/inspect/", f"/dock/inspect/{receipt.number}/", "/dock/count/",
        "/dock/count/?vendor=V1", f"/dock/count/?vendor=V1&item={raw}&lot={lot}",
        "/balances/", "/balances/of/V1/", "/balances/of/V1/return/", f"/balances/of/V1/write-off/?item={raw}&lot={lot}",
        "/trace/", f"/trace/?item={raw}&lot={lot}", "/shipments/", f"/shipments/{goods.shipment_of(order).number}/",
        "/receipts/", f"{note}/", f"{note}/lines/1/correct/", f"{note}/lines/1/consumption/", f"{note}/lines/1/send-back/",
        "/returns/?tab=all", f"/returns/{Return.objects.get().number}/", f"/orders/{order.number}/", f"/orders/{draft.number}/",
    ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_the_goods_pages(desk: Page, addresses: list[str], theme: str):
    found = []
    for size in SIZES:
        desk.set_viewport_size(size)
        for address in addresses:
            desk.goto(address)
            desk.evaluate("(theme) => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
            desk.evaluate(AXE)
            options = {"runOnly": RULES, "resultTypes": ["violations"]}
            answer = desk.evaluate("(options) => axe.run(document, options)", options)
            found += [
                f"{address} at {size['width']}: {one['id']}, {one['nodes'][0]['html'][:120]}"
                for one in answer["violations"]
            ]

    assert found == []
