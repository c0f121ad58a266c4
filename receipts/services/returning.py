"""Back: material of ours that a vendor does not need comes home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core.refusals import InvalidInput, InvalidQuantity, NotFound, WrongState
from core.retries import retried
from inventory import services as ledger
from inventory.models import Lot, Movement
from inventory.services import Move
from masterdata import services as masterdata
from masterdata.models import Item, Location
from production.models import ProductionOrder
from receipts.models import Return, ReturnKind, ReturnLine, ReturnStatus
from receipts.services import moving
from receipts.services.lying import Lying, NotFree, NothingToReturn, Parcel, lock_orders_at
from receipts.services.moving import KIND
from receipts.services.sending_back import check_quantity, lock_line, recount_line, say
from receipts.services.watching import watch_material_left
from subcontract_orders.models import ComponentFlow, FlowKind, OrderLine, SubcontractOrder
from subcontract_orders.services import flows as material

ZERO = Decimal(0)


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
    use last goes first. It is on its way for the transit days back of the lines it was for, where they have any. Drafts of
    returns that this one covers are cancelled. Raises NothingToReturn, NotFree (with what could come back), NotFound,
    InvalidInput, InvalidQuantity, TooPrecise.
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
        parcels = spare
        if not parcels:
            raise NothingToReturn("Nothing of ours lies there that is not needed.", field="vendor")
    else:
        parcels = _chosen(lines, spare)
    document = _draft(parcels, vendor_id=vendor_id, reason=reason, by=by, at=at)
    _leave(document, by=by, at=at, occurred_at=occurred_at or at, through=through)
    cancel_covered(vendor_id)
    watch_material_left(at=at)
    return document


def spare_material(*, vendor_id: int, by: User | None) -> list[Parcel]:
    """What could come home from a vendor now: what `return_material` would bring, as the user may see it."""
    return _visible(Lying.at(vendor_places(vendor_id, by)).surplus(), by)


@retried
@transaction.atomic
def return_left(*, order_id: int, reason: str, by: User | None, at: datetime, through: str = "page") -> Return:
    """Bring home what an order has left at its vendor and does not need. Raises NothingToReturn, NotFound."""
    order = SubcontractOrder.objects.get(pk=order_id)
    vendor_places(order.vendor_id, by)
    lock_orders_at([order.ship_to_id])
    document = draft_return(order_id=order_id, reason=reason, by=by, at=at)
    if document is None:
        raise NothingToReturn(f"Nothing of {order} lies at {order.vendor} that is not needed.", field="order")
    _leave(document, by=by, at=at, occurred_at=at, through=through)
    cancel_covered(order.vendor_id)
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
def dispatch_return(*, return_id: int, by: User | None, at: datetime, through: str = "page") -> Return:
    """A drafted return has left the vendor; without days on the way it is here. Raises NotFound, WrongState, NotFree."""
    document = moving.locked(return_id, by)
    if document.status != ReturnStatus.DRAFT:
        raise WrongState(f"{document} is {document.get_status_display().lower()}; only a draft is dispatched.")
    _check_draft(document, by)
    _leave(document, by=by, at=at, occurred_at=at, through=through)
    watch_material_left(at=at)
    return document


@retried
@transaction.atomic
def receive_return(
    *,
    return_id: int,
    came: Mapping[int, Decimal] | None = None,
    reason: str = "",
    by: User | None,
    at: datetime,
    through: str = "page",
) -> Return:
    """The goods of a return have arrived; of a draft they left and arrived in one.

    `came`: how much of each line (by its number) did, where it is not all of it. The rest was lost on the way: it leaves as a
    difference at its value and stays on the line. Raises NotFound, WrongState, NotFree, InvalidInput, InvalidQuantity,
    TooPrecise.
    """
    document = moving.locked(return_id, by)
    if document.status not in (ReturnStatus.DRAFT, ReturnStatus.DISPATCHED):
        raise WrongState(
            f"{document} is {document.get_status_display().lower()}; only a draft, or what is on its way, is received."
        )
    lost = _lost(document, came or {})
    if document.status == ReturnStatus.DRAFT:
        _check_draft(document, by)
        _leave(document, by=by, at=at, occurred_at=at, through=through)
    if document.status == ReturnStatus.DISPATCHED:
        moving.arrive(document, lost=lost, reason=reason, by=by, at=at, through=through)
    watch_material_left(at=at)
    return document


def _lost(document: Return, came: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """What of each line did not arrive, as that is said. Raises NotFound, InvalidInput, InvalidQuantity, TooPrecise."""
    lines = {line.line_no: line for line in document.lines.select_related("item__unit")}
    lost: dict[int, Decimal] = {}
    for line_no, quantity in came.items():
        line = lines.get(line_no)
        if line is None:
            raise NotFound(f"{document} has no line {line_no}.", field="lines")
        if quantity:
            check_quantity(line.item, quantity, "lines.quantity")
        if quantity > line.quantity:
            raise InvalidQuantity(
                f"{say(quantity)} of {line.item} came, {say(line.quantity)} left with {document}: no more can have. Bring the "
                "rest home by a return of its own.",
                field="lines.quantity",
            )
        if quantity < line.quantity:
            lost[line_no] = line.quantity - quantity
    if lost and document.kind == ReturnKind.PRODUCT:
        raise InvalidInput(f"Pieces go to the vendor with {document}: he says what he lacks by a count.", field="lines")
    if lost and document.status == ReturnStatus.DRAFT:
        raise InvalidInput(
            f"{document} has not left the vendor: what did not come lies there still. Bring home what came by a return of "
            "its own.",
            field="lines",
        )
    return lost


def deliver_due_returns(*, at: datetime, limit: int = 500) -> int:
    """Pieces that went back to a vendor arrive by themselves after their days on the way, each in its own transaction.

    Material that comes home waits until somebody says that it has come. Safe to run twice. Returns how many.
    """
    delivered = 0
    for site_id, today in masterdata.site_dates(at=at).items():
        due = Return.objects.on_the_way().filter(kind=ReturnKind.PRODUCT, site=site_id, arrives_on__lte=today)
        for return_id in list(due.order_by("arrives_on", "pk").values_list("pk", flat=True)[:limit]):
            with transaction.atomic():
                document = moving.locked(return_id, None)
                if document.status == ReturnStatus.DISPATCHED:
                    moving.arrive(document, by=None, at=at, through="system")
                    delivered += 1
    return delivered


def _check_draft(document: Return, by: User | None) -> None:
    """Raises NotFree with what can be spared of it now."""
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
                f"{say(line.quantity)} of {line.item} were to come back, {say(max(possible, ZERO))} can be spared there now.",
                field="quantity",
            )


@retried
@transaction.atomic
def reverse_return(*, return_id: int, by: User | None, at: datetime, through: str = "page") -> Return:
    """Undo a return that left, at its original values. Raises NotFound, WrongState, NotEnoughStock (the goods moved on)."""
    document = moving.locked(return_id, by)
    if document.status not in (ReturnStatus.DISPATCHED, ReturnStatus.POSTED):
        raise WrongState(f"{document} is {document.get_status_display().lower()}; only a return that left is reversed.")
    lines = list(document.lines.select_related("component__line", "receipt_line__order_line").order_by("line_no"))
    line_ids = {line.component.line_id for line in lines if line.component}
    list(
        SubcontractOrder.objects.filter(lines__in=line_ids)
        .select_for_update(of=("self",))
        .order_by("pk")
        .values_list("pk")
    )
    product = lines[0].receipt_line
    order, order_line = lock_line(product.order_line) if product else (None, None)
    moved = Movement.objects.filter(
        document_kind=KIND, document_number=document.number, reverses__isnull=True, reversed_by__isnull=True
    )
    ledger.reverse_movements(moved, kind=KIND, number=document.number, occurred_at=at, recorded_at=at, by=by)
    material.reverse_flows(kind=KIND, number=document.number, at=at)
    if order and order_line:
        back = sum((line.quantity for line in lines), ZERO)
        if order_line.in_rework < back:
            raise WrongState(f"Pieces of {document} came back already; reverse that receipt first.")
        recount_line(
            order_line, order, accepted=back, in_rework=-back, at=at, reason=f"return {document.number} reversed"
        )
    material.recount_material(set(OrderLine.objects.filter(pk__in=line_ids).values_list("order_id", flat=True)))
    document.status, document.reversed_at = ReturnStatus.REVERSED, at
    document.version += 1
    document.save()
    moving.record(document, "return.reversed", by=by, at=at, through=through)
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
        check_quantity(items[line.item_id], line.quantity, f"lines.{index}.quantity")
        if line.lot and not Lot.objects.filter(item=line.item_id, code=line.lot).exists():
            raise NotFound(f"There is no lot {line.lot} of {items[line.item_id]}.", field=f"lines.{index}.lot")


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
                f"{say(line.quantity)} of {item}{of_lot} are to come back; {say(line.quantity - rest)} lie there unneeded.",
                field=f"lines.{index}.quantity",
            )
    return parcels


def _part(parcel: Parcel, quantity: Decimal) -> Parcel:
    return Parcel(parcel.location_id, parcel.item_id, parcel.lot_id, parcel.stage, quantity, parcel.component)


def _plans(numbers: Collection[str]) -> dict[str, ProductionOrder]:
    """Production orders by the number that their pieces between operations bear."""
    if not numbers:
        return {}
    named = ProductionOrder.objects.filter(Q(number__in=numbers) | Q(first_number__in=numbers))
    return {order.stage_number: order for order in named.select_related("site")}


def _draft(parcels: Sequence[Parcel], *, vendor_id: int, reason: str, by: User | None, at: datetime) -> Return:
    homes: dict[int | None, Location] = {}
    places = Location.objects.select_related("site").in_bulk({parcel.location_id for parcel in parcels})
    plans = _plans({parcel.stage.rpartition("/")[0] for parcel in parcels if parcel.stage and not parcel.component})

    def home(parcel: Parcel) -> Location:
        order = parcel.component.line.order if parcel.component else plans.get(parcel.stage.rpartition("/")[0])
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


def _leave(document: Return, *, by: User | None, at: datetime, occurred_at: datetime, through: str) -> None:
    """The material leaves the vendor: into our stock, or on the way for the longest transit of the lines it was for."""
    lines = list(document.lines.select_related("component__line").order_by("line_no"))
    days = max((line.component.line.transit_back_days for line in lines if line.component), default=0)
    way = moving.way_of(document, days=days)
    ledger.post_movements(
        [
            Move(line.item_id, line.from_location_id, way.pk if way else line.to_location_id, line.quantity, line.lot_id,
                 line.stage, line=line.line_no, reason=document.reason)
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
    moving.left(document, days=days, by=by, at=at, occurred_at=occurred_at, through=through)


def cancel_covered(vendor_id: int) -> None:
    """Drafts whose material is not there to spare any more have been done another way: returned, lost, written off."""
    drafts = list(Return.objects.draft().filter(vendor=vendor_id).prefetch_related("lines"))
    if not drafts:
        return
    places = Location.objects.at_vendors().filter(vendor=vendor_id).values_list("pk", flat=True)
    spare = {parcel.component.pk for parcel in Lying.at(list(places)).surplus() if parcel.component}
    done = [draft.pk for draft in drafts if not any(line.component_id in spare for line in draft.lines.all())]
    Return.objects.filter(pk__in=done).update(status=ReturnStatus.CANCELLED)
