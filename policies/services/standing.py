"""Writing one policy by hand, putting it in force and taking it out again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, NotFound, Stale, WrongState
from masterdata import services as masterdata
from policies.models import Policy, PolicyStatus, PolicyVerdict
from policies.services.history import KIND
from policies.services.master import upsert_policies


class AlreadySo(WrongState):
    """The policy is in force (or retired) already."""


class NamesNobody(InvalidInput):
    """A policy in force that sends work out names at least one vendor, or a work center with a vendor of its own."""


@transaction.atomic
def write_policy(
    *, values: Mapping[str, Any], expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> Policy:
    """Make or change the policy of `values["code"]`; columns left out stay. `vendors` is the whole ranked list. Raises Stale."""
    known = Policy.objects.select_for_update().filter(code=values["code"]).first()
    _check_version(known, expected_version)
    done = upsert_policies(rows=[values], by=by, at=at, through=through)
    policy = Policy.objects.get(code=values["code"])
    if done.created or done.changed:
        _note(policy, "changed" if known else "made", at=at)
    return policy


def activate_policy(
    *, policy_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> Policy:
    """Put a draft or retired policy in force: the next run decides by it. Raises AlreadySo, NamesNobody, Stale, NotFound."""
    return _set(PolicyStatus.ACTIVE, "policy.activated", policy_id, expected_version, by, at, through)


def retire_policy(
    *, policy_id: int, expected_version: int | None = None, by: User, at: datetime, through: str = "page"
) -> Policy:
    """Take a policy out of force; decisions made by it go on naming it. Raises AlreadySo, Stale, NotFound."""
    return _set(PolicyStatus.RETIRED, "policy.retired", policy_id, expected_version, by, at, through)


@transaction.atomic
def _set(
    status: PolicyStatus, event: str, policy_id: int, expected_version: int | None, by: User, at: datetime, through: str
) -> Policy:
    policy = Policy.objects.select_for_update().filter(pk=policy_id).first()
    if policy is None:
        raise NotFound("There is no such policy.", field="policy")
    _check_version(policy, expected_version)
    if policy.status == status:
        raise AlreadySo(f"{policy} is {policy.get_status_display().lower()} already.")
    if status == PolicyStatus.ACTIVE and policy.verdict in (PolicyVerdict.OUTSOURCE, PolicyVerdict.BUY_COMPLETE):
        own = policy.work_center.vendor_id if policy.work_center else None
        if own is None and not policy.vendors.exists():
            raise NamesNobody(f"{policy} sends work out but names no vendor; add one first.", field="vendors")
    data = {"changed": {"status": {"from": policy.status, "to": status}}}
    policy.status, policy.version = status, policy.version + 1
    policy.save(update_fields=["status", "version"])
    activity.record(
        event, kind=KIND, number=policy.code, at=at, by=by, through=through, site_id=policy.site_id, data=data
    )
    _note(policy, event.partition(".")[2], at=at)
    return policy


def _check_version(policy: Policy | None, expected: int | None) -> None:
    if policy is not None and expected is not None and policy.version != expected:
        raise Stale(f"{policy} was changed since you read it; look at it again.")


def _note(policy: Policy, what: str, *, at: datetime) -> None:
    masterdata.note_plan_change(at=at, reason=f"Policy {policy} {what}")
