"""Invoices in JSON: what a vendor asks for, what of it was received, what holds it; charge-backs; what is not invoiced yet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from activity.serializers import EventSerializer
from core.requests import CodeField, RowSerializer, StrictFields
from invoices.models import (
    CHARGE_CHOICES,
    ChargeBack,
    ChargeBackKind,
    Hold,
    Invoice,
    InvoiceLine,
    LineKind,
    Match,
    PaymentExport,
    SpreadBasis,
    TaxCategory,
)
from masterdata.models import Currency, Item, Vendor

QUANTITY = {"max_digits": 18, "decimal_places": 5}
MONEY = {"max_digits": 18, "decimal_places": 3}


class HoldSerializer(RowSerializer[Hold]):
    """Why it is held: `found` was compared with what is `allowed`."""

    line = serializers.IntegerField(source="line.line_no", default=None, allow_null=True)

    class Meta:
        model = Hold
        fields = ["code", "line", "detail", "allowed", "found"]
        read_only_fields = fields


class MatchSerializer(RowSerializer[Match]):
    """What of a line is for which order line and receipt; amounts in company currency but for `amount`."""

    order = serializers.CharField(source="order_line.order.number")
    order_line = serializers.IntegerField(source="order_line.line_no")
    receipt = serializers.CharField(source="receipt_line.receipt.number", default=None, allow_null=True)
    note = serializers.CharField(source="receipt_line.receipt.note", default=None, allow_null=True)

    class Meta:
        model = Match
        fields = [
            "order", "order_line", "receipt", "note", "quantity", "amount", "amount_company", "agreed", "price_difference",
            "exchange_difference", "to_stock", "to_variance", "posted_at",
        ]  # fmt: skip
        read_only_fields = fields


class InvoiceLineSerializer(RowSerializer[InvoiceLine]):
    """Work on an order line, or a charge; `quantity` in `unit`, as invoiced."""

    line = serializers.IntegerField(source="line_no")
    order = serializers.CharField(source="order_line.order.number", default=None, allow_null=True)
    order_line = serializers.IntegerField(source="order_line.line_no", default=None, allow_null=True)
    item = serializers.CharField(source="order_line.item.code", default=None, allow_null=True)
    note = serializers.CharField(source="receipt.note", default=None, allow_null=True)
    charge_back = serializers.CharField(source="charge_back.number", default=None, allow_null=True)
    matches = MatchSerializer(many=True)

    class Meta:
        model = InvoiceLine
        fields = [
            "line", "kind", "order", "order_line", "item", "note", "description", "quantity", "unit", "unit_price", "amount",
            "basis", "tax_category", "tax_rate", "taken_back", "charge_back", "settles", "matches",
        ]  # fmt: skip
        read_only_fields = fields


class InvoiceSerializer(RowSerializer[Invoice]):
    """An invoice as lists show it. `number` is ours, `vendor_number` the vendor's."""

    vendor = serializers.CharField(source="vendor.code")
    site = serializers.CharField(source="site.code", default=None, allow_null=True)
    currency = serializers.CharField(source="currency.code")
    gross = serializers.DecimalField(**MONEY)
    credits = serializers.CharField(source="credits.number", default=None, allow_null=True)
    payment_export = serializers.CharField(source="payment_export.number", default=None, allow_null=True)
    entered_by = serializers.CharField(source="entered_by.username", default=None, allow_null=True)
    released_by = serializers.CharField(source="released_by.username", default=None, allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", default=None, allow_null=True)
    held = serializers.SerializerMethodField(
        help_text="The reasons that hold it; none once it is released or disputed."
    )

    class Meta:
        model = Invoice
        fields = [
            "number", "kind", "status", "vendor", "vendor_number", "site", "invoice_date", "due_date", "currency", "rate", "net",
            "tax", "gross", "net_company", "credits", "note", "held", "matched_alone", "entered_at", "entered_by", "matched_at",
            "released_at", "released_by", "release_reason", "disputed_at", "dispute_reason", "approved_at", "approved_by",
            "exported_at", "payment_export", "version",
        ]  # fmt: skip
        read_only_fields = fields

    def get_held(self, invoice: Invoice) -> list[str]:
        return sorted({hold.code for hold in invoice.holds.all()}) if invoice.status == "held" else []


class InvoiceDetailSerializer(InvoiceSerializer):
    """An invoice with its lines, what they were matched with, what it was held for, its credit notes and history."""

    lines = InvoiceLineSerializer(many=True)
    reasons = HoldSerializer(source="holds", many=True)
    credit_notes = serializers.SlugRelatedField("number", many=True, read_only=True)
    history = EventSerializer(many=True)

    class Meta(InvoiceSerializer.Meta):
        fields = [*InvoiceSerializer.Meta.fields, "lines", "reasons", "credit_notes", "history"]
        read_only_fields = fields


class ChargeBackSerializer(RowSerializer[ChargeBack]):
    """What a vendor is to bear, in company currency; `set_off` of it is work of his that is not paid."""

    vendor = serializers.CharField(source="vendor.code")
    order = serializers.CharField(source="order_line.order.number")
    line = serializers.IntegerField(source="order_line.line_no")
    receipt = serializers.CharField(source="receipt_line.receipt.number", default=None, allow_null=True)
    open = serializers.DecimalField(**MONEY, help_text="Claimed and neither credited, paid nor let go.")
    settled_by = serializers.CharField(
        source="settled_by.number", default=None, allow_null=True, help_text="The credit note that named it last."
    )

    class Meta:
        model = ChargeBack
        fields = [
            "number", "kind", "status", "vendor", "order", "line", "receipt", "quantity", "amount", "set_off", "credited",
            "let_go", "open", "settled_by", "reason", "created_at", "decided_at", "closed_at", "version",
        ]  # fmt: skip
        read_only_fields = fields


class PaymentExportSerializer(RowSerializer[PaymentExport]):
    """A file of invoices handed over to whoever pays."""

    exported_by = serializers.CharField(source="exported_by.username", default=None, allow_null=True)

    class Meta:
        model = PaymentExport
        fields = ["number", "invoices", "exported_at", "exported_by"]
        read_only_fields = fields


class NotInvoicedSerializer(serializers.Serializer[Any]):
    """An order line whose work is received and not paid for, in company currency."""

    vendor = serializers.CharField()
    order = serializers.CharField()
    line = serializers.IntegerField()
    production_order = serializers.CharField()
    item = serializers.CharField()
    received = serializers.DecimalField(**QUANTITY)
    accepted = serializers.DecimalField(**QUANTITY)
    invoiced_quantity = serializers.DecimalField(**QUANTITY)
    accrued = serializers.DecimalField(**QUANTITY)
    invoiced = serializers.DecimalField(**QUANTITY)
    set_off = serializers.DecimalField(**QUANTITY)
    open = serializers.DecimalField(**QUANTITY)


class PriceVarianceSerializer(RowSerializer[Match]):
    """What was paid beyond what was agreed (below zero: less), in company currency, and where it went."""

    invoice = serializers.CharField(source="line.invoice.number")
    vendor = serializers.CharField(source="line.invoice.vendor.code")
    kind = serializers.CharField(source="line.kind")
    order = serializers.CharField(source="order_line.order.number")
    line = serializers.IntegerField(source="order_line.line_no")
    production_order = serializers.CharField(source="order_line.production_order.number", default=None, allow_null=True)
    item = serializers.CharField(source="order_line.item.code")
    amount = serializers.DecimalField(source="difference", **QUANTITY)

    class Meta:
        model = Match
        fields = [
            "invoice", "vendor", "kind", "order", "line", "production_order", "item", "quantity", "amount", "price_difference",
            "exchange_difference", "to_stock", "to_variance", "posted_at",
        ]  # fmt: skip
        read_only_fields = fields


# What is written


class TaxedSerializer(StrictFields, serializers.Serializer[Any]):
    tax_category = serializers.ChoiceField(choices=TaxCategory.choices, required=False, default=TaxCategory.STANDARD)
    tax_rate = serializers.DecimalField(max_digits=6, decimal_places=3, required=False, default=Decimal(0))


class WorkLineSerializer(TaxedSerializer):
    """Work by order and line, or by the vendor's delivery note (with the item, where it has several)."""

    order = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1, required=False)
    note = serializers.CharField(max_length=60, required=False)
    item = CodeField(queryset=Item.objects.all(), required=False)
    quantity = serializers.DecimalField(**QUANTITY)
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    unit_price = serializers.DecimalField(**QUANTITY)
    amount = serializers.DecimalField(**MONEY, required=False, allow_null=True, default=None)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class ChargeSerializer(TaxedSerializer):
    """A charge: of one order line, or spread over all of the invoice's."""

    kind = serializers.ChoiceField(choices=CHARGE_CHOICES)
    amount = serializers.DecimalField(**MONEY)
    order = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1, required=False)
    basis = serializers.ChoiceField(choices=SpreadBasis.choices, required=False, default=SpreadBasis.VALUE)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class EnterInvoiceSerializer(StrictFields, serializers.Serializer[Any]):
    """A vendor's invoice. `number` is his."""

    vendor = CodeField(queryset=Vendor.objects.all())
    number = serializers.CharField(max_length=60)
    currency = CodeField(queryset=Currency.objects.all(), required=False, allow_null=True, default=None)
    invoice_date = serializers.DateField(required=False, allow_null=True, default=None)
    due_date = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    lines = WorkLineSerializer(many=True, required=False, default=list)
    charges = ChargeSerializer(many=True, required=False, default=list)


class CreditedLineSerializer(StrictFields, serializers.Serializer[Any]):
    """What is credited of an order line: pieces at the price invoiced, or so much off the price of so many. A charge that was
    spread over an invoice names no order line.
    """

    order = serializers.CharField(max_length=20, required=False)
    line = serializers.IntegerField(min_value=1, required=False)
    kind = serializers.ChoiceField(
        choices=[(LineKind.WORK.value, LineKind.WORK.label), *CHARGE_CHOICES], required=False, default=LineKind.WORK
    )
    quantity = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    unit_price = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0))
    amount = serializers.DecimalField(**MONEY, required=False, allow_null=True, default=None)


class CreditSerializer(StrictFields, serializers.Serializer[Any]):
    """A vendor's credit note on an invoice. `number` is his; without one it gets ours."""

    number = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    credit_date = serializers.DateField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    lines = CreditedLineSerializer(many=True)


class CreditedClaimSerializer(TaxedSerializer):
    """So much of a charge-back, in the credit note's currency; without an amount all that is open of its claim."""

    charge_back = serializers.CharField(max_length=20)
    amount = serializers.DecimalField(**MONEY, required=False, allow_null=True, default=None)


class NetSerializer(StrictFields, serializers.Serializer[Any]):
    """Which charge-backs are taken off what is paid."""

    claims = CreditedClaimSerializer(many=True)


class CreditClaimsSerializer(NetSerializer):
    """A vendor's credit note on what was charged back to him. `number` is his."""

    vendor = CodeField(queryset=Vendor.objects.all())
    number = serializers.CharField(max_length=60)
    credit_date = serializers.DateField(required=False, allow_null=True, default=None)
    currency = CodeField(queryset=Currency.objects.all(), required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class WhyInvoiceSerializer(StrictFields, serializers.Serializer[Any]):
    """A word on why."""

    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class SelfBillSerializer(StrictFields, serializers.Serializer[Any]):
    """What to bill: all a vendor delivered (up to a day, of some orders) and we accepted."""

    vendor = CodeField(queryset=Vendor.objects.all())
    until = serializers.DateField(required=False, allow_null=True, default=None)
    orders = serializers.ListField(child=serializers.CharField(max_length=20), required=False, default=list)
    tax_category = serializers.ChoiceField(choices=TaxCategory.choices, required=False, default=TaxCategory.STANDARD)
    tax_rate = serializers.DecimalField(max_digits=6, decimal_places=3, required=False, default=Decimal(0))


class ChargeBackEntrySerializer(StrictFields, serializers.Serializer[Any]):
    """What is claimed by hand. Lost material without an amount: what counts and write-offs booked."""

    order = serializers.CharField(max_length=20)
    line = serializers.IntegerField(min_value=1)
    kind = serializers.ChoiceField(choices=ChargeBackKind.choices)
    amount = serializers.DecimalField(**MONEY, required=False, allow_null=True, default=None)
    quantity = serializers.DecimalField(**QUANTITY, required=False, default=Decimal(0), min_value=Decimal(0))
    reason = serializers.CharField(max_length=300)


class EnteredSerializer(serializers.Serializer[Any]):
    """The invoices a file made, by our numbers."""

    entered = serializers.ListField(child=serializers.CharField())
