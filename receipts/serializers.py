"""Receipts in JSON: what came on a vendor's note, what was used up for it, what waits for inspection."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from activity.serializers import EventSerializer
from core.requests import CodeField, RowSerializer, StrictFields
from inventory.serializers import MovementSerializer
from masterdata.models import Item, Location, Vendor
from production.models import ProductionOrder
from receipts.models import (
    DirectDelivery,
    Disposition,
    Fault,
    Finding,
    PurchaseRequest,
    Receipt,
    ReceiptLine,
    ReceiptLot,
    Return,
    ReturnKind,
    ReturnLine,
)
from receipts.services import OfLot
from subcontract_orders.models import OrderLine

QUANTITY = {"max_digits": 18, "decimal_places": 5}


class ReceiptLotSerializer(RowSerializer[ReceiptLot]):
    """So many good pieces in a lot, or one serial number."""

    lot = serializers.CharField(source="lot.code")

    class Meta:
        model = ReceiptLot
        fields = ["lot", "quantity"]
        read_only_fields = fields


class ByProductSerializer(serializers.Serializer[Any]):
    """So much of a by-product (in a lot) that came with a line, and its value in company currency."""

    item = serializers.CharField()
    lot = serializers.CharField(allow_blank=True)
    quantity = serializers.DecimalField(**QUANTITY)
    value = serializers.DecimalField(**QUANTITY)


class FindingSerializer(RowSerializer[Finding]):
    """What somebody found about pieces, or let pass: who, when and why."""

    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    waived = serializers.ListField(child=serializers.CharField())
    certificates = serializers.ListField(child=serializers.CharField())
    by = serializers.CharField(source="by.username", default=None, allow_null=True)

    class Meta:
        model = Finding
        fields = ["accepted", "rejected", "disposition", "fault", "lot", "waived", "certificates", "reason", "at", "by"]
        read_only_fields = fields


class ReceiptLineSerializer(RowSerializer[ReceiptLine]):
    """What came for one order line, in the item's unit; values in company currency."""

    line = serializers.IntegerField(source="line_no")
    order = serializers.CharField(source="order_line.order.number")
    order_line = serializers.IntegerField(source="order_line.line_no")
    item = serializers.CharField(source="item.code")
    location = serializers.CharField(source="location.code")
    lots = ReceiptLotSerializer(many=True)
    findings = FindingSerializer(many=True)
    consumed = serializers.SerializerMethodField(help_text="Quantity used of each component, by item code.")
    by_products = serializers.SerializerMethodField(help_text="What came out beside the pieces.")
    held_for = serializers.ListField(child=serializers.CharField())
    certificates = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ReceiptLine
        fields = [
            "line", "order", "order_line", "item", "accepted", "rejected", "scrapped", "reworked", "sent_back", "disposed",
            "stage", "location", "lots", "consumed", "by_products", "components_value", "work_value", "by_products_value",
            "expensed_value", "held", "held_for", "to_inspect", "is_sample", "certificates", "fault", "findings",
        ]  # fmt: skip
        read_only_fields = fields

    def get_consumed(self, line: ReceiptLine) -> dict[str, str]:
        used: dict[str, Any] = {}
        for row in line.consumptions.all():
            used[row.item.code] = used.get(row.item.code, 0) + row.quantity
        return {code: str(quantity) for code, quantity in used.items()}

    @extend_schema_field(ByProductSerializer(many=True))
    def get_by_products(self, line: ReceiptLine) -> list[dict[str, Any]]:
        came: dict[tuple[str, str], list[Decimal]] = {}
        for row in line.by_products.all():
            sums = came.setdefault((row.item.code, row.lot.code if row.lot else ""), [Decimal(0), Decimal(0)])
            sums[0] += row.quantity
            sums[1] += row.value
        return [
            {"item": item, "lot": lot, "quantity": f"{quantity}", "value": f"{value}"}
            for (item, lot), (quantity, value) in came.items()
        ]


class ReceiptSerializer(RowSerializer[Receipt]):
    """A receipt as lists show it."""

    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    supplement = serializers.BooleanField(source="is_supplement")
    posted_by = serializers.CharField(source="posted_by.username", default=None, allow_null=True)
    reversed_by = serializers.CharField(source="reversed_by.username", default=None, allow_null=True)

    class Meta:
        model = Receipt
        fields = [
            "number", "status", "vendor", "site", "note", "note_date", "supplement", "received_at", "posted_at", "posted_by",
            "reversed_at", "reversed_by", "refusal", "version",
        ]  # fmt: skip
        read_only_fields = fields


class ReceiptDetailSerializer(ReceiptSerializer):
    """A receipt with its lines and history."""

    lines = ReceiptLineSerializer(many=True)
    history = EventSerializer(many=True)

    class Meta(ReceiptSerializer.Meta):
        fields = [*ReceiptSerializer.Meta.fields, "lines", "history"]
        read_only_fields = fields


class OrderCostsSerializer(RowSerializer[ProductionOrder]):
    """What a production order has cost so far and was expected to, in company currency."""

    production_order = serializers.CharField(source="number")
    item = serializers.CharField(source="item.code")
    components = serializers.DecimalField(source="costs.components", **QUANTITY)
    work = serializers.DecimalField(source="costs.work", **QUANTITY)
    charges = serializers.DecimalField(source="costs.charges", **QUANTITY)
    by_products = serializers.DecimalField(source="costs.by_products", **QUANTITY)
    actual = serializers.DecimalField(source="costs.actual", **QUANTITY)
    expected = serializers.DecimalField(source="costs.expected", **QUANTITY)

    class Meta:
        model = ProductionOrder
        fields = [
            "production_order",
            "item",
            "quantity",
            "components",
            "work",
            "charges",
            "by_products",
            "actual",
            "expected",
        ]
        read_only_fields = fields


# What is written


class CameBesideSerializer(StrictFields, serializers.Serializer[Any]):
    """So much of a by-product that came; without a lot, in that of the pieces."""

    item = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY)
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class CountedLineSerializer(StrictFields, serializers.Serializer[Any]):
    """What was counted for one order line. `consumed`: what the vendor declares he used, by item code.

    `by_products`: what came out beside the pieces; left out, it is taken as the bill of material says.
    """

    order = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1)
    accepted = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    rejected = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    scrapped = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    serials = serializers.ListField(child=serializers.CharField(max_length=60), required=False, default=list)
    consumed = serializers.DictField(child=serializers.DecimalField(**QUANTITY), required=False, allow_null=True)
    by_products = CameBesideSerializer(many=True, required=False, allow_null=True, default=None)
    certificates = serializers.ListField(child=serializers.CharField(max_length=60), required=False, default=list)
    inspect_quantity = serializers.DecimalField(**QUANTITY, required=False, allow_null=True, default=None)


class InspectSerializer(StrictFields, serializers.Serializer[Any]):
    """What was found of a line's pieces, and what becomes of the rejected ones."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    accepted = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    rejected = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    disposition = serializers.ChoiceField(choices=Disposition.choices, required=False, default="")
    fault = serializers.ChoiceField(choices=Fault.choices, required=False, default=Fault.OPEN)
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class AdjustConsumptionSerializer(StrictFields, serializers.Serializer[Any]):
    """So much more of a component was used for a line than was booked; less, where below zero."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    item = CodeField(queryset=Item.objects.all())
    quantity = serializers.DecimalField(**QUANTITY)
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**{name: value for name, value in attrs.items() if name != "item"}, "item_id": attrs["item"].pk}


class CorrectSerializer(StrictFields, serializers.Serializer[Any]):
    """What should have been counted on a line, and why it is corrected."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    accepted = serializers.DecimalField(**QUANTITY)
    rejected = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    scrapped = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=250)


class CertificatesSerializer(StrictFields, serializers.Serializer[Any]):
    """Certificates of a line that came later."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    certificates = serializers.ListField(child=serializers.CharField(max_length=60), allow_empty=False)


class WaiveSerializer(StrictFields, serializers.Serializer[Any]):
    """What a line's pieces need not wait for any more: all of it where no kind is named."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    kinds = serializers.ListField(child=serializers.CharField(max_length=60), required=False, default=list)
    reason = serializers.CharField(max_length=300)


class PostReceiptSerializer(StrictFields, serializers.Serializer[Any]):
    """A vendor's delivery note, counted. Name the vendor, or an order of his; a line without an order is of that one."""

    vendor = CodeField(queryset=Vendor.objects.all(), required=False)
    order = serializers.CharField(max_length=20, required=False)
    note = serializers.CharField(max_length=60)
    note_date = serializers.DateField(required=False, allow_null=True, default=None)
    received_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    supplement = serializers.BooleanField(required=False, default=False)
    quarantine = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Where the books refuse it, put the goods into quarantine and tell the buyer.",
    )
    lines = CountedLineSerializer(many=True, allow_empty=False, max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "vendor" not in attrs and "order" not in attrs:
            raise serializers.ValidationError({"vendor": "Name the vendor, or an order of his."})
        return attrs


class ReturnLineSerializer(RowSerializer[ReturnLine]):
    """So much of an item that comes back (or, of product, goes back), and whose it was; without an order free stock."""

    line = serializers.IntegerField(source="line_no")
    item = serializers.CharField(source="item.code")
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    to = serializers.CharField(source="to_location.code")
    order = serializers.SerializerMethodField()
    order_line = serializers.SerializerMethodField()

    class Meta:
        model = ReturnLine
        fields = ["line", "item", "lot", "stage", "quantity", "lost", "to", "order", "order_line"]
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own, so it cannot be declared as the others are.
        return {**super().get_fields(), "from": serializers.CharField(source="from_location.code", read_only=True)}

    def get_order(self, line: ReturnLine) -> str | None:
        found = self._of(line)
        return found.order.number if found else None

    def get_order_line(self, line: ReturnLine) -> int | None:
        found = self._of(line)
        return found.line_no if found else None

    @staticmethod
    def _of(line: ReturnLine) -> OrderLine | None:
        if line.component:
            return line.component.line
        return line.receipt_line.order_line if line.receipt_line else None


class ReturnSerializer(RowSerializer[Return]):
    """Material of ours that comes back from a vendor, or pieces of his that go back to him."""

    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    lines = ReturnLineSerializer(many=True)

    class Meta:
        model = Return
        fields = [
            "number", "kind", "status", "version", "vendor", "site", "reason", "created_at", "created_by", "dispatched_at",
            "arrives_on", "posted_at", "reversed_at", "lines",
        ]  # fmt: skip
        read_only_fields = fields


class MaterialLineSerializer(StrictFields, serializers.Serializer[Any]):
    """So much of an item to come back."""

    item = CodeField(queryset=Item.objects.all())
    quantity = serializers.DecimalField(**QUANTITY)
    lot = serializers.CharField(max_length=60, required=False, default="")
    stage = serializers.CharField(max_length=90, required=False, default="")


class CameBackSerializer(StrictFields, serializers.Serializer[Any]):
    """So much of a line of a return arrived."""

    line = serializers.IntegerField(min_value=1, max_value=1_000_000)
    quantity = serializers.DecimalField(**QUANTITY)


class ReceiveReturnSerializer(StrictFields, serializers.Serializer[Any]):
    """Lines of which less arrived than left; without them all of it has. What is missing was lost on the way."""

    lines = CameBackSerializer(many=True, required=False, default=list)
    reason = serializers.CharField(max_length=150, required=False, default="", allow_blank=True)


class PostReturnSerializer(StrictFields, serializers.Serializer[Any]):
    """Material: `vendor`, and `lines` or all that is not needed there. Product: `receipt`, `line`, `quantity`."""

    kind = serializers.ChoiceField(choices=ReturnKind.choices, required=False)
    vendor = CodeField(queryset=Vendor.objects.all(), required=False)
    lines = MaterialLineSerializer(many=True, required=False, allow_null=True)
    receipt = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    quantity = serializers.DecimalField(**QUANTITY, required=False)
    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind") or (ReturnKind.PRODUCT if "receipt" in attrs else ReturnKind.MATERIAL)
        needed = ("vendor",) if kind == ReturnKind.MATERIAL else ("receipt", "line", "quantity")
        missing = [name for name in needed if name not in attrs]
        if missing:
            raise serializers.ValidationError({name: ["This field is required."] for name in missing}, code="required")
        foreign = [
            name
            for name in ("vendor", "lines", "receipt", "line", "quantity")
            if name in attrs and name not in (*needed, "lines" if kind == ReturnKind.MATERIAL else "")
        ]
        if foreign:
            said = f"A return of {kind} has no such field."
            raise serializers.ValidationError({name: [said] for name in foreign}, code="unknown_field")
        return {**attrs, "kind": kind}


class VendorBalanceSerializer(serializers.Serializer[Any]):
    """What of ours lies at a vendor, in the item's unit, over the period asked for."""

    vendor = serializers.CharField(source="row.location.vendor.code")
    location = serializers.CharField(source="row.location.code")
    item = serializers.CharField(source="row.item.code")
    lot = serializers.CharField(source="row.lot.code", default=None, allow_null=True)
    stage = serializers.CharField(source="row.stage")
    unit = serializers.CharField(source="row.item.unit.code", default=None, allow_null=True)
    opening = serializers.DecimalField(**QUANTITY)
    sent = serializers.DecimalField(**QUANTITY)
    direct = serializers.DecimalField(**QUANTITY)
    consumed = serializers.DecimalField(**QUANTITY)
    returned = serializers.DecimalField(**QUANTITY)
    written_off = serializers.DecimalField(**QUANTITY)
    difference = serializers.DecimalField(**QUANTITY, help_text="What counts found missing; negative: more.")
    closing = serializers.DecimalField(**QUANTITY)
    since = serializers.DateTimeField(source="row.since", help_text="When what lies there now began to lie there.")
    age_days = serializers.IntegerField(allow_null=True)
    value = serializers.DecimalField(max_digits=18, decimal_places=2, help_text="Company currency, at cost as of now.")


class _AtVendorSerializer(StrictFields, serializers.Serializer[Any]):
    vendor = CodeField(queryset=Vendor.objects.all())
    item = CodeField(queryset=Item.objects.all())
    lot = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)
    stage = serializers.CharField(
        max_length=90,
        required=False,
        default=None,
        allow_null=True,
        allow_blank=True,
        help_text="Of pieces between two operations, the one that finished them; without it what of the item lies there.",
    )
    location = CodeField(queryset=Location.objects.at_vendors(), required=False, default=None)
    reason = serializers.CharField(max_length=200)


class CountVendorStockSerializer(_AtVendorSerializer):
    """A vendor's count of one item (of a lot) as of a time."""

    counted = serializers.DecimalField(**QUANTITY)
    as_of = serializers.DateTimeField(required=False, default=None)


class WriteOffSerializer(_AtVendorSerializer):
    """Material at a vendor that is lost for good."""

    quantity = serializers.DecimalField(**QUANTITY)


class CountedSerializer(serializers.Serializer[Any]):
    """What the book said as of the count's time, and the difference that was posted."""

    number = serializers.CharField()
    location = serializers.CharField(source="location.code")
    book = serializers.DecimalField(**QUANTITY)
    counted = serializers.DecimalField(**QUANTITY)
    variance = serializers.DecimalField(**QUANTITY)


class WrittenOffSerializer(serializers.Serializer[Any]):
    """The number a write-off was posted under."""

    number = serializers.CharField()


class GoodsSerializer(serializers.Serializer[Any]):
    item = serializers.CharField()
    lot = serializers.CharField()
    stage = serializers.CharField()


class StepSerializer(serializers.Serializer[Any]):
    """So much of one kind of goods was used up for another. `depth`: steps from the lot asked for."""

    depth = serializers.IntegerField()
    used = GoodsSerializer()
    used_quantity = serializers.DecimalField(**QUANTITY)
    made = GoodsSerializer()
    made_quantity = serializers.DecimalField(**QUANTITY)
    receipt = serializers.CharField()
    order = serializers.CharField()
    line = serializers.IntegerField()
    vendor = serializers.CharField()


class TraceSerializer(serializers.Serializer[Any]):
    """A lot's way, back to what it was made of and forward to what was made of it, and every movement of its own."""

    item = serializers.CharField(source="lot.item.code")
    lot = serializers.CharField(source="lot.code")
    expires_on = serializers.DateField(source="lot.expires_on", allow_null=True)
    back = StepSerializer(many=True)
    forward = StepSerializer(many=True)
    movements = MovementSerializer(many=True)


class PurchaseRequestSerializer(RowSerializer[PurchaseRequest]):
    """What a third party is to deliver to a vendor for an order line, in the item's unit. `wanted` is still to arrive, `to_order`
    what of it nobody ordered, `ordered` how much was ordered in all.
    """

    order = serializers.CharField(source="order.number")
    line = serializers.IntegerField(source="order_line.line_no")
    item = serializers.CharField(source="item.code")
    unit = serializers.CharField(source="item.unit.code", default=None, allow_null=True)
    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    ship_to = serializers.CharField(source="ship_to.code")
    ordered = serializers.DecimalField(source="purchase.quantity", default=None, allow_null=True, **QUANTITY)
    purchase_order = serializers.CharField(source="purchase.reference", default=None, allow_null=True)
    supplier = serializers.CharField(source="purchase.supplier", default=None, allow_null=True)
    ordered_at = serializers.DateTimeField(source="purchase.ordered_at", default=None, allow_null=True)
    ordered_by = serializers.CharField(source="purchase.ordered_by.username", default=None, allow_null=True)

    class Meta:
        model = PurchaseRequest
        fields = [
            "reference", "state", "order", "line", "item", "unit", "vendor", "site", "ship_to", "required", "arrived", "there",
            "wanted", "on_order", "to_order", "needed_on", "expected_on", "ordered", "purchase_order", "supplier", "ordered_at",
            "ordered_by",
        ]  # fmt: skip
        read_only_fields = fields


class OfLotSerializer(StrictFields, serializers.Serializer[Any]):
    """So much of a lot; 1 of a serial number."""

    lot = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY)


class DirectDeliverySerializer(RowSerializer[DirectDelivery]):
    """What a third party brought to a vendor for an order line; `value` in company currency."""

    order = serializers.CharField(source="order_line.order.number")
    line = serializers.IntegerField(source="order_line.line_no")
    item = serializers.CharField(source="item.code")
    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    location = serializers.CharField(source="location.code")
    lots = serializers.SerializerMethodField()
    posted_by = serializers.CharField(source="posted_by.username", default=None, allow_null=True)
    reversed_by = serializers.CharField(source="reversed_by.username", default=None, allow_null=True)

    class Meta:
        model = DirectDelivery
        fields = [
            "number", "status", "version", "order", "line", "item", "vendor", "site", "location", "note", "quantity", "lots",
            "value", "arrived_at", "posted_at", "posted_by", "reversed_at", "reversed_by",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OfLotSerializer(many=True))
    def get_lots(self, delivery: DirectDelivery) -> list[dict[str, str]]:
        return [{"lot": lot, "quantity": quantity} for lot, quantity in delivery.content["lots"]]


class OrderedSerializer(StrictFields, serializers.Serializer[Any]):
    """That a request was ordered. Without a quantity all that is wanted; with one, how much in all, what arrived included."""

    purchase_order = serializers.CharField(max_length=60, source="reference")
    supplier = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    expected_on = serializers.DateField()
    quantity = serializers.DecimalField(**QUANTITY, required=False, allow_null=True, default=None)


class ArrivedSerializer(StrictFields, serializers.Serializer[Any]):
    """What came to the vendor on a delivery note. `unit_cost` in company currency; without it the item's standard cost."""

    note = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY)
    lots = OfLotSerializer(many=True, required=False, max_length=500)
    unit_cost = serializers.DecimalField(**QUANTITY, required=False, allow_null=True, default=None)
    arrived_on = serializers.DateField(required=False, allow_null=True, default=None)

    def validate_lots(self, rows: list[dict[str, Any]]) -> list[OfLot]:
        return [OfLot(row["lot"], row["quantity"]) for row in rows]
