"""What vendors ask to be paid: invoices and credit notes, what of them was received, why they are held; what we charge back."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core.scope import HasScope
from masterdata.models import Vendor, found_within


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT = "credit", _("Credit note")
    SELF_BILLED = "self_billed", _("Self-billed")


class InvoiceStatus(models.TextChoices):
    ENTERED = "entered", _("Entered")
    MATCHED = "matched", _("Matched")
    HELD = "held", _("Held")
    DISPUTED = "disputed", _("Disputed")
    APPROVED = "approved", _("Approved")
    EXPORTED = "exported", _("Exported")
    WITHDRAWN = "withdrawn", _("Withdrawn")


POSTED = (InvoiceStatus.APPROVED, InvoiceStatus.EXPORTED)
"""In the books: what it says is owed, its differences are in stock or in price variance."""
COUNTED = (InvoiceStatus.MATCHED, *POSTED)
"""Its quantities are taken: nobody is paid for the same pieces by another invoice."""
UNPOSTED = (InvoiceStatus.ENTERED, InvoiceStatus.MATCHED, InvoiceStatus.HELD, InvoiceStatus.DISPUTED)


class PaymentExportQuerySet(models.QuerySet["PaymentExport"]):
    def visible_to(self, user: HasScope) -> Self:
        """Whole files only: one with an invoice a user may not see is not his."""
        inside = Invoice.objects.filter(payment_export=OuterRef("pk"))
        return self.filter(~Exists(inside.exclude(pk__in=Invoice.objects.visible_to(user).order_by().values("pk"))))


class PaymentExport(models.Model):
    """Invoices handed over together to whoever pays, each once; `content` is the file, to be had again as it was."""

    number = models.CharField(max_length=20, unique=True)
    invoices = models.PositiveIntegerField()
    content = models.TextField()
    exported_at = models.DateTimeField()
    exported_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    objects = PaymentExportQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(invoices__gt=0), name="payment_export_holds_something")]

    def __str__(self) -> str:
        return self.number


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def billed(self) -> Self:
        """Invoices, the vendor's and those we wrote for him; no credit notes."""
        return self.exclude(kind=InvoiceKind.CREDIT)

    def credits(self) -> Self:
        return self.filter(kind=InvoiceKind.CREDIT)

    def held(self) -> Self:
        return self.filter(status=InvoiceStatus.HELD)

    def posted(self) -> Self:
        return self.filter(status__in=POSTED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Invoice(models.Model):
    """What one vendor asks to be paid for work on any of his orders, under his own number; or what he gives back of it.

    Amounts in the invoice's currency, all above zero: a credit note (`credits` names the invoice) says what is taken off.
    `rate` is the company currency for one unit of it on the invoice's day. `number_key` is the vendor's number as it is compared:
    without blanks, in small letters. Blank site: its orders are of several. `released_by` let pass what held it.
    `of_claims`: a credit note on charge-backs, the vendor's own, or (`credits` names an invoice) ours that nets them on it.
    """

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=12, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    status = models.CharField(max_length=10, choices=InvoiceStatus, default=InvoiceStatus.ENTERED)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    vendor_number = models.CharField(max_length=60)
    number_key = models.CharField(max_length=60, editable=False)
    invoice_date = models.DateField()
    is_dated = models.BooleanField(
        default=True, help_text="The day is the vendor's; where none was said it is that of entry."
    )
    due_date = models.DateField(null=True, blank=True)
    currency = models.ForeignKey("masterdata.Currency", models.PROTECT, related_name="+")
    rate = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    net = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    tax = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    net_company = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    credits = models.ForeignKey("self", models.PROTECT, null=True, related_name="credit_notes")
    of_claims = models.BooleanField(default=False, editable=False)
    note = models.CharField(max_length=300, blank=True)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    matched_at = models.DateTimeField(null=True, editable=False)
    matched_alone = models.BooleanField(default=False, help_text="It matched without a person letting anything pass.")
    released_at = models.DateTimeField(null=True, editable=False)
    released_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    release_reason = models.CharField(max_length=300, blank=True)
    disputed_at = models.DateTimeField(null=True, editable=False)
    disputed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    dispute_reason = models.CharField(max_length=300, blank=True)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    exported_at = models.DateTimeField(null=True, editable=False)
    payment_export = models.ForeignKey(PaymentExport, models.PROTECT, null=True, related_name="+", editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        permissions = [
            ("release_invoice", "Can release held invoices of others"),
            ("approve_invoice", "Can approve invoices for payment"),
            ("export_invoice", "Can export invoices"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=InvoiceKind.values), name="invoice_kind"),
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="invoice_status"),
            models.UniqueConstraint(
                fields=["vendor", "number_key"],
                condition=~Q(status=InvoiceStatus.WITHDRAWN),
                name="invoice_vendor_number_once",
            ),
            models.CheckConstraint(
                condition=Q(net__gte=0, tax__gte=0, net_company__gte=0), name="invoice_not_negative"
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="invoice_rate_above_zero"),
            models.CheckConstraint(
                condition=~Q(status__in=POSTED) | Q(approved_at__isnull=False), name="invoice_approved_says_when"
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | Q(entered_by__isnull=True) | ~Q(released_by=F("entered_by")),
                name="invoice_released_by_another",
            ),
            models.CheckConstraint(
                condition=(Q(kind=InvoiceKind.CREDIT) & (Q(credits__isnull=False) | Q(of_claims=True)))
                | (~Q(kind=InvoiceKind.CREDIT) & Q(credits__isnull=True, of_claims=False)),
                name="invoice_credit_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(payment_export__isnull=True) | Q(status=InvoiceStatus.EXPORTED),
                name="invoice_in_a_payment_file_is_exported",
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "id"], name="invoice_of_vendor"),
            models.Index(
                fields=["status", "id"], name="invoice_to_do", condition=Q(status__in=[*UNPOSTED, "approved"])
            ),
            found_within("vendor_number", name="invoice_number_within"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    @property
    def is_posted(self) -> bool:
        return self.status in POSTED


class LineKind(models.TextChoices):
    WORK = "work", _("Work")
    MINIMUM = "minimum", _("Minimum charge")
    LOT = "lot", _("Lot charge")
    FREIGHT = "freight", _("Freight")
    SURCHARGE = "surcharge", _("Surcharge")
    CLAIM = "claim", _("Charge-back")


CHARGES = (LineKind.MINIMUM, LineKind.LOT, LineKind.FREIGHT, LineKind.SURCHARGE)
CHARGE_CHOICES = [(kind.value, kind.label) for kind in CHARGES]
ASKED = (LineKind.WORK, *CHARGES)
"""What a vendor asks to be paid for."""


class SpreadBasis(models.TextChoices):
    QUANTITY = "quantity", _("By quantity")
    WEIGHT = "weight", _("By weight")
    VALUE = "value", _("By value")


class TaxCategory(models.TextChoices):
    """As UNCL 5305 has them."""

    STANDARD = "S", _("Standard rate")
    ZERO = "Z", _("Zero rated")
    EXEMPT = "E", _("Exempt")
    REVERSE_CHARGE = "AE", _("Reverse charge")
    INTRA_COMMUNITY = "K", _("Intra-Community supply")
    EXPORT = "G", _("Export, untaxed")
    OUTSIDE = "O", _("Outside the scope of tax")


DECLARED = (TaxCategory.REVERSE_CHARGE, TaxCategory.INTRA_COMMUNITY)
"""The vendor asks for no tax; it is ours to declare, at the rate named."""
UNTAXED = (TaxCategory.ZERO, TaxCategory.EXEMPT, TaxCategory.EXPORT, TaxCategory.OUTSIDE)


class InvoiceLine(models.Model):
    """One amount of an invoice: work on an order line, or a charge (of a line, or spread over the invoice's by `basis`).

    `quantity` and `unit_price` are as invoiced, in `unit`; `unit_factor` is how many of the item's unit one of them holds.
    `receipt` narrows it to one vendor's note. `taken_back`: a credit note's line is for pieces, not for their price.
    Reverse charge and supplies within the Community: the tax is ours to declare, none is paid to the vendor. A claim's line, of a
    credit note only, settles so much (`settles`, in company currency) of a charge-back.
    """

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    line_no = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind, default=LineKind.WORK)
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, null=True, related_name="+")
    receipt = models.ForeignKey("receipts.Receipt", models.PROTECT, null=True, related_name="+")
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    unit = models.CharField(max_length=20, blank=True)
    unit_factor = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    unit_price = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    basis = models.CharField(max_length=8, choices=SpreadBasis, default=SpreadBasis.VALUE)
    tax_category = models.CharField(max_length=2, choices=TaxCategory, default=TaxCategory.STANDARD)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    taken_back = models.BooleanField(default=False)
    charge_back = models.ForeignKey("ChargeBack", models.PROTECT, null=True, related_name="credits")
    settles = models.DecimalField(max_digits=18, decimal_places=3, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line_no"], name="invoice_line_no"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="invoice_line_kind"),
            models.CheckConstraint(condition=Q(basis__in=SpreadBasis.values), name="invoice_line_basis"),
            models.CheckConstraint(condition=Q(tax_category__in=TaxCategory.values), name="invoice_line_tax_category"),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, unit_price__gte=0, amount__gte=0, unit_factor__gt=0),
                name="invoice_line_not_negative",
            ),
            models.CheckConstraint(condition=Q(tax_rate__gte=0, tax_rate__lte=100), name="invoice_line_tax_rate"),
            models.CheckConstraint(
                condition=Q(tax_category__in=[TaxCategory.STANDARD, *DECLARED]) | Q(tax_rate=0),
                name="invoice_line_untaxed_has_no_rate",
            ),
            models.CheckConstraint(
                condition=~Q(kind=LineKind.WORK) | Q(order_line__isnull=False, quantity__gt=0),
                name="invoice_line_work_is_of_an_order",
            ),
            models.CheckConstraint(
                condition=Q(kind=LineKind.CLAIM, charge_back__isnull=False, settles__gt=0)
                | (~Q(kind=LineKind.CLAIM) & Q(charge_back__isnull=True, settles=0)),
                name="invoice_line_claim_settles_a_charge_back",
            ),
        ]
        indexes = [models.Index(fields=["order_line"], name="invoice_line_of_order_line")]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.line_no}"

    @property
    def item_quantity(self) -> Decimal:
        """In the item's unit, five decimals."""
        return (self.quantity * self.unit_factor).quantize(Decimal("0.00001"))

    @property
    def is_charge(self) -> bool:
        return self.kind != LineKind.WORK


class MatchQuerySet(models.QuerySet["Match"]):
    def counted(self) -> Self:
        """Of invoices whose quantities are taken."""
        return self.filter(line__invoice__status__in=COUNTED)

    def posted(self) -> Self:
        return self.filter(line__invoice__status__in=POSTED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="order_line__order__site_id", vendor="order_line__vendor_id"))


class Match(models.Model):
    """What of an invoice line is for which order line and receipt line; a credit note's are below zero.

    `quantity` in the item's unit (0 for a charge). `amount` in the invoice's currency; the rest in company currency:
    `amount_company` = `agreed` (what was accrued for it when it was received) + `price_difference` + `exchange_difference`.
    Once the invoice is approved, the two differences lie in `to_stock` (the pieces still here) and `to_variance`.
    No receipt line: more than was received, or a charge.
    """

    line = models.ForeignKey(InvoiceLine, models.CASCADE, related_name="matches")
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    receipt_line = models.ForeignKey("receipts.ReceiptLine", models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=5)
    amount_company = models.DecimalField(max_digits=18, decimal_places=5)
    agreed = models.DecimalField(max_digits=18, decimal_places=5)
    price_difference = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    exchange_difference = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    to_stock = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    to_variance = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    posted_at = models.DateTimeField(null=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_company=F("agreed") + F("price_difference") + F("exchange_difference")),
                name="match_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(posted_at__isnull=True)
                | Q(to_stock=F("price_difference") + F("exchange_difference") - F("to_variance")),
                name="match_posted_is_somewhere",
            ),
        ]
        indexes = [
            models.Index(fields=["order_line"], name="match_of_order_line"),
            models.Index(fields=["receipt_line"], name="match_of_receipt_line"),
            models.Index(fields=["posted_at", "id"], name="match_posted", condition=Q(posted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.quantity}"

    @property
    def difference(self) -> Decimal:
        """Above zero: more is asked for than was agreed."""
        return self.price_difference + self.exchange_difference


class HoldCode(models.TextChoices):
    OVER_INVOICE = "over_invoice", _("More than was accepted and not invoiced yet")
    PRICE = "price_out_of_tolerance", _("Dearer than agreed")
    PRICE_OPEN = "price_open", _("The price is still to be set")
    DUPLICATE = "possible_duplicate", _("Another invoice has the same date and amount")


class Hold(models.Model):
    """Why an invoice waits for a person: what was compared with what. Rows of the last match; a release keeps them."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="holds")
    line = models.ForeignKey(InvoiceLine, models.CASCADE, null=True, related_name="holds")
    code = models.CharField(max_length=30, choices=HoldCode)
    detail = models.CharField(max_length=300)
    allowed = models.DecimalField(max_digits=18, decimal_places=5, null=True)
    found = models.DecimalField(max_digits=18, decimal_places=5, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "line", "code"], nulls_distinct=False, name="hold_once"),
            models.CheckConstraint(condition=Q(code__in=HoldCode.values), name="hold_code"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.code}"

    @property
    def excess(self) -> Decimal:
        """By how much more was found than is allowed."""
        return (self.found or Decimal(0)) - (self.allowed or Decimal(0))


class ChargeBackKind(models.TextChoices):
    REJECTS = "rejects", _("Rejected pieces")
    LOST_MATERIAL = "lost_material", _("Lost material")
    LATENESS = "lateness", _("Lateness")
    UNPAID_WORK = "unpaid_work", _("Work that is not paid")


class ChargeBackStatus(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    CLAIMED = "claimed", _("Claimed")
    SETTLED = "settled", _("Settled")
    WAIVED = "waived", _("Waived")


class ChargeBackQuerySet(models.QuerySet["ChargeBack"]):
    def standing(self) -> Self:
        """Not waived."""
        return self.exclude(status=ChargeBackStatus.WAIVED)

    def claimed(self) -> Self:
        """Decided: his own work in it is set off."""
        return self.filter(status__in=[ChargeBackStatus.CLAIMED, ChargeBackStatus.SETTLED])

    def claims_on(self, vendor_id: int) -> Self:
        """What a vendor, or one of his sites, is asked for and has neither credited nor paid."""
        mine = self.filter(status=ChargeBackStatus.CLAIMED, vendor__in=Vendor.objects.invoiced_by(vendor_id))
        return mine.filter(amount__gt=F("set_off") + F("credited"))

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class ChargeBack(models.Model):
    """What a vendor is to bear of what went wrong on an order line, in company currency.

    For rejects of a policy that charges the vendor it follows from the receipt line by itself: what the bad pieces cost,
    `set_off` of it being his own work on them, which is not paid; the rest is claimed from him. Work that is not paid (on bad
    pieces he bears without more) is set off whole: nothing is claimed, it is only owed no longer.
    """

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=14, choices=ChargeBackKind)
    status = models.CharField(max_length=10, choices=ChargeBackStatus, default=ChargeBackStatus.PROPOSED)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, related_name="+")
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    receipt_line = models.ForeignKey("receipts.ReceiptLine", models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    set_off = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    credited = models.DecimalField(max_digits=18, decimal_places=3, default=0, editable=False)
    let_go = models.DecimalField(max_digits=18, decimal_places=3, default=0, editable=False)
    settled_by = models.ForeignKey(
        Invoice, models.PROTECT, null=True, related_name="+", help_text="The credit note that named it."
    )
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = ChargeBackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ChargeBackKind.values), name="charge_back_kind"),
            models.CheckConstraint(condition=Q(status__in=ChargeBackStatus.values), name="charge_back_status"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, quantity__gte=0, set_off__gte=0, set_off__lte=F("amount")),
                name="charge_back_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(credited__gte=0, let_go__gte=0, amount__gte=F("set_off") + F("credited") + F("let_go")),
                name="charge_back_no_more_than_claimed",
            ),
            models.CheckConstraint(
                condition=Q(credited=0, settled_by__isnull=True, let_go=0)
                | Q(credited__gt=0, settled_by__isnull=False, status__in=["claimed", "settled"]),
                name="charge_back_credited_names_the_note",
            ),
            models.UniqueConstraint(
                fields=["receipt_line", "kind"], condition=Q(receipt_line__isnull=False), name="charge_back_once"
            ),
        ]
        indexes = [models.Index(fields=["order_line"], name="charge_back_of_order_line")]

    def __str__(self) -> str:
        return self.number

    @property
    def claim(self) -> Decimal:
        """What he is asked to give back, beside the work that is not paid."""
        return self.amount - self.set_off

    @property
    def open(self) -> Decimal:
        """What of the claim he has neither credited nor been let off; nothing once it is settled in money or let go."""
        return self.claim - self.credited if self.status == ChargeBackStatus.CLAIMED else Decimal(0)
