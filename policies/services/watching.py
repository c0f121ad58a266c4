"""Policies as sentences, and the approvals that end soon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext

from accounts.models import User
from core.refusals import NotFound
from masterdata import services as masterdata
from masterdata.models import Vendor
from policies.models import ApprovalStatus, Award, Basis, Decision, Policy, PolicyStatus, PolicyVendor, VendorApproval
from policies.rules import sentence
from policies.services.books import policy_values


def policy_sentence(*, policy_id: int) -> str:
    """A policy as one plain sentence, in the reader's language. Raises NotFound."""
    values = policy_values(Policy.objects.filter(pk=policy_id))
    if not values:
        raise NotFound("There is no such policy.")
    named = Vendor.objects.filter(pk__in=[row.vendor_id for row in values[0].vendors])
    return sentence.policy_sentence(
        values[0], {pk: name or code for pk, name, code in named.values_list("pk", "name", "code")}
    )


@dataclass(frozen=True, slots=True)
class ToOrder:
    """What a policy has a vendor asked for and nobody has sent yet. Money in company currency."""

    vendor: str
    vendor_name: str
    lines: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy decides as the plan stands: operations by verdict, and what is still to be ordered for them. As a text it
    speaks the reader's language.
    """

    verdicts: Mapping[str, int]
    to_order: tuple[ToOrder, ...]
    currency: str

    @property
    def operations(self) -> int:
        return sum(self.verdicts.values())

    def __str__(self) -> str:
        if not self.operations:
            return gettext("It decides nothing as the plan stands.")
        said = ", ".join(EFFECTS[verdict].format(n=count) for verdict, count in self.verdicts.items())
        decides = ngettext(
            "It decides {n} open operation: {said}.", "It decides {n} open operations: {said}.", self.operations
        )
        text = decides.format(n=self.operations, said=said)
        if not self.to_order:
            return text
        total = sum((one.amount for one in self.to_order), Decimal(0))
        vendors = ", ".join(f"{one.vendor_name or one.vendor} {_money(one.amount)}" for one in self.to_order)
        to_send = gettext("{amount} {currency} of it are not sent yet: {vendors}.")
        return f"{text} {to_send.format(amount=_money(total), currency=self.currency, vendors=vendors)}"


EFFECTS = {
    "outsource": gettext_lazy("{n} outside"),
    "in_house": gettext_lazy("{n} inside"),
    "review": gettext_lazy("{n} for a person to say"),
    "blocked": gettext_lazy("{n} blocked"),
}


def _money(amount: Decimal) -> str:
    return number_format(amount, use_l10n=True, force_grouping=True)


def policy_effect(*, policy_id: int, by: User) -> Effect:
    """What a policy decides today at the sites `by` may see. Where the planner's word goes before it, it decides nothing."""
    decided = Decision.objects.current().visible_to(by).filter(policy=policy_id, basis=Basis.POLICY)
    counts = dict(decided.values_list("verdict").annotate(Count("pk")).order_by())
    awards = Award.objects.filter(decision__in=decided).values_list("vendor__code", "vendor__name")
    rows = list(awards.annotate(Count("pk"), Sum("amount_company")).order_by("vendor__code"))
    return Effect(
        {verdict: counts[verdict] for verdict in EFFECTS if verdict in counts},
        tuple(ToOrder(*row) for row in rows),
        masterdata.company().currency.code if rows else "",
    )


@dataclass(frozen=True, slots=True)
class EndingApproval:
    """An approval that ends soon (or has ended) of a vendor whom an active policy names for such work."""

    vendor_id: int
    vendor: str
    process_id: int
    process: str
    valid_to: date
    days_left: int
    """Negative where it has ended."""


def ending_approvals(*, on: date, days: int = 60) -> list[EndingApproval]:
    """Approvals of active vendors in active policies that end within so many days, first to end first.

    A policy without a process may send any process to its vendors, so it counts for all of their approvals.
    """
    named: set[tuple[int, int | None]] = set(
        PolicyVendor.objects.filter(policy__status=PolicyStatus.ACTIVE).values_list("vendor_id", "policy__process_id")
    )
    rows = VendorApproval.objects.filter(
        status=ApprovalStatus.APPROVED, vendor__is_active=True, valid_to__lte=on + timedelta(days=days)
    ).order_by("valid_to", "pk")
    return [
        EndingApproval(vendor_id, vendor, process_id, process, valid_to, (valid_to - on).days)
        for vendor_id, vendor, process_id, process, valid_to in rows.values_list(
            "vendor_id", "vendor__code", "process_id", "process__code", "valid_to"
        )
        if valid_to is not None and ((vendor_id, process_id) in named or (vendor_id, None) in named)
    ]
