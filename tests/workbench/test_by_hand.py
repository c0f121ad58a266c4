"""The page that asks a vendor for work no plan asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.test import Client

from accounts.models import Role
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder
from tests.workbench import rows

PAGE = "/orders/by-hand/"


def typed(**fields: Any) -> dict[str, Any]:
    rows.vendor(), rows.item(), rows.process()
    return {
        "vendor": "V1", "site": "MAIN", "reason": "Sample", "key": "k1", "rows": "1", "item-0": "10482-B",
        "process-0": "Anodise, black", "quantity-0": "5", "need_date-0": "2026-07-31", "unit_price-0": "7,40",
        "material-0": "pieces", **fields,
    }  # fmt: skip


def test_a_draft_is_made_and_shown(desk: Client):
    answer = desk.post(PAGE, typed(), follow=True)

    order = SubcontractOrder.objects.get()
    assert answer.redirect_chain == [(f"/orders/{order.number}/", 302)]
    assert f"{order} is a draft. Approve it, then send it." in answer.content.decode()
    line = OrderLine.objects.get()
    assert (line.quantity, line.unit_price, line.amount) == (5, Decimal("7.40"), 37)
    assert list(OrderComponent.objects.values_list("item__code", "required")) == [("10482-B", 5)]


def test_a_form_sent_twice_makes_one_order(desk: Client):
    desk.post(PAGE, typed())
    desk.post(PAGE, typed())

    assert SubcontractOrder.objects.count() == 1


def test_what_is_refused_stands_beside_its_field_and_what_was_typed_stays(desk: Client):
    answer = desk.post(PAGE, typed(**{"quantity-0": "1.5", "item-0": "10482-B", "reason": "Sample of May"}))

    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="wrong-quantity-0" role="alert">10482-B is counted in 0 decimals; 1.5 has more: say 1 or 2.' in text
    assert 'value="Sample of May"' in text
    assert not SubcontractOrder.objects.exists()


def test_every_field_that_cannot_be_read_is_named_at_once(desk: Client):
    answer = desk.post(
        PAGE, typed(**{"vendor": "", "quantity-0": "", "item-0": "X", "need_date-0": "", "unit_price-0": "much"})
    )

    text = answer.content.decode()
    assert answer.status_code == 422
    for said in (
        "Choose a vendor.",
        "Write how many.",
        "There is no part X.",
        "Write when the pieces are needed.",
        "much is not a quantity",
    ):
        assert said in text


def test_a_process_and_a_site_nobody_knows_are_refused_instead_of_left_out(desk: Client):
    answer = desk.post(PAGE, typed(**{"process-0": "GILD", "site": "MOON"}))

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "There is no process GILD." in text
    assert "There is no site MOON." in text
    assert not SubcontractOrder.objects.exists()


def test_lines_are_added_one_by_one_and_empty_ones_are_left_out(desk: Client):
    page = desk.post(PAGE, typed(more="1"))
    assert page.status_code == 200
    assert 'name="quantity-1"' in page.content.decode()
    assert not SubcontractOrder.objects.exists()

    desk.post(
        PAGE,
        typed(rows="3", **{"item-2": "10482-B", "quantity-2": "2", "need_date-2": "2026-07-31", "unit_price-2": "1"}),
    )

    assert list(OrderLine.objects.order_by("line_no").values_list("line_no", "quantity")) == [(1, 5), (2, 2)]


def test_a_refusal_stands_at_the_line_it_is_of_though_one_before_was_left_empty(desk: Client):
    answer = desk.post(
        PAGE,
        typed(rows="3", **{"item-2": "10482-B", "quantity-2": "2", "need_date-2": "2026-07-31", "unit_price-2": ""}),
    )

    assert 'id="wrong-unit_price-2" role="alert">No price of' in answer.content.decode()
    assert not SubcontractOrder.objects.exists()


def test_only_who_may_order_sees_the_page(client: Client):
    client.force_login(rows.user("otto", Role.DOCK))

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, typed()).status_code == 403
    assert not SubcontractOrder.objects.exists()


def test_the_list_of_orders_leads_there(desk: Client):
    assert f'href="{PAGE}"' in desk.get("/orders/").content.decode()
    assert desk.get(PAGE).status_code == 200
