"""Policies, price agreements and approvals in bulk, by their business keys, from plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import User
from masterdata.services import Upserted, upsert_by_key
from policies.models import Policy, PolicyVendor, PriceAgreement, VendorApproval
from policies.services import history

PRICE_KEY = (
    "vendor_id", "item_id", "process_id", "further_processes", "site_id", "currency_id", "minimum_quantity", "valid_from",
)  # fmt: skip
RANKED = ("vendor_id", "share_pct", "weekly_capacity", "quantity_from", "quantity_to")


@transaction.atomic
def upsert_policies(*, rows: Sequence[Mapping[str, Any]], by: User | None, at: datetime, through: str) -> Upserted:
    """Make or change policies by code, each with an event that says what changed. Columns a row leaves out stay.

    `vendors`, where given, is the whole ranked list: mappings with `vendor_id` and, where they have one, `share_pct`,
    `weekly_capacity`, `quantity_from`, `quantity_to`. Every change counts the policy's version up.
    """
    codes = [row["code"] for row in rows]
    known: dict[str, dict[str, Any]] = {
        row["code"]: dict(row) for row in Policy.objects.filter(code__in=codes).values()
    }
    before = history.policy_contents(policy_ids=[row["id"] for row in known.values()])
    ranked = _ranked([row["id"] for row in known.values()])
    plain, changed = [], set()
    for row in rows:
        values = {name: value for name, value in row.items() if name != "vendors"}
        plain.append(values)
        old = known.get(row["code"])
        if old and (
            any(old[name] != value for name, value in values.items())
            or ("vendors" in row and ranked[old["id"]] != _as_ranked(row["vendors"]))
        ):
            changed.add(row["code"])
    done = upsert_by_key(model=Policy, key=("code",), rows=plain)
    Policy.objects.filter(code__in=changed).update(version=F("version") + 1)
    ids = {code: pk for (code,), pk in done.ids.items()}
    given = {ids[row["code"]]: row["vendors"] for row in rows if "vendors" in row}
    differing = {pk: vendors for pk, vendors in given.items() if ranked[pk] != _as_ranked(vendors)}
    PolicyVendor.objects.filter(policy_id__in=differing).delete()
    PolicyVendor.objects.bulk_create(
        [
            PolicyVendor(policy_id=pk, rank=rank, **vendor)
            for pk, vendors in differing.items()
            for rank, vendor in enumerate(vendors, start=1)
        ],
        batch_size=2000,
    )
    touched = [pk for code, pk in ids.items() if code in changed or code not in known]
    history.record_changes(before, policy_ids=touched, by=by, at=at, through=through)
    done.changed = len(changed)
    done.unchanged = len(ids) - done.created - done.changed
    return done


def _ranked(policy_ids: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    rows = PolicyVendor.objects.filter(policy_id__in=policy_ids).order_by("policy_id", "rank")
    for policy_id, *values in rows.values_list("policy_id", *RANKED):
        found[policy_id].append(tuple(values))
    return found


def _as_ranked(vendors: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(vendor.get(name) for name in RANKED) for vendor in vendors]


def upsert_price_agreements(*, rows: Sequence[Mapping[str, Any]]) -> Upserted:
    """Make or change price rows by vendor, item, process (or list of them), site, currency, minimum quantity and first day."""
    blank: dict[str, Any] = dict.fromkeys(PRICE_KEY) | {"minimum_quantity": 0, "further_processes": ""}
    return upsert_by_key(model=PriceAgreement, key=PRICE_KEY, rows=[{**blank, **row} for row in rows])


def upsert_approvals(*, rows: Sequence[Mapping[str, Any]]) -> Upserted:
    """Make or change vendors' approvals by vendor and process."""
    return upsert_by_key(model=VendorApproval, key=("vendor_id", "process_id"), rows=rows)
