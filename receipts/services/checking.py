"""What orders' lines expect, received and have at vendors against receipts and stock: found out, and put right."""

from __future__ import annotations

from django.db import connection, transaction

from inventory.services.checking import Difference, text
from receipts.models import ExpectedReceipt, ReceiptLine

OPEN = """
    CASE WHEN o.status IN ('closed', 'cancelled') THEN 0 ELSE greatest(
        CASE WHEN l.status = 'open'
            THEN greatest(coalesce(l.sent_quantity, l.quantity) - l.accepted - l.rejected - l.scrapped, 0) ELSE 0 END,
        l.in_rework) END
"""
"""What of a line is still to come by the revision in force, while a dearer one waits."""
EXPECTED = f"""
    SELECT e.id, o.number, l.line_no, e.quantity, {OPEN} AS open
    FROM receipts_expectedreceipt e
    JOIN subcontract_orders_orderline l ON l.id = e.order_line_id
    JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
    WHERE e.quantity <> {OPEN}
"""


def check_receipts() -> tuple[int, list[Difference]]:
    """Compare what is expected with what is open, lines' counters with receipts, material of lines with what lies there."""
    found = recount_expected(dry_run=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.number, l.line_no, l.accepted + l.rejected + l.scrapped + l.in_rework, coalesce(r.counted, 0)
            FROM subcontract_orders_orderline l JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
            LEFT JOIN (
                SELECT rl.order_line_id, sum(rl.accepted + rl.rejected + rl.scrapped - rl.reworked + rl.sent_back) AS counted
                FROM receipts_receiptline rl JOIN receipts_receipt r ON r.id = rl.receipt_id
                WHERE r.status = 'posted' GROUP BY rl.order_line_id
            ) r ON r.order_line_id = l.id
            WHERE l.accepted + l.rejected + l.scrapped + l.in_rework <> coalesce(r.counted, 0)
                AND (r.counted IS NOT NULL OR o.made_by_run <> '')
            ORDER BY 1, 2
            """
        )
        for number, line_no, made, counted in cursor.fetchall():
            found.append(
                Difference("a line's received is its receipts'", f"{number}/{line_no}", text(made), text(counted))
            )
        cursor.execute(
            """
            WITH flowed AS (
                SELECT f.component_id, f.lot_id, sum(CASE WHEN f.kind IN ('sent', 'direct', 'carried_in', 'found')
                    THEN f.quantity ELSE -f.quantity END) AS there
                FROM subcontract_orders_componentflow f GROUP BY f.component_id, f.lot_id
            ), moving AS (
                SELECT sl.component_id, sl.lot_id, sum(sl.quantity) AS quantity FROM shipments_shipmentline sl
                JOIN shipments_shipment s ON s.id = sl.shipment_id WHERE s.status = 'dispatched' GROUP BY 1, 2
            ), held AS (
                SELECT l.ship_to_id, c.item_id, x.lot_id, c.stage, sum(x.there - coalesce(m.quantity, 0)) AS held,
                    min(x.there) AS least
                FROM flowed x JOIN subcontract_orders_ordercomponent c ON c.id = x.component_id
                JOIN subcontract_orders_orderline l ON l.id = c.line_id
                LEFT JOIN moving m ON m.component_id = x.component_id AND coalesce(m.lot_id, 0) = coalesce(x.lot_id, 0)
                GROUP BY 1, 2, 3, 4
            )
            SELECT i.code, p.code, coalesce(lot.code, ''), h.stage, h.held, coalesce(b.quantity, 0), h.least FROM held h
            JOIN masterdata_item i ON i.id = h.item_id JOIN masterdata_location p ON p.id = h.ship_to_id
            LEFT JOIN inventory_lot lot ON lot.id = h.lot_id
            LEFT JOIN inventory_balance b ON b.item_id = h.item_id AND b.location_id = h.ship_to_id
                AND coalesce(b.lot_id, 0) = coalesce(h.lot_id, 0) AND b.stage = h.stage
            WHERE h.held > coalesce(b.quantity, 0) OR h.least < 0 ORDER BY 1, 2, 3, 4
            """
        )
        for item, place, lot, stage, held, there, least in cursor.fetchall():
            about = f"{item} at {place}{f' lot {lot}' if lot else ''}{f' finished at {stage}' if stage else ''}"
            if held > there:
                found.append(
                    Difference("what lines have there lies there", about, text(held), f"at most {text(there)}")
                )
            if least < 0:
                found.append(Difference("no line uses more of a lot than came", about, text(least), "at least 0"))
    return ExpectedReceipt.objects.count() + ReceiptLine.objects.count(), found


@transaction.atomic
def recount_expected(*, dry_run: bool = False) -> list[Difference]:
    """Set what is expected of every line to what is open of it. Returns what differed; with `dry_run` nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute(f"{EXPECTED} ORDER BY 2, 3")
        rows = cursor.fetchall()
        if rows and not dry_run:
            cursor.execute(
                f"UPDATE receipts_expectedreceipt e SET quantity = x.open FROM ({EXPECTED}) x WHERE e.id = x.id"
            )
    return [
        Difference("expected is what is open", f"{number}/{line_no}", text(stored), text(is_open))
        for _, number, line_no, stored, is_open in rows
    ]
