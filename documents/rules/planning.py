"""The documents one production order should have, beside those it has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from documents.rules.joining import bought_together, followers, joined
from documents.rules.places import Source, goes_on, is_outside, left_by, take, told_places, wanted_places, wanted_steps
from documents.rules.standing import of_another_item, of_pinned, proposal, said_of_sent, withdrawn
from documents.rules.values import (
    IN_HOUSE,
    OUTSOURCE,
    OWN,
    PER_ORDER,
    PER_UNIT,
    RETURNABLE,
    ZERO,
    Difference,
    DocumentRules,
    Ground,
    Key,
    Need,
    Plan,
    Standing,
    text,
)
from policies.rules.values import AwardValues, Decided, OperationFacts
from production.rules import components as bom


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


def plan_order(
    plan: Plan, *, decided: Mapping[int, Decided], standing: Mapping[int, Sequence[Standing]], ground: Ground
) -> Iterator[Difference]:
    """The differences between what was decided for an order's operations and the lines that stand for them.

    `standing` holds lines by operation. Lines of operations without a decision are left to the caller, who knows why.
    """
    if not any(d.awards for d in decided.values()) and not standing:
        return
    if plan.item_change:
        yield from of_another_item(plan, standing)
        return
    nos = tuple(o.operation_no for o in plan.operations)
    if inside := bought_together(plan, decided, standing):
        plan = replace(plan, operations=joined(plan.operations, inside))
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
    outside = {o.operation_id for o in plan.operations if is_outside(o, decided, standing)}
    sources: dict[int, list[Source]] = {}

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
        told = told_places(follow, standing)
        back_to = {
            vendor_id: place_id if stays and (not told or place_id in told) else plan.home_id
            for vendor_id, place_id in places.items()
        }
        sources[operation.operation_id] = left_by(
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
                    take(sources[one.operation_id], line.open + line.received, at_id=line.ship_to_id)

        wanted: set[int] = set()
        raised: dict[int, AwardValues] = {}
        for award in awards:
            ship_to_id = places[award.vendor_id]
            # What a vendor countered is what he can make: the rest is ordered anew, not asked of that line again.
            sent = [
                x for x in lines if x.is_sent and x.vendor_id == award.vendor_id and x.open > ZERO and not x.is_full
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
                        take(sources[one.operation_id], quantity, at_id=ship_to_id),
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
                    yield proposal(key, held, proposes="change", after=says)
                continue
            wanted.add(mine.line_id)
            if mine.content_hash != content_hash:
                made.action, made.line = "change", mine
                yield made
            yield from of_pinned(mine, award, key)

        for line in lines:
            if line.is_active and not line.is_sent and line.line_id not in wanted:
                yield Difference("cancel", *key, line=line)
        if verdict:
            places_now = wanted_places(plan, lines, [goes_on(f, decided, standing) for f in follow])
            steps_now = wanted_steps(plan, lines, previous)
            yield from said_of_sent(operation, verdict, lines, raised, ground.outdated, places_now, steps_now)
        elif not operation.is_open:
            yield from withdrawn(key, [line for line in lines if line.is_sent], is_over=True)


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
