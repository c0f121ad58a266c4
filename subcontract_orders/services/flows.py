"""What of our material lies at vendors for which line: every change is a row, the counters on the component their sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Sum

from inventory.models import Balance
from masterdata.models import Location
from subcontract_orders.models import ComponentFlow, FlowKind, OrderComponent

ZERO = Decimal(0)
CAME = {FlowKind.SENT, FlowKind.DIRECT, FlowKind.CARRIED_IN, FlowKind.FOUND}
Lying = tuple[int, int, str]  # item, lot (0: none), stage


@transaction.atomic
def record_flows(flows: Sequence[ComponentFlow], *, at: datetime) -> None:
    """Write flows and bring the counters of their components along. The caller has posted the stock already.

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


@transaction.atomic
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
    there = Balance.objects.filter(
        location=component.line.ship_to_id, item=component.item_id, stage=component.stage, quantity__gt=0
    ).order_by(F("lot__expires_on").asc(nulls_last=True), "since", "pk")
    claimed: dict[int, Decimal] = defaultdict(Decimal)
    others = OrderComponent.objects.lying_at_vendor().filter(
        line__ship_to=component.line.ship_to_id, item=component.item_id, stage=component.stage
    )
    for lots in own_lots(list(others.values_list("pk", flat=True))).values():
        for lot_id, quantity in lots.items():
            claimed[lot_id] += quantity
    left = [(lot_id or 0, quantity - claimed[lot_id or 0]) for lot_id, quantity in there.values_list("lot", "quantity")]
    return [(lot_id, quantity) for lot_id, quantity in left if quantity > 0]


def own_lots(component_ids: Collection[int]) -> dict[int, dict[int, Decimal]]:
    """What lies at the vendor for each component, by lot (0: none)."""
    lots: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rows = ComponentFlow.objects.filter(component__in=component_ids).values_list("component", "lot", "kind")
    for component_id, lot_id, kind, quantity in rows.annotate(total=Sum("quantity")):
        lots[component_id][lot_id or 0] += quantity if kind in CAME else -quantity
    return lots


def free_stock(*, location_id: int, item_ids: Collection[int]) -> dict[Lying, Decimal]:
    """What lies at a vendor's place and is given to no line, by item, lot and stage. Never below zero."""
    lying: dict[Lying, Decimal] = {}
    balances = Balance.objects.filter(location=location_id, item__in=item_ids, quantity__gt=0)
    for item_id, lot_id, stage, quantity in balances.values_list("item", "lot", "stage", "quantity"):
        lying[(item_id, lot_id or 0, stage)] = quantity
    mine = OrderComponent.objects.lying_at_vendor().filter(line__ship_to=location_id, item__in=item_ids)
    given = {row.pk: row for row in mine.only("item", "stage", "sent", "direct", "carried_in", "found", "consumed",
                                              "returned", "written_off", "lost", "carried_out")}  # fmt: skip
    by_lot = own_lots(given)
    for pk, component in given.items():
        known = ZERO
        for lot_id, quantity in by_lot.get(pk, {}).items():
            key = (component.item_id, lot_id, component.stage)
            lying[key] = lying.get(key, ZERO) - quantity
            known += quantity
        # Stock promised to a draft line is carried in without a flow, and without a lot yet.
        rest = component.at_vendor - known
        if rest <= 0:
            continue
        for key in [key for key in lying if key[0] == component.item_id and key[2] == component.stage]:
            taken = min(max(lying[key], ZERO), rest)
            lying[key] -= taken
            rest -= taken
    return {key: quantity for key, quantity in lying.items() if quantity > 0}


def recount_material(order_ids: Collection[int]) -> None:
    """Material progress of orders, row by row over what we ship: the one writer of the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE subcontract_orders_subcontractorder o
            SET material = CASE WHEN s.complete THEN 'complete' WHEN s.started THEN 'partial' ELSE 'none' END
            FROM (
                SELECT l.order_id, bool_and(c.sent - c.returned + c.carried_in >= coalesce(c.sent_required, c.required))
                    AS complete,
                    bool_or(c.sent - c.returned > 0) AS started
                FROM subcontract_orders_ordercomponent c JOIN subcontract_orders_orderline l ON l.id = c.line_id
                WHERE l.order_id = ANY(%s) AND l.status <> 'cancelled' AND c.supply IN ('own', 'returnable')
                    AND c.ship_from_id IS DISTINCT FROM l.ship_to_id
                GROUP BY l.order_id
            ) s
            WHERE o.id = s.order_id
            """,
            [list(order_ids)],
        )
