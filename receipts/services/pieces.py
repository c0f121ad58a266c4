"""The pieces that came: which lots they are, at which stage they stand, where they wait, what they move as."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from inventory.models import Balance, Lot, Movement
from inventory.rules import REWORK
from inventory.services import Move
from masterdata.models import Item, Location, LocationKind
from policies.models import Inspection
from production.models import Supply
from receipts import rules
from receipts.models import ReceiptLine
from receipts.services.notes import CountedLine, DuplicateNote, LotRequired, NotTracked, SerialRequired, VendorShort
from subcontract_orders.models import OrderComponent, OrderLine, SubcontractOrder

ZERO = Decimal(0)


def lots_of(counted: CountedLine, line: OrderLine, stage: str) -> list[tuple[Lot | None, Decimal]]:
    """The lots (or serial numbers) the good pieces go into; pieces between operations have none.

    Raises LotRequired, SerialRequired, NotTracked, DuplicateNote.
    """
    refuse_needless(counted, line, stage)
    if not counted.accepted or stage:
        return [(None, counted.accepted)] if counted.accepted else []
    item: Item = line.item
    if item.serial_tracked:
        if len(set(counted.serials)) != counted.accepted or len(counted.serials) != counted.accepted:
            raise SerialRequired(
                f"{item} is tracked by serial number: name {counted.accepted.normalize():f} different ones, "
                f"{len(set(counted.serials))} were named.",
                field="lines.serials",
            )
        by_code = hold_lots(item, counted.serials)
        to_be_mended = [lot_id for lot_id, _, _ in _to_be_mended(line) if lot_id]
        refuse_used(item, by_code, but=to_be_mended, field="lines.serials")
        return [(by_code[code], Decimal(1)) for code in counted.serials]
    if item.lot_tracked:
        if not counted.lot.strip():
            raise LotRequired(f"{item} is tracked by lot: name the lot of the pieces that came.", field="lines.lot")
        return [(Lot.objects.get_or_create(item=item, code=counted.lot.strip())[0], counted.accepted)]
    return [(None, counted.accepted)]


def hold_lots(item: Item, codes: Collection[str]) -> dict[str, Lot]:
    """Lots of an item by their codes, made where they are not there, and held from here on: who counts the same code in elsewhere
    at this moment waits, and then finds it in use.
    """
    Lot.objects.bulk_create([Lot(item=item, code=code) for code in sorted(codes)], ignore_conflicts=True)
    lots = Lot.objects.filter(item=item, code__in=codes).select_for_update(no_key=True).order_by("pk")
    return {lot.code: lot for lot in lots}


def refuse_used(item: Item, serials: Mapping[str, Lot], *, but: Collection[int] = (), field: str) -> None:
    """Raises DuplicateNote where a serial number was booked before; `but`: lots that come back and may."""
    used = Movement.objects.filter(lot__in=serials.values()).exclude(lot__in=but).unreversed()
    if known := sorted(set(used.values_list("lot__code", flat=True))):
        raise DuplicateNote(f"Serial number {', '.join(known)} of {item} is in use already.", field=field)


def refuse_needless(counted: CountedLine, line: OrderLine, stage: str) -> None:
    """A lot or serial number nobody would find again is not taken silently. A lot may be meant for by-products of the line.

    Raises NotTracked.
    """
    item: Item = line.item
    why = "pieces between two operations have none" if stage else f"{item} is not tracked by it"
    if counted.serials and (stage or not item.serial_tracked):
        raise NotTracked(f"Leave the serial numbers out: {why}.", field="lines.serials")
    if counted.lot.strip() and (stage or item.serial_tracked or not item.lot_tracked):
        beside = OrderComponent.objects.filter(line=line, supply=Supply.BY_PRODUCT, item__lot_tracked=True)
        if not beside.exists():
            raise NotTracked(f"Leave lot {counted.lot.strip()} out: {why}.", field="lines.lot")


def come_mended(counted: CountedLine, line: OrderLine, stage: str) -> Decimal:
    """How many of the pieces counted were at the vendor to be mended.

    Lots and serial numbers tell them from new ones; of what bears none, mended ones come first. As many as cannot be new, as no
    more are ordered, are mended whatever they are called.
    """
    most = min(counted.counted, line.in_rework)
    if not most or stage or not (line.item.lot_tracked or line.item.serial_tracked):
        return most
    named = _names(counted)
    theirs = sum((lies for _, code, lies in _to_be_mended(line) if code is None or code in named), ZERO)
    likely = min(counted.accepted, theirs) + counted.rejected + counted.scrapped
    limit = rules.at_most(ordered=line.quantity_in_force, over_pct=line.over_receipt_pct)
    new_ones = max(limit - line.received - line.in_rework, ZERO)
    return min(most, max(likely, counted.counted - new_ones))


def mended_lots(line: OrderLine, quantity: Decimal, counted: CountedLine) -> list[tuple[int | None, Decimal]]:
    """The lots of pieces that were at the vendor to be mended and come back: named ones first. Raises VendorShort."""
    if not quantity:
        return []
    named = _names(counted)
    found: list[tuple[int | None, Decimal]] = []
    rest = quantity
    for lot_id, _, lies in sorted(_to_be_mended(line), key=lambda row: (row[1] not in named, row[1] is not None)):
        taken = min(lies, rest)
        if taken > 0:
            found.append((lot_id, taken))
            rest -= taken
    if rest:
        raise VendorShort(
            f"{quantity.normalize():f} pieces were to be mended, {(quantity - rest).normalize():f} of them lie at the vendor.",
            field="lines",
        )
    return found


def _names(counted: CountedLine) -> set[str]:
    return {*counted.serials, counted.lot.strip()} - {""}


def _to_be_mended(line: OrderLine) -> list[tuple[int | None, str | None, Decimal]]:
    """Key, code and quantity of each lot of a line's pieces that lie at the vendor to be mended, the oldest first."""
    there = Balance.objects.filter(
        location=line.ship_to_id, item=line.item_id, stage=rework_stage(line), quantity__gt=0
    ).order_by("since", "pk")
    return list(there.values_list("lot", "lot__code", "quantity"))


def stage_after(line: OrderLine, following: Mapping[str, tuple[str, ...]]) -> str:
    """Where the pieces stand after this line: stock after the last operation, else the operation that finished them.

    `following`: who follows whom among the production order's operations.
    """
    if line.operation_id is None or line.production_order is None:
        return ""
    goes_on = bool(following.get(line.leaves_as))
    return f"{line.production_order.stage_number}/{line.leaves_as}" if goes_on else ""


def rework_stage(line: OrderLine) -> str:
    """Pieces of a line that are back at the vendor to be mended."""
    return f"{REWORK}{line.order.number}/{line.line_no}"


def waits_for(counted: CountedLine, line: OrderLine) -> list[str]:
    """What good pieces wait for in inspection: to be looked at, certificates that did not come with them."""
    if not counted.accepted:
        return []
    missing = [kind for kind in line.certificates if kind not in counted.certificates]
    return (["inspection"] if _is_inspected(counted, line) else []) + missing


def to_look_at(counted: CountedLine, line: OrderLine) -> Decimal:
    """How many of the good pieces are to be inspected: all, a sample, or as many as were named, whatever the line says."""
    if not counted.accepted or not _is_inspected(counted, line):
        return ZERO
    if counted.inspect_quantity is not None:
        return min(counted.inspect_quantity, counted.accepted)
    if line.inspection == Inspection.SAMPLE:
        return rules.sample(quantity=counted.accepted, pct=line.sample_pct or Decimal(100))
    return counted.accepted


def _is_inspected(counted: CountedLine, line: OrderLine) -> bool:
    """Whether pieces are looked at: where the line says so, or whoever counts them in asks for it."""
    return line.inspection != Inspection.NONE or counted.inspect_quantity is not None


def inspection_place(order: SubcontractOrder) -> Location:
    """Where a site's goods wait for inspection; made where the site has no such place."""
    found = Location.objects.filter(kind=LocationKind.INSPECTION, site=order.site_id).order_by("pk").first()
    if found:
        return found
    location, _ = Location.objects.get_or_create(
        code=f"INSPECTION-{order.site.code}",
        defaults={"name": "Inspection", "kind": LocationKind.INSPECTION, "site_id": order.site_id},
    )
    return location


def output_moves(
    row: ReceiptLine,
    lots: Sequence[tuple[Lot | None, Decimal]],
    worth: rules.Worth,
    counted: CountedLine,
    *,
    consumed_at: int,
    where: int,
    scrap_at: int,
) -> list[Move]:
    """Good pieces into stock, lot by lot, and bad ones out of it, each with its share of what they are worth."""
    moves = []
    left, pieces = worth.good, counted.accepted
    for lot, quantity in lots:
        value = left if quantity == pieces else (left * quantity / pieces).quantize(rules.FIVE)
        left, pieces = left - value, pieces - quantity
        moves.append(
            Move(
                row.item_id,
                consumed_at,
                where,
                quantity,
                lot.pk if lot else None,
                row.stage,
                value=value,
                line=row.line_no,
            )
        )
    bad = counted.rejected + counted.scrapped
    if bad:
        moves.append(Move(row.item_id, consumed_at, scrap_at, bad, None, row.stage, value=worth.bad, line=row.line_no))
    return moves
