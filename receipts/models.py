"""What is expected back from vendors, and what came: receipts by the vendor's note, with what was used up for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from core.scope import HasScope
from masterdata.models import found_within


class ExpectedReceiptQuerySet(models.QuerySet["ExpectedReceipt"]):
    def open(self) -> Self:
        return self.filter(quantity__gt=0)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="order_line__order__site_id", vendor="order_line__order__vendor_id"))


class ExpectedReceipt(models.Model):
    """What is still expected of one order line: good pieces and all, by when, where. One row a line, quantity 0 when done."""

    order_line = models.OneToOneField("subcontract_orders.OrderLine", models.CASCADE, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    expected_on = models.DateField()
    location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")

    objects = ExpectedReceiptQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="expected_receipt_not_negative")]
        indexes = [
            models.Index(fields=["expected_on", "id"], name="expected_receipt_open", condition=Q(quantity__gt=0))
        ]

    def __str__(self) -> str:
        return f"{self.order_line_id}"


class ReceiptStatus(models.TextChoices):
    POSTED = "posted", "Posted"
    REVERSED = "reversed", "Reversed"
    QUARANTINED = "quarantined", "In quarantine"


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def posted(self) -> Self:
        return self.filter(status=ReceiptStatus.POSTED)

    def quarantined(self) -> Self:
        return self.filter(status=ReceiptStatus.QUARANTINED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Receipt(models.Model):
    """Goods counted in from one vendor, under the number and date of his note, over any of his open lines.

    The same note counts once (`content_hash` tells the same content from another); a supplement to it is marked. A reversed
    receipt frees its note. In quarantine lie goods that came though the books refuse them (`refusal` says why): they count for
    no order, are worth nothing yet, and wait to be released by their `content` or taken back.
    """

    number = models.CharField(max_length=20, unique=True)
    status = models.CharField(max_length=12, choices=ReceiptStatus, default=ReceiptStatus.POSTED)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    note = models.CharField(max_length=60)
    note_date = models.DateField()
    is_supplement = models.BooleanField(default=False)
    is_opening = models.BooleanField(
        default=False,
        editable=False,
        help_text="Counted elsewhere, before its order was loaded: it moved no stock here.",
    )
    content_hash = models.CharField(max_length=64)
    content = models.JSONField(default=list)
    refusal = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reversed_at = models.DateTimeField(null=True, editable=False)
    reversed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        permissions = [("inspect_receipt", "Can inspect receipts")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ReceiptStatus.values), name="receipt_status"),
            models.UniqueConstraint(
                Upper("note"),  # DN-1 and dn-1 are one note, however it was typed
                "vendor",
                condition=Q(status__in=[ReceiptStatus.POSTED, ReceiptStatus.QUARANTINED], is_supplement=False),
                name="receipt_note_once",
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "id"], name="receipt_of_vendor"),
            found_within("note", name="receipt_note_within"),
        ]

    def __str__(self) -> str:
        return self.number


class Fault(models.TextChoices):
    OPEN = "open", "Open"
    OURS = "ours", "Ours"
    VENDOR = "vendor", "The vendor's"


class ReceiptLine(models.Model):
    """What came for one order line: good, rejected and scrapped pieces, in the item's unit.

    Values in company currency: `components_value` used up and `work_value` owed, less the `by_products_value` of what came out
    beside them, make the pieces; `expensed_value` of it fell on bad ones. `held` good pieces lie in inspection for `held_for`
    (inspection, certificate kinds) and are not available yet; `to_inspect` of them are to be looked at (`is_sample`: they stand
    for all). Counts are as they stand after inspection.
    """

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line_no = models.PositiveIntegerField()
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    accepted = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    rejected = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    scrapped = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    reworked = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Of these, pieces back from rework: made and owed before."
    )
    sent_back = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Pieces that went back to the vendor on inspection."
    )
    disposed = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Of the rejected ones, pieces somebody has decided about."
    )
    stage = models.CharField(max_length=90, blank=True)
    location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    components_value = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    work_value = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    by_products_value = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    expensed_value = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    good_value = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="What the good pieces went into stock with."
    )
    held = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    held_for = models.JSONField(default=list)
    to_inspect = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    is_sample = models.BooleanField(default=False)
    certificates = models.JSONField(default=list)
    fault = models.CharField(max_length=6, choices=Fault, default=Fault.OPEN)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["receipt", "line_no"], name="receipt_line_no"),
            models.CheckConstraint(
                condition=Q(accepted__gte=0, rejected__gte=0, scrapped__gte=0, reworked__gte=0, sent_back__gte=0)
                & Q(held__gte=0, held__lte=models.F("accepted"))
                & Q(to_inspect__gte=0, to_inspect__lte=models.F("held"))
                & Q(disposed__gte=0, disposed__lte=models.F("rejected")),
                name="receipt_line_not_negative",
            ),
            models.CheckConstraint(condition=Q(fault__in=Fault.values), name="receipt_line_fault"),
        ]
        indexes = [
            models.Index(fields=["order_line"], name="receipt_line_of_order_line"),
            models.Index(fields=["id"], name="receipt_line_held", condition=Q(held__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id}/{self.line_no}"

    @property
    def counted(self) -> Decimal:
        return self.accepted + self.rejected + self.scrapped


class ReceiptLot(models.Model):
    """So many good pieces of a receipt line in a lot (or one serial number)."""

    line = models.ForeignKey(ReceiptLine, models.PROTECT, related_name="lots")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "lot"], name="receipt_lot_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="receipt_lot_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.lot_id}"


class Disposition(models.TextChoices):
    REWORK = "rework", "Back to the vendor, to be mended"
    RETURN = "return", "Back to the vendor"
    SCRAP = "scrap", "Scrapped"
    USE_AS_IS = "use_as_is", "Used as they are"


class Finding(models.Model):
    """What somebody found about pieces of a receipt line, or let pass: who, when and why.

    An inspection accepts and rejects; a waiver names what is not asked for any more (`waived`: inspection, certificate kinds);
    certificates that came later are named in `certificates`.
    """

    line = models.ForeignKey(ReceiptLine, models.PROTECT, related_name="findings")
    accepted = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    rejected = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    disposition = models.CharField(max_length=10, choices=Disposition, blank=True)
    fault = models.CharField(max_length=6, choices=Fault, default=Fault.OPEN)
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    waived = models.JSONField(default=list)
    certificates = models.JSONField(default=list)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(accepted__gte=0, rejected__gte=0), name="finding_not_negative"),
            models.CheckConstraint(condition=Q(disposition__in=["", *Disposition.values]), name="finding_disposition"),
            models.CheckConstraint(condition=Q(fault__in=Fault.values), name="finding_fault"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.disposition}"


class Consumption(models.Model):
    """So much of a component (of a lot) used up for a receipt line, at cost. A later adjustment is a row of its own."""

    line = models.ForeignKey(ReceiptLine, models.PROTECT, related_name="consumptions")
    component = models.ForeignKey("subcontract_orders.OrderComponent", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5)
    is_adjustment = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="consumption_uses_something")]
        indexes = [models.Index(fields=["component"], name="consumption_of_component")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.item_id}"


class ByProduct(models.Model):
    """So much of a by-product (in a lot) that came with a receipt line, at its value. A later adjustment is a row of its own."""

    line = models.ForeignKey(ReceiptLine, models.PROTECT, related_name="by_products")
    component = models.ForeignKey("subcontract_orders.OrderComponent", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5)
    is_adjustment = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(quantity=0), name="by_product_comes")]

    def __str__(self) -> str:
        return f"{self.line_id} {self.item_id}"


class ReturnKind(models.TextChoices):
    MATERIAL = "material", "Material"
    PRODUCT = "product", "Product"


class ReturnStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    DISPATCHED = "dispatched", "On its way"
    POSTED = "posted", "Posted"
    REVERSED = "reversed", "Reversed"
    CANCELLED = "cancelled", "Cancelled"


class ReturnQuerySet(models.QuerySet["Return"]):
    def draft(self) -> Self:
        return self.filter(status=ReturnStatus.DRAFT)

    def posted(self) -> Self:
        return self.filter(status=ReturnStatus.POSTED)

    def on_the_way(self) -> Self:
        return self.filter(status=ReturnStatus.DISPATCHED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class Return(models.Model):
    """Material of ours that comes back from a vendor unused, or pieces of his that go back to him.

    A draft says what is to come back when an order is closed; it moves nothing until it is dispatched. `arrives_on` is when
    what is on its way is expected; without transit days it is posted as it is dispatched.
    """

    number = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=10, choices=ReturnKind)
    status = models.CharField(max_length=10, choices=ReturnStatus, default=ReturnStatus.DRAFT)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    dispatched_at = models.DateTimeField(null=True, editable=False)
    arrives_on = models.DateField(null=True, editable=False)
    posted_at = models.DateTimeField(null=True, editable=False)
    reversed_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = ReturnQuerySet.as_manager()

    class Meta:
        permissions = [
            ("count_vendorstock", "Can enter a vendor's count of our material"),
            ("write_off_material", "Can write off material at a vendor"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ReturnKind.values), name="return_kind"),
            models.CheckConstraint(condition=Q(status__in=ReturnStatus.values), name="return_status"),
            models.CheckConstraint(
                condition=~Q(status=ReturnStatus.POSTED) | Q(posted_at__isnull=False), name="return_posted_says_when"
            ),
            models.CheckConstraint(
                condition=~Q(status=ReturnStatus.DISPATCHED) | Q(dispatched_at__isnull=False, arrives_on__isnull=False),
                name="return_on_its_way_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "id"], name="return_of_vendor"),
            models.Index(fields=["arrives_on"], name="return_on_its_way", condition=Q(status="dispatched")),
        ]

    def __str__(self) -> str:
        return self.number


class ReturnLineQuerySet(models.QuerySet["ReturnLine"]):
    def gone(self) -> Self:
        """Of returns that left: on their way, or there."""
        return self.filter(document__status__in=[ReturnStatus.DISPATCHED, ReturnStatus.POSTED])


class ReturnLine(models.Model):
    """So much of an item (of a lot, at a stage) from one place to another, in the item's unit.

    `component`: whose material it was (none: free stock). `receipt_line`: where the pieces came in, for a return of product.
    `lost`: what of it left the vendor and never arrived.
    """

    document = models.ForeignKey(Return, models.CASCADE, related_name="lines")
    line_no = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    from_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    to_location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    component = models.ForeignKey("subcontract_orders.OrderComponent", models.PROTECT, null=True, related_name="+")
    receipt_line = models.ForeignKey(ReceiptLine, models.PROTECT, null=True, related_name="+")
    lost = models.DecimalField(max_digits=18, decimal_places=5, default=0, editable=False)

    objects = ReturnLineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "line_no"], name="return_line_no"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="return_line_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(lost__gte=0, lost__lte=models.F("quantity")), name="return_line_lost_of_it"
            ),
        ]
        indexes = [
            models.Index(fields=["component"], name="return_line_of_component"),
            models.Index(fields=["receipt_line"], name="return_line_of_receipt_line"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}/{self.line_no}"


class PurchaseState(models.TextChoices):
    """How far a purchase request is; derived, never set."""

    PLANNED = "planned", "Planned"
    TO_ORDER = "to_order", "To order"
    ORDERED = "ordered", "Ordered"
    SURPLUS = "surplus", "Too much ordered"
    ARRIVED = "arrived", "Arrived"
    CLOSED = "closed", "Closed"


class PurchaseRequestQuerySet(models.QuerySet["PurchaseRequest"]):
    def waiting(self) -> Self:
        """Of which something is still to arrive."""
        return self.filter(wanted__gt=0)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class PurchaseRequest(models.Model):
    """What a third party is to deliver to a vendor for an order line, by item: a view of the database, so it is there with the
    line and always says what the line needs now.

    `required` by the revision in force; `arrived` what was booked; `there` free stock at the vendor's place that counts for it,
    the earliest need first; `wanted` what is still to arrive, 0 once the line expects no more; `on_order` what was ordered and
    has not arrived, `to_order` what of the wanted nobody ordered.
    `expected_on` is what was said when it was ordered, else the day it is needed. Quantities in the item's unit.
    """

    reference = models.CharField(max_length=120, help_text="<order>/<line>/<item>")
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.DO_NOTHING, related_name="+")
    order = models.ForeignKey("subcontract_orders.SubcontractOrder", models.DO_NOTHING, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.DO_NOTHING, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.DO_NOTHING, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.DO_NOTHING, related_name="+")
    ship_to = models.ForeignKey("masterdata.Location", models.DO_NOTHING, related_name="+")
    purchase = models.ForeignKey("receipts.DirectPurchase", models.DO_NOTHING, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=PurchaseState)
    required = models.DecimalField(max_digits=18, decimal_places=5)
    arrived = models.DecimalField(max_digits=18, decimal_places=5)
    there = models.DecimalField(max_digits=18, decimal_places=5)
    wanted = models.DecimalField(max_digits=18, decimal_places=5)
    on_order = models.DecimalField(max_digits=18, decimal_places=5)
    to_order = models.DecimalField(max_digits=18, decimal_places=5)
    needed_on = models.DateField()
    expected_on = models.DateField()

    objects = PurchaseRequestQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return self.reference


class DirectPurchase(models.Model):
    """What a buyer, or a purchasing system, ordered of a third party for one order line and item: so much in all, under what
    reference, expected when. `asked` is what was wanted in all as it was ordered.
    """

    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    asked = models.DecimalField(max_digits=18, decimal_places=5)
    reference = models.CharField(max_length=60)
    supplier = models.CharField(max_length=120, blank=True)
    expected_on = models.DateField()
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order_line", "item"], name="direct_purchase_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0, asked__gte=0), name="direct_purchase_above_zero"),
        ]

    def __str__(self) -> str:
        return self.reference


class DirectDeliveryQuerySet(models.QuerySet["DirectDelivery"]):
    def posted(self) -> Self:
        return self.filter(status=ReceiptStatus.POSTED)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))


class DirectDelivery(models.Model):
    """What a third party brought to a vendor for one order line and item, under the number of his delivery note.

    The same note counts once for a line and item (`content` tells the same from another); a reversed one frees it. `value` in
    company currency. `content` holds the lots as they were said.
    """

    number = models.CharField(max_length=20, unique=True)
    status = models.CharField(
        max_length=12,
        choices=[(one.value, one.label) for one in (ReceiptStatus.POSTED, ReceiptStatus.REVERSED)],
        default=ReceiptStatus.POSTED,
    )
    order_line = models.ForeignKey("subcontract_orders.OrderLine", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    note = models.CharField(max_length=60)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    value = models.DecimalField(max_digits=18, decimal_places=5)
    content = models.JSONField(default=dict)
    arrived_at = models.DateTimeField()
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    reversed_at = models.DateTimeField(null=True, editable=False)
    reversed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = DirectDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "direct deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[ReceiptStatus.POSTED, ReceiptStatus.REVERSED]), name="direct_delivery_status"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0, value__gte=0), name="direct_delivery_above_zero"),
            models.UniqueConstraint(
                Upper("note"),
                "order_line",
                "item",
                condition=Q(status=ReceiptStatus.POSTED),
                name="direct_delivery_note_once",
            ),
        ]

    def __str__(self) -> str:
        return self.number
