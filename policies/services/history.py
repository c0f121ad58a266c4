"""What became of policies: every change as an event that says what it was and what it is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from accounts.models import User
from activity import services as activity
from activity.models import Event
from policies.models import Policy, PolicyVendor
from policies.rules.reasons import plain
from policies.services.books import SCOPE_FIELDS

KIND = "policy"
NOT_TOLD = ("id", "version", "source", "external_refs")
LIMITS = ("share_pct", "weekly_capacity", "quantity_from", "quantity_to")

Content = dict[str, Any]
"""The columns of a policy as texts (what they name by code), and its vendors by rank."""


def policy_contents(*, policy_ids: Iterable[int]) -> dict[int, Content]:
    """What these policies say now, by key."""
    wanted = list(policy_ids)
    columns = [
        f"{field.name}__code" if field.name in SCOPE_FIELDS else field.name
        for field in Policy._meta.concrete_fields
        if field.name not in NOT_TOLD
    ]
    vendors: dict[int, list[dict[str, str]]] = defaultdict(list)
    ranked = PolicyVendor.objects.filter(policy__in=wanted).order_by("policy_id", "rank")
    for policy_id, code, *limits in ranked.values_list("policy_id", "vendor__code", *LIMITS):
        named = zip(LIMITS, limits, strict=True)
        vendors[policy_id].append({"vendor": code} | {name: plain(one) for name, one in named if one is not None})
    return {
        row.pop("pk"): {name.removesuffix("__code"): _told(value) for name, value in row.items()}
        | {"vendors": vendors[pk]}
        for row in Policy.objects.filter(pk__in=wanted).values("pk", *columns)
        if (pk := row["pk"])
    }


def record_changes(
    before: Mapping[int, Content], *, policy_ids: Iterable[int], by: User | None, at: datetime, through: str
) -> None:
    """Note of each of these policies what is different from `before`; one that was not there was made."""
    ids = list(policy_ids)
    sites = dict(Policy.objects.filter(pk__in=ids).values_list("pk", "site_id"))
    events = []
    for pk, now in policy_contents(policy_ids=ids).items():
        was = before.get(pk)
        changed = {name: {"from": was[name], "to": value} for name, value in now.items() if was and was[name] != value}
        if was is None or changed:
            events.append(
                Event(
                    name="policy.made" if was is None else "policy.changed", document_kind=KIND, document_number=now["code"],
                    at=at, by=by, through=through, site_id=sites[pk], data={"changed": changed} if changed else {},
                )
            )  # fmt: skip
    if events:
        activity.record_many(events)


def _told(value: Any) -> Any:
    return value if isinstance(value, bool | list) else plain(value)
