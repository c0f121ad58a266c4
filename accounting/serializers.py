"""What the API says of the journal, periods, accounts and confirmations, and what it is told."""

from __future__ import annotations

from datetime import date
from typing import Any

from rest_framework import serializers

from accounting.models import Account, Closing, Confirmation, ConfirmationLine, Entry, EntryLine, JournalExport, Role
from core.requests import RowSerializer, StrictFields

MONEY = {"max_digits": 18, "decimal_places": 3}
QUANTITY = {"max_digits": 18, "decimal_places": 5}


class EntryLineSerializer(RowSerializer[EntryLine]):
    """Above zero a debit, below a credit; `booked` in the currency's decimals."""

    class Meta:
        model = EntryLine
        fields = ["role", "amount", "booked"]
        read_only_fields = fields


class EntrySerializer(RowSerializer[Entry]):
    """One act of one document; its lines add up to zero."""

    vendor = serializers.CharField(source="vendor.code", read_only=True, default=None, allow_null=True)
    site = serializers.CharField(source="site.code", read_only=True, default=None, allow_null=True)
    export = serializers.CharField(source="export.number", read_only=True, default=None, allow_null=True)
    lines = EntryLineSerializer(many=True, read_only=True)

    class Meta:
        model = Entry
        fields = [
            "key", "document_kind", "document_number", "event_date", "posting_date", "text", "site", "vendor", "export",
            "lines",
        ]  # fmt: skip
        read_only_fields = fields


class JournalExportSerializer(RowSerializer[JournalExport]):
    """Entries handed over together; `until` is the last posting day among them."""

    exported_by = serializers.CharField(source="exported_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = JournalExport
        fields = ["number", "until", "entries", "exported_at", "exported_by"]
        read_only_fields = fields


class MakeExportSerializer(StrictFields, serializers.Serializer[Any]):
    """`until`: entries posted later wait for the next export; all where it is blank."""

    until = serializers.DateField(required=False, allow_null=True, default=None)


class ClosingSerializer(RowSerializer[Closing]):
    """All days up to `through` were closed; `reopened_at` says that they are open again."""

    closed_by = serializers.CharField(source="closed_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Closing
        fields = ["through", "closed_at", "closed_by", "reopened_at", "reason"]
        read_only_fields = fields


class ClosePeriodSerializer(StrictFields, serializers.Serializer[Any]):
    """`month`: any day of it, or 2026-03."""

    month = serializers.CharField(max_length=10)

    def validate_month(self, value: str) -> date:
        try:
            return date.fromisoformat(value if len(value) > 7 else f"{value}-01")
        except ValueError as problem:
            raise serializers.ValidationError("Name a month such as 2026-03.") from problem


class PeriodReasonSerializer(StrictFields, serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class AccountSerializer(StrictFields, RowSerializer[Account]):
    """The account that takes what has a role."""

    role = serializers.ChoiceField(Role.choices)

    class Meta:
        model = Account
        fields = ["role", "code", "name"]


class ConfirmationLineSerializer(RowSerializer[ConfirmationLine]):
    item = serializers.CharField(source="item.code", read_only=True)
    lot = serializers.CharField(source="lot.code", read_only=True, default="")

    class Meta:
        model = ConfirmationLine
        fields = ["item", "lot", "stage", "quantity", "answered"]
        read_only_fields = fields


class ConfirmationSerializer(RowSerializer[Confirmation]):
    """What a vendor is asked to confirm, and his answer. `difference`: his amount less ours."""

    vendor = serializers.CharField(source="vendor.code", read_only=True)
    difference = serializers.SerializerMethodField()
    lines = ConfirmationLineSerializer(many=True, read_only=True)

    class Meta:
        model = Confirmation
        fields = [
            "number", "vendor", "as_of", "status", "invoiced", "not_invoiced", "answered_not_invoiced", "difference",
            "answered_by", "answered_at", "sent_at", "note", "lines",
        ]  # fmt: skip
        read_only_fields = fields

    def get_difference(self, row: Confirmation) -> str | None:
        return None if row.answered_not_invoiced is None else str(row.answered_not_invoiced - row.not_invoiced)


class PrepareConfirmationsSerializer(StrictFields, serializers.Serializer[Any]):
    as_of = serializers.DateField()


class AnsweredMaterialSerializer(StrictFields, serializers.Serializer[Any]):
    item = serializers.CharField(max_length=60)
    lot = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)
    stage = serializers.CharField(max_length=90, required=False, default="", allow_blank=True)
    quantity = serializers.DecimalField(**QUANTITY, min_value=0)


class AnswerConfirmationSerializer(StrictFields, serializers.Serializer[Any]):
    """Without `material` the vendor confirms what the letter says of it; with it, nothing lies there that is not named."""

    not_invoiced = serializers.DecimalField(**MONEY)
    material = AnsweredMaterialSerializer(many=True, required=False)
    answered_by = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
