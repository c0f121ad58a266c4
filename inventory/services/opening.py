"""Loading stock: balances set as of a time, by posting the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from accounts.models import User
from core.refusals import InvalidDate, InvalidInput, InvalidQuantity, NoRight, Refusal, Refusals, TooPrecise
from inventory.models import Balance, Lot, Movement
from inventory.services.ledger import Move, NotEnoughStock, post_movements
from masterdata.models import Item, Location, LocationKind
from masterdata.rules import MOST_MONEY
from masterdata.services import Upserted, among, company, virtual_location

PlaceKey = tuple[int, int | None, int, str]  # item, lot, location, stage
ZERO = Decimal(0)
REFERENCES = ("source", "external_refs")


TODAY_ANYWHERE = timedelta(hours=38)  # a day that is today somewhere ends no later


@dataclass(frozen=True, slots=True)
class CountedStock:
    """So much of an item (of a lot; of the pieces of a stage) lies at a location. `unit_cost` values what is more than the
    book says. `expires_on` is the last day its lot may be used. `source` and `external_refs` are what another system calls it;
    None is "not said".
    """

    item_id: int
    location_id: int
    quantity: Decimal
    lot: str = ""
    stage: str = ""
    unit_cost: Decimal | None = None
    as_of: datetime | None = None
    expires_on: date | None = None
    source: str | None = None
    external_refs: list[dict[str, str]] | None = None


class BadCount(Refusal):
    """One count that is refused; `index` is its place in the list given."""

    status = 422

    def __init__(self, reason: Refusal, *, index: int) -> None:
        self.index = index
        super().__init__(reason.detail, code=reason.code, field=reason.field)


class CountsRefused(Refusals):
    """Counts that are refused, with the reason of each; none of the others was posted either."""

    def __init__(self, counts: Sequence[BadCount]) -> None:
        self.counts = list(counts)
        super().__init__(counts)


@transaction.atomic
def load_stock(*, counts: Sequence[CountedStock], at: datetime, by: User | None, number: str = "") -> Upserted:
    """Set balances as of a time (`as_of`, else `at`) by posting the differences; later movements stay.

    What is more comes from the virtual difference location, at a vendor from the virtual supplier (a direct delivery), at
    `unit_cost`, else the item's standard cost, else for nothing; what is less leaves at cost. A place is counted once.
    Raises CountsRefused (invalid_quantity, invalid_date, too_precise, lot_required, not_enough_stock, no_right).
    """
    if not counts:
        return Upserted()
    _check(counts)
    _check_scope(counts, by)
    lots = _lots(counts)
    dated = _date_lots(counts, lots)
    keys: list[PlaceKey] = [
        (count.item_id, lots.get((count.item_id, count.lot)), count.location_id, count.stage) for count in counts
    ]
    balances = _balances(keys)
    at_vendors = set(
        Location.objects.at_vendors().filter(pk__in={place for _, _, place, _ in keys}).values_list("pk", flat=True)
    )
    costs = dict(Item.objects.filter(pk__in=among({item for item, *_ in keys})).values_list("pk", "standard_cost"))
    difference = virtual_location(kind=LocationKind.DIFFERENCE).pk
    supplier = virtual_location(kind=LocationKind.SUPPLIER).pk
    cent = Decimal(1).scaleb(-company().currency.decimals)
    done, bad = Upserted(), []
    moves: dict[datetime, list[Move]] = defaultdict(list)
    for index, (count, (item_id, lot_id, location_id, stage)) in enumerate(zip(counts, keys, strict=True)):
        if count.as_of and count.as_of - at > TODAY_ANYWHERE:
            text = f"Stock is counted up to today; {count.as_of:%Y-%m-%d} is still to come."
            bad.append(BadCount(InvalidDate(text, field="as_of"), index=index))
            continue
        there = balances.get(keys[index])
        more = count.quantity - ((there or ZERO) - _moved_since(keys[index], count.as_of))
        if more == 0:
            done.changed, done.unchanged = done.changed + (lot_id in dated), done.unchanged + (lot_id not in dated)
        elif (there or ZERO) + more < 0:
            gone = (
                f"With {count.quantity.normalize():f} then, less than nothing would lie there now: more has left since."
            )
            bad.append(BadCount(NotEnoughStock(gone, field="quantity"), index=index))
        else:
            done.created, done.changed = done.created + (there is None), done.changed + (there is not None)
            if more > 0:
                cost = costs[item_id] if count.unit_cost is None else count.unit_cost
                value = (more * (cost or ZERO)).quantize(cent, ROUND_HALF_UP)
                if value > MOST_MONEY:
                    text = (
                        f"{more.normalize():f} at {cost or ZERO:f} are worth more than can be; at most {MOST_MONEY:f}."
                    )
                    bad.append(BadCount(InvalidQuantity(text, field="quantity"), index=index))
                    continue
                source = supplier if location_id in at_vendors else difference
                move = Move(item_id, source, location_id, more, lot_id, stage, value=value, reason="stock loaded")
            else:
                move = Move(item_id, location_id, difference, -more, lot_id, stage, reason="stock loaded")
            moves[count.as_of or at].append(move)
    if bad:
        raise CountsRefused(bad)
    for occurred_at, posted in sorted(moves.items()):
        post_movements(posted, kind="stock_load", number=number, occurred_at=occurred_at, recorded_at=at, by=by)
    _keep_references(dict(zip(keys, counts, strict=True)))
    return done


def _keep_references(counts: Mapping[PlaceKey, CountedStock]) -> None:
    """Write what another system calls the stock beside what lies there."""
    said = {
        key: {name: value for name in REFERENCES if (value := getattr(count, name)) is not None}
        for key, count in counts.items()
    }
    said = {key: values for key, values in said.items() if values}
    if not said:
        return
    rows = [row for row in _there(said) if (row.item_id, row.lot_id, row.location_id, row.stage) in said]
    for row in rows:
        vars(row).update(said[row.item_id, row.lot_id, row.location_id, row.stage])
    Balance.objects.bulk_update(rows, REFERENCES, batch_size=1000)


def _check(counts: Sequence[CountedStock]) -> None:
    items = {count.item_id for count in counts}
    decimals = dict(Item.objects.filter(pk__in=among(items)).values_list("pk", "unit__decimals"))
    bad = []
    for index, count in enumerate(counts):
        places = decimals[count.item_id]
        places = 5 if places is None else places
        if count.quantity < 0:
            bad.append(BadCount(InvalidQuantity(f"{count.quantity} is below zero.", field="quantity"), index=index))
        elif count.quantity != round(count.quantity, places):
            text = f"{count.quantity.normalize():f} has more than the {places} decimals of the unit."
            bad.append(BadCount(TooPrecise(text, field="quantity"), index=index))
        elif count.expires_on and not count.lot:
            bad.append(
                BadCount(InvalidInput("Name the lot that expires.", code="lot_required", field="lot"), index=index)
            )
    if bad:
        raise CountsRefused(bad)


def _check_scope(counts: Sequence[CountedStock], by: User | None) -> None:
    if by is None or by.scope.everywhere:
        return
    places = {count.location_id for count in counts}
    mine = by.scope.rows(site="site_id", vendor="vendor_id")
    allowed = set(Location.objects.filter(mine, pk__in=places).values_list("pk", flat=True))
    bad = [
        BadCount(NoRight("You have no right to load stock here.", field="location"), index=index)
        for index, count in enumerate(counts)
        if count.location_id not in allowed
    ]
    if bad:
        raise CountsRefused(bad)


def _lots(counts: Iterable[CountedStock]) -> dict[tuple[int, str], int]:
    """The ids of all lots that are named, made where they are new."""
    named = {(count.item_id, count.lot) for count in counts if count.lot}
    if not named:
        return {}
    made = [Lot(item_id=item_id, code=code) for item_id, code in sorted(named)]
    Lot.objects.bulk_create(made, batch_size=2000, ignore_conflicts=True)
    rows = Lot.objects.filter(item_id__in={item for item, _ in named}, code__in={code for _, code in named})
    return {(item_id, code): pk for pk, item_id, code in rows.values_list("pk", "item_id", "code")}


def _date_lots(counts: Iterable[CountedStock], lots: Mapping[tuple[int, str], int]) -> set[int]:
    """Write when lots expire, where that is said. Returns the lots of which it was not known so."""
    said = {lots[count.item_id, count.lot]: count.expires_on for count in counts if count.expires_on}
    changed = [lot for lot in Lot.objects.filter(pk__in=said) if lot.expires_on != said[lot.pk]]
    for lot in changed:
        lot.expires_on = said[lot.pk]
    Lot.objects.bulk_update(changed, ["expires_on"], batch_size=2000)
    return {lot.pk for lot in changed}


def _balances(keys: Iterable[PlaceKey]) -> dict[PlaceKey, Decimal]:
    """What lies at these places. The ledger locks it again before it posts."""
    rows = _there(keys).values_list("item_id", "lot_id", "location_id", "stage", "quantity")
    return {(item, lot, location, stage): quantity for item, lot, location, stage, quantity in rows}


def _there(keys: Iterable[PlaceKey]) -> QuerySet[Balance]:
    """Balances of these places, and some others."""
    items, _, places, stages = map(set, zip(*keys, strict=True))
    return Balance.objects.filter(item_id__in=among(items), location_id__in=places, stage__in=stages)


def _moved_since(key: PlaceKey, moment: datetime | None) -> Decimal:
    """How much came in, less what went out, after a moment."""
    if moment is None:
        return ZERO
    item_id, lot_id, location_id, stage = key
    sums = Movement.objects.filter(item_id=item_id, lot=lot_id, stage=stage, occurred_at__gt=moment).aggregate(
        came=Sum("quantity", filter=Q(to_location_id=location_id)),
        went=Sum("quantity", filter=Q(from_location_id=location_id)),
    )
    return (sums["came"] or ZERO) - (sums["went"] or ZERO)
