"""What a simulation is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.requests import StrictFields
from policies.models import Verdict
from policies.serializers.decisions import ReasonSerializer
from policies.serializers.policies import PolicySerializer, PriceAgreementSerializer
from policies.services import Change, SupposedDowntime, SupposedPolicy, SupposedPrice

MOST = 1000


class SupposedPolicySerializer(PolicySerializer):
    """A policy taken as in force (or not), with other values where any are given. A code alone is written as well."""

    in_force = serializers.BooleanField(default=True)

    class Meta(PolicySerializer.Meta):
        fields = [*PolicySerializer.Meta.fields, "in_force"]
        extra_kwargs = {**PolicySerializer.Meta.extra_kwargs, "code": {"validators": []}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # What is left out stays as it is, so nothing is filled in for it.
            field.required = name == "code"

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data if isinstance(data, Mapping) else {"code": data})

    def supposed(self, row: Mapping[str, Any]) -> SupposedPolicy:
        given = {name: value for name, value in row.items() if name not in ("code", "in_force")}
        return SupposedPolicy(row["code"], row["in_force"], self.columns_of(given) if given else None)


class SupposedPriceSerializer(PriceAgreementSerializer):
    """A price row; it takes the place of the one with the same key. Without `valid_from` it holds from today on."""

    class Meta(PriceAgreementSerializer.Meta):
        fields = [
            name
            for name in PriceAgreementSerializer.Meta.fields
            if name not in ("reference", "source", "external_refs")
        ]
        read_only_fields: list[str] = []

    external_refs = None  # type: ignore[assignment]

    @staticmethod
    def supposed(row: Mapping[str, Any]) -> SupposedPrice:
        codes = {
            name: row[name].code if row.get(name) else "" for name in ("vendor", "item", "process", "site", "currency")
        }
        rest = {name: value for name, value in row.items() if name not in (*codes, "per_unit")}
        return SupposedPrice(**{"unit_price": None, **codes, **rest})


class SupposedDowntimeSerializer(StrictFields, serializers.Serializer[Any]):
    """A work center that does not work from `start` to `end`, both included."""

    work_center = serializers.CharField(max_length=60)
    start = serializers.DateField()
    end = serializers.DateField()
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class AlsoSupposedSerializer(StrictFields, serializers.Serializer[Any]):
    """What is supposed at once, beside what stands."""

    policies = SupposedPolicySerializer(many=True, required=False, max_length=MOST)
    downtimes = SupposedDowntimeSerializer(many=True, required=False, max_length=MOST)
    vendors_lost = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, max_length=MOST, help_text="Codes."
    )
    prices = SupposedPriceSerializer(many=True, required=False, max_length=MOST)

    def change(self, *also: SupposedPolicy) -> Change:
        given = self.validated_data
        policies: Any = self.fields["policies"]
        return Change(
            policies=(*also, *(policies.child.supposed(row) for row in given.get("policies", ()))),
            downtimes=tuple(
                SupposedDowntime(row["work_center"], row["start"], row["end"], row["reason"])
                for row in given.get("downtimes", ())
            ),
            lost_vendors=frozenset(given.get("vendors_lost", ())),
            prices=tuple(SupposedPriceSerializer.supposed(row) for row in given.get("prices", ())),
        )


class SimulateSerializer(AlsoSupposedSerializer):
    """What is supposed; `policy` is short for one policy taken as in force."""

    policy = serializers.CharField(max_length=60, required=False)

    def change(self, *also: SupposedPolicy) -> Change:
        code = self.validated_data.get("policy")
        return super().change(*also, *([SupposedPolicy(code)] if code else []))


# The answer. It comes as plain values; these say what stands in it.


class FiguresSerializer(serializers.Serializer[Any]):
    """What one side comes to: money in company currency, hours of work that stays inside, late ones with their days in sum."""

    operations = serializers.IntegerField()
    in_house = serializers.IntegerField()
    outsource = serializers.IntegerField()
    review = serializers.IntegerField()
    blocked = serializers.IntegerField()
    orders = serializers.IntegerField()
    lines = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=20, decimal_places=2)
    late_lines = serializers.IntegerField()
    late_line_days = serializers.IntegerField()
    late_inside = serializers.IntegerField()
    late_inside_days = serializers.IntegerField()
    hours = serializers.DecimalField(max_digits=20, decimal_places=2)


class LoadSerializer(serializers.Serializer[Any]):
    """Hours of a work center in a calendar week: what it can work, and what stays inside."""

    work_center = serializers.CharField()
    week = serializers.CharField(help_text="ISO: 2026-W12")
    capacity_before = serializers.DecimalField(max_digits=20, decimal_places=2)
    capacity_after = serializers.DecimalField(max_digits=20, decimal_places=2)
    before = serializers.DecimalField(max_digits=20, decimal_places=2)
    after = serializers.DecimalField(max_digits=20, decimal_places=2)


class VendorValueSerializer(serializers.Serializer[Any]):
    """What a vendor's lines are worth, in company currency."""

    vendor = serializers.CharField()
    before = serializers.DecimalField(max_digits=20, decimal_places=2)
    after = serializers.DecimalField(max_digits=20, decimal_places=2)


class SideSerializer(serializers.Serializer[Any]):
    """How an operation is decided on one side."""

    verdict = serializers.ChoiceField(choices=Verdict.choices)
    vendors = serializers.ListField(child=serializers.CharField())
    policy = serializers.CharField(allow_null=True)
    reasons = ReasonSerializer(many=True)


class ChangedSerializer(serializers.Serializer[Any]):
    """An operation whose verdict or vendor flips."""

    production_order = serializers.CharField()
    operation = serializers.CharField()
    item = serializers.CharField()
    to = serializers.ChoiceField(choices=Verdict.choices)
    vendor = serializers.CharField(allow_null=True, help_text="The first vendor it would be at.")
    before = SideSerializer()
    after = SideSerializer()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {**fields, "from": serializers.ChoiceField(choices=Verdict.choices)}


class SimulationSerializer(serializers.Serializer[Any]):
    """The plan as it stands and as it would be. `orders`, `lines` and `value` are those it would come to."""

    on = serializers.DateField()
    currency = serializers.CharField()
    orders = serializers.IntegerField()
    lines = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=20, decimal_places=2)
    before = FiguresSerializer()
    after = FiguresSerializer()
    load = LoadSerializer(many=True)
    value_by_vendor = VendorValueSerializer(many=True)
    changed_total = serializers.IntegerField()
    changed = ChangedSerializer(many=True, help_text="The first thousand, by due date.")
    seconds = serializers.FloatField()
