"""What is measured, as one SELECT for each kind of row. The same text measures some rows anew, rebuilds all and checks them.

Each gives: figure, row_id, day, site_id, vendor_id, process_id, work_center_id, value, amount, base, document, line_no. No
SELECT reads the clock: what becomes late by itself is counted on the day it will be, and read once that day has come.
"""

from __future__ import annotations

from dataclasses import dataclass

from invoices.services.reading import invoiced_before

LOCAL = "AT TIME ZONE coalesce(nullif(site.time_zone, ''), %(zone)s)"


@dataclass(frozen=True, slots=True)
class Source:
    """Rows measurements are taken of. `key` names the column that holds `row_id`."""

    name: str
    key: str
    sql: str

    def select(self, *, all_rows: bool) -> str:
        return self.sql.replace("{which}", "true" if all_rows else f"{self.key} = ANY(%(ids)s)")


RECEIPT_LINE = Source(
    "receipt_line",
    "rl.id",
    f"""
    SELECT f.figure, rl.id AS row_id, f.day, r.site_id, r.vendor_id, ol.process_id, NULL::bigint AS work_center_id, 0 AS value,
        f.amount, f.base, r.number AS document, rl.line_no
    FROM receipts_receiptline rl
    JOIN receipts_receipt r ON r.id = rl.receipt_id AND r.status = 'posted'
    JOIN masterdata_site site ON site.id = r.site_id
    JOIN subcontract_orders_orderline ol ON ol.id = rl.order_line_id
    LEFT JOIN LATERAL (
        SELECT sum(b.quantity) AS pieces FROM receipts_returnline b
        JOIN receipts_return d ON d.id = b.document_id AND d.status = 'posted' AND d.kind = 'product'
        WHERE b.receipt_line_id = rl.id
    ) back ON true
    CROSS JOIN LATERAL (
        SELECT (r.received_at {LOCAL})::date AS day, rl.accepted + rl.rejected + rl.scrapped + rl.sent_back AS came
    ) x
    CROSS JOIN LATERAL (VALUES
        ('rejects_outside', x.day, rl.rejected + rl.scrapped + rl.sent_back + coalesce(back.pieces, 0), x.came),
        ('late_pieces', x.day,
            CASE WHEN x.day > coalesce(ol.sent_need_date, ol.need_date) THEN x.came ELSE 0 END, x.came),
        ('not_invoiced', x.day, nullif(rl.work_value, 0), 0)
    ) f(figure, day, amount, base)
    WHERE f.amount IS NOT NULL AND {{which}}
    """,
)

# Lines the vendor was asked for. Complete is a line on the day on which enough pieces had come, good or bad; where it was
# closed with less, on the day of the last receipt, and never where nothing came.
ORDER_LINE = Source(
    "order_line",
    "ol.id",
    f"""
    SELECT f.figure, ol.id AS row_id, f.day, o.site_id, o.vendor_id, ol.process_id, NULL::bigint AS work_center_id, f.value,
        f.amount, f.base, o.number AS document, ol.line_no
    FROM subcontract_orders_orderline ol
    JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id AND o.sent_at IS NOT NULL AND o.status <> 'cancelled'
    JOIN masterdata_site site ON site.id = o.site_id
    CROSS JOIN LATERAL (
        SELECT coalesce(ol.sent_quantity, ol.quantity) AS quantity, coalesce(ol.sent_need_date, ol.need_date) AS need,
            coalesce(ol.sent_promised_date, ol.promised_date) AS promise, (o.sent_at {LOCAL})::date AS sent,
            ol.status = 'complete' OR o.status = 'closed' AS settled
    ) x
    LEFT JOIN LATERAL (
        SELECT min(c.day) FILTER (WHERE c.so_far >= x.quantity * (100 - ol.under_receipt_pct) / 100) AS enough,
            max(c.day) AS last
        FROM (
            SELECT (r.received_at {LOCAL})::date AS day,
                sum(rl.accepted + rl.rejected + rl.scrapped + rl.sent_back - rl.reworked)
                    OVER (ORDER BY r.received_at, rl.id) AS so_far
            FROM receipts_receiptline rl JOIN receipts_receipt r ON r.id = rl.receipt_id AND r.status = 'posted'
            WHERE rl.order_line_id = ol.id
        ) c
    ) came ON true
    LEFT JOIN LATERAL (
        SELECT max((coalesce(s.delivered_at, s.dispatched_at) {LOCAL})::date) AS day FROM shipments_shipmentline sl
        JOIN shipments_shipment s ON s.id = sl.shipment_id AND s.status IN ('dispatched', 'delivered')
        WHERE sl.order_line_id = ol.id
    ) material ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(came.enough, CASE WHEN x.settled THEN came.last END) AS day
    ) done
    CROSS JOIN LATERAL (
        SELECT greatest(done.day - greatest(x.sent, CASE WHEN material.day <= done.day THEN material.day END), 0) AS days
    ) took
    CROSS JOIN LATERAL (VALUES
        ('on_time_need', CASE WHEN done.day <= x.need THEN done.day ELSE x.need + 1 END,
            0, (coalesce(done.day <= x.need, false))::int::numeric, 1::numeric,
            done.day IS NOT NULL OR NOT x.settled),
        ('on_time_promise', CASE WHEN done.day <= x.promise THEN done.day ELSE x.promise + 1 END,
            0, (coalesce(done.day <= x.promise, false))::int::numeric, 1,
            done.day IS NOT NULL OR NOT x.settled),
        ('in_full', came.last, 0,
            (ol.accepted >= x.quantity * (100 - ol.under_receipt_pct) / 100)::int::numeric, 1, done.day IS NOT NULL),
        ('turn_days', done.day, took.days, took.days, 1, done.day IS NOT NULL)
    ) f(figure, day, value, amount, base, holds)
    WHERE ol.status <> 'cancelled' AND f.holds AND {{which}}
    """,
)

# Which operations an order line makes: its own, those bought together with it, or all of a production order bought complete.
_MAKES = """op.production_order_id = ol.production_order_id AND op.status <> 'cancelled' AND (
        ol.is_whole OR op.id = ol.operation_id OR ol.last_operation_no <> '' AND (
            op.operation_no = ol.last_operation_no
            OR op.sequence > (SELECT a.sequence FROM production_operation a WHERE a.id = ol.operation_id)
            AND op.sequence < (SELECT z.sequence FROM production_operation z
                WHERE z.production_order_id = ol.production_order_id AND z.operation_no = ol.last_operation_no)
        )
    )"""

# How many pieces of a line went out, or still do: of one that ended, no more than came.
_WENT_OUT = """CASE WHEN ol.status = 'open' AND o.status NOT IN ('closed', 'cancelled')
            THEN coalesce(ol.sent_quantity, ol.quantity)
        ELSE least(ol.accepted + ol.rejected + ol.scrapped + ol.in_rework, coalesce(ol.sent_quantity, ol.quantity)) END"""

# An operation is set up once: each line bears its share of it.
MOVED_HOURS = Source(
    "moved_hours",
    "ol.id",
    f"""
    SELECT 'hours_outside' AS figure, ol.id AS row_id, min(coalesce(op.planned_start, ol.at_vendor_date)) AS day, o.site_id,
        o.vendor_id, coalesce(op.process_id, ol.process_id) AS process_id, op.work_center_id, 0 AS value,
        round(sum(
            coalesce(op.setup_minutes, 0) * least(x.pieces / op.quantity, 1) + coalesce(op.run_minutes, 0) * x.pieces
        ) / 60, 5) AS amount,
        0::numeric AS base, o.number AS document, ol.line_no
    FROM subcontract_orders_orderline ol
    JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id AND o.sent_at IS NOT NULL
    JOIN production_operation op ON {_MAKES}
    JOIN masterdata_workcenter wc ON wc.id = op.work_center_id AND wc.kind = 'internal'
    CROSS JOIN LATERAL (SELECT {_WENT_OUT} AS pieces) x
    WHERE x.pieces > 0 AND coalesce(op.setup_minutes, 0) + coalesce(op.run_minutes, 0) > 0 AND {{which}}
    GROUP BY ol.id, o.id, op.work_center_id, coalesce(op.process_id, ol.process_id)
    """,
)

# A touch is anything a person did on a page or over the API before the order was sent for the first time.
ORDER = Source(
    "order",
    "o.id",
    f"""
    SELECT f.figure, o.id AS row_id, f.day, o.site_id, o.vendor_id, p.process_id, NULL::bigint AS work_center_id, f.value,
        f.amount, f.base, o.number AS document, NULL::int AS line_no
    FROM subcontract_orders_subcontractorder o
    JOIN masterdata_site site ON site.id = o.site_id
    LEFT JOIN LATERAL (
        SELECT CASE WHEN min(ol.process_id) = max(ol.process_id) THEN min(ol.process_id) END AS process_id
        FROM subcontract_orders_orderline ol WHERE ol.order_id = o.id AND ol.status <> 'cancelled'
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT min(e.id) FILTER (WHERE e.name = 'order.sent') AS id, min(e.at) FILTER (WHERE e.name = 'order.sent') AS at,
            min(e.id) FILTER (WHERE e.by_id IS NOT NULL AND e.through NOT IN ('run', 'system')) AS touched
        FROM activity_event e WHERE e.document_kind = 'subcontract_order' AND e.document_number = o.number
    ) sent ON true
    LEFT JOIN documents_generationrun g ON g.number = o.made_by_run AND o.made_by_run <> ''
    LEFT JOIN LATERAL (
        SELECT min(q.requested_at) AS at FROM documents_generationrequest q WHERE q.run_id = g.id
    ) wish ON true
    CROSS JOIN LATERAL (
        SELECT (coalesce(sent.at, o.sent_at) {LOCAL})::date AS sent, (o.acknowledged_at {LOCAL})::date AS answered,
            (coalesce(sent.at, o.sent_at) {LOCAL})::date + %(grace)s AS due,
            round((greatest(extract(epoch FROM o.created_at - coalesce(wish.at, g.requested_at)), 0) / 60)::numeric, 5)
                AS minutes
    ) x
    CROSS JOIN LATERAL (VALUES
        ('untouched', x.sent, 0, (coalesce(sent.touched > sent.id, true))::int::numeric, 1, o.sent_at IS NOT NULL),
        ('confirmed', CASE WHEN x.answered <= x.due THEN x.answered ELSE x.due + 1 END, 0,
            (coalesce(x.answered <= x.due, false))::int::numeric, 1,
            o.sent_at IS NOT NULL AND (o.status <> 'cancelled' OR x.answered IS NOT NULL)),
        ('plan_to_order', (o.created_at {LOCAL})::date,
            round(x.minutes, CASE WHEN x.minutes < 100 THEN 0 ELSE 1 - floor(log(x.minutes))::int END)::int,
            x.minutes, 1, g.id IS NOT NULL)
    ) f(figure, day, value, amount, base, holds)
    WHERE f.holds AND {{which}}
    """,
)

INSIDE_REPORT = Source(
    "inside_report",
    "e.id",
    f"""
    SELECT 'rejects_inside' AS figure, e.id AS row_id, (e.at {LOCAL})::date AS day, e.site_id, NULL::bigint AS vendor_id,
        op.process_id, op.work_center_id, 0 AS value, (e.data ->> 'scrap')::numeric AS amount,
        (e.data ->> 'good')::numeric + (e.data ->> 'scrap')::numeric AS base, e.document_number AS document, NULL::int AS line_no
    FROM activity_event e
    JOIN masterdata_site site ON site.id = e.site_id
    LEFT JOIN LATERAL (
        SELECT po.id FROM production_productionorder po WHERE po.number = e.document_number
        UNION ALL
        SELECT po.id FROM production_productionorder po WHERE po.replaces = e.document_number AND po.replaces <> ''
        LIMIT 1
    ) po ON true
    LEFT JOIN production_operation op ON op.production_order_id = po.id AND op.operation_no = e.data ->> 'operation'
    WHERE e.name = 'operation.reported' AND {{which}}
    """,
)

DRAFT_CHANGE = Source(
    "draft_change",
    "e.id",
    f"""
    SELECT 'changes_caught' AS figure, e.id AS row_id, (e.at {LOCAL})::date AS day, e.site_id, e.vendor_id,
        p.process_id, NULL::bigint AS work_center_id, 0 AS value, 1::numeric AS amount, 1::numeric AS base,
        e.document_number AS document, NULL::int AS line_no
    FROM activity_event e
    JOIN masterdata_site site ON site.id = e.site_id
    LEFT JOIN subcontract_orders_subcontractorder o ON o.number = e.document_number
    LEFT JOIN LATERAL (
        SELECT CASE WHEN min(ol.process_id) = max(ol.process_id) THEN min(ol.process_id) END AS process_id
        FROM subcontract_orders_orderline ol WHERE ol.order_id = o.id
    ) p ON true
    WHERE e.name IN ('order.line_changed', 'order.line_withdrawn') AND e.through = 'run' AND {{which}}
    """,
)

ALERT = Source(
    "alert",
    "a.id",
    f"""
    SELECT 'changes_caught' AS figure, a.id AS row_id,
        CASE WHEN x.closed <= a.due_date THEN x.closed ELSE a.due_date + 1 END AS day, a.site_id, a.vendor_id,
        ol.process_id, NULL::bigint AS work_center_id, 0 AS value,
        (coalesce(x.closed <= a.due_date, false))::int::numeric AS amount, 1::numeric AS base,
        a.order_number AS document, a.line_no
    FROM activity_alert a
    JOIN masterdata_site site ON site.id = a.site_id
    LEFT JOIN subcontract_orders_subcontractorder o ON o.number = a.order_number
    LEFT JOIN subcontract_orders_orderline ol ON ol.order_id = o.id AND ol.line_no = a.line_no
    CROSS JOIN LATERAL (SELECT (a.closed_at {LOCAL})::date AS closed) x
    WHERE a.kind IN ('requirement_changed', 'requirement_cancelled') AND a.due_date IS NOT NULL AND {{which}}
    """,
)

# An operation that is finished is decided on no more: what was said of it last stands. What is outside stays there whole, but
# for pieces made here before; of what stays inside, those that went out nevertheless.
LOAD = Source(
    "operation",
    "d.operation_id",
    f"""
    SELECT f.figure, op.id AS row_id, d.planned_start AS day, po.site_id, NULL::bigint AS vendor_id, op.process_id,
        op.work_center_id, 0 AS value, round(f.amount, 5) AS amount, 0::numeric AS base, po.number AS document,
        NULL::int AS line_no
    FROM policies_decision d
    JOIN production_operation op ON op.id = d.operation_id AND op.status <> 'cancelled'
    JOIN production_productionorder po ON po.id = op.production_order_id AND po.status <> 'cancelled'
    JOIN masterdata_workcenter wc ON wc.id = op.work_center_id AND wc.kind = 'internal'
    LEFT JOIN LATERAL (
        SELECT sum({_WENT_OUT}) AS pieces, sum(ol.accepted + ol.rejected + ol.scrapped) AS came
        FROM subcontract_orders_orderline ol
        JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id AND o.sent_at IS NOT NULL
        WHERE {_MAKES}
    ) went ON true
    CROSS JOIN LATERAL (
        SELECT (coalesce(op.setup_minutes, 0) + coalesce(op.run_minutes, 0) * op.quantity) / 60 AS hours,
            CASE WHEN d.verdict = 'outsource' THEN op.good + op.scrap - coalesce(went.came, 0)
                ELSE op.quantity - coalesce(went.pieces, 0) END AS inside
    ) x
    CROSS JOIN LATERAL (VALUES
        ('load_before', x.hours),
        ('load_after', x.hours * least(greatest(x.inside / op.quantity, 0), 1))
    ) f(figure, amount)
    WHERE d.planned_start IS NOT NULL AND x.hours > 0 AND {{which}} AND (
        d.is_current OR (op.status = 'finished' OR po.status = 'done') AND NOT EXISTS (
            SELECT FROM policies_decision other
            WHERE other.operation_id = d.operation_id AND (other.is_current OR other.version > d.version)
        )
    )
    """,
)

INVOICE = Source(
    "invoice",
    "i.id",
    """
    SELECT 'invoices_alone' AS figure, i.id AS row_id,
        (coalesce(i.matched_at, i.entered_at) AT TIME ZONE coalesce(nullif(site.time_zone, ''), %(zone)s))::date AS day,
        i.site_id, i.vendor_id, p.process_id, NULL::bigint AS work_center_id, 0 AS value,
        i.matched_alone::int::numeric AS amount, 1::numeric AS base, i.number AS document, NULL::int AS line_no
    FROM invoices_invoice i
    LEFT JOIN masterdata_site site ON site.id = i.site_id
    LEFT JOIN LATERAL (
        SELECT CASE WHEN min(ol.process_id) = max(ol.process_id) THEN min(ol.process_id) END AS process_id
        FROM invoices_invoiceline il JOIN subcontract_orders_orderline ol ON ol.id = il.order_line_id
        WHERE il.invoice_id = i.id
    ) p ON true
    WHERE i.kind = 'invoice' AND i.status NOT IN ('entered', 'withdrawn') AND {which}
    """,
)

MATCH = Source(
    "invoice_match",
    "m.id",
    f"""
    SELECT f.figure, m.id AS row_id, (m.posted_at {LOCAL})::date AS day, o.site_id,
        CASE f.figure WHEN 'not_invoiced' THEN ol.vendor_id ELSE i.vendor_id END AS vendor_id, ol.process_id,
        NULL::bigint AS work_center_id, 0 AS value, f.amount, f.base, i.number AS document, l.line_no
    FROM invoices_match m
    JOIN invoices_invoiceline l ON l.id = m.line_id
    JOIN invoices_invoice i ON i.id = l.invoice_id
    JOIN subcontract_orders_orderline ol ON ol.id = m.order_line_id
    JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id
    JOIN masterdata_site site ON site.id = o.site_id
    CROSS JOIN LATERAL (VALUES
        ('price_variance', m.price_difference, m.agreed),
        ('not_invoiced', nullif(-m.agreed, 0), 0),
        ('price_difference', nullif(m.price_difference, 0), 0),
        ('rate_difference', nullif(m.exchange_difference, 0), 0),
        ('borne_by_stock', nullif(m.to_stock, 0), 0),
        ('in_variance', nullif(m.to_variance, 0), 0)
    ) f(figure, amount, base)
    WHERE m.posted_at IS NOT NULL AND f.amount IS NOT NULL AND {{which}}
    """,
)

# Work that is set off against what went wrong is owed no longer.
SET_OFF = Source(
    "charge_back",
    "c.id",
    f"""
    SELECT 'not_invoiced' AS figure, c.id AS row_id, (c.decided_at {LOCAL})::date AS day, o.site_id, ol.vendor_id, ol.process_id,
        NULL::bigint AS work_center_id, 0 AS value, -c.set_off AS amount, 0::numeric AS base, c.number AS document,
        NULL::int AS line_no
    FROM invoices_chargeback c
    JOIN subcontract_orders_orderline ol ON ol.id = c.order_line_id
    JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id
    JOIN masterdata_site site ON site.id = o.site_id
    WHERE c.status IN ('claimed', 'settled') AND c.set_off > 0 AND {{which}}
    """,
)

# What was invoiced of an order before it was loaded.
INVOICED_BEFORE = Source(
    "invoiced_before",
    "ol.id",
    f"""
    SELECT 'not_invoiced' AS figure, ol.id AS row_id, (o.created_at {LOCAL})::date AS day, o.site_id, ol.vendor_id, ol.process_id,
        NULL::bigint AS work_center_id, 0 AS value, -{invoiced_before("ol")} AS amount,
        0::numeric AS base, o.number AS document, ol.line_no
    FROM subcontract_orders_orderline ol
    JOIN subcontract_orders_subcontractorder o ON o.id = ol.order_id
    JOIN masterdata_site site ON site.id = o.site_id
    WHERE ol.invoiced_before > 0 AND {{which}}
    """,
)

_MOVED = f"""
    SELECT 'at_vendors' AS figure, m.id AS row_id, (m.occurred_at {LOCAL})::date AS day, place.site_id, place.vendor_id,
        NULL::bigint AS process_id, NULL::bigint AS work_center_id, 0 AS value, {{sign}}m.value AS amount, 0::numeric AS base,
        coalesce(nullif(m.document_number, ''), m.document_kind) AS document, m.document_line AS line_no
    FROM inventory_movement m
    JOIN masterdata_location place ON place.id = m.{{side}}_location_id AND place.kind = 'vendor'
    LEFT JOIN masterdata_site site ON site.id = place.site_id
    WHERE m.value <> 0 AND {{{{which}}}}
"""
MOVED_IN = Source("moved_in", "m.id", _MOVED.format(sign="", side="to").replace("{{which}}", "{which}"))
MOVED_OUT = Source("moved_out", "m.id", _MOVED.format(sign="-", side="from").replace("{{which}}", "{which}"))

SOURCES = (
    RECEIPT_LINE,
    ORDER_LINE,
    MOVED_HOURS,
    ORDER,
    INSIDE_REPORT,
    DRAFT_CHANGE,
    ALERT,
    LOAD,
    INVOICE,
    MATCH,
    SET_OFF,
    INVOICED_BEFORE,
    MOVED_IN,
    MOVED_OUT,
)
