"""An order as data: UBL 2.1 Order, for vendors whose systems read it."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from lxml import etree

from masterdata.printing import company, own_party, vendor_party
from masterdata.rules.ubl import Adder, as_xml, document_root, plain
from production.models import Supply
from subcontract_orders.models import OrderComponent, OrderLine, OrderRevision, SubcontractOrder
from subcontract_orders.printing import tell_as_sent

ZERO = Decimal(0)
SERVICE = "220"  # UNCL 1001: order


def order_xml(*, order_id: int) -> bytes:
    """An order as UBL 2.1: the version in force, or, of an order never sent, what it says now. The same as its paper says.

    A line's work is its price by quantity; minimum, lot charge and freight are charges of the line. Material we give,
    certificates asked for and what is done stand as properties of the item.
    """
    order = SubcontractOrder.objects.select_related("vendor", "site", "currency").get(pk=order_id)
    sent = OrderRevision.objects.filter(order=order, sent_at__isnull=False).order_by("-revision").first()
    zone = ZoneInfo(order.site.time_zone or company().time_zone)
    day = (sent.sent_at if sent and sent.sent_at else order.created_at).astimezone(zone)
    root, add = document_root("Order"), Adder(order.currency.code, order.currency.decimals)
    add.text(root, "UBLVersionID", "2.1")
    add.text(root, "ID", order.number)
    add.text(root, "IssueDate", day.date().isoformat())
    add.text(root, "OrderTypeCode", SERVICE)
    add.text(root, "Note", f"Version {sent.revision if sent else order.revision}")
    add.text(root, "DocumentCurrencyCode", order.currency.code)
    add.party(root, "BuyerCustomerParty", own_party(order.site))
    add.party(root, "SellerSupplierParty", vendor_party(order.vendor))
    lines = list(
        OrderLine.objects.active()
        .filter(order=order)
        .select_related("item__unit", "process", "production_order", "receive_at", "sent_receive_at")
        .prefetch_related("promises")
        .order_by("line_no")
    )
    tell_as_sent(order, lines)
    parts: dict[int, list[OrderComponent]] = {}
    for part in OrderComponent.objects.filter(line__in=lines).select_related("item__unit").order_by("line", "position"):
        parts.setdefault(part.line_id, []).append(part)
    total = add.group(root, "AnticipatedMonetaryTotal")
    add.amount(total, "PayableAmount", sum((line.amount_in_force for line in lines), ZERO))
    for line in lines:
        _line(root, add, line, parts.get(line.pk, []))
    return as_xml(root)


def _line(root: etree._Element, add: Adder, line: OrderLine, parts: list[OrderComponent]) -> None:
    made = add.group(add.group(root, "OrderLine"), "LineItem")
    unit = line.item.unit.code if line.item.unit else ""
    add.text(made, "ID", str(line.line_no))
    if line.is_price_open:
        add.text(made, "Note", "Price to be confirmed")
    add.quantity(made, "Quantity", line.quantity_in_force, unit)
    add.amount(made, "LineExtensionAmount", line.amount_in_force)
    add.text(made, "PartialDeliveryIndicator", "true" if line.promises_in_force else "false")
    promised = [(one.quantity, one.promised_date) for one in line.promises_in_force]
    for quantity, due in promised or [(line.quantity_in_force, line.promised_in_force)]:
        delivery = add.group(made, "Delivery")
        add.quantity(delivery, "Quantity", quantity, unit)
        add.text(add.group(delivery, "DeliveryLocation"), "ID", line.receive_at_in_force.code)
        add.text(add.group(delivery, "RequestedDeliveryPeriod"), "EndDate", due.isoformat())
    # A version that waits may have other charges; what is in force is then known as a whole only.
    charges = (("Minimum", line.minimum_top_up), ("Lot charge", line.lot_charge), ("Freight", line.freight))
    for reason, amount in charges if line.sent_amount is None else ():
        if amount:
            charge = add.group(made, "AllowanceCharge")
            add.text(charge, "ChargeIndicator", "true")
            add.text(charge, "AllowanceChargeReason", reason)
            add.amount(charge, "Amount", amount)
    price = add.group(made, "Price")
    add.amount(price, "PriceAmount", line.unit_price_in_force, exact=True)
    if line.price_factor and line.price_factor != 1:
        add.quantity(price, "BaseQuantity", line.price_factor, unit)
    item = add.group(made, "Item")
    work = (line.process and line.process.name) or line.description or "Bought complete"
    add.text(item, "Description", line.specification or line.description or work)
    add.text(item, "Name", line.item.name or line.item.code)
    add.text(add.group(item, "BuyersItemIdentification"), "ID", line.item.code)
    reference = f"{line.production_order.number} / {line.operation_no}".rstrip(" /") if line.production_order else ""
    properties = [("work", work), ("revision", line.item_revision), ("production order", reference)]
    properties += [("certificate", one) for one in line.certificates]
    properties += [
        ("by-product" if part.supply == Supply.BY_PRODUCT else "material", _material(part)) for part in parts
    ]
    for name, value in properties:
        if value:
            said = add.group(item, "AdditionalItemProperty")
            add.text(said, "Name", name)
            add.text(said, "Value", value)


def _material(part: OrderComponent) -> str:
    unit = part.item.unit.code if part.item.unit else ""
    return f"{part.item.code} {plain(part.required_in_force)} {unit}: {part.get_supply_display()}"
