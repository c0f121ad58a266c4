"""Counters and totals of orders against the rows they are the sums of: found out, and put right."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from inventory.services.checking import Difference, text
from subcontract_orders.models import CAME, GONE, FlowKind, OrderComponent, OrderLine, SubcontractOrder

KINDS = [kind.value for kind in FlowKind]
# carried_in may be promised to a line before it has lots, and flows: the counter is then higher.
SUMS = ", ".join(f"coalesce(sum(f.quantity) FILTER (WHERE f.kind = '{kind}'), 0) AS {kind}" for kind in KINDS)
BY_COMPONENT = f"SELECT f.component_id, {SUMS} FROM subcontract_orders_componentflow f GROUP BY f.component_id"

OF_ORDER = """
    JOIN subcontract_orders_orderline l ON l.id = c.line_id
    JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
    JOIN masterdata_item i ON i.id = c.item_id
"""


def check_orders() -> tuple[int, list[Difference]]:
    """Compare component counters with flows, and orders with their lines. Returns how many rows, and differences."""
    found: list[Difference] = []
    found += _counters()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.number, l.line_no, i.code, {CAME}, {GONE} FROM subcontract_orders_ordercomponent c
            {OF_ORDER} WHERE {CAME} < {GONE} ORDER BY 1, 2, 3
            """
        )
        for number, line_no, item, came, gone in cursor.fetchall():
            about = f"{number}/{line_no} {item}"
            found.append(Difference("no more left a line than came", about, text(gone), f"at most {text(came)}"))
        cursor.execute(
            """
            SELECT o.number, o.total, s.total, o.receipt,
                CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            FROM subcontract_orders_subcontractorder o JOIN (
                SELECT l.order_id, sum(l.amount) AS total,
                    bool_and(l.status = 'complete' OR l.accepted + l.rejected + l.scrapped >= l.quantity) AS complete,
                    bool_or(l.accepted + l.rejected + l.scrapped > 0) AS started
                FROM subcontract_orders_orderline l WHERE l.status <> 'cancelled' GROUP BY l.order_id
            ) s ON s.order_id = o.id
            ORDER BY o.number
            """
        )
        for number, total, should_be, receipt, progress in cursor:
            if total != should_be:
                found.append(Difference("an order's total is its lines'", number, text(total), text(should_be)))
            if receipt != progress:
                found.append(Difference("receipt progress is its lines'", number, receipt, progress))
        cursor.execute(
            """
            SELECT p.number, op.operation_no, v.code, count(*) FROM subcontract_orders_orderline l
            JOIN production_operation op ON op.id = l.operation_id
            JOIN production_productionorder p ON p.id = op.production_order_id
            JOIN masterdata_vendor v ON v.id = l.vendor_id
            WHERE l.is_draft AND l.status <> 'cancelled'
            GROUP BY p.number, op.operation_no, v.code, l.ship_to_id HAVING count(*) > 1 ORDER BY 1, 2, 3
            """
        )
        for number, operation_no, vendor, count in cursor.fetchall():
            found.append(
                Difference("at most one draft line", f"{number}/{operation_no} at {vendor}", str(count), "at most 1")
            )
    checked = OrderComponent.objects.count() + SubcontractOrder.objects.count() + OrderLine.objects.count()
    return checked, found


def _counters() -> list[Difference]:
    stored = ", ".join(f"c.{kind}" for kind in KINDS)
    flowed = ", ".join(f"coalesce(s.{kind}, 0)" for kind in KINDS)
    differs = " OR ".join(
        f"c.{kind} {'<' if kind == FlowKind.CARRIED_IN else '<>'} coalesce(s.{kind}, 0)" for kind in KINDS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.number, l.line_no, i.code, {stored}, {flowed}
            FROM subcontract_orders_ordercomponent c LEFT JOIN ({BY_COMPONENT}) s ON s.component_id = c.id {OF_ORDER}
            WHERE {differs} ORDER BY 1, 2, 3
            """
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    found = []
    for number, line_no, item, *values in rows:
        for kind, counter, flow in zip(KINDS, values[: len(KINDS)], values[len(KINDS) :], strict=True):
            differs_here = counter < flow if kind == FlowKind.CARRIED_IN else counter != flow
            if differs_here:
                about = f"{number}/{line_no} {item} {kind}"
                found.append(Difference("a component's counter is its flows'", about, text(counter), text(flow)))
    return found


@transaction.atomic
def recount_components(*, dry_run: bool = False) -> list[Difference]:
    """Set every component's counters to the sums of its flows. Returns what differed; with `dry_run` nothing is written."""
    found = _counters()
    if found and not dry_run:
        flowed = ", ".join(
            f"{kind} = " + (f"greatest(c.{kind}, s.{kind})" if kind == FlowKind.CARRIED_IN else f"s.{kind}")
            for kind in KINDS
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE subcontract_orders_ordercomponent c SET {flowed} FROM (
                    SELECT c.id AS component_id, {SUMS} FROM subcontract_orders_ordercomponent c
                    LEFT JOIN subcontract_orders_componentflow f ON f.component_id = c.id GROUP BY c.id
                ) s WHERE s.component_id = c.id
                """
            )
    return found
