"""Bills of material and routings in JSON: one per item, its rows named as the import columns."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.requests import CodeField, ExternalRefSerializer, RowSerializer, StrictFields
from masterdata.models import Item, Process, WorkCenter
from production.models import BomLine, Outsourced, RoutingStep


class BomLineSerializer(StrictFields, RowSerializer[BomLine]):
    """A component of a made item. A blank operation number ties it to the first operation."""

    component = CodeField(queryset=Item.objects.all())
    quantity_basis = serializers.ChoiceField(
        source="basis", choices=BomLine._meta.get_field("basis").choices or (), required=False
    )
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = BomLine
        fields = [
            "component",
            "quantity",
            "scrap_pct",
            "operation_no",
            "supply",
            "quantity_basis",
            "source",
            "external_refs",
        ]
        extra_kwargs = {"scrap_pct": {"min_value": 0}}

    def validate_quantity(self, quantity: Any) -> Any:
        if quantity <= 0:
            raise serializers.ValidationError("A quantity is above zero.", "min_value")
        return quantity


class BomSerializer(StrictFields, serializers.Serializer[Any]):
    """The bill of material of an item. `lines` is the whole bill: what is left out is gone."""

    item = CodeField(queryset=Item.objects.all())
    lines = BomLineSerializer(many=True)


class RoutingStepSerializer(StrictFields, RowSerializer[RoutingStep]):
    """One step of a routing. Where no step names what follows, they follow one another by sequence."""

    process = CodeField(queryset=Process.objects.all(), allow_null=True, required=False)
    work_center = CodeField(queryset=WorkCenter.objects.all(), allow_null=True, required=False)
    sequence = serializers.IntegerField(min_value=1, max_value=999_999_999, required=False)
    run_minutes_per_unit = serializers.DecimalField(
        source="run_minutes", max_digits=12, decimal_places=6, min_value=0, allow_null=True, required=False
    )
    outsourced = serializers.ChoiceField(
        choices=Outsourced.choices, required=False, help_text="Left out: yes at an external work center, else no."
    )
    next_operation_no = serializers.ListField(
        source="next_nos", child=serializers.CharField(max_length=20), required=False, max_length=50
    )
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = RoutingStep
        fields = [
            "operation_no", "sequence", "name", "process", "work_center", "setup_minutes", "run_minutes_per_unit", "outsourced",
            "next_operation_no", "source", "external_refs",
        ]  # fmt: skip
        extra_kwargs = {"setup_minutes": {"min_value": 0}}


class AlternativeSerializer(StrictFields, serializers.Serializer[Any]):
    """A named variant of a routing, whole."""

    variant = serializers.CharField(max_length=60)
    steps = RoutingStepSerializer(many=True)


class RoutingSerializer(StrictFields, serializers.Serializer[Any]):
    """How an item is made: its routing and the variants of it. Each list given is whole: what is left out of it is gone."""

    item = CodeField(queryset=Item.objects.all())
    steps = RoutingStepSerializer(many=True, required=False)
    alternatives = AlternativeSerializer(many=True, required=False)
