"""What a service refuses in English stands in German wherever a German looks: pages, planning, the vendor's link."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from masterdata.models import Unit, Vendor
from subcontract_orders.models import SubcontractOrder
from tests.workbench import goods, rows

GERMAN = {"accept-language": "de"}


@pytest.fixture
def german(client: Client, db: None) -> Client:
    user = rows.user("mara", "administrator")
    User.objects.filter(pk=user.pk).update(language="de", is_superuser=True, is_staff=True)
    client.force_login(User.objects.get(pk=user.pk))
    return client


def shown(client: Client, name: str, *args: Any, data: dict[str, Any] | None = None) -> str:
    ask = client.get if data is None else client.post
    return ask(reverse(name, args=args), data, headers=GERMAN, follow=True).content.decode()


def test_an_act_on_an_order_that_is_refused_says_so_in_german_and_the_api_in_english(german: Client):
    order = goods.sent_order()

    page = shown(german, "workbench:approve", order.number, data={})
    answer = german.post(f"/api/v1/subcontract-orders/{order.number}/approve/", headers=GERMAN)

    assert f"{order.number} ist schon gesendet." in page
    assert answer.json()["detail"] == f"{order.number} is already sent."
    assert SubcontractOrder.objects.get().status == "sent"


def test_planning_says_in_german_what_still_uses_a_unit(german: Client):
    order = goods.sent_order()
    unit = Unit.objects.get(pk=order.lines.get().item.unit_id)

    german.post(
        reverse("admin:masterdata_unit_take_out_of_use", args=[unit.pk]), {"_form_submitted": "True"}, headers=GERMAN
    )
    page = shown(german, "admin:masterdata_unit_change", unit.pk)

    assert f"Einheit {unit} bleibt in Gebrauch: verwendet von " in page
    assert "stays in use" not in page
    assert Unit.objects.get(pk=unit.pk).is_active


def test_a_form_in_planning_says_in_german_what_is_wrong_with_a_field(german: Client):
    order = goods.sent_order()
    vendor = Vendor.objects.get(pk=order.vendor_id)

    page = shown(
        german, "admin:masterdata_vendor_change", vendor.pk,
        data={"code": vendor.code, "name": vendor.name, "belongs_to": vendor.pk},
    )  # fmt: skip

    assert "Ein Lieferant ist nicht sein eigener Standort." in page
    assert "is not a site of its own" not in page


def test_a_link_that_does_not_open_says_why_in_german(db: None, client: Client):
    page = client.get("/v/no-link-of-ours/", headers=GERMAN).content.decode()

    assert "Dieser Link ist keiner von uns, oder ein Teil davon fehlt." in page
