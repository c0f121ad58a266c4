"""What a vendor is asked for and has promised: orders, lines with the price frozen on them, components, revisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Case, Count, DateField, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least

from core.scope import HasScope
from masterdata.models import ExternallyKnown, Item, Location, MoneyField, Process, Vendor, found_within
from policies.models import ChargeBasis, Consumption, Inspection, PayFor, Rejects, Shortage
from production.models import ProductionOrder, QuantityBasis, Supply


class OrderStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    APPROVED = "approved", "Approved"
    SENT = "sent", "Sent"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"
    HELD = "held", "Held"


class Progress(models.TextChoices):
    NONE = "none", "None"
    PARTIAL = "partial", "Partial"
    COMPLETE = "complete", "Complete"


UNSENT = (OrderStatus.DRAFT, OrderStatus.APPROVED)
WITH_VENDOR = (OrderStatus.SENT, OrderStatus.ACKNOWLEDGED)


class SubcontractOrderQuerySet(models.QuerySet["SubcontractOrder"]):
    def draft(self) -> Self:
        return self.filter(status=OrderStatus.DRAFT)

    def unsent(self) -> Self:
        return self.filter(status__in=UNSENT, sent_at=None)

    def open(self) -> Self:
        return self.exclude(status__in=[OrderStatus.CLOSED, OrderStatus.CANCELLED])

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="site_id", vendor="vendor_id"))

    def with_vendor(self) -> Self:
        """Sent, acknowledged, or sent with a revision of it still waiting: what was sent last is in force."""
        return self.filter(Q(status__in=WITH_VENDOR) | Q(status__in=UNSENT, sent_at__isnull=False))

    def to_order(self, *, until: date) -> Self:
        """Unsent and to be ordered on or before a day."""
        return self.unsent().filter(order_by__lte=until)

    def sending_themselves(self, *, at: datetime, today: Mapping[int, date]) -> Self:
        """Approved, their waiting time over, and near enough to the order-by date; `today` by site."""
        near = Q(pk__in=[])
        for site_id, day in today.items():
            until = ExpressionWrapper(Value(day, DateField()) + F("auto_send_days_before"), output_field=DateField())
            lines = OrderLine.objects.active().filter(order=OuterRef("pk"), order_by__lte=until)
            near |= Q(Exists(lines), site=site_id)
        return self.filter(near, status=OrderStatus.APPROVED, auto_send_at__lte=at)

    def forecast(self, *, after: date) -> Self:
        """Unsent and to be ordered later than a day."""
        return self.unsent().filter(order_by__gt=after)

    def matching(self, text: str) -> Self:
        """Every word stands in the number, the vendor, or a line's part, process or production order."""
        found = self
        lines = OrderLine.objects.active().order_by()
        for word in text.split():
            items = Item.objects.filter(Q(code__icontains=word) | Q(name__icontains=word))
            vendors = Vendor.objects.filter(Q(code__icontains=word) | Q(name__icontains=word))
            plans = ProductionOrder.objects.filter(number__icontains=word)
            # One index for each way to match, put together: an "or" over several tables would read them all.
            found = found.filter(
                pk__in=SubcontractOrder.objects.filter(number__icontains=word)
                .values("pk")
                .union(
                    SubcontractOrder.objects.filter(vendor__in=vendors).values("pk"),
                    lines.filter(item__in=items).values("order"),
                    lines.filter(process__in=Process.objects.filter(name__icontains=word)).values("order"),
                    lines.filter(production_order__in=plans).values("order"),
                )
            )
        return found

    def with_line_summary(self) -> Self:
        """The first active line's key and how many active lines there are, and are complete: what a list shows of an order."""
        active = OrderLine.objects.active().filter(order=OuterRef("pk")).order_by("line_no")
        counted = active.order_by().values("order")
        return self.annotate(
            first_line_id=Subquery(active.values("pk")[:1]),
            line_count=Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n")), 0),
            lines_complete=Coalesce(
                Subquery(counted.filter(status=LineStatus.COMPLETE).annotate(n=Count("pk")).values("n")), 0
            ),
        )


class SubcontractOrder(models.Model):
    """What one vendor is asked to do for one site of ours, in one currency, shipped to one place of his.

    `consolidation_key` is what a later line must share to join while this is a draft (week, day, production order …).
    `revision` counts what was sent or waits to be; `version` counts every change, for If-Match. `total`, dates and
    progress are stored for lists of a million rows; `services` is their one writer.
    """

    number = models.CharField(max_length=20, unique=True)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, related_name="+")
    ship_to = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    receive_at = models.ForeignKey(
        "masterdata.Location",
        models.PROTECT,
        related_name="+",
        help_text="Where its first line's pieces come back to; each line says its own.",
    )
    currency = models.ForeignKey("masterdata.Currency", models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=OrderStatus, default=OrderStatus.DRAFT)
    consolidation_key = models.CharField(max_length=120)
    revision = models.PositiveIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    total = MoneyField(default=0)
    total_company = MoneyField(default=0)
    material = models.CharField(max_length=8, choices=Progress, default=Progress.NONE)
    receipt = models.CharField(max_length=8, choices=Progress, default=Progress.NONE)
    order_by = models.DateField(null=True)
    dispatch_by = models.DateField(null=True)
    due_date = models.DateField(null=True, help_text="The earliest need date of its open lines.")
    approved_total = MoneyField(
        null=True,
        help_text="What was approved, in company currency; more goes back to draft.",
    )
    auto_send_at = models.DateTimeField(null=True, blank=True)
    held_from = models.CharField(max_length=12, blank=True, help_text="The status it returns to when it is released.")
    made_by_run = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    sent_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+", editable=False)
    changed_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        help_text="Who last changed by hand what it is worth or when it is needed.",
    )
    acknowledged_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)

    objects = SubcontractOrderQuerySet.as_manager()

    class Meta:
        permissions = [
            ("approve_subcontractorder", "Can approve subcontract orders"),
            ("send_subcontractorder", "Can send subcontract orders"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status"),
            models.CheckConstraint(condition=Q(material__in=Progress.values), name="order_material"),
            models.CheckConstraint(condition=Q(receipt__in=Progress.values), name="order_receipt"),
            models.CheckConstraint(
                condition=~Q(status=OrderStatus.APPROVED) | Q(approved_at__isnull=False),
                name="order_approved_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=WITH_VENDOR) | Q(sent_at__isnull=False), name="order_sent_says_when"
            ),
            models.UniqueConstraint(
                fields=["vendor", "site", "ship_to", "currency", "consolidation_key"],
                condition=Q(status=OrderStatus.DRAFT, revision=1),
                name="order_one_draft_to_join",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_date", "id"], name="order_open_by_due", condition=~Q(status__in=["closed", "cancelled"])
            ),
            models.Index(fields=["order_by", "id"], name="order_unsent_by_order_by", condition=Q(status__in=UNSENT)),
            models.Index(fields=["vendor", "id"], name="order_of_vendor"),
            models.Index(fields=["auto_send_at"], name="order_sends_itself", condition=Q(status="approved")),
            found_within("number", name="order_number_within"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_with_vendor(self) -> bool:
        """Shipped for, received and invoiced: what was sent last is in force, also while a dearer revision waits."""
        return self.status in WITH_VENDOR or self.revision_waits

    @property
    def revision_waits(self) -> bool:
        """It was sent, and a later revision of it is still to be approved or sent."""
        return self.status in UNSENT and self.sent_at is not None


class LineStatus(models.TextChoices):
    OPEN = "open", "Open"
    COMPLETE = "complete", "Complete"
    CANCELLED = "cancelled", "Cancelled"


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    def active(self) -> Self:
        return self.exclude(status=LineStatus.CANCELLED)

    def with_share_to_come(self) -> Self:
        """`share_to_come`: how much of a line comes by now or later, of 1. Less than that only where its order is closed."""
        came = F("accepted") + F("rejected") + F("scrapped") + F("in_rework")
        closed = When(order__status=OrderStatus.CLOSED, then=Least(came, F("quantity")) / F("quantity"))
        return self.annotate(share_to_come=Case(closed, default=Value(Decimal(1)), output_field=models.DecimalField()))

    def received(self) -> Self:
        """Of which something came."""
        return self.exclude(accepted=0, rejected=0, scrapped=0, in_rework=0)

    def with_received(self) -> Self:
        return self.annotate(received_quantity=F("accepted") + F("rejected") + F("scrapped"))

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="order__site_id", vendor="order__vendor_id"))


class OrderLine(ExternallyKnown):
    """One operation (or a whole production order bought complete) at a vendor: quantity, price frozen at ordering, dates, rules.

    Quantities in the item's unit. received = accepted + rejected + scrapped. Amounts in the order's currency. `is_draft`
    (the order was never sent), `vendor` and `ship_to` repeat the order's, so that the database can hold "at most one draft
    line per operation, vendor and ship-to". `pinned` names fields a person has set: {field: {by, at, reason}}; runs leave
    them. One that is `offered` is what the vendor can make, and the only one that runs heed once it is sent. `content_hash` is
    what a run last wrote here, so that the next one sees at a glance whether anything differs.
    """

    order = models.ForeignKey(SubcontractOrder, models.CASCADE, related_name="lines")
    line_no = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=LineStatus, default=LineStatus.OPEN)
    is_draft = models.BooleanField(default=True)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    ship_to = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")
    receive_at = models.ForeignKey(
        "masterdata.Location",
        models.PROTECT,
        related_name="+",
        help_text="Where the pieces come back to: a place of ours, or `ship_to` where they go on from the vendor.",
    )
    operation = models.ForeignKey("production.Operation", models.PROTECT, null=True, related_name="+")
    production_order = models.ForeignKey("production.ProductionOrder", models.PROTECT, null=True, related_name="+")
    operation_no = models.CharField(max_length=20, blank=True)
    last_operation_no = models.CharField(
        max_length=20,
        blank=True,
        help_text="The last of consecutive operations bought together by this line; blank where it is for one alone.",
    )
    is_whole = models.BooleanField(
        default=False, help_text="The whole production order is bought with it; `operation` is its last one."
    )
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    process = models.ForeignKey("masterdata.Process", models.PROTECT, null=True, related_name="+")
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    accepted = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    rejected = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    scrapped = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    in_rework = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Pieces made and owed, back at the vendor to be mended."
    )
    reordered = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Of the bad pieces, those a person has ordered anew."
    )
    forgone = models.DecimalField(
        max_digits=18, decimal_places=5, default=0, help_text="Of the bad pieces, those a person does without."
    )
    yield_pct = models.DecimalField(max_digits=8, decimal_places=3, default=100)
    unit_price = models.DecimalField(max_digits=18, decimal_places=5)
    price_unit = models.CharField(max_length=20, blank=True)
    price_factor = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    minimum_charge = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    minimum_charge_basis = models.CharField(max_length=5, choices=ChargeBasis, default=ChargeBasis.LINE)
    is_price_open = models.BooleanField(default=False)
    agreement_id = models.BigIntegerField(null=True, help_text="The price row frozen here.")
    work_amount = MoneyField()
    minimum_top_up = MoneyField(default=0)
    lot_charge = MoneyField(default=0)
    freight = MoneyField(default=0)
    amount = MoneyField()
    amount_company = MoneyField(default=0)
    need_date = models.DateField()
    vendor_ready_date = models.DateField()
    at_vendor_date = models.DateField()
    dispatch_by = models.DateField()
    order_by = models.DateField()
    promised_date = models.DateField()  # when its pieces are to be here; of use they are once inspected
    late_by = models.PositiveIntegerField(default=0)
    # rules of the policy, frozen
    policy_code = models.CharField(max_length=60, blank=True)
    over_receipt_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    under_receipt_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    over_send_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    consumption = models.CharField(max_length=12, choices=Consumption, default=Consumption.STANDARD)
    shortage = models.CharField(max_length=5, choices=Shortage, default=Shortage.BLOCK)
    inspection = models.CharField(max_length=6, choices=Inspection, default=Inspection.NONE)
    sample_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True)
    certificates = models.JSONField(default=list)
    rejects = models.CharField(max_length=14, choices=Rejects, default=Rejects.EXPENSE)
    price_tolerance_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    price_tolerance_amount = MoneyField(default=0)
    quantity_tolerance_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    pay_for = models.CharField(max_length=8, choices=PayFor, default=PayFor.ACCEPTED)
    use_vendor_stock = models.BooleanField(default=False)
    transit_back_days = models.PositiveIntegerField(default=0)
    auto_approve_up_to = MoneyField(null=True)
    auto_send = models.BooleanField(default=False)
    auto_send_wait_minutes = models.PositiveIntegerField(default=0)
    auto_send_days_before = models.PositiveIntegerField(default=30)
    pinned = models.JSONField(default=dict)
    item_revision = models.CharField(max_length=20, blank=True, help_text="The item's drawing, as it was asked for.")
    specification = models.TextField(blank=True, help_text="What the vendor was told of the work.")
    specification_files = models.JSONField(
        default=list, blank=True, help_text="Files he was given with it: name, path, sha256 and size in bytes."
    )
    content_hash = models.CharField(max_length=32, blank=True)
    invoiced_before = models.DecimalField(
        max_digits=18,
        decimal_places=5,
        default=0,
        editable=False,
        help_text="Invoiced before it was loaded, in the item's unit.",
    )
    paid_unit_price = models.DecimalField(
        max_digits=18,
        decimal_places=5,
        null=True,
        editable=False,
        help_text="What the invoice approved last asks for one price unit, credits off, in the order's currency.",
    )
    paid_at = models.DateTimeField(null=True, editable=False)
    # what the last sent revision says, while a dearer one waits; blank where the columns above are what is in force
    sent_quantity = models.DecimalField(max_digits=18, decimal_places=5, null=True, editable=False)
    sent_unit_price = models.DecimalField(max_digits=18, decimal_places=5, null=True, editable=False)
    sent_amount = MoneyField(null=True, editable=False)
    sent_amount_company = MoneyField(null=True, editable=False)
    sent_need_date = models.DateField(null=True, editable=False)
    sent_promised_date = models.DateField(null=True, editable=False)
    sent_dispatch_by = models.DateField(null=True, editable=False)
    sent_receive_at = models.ForeignKey(
        "masterdata.Location", models.PROTECT, null=True, related_name="+", editable=False
    )

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "line_no"], name="order_line_no"),
            models.UniqueConstraint(
                fields=["operation", "vendor", "ship_to"],
                condition=Q(is_draft=True) & ~Q(status=LineStatus.CANCELLED),
                name="order_line_one_draft",
            ),
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="order_line_status"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(accepted__gte=0, rejected__gte=0, scrapped__gte=0, in_rework__gte=0)
                & Q(reordered__gte=0, forgone__gte=0),
                name="order_line_received_not_negative",
            ),
            models.CheckConstraint(condition=Q(invoiced_before__gte=0), name="order_line_invoiced_not_negative"),
            models.CheckConstraint(condition=Q(pay_for__in=PayFor.values), name="order_line_pay_for"),
            models.CheckConstraint(
                condition=Q(price_tolerance_pct__gte=0, price_tolerance_amount__gte=0, quantity_tolerance_pct__gte=0),
                name="order_line_tolerances_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(paid_unit_price__isnull=True, paid_at__isnull=True)
                | Q(paid_unit_price__gt=0, paid_at__isnull=False),
                name="order_line_paid_says_when",
            ),
            models.CheckConstraint(
                condition=Q(amount=F("work_amount") + F("minimum_top_up") + F("lot_charge") + F("freight")),
                name="order_line_amount_adds_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["promised_date", "id"],
                name="order_line_expected",
                condition=Q(status="open") | Q(in_rework__gt=0),
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_no}"

    @property
    def leaves_as(self) -> str:
        """The number of the operation whose pieces come back: the last, where several are bought together."""
        return self.last_operation_no or self.operation_no

    @property
    def work_name(self) -> str:
        """What is done, as people call it: the process, or all that are bought together. Blank for an order bought complete."""
        return self.description if self.last_operation_no or not self.process else self.process.name or self.description

    @property
    def steps(self) -> str:
        """The operations it is for, as people write them: 20, or 20–40."""
        return f"{self.operation_no}–{self.last_operation_no}" if self.last_operation_no else self.operation_no

    @property
    def received(self) -> Decimal:
        return self.accepted + self.rejected + self.scrapped

    @property
    def replaced(self) -> Decimal:
        """Bad pieces that another line makes anew; a reversal may have made fewer of them bad than were ordered anew."""
        return min(self.reordered, self.rejected + self.scrapped)

    @property
    def open_quantity(self) -> Decimal:
        """What is still expected; 0 once the line is complete or cancelled."""
        return max(self.quantity - self.received, Decimal(0)) if self.status == LineStatus.OPEN else Decimal(0)

    @property
    def quantity_in_force(self) -> Decimal:
        """What the vendor was last asked for, in the item's unit: what may be received, whatever waits to be sent."""
        return self.quantity if self.sent_quantity is None else self.sent_quantity

    @property
    def open_in_force(self) -> Decimal:
        """What is still expected by the last sent revision."""
        if self.status != LineStatus.OPEN:
            return Decimal(0)
        return max(self.quantity_in_force - self.received, Decimal(0))

    @property
    def unit_price_in_force(self) -> Decimal:
        return self.unit_price if self.sent_unit_price is None else self.sent_unit_price

    @property
    def amount_in_force(self) -> Decimal:
        amount: Decimal = self.amount if self.sent_amount is None else self.sent_amount
        return amount

    @property
    def amount_company_in_force(self) -> Decimal:
        amount: Decimal = self.amount_company if self.sent_amount_company is None else self.sent_amount_company
        return amount

    @property
    def dispatch_in_force(self) -> date:
        return self.dispatch_by if self.sent_dispatch_by is None else self.sent_dispatch_by

    @property
    def inspection_days(self) -> int:
        """Calendar days from the day its pieces are here to the day they are of use."""
        return max((self.need_date - self.vendor_ready_date).days - self.transit_back_days, 0)

    @property
    def promised_in_force(self) -> date:
        return self.promised_date if self.sent_promised_date is None else self.sent_promised_date

    @property
    def promises_in_force(self) -> list[LinePromise]:
        """The parts the vendor promised of what was sent last, in the order of their dates; none where he promised it whole."""
        is_told = self.sent_quantity is not None
        return sorted((one for one in self.promises.all() if one.is_told == is_told), key=lambda one: one.position)

    @property
    def receive_at_in_force(self) -> Location:
        return self.sent_receive_at or self.receive_at

    @property
    def receive_at_in_force_id(self) -> int:
        return self.receive_at_id if self.sent_receive_at_id is None else self.sent_receive_at_id


class OrderComponentQuerySet(models.QuerySet["OrderComponent"]):
    def lying_at_vendor(self) -> Self:
        """Of which something still lies at the vendor, or is on its way to him, for the line."""
        gone = F("consumed") + F("returned") + F("written_off") + F("lost") + F("carried_out")
        return self.filter(sent__gt=gone - F("direct") - F("carried_in") - F("found"))


class OrderComponent(models.Model):
    """Material the vendor needs for a line: `required` in the component's unit, and how it reaches him.

    `stage` is empty for material; for the production order's own pieces it names the operation that finished them
    ("<production order>/<operation no>"). `ship_from` is where it is shipped from: our site, or the vendor who has the pieces;
    the line's own ship-to where it lies there already; nothing where others bring it. `carried_in` is free stock at the
    vendor given to this line: so much less is shipped.

    Conservation: sent + direct + carried in + found = consumed + returned + written off + lost + carried out + still there.
    All are net of reversals; `subcontract_orders.services.record_flows` is their one writer, carried_in of drafts apart.
    """

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="components")
    position = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    stage = models.CharField(max_length=90, blank=True)
    supply = models.CharField(max_length=10, choices=Supply, default=Supply.OWN)
    basis = models.CharField(max_length=10, choices=QuantityBasis, default=QuantityBasis.PER_UNIT)
    quantity_per = models.DecimalField(max_digits=18, decimal_places=5)
    scrap_pct = models.DecimalField(max_digits=8, decimal_places=4, default=0)
    required = models.DecimalField(max_digits=18, decimal_places=5)
    sent_required = models.DecimalField(
        max_digits=18,
        decimal_places=5,
        null=True,
        editable=False,
        help_text="What the last sent revision needs, while a dearer one waits.",
    )
    sent = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    direct = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    carried_in = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    found = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    consumed = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    returned = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    written_off = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    lost = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    carried_out = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    ship_from = models.ForeignKey("masterdata.Location", models.PROTECT, null=True, related_name="+")

    objects = OrderComponentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "position"], name="order_component_position"),
            models.CheckConstraint(condition=Q(required__gte=0), name="order_component_required_not_negative"),
            models.CheckConstraint(
                condition=Q(sent__gte=0, direct__gte=0, carried_in__gte=0, found__gte=0, consumed__gte=0)
                & Q(returned__gte=0, written_off__gte=0, lost__gte=0, carried_out__gte=0),
                name="order_component_flows_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    consumed__lte=F("sent")
                    + F("direct")
                    + F("carried_in")
                    + F("found")
                    - F("returned")
                    - F("written_off")
                    - F("lost")
                    - F("carried_out")
                ),
                name="order_component_no_more_used_than_came",
            ),
            models.CheckConstraint(condition=Q(supply__in=Supply.values), name="order_component_supply"),
        ]
        indexes = [
            models.Index(fields=["line"], name="order_component_direct", condition=Q(supply=Supply.DIRECT)),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.position}"

    @property
    def required_in_force(self) -> Decimal:
        """What the last sent revision needs: what is shipped, whatever waits to be sent."""
        return self.required if self.sent_required is None else self.sent_required

    @property
    def at_vendor(self) -> Decimal:
        """What of it still lies at the vendor for this line."""
        came = self.sent + self.direct + self.carried_in + self.found
        return came - self.consumed - self.returned - self.written_off - self.lost - self.carried_out

    @property
    def net_sent(self) -> Decimal:
        """Sent, and neither brought back nor gone there: what was written off or lost may be sent once more."""
        return self.sent - self.returned - (self.written_off + self.lost - self.found)


# The same, as the database reckons it; `c` is a component's row.
NET_SENT = F("sent") - F("returned") - (F("written_off") + F("lost") - F("found"))
CAME = "c.sent + c.direct + c.carried_in + c.found"
GONE = "c.consumed + c.returned + c.written_off + c.lost + c.carried_out"
AT_VENDOR = f"{CAME} - ({GONE})"


class FlowKind(models.TextChoices):
    """How a component's quantity at the vendor changed. The value is the counter's name on the component."""

    SENT = "sent", "Sent"
    DIRECT = "direct", "Delivered by a third party"
    CARRIED_IN = "carried_in", "Taken over from free stock there"
    FOUND = "found", "Found by a count"
    CONSUMED = "consumed", "Used"
    RETURNED = "returned", "Returned"
    WRITTEN_OFF = "written_off", "Written off"
    LOST = "lost", "Lost by a count"
    CARRIED_OUT = "carried_out", "Given over to free stock there"


class ComponentFlow(models.Model):
    """One change of what lies at a vendor for a component, by lot, with the document that made it. A reversal is negative."""

    component = models.ForeignKey(OrderComponent, models.PROTECT, related_name="flows")
    lot = models.ForeignKey("inventory.Lot", models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=FlowKind)
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    movement = models.ForeignKey("inventory.Movement", models.PROTECT, null=True, related_name="+")
    document_kind = models.CharField(max_length=30)
    document_number = models.CharField(max_length=60, blank=True)
    document_line = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=FlowKind.values), name="component_flow_kind"),
            models.CheckConstraint(condition=~Q(quantity=0), name="component_flow_moves_something"),
        ]
        indexes = [models.Index(fields=["document_kind", "document_number"], name="component_flow_document")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"


WORK = ("item_revision", "specification", "specification_files")
"""What a revision tells of the work on a line."""


class OrderRevision(models.Model):
    """An order as it was sent (or waits to be), whole, so that what a vendor holds can always be shown."""

    order = models.ForeignKey(SubcontractOrder, models.CASCADE, related_name="revisions")
    revision = models.PositiveIntegerField()
    content = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "revision"], name="order_revision_once")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.revision}"

    def work_told(self) -> dict[int, dict[str, Any]]:
        """What it tells of the work, by line number: the item's revision, the text, the files."""
        return {row["line_no"]: {name: row[name] for name in WORK if name in row} for row in self.content["lines"]}


class OfferState(models.TextChoices):
    OPEN = "open", "Waits for an answer"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    OVERTAKEN = "overtaken", "Overtaken by a change of the order"


class CounterOffer(models.Model):
    """What a vendor answers instead of yes: other quantities or dates, or (`is_refusal`) that he does not take the order.

    It changes nothing until a person accepts it. One is open per order; a change of the order by us overtakes it.
    """

    order = models.ForeignKey(SubcontractOrder, models.CASCADE, related_name="counter_offers")
    revision = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=OfferState, default=OfferState.OPEN)
    is_refusal = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OfferState.values), name="counter_offer_state"),
            models.UniqueConstraint(fields=["order"], condition=Q(state="open"), name="counter_offer_one_open"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"


class CounterLine(models.Model):
    """So much of a line by a date, in the item's unit. Several of one line are a delivery in parts."""

    offer = models.ForeignKey(CounterOffer, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    promised_date = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offer", "order_line", "position"], name="counter_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="counter_line_quantity_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.order_line_id}/{self.position}"


class LinePromiseQuerySet(models.QuerySet["LinePromise"]):
    def in_force(self) -> Self:
        """Those of what was sent last."""
        return self.filter(Q(is_told=False, line__sent_quantity=None) | Q(is_told=True))


class LinePromise(models.Model):
    """A part of a line a vendor promised by a date of its own; the line's promised date is the last of them.

    While a dearer revision waits, the parts of what was sent last stand beside those of what waits: `is_told`.
    """

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="promises")
    is_told = models.BooleanField(default=False, editable=False)
    position = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    promised_date = models.DateField()

    objects = LinePromiseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "is_told", "position"], name="line_promise_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_promise_quantity_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}/{self.position}"
