"""Which production orders a run may pass over: those of which nothing it would read has changed since they were decided.

Each decided order keeps a reading: marks of its rows, of the lines that stand, of the drafts there should be, and of the ground
under it (prices, policies, bills, …). An order is looked at again when one of them differs, when the day turns for a verdict
that reads the day, or when it is in a pool with one that changed: quotas, vendors' weeks, hours and free stock run through all
orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection

from documents.models import GenerationRun, OrderReading
from documents.rules import DRAFT_BITS, Difference, Standing, draft_mark
from documents.services import reading
from masterdata import services as masterdata
from masterdata.models import (
    Closure,
    Company,
    Currency,
    Downtime,
    ExchangeRate,
    HolidayCalendar,
    Item,
    ItemUnit,
    Location,
    Process,
    Site,
    Specification,
    SpecificationFile,
    Unit,
    Vendor,
    WorkCenter,
)
from policies.models import Policy, PolicyVendor, PriceAgreement, VendorApproval
from policies.rules.values import Decided, OrderFacts, Paid
from policies.services.deciding import HORIZON_DAYS, OPEN_OPERATION
from production.models import OPEN_STATUSES, BomLine, Operation, OperationWord, ProductionOrder
from subcontract_orders.models import LineStatus

GROUND = (
    Closure, Company, Currency, Downtime, ExchangeRate, HolidayCalendar, Item, ItemUnit, Location, Process, Site, Specification,
    SpecificationFile, Unit, Vendor, WorkCenter, Policy, PolicyVendor, PriceAgreement, VendorApproval, BomLine,
)  # fmt: skip
"""Every table that deciding and planning read, but for the plan itself and what stands with vendors."""


@dataclass(slots=True)
class Changed:
    """What a run has to look at. `gone`: decided once and not in the horizon, or not open, any more."""

    orders: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    is_shared: bool = False
    """One of them was in the pool when it was decided."""
    passed_over: int = 0


def ground_mark(*, last_paid: Mapping[tuple[int, int, int], Paid], days: Mapping[int, date]) -> int:
    """One number for all that verdicts stand on; `last_paid` are the prices estimates begin with, where some policy estimates,
    `days` what day it is at sites where it is not the run's own.
    """
    return masterdata.number_of((masterdata.mark_of(tables=GROUND), sorted(last_paid.items()), sorted(days.items())))


def changed(*, on: date, ground: int) -> Changed:
    """Compare every order in the horizon with the reading of it. One statement; no row of the plan leaves the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH words AS (
                SELECT o.production_order_id, bit_xor({masterdata.row_mark(OperationWord)}) AS mark
                FROM production_operationword JOIN production_operation o ON o.id = operation_id
                WHERE is_current GROUP BY 1
            ), near AS (
                SELECT production_productionorder.id,
                    {masterdata.row_mark(ProductionOrder)} # p.mark # coalesce(words.mark, 0) AS mark
                FROM production_productionorder
                JOIN (
                    SELECT production_order_id, bit_xor({masterdata.row_mark(Operation)}) AS mark
                    FROM production_operation GROUP BY 1
                    HAVING bool_or(status = ANY(%(open)s) AND (planned_start <= %(until)s OR planned_start IS NULL))
                ) p ON p.production_order_id = production_productionorder.id
                LEFT JOIN words ON words.production_order_id = production_productionorder.id
                WHERE status = ANY(%(orders)s)
            ), lines AS (
                SELECT production_order_id, bit_xor({reading.LINE_MARK}) AS mark,
                    sum(('x' || rpad(left(content_hash, {DRAFT_BITS // 4}), {DRAFT_BITS // 4}, '0'))::bit({DRAFT_BITS})::bigint)
                        FILTER (WHERE subcontract_orders_subcontractorder.sent_at IS NULL
                            AND subcontract_orders_orderline.status <> %(cancelled)s)::bigint AS drafts
                FROM subcontract_orders_orderline
                JOIN subcontract_orders_subcontractorder ON subcontract_orders_subcontractorder.id = order_id
                WHERE operation_id IS NOT NULL
                    AND (subcontract_orders_orderline.status <> %(cancelled)s OR accepted + rejected + scrapped <> 0)
                GROUP BY 1
            ), compared AS (
                SELECT n.id, r.production_order_id AS known, r.is_shared, n.id = r.production_order_id
                    AND r.ground = %(ground)s AND coalesce(r.day = %(on)s, true) AND r.plan_mark = n.mark
                    AND r.lines_mark = coalesce(l.mark, 0) AND r.drafts_mark = coalesce(l.drafts, 0) AS is_same
                FROM near n FULL JOIN documents_orderreading r ON r.production_order_id = n.id
                LEFT JOIN lines l ON l.production_order_id = n.id
            )
            SELECT array_agg(id) FILTER (WHERE id IS NOT NULL AND is_same IS NOT TRUE),
                array_agg(known) FILTER (WHERE id IS NULL),
                coalesce(bool_or(is_shared) FILTER (WHERE is_same IS NOT TRUE), false), count(*) FILTER (WHERE is_same)
            FROM compared
            """,
            {
                "open": list(OPEN_OPERATION),
                "until": on + timedelta(days=HORIZON_DAYS),
                "orders": list(OPEN_STATUSES),
                "cancelled": LineStatus.CANCELLED,
                "ground": ground,
                "on": on,
            },
        )
        orders, gone, is_shared, passed_over = cursor.fetchone()
    return Changed(set(orders or ()), set(gone or ()), is_shared, passed_over)


def shared_mark(*, on: date, gives_stock: bool) -> int:
    """A number for what the pool's counters start from: what was sent, and free stock where some policy gives it out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), bit_xor(hashtextextended(concat_ws('/', l.id, l.status, o.status, l.vendor_id, l.quantity,
                l.accepted + l.rejected + l.scrapped, l.policy_code, l.at_vendor_date, l.late_by), 0))
            FROM subcontract_orders_orderline l JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
            WHERE o.sent_at IS NOT NULL AND l.at_vendor_date >= %s
            """,
            [on - timedelta(days=reading.BALANCE_DAYS)],
        )
        sent = cursor.fetchone()
    return masterdata.number_of((sent, sorted(reading.free_stock().items()) if gives_stock else None))


def last_shared_mark() -> int | None:
    """What it was when the pool was decided last; None where a run since looked at a part of the plan only."""
    last = GenerationRun.objects.filter(decided_at__isnull=False, is_dry=False).order_by("-pk").first()
    return last.shared_mark if last else None


def shared_orders() -> set[int]:
    return set(OrderReading.objects.filter(is_shared=True).values_list("production_order_id", flat=True))


def read_order(
    order: OrderFacts,
    *,
    decided: Sequence[Decided],
    standing: Iterable[Standing],
    differences: Iterable[Difference],
    ground: int,
    on: date,
    is_shared: bool,
) -> tuple[object, ...]:
    """The reading of an order as it was decided: a row for `keep_readings`."""
    lines_mark, drafts = 0, 0
    for line in standing:
        lines_mark ^= line.mark
        if line.is_active and not line.is_sent:
            drafts += draft_mark(line.content_hash)
    for difference in differences:
        if difference.action in ("create", "change"):
            drafts += draft_mark(difference.content_hash)
        if difference.action in ("change", "cancel") and difference.line is not None:
            drafts -= draft_mark(difference.line.content_hash)
    reads_day = any(one.verdict != "in_house" or one.basis not in ("flag", "word") for one in decided)
    return (
        order.production_order_id, order.mark, lines_mark, drafts, ground, on if reads_day else None, "t" if is_shared else "f",
    )  # fmt: skip


READING_COLUMNS = ("production_order_id", "plan_mark", "lines_mark", "drafts_mark", "ground", "day", "is_shared")


def keep_readings(rows: Sequence[tuple[object, ...]], *, are_new: bool, is_part: bool) -> None:
    """Keep readings in the place of those there were (none, where `are_new`).

    A run over a part of the plan cannot say what holds for the pool: its orders are looked at again by the next one.
    """
    if not are_new:
        forget([int(str(row[0])) for row in rows])
    kept = [row for row in rows if row[-1] == "f"] if is_part else rows
    masterdata.copy_values(OrderReading._meta.db_table, READING_COLUMNS, kept)


def forget(production_order_ids: Collection[int]) -> None:
    """These orders are looked at by the next run whatever happens."""
    if production_order_ids:
        OrderReading.objects.filter(production_order__in=masterdata.among(production_order_ids)).delete()
