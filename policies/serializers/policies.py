"""Policies, price agreements and vendor approvals in JSON, named as the import columns."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.refusals import Refusal
from core.requests import CodeField, ExternalRefSerializer, RowSerializer, StrictFields, Words
from masterdata.models import Currency, Item, ItemGroup, Process, Site, Vendor, WorkCenter
from policies.models import (
    BAR,
    CHECKED,
    Inspection,
    Policy,
    PolicyVendor,
    PriceAgreement,
    VendorApproval,
    check_limits,
    check_ranges,
)
from policies.services.units import priced_in


def optional(model: type[models.Model]) -> CodeField:
    return CodeField(queryset=model._default_manager.all(), allow_null=True, required=False)


class PolicyVendorSerializer(StrictFields, RowSerializer[PolicyVendor]):
    """A vendor of a policy, in rank order. A code alone is written as well."""

    vendor = CodeField(queryset=Vendor.objects.all())

    class Meta:
        model = PolicyVendor
        fields = ["vendor", "share_pct", "weekly_capacity", "quantity_from", "quantity_to"]
        extra_kwargs = {
            "share_pct": {"min_value": 0, "max_value": 100},
            "weekly_capacity": {"min_value": 0},
            "quantity_from": {"min_value": 0},
            "quantity_to": {"min_value": 0},
        }

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data if isinstance(data, Mapping) else {"vendor": data})

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            check_limits(attrs.get("quantity_from"), attrs.get("quantity_to"))
        except ValidationError as wrong:
            raise serializers.ValidationError(wrong.message_dict, "invalid") from None
        return attrs


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": ["none", "all"]},
            {
                "type": "object",
                "required": ["sample_pct"],
                "properties": {"sample_pct": {"type": "string", "format": "decimal"}},
            },
        ]
    }
)
class InspectionField(serializers.Field[Any, Any, Any, Any]):
    """`none`, `all` or `{"sample_pct": 10}`: two columns in one word."""

    sample = serializers.DecimalField(max_digits=8, decimal_places=3, min_value=0, max_value=100)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", required=False, **kwargs)

    def to_representation(self, value: Policy) -> Any:
        return {"sample_pct": str(value.sample_pct)} if value.inspection == Inspection.SAMPLE else value.inspection

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if data in (Inspection.NONE, Inspection.ALL):
            return {"inspection": data, "sample_pct": None}
        if isinstance(data, Mapping) and set(data) == {"sample_pct"}:
            return {"inspection": Inspection.SAMPLE, "sample_pct": self.sample.run_validation(data["sample_pct"])}
        raise serializers.ValidationError('Inspection is none, all or {"sample_pct": 10}.', "invalid")


NOT_NEGATIVE = {"min_value": 0}


class PolicySerializer(StrictFields, RowSerializer[Policy]):
    """A rule that says which operations go outside, to whom and how. A blank scope field means any, a blank condition none."""

    item = optional(Item)
    item_group = optional(ItemGroup)
    process = optional(Process)
    work_center = optional(WorkCenter)
    site = optional(Site)
    vendors = PolicyVendorSerializer(many=True, required=False)
    inspection = InspectionField()
    certificates = Words(required=False)
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = Policy
        fields = [
            "code", "name", "status", "priority", "valid_from", "valid_to",
            "item", "item_group", "process", "work_center", "site",
            "quantity_from", "quantity_to", "season_from", "season_to", "load_above_pct", "when_down", "late_days",
            "cost_below_pct", "transition_from", "transition_share_pct",
            "verdict", "strategy", "vendors", "split", "balance_days",
            "consolidate", "auto_approve_up_to", "auto_send", "auto_send_wait_minutes", "auto_send_days_before",
            "price_missing",
            "over_receipt_pct", "under_receipt_pct", "over_send_pct", "price_tolerance_pct", "price_tolerance_amount",
            "quantity_tolerance_pct", "pay_for",
            "consumption", "yield_pct", "use_vendor_stock", "shortage", "inspection", "certificates", "rejects",
            "transit_out_days", "transit_back_days", "inspection_days", "preparation_days",
            "source", "external_refs", "version",
        ]  # fmt: skip
        read_only_fields = ["status", "version"]
        extra_kwargs = dict.fromkeys(
            [
                "quantity_from", "quantity_to", "load_above_pct", "cost_below_pct", "transition_share_pct", "auto_approve_up_to",
                "over_receipt_pct", "over_send_pct", "price_tolerance_pct", "price_tolerance_amount", "quantity_tolerance_pct",
                "yield_pct",
            ],
            NOT_NEGATIVE,
        ) | {"under_receipt_pct": NOT_NEGATIVE | {"max_value": 100}}  # fmt: skip

    def validate_code(self, code: str) -> str:
        if self.instance is not None and code != self.instance.code:
            raise serializers.ValidationError("A code stays as it is; decisions name it.", "code_is_fixed")
        return code

    def validate_vendors(self, vendors: list[dict[str, Any]]) -> list[dict[str, Any]]:
        codes = [row["vendor"].pk for row in vendors]
        if len(set(codes)) < len(codes):
            raise serializers.ValidationError("A vendor stands in the list twice.", "duplicate")
        return vendors

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        known = {name: getattr(self.instance, name) for name in CHECKED} if self.instance else {}
        try:
            check_ranges(known | attrs)
        except ValidationError as wrong:
            raise serializers.ValidationError(wrong.message_dict, "invalid") from None
        return attrs

    def get_values(self) -> dict[str, Any]:
        """The validated fields as columns, for the service that writes policies."""
        return self.columns_of(self.validated_data)

    @staticmethod
    def columns_of(row: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in row.items():
            if name == "vendors":
                values[name] = [_columns(row) for row in value]
            else:
                values |= _columns({name: value})
        return values


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        (f"{name}_id" if name in RELATED else name): (value.pk if isinstance(value, models.Model) else value)
        for name, value in row.items()
    }


RELATED = ("item", "item_group", "process", "work_center", "site", "vendor")


class PriceAgreementSerializer(StrictFields, RowSerializer[PriceAgreement]):
    """One price row of a vendor. `operation_name`, the import format's word for the process, is written as well."""

    vendor = CodeField(queryset=Vendor.objects.all())
    item = optional(Item)
    process = optional(Process)
    processes = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=20,
        help_text="Codes of consecutive processes bought together as one line, in their order; the first is `process`.",
    )
    site = optional(Site)
    currency = optional(Currency)
    minimum_qty = serializers.DecimalField(
        source="minimum_quantity", max_digits=18, decimal_places=5, min_value=0, required=False
    )
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = PriceAgreement
        fields = [
            "reference", "vendor", "item", "process", "processes", "site", "currency", "unit_price", "price_unit", "price_factor",
            "minimum_qty", "lot_charge", "minimum_charge", "minimum_charge_basis", "lead_days", "yield_pct", "freight",
            "valid_from", "valid_to", "source", "external_refs",
        ]  # fmt: skip
        read_only_fields = ["reference"]
        validators: list[Any] = []
        extra_kwargs = {
            **{name: {"min_value": 0} for name in ("unit_price", "lot_charge", "minimum_charge", "freight")},
            "yield_pct": {"min_value": Decimal("0.001"), "max_value": 100},
        }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and "operation_name" in data and "process" not in data:
            data = {**data, "process": data["operation_name"]}
            del data["operation_name"]
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (listed := attrs.pop("processes", None)) is not None:
            self._list_processes(attrs, listed)
        found = [attrs.get(name, getattr(self.instance, name, None)) for name in ("item", "process")]
        if not any(found):
            raise serializers.ValidationError("A price is for an item, a process or both.", "required")
        if "price_factor" in attrs:
            attrs["per_unit"] = None
        elif "price_unit" in attrs:
            (answer,) = priced_in([(found[0].pk if found[0] else None, attrs["price_unit"])])
            if isinstance(answer, Refusal):
                raise serializers.ValidationError({"price_unit": ErrorDetail(answer.detail, answer.code)})
            attrs["price_factor"], attrs["per_unit_id"] = answer.factor, answer.unit_id
        return attrs

    def _list_processes(self, attrs: dict[str, Any], listed: list[str]) -> None:
        """The first of the list is the price's own process, the others follow it."""
        known = {process.code: process for process in Process.objects.filter(code__in=listed)}
        if (unknown := next((code for code in listed if code not in known), None)) is not None:
            raise serializers.ValidationError(
                {"processes": ErrorDetail(f"There is no process {unknown}.", "unknown_code")}
            )
        first = known[listed[0]] if listed else attrs.get("process")
        if attrs.get("process") not in (None, first):
            raise serializers.ValidationError({"processes": "The list begins with another process."})
        attrs["process"], attrs["further_processes"] = first, BAR.join(listed[1:])


class VendorApprovalSerializer(StrictFields, RowSerializer[VendorApproval]):
    """Whether a vendor may do a process, until when (included)."""

    vendor = CodeField(queryset=Vendor.objects.all())
    process = CodeField(queryset=Process.objects.all())
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = VendorApproval
        fields = ["reference", "vendor", "process", "status", "valid_to", "certificate", "source", "external_refs"]
        read_only_fields = ["reference"]
        validators: list[Any] = []


class ToOrderSerializer(serializers.Serializer[Any]):
    """What a vendor is asked for by a policy and not sent yet."""

    vendor = serializers.CharField()
    vendor_name = serializers.CharField()
    lines = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=18, decimal_places=3, help_text="In company currency.")


class PolicyEffectSerializer(serializers.Serializer[Any]):
    """A policy in words, and what it decides as the plan stands."""

    sentence = serializers.CharField()
    detail = serializers.CharField(help_text="The effect as a sentence.")
    operations = serializers.IntegerField(source="effect.operations")
    verdicts = serializers.DictField(child=serializers.IntegerField(), source="effect.verdicts")
    to_order = ToOrderSerializer(many=True, source="effect.to_order")
    currency = serializers.CharField(source="effect.currency")
