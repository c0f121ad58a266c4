"""Policies as sentences, and the approvals that end soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from core.refusals import NotFound
from masterdata.models import Vendor
from policies.models import ApprovalStatus, Policy, PolicyStatus, PolicyVendor, VendorApproval
from policies.rules import reasons
from policies.services.books import policy_values


def policy_sentence(*, policy_id: int) -> str:
    """A policy as one plain sentence. Raises NotFound."""
    values = policy_values(Policy.objects.filter(pk=policy_id))
    if not values:
        raise NotFound("There is no such policy.")
    named = Vendor.objects.filter(pk__in=[row.vendor_id for row in values[0].vendors])
    return reasons.policy_sentence(
        values[0], {pk: name or code for pk, name, code in named.values_list("pk", "name", "code")}
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
