"""Which document sets should exist, and what is the difference to those that do. Pure: plain values in, differences out.

One production order at a time (`plan_order`): its decided operations on one side, the lines that stand on the other. What all
orders share, the free stock at vendors, is a pool that is given out in the order of the calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from policies.rules.values import AwardValues, Decided, OperationFacts
from production.rules import components as bom
from production.rules.flow import piece_flow

ZERO = Decimal(0)
SENT = "sent"
OWN, CONSIGNED, RETURNABLE = "own", "consigned", "returnable"
PER_UNIT, PER_ORDER = "per_unit", "per_order"
OUTSOURCE, REVIEW, BLOCKED, IN_HOUSE = "outsource", "review", "blocked", "in_house"
CANCELLED = "cancelled"


class DocumentRules(NamedTuple):
    """What a policy says about the documents; the defaults stand where no policy decided."""

    code: str = ""
    consolidate: str = "none"
    auto_approve_up_to: Decimal | None = None
    auto_send: bool = False
    auto_send_wait_minutes: int = 0
    auto_send_days_before: int = 30
    over_receipt_pct: Decimal = ZERO
    under_receipt_pct: Decimal = ZERO
    over_send_pct: Decimal = ZERO
    consumption: str = "standard"
    shortage: str = "block"
    inspection: str = "none"
    sample_pct: Decimal | None = None
    certificates: tuple[str, ...] = ()
    rejects: str = "expense"
    price_tolerance_pct: Decimal = ZERO
    price_tolerance_amount: Decimal = ZERO
    quantity_tolerance_pct: Decimal = ZERO
    pay_for: str = "accepted"
    use_vendor_stock: bool = False
    transit_back_days: int = 0

    def bring_home(self, process_certificates: Sequence[str]) -> bool:
        """Inspection or certificates: the pieces come to our site before they go on."""
        return self.inspection != "none" or bool(self.certificates) or bool(process_certificates)


class Need(NamedTuple):
    """One component of a line. `ship_from_id` as on OrderComponent: None where others bring it."""

    item_id: int
    stage: str
    supply: str
    basis: str
    quantity_per: Decimal
    scrap_pct: Decimal
    required: Decimal
    carried_in: Decimal
    ship_from_id: int | None

    def as_row(self) -> list[object]:
        """Plain values for a JSON column; `from_row` reads them back exactly."""
        return [
            self.item_id,
            self.stage,
            self.supply,
            self.basis,
            str(self.quantity_per),
            str(self.scrap_pct),
            str(self.required),
            str(self.carried_in),
            self.ship_from_id,
        ]

    @classmethod
    def from_row(cls, row: Sequence[object]) -> Need:
        item_id, stage, supply, basis, quantity_per, scrap_pct, required, carried_in, ship_from_id = row
        return cls(
            int(str(item_id)),
            str(stage),
            str(supply),
            str(basis),
            Decimal(str(quantity_per)),
            Decimal(str(scrap_pct)),
            Decimal(str(required)),
            Decimal(str(carried_in)),
            None if ship_from_id is None else int(str(ship_from_id)),
        )

    def to_ship(self, *, to_id: int) -> Decimal:
        """What has to leave `ship_from_id` for the vendor's place."""
        if self.ship_from_id is None or self.ship_from_id == to_id:
            return ZERO
        return self.required - self.carried_in


class Standing(NamedTuple):
    """A line that exists: active, or with something received. `is_sent`: its order was sent at least once."""

    line_id: int
    order_id: int
    order_number: str
    line_no: int
    operation_id: int
    vendor_id: int
    ship_to_id: int
    currency_id: int
    site_id: int
    period: str
    is_sent: bool
    is_active: bool
    quantity: Decimal
    open: Decimal
    received: Decimal
    unit_price: Decimal
    need_date: date
    receive_at_id: int
    content_hash: str
    pinned: Mapping[str, object]
    accepted: Decimal = ZERO
    at_vendor_date: date | None = None
    dispatch_by: date | None = None
    policy_code: str = ""
    yield_pct: Decimal = Decimal(100)
    waived: Decimal = ZERO
    promised_date: date | None = None
    replaced: Decimal = ZERO
    is_whole: bool = False
    is_held: bool = False
    """Its order was never sent and is held: it stays as it is, and nothing is made beside it."""
    is_by_hand: bool = False
    last_no: str = ""
    mark: int = 0
    """Changes with all that a run reads of the line and does not write itself."""
    comes_home: bool = False
    """Inspection or certificates it was ordered with bring its pieces to our site."""
    elsewhere: tuple[tuple[int, Decimal], ...] = ()
    """What was received at other places than `receive_at_id`, before that was changed."""
    takes_from: frozenset[int] = frozenset()
    """Where a sent one gets the pieces of the step before from."""

    @property
    def counts(self) -> Decimal:
        """How much of what was wanted it stands for: what came, what is still to come, and what its tolerance let go; less what
        of it is made anew.
        """
        return self.open + self.received + self.waived - self.replaced


@dataclass(slots=True)
class Plan:
    """A production order as documents see it. `home_id`: where its material comes from and its pieces come back to."""

    number: str
    item_id: int
    site_id: int
    home_id: int
    operations: list[OperationFacts]
    stage_number: str = ""

    def __post_init__(self) -> None:
        self.stage_number = self.stage_number or self.number


@dataclass(slots=True)
class Ground:
    """What all production orders share while a run plans. `free_at` answers free stock at a vendor's place: (place, item)."""

    boms: Mapping[int, Sequence[bom.BomRow]]
    rules: Mapping[int | None, DocumentRules]
    process_certificates: Mapping[int, Sequence[str]]
    ship_to: Callable[[int, int], int]
    """The place of a vendor for a site of ours."""
    free_at: Callable[[], dict[tuple[int, int], Decimal]]
    outdated: Mapping[int, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    """What vendors were told of the work and is otherwise now: by line, each name with what was told and what it is now."""
    _ratios: dict[tuple[int, str, bool, tuple[str, ...]], tuple[bom.Ratio, ...]] = field(default_factory=dict)

    def ratios(self, item_id: int, operation_no: str, is_first: bool, nos: tuple[str, ...]) -> tuple[bom.Ratio, ...]:
        key = (item_id, operation_no, is_first, nos)
        found = self._ratios.get(key)
        if found is None:
            found = self._ratios[key] = bom.ratios(
                self.boms, item_id=item_id, operation_no=operation_no, is_first=is_first, operation_nos=nos
            )
        return found

    def ratios_of(
        self, operations: Sequence[OperationFacts], first_id: int, nos: tuple[str, ...]
    ) -> tuple[bom.Ratio, ...]:
        """What operations take that one line is for."""
        return tuple(
            ratio
            for one in operations
            for ratio in self.ratios(one.item_id, one.operation_no, one.operation_id == first_id, nos)
        )

    def certificates(self, operation: OperationFacts) -> Sequence[str]:
        """What the processes of an operation always ask for."""
        if not operation.processes:
            return self.process_certificates.get(operation.process_id or 0, ())
        return tuple(
            dict.fromkeys(kind for one in operation.processes for kind in self.process_certificates.get(one, ()))
        )

    def whole_ratios(self, item_id: int) -> tuple[bom.Ratio, ...]:
        """What an item bought complete takes: all of its bill."""
        key = (item_id, "", True, ())
        found = self._ratios.get(key)
        if found is None:
            found = self._ratios[key] = bom.whole_ratios(self.boms, item_id=item_id)
        return found


class Key(NamedTuple):
    """An operation: its key, its production order's number and its own."""

    operation_id: int
    number: str
    operation_no: str


@dataclass(slots=True)
class Difference:
    """One thing to do: `create`, `change` or `cancel` a line, or `alert` about one. Fields that do not apply stay blank."""

    action: str
    operation_id: int
    number: str
    operation_no: str
    award: AwardValues | None = None
    line: Standing | None = None
    ship_to_id: int = 0
    period: str = ""
    receive_at_id: int = 0
    needs: tuple[Need, ...] = ()
    content_hash: str = ""
    proposes: str = ""
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


def period_key(*, consolidate: str, need_date: date, production_order: str, operation_no: str) -> str:
    """What lines must share to stand on one draft of a vendor: the week of the need date, the production order, …"""
    if consolidate == "production_order":
        return production_order
    if consolidate == "day":
        return need_date.isoformat()
    if consolidate == "week":
        year, week, _ = need_date.isocalendar()
        return f"{year}-W{week:02d}"
    if consolidate == "month":
        return f"{need_date:%Y-%m}"
    return f"{production_order}/{operation_no}"


def followers(operations: Sequence[OperationFacts]) -> dict[int, list[OperationFacts]]:
    """The operation that takes on the pieces of each one: as they name one another, or the next by sequence where none does.

    Parallel ones get the same pieces one after another. A step backward is not followed.
    """
    live = sorted((o for o in operations if o.status != CANCELLED), key=lambda o: (o.sequence, o.operation_id))
    if any(operation.next_nos for operation in live):
        place = {operation.operation_no: index for index, operation in enumerate(live)}
        named = {o.operation_no: [no for no in o.next_nos if place.get(no, -1) > place[o.operation_no]] for o in live}
        flow = piece_flow(named)
        return {o.operation_id: [live[place[no]] for no in flow[o.operation_no]] for o in live}
    after: dict[int, list[OperationFacts]] = {o.operation_id: [n] for o, n in pairwise(live)}
    if live:
        after[live[-1].operation_id] = []
    return after


def bought_together(
    plan: Plan, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> dict[int, list[OperationFacts]]:
    """The operations that one line is for, or will be, by the first of them; only where they are several."""
    found = {}
    for index, operation in enumerate(plan.operations):
        verdict = decided.get(operation.operation_id)
        last_no = next((award.last_no for award in (verdict.awards if verdict else ()) if award.last_no), "")
        last_no = last_no or next(
            (line.last_no for line in standing.get(operation.operation_id, ()) if line.is_sent and line.last_no), ""
        )
        if last_no:
            found[operation.operation_id] = _up_to(plan.operations[index:], last_no)
    return found


def _up_to(operations: Sequence[OperationFacts], last_no: str) -> list[OperationFacts]:
    """From the first of these along those that follow it, to the one of a number."""
    after = followers(operations)
    found = [operations[0]]
    while found[-1].operation_no != last_no and len(following := after.get(found[-1].operation_id, [])) == 1:
        found.append(following[0])
    return found


def _joined(
    operations: Sequence[OperationFacts], inside: Mapping[int, Sequence[OperationFacts]]
) -> list[OperationFacts]:
    covered = {one.operation_id for mine in inside.values() for one in mine[1:]}
    found = []
    for operation in operations:
        if operation.operation_id in covered:
            continue
        mine = inside.get(operation.operation_id)
        found.append(operation if mine is None else _as_one(mine))
    return found


def _as_one(mine: Sequence[OperationFacts]) -> OperationFacts:
    return replace(
        mine[0],
        next_nos=mine[-1].next_nos,
        processes=tuple(one.process_id or 0 for one in mine),
        last_no=mine[-1].operation_no,
        is_open=any(one.is_open for one in mine),
    )


class _Source:
    """Pieces that an operation leaves at one place, given out to the lines that take them on."""

    __slots__ = ("left", "place_id")

    def __init__(self, place_id: int, left: Decimal) -> None:
        self.place_id = place_id
        self.left = left


def _take(sources: list[_Source], quantity: Decimal, *, at_id: int) -> list[tuple[int, Decimal]]:
    """Where so many pieces come from: what lies at the taker's own place first, then in order; the last place gives the rest."""
    taken: dict[int, Decimal] = {}
    for source in sorted(sources, key=lambda s: s.place_id != at_id):
        part = min(source.left, quantity)
        if part > ZERO:
            taken[source.place_id] = taken.get(source.place_id, ZERO) + part
            source.left -= part
            quantity -= part
    if quantity > ZERO:
        rest = next(reversed(taken), sources[-1].place_id)
        taken[rest] = taken.get(rest, ZERO) + quantity
    return list(taken.items())


def plan_order(
    plan: Plan, *, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]], ground: Ground
) -> Iterator[Difference]:
    """The differences between what was decided for an order's operations and the lines that stand for them.

    `standing` holds lines by operation. Lines of operations without a decision are left to the caller, who knows why.
    """
    if not any(d.awards for d in decided.values()) and not standing:
        return
    nos = tuple(o.operation_no for o in plan.operations)
    if inside := bought_together(plan, decided, standing):
        plan = replace(plan, operations=_joined(plan.operations, inside))
        for operation in (
            one for mine in inside.values() for one in mine[1:]
        ):  # it has its line with the first of them
            key = Key(operation.operation_id, operation.number, operation.operation_no)
            yield from withdrawn(key, standing.get(operation.operation_id, ()), is_over=False)
    after = followers(plan.operations)
    before: dict[int, list[OperationFacts]] = {}
    for operation in plan.operations:
        for follower in after.get(operation.operation_id, ()):
            before.setdefault(follower.operation_id, []).append(operation)
    first_id = plan.operations[0].operation_id
    outside = {o.operation_id for o in plan.operations if _is_outside(o, decided, standing)}
    sources: dict[int, list[_Source]] = {}

    for operation in plan.operations:
        key = Key(operation.operation_id, operation.number, operation.operation_no)
        verdict = decided.get(operation.operation_id)
        lines = standing.get(operation.operation_id, ())
        document = ground.rules[verdict.policy_id if verdict else None]
        awards = verdict.awards if verdict and verdict.verdict == OUTSOURCE else ()
        follow = after.get(operation.operation_id, [])
        certificates = ground.certificates(operation)
        stays = (
            bool(follow) and all(f.operation_id in outside for f in follow) and not document.bring_home(certificates)
        )
        places = {a.vendor_id: ground.ship_to(a.vendor_id, plan.site_id) for a in awards}
        told = _told_places(follow, standing)
        back_to = {
            vendor_id: place_id if stays and (not told or place_id in told) else plan.home_id
            for vendor_id, place_id in places.items()
        }
        sources[operation.operation_id] = _left_by(
            operation,
            lines,
            awards,
            back_to,
            is_inside=verdict is not None and verdict.verdict == IN_HOUSE,
            home_id=plan.home_id,
        )
        previous = before.get(operation.operation_id, [])
        for line in lines:  # what stands takes its pieces first
            if line.is_sent and not line.is_whole:
                for one in previous:
                    _take(sources[one.operation_id], line.open + line.received, at_id=line.ship_to_id)

        wanted: set[int] = set()
        raised: dict[int, AwardValues] = {}
        for award in awards:
            ship_to_id = places[award.vendor_id]
            # What a vendor countered is what he can make: the rest is ordered anew, not asked of that line again.
            sent = [
                x
                for x in lines
                if x.is_sent and x.vendor_id == award.vendor_id and x.open > ZERO and "quantity" not in x.pinned
            ]
            if (
                sent
            ):  # a vendor at work on it is asked for more, by a person; only a finished line is followed by another
                raised[sent[-1].line_id] = award
                continue
            period = period_key(
                consolidate=document.consolidate,
                need_date=award.need_date,
                production_order=plan.stage_number,
                operation_no="" if award.is_whole else operation.operation_no,
            )
            mine = next(
                (
                    x
                    for x in lines
                    if x.is_active
                    and not x.is_sent
                    and (x.vendor_id, x.ship_to_id, x.currency_id) == (award.vendor_id, ship_to_id, award.currency_id)
                    and (x.period == period or "order" in x.pinned)
                ),
                None,
            )
            pinned = Decimal(mine.quantity) if mine and "quantity" in mine.pinned else None
            quantity = award.quantity if pinned is None else pinned
            needs = _needs(
                plan,
                operation,
                quantity=quantity,
                ship_to_id=ship_to_id,
                ratios=ground.whole_ratios(plan.item_id)
                if award.is_whole
                else ground.ratios_of(inside.get(operation.operation_id, (operation,)), first_id, nos),
                wip=[
                    (
                        f"{plan.stage_number}/{one.leaves_as}",
                        _take(sources[one.operation_id], quantity, at_id=ship_to_id),
                    )
                    for one in ([] if award.is_whole else previous)
                ],
                free=ground.free_at() if document.use_vendor_stock else None,
            )
            receive_at_id = back_to[award.vendor_id]
            kinds = () if award.is_whole else certificates
            content_hash = _hash(award, document, kinds, needs, receive_at_id)
            made = Difference(
                "create",
                *key,
                award=award,
                ship_to_id=ship_to_id,
                period=period,
                receive_at_id=receive_at_id,
                needs=needs,
                content_hash=content_hash,
            )
            if mine is None:
                held = next((x for x in lines if x.is_held), None)
                if held is None:
                    yield made
                else:  # somebody stopped that draft: what it should become is said, and not made beside it
                    says = {"quantity": text(award.quantity), "vendor": str(award.vendor_id)}
                    yield _alert(key, held, proposes="change", after=says)
                continue
            wanted.add(mine.line_id)
            if mine.content_hash != content_hash:
                made.action, made.line = "change", mine
                yield made
            yield from _pinned(mine, award, key)

        for line in lines:
            if line.is_active and not line.is_sent and line.line_id not in wanted:
                yield Difference("cancel", *key, line=line)
        if verdict:
            places_now = _places_now(plan, lines, [_goes_on(f, decided, standing) for f in follow])
            yield from _said_of_sent(operation, verdict, lines, raised, ground.outdated, places_now)
        elif not operation.is_open:
            yield from withdrawn(key, [line for line in lines if line.is_sent], is_over=True)


def withdrawn(key: Key, lines: Sequence[Standing], *, is_over: bool) -> Iterator[Difference]:
    """What to do about the lines of an operation that is not decided any more.

    Lines never sent are withdrawn. Where the operation is over (cancelled, or done without them), sent ones should be.
    """
    for line in lines:
        if line.is_active and not line.is_sent:
            yield Difference("cancel", *key, line=line)
        elif is_over and line.is_sent and line.open > ZERO:
            yield _alert(key, line, proposes="cancel", after={"quantity": text(line.received)})


def _is_outside(
    operation: OperationFacts, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> bool:
    verdict = decided.get(operation.operation_id)
    if verdict and verdict.verdict == OUTSOURCE and verdict.awards:
        return True
    is_over = verdict is not None and verdict.verdict == IN_HOUSE  # what vendors are done with goes on inside
    lines = standing.get(operation.operation_id, ())
    return any(line.is_sent and line.is_active and (line.open > ZERO or not is_over) for line in lines)


def _goes_on(
    operation: OperationFacts, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]]
) -> str:
    """Where an operation takes pieces on that are still to come: a vendor has it (`sent`), a vendor will (`outsource`), we do
    (`in_house`). Blank where nobody knows.
    """
    if any(x.is_sent and x.is_active and x.open > ZERO for x in standing.get(operation.operation_id, ())):
        return SENT
    verdict = decided.get(operation.operation_id)
    if verdict is None or (verdict.verdict == OUTSOURCE and not verdict.awards):
        return ""
    return verdict.verdict if verdict.verdict in (OUTSOURCE, IN_HOUSE) else ""


def _told_places(follow: Sequence[OperationFacts], standing: Mapping[int, Sequence[Standing]]) -> set[int]:
    """From where vendors who have the next steps were told that they get the pieces."""
    lines = [line for operation in follow for line in standing.get(operation.operation_id, ())]
    return {
        place for line in lines if line.is_sent and line.is_active and line.open > ZERO for place in line.takes_from
    }


def _places_now(plan: Plan, lines: Sequence[Standing], next_ones: Sequence[str]) -> dict[int, int]:
    """Where the open pieces of sent lines should come back to, of those that were told another place.

    They stay at the vendor where vendors take them on and nothing brings them home. Where nobody knows who takes them on, and
    where a vendor was already told from where he gets them, what was told stands; so it does for orders we did not make.
    """
    found = {}
    for line in lines:
        if not (line.is_sent and line.is_active and line.open > ZERO):
            continue
        if line.receive_at_id == line.ship_to_id:
            if not next_ones or IN_HOUSE in next_ones:
                found[line.line_id] = plan.home_id
        elif line.is_by_hand:
            continue
        elif next_ones and all(one == OUTSOURCE for one in next_ones) and not line.comes_home:
            found[line.line_id] = line.ship_to_id
        elif line.receive_at_id != plan.home_id:
            found[line.line_id] = plan.home_id
    return found


def _left_by(
    operation: OperationFacts,
    lines: Sequence[Standing],
    awards: Sequence[AwardValues],
    back_to: Mapping[int, int],
    *,
    is_inside: bool,
    home_id: int,
) -> list[_Source]:
    """The pieces an operation has given and will give, by place: what was made inside, what vendors have, what they will."""
    sent = [line for line in lines if line.is_sent]
    inside = max(operation.good - sum((line.accepted for line in sent), ZERO), ZERO)
    found = [_Source(home_id, inside)] if inside and (sent or awards) else []
    found += [source for line in sent for source in _left_by_line(line)]
    found += [_Source(back_to[award.vendor_id], award.quantity) for award in awards]
    if not found or (is_inside and not awards):  # what no vendor has is made, or was made, inside
        found.append(_Source(home_id, operation.quantity))
    return found


def _left_by_line(line: Standing) -> Iterator[_Source]:
    """What was received before its place was changed lies where it came; the rest comes to the place that holds now."""
    left = line.quantity if line.open > ZERO else line.received
    for place_id, quantity in line.elsewhere:
        part = min(quantity, line.received, left)
        left -= part
        yield _Source(place_id, part)
    yield _Source(line.receive_at_id, left)


def _needs(
    plan: Plan,
    operation: OperationFacts,
    *,
    quantity: Decimal,
    ship_to_id: int,
    ratios: Sequence[bom.Ratio],
    wip: Sequence[tuple[str, list[tuple[int, Decimal]]]],
    free: dict[tuple[int, int], Decimal] | None,
) -> tuple[Need, ...]:
    found = []
    for stage, taken in wip:
        for place_id, part in taken:
            found.append(Need(plan.item_id, stage, OWN, PER_UNIT, Decimal(1), ZERO, part, ZERO, place_id))
    for ratio in ratios:
        one = bom.required(ratio, quantity=quantity)
        ships = one.supply in (OWN, RETURNABLE)
        carried = ZERO
        if ships and free is not None:
            carried = min(free.get((ship_to_id, one.item_id), ZERO), one.required)
            if carried > ZERO:
                free[(ship_to_id, one.item_id)] -= carried
        found.append(
            Need(
                one.item_id,
                "",
                one.supply,
                PER_ORDER if one.is_per_order else PER_UNIT,
                one.quantity_per,
                one.scrap_pct,
                one.required,
                carried,
                plan.home_id if ships else None,
            )
        )
    return tuple(found)


def _hash(
    award: AwardValues,
    document: DocumentRules,
    certificates: Sequence[str],
    needs: tuple[Need, ...],
    receive_at_id: int,
) -> str:
    values = repr((award, document, tuple(certificates), needs, receive_at_id))
    return hashlib.md5(values.encode(), usedforsecurity=False).hexdigest()


DRAFT_BITS = 48
"""Of a draft's content hash, so that the sum over all drafts of an order fits a bigint."""


def draft_mark(content_hash: str) -> int:
    """A number for what a draft holds; the sum over an order's drafts tells whether they are those there should be."""
    return int(content_hash[: DRAFT_BITS // 4].ljust(DRAFT_BITS // 4, "0"), 16)


def _pinned(line: Standing, award: AwardValues, key: Key) -> Iterator[Difference]:
    """A person's word on a draft stays; where the run would say otherwise, somebody is told."""
    pairs = {
        "quantity": (text(line.quantity), text(award.quantity)),
        "unit_price": (text(line.unit_price), text(award.unit_price)),
        "need_date": (line.need_date.isoformat(), award.need_date.isoformat()),
    }
    differing = {name: pair for name, pair in pairs.items() if name in line.pinned and pair[0] != pair[1]}
    if differing:
        yield Difference(
            "alert",
            *key,
            line=line,
            proposes="change",
            before={name: pair[0] for name, pair in differing.items()},
            after={name: pair[1] for name, pair in differing.items()},
        )


def _said_of_sent(
    operation: OperationFacts,
    verdict: Decided,
    lines: Sequence[Standing],
    raised: Mapping[int, AwardValues],
    outdated: Mapping[int, Mapping[str, tuple[str, str]]],
    places_now: Mapping[int, int],
) -> Iterator[Difference]:
    """A sent line is never touched: an alert proposes its new quantity, date, vendor, place to come back to, revision or
    specification, or that it be cancelled.
    """
    key = Key(operation.operation_id, operation.number, operation.operation_no)
    open_lines = [line for line in lines if line.is_sent and line.is_active and line.open > ZERO]
    if not open_lines:
        return
    if verdict.verdict == REVIEW:  # nobody says that it is not needed: somebody has to say what becomes of it
        for line in open_lines:
            yield _alert(key, line, proposes="change", after={"verdict": REVIEW})
        return
    if verdict.verdict not in (OUTSOURCE, BLOCKED):  # blocked is only what is missing beyond them
        for line in open_lines:
            after = {"quantity": text(line.received), "verdict": verdict.verdict}
            yield _alert(key, line, proposes="cancel", after=after)
        return
    word = operation.word
    leaving = dict(verdict.leaving)
    elsewhere = [a for a in verdict.awards if a.vendor_id not in {line.vendor_id for line in open_lines}]
    ordered = sum((x.counts for x in lines if x.is_sent), ZERO)
    is_enough = verdict.verdict == OUTSOURCE and not raised and not elsewhere
    surplus = max(ordered - verdict.quantity, ZERO) if is_enough else ZERO
    for line in reversed(open_lines):
        after = {}
        name = f"{line.order_number}/{line.line_no}"
        if name in leaving and (goes_to := leaving[name]) is None:  # he cannot keep it and nobody else can take it
            yield _alert(key, line, proposes="cancel", after={"quantity": text(line.received), "verdict": BLOCKED})
            continue
        award = raised.get(line.line_id)
        cut = min(surplus, line.open)
        surplus -= cut
        if award:
            after["quantity"] = text(line.quantity + award.quantity)
        elif cut > ZERO:
            after["quantity"] = text(line.quantity - cut)
        if verdict.need_date and verdict.need_date != line.need_date:
            after["need_date"] = verdict.need_date.isoformat()
        if word and word.word == OUTSOURCE and word.vendor_id not in (None, line.vendor_id):
            after["vendor"] = str(word.vendor_id)
        elif name in leaving:
            after["vendor"] = str(goes_to)
        if cut > ZERO and line.quantity == cut:
            yield _alert(key, line, proposes="cancel", after=after)
            continue
        retold = dict(outdated.get(line.line_id, {}))
        if line.line_id in places_now and "vendor" not in after:
            retold["receive_at"] = (str(line.receive_at_id), str(places_now[line.line_id]))
        after |= {name: now for name, (_, now) in retold.items()}
        if after:
            told = {name: before for name, (before, _) in retold.items()}
            yield _alert(key, line, proposes="change", after=after, told=told)


def _alert(
    key: Key, line: Standing, *, proposes: str, after: dict[str, str], told: Mapping[str, str] | None = None
) -> Difference:
    before = {"quantity": text(line.quantity), "need_date": line.need_date.isoformat(), **(told or {})}
    return Difference("alert", *key, line=line, proposes=proposes, before=before, after=after)


def text(quantity: Decimal) -> str:
    """A quantity as people write it: no trailing zeros, no exponent."""
    return f"{quantity.normalize():f}"
