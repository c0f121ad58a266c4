"""Production orders in JSON, with the planner's words and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.refusals import InvalidInput, NotFound, Refusal, Refusals
from core.requests import CodeField, ExternalRefSerializer, RowSerializer, StrictFields
from masterdata.models import Item, Location, Process, Site, Vendor, WorkCenter
from policies.serializers.decisions import VerdictSerializer
from production.models import OperationStatus, OrderStatus, Outsourced, ProductionOrder
from production.services import PlannedOperation, PlannedOrder


class WordSerializer(serializers.Serializer[Any]):
    """The planner's word on an operation."""

    word = serializers.CharField()
    vendor = serializers.CharField(source="vendor.code", default=None, allow_null=True)
    reason = serializers.CharField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    at = serializers.DateTimeField()


class OperationSerializer(serializers.Serializer[Any]):
    """One step of a production order, with the planner's word and the verdict on it."""

    number = serializers.CharField(source="operation_no")
    sequence = serializers.IntegerField()
    name = serializers.CharField()
    process = serializers.CharField(source="process.code", default=None, allow_null=True)
    work_center = serializers.CharField(source="work_center.code", default=None, allow_null=True)
    setup_minutes = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    run_minutes_per_unit = serializers.DecimalField(
        source="run_minutes", max_digits=12, decimal_places=6, allow_null=True
    )
    outsourced = serializers.ChoiceField(choices=Outsourced.choices)
    next_operation_no = serializers.ListField(source="next_nos", child=serializers.CharField())
    quantity = serializers.DecimalField(max_digits=18, decimal_places=5)
    good = serializers.DecimalField(max_digits=18, decimal_places=5)
    scrap = serializers.DecimalField(max_digits=18, decimal_places=5)
    status = serializers.ChoiceField(choices=OperationStatus.choices)
    start = serializers.DateField(source="planned_start", allow_null=True)
    end = serializers.DateField(source="planned_end", allow_null=True)
    source = serializers.CharField()
    external_refs = ExternalRefSerializer(many=True)
    word = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()

    @extend_schema_field(WordSerializer(allow_null=True))
    def get_word(self, operation: Any) -> Any:
        word = next(iter(operation.current_words), None)
        return self._word.to_representation(word) if word else None

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_decision(self, operation: Any) -> Any:
        decision = self.context["decisions"].get(operation.pk)
        return self._verdict.to_representation(decision) if decision else None

    @cached_property
    def _word(self) -> WordSerializer:
        """One for all rows: its fields are copied for each serializer that is made."""
        return WordSerializer()

    @cached_property
    def _verdict(self) -> VerdictSerializer:
        return VerdictSerializer()


class ProductionOrderSerializer(RowSerializer[ProductionOrder]):
    """A production order as lists show it."""

    item = serializers.CharField(source="item.code")
    wanted_item = serializers.CharField(
        source="wanted_item.code",
        default=None,
        allow_null=True,
        help_text="What the plan makes of it now, while vendors were asked for work on `item`.",
    )
    start = serializers.DateField(source="start_date", allow_null=True)
    due = serializers.DateField(source="due_date")
    site = serializers.CharField(source="site.code")
    location = serializers.CharField(source="location.code", default=None, allow_null=True)
    parent_order = serializers.CharField(source="parent_number")
    external_refs = ExternalRefSerializer(many=True)

    class Meta:
        model = ProductionOrder
        fields = [
            "number", "item", "wanted_item", "quantity", "start", "due", "status", "site", "location", "routing_variant",
            "parent_order", "source", "external_refs", "version", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields


class ProductionOrderDetailSerializer(ProductionOrderSerializer):
    """A production order with its operations and the verdict on each."""

    operations = OperationSerializer(many=True)

    class Meta(ProductionOrderSerializer.Meta):
        fields = [*ProductionOrderSerializer.Meta.fields, "operations"]
        read_only_fields = fields


class Code(serializers.CharField):
    """A code that is looked up for all rows at once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, **kwargs)


class PlannedOperationSerializer(StrictFields, serializers.Serializer[Any]):
    """An operation as a plan states it; what is left out is as the routing has it."""

    number = serializers.CharField(max_length=20)
    sequence = serializers.IntegerField(min_value=1, max_value=999_999_999, required=False, allow_null=True)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    process = Code(required=False, allow_null=True)
    work_center = Code(required=False, allow_null=True)
    setup_minutes = serializers.DecimalField(
        max_digits=12, decimal_places=4, min_value=0, required=False, allow_null=True
    )
    run_minutes_per_unit = serializers.DecimalField(
        max_digits=12, decimal_places=6, min_value=0, required=False, allow_null=True
    )
    outsourced = serializers.ChoiceField(choices=Outsourced.choices, required=False)
    next_operation_no = serializers.ListField(child=serializers.CharField(max_length=20), required=False, max_length=50)
    good = serializers.DecimalField(max_digits=18, decimal_places=5, required=False, allow_null=True)
    scrap = serializers.DecimalField(max_digits=18, decimal_places=5, required=False, allow_null=True)
    status = serializers.ChoiceField(choices=OperationStatus.choices, required=False)
    start = serializers.DateField(required=False, allow_null=True)
    end = serializers.DateField(required=False, allow_null=True)
    source = serializers.CharField(max_length=60, required=False, allow_blank=True)
    external_refs = ExternalRefSerializer(many=True, required=False)


class PlannedOrderSerializer(StrictFields, serializers.Serializer[Any]):
    """A production order as a plan states it."""

    number = serializers.CharField(max_length=60)
    item = Code()
    quantity = serializers.DecimalField(max_digits=18, decimal_places=5)
    due = serializers.DateField()
    start = serializers.DateField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=OrderStatus.choices, required=False, allow_null=True)
    site = Code(required=False, allow_null=True, help_text="Blank: the location's, else the first site.")
    location = Code(required=False, allow_null=True)
    routing_variant = serializers.CharField(max_length=60, required=False, allow_blank=True, allow_null=True)
    parent_order = serializers.CharField(max_length=60, required=False, allow_blank=True, allow_null=True)
    replaces = serializers.CharField(
        max_length=60, required=False, allow_blank=True, allow_null=True,
        help_text="The planned order that became this one: its word and documents go on under the new number.",
    )  # fmt: skip
    source = serializers.CharField(max_length=60, required=False, allow_blank=True)
    external_refs = ExternalRefSerializer(many=True, required=False)
    operations = PlannedOperationSerializer(many=True, required=False)


class UpsertedSerializer(serializers.Serializer[Any]):
    """How many production orders are new, differ now, were so already, or are further on than the plan says and stay so."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    kept = serializers.IntegerField()


class OutsourceSerializer(StrictFields, serializers.Serializer[Any]):
    """The planner's word: outside, at a vendor where one is named."""

    vendor = CodeField(queryset=Vendor.objects.all(), required=False, allow_null=True)
    reason = serializers.CharField(max_length=300)


class InsourceSerializer(StrictFields, serializers.Serializer[Any]):
    """The planner's word: inside."""

    reason = serializers.CharField(max_length=300)


class ReportSerializer(StrictFields, serializers.Serializer[Any]):
    """Pieces made in house since the last report; `lot` for a tracked item's last operation (left out: the order's number)."""

    good = serializers.DecimalField(max_digits=18, decimal_places=5, required=False, default=Decimal(0))
    scrap = serializers.DecimalField(max_digits=18, decimal_places=5, required=False, default=Decimal(0))
    lot = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class UnknownCode(NotFound):
    """A code in what was sent that names nothing."""

    status = 422


class OutOfUse(InvalidInput):
    """A code in what was sent that names what nothing new may name any more."""

    code = "inactive"


def planned_orders(rows: Sequence[Mapping[str, Any]], *, many: bool) -> list[PlannedOrder]:
    """What the service takes, codes looked up in one query a kind. Raises Refusals that name every unknown code."""
    known = {
        model: _ids(model, (row.get(name) for row in found))
        for name, model, found in (
            ("item", Item, rows),
            ("site", Site, rows),
            ("process", Process, [operation for row in rows for operation in row.get("operations", [])]),
            ("work_center", WorkCenter, [operation for row in rows for operation in row.get("operations", [])]),
        )
    }
    codes = {row["location"] for row in rows if row.get("location")}
    places = {
        code: (pk, site_id)
        for code, pk, site_id in Location.objects.filter(code__in=codes).values_list("code", "pk", "site_id")
    }
    inactive = {model: _out_of_use(model, known[model]) for model in (Site, Process, WorkCenter)}
    inactive |= {Item: set(), Location: _out_of_use(Location, places)}
    missing: list[Refusal] = []

    def key(model: type[models.Model], code: str | None, field: str) -> int | None:
        if not code:
            return None
        if code not in known[model]:
            missing.append(UnknownCode(f"There is no {model._meta.verbose_name_raw} '{code}'.", field=field))
        return may_name(known[model].get(code), model, code, field)

    def may_name(pk: int | None, model: type[models.Model], code: str, field: str) -> int | None:
        if code in inactive[model]:
            missing.append(OutOfUse(f"'{code}' is out of use. Name another one, or activate it again.", field=field))
        return pk

    planned = []
    for index, row in enumerate(rows):
        at = f"[{index}]." if many else ""
        location, location_site = places.get(row.get("location") or "", (None, None))
        if row.get("location") and location is None:
            missing.append(UnknownCode(f"There is no location '{row['location']}'.", field=f"{at}location"))
        planned.append(
            PlannedOrder(
                number=row["number"],
                item_id=key(Item, row["item"], f"{at}item") or 0,
                quantity=row["quantity"],
                due_date=row["due"],
                start_date=row.get("start"),
                status=row.get("status"),
                site_id=key(Site, row.get("site"), f"{at}site") or location_site,
                location_id=may_name(location, Location, row.get("location") or "", f"{at}location"),
                routing_variant=row.get("routing_variant"),
                parent_number=row.get("parent_order"),
                replaces=row.get("replaces"),
                source=row.get("source"),
                external_refs=row.get("external_refs"),
                operations=[
                    PlannedOperation(
                        number=operation["number"],
                        sequence=operation.get("sequence"),
                        name=operation.get("name"),
                        process_id=key(Process, operation.get("process"), f"{at}operations[{place}].process"),
                        work_center_id=key(
                            WorkCenter, operation.get("work_center"), f"{at}operations[{place}].work_center"
                        ),
                        setup_minutes=operation.get("setup_minutes"),
                        run_minutes=operation.get("run_minutes_per_unit"),
                        outsourced=operation.get("outsourced"),
                        next_nos=tuple(operation["next_operation_no"]) if "next_operation_no" in operation else None,
                        good=operation.get("good"),
                        scrap=operation.get("scrap"),
                        status=operation.get("status"),
                        start=operation.get("start"),
                        end=operation.get("end"),
                        source=operation.get("source"),
                        external_refs=operation.get("external_refs"),
                    )
                    for place, operation in enumerate(row.get("operations", []))
                ],
            )
        )
    if missing:
        raise Refusals(missing)
    return planned


def _out_of_use(model: type[models.Model], codes: Any) -> set[str]:
    rows = model._default_manager.filter(code__in=list(codes), is_active=False) if codes else None
    return set(rows.values_list("code", flat=True)) if rows is not None else set()


def _ids(model: type[models.Model], codes: Any) -> dict[str, int]:
    return dict(model._default_manager.filter(code__in={code for code in codes if code}).values_list("code", "pk"))
