"""Shipments in JSON, and what is said of them when they are put together, split, held or given up."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.requests import RowSerializer, StrictFields
from shipments.models import Shipment, ShipmentLine

QUANTITY: dict[str, Any] = {"max_digits": 18, "decimal_places": 5}


class ShipmentLineSerializer(RowSerializer[ShipmentLine]):
    """So much of one component of one order line, of one lot once it is picked."""

    item = serializers.CharField(source="item.code")
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    order = serializers.CharField(source="order_line.order.number")
    line = serializers.IntegerField(source="order_line.line_no")

    class Meta:
        model = ShipmentLine
        fields = ["position", "item", "lot", "stage", "quantity", "order", "line"]
        read_only_fields = fields


class ShipmentSerializer(RowSerializer[Shipment]):
    """Material on its way from a place of ours (or another vendor's) to a vendor's.

    `ready`: it has not left, and all of it is there to go. `arrives_on`: when it delivers itself.
    """

    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code")
    to = serializers.CharField(source="to_location.code")
    ready = serializers.BooleanField()
    lines = ShipmentLineSerializer(many=True)

    class Meta:
        model = Shipment
        fields = [
            "number", "status", "ready", "vendor", "site", "to", "dispatch_by", "version", "created_at", "dispatched_at",
            "arrives_on", "delivered_at", "reversed_at", "lines",
        ]  # fmt: skip
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own, so it cannot be declared as the others are.
        return {**super().get_fields(), "from": serializers.CharField(source="from_location.code", read_only=True)}


class StayingSerializer(serializers.Serializer[Any]):
    """A shipment of the same orders that has not left."""

    number = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField(help_text="What whoever holds it has said; blank where nobody does.")
    detail = serializers.CharField(source="__str__")


class DispatchedSerializer(ShipmentSerializer):
    """The shipment that left, and what of its orders stays."""

    staying = StayingSerializer(many=True)

    class Meta(ShipmentSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "staying"]
        read_only_fields = fields


class ShippedSerializer(DispatchedSerializer):
    """The shipment that was made; where parts leave from several places, the further ones by number; and what stays."""

    also_shipped = serializers.ListField(child=serializers.CharField(), default=list)

    class Meta(DispatchedSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "also_shipped", "staying"]
        read_only_fields = fields


class ToPickSerializer(StrictFields, serializers.Serializer[Any]):
    """So much of an item; of a lot, of an order's line, of the pieces of a stage (blank: material) where they are named."""

    item = serializers.CharField(max_length=60)
    quantity = serializers.DecimalField(**QUANTITY)
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    stage = serializers.CharField(max_length=90, required=False, allow_blank=True)
    order = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1, required=False)


class ShipSerializer(StrictFields, serializers.Serializer[Any]):
    """What to ship: of one order or several of one vendor; without lines all that is open and can go."""

    order = serializers.CharField(max_length=20, required=False)
    orders = serializers.ListField(child=serializers.CharField(max_length=20), required=False, allow_empty=False)
    lines = ToPickSerializer(many=True, required=False)
    to = serializers.CharField(max_length=60, required=False)
    hold = serializers.BooleanField(required=False, default=False)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own, so it cannot be declared as the others are.
        return {**super().get_fields(), "from": serializers.CharField(max_length=60, required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("order" in attrs) == ("orders" in attrs):
            raise serializers.ValidationError("Name the order, or several orders of one vendor.", "required")
        return attrs


class PickSerializer(StrictFields, serializers.Serializer[Any]):
    """What of a shipment goes; without lines all of it."""

    lines = ToPickSerializer(many=True, required=False)


class SplitSerializer(StrictFields, serializers.Serializer[Any]):
    """What is taken off a planned shipment, onto one of its own."""

    lines = ToPickSerializer(many=True)


class WhySerializer(StrictFields, serializers.Serializer[Any]):
    """Why, where there is something to say."""

    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
