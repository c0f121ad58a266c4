"""What of ours lies at vendors over a period: opening, in, used, back, written off, closing, by item, lot and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import BooleanField, Case, ExpressionWrapper, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from inventory.models import Balance, CostPool, Movement
from inventory.rules import REWORK
from masterdata.models import Location, LocationKind

ZERO = Decimal(0)
CENT = Decimal("0.01")
Key = tuple[int, int, int, str]  # item, location, lot (0: none), stage


@dataclass(slots=True)
class VendorBalance:
    """A row of a vendor's balance, in the item's unit: opening + sent + direct − consumed − returned − written off − difference.

    `sent` came from places of ours (or of another vendor), `direct` from third parties or was made there; `consumed` is net of
    what turned out not to be used; `difference` is what counts found missing (negative: found more). Pieces to be mended are
    sent and returned. `value` in company currency: what closes, at what the book says it costs now.
    """

    row: Balance
    opening: Decimal = ZERO
    sent: Decimal = ZERO
    direct: Decimal = ZERO
    consumed: Decimal = ZERO
    returned: Decimal = ZERO
    written_off: Decimal = ZERO
    difference: Decimal = ZERO
    value: Decimal = ZERO
    age_days: int | None = None

    @property
    def closing(self) -> Decimal:
        gone = self.consumed + self.returned + self.written_off + self.difference
        return self.opening + self.sent + self.direct - gone


def vendor_balances(
    rows: Sequence[Balance], *, start: datetime | None, end: datetime | None, at: datetime
) -> list[VendorBalance]:
    """The balance of each of these rows (places at vendors) from `start` (else the beginning) until before `end` (else now).

    By when things happened, not by when they were written. Three queries, however many rows.
    """
    found = {_key(row): VendorBalance(row) for row in rows}
    if not found:
        return []
    kinds = dict(Location.objects.values_list("pk", "kind"))
    consumed_at = [pk for pk, kind in kinds.items() if kind == LocationKind.CONSUMED]
    places = {row.location_id for row in rows}
    moved = Movement.objects.filter(
        Q(lot__in={row.lot_id for row in rows if row.lot_id}) | Q(lot=None),
        item__in={row.item_id for row in rows},
        stage__in={row.stage for row in rows},
        quantity__gt=0,
    ).annotate(is_original=ExpressionWrapper(Q(reverses__isnull=True), BooleanField()))
    if end is not None:
        moved = moved.filter(occurred_at__lt=end)
    for arrives in (True, False):
        here, there = ("to_location", "from_location") if arrives else ("from_location", "to_location")
        sums = (
            moved.filter(**{f"{here}__in": places})
            .alias(first_from=_first_from(here, there))
            .annotate(
                was_used=Case(
                    When(
                        **{f"{there}__in": consumed_at}, then=ExpressionWrapper(Q(first_from=F(here)), BooleanField())
                    ),
                    default=Value(False),
                )
            )
            .values_list("item", here, "lot", "stage", there, "is_original", "was_used")
            .annotate(
                before=Sum("quantity", filter=Q(occurred_at__lt=start) if start else Q(pk=None)),
                during=Sum("quantity", filter=Q(occurred_at__gte=start) if start else None),
            )
        )
        for item, place, lot, stage, other, is_original, was_used, before, during in sums:
            balance = found.get((item, place, lot or 0, stage))
            if balance is None:
                continue
            sign = 1 if arrives else -1
            balance.opening += sign * (before or ZERO)
            kind = LocationKind.PLANT if stage.startswith(REWORK) and other in consumed_at else kinds[other]
            _count(balance, kind, during or ZERO, arrives=arrives, is_original=is_original, was_used=was_used)
    _value(found)
    for balance in found.values():
        balance.age_days = (at - balance.row.since).days if balance.row.quantity > 0 else None
    return list(found.values())


def _first_from(here: str, there: str) -> Subquery:
    """Where a document first took the same from, of what it moved between two places: of what it used at a vendor's place, that
    place, of what was made there, the other one. What it corrects later goes the other way.
    """
    there_and_back = Q(from_location=OuterRef(here), to_location=OuterRef(there)) | Q(
        from_location=OuterRef(there), to_location=OuterRef(here)
    )
    of_document = Movement.objects.alias(of_lot=Coalesce("lot", 0)).filter(
        there_and_back,
        document_kind=OuterRef("document_kind"), document_number=OuterRef("document_number"), reverses__isnull=True,
        item=OuterRef("item"), stage=OuterRef("stage"), of_lot=Coalesce(OuterRef("lot"), 0), quantity__gt=0,
    )  # fmt: skip
    return Subquery(of_document.order_by("pk").values("from_location")[:1])


def _count(
    balance: VendorBalance, kind: str, quantity: Decimal, *, arrives: bool, is_original: bool, was_used: bool
) -> None:
    """Into the column of where it came from or went to; a reversal takes from the column its original counted in."""
    came = arrives == is_original
    amount = quantity if is_original else -quantity
    match kind:
        case LocationKind.SCRAP:
            balance.written_off += -amount if came else amount
        case LocationKind.DIFFERENCE:
            balance.difference += -amount if came else amount
        case LocationKind.CONSUMED if was_used:
            balance.consumed += -quantity if arrives else quantity
        case LocationKind.CONSUMED:
            balance.direct += quantity if arrives else -quantity
        case LocationKind.SUPPLIER if came:
            balance.direct += amount
        case _ if came:
            balance.sent += amount
        case _:
            balance.returned += amount


def _value(found: dict[Key, VendorBalance]) -> None:
    pools: dict[tuple[int, int | None, int, str], CostPool] = {
        (pool.item_id, pool.site_id, pool.lot_id or 0, pool.stage): pool
        for pool in CostPool.objects.filter(item__in={key[0] for key in found})
    }
    for (item, _, lot, stage), balance in found.items():
        pool = pools.get((item, balance.row.location.site_id, lot, stage))
        if pool and pool.quantity:
            balance.value = (pool.value * balance.closing / pool.quantity).quantize(CENT, ROUND_HALF_UP)


def _key(row: Balance) -> Key:
    return row.item_id, row.location_id, row.lot_id or 0, row.stage
