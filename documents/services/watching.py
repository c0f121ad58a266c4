"""The alerts a run keeps: what a sent line should become, material that will be short, approvals that end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db import connection

from activity import services as activity
from activity.models import Alert, Severity
from documents.rules import Difference, text
from masterdata import services as masterdata
from masterdata.models import Item, Location
from policies.models import ApprovalStatus, VendorApproval
from shipments.models import ShipmentLine

CHANGED, CANCELLED = "requirement_changed", "requirement_cancelled"
REQUIREMENT_KINDS = (CHANGED, CANCELLED)
WARN_DAYS = 60
AFTER = "pieces_after"
"""What an alert calls the step whose pieces a line gets."""
TOLD = ("item_revision", "specification", "specification_files")
"""What an alert may say of the work itself: the part is drawn, or to be worked, otherwise than the vendor was told."""


def requirement_alert(
    difference: Difference, *, vendor_codes: Mapping[int, str], place_codes: Mapping[int, str], today: date
) -> Alert:
    """What a line that no run may change should become. Codes by key; of places, those that are spoken of."""
    line = difference.line
    assert line is not None  # noqa: S101  (an alert is always about a line)
    is_cancelled = difference.proposes == "cancel"
    before = {**difference.before, "vendor": vendor_codes[line.vendor_id]}
    after = dict(difference.after)
    if "vendor" in after:
        after["vendor"] = vendor_codes[int(after["vendor"])]
    if "receive_at" in after:
        for side in (before, after):
            side["receive_at"] = place_codes[int(side["receive_at"])]
    where = f"{line.order_number} line {line.line_no} ({difference.number} operation {difference.operation_no})"
    said = ", ".join(
        "specification" if name == "specification" else f"{name.replace('_', ' ')} {before.get(name, '')} → {value}"
        for name, value in after.items()
        if name != "verdict"
    )
    if after.get("verdict") == "review":
        said = "it may not go out by itself any more, a person must say"
    is_stuck = after.get("verdict") == "blocked"
    ends = "cannot stay where it is, and no vendor qualifies" if is_stuck else "is not needed any more"
    return Alert(
        kind=CANCELLED if is_cancelled else CHANGED,
        subject=f"{line.order_number}/{line.line_no}",
        severity=Severity.CRITICAL if is_cancelled else Severity.WARNING,
        title=(f"{where} {ends}" if is_cancelled else f"{where} should change: {said}")[:300],
        order_number=line.order_number,
        line_no=line.line_no,
        production_order=difference.number,
        operation_no=difference.operation_no,
        site_id=line.site_id,
        vendor_id=line.vendor_id,
        before=before,
        after=after,
        proposes=difference.proposes,
        due_date=line.need_date,
    )


def watch_shortages(*, at: datetime, parts: Collection[tuple[int, int]] | None = None) -> int:
    """Give stock out to planned shipments by dispatch date; say of each part and place where it does not reach.

    Own material only, of lots that have not expired; pieces between operations are the previous operation's. `parts` narrows it
    to these (location, item).
    Returns how many alerts are new.
    """
    narrowed = ""
    if parts is not None:
        narrowed = (
            "AND (s.from_location_id, sl.item_id) IN (SELECT * FROM unnest(%(places)s::bigint[], %(items)s::bigint[]))"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS (
                SELECT s.id, s.number, s.site_id, s.from_location_id, s.dispatch_by, sl.item_id, sum(sl.quantity) AS quantity,
                    min(o.number) AS order_number
                FROM shipments_shipment s
                JOIN shipments_shipmentline sl ON sl.shipment_id = s.id
                JOIN subcontract_orders_orderline l ON l.id = sl.order_line_id
                JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
                WHERE s.status IN ('planned', 'picked') AND sl.stage = '' {narrowed}
                GROUP BY s.id, sl.item_id
            ), wanted AS (
                SELECT due.*, sum(quantity) OVER (
                    PARTITION BY from_location_id, item_id ORDER BY dispatch_by, id ROWS UNBOUNDED PRECEDING
                ) AS running FROM due
            ), stock AS (
                SELECT b.item_id, b.location_id, sum(b.quantity) AS quantity
                FROM inventory_balance b LEFT JOIN inventory_lot x ON x.id = b.lot_id
                WHERE b.stage = '' AND (x.expires_on IS NULL OR x.expires_on >= %(on)s)
                GROUP BY b.item_id, b.location_id
            ), short AS (
                SELECT w.*, coalesce(k.quantity, 0) AS there,
                    row_number() OVER (PARTITION BY w.from_location_id, w.item_id ORDER BY w.dispatch_by, w.id) AS place,
                    max(w.running) OVER (PARTITION BY w.from_location_id, w.item_id) AS wanted,
                    count(*) OVER (PARTITION BY w.from_location_id, w.item_id) AS shipments
                FROM wanted w LEFT JOIN stock k ON k.item_id = w.item_id AND k.location_id = w.from_location_id
                WHERE w.running > coalesce(k.quantity, 0)
            )
            SELECT i.code, i.name, p.code, short.site_id, short.number, short.order_number, short.dispatch_by, short.there,
                short.wanted, short.shipments
            FROM short JOIN masterdata_item i ON i.id = short.item_id
            JOIN masterdata_location p ON p.id = short.from_location_id
            WHERE short.place = 1 ORDER BY short.dispatch_by, short.id, i.code
            """,
            {
                "places": [place for place, _ in parts or ()],
                "items": [item for _, item in parts or ()],
                "on": masterdata.company_date(at=at),
            },
        )
        rows = cursor.fetchall()
    alerts = [
        Alert(
            kind="shortage",
            subject=f"{place}/{item}",
            title=(
                f"{f'{name} {item}' if name else item} at {place}: {wanted.normalize():,f} planned to leave, "
                f"{there.normalize():,f} there; "
                f"short from {number} on {dispatch_by} ({'1 shipment' if shipments == 1 else f'{shipments} shipments'})"
            )[:300],
            order_number=order_number,
            site_id=site_id,
            before={"there": text(there)},
            after={"wanted": text(wanted), "missing": text(wanted - there), "shipment": number},
            proposes="order",
            due_date=dispatch_by,
        )
        for item, name, place, site_id, number, order_number, dispatch_by, there, wanted, shipments in rows
    ]
    if parts is None:
        return activity.keep_alerts(kind="shortage", alerts=alerts, at=at)
    places = dict(Location.objects.filter(pk__in={place for place, _ in parts}).values_list("pk", "code"))
    items = dict(Item.objects.filter(pk__in={item for _, item in parts}).values_list("pk", "code"))
    looked_at = {f"{places[place]}/{items[item]}" for place, item in parts}
    activity.close_alerts(kind="shortage", subjects=looked_at - {alert.subject for alert in alerts}, at=at)
    return activity.open_alerts(alerts, at=at)


def watch_shipped(*, shipment_ids: Collection[int], at: datetime) -> int:
    """Look anew at what is short of the parts of shipments that were planned, left or came back, where they leave from."""
    lines = ShipmentLine.objects.filter(shipment__in=shipment_ids, stage="")
    return watch_shortages(at=at, parts=set(lines.values_list("shipment__from_location", "item")))


def watch_approvals(*, on: date, at: datetime) -> int:
    """Say which vendors' approvals end within 60 days, sharper from 30 days on and when they have ended."""
    ending: Iterable[VendorApproval] = (
        VendorApproval.objects.filter(
            status=ApprovalStatus.APPROVED, valid_to__lte=on + timedelta(days=WARN_DAYS), vendor__is_active=True
        )
        .select_related("vendor", "process")
        .order_by("valid_to", "pk")
    )
    return activity.keep_alerts(
        kind="approval_expiring",
        alerts=[_approval_alert(approval, on=on) for approval in ending if approval.valid_to is not None],
        at=at,
    )


def _approval_alert(approval: VendorApproval, *, on: date) -> Alert:
    assert approval.valid_to is not None  # noqa: S101  (the caller asked for those with an end)
    left = (approval.valid_to - on).days
    severity = Severity.CRITICAL if left < 0 else Severity.WARNING if left <= WARN_DAYS // 2 else Severity.INFO
    ends = "has ended" if left < 0 else "ends"
    return Alert(
        kind="approval_expiring",
        subject=f"{approval.vendor.code}/{approval.process.code}"[:160],
        severity=severity,
        title=f"The approval of {approval.vendor.code} for {approval.process.code} {ends} on {approval.valid_to}"[:300],
        vendor_id=approval.vendor_id,
        before={"valid_to": approval.valid_to.isoformat()},
        proposes="renew",
        due_date=approval.valid_to,
    )
