"""Back: material of ours that a vendor does not need, and pieces of his that go back to him."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from activity import services as activity
from core.refusals import InvalidInput, InvalidQuantity, NotFound, TooPrecise, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location, LocationKind
from production.models import ProductionOrder
from production.rules.components import rounded_up
from production.services.reporting import Report
from receipts.models import (
    ExpectedReceipt,
    ReceiptLine,
    ReceiptStatus,
    Return,
    ReturnKind,
    ReturnLine,
    ReturnStatus,
)
from receipts.services.finishing import report_lines
from receipts.services.lying import Lying, NotFree, NothingToReturn, Parcel, lock_orders_at
from receipts.services.receiving import rework_stage
from receipts.services.watching import watch_material_left
from subcontract_orders.models import (
    ComponentFlow,
    FlowKind,
    LineStatus,
    OrderLine,
    SubcontractOrder,
)
from subcontract_orders.services import flows as material
from subcontract_orders.services import recount_orders

KIND = "return"
ZERO = Decimal(0)


class NotSentBack(NotFree):
    """More pieces than that receipt line brought, and are still here."""


class OrderIsOver(WrongState):
    """The order expects nothing: pieces sent back could not come again."""

    code = "closed"


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """So much of an item to come back, in its unit; of a lot and at a stage where named."""

    item_id: int
    quantity: Decimal
    lot: str = ""
    stage: str = ""


@retried
@transaction.atomic
def return_material(
    *,
    vendor_id: int,
    lines: Sequence[MaterialLine] | None = None,
    reason: str = "",
    by: User | None,
    at: datetime,
    occurred_at: datetime | None = None,
    through: str = "page",
) -> Return:
    """Bring material that is not needed there home from a vendor, whatever the state of the orders it was for.

    Without lines all of it: each component's own surplus first, then free stock no open line counts on; what the vendor would
    use last goes first. Drafts of returns that this one covers are cancelled. Raises NothingToReturn, NotFree (with what could
    come back), NotFound, InvalidInput, InvalidQuantity, TooPrecise.
    """
    if occurred_at is not None and occurred_at > at:
        raise InvalidInput("A return cannot lie in the future.", field="occurred_at")
    places = vendor_places(vendor_id, by)
    wanted = None if lines is None else {line.item_id for line in lines}
    if lines is not None:
        _check(lines)
    lock_orders_at(places, item_ids=wanted)
    spare = _visible(Lying.at(places, item_ids=wanted).surplus(), by)
    if lines is None:
        parcels = [parcel for parcel in spare if parcel.component or not parcel.stage]
        if not parcels:
            raise NothingToReturn("Nothing of ours lies there that is not needed.", field="vendor")
    else:
        parcels = _chosen(lines, spare)
    document = _draft(parcels, vendor_id=vendor_id, reason=reason, by=by, at=at)
    _post(document, by=by, at=at, occurred_at=occurred_at or at, through=through)
    _cancel_covered(vendor_id, places)
    watch_material_left(at=at)
    return document


@transaction.atomic
def draft_return(*, order_id: int, reason: str, by: User | None, at: datetime) -> Return | None:
    """Say that what an order has left at its vendor is to come back. None where nothing is left. Moves nothing."""
    order = SubcontractOrder.objects.get(pk=order_id)
    spare = Lying.at([order.ship_to_id]).surplus()
    parcels = [parcel for parcel in spare if parcel.component and parcel.component.line.order_id == order_id]
    if not parcels:
        return None
    return _draft(parcels, vendor_id=order.vendor_id, reason=reason, by=by, at=at)


@retried
@transaction.atomic
def receive_return(*, return_id: int, by: User | None, at: datetime, through: str = "page") -> Return:
    """Post a drafted return: the material has come. Raises NotFound, WrongState, NotFree."""
    document = _locked(return_id, by)
    if document.status != ReturnStatus.DRAFT:
        raise WrongState(f"{document} is {document.get_status_display().lower()}; only a draft is received.")
    places = vendor_places(document.vendor_id, by)
    lock_orders_at(places)
    left: dict[int, Decimal] = defaultdict(Decimal)
    for parcel in Lying.at(places).surplus():
        if parcel.component:
            left[parcel.component.pk] += parcel.quantity
    for line in document.lines.select_related("item"):
        left[line.component_id or 0] -= line.quantity
        if line.component_id and left[line.component_id] < 0:
            possible = left[line.component_id] + line.quantity
            raise NotFree(
                f"{_say(line.quantity)} of {line.item} were to come back, {_say(max(possible, ZERO))} can be spared there now.",
                field="quantity",
            )
    _post(document, by=by, at=at, occurred_at=at, through=through)
    watch_material_left(at=at)
    return document


@retried
@transaction.atomic
def return_product(
    *,
    receipt_line_id: int,
    quantity: Decimal,
    reason: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Return:
    """Send accepted pieces back to the vendor who made them: received goes down, they stand there and are expected again.

    Components used stay used, and the work is not owed a second time. Raises NotFound, InvalidQuantity, TooPrecise,
    NotSentBack (with what could go), OrderIsOver, WrongState.
    """
    known = ReceiptLine.objects.select_related("order_line").filter(pk=receipt_line_id).first()
    if known is None or (by and not OrderLine.objects.visible_to(by).filter(pk=known.order_line_id).exists()):
        raise NotFound("There is no such receipt line.", field="receipt")
    order, line = _lock_line(known.order_line)
    row = ReceiptLine.objects.select_for_update(of=("self",)).select_related("receipt", "item__unit").get(pk=known.pk)
    if row.receipt.status != ReceiptStatus.POSTED:
        raise WrongState(f"{row.receipt} was reversed; there is nothing to send back.", field="receipt")
    if not order.is_with_vendor:
        raise OrderIsOver(
            f"{order} is {order.get_status_display().lower()}; reopen it, then the pieces can be expected again.",
            field="receipt",
        )
    _check_quantity(row.item, quantity, "quantity")
    gone = ReturnLine.objects.posted().filter(receipt_line=row).aggregate(total=Sum("quantity"))
    possible = min(row.accepted - row.held - (gone["total"] or ZERO), line.accepted)
    if quantity > possible:
        raise NotSentBack(
            f"{_say(quantity)} of {row.item} are to go back; {row.receipt} brought {_say(possible)} that still can.",
            field="quantity",
        )
    document = Return.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0], kind=ReturnKind.PRODUCT, status=ReturnStatus.POSTED,
        vendor_id=order.vendor_id, site_id=order.site_id, reason=reason, created_at=at, created_by=by, posted_at=at,
    )  # fmt: skip
    rows = [
        ReturnLine(
            document=document, line_no=line_no, item_id=row.item_id, lot_id=lot_id, stage=row.stage, quantity=part,
            from_location_id=row.location_id, to_location_id=line.ship_to_id, receipt_line=row,
        )
        for line_no, (lot_id, part) in enumerate(_lots_of(row, quantity), start=1)
    ]  # fmt: skip
    ReturnLine.objects.bulk_create(rows)
    _stand_at_vendor(document, rows, line, by=by, at=at)
    _recount(line, order, accepted=-quantity, in_rework=quantity, at=at, reason=f"return {document.number}")
    _record("return.posted", document, by=by, at=at, through=through, data={"order": order.number, "kind": "product"})
    return document


@retried
@transaction.atomic
def reverse_return(*, return_id: int, by: User | None, at: datetime, through: str = "page") -> Return:
    """Undo a posted return at its original values. Raises NotFound, WrongState, NotEnoughStock (the goods moved on)."""
    document = _locked(return_id, by)
    if document.status != ReturnStatus.POSTED:
        raise WrongState(f"{document} is {document.get_status_display().lower()}; only a posted return is reversed.")
    lines = list(document.lines.select_related("component__line", "receipt_line__order_line").order_by("line_no"))
    line_ids = {line.component.line_id for line in lines if line.component}
    list(
        SubcontractOrder.objects.filter(lines__in=line_ids)
        .select_for_update(of=("self",))
        .order_by("pk")
        .values_list("pk")
    )
    product = lines[0].receipt_line
    order, order_line = _lock_line(product.order_line) if product else (None, None)
    moved = Movement.objects.filter(
        document_kind=KIND, document_number=document.number, reverses__isnull=True, reversed_by__isnull=True
    )
    ledger.reverse_movements(moved, kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by)
    material.reverse_flows(kind=KIND, number=document.number, at=at)
    if order and order_line:
        back = sum((line.quantity for line in lines), ZERO)
        if order_line.in_rework < back:
            raise WrongState(f"Pieces of {document} came back already; reverse that receipt first.")
        _recount(order_line, order, accepted=back, in_rework=-back, at=at, reason=f"return {document.number} reversed")
    material.recount_material(set(OrderLine.objects.filter(pk__in=line_ids).values_list("order_id", flat=True)))
    document.status, document.reversed_at = ReturnStatus.REVERSED, at
    document.version += 1
    document.save()
    _record("return.reversed", document, by=by, at=at, through=through)
    watch_material_left(at=at)
    return document


def cancel_drafts(*, order_id: int) -> int:
    """Cancel drafted returns of an order's leftovers: it is taken up again, or they went another way."""
    mine = Return.objects.draft().filter(lines__component__line__order=order_id)
    return Return.objects.filter(pk__in=mine.values("pk")).update(status=ReturnStatus.CANCELLED)


def vendor_places(vendor_id: int, by: User | None) -> list[int]:
    """A vendor's places this user may see. Raises NotFound."""
    places = Location.objects.at_vendors().filter(vendor=vendor_id)
    if by is not None and not by.scope.everywhere:
        mine = Q(site=None, pk__in=SubcontractOrder.objects.visible_to(by).values("ship_to"))
        places = places.filter(by.scope.rows(site="site_id", vendor="vendor_id") | mine)
    found = list(places.order_by("pk").values_list("pk", flat=True))
    if not found:
        raise NotFound("This vendor has no place where material of ours could lie.", field="vendor")
    return found


def _visible(parcels: Sequence[Parcel], by: User | None) -> list[Parcel]:
    """Nobody brings home what belongs to another site's orders."""
    if by is None or by.scope.everywhere:
        return list(parcels)
    orders = {parcel.component.line.order_id for parcel in parcels if parcel.component}
    mine = set(SubcontractOrder.objects.visible_to(by).filter(pk__in=orders).values_list("pk", flat=True))
    return [parcel for parcel in parcels if parcel.component is None or parcel.component.line.order_id in mine]


def _check(lines: Sequence[MaterialLine]) -> None:
    items = Item.objects.select_related("unit").in_bulk([line.item_id for line in lines])
    if not lines:
        raise InvalidInput("Name what comes back, or leave the lines out for all that is not needed.", field="lines")
    for index, line in enumerate(lines):
        _check_quantity(items[line.item_id], line.quantity, f"lines.{index}.quantity")
        if line.lot and not Lot.objects.filter(item=line.item_id, code=line.lot).exists():
            raise NotFound(f"There is no lot {line.lot} of {items[line.item_id]}.", field=f"lines.{index}.lot")


def _check_quantity(item: Item, quantity: Decimal, field: str) -> None:
    decimals = item.unit.decimals if item.unit else 5
    if quantity <= 0:
        raise InvalidQuantity(f"{quantity} is not a quantity above zero.", field=field)
    if quantity != rounded_up(quantity, decimals=decimals):
        raise TooPrecise(f"{item} is counted in {decimals} decimals; {quantity} has more.", field=field)


def _chosen(lines: Sequence[MaterialLine], spare: Sequence[Parcel]) -> list[Parcel]:
    """Take what is asked for out of what can be spared."""
    left = list(spare)
    parcels: list[Parcel] = []
    codes = dict(Lot.objects.filter(pk__in={parcel.lot_id for parcel in spare}).values_list("pk", "code"))
    for index, line in enumerate(lines):
        rest = line.quantity
        for place, parcel in enumerate(left):
            fits = parcel.item_id == line.item_id and parcel.stage == line.stage
            if not fits or (line.lot and codes.get(parcel.lot_id) != line.lot):
                continue
            taken = min(parcel.quantity, rest)
            if taken > 0:
                parcels.append(_part(parcel, taken))
                left[place] = _part(parcel, parcel.quantity - taken)
                rest -= taken
        if rest > 0:
            item = Item.objects.get(pk=line.item_id)
            of_lot = f" of lot {line.lot}" if line.lot else ""
            raise NotFree(
                f"{_say(line.quantity)} of {item}{of_lot} are to come back; {_say(line.quantity - rest)} lie there unneeded.",
                field=f"lines.{index}.quantity",
            )
    return parcels


def _part(parcel: Parcel, quantity: Decimal) -> Parcel:
    return Parcel(parcel.location_id, parcel.item_id, parcel.lot_id, parcel.stage, quantity, parcel.component)


def _draft(parcels: Sequence[Parcel], *, vendor_id: int, reason: str, by: User | None, at: datetime) -> Return:
    homes: dict[int | None, Location] = {}
    places = Location.objects.select_related("site").in_bulk({parcel.location_id for parcel in parcels})

    def home(parcel: Parcel) -> Location:
        order = parcel.component.line.order if parcel.component else None
        site = order.site if order else places[parcel.location_id].site or masterdata.default_site()
        if site.pk not in homes:
            homes[site.pk] = masterdata.main_location(site=site)
        return homes[site.pk]

    targets = [home(parcel) for parcel in parcels]
    document = Return.objects.create(
        number=masterdata.draw_numbers(kind=KIND)[0], kind=ReturnKind.MATERIAL, vendor_id=vendor_id,
        site_id=targets[0].site_id or masterdata.default_site().pk, reason=reason, created_at=at, created_by=by,
    )  # fmt: skip
    ReturnLine.objects.bulk_create(
        [
            ReturnLine(
                document=document, line_no=line_no, item_id=parcel.item_id, lot_id=parcel.lot_id or None,
                stage=parcel.stage, quantity=parcel.quantity, from_location_id=parcel.location_id,
                to_location=target, component=parcel.component,
            )
            for line_no, (parcel, target) in enumerate(zip(parcels, targets, strict=True), start=1)
        ]
    )  # fmt: skip
    return document


def _post(document: Return, *, by: User | None, at: datetime, occurred_at: datetime, through: str) -> None:
    lines = list(document.lines.select_related("component__line").order_by("line_no"))
    ledger.post_movements(
        [
            Move(line.item_id, line.from_location_id, line.to_location_id, line.quantity, line.lot_id, line.stage,
                 line=line.line_no, reason=document.reason)
            for line in lines
        ],
        kind=KIND, number=document.number, occurred_at=occurred_at, recorded_at=at, by=by,
    )  # fmt: skip
    material.record_flows(
        [
            ComponentFlow(component=line.component, lot_id=line.lot_id, kind=FlowKind.RETURNED, quantity=line.quantity,
                          document_kind=KIND, document_number=document.number, document_line=line.line_no)
            for line in lines
            if line.component
        ],
        at=at,
    )  # fmt: skip
    material.recount_material({line.component.line.order_id for line in lines if line.component})
    document.status, document.posted_at = ReturnStatus.POSTED, at
    document.version += 1
    document.save()
    numbers = SubcontractOrder.objects.filter(lines__in={line.component.line_id for line in lines if line.component})
    data: dict[str, object] = {"orders": sorted(set(numbers.values_list("number", flat=True))), "kind": "material"}
    _record("return.posted", document, by=by, at=at, through=through, data=data)


def _cancel_covered(vendor_id: int, places: Collection[int]) -> None:
    """Drafts whose material is not there to spare any more have been done by another return."""
    drafts = list(Return.objects.draft().filter(vendor=vendor_id).prefetch_related("lines"))
    if not drafts:
        return
    spare = {parcel.component.pk for parcel in Lying.at(places).surplus() if parcel.component}
    done = [draft.pk for draft in drafts if not any(line.component_id in spare for line in draft.lines.all())]
    Return.objects.filter(pk__in=done).update(status=ReturnStatus.CANCELLED)


def _locked(return_id: int, by: User | None) -> Return:
    visible = Return.objects.visible_to(by) if by else Return.objects.all()
    document = visible.select_for_update(of=("self",)).filter(pk=return_id).first()
    if document is None:
        raise NotFound("There is no such return.", field="return")
    return document


def _lock_line(line: OrderLine) -> tuple[SubcontractOrder, OrderLine]:
    """Lock the production order, the order and its line, in that order."""
    if line.production_order_id is not None:
        list(ProductionOrder.objects.filter(pk=line.production_order_id).select_for_update().values_list("pk"))
    order = SubcontractOrder.objects.select_for_update().get(pk=line.order_id)
    rows = OrderLine.objects.select_for_update(of=("self",)).select_related("order", "item__unit")
    return order, rows.get(pk=line.pk)


def _lots_of(row: ReceiptLine, quantity: Decimal) -> Iterable[tuple[int | None, Decimal]]:
    """Lots of a receipt line's pieces, the last first, as far as they still lie where they came in."""
    gone: dict[int | None, Decimal] = defaultdict(Decimal)
    for lot_id, back in ReturnLine.objects.posted().filter(receipt_line=row).values_list("lot", "quantity"):
        gone[lot_id] += back
    lots = list(row.lots.order_by("-pk").values_list("lot", "quantity"))
    if not lots:
        return [(None, quantity)]
    found = []
    for lot_id, came in lots:
        taken = min(came - gone[lot_id], quantity)
        if taken > 0:
            found.append((lot_id, taken))
            quantity -= taken
    return found


def _stand_at_vendor(
    document: Return, rows: Sequence[ReturnLine], line: OrderLine, *, by: User | None, at: datetime
) -> None:
    """Pieces leave stock at cost and stand at the vendor at the same value, marked as back to be mended."""
    between = masterdata.virtual_location(kind=LocationKind.CONSUMED).pk
    out = ledger.post_movements(
        [
            Move(row.item_id, row.from_location_id, between, row.quantity, row.lot_id, row.stage, line=row.line_no)
            for row in rows
        ],
        kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip
    ledger.post_movements(
        [
            Move(row.item_id, between, line.ship_to_id, movement.quantity, row.lot_id, rework_stage(line), value=movement.value,
                 line=row.line_no)
            for row, movement in zip(rows, [movement for movement in out if movement.quantity], strict=True)
        ],
        kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by,
    )  # fmt: skip


def _recount(
    line: OrderLine, order: SubcontractOrder, *, accepted: Decimal, in_rework: Decimal, at: datetime, reason: str
) -> None:
    line.accepted += accepted
    line.in_rework += in_rework
    if line.status != LineStatus.CANCELLED:
        line.status = (
            LineStatus.COMPLETE if line.received >= max(line.quantity, line.quantity_in_force) else LineStatus.OPEN
        )
    line.save(update_fields=["accepted", "in_rework", "status"])
    ExpectedReceipt.objects.filter(order_line=line).update(quantity=max(line.open_in_force, line.in_rework))
    recount_orders([order.pk])
    if line.operation_id is not None:
        report_lines({line.operation_id: [Report(accepted, ZERO)]}, at=at, reason=reason)


def _record(
    event: str,
    document: Return,
    *,
    by: User | None,
    at: datetime,
    through: str,
    data: dict[str, object] | None = None,
) -> None:
    activity.record(
        event, kind=KIND, number=document.number, at=at, by=by, through=through, site_id=document.site_id,
        vendor_id=document.vendor_id, data=data,
    )  # fmt: skip


def _say(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
