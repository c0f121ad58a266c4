"""A delivery note as data: UBL 2.1 DespatchAdvice."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from masterdata.printing import company, own_party, vendor_party
from masterdata.rules.ubl import Adder, as_xml, document_root, plain
from shipments.models import GONE, Shipment
from shipments.printing import weight


def delivery_note_xml(*, shipment_id: int) -> bytes:
    """What its paper says: one line for each part and lot, of which order line it is for. Its day is that on which it left, else
    the one by which it is to leave; a note says where it has not left yet.
    """
    shipment = Shipment.objects.select_related("vendor", "site", "from_location", "to_location").get(pk=shipment_id)
    rows = list(
        shipment.lines.select_related("item__unit", "lot", "order_line__order").order_by(
            "order_line__order__number", "order_line__line_no", "position", "pk"
        )
    )
    owner = company()
    zone = ZoneInfo(shipment.site.time_zone or owner.time_zone)
    left = shipment.dispatched_at.astimezone(zone).date() if shipment.dispatched_at else shipment.dispatch_by
    root, add = document_root("DespatchAdvice"), Adder()
    add.text(root, "UBLVersionID", "2.1")
    add.text(root, "ID", shipment.number)
    add.text(root, "IssueDate", (left or shipment.created_at.astimezone(zone).date()).isoformat())
    add.text(
        root, "Note", f"The material remains property of {owner.name or shipment.site.name or shipment.site.code}."
    )
    if shipment.status not in GONE:
        add.text(root, "Note", f"{shipment.get_status_display()}: not dispatched")
    for order in dict.fromkeys(row.order_line.order.number for row in rows):
        add.text(add.group(root, "OrderReference"), "ID", order)
    add.party(root, "DespatchSupplierParty", own_party(shipment.site))
    add.party(root, "DeliveryCustomerParty", vendor_party(shipment.vendor))
    weights = [weight(row.item, row.quantity) for row in rows]
    goods = add.group(root, "Shipment")
    add.text(goods, "ID", shipment.number)
    if weights and None not in weights:
        net = sum((one for one in weights if one is not None), Decimal(0))
        add.text(goods, "NetWeightMeasure", plain(net)).set("unitCode", "KGM")
    add.text(add.group(add.group(goods, "Delivery"), "DeliveryLocation"), "ID", shipment.to_location.code)
    for number, row in enumerate(rows, 1):
        line = add.group(root, "DespatchLine")
        add.text(line, "ID", str(number))
        add.quantity(line, "DeliveredQuantity", row.quantity, row.item.unit.code if row.item.unit else "")
        reference = add.group(line, "OrderLineReference")
        add.text(reference, "LineID", str(row.order_line.line_no))
        add.text(add.group(reference, "OrderReference"), "ID", row.order_line.order.number)
        item = add.group(line, "Item")
        add.text(item, "Name", row.item.name or row.item.code)
        add.text(add.group(item, "BuyersItemIdentification"), "ID", row.item.code)
        if row.stage:
            said = add.group(item, "AdditionalItemProperty")
            add.text(said, "Name", "finished at")
            add.text(said, "Value", row.stage)
        if row.lot:
            lot = add.group(add.group(item, "ItemInstance"), "LotIdentification")
            add.text(lot, "LotNumberID", row.lot.code)
    return as_xml(root)
