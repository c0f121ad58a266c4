"""Policies, prices, approvals, decisions and production orders with their verdicts in JSON, named as the import columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.refusals import NotFound, Refusal, Refusals
from core.requests import CodeField, ExternalRefSerializer, StrictFields, Words
from masterdata.models import Currency, Item, ItemGroup, Location, Process, Site, Vendor, WorkCenter
from policies.models import Award, Decision, Inspection, Policy, PolicyVendor, PriceAgreement, VendorApproval, Verdict
from production.models import OperationStatus, OrderStatus, Outsourced, ProductionOrder
from production.services import PlannedOperation, PlannedOrder


def optional(model: type[models.Model]) -> CodeField:
    return CodeField(queryset=model._default_manager.all(), allow_null=True, required=False)


# Policies


class PolicyVendorSerializer(StrictFields, serializers.ModelSerializer[PolicyVendor]):
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


class PolicySerializer(StrictFields, serializers.ModelSerializer[Policy]):
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
            "consolidate", "auto_approve_up_to", "auto_send", "auto_send_wait_minutes", "price_missing",
            "over_receipt_pct", "under_receipt_pct", "over_send_pct", "price_tolerance_pct", "quantity_tolerance_pct",
            "consumption", "yield_pct", "use_vendor_stock", "shortage", "inspection", "certificates", "rejects",
            "transit_out_days", "transit_back_days", "inspection_days", "preparation_days",
            "source", "external_refs", "version",
        ]  # fmt: skip
        read_only_fields = ["status", "version"]
        extra_kwargs = dict.fromkeys(
            [
                "quantity_from", "quantity_to", "load_above_pct", "cost_below_pct", "transition_share_pct", "auto_approve_up_to",
                "over_receipt_pct", "under_receipt_pct", "over_send_pct", "price_tolerance_pct", "quantity_tolerance_pct",
                "yield_pct",
            ],
            NOT_NEGATIVE,
        )  # fmt: skip

    def validate_code(self, code: str) -> str:
        if self.instance is not None and code != self.instance.code:
            raise serializers.ValidationError("A code stays as it is; decisions name it.", "code_is_fixed")
        return code

    def validate_vendors(self, vendors: list[dict[str, Any]]) -> list[dict[str, Any]]:
        codes = [row["vendor"].pk for row in vendors]
        if len(set(codes)) < len(codes):
            raise serializers.ValidationError("A vendor stands in the list twice.", "duplicate")
        return vendors

    def get_values(self) -> dict[str, Any]:
        """The validated fields as columns, for the service that writes policies."""
        values = {}
        for name, value in self.validated_data.items():
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


class PriceAgreementSerializer(StrictFields, serializers.ModelSerializer[PriceAgreement]):
    """One price row of a vendor. `operation_name`, the import format's word for the process, is written as well."""

    vendor = CodeField(queryset=Vendor.objects.all())
    item = optional(Item)
    process = optional(Process)
    site = optional(Site)
    currency = optional(Currency)
    minimum_qty = serializers.DecimalField(
        source="minimum_quantity", max_digits=18, decimal_places=5, min_value=0, required=False
    )
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = PriceAgreement
        fields = [
            "reference", "vendor", "item", "process", "site", "currency", "unit_price", "price_unit", "price_factor",
            "minimum_qty", "lot_charge", "minimum_charge", "minimum_charge_basis", "lead_days", "yield_pct", "freight",
            "valid_from", "valid_to", "source", "external_refs",
        ]  # fmt: skip
        read_only_fields = ["reference"]
        validators: list[Any] = []
        extra_kwargs = {
            name: {"min_value": 0} for name in ("unit_price", "lot_charge", "minimum_charge", "yield_pct", "freight")
        }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and "operation_name" in data and "process" not in data:
            data = {**data, "process": data["operation_name"]}
            del data["operation_name"]
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        found = [attrs.get(name, getattr(self.instance, name, None)) for name in ("item", "process")]
        if not any(found):
            raise serializers.ValidationError("A price is for an item, a process or both.", "required")
        return attrs


class VendorApprovalSerializer(StrictFields, serializers.ModelSerializer[VendorApproval]):
    """Whether a vendor may do a process, until when (included)."""

    vendor = CodeField(queryset=Vendor.objects.all())
    process = CodeField(queryset=Process.objects.all())
    external_refs = ExternalRefSerializer(many=True, required=False)

    class Meta:
        model = VendorApproval
        fields = ["reference", "vendor", "process", "status", "valid_to", "certificate", "source", "external_refs"]
        read_only_fields = ["reference"]
        validators: list[Any] = []


# Decisions


class AwardSerializer(serializers.ModelSerializer[Award]):
    """What a decision gives to one vendor: quantity, price and dates."""

    vendor = serializers.CharField(source="vendor.code")
    currency = serializers.CharField(source="currency.code")
    price_agreement = serializers.CharField(source="agreement.reference", default=None, allow_null=True)
    promised_date = serializers.DateField(source="promise_date")

    class Meta:
        model = Award
        fields = [
            "rank", "vendor", "quantity", "yield_pct", "price_agreement", "currency", "unit_price", "price_unit", "price_factor",
            "is_estimate", "work_amount", "minimum_top_up", "lot_charge", "freight", "amount", "amount_company", "lead_days",
            "need_date", "vendor_ready_date", "at_vendor_date", "dispatch_by", "order_by", "late_by", "promised_date",
        ]  # fmt: skip
        read_only_fields = fields


class ReasonSerializer(serializers.Serializer[Any]):
    """Why: a stable code, a sentence, and the policy or vendor it is about; what was compared stands beside as texts."""

    code = serializers.CharField()
    detail = serializers.CharField()
    policy = serializers.CharField(required=False)
    vendor = serializers.CharField(required=False)

    def to_representation(self, instance: Any) -> Any:
        return instance


class VerdictSerializer(serializers.ModelSerializer[Decision]):
    """The verdict on an operation: who decided, for whom, and why."""

    policy = serializers.CharField(source="policy.code", default=None, allow_null=True)
    vendor = serializers.SerializerMethodField(help_text="The first vendor it goes to.")
    awards = serializers.SerializerMethodField()
    reasons = ReasonSerializer(many=True)
    run = serializers.CharField(source="run_number")

    class Meta:
        model = Decision
        fields = [
            "verdict", "basis", "policy", "vendor", "quantity", "planned_start", "need_date", "flips_on", "decided_at", "run",
            "awards", "reasons",
        ]  # fmt: skip
        read_only_fields = fields

    def get_vendor(self, decision: Decision) -> str | None:
        awards = self._awards(decision)
        if awards:
            return awards[0].vendor.code
        # All is ordered already: nothing more is awarded, and the vendor who has it stands in the reasons.
        ordered = (reason.get("vendor") for reason in decision.reasons if reason["code"] == "already_ordered")
        return next(ordered, None) if decision.verdict == Verdict.OUTSOURCE else None

    @extend_schema_field(AwardSerializer(many=True))
    def get_awards(self, decision: Decision) -> Any:
        return AwardSerializer(self._awards(decision), many=True).data

    @staticmethod
    def _awards(decision: Decision) -> list[Award]:
        return sorted(decision.awards.all(), key=lambda award: (award.rank, award.pk))


class DecisionSerializer(VerdictSerializer):
    """A verdict, with the operation it is on."""

    production_order = serializers.CharField(source="operation.production_order.number")
    operation = serializers.CharField(source="operation.operation_no")
    item = serializers.CharField(source="operation.production_order.item.code")
    process = serializers.CharField(source="operation.process.code", default=None, allow_null=True)
    work_center = serializers.CharField(source="operation.work_center.code", default=None, allow_null=True)
    current = serializers.BooleanField(source="is_current")

    class Meta(VerdictSerializer.Meta):
        fields = [
            "production_order", "operation", "item", "process", "work_center", "current", *VerdictSerializer.Meta.fields,
        ]  # fmt: skip
        read_only_fields = fields


# Production orders


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
    word = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()

    @extend_schema_field(WordSerializer(allow_null=True))
    def get_word(self, operation: Any) -> Any:
        word = next(iter(operation.current_words), None)
        return WordSerializer(word).data if word else None

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_decision(self, operation: Any) -> Any:
        decision = self.context["decisions"].get(operation.pk)
        return VerdictSerializer(decision).data if decision else None


class ProductionOrderSerializer(serializers.ModelSerializer[ProductionOrder]):
    """A production order as lists show it."""

    item = serializers.CharField(source="item.code")
    start = serializers.DateField(source="start_date", allow_null=True)
    due = serializers.DateField(source="due_date")
    site = serializers.CharField(source="site.code")
    location = serializers.CharField(source="location.code", default=None, allow_null=True)
    parent_order = serializers.CharField(source="parent_number")
    external_refs = ExternalRefSerializer(many=True)

    class Meta:
        model = ProductionOrder
        fields = [
            "number", "item", "quantity", "start", "due", "status", "site", "location", "routing_variant", "parent_order",
            "source", "external_refs", "version", "changed_at",
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


class UnknownCode(NotFound):
    """A code in what was sent that names nothing."""

    status = 422


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
    missing: list[Refusal] = []

    def key(model: type[models.Model], code: str | None, field: str) -> int | None:
        if not code:
            return None
        if code not in known[model]:
            missing.append(UnknownCode(f"There is no {model._meta.verbose_name} '{code}'.", field=field))
        return known[model].get(code)

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
                location_id=location,
                routing_variant=row.get("routing_variant"),
                parent_number=row.get("parent_order"),
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
                    )
                    for place, operation in enumerate(row.get("operations", []))
                ],
            )
        )
    if missing:
        raise Refusals(missing)
    return planned


def _ids(model: type[models.Model], codes: Any) -> dict[str, int]:
    return dict(model._default_manager.filter(code__in={code for code in codes if code}).values_list("code", "pk"))
