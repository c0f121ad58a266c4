"""Stock in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.requests import ExternalRefSerializer, RowSerializer
from inventory.models import Balance, CostPool, Movement


class BalanceSerializer(RowSerializer[Balance]):
    """What lies where: an item, its lot and stage. A stage names the operation that finished the pieces."""

    item = serializers.CharField(source="item.code")
    location = serializers.CharField(source="location.code")
    site = serializers.CharField(source="location.site.code", default=None, allow_null=True)
    vendor = serializers.CharField(source="location.vendor.code", default=None, allow_null=True)
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    unit = serializers.CharField(source="item.unit.code", default=None, allow_null=True)
    external_refs = ExternalRefSerializer(many=True)

    class Meta:
        model = Balance
        fields = [
            "item",
            "location",
            "site",
            "vendor",
            "lot",
            "stage",
            "quantity",
            "unit",
            "since",
            "source",
            "external_refs",
        ]
        read_only_fields = fields


class ValueSerializer(RowSerializer[CostPool]):
    """What stock that shares one cost is worth, in company currency: an item at a site, a lot of it, or a stage of its making."""

    item = serializers.CharField(source="item.code")
    site = serializers.CharField(source="site.code", default=None, allow_null=True)
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    unit_cost = serializers.DecimalField(max_digits=18, decimal_places=5, allow_null=True)

    class Meta:
        model = CostPool
        fields = ["item", "site", "lot", "stage", "quantity", "value", "unit_cost"]
        read_only_fields = fields


class DocumentSerializer(serializers.Serializer[Any]):
    """What made a movement."""

    kind = serializers.CharField(source="document_kind")
    number = serializers.CharField(source="document_number")
    line = serializers.IntegerField(source="document_line", allow_null=True)


class MovementSerializer(RowSerializer[Movement]):
    """A quantity of an item taken from one location to another, with its value. Final."""

    item = serializers.CharField(source="item.code")
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    to = serializers.CharField(source="to_location.code")
    document = DocumentSerializer(source="*")
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    is_reversal = serializers.SerializerMethodField()

    class Meta:
        model = Movement
        fields = [
            "item", "lot", "stage", "to", "quantity", "value", "document", "occurred_at", "recorded_at", "by", "reason",
            "is_reversal",
        ]  # fmt: skip
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own, so it cannot be declared as the others are.
        return {**super().get_fields(), "from": serializers.CharField(source="from_location.code", read_only=True)}

    def get_is_reversal(self, movement: Movement) -> bool:
        return movement.reverses_id is not None
