"""Master data in JSON, named as the columns of the import tables. What others refer to is named by its code."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from rest_framework import exceptions, serializers

from core.refusals import Refusal
from core.requests import CodeField, ExternalRefSerializer, RowSerializer, StrictFields, Words
from masterdata import services
from masterdata.models import (
    Closure,
    Currency,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemGroup,
    ItemUnit,
    Location,
    MoneyField,
    Process,
    Site,
    Specification,
    SpecificationFile,
    Unit,
    Vendor,
    WorkCenter,
)
from masterdata.rules import MOST_DECIMALS, short_money


class MoneyValue(serializers.DecimalField):
    """An amount as text: two decimals, three where the third is not none."""

    def quantize(self, value: Decimal) -> Decimal:
        return short_money(super().quantize(value))


serializers.ModelSerializer.serializer_field_mapping[MoneyField] = MoneyValue

NOT_NEGATIVE = MinValueValidator(0)


class KnownElsewhere(StrictFields, RowSerializer[Any]):
    """A row with what other systems call it."""

    external_refs = ExternalRefSerializer(many=True, required=False)

    def get_field_names(self, declared_fields: Any, info: Any) -> list[str]:
        return [*super().get_field_names(declared_fields, info), "source", "external_refs"]


class CodedSerializer(StrictFields, RowSerializer[Any]):
    """A row whose `code` is given once and stays, as documents name it."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if self.instance is not None and "code" in fields and not getattr(self.parent, "many", False):
            fields["code"].validators = []
        return fields

    def validate_code(self, code: str) -> str:
        if self.instance is not None and code != self.instance.code:
            raise serializers.ValidationError("A code stays as it is; documents name it.", "code_is_fixed")
        return code


class RetirableSerializer(KnownElsewhere, CodedSerializer):
    """A row that is taken out of use by `active`, never deleted."""

    active = serializers.BooleanField(source="is_active", required=False)


class UnitSerializer(RetirableSerializer):
    class Meta:
        model = Unit
        fields = ["code", "name", "decimals", "active"]
        extra_kwargs = {"decimals": {"max_value": 5, "min_value": 0}}


class ItemGroupSerializer(RetirableSerializer):
    class Meta:
        model = ItemGroup
        fields = ["code", "name", "active"]


class ItemSerializer(KnownElsewhere, CodedSerializer):
    unit = CodeField(queryset=Unit.objects.all(), allow_null=True, required=False)
    item_group = CodeField(queryset=ItemGroup.objects.all(), allow_null=True, required=False)
    blocked = serializers.BooleanField(source="is_blocked", required=False)
    phantom = serializers.BooleanField(source="is_phantom", required=False)

    class Meta:
        model = Item
        fields = [
            "code", "name", "unit", "kind", "item_group", "lot_tracked", "serial_tracked", "standard_cost", "blocked", "phantom",
            "revision", "weight_kg",
        ]  # fmt: skip
        extra_kwargs = {"standard_cost": {"min_value": 0}, "weight_kg": {"min_value": 0}}


class SiteSerializer(RetirableSerializer):
    class Meta:
        model = Site
        fields = ["code", "name", "time_zone", "address", "active"]


class VendorSerializer(KnownElsewhere, CodedSerializer):
    currency = CodeField(queryset=Currency.objects.all(), allow_null=True, required=False)
    belongs_to = CodeField(
        queryset=Vendor.objects.all(), allow_null=True, required=False, help_text="The vendor whose site it is."
    )
    active = serializers.BooleanField(source="is_active", required=False)

    class Meta:
        model = Vendor
        fields = [
            "code", "name", "country", "city", "currency", "email", "address", "language", "belongs_to", "transit_out_days",
            "transit_back_days", "active",
        ]  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        other = attrs.get("belongs_to")
        this = self.instance or Vendor(code=attrs.get("code", ""))
        if other and (problem := this.no_site_of(other)):
            raise serializers.ValidationError({"belongs_to": problem})
        return super().validate(attrs)


class LocationSerializer(RetirableSerializer):
    site = CodeField(queryset=Site.objects.all(), allow_null=True, required=False)
    vendor = CodeField(queryset=Vendor.objects.all(), allow_null=True, required=False)
    main = serializers.BooleanField(source="is_main", required=False)

    class Meta:
        model = Location
        fields = ["code", "name", "kind", "site", "vendor", "main", "active"]
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs.get("kind", getattr(self.instance, "kind", None))
        vendor = attrs.get("vendor", getattr(self.instance, "vendor", None))
        if kind == "vendor" and vendor is None:
            raise serializers.ValidationError(
                {"vendor": exceptions.ErrorDetail("Name the vendor it is at.", "required")}
            )
        return attrs


class WorkCenterSerializer(RetirableSerializer):
    vendor = CodeField(queryset=Vendor.objects.all(), allow_null=True, required=False)
    site = CodeField(queryset=Site.objects.all(), allow_null=True, required=False)
    location = CodeField(queryset=Location.objects.all(), allow_null=True, required=False)

    class Meta:
        model = WorkCenter
        fields = [
            "code", "name", "kind", "vendor", "site", "location", "capacity_hours_per_day", "hourly_cost", "active",
        ]  # fmt: skip
        extra_kwargs = {"capacity_hours_per_day": {"min_value": 0}, "hourly_cost": {"min_value": 0}}


class ProcessSerializer(RetirableSerializer):
    certificates = Words(required=False)

    class Meta:
        model = Process
        fields = ["code", "name", "requires_approval", "certificates", "active"]


class SpecificationFileSerializer(RowSerializer[SpecificationFile]):
    class Meta:
        model = SpecificationFile
        fields = ["name", "size", "sha256", "added_at"]
        read_only_fields = fields


class FileGivenSerializer(StrictFields, serializers.Serializer[Any]):
    file = serializers.FileField(
        help_text="A drawing, a model or a table, up to 20 MB; one of the same name is replaced."
    )


class SpecificationSerializer(KnownElsewhere):
    """What a vendor is told of a process, of an item, or of that process on that item."""

    item = CodeField(queryset=Item.objects.all(), allow_null=True, required=False, default=None)
    process = CodeField(queryset=Process.objects.all(), allow_null=True, required=False, default=None)
    files = SpecificationFileSerializer(many=True, read_only=True)

    class Meta:
        model = Specification
        fields = ["reference", "item", "process", "text", "files"]
        read_only_fields = ["reference"]
        validators: list[Any] = []
        extra_kwargs = {"text": {"max_length": 10_000}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not any(attrs.get(name, getattr(self.instance, name, None)) for name in ("item", "process")):
            raise serializers.ValidationError("A specification is for an item, a process, or both.", "required")
        return attrs


class ClosureSerializer(KnownElsewhere):
    """A closed day of a vendor, of a work center, or (neither) of everything of ours."""

    vendor = CodeField(queryset=Vendor.objects.all(), allow_null=True, required=False, default=None)
    work_center = CodeField(queryset=WorkCenter.objects.all(), allow_null=True, required=False, default=None)
    date = serializers.DateField(source="day")
    end = serializers.DateField(
        source="last_day", allow_null=True, required=False, help_text="The last day, included; left out: one day."
    )

    class Meta:
        model = Closure
        fields = ["reference", "vendor", "work_center", "date", "end", "reason"]
        read_only_fields = ["reference"]
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("vendor") and attrs.get("work_center"):
            raise serializers.ValidationError(
                "A closed day is of a vendor or of a work center, not of both.", "invalid"
            )
        first, last = (attrs.get(name, getattr(self.instance, name, None)) for name in ("day", "last_day"))
        if first and last and last < first:
            raise serializers.ValidationError({"end": exceptions.ErrorDetail("Ends before it starts.", "invalid_date")})
        if first and last and (last - first).days >= services.LONGEST:
            text = f"A closure lasts at most {services.LONGEST} days."
            raise serializers.ValidationError({"end": exceptions.ErrorDetail(text, "above_maximum")})
        return attrs


class HolidayCalendarSerializer(KnownElsewhere):
    """Closed on a country's public holidays: a vendor, a work center, or (neither) everything of ours."""

    vendor = CodeField(queryset=Vendor.objects.all(), allow_null=True, required=False, default=None)
    work_center = CodeField(queryset=WorkCenter.objects.all(), allow_null=True, required=False, default=None)

    class Meta:
        model = HolidayCalendar
        fields = ["reference", "vendor", "work_center", "country", "subdivision"]
        read_only_fields = ["reference"]
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("vendor") and attrs.get("work_center"):
            raise serializers.ValidationError("Holidays are a vendor's or a work center's, not both.", "invalid")
        country, part = (attrs.get(name, getattr(self.instance, name, "")) for name in ("country", "subdivision"))
        try:
            services.check_holidays(country=country, subdivision=part)
        except Refusal as refusal:
            detail = exceptions.ErrorDetail(refusal.detail, refusal.code)
            raise serializers.ValidationError({refusal.field or "country": detail}) from None
        return attrs


class ItemUnitSerializer(KnownElsewhere):
    """Another unit an item is priced in: one of it holds `factor` of the item's own unit."""

    item = CodeField(queryset=Item.objects.all())
    unit = CodeField(queryset=Unit.objects.all())

    class Meta:
        model = ItemUnit
        fields = ["reference", "item", "unit", "factor"]
        read_only_fields = ["reference"]
        validators: list[Any] = []

    def validate_factor(self, factor: Any) -> Any:
        if factor <= 0:
            raise serializers.ValidationError("A factor is above zero.", "min_value")
        return factor


class DowntimeSerializer(KnownElsewhere):
    """Days (both included) on which a work center of ours cannot work."""

    work_center = CodeField(queryset=WorkCenter.objects.all())
    start = serializers.DateField(source="start_date")
    end = serializers.DateField(source="end_date")

    class Meta:
        model = Downtime
        fields = ["reference", "work_center", "start", "end", "reason"]
        read_only_fields = ["reference"]
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = (attrs.get(name, getattr(self.instance, name, None)) for name in ("start_date", "end_date"))
        if first and last and last < first:
            raise serializers.ValidationError({"end": exceptions.ErrorDetail("Ends before it starts.", "invalid_date")})
        return attrs


class CurrencySerializer(CodedSerializer):
    """A currency; amounts in it are rounded half-up to its decimals."""

    class Meta:
        model = Currency
        fields = ["code", "name", "decimals"]
        extra_kwargs = {"decimals": {"max_value": MOST_DECIMALS, "min_value": 0}, "code": {"min_length": 3}}


class ExchangeRateSerializer(KnownElsewhere):
    """Company currency for one unit of the currency, from a day on."""

    currency = CodeField(queryset=Currency.objects.all())

    class Meta:
        model = ExchangeRate
        fields = ["reference", "currency", "rate", "valid_from"]
        read_only_fields = ["reference"]
        validators: list[Any] = []

    def validate_rate(self, rate: Any) -> Any:
        if rate <= 0:
            raise serializers.ValidationError("A rate is above zero.", "min_value")
        return rate
