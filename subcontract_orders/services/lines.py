"""Writing many orders and lines at once, as runs do: a constant number of statements for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.models import User
from activity import services as activity
from activity.models import Event, Message
from masterdata import services as masterdata
from masterdata.models import Vendor
from production.rules.progress import CameTogether
from production.services import commit_operations
from subcontract_orders.models import (
    LinePromise,
    LineStatus,
    OrderComponent,
    OrderLine,
    OrderRevision,
    OrderStatus,
    SubcontractOrder,
)
from subcontract_orders.services.flows import recount_material
from subcontract_orders.services.specifications import freeze_specifications, operations_of

KIND = "subcontract_order"
IN_FORCE = {
    "sent_quantity": "quantity",
    "sent_unit_price": "unit_price",
    "sent_amount": "amount",
    "sent_amount_company": "amount_company",
    "sent_need_date": "need_date",
    "sent_promised_date": "promised_date",
    "sent_dispatch_by": "dispatch_by",
    "sent_receive_at": "receive_at",
}
"""Where a line keeps what the last sent revision says, while a later one waits."""
TELLS_RATE = Decimal(100)
"""Company money from which on a line's amounts tell the rate between them to a hundredth of a percent."""
LINE_FIELDS = [
    field.name for field in OrderLine._meta.concrete_fields if field.name not in {"id", "order", "line_no", "pinned"}
]


def add_orders(orders: Sequence[SubcontractOrder]) -> None:
    """Write new drafts; afterwards each has its key."""
    masterdata.copy_objects(orders)


def add_lines(lines: Sequence[OrderLine], components: Sequence[Sequence[OrderComponent]]) -> None:
    """Write new lines, each with its components at the same place of the second list."""
    masterdata.copy_objects(lines)
    freeze_specifications(line_ids=[line.pk for line in lines])
    complete_components(lines, components)


def rewrite_lines(lines: Sequence[OrderLine], components: Sequence[Sequence[OrderComponent]]) -> None:
    """Write changed lines of orders never sent, and their components anew.

    Nothing may be shipped or planned for the old components any more (shipments.services.replan takes it away first).
    """
    if not lines:
        return
    OrderComponent.objects.filter(line__in=lines).delete()
    OrderLine.objects.bulk_create(
        lines, batch_size=1000, update_conflicts=True, unique_fields=["id"], update_fields=LINE_FIELDS
    )
    freeze_specifications(line_ids=[line.pk for line in lines])
    complete_components(lines, components)


def keep_references(rows: Sequence[Mapping[str, Any]]) -> int:
    """Write on lines, by `id`, what another system calls them (`source`, `external_refs`). Returns how many differed."""
    return masterdata.upsert_by_key(model=OrderLine, key=("id",), rows=rows).changed


def note_paid(prices: Mapping[int, tuple[Decimal, datetime] | None]) -> None:
    """Write on lines, by key, what was paid for one price unit in the order's currency, and when; None: nothing stands.

    The lines are locked by the caller. Estimates for the same vendor, item and process begin with it.
    """
    if not prices:
        return
    rows = [(pk, *(paid or (None, None))) for pk, paid in prices.items()]
    keys, amounts, moments = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE subcontract_orders_orderline l SET paid_unit_price = p.price, paid_at = p.at
            FROM unnest(%s::bigint[], %s::numeric[], %s::timestamptz[]) AS p(id, price, at)
            WHERE l.id = p.id AND (l.paid_unit_price, l.paid_at) IS DISTINCT FROM (p.price, p.at)
            """,
            [list(keys), list(amounts), list(moments)],
        )


def complete_components(lines: Sequence[OrderLine], components: Sequence[Sequence[OrderComponent]]) -> None:
    """Write the components of lines that have their keys."""
    rows = []
    for line, mine in zip(lines, components, strict=True):
        for component in mine:
            component.line_id = line.pk
            rows.append(component)
    masterdata.copy_objects(rows)


def withdraw_lines(line_ids: Collection[int]) -> int:
    """Cancel lines of orders never sent; they stay to be seen, and take no free stock any more."""
    forget_promised_stock(OrderLine.objects.filter(pk__in=line_ids, is_draft=True))
    return OrderLine.objects.filter(pk__in=line_ids, is_draft=True).update(
        status=LineStatus.CANCELLED, is_draft=False, content_hash=""
    )


def forget_promised_stock(lines: QuerySet[OrderLine]) -> None:
    """What was promised to lines never sent is a number only: no stock stands behind it."""
    OrderComponent.objects.filter(line__in=lines, carried_in__gt=0).update(carried_in=0)


def cancel_empty_orders(
    order_ids: Collection[int], *, at: datetime, by: User | None = None, through: str = "run"
) -> list[str]:
    """Cancel those of these never-sent orders that have no active line left. Returns their numbers; they are not used again."""
    empty = list(
        SubcontractOrder.objects.unsent()
        .filter(pk__in=order_ids)
        .exclude(pk__in=OrderLine.objects.active().filter(order__in=order_ids).values("order_id"))
        .order_by("pk")
    )
    SubcontractOrder.objects.filter(pk__in=[order.pk for order in empty]).update(
        status=OrderStatus.CANCELLED, cancelled_at=at, auto_send_at=None, version=F("version") + 1
    )
    activity.record_many([_event("order.cancelled", order, at=at, by=by, through=through) for order in empty])
    return [order.number for order in empty]


def recount_orders(order_ids: Collection[int]) -> None:
    """Totals, dates and receipt progress of orders out of their lines: the one writer of these columns.

    A minimum charge per order and process is shared out first: what the lines' work lacks stands on the first of them.
    """
    _share_minimum(order_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE subcontract_orders_subcontractorder o
            SET total = s.total, total_company = s.total_company, order_by = s.order_by, dispatch_by = s.dispatch_by,
                due_date = s.due_date, receive_at_id = s.receive_at_id, version = o.version + 1,
                receipt = CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            FROM (
                SELECT l.order_id, sum(l.amount) AS total, sum(l.amount_company) AS total_company,
                    min(l.order_by) AS order_by, min(l.dispatch_by) AS dispatch_by,
                    (array_agg(coalesce(l.sent_receive_at_id, l.receive_at_id) ORDER BY l.line_no))[1] AS receive_at_id,
                    coalesce(min(l.need_date) FILTER (WHERE l.status = 'open'), min(l.need_date)) AS due_date,
                    bool_and(l.status = 'complete' OR l.accepted + l.rejected + l.scrapped >= l.quantity) AS complete,
                    bool_or(l.accepted + l.rejected + l.scrapped > 0) AS started
                FROM subcontract_orders_orderline l
                WHERE l.order_id = ANY(%s) AND l.status <> 'cancelled'
                GROUP BY l.order_id
            ) s
            WHERE o.id = s.order_id
            """,
            [list(order_ids)],
        )


def save_received(lines: Sequence[OrderLine]) -> None:
    """Save what was counted on lines (accepted, rejected, scrapped, in rework, status), and their orders' receipt progress.

    The caller holds the orders. Two statements, however many lines.
    """
    columns = [
        [getattr(line, name) for line in lines] for name in ("pk", "accepted", "rejected", "scrapped", "in_rework")
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE subcontract_orders_orderline l
            SET accepted = x.accepted, rejected = x.rejected, scrapped = x.scrapped, in_rework = x.in_rework, status = x.status
            FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[])
                AS x(id, accepted, rejected, scrapped, in_rework, status)
            WHERE l.id = x.id
            """,
            [*columns, [str(line.status) for line in lines]],
        )
        cursor.execute(
            """
            UPDATE subcontract_orders_subcontractorder o
            SET due_date = s.due_date, version = o.version + 1,
                receipt = CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            FROM (
                SELECT l.order_id,
                    coalesce(min(l.need_date) FILTER (WHERE l.status = 'open'), min(l.need_date)) AS due_date,
                    bool_and(l.status = 'complete' OR l.accepted + l.rejected + l.scrapped >= l.quantity) AS complete,
                    bool_or(l.accepted + l.rejected + l.scrapped > 0) AS started
                FROM subcontract_orders_orderline l
                WHERE l.order_id = ANY(%s) AND l.status <> 'cancelled'
                GROUP BY l.order_id
            ) s
            WHERE o.id = s.order_id
            """,
            [sorted({line.order_id for line in lines})],
        )


def _share_minimum(order_ids: Collection[int]) -> None:
    """Company money is worked out at the rate a line's amounts tell; where they are too small, at that of its day of ordering."""
    own = masterdata.company().currency
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH shared AS (
                SELECT l.id, CASE WHEN row_number() OVER (PARTITION BY l.order_id, l.process_id ORDER BY l.line_no) = 1
                    THEN greatest(round(max(l.minimum_charge) OVER whole, c.decimals) - sum(l.work_amount) OVER whole, 0)
                    ELSE 0 END AS top_up
                FROM subcontract_orders_orderline l
                JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
                JOIN masterdata_currency c ON c.id = o.currency_id
                WHERE l.order_id = ANY(%s) AND l.status <> 'cancelled' AND l.minimum_charge_basis = 'order'
                WINDOW whole AS (PARTITION BY l.order_id, l.process_id)
            )
            UPDATE subcontract_orders_orderline l
            SET minimum_top_up = s.top_up, amount = s.amount,
                amount_company = coalesce(round(s.amount * s.rate, %s), l.amount_company)
            FROM (
                SELECT l.id, s.top_up, l.work_amount + s.top_up + l.lot_charge + l.freight AS amount,
                    CASE WHEN o.currency_id = %s THEN 1 WHEN l.amount_company >= %s THEN l.amount_company / nullif(l.amount, 0)
                    ELSE (
                        SELECT r.rate FROM masterdata_exchangerate r
                        WHERE r.currency_id = o.currency_id
                            AND r.valid_from <= coalesce(o.sent_at, greatest(l.order_by, o.created_at))::date
                        ORDER BY r.valid_from DESC LIMIT 1
                    ) END AS rate
                FROM shared s JOIN subcontract_orders_orderline l ON l.id = s.id
                JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
                WHERE l.minimum_top_up <> s.top_up
            ) s WHERE l.id = s.id
            """,
            [list(order_ids), own.decimals, own.pk, TELLS_RATE],
        )


@transaction.atomic
def approve_by_policy(order_ids: Collection[int], *, at: datetime, through: str = "run") -> tuple[list[int], list[int]]:
    """Approve those drafts whose lines' policies all allow it up to their total, and say which of them may be sent at once.

    An approved order that is worth more than was approved goes back to draft first. The total is compared in company
    currency with the lowest limit among the lines; a line without a limit, or with an open price, keeps its order a draft.
    Returns the keys of the orders approved, and of those to be sent now.
    """
    _back_to_draft(order_ids, at=at, through=through)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.id, bool_and(l.auto_send), max(l.auto_send_wait_minutes)
            FROM subcontract_orders_subcontractorder o JOIN subcontract_orders_orderline l ON l.order_id = o.id
            WHERE o.id = ANY(%s) AND o.status = 'draft' AND o.revision = 1 AND l.status <> 'cancelled'
            GROUP BY o.id
            HAVING bool_and(l.auto_approve_up_to IS NOT NULL AND NOT l.is_price_open)
                AND o.total_company <= min(l.auto_approve_up_to)
            ORDER BY o.id
            """,
            [list(order_ids)],
        )
        found: list[tuple[int, bool, int]] = cursor.fetchall()
    if not found:
        return [], []
    waits: dict[int | None, list[int]] = {}
    for order_id, sends, wait in found:
        waits.setdefault(wait if sends else None, []).append(order_id)
    for minutes, ids in waits.items():
        SubcontractOrder.objects.filter(pk__in=ids).update(
            status=OrderStatus.APPROVED,
            approved_at=at,
            approved_by=None,
            approved_total=F("total_company"),
            auto_send_at=None if minutes is None else at + timedelta(minutes=minutes),
            version=F("version") + 1,
        )
    approved = [order_id for order_id, _, _ in found]
    activity.record_many(
        [
            _event("order.approved", order, at=at, by=None, through=through, data={"by": "policy"})
            for order in SubcontractOrder.objects.filter(pk__in=approved).order_by("pk")
        ]
    )
    return approved, waits.get(0, [])


def send_by_policy(order_ids: Collection[int], *, at: datetime, through: str = "run") -> list[int]:
    """Send approved orders whose policies let them go by themselves, near enough to the day by which they must be ordered."""
    orders = list(
        SubcontractOrder.objects.select_for_update()
        .sending_themselves(at=at, today=masterdata.site_dates(at=at))
        .filter(pk__in=order_ids)
        .order_by("pk")
    )
    send(orders, at=at, by=None, through=through, data={"by": "policy"})
    return [order.pk for order in orders]


def send(
    orders: Sequence[SubcontractOrder],
    *,
    at: datetime,
    by: User | None,
    through: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Mark locked, approved orders as sent and keep what was sent as a revision each."""
    ids = [order.pk for order in orders]
    SubcontractOrder.objects.filter(pk__in=ids).update(
        status=OrderStatus.SENT,
        sent_at=at,
        sent_by=by,
        acknowledged_at=None,
        auto_send_at=None,
        version=F("version") + 1,
    )
    first = [order.pk for order in orders if order.sent_at is None]
    freeze_specifications(order_ids=first)
    _commit_lines(ids)
    contents = contents_of(ids)
    OrderRevision.objects.bulk_create(
        [
            OrderRevision(
                order=order, revision=order.revision, content=contents[order.pk], made_at=at, made_by=by, sent_at=at
            )
            for order in orders
        ],
        update_conflicts=True,
        unique_fields=["order", "revision"],
        update_fields=["content", "sent_at"],
        batch_size=1000,
    )
    activity.record_many([_event("order.sent", order, at=at, by=by, through=through, data=data) for order in orders])
    queue_mail(orders, at=at)


def _commit_lines(order_ids: Collection[int]) -> None:
    """The lines of orders are with their vendors, and so are all operations they are for."""
    OrderLine.objects.filter(order__in=order_ids).update(is_draft=False)
    lines_now = OrderLine.objects.active().filter(order__in=order_ids)
    commit_operations(operation_ids=lines_now.values_list("operation_id", flat=True))
    several = lines_now.exclude(is_whole=False, last_operation_no="").filter(production_order__isnull=False)
    if bought := list(several.only("production_order", "operation_no", "last_operation_no", "is_whole")):
        commit_operations(operation_ids=[step.pk for mine in operations_of(bought).values() for step in mine])


def came_together(*, numbers: Collection[str]) -> dict[str, list[CameTogether]]:
    """What lines for several operations of production orders brought back bad, by the orders' numbers."""
    lines = OrderLine.objects.filter(production_order__number__in=masterdata.named(numbers)).exclude(
        rejected=0, scrapped=0
    )
    bad = list(lines.exclude(is_whole=False, last_operation_no="").select_related("production_order"))
    steps = operations_of(bad) if bad else {}
    found: dict[str, list[CameTogether]] = defaultdict(list)
    for line in bad:
        one = CameTogether(frozenset(step.operation_no for step in steps[line.pk]), line.rejected + line.scrapped)
        found[str(line.production_order)].append(one)
    return found


def queue_mail(orders: Sequence[SubcontractOrder], *, at: datetime, kind: str = "order") -> None:
    """Put the mail that carries an order to its vendor in the outbox, where he has an address; it is written when it leaves.

    `kind` is `order`, or `order_cancelled` for the word that he is not to do it.
    """
    addresses = dict(
        Vendor.objects.filter(pk__in={order.vendor_id for order in orders}).exclude(email="").values_list("pk", "email")
    )
    activity.queue_messages(
        [
            Message(
                kind=kind,
                key=f"{kind}/{order.number}/{order.revision}",
                to=addresses[order.vendor_id],
                subject=f"Subcontract order {order.number}",
                document_kind=KIND,
                document_number=order.number,
                revision=order.revision,
            )
            for order in orders
            if order.vendor_id in addresses
        ],
        at=at,
    )


def send_loaded(orders: Sequence[SubcontractOrder], *, at: datetime, by: User | None) -> None:
    """Orders a vendor has had since before they were loaded: what he holds is kept as their first revision."""
    ids = [order.pk for order in orders]
    _commit_lines(ids)
    contents = contents_of(ids)
    OrderRevision.objects.bulk_create(
        [
            OrderRevision(
                order=order, revision=order.revision, content=contents[order.pk], made_at=at, made_by=by,
                sent_at=order.sent_at, reason="Loaded",
            )
            for order in orders
        ],
        batch_size=1000,
    )  # fmt: skip
    activity.record_many([_event("order.loaded", order, at=at, by=by, through="import") for order in orders])


def keep_in_force(order_ids: Collection[int]) -> None:
    """Keep what these sent orders say now beside their lines and components, before a revision changes them."""
    OrderLine.objects.active().filter(order__in=order_ids).update(**{kept: F(name) for kept, name in IN_FORCE.items()})
    OrderComponent.objects.filter(line__order__in=order_ids).update(sent_required=F("required"))
    LinePromise.objects.bulk_create(
        LinePromise(
            line_id=one.line_id,
            is_told=True,
            position=one.position,
            quantity=one.quantity,
            promised_date=one.promised_date,
        )
        for one in LinePromise.objects.filter(line__order__in=order_ids)
    )


def forget_in_force(order_ids: Collection[int]) -> None:
    """What the lines say is what is in force."""
    OrderLine.objects.filter(order__in=order_ids, sent_quantity__isnull=False).update(**dict.fromkeys(IN_FORCE))
    OrderComponent.objects.filter(line__order__in=order_ids, sent_required__isnull=False).update(sent_required=None)
    LinePromise.objects.filter(line__order__in=order_ids, is_told=True).delete()


def put_in_force(order_ids: Collection[int]) -> None:
    """A revision is with the vendor: lines are complete, or open again, by what it says."""
    lines = OrderLine.objects.active().filter(order__in=order_ids, sent_quantity__isnull=False)
    # accepted + rejected + scrapped >= quantity, and less than the quantity but for the tolerance
    lines.filter(accepted__gte=F("quantity") - F("rejected") - F("scrapped")).update(status=LineStatus.COMPLETE)
    enough = F("quantity") * (100 - F("under_receipt_pct")) / 100
    raised = lines.filter(quantity__gt=F("sent_quantity"), accepted__lt=enough - F("rejected") - F("scrapped"))
    raised.update(status=LineStatus.OPEN)
    forget_in_force(order_ids)
    recount_orders(order_ids)
    recount_material(order_ids)


def contents_of(order_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Orders as a vendor gets them: plain values that stay readable when the rows have moved on."""
    ids = list(order_ids)
    components: dict[int, list[dict[str, Any]]] = {}
    for line_id, item, stage, supply, required in (
        OrderComponent.objects.filter(line__order__in=ids)
        .order_by("line_id", "position")
        .values_list("line_id", "item__code", "stage", "supply", "required")
    ):
        components.setdefault(line_id, []).append(
            {"item": item, "stage": stage, "supply": supply, "required": str(required)}
        )
    lines: dict[int, list[dict[str, Any]]] = {}
    names = (
        "line_no",
        "item__code",
        "process__name",
        "production_order__number",
        "operation_no",
        "last_operation_no",
        "description",
        "quantity",
        "unit_price",
        "price_unit",
        "work_amount",
        "minimum_top_up",
        "lot_charge",
        "freight",
        "amount",
        "need_date",
        "promised_date",
        "dispatch_by",
        "receive_at__code",
        "certificates",
        "item_revision",
        "specification",
        "specification_files",
    )
    active = OrderLine.objects.active().filter(order__in=ids).order_by("order_id", "line_no")
    for row in active.values("id", "order_id", *names):
        lines.setdefault(row["order_id"], []).append(
            {
                **{name.partition("__")[0]: _plain(row[name]) for name in names},
                "components": components.get(row["id"], []),
            }
        )
    return {
        row["id"]: {
            "number": row["number"],
            "vendor": row["vendor__code"],
            "currency": row["currency__code"],
            "ship_to": row["ship_to__code"],
            "receive_at": row["receive_at__code"],
            "total": str(row["total"]),
            "lines": lines.get(row["id"], []),
        }
        for row in SubcontractOrder.objects.filter(pk__in=ids).values(
            "id", "number", "vendor__code", "currency__code", "ship_to__code", "receive_at__code", "total"
        )
    }


def _back_to_draft(order_ids: Collection[int], *, at: datetime, through: str) -> None:
    dearer = list(
        SubcontractOrder.objects.filter(
            pk__in=order_ids, status=OrderStatus.APPROVED, sent_at=None, total_company__gt=F("approved_total")
        ).order_by("pk")
    )
    for order in dearer:  # rare: a key of its own where another draft already collects the same period
        taken = (
            SubcontractOrder.objects.draft()
            .filter(
                vendor_id=order.vendor_id,
                site_id=order.site_id,
                ship_to_id=order.ship_to_id,
                currency_id=order.currency_id,
                consolidation_key=order.consolidation_key,
            )
            .exists()
        )
        SubcontractOrder.objects.filter(pk=order.pk).update(
            status=OrderStatus.DRAFT,
            approved_at=None,
            approved_by=None,
            approved_total=None,
            auto_send_at=None,
            version=F("version") + 1,
            consolidation_key=f"{order.consolidation_key}{APART}{order.number}" if taken else order.consolidation_key,
        )
    activity.record_many(
        [
            _event(
                "order.back_to_draft",
                order,
                at=at,
                by=None,
                through=through,
                data={"approved": str(order.approved_total), "now": str(order.total_company)},
            )
            for order in dearer
        ]
    )


APART = " · "
"""Stands between a consolidation key and the number of an order that collects no more lines."""


def _event(
    name: str,
    order: SubcontractOrder,
    *,
    at: datetime,
    by: User | None,
    through: str,
    data: dict[str, Any] | None = None,
) -> Event:
    return Event(
        name=name,
        document_kind=KIND,
        document_number=order.number,
        at=at,
        by=by,
        through=through,
        site_id=order.site_id,
        vendor_id=order.vendor_id,
        data=data or {},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
