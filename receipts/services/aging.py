"""Alerts about material of ours that lies at vendors for long: old, or due back by law. First in is taken to be first out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import User
from activity import services as activity
from activity.models import Alert, Severity
from inventory.models import Balance
from masterdata import services as masterdata
from receipts.models import Return
from receipts.services.lying import NothingToReturn
from receipts.services.returning import MaterialLine, return_material, spare_material

OLD, RETURN_DUE = "vendor_stock_old", "return_due"
WARN_DAYS = 30
"""So many days before material must be back by law an alert says so."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Aged:
    """So much of a balance came to the vendor's place before a day; the oldest of it `since`."""

    row: Balance
    quantity: Decimal
    since: date


def watch_vendor_stock(*, at: datetime, on: date) -> int:
    """Say of each part at each vendor's place what lies there longer than the company allows, and what the law wants back soon.

    One alert for a part and a place: it follows what lies there and closes itself. Returns how many are new.
    """
    company = masterdata.company()
    old = _aged(before=on - timedelta(days=company.vendor_stock_days))
    due: list[Aged] = []
    if company.return_within_days is not None:
        due = _aged(before=on - timedelta(days=company.return_within_days - WARN_DAYS))
    return activity.keep_alerts(
        kind=OLD, alerts=[_old_alert(parts) for parts in _by_part(old)], at=at
    ) + activity.keep_alerts(
        kind=RETURN_DUE,
        alerts=[_due_alert(parts, on, within=company.return_within_days or 0) for parts in _by_part(due)],
        at=at,
    )


def return_aged(*, alert: Alert, by: User, at: datetime, through: str = "page") -> Return:
    """Bring home what an alert is about, as far as no open line needs it. Raises NothingToReturn, and as returning does."""
    balances = Balance.objects.at_vendors().filter(location__vendor=alert.vendor_id).select_related("item", "location")
    mine = [row for row in balances if _subject(row) == alert.subject]
    keys = {(row.location_id, row.item_id) for row in mine}
    stages: dict[str, Decimal] = defaultdict(Decimal)
    for parcel in spare_material(vendor_id=alert.vendor_id or 0, by=by):
        if (parcel.location_id, parcel.item_id) in keys:
            stages[parcel.stage] += parcel.quantity
    if not stages:
        raise NothingToReturn("Open orders need all of it: the alert closes when it is used, returned or written off.")
    document = return_material(
        vendor_id=alert.vendor_id or 0,
        lines=[MaterialLine(mine[0].item_id, quantity, stage=stage) for stage, quantity in stages.items()],
        reason=alert.title[:200],
        by=by,
        at=at,
        through=through,
    )
    watch_vendor_stock(at=at, on=masterdata.company_date(at=at))
    return document


def _aged(*, before: date) -> list[Aged]:
    """What of balances at vendors came there before the begin of a day. Two queries, however many balances."""
    zone = ZoneInfo(masterdata.company().time_zone)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH lying AS (
                SELECT b.id, b.item_id, b.lot_id, b.stage, b.location_id, b.quantity, b.since FROM inventory_balance b
                JOIN masterdata_location l ON l.id = b.location_id AND l.kind = 'vendor'
                WHERE b.quantity > 0 AND b.since < %(start)s
            ), came AS (
                SELECT b.id, b.quantity AS lies, b.since, m.occurred_at, m.quantity,
                    sum(m.quantity) OVER (PARTITION BY b.id ORDER BY m.occurred_at DESC, m.id DESC) AS through
                FROM lying b JOIN inventory_movement m ON m.to_location_id = b.location_id AND m.item_id = b.item_id
                    AND m.stage = b.stage AND m.lot_id IS NOT DISTINCT FROM b.lot_id AND m.reverses_id IS NULL
                WHERE m.quantity > 0
            )
            SELECT id, lies - coalesce(sum(quantity) FILTER (WHERE occurred_at >= %(start)s), 0) AS old,
                coalesce(min(occurred_at) FILTER (WHERE through - quantity < lies), min(since))
            FROM came GROUP BY id, lies
            """,
            {"start": datetime.combine(before, time.min, zone)},
        )
        found = {pk: (old, since) for pk, old, since in cursor.fetchall() if old > 0}
    rows = Balance.objects.filter(pk__in=found).select_related("item", "location__vendor")
    return [
        Aged(row, found[row.pk][0], found[row.pk][1].astimezone(zone).date())
        for row in rows.order_by("location_id", "item_id", "pk")
    ]


def _by_part(found: Sequence[Aged]) -> list[list[Aged]]:
    parts: dict[tuple[int, int], list[Aged]] = defaultdict(list)
    for one in found:
        parts[one.row.location_id, one.row.item_id].append(one)
    return list(parts.values())


def _old_alert(parts: Sequence[Aged]) -> Alert:
    since = min(one.since for one in parts)
    return _alert(OLD, parts, ends=f"lie there since {since}", severity=Severity.INFO, due=None)


def _due_alert(parts: Sequence[Aged], on: date, *, within: int) -> Alert:
    due = min(one.since for one in parts) + timedelta(days=within)
    ends = f"must be back by {due}" if due >= on else f"had to be back by {due}"
    severity = Severity.WARNING if due >= on else Severity.CRITICAL
    return _alert(RETURN_DUE, parts, ends=ends, severity=severity, due=due)


def _alert(kind: str, parts: Sequence[Aged], *, ends: str, severity: Severity, due: date | None) -> Alert:
    row = parts[0].row
    quantity = sum((one.quantity for one in parts), ZERO)
    said = f"{quantity.normalize():f}"
    return Alert(
        kind=kind,
        subject=_subject(row),
        severity=severity,
        title=f"{said} {row.item} of ours at {row.location.vendor} {ends}"[:300],
        site_id=row.location.site_id,
        vendor_id=row.location.vendor_id,
        before={"quantity": said, "since": min(one.since for one in parts).isoformat()},
        proposes="return",
        due_date=due,
    )


def _subject(row: Balance) -> str:
    return f"{row.location.code} {row.item.code}"
