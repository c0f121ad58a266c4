"""What people do with policies and approvals: activate, retire, read them as a sentence, see what will end soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, NoRight, NotFound, Stale
from masterdata.models import Vendor
from policies.models import ApprovalStatus, Policy, PolicyStatus, PolicyVendor, PolicyVerdict, VendorApproval
from policies.rules import reasons
from policies.services.deciding import policy_values
from production import services as production

MAY_ACTIVATE = "policies.activate_policy"


class MayNotActivate(NoRight):
    """Policies are activated and retired by planners."""


class NamesNobody(InvalidInput):
    """A policy that sends work out names at least one vendor, or an external work center with one of its own."""


@transaction.atomic
def activate_policy(*, policy_id: int, by: User, at: datetime, expected_version: int | None = None) -> Policy:
    """Let a policy decide from the next run on. Again is no change. Raises MayNotActivate, Stale, NamesNobody."""
    policy = _locked(policy_id, by=by, expected_version=expected_version)
    if policy.status == PolicyStatus.ACTIVE:
        return policy
    buys = policy.verdict in (PolicyVerdict.OUTSOURCE, PolicyVerdict.BUY_COMPLETE)
    own = policy.work_center.vendor_id if policy.work_center else None
    if buys and own is None and not PolicyVendor.objects.filter(policy=policy).exists():
        raise NamesNobody(f"Policy {policy} sends work out but names no vendor. Add one first.", field="vendors")
    return _move(policy, PolicyStatus.ACTIVE, by=by, at=at)


@transaction.atomic
def retire_policy(*, policy_id: int, by: User, at: datetime, expected_version: int | None = None) -> Policy:
    """A retired policy decides nothing; drafts made by it follow with the next run. Raises MayNotActivate, Stale."""
    policy = _locked(policy_id, by=by, expected_version=expected_version)
    if policy.status == PolicyStatus.RETIRED:
        return policy
    return _move(policy, PolicyStatus.RETIRED, by=by, at=at)


def _locked(policy_id: int, *, by: User, expected_version: int | None) -> Policy:
    if not by.has_perm(MAY_ACTIVATE):
        raise MayNotActivate("You may not activate or retire policies; a planner may.")
    policy = Policy.objects.select_for_update().filter(pk=policy_id).first()
    if policy is None:
        raise NotFound("There is no such policy.")
    if expected_version is not None and policy.version != expected_version:
        raise Stale(f"Policy {policy} was changed since you read it (version {policy.version}). Read it again.")
    return policy


def _move(policy: Policy, status: PolicyStatus, *, by: User, at: datetime) -> Policy:
    policy.status = status
    policy.version += 1
    policy.save(update_fields=["status", "version"])
    activity.record(f"policy.{status}", kind="policy", number=policy.code, at=at, by=by, site_id=policy.site_id)
    production.note_plan_change(at=at, reason=f"Policy {policy.code} is {status.label.lower()}")
    return policy


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
