"""A message that tells of an act offers to take it back where that is possible: one click, by the same right."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Role
from inventory.models import Balance
from receipts.models import Receipt, Return
from subcontract_orders.models import OrderStatus
from tests.workbench import goods, rows
from tests.workbench.test_dock import note_of
from tests.workbench.test_return_pages import with_surplus
from workbench.rules.undoing import offering, tags_of, undo_of


def undo(client: Client, answer) -> str:
    """What the page says after its Undo was pressed."""
    address = re.search(r'<form class="sc-note-act" method="post" action="([^"]+)">', answer.content.decode())
    assert address, "nothing is offered"
    return client.post(address[1], follow=True).content.decode()


def lying() -> list[tuple[str, str, str]]:
    found = Balance.objects.filter(quantity__gt=0).values_list("item__code", "location__code", "quantity")
    return sorted((item, place, str(quantity)) for item, place, quantity in found)


def test_an_approval_is_taken_back(desk):
    order = rows.order()

    said = undo(desk, desk.post(f"/orders/{order.number}/approve/", follow=True))

    order.refresh_from_db()
    assert order.status == OrderStatus.DRAFT
    assert f"The approval of {order.number} is withdrawn. It is a draft again." in said
    assert "Approval withdrawn" in said


@pytest.mark.parametrize(
    ("status", "act", "fields"), [("draft", "hold", {"reason": "wait"}), ("sent", "close", {"leftovers": "keep"})]
)
def test_a_held_or_closed_order_goes_on(desk, status, act, fields):
    order = rows.order(status=status) if status == "draft" else goods.sent_order()

    undo(desk, desk.post(f"/orders/{order.number}/{act}/", fields, follow=True))

    order.refresh_from_db()
    assert order.status == status


@pytest.mark.parametrize("where", ["/shipments/{}/dispatch/", "/dock/dispatch/{}/"])
def test_what_left_lies_where_it_lay(desk, where):
    shipment = goods.shipment_of(goods.sent_order())
    before = lying()

    said = undo(desk, desk.post(where.format(shipment.number), {"quantity-1": "100"}, follow=True))

    assert lying() == before
    assert f"{shipment.number} is taken back" in said


def test_a_receipt_is_taken_back_and_its_note_is_free_again(client):
    client.force_login(rows.user("dirk", Role.DOCK))
    line = goods.line_of(goods.shipped_order())
    before = lying()

    answer = client.post("/dock/receive/", note_of(line, accepted="40"), follow=True)
    said = undo(client, answer)

    assert "data-kept-done=" in answer.content.decode()
    assert lying() == before
    assert Receipt.objects.get().status == "reversed"
    assert "may be counted again" in said


def test_a_return_is_taken_back(desk):
    with_surplus()
    before = lying()

    undo(desk, desk.post("/balances/of/V1/return/", {"quantity-0": "4"}, follow=True))

    assert lying() == before
    assert Return.objects.get().status == "reversed"


def test_what_has_moved_on_is_refused_in_words_and_nothing_is_undone(desk):
    order = rows.order()
    answer = desk.post(f"/orders/{order.number}/approve/", follow=True)
    desk.post(f"/orders/{order.number}/send/")

    said = undo(desk, answer)

    order.refresh_from_db()
    assert order.status == OrderStatus.SENT
    assert 'role="alert"' in said


def test_what_cannot_be_taken_back_offers_nothing(desk):
    order = rows.order(status=OrderStatus.APPROVED)

    answer = desk.post(f"/orders/{order.number}/send/", follow=True)

    assert "sc-note-act" not in answer.content.decode()


@pytest.mark.no_database
def test_other_tags_of_a_message_stay_apart():
    tags = offering("/orders/SC-1/withdraw-approval/", "count/V 1/A B")

    assert (tags_of(tags), undo_of(tags)) == ("count/V 1/A B", "/orders/SC-1/withdraw-approval/")
    assert (tags_of("dispatch/SH-1"), undo_of("dispatch/SH-1"), undo_of("")) == ("dispatch/SH-1", "", "")
