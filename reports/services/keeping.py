"""Keeping the figures: measure what has changed, rebuild everything, prove the sums equal to the rows. The one writer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from inventory.services.checking import Difference
from masterdata.models import Company
from reports.models import Feed
from reports.services.month_ends import check_month_ends, forget_all, forget_since, keep_month_ends
from reports.services.sources import (
    ALERT,
    DRAFT_CHANGE,
    INSIDE_REPORT,
    INVOICE,
    INVOICED_BEFORE,
    LOAD,
    MATCH,
    MOVED_HOURS,
    MOVED_IN,
    MOVED_OUT,
    ORDER,
    ORDER_LINE,
    RECEIPT_LINE,
    SET_OFF,
    SOURCES,
    Source,
)

LOCK = "reports"
BATCH = 5_000
TOO_FAR_BEHIND = 200_000
"""From so many new events on, measuring everything is quicker than finding out what they touched."""
AGAIN = 50_000
"""So many rows are read again after a rebuild while others were writing."""
OVERLAP = timedelta(hours=1)
"""Rows found by the time of their change are read again for so long, as their transactions end later than they say."""

KEYS = "figure, day, site_id, vendor_id, process_id, work_center_id, value"
COLUMNS = "figure, row_id, day, site_id, vendor_id, process_id, work_center_id, value, amount, base, document, line_no"
ADD = f"""
    INSERT INTO reports_rollup (grain, count, amount, base, {KEYS})
    SELECT g.grain, %(sign)s * count(*), %(sign)s * sum(amount), %(sign)s * sum(base), figure,
        CASE g.grain WHEN 'day' THEN day ELSE date_trunc('month', day)::date END, site_id, vendor_id, process_id,
        work_center_id, value
    FROM moved CROSS JOIN (VALUES ('day'), ('month')) g(grain)
    GROUP BY g.grain, figure, 6, site_id, vendor_id, process_id, work_center_id, value
    ON CONFLICT (figure, grain, day, vendor_id, process_id, site_id, work_center_id, value) DO UPDATE SET
        count = reports_rollup.count + excluded.count, amount = reports_rollup.amount + excluded.amount,
        base = reports_rollup.base + excluded.base
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was measured anew, and as of when the figures hold; None: some changes still wait."""

    rows: int
    as_of: datetime | None


@transaction.atomic
def keep_up(*, at: datetime, thorough: bool = False, limit: int = 20_000) -> Kept:
    """Measure anew what events, decisions and movements since the last time touched. Twice is the same.

    At most `limit` rows of each feed, so that a reader who calls it waits no longer than a moment; while somebody else measures
    he does not wait at all. `thorough` also looks for plan changes and alerts, which leave no event.
    """
    if not _lock(wait=thorough):
        return Kept(0, None)
    feeds = {feed.name: feed for feed in Feed.objects.all()}
    settings = _settings()
    with connection.cursor() as cursor:
        last, horizon = _last_ids(cursor)
        known = feeds.get("event")
        if known is None or known.settings != repr(settings) or last["event"] - known.done_id > TOO_FAR_BEHIND:
            if not thorough and last["event"] > TOO_FAR_BEHIND:
                return Kept(0, None)
            return Kept(_rebuild(cursor, at=at), at)
        measured, complete = 0, True
        for name in ("event", "decision", "movement"):
            feed = feeds[name]
            if last[name] <= feed.done_id:
                continue
            found, read_to = _touched(cursor, name, since=feed.done_id, until=last[name], limit=limit)
            measured += _measure_all(cursor, found, settings)
            if name == "movement":
                forget_since(cursor, found[MOVED_IN])
            complete = complete and read_to >= last[name]
            _advance(feed, read_to, horizon, is_end=read_to >= last[name])
            feed.save()
        if thorough:
            measured += _measure_all(cursor, _changed_since(cursor, (known.measured_at or at) - OVERLAP), settings)
            known.measured_at = at
            known.save()
            keep_month_ends(cursor, zone=settings["zone"], today=at.date())
    return Kept(measured, at if complete else None)


@transaction.atomic
def rebuild(*, at: datetime) -> int:
    """Forget every measurement and sum and take them all anew. Returns how many measurements there are. Readers wait."""
    _lock(wait=True)
    with connection.cursor() as cursor:
        return _rebuild(cursor, at=at)


def prove(*, at: datetime) -> tuple[int, list[Difference]]:
    """Measure all that is new, then check every figure, on one snapshot: what others write meanwhile is in neither.

    Returns how many rows were compared, and every difference.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        while keep_up(at=at, thorough=True).as_of is None:
            pass
        return check()


def check() -> tuple[int, list[Difference]]:
    """Compare all measurements with their rows, and all sums with the measurements. Returns how many were compared.

    The caller has kept up in the same transaction, on one snapshot of the rows.
    """
    settings, compared, found = _settings(), 0, []
    with connection.cursor() as cursor:
        for source in SOURCES:
            cursor.execute(
                f"""
                WITH should AS ({source.select(all_rows=True)}),
                stored AS (SELECT {COLUMNS} FROM reports_measurement WHERE source = %(source)s),
                missing AS (SELECT * FROM should EXCEPT ALL SELECT * FROM stored),
                extra AS (SELECT * FROM stored EXCEPT ALL SELECT * FROM should)
                SELECT (SELECT count(*) FROM stored), s.figure, s.document, s.line_no, e.said, s.said FROM (
                    SELECT figure, row_id, document, line_no, amount || ' of ' || base || ' on ' || day AS said FROM missing
                ) s FULL JOIN (
                    SELECT figure, row_id, document, line_no, amount || ' of ' || base || ' on ' || day AS said FROM extra
                ) e USING (figure, row_id)
                UNION ALL SELECT count(*), NULL, NULL, NULL, NULL, NULL FROM stored
                LIMIT 1000
                """,
                {**settings, "source": source.name},
            )
            rows = cursor.fetchall()
            compared += rows[-1][0] if rows else 0
            for _, figure, document, line_no, stored, should_be in rows:
                if stored or should_be:
                    about = f"{figure} {source.name} {document}/{line_no}"
                    found.append(
                        Difference("measurement equals its row", about, stored or "nothing", should_be or "nothing")
                    )
        cursor.execute(
            """
            WITH sums AS (
                SELECT g.grain, CASE g.grain WHEN 'day' THEN m.day ELSE date_trunc('month', m.day)::date END AS day,
                    m.figure, m.site_id, m.vendor_id, m.process_id, m.work_center_id, m.value,
                    count(*)::int AS count, sum(m.amount) AS amount, sum(m.base) AS base
                FROM reports_measurement m CROSS JOIN (VALUES ('day'), ('month')) g(grain) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
            ), stored AS (
                SELECT grain, day, figure, site_id, vendor_id, process_id, work_center_id, value, count, amount, base
                FROM reports_rollup
            )
            SELECT 'rollup is missing', x.* FROM (SELECT * FROM sums EXCEPT ALL SELECT * FROM stored) x
            UNION ALL
            SELECT 'rollup is too much', x.* FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM sums) x
            LIMIT 1000
            """
        )
        for what, grain, day, figure, *_, count, amount, base in cursor.fetchall():
            found.append(
                Difference(
                    "rollup equals its measurements", f"{figure} {grain} {day}", what, f"{count}: {amount} of {base}"
                )
            )
        cursor.execute("SELECT count(*) FROM reports_rollup")
        compared += cursor.fetchone()[0]
        ends, wrong = check_month_ends(cursor, zone=settings["zone"])
    return compared + ends, [*found, *wrong]


DEFINITIONS = 4
"""Raised whenever a SELECT of a source says something else: all figures are taken anew then."""


def _settings() -> dict[str, Any]:
    """What the SELECTs are given: another time zone, grace or meaning makes other figures, so all are taken anew then."""
    company = Company.objects.values_list("time_zone", "unconfirmed_days").first() or ("UTC", 0)
    return {"zone": company[0], "grace": company[1], "definitions": DEFINITIONS}


def _lock(*, wait: bool) -> bool:
    with connection.cursor() as cursor:
        call = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
        cursor.execute(f"SELECT {call}(hashtextextended(%s, 0))", [LOCK])
        return wait or bool(cursor.fetchone()[0])


def _last_ids(cursor: Any) -> tuple[dict[str, int], tuple[int, int]]:
    """The highest numbers given out, and between which transactions some still run."""
    cursor.execute(
        """
        SELECT coalesce((SELECT max(id) FROM activity_event), 0), coalesce((SELECT max(id) FROM policies_decision), 0),
            coalesce((SELECT max(id) FROM inventory_movement), 0),
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        """
    )
    event, decision, movement, oldest, following = cursor.fetchone()
    return {"event": event, "decision": decision, "movement": movement}, (oldest, following)


def _advance(feed: Feed, read_to: int, horizon: tuple[int, int], *, is_end: bool) -> None:
    oldest, following = horizon
    if feed.seen_id > feed.done_id and oldest >= feed.horizon:
        feed.done_id = feed.seen_id
    if not is_end:
        # What lies far behind is settled long since.
        feed.done_id = feed.seen_id = max(read_to, feed.done_id)
    elif read_to > feed.seen_id or oldest >= feed.horizon:
        feed.seen_id, feed.horizon = read_to, following
        if oldest == following:  # nobody else is writing
            feed.done_id = read_to


Touched = dict[Source, set[int]]


def _touched(cursor: Any, name: str, *, since: int, until: int, limit: int) -> tuple[Touched, int]:
    """Which rows of which source have to be measured anew for what was written after a number, and how far was read."""
    found: Touched = defaultdict(set)
    # Not beyond what had been numbered when the horizon was read, else it would not tell whose rows are still missing.
    span = {"since": since, "until": until, "limit": limit}
    if name == "decision":
        cursor.execute(
            """
            SELECT id, operation_id FROM policies_decision WHERE id > %(since)s AND id <= %(until)s ORDER BY id LIMIT %(limit)s
            """,
            span,
        )
        rows = cursor.fetchall()
        found[LOAD] = {operation for _, operation in rows}
        return found, rows[-1][0] if rows else until
    if name == "movement":
        cursor.execute(
            "SELECT id FROM inventory_movement WHERE id > %(since)s AND id <= %(until)s ORDER BY id LIMIT %(limit)s",
            span,
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        found[MOVED_IN] = found[MOVED_OUT] = set(ids)
        return found, ids[-1] if ids else until
    cursor.execute(
        """
        SELECT id, name, document_kind, document_number, through FROM activity_event
        WHERE id > %(since)s AND id <= %(until)s ORDER BY id LIMIT %(limit)s
        """,
        span,
    )
    events = cursor.fetchall()
    numbers: dict[str, set[str]] = defaultdict(set)
    reported: set[str] = set()
    for pk, event, kind, number, through in events:
        numbers[kind].add(number)
        if event == "operation.reported":
            found[INSIDE_REPORT].add(pk)
            reported.add(number)
        elif event in ("order.line_changed", "order.line_withdrawn") and through == "run":
            found[DRAFT_CHANGE].add(pk)
    _rows_of(cursor, numbers, found)
    if reported:
        cursor.execute(
            """
            SELECT op.id FROM production_productionorder po JOIN production_operation op ON op.production_order_id = po.id
            WHERE po.number = ANY(%s)
            """,
            [list(reported)],
        )
        found[LOAD] |= {operation for (operation,) in cursor.fetchall()}
    return found, events[-1][0] if events else until


def _rows_of(cursor: Any, numbers: dict[str, set[str]], found: Touched) -> None:
    """Receipt lines, order lines and orders that documents of these numbers are about."""

    def ids(sql: str, given: Iterable[Any]) -> list[Any]:
        given = list(given)
        if not given:
            return []
        cursor.execute(sql, [given])
        return list(cursor.fetchall())

    orders = {pk for (pk,) in ids(
        "SELECT id FROM subcontract_orders_subcontractorder WHERE number = ANY(%s)", numbers["subcontract_order"]
    )}  # fmt: skip
    lines = {pk for (pk,) in ids("SELECT id FROM subcontract_orders_orderline WHERE order_id = ANY(%s)", orders)}
    lines |= {pk for (pk,) in ids(
        """
        SELECT DISTINCT sl.order_line_id FROM shipments_shipmentline sl JOIN shipments_shipment s ON s.id = sl.shipment_id
        WHERE s.number = ANY(%s)
        """,
        numbers["shipment"],
    )}  # fmt: skip
    came = ids(
        """
        SELECT rl.id, rl.order_line_id FROM receipts_receiptline rl JOIN receipts_receipt r ON r.id = rl.receipt_id
        WHERE r.number = ANY(%s)
        """,
        numbers["receipt"],
    ) + ids(
        """
        SELECT rl.id, rl.order_line_id FROM receipts_returnline b JOIN receipts_return d ON d.id = b.document_id
        JOIN receipts_receiptline rl ON rl.id = b.receipt_line_id WHERE d.number = ANY(%s)
        """,
        numbers["return"],
    )
    of_orders = ids("SELECT id FROM receipts_receiptline WHERE order_line_id = ANY(%s)", lines)
    found[RECEIPT_LINE] |= {pk for pk, _ in came} | {pk for (pk,) in of_orders}
    asked = lines | {line for _, line in came}
    found[ORDER_LINE] |= asked
    found[MOVED_HOURS] |= asked
    # What went out is load of ours no more.
    found[LOAD] |= {pk for (pk,) in ids(
        """
        SELECT op.id FROM subcontract_orders_orderline ol
        JOIN production_operation op ON op.production_order_id = ol.production_order_id WHERE ol.id = ANY(%s)
        """,
        asked,
    )}  # fmt: skip
    found[INVOICED_BEFORE] |= lines
    found[ORDER] |= orders
    invoices = {pk for (pk,) in ids("SELECT id FROM invoices_invoice WHERE number = ANY(%s)", numbers["invoice"])}
    found[INVOICE] |= invoices
    found[MATCH] |= {pk for (pk,) in ids(
        """
        SELECT m.id FROM invoices_match m JOIN invoices_invoiceline l ON l.id = m.line_id WHERE l.invoice_id = ANY(%s)
        """,
        invoices,
    )}  # fmt: skip
    found[SET_OFF] |= {pk for (pk,) in ids(
        "SELECT id FROM invoices_chargeback WHERE number = ANY(%s)", numbers["charge_back"]
    )}  # fmt: skip
    # What an order's changes count for is its process, which its lines say.
    found[DRAFT_CHANGE] |= {pk for (pk,) in ids(
        """
        SELECT id FROM activity_event WHERE document_kind = 'subcontract_order' AND document_number = ANY(%s)
            AND name IN ('order.line_changed', 'order.line_withdrawn') AND through = 'run'
        """,
        numbers["subcontract_order"],
    )}  # fmt: skip
    # Settling what an order's alert asked for is an event of the order.
    found[ALERT] |= {pk for (pk,) in ids(
        "SELECT id FROM activity_alert WHERE kind LIKE 'requirement%%' AND order_number = ANY(%s)",
        numbers["subcontract_order"],
    )}  # fmt: skip


def _changed_since(cursor: Any, since: datetime) -> Touched:
    """What changed without an event: alerts, and operations of plans that came again with what vendors were asked for them."""
    cursor.execute("SELECT id FROM activity_alert WHERE updated_at >= %s AND kind LIKE 'requirement%%'", [since])
    alerts = {pk for (pk,) in cursor.fetchall()}
    cursor.execute(
        """
        SELECT op.id FROM production_productionorder po JOIN production_operation op ON op.production_order_id = po.id
        WHERE po.changed_at >= %s
        """,
        [since],
    )
    operations = {pk for (pk,) in cursor.fetchall()}
    cursor.execute(
        """
        SELECT ol.id FROM production_productionorder po JOIN subcontract_orders_orderline ol ON ol.production_order_id = po.id
        WHERE po.changed_at >= %s
        """,
        [since],
    )
    return {ALERT: alerts, LOAD: operations, MOVED_HOURS: {pk for (pk,) in cursor.fetchall()}}


def _measure_all(cursor: Any, touched: Touched, settings: dict[str, Any]) -> int:
    measured = 0
    for source in SOURCES:
        ids = sorted(touched.get(source, ()))
        for start in range(0, len(ids), BATCH):
            measured += _measure(cursor, source, ids[start : start + BATCH], settings)
    if measured:
        cursor.execute("DELETE FROM reports_rollup WHERE count = 0")
    return measured


def _measure(cursor: Any, source: Source, ids: Sequence[int], settings: dict[str, Any]) -> int:
    """Take the measurements of some rows anew; the sums follow by the difference."""
    given = {**settings, "source": source.name, "ids": list(ids)}
    cursor.execute(
        f"""
        WITH moved AS (
            DELETE FROM reports_measurement WHERE source = %(source)s AND row_id = ANY(%(ids)s) RETURNING *
        ) {ADD}
        """,
        {**given, "sign": -1},
    )
    cursor.execute(_insert(source, all_rows=False), {**given, "sign": 1})
    return len(ids)


def _insert(source: Source, *, all_rows: bool) -> str:
    return f"""
        WITH moved AS (
            INSERT INTO reports_measurement (source, {COLUMNS})
            SELECT %(source)s, x.* FROM ({source.select(all_rows=all_rows)}) x RETURNING *
        ) {ADD}
    """


def _rebuild(cursor: Any, *, at: datetime) -> int:
    settings = _settings()
    cursor.execute("TRUNCATE reports_measurement, reports_rollup")
    forget_all(cursor)
    last, horizon = _last_ids(cursor)
    for source in SOURCES:
        cursor.execute(_insert(source, all_rows=True), {**settings, "source": source.name, "sign": 1})
    cursor.execute("SELECT count(*) FROM reports_measurement")
    (measured,) = cursor.fetchone()
    oldest, following = horizon
    for name, number in last.items():
        feed = Feed.objects.filter(name=name).first() or Feed(name=name)
        # Below the last number rows of transactions that still run may be missing: they are read again next time.
        feed.done_id = number if oldest == following else max(number - AGAIN, 0)
        feed.seen_id, feed.horizon = number, following
        feed.measured_at, feed.settings = at, repr(settings)
        feed.save()
    keep_month_ends(cursor, zone=settings["zone"], today=at.date())
    return int(measured)
