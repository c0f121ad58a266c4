"""Who works outside, when, where and at what price: policies, price agreements, approvals, and the decisions made of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from core.scope import HasScope
from masterdata.models import ExternallyKnown, MoneyField, reference
from production.models import ProductionOrder


class PolicyStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Verdict(models.TextChoices):
    IN_HOUSE = "in_house", "Inside"
    OUTSOURCE = "outsource", "Outside"
    REVIEW = "review", "A person must say"
    BLOCKED = "blocked", "Should go out and cannot"


class PolicyVerdict(models.TextChoices):
    OUTSOURCE = "outsource", "Goes outside"
    IN_HOUSE = "in_house", "Stays inside"
    REVIEW = "review", "A person must say"
    BUY_COMPLETE = "buy_complete", "The whole order is bought"


class Strategy(models.TextChoices):
    PREFERRED = "preferred", "First that qualifies"
    LOWEST_COST = "lowest_cost", "Lowest landed cost"
    EARLIEST = "earliest", "Earliest"
    QUOTA = "quota", "By quota"


class Split(models.TextChoices):
    NONE = "none", "Whole"
    SHARE = "share", "By share"
    CAPACITY = "capacity", "By capacity"


class Consolidate(models.TextChoices):
    NONE = "none", "One order per operation"
    PRODUCTION_ORDER = "production_order", "Per production order"
    DAY = "day", "Per vendor and day"
    WEEK = "week", "Per vendor and week"
    MONTH = "month", "Per vendor and month"


class Consumption(models.TextChoices):
    STANDARD = "standard", "By bill of material"
    AS_SENT = "as_sent", "As sent"
    AS_REPORTED = "as_reported", "As the vendor reports"


class Rejects(models.TextChoices):
    ABSORB = "absorb", "Good pieces bear them"
    EXPENSE = "expense", "Expense"
    CHARGE_VENDOR = "charge_vendor", "Charged to the vendor"


class Shortage(models.TextChoices):
    BLOCK = "block", "Refuse"
    WARN = "warn", "Take and settle later"


class PriceMissing(models.TextChoices):
    BLOCK = "block", "Blocked"
    ESTIMATE = "estimate", "Estimate"


class PayFor(models.TextChoices):
    ACCEPTED = "accepted", "Accepted pieces"
    RECEIVED = "received", "All received pieces"


class Inspection(models.TextChoices):
    NONE = "none", "None"
    SAMPLE = "sample", "Sample"
    ALL = "all", "All"


def none_below_zero(*names: str, name: str) -> models.CheckConstraint:
    """Numbers of which less than none makes no sense."""
    within = (Q(**{f"{one}__isnull": True}) | Q(**{f"{one}__gte": 0}) for one in names)
    return models.CheckConstraint(
        condition=reduce(and_, within), name=name, violation_error_message="A number here is below zero."
    )


def at_most_all(*names: str, name: str) -> models.CheckConstraint:
    """Shares of a whole."""
    within = (Q(**{f"{one}__isnull": True}) | Q(**{f"{one}__range": (0, 100)}) for one in names)
    return models.CheckConstraint(
        condition=reduce(and_, within), name=name, violation_error_message="A share lies between 0 and 100 %."
    )


def in_order(first: str, last: str, *, name: str) -> models.CheckConstraint:
    """A range ends where it begins or later; open on either side where that is blank."""
    is_open = Q(**{f"{first}__isnull": True}) | Q(**{f"{last}__isnull": True})
    return models.CheckConstraint(condition=is_open | Q(**{f"{last}__gte": F(first)}), name=name)


class PolicyQuerySet(models.QuerySet["Policy"]):
    def active(self) -> Self:
        return self.filter(status=PolicyStatus.ACTIVE)


class Policy(ExternallyKnown):
    """Says which operations go outside (scope and conditions), to whom (vendors and strategy) and how (document rules).

    A blank scope field means any, a blank condition none. The lowest priority number is looked at first. Validity is read on
    the operation's planned start. Percentages are numbers: 10 is 10 %.
    """

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=8, choices=PolicyStatus, default=PolicyStatus.DRAFT)
    priority = models.PositiveIntegerField(default=100)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    # scope
    item = models.ForeignKey("masterdata.Item", models.PROTECT, null=True, blank=True, related_name="+")
    item_group = models.ForeignKey("masterdata.ItemGroup", models.PROTECT, null=True, blank=True, related_name="+")
    process = models.ForeignKey("masterdata.Process", models.PROTECT, null=True, blank=True, related_name="+")
    work_center = models.ForeignKey("masterdata.WorkCenter", models.PROTECT, null=True, blank=True, related_name="+")
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, blank=True, related_name="+")
    # conditions
    quantity_from = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    quantity_to = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    season_from = models.DateField(null=True, blank=True)
    season_to = models.DateField(null=True, blank=True)
    load_above_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    when_down = models.BooleanField(default=False)
    late_days = models.PositiveIntegerField(null=True, blank=True)
    cost_below_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    transition_from = models.DateField(null=True, blank=True)
    transition_share_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    # verdict and sourcing
    verdict = models.CharField(max_length=12, choices=PolicyVerdict, default=PolicyVerdict.OUTSOURCE)
    strategy = models.CharField(max_length=12, choices=Strategy, default=Strategy.PREFERRED)
    split = models.CharField(max_length=8, choices=Split, default=Split.NONE)
    balance_days = models.PositiveIntegerField(default=180)
    # document rules
    consolidate = models.CharField(max_length=16, choices=Consolidate, default=Consolidate.NONE)
    auto_approve_up_to = MoneyField(null=True, blank=True)
    auto_send = models.BooleanField(default=False)
    auto_send_wait_minutes = models.PositiveIntegerField(default=0)
    auto_send_days_before = models.PositiveIntegerField(default=30)
    price_missing = models.CharField(max_length=8, choices=PriceMissing, default=PriceMissing.BLOCK)
    over_receipt_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    under_receipt_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    over_send_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    price_tolerance_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    price_tolerance_amount = models.DecimalField(max_digits=18, decimal_places=3, default=0)
    quantity_tolerance_pct = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    pay_for = models.CharField(max_length=8, choices=PayFor, default=PayFor.ACCEPTED)
    consumption = models.CharField(max_length=12, choices=Consumption, default=Consumption.STANDARD)
    yield_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    use_vendor_stock = models.BooleanField(default=False)
    shortage = models.CharField(max_length=5, choices=Shortage, default=Shortage.BLOCK)
    inspection = models.CharField(max_length=6, choices=Inspection, default=Inspection.NONE)
    sample_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    certificates = models.JSONField(default=list, blank=True)
    rejects = models.CharField(max_length=14, choices=Rejects, default=Rejects.EXPENSE)
    transit_out_days = models.PositiveIntegerField(default=0)
    transit_back_days = models.PositiveIntegerField(default=0)
    inspection_days = models.PositiveIntegerField(default=0)
    preparation_days = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        permissions = [("activate_policy", "Can activate and retire policies")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PolicyStatus.values), name="policy_status"),
            models.CheckConstraint(condition=Q(verdict__in=PolicyVerdict.values), name="policy_verdict"),
            models.CheckConstraint(condition=Q(strategy__in=Strategy.values), name="policy_strategy"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="policy_split"),
            models.CheckConstraint(condition=Q(consolidate__in=Consolidate.values), name="policy_consolidate"),
            models.CheckConstraint(condition=Q(consumption__in=Consumption.values), name="policy_consumption"),
            models.CheckConstraint(condition=Q(rejects__in=Rejects.values), name="policy_rejects"),
            models.CheckConstraint(condition=Q(pay_for__in=PayFor.values), name="policy_pay_for"),
            models.CheckConstraint(condition=Q(shortage__in=Shortage.values), name="policy_shortage"),
            models.CheckConstraint(condition=Q(inspection__in=Inspection.values), name="policy_inspection"),
            models.CheckConstraint(condition=Q(price_missing__in=PriceMissing.values), name="policy_price_missing"),
            in_order("valid_from", "valid_to", name="policy_valid_to_after_from"),
            models.CheckConstraint(
                condition=Q(yield_pct__isnull=True) | (Q(yield_pct__gt=0) & Q(yield_pct__lte=100)), name="policy_yield"
            ),
            none_below_zero(
                "quantity_from", "load_above_pct", "cost_below_pct", "auto_approve_up_to", "over_receipt_pct",
                "over_send_pct", "price_tolerance_pct", "price_tolerance_amount", "quantity_tolerance_pct",
                name="policy_none_below_zero",
            ),
            at_most_all("transition_share_pct", "under_receipt_pct", "sample_pct", name="policy_shares"),
            in_order("quantity_from", "quantity_to", name="policy_quantity_range"),
            in_order("season_from", "season_to", name="policy_season"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Raises ValidationError where a range ends before it begins, or a share is more than all: see `check_ranges`."""
        check_ranges({name: getattr(self, name) for name in CHECKED})


RANGES = (("valid_from", "valid_to"), ("quantity_from", "quantity_to"), ("season_from", "season_to"))
CHECKED = (*(name for pair in RANGES for name in pair), "transition_share_pct")


def check_ranges(values: Mapping[str, Any]) -> None:
    """Raises ValidationError, by field, where a range of a policy's values ends before it begins, or more than all is to move."""
    wrong = {}
    if (values.get("transition_share_pct") or 0) > 100:
        wrong["transition_share_pct"] = "More than 100 % of the quantity cannot move."
    for first, last in RANGES:
        begins, ends = values.get(first), values.get(last)
        if begins is not None and ends is not None and ends < begins:
            wrong[last] = f"{ends} is less than {begins}, where it begins: the policy would never apply."
    if wrong:
        raise ValidationError(wrong, code="invalid")


class PolicyVendor(models.Model):
    """A vendor of a policy, in rank order; capacity in pieces a calendar week, shared by all policies that name one for him."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="vendors")
    rank = models.PositiveSmallIntegerField()
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    share_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    weekly_capacity = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    quantity_from = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    quantity_to = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "rank"], name="policy_vendor_rank"),
            models.UniqueConstraint(fields=["policy", "vendor"], name="policy_vendor_once"),
            at_most_all("share_pct", name="policy_vendor_share"),
            none_below_zero("weekly_capacity", "quantity_from", name="policy_vendor_none_below_zero"),
            in_order("quantity_from", "quantity_to", name="policy_vendor_quantity_range"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.rank}"

    def clean(self) -> None:
        """Raises ValidationError where the largest quantity is less than the smallest: he would never be given any."""
        check_limits(self.quantity_from, self.quantity_to)


def check_limits(smallest: Decimal | None, largest: Decimal | None) -> None:
    """Raises ValidationError, by field, where a vendor's largest quantity is less than his smallest."""
    if smallest is not None and largest is not None and largest < smallest:
        limits = f"{largest.normalize():f} is less than {smallest.normalize():f}"
        said = f"{limits}, from which he is used: he would never be given any."
        raise ValidationError({"quantity_to": said}, code="invalid")


class ChargeBasis(models.TextChoices):
    LINE = "line", "Per order line"
    ORDER = "order", "Per order and process"


BAR = "|"
"""Stands between the codes of a list."""


class PriceAgreementQuerySet(models.QuerySet["PriceAgreement"]):
    def visible_to(self, user: HasScope) -> Self:
        scope = user.scope
        return self if scope.everywhere or scope.site_ids else self.filter(scope.rows(vendor="vendor_id"))


class PriceAgreement(ExternallyKnown):
    """One price row of a vendor: for an item and process, a process on any item, consecutive processes bought together, or an
    item bought complete.

    `unit_price` is for one `price_unit`; `price_factor` is how many of the item's unit one price unit holds (100 pcs). Where
    `per_unit` is filled it counts that unit instead (1 kg, 100 kg), and the item says how many of its own one of them holds.
    A blank price says that the vendor is known and the price is not. Lead days are his working days.
    """

    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, null=True, blank=True, related_name="+")
    process = models.ForeignKey("masterdata.Process", models.PROTECT, null=True, blank=True, related_name="+")
    further_processes = models.CharField(
        max_length=500,
        blank=True,
        help_text="Codes of the processes right after it, with bars between, where all are bought together as one line.",
    )
    site = models.ForeignKey("masterdata.Site", models.PROTECT, null=True, blank=True, related_name="+")
    currency = models.ForeignKey("masterdata.Currency", models.PROTECT, null=True, blank=True, related_name="+")
    unit_price = models.DecimalField(max_digits=18, decimal_places=5, null=True, blank=True)
    price_unit = models.CharField(max_length=20, blank=True)
    price_factor = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    per_unit = models.ForeignKey("masterdata.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    minimum_quantity = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    lot_charge = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    minimum_charge = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    minimum_charge_basis = models.CharField(max_length=5, choices=ChargeBasis, default=ChargeBasis.LINE)
    lead_days = models.PositiveIntegerField(null=True, blank=True)
    yield_pct = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    freight = models.DecimalField(max_digits=18, decimal_places=5, default=0)
    reference = reference("PA-")

    objects = PriceAgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "vendor",
                    "item",
                    "process",
                    "further_processes",
                    "site",
                    "currency",
                    "minimum_quantity",
                    "valid_from",
                ],
                nulls_distinct=False,
                name="price_agreement_once",
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False) | Q(process__isnull=False), name="price_agreement_of_something"
            ),
            models.CheckConstraint(
                condition=Q(further_processes="") | Q(process__isnull=False), name="price_agreement_list_begins"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__isnull=True) | Q(unit_price__gte=0), name="price_agreement_not_negative"
            ),
            models.CheckConstraint(condition=Q(price_factor__gt=0), name="price_agreement_factor_above_zero"),
            none_below_zero(
                "minimum_quantity", "lot_charge", "minimum_charge", "freight", name="price_agreement_none_below_zero"
            ),
            models.CheckConstraint(
                condition=Q(yield_pct__isnull=True) | (Q(yield_pct__gt=0) & Q(yield_pct__lte=100)),
                name="price_agreement_yield",
            ),
            in_order("valid_from", "valid_to", name="price_agreement_valid_to_after_from"),
            models.CheckConstraint(
                condition=Q(minimum_charge_basis__in=ChargeBasis.values), name="price_agreement_charge_basis"
            ),
        ]

    def __str__(self) -> str:
        return f"price {self.pk}"

    @property
    def processes(self) -> list[str]:
        """Codes of the processes bought with it, in their order; one for most."""
        first = [self.process.code] if self.process else []
        return first + [code for code in self.further_processes.split(BAR) if code]


class ApprovalStatus(models.TextChoices):
    APPROVED = "approved", "Approved"
    PENDING = "pending", "Pending"
    SUSPENDED = "suspended", "Suspended"


class VendorApproval(ExternallyKnown):
    """Whether a vendor may do a process, until when (included), on what certificate. Where a row exists it always rules."""

    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    process = models.ForeignKey("masterdata.Process", models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=ApprovalStatus, default=ApprovalStatus.APPROVED)
    valid_to = models.DateField(null=True, blank=True)
    certificate = models.CharField(max_length=200, blank=True)
    reference = reference("VA-")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "process"], name="vendor_approval_once"),
            models.CheckConstraint(condition=Q(status__in=ApprovalStatus.values), name="vendor_approval_status"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor_id} {self.process_id}"


class Basis(models.TextChoices):
    """Who decided: the first of these that applies."""

    WORD = "word", "The planner's word"
    FLAG = "flag", "The sourcing flag"
    POLICY = "policy", "A policy"
    WORK_CENTER = "work_center", "The external work center's own vendor"
    DEFAULT = "default", "Nothing sends it out"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def current(self) -> Self:
        return self.filter(is_current=True)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="operation__production_order__site_id"))


class Decision(models.Model):
    """The verdict on one open operation, with structured reasons. Versions: one is current, earlier ones stay.

    `reasons` is a list of objects {code, subject, detail, ...}: every policy looked at and every vendor weighed, what was
    compared with what and how it came out. `input_hash` covers all that was read; `flips_on` is the next day on which an
    input changes by itself.
    """

    operation = models.ForeignKey("production.Operation", models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    verdict = models.CharField(max_length=10, choices=Verdict)
    basis = models.CharField(max_length=12, choices=Basis)
    policy = models.ForeignKey(Policy, models.PROTECT, null=True, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    planned_start = models.DateField(null=True)
    need_date = models.DateField(null=True)
    reasons = models.JSONField(default=list)
    input_hash = models.CharField(max_length=32, blank=True)
    flips_on = models.DateField(null=True)
    decided_at = models.DateTimeField()
    run_number = models.CharField(max_length=20, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["operation"], condition=Q(is_current=True), name="decision_one_current"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="decision_verdict"),
            models.CheckConstraint(condition=Q(basis__in=Basis.values), name="decision_basis"),
        ]
        indexes = [
            models.Index(fields=["verdict", "id"], name="decision_by_verdict", condition=Q(is_current=True)),
            models.Index(fields=["verdict", "need_date", "id"], name="decision_by_need", condition=Q(is_current=True)),
            models.Index(fields=["need_date", "id"], name="decision_all_by_need", condition=Q(is_current=True)),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.verdict}"

    @property
    def ranked_awards(self) -> list[Award]:
        """Its awards, the best vendor first; no query of its own where they were fetched with it."""
        return sorted(self.awards.all(), key=lambda award: (award.rank, award.pk))


class Award(models.Model):
    """What a decision gives to one vendor: quantity, price and dates. A decision outside has one, or several where it is split.

    Quantity is good pieces wanted ÷ yield, in the item's unit. Amounts are in `currency`, rounded half-up to its decimals:
    amount = work + minimum top-up + lot charge + freight. `amount_company` is the same in company currency.
    """

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="awards")
    rank = models.PositiveSmallIntegerField(default=1)
    vendor = models.ForeignKey("masterdata.Vendor", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    yield_pct = models.DecimalField(max_digits=8, decimal_places=3, default=100)
    agreement = models.ForeignKey(PriceAgreement, models.SET_NULL, null=True, related_name="+")
    currency = models.ForeignKey("masterdata.Currency", models.PROTECT, related_name="+")
    unit_price = models.DecimalField(max_digits=18, decimal_places=5)
    price_unit = models.CharField(max_length=20, blank=True)
    price_factor = models.DecimalField(max_digits=18, decimal_places=8, default=1)
    is_estimate = models.BooleanField(default=False)
    work_amount = MoneyField()
    minimum_top_up = MoneyField(default=0)
    lot_charge = MoneyField(default=0)
    freight = MoneyField(default=0)
    amount = MoneyField()
    amount_company = MoneyField()
    lead_days = models.PositiveIntegerField(default=0)
    need_date = models.DateField()
    vendor_ready_date = models.DateField()
    at_vendor_date = models.DateField()
    dispatch_by = models.DateField()
    order_by = models.DateField()
    late_by = models.PositiveIntegerField(default=0)
    promise_date = models.DateField()
    is_whole = models.BooleanField(default=False, help_text="The whole production order is bought with it.")
    last_no = models.CharField(
        max_length=20,
        blank=True,
        help_text="The last of the operations bought together with it; blank where it is one alone.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "vendor"], name="award_vendor_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="award_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(amount=F("work_amount") + F("minimum_top_up") + F("lot_charge") + F("freight")),
                name="award_amount_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision_id} {self.vendor_id}"


class OrderWithVerdicts(ProductionOrder):
    """A production order as planners look at it: each of its operations with the verdict on it and why."""

    class Meta:
        proxy = True
        verbose_name = "production order"
