"""What is received and not invoiced, and what was paid beyond what was agreed: worked out from rows, tied to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from inventory.services.checking import Difference, text

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class NotInvoiced:
    """An order line whose work is received and not paid for, in company currency; below zero: paid and not received.

    `open` = `accrued` by receipts − `invoiced` of it (by approved invoices, as agreed) − `set_off` against charge-backs.
    """

    vendor: str
    order: str
    line: int
    production_order: str
    item: str
    received: Decimal
    accepted: Decimal
    invoiced_quantity: Decimal
    accrued: Decimal
    invoiced: Decimal
    set_off: Decimal

    @property
    def open(self) -> Decimal:
        return self.accrued - self.invoiced - self.set_off


def invoiced_before(line: str) -> str:
    """SQL: what was invoiced of an order line (its alias) before it was loaded: its share of what the line was agreed at."""
    return (
        f"round(coalesce({line}.sent_amount_company, {line}.amount_company)"
        f" * least({line}.invoiced_before / coalesce({line}.sent_quantity, {line}.quantity), 1), 5)"
    )


def _open_amounts(*, of_lines: bool) -> str:
    """What order lines accrued, what of it is invoiced, before Outwork too, and set off: of `%(lines)s`, or of all.

    The condition stands in each part: the database does not see through sums, and would add up every line there ever was.
    """

    def these(column: str) -> str:
        return f"AND {column} = ANY(%(lines)s)" if of_lines else ""

    accrued = f"""
        SELECT rl.order_line_id, sum(rl.work_value) AS accrued FROM receipts_receiptline rl
        JOIN receipts_receipt r ON r.id = rl.receipt_id
        WHERE r.status = 'posted' {these("rl.order_line_id")} GROUP BY rl.order_line_id
    """
    billed = f"""
        SELECT m.order_line_id, sum(m.agreed) AS agreed, sum(m.quantity) FILTER (WHERE il.kind = 'work') AS quantity
        FROM invoices_match m JOIN invoices_invoiceline il ON il.id = m.line_id JOIN invoices_invoice i ON i.id = il.invoice_id
        WHERE i.status IN ('approved', 'exported') {these("m.order_line_id")} GROUP BY m.order_line_id
    """
    before = f"""
        SELECT l.id AS order_line_id, {invoiced_before("l")} AS agreed, l.invoiced_before AS quantity
        FROM subcontract_orders_orderline l WHERE l.invoiced_before > 0 {these("l.id")}
    """
    set_off = f"""
        SELECT order_line_id, sum(set_off) AS set_off FROM invoices_chargeback
        WHERE status IN ('claimed', 'settled') {these("order_line_id")} GROUP BY order_line_id
    """
    return f"""
        SELECT x.order_line_id, coalesce(a.accrued, 0) AS accrued, coalesce(b.agreed, 0) + coalesce(e.agreed, 0) AS agreed,
            coalesce(b.quantity, 0) + coalesce(e.quantity, 0) AS quantity, coalesce(s.set_off, 0) AS set_off
        FROM (
            SELECT order_line_id FROM ({accrued}) q UNION SELECT order_line_id FROM ({billed}) q
            UNION SELECT order_line_id FROM ({set_off}) q UNION SELECT order_line_id FROM ({before}) q
        ) x
        LEFT JOIN ({before}) e USING (order_line_id)
        LEFT JOIN ({accrued}) a USING (order_line_id) LEFT JOIN ({billed}) b USING (order_line_id)
        LEFT JOIN ({set_off}) s USING (order_line_id)
    """


def received_not_invoiced(order_line_ids: Sequence[int]) -> dict[int, NotInvoiced]:
    """The open amounts of order lines, by their key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.id, v.code, o.number, l.line_no, coalesce(p.number, ''), i.code,
                l.accepted + l.rejected + l.scrapped, l.accepted, x.quantity, x.accrued, x.agreed, x.set_off
            FROM ({_open_amounts(of_lines=True)}) x JOIN subcontract_orders_orderline l ON l.id = x.order_line_id
            JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id JOIN masterdata_vendor v ON v.id = l.vendor_id
            JOIN masterdata_item i ON i.id = l.item_id LEFT JOIN production_productionorder p ON p.id = l.production_order_id
            """,
            {"lines": list(order_line_ids)},
        )
        return {row[0]: NotInvoiced(*row[1:]) for row in cursor.fetchall()}


def total_not_invoiced() -> Decimal:
    """All that is received and not paid for, in company currency."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(accrued - agreed - set_off), 0) FROM ({_open_amounts(of_lines=False)}) x")
        return Decimal(cursor.fetchone()[0])


# What receipts put into stock (and into scrap) beyond what they took out of it: the work they accrued. What came before Outwork
# was there stands in no movement.
LEDGER_ACCRUED = """
    SELECT coalesce(sum(CASE WHEN f.kind = 'consumed' THEN m.value ELSE 0 END)
                  - sum(CASE WHEN t.kind = 'consumed' THEN m.value ELSE 0 END), 0)
    FROM inventory_movement m JOIN masterdata_location f ON f.id = m.from_location_id
    JOIN masterdata_location t ON t.id = m.to_location_id
    JOIN receipts_receipt r ON r.number = m.document_number AND NOT r.is_opening WHERE m.document_kind = 'receipt'
"""
LEDGER_DIFFERENCES = """
    SELECT coalesce(sum(CASE WHEN f.kind = 'supplier' THEN m.value ELSE 0 END)
                  - sum(CASE WHEN t.kind = 'supplier' THEN m.value ELSE 0 END), 0)
    FROM inventory_movement m JOIN masterdata_location f ON f.id = m.from_location_id
    JOIN masterdata_location t ON t.id = m.to_location_id WHERE m.document_kind = 'invoice'
"""


def check_invoices() -> tuple[int, list[Difference]]:
    """Whether invoices and ledger say the same, to the cent. How many rows were compared, and every difference."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(rl.work_value), 0) FROM receipts_receiptline rl JOIN receipts_receipt r ON r.id = rl.receipt_id
            WHERE r.status = 'posted' AND NOT r.is_opening
            """
        )
        accrued = Decimal(cursor.fetchone()[0])
        cursor.execute(LEDGER_ACCRUED)
        by_ledger = Decimal(cursor.fetchone()[0])
        if accrued != by_ledger:
            found.append(Difference("work accrued is in the ledger", "all receipts", text(accrued), text(by_ledger)))
        cursor.execute(
            "SELECT coalesce(sum(to_stock + to_variance), 0) FROM invoices_match WHERE posted_at IS NOT NULL"
        )
        differences = Decimal(cursor.fetchone()[0])
        cursor.execute(LEDGER_DIFFERENCES)
        by_ledger = Decimal(cursor.fetchone()[0])
        if differences != by_ledger:
            found.append(
                Difference("invoice differences are in the ledger", "all invoices", text(differences), text(by_ledger))
            )
        cursor.execute(
            """
            SELECT i.number, sum(l.amount), i.net FROM invoices_invoice i JOIN invoices_invoiceline l ON l.invoice_id = i.id
            GROUP BY i.id HAVING sum(l.amount) <> i.net ORDER BY 1
            """
        )
        found += [
            Difference("an invoice is its lines", number, text(net), text(lines)) for number, lines, net in cursor
        ]
        cursor.execute(
            """
            SELECT i.number, l.line_no, sum(abs(m.amount)), l.amount FROM invoices_match m
            JOIN invoices_invoiceline l ON l.id = m.line_id JOIN invoices_invoice i ON i.id = l.invoice_id
            WHERE i.status IN ('approved', 'exported') GROUP BY i.number, l.id
            HAVING sum(abs(m.amount)) <> l.amount ORDER BY 1, 2
            """
        )
        found += [
            Difference("a line is all matched", f"{number}/{line_no}", text(matched), text(amount))
            for number, line_no, matched, amount in cursor
        ]
        cursor.execute(
            """
            SELECT c.number, coalesce(sum(l.settles), 0), c.credited FROM invoices_chargeback c
            LEFT JOIN invoices_invoiceline l ON l.charge_back_id = c.id
            GROUP BY c.id HAVING coalesce(sum(l.settles), 0) <> c.credited ORDER BY 1
            """
        )
        found += [
            Difference("a claim is settled by its credit notes", number, text(credited), text(lines))
            for number, lines, credited in cursor
        ]
        cursor.execute("SELECT (SELECT count(*) FROM invoices_invoice) + (SELECT count(*) FROM invoices_match)")
        checked = cursor.fetchone()[0]
    return checked, found
