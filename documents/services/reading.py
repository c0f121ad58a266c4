"""What a run reads: lines that stand, bills of material, policies' document rules, places. Values, not model objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, DateField, Exists, F, OuterRef, Q, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Least

from core.refusals import InvalidInput, NotFound
from documents.rules import DocumentRules, Ground, Plan, Standing
from inventory.models import Balance
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind, Process, Site, Vendor
from policies.models import Inspection, Policy
from policies.rules.values import CommittedLine, Frozen, OrderFacts, Paid
from policies.services.deciding import OPEN_OPERATION, orders_in_horizon
from production.models import BomLine, Operation, ProductionOrder
from production.rules.components import BomRow
from receipts.models import ReceiptLine, ReceiptStatus
from subcontract_orders.models import (
    AT_VENDOR,
    NET_SENT,
    UNSENT,
    CounterOffer,
    LineStatus,
    OfferState,
    OrderComponent,
    OrderLine,
    OrderStatus,
)
from subcontract_orders.services.lines import APART
from subcontract_orders.services.specifications import outdated_specifications

FIVE = 5
LINE_MARK = f"""CASE
    WHEN subcontract_orders_subcontractorder.sent_at IS NOT NULL THEN {masterdata.row_mark(OrderLine)} # hashtextextended(
        concat_ws('/', subcontract_orders_subcontractorder.status, subcontract_orders_subcontractorder.currency_id,
            subcontract_orders_subcontractorder.consolidation_key), 0)
    WHEN pinned <> '{{}}' OR subcontract_orders_subcontractorder.status = 'held' THEN hashtextextended(
        concat_ws('/', subcontract_orders_orderline.id, subcontract_orders_subcontractorder.status, pinned, quantity, unit_price,
            need_date), 0)
    ELSE 0 END"""
"""What a run reads of a line and does not write: all of a sent one, what a person has set of another, and whether he holds it."""
OF_USE = "promised_date + greatest(need_date - vendor_ready_date - transit_back_days, 0)"
"""When a line's pieces are here and inspected, by what was promised: see `OrderLine.inspection_days`."""
BALANCE_DAYS = 400
"""How far back lines count for quotas; longer than any balance period in use."""


@dataclass(slots=True)
class Places:
    """Where sites ship from and vendors' material lies; made where missing, looked up once."""

    vendors: dict[tuple[int, int], int] = field(default_factory=dict)
    sites: dict[int, int] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Places:
        return cls(
            sites=dict(Location.objects.filter(is_main=True, site__isnull=False).values_list("site_id", "pk")),
            codes=dict(Vendor.objects.values_list("pk", "code")),
        )

    def of_vendor(self, vendor_id: int, site_id: int) -> int:
        key = (vendor_id, site_id)
        if key not in self.vendors:
            if not self.vendors:
                self._know_vendors()
            if key not in self.vendors:
                # One place for all sites unless he keeps them apart.
                found = self.vendors.get((vendor_id, 0))
                self.vendors[key] = found or self._make(vendor_id, site_id)
        return self.vendors[key]

    def of_site(self, site_id: int) -> int:
        if site_id not in self.sites:
            self.sites[site_id] = masterdata.main_location(site=Site.objects.get(pk=site_id)).pk
        return self.sites[site_id]

    def _know_vendors(self) -> None:
        self.vendors[(0, 0)] = 0
        rows = (
            Location.objects.filter(kind=LocationKind.VENDOR).order_by("-pk").values_list("vendor_id", "site_id", "pk")
        )
        for vendor_id, site_id, pk in rows:
            self.vendors[(vendor_id or 0, site_id or 0)] = pk

    def _make(self, vendor_id: int, site_id: int) -> int:
        vendor = Vendor.objects.get(pk=vendor_id)
        return masterdata.vendor_location(vendor=vendor, site=Site.objects.get(pk=site_id)).pk


def ground(places: Places, item_ids: Collection[int] | None = None) -> Ground:
    """Everything but the orders that planning document sets reads; with `item_ids`, bills of these items are enough."""
    free: list[dict[tuple[int, int], Decimal]] = []

    def free_at() -> dict[tuple[int, int], Decimal]:
        if not free:
            free.append(free_stock())
        return free[0]

    return Ground(
        boms=boms(item_ids),
        rules=document_rules(),
        process_certificates={
            pk: tuple(kinds) for pk, kinds in Process.objects.values_list("pk", "certificates") if kinds
        },
        ship_to=places.of_vendor,
        free_at=free_at,
        outdated=outdated_specifications(),
    )


def transit_back() -> dict[int, int]:
    """The calendar days from vendors who have their own to us, whatever a policy says."""
    rows = Vendor.objects.exclude(transit_back_days=None).values_list("pk", "transit_back_days")
    return {pk: days or 0 for pk, days in rows}


def boms(item_ids: Collection[int] | None = None) -> dict[int, list[BomRow]]:
    """All bills of material by parent; with `item_ids` theirs, and those of phantoms, which stand for their own parts."""
    found: dict[int, list[BomRow]] = {}
    lines = BomLine.objects.all()
    if item_ids is not None:
        lines = lines.filter(Q(parent__in=masterdata.among(item_ids)) | Q(parent__is_phantom=True))
    rows = lines.order_by("parent_id", "position").values_list(
        "parent_id",
        "component_id",
        "quantity",
        "basis",
        "scrap_pct",
        "operation_no",
        "supply",
        "component__unit__decimals",
        "component__is_phantom",
    )
    for parent_id, component_id, quantity, basis, scrap_pct, operation_no, supply, decimals, is_phantom in rows:
        found.setdefault(parent_id, []).append(
            BomRow(
                component_id,
                quantity,
                basis == "per_order",
                scrap_pct,
                operation_no,
                supply,
                FIVE if decimals is None else decimals,
                is_phantom,
            )
        )
    return found


def document_rules() -> dict[int | None, DocumentRules]:
    """What each policy says about documents; None: no policy decided."""
    found: dict[int | None, DocumentRules] = {None: DocumentRules()}
    names = [name for name in DocumentRules._fields if name != "certificates"]
    for pk, certificates, *values in Policy.objects.values_list("pk", "certificates", *names):
        found[pk] = DocumentRules(certificates=tuple(certificates or ()), **dict(zip(names, values, strict=True)))
    return found


SCOPES = {
    "site": (Site, "code", "site__code"),
    "item": (Item, "code", "item__code"),
    "production_order": (ProductionOrder, "number", "number"),
}


def check_scope(scope: Mapping[str, Any]) -> None:
    """Raises InvalidInput for a word that narrows nothing, NotFound for a key that names nothing."""
    for name, keys in scope.items():
        if name not in SCOPES:
            raise InvalidInput(f"A run is narrowed by {', '.join(SCOPES)}, not by {name}.", field="scope")
        model, column, _ = SCOPES[name]
        wanted = {keys} if isinstance(keys, str) else set(keys)
        missing = wanted - set(
            model._default_manager.filter(**{f"{column}__in": wanted}).values_list(column, flat=True)
        )
        if missing:
            dimension = name.replace("_", " ")
            raise NotFound(f"There is no {dimension} {min(missing)}.", field="scope")


def orders_in_scope(scope: Mapping[str, Any]) -> set[int]:
    """The keys of all production orders a narrowed run is about, in the horizon or not."""
    orders = ProductionOrder.objects.all()
    for name, keys in scope.items():
        orders = orders.filter(**{f"{SCOPES[name][2]}__in": [keys] if isinstance(keys, str) else list(keys)})
    return set(orders.values_list("pk", flat=True))


def items_of(production_order_ids: Collection[int]) -> set[int]:
    """The items these production orders make."""
    orders = ProductionOrder.objects.filter(pk__in=masterdata.among(production_order_ids))
    return set(orders.values_list("item_id", flat=True))


def count_operations(*, on: date, only: Collection[int] | None) -> int:
    """How many open operations a run is about to decide."""
    orders = orders_in_horizon(on=on)
    if only is not None:
        orders = orders.filter(pk__in=masterdata.among(only))
    return Operation.objects.filter(production_order__in=orders, status__in=OPEN_OPERATION).count()


def standing_lines(lines: Q) -> dict[int, list[Standing]]:
    """Lines that stand, by operation in the order they were made: active ones, and cancelled ones with something received."""
    found: dict[int, list[Standing]] = {}
    received = F("accepted") + F("rejected") + F("scrapped")
    rows = (
        OrderLine.objects.filter(lines, operation__isnull=False)
        .annotate(got=received)
        .exclude(status=LineStatus.CANCELLED, got=0)
        .order_by("pk")
        .values_list(
            "pk",
            "order_id",
            "order__number",
            "line_no",
            "operation_id",
            "vendor_id",
            "ship_to_id",
            "order__currency_id",
            "order__site_id",
            "order__consolidation_key",
            "order__sent_at",
            "order__status",
            "status",
            "quantity",
            "got",
            "unit_price",
            "need_date",
            "receive_at_id",
            "content_hash",
            "pinned",
            "accepted",
            "at_vendor_date",
            "dispatch_by",
            "policy_code",
            "yield_pct",
            RawSQL(OF_USE, [], output_field=DateField()),  # noqa: S611  (our own names)
            Least("reordered", F("rejected") + F("scrapped")),
            "is_whole",
            "order__made_by_run",
            "last_operation_no",
            "inspection",
            "certificates",
            RawSQL(LINE_MARK, [], output_field=BigIntegerField()),  # noqa: S611  (our own names)
        )
    )
    loaded = list(rows)
    elsewhere = received_elsewhere([row[0] for row in loaded if row[10] and row[14]])
    asked = [row[0] for row in loaded if row[10] and row[12] == LineStatus.OPEN]
    takes_from, waits_for = places_of_pieces(asked), stages_waited_for(asked)
    for (
        pk,
        order_id,
        number,
        line_no,
        operation_id,
        vendor_id,
        ship_to_id,
        currency_id,
        site_id,
        key,
        sent_at,
        order_status,
        status,
        quantity,
        got,
        unit_price,
        need_date,
        receive_at_id,
        content_hash,
        pinned,
        accepted,
        at_vendor_date,
        dispatch_by,
        policy_code,
        yield_pct,
        of_use_on,
        replaced,
        is_whole,
        made_by_run,
        last_no,
        inspection,
        certificates,
        mark,
    ) in loaded:
        is_open = status == LineStatus.OPEN and order_status not in (OrderStatus.CLOSED, OrderStatus.CANCELLED)
        found.setdefault(operation_id, []).append(
            Standing(
                pk,
                order_id,
                number,
                line_no,
                operation_id,
                vendor_id,
                ship_to_id,
                currency_id,
                site_id,
                key.partition(APART)[0],
                sent_at is not None,
                status != LineStatus.CANCELLED,
                quantity,
                max(quantity - got, Decimal(0)) if is_open else Decimal(0),
                got,
                unit_price,
                need_date,
                receive_at_id,
                content_hash,
                pinned,
                accepted,
                at_vendor_date,
                dispatch_by,
                policy_code,
                yield_pct,
                max(quantity - got, Decimal(0)) if status == LineStatus.COMPLETE else Decimal(0),
                of_use_on,
                replaced,
                is_whole,
                order_status == OrderStatus.HELD and sent_at is None,
                not made_by_run,
                last_no,
                mark,
                inspection != Inspection.NONE or bool(certificates),
                elsewhere.get(pk, ()),
                takes_from.get(pk, frozenset()),
                waits_for.get(pk, frozenset()),
            )
        )
    return found


def received_elsewhere(line_ids: Collection[int]) -> dict[int, tuple[tuple[int, Decimal], ...]]:
    """Of lines whose pieces were to come to another place before: how much came there, by line and place."""
    if not line_ids:
        return {}
    found: dict[int, tuple[tuple[int, Decimal], ...]] = {}
    rows = (
        ReceiptLine.objects.filter(order_line__in=masterdata.among(line_ids), receipt__status=ReceiptStatus.POSTED)
        .exclude(location=F("order_line__receive_at"))
        .values_list("order_line_id", "location_id")
        .annotate(total=Sum(F("accepted") + F("rejected") + F("scrapped")))
        .order_by("order_line_id", "location_id")
    )
    for line_id, place_id, quantity in rows:
        found[line_id] = (*found.get(line_id, ()), (place_id, quantity))
    return found


def places_of_pieces(line_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """From where lines get the pieces of the step before, by line."""
    if not line_ids:
        return {}
    rows = OrderComponent.objects.filter(line__in=masterdata.among(line_ids), ship_from__isnull=False)
    found: dict[int, set[int]] = {}
    for line_id, place_id in rows.exclude(stage="").values_list("line_id", "ship_from_id"):
        found.setdefault(line_id, set()).add(place_id)
    return {line_id: frozenset(places) for line_id, places in found.items()}


def stages_waited_for(line_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """After which steps the pieces were finished that lines were told they get and have not got, by line."""
    if not line_ids:
        return {}
    rows = OrderComponent.objects.filter(line__in=masterdata.among(line_ids)).exclude(stage="")
    given = NET_SENT + F("carried_in") - F("carried_out")
    found: dict[int, set[str]] = {}
    for line_id, stage in rows.filter(required__gt=given).values_list("line_id", "stage"):
        found.setdefault(line_id, set()).add(stage)
    return {line_id: frozenset(stages) for line_id, stages in found.items()}


def live_production_orders(*, but_in_horizon_of: date | None = None) -> Iterator[int]:
    """Production orders with a line never sent, or with something still expected of a sent one; with a day, those that a run on
    it does not decide.
    """
    unsent = Q(order__status__in=[*UNSENT, OrderStatus.HELD], order__sent_at=None)
    expected = Q(order__sent_at__isnull=False, status=LineStatus.OPEN) & ~Q(
        order__status__in=[OrderStatus.CLOSED, OrderStatus.CANCELLED]
    )
    lines = OrderLine.objects.active().filter(unsent | expected, production_order__isnull=False)
    if but_in_horizon_of is not None:
        lines = lines.exclude(production_order__in=orders_in_horizon(on=but_in_horizon_of))
    rows = lines.order_by("production_order_id").values_list("production_order_id", flat=True).distinct()
    return rows.iterator(chunk_size=5000)


def free_of_vendors() -> list[int]:
    """Production orders whose plan makes another item of them now, and of which no vendor has or brought anything any more."""
    theirs = OrderLine.objects.active().filter(production_order=OuterRef("pk"), order__sent_at__isnull=False)
    at_work = theirs.exclude(order__status__in=[OrderStatus.CLOSED, OrderStatus.CANCELLED])
    waiting = ProductionOrder.objects.filter(wanted_item__isnull=False)
    return list(waiting.exclude(Exists(at_work)).order_by("pk").values_list("pk", flat=True))


def plans(orders: Sequence[OrderFacts], places: Places) -> dict[int, Plan]:
    """The orders of a chunk as documents see them, by key."""
    found = {}
    keys = masterdata.among(order.production_order_id for order in orders)
    rows = ProductionOrder.objects.filter(pk__in=keys).values_list(
        "pk", "number", "first_number", "item_id", "site_id", "location_id", "location__kind", "item__code",
        "wanted_item__code",
    )  # fmt: skip
    operations = {order.production_order_id: order.operations for order in orders}
    for pk, number, first_number, item_id, site_id, location_id, kind, was, now in rows:
        at_home = location_id if location_id and kind != LocationKind.VENDOR else places.of_site(site_id)
        change = (was, now) if now else None
        found[pk] = Plan(number, item_id, site_id, at_home, operations[pk], first_number, change)
    return found


def attach(
    orders: Sequence[OrderFacts], standing: Mapping[int, Sequence[Standing]], *, policy_ids: Mapping[str, int]
) -> None:
    """Put on operations what a decision heeds of documents: the lines that were sent, and who does not take the work."""
    refusals = _refusals([order.production_order_id for order in orders])
    if not standing and not refusals:
        return
    for order in orders:
        for operation in order.operations:
            lines = standing.get(operation.operation_id, ())
            if lines:
                operation.frozen = frozen(lines, policy_ids=policy_ids)
            if said := refusals.get(operation.operation_id):
                asked = {line.vendor_id for line in lines if line.is_active}
                spoken = operation.word.at if operation.word is not None else None
                operation.refused_by = frozenset(
                    vendor_id
                    for vendor_id, day in said.items()
                    if vendor_id not in asked and (spoken is None or spoken < day)
                )


def _refusals(order_ids: Collection[int]) -> dict[int, dict[int, date]]:
    """Who was asked for an operation and does not take it, and on which day we agreed to that; by operation and vendor."""
    offers = CounterOffer.objects.filter(is_refusal=True, state=OfferState.ACCEPTED)
    rows = OrderLine.objects.filter(order__counter_offers__in=offers, production_order__in=masterdata.among(order_ids))
    rows = rows.exclude(operation=None).order_by("order__counter_offers__settled_at")
    found: dict[int, dict[int, date]] = {}
    for operation_id, vendor_id, at in rows.values_list(
        "operation", "vendor", "order__counter_offers__settled_at__date"
    ):
        found.setdefault(operation_id, {})[vendor_id] = at
    return found


def frozen(lines: Sequence[Standing], *, policy_ids: Mapping[str, int]) -> tuple[Frozen, ...]:
    """Sent lines as deciding sees them."""
    return tuple(
        Frozen(
            vendor_id=line.vendor_id,
            open=line.open,
            received=line.received,
            policy_id=policy_ids.get(line.policy_code),
            at_vendor_date=line.at_vendor_date,
            accepted=line.accepted,
            yield_pct=line.yield_pct,
            number=f"{line.order_number}/{line.line_no}",
            dispatch_by=line.dispatch_by,
            waived=line.waived,
            policy_code=line.policy_code,
            of_use_on=line.of_use_on,
            replaced=line.replaced,
            is_whole=line.is_whole,
            last_no=line.last_no,
            is_by_hand=line.is_by_hand,
            is_full=line.is_full,
        )
        for line in lines
        if line.is_sent
    )


def committed_lines(
    *, on: date, policy_ids: Mapping[str, int], outside_of: Collection[int] | None = None
) -> Iterator[CommittedLine]:
    """What was sent counts first against capacity and quota; with a scope, also the drafts of orders outside of it."""
    sent = Q(order__sent_at__isnull=False)
    if outside_of is not None:
        sent |= ~Q(production_order__in=masterdata.among(outside_of))
    rows = (
        OrderLine.objects.filter(sent, at_vendor_date__gte=on - timedelta(days=BALANCE_DAYS))
        .annotate(got=F("accepted") + F("rejected") + F("scrapped"))
        .order_by("need_date", "pk")
        .values_list(
            "vendor_id", "quantity", "got", "policy_code", "at_vendor_date", "late_by", "status", "order__status"
        )
    )
    over = (OrderStatus.CLOSED, OrderStatus.CANCELLED)
    for vendor_id, quantity, got, code, at_vendor, late_by, status, order_status in rows.iterator(chunk_size=5000):
        counts = got if status == LineStatus.CANCELLED or order_status in over else quantity
        if counts > 0:
            yield CommittedLine(vendor_id, counts, policy_ids.get(code), at_vendor, late_by)


def last_paid() -> dict[tuple[int, int, int], Paid]:
    """What was paid last, by vendor, item and process (0: bought complete): the price of the line received or invoiced last.

    Of a line the price its last approved invoice asks for goes before the one frozen on it. A price that was itself an estimate
    was not paid, and neither was nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (l.vendor_id, l.item_id, coalesce(l.process_id, 0))
                l.vendor_id, l.item_id, coalesce(l.process_id, 0), x.price, o.currency_id, l.price_unit, l.price_factor
            FROM subcontract_orders_orderline l
            JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
            LEFT JOIN (
                SELECT r.order_line_id, max(d.received_at) AS at FROM receipts_receiptline r
                JOIN receipts_receipt d ON d.id = r.receipt_id WHERE d.status = 'posted' GROUP BY r.order_line_id
            ) came ON came.order_line_id = l.id
            CROSS JOIN LATERAL (
                SELECT coalesce(l.paid_unit_price, l.sent_unit_price, l.unit_price) AS price,
                    greatest(came.at, l.paid_at) AS at
            ) x
            WHERE x.at IS NOT NULL AND x.price > 0 AND NOT l.is_price_open AND (l.process_id IS NOT NULL OR l.is_whole)
            ORDER BY l.vendor_id, l.item_id, coalesce(l.process_id, 0), x.at DESC, l.id DESC
            """
        )
        return {(row[0], row[1], row[2]): Paid(*row[3:]) for row in cursor.fetchall()}


def free_stock() -> dict[tuple[int, int], Decimal]:
    """Our material at vendors' places that no open line needs, by place and item.

    A line keeps what lies there for it until it is returned, written off or given over, whatever has become of its order; an
    open one also needs what its unreceived pieces take less what is still to be shipped.
    """
    found: dict[tuple[int, int], Decimal] = {}
    for place_id, item_id, quantity in Balance.objects.filter(
        location__kind=LocationKind.VENDOR, stage="", quantity__gt=0
    ).values_list("location_id", "item_id", "quantity"):
        found[(place_id, item_id)] = found.get((place_id, item_id), Decimal(0)) + quantity
    if not found:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.ship_to_id, c.item_id, sum(greatest(
                {AT_VENDOR},
                CASE WHEN o.status IN ('closed', 'cancelled') OR l.status <> 'open' THEN 0
                    WHEN c.basis = 'per_unit'
                    THEN c.required * greatest(l.quantity - l.accepted - l.rejected - l.scrapped, 0) / l.quantity
                    WHEN l.accepted + l.rejected + l.scrapped > 0 THEN 0 ELSE c.required END
                - coalesce(p.quantity, 0)))
            FROM subcontract_orders_ordercomponent c
            JOIN subcontract_orders_orderline l ON l.id = c.line_id
            JOIN subcontract_orders_subcontractorder o ON o.id = l.order_id
            LEFT JOIN (
                SELECT sl.component_id, sum(sl.quantity) AS quantity
                FROM shipments_shipmentline sl JOIN shipments_shipment s ON s.id = sl.shipment_id
                WHERE s.status IN ('planned', 'picked', 'held') GROUP BY sl.component_id
            ) p ON p.component_id = c.id
            WHERE o.sent_at IS NOT NULL AND c.stage = '' AND c.supply NOT IN ('vendor', 'by_product')
            GROUP BY l.ship_to_id, c.item_id
            """
        )
        for place_id, item_id, needed in cursor.fetchall():
            if (place_id, item_id) in found:
                found[(place_id, item_id)] = max(found[(place_id, item_id)] - needed, Decimal(0))
    return found
