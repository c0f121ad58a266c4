"""Bad pieces that leave a need uncovered are said, and nothing is ordered by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from activity.models import Alert
from receipts.services import inspect_receipt
from subcontract_orders.models import OrderLine
from tests.documents import plans
from tests.receipts.goods import LATER, at_vendor, counted, receive, reverse


def asked() -> list[Any]:
    return list(Alert.objects.open().filter(kind="short_receipt").values_list("subject", "proposes", "after"))


def test_rejects_and_scrap_propose_a_further_line_and_order_none():
    line = at_vendor()
    receipt = receive(counted(line, 6, rejected=3, scrapped=1))

    assert asked() == [("SC-00001/1", "order", {"quantity": "4"})]
    plans.generate(plans.date(2026, 3, 10))
    assert OrderLine.objects.count() == 1

    reverse(receipt)
    assert asked() == []


def test_what_the_yield_allows_for_is_not_missing():
    line = at_vendor(quantity=8, yield_pct=80)
    assert line.quantity == 10

    receive(counted(line, 4, scrapped=1))
    assert asked() == []
    receive(counted(line, 3, scrapped=2), note="DN-2")

    assert asked() == [("SC-00001/1", "order", {"quantity": "1"})]


def test_pieces_that_are_being_mended_are_expected_once():
    line = at_vendor(inspection="all")
    receipt = receive(counted(line, 8))
    said = {"receipt_id": receipt.pk, "line_no": 1, "by": None, "at": plans.moment(LATER)}

    inspect_receipt(accepted=Decimal(0), rejected=Decimal(1), disposition="rework", **said)
    assert asked() == []
    inspect_receipt(accepted=Decimal(5), rejected=Decimal(2), disposition="scrap", **said)

    assert asked() == [("SC-00001/1", "order", {"quantity": "2"})]  # 5 are here, 1 is mended, 2 are still to come
