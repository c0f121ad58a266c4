"""Orders and delivery notes as UBL 2.1: valid by the OASIS schema, with what the papers say."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from accounts.models import Role
from masterdata.rules.ubl import NS
from shipments.models import Shipment
from shipments.printing.electronic import delivery_note_xml
from subcontract_orders.models import OrderLine
from subcontract_orders.printing.electronic import order_xml
from tests.documents import plans
from tests.documents.test_api import client_of
from tests.played import played
from tests.ubl import errors


def said(content: bytes, path: str) -> list[str]:
    return [one.text or "" for one in etree.fromstring(content).iterfind(path, NS)]


@played
def ordered(**fields: object) -> int:
    plans.base(**fields)  # type: ignore[arg-type]
    plans.plan("P1", "FG", 10, "2026-03-30")
    plans.generate()
    return plans.order(1).pk


def test_an_order_says_as_data_what_its_paper_says():
    pk = ordered(
        processes=[{"code": "Plating", "certificates": ["coating thickness"]}],
        prices=[
            {"vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": "7.125",
             "lot_charge": 25, "lead_days": 5, "valid_from": "2026-01-01"}
        ],
    )  # fmt: skip
    plans.send(1)

    content = order_xml(order_id=pk)

    assert errors(content, "Order") == []
    line = "cac:OrderLine/cac:LineItem"
    assert said(content, "cbc:ID") == ["SC-00001"]
    assert said(content, f"{line}/cbc:Quantity") == ["10"]
    assert said(content, f"{line}/cac:Price/cbc:PriceAmount") == ["7.125"]
    assert said(content, f"{line}/cac:Delivery/cac:RequestedDeliveryPeriod/cbc:EndDate") == [
        OrderLine.objects.get().promised_date.isoformat()
    ]
    assert said(content, f"{line}/cac:Item/cac:AdditionalItemProperty/cbc:Value") == [
        "Plating", "P1 / 10", "coating thickness", "RM 10 pcs: We ship it",
    ]  # fmt: skip
    [total] = said(content, "cac:AnticipatedMonetaryTotal/cbc:PayableAmount")
    assert Decimal(total) == plans.order(1).total


def test_charges_of_an_order_never_sent_stand_apart():
    pk = ordered(
        prices=[
            {"vendor": "V1", "item": "FG", "operation_name": "Plating", "currency": "EUR", "unit_price": 1, "lot_charge": 25,
             "minimum_charge": 100, "lead_days": 5, "valid_from": "2026-01-01"}
        ]
    )  # fmt: skip

    content = order_xml(order_id=pk)

    assert errors(content, "Order") == []
    charges = "cac:OrderLine/cac:LineItem/cac:AllowanceCharge"
    assert said(content, f"{charges}/cbc:AllowanceChargeReason") == ["Minimum", "Lot charge"]
    assert said(content, f"{charges}/cbc:Amount") == ["90.00", "25.00"]


def test_a_delivery_note_names_parts_lots_and_order_lines():
    ordered(items=[{"code": "RM", "kind": "raw", "standard_cost": 100, "lot_tracked": "yes"}])
    plans.send(1)
    for lot, quantity in (("", 0), ("A", 6), ("B", 6)):
        plans.load({"stock": [{"item": "RM", "location": "MAIN", "quantity": quantity, "lot": lot}]})
    client_of(Role.DOCK).post("/api/v1/shipments/", {"order": "SC-00001"}, format="json")
    shipment = Shipment.objects.exclude(dispatched_at=None).get()

    content = delivery_note_xml(shipment_id=shipment.pk)

    assert errors(content, "DespatchAdvice") == []
    line = "cac:DespatchLine"
    assert said(content, f"{line}/cbc:DeliveredQuantity") == ["6", "4"]
    assert said(content, f"{line}/cac:Item/cac:ItemInstance/cac:LotIdentification/cbc:LotNumberID") == ["A", "B"]
    assert said(content, f"{line}/cac:OrderLineReference/cac:OrderReference/cbc:ID") == ["SC-00001", "SC-00001"]
    assert said(content, "cbc:Note") == ["The material remains property of Scenario."]


def test_both_are_files_over_the_api_for_whoever_sees_them():
    ordered()
    plans.send(1)
    buyer = client_of(Role.BUYER)

    order = buyer.get("/api/v1/subcontract-orders/SC-00001/document.xml")
    note = buyer.get("/api/v1/shipments/SH-00001/delivery-note.xml")

    for answer, name in ((order, "SC-00001"), (note, "SH-00001")):
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.xml"'
    assert client_of(Role.DOCK).get("/api/v1/subcontract-orders/SC-00001/document.xml").status_code in (403, 404)
