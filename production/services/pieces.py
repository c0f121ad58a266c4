"""Pieces between operations that a plan tells of: they lie in stock as if they had been reported here, step by step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from accounts.models import User
from inventory.models import Balance
from inventory.services import Move, post_movements
from masterdata.models import Item, Location, LocationKind, Site
from masterdata.services import company, main_location, virtual_location
from production.models import BomLine, QuantityBasis, Supply
from production.rules.components import BomRow, ratios

ZERO = Decimal(0)
KIND = "plan_progress"
OWN_PLACES = (LocationKind.PLANT, LocationKind.WAREHOUSE, LocationKind.PRODUCTION)
BROUGHT = (Supply.VENDOR, Supply.RETURNABLE)  # components that are nothing of ours in the piece


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many more pieces of an order (fewer, below zero) stand finished at an operation.

    `steps` are its operation numbers in their order; `done` those a piece at this stage has been through.
    """

    stage: str
    item_id: int
    site_id: int
    location_id: int | None
    more: Decimal
    steps: tuple[str, ...]
    done: frozenset[str]


def place_pieces(pieces: Sequence[Pieces], *, number: str, at: datetime, by: User | None) -> None:
    """Bring what lies between operations in line with progress that a plan states.

    More appear at the order's place (else the site's main one) at the standard cost of the components in them; fewer leave
    our places at cost, as far as they lie there: others are at a vendor, and his receipt moves them.
    """
    if not pieces:
        return
    homes = _homes(pieces)
    made_at = virtual_location(kind=LocationKind.CONSUMED).pk
    worth = _worth({(one.item_id, one.steps, one.done) for one in pieces if one.more > 0})
    cent = Decimal(1).scaleb(-company().currency.decimals)
    lying = _lying([one for one in pieces if one.more < 0])
    moves = []
    for one in pieces:
        if one.more > 0:
            value = (one.more * worth[one.item_id, one.steps, one.done]).quantize(cent, ROUND_HALF_UP)
            moves.append(
                Move(one.item_id, made_at, homes[one.site_id, one.location_id], one.more, stage=one.stage, value=value)
            )
            continue
        rest = -one.more
        for row in sorted(lying[one.item_id, one.stage], key=lambda row: row.location_id != one.location_id):
            taken = min(row.quantity, rest)
            if taken > 0 and row.location.site_id == one.site_id:
                moves.append(Move(one.item_id, row.location_id, made_at, taken, row.lot_id, one.stage))
                rest -= taken
    post_movements(moves, kind=KIND, number=number, occurred_at=at, recorded_at=at, by=by)


def _homes(pieces: Iterable[Pieces]) -> Mapping[tuple[int, int | None], int]:
    wanted = {(one.site_id, one.location_id) for one in pieces}
    places = Location.objects.select_related("site").in_bulk({place for _, place in wanted if place})
    main: dict[int, int] = dict(
        Location.objects.filter(is_main=True, site__in={site for site, _ in wanted}).values_list("site_id", "pk")
    )
    homes: dict[tuple[int, int | None], int] = {}
    for site, place in wanted:
        if place and places[place].kind != LocationKind.VENDOR:
            homes[site, place] = place
        else:
            homes[site, place] = main.get(site) or main_location(site=Site.objects.get(pk=site)).pk
    return homes


def _lying(pieces: Sequence[Pieces]) -> Mapping[tuple[int, str], list[Balance]]:
    found: dict[tuple[int, str], list[Balance]] = defaultdict(list)
    rows = Balance.objects.filter(
        item__in={one.item_id for one in pieces},
        stage__in={one.stage for one in pieces},
        quantity__gt=0,
        location__kind__in=OWN_PLACES,
    )
    for row in rows.select_related("location").order_by("since", "pk"):
        found[row.item_id, row.stage].append(row)
    return found


def _worth(
    wanted: Collection[tuple[int, tuple[str, ...], frozenset[str]]],
) -> Mapping[tuple[int, tuple[str, ...], frozenset[str]], Decimal]:
    """The standard cost of what a piece holds of components, less by-products, by item and the steps it has been through."""
    boms = boms_of({item for item, _, _ in wanted})
    parts = {row.component_id for rows in boms.values() for row in rows}
    costs = dict(Item.objects.filter(pk__in=parts).values_list("pk", "standard_cost"))
    found = {}
    for item, steps, done in wanted:
        value = ZERO
        for operation_no in steps:
            if operation_no in done:
                for ratio in ratios(
                    boms,
                    item_id=item,
                    operation_no=operation_no,
                    is_first=operation_no == steps[0],
                    operation_nos=steps,
                ):
                    if ratio.supply not in BROUGHT and not ratio.is_per_order:
                        worth = ratio.factor * (costs[ratio.item_id] or ZERO)
                        value += -worth if ratio.supply == Supply.BY_PRODUCT else worth
        found[item, steps, done] = max(value, ZERO)
    return found


def boms_of(item_ids: Collection[int]) -> dict[int, list[BomRow]]:
    """The bills of items, and those of the phantom assemblies in them, one query a level."""
    boms: dict[int, list[BomRow]] = {}
    wanted = set(item_ids)
    while wanted:
        boms |= {parent: [] for parent in wanted}
        rows = BomLine.objects.filter(parent__in=wanted).order_by("parent", "position")
        wanted = set()
        for row in rows.select_related("component__unit"):
            part = row.component
            boms[row.parent_id].append(
                BomRow(
                    part.pk, row.quantity, row.basis == QuantityBasis.PER_ORDER, row.scrap_pct, row.operation_no,
                    row.supply, part.decimals, part.is_phantom,
                )
            )  # fmt: skip
            if part.is_phantom and part.pk not in boms:
                wanted.add(part.pk)
    return boms
