"""What of our material lies at vendors for which line: every change is a row, the counters on the component their sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum

from masterdata.models import Location
from subcontract_orders.models import AT_VENDOR, ComponentFlow, FlowKind, OrderComponent

ZERO = Decimal(0)
CAME = {FlowKind.SENT, FlowKind.DIRECT, FlowKind.CARRIED_IN, FlowKind.FOUND}
Lying = tuple[int, int, str]  # item, lot (0: none), stage


@transaction.atomic(savepoint=False)
def record_flows(flows: Sequence[ComponentFlow], *, at: datetime, is_locked: bool = False) -> None:
    """Write flows and bring the counters of their components along. The caller has posted the stock already.

    `is_locked`: the caller holds the components.
    The database refuses a component of which more is used, returned or written off than came.
    """
    if not flows:
        return
    for flow in flows:
        flow.at = at
    ComponentFlow.objects.bulk_create(flows, batch_size=2000)
    sums: dict[int, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(FlowKind.values, ZERO))
    for flow in flows:
        sums[flow.component_id][flow.kind] += flow.quantity
    if not is_locked:
        list(OrderComponent.objects.filter(pk__in=sums).select_for_update().order_by("pk").values_list("pk"))
    kinds = FlowKind.values
    # One statement for all counters: taken one by one a reversal would pass through a state the database refuses.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE subcontract_orders_ordercomponent c SET {", ".join(f"{kind} = c.{kind} + x.{kind}" for kind in kinds)}
            FROM unnest(%s::bigint[], {", ".join(["%s::numeric[]"] * len(kinds))}) AS x(id, {", ".join(kinds)})
            WHERE c.id = x.id
            """,
            [list(sums), *[[by_kind[kind] for by_kind in sums.values()] for kind in kinds]],
        )
    if taken := [key for key, by_kind in sums.items() if by_kind[FlowKind.CARRIED_IN]]:
        recount_material(set(OrderComponent.objects.filter(pk__in=taken).values_list("line__order", flat=True)))


def reverse_flows(*, kind: str, number: str, at: datetime) -> None:
    """Take back the flows of one document.

    Free stock it had taken over is free again as far as it still lies there for the line: what was lost, or returned, since
    stays the line's.
    """
    done = ComponentFlow.objects.filter(document_kind=kind, document_number=number)
    net = done.values("component", "lot", "kind", "document_line").annotate(net=Sum("quantity")).exclude(net=0)
    rows = sorted(net, key=lambda row: (row["component"], row["kind"] == FlowKind.CARRIED_IN))
    there = own_lots({row["component"] for row in rows})
    back = []
    for row in rows:
        lots, lot_id, quantity = there[row["component"]], row["lot"] or 0, row["net"]
        if row["kind"] == FlowKind.CARRIED_IN:
            quantity = min(quantity, max(lots[lot_id], ZERO))
        lots[lot_id] -= quantity if row["kind"] in CAME else -quantity
        if quantity:
            back.append(
                ComponentFlow(
                    component_id=row["component"], lot_id=row["lot"], kind=row["kind"], quantity=-quantity,
                    document_kind=kind, document_number=number, document_line=row["document_line"],
                )
            )  # fmt: skip
    record_flows(back, at=at)


def lock_places(location_ids: Iterable[int]) -> None:
    """Hold vendors' places, in key order, until the transaction ends.

    Whoever gives free stock there to a line, or takes it, holds its place first: what is free is counted, not locked. After
    the documents' locks, before stock is posted.
    """
    rows = Location.objects.filter(pk__in=set(location_ids)).select_for_update(no_key=True).order_by("pk")
    list(rows.values_list("pk", flat=True))


@transaction.atomic(savepoint=False)
def give_promised(component_ids: Collection[int], *, at: datetime) -> None:
    """Give promised free stock real lots, first in first: a draft's `carried_in` is a number only until material is used."""
    rows = OrderComponent.objects.filter(pk__in=component_ids, carried_in__gt=0).select_related("line__order")
    by_lot = own_lots(component_ids)
    given: list[ComponentFlow] = []
    for row in rows.order_by("pk"):
        rest = row.at_vendor - sum(by_lot.get(row.pk, {}).values(), ZERO)
        if rest <= 0:
            continue
        for lot_id, quantity in _unclaimed(row):
            taken = min(quantity, rest)
            given.append(
                ComponentFlow(
                    component=row, lot_id=lot_id or None, kind=FlowKind.CARRIED_IN, quantity=taken, at=at,
                    document_kind="subcontract_order", document_number=row.line.order.number,
                )
            )  # fmt: skip
            rest -= taken
            if not rest:
                break
    # The counter holds these quantities already.
    ComponentFlow.objects.bulk_create(given)


def _unclaimed(component: OrderComponent) -> list[tuple[int, Decimal]]:
    """Lots (0: none) at the component's place that no line holds by a flow, first in first."""
    there = _Place.read(component.line.ship_to_id, [component.item_id])
    claimed = there.claimed()
    left = [
        (key[1], quantity - claimed[key])
        for key, quantity in sorted(there.lying.items(), key=lambda row: there.ages[row[0]])
        if key[2] == component.stage
    ]
    return [(lot_id, quantity) for lot_id, quantity in left if quantity > 0]


@dataclass(slots=True)
class _Place:
    """What lies at a vendor's place and what lines have of it, as of one moment: material used meanwhile counts in both, or in
    neither.
    """

    lying: dict[Lying, Decimal] = field(default_factory=dict)
    ages: dict[Lying, tuple[str, datetime, int]] = field(default_factory=dict)
    own: dict[int, dict[int, Decimal]] = field(default_factory=lambda: defaultdict(dict))  # by component, by lot
    given: dict[int, tuple[int, str, Decimal]] = field(default_factory=dict)  # item, stage, at the vendor, by component

    @classmethod
    def read(cls, location_id: int, item_ids: Collection[int]) -> _Place:
        found = cls()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH mine AS (
                    SELECT c.id, c.item_id, c.stage, {AT_VENDOR} AS at_vendor
                    FROM subcontract_orders_ordercomponent c JOIN subcontract_orders_orderline l ON l.id = c.line_id
                    WHERE l.ship_to_id = %(place)s AND c.item_id = ANY(%(items)s)
                )
                SELECT 0 AS component, b.item_id, coalesce(b.lot_id, 0), b.stage, b.quantity, coalesce(l.expires_on::text, ''),
                    b.since, b.id
                FROM inventory_balance b LEFT JOIN inventory_lot l ON l.id = b.lot_id
                WHERE b.location_id = %(place)s AND b.item_id = ANY(%(items)s) AND b.quantity > 0
                UNION ALL
                SELECT m.id, m.item_id, -1, m.stage, m.at_vendor, '', NULL, 0 FROM mine m WHERE m.at_vendor > 0
                UNION ALL
                SELECT m.id, m.item_id, coalesce(f.lot_id, 0), m.stage,
                    sum(CASE WHEN f.kind = ANY(%(came)s) THEN f.quantity ELSE -f.quantity END), '', NULL, 0
                FROM mine m JOIN subcontract_orders_componentflow f ON f.component_id = m.id
                WHERE m.at_vendor > 0 GROUP BY m.id, m.item_id, f.lot_id, m.stage
                """,
                {"place": location_id, "items": list(item_ids), "came": sorted(kind.value for kind in CAME)},
            )
            for component_id, item_id, lot_id, stage, quantity, expires, since, pk in cursor.fetchall():
                if not component_id:
                    found.lying[item_id, lot_id, stage] = quantity
                    found.ages[item_id, lot_id, stage] = (expires or "9999", since, pk)
                elif lot_id < 0:
                    found.given[component_id] = (item_id, stage, quantity)
                else:
                    found.own[component_id][lot_id] = quantity
        return found

    def claimed(self) -> dict[Lying, Decimal]:
        """What lines hold by flows."""
        sums: dict[Lying, Decimal] = defaultdict(Decimal)
        for component_id, (item_id, stage, _) in self.given.items():
            for lot_id, quantity in self.own[component_id].items():
                sums[item_id, lot_id, stage] += quantity
        return sums


def own_lots(component_ids: Collection[int]) -> dict[int, dict[int, Decimal]]:
    """What lies at the vendor for each component, by lot (0: none)."""
    lots: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rows = ComponentFlow.objects.filter(component__in=component_ids).values_list("component", "lot", "kind")
    for component_id, lot_id, kind, quantity in rows.annotate(total=Sum("quantity")):
        lots[component_id][lot_id or 0] += quantity if kind in CAME else -quantity
    return lots


def free_stock(
    *, location_id: int, item_ids: Collection[int], away: Mapping[int, Mapping[int, Decimal]] | None = None
) -> dict[Lying, Decimal]:
    """What lies at a vendor's place and is given to no line, by item, lot and stage. Never below zero.

    `away`: what of components (by key, by lot) was sent and is on its way there: it takes nothing of what lies there.
    """
    there = _Place.read(location_id, item_ids)
    lying = dict(there.lying)
    for component_id, (item_id, stage, at_vendor) in there.given.items():
        known = ZERO
        moving = (away or {}).get(component_id, {})
        for lot_id, quantity in there.own[component_id].items():
            key = (item_id, lot_id, stage)
            lying[key] = lying.get(key, ZERO) - quantity + moving.get(lot_id, ZERO)
            known += quantity
        # Stock promised to a draft line is carried in without a flow, and without a lot yet.
        rest = at_vendor - known
        if rest <= 0:
            continue
        for key in [key for key in lying if key[0] == item_id and key[2] == stage]:
            taken = min(max(lying[key], ZERO), rest)
            lying[key] -= taken
            rest -= taken
    return {key: quantity for key, quantity in lying.items() if quantity > 0}


def recount_material(order_ids: Collection[int]) -> None:
    """Material progress of orders, row by row over what we ship: the one writer of the column.

    What comes home from a line that is done (a tool, a rest), or is gone there, was sent all the same; free stock at the vendor
    that a line has, or is promised, need not be.
    """
    if not order_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE subcontract_orders_subcontractorder o
            SET material = CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            FROM (
                SELECT l.order_id, bool_and(
                        c.sent + c.carried_in - CASE WHEN l.status = 'complete' THEN 0
                            ELSE c.returned + c.written_off + c.lost - c.found END
                        >= coalesce(c.sent_required, c.required)
                    ) AS complete,
                    bool_or(c.sent - c.returned > 0) AS started
                FROM subcontract_orders_ordercomponent c JOIN subcontract_orders_orderline l ON l.id = c.line_id
                WHERE l.order_id = ANY(%s) AND l.status <> 'cancelled' AND c.supply IN ('own', 'returnable')
                    AND c.ship_from_id IS DISTINCT FROM l.ship_to_id
                GROUP BY l.order_id
            ) s
            WHERE o.id = s.order_id
                AND o.material <> CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            """,
            [list(order_ids)],
        )
