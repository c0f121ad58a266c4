"""Document sets and runs in JSON: the order with its lines and components, what is shipped, what is expected, what happened."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from activity.serializers import EventSerializer
from core.requests import CodeField, ExternalRefSerializer, RowSerializer, StrictFields
from documents import services
from documents.models import GenerationRun, RunItem
from masterdata.models import Item, Process, Site, Vendor
from production.models import Supply
from receipts.models import ExpectedReceipt
from receipts.services import Leftovers
from shipments.serializers import ShipmentSerializer
from subcontract_orders.models import LinePromise, OrderComponent, OrderLine, OrderRevision, SubcontractOrder
from subcontract_orders.services import CounteredLine, Part

QUANTITY = {"max_digits": 18, "decimal_places": 5}


class ComponentSerializer(RowSerializer[OrderComponent]):
    """Material the vendor needs for a line: required, on its way there and back, and how it reaches him."""

    item = serializers.CharField(source="item.code")
    ship_from = serializers.CharField(source="ship_from.code", default=None, allow_null=True)
    at_vendor = serializers.DecimalField(**QUANTITY)

    class Meta:
        model = OrderComponent
        fields = [
            "position", "item", "stage", "supply", "basis", "quantity_per", "scrap_pct", "required", "sent", "direct",
            "carried_in", "found", "consumed", "returned", "written_off", "lost", "carried_out", "at_vendor", "ship_from",
        ]  # fmt: skip
        read_only_fields = fields


class PromiseSerializer(RowSerializer[LinePromise]):
    """A part of a line the vendor promised by a date of its own."""

    class Meta:
        model = LinePromise
        fields = ["quantity", "promised_date"]
        read_only_fields = fields


class ToldFileSerializer(serializers.Serializer[Any]):
    """A file the vendor was given with a line; fetched by `sha256`."""

    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")


class OrderLineSerializer(RowSerializer[OrderLine]):
    """One operation (or an item bought complete): quantity, frozen price, dates, rules of the policy, components."""

    line = serializers.IntegerField(source="line_no")
    receive_at = serializers.CharField(source="receive_at.code", help_text="Where its pieces come back to.")
    production_order = serializers.CharField(source="production_order.number", default=None, allow_null=True)
    operation = serializers.CharField(
        source="operation_no", help_text="Blank where the whole order is bought complete."
    )
    last_operation = serializers.CharField(
        source="last_operation_no", help_text="The last of consecutive operations bought together; blank for one alone."
    )
    bought_complete = serializers.BooleanField(source="is_whole")
    item = serializers.CharField(source="item.code")
    item_name = serializers.CharField(source="item.name")
    unit = serializers.CharField(source="item.unit.code", default=None, allow_null=True)
    process = serializers.CharField(source="process.code", default=None, allow_null=True)
    received = serializers.DecimalField(**QUANTITY)
    open = serializers.DecimalField(source="open_quantity", **QUANTITY)
    price_open = serializers.BooleanField(source="is_price_open")
    policy = serializers.CharField(source="policy_code")
    promised_date = serializers.DateField(
        help_text="When its pieces are to be here; `need_date` is when they are of use, inspected."
    )
    certificates = serializers.ListField(child=serializers.CharField())
    specification_files = ToldFileSerializer(many=True)
    pinned = serializers.JSONField(help_text="Fields a person has set, with who, when and why; runs leave them.")
    quantity_in_force = serializers.DecimalField(
        **QUANTITY, help_text="What the vendor was last sent; differs while a dearer revision waits."
    )
    promises = PromiseSerializer(
        many=True, source="promises_in_force", help_text="The parts he promised of what was sent last."
    )
    components = ComponentSerializer(many=True)
    external_refs = ExternalRefSerializer(many=True)

    class Meta:
        model = OrderLine
        fields = [
            "line", "status", "production_order", "operation", "last_operation", "bought_complete", "item", "item_name", "unit",
            "process", "description", "quantity", "received", "accepted", "rejected", "scrapped", "reordered", "forgone", "open",
            "yield_pct",
            "unit_price", "price_unit", "price_factor", "price_open", "work_amount", "minimum_top_up", "lot_charge", "freight",
            "amount", "amount_company", "receive_at",
            "need_date", "vendor_ready_date", "at_vendor_date", "dispatch_by", "order_by", "promised_date", "late_by",
            "policy", "over_receipt_pct", "under_receipt_pct", "over_send_pct", "consumption", "shortage", "inspection",
            "sample_pct", "certificates", "item_revision", "specification", "specification_files", "rejects",
            "price_tolerance_pct", "price_tolerance_amount", "quantity_tolerance_pct", "pay_for",
            "use_vendor_stock", "pinned", "quantity_in_force", "promises", "components", "source", "external_refs",
        ]  # fmt: skip
        read_only_fields = fields


class SubcontractOrderSerializer(RowSerializer[SubcontractOrder]):
    """A subcontract order as lists show it."""

    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    ship_to = serializers.CharField(source="ship_to.code")
    receive_at = serializers.CharField(source="receive_at.code")
    currency = serializers.CharField(source="currency.code")
    due = serializers.DateField(source="due_date", allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", default=None, allow_null=True)
    sent_by = serializers.CharField(source="sent_by.username", default=None, allow_null=True)

    class Meta:
        model = SubcontractOrder
        fields = [
            "number", "vendor", "site", "ship_to", "receive_at", "status", "revision", "version", "currency", "total",
            "total_company", "material", "receipt", "order_by", "dispatch_by", "due", "auto_send_at", "made_by_run", "created_at",
            "approved_at", "approved_by", "sent_at", "sent_by", "acknowledged_at", "closed_at", "cancelled_at",
        ]  # fmt: skip
        read_only_fields = fields


class ExpectedReceiptSerializer(RowSerializer[ExpectedReceipt]):
    """What is still expected of an order line, by when and where."""

    order = serializers.CharField(source="order_line.order.number")
    line = serializers.IntegerField(source="order_line.line_no")
    vendor = serializers.CharField(source="order_line.order.vendor.code")
    item = serializers.CharField(source="item.code")
    date = serializers.DateField(source="expected_on")
    location = serializers.CharField(source="location.code")

    class Meta:
        model = ExpectedReceipt
        fields = ["order", "line", "vendor", "item", "quantity", "date", "location"]
        read_only_fields = fields


class RevisionSerializer(RowSerializer[OrderRevision]):
    """A revision of an order, as it was sent or waits to be."""

    class Meta:
        model = OrderRevision
        fields = ["revision", "made_at", "sent_at", "reason"]
        read_only_fields = fields


class SubcontractOrderDetailSerializer(SubcontractOrderSerializer):
    """A subcontract order with its whole document set and history."""

    lines = OrderLineSerializer(many=True)
    revisions = RevisionSerializer(many=True)
    shipments = ShipmentSerializer(many=True)
    expected_receipts = ExpectedReceiptSerializer(many=True)
    history = EventSerializer(many=True)

    class Meta(SubcontractOrderSerializer.Meta):
        fields = [
            *SubcontractOrderSerializer.Meta.fields, "lines", "revisions", "shipments", "expected_receipts", "history",
        ]  # fmt: skip
        read_only_fields = fields


class ReasonGivenSerializer(StrictFields, serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=300)


class ApplySerializer(StrictFields, serializers.Serializer[Any]):
    """What an alert proposes is done as it says, or otherwise where item, revision or specification of what is out changed."""

    way = serializers.ChoiceField(
        services.Way.choices,
        required=False,
        default=services.Way.CHANGE,
        help_text="Only where `after` has `item`, `item_revision` or `specification`.",
    )


class ReasonSerializer(StrictFields, serializers.Serializer[Any]):
    """Why, where there is something to say."""

    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class CloseSerializer(StrictFields, serializers.Serializer[Any]):
    """What becomes of our material at the vendor."""

    leftovers = serializers.ChoiceField(choices=Leftovers.choices, required=False, default=Leftovers.KEEP)


class ChangeLineSerializer(StrictFields, serializers.Serializer[Any]):
    """Fields of a line of an order never sent; each is pinned, so that runs leave it."""

    quantity = serializers.DecimalField(**QUANTITY, required=False)
    unit_price = serializers.DecimalField(**QUANTITY, required=False)
    need_date = serializers.DateField(required=False)
    reason = serializers.CharField(max_length=300)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) < 2:
            raise serializers.ValidationError("Say what changes: quantity, unit_price or need_date.", "nothing_to_do")
        return attrs


class PartSerializer(StrictFields, serializers.Serializer[Any]):
    """So much by a date."""

    quantity = serializers.DecimalField(**QUANTITY)
    promised_date = serializers.DateField()


class CounteredLineSerializer(StrictFields, serializers.Serializer[Any]):
    """What the vendor offers for one line: another quantity or date, or several parts with a date each."""

    line = serializers.IntegerField(min_value=1)
    quantity = serializers.DecimalField(**QUANTITY, required=False)
    promised_date = serializers.DateField(required=False)
    parts = PartSerializer(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "parts" in attrs and attrs.keys() & {"quantity", "promised_date"}:
            raise serializers.ValidationError("Give parts, or one quantity and date.", "invalid")
        return attrs


class CounterSerializer(CounteredLineSerializer):
    """A vendor's counter-offer: one line, or `lines` for several."""

    line = serializers.IntegerField(min_value=1, required=False)
    lines = CounteredLineSerializer(many=True, required=False)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rows = [*attrs.get("lines", ())]
        if "line" in attrs:
            rows.append(super().validate(attrs))
        elif not rows or attrs.keys() & {"quantity", "promised_date", "parts"}:
            raise serializers.ValidationError({"line": "Name the line."}, "required")
        return {
            "reason": attrs["reason"],
            "lines": [
                CounteredLine(
                    row["line"],
                    tuple(Part(**part) for part in row.get("parts", ()))
                    or (Part(row.get("quantity"), row.get("promised_date")),),
                )
                for row in rows
            ],
        }


class PromisedLineSerializer(StrictFields, serializers.Serializer[Any]):
    """When the vendor says a line will be ready and here."""

    line = serializers.IntegerField(min_value=1)
    promised_date = serializers.DateField()


class AcknowledgeSerializer(StrictFields, serializers.Serializer[Any]):
    """The vendor's yes, perhaps with his own dates."""

    lines = PromisedLineSerializer(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"promised": {row["line"]: row["promised_date"] for row in attrs.get("lines", ())}}


class ReviseSerializer(StrictFields, serializers.Serializer[Any]):
    """A line of an order the vendor has, and what it becomes."""

    line = serializers.IntegerField(min_value=1, source="line_no")
    quantity = serializers.DecimalField(**QUANTITY, required=False)
    unit_price = serializers.DecimalField(**QUANTITY, required=False)
    need_date = serializers.DateField(required=False)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"quantity", "unit_price", "need_date"}:
            raise serializers.ValidationError("Say what changes: quantity, unit_price or need_date.", "nothing_to_do")
        return attrs


# Runs


class GivenPartSerializer(StrictFields, serializers.Serializer[Any]):
    """Material for a line: so much for each piece."""

    item = CodeField(queryset=Item.objects.select_related("unit"))
    quantity = serializers.DecimalField(**QUANTITY)
    supply = serializers.ChoiceField(choices=Supply.choices, default=Supply.OWN)


class HandLineSerializer(StrictFields, serializers.Serializer[Any]):
    """What is asked for. Without `process` the item is bought complete, or `description` says what is done. Without `unit_price`
    (of one of the item's unit) the agreed price counts; without `material` the item's bill of material, [] is none.
    """

    item = CodeField(queryset=Item.objects.select_related("unit"))
    quantity = serializers.DecimalField(**QUANTITY)
    need_date = serializers.DateField()
    process = CodeField(queryset=Process.objects.all(), required=False, allow_null=True)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)
    unit_price = serializers.DecimalField(**QUANTITY, required=False, allow_null=True)
    lead_days = serializers.IntegerField(min_value=0, max_value=999, required=False, allow_null=True)
    material = GivenPartSerializer(many=True, required=False, allow_null=True)


class OrderByHandSerializer(StrictFields, serializers.Serializer[Any]):
    """An order a person makes, without a plan: a draft like any other."""

    vendor = CodeField(queryset=Vendor.objects.select_related("currency"))
    site = CodeField(queryset=Site.objects.all(), required=False, allow_null=True)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    lines = HandLineSerializer(many=True, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        lines = []
        for row in attrs["lines"]:
            material = row.pop("material", None)
            parts = None if material is None else [services.GivenPart(**part) for part in material]
            lines.append(services.HandLine(**row, material=parts))
        return {**attrs, "lines": lines}


class ScopeSerializer(StrictFields, serializers.Serializer[Any]):
    """What a run is narrowed to, by business keys; left out: everything."""

    site = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
    item = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
    production_order = serializers.ListField(child=serializers.CharField(max_length=60), required=False)


class StartRunSerializer(StrictFields, serializers.Serializer[Any]):
    """A run of the main job."""

    scope = ScopeSerializer(required=False)
    dry_run = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a run is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    percent = serializers.IntegerField()


class GenerationRunSerializer(RowSerializer[GenerationRun]):
    """A run of the main job: how far it is, what it looked at, what it did, and what it refused and why."""

    dry_run = serializers.BooleanField(source="is_dry")
    scope = serializers.JSONField()
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    settled_by = serializers.CharField(source="settled_by.username", default=None, allow_null=True)
    progress = serializers.SerializerMethodField()
    refused = serializers.DictField(
        source="blocked_by", child=serializers.IntegerField(), help_text="How many operations each reason holds back."
    )

    class Meta:
        model = GenerationRun
        fields = [
            "number", "state", "dry_run", "scope", "reason", "requested_by", "requested_at", "on", "started_at", "decided_at",
            "finished_at", "progress", "operations", "in_house", "outsource", "review", "blocked", "created", "changed",
            "cancelled", "alerts", "orders", "lines", "shipments", "refused", "error",
            "change_pct", "change_value", "held_because", "settled_by", "settled_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_progress(self, run: GenerationRun) -> ProgressSerializer:
        return ProgressSerializer(services.progress(run)).data  # type: ignore[return-value]


class RunItemSerializer(RowSerializer[RunItem]):
    """One difference a run found, and what became of it."""

    production_order = serializers.CharField(source="operation.production_order.number")
    operation = serializers.CharField(source="operation.operation_no")
    order = serializers.CharField(source="order_number")
    due = serializers.DateField(source="due_date", allow_null=True)

    class Meta:
        model = RunItem
        fields = ["action", "production_order", "operation", "order", "quantity", "due", "outcome"]
        read_only_fields = fields
