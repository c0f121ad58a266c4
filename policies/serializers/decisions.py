"""Verdicts in JSON, with their reasons."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.requests import RowSerializer
from policies.models import Award, Decision, Verdict


class AwardSerializer(RowSerializer[Award]):
    """What a decision gives to one vendor: quantity, price and dates."""

    vendor = serializers.CharField(source="vendor.code")
    currency = serializers.CharField(source="currency.code")
    price_agreement = serializers.CharField(source="agreement.reference", default=None, allow_null=True)
    promised_date = serializers.DateField(source="promise_date", help_text="When its pieces are of use, inspected.")

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


class VerdictSerializer(RowSerializer[Decision]):
    """The verdict on an operation: who decided, for whom, and why."""

    policy = serializers.CharField(source="policy.code", default=None, allow_null=True)
    vendor = serializers.SerializerMethodField(help_text="The first vendor it goes to.")
    awards = AwardSerializer(many=True, source="ranked_awards")
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
        if awards := decision.ranked_awards:
            return awards[0].vendor.code
        # All is ordered already: nothing more is awarded, and the vendor who has it stands in the reasons.
        ordered = (reason.get("vendor") for reason in decision.reasons if reason["code"] == "already_ordered")
        return next(ordered, None) if decision.verdict == Verdict.OUTSOURCE else None


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
