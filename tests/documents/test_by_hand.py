"""Orders by hand: without a plan, by the same rules, through the same steps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, User
from core.refusals import InvalidInput, InvalidQuantity, NoRight, Refusal, Refusals, TooPrecise
from documents import services as documents
from documents.services import GivenPart, HandLine, VendorCannot, check_invariants
from inventory.models import Balance
from masterdata.models import Item, Process, Vendor
from receipts import services as receipts
from receipts.models import ExpectedReceipt
from receipts.services import CountedLine
from shipments import services as shipments
from shipments.models import Shipment, ShipmentLine
from subcontract_orders.models import OrderComponent, OrderLine, OrderStatus, SubcontractOrder
from tests.documents import plans
from tests.documents.test_api import client_of

BY = date(2026, 3, 30)
ORDERS = "/api/v1/subcontract-orders/"


def item(code: str = "FG") -> Item:
    return Item.objects.get(code=code)


def wanted(quantity: int | str = 10, code: str = "FG", need: date = BY, **said: Any) -> HandLine:
    fields = {"process": Process.objects.get(code="Plating"), **said}
    return HandLine(item(code), Decimal(quantity), need, **fields)


def ask(*lines: HandLine, vendor: str = "V1", by: User | None = None, **said: Any) -> SubcontractOrder:
    return documents.order_by_hand(
        vendor=Vendor.objects.get(code=vendor), lines=lines, by=by or plans.boss(), at=plans.moment(), **said
    )


def test_an_order_by_hand_takes_the_agreed_price_and_what_the_bill_of_material_says():
    plans.base(
        prices=[
            {"vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 7, "lead_days": 5,
             "lot_charge": 25, "minimum_charge": 100, "valid_from": "2026-01-01"}
        ]
    )  # fmt: skip

    order = ask(wanted(10), reason="Sample")

    line = OrderLine.objects.get(order=order)
    assert (order.number, order.status, order.made_by_run, order.created_by) == ("SC-00001", "draft", "", plans.boss())
    assert (line.unit_price, line.work_amount, line.minimum_top_up, line.lot_charge) == (7, 70, 30, 25)
    assert (order.total, order.total_company, order.due_date) == (125, 125, BY)
    assert (line.need_date, line.promised_date, line.at_vendor_date) == (BY, BY, date(2026, 3, 23))
    assert list(OrderComponent.objects.values_list("item__code", "supply", "required")) == [("RM", "own", 10)]
    assert list(ShipmentLine.objects.values_list("shipment__status", "item__code", "quantity")) == [
        ("planned", "RM", 10)
    ]
    assert list(ExpectedReceipt.objects.values_list("item__code", "quantity", "expected_on")) == [("FG", 10, BY)]


def test_runs_leave_an_order_by_hand_alone_and_order_what_the_plan_needs_beside_it():
    plans.base()
    ask(wanted(10))
    plans.plan("P1", "FG", 10, "2026-03-30")

    plans.generate()
    plans.generate()

    assert plans.lines() == [
        ("SC-00001", "V1", None, "", Decimal(10), Decimal(1000)),
        ("SC-00002", "V1", "P1", "10", Decimal(10), Decimal(1000)),
    ]


def test_an_order_by_hand_is_sent_shipped_and_received_like_any_other():
    plans.base()
    order = ask(wanted(10))
    plans.send(1)

    shipments.dispatch(shipment_id=Shipment.objects.get().pk, by=plans.boss(), at=plans.moment())
    counted = CountedLine(order_line_id=OrderLine.objects.get().pk, accepted=Decimal(10))
    receipts.post_receipt(
        vendor_id=order.vendor_id, note="N1", lines=[counted], by=plans.boss(), at=plans.moment(BY)
    )  # fmt: skip

    order.refresh_from_db()
    assert (order.material, order.receipt) == ("complete", "complete")
    assert Balance.objects.get(item=item(), location__code="MAIN").quantity == 10
    assert Balance.objects.get(item=item("RM"), location__code="MAIN").quantity == 990
    assert check_invariants().differences == []


def test_rework_sends_the_pieces_themselves_at_a_price_a_person_names():
    plans.base(stock=[{"item": "FG", "location": "MAIN", "quantity": 5}])

    ask(
        wanted(
            5,
            process=None,
            description="Strip and plate again",
            unit_price=Decimal(3),
            material=[GivenPart(item(), Decimal(1))],
        )
    )

    line = OrderLine.objects.get()
    assert (line.description, line.unit_price, line.amount, line.agreement_id) == ("Strip and plate again", 3, 15, None)
    assert list(ShipmentLine.objects.values_list("item__code", "quantity")) == [("FG", 5)]


def test_an_order_without_material_ships_nothing():
    plans.base()

    ask(wanted(5, material=[]))

    assert OrderComponent.objects.count() == Shipment.objects.count() == 0
    assert ExpectedReceipt.objects.get().quantity == 5


def test_the_same_form_sent_twice_makes_one_order():
    plans.base()

    first, second = ask(wanted(5), key="form-1"), ask(wanted(5), key="form-1")

    assert first == second
    assert SubcontractOrder.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "refusal", "code", "field"),
    [
        ({"quantity": 0}, InvalidQuantity, "invalid_quantity", "lines.0.quantity"),
        ({"quantity": "1.5"}, TooPrecise, "too_precise", "lines.0.quantity"),
        ({"need": date(2026, 3, 1)}, InvalidInput, "invalid_date", "lines.0.need_date"),
        ({"need": date(2226, 3, 1)}, InvalidInput, "invalid_date", "lines.0.need_date"),
        ({"unit_price": Decimal(-1)}, InvalidInput, "invalid", "lines.0.unit_price"),
        ({"given": ("RM", 0, "own")}, InvalidQuantity, "invalid_quantity", "lines.0.material"),
        ({"given": ("RM", 1, "by_product")}, InvalidInput, "invalid", "lines.0.material"),
        ({"code": "RM"}, VendorCannot, "no_price", "lines.0.unit_price"),
    ],
)
def test_what_cannot_be_ordered_is_refused_by_name_and_nothing_is_written(
    said: dict[str, Any], refusal: type[Refusal], code: str, field: str
):
    plans.base()
    if "given" in said:
        part, quantity, supply = said["given"]
        said = {"material": [GivenPart(item(part), Decimal(quantity), supply)]}
    before = plans.count_rows()

    with pytest.raises(refusal) as refused:
        ask(wanted(**said))

    assert (refused.value.code, refused.value.field) == (code, field)
    assert plans.count_rows() == before


def test_every_bad_line_is_named():
    plans.base()

    with pytest.raises(Refusals) as refused:
        ask(wanted(0), wanted(5), wanted("0.5"))

    assert [one.field for one in refused.value.refusals] == ["lines.0.quantity", "lines.2.quantity"]


@pytest.mark.parametrize(
    ("approval", "code"),
    [
        ({"status": "suspended"}, "not_approved"),
        ({"status": "approved", "valid_to": "2026-02-01"}, "approval_expired"),
    ],
)
def test_a_vendor_who_may_not_do_it_is_not_asked_whatever_he_would_take(approval: dict[str, str], code: str):
    plans.base(vendor_approvals=[{"vendor": "V1", "process": "Plating", **approval}])

    with pytest.raises(VendorCannot) as refused:
        ask(wanted(5, unit_price=Decimal(1)))

    assert (refused.value.code, refused.value.field) == (code, "vendor")
    assert SubcontractOrder.objects.count() == 0


def test_an_inactive_vendor_is_not_asked():
    plans.base()
    Vendor.objects.filter(code="V1").update(is_active=False)

    with pytest.raises(VendorCannot) as refused:
        ask(wanted(5))

    assert refused.value.code == "inactive"


def test_prices_in_two_currencies_are_two_orders():
    price = {"vendor": "V2", "item": "FG", "operation_name": "Plating", "unit_price": 7, "valid_from": "2026-01-01"}
    plans.base(
        prices=[{**price, "currency": "USD"}, {**price, "item": "RM", "currency": "EUR"}],
        vendors=[{"code": "V2", "name": "Vendor Two", "currency": "USD"}],
        exchange_rates=[{"currency": "USD", "valid_from": "2026-01-01", "rate": "0.5"}],
    )

    with pytest.raises(InvalidInput) as refused:
        ask(wanted(5), wanted(5, "RM", material=[]), vendor="V2")

    assert refused.value.code == "mixed_currency"
    assert ask(wanted(5), vendor="V2").total_company == Decimal("17.5")


def test_somebody_of_another_site_orders_nothing_here():
    plans.base()
    stranger = User.objects.create(username="stranger")

    with pytest.raises(NoRight):
        ask(wanted(5), by=stranger)

    assert SubcontractOrder.objects.count() == 0


def test_buyers_order_by_hand_over_the_api_and_the_dock_may_not():
    plans.base()
    asked = {
        "vendor": "V1", "reason": "Sample",
        "lines": [{"item": "FG", "process": "Plating", "quantity": "5", "need_date": "2096-03-30", "material": []}],
    }  # fmt: skip
    soon = (timezone.localdate() + timezone.timedelta(days=60)).isoformat()  # the API reads the clock
    near = {**asked, "lines": [{**asked["lines"][0], "need_date": soon}]}
    buyer = client_of(Role.BUYER)

    made = buyer.post(ORDERS, near, format="json")

    assert (made.status_code, made.json()["status"], made.json()["total"]) == (201, "draft", "500.00")
    assert client_of(Role.DOCK).post(ORDERS, near, format="json").status_code == 403
    far = buyer.post(ORDERS, asked, format="json")
    assert (far.status_code, far.json()["errors"][0]["field"]) == (422, "lines.0.need_date")
    assert SubcontractOrder.objects.get().status == OrderStatus.DRAFT
